# SPDX-License-Identifier: MIT
"""
The whole system, private to its maker: msgd-present with msgd embedded, on a free loopback port and
a Unix socket, keys, configuration, state and utmp in a folder of its own; and the people in it.

As root msgd runs as `_msgd`, which is made where it is missing and removed by the last that uses it.
"""
import collections
import contextlib
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from harness import (AM_ROOT, FOLDERS, Running, Terminal, User, Utmp, eventually, free_port, listens,
                     program, stop)

MSGD_USER = "_msgd"
MSGD_USER_LOCK = "/run/msg-tests-msgd-user"


class MsgdUser:
    """Holds the account `_msgd` while it is needed; several testers at once share it."""

    def __init__(self):
        self.lock = open(MSGD_USER_LOCK, "a+", encoding="utf-8")
        while not self._held():
            self._make()
        self.uid, self.gid = pwd.getpwnam(MSGD_USER)[2:4]

    def _held(self):
        """Nobody removes it while this is shared; only who makes it waits for others."""
        fcntl.flock(self.lock, fcntl.LOCK_SH)
        try:
            return pwd.getpwnam(MSGD_USER)
        except KeyError:
            return None

    def _make(self):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        made = subprocess.run(["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent",
                               "--shell", "/usr/sbin/nologin", MSGD_USER],
                              check=False, capture_output=True)
        if made.returncode == 0:
            self.lock.write("made")
            self.lock.flush()
        elif made.returncode != 9:  # somebody else was quicker
            raise RuntimeError(made.stderr)

    def release(self):
        with self.lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.lock.seek(0)
            if self.lock.read():
                self.lock.truncate(0)
                subprocess.run(["userdel", MSGD_USER], check=False, capture_output=True)


Sender = collections.namedtuple("Sender", "name home key")


