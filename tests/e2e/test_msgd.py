# SPDX-License-Identifier: MIT
"""
msgd's requests and their answers: what is accepted, refused, sent twice, and what is no request.
"""
import contextlib
import os
import resource
import secrets
import socket
import struct
import subprocess
import time

import msgpack

import screens
from harness import AM_ROOT, eventually
from local_peer import ATTACH, CANCEL, ERROR, EVENT, GOAWAY, RESULT, SEND, WELCOME, message
from msgd_alone import BOB, EVE, WHO, MsgdTest


class Requests(MsgdTest):
    def test_welcome(self):
        self.start("--name", "h2")
        peer = self.msgd.peer()
        kind, number, body = peer.receive()
        self.assertEqual((kind, number), (WELCOME, 0))
        self.assertEqual(body["name"], "h2")
        self.assertEqual(len(body["inst"]), 16)
        self.assertEqual(body["lim"], {"text": 32768, "requests": 16, "deliveries": 1024,
                                       "max_time_ms": 604800000})
        self.assertTrue(body["you"])

    def test_shown(self):
        self.start()
        peer = self.msgd.peer()
        number, (order,) = self.sent(peer, message("bob", "tea?", title="Kitchen", time_ms=30000))
        self.assertEqual((order["text"], order["title"], order["flags"] & screens.WAIT),
                         ("tea?", "Kitchen", 0))
        self.assertTrue(order["sender"].endswith(" (this host)"))
        self.assertTrue(29000 < order["life"] <= 30000, order)
        self.assertEqual((order["number"], order["session"]), (1, self.msgd.handles[0]))
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.expect(peer, RESULT, number, st="ok", n={"displayed": 1}, q=2)

    def test_accepted_says_where(self):
        self.start()
        peer = self.msgd.peer()
        number = peer.request(SEND, message("bob", "x", time_ms=5000))
        body = self.expect(peer, EVENT, number, n=1, time_ms=5000)
        event = body["ev"][0]
        self.assertEqual((event["user"], event["sess"], event["id"], event["kind"], event["q"]),
                         ("bob", "pts/1", "s1", "terminal", 1))
        self.assertLess(abs(event["at"] / 1000 - time.time()), 5)

    def test_acknowledged_by_the_popup_with_an_answer(self):
        self.start(sessions=[("bob", BOB, "pts/1"), ("bob", BOB, "pts/2"), ("eve", EVE, "pts/3")])
        peer = self.msgd.peer()
        number, orders = self.sent(peer, message("bob", "tea?", wait=True, answers=["Yes", "No"]), 2)
        first, second = (o["present"] for o in orders)
        self.screens.shown(first)
        self.expect_events(peer, number, (1, "displayed"))
        self.screens.shown(second)
        self.expect_events(peer, number, (2, "displayed"))
        self.screens.ended(second, screens.ACKNOWLEDGED, answer="No")
        events = self.expect_events(peer, number, (2, "acknowledged"),
                                    (1, "withdrawn", "answered-elsewhere"))
        self.assertEqual((events[0]["ans"], events[1]["by"], events[1]["fin"]),
                         ("No", "pts/2", True))
        self.expect(peer, RESULT, number, st="ok", n={"acknowledged": 1, "withdrawn": 1}, q=6)
        self.assertEqual(self.screens.order(), {"withdraw": first, "why": 2})

    def test_misses_come_first(self):
        self.start(sessions=[("bob", BOB, "pts/1"),
                             {"user": "sftp", "uid": EVE, "name": "9", "reach": screens.NOTHING}])
        peer = self.msgd.peer()
        body = msgpack.packb({"uid": secrets.token_bytes(16), "text": "x",
                              "to": [{"name": n} for n in ("carol", "bob", "sftp")]})
        number = peer.request(SEND, body)
        misses = [{"to": 0, "code": "no-target"}, {"to": 2, "code": "no-screen", "user": "sftp"}]
        self.assertNotIn("ev", self.expect(peer, EVENT, number, miss=misses))
        self.expect_events(peer, number, (1, "accepted"))
        self.screens.shown(self.screens.order()["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.expect(peer, RESULT, number, st="partial")
        again = peer.request(SEND, body)
        self.expect(peer, EVENT, again, miss=misses, re=True)

    def test_what_is_left_out_is_told(self):
        """And is no failure; said again to who asks again, LIM_MISSES in a frame."""
        self.start(sessions=[
            {"user": "bob", "uid": BOB, "name": ":0", "reach": screens.DESKTOP, "place": "a"},
            {"user": "bob", "uid": BOB, "name": "pts/1", "place": "a"},
            {"user": "eve", "uid": EVE, "name": "pts/9", "place": "a"},
            *({"user": "bob", "uid": BOB, "name": f"sftp{n}", "reach": screens.NOTHING}
              for n in range(130))])
        peer = self.msgd.peer()
        body = msgpack.packb({"uid": secrets.token_bytes(16), "text": "x",
                              "to": [{"name": n} for n in ("carol", "bob")]})
        for again in (False, True):
            number = peer.request(SEND, body)
            fields = {"re": True} if again else {}
            first = self.expect(peer, EVENT, number, **fields)["miss"]
            second = self.expect(peer, EVENT, number, **fields)["miss"]
            self.assertEqual((len(first), len(second)), (128, 4))
            self.assertEqual(first[:3], [
                {"to": 0, "code": "no-target"},
                {"to": 1, "code": "reached-elsewhere", "user": "bob", "sess": "pts/1", "by": ":0"},
                {"to": 1, "code": "no-screen", "user": "bob", "sess": "sftp0"}])
            self.assertEqual(second[3]["sess"], "sftp129")
            if not again:
                self.expect_events(peer, number, (1, "accepted"))
                self.screens.shown(self.screens.order()["present"])
                self.expect_events(peer, number, (1, "displayed"))
                self.expect(peer, RESULT, number, st="partial")  # carol

    def test_what_is_left_out_is_no_failure(self):
        self.start(sessions=[("bob", BOB, "pts/1"),
                             {"user": "bob", "uid": BOB, "name": "9", "reach": screens.NOTHING}])
        peer = self.msgd.peer()
        number, (order,) = self.sent(peer, message("bob", "x"), noted=True)
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.expect(peer, RESULT, number, st="ok")

    def test_how_it_is_shown(self):
        """By which program, in which other way, and what may keep it from being seen."""
        self.start(sessions=[{"user": "bob", "uid": BOB, "name": ":0", "reach": screens.DESKTOP,
                              "state": "lingering"},
                             {"user": "eve", "uid": EVE, "name": ":1", "reach": screens.DESKTOP,
                              "flags": screens.LOCKED}])
        peer = self.msgd.peer()
        for target, shown, told in (
                (":0", {"reach": screens.DESKTOP, "by": "dunst"}, {"by": "dunst"}),
                (":0", {"reach": screens.DESKTOP, "flags": screens.SHOWN_LOCKED}, {"why": "locked"}),
                (":0", {"reach": screens.DESKTOP, "flags": screens.DO_NOT_DISTURB},
                 {"why": "do-not-disturb"}),
                (":0", {"reach": screens.TERMINAL, "flags": 3}, {"why": "locked", "kind": "terminal"}),
                (":0", {"reach": screens.TMUX, "by": "a\x1b\u202eb\n"},
                 {"by": "a\\x1B<U+202E>b\\x0A", "kind": "tmux"}),
                (":0", {"reach": screens.DESKTOP, "by": "\u00e4" * 35},
                 {"by": "\u00e4" * 30 + "..."}),
                (":1", {"reach": screens.DESKTOP}, {"why": "locked"})):
            with self.subTest(shown=shown):
                number = peer.request(SEND, message(target, "x"))
                accepted, = self.expect(peer, EVENT, number)["ev"]
                self.assertEqual((accepted["kind"], accepted.get("state")),
                                 ("desktop", "lingering" if target == ":0" else None))
                order = self.screens.order()["present"]
                self.screens.shown(order, **shown)
                self.screens.shown(order, by="another")  # only once
                event, = self.expect(peer, EVENT, number)["ev"]
                self.assertEqual({k: event[k] for k in ("by", "why", "kind") if k in event}, told)
                self.expect(peer, RESULT, number, st="ok")

    def test_nobody_reached(self):
        self.start()
        peer = self.msgd.peer()
        number = peer.request(SEND, message("carol", "x"))
        self.expect(peer, EVENT, number, miss=[{"to": 0, "code": "no-target"}])
        self.expect_error(peer, number, "no-target")

    def test_cancel(self):
        self.start()
        peer = self.msgd.peer()
        body = message("bob", "x", wait=True)
        number, (order,) = self.sent(peer, body)
        cancel = peer.request(CANCEL, {"uid": msgpack.unpackb(body)["uid"]})
        self.expect_events(peer, number, (1, "withdrawn", "by-sender"))
        self.expect(peer, RESULT, number, st="withdrawn")
        self.expect(peer, RESULT, cancel, st="ok", q=0)
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 1})

    def test_cancel_takes_down_what_is_final(self):
        self.start()
        peer = self.msgd.peer()
        body = message("bob", "x")
        number, (order,) = self.sent(peer, body)
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.expect(peer, RESULT, number, st="ok")
        cancel = peer.request(CANCEL, {"uid": msgpack.unpackb(body)["uid"]})
        self.expect(peer, RESULT, cancel, st="ok")
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 1})

    def test_timed_out(self):
        self.start()
        peer = self.msgd.peer()
        number, (order,) = self.sent(peer, message("bob", "x", wait=True, time_ms=2000))
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.expect_events(peer, number, (1, "timed-out", "no-answer"))
        self.expect(peer, RESULT, number, st="timed-out")
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 0})

    def test_not_shown_in_its_life(self):
        self.start()
        peer = self.msgd.peer()
        number, _ = self.sent(peer, message("bob", "x", time_ms=200))
        self.expect_events(peer, number, (1, "timed-out", "not-shown"))

    def test_lost_sender(self):
        self.start()
        peer = self.msgd.peer()
        _, (order,) = self.sent(peer, message("bob", "x", wait=True, lost_ms=200))
        peer.close()
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 1})

    def test_two_hundred_sessions(self):
        self.start(sessions=[("bob", BOB, f"pts/{i}") for i in range(200)])
        peer = self.msgd.peer()
        number = peer.request(SEND, message("bob", "y" * 32768, wait=True, each=True))
        states = []
        while len(states) < 200:
            states += self.expect(peer, EVENT, number)["ev"]
        self.assertEqual([e["q"] for e in states], list(range(1, 201)))
        for _ in range(200):
            order = self.screens.order()
            self.assertEqual(len(order["text"]), 32768)
            self.screens.shown(order["present"])
            self.screens.ended(order["present"], screens.ACKNOWLEDGED)
        last = None
        for kind, _, body in peer.answers(number):
            states += body.get("ev", [])
            last = (kind, body)
        self.assertEqual([e["q"] for e in states], list(range(1, 601)))
        self.assertEqual((last[0], last[1]["st"], last[1]["n"]), (RESULT, "ok", {"acknowledged": 200}))


