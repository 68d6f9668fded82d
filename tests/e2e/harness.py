# SPDX-License-Identifier: MIT
"""
What the end-to-end tests stand on: real pseudo-terminals with a session leader, a private utmp
file, users made for the test, the whole system on a free loopback port, and the programs run in it.

Nothing here needs root; as root, users are made and the terminals are theirs. All that is made is
removed again, processes by their pid, also when a test fails: use the classes as context managers,
or System.terminal(), which keeps what it makes.

The programs come from MSG_BIN (a folder with msg, msgctl, msgd, msgd-present), else from the build
folder MSG_BUILD, else from build/plain.
"""
import contextlib
import fcntl
import os
import pwd
import grp
import re
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("MSG_BUILD", os.path.join(TOP, "build", "plain"))
FOLDERS = {"msg": "client", "msgctl": "client", "msgd": "daemon", "msgd-present": "daemon",
           "msgd-popup": "daemon"}
AM_ROOT = os.geteuid() == 0
WAIT = 15.0  # seconds until a thing that should happen counts as not happening

# Started in the background, or by nohup, the tester ignores these, and so would what it starts.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def program(name):
    """The path of one of ours."""
    if "MSG_BIN" in os.environ:
        return os.path.join(os.environ["MSG_BIN"], name)
    return os.path.join(BUILD, FOLDERS[name], name)


def eventually(condition, what, timeout=WAIT, every=0.02):
    """Waits until condition() is true and returns that value; else raises, saying `what`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(every)


held_ports = []


def free_port():
    """One for a server of ours, or for none. It stays taken, else who runs beside us may be given it:
    SO_REUSEADDR, which servers set, lets them listen there all the same."""
    held_ports.append(socket.socket())
    held_ports[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held_ports[-1].bind(("127.0.0.1", 0))
    return held_ports[-1].getsockname()[1]


def listens(path):
    """Whether a Unix socket takes connections: its file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


class User:
    """An account: the caller's own, or one made for the test, with a home of its own."""

    def __init__(self, name, uid, gid, home):
        self.name, self.uid, self.gid, self.home = name, uid, gid, home
        self.made = False

    @staticmethod
    def me(home):
        entry = pwd.getpwuid(os.getuid())
        return User(entry.pw_name, entry.pw_uid, entry.pw_gid, home)

    @staticmethod
    def make(prefix="mt", system=False):
        """A new account (root only); remove() takes it away."""
        name = f"{prefix}{secrets.token_hex(4)}"
        kind = ["--system"] if system else []
        home = tempfile.mkdtemp(prefix=f"{name}-")
        subprocess.run(["useradd", *kind, "--no-create-home", "--home-dir", home, "--shell",
                        "/bin/sh", name], check=True, capture_output=True)
        entry = pwd.getpwnam(name)
        os.chown(home, entry.pw_uid, entry.pw_gid)
        user = User(name, entry.pw_uid, entry.pw_gid, home)
        user.made = True
        return user

    def remove(self):
        if self.made:
            self.made = False
            subprocess.run(["userdel", "--force", self.name], check=False, capture_output=True)
            shutil.rmtree(self.home, ignore_errors=True)

    def popen(self, argv, **options):
        """A process of this user's, with his home and nothing of the tester's environment."""
        env = {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "PATH": os.environ["PATH"],
               "LC_ALL": "C.UTF-8", "TERM": "vt100", "MSG_CONFIG_HOME": f"{self.home}/msg"}
        for kept in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if kept in os.environ:
                env[kept] = os.environ[kept]
        env.update(options.pop("env", {}))
        if AM_ROOT and self.uid != 0:
            options.update(user=self.uid, group=self.gid, extra_groups=[])
        return subprocess.Popen(argv, env=env, cwd="/", **options)


class Utmp:
    """A file of glibc's struct utmp, 384 bytes a record, written in place as login does."""

    RECORD = struct.Struct("=hxxi32s4s32s256shhiii4i20x")
    USER_PROCESS, DEAD_PROCESS = 7, 8

    @property
    def options(self):
        """What tells msgd-present of these logins and no others: this host's own people are let be."""
        own = [] if AM_ROOT else ["--receive", f"{self.path}.receive"]  # and not of what the tester likes
        return ["--utmp", self.path, "--system-bus", "", *own]

    def __init__(self, path):
        self.path = path
        self.lines = []  # in the order of their records
        self.leaders = {}
        with open(path, "wb"):
            pass
        os.chmod(path, 0o644)

    def add(self, line, pid, user, host="", kind=USER_PROCESS):
        if line not in self.lines:
            self.lines.append(line)
        self.leaders[line] = pid
        self._write(line, kind, pid, user, host)

    def logged_in(self):
        return list(self.leaders)

    def remove(self, line, pid):
        self.leaders.pop(line, None)
        self._write(line, self.DEAD_PROCESS, pid, "", "")

    def _write(self, line, kind, pid, user, host):
        now = time.time()
        record = self.RECORD.pack(kind, pid, line.encode(), line.encode()[-4:], user.encode(),
                                  host.encode(), 0, 0, pid, int(now), int(now % 1 * 1000000),
                                  0, 0, 0, 0)
        with open(self.path, "r+b") as f:
            f.seek(self.lines.index(line) * self.RECORD.size)
            f.write(record)


