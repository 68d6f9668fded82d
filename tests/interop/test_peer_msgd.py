# SPDX-License-Identifier: MIT
"""The independent client against the real msgd, on real terminals."""
import socket
import unittest

import msgpack

from peer import Client, Connection
from peer_told import Told
from peer_values import TYPES
from peer_world import World, shown, uid_of


class Deliveries(World):
    def test_read_and_acknowledged(self):
        terminal = self.login()
        client = self.client("alice", [("SEND", self.sent(terminal, text="Lunch at 12?"))])
        told = self.follow(client, 1, until="displayed")
        self.assertEqual(told.log[0]["user"], self.me)
        self.assertEqual((told.log[0]["sess"], told.log[0]["kind"]), (terminal.line, "terminal"))
        terminal.wait_for("Lunch at 12?")
        terminal.run("msg /ack")
        self.follow(client, 1, told)
        self.assertEqual((told.states, told.result),
                         ({1: ["accepted", "displayed", "acknowledged"]}, "ok"))
        self.assertEqual(client.welcome["you"], "alice")
        self.assertEqual(client.welcome["v"], 1)

    def test_shown_without_waiting(self):
        terminal = self.login()
        client = self.client()
        told = self.follow(client, client.request("SEND", self.sent(terminal, wait=False)),
                           Told(wait=False))
        self.assertEqual((told.states, told.result), ({1: ["accepted", "displayed"]}, "ok"))
        terminal.wait_for("Lunch[?]")

    def test_cancel(self):
        terminal, client = self.login(), self.client()
        raw = self.sent(terminal)
        number, told = self.displayed(client, raw)
        other = self.client()
        self.assertEqual(other.ask("CANCEL", {"uid": uid_of(raw)})[1].map, {"st": "ok", "q": 0})
        self.follow(client, number, told)
        self.assertEqual((told.final[1]["st"], told.final[1]["why"], told.result),
                         ("withdrawn", "by-sender", "withdrawn"))
        self.assertEqual(other.ask("CANCEL", {"uid": uid_of(raw)})[1].map, {"st": "ok", "q": 0})
        self.assert_error(self.client("alice"), "CANCEL", {"uid": uid_of(raw)}, "unknown-uid")

    def test_time_is_over(self):
        terminal, client = self.login(), self.client()
        told = self.follow(client, client.request("SEND", self.sent(terminal, time_ms=1200)))
        self.assertEqual((told.life, told.final[1]["st"], told.final[1]["why"], told.result),
                         (1200, "timed-out", "no-answer", "timed-out"))
        self.assertTrue(1100 <= told.log[2]["at"] - told.log[0]["at"] <= 3000, told.log)

    def test_the_hosts_longest_time(self):
        terminal, client = self.login(), self.client()
        longest = client.welcomed()["lim"]["max_time_ms"]
        for time_ms in (0, longest + 1):
            _, told = self.displayed(client, self.sent(terminal, time_ms=time_ms))
            self.assertEqual(told.life, longest)

    def test_repeated(self):
        terminal, raw = self.login(), self.sent(terminal=None, to=[{"name": self.me}], text="Once!")
        first = self.client()
        _, told = self.displayed(first, raw)
        first.close()
        second = self.client(first=[("SEND", raw)])
        self.follow_replay(second, 1, told)
        self.assert_error(second, "SEND", msgpack.packb({**msgpack.unpackb(raw), "text": "Twice?"}),
                          "conflict")
        terminal.run("msg /ack")
        self.follow(second, 1, told, again=True)
        again = self.client(first=[("SEND", raw)])
        result, told.result = told.result, None
        self.follow(again, 1, told, again=True)
        self.assertEqual(told.result, result)
        self.assertEqual(shown(terminal, "Once!"), 1)

    def follow_replay(self, client, number, told):
        """All events so far again."""
        q = 0
        while q < told.q:
            found = client.answer(number)
            told.hear(found, again=True)
            q = found.map["ev"][-1]["q"]

    def test_attach_takes_over(self):
        terminal, raw = self.login(), None
        raw = self.sent(terminal)
        first, second = self.client(), self.client()
        number, told = self.displayed(first, raw)
        attached = second.request("ATTACH", {"uid": uid_of(raw), "after": 1})
        found = second.answer(attached)
        self.assertEqual([event["q"] for event in found.map["ev"]], [2])
        told.hear(found, again=True)
        self.assertEqual(first.answer(number).map["code"], "moved")
        self.assert_error(first, "ATTACH", {"uid": bytes(16)}, "unknown-uid")
        self.assert_error(self.client("alice"), "ATTACH", {"uid": uid_of(raw)}, "unknown-uid")
        terminal.run("msg /ack")
        self.assertEqual(self.follow(second, attached, told, again=True).result, "ok")

    def test_attach_on_one_connection(self):
        terminal, client = self.login(), self.client()
        raw = self.sent(terminal)
        number, told = self.displayed(client, raw)
        attached = client.request("ATTACH", {"uid": uid_of(raw)})
        self.assertEqual(client.answer(number).map["code"], "moved")
        self.follow_replay(client, attached, told)

    def test_nobody_holds_it(self):
        terminal, raw = self.login(), None
        raw = self.sent(terminal, lost_ms=500)
        first = self.client()
        _, told = self.displayed(first, raw)
        first.close()
        terminal.wait_for("withdrawn$")
        second = self.client()
        number = second.request("ATTACH", {"uid": uid_of(raw), "after": told.q})
        self.follow(second, number, told, again=True)
        self.assertEqual((told.final[1]["why"], told.result), ("sender-lost", "withdrawn"))

    def test_answered_elsewhere(self):
        one, other = self.login(), self.login()
        client = self.client()
        raw = self.sent(to=[{"user": self.me}])
        number, told = client.request("SEND", raw), Told(wait=True)
        while [states[-1] for states in told.states.values()] != ["displayed"] * 2:
            told.hear(client.answer(number))
        other.run("msg /ack")
        self.follow(client, number, told)
        by_line = {told.log[d - 1]["sess"]: event for d, event in told.final.items()}
        self.assertEqual(by_line[other.line]["st"], "acknowledged")
        self.assertEqual({"st": "withdrawn", "why": "answered-elsewhere", "by": other.line},
                         {key: by_line[one.line].get(key) for key in ("st", "why", "by")})
        self.assertEqual(told.result, "ok")

    def test_each(self):
        one, other = self.login(), self.login()
        client = self.client()
        number = client.request("SEND", self.sent(to=[{"user": self.me}], each=True, time_ms=4000))
        told = Told(wait=True)
        while [states[-1] for states in told.states.values()] != ["displayed"] * 2:
            told.hear(client.answer(number))
        one.run("msg /ack")
        self.follow(client, number, told)
        self.assertEqual(sorted(event["st"] for event in told.final.values()),
                         ["acknowledged", "timed-out"])
        self.assertEqual(told.result, "partial")
        self.assertTrue(other.line)

    def test_hung_up(self):
        terminal, client = self.login(), self.client()
        number, told = self.displayed(client, self.sent(terminal))
        terminal.close()
        self.follow(client, number, told)
        self.assertEqual((told.final[1]["st"], told.result), ("session-gone", "session-gone"))
        self.assertIn(told.final[1]["why"], ("logout", "hangup"))

    def test_no_messages_wished(self):
        terminal = self.login(mesg=False)
        before, last = self.client("alice").ask("SEND", self.sent(terminal))
        found = [entry for part in before for entry in part.map.get("miss", part.map.get("ev"))]
        self.assertIn("messages-disabled", (found[-1].get("code"), found[-1].get("why")), found)
        self.assertEqual(terminal.count("Lunch?"), 0)
        self.assertIn(last.map.get("st", last.map.get("code")), ("failed", "no-target"))
        _, told = self.displayed(self.client("power"), self.sent(terminal))
        self.assertEqual(told.deliveries, 1)