class Refused(MsgdTest):
    def test_unfit(self):
        self.start()
        peer = self.msgd.peer()
        for more, code, at in (
                ({"text": "a\x1bb"}, "bad-text", "text"),
                ({"text": " \n\t"}, "bad-text", "text"),
                ({"text": "a", "title": "b\nc"}, "bad-text", "title"),
                ({"text": "a", "answers": ["Yes"]}, "bad-message", "answers.0"),
                ({"text": "a", "wait": True, "answers": ["Yes", "yes"]}, "bad-message", "answers.1"),
                ({"text": "a", "to": [{"me": True}]}, "bad-message", "to.0"),
                ({"text": "a" * 32769}, "too-large", "text"),
                ({"text": "a", "to": [{"name": "bob"}] * 513}, "too-many", None)):
            with self.subTest(more=str(more)[:60]):
                body = {"uid": secrets.token_bytes(16), "to": [{"name": "bob"}], **more}
                got = self.ask_error(peer, SEND, body, code)
                self.assertNotIn("retry_ms", got)
                if at:
                    self.assertEqual(got["at"], at)
        self.assertTrue(self.screens.is_silent())

    def test_unsupported_and_forbidden_types(self):
        self.start()
        peer = self.msgd.peer()
        self.ask_error(peer, 4242, {}, "unsupported")
        self.ask_error(peer, 10, {"id": b"12345678", "mac": b"m" * 32}, "unsupported") # ENROL
        peer.request(4243, {})  # odd: ignored
        self.ask_error(peer, CANCEL, {"uid": b"u" * 16}, "unknown-uid")

    def test_unknown_uids(self):
        self.start()
        peer = self.msgd.peer()
        self.ask_error(peer, ATTACH, {"uid": b"u" * 16}, "unknown-uid")
        self.ask_error(peer, CANCEL, {"uid": b"u" * 16}, "unknown-uid")

    def test_rate(self):
        self.start("--messages-a-minute", "2")
        peer = self.msgd.peer()
        for _ in range(2):
            self.sent(peer, message("bob", "x"))
        got = self.ask_error(peer, SEND, message("bob", "x"), "rate-limited")
        self.assertTrue(20000 < got["retry_ms"] <= 30001, got)

    def test_rate_of_asking(self):
        """LIM_ASKS_A_MINUTE; or twice as often as messages may be sent."""
        self.start("--messages-a-minute", "2")
        peer = self.msgd.peer()
        began, asked, last = time.monotonic(), -1, (RESULT,)
        while last[0] == RESULT and asked < 500:
            *_, last = peer.answers(peer.request(WHO, {"to": [{"name": "bob"}]}))
            asked += 1
        more = 2 * (time.monotonic() - began) + 1  # that came to be allowed meanwhile
        self.assertTrue(120 <= asked <= 120 + more, asked)
        self.assertEqual((last[0], last[2]["code"]), (ERROR, "rate-limited"))
        self.assertTrue(0 < last[2]["retry_ms"] <= 500, last)
        self.sent(peer, message("bob", "x"))

    def test_open_requests(self):
        self.start()
        peer = self.msgd.peer()
        bodies = [message("bob", "x", wait=True) for _ in range(16)]
        for body in bodies:
            self.sent(peer, body)
        got = self.ask_error(peer, SEND, message("bob", "x"), "busy")
        self.assertTrue(got["retry_ms"])
        uid = msgpack.unpackb(bodies[0])["uid"]
        cancel = peer.request(CANCEL, {"uid": uid})
        self.expect_events(peer, 1, (1, "withdrawn", "by-sender"))
        self.expect(peer, RESULT, 1)
        self.expect(peer, RESULT, cancel)
        self.screens.order()
        self.sent(peer, message("bob", "x", wait=True))

    def test_caps(self):
        for option, value in (("--open-deliveries", "1"), ("--held-text", "33000"), ("--uids", "1")):
            with self.subTest(option=option):
                self.start(option, value)
                peer = self.msgd.peer()
                self.sent(peer, message("bob", "x" * 20000, wait=True))
                got = self.ask_error(peer, SEND, message("bob", "y" * 20000), "busy")
                self.assertTrue(got["retry_ms"])
                self.msgd.stop()
                os.unlink(os.path.join(self.msgd.state, "seen"))

    def test_what_cannot_be_written_down_is_not_shown(self):
        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        self.start(preexec_fn=small_files, stderr=subprocess.DEVNULL)
        peer = self.msgd.peer()
        for _ in range(2):
            self.ask_error(peer, SEND, message("bob", "x"), "internal")
        self.assertTrue(self.screens.is_silent())

    def test_too_many_deliveries(self):
        self.start(sessions=[("bob", BOB, f"pts/{i}") for i in range(1025)])
        self.ask_error(self.msgd.peer(), SEND, message("bob", "x"), "too-many")

    def test_connections_of_one_uid(self):
        self.start("--unix-connections", "2")
        # The look whether it answers may not be seen to have gone yet.
        peers = [eventually(self._welcome, "a place") for _ in range(2)]
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.msgd.socket)
            self.assertEqual(s.recv(64), bytes.fromhex("0008 52454600 03 01 01 01"))
        peers[0].close()
        eventually(self._welcome, "room for another")

    def _welcome(self):
        """A peer that was let in, or None."""
        try:
            peer = self.msgd.peer()
            return peer if peer.receive()[0] == WELCOME else None
        except (OSError, ValueError, TypeError):
            return None

    def test_connections_in_all(self):
        self.start("--connections", "2")
        time.sleep(0.1)
        first, _ = self.msgd.peer(), self.msgd.peer()
        first.receive()
        third = self.msgd.peer(timeout=0.3)
        with self.assertRaises(TimeoutError):
            third.receive()
        first.close()
        third.socket.settimeout(5)
        self.assertEqual(third.receive()[0], WELCOME)


