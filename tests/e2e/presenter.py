# SPDX-License-Identifier: MIT
"""
msgd-present alone, for its tests: real terminals and a private utmp on one side, an msgd of the
tests (boundary.py) on the other.
"""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from boundary import Msgd
from harness import AM_ROOT, Terminal, User, Utmp, eventually, program, stop


class Presenter:
    """The program under test, listening on a socket of its own."""

    def __init__(self, folder, utmp, options=(), env=None, **popen):
        self.log_path = os.path.join(folder, "log")
        self.socket = os.path.join(folder, "present.sock")
        argv = [program("msgd-present"), "--debug", *utmp.options, *options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **(env or {})}, **popen)

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8") as f:
            return f.read()

    def wait_for(self, pattern, timeout=10):
        return eventually(lambda: re.search(pattern, self.log), lambda: f"{pattern!r} in {self.log}",
                          timeout)

    def status(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)

    def stop(self):
        return stop(self.process, signal.SIGTERM, 15)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="msg-present-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.utmp = Utmp(os.path.join(self.folder, "utmp"))
        self.me = User.me(self.folder)
        self.msgd_user = self.me
        if AM_ROOT:
            self.msgd_user = self.user("md", system=True)

    def user(self, prefix="mt", **options):
        user = User.make(prefix, **options)
        self.addCleanup(user.remove)
        return user

    def terminal(self, user=None, utmp=True, leader=("sleep", "1000"), **options):
        terminal = Terminal(user or self.me, self.utmp if utmp else None, leader=list(leader),
                            **options)
        self.addCleanup(terminal.close)
        return terminal


class PresenterCase(Case):
    def setUp(self):
        super().setUp()
        self.presenter = self.start()
        self.msgd = self.connect()

    def start(self):
        path = os.path.join(self.folder, "present.sock")
        presenter = Presenter(self.folder, self.utmp, ["--socket", path, "--msgd-user",
                                                       self.msgd_user.name])
        self.addCleanup(self.end, presenter)
        presenter.wait_for("listens for msgd")
        return presenter

    def end(self, presenter):
        status = presenter.stop()
        self.assertEqual(status, 0, presenter.log)
        self.assertNotRegex(presenter.log, "AddressSanitizer|runtime error|LeakSanitizer")

    def connect(self, greet=True):
        msgd = Msgd.connect(self.presenter.socket, self.msgd_user.uid, greet)
        self.addCleanup(msgd.close)
        return msgd

    def reconnect(self):
        self.msgd.close()
        self.msgd = self.connect()
