# SPDX-License-Identifier: MIT
"""
msgd alone, between a client that says exactly what a test wants (local_peer.py) and a presenter in the
test's own hands (screens.py): requests and their answers, deduplication, limits, deaths.
"""
import contextlib
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

import msgpack

import screens
from harness import AM_ROOT, TOP, eventually, program, stop
from local_peer import (ACK, ATTACH, CANCEL, ERROR, EVENT, GOAWAY, LIST, RESULT, SEND, WELCOME,
                  LocalPeer, message)
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
        number, (order,) = self.sent(peer, message("bob", "x", wait=True, time_ms=300))
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
        for _ in range(120):
            *_, last = peer.answers(peer.request(WHO, {"to": [{"name": "bob"}]}))
            self.assertEqual(last[0], RESULT)
        got = self.ask_error(peer, WHO, {}, "rate-limited")
        self.assertTrue(0 < got["retry_ms"] <= 500, got)
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
        time.sleep(0.1)  # the look whether it answers has gone
        peers = [self.msgd.peer(), self.msgd.peer()]
        for peer in peers:
            self.assertEqual(peer.receive()[0], WELCOME)
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.msgd.socket)
            self.assertEqual(s.recv(64), bytes.fromhex("0008 52454600 03 01 01 01"))
        peers[0].close()
        eventually(lambda: self._welcome() or None, "room for another")

    def _welcome(self):
        try:
            return self.msgd.peer().receive()[0] == WELCOME
        except (OSError, ValueError, TypeError):
            return False

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
        first, _ = self.sent(peer, message("bob", "first", wait=True, time_ms=300))
        self.ask_error(peer, SEND, body, "busy")
        self.expect_events(peer, first, (1, "timed-out", "not-shown"))
        self.expect(peer, RESULT, first)
        self.screens.order()
        self.sent(peer, body)


