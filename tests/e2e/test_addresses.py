# SPDX-License-Identifier: MIT
"""
A name with several addresses, in a network of the test's own: who is silent hides nobody, who takes
the connection is the one that was called, and where nobody can be reached each address is told of.
"""
import contextlib
import json
import subprocess
import unittest

from harness import AM_ROOT, Running, program
from system import System
from test_codes import ERROR_1722
from world import Exact

GOOD, REFUSES, SILENT = "192.0.2.1", "192.0.2.2", "192.0.2.7"
SILENT6, BAD6 = "2001:db8::7", "2001:db8::1"
HOSTS = {"good": [GOOD], "hidden": [SILENT6, GOOD], "taken": [BAD6, GOOD],
         "mixed": [SILENT6, REFUSES], "silent": [SILENT6, SILENT], "refusing": [REFUSES]}

# What is routed to this host and is not its own, it throws away without a word.
NETWORK = f"""
ip link set lo up
ip addr add {GOOD}/32 dev lo
ip addr add {REFUSES}/32 dev lo
ip addr add {BAD6}/128 dev lo nodad
ip addr add {SILENT6}/128 dev lo nodad
ip route add {SILENT} dev lo src {GOOD}
"""

# A port is silent whose queue is full.
SILENT_SERVER = """import socket, sys, time
there = (sys.argv[1], int(sys.argv[2]))
with socket.create_server(there, family=socket.AF_INET6, backlog=0):
    held = [socket.socket(socket.AF_INET6) for _ in range(4)]
    for one in held:
        one.setblocking(False)
        one.connect_ex(there)
    print("ready", flush=True)
    sys.stdin.read()
"""

# It takes each connection and says what is none of the protocol.
BAD_SERVER = """import socket, sys
with socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6) as server:
    print("ready", flush=True)
    while True:
        with server.accept()[0] as one:
            one.recv(65536)
            one.sendall(b"HTTP/1.1 400 Bad Request\\r\\n\\r\\n")
"""


@contextlib.contextmanager
def ready(argv):
    """A process that has said so, for as long as it is needed and its input is open."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout.readline() != "ready\n":
                why = process.stderr.read()
                raise (unittest.SkipTest if "unshare" in why else AssertionError)(why)
            yield process
        finally:
            process.kill()


class Inside(System):
    """The whole system with a network and names of its own."""

    def __init__(self):
        super().__init__()
        self.config["listen"] = f"{GOOD}:{self.port}"
        self.holder = None

    def start(self):
        for name, lines in (("hosts", (f"{a} {name}\n" for name in HOSTS for a in HOSTS[name])),
                            ("resolv.conf", ["options timeout:30\n", f"nameserver {SILENT}\n"])):
            with open(self.path(name), "w", encoding="ascii") as file:
                file.writelines(lines)
        mounts = "".join(f"mount --bind {self.path(name)} /etc/{name}\n"
                         for name in ("hosts", "resolv.conf"))
        script = f"{NETWORK}{mounts}echo ready\nexec cat"
        self.holder = self._stack.enter_context(ready(["unshare", "-mn", "/bin/sh", "-ec", script]))
        self._stack.enter_context(self.server_at(SILENT6, SILENT_SERVER))
        super().start()

    def server_at(self, address, script):
        return ready(self.inside(["/usr/bin/python3", "-c", script, address, str(self.port)]))

    def inside(self, argv):
        return ["nsenter", "-t", str(self.holder.pid), "-m", "-n", *argv]

    def spawn(self, argv, **options):
        return super().spawn(self.inside(argv), **options)

    def begin(self, *arguments, user=None, name="msg", home=None, stdin=None):
        env = {**self.environment(), **({"MSG_CONFIG_HOME": home} if home else {})}
        running = Running(user or self.me, self.inside([program(name), *arguments]), stdin, env)
        self._stack.callback(running.kill)
        return running


@unittest.skipUnless(AM_ROOT, "needs root")
class Addresses(Exact):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = Inside()
        cls.addClassCleanup(cls.system.close)
        cls.system.start()
        cls.terminal = cls.system.terminal()
        cls.alice = cls.system.make_sender("alice")
        cls.system.msgctl("authorize", cls.alice.key, "alice", "--file", cls.system.authorized_keys)
        for host in HOSTS:
            cls.system.msgctl("trust", f"{host}:{cls.system.port}", cls.system.host_key(),
                              home=cls.alice.home)

    def run_at(self, host, *arguments, name="msg"):
        server = f"{host}:{self.system.port}"
        words = [*arguments, server] if name == "msgctl" else [f"/SERVER:{server}", *arguments]
        return self.system.msg(*words, name=name, home=self.alice.home)

    def took_ms(self, host):
        pinged = self.run_at(host, "ping", "--json", name="msgctl")
        self.assertEqual(pinged.status, 0, pinged)
        return json.loads(pinged.out)["took_us"] / 1000

    def unreached(self, host, line):
        self.expect(self.run_at(host, self.system.me.name, "x"), 4, "", f"{ERROR_1722}{line}\n")

    def test_who_is_silent_hides_nobody(self):
        self.expect(self.run_at("hidden", self.system.me.name, "round the silent one"), 0)
        self.terminal.wait_for(r"^\| round the silent one$")

    def test_what_the_silence_costs(self):
        """The best of three, since others may be at work here."""
        at_once = min(self.took_ms("good") for _ in range(3))
        hidden = min(self.took_ms("hidden") for _ in range(3))
        self.assertGreaterEqual(hidden, 250)
        self.assertLess(hidden - at_once, 800)

    def test_who_takes_the_connection_is_the_one(self):
        """Else whoever stands in between had only to spoil a handshake to go unseen."""
        with self.system.server_at(BAD6, BAD_SERVER):
            outcome = self.run_at("taken", self.system.me.name, "never")
        self.expect(outcome, 4, "",
                    f"{ERROR_1722}what answers on taken:{self.system.port} "
                    f"({BAD6} port {self.system.port}) is not msgd: its answer is not of this "
                    "protocol\n")
        self.assertNotIn("never", self.terminal.screen())

    def test_who_refuses_is_passed_over(self):
        self.expect(self.run_at("taken", self.system.me.name, "past the closed one"), 0)
        self.terminal.wait_for(r"^\| past the closed one$")

    def test_nobody_is_there(self):
        port = self.system.port
        self.unreached("refusing", f"cannot reach msgd on refusing:{port} ({REFUSES} port {port}: "
                                   "connection refused); "
                                   f"where it fails, step by step: msgctl doctor refusing:{port}")
        self.unreached("mixed", f"cannot reach msgd on mixed:{port} ({REFUSES} port {port}: "
                                f"connection refused; {SILENT6}: no answer); "
                                f"where it fails, step by step: msgctl doctor mixed:{port}")
        self.unreached("silent", f"cannot reach msgd on silent:{port} ({SILENT6} port {port}: no "
                                 f"answer in 5 s, a firewall may drop it; {SILENT} too); "
                                 f"where it fails, step by step: msgctl doctor silent:{port}")

    def test_nobody_knows_names(self):
        """Nor is it waited for until the resolver gives up, after a minute."""
        self.unreached("h.example", f"cannot reach msgd on h.example:{self.system.port} (the name "
                                    "cannot be looked up now); where it fails, step by step: "
                                    f"msgctl doctor h.example:{self.system.port}")


if __name__ == "__main__":
    unittest.main()
