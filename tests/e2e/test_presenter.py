# SPDX-License-Identifier: MIT
"""msgd-present as a program: who may connect, as a service, and with msgd as its child."""
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import boundary
from boundary import Msgd
from harness import AM_ROOT, eventually, program, stop
from presenter import Case, Presenter, PresenterCase


class HelloTest(PresenterCase):
    def test_other_records_are_refused_by_name(self):
        self.msgd.close()
        other = self.connect(greet=False)
        hello = other.receive()
        other.send(boundary.HELLO, hello.version, 0, hello.layout ^ 1, b"msgd \x1b[1mfrom elsewhere")
        self.assertTrue(other.closed())
        self.presenter.wait_for("built with other records")

    def test_another_version_is_refused_by_name(self):
        self.msgd.close()
        other = self.connect(greet=False)
        hello = other.receive()
        other.send(boundary.HELLO, hello.version + 1, 0, hello.layout, b"msgd 9")
        self.assertTrue(other.closed())
        self.presenter.wait_for("another version of the boundary")

    def test_hello_comes_first_and_once(self):
        self.msgd.close()
        other = self.connect(greet=False)
        other.send(boundary.SESSIONS, 0)
        self.assertTrue(other.closed())
        again = self.connect()
        again.send(boundary.HELLO, 1, 0, again.layout, b"msgd")
        self.assertTrue(again.closed())
        self.presenter.wait_for("hello twice")

    def test_a_mute_one_is_closed(self):
        self.msgd.close()
        other = self.connect(greet=False)
        other.receive()
        self.assertTrue(other.closed(timeout=8))
        self.presenter.wait_for("does not say hello")

    def test_one_at_a_time(self):
        other = self.connect(greet=False)
        self.assertTrue(other.closed())
        self.presenter.wait_for("turned away a second msgd")
        self.msgd.sessions()
        self.reconnect()
        self.msgd.sessions()

    @unittest.skipUnless(AM_ROOT, "other users connect only where there are some")
    def test_other_users_are_turned_away(self):
        self.msgd.close()
        for uid in (0, self.user().uid):
            with self.assertRaises((PermissionError, EOFError, ConnectionResetError)):
                other = Msgd.connect(self.presenter.socket, uid, greet=False)
                other.receive()
        self.presenter.wait_for("turned away a connection of uid 0, not")


