# SPDX-License-Identifier: MIT
"""
The audit: each request leaves one record, in the journal or on stderr, with who asked, from where, for
whom, and what became of it; no text unless it is asked for; bounded, and never waited for.
"""
import os
import re
import secrets
import shlex
import time
import unittest

import msgpack

import screens
from audit import Journal
from harness import AM_ROOT
from local_peer import ACK, ATTACH, CANCEL, LIST, SEND, message
from msgd_alone import BOB, EVE, ME, WHO, MsgdTest
from test_msgd_network import Network, Identity

REQUEST = "f43f8151f1394a00889165b4f68035ae"
REFUSAL = "f58f080a859042c8805e2ded8c19df96"


def digits(uid):
    """As msg shows a message's id, in full."""
    number = int.from_bytes(uid, "big") << 2
    return "".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[number >> 5 * (25 - i) & 31] for i in range(26))


class Audited(MsgdTest):
    """Records as journald would take them."""

    def setUp(self):
        super().setUp()
        self.journal = Journal(os.path.join(self.msgd.folder, "journal"))
        self.addCleanup(self.journal.close)

    def start(self, *more, **options):
        super().start("--audit-journal", self.journal.path, *more, **options)

    def single(self, **expected):
        """The next record, which has these fields, each once."""
        record = self.journal.record()
        for key, value in expected.items():
            self.assertEqual(record.get("MSG_" + key.upper()), [value], record)
        return record

    def send(self, peer, *names, text="tea?", **more):
        """The uid, and the id that it was sent under."""
        uid = secrets.token_bytes(16)
        body = msgpack.packb({"uid": uid, "to": [{"name": name} for name in names], "text": text,
                              **more})
        return uid, peer.request(SEND, body), body