class Twice(MsgdTest):
    def test_same_bytes_are_shown_once(self):
        self.start()
        first, second = self.msgd.peer(), self.msgd.peer()
        body = message("bob", "x", wait=True)
        number, (order,) = self.sent(first, body)
        again = second.request(SEND, body)
        self.expect_error(first, number, "moved")
        events = self.expect_events(second, again, (1, "accepted"), re=True, n=1)
        self.assertEqual(events[0]["q"], 1)
        self.screens.shown(order["present"])
        self.assertEqual(self.expect_events(second, again, (1, "displayed"))[0]["q"], 2)
        self.assertTrue(self.screens.is_silent())

    def test_on_one_connection_too(self):
        self.start()
        peer = self.msgd.peer()
        body = message("bob", "x", wait=True)
        number, _ = self.sent(peer, body)
        again = peer.request(SEND, body)
        self.expect_error(peer, number, "moved")
        self.expect_events(peer, again, (1, "accepted"))

    def test_other_bytes_conflict(self):
        self.start()
        peer = self.msgd.peer()
        uid = secrets.token_bytes(16)
        self.sent(peer, message("bob", "x", uid=uid, wait=True))
        self.ask_error(peer, SEND, message("bob", "y", uid=uid, wait=True), "conflict")

    def test_attach_goes_on_behind_q(self):
        self.start()
        peer = self.msgd.peer()
        body = message("bob", "x", wait=True)
        number, (order,) = self.sent(peer, body)
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        peer.close()
        self.screens.ended(order["present"], screens.DISMISSED, "closed-by-user")
        other = self.msgd.peer()
        number = other.request(ATTACH, {"uid": msgpack.unpackb(body)["uid"], "after": 2})
        events = self.expect_events(other, number, (1, "dismissed", "closed-by-user"), re=True)
        self.assertEqual(events[0]["q"], 3)
        self.expect(other, RESULT, number, st="dismissed", q=3)
        number = other.request(ATTACH, {"uid": msgpack.unpackb(body)["uid"]})
        self.expect_events(other, number, (1, "accepted"), (1, "displayed"),
                           (1, "dismissed", "closed-by-user"), n=1)
        self.expect(other, RESULT, number, st="dismissed", q=3)

    def test_across_its_death(self):
        self.start()
        peer = self.msgd.peer()
        body, other = message("bob", "x", wait=True), message("bob", "z")
        uid = msgpack.unpackb(body)["uid"]
        self.sent(peer, body)
        self.msgd.kill()
        self.start()
        peer = self.msgd.peer()
        self.ask_error(peer, SEND, body, "outcome-unknown")
        self.ask_error(peer, ATTACH, {"uid": uid}, "outcome-unknown")
        self.ask_error(peer, CANCEL, {"uid": uid}, "outcome-unknown")
        self.sent(peer, other)

    def test_what_was_refused_leaves_no_trace(self):
        self.start("--open-deliveries", "1")
        peer = self.msgd.peer()
        body = message("bob", "x", wait=True)
        first, _ = self.sent(peer, message("bob", "first", wait=True, time_ms=2000))
        self.ask_error(peer, SEND, body, "busy")
        self.expect_events(peer, first, (1, "timed-out", "not-shown"))
        self.expect(peer, RESULT, first)
        self.screens.order()
        self.sent(peer, body)