class Receivers(MsgdTest):
    def mine(self, *more):
        self.start(*more, sessions=[("me", ME, "pts/1"), ("me", ME, "pts/2"), ("bob", BOB, "pts/3")])

    def shown(self, peer, number, order, d=1):
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (d, "displayed"))

    def test_ack(self):
        self.mine()
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        number, orders = self.sent(sender, message("me", "tea?", wait=True), 2)
        self.assertEqual([o["number"] for o in orders], [1, 1])
        self.ask_error(receiver, ACK, {"number": 1}, "too-late")  # not shown yet
        self.shown(sender, number, orders[1], 2)
        ack = receiver.request(ACK, {"number": 1})
        self.expect(receiver, RESULT, ack, st="ok", q=0)
        self.expect_events(sender, number, (2, "acknowledged"), (1, "withdrawn", "answered-elsewhere"))
        self.expect(sender, RESULT, number, st="ok")
        self.assertEqual({self.screens.order()["withdraw"] for _ in orders},
                         {o["present"] for o in orders})
        self.ask_error(receiver, ACK, {"number": 1}, "too-late")
        self.ask_error(receiver, ACK, {"number": 2}, "no-target")

    def test_with_each_in_whatever_order(self):
        self.mine()
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        number, orders = self.sent(sender, message("me", "tea?", wait=True, each=True), 2)
        for d, order in enumerate(orders, 1):
            self.shown(sender, number, order, d)
        for d in (2, 1):
            ack = receiver.request(ACK, {"number": 1, "sess": f"pts/{d}"})
            self.expect(receiver, RESULT, ack, st="ok")
            self.expect_events(sender, number, (d, "acknowledged"))
        self.expect(sender, RESULT, number, st="ok", n={"acknowledged": 2})

    def test_answers(self):
        self.mine()
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        body = {"to": [{"session": "pts/1"}], "text": "?", "wait": True, "answers": ["Yes", "No"]}
        for answer, heard in (("no", "No"), ("1", "Yes")):
            number, (order,) = self.sent(sender, {**body, "uid": secrets.token_bytes(16)})
            self.shown(sender, number, order)
            for wrong in ({}, {"answer": "maybe"}, {"answer": "3"}, {"answer": "0"}):
                self.ask_error(receiver, ACK, {"number": order["number"], **wrong}, "bad-message",
                               at="answer")
            receiver.request(ACK, {"number": order["number"], "answer": answer})
            self.expect(receiver, RESULT, receiver.last)
            events = self.expect_events(sender, number, (1, "acknowledged"))
            self.assertEqual(events[0]["ans"], heard)
            self.expect(sender, RESULT, number)
            self.screens.order()

    def test_an_answer_where_none_is_asked_for(self):
        self.mine()
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        number, orders = self.sent(sender, message("pts/1", "x", wait=True))
        self.shown(sender, number, orders[0])
        self.ask_error(receiver, ACK, {"number": 1, "answer": "Yes"}, "bad-message", at="answer")

    @unittest.skipUnless(AM_ROOT, "needs root: another user")
    def test_nobody_acknowledges_for_another(self):
        self.mine()
        sender = self.msgd.peer()
        number, (order,) = self.sent(sender, message("bob", "x", wait=True))
        self.shown(sender, number, order)
        self.ask_error(self.msgd.peer(), ACK, {"number": 1}, "no-target")  # not even root
        self.ask_error(self.msgd.peer_as(EVE), ACK, {"number": 1}, "no-target")
        bob = self.msgd.peer_as(BOB)
        self.expect(bob, RESULT, bob.request(ACK, {"number": 1}), st="ok")
        self.expect_events(sender, number, (1, "acknowledged"))

    def test_list(self):
        self.mine()
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        first, orders = self.sent(sender, message("me", "one", wait=True, title="T"), 2)
        second, (order,) = self.sent(sender, message("pts/1", "two"))
        self.shown(sender, second, order)
        self.expect(sender, RESULT, second)
        number = receiver.request(LIST, {})
        one = self.expect(receiver, EVENT, number)["message"]
        self.assertEqual((one["number"], one["text"], one["title"], one["wait"], one["sess"]),
                         (1, "one", "T", True, "pts/1"))
        two = self.expect(receiver, EVENT, number)["message"]
        self.assertEqual((two["number"], two["st"], two.get("wait")), (2, "displayed", None))
        self.expect(receiver, RESULT, number, st="ok", q=0)
        number = receiver.request(LIST, {"number": 2})
        self.assertEqual(self.expect(receiver, EVENT, number)["message"]["text"], "two")
        self.expect(receiver, RESULT, number)
        self.ask_error(receiver, LIST, {"number": 3}, "no-target")

    def test_a_long_list_is_drawn_as_it_is_read(self):
        self.mine("--messages-a-minute", "1000")
        sender, receiver = self.msgd.peer(), self.msgd.peer()
        for _ in range(10):
            self.sent(sender, message("pts/1", "x" * 32768, wait=True))
        number = receiver.request(LIST, {})
        time.sleep(0.3)
        self.assertEqual(len([1 for kind, _, _ in receiver.answers(number) if kind == EVENT]), 10)


    def test_who_reads_nothing_is_closed_and_his_messages_go_on(self):
        self.mine("--messages-a-minute", "1000")
        sender, stalled = self.msgd.peer(), self.msgd.peer(timeout=60)
        for _ in range(10):
            self.sent(sender, message("pts/1", "x" * 32768, wait=True))
        number, (order,) = self.sent(stalled, message("pts/2", "from one who stalls", wait=True))
        for _ in range(8):
            stalled.request(LIST, {})
        eventually(lambda: "peer takes nothing" in self.msgd.logged(), self.msgd.logged, 40)
        self.screens.shown(order["present"])
        ack = sender.request(ACK, {"number": order["number"], "sess": "pts/2"})
        self.expect(sender, RESULT, ack, st="ok")
        self.assertEqual(number, 1)


