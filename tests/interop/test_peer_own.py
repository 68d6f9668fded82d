# SPDX-License-Identifier: MIT
"""Section 15.4: a client by a key that a user of the host authorized for himself."""
import os
import time
import unittest

from harness import AM_ROOT, eventually

from peer import Closed, GoneAway
from peer_keys import Identity
from peer_values import TYPES
from peer_world import World

STALE = 1.3  # seconds after which the host asks anew who the user is


class Own(World):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user = cls.system.user() if AM_ROOT else cls.system.me
        cls.terminal = cls.system.terminal(cls.user)
        cls.keys["own"] = Identity()
        cls.record(cls.user.name)

    @classmethod
    def record(cls, name):
        path = os.path.join(cls.system.state, "granted")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(f"{cls.user.uid} {cls.keys['own'].text} {name}\n")
        os.chmod(path + ".new", 0o600)
        if AM_ROOT:
            os.chown(path + ".new", cls.system.msgd_user.uid, cls.system.msgd_user.gid)
        os.rename(path + ".new", path)
        time.sleep(1.1)  # the file is looked at once a second

    def kind(self, found):
        return TYPES[found.type].name

    def test_welcome_goes_before_all_answers(self):
        """Both with the write of handshake message 3, and the host has to ask who he is first."""
        time.sleep(STALE)
        client = self.client("own", [("WHO", {}), ("CANCEL", {"uid": bytes(16)})])
        client.ping(7)
        self.assertEqual(client.welcomed()["you"], self.user.name)
        before, last = client.all_of(1)
        self.assertEqual(self.kind(last), "RESULT")
        mine = {found["name"] for part in before for found in part.map["who"] if found.get("me")}
        self.assertIn(self.terminal.line, mine)
        self.assertEqual(client.all_of(2)[1].map["code"], "unknown-uid")

    def test_what_comes_meanwhile_is_held_in_its_order(self):
        client = self.client("own")
        client.welcomed()
        time.sleep(STALE)
        raw = self.sent(self.terminal, wait=False, text="held")
        client.write(b"".join(client._requests([("SEND", raw), ("SEND", raw), ("WHO", {})])))
        self.assertEqual(client.all_of(1)[1].map["code"], "moved")  # the second is the same one
        self.assertEqual(client.all_of(2)[1].map["st"], "ok")
        self.assertEqual(self.kind(client.all_of(3)[1]), "RESULT")

    def test_no_more_than_may_be_open_are_held(self):
        client = self.client("own")
        client.welcomed()
        time.sleep(STALE)
        client.write(b"".join(client._requests([("WHO", {})] * 20)))
        last = [client.all_of(number)[1] for number in range(1, 21)]
        self.assertEqual([self.kind(found) for found in last[:16]], ["RESULT"] * 16)
        for found in last[16:]:
            self.assertEqual((found.map["code"], found.map["retry_ms"] > 0), ("busy", True))

    def test_the_unix_sockets_requests_stay_there(self):
        client = self.client("own")
        for kind, fields in (("GRANT", {}), ("GRANT", {"add": bytes(32)}), ("LIST", {}),
                             ("ACK", {"number": 1})):
            self.assert_error(client, kind, fields, "unsupported")

    def test_another_name_while_connected(self):
        client = self.client("own")
        client.welcomed()
        self.addCleanup(self.record, self.user.name)
        self.record("somebody-else")
        self.assert_error(client, "WHO", {}, "unauthorized")
        with self.assertRaises((Closed, GoneAway)):
            client.receive()

    def test_taken_out_while_connected(self):
        client = self.client("own")
        client.welcomed()
        self.addCleanup(self.record, self.user.name)
        os.unlink(os.path.join(self.system.state, "granted"))
        with self.assertRaises(GoneAway) as gone:
            client.wait_at_most(5)
            client.receive()
        self.assertIn("unauthorized", str(gone.exception))
        eventually(lambda: "is unauthorized now: closed" in self.system.logged(), "the log to say so")


del World

if __name__ == "__main__":
    unittest.main()
