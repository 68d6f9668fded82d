# SPDX-License-Identifier: MIT
"""
msgd alone, between a client that says exactly what a test wants (local_peer.py) and a presenter in the
test's own hands (screens.py).
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import screens
from harness import AM_ROOT, eventually, program, stop
from local_peer import ERROR, EVENT, SEND, WELCOME, LocalPeer
from screens import Presenter

WHO = 22
MSGD_UID = 61743 if AM_ROOT else os.getuid()
ME = os.getuid()
BOB, EVE = 61801, 61802


class Msgd:
    """One msgd in a folder of its own; its presenter is self.screens. uid: its own, as root."""

    def __init__(self, uid=MSGD_UID):
        self.uid = uid
        if not os.path.exists(program("msgd")):
            raise unittest.SkipTest("msgd is not built")
        self.folder = tempfile.mkdtemp(prefix="msgd-")
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state, 0o700)
        for folder in (self.folder, self.state):
            if AM_ROOT:
                os.chown(folder, uid, uid)
        os.chmod(self.folder, 0o755)
        self.socket = os.path.join(self.folder, "msgd.sock")
        self.config = os.path.join(self.folder, "msgd.conf")
        with open(self.config, "w", encoding="ascii"):
            os.chmod(self.config, 0o644)
        self.process = self.screens = None
        self.peers = []
        self.log = open(os.path.join(self.folder, "log"), "ab")

    def arguments(self, *more):
        return [program("msgd"), "-f", self.config, "--socket", self.socket, "--state", self.state,
                "--authorized-keys", os.path.join(self.folder, "authorized_keys"),
                "--revoked-keys", os.path.join(self.folder, "revoked_keys"), *more]

    def launch(self, *more, **options):
        if AM_ROOT:
            options.update(user=self.uid, group=self.uid, extra_groups=[])
        options.setdefault("stderr", self.log)
        self.process = subprocess.Popen(self.arguments(*more), stdin=subprocess.DEVNULL,
                                        stdout=self.log, **options)

    def start(self, *more, sessions=None, **options):
        """Starts it with a presenter on a socket pair; sessions: (user, uid, name) or maps."""
        ours, theirs = screens.pair()
        fds = [theirs.fileno(), *options.pop("pass_fds", [])]
        self.launch(f"--present-fd={theirs.fileno()}", *more, pass_fds=fds, **options)
        theirs.close()
        self.screens = Presenter(ours)
        self.handles = [self.screens.add(*s) if isinstance(s, tuple) else self.screens.add(**s)
                        for s in (sessions or [("bob", BOB, "pts/1")])]
        self.screens.greet()
        eventually(self.answers, self.logged)

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                return True
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError(self.logged()) from None
            return False

    def peer(self, **options):
        peer = LocalPeer(self.socket, **options)
        self.peers.append(peer)
        return peer

    def peer_as(self, uid):
        """A connection of another uid's (root only)."""
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
                socket.send_fds(theirs, [b"x"], [s.fileno()])
            os._exit(0)
        os.waitpid(child, 0)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        ours.close()
        theirs.close()
        peer = LocalPeer.__new__(LocalPeer)
        peer.adopt(socket.socket(fileno=fds[0]))
        self.peers.append(peer)
        return peer

    def logged(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        process, self.process = self.process, None
        return stop(process, signal.SIGTERM, 10.0) if process else None

    def close(self):
        for peer in self.peers:
            peer.close()
        status = self.stop()
        if self.screens:
            self.screens.close()
        self.log.close()
        logged = self.logged()
        shutil.rmtree(self.folder, ignore_errors=True)
        if status not in (None, 0, 1) or "ERROR: " in logged or "runtime error" in logged:
            raise AssertionError(f"msgd ended with {status}: {logged}")


class MsgdTest(unittest.TestCase):
    def setUp(self):
        self.msgd = Msgd()
        self.addCleanup(self.msgd.close)

    def start(self, *more, sessions=None, **options):
        self.msgd.start(*more, sessions=sessions, **options)
        self.screens = self.msgd.screens

    # ---- what is expected ------------------------------------------------------------------------

    def expect(self, peer, kind, number, **fields):
        got = peer.receive()
        self.assertIsNotNone(got)
        if got[0] == WELCOME:
            got = peer.receive()
        self.assertEqual(got[:2], (kind, number), got)
        for key, value in fields.items():
            self.assertEqual(got[2].get(key), value, got)
        return got[2]

    def expect_events(self, peer, number, *states, **fields):
        """One EVENT frame with these (d, st) or (d, st, why)."""
        body = self.expect(peer, EVENT, number, **fields)
        got = [(e["d"], e["st"], e["why"]) if "why" in e else (e["d"], e["st"]) for e in body["ev"]]
        self.assertEqual(got, list(states))
        return body["ev"]

    def expect_error(self, peer, number, code, **fields):
        return self.expect(peer, ERROR, number, code=code, **fields)

    def ask_error(self, peer, kind, body, code, **fields):
        return self.expect_error(peer, peer.request(kind, body), code, **fields)

    def sent(self, peer, body, accepted=1, noted=False):
        """Sends and reads `accepted`, behind what was left out; the id and the orders."""
        number = peer.request(SEND, body)
        if noted:
            self.assertTrue(all(m["sess"] for m in self.expect(peer, EVENT, number)["miss"]))
        self.expect_events(peer, number, *[(d, "accepted") for d in range(1, accepted + 1)])
        return number, [self.screens.order() for _ in range(accepted)]