class Who(MsgdTest):
    SESSIONS = [{"user": "bob", "uid": BOB, "name": ":0", "terminal": "tty2", "place": "a",
                 "reach": screens.DESKTOP, "flags": screens.CONSOLE | screens.LOCKED},
                {"user": "bob", "uid": BOB, "name": "pts/1", "place": "a"},
                {"user": "me", "uid": ME, "name": "pts/2", "flags": screens.DISABLED},
                {"user": "sftp", "uid": EVE, "name": "9", "reach": screens.NOTHING}]

    def who(self, peer, body):
        number = peer.request(WHO, body)
        found, result = [], None
        for kind, _, answer in peer.answers(number):
            if kind == WELCOME:
                continue
            found += answer.get("who", [])
            result = answer
        return found, result

    def test_everybody(self):
        self.start(sessions=self.SESSIONS)
        found, result = self.who(self.msgd.peer(), {})
        self.assertEqual(result, {"st": "ok", "q": 0})
        self.assertEqual([s["name"] for s in found], [":0", "pts/1", "pts/2", "9"])
        self.assertEqual([s["reach"] for s in found], ["desktop", "terminal", "terminal", "nothing"])
        self.assertEqual(found[0]["place"], found[1]["place"])
        self.assertEqual([s.get("by") for s in found], [None, ":0", None, None])
        self.assertNotEqual(found[0]["place"], found[2]["place"])
        self.assertEqual((found[0].get("locked"), found[2].get("me"), found[2].get("why")),
                         (True, True, "messages-disabled"))

    def test_some(self):
        self.start(sessions=self.SESSIONS)
        peer = self.msgd.peer()
        found, result = self.who(peer, {"to": [{"name": "bob"}, {"name": "carol"}]})
        self.assertEqual(([s["name"] for s in found], result["st"]), ([":0", "pts/1"], "partial"))
        number = peer.request(WHO, {"to": [{"name": "carol"}]})
        self.expect(peer, EVENT, number, miss=[{"to": 0, "code": "no-target"}])
        self.expect_error(peer, number, "no-target")

    def test_sessions_come_and_go(self):
        self.start()
        peer = self.msgd.peer()
        handle = self.screens.add("eve", EVE, "pts/9", now=True)
        eventually(lambda: len(self.who(peer, {})[0]) == 2, "a new session")
        self.screens.gone(handle)
        eventually(lambda: len(self.who(peer, {})[0]) == 1, "it goes")

    @unittest.skipUnless(AM_ROOT, "needs root: other users")
    def test_rights(self):
        self.start("--uid-min", "61800", sessions=self.SESSIONS)
        service = self.msgd.peer_as(61700)
        self.ask_error(service, WHO, {}, "forbidden")
        number = service.request(SEND, message("bob", "x"))
        self.expect(service, EVENT, number, miss=[{"to": 0, "code": "forbidden"}])
        self.expect_error(service, number, "forbidden")
        person = self.msgd.peer_as(61803)
        self.assertEqual(len(self.who(person, {})[0]), 4)
        everybody = {"uid": secrets.token_bytes(16), "to": [{"all": True}], "text": "x"}
        number = person.request(SEND, everybody)
        self.expect(person, EVENT, number)
        self.expect_error(person, number, "forbidden")
        number, (order,) = self.sent(person, message("bob", "x"), noted=True)
        self.assertEqual((order["sender"], order["name"], order["flags"]),
                         ("uid 61803 (this host)", "uid 61803", screens.LOCAL))
        root = self.msgd.peer()
        _, orders = self.sent(root, everybody, 2, noted=True)
        self.assertEqual({o["flags"] for o in orders}, {screens.OVERRIDE | screens.LOCAL})

    @unittest.skipUnless(AM_ROOT, "needs root: other users")
    def test_people_may_message_themselves(self):
        self.start("--uid-min", "61800", "--users", "self", sessions=self.SESSIONS)
        person = self.msgd.peer_as(BOB)
        self.not_to(person, "me")
        self.assertEqual({s["user"] for s in self.who(person, {})[0]}, {"bob"})
        self.sent(person, message("bob", "x"), noted=True)
        self.assertEqual(len(self.who(self.msgd.peer(), {})[0]), 4)

    @unittest.skipUnless(AM_ROOT, "needs root: other users")
    def test_people_may_message_nobody(self):
        self.start("--uid-min", "61800", "--users", "nobody", sessions=self.SESSIONS)
        person = self.msgd.peer_as(BOB)
        for name in ("me", "bob"):
            self.not_to(person, name)
        self.ask_error(person, WHO, {}, "forbidden")
        self.assertEqual(len(self.who(self.msgd.peer(), {})[0]), 4)

    def not_to(self, person, name):
        number = person.request(SEND, message(name, "x"))
        self.expect(person, EVENT, number, miss=[{"to": 0, "code": "forbidden"}])
        self.expect_error(person, number, "forbidden")

    @unittest.skipUnless(AM_ROOT, "needs root: other users")
    def test_who_may_ask_who_is_there(self):
        self.start("--uid-min", "61800", "--who", "admins", sessions=self.SESSIONS)
        person = self.msgd.peer_as(61803)
        self.ask_error(person, WHO, {}, "forbidden")
        self.sent(person, message("bob", "x"), noted=True)
        self.assertEqual(len(self.who(self.msgd.peer(), {})[0]), 4)


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