class Records(Audited):
    def test_a_message(self):
        self.start(sessions=[("bob", BOB, "pts/1"), ("bob", BOB, "pts/2"), ("eve", EVE, ":0")])
        peer = self.msgd.peer()
        uid, number, _ = self.send(peer, "bob", "carol", "eve", title="Kitchen")
        orders = [self.screens.order()["present"] for _ in range(3)]
        self.screens.shown(orders[0])
        self.screens.ended(orders[1], screens.FAILED, "terminal-stopped")
        self.assertTrue(self.journal.is_silent())  # not before its end
        self.screens.shown(orders[2])
        self.assertEqual(list(peer.answers(number))[-1][2]["st"], "partial")
        record = self.single(request="send", outcome="partial", principal=f"unix:{ME}",
                             uid=digits(uid), targets="name:bob name:carol name:eve",
                             deliveries="3", miss="name:carol no-target")
        self.assertEqual(record["MSG_DELIVERY"], ["bob pts/1 displayed",
                                                  "bob pts/2 failed terminal-stopped",
                                                  "eve :0 displayed"])
        self.assertEqual((record["MESSAGE_ID"], record["PRIORITY"], record["SYSLOG_IDENTIFIER"]),
                         ([REQUEST], ["6"], ["msgd"]))
        name = record["MSG_NAME"][0]
        self.assertEqual(record["MESSAGE"], [f"{name} (this host): send to name:bob name:carol "
                                             "name:eve: partial"])
        self.assertRegex(record["MSG_AT"][0], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for field in ("MSG_ADDRESS", "MSG_KEY", "MSG_TEXT", "MSG_TITLE", "MSG_LEFT_OUT"):
            self.assertNotIn(field, record)
        self.assertNotIn("tea", str(record))
        self.assertNotIn("Kitchen", str(record))
        self.assertTrue(self.journal.is_silent())

    def test_every_other_request(self):
        self.start()
        peer = self.msgd.peer()
        uid, number, body = self.send(peer, "bob", wait=True)
        self.screens.shown(self.screens.order()["present"])
        peer.until(number, "displayed")
        again = peer.request(SEND, body)
        peer.until(again, "displayed")
        self.single(request="send", outcome="again", uid=digits(uid), targets="name:bob")
        attached = peer.request(ATTACH, {"uid": uid})
        peer.until(attached, "displayed")
        self.single(request="attach", outcome="ok", uid=digits(uid))
        list(peer.answers(peer.request(WHO, {"to": [{"user": "bob"}, {"session": "pts/1"}]})))
        self.single(request="who", outcome="ok", targets="user:bob session:pts/1")
        list(peer.answers(peer.request(LIST, {})))
        self.single(request="list", outcome="ok")
        cancel = peer.request(CANCEL, {"uid": uid})
        records = self.journal.records(2)
        self.assertEqual({r["MSG_REQUEST"][0]: r["MSG_OUTCOME"] for r in records},
                         {"send": ["withdrawn"], "cancel": ["ok"]})
        list(peer.answers(cancel))
        self.assertTrue(self.journal.is_silent())

    def test_what_is_refused(self):
        self.start("--messages-a-minute", "2")
        peer = self.msgd.peer()
        unknown = secrets.token_bytes(16)
        self.ask_error(peer, CANCEL, {"uid": unknown}, "unknown-uid")
        self.assertEqual(self.single(request="cancel", outcome="unknown-uid",
                                     uid=digits(unknown))["PRIORITY"], ["5"])
        self.ask_error(peer, ACK, {"number": 9}, "no-target")
        self.single(request="ack", outcome="no-target", number="9")
        self.ask_error(peer, 40, {}, "unsupported")
        for body, code, field in ((message("bob", "\x1b"), "bad-text", "text"),
                                  (message("carol", "x"), "no-target", None),
                                  (message("carol", "x"), "no-target", None),
                                  (message("bob", "x"), "rate-limited", None)):
            list(peer.answers(peer.request(SEND, body)))
            record = self.single(request="send", outcome=code)
            self.assertEqual(record.get("MSG_FIELD"), [field] if field else None)
        self.assertTrue(self.journal.is_silent())

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_an_ordinary_users(self):
        self.start()
        peer = self.msgd.peer_as(EVE)
        everybody = {"uid": bytes(16), "to": [{"all": True}], "text": "x", "not": [{"me": True}]}
        list(peer.answers(peer.request(SEND, everybody)))
        self.single(outcome="forbidden", principal=f"unix:{EVE}", targets="all !me",
                    name=f"uid {EVE}")

    def test_names_cannot_imitate(self):
        self.start()
        peer = self.msgd.peer()
        list(peer.answers(self.send(peer, "a b !all", "user:c\\d", "\u202e")[1]))
        self.single(targets=r"name:a\x20b\x20!all name:user:c\x5Cd name:<U+202E>")

    def test_many_targets_and_deliveries(self):
        users = [(f"u{i:03}-{60 * 'x'}"[:60], 61900 + i, f"pts/{i}") for i in range(100)]
        self.start(sessions=users)
        peer = self.msgd.peer()
        _, number, _ = self.send(peer, *[u[0] for u in users], *[f"no{i}" for i in range(50)])
        for _ in users:
            self.screens.shown(self.screens.order()["present"])
        list(peer.answers(number))
        record = self.single(outcome="partial", deliveries="100", left_out=str(36 + 18))
        self.assertRegex(record["MSG_TARGETS"][0], r"^name:u000-x+ .* \+\d+$")
        self.assertLess(len(record["MSG_TARGETS"][0]), 1024)
        self.assertEqual((len(record["MSG_DELIVERY"]), len(record["MSG_MISS"])), (64, 32))

    def test_texts_where_they_are_asked_for(self):
        self.start("--audit-text", "yes")
        peer = self.msgd.peer()
        text = "a\nMSG_PRINCIPAL=unix:0\n" + 32000 * "x"
        _, number, _ = self.send(peer, "bob", text=text, title="Kitchen")
        self.screens.shown(self.screens.order()["present"])
        list(peer.answers(number))
        self.single(text=text, title="Kitchen", principal=f"unix:{ME}", outcome="ok")

    def test_at_the_clean_end(self):
        self.start()
        peer = self.msgd.peer()
        self.send(peer, "bob", wait=True)
        self.screens.shown(self.screens.order()["present"])
        peer.until(1, "displayed")
        self.msgd.stop()
        self.single(outcome="withdrawn", delivery="bob pts/1 withdrawn daemon-stop")

    def test_after_a_death(self):
        """The record is lost with msgd; who asks for its end is the one that names it."""
        self.start()
        peer = self.msgd.peer()
        uid, _, _ = self.send(peer, "bob", wait=True)
        self.screens.order()
        self.msgd.kill()
        self.start()
        self.ask_error(self.msgd.peer(), ATTACH, {"uid": uid}, "outcome-unknown")
        self.single(request="attach", outcome="outcome-unknown", uid=digits(uid))


class Bounded(Audited):
    def test_a_flood_of_what_is_no_message(self):
        self.start()
        peer = self.msgd.peer()
        began, records = time.monotonic(), 0
        for i in range(200):
            self.ask_error(peer, ACK, {"number": 9}, "no-target")
            if i < 120:
                self.single(request="ack", outcome="no-target")
                records += 1
        more = 2 * (time.monotonic() - began) + 1  # two a second are allowed
        while not self.journal.is_silent():
            self.single(request="ack", outcome="no-target")
            records += 1
        self.assertLessEqual(records, 120 + more)
        _, number, _ = self.send(peer, "bob")
        self.screens.shown(self.screens.order()["present"])
        list(peer.answers(number))
        self.single(request="send", outcome="ok")  # a message always has one
        self.msgd.stop()
        self.assertIn(f"{200 - records} requests left no record", self.msgd.logged())

    def test_a_full_journal_is_not_waited_for(self):
        with open("/proc/sys/net/unix/max_dgram_qlen", encoding="ascii") as f:
            room = int(f.read())
        self.start("--messages-a-minute", "100000")
        peer = self.msgd.peer()
        for _ in range(room + 50):
            number = self.send(peer, "bob")[1]
            self.screens.shown(self.screens.order()["present"])
            self.assertEqual(list(peer.answers(number))[-1][2]["st"], "ok")
        self.msgd.stop()
        found = re.search(r"(\d+) records are missing: the journal had no room", self.msgd.logged())
        self.assertTrue(40 <= int(found[1]) <= 50, found[0])

    def test_a_journal_that_is_gone(self):
        self.start()
        peer = self.msgd.peer()
        os.unlink(self.journal.path)
        self.ask_error(peer, ACK, {"number": 9}, "no-target")
        self.assertIn("audit: request=ack outcome=no-target ", self.msgd.logged())
        journal = Journal(self.journal.path)
        self.addCleanup(journal.close)
        self.ask_error(peer, ACK, {"number": 8}, "no-target")
        self.assertEqual(journal.record()["MSG_NUMBER"], ["8"])


class Lines(MsgdTest):
    """Without a journal."""

    def lines(self):
        return re.findall(r"^msgd: audit: (.*)$", self.msgd.logged(), re.M)

    def test_a_line_a_request(self):
        self.start()
        peer = self.msgd.peer()
        body = message('b "o\\b', "tea?\nnewline")
        list(peer.answers(peer.request(SEND, body)))
        line, = self.lines()
        fields = dict(pair.split("=", 1) for pair in shlex.split(line))
        self.assertEqual((fields["request"], fields["outcome"], fields["principal"]),
                         ("send", "no-target", f"unix:{ME}"))
        self.assertEqual(fields["targets"], r"name:b\x20\x22o\x5Cb")
        self.assertNotIn("tea", line)

    def test_a_long_line_is_cut_between_fields(self):
        users = [(f"u{i}-{50 * 'x'}", 61900 + i, f"pts/{i}") for i in range(64)]
        self.start("--audit-text=yes", sessions=users)
        peer = self.msgd.peer()
        body = msgpack.packb({"uid": bytes(16), "to": [{"name": u[0]} for u in users],
                              "text": 4000 * "\n" + "x"})
        number = peer.request(SEND, body)
        for _ in range(64):
            self.screens.shown(self.screens.order()["present"])
        list(peer.answers(number))
        line, = self.lines()
        self.assertTrue(3000 < len(line) < 3900, line)
        self.assertTrue(line.endswith(" cut=yes"), line)

    def test_a_pipe_nobody_reads(self):
        """Not waited for either; what is missing is told."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.msgd.start(stderr=write)
        os.close(write)
        peer = self.msgd.peer()
        asked = {"to": [{"name": 64 * "x"}] * 15}  # a line of a kilobyte; the pipe holds 64
        for _ in range(100):
            list(peer.answers(peer.request(WHO, asked)))
        os.read(read, 1 << 20)
        list(peer.answers(peer.request(WHO, asked)))
        self.assertRegex(os.read(read, 1 << 20).decode(), r"\d+ lines are missing here")


class FromElsewhere(Audited, Network):
    def start(self, *more, **options):
        Network.start(self, "--audit-journal", self.journal.path, *more, **options)

    def test_a_senders_key_and_address(self):
        self.start()
        client = self.client()
        self.assertEqual(client.ask("WHO")[1].map["code"], "forbidden")
        record = self.single(request="who", outcome="forbidden", principal=self.alice.text,
                             key=self.alice.text, name="alice", address="127.0.0.1")
        self.assertEqual(record["MESSAGE"], ["alice (network, 127.0.0.1): who: forbidden"])
        number = Network.send(self, client, wait=True)
        order = self.screens.order()["present"]
        self.screens.shown(order)
        self.write(self.revoked, self.alice.text)
        self.single(request="send", outcome="withdrawn", principal=self.alice.text,
                    address="127.0.0.1", delivery="bob pts/1 withdrawn revoked")
        self.assertTrue(number)

    def test_strangers_leave_one_a_minute(self):
        self.start()
        stranger = Identity()
        for _ in range(3):
            self.assertEqual(self.ended(stranger), "unauthorized")
        record = self.single(request="connect", outcome="refused", step="key", key=stranger.text,
                             address="127.0.0.1", reason=f"{stranger.text}, unauthorized")
        self.assertEqual((record["MESSAGE_ID"], record["PRIORITY"]), ([REFUSAL], ["5"]))
        self.assertEqual(record["MESSAGE"], [f"refused 127.0.0.1, key: {stranger.text}, "
                                             "unauthorized"])
        self.assertTrue(self.journal.is_silent())
        self.assertNotIn("refused", self.msgd.logged())  # it would stand in the journal twice

    def test_a_key_that_expires(self):
        self.start(options=time.strftime("expires=%Y-%m-%d",
                                         time.gmtime(time.time() + 86400)))
        client = self.client()
        client.ping(1)
        self.write(self.authorized, f"{self.alice.text} expires=2020-01-01 alice")
        client.ask("WHO", {"to": [{"name": "bob"}]})
        self.assertEqual(self.journal.record()["MSG_REQUEST"], ["who"])


if __name__ == "__main__":
    unittest.main()