class Terminal:
    """
    A pseudo-terminal, its session leader and, in `utmp`, its login. All that is written to it is
    collected; screen() is the text so far. The leader is a shell unless told otherwise.
    """

    SHELL = ["/bin/sh", "-i"]

    def __init__(self, user, utmp=None, leader=None, host="", env=None, mesg=True):
        self.user, self.utmp = user, utmp
        self.master, slave = os.openpty()
        self.path = os.ttyname(slave)
        self.line = self.path[len("/dev/"):]
        self._own(slave, mesg)
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.say_utf8(True)
        self.leader = user.popen(leader or self.SHELL, stdin=slave, stdout=slave, stderr=slave,
                                 env={"PS1": "$ ", **(env or {})}, start_new_session=True,
                                 preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.collect()
        if utmp:
            utmp.add(self.line, self.leader.pid, user.name, host)
        if not leader:
            self.wait_for(r"^\$ ")

    def collect(self):
        """Begins to read what is written to it."""
        self._bytes = bytearray()
        self._lock = threading.Lock()
        self._reading = threading.Event()
        self._reading.set()
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _own(self, slave, mesg):
        """What sshd does: the user's, group tty, writable by it unless `mesg n`."""
        if AM_ROOT:
            os.fchown(slave, self.user.uid, grp.getgrnam("tty").gr_gid)
        os.fchmod(slave, 0o620 if mesg else 0o600)

    def say_utf8(self, on):
        """stty [-]iutf8: terminal programs say so, and sshd passes it on."""
        modes = termios.tcgetattr(self.master)
        iutf8 = 0o40000
        modes[0] = modes[0] | iutf8 if on else modes[0] & ~iutf8
        termios.tcsetattr(self.master, termios.TCSANOW, modes)

    def mesg(self, on):
        os.chmod(self.path, 0o620 if on else 0o600)

    def _collect(self):
        while True:
            self._reading.wait()
            try:
                ready, _, _ = select.select([self.master], [], [], 0.2)
                if not ready or not self._reading.is_set():
                    continue
                data = os.read(self.master, 65536)
            except (OSError, ValueError):
                return  # hung up, or closed
            if not data:
                return
            with self._lock:
                self._bytes += data

    def bytes(self):
        with self._lock:
            return bytes(self._bytes)

    def screen(self):
        """The text so far: no bells, and LF for the terminal's line ends."""
        text = self.bytes().decode("utf-8", "replace").replace("\a", "")
        return re.sub("\r+\n", "\n", text)

    def clear(self):
        with self._lock:
            self._bytes.clear()

    def pause(self):
        """Reads no more: the terminal fills up."""
        self._reading.clear()

    def resume(self):
        self._reading.set()

    def type(self, text):
        os.write(self.master, text.encode())

    def type_ctrl_s(self):
        """And waits until that has stopped it: the kernel looks at what is typed when it has time."""
        self.type("\x13")
        slave = os.open(self.path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            eventually(lambda: not select.select([], [slave], [], 0)[1], f"{self.line} to stand still")
        finally:
            os.close(slave)

    def wait_for(self, pattern, timeout=WAIT):
        """Waits until the screen matches; the match."""
        return eventually(lambda: re.search(pattern, self.screen(), re.M),
                          lambda: f"{pattern!r} on {self.line}, which shows {self.screen()!r}", timeout)

    def count(self, text):
        return self.screen().count(text)

    def run(self, command, timeout=WAIT):
        """Types a command line into the shell; its output and exit status."""
        mark = secrets.token_hex(4)
        start = len(self.screen())
        self.type(f"{command}; echo {mark[:4]}''{mark[4:]} $?\n")
        # With the prompt that follows: what is typed before it stands above it.
        found = eventually(lambda: re.search(rf"{mark} (\d+)\n(?:.*\n)*?\$ ", self.screen()[start:]),
                           lambda: f"{command!r} to end on {self.line}: {self.screen()!r}", timeout)
        text = self.screen()[start:start + found.start()]
        return text.split("\n", 1)[-1], int(found.group(1))

    def hang_up(self):
        """The login ends as when a window is closed."""
        if self.utmp:
            self.utmp.remove(self.line, self.leader.pid)
            self.utmp = None
        self._reading.set()
        if self.master >= 0:
            master, self.master = self.master, -1
            os.close(master)
        stop(self.leader)

    close = hang_up

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def stop(process, how=signal.SIGHUP, patience=3.0):
    """Ends a process that we started, and waits for it."""
    for number in (how, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    return process.returncode


class Outcome:
    """What a program printed and how it ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}"


class Running:
    """A program under way: its output is collected while it runs."""

    def __init__(self, user, argv, stdin=None, env=None):
        self.process = user.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=env or {}, start_new_session=True)
        self._parts = {"out": bytearray(), "err": bytearray()}
        self._threads = [threading.Thread(target=self._collect, args=(stream, key), daemon=True)
                         for stream, key in ((self.process.stdout, "out"), (self.process.stderr, "err"))]
        for thread in self._threads:
            thread.start()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write((stdin or "").encode() if isinstance(stdin, (str, type(None)))
                                     else stdin)
            self.process.stdin.close()

    def _collect(self, stream, key):
        for data in iter(lambda: stream.read1(65536), b""):
            self._parts[key] += data

    @property
    def out(self):
        return self._parts["out"].decode("utf-8", "replace")

    @property
    def err(self):
        return self._parts["err"].decode("utf-8", "replace")

    def wait_for(self, pattern, timeout=WAIT, stream="out"):
        return eventually(lambda: re.search(pattern, getattr(self, stream), re.M),
                          lambda: f"{pattern!r} in {stream}: {self.out!r} {self.err!r}", timeout)

    def finish(self, timeout=WAIT):
        """Waits for the end; SIGKILL and an error if it does not come."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            stop(self.process, signal.SIGKILL)
            raise AssertionError(f"{self.process.args} still ran after {timeout} s: "
                                 f"{self.out!r} {self.err!r}") from None
        for thread in self._threads:
            thread.join(5)
        self.process.stdout.close()
        self.process.stderr.close()
        return Outcome(self.process.returncode, self.out, self.err)

    def kill(self):
        stop(self.process, signal.SIGKILL)