class Deaths(MsgdTest):
    def test_a_clean_end(self):
        self.start()
        peer = self.msgd.peer()
        number, (order,) = self.sent(peer, message("bob", "x", wait=True))
        self.msgd.process.send_signal(signal.SIGTERM)
        self.expect_events(peer, number, (1, "withdrawn", "daemon-stop"))
        self.expect(peer, RESULT, number, st="withdrawn")
        self.expect(peer, GOAWAY, 0, code="shutting-down")
        self.assertIsNone(peer.receive())
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 3})
        self.assertEqual(self.msgd.process.wait(5), 0)
        self.assertFalse(os.path.exists(self.msgd.socket))

    def test_an_embedded_presenter_takes_msgd_with_it(self):
        self.start()
        peer = self.msgd.peer()
        number, _ = self.sent(peer, message("bob", "x", wait=True))
        self.screens.close()
        self.expect_events(peer, number, (1, "failed", "presenter-lost"))
        self.expect(peer, RESULT, number, st="failed")
        self.expect(peer, GOAWAY, 0, code="shutting-down")
        self.assertEqual(self.msgd.process.wait(5), 1)

    def test_a_presenter_that_talks_nonsense_is_lost(self):
        self.start()
        self.screens.send(99, b"")
        self.assertEqual(self.msgd.process.wait(5), 1)
        self.assertIn("msgd-present is lost", self.msgd.logged())