class Targets(World):
    def test_misses(self):
        terminal, client = self.login(), self.client()
        to = [{"user": "no-such-user"}, {"session": terminal.line}, {"id": "no-such-id"}]
        number = client.request("SEND", self.sent(to=to, wait=False))
        told = self.follow(client, number, Told(wait=False))
        self.assertEqual([(miss["to"], miss["code"]) for miss in told.misses],
                         [(0, "no-target"), (2, "no-target")])
        self.assertEqual((told.deliveries, told.result), (1, "partial"))
        before, last = client.ask("SEND", self.sent(to=to[:1]))
        self.assertEqual([m.map["miss"][0]["code"] for m in before], ["no-target"])
        self.assertEqual((TYPES[last.type].name, last.map["code"]), ("ERROR", "no-target"))

    def test_one_delivery_for_one_place(self):
        terminal, client = self.login(), self.client()
        to = [{"session": terminal.line}, {"name": terminal.line},
              {"session": terminal.line.upper()}]
        number = client.request("SEND", self.sent(to=to, wait=False))
        told = self.follow(client, number, Told(wait=False))
        self.assertEqual((told.deliveries, told.misses), (1, []))

    def test_left_out(self):
        one, other = self.login(), self.login()
        client = self.client()
        raw = self.sent(to=[{"session": one.line}, {"session": other.line}], wait=False,
                        **{"not": [{"session": one.line}, {"user": "no-such-user"}]})
        told = self.follow(client, client.request("SEND", raw), Told(wait=False))
        self.assertEqual([(miss["to"], miss["code"]) for miss in told.misses], [(0, "left-out")])
        self.assertEqual((told.log[0]["sess"], told.result), (other.line, "ok"))

    def test_rights(self):
        terminal = self.login()
        raw = self.sent(to=[{"all": True}], wait=False)
        before, last = self.client("alice").ask("SEND", raw)
        self.assertEqual(last.map["code"], "forbidden")
        client = self.client("power")
        told = self.follow(client, client.request("SEND", raw), Told(wait=False))
        self.assertIn(terminal.line, [event.get("sess") for event in told.log])
        limited = self.client("limited")
        for to, code in (({"user": self.me}, "forbidden"), ({"user": "no-such-user"}, "forbidden"),
                         ({"session": terminal.line}, "no-target")):
            before, last = limited.ask("SEND", self.sent(to=[to]))
            self.assertEqual([m.map["miss"][0]["code"] for m in before], [code])
            self.assertEqual(last.map["code"], code)

    def test_who(self):
        terminal = self.login(host="192.0.2.7")
        self.assert_error(self.client("alice"), "WHO", {}, "forbidden")
        for client in (self.client("power"), self.local()):
            before, last = client.ask("WHO")
            self.assertEqual(last.map, {"st": "ok", "q": 0})
            found = [s for m in before for s in m.map["who"] if s["name"] == terminal.line]
            self.assertEqual([(s["user"], s["reach"], s["from"]) for s in found],
                             [(self.me, "terminal", "192.0.2.7")])
            self.assertEqual(found[0].get("me", False), client.sock.family == 1)

    def test_who_of_some(self):
        terminal, client = self.login(), self.client("alice")
        before, last = client.ask("WHO", {"to": [{"session": terminal.line}]})
        self.assertEqual([s["name"] for m in before for s in m.map["who"]], [terminal.line])
        self.assertEqual(last.map, {"st": "ok", "q": 0})
        before, last = client.ask("WHO", {"to": [{"user": "no-such-user"},
                                                 {"session": terminal.line}]})
        self.assertEqual([m.map["miss"] for m in before if "miss" in m.map],
                         [[{"to": 0, "code": "no-target"}]])
        self.assertEqual(last.map, {"st": "partial", "q": 0})
        before, last = client.ask("WHO", {"to": [{"user": "no-such-user"}]})
        self.assertEqual((TYPES[last.type].name, last.map["code"]), ("ERROR", "no-target"))


