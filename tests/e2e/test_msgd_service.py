# SPDX-License-Identifier: MIT
"""
msgd as a process: deaths, starting and ending, configuration read again, its command line.
"""
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import screens
from harness import AM_ROOT, TOP, eventually, program
from local_peer import ACK, GOAWAY, RESULT, SEND, message
from msgd_alone import BOB, ME, WHO, MsgdTest
from screens import Presenter


class Deaths(MsgdTest):
    def test_a_clean_end(self):
        self.start()
        peer = self.msgd.peer()
        number, (order,) = self.sent(peer, message("bob", "x", wait=True))
        self.msgd.process.send_signal(signal.SIGTERM)
        self.expect_events(peer, number, (1, "withdrawn", "daemon-stop"))
        self.expect(peer, RESULT, number, st="withdrawn")
        self.expect(peer, GOAWAY, 0, code="shutting-down")
        self.assertIsNone(peer.receive())
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 3})
        self.assertEqual(self.msgd.process.wait(5), 0)
        self.assertFalse(os.path.exists(self.msgd.socket))

    def test_an_embedded_presenter_takes_msgd_with_it(self):
        self.start()
        peer = self.msgd.peer()
        number, _ = self.sent(peer, message("bob", "x", wait=True))
        self.screens.close()
        self.expect_events(peer, number, (1, "failed", "presenter-lost"))
        self.expect(peer, RESULT, number, st="failed")
        self.expect(peer, GOAWAY, 0, code="shutting-down")
        self.assertEqual(self.msgd.process.wait(5), 1)

    def test_a_presenter_that_talks_nonsense_is_lost(self):
        self.start()
        self.screens.send(99, b"")
        self.assertEqual(self.msgd.process.wait(5), 1)
        self.assertIn("msgd-present is lost", self.msgd.logged())


