# SPDX-License-Identifier: MIT
"""
Test cases with the whole system, one for a class, whose programs are held to what they print byte
for byte: `Real` with msgd-present and terminals, `Staged` with a presenter in the test's own hands.
"""
import os
import re
import signal
import unittest

import screens
from harness import AM_ROOT, Running, User, eventually, program
from local_peer import LocalPeer
from system import MsgdUser, System
from msgd_alone import Msgd

IDENTITY = "identity"
SEEN_HEADER, SEEN_RECORD, SEEN_UID = 49, 88, slice(32, 48)  # the record of what was shown
HOST = os.uname().nodename


class Exact(unittest.TestCase):
    def expect(self, outcome, status, out="", err=""):
        """out and err: the very text, or a compiled pattern of the whole."""
        self.assertEqual(outcome.status, status, outcome)
        for name, wanted in (("out", out), ("err", err)):
            got = getattr(outcome, name)
            if isinstance(wanted, re.Pattern):
                self.assertRegex(got, rf"\A(?:{wanted.pattern})\Z", outcome)
            else:
                self.assertEqual(got, wanted, outcome)


def without_id(err):
    """What /V prints on stderr beside the message's id."""
    return re.sub(r"^Message id [0-9A-HJKMNP-TV-Z]{6}\n", "", err, flags=re.M)


class Real(Exact):
    """`LOGINS` terminals of one user, and senders on other hosts with these rights, or None."""

    CONFIG, SENDERS, LOGINS = {}, {}, 1

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system = System(**cls.CONFIG)
        cls.addClassCleanup(cls.system.close)
        cls.user = cls.system.user() if AM_ROOT else cls.system.me
        cls.terminals = cls.system.terminals(cls.LOGINS, cls.user)
        cls.senders = {name: cls._sender(name, rights) for name, rights in cls.SENDERS.items()}
        cls.start()
        for sender in cls.senders.values():
            cls.system.msgctl("trust", cls.system.server, cls.system.host_key(), home=sender.home)

    @classmethod
    def start(cls):
        cls.system.start()

    @classmethod
    def _sender(cls, name, rights):
        sender = cls.system.make_sender(name)
        if rights is not None:
            cls.system.msgctl("authorize", sender.key, name, *rights, "--file",
                              cls.system.authorized_keys)
        return sender

    @property
    def terminal(self):
        return self.terminals[0]

    def peer(self):
        peer = LocalPeer(self.system.socket)
        self.addCleanup(peer.close)
        return peer

    def begin_from(self, name, *arguments, **options):
        return self.system.begin(f"/SERVER:{self.system.server}", *arguments,
                                 home=self.senders[name].home, **options)

    def msg_from(self, name, *arguments, **options):
        """msg on another host."""
        return self.begin_from(name, *arguments, **options).finish(30)

    def key_of(self, name):
        """`KEY (FILE)`, as msg names it."""
        sender = self.senders[name]
        return f"{sender.key} ({os.path.join(sender.home, IDENTITY)})"

    def popup(self, text, terminal=None):
        """Waits for a message's popup; its number, where it waits for an answer."""
        found = (terminal or self.terminal).wait_for(
            rf"^\| {re.escape(text)}\n(?:.*msg /ack (\d+)\n)?")
        return found.group(1)

    def last_uid(self):
        """The uid of the message that was entered last."""
        with open(os.path.join(self.system.state, "seen"), "rb") as f:
            records = f.read()[SEEN_HEADER:]
        return records[-SEEN_RECORD:][SEEN_UID]

    def pause_presenter(self):
        """msgd-present stands still until the end of the test, or until goes_on()."""
        process = self.system.process
        process.send_signal(signal.SIGSTOP)
        self.addCleanup(process.send_signal, signal.SIGCONT)
        stopped(process.pid)

    def goes_on(self):
        self.system.process.send_signal(signal.SIGCONT)


def stopped(pid):
    def state():
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(") ", 1)[1][0] == "T"
    eventually(state, f"process {pid} to stand still")


class Staged(Exact):
    """msgd, and msg in front of it; who is logged in, and what becomes of it, the test says."""

    def setUp(self):
        if AM_ROOT:  # msg believes root's servers and _msgd's
            user = MsgdUser()
            self.addCleanup(user.release)
        self.msgd = Msgd(user.uid) if AM_ROOT else Msgd()
        self.addCleanup(self.msgd.close)
        self.me = User.me(self.msgd.folder)

    def start(self, *options, sessions=None):
        self.msgd.start("--name", "h2", "--messages-a-minute", "100000", *options, sessions=sessions)
        self.screens = self.msgd.screens

    def begin(self, *words, name="msg"):
        running = Running(self.me, [program(name), *words], env={"MSG_SOCKET": self.msgd.socket})
        self.addCleanup(running.kill)
        return running

    def msg(self, *words, **options):
        return self.begin(*words, **options).finish(30)

    def ends(self, how, why="", words=("/W",), **more):
        """A message to bob that is shown, and ends so."""
        running = self.begin("bob", *words, "x")
        order = self.screens.order()
        if more.pop("shown", True):
            self.screens.shown(order["present"], more.pop("reach", screens.DESKTOP))
        self.screens.ended(order["present"], how, why, **more)
        return running.finish(30)