class System:
    def __init__(self, **config):
        """config: keys of msgd.conf."""
        self.config = config
        for name in ("msg", "msgd", "msgd-present"):
            if not os.path.exists(program(name)):
                raise unittest.SkipTest(f"{name} is not built")
        self._stack = contextlib.ExitStack()
        self.folder = tempfile.mkdtemp(prefix="msg-system-")
        os.chmod(self.folder, 0o755)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_port()
        self.run, self.state = self.folder_of("run", 0o755), self.folder_of("state")
        self.socket = os.path.join(self.run, "msgd.sock")
        self.authorized_keys = self.path("authorized_keys")
        self.revoked_keys = self.path("revoked_keys")
        self.invitations = self.folder_of("invitations", 0o755)
        self.utmp = Utmp(self.path("utmp"))
        self.server = f"127.0.0.1:{self.port}"
        self.me = User.me(self.folder_of("me"))
        self.process = None
        self.conf = self.path("msgd.conf")
        for file in (self.authorized_keys, self.revoked_keys, self.conf):
            with open(file, "w", encoding="utf-8"):
                os.chmod(file, 0o644)
        self.msgd_user = None
        if AM_ROOT:
            self.msgd_user = MsgdUser()
            self._stack.callback(self.msgd_user.release)
            for folder in (self.run, self.state):
                os.chown(folder, self.msgd_user.uid, self.msgd_user.gid)
            os.chown(self.invitations, 0, self.msgd_user.gid)  # as msgctl invite makes it
            os.chmod(self.invitations, 0o2750)

    def path(self, name):
        return os.path.join(self.folder, name)

    def folder_of(self, name, mode=0o700):
        folder = self.path(name)
        os.mkdir(folder, mode)
        return folder

    # ---- msgd-present and msgd -------------------------------------------------------------------

    def msgd_options(self):
        """All that msgd keeps, in this system's folders; limits that many tests would meet, off."""
        keys = {"socket": self.socket, "listen": f"127.0.0.1:{self.port}",
                "state": self.state, "authorized-keys": self.authorized_keys,
                "revoked-keys": self.revoked_keys, "invitations": self.invitations,
                "messages-a-minute": 100000, "grants-a-minute": 100000, **self.config}
        return ["-f", self.conf, *[f"--{key}={value}" for key, value in keys.items()]]

    def arguments(self):
        return [program("msgd-present"), *self.utmp.options, "--with-msgd",
                *self.msgd_options()]

    def start(self):
        """Starts it and waits until it answers."""
        self.process = self.spawn(self.arguments())
        self.until_ready()

    def spawn(self, argv, **options):
        """Starts a daemon; what it says goes to the log."""
        with open(self.path("log"), "ab") as log:
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    start_new_session=True, **options)

    def until_ready(self):
        eventually(self._answers, lambda: f"msgd to answer: {self.logged()}")
        self.until_known(self.utmp.logged_in())

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.process.args[0]} ended: {self.logged()}")
        return listens(self.socket)

    def configure(self, text):
        """Writes msgd.conf and has it read again; what `config` says goes before it."""
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(text)
        before = self.logged().count("configuration read again")
        os.kill(self.msgd_pid(), signal.SIGHUP)
        eventually(lambda: self.logged().count("configuration read again") > before, self.logged)

    def stop(self):
        """Ends it as an administrator does; its exit status."""
        if self.process:
            process, self.process = self.process, None
            return stop(process, signal.SIGTERM, 10.0)
        return None

    def logged(self):
        with open(self.path("log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def msgd_pid(self):
        """The embedded msgd."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            return int(f.read().split()[0])

    # ---- people ----------------------------------------------------------------------------------

    def user(self):
        """A new account (root only), removed at the end."""
        user = User.make()
        self._stack.callback(user.remove)
        return user

    def terminal(self, user=None, **options):
        """A login of a user's (the caller's own unless named), known to msgd."""
        return self.terminals(1, user, **options)[0]

    def terminals(self, count, user=None, **options):
        options.setdefault("env", self.environment())
        made = []
        for _ in range(count):
            made.append(Terminal(user or self.me, self.utmp, **options))
            self._stack.callback(made[-1].close)
        if self.process:
            self.until_known(terminal.line for terminal in made)
        return made

    def until_known(self, lines):
        """utmp is looked at once a second."""
        lines = set(lines)

        def known():
            listed = self.msg("sessions", "--json", name="msgctl")
            return listed.status == 0 and lines <= {json.loads(line)["name"]
                                                    for line in listed.out.splitlines()}

        eventually(known, lambda: f"{lines} to be known to msgd: {self.logged()}")

    def environment(self):
        folders = dict.fromkeys(os.path.dirname(program(name)) for name in FOLDERS)
        return {"MSG_SOCKET": self.socket, "PATH": ":".join([*folders, os.environ["PATH"]])}

    def sender(self, name, *rights, authorized=True):
        """Somebody on another host: keys of his own, the host trusted, and he known to it."""
        sender = self.make_sender(name)
        self.msgctl("trust", self.server, self.host_key(), home=sender.home)
        if authorized:
            self.msgctl("authorize", sender.key, name, *rights, "--file", self.authorized_keys)
            time.sleep(1.1)  # the file is looked at once a second
        return sender

    def make_sender(self, name):
        """The same, but who knows nobody and is not known yet."""
        home = self.folder_of(f"home-{name}")
        return Sender(name, home, self.msgctl("key", home=home).out.split()[-1])

    def host_key(self):
        """The host's public key, as its administrator reads it."""
        file = os.path.join(self.state, "host_key")
        return self.msgctl("key", "show", "--file", file).out.split()[-1]

    # ---- the programs ----------------------------------------------------------------------------

    def begin(self, *arguments, user=None, name="msg", home=None, stdin=None):
        """Starts msg (or another) as a user; his keys are in `home` if that is given."""
        env = {**self.environment(), **({"MSG_CONFIG_HOME": home} if home else {})}
        running = Running(user or self.me, [program(name), *arguments], stdin=stdin, env=env)
        self._stack.callback(running.kill)
        return running

    def msg(self, *arguments, timeout=20.0, **options):
        return self.begin(*arguments, **options).finish(timeout)

    def msgctl(self, *arguments, **options):
        """msgctl, which is to succeed."""
        outcome = self.msg(*arguments, name="msgctl", **options)
        if outcome.status != 0:
            raise AssertionError(f"msgctl {arguments}: {outcome}")
        return outcome

    def run_here(self, argv):
        """Runs a program on the caller's own terminal, which is a session meanwhile."""
        line = os.ttyname(0)[len("/dev/"):]
        mode = os.stat(0).st_mode & 0o777
        env = {**os.environ, **self.environment(), "MSG_CONFIG_HOME": self.path("here")}
        process = subprocess.Popen(argv, env=env)
        self.utmp.add(line, process.pid, self.me.name)
        os.fchmod(0, mode | 0o020)
        try:
            return process.wait()
        finally:
            os.fchmod(0, mode)
            self.utmp.remove(line, process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop()
        self._stack.close()


class Services(System):
    """msgd and msgd-present as two services, which find each other by a socket."""

    def __init__(self, **config):
        super().__init__(**config)
        self.present_socket = self.path("present.sock")
        self.presenter = None

    def start(self):
        if not self.presenter:
            self.start_presenter()
        if not self.process:
            self.start_msgd()
        self.until_ready()

    def start_presenter(self):
        self.presenter = self.spawn([program("msgd-present"), *self.utmp.options,
                                     "--socket", self.present_socket])
        eventually(lambda: os.path.exists(self.present_socket), self.logged)

    def start_msgd(self):
        user = self.msgd_user
        self.process = self.spawn(
            [program("msgd"), f"--present={self.present_socket}", *self.msgd_options()],
            **({"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}))

    def kill_presenter(self):
        """A child of its that was only just forked holds its socket for a moment."""
        process, self.presenter = self.presenter, None
        stop(process, signal.SIGKILL)
        eventually(lambda: not self._listened_to(), "the presenter's socket to be nobody's")

    def _listened_to(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as there:
            return there.connect_ex(self.present_socket) == 0

    def kill_msgd(self):
        process, self.process = self.process, None
        stop(process, signal.SIGKILL)

    def stop(self):
        super().stop()
        if self.presenter:
            process, self.presenter = self.presenter, None
            stop(process, signal.SIGTERM, 10.0)
