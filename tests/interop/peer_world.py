# SPDX-License-Identifier: MIT
"""The real programs, started by tests/e2e, with clients of ours that their host knows or not."""
import os
import pwd
import re
import struct
import time
import unittest

import msgpack

from harness import eventually
from system import MSGD_USER, System

from peer import Client, GoneAway, Refused
from peer_keys import Identity
from peer_told import Told
from peer_values import TYPES

LINES = {"alice": "", "power": "all who override rate=1000", "limited": "to=nobody",
         "gone": "expires=2020-01-01", "slow": "rate=5", "revoked": "",
         "elsewhere": "from=192.0.2.0/24"}


def line_of(identity, name):
    options = LINES.get(name, "")
    return " ".join(filter(None, (identity.text, options, name))) + "\n"


class World(unittest.TestCase):
    """One system for the tests of a class; each test logs in and out as it likes."""

    @classmethod
    def setUpClass(cls):
        cls.system = System()
        cls.addClassCleanup(cls.system.close)
        cls.keys = {name: Identity() for name in (*LINES, "stranger")}
        with open(cls.system.authorized_keys, "w", encoding="ascii") as file:
            file.writelines(line_of(cls.keys[name], name) for name in LINES)
        with open(cls.system.revoked_keys, "w", encoding="ascii") as file:
            file.write(f"{cls.keys['revoked'].text} lost\n")
        cls.system.start()
        cls.address = ("127.0.0.1", cls.system.port)
        cls.host = Identity.load(os.path.join(cls.system.state, "host_key"))
        cls.me = cls.system.me.name

    @staticmethod
    def server_uids():
        """Who the Unix socket may belong to: section 2."""
        uids = {0, os.getuid()}
        try:
            uids.add(pwd.getpwnam(MSGD_USER).pw_uid)
        except KeyError:
            pass
        return uids

    def client(self, name="power", first=(), trusted=None):
        """Refused because there were many of us within a second, it tries again when it may."""
        for _ in range(5):
            try:
                client = Client.tcp(self.address, self.keys[name], trusted or [self.host.public],
                                    first)
                self.addCleanup(client.close)
                return client
            except Refused as refused:
                if refused.code != 3:
                    raise
                time.sleep(max(1, refused.seconds))
        raise AssertionError("busy for 5 s")

    def local(self, first=()):
        client = Client.unix(self.system.socket, self.server_uids(), first)
        self.addCleanup(client.close)
        return client

    def login(self, **options):
        """A terminal that the host has noticed."""
        terminal = self.system.terminal(**options)
        self.addCleanup(terminal.close)
        eventually(lambda: terminal.line in self.lines(), f"{terminal.line} to be noticed")
        return terminal

    def lines(self):
        with Client.unix(self.system.socket, self.server_uids(), [("WHO", {})]) as client:
            return [found["name"] for part in client.all_of(1)[0] for found in part.map["who"]]

    def sent(self, terminal=None, **more):
        """The encoded map of a SEND to one terminal, or to whom `more` says."""
        to = [{"session": terminal.line}] if terminal else None
        fields = {"uid": os.urandom(16), "to": to, "text": "Lunch?", "wait": True, **more}
        return msgpack.packb({key: value for key, value in fields.items() if value is not False})

    def follow(self, client, number, told=None, until=None, again=False):
        """Hears what comes for a SEND until RESULT, or until a delivery got to state `until`."""
        told = told or Told(wait=True)
        while told.result is None and not any(until in states for states in told.states.values()):
            told.hear(client.answer(number, 30), again)
        return told

    def displayed(self, client, raw):
        number = client.request("SEND", raw)
        return number, self.follow(client, number, until="displayed")

    def error(self, client, kind, fields):
        """The one ERROR that answers: its map."""
        before, last = client.ask(kind, fields)
        self.assertEqual((before, TYPES[last.type].name), ([], "ERROR"), last)
        return last.map

    def assert_error(self, client, kind, fields, code, at=None):
        found = self.error(client, kind, fields)
        self.assertEqual(found["code"], code, found)
        self.assertIn(found.get("at"), (at, None), "`at` may be absent, but not wrong")

    def assert_goes_away(self, client, code):
        """GOAWAY is the last frame, and then the connection ends."""
        with self.assertRaises(GoneAway) as gone:
            client.wait_at_most()
            while True:
                client.receive()
        self.assertFalse(gone.exception.ours, gone.exception.more)
        self.assertEqual(gone.exception.code, code, gone.exception.more)
        self.assertEqual(client.at_end(), b"")

    def number(self):
        """Of the newest message that was shown to us: from LIST on the Unix socket."""
        with Client.unix(self.system.socket, self.server_uids(), [("LIST", {})]) as client:
            return client.all_of(1)[0][-1].map["message"]["number"]


def uid_of(raw):
    return msgpack.unpackb(raw)["uid"]


def reset_on_close(sock):
    """What is closed then ends by a reset, as when a host dies."""
    sock.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER


def shown(terminal, text):
    return len(re.findall(re.escape(text), terminal.screen()))