class Garbage(MsgdTest):
    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(self.msgd.socket)
        self.addCleanup(s.close)
        return s

    def test_another_protocol_is_closed_in_silence(self):
        self.start()
        s = self.connect()
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            self.assertEqual(s.recv(64), b"")

    def test_other_versions_and_suites_are_refused(self):
        self.start()
        for preamble, code in (("4d53470002000000", 1), ("4d53470001010000", 2)):
            s = self.connect()
            s.sendall(bytes.fromhex(preamble))
            self.assertEqual(s.recv(64), bytes.fromhex(f"0008 52454600 {code:02x} 01 01 00"))

    def test_bad_msgpack_is_told_and_closed(self):
        self.start()
        peer = self.msgd.peer()
        self.assertEqual(peer.receive()[0], WELCOME)
        peer.socket.sendall(struct.pack(">H", 5) + b"\xdd\x00\xff\xff\xff")
        self.assertEqual(peer.receive(), (GOAWAY, 0, {"code": "bad-message"}))
        self.assertIsNone(peer.receive())

    def test_the_uid_65534_is_nobody(self):
        self.start()
        if not AM_ROOT:
            self.skipTest("needs root: another user")
        peer = self.msgd.peer_as(65534)
        kind, _, body = peer.receive()
        self.assertEqual((kind, body["code"]), (GOAWAY, "unauthorized"))
        self.assertIn("user namespace", body["msg"])

    def test_who_asks_on_and_reads_nothing(self):
        """Answers that nobody takes are not kept without end."""
        self.start()
        peer = self.msgd.peer()
        packed = msgpack.packb([2, 0, {"t": 1 << 30}])
        ping = struct.pack(">H", len(packed)) + packed
        with self.assertRaises(OSError):
            for _ in range(5):
                peer.socket.sendall(ping * 100000)