class UnixSocket(World):
    def test_list_and_ack(self):
        terminal = self.login()
        local = self.local([("WHO", {})])
        while 1 in local.open:
            local.answer(1)
        raw = self.sent(terminal, title="Food", answers=["Yes", "No"])
        number, told = self.displayed(local, raw)
        before, last = local.ask("LIST")
        self.assertEqual(last.map, {"st": "ok", "q": 0})
        found = before[-1].map["message"]
        wanted = {"sess": terminal.line, "title": "Food", "text": "Lunch?", "st": "displayed",
                  "answers": ["Yes", "No"], "wait": True}
        self.assertEqual({key: found.get(key) for key in wanted}, wanted)
        self.assertEqual(found["from"], f"{self.me} (this host)")
        one, _ = local.ask("LIST", {"number": found["number"]})
        self.assertEqual([m.map["message"] for m in one], [found])
        self.assert_error(local, "ACK", {"number": found["number"], "answer": "Perhaps"},
                          "bad-message", "answer")
        self.assertEqual(local.ask("ACK", {"number": found["number"], "answer": "no"})[1].map,
                         {"st": "ok", "q": 0})
        self.follow(local, number, told)
        self.assertEqual((told.final[1]["ans"], told.result), ("No", "ok"))
        self.assert_error(local, "ACK", {"number": found["number"], "answer": "1"}, "too-late")
        ended = local.ask("LIST", {"number": found["number"]})[0][0].map["message"]
        self.assertEqual((ended["st"], ended.get("wait", False)), ("acknowledged", False))
        self.assertGreaterEqual(ended["ended"], ended["at"])

    def test_ack_by_digit_and_without_answers(self):
        terminal, local = self.login(), self.local()
        number, told = self.displayed(local, self.sent(terminal, answers=["Yes", "No"]))
        which = self.number()
        self.assertEqual(local.ask("ACK", {"number": which, "answer": "2"})[1].map,
                         {"st": "ok", "q": 0})
        self.assertEqual(self.follow(local, number, told).final[1]["ans"], "No")
        number, told = self.displayed(local, self.sent(terminal))
        which = self.number()
        self.assert_error(local, "ACK", {"number": which, "answer": "Yes"}, "bad-message", "answer")
        local.ask("ACK", {"number": which})
        self.assertEqual(self.follow(local, number, told).result, "ok")

    def test_ack_in_a_session(self):
        one, other = self.login(), self.login()
        local = self.local()
        raw = self.sent(to=[{"session": one.line}, {"session": other.line}], each=True)
        number, told = local.request("SEND", raw), Told(wait=True)
        while [states[-1] for states in told.states.values()] != ["displayed"] * 2:
            told.hear(local.answer(number))
        for line in (other.line, one.line):
            self.assertEqual(local.ask("ACK", {"number": self.number(), "sess": line})[1].map,
                             {"st": "ok", "q": 0})
        self.follow(local, number, told)
        self.assertEqual([told.log[event["d"] - 1]["sess"] for event in told.log if "fin" in event],
                         [other.line, one.line])

    def test_no_such_number(self):
        for kind in ("ACK", "LIST"):
            self.assert_error(self.local(), kind, {"number": 4000000000}, "no-target")

    def test_only_here(self):
        client = self.client()
        self.assert_error(client, "ACK", {"number": 1}, "unsupported")
        self.assert_error(client, "LIST", {}, "unsupported")
        self.assert_error(client, "GRANT", {"add": bytes(32)}, "unsupported")
        self.assert_error(client, "ENROL", {"id": bytes(8), "mac": bytes(32)}, "unsupported")
        self.assert_error(self.local(), "ENROL", {"id": bytes(8), "mac": bytes(32)}, "unsupported")

    def raw(self, *parts):
        """A connection that begins with these bytes; a Client so that what comes is judged."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(self.system.socket)
        client = Client(sock)
        self.addCleanup(client.close)
        client.write(b"".join(parts))
        return client

    def test_hello_first_and_once(self):
        begin, frame = b"MSG\0\1\0\0\0", Connection.framed
        hello, who = frame(b"\x93\x0e\x00\x81\xa1v\x01"), frame(b"\x93\x16\x01\x80")
        self.assert_goes_away(self.raw(begin, who), "bad-message")
        self.assert_goes_away(self.raw(begin, hello, hello), "bad-message")
        self.assert_goes_away(self.raw(begin, frame(b"\x93\x0e\x00\x80")), "bad-message")
        self.assert_goes_away(self.raw(begin, frame(b"\xc1")), "bad-message")
        self.assertEqual(self.raw(begin, b"\0\0").at_end(), b"")
        self.assertEqual(self.raw(begin, b"\xff\xf0").at_end(), b"")
        self.assertEqual(self.raw(begin, hello[:5]).welcome, None)

    def test_refusals(self):
        for preamble, code in ((b"MSG\0\2\0\0\0", 1), (b"MSG\0\1\1\0\0", 2), (b"MSG\0\1\0\0\1", 2)):
            self.assertEqual(self.raw(preamble).at_end()[:9].hex(),
                             (b"\0\x08REF\0" + bytes([code, 1, 1])).hex())
        self.assertEqual(self.raw(b"GET / HTTP/1.0\r\n\r\n").at_end(), b"")


if __name__ == "__main__":
    unittest.main()