class Separate(MsgdTest):
    """The presenter is a service of its own: it comes and goes."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.msgd.folder, "present.sock")
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.listener.close)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(1)
        self.listener.settimeout(10)

    def comes(self, *sessions):
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        for session in sessions:
            self.screens.add(*session)
        self.screens.greet()

    def test_without_one(self):
        self.msgd.launch("--present-socket", self.path + ".not")
        eventually(self.msgd.answers, self.msgd.logged)
        got = self.ask_error(self.msgd.peer(), SEND, message("bob", "x"), "no-presenter")
        self.assertTrue(got["retry_ms"])
        self.ask_error(self.msgd.peer(), WHO, {}, "no-presenter")

    def test_terminals_outlive_it(self):
        self.msgd.launch("--present-socket", self.path)
        self.comes(("bob", BOB, "pts/1"), ("bob", BOB, "pts/2"), ("bob", BOB, "pts/3"),
                   ("bob", BOB, "pts/4"))
        eventually(self.msgd.answers, self.msgd.logged)
        peer = self.msgd.peer()
        number, orders = self.sent(peer, message("bob", "x", wait=True, each=True, time_ms=60000), 4)
        for d, reach in ((1, screens.TERMINAL), (2, screens.TERMINAL), (3, screens.DESKTOP)):
            self.screens.shown(orders[d - 1]["present"], reach)
            self.expect_events(peer, number, (d, "displayed"))
        self.screens.close()
        self.expect_events(peer, number, (3, "failed", "presenter-lost"),
                           (4, "failed", "presenter-lost"))
        self.ask_error(peer, SEND, message("bob", "y"), "no-presenter")
        time.sleep(0.1)
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        self.screens.handles = 40
        handle = self.screens.add("bob", BOB, "pts/1", login="s1")
        self.screens.greet()
        self.expect_events(peer, number, (2, "session-gone", "hangup"))
        self.assertTrue(self.screens.is_silent())  # never presented again
        self.screens.gone(handle)
        self.expect_events(peer, number, (1, "session-gone", "hangup"))
        self.expect(peer, RESULT, number, st="session-gone",
                    n={"failed": 2, "session-gone": 2})

    def test_a_session_is_found_again_by_the_id_that_it_has_come_to(self):
        self.msgd.launch("--present-socket", self.path)
        self.comes(("me", ME, "pts/1"))
        eventually(self.msgd.answers, self.msgd.logged)
        peer = self.msgd.peer()
        number, [order] = self.sent(peer, message("me", "x", wait=True, time_ms=60000))
        self.screens.shown(order["present"])
        self.expect_events(peer, number, (1, "displayed"))
        self.screens.change(1, login="42")  # logind knows of it by now
        self.screens.close()
        self.screens = self.msgd.screens = Presenter(self.listener.accept()[0])
        self.screens.handles = 40
        self.screens.add("me", ME, "pts/1", login="42")
        self.screens.greet()
        receiver = self.msgd.peer()
        eventually(lambda: self.msgd.logged().count("connected with msgd-present") == 2, "its list")
        receiver.request(ACK, {"number": order["number"]})
        self.expect_events(peer, number, (1, "acknowledged"))


class Service(MsgdTest):
    """What systemd gives and is told."""

    def notify_socket(self):
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(told.close)
        told.settimeout(10)
        path = os.path.join(self.msgd.folder, "notify")
        told.bind(path)
        os.chmod(path, 0o666)
        return told, {**os.environ, "NOTIFY_SOCKET": path}

    def test_signs_of_life(self):
        told, env = self.notify_socket()
        self.start(env={**env, "WATCHDOG_USEC": "100000"})
        self.assertEqual([told.recv(64) for _ in range(4)], [b"READY=1"] + 3 * [b"WATCHDOG=1"])

    def test_signs_of_life_that_are_asked_of_another(self):
        told, env = self.notify_socket()
        self.start(env={**env, "WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"})
        self.assertEqual(told.recv(64), b"READY=1")
        self.assertEqual(self.msgd.stop(), 0)
        self.assertEqual(told.recv(64), b"STOPPING=1")

    def test_a_reload_has_a_beginning_and_an_end(self):
        told, env = self.notify_socket()
        self.start(env=env)
        self.assertEqual(told.recv(64), b"READY=1")
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.msgd.process.send_signal(signal.SIGHUP)
        state, usec = told.recv(64).split(b"\nMONOTONIC_USEC=")
        self.assertEqual(state, b"RELOADING=1")
        self.assertGreaterEqual(int(usec), before)
        self.assertEqual(told.recv(64), b"READY=1")

    def test_sockets_handed_over_and_notification(self):
        self.msgd.socket = os.path.join(self.msgd.folder, "handed.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.msgd.socket)
        os.chmod(self.msgd.socket, 0o666)
        listener.listen(8)
        told, env = self.notify_socket()
        argv = self.msgd.arguments
        # LISTEN_PID must be its own, so a shell takes the number first; dash knows no fd above 9.
        self.msgd.arguments = lambda *more: [
            "bash", "-c", f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh",
            *[a if a != self.msgd.socket else a + ".own" for a in argv(*more)]]
        self.start(env=env, pass_fds=[listener.fileno()])
        self.assertEqual(told.recv(64), b"READY=1")
        self.assertFalse(os.path.exists(self.msgd.socket + ".own"))
        self.sent(self.msgd.peer(), message("bob", "x", wait=True))
        self.assertEqual(self.msgd.stop(), 0)
        self.assertEqual(told.recv(64), b"STOPPING=1")


class Reload(MsgdTest):
    def configure(self, *lines):
        with open(self.msgd.config, "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")

    def test_read_again_on_sighup(self):
        self.start()
        peer = self.msgd.peer()
        self.configure("[msgd]", "name = h3", "[limits]", "messages_a_minute = 1")
        self.msgd.process.send_signal(signal.SIGHUP)
        eventually(lambda: "configuration read again" in self.msgd.logged(), self.msgd.logged)
        self.sent(peer, message("bob", "x"))
        self.ask_error(peer, SEND, message("bob", "x"), "rate-limited")
        self.assertEqual(self.msgd.peer().receive()[2]["name"], "h3")

    def test_a_broken_one_changes_nothing(self):
        self.start("--name", "h2")
        self.configure("[msgd]", "nonsense = 1")
        self.msgd.process.send_signal(signal.SIGHUP)
        eventually(lambda: f"kept as it was: {self.msgd.config}:2: " in self.msgd.logged(),
                   self.msgd.logged)
        self.assertEqual(self.msgd.peer().receive()[2]["name"], "h2")


class CommandLine(unittest.TestCase):
    def run_msgd(self, *arguments, **options):
        if not os.path.exists(program("msgd")):
            self.skipTest("msgd is not built")
        return subprocess.run([program("msgd"), *arguments], capture_output=True, text=True,
                              check=False, timeout=20, **options)

    def test_help_and_version(self):
        got = self.run_msgd("--help")
        self.assertEqual((got.returncode, got.stderr), (0, ""))
        self.assertTrue(got.stdout.startswith("Usage: msgd"))
        self.assertEqual(self.run_msgd("--version").returncode, 0)

    def test_wrong_options(self):
        for arguments in (["--nonsense", "1"], ["word"], ["--socket"], ["--present-fd", "x"],
                          ["--present-fd", "2"], ["--listen", "nowhere"], ["--uids", "0"]):
            with self.subTest(arguments=arguments):
                got = self.run_msgd("-t", *arguments)
                self.assertIn(got.returncode, (1, 2))
                self.assertTrue(got.stderr.startswith("msgd: "), got.stderr)

    def test_the_configuration(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            f.write("[limits]\nuids = 7\n")
            f.flush()
            self.assertEqual(self.run_msgd("-f", f.name, "-t").returncode, 0)
            got = self.run_msgd("-f", f.name, "-T", "--socket=/x/y")
            self.assertIn("uids = 7", got.stdout)
            self.assertIn("socket = /x/y", got.stdout)
            f.write("nonsense = 1\n")
            f.flush()
            got = self.run_msgd("-f", f.name, "-t")
            self.assertEqual(got.returncode, 1)
            self.assertIn(f"{f.name}:3: ", got.stderr)

    def test_the_files_of_keys_are_tested_too(self):
        with tempfile.TemporaryDirectory() as folder:
            authorized, revoked = os.path.join(folder, "keys"), os.path.join(folder, "revoked")
            options = ["-t", "--authorized-keys", authorized, "--revoked-keys", revoked]
            self.assertEqual(self.run_msgd(*options).returncode, 0)
            os.mkdir(authorized + ".d", 0o755)
            faults = [authorized, authorized + ".d/a.keys", revoked]
            for path in faults:
                with open(path, "w", encoding="ascii") as f:
                    f.write("# a comment\nnonsense\n")
                os.chmod(path, 0o644)
            got = self.run_msgd(*options)
            self.assertEqual(got.returncode, 1)
            for path in faults:
                self.assertIn(f"msgd: {path}:2: ", got.stderr)

    def test_the_manual_has_every_key(self):
        keys = re.findall(r"^(\w+) =", self.run_msgd("-T").stdout, re.MULTILINE)
        with open(os.path.join(TOP, "man", "msgd.conf.5"), encoding="utf-8") as f:
            self.assertEqual(re.findall(r"^\.It Cm (\w+)$", f.read(), re.MULTILINE), keys)

    def test_the_example_says_what_holds_without_it(self):
        with open(os.path.join(TOP, "systemd", "msgd.conf"), encoding="utf-8") as example, \
                tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
            self.assertEqual(self.run_msgd("-f", example.name, "-t").stderr, "")
            none = self.run_msgd("-f", f.name, "-T").stdout
            f.write(re.sub(r"^#(?=\w)", "", example.read(), flags=re.MULTILINE))
            f.flush()
            self.assertEqual(self.run_msgd("-f", f.name, "-T").stdout, none)

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_it_does_not_run_as_root(self):
        got = self.run_msgd()
        self.assertEqual(got.returncode, 1)
        self.assertIn("does not run as root", got.stderr)


if __name__ == "__main__":
    unittest.main()