class Separate(MsgdTest):
    """The presenter is a service of its own: it comes and goes."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.msgd.folder, "present.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.listener.close)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(1)
        self.listener.settimeout(10)

    def comes(self, *sessions):
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        for session in sessions:
            self.screens.add(*session)
        self.screens.greet()

    def test_without_one(self):
        self.msgd.launch("--present-socket", self.path + ".not")
        eventually(self.msgd.answers, self.msgd.logged)
        got = self.ask_error(self.msgd.peer(), SEND, message("bob", "x"), "no-presenter")
        self.assertTrue(got["retry_ms"])
        self.ask_error(self.msgd.peer(), WHO, {}, "no-presenter")

    def test_terminals_outlive_it(self):
        self.msgd.launch("--present-socket", self.path)
        self.comes(("bob", BOB, "pts/1"), ("bob", BOB, "pts/2"), ("bob", BOB, "pts/3"),
                   ("bob", BOB, "pts/4"))
        eventually(self.msgd.answers, self.msgd.logged)
        peer = self.msgd.peer()
        number, orders = self.sent(peer, message("bob", "x", wait=True, each=True, time_ms=60000), 4)
        for d, reach in ((1, screens.TERMINAL), (2, screens.TERMINAL), (3, screens.DESKTOP)):
            self.screens.shown(orders[d - 1]["present"], reach)
            self.expect_events(peer, number, (d, "displayed"))
        self.screens.close()
        self.expect_events(peer, number, (3, "failed", "presenter-lost"),
                           (4, "failed", "presenter-lost"))
        self.ask_error(peer, SEND, message("bob", "y"), "no-presenter")
        time.sleep(0.1)
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        self.screens.handles = 40
        handle = self.screens.add("bob", BOB, "pts/1", login="s1")
        self.screens.greet()
        self.expect_events(peer, number, (2, "session-gone", "hangup"))
        self.assertTrue(self.screens.is_silent())  # never presented again
        self.screens.gone(handle)
        self.expect_events(peer, number, (1, "session-gone", "hangup"))
        self.expect(peer, RESULT, number, st="session-gone",
                    n={"failed": 2, "session-gone": 2})

    def test_a_session_is_found_again_by_the_id_that_it_has_come_to(self):
        self.msgd.launch("--present-socket", self.path)
        self.comes(("me", ME, "pts/1"))
        eventually(self.msgd.answers, self.msgd.logged)
        peer = self.msgd.peer()
        number, [order] = self.sent(peer, message("me", "x", wait=True, time_ms=60000))
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.screens.change(1, login="42")  # logind knows of it by now
        self.screens.close()
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        self.screens.handles = 40
        self.screens.add("me", ME, "pts/1", login="42")
        self.screens.greet()
        receiver = self.msgd.peer()
        eventually(lambda: self.msgd.logged().count("connected with msgd-present") == 2, "its list")
        receiver.request(ACK, {"number": order["number"]})
        self.expect_events(peer, number, (1, "acknowledged"))


class Service(MsgdTest):
    """What systemd gives and is told."""

    def notify_socket(self):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.settimeout(10)
        path = os.path.join(self.msgd.folder, "notify")
        told.bind(path)
        os.chmod(path, 0o666)
        return told, {**os.environ, "NOTIFY_SOCKET": path}

    def test_signs_of_life(self):
        told, env = self.notify_socket()
        self.start(env={**env, "WATCHDOG_USEC": "100000"})
        self.assertEqual([told.recv(64) for _ in range(4)], [b"READY=1"] + 3 * [b"WATCHDOG=1"])

    def test_signs_of_life_that_are_asked_of_another(self):
        told, env = self.notify_socket()
        self.start(env={**env, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"})
        self.assertEqual(told.recv(64), b"READY=1")
        self.assertEqual(self.msgd.stop(), 0)
        self.assertEqual(told.recv(64), b"STOPPING=1")

    def test_a_reload_has_a_beginning_and_an_end(self):
        told, env = self.notify_socket()
        self.start(env=env)
        self.assertEqual(told.recv(64), b"READY=1")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.msgd.process.send_signal(signal.SIGHUP)
        state, usec = told.recv(64).split(b"\nMONOTONIC_USEC=")
        self.assertEqual(state, b"RELOADING=1")
        self.assertGreaterEqual(int(usec), before)
        self.assertEqual(told.recv(64), b"READY=1")

    def test_sockets_handed_over_and_notification(self):
        self.msgd.socket = os.path.join(self.msgd.folder, "handed.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.msgd.socket)
        os.chmod(self.msgd.socket, 0o666)
        listener.listen(8)
        told, env = self.notify_socket()
        argv = self.msgd.arguments
        # LISTEN_PID must be its own, so a shell takes the number first; dash knows no fd above 9.
        self.msgd.arguments = lambda *more: [
            "bash", "-c", f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh",
            *[a if a != self.msgd.socket else a + ".own" for a in argv(*more)]]
        self.start(env=env, pass_fds=[listener.fileno()])
        self.assertEqual(told.recv(64), b"READY=1")
        self.assertFalse(os.path.exists(self.msgd.socket + ".own"))
        self.sent(self.msgd.peer(), message("bob", "x", wait=True))
        self.assertEqual(self.msgd.stop(), 0)
        self.assertEqual(told.recv(64), b"STOPPING=1")


class Reload(MsgdTest):
    def configure(self, *lines):
        with open(self.msgd.config, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")

    def test_read_again_on_sighup(self):
        self.start()
        peer = self.msgd.peer()
        self.configure("[msgd]", "name = h3", "[limits]", "messages_a_minute = 1")
        self.msgd.process.send_signal(signal.SIGHUP)
        eventually(lambda: "configuration read again" in self.msgd.logged(), self.msgd.logged)
        self.sent(peer, message("bob", "x"))
        self.ask_error(peer, SEND, message("bob", "x"), "rate-limited")
        self.assertEqual(self.msgd.peer().receive()[2]["name"], "h3")

    def test_a_broken_one_changes_nothing(self):
        self.start("--name", "h2")
        self.configure("[msgd]", "nonsense = 1")
        self.msgd.process.send_signal(signal.SIGHUP)
        eventually(lambda: f"kept as it was: {self.msgd.config}:2: " in self.msgd.logged(),
                   self.msgd.logged)
        self.assertEqual(self.msgd.peer().receive()[2]["name"], "h2")


class CommandLine(unittest.TestCase):
    def run_msgd(self, *arguments, **options):
        if not os.path.exists(program("msgd")):
            self.skipTest("msgd is not built")
        return subprocess.run([program("msgd"), *arguments], capture_output=True, text=True,
                              check=False, timeout=20, **options)

    def test_help_and_version(self):
        got = self.run_msgd("--help")
        self.assertEqual((got.returncode, got.stderr), (0, ""))
        self.assertTrue(got.stdout.startswith("Usage: msgd"))
        self.assertEqual(self.run_msgd("--version").returncode, 0)

    def test_wrong_options(self):
        for arguments in (["--nonsense", "1"], ["word"], ["--socket"], ["--present-fd", "x"],
                          ["--present-fd", "2"], ["--listen", "nowhere"], ["--uids", "0"]):
            with self.subTest(arguments=arguments):
                got = self.run_msgd("-t", *arguments)
                self.assertIn(got.returncode, (1, 2))
                self.assertTrue(got.stderr.startswith("msgd: "), got.stderr)

    def test_the_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write("[limits]\nuids = 7\n")
            f.flush()
            self.assertEqual(self.run_msgd("-f", f.name, "-t").returncode, 0)
            got = self.run_msgd("-f", f.name, "-T", "--socket=/x/y")
            self.assertIn("uids = 7", got.stdout)
            self.assertIn("socket = /x/y", got.stdout)
            f.write("nonsense = 1\n")
            f.flush()
            got = self.run_msgd("-f", f.name, "-t")
            self.assertEqual(got.returncode, 1)
            self.assertIn(f"{f.name}:3: ", got.stderr)

    def test_the_files_of_keys_are_tested_too(self):
        with tempfile.TemporaryDirectory() as folder:
            authorized, revoked = os.path.join(folder, "keys"), os.path.join(folder, "revoked")
            options = ["-t", "--authorized-keys", authorized, "--revoked-keys", revoked]
            self.assertEqual(self.run_msgd(*options).returncode, 0)
            os.mkdir(authorized + ".d", 0o755)
            faults = [authorized, authorized + ".d/a.keys", revoked]
            for path in faults:
                with open(path, "w", encoding="ascii") as f:
                    f.write("# a comment\nnonsense\n")
                os.chmod(path, 0o644)
            got = self.run_msgd(*options)
            self.assertEqual(got.returncode, 1)
            for path in faults:
                self.assertIn(f"msgd: {path}:2: ", got.stderr)

    def test_the_manual_has_every_key(self):
        keys = re.findall(r"^(\w+) =", self.run_msgd("-T").stdout, re.MULTILINE)
        with open(os.path.join(TOP, "man", "msgd.conf.5"), encoding="utf-8") as f:
            self.assertEqual(re.findall(r"^\.It Cm (\w+)$", f.read(), re.MULTILINE), keys)

    def test_the_example_says_what_holds_without_it(self):
        with open(os.path.join(TOP, "systemd", "msgd.conf"), encoding="utf-8") as example, \
                tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            self.assertEqual(self.run_msgd("-f", example.name, "-t").stderr, "")
            none = self.run_msgd("-f", f.name, "-T").stdout
            f.write(re.sub(r"^#(?=\w)", "", example.read(), flags=re.MULTILINE))
            f.flush()
            self.assertEqual(self.run_msgd("-f", f.name, "-T").stdout, none)

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_it_does_not_run_as_root(self):
        got = self.run_msgd()
        self.assertEqual(got.returncode, 1)
        self.assertIn("does not run as root", got.stderr)


if __name__ == "__main__":
    unittest.main()
