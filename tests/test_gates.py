# SPDX-License-Identifier: MIT
"""Each gate sees the fault that was planted for it, and passes where there is none."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
HARD = ("-O2 -fPIE -pie -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 "
        "-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack").split()
PROGRAM = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char line[64];
    strcpy(line, argv[0]);
    return printf("%s %d", line, argc) < 0;
}
"""


class GateTest(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="msg-gates-")
        self.addCleanup(shutil.rmtree, self.top)

    def write(self, path, text):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def gate(self, name, *arguments):
        done = subprocess.run([sys.executable, os.path.join(HERE, name), *arguments],
                              capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def compile(self, output, source, flags):
        output = os.path.join(self.top, output)
        os.makedirs(os.path.dirname(output), exist_ok=True)
        subprocess.run(["gcc", "-o", output, self.write("x.c", source), *flags], check=True)
        return output


class LayersTest(GateTest):
    ALLOWED = [
        ("protocol/a.c", "<string.h>"), ("protocol/a.c", '"protocol/wire.h"'),
        ("common/a.c", "<uv.h>"), ("client/a.c", '"common/stream.h"'),
        ("daemon/net_a.c", '"daemon/boundary.h"'), ("daemon/present_a.c", "<systemd/sd-bus.h>"),
        ("daemon/present_a.c", '"common/log.h"'),
    ]
    REFUSED = [
        ("protocol/a.c", "<unistd.h>"), ("protocol/a.c", "<time.h>"), ("protocol/a.c", "<uv.h>"),
        ("protocol/a.h", '"common/log.h"'), ("common/a.c", '"client/call.h"'),
        ("common/a.c", '"daemon/boundary.h"'), ("common/a.c", "<systemd/sd-bus.h>"),
        ("client/a.c", '"daemon/boundary.h"'), ("daemon/net_a.c", '"client/call.h"'),
        ("daemon/net_a.c", '"daemon/present_a.h"'), ("daemon/net_a.c", "<systemd/sd-event.h>"),
        ("daemon/net_a.c", "<msgpack.h>"), ("daemon/present_a.c", '"daemon/net_a.h"'),
        ("daemon/present_a.c", '"common/stream.h"'), ("daemon/present_a.c", '"protocol/wire.h"'),
        ("daemon/present_a.c", "<uv.h>"), ("daemon/popup_a.c", "<sodium.h>"),
        ("daemon/popup_a.c", '"common/keyfile.h"'), ("daemon/other.c", "<string.h>"),
    ]

    def layers(self):
        return self.gate("layers", self.top, os.path.join(self.top, "build"))

    def test_includes(self):
        for path, name in self.ALLOWED:
            with self.subTest(path=path, name=name):
                file = self.write(path, f"#include {name}\n")
                self.assertEqual(self.layers(), "")
                os.remove(file)
        for path, name in self.REFUSED:
            with self.subTest(path=path, name=name):
                file = self.write(path, f"/* */\n  # include {name}\n")
                self.assertIn(path, self.layers())
                os.remove(file)

    def test_words(self):
        self.write("client/a.c", "/* uv_stream_t */\n")
        self.assertEqual(self.layers(), "")
        self.write("client/a.c", "static uv_stream_t *s;\n")
        self.assertIn("uv_stream_t", self.layers())
        self.write("client/a.c", "int x = msgpack_unpack_next(0);\n")
        self.assertIn("msgpack_unpack_next", self.layers())

    def library(self, code):
        source = self.write("protocol.c", code)
        os.makedirs(os.path.join(self.top, "build/.libs"), exist_ok=True)
        object_file = os.path.join(self.top, "protocol.o")
        library = os.path.join(self.top, "build/.libs/libprotocol.a")
        subprocess.run(["gcc", "-c", "-o", object_file, source], check=True)
        subprocess.run(["ar", "rc", library, object_file], check=True)

    def test_symbols(self):
        self.library("#include <string.h>\nunsigned long f(char *s) { return strlen(s); }\n")
        self.assertEqual(self.layers(), "")
        for call in ("time(0)", "write(1, s, 1)", "randombytes_buf(s, 1)", "puts(s)"):
            self.library(f"int {call.split('(')[0]}();\nint f(char *s) {{ return {call}; }}\n")
            self.assertIn(call.split("(", maxsplit=1)[0], self.layers())

    def test_links(self):
        crypto = '#include <sodium.h>\nint main(void) { return sodium_init(); }\n'
        self.compile("build/daemon/msgd", crypto, ["-lsodium"])
        self.assertEqual(self.layers(), "")
        self.compile("build/daemon/msgd-present", crypto, ["-lsodium"])
        self.assertEqual(self.layers(), "daemon/msgd-present: is linked with libsodium")


class HardeningTest(GateTest):
    FAULTS = {
        "position-independent": ["-fno-pie", "-no-pie"],
        "RELRO": ["-Wl,-z,norelro"],
        "BIND_NOW": ["-Wl,-z,lazy"],
        "stack not executable": ["-Wl,-z,execstack"],
        "stack protector": ["-fno-stack-protector"],
        "fortified": ["-U_FORTIFY_SOURCE"],
        "no RPATH": ["-Wl,-rpath,/tmp"],
    }

    def test_faults(self):
        good = self.compile("good", PROGRAM, HARD)
        self.assertEqual(self.gate("hardening", good), "")
        for what, flags in self.FAULTS.items():
            with self.subTest(what=what):
                bad = self.compile("bad", PROGRAM, HARD + flags)
                self.assertIn(what, self.gate("hardening", bad))


@unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd")
class UnitsTest(GateTest):
    PLANTED = [
        ("system/msgd.service", "NoNewPrivileges=yes", "NoNewPrivilege=yes"),
        ("system/msgd.service", "SystemCallFilter=@system-service\n", ""),
        ("system/msgd-present.service", "PrivateNetwork=yes\n", ""),
        ("system/msgd-present.service", "ExecStart=/sbin", "ExecStart=/elsewhere"),
        ("system/msgd.socket", "SocketMode=0666\n", ""),
        ("system/msgd-tcp.socket", "=6743", "=6744"),
    ]

    def setUp(self):
        super().setUp()
        source = os.path.join(HERE, "..", "systemd")
        for folder, names in (("system", ["msgd.socket", "msgd-tcp.socket", "msgd-present.socket",
                                          "msgd-tcp-change.target"]),
                              ("", ["sysusers.d/msgd.conf", "tmpfiles.d/msgd.conf",
                                    "system-preset/90-msgd.preset"])):
            for name in names:
                self.write(os.path.join("lib", folder, name), self.read(source, name))
        for name in ("msgd", "msgd-present"):
            unit = self.read(source, name + ".service.in").replace("@sbindir@", "/sbin")
            self.write(f"lib/system/{name}.service", unit)
            os.chmod(self.write("sbin/" + name, "#!/bin/sh\n"), 0o755)

    def read(self, folder, name):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            return f.read()

    def test_planted(self):
        self.assertEqual(self.gate("units", self.top), "")
        for name, good, bad in self.PLANTED:
            with self.subTest(name=name, good=good):
                text = self.read(os.path.join(self.top, "lib"), name)
                self.assertIn(good, text)
                self.write("lib/" + name, text.replace(good, bad))
                self.assertIn(os.path.basename(name), self.gate("units", self.top))
                self.write("lib/" + name, text)

    def test_left_out(self):
        os.remove(os.path.join(self.top, "lib/sysusers.d/msgd.conf"))
        self.assertEqual(self.gate("units", self.top), "not installed: sysusers.d/msgd.conf")


if __name__ == "__main__":
    unittest.main()
