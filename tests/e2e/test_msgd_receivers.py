# SPDX-License-Identifier: MIT
"""
What msgd tells those who are there: their own messages, and who else is logged in.
"""
import secrets
import time
import unittest

import screens
from harness import AM_ROOT, eventually
from local_peer import ACK, EVENT, LIST, RESULT, SEND, WELCOME, message
from msgd_alone import BOB, EVE, ME, WHO, MsgdTest


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