class ServiceTest(Case):
    """Started as systemd would."""

    def notify_socket(self):
        path = os.path.join(self.folder, "notify")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(path)
        sock.settimeout(10)
        self.addCleanup(sock.close)
        return sock, path

    def start(self, options, env=None, **popen):
        presenter = Presenter(self.folder, self.utmp, options, env, **popen)
        self.addCleanup(presenter.stop)
        return presenter

    def test_passed_socket_ready_and_watchdog(self):
        notify, path = self.notify_socket()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(listener.close)
        listener.bind(os.path.join(self.folder, "present.sock"))
        os.chown(os.path.join(self.folder, "present.sock"), self.msgd_user.uid, -1)
        listener.listen(4)

        def pass_it():
            os.dup2(listener.fileno(), 3)
            os.environ["LISTEN_PID"] = os.environ["WATCHDOG_PID"] = str(os.getpid())

        # the environment of a child is set before it knows its pid: a shell knows it
        argv = [program("msgd-present"), *self.utmp.options, "--msgd-user", self.msgd_user.name]
        with open(os.path.join(self.folder, "log"), "wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"', "sh", *argv],
                preexec_fn=pass_it, pass_fds=(3,), stderr=log,
                env={**os.environ, "LISTEN_FDS": "1", "NOTIFY_SOCKET": path,
                     "WATCHDOG_USEC": "1000000"})
        self.addCleanup(stop, process, signal.SIGTERM)
        eventually(lambda: b"READY=1" in notify.recv(4096), "the presenter to be ready")
        self.assertIn(b"WATCHDOG=1", notify.recv(4096))
        msgd = Msgd.connect(os.path.join(self.folder, "present.sock"), self.msgd_user.uid)
        self.addCleanup(msgd.close)
        terminal = self.terminal()
        delivery = msgd.present(msgd.handle(terminal.line), "hello")
        msgd.expect(boundary.SHOWN, delivery=delivery)
        self.assertEqual(stop(process, signal.SIGTERM), 0)

    def test_without_a_socket_it_says_what_is_missing(self):
        presenter = self.start(["--msgd-user", self.msgd_user.name])
        self.assertEqual(presenter.process.wait(10), 1)
        self.assertIn("no socket from systemd, no --socket, no --with-msgd", presenter.log)

    def test_a_socket_in_use_is_left_alone(self):
        path = os.path.join(self.folder, "present.sock")
        options = ["--socket", path, "--msgd-user", self.msgd_user.name]
        first = self.start(options)
        first.wait_for("listens for msgd")
        second = self.start(options)
        self.assertEqual(second.process.wait(10), 1)
        self.assertIn("Address already in use", second.log)
        first.process.kill()
        first.process.wait()
        os.truncate(first.log_path, 0)
        third = self.start(options)  # the stale one is replaced
        third.wait_for("listens for msgd")
        Msgd.connect(path, self.msgd_user.uid).close()
        os.kill(third.process.pid, signal.SIGTERM)
        self.assertEqual(third.process.wait(10), 0)
        self.assertFalse(os.path.exists(path))
        with open(path, "w", encoding="ascii"):
            pass
        fourth = self.start(options)
        self.assertEqual(fourth.process.wait(10), 1)
        self.assertTrue(os.path.isfile(path))

    def try_connect(self, path):
        try:
            return Msgd.connect(path, self.msgd_user.uid)
        except (FileNotFoundError, PermissionError, ConnectionRefusedError):
            return None  # not yet made, given away, or listened to

    def test_stderr_that_takes_nothing_stops_nothing(self):
        out, full = os.pipe()
        self.addCleanup(os.close, out)
        os.set_blocking(full, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(full, b"x" * 512)
        os.set_blocking(full, True)
        path = os.path.join(self.folder, "present.sock")
        process = subprocess.Popen([program("msgd-present"), "--socket", path,
                                    *self.utmp.options, "--msgd-user", self.msgd_user.name], stderr=full)
        self.addCleanup(stop, process, signal.SIGTERM)
        os.close(full)
        msgd = eventually(lambda: self.try_connect(path), "the socket to be there", 5)
        self.addCleanup(msgd.close)
        terminal = self.terminal()
        session = msgd.handle(terminal.line)
        for _ in range(20):
            msgd.expect(boundary.SHOWN, delivery=msgd.present(session, "hello"))
        os.read(out, 65536)  # now it takes some
        msgd.expect(boundary.SHOWN, delivery=msgd.present(session, "hello"))
        self.assertRegex(os.read(out, 65536).decode(), re.compile(
            r"msgd-present: 2\d lines are missing here: stderr took nothing\n.*present to ", re.S))

    def test_command_line(self):
        def run(*argv):
            return subprocess.run([program("msgd-present"), *argv], capture_output=True, text=True,
                                  timeout=10, check=False)
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("--with-msgd", run("--help").stdout)
        self.assertRegex(run("--version").stdout, r"^msgd-present \d")
        for argv in (["--nothing"], ["word"], ["--utmp"], ["--socket", "x", "--with-msgd"]):
            outcome = run(*argv)
            self.assertEqual(outcome.returncode, 2, argv)
            self.assertIn("Try: msgd-present --help", outcome.stderr)

    @staticmethod
    def has_account():
        return subprocess.run(["id", "_msgd"], capture_output=True, check=False).returncode == 0

    @unittest.skipUnless(AM_ROOT, "only root has a user for msgd")
    def test_as_root_msgd_has_a_user_of_its_own(self):
        there = self.has_account()
        missing = self.start(["--with-msgd", "--x"], env={})
        status = missing.process.wait(10)
        if not there and not self.has_account():  # other modules make it and remove it beside us
            self.assertEqual(status, 1)
            self.assertIn("useradd --system", missing.log)
        rootly = self.start(["--msgd-user", "root", "--with-msgd"])
        self.assertEqual(rootly.process.wait(10), 1)
        self.assertIn("root: --msgd-user names another user", rootly.log)


FAKE = r'''#!/usr/bin/python3
import os, signal, socket, sys, time
sys.path.insert(0, os.path.dirname(sys.argv[0]))
import boundary
number = int(sys.argv[1].split("=")[1])
out = open(os.path.join(sys.argv[2], "fake"), "w")
status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
print(sys.argv[1:], os.getuid(), os.getgid(), os.getgroups(), status["CapPrm"], status["CapEff"],
      status["NoNewPrivs"], sorted(int(n) for n in os.listdir("/proc/self/fd"))[:5],
      os.environ.get("NOTIFY_SOCKET"), os.environ.get("SECRET"), sep="|", file=out, flush=True)
if sys.argv[3] == "mute":
    time.sleep(1000)
msgd = boundary.Msgd(socket.socket(fileno=number))
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
signal.signal(signal.SIGHUP, lambda *_: print("hup", file=out, flush=True))
if sys.argv[3] == "exit":
    sys.exit(37)
delivery = msgd.present(msgd.handle(sys.argv[4]), "hello", boundary.WAIT)
msgd.expect(boundary.SHOWN, delivery=delivery)
print("shown", os.getpid(), file=out, flush=True)
while not stop:
    try:
        msgd.receive(0.1)
    except EOFError:
        print("presenter lost", file=out, flush=True)
        sys.exit(3)
if sys.argv[3] == "deaf":
    time.sleep(1000)
msgd.withdraw(delivery, boundary.STOP)
sys.exit(5)
'''


class EmbeddedTest(Case):
    """msgd as the presenter's child; a Python program stands in for it."""

    def setUp(self):
        super().setUp()
        self.open = os.path.join(self.folder, "open")  # where msgd's user may write
        os.mkdir(self.open)
        os.chmod(self.open, 0o777)
        self.fake = os.path.join(self.folder, "msgd")
        with open(self.fake, "w", encoding="utf-8") as f:
            f.write(FAKE)
        os.chmod(self.fake, 0o755)
        shutil.copy(boundary.__file__, self.folder)
        os.chmod(os.path.join(self.folder, "boundary.py"), 0o644)
        self.term = self.terminal()

    def start(self, mode, env=None):
        options = ["--msgd-user", self.msgd_user.name, "--msgd", self.fake, "--with-msgd",
                   self.open, mode, self.term.line]
        presenter = Presenter(self.folder, self.utmp, options,
                              {"PYTHONDONTWRITEBYTECODE": "1", **(env or {})})
        self.addCleanup(presenter.stop)
        return presenter

    def said(self):
        try:
            with open(os.path.join(self.open, "fake"), encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def shown(self):
        """Waits for the popup; msgd's pid."""
        return int(eventually(lambda: re.search(r"^shown (\d+)$", self.said(), re.M),
                              self.said).group(1))

    def test_msgd_has_no_power(self):
        presenter = self.start("stay", {"NOTIFY_SOCKET": "/nonexistent", "SECRET": "of its starter"})
        self.shown()
        argv, uid, gid, groups, permitted, effective, no_new, fds, notify, secret = \
            self.said().split("\n")[0].split("|")
        self.assertEqual(argv, str(["--present-fd=3", self.open, "stay", self.term.line]))
        self.assertEqual((int(uid), int(gid)), (self.msgd_user.uid, self.msgd_user.gid))
        if AM_ROOT:
            self.assertEqual(groups, "[]")
        self.assertEqual((int(permitted, 16), int(effective, 16), no_new), (0, 0, "1"))
        self.assertEqual(notify, "None")
        self.assertEqual(secret, "None" if AM_ROOT else "of its starter")
        self.assertTrue(fds.startswith("[0, 1, 2, 3"), fds)
        if not AM_ROOT:
            self.assertEqual(int(presenter.status()["CapEff"], 16), 0)

    def test_end_is_asked_of_msgd_first(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            presenter = self.start("stay")
            self.shown()
            os.unlink(os.path.join(self.open, "fake"))
            presenter.process.send_signal(number)
            self.assertEqual(presenter.process.wait(10), 5, presenter.log)
            self.term.wait_for(r"^\[7\] withdrawn$")
            self.term.clear()

    def test_hangup_is_passed_on(self):
        presenter = self.start("stay")
        self.shown()
        presenter.process.send_signal(signal.SIGHUP)
        eventually(lambda: "hup" in self.said(), self.said)
        self.assertIsNone(presenter.process.poll())

    def test_status_is_passed_on(self):
        presenter = self.start("exit")
        self.assertEqual(presenter.process.wait(10), 37)

    def test_msgd_killed_ends_both(self):
        presenter = self.start("stay")
        os.kill(self.shown(), signal.SIGKILL)
        self.assertEqual(presenter.process.wait(10), 128 + signal.SIGKILL)
        self.term.wait_for(r"^\[7\] withdrawn$")

    def test_presenter_killed_ends_both(self):
        presenter = self.start("stay")
        pid = self.shown()
        presenter.process.kill()
        presenter.process.wait()
        eventually(lambda: not os.path.exists(f"/proc/{pid}"), "msgd to end")

    def test_a_deaf_msgd_is_killed_by_the_second_signal(self):
        presenter = self.start("deaf")
        self.shown()
        presenter.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        self.assertIsNone(presenter.process.poll())
        presenter.process.send_signal(signal.SIGTERM)
        self.assertEqual(presenter.process.wait(10), 128 + signal.SIGKILL)

    def test_a_mute_msgd_is_ended(self):
        presenter = self.start("mute")
        self.assertEqual(presenter.process.wait(15), 128 + signal.SIGTERM)
        self.assertIn("does not say hello", presenter.log)

    def test_no_such_program(self):
        os.unlink(self.fake)
        presenter = self.start("stay")
        self.assertEqual(presenter.process.wait(10), 127, presenter.log)
        self.assertIn("No such file", presenter.log)


GRABBER = r'''#!/usr/bin/python3
import fcntl, os, sys, termios
def tried(what):
    try:
        return what()
    except (OSError, termios.error) as error:
        return os.strerror(error.args[0])
def type_in(fd):
    for byte in b"echo typed by msgd\n":
        fcntl.ioctl(fd, termios.TIOCSTI, bytes([byte]))
    return "typed"
out = open(os.path.join(sys.argv[2], "fake"), "w")
for what in (lambda: os.open("/dev/tty", os.O_RDWR) and "/dev/tty", lambda: type_in(2),
             lambda: termios.tcgetattr(1) and "tty", lambda: termios.tcgetattr(2) and "tty",
             lambda: os.open("/proc/self/fd/2", os.O_RDONLY | os.O_NONBLOCK) and "read"):
    print(tried(what), file=out, flush=True)
os.write(1, b"said on \x1b[2J stdout\n")
os.write(2, b"said on stderr\n" + b"y" * 3000 + b"\xff\nhalf a line")
'''


@unittest.skipUnless(AM_ROOT, "only root gives capabilities away")
class AmbientCapabilitiesTest(Case):
    def test_msgd_inherits_none(self):
        user = self.user()
        fake = os.path.join(self.folder, "msgd")
        with open(fake, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\ngrep -E '^Cap(Inh|Prm|Eff|Amb)' /proc/self/status\n")
        os.chmod(fake, 0o755)
        own = shutil.copy(program("msgd-present"), self.folder)  # where he can reach it
        given = "+setuid,+setgid,+kill,+dac_override"
        outcome = subprocess.run(
            ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", "--clear-groups",
             f"--inh-caps={given}", f"--ambient-caps={given}", own, *self.utmp.options,
             "--msgd", fake, "--with-msgd"], capture_output=True, text=True, timeout=20, check=False)
        found = re.findall(r"^Cap\w+:\t(\w+)$", outcome.stdout, re.M)
        self.assertEqual([int(value, 16) for value in found], [0] * 4, outcome)


@unittest.skipUnless(AM_ROOT, "only root has a user for msgd")
class StartedAtTerminalTest(Case):
    """The terminal that root started both at is not msgd's: not to read, to type at or to paint."""

    def test_msgd_has_no_terminal(self):
        self.open, self.fake = os.path.join(self.folder, "open"), os.path.join(self.folder, "msgd")
        os.mkdir(self.open)
        os.chmod(self.open, 0o777)
        with open(self.fake, "w", encoding="utf-8") as f:
            f.write(GRABBER)
        os.chmod(self.fake, 0o755)
        argv = [program("msgd-present"), *self.utmp.options, "--msgd-user", self.msgd_user.name,
                "--msgd", self.fake, "--with-msgd", self.open]
        screen = self.terminal(utmp=False, leader=argv)
        self.assertEqual(screen.leader.wait(15), 0, screen.screen())
        with open(os.path.join(self.open, "fake"), encoding="utf-8") as f:
            said = f.read().splitlines()
        self.assertEqual(said, [
            "No such device or address", "Inappropriate ioctl for device",
            "Inappropriate ioctl for device", "Inappropriate ioctl for device", "Permission denied"])
        screen.wait_for("^half a line$")  # what was written last is read a moment later
        text = screen.screen()
        self.assertIn("said on \\x1B[2J stdout\nsaid on stderr\n", text)
        self.assertEqual(text.count("y"), 3000)
        self.assertIn("\n\\xFF\n", text)  # after three lines of the longest
        self.assertIn("half a line\n", text)
