# SPDX-License-Identifier: MIT
"""The real msg against the independent server."""
import os
import shutil
import tempfile
import time
import unittest

import msgpack

from harness import Running, User, eventually, program

from peer import Closed, Connection
from peer_keys import Identity, host_name
from peer_server import LIMITS, Server, Serving
from peer_values import NUMBER

BOB = {"user": "bob", "sess": "pts/1", "id": "7", "kind": "terminal"}


def acknowledged(request):
    request.accepted(BOB)
    request.event(1, "displayed")
    request.event(1, "acknowledged", fin=True)
    request.finish()


class World(unittest.TestCase):
    """A sender with keys of his own, and a server that plays what a test says."""

    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="msg-peer-")
        self.addCleanup(shutil.rmtree, self.home)
        self.folder = os.path.join(self.home, ".config", "msg")
        os.makedirs(self.folder, mode=0o700)
        self.alice, self.host = Identity(), Identity()
        self.alice.save(os.path.join(self.folder, "identity"))

    def server(self, story=acknowledged, serving=Serving, trusted=None, accounts=None):
        server = Server(self.host, {self.alice.public: "alice"} if accounts is None else accounts,
                        story, serving=serving)
        self.addCleanup(server.close)
        with open(os.path.join(self.folder, "known_hosts"), "w", encoding="ascii") as file:
            key = (trusted or self.host).text
            file.write(f"# hosts\n{host_name(*server.address)} {key} a test\n")
        return server

    def begin(self, server, *arguments, target="bob", text="hello"):
        user = User.me(self.home)
        where = f"/SERVER:127.0.0.1:{server.address[1]}"
        running = Running(user, [program("msg"), target, where, *arguments, text],
                          env={"MSG_CONFIG_HOME": self.folder})
        self.addCleanup(running.kill)
        return running

    def msg(self, server, *arguments, timeout=12, **options):
        try:
            outcome = self.begin(server, *arguments, **options).finish(timeout)
        except AssertionError as late:
            self.fail(str(late)[:1000])
        self.assertEqual(server.failures, [], outcome)
        return outcome

    def heard(self, server, kind):
        return [found for found in server.heard if found.type == NUMBER[kind]]


class Calls(World):
    def test_acknowledged(self):
        server = self.server()
        outcome = self.msg(server, "/W", "/V")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("pts/1", outcome.out)
        sent = self.heard(server, "SEND")[0].map
        self.assertEqual((sent["to"], sent["text"], sent["wait"], sent["lost_ms"]),
                         ([{"name": "bob"}], "hello", True, 60000))
        self.assertEqual(len(sent["uid"]), 16)
        self.assertFalse({"title", "each", "answers"} & {k for k, v in sent.items() if v}, sent)

    def test_shown(self):
        def story(request):
            request.accepted(BOB)
            request.event(1, "displayed", fin=True)
            request.finish()
        server = self.server(story)
        outcome = self.msg(server, "/V")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertNotIn("wait", self.heard(server, "SEND")[0].map)

    def test_an_answer(self):
        def story(request):
            request.accepted(BOB)
            request.event(1, "displayed")
            request.event(1, "acknowledged", fin=True, ans="No")
            request.finish()
        server = self.server(story)
        outcome = self.msg(server, "/ANSWERS:Yes,No")
        self.assertEqual((outcome.status, outcome.out), (0, "No\n"), outcome)
        sent = self.heard(server, "SEND")[0].map
        self.assertEqual((sent["answers"], sent["wait"]), (["Yes", "No"], True))
        outcome = self.msg(server, "/ANSWERS:Yes,No", "/V")
        self.assertIn("Message to session pts/1 responded to by user: No\n", outcome.out)

    def test_how_it_is_shown_and_what_was_left_out(self):
        notes = [{"to": 0, "code": "reached-elsewhere", "user": "bob", "sess": "pts/1", "by": ":0"},
                 *({"to": 0, "code": "no-screen", "user": "bob", "sess": f"s{n}"}
                   for n in range(200))]

        def story(request):
            request.missed(*notes)
            request.accepted({**BOB, "sess": ":0", "kind": "desktop", "state": "odd"})
            request.event(1, "displayed", by="dunst", why="locked", fin=True)
            request.finish()
        outcome = self.msg(self.server(story), "/V")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(outcome.out,
                         "Sending message to session :0, display time unlimited\n"
                         "Session :0 is in the state odd\n"
                         "Session pts/1 left out, bob is reached on :0\n" +
                         "".join(f"Session s{n} (bob) left out, it has no screen or terminal\n"
                                 for n in range(200)) +
                         "Session :0 is reached on its desktop, by dunst\n"
                         "Session :0 is locked\n"
                         "Async message sent to session :0\n")

    def test_every_final_state(self):
        for state, why in (("dismissed", "closed-by-user"), ("timed-out", "no-answer"),
                           ("withdrawn", "by-sender"), ("session-gone", "logout"),
                           ("failed", "terminal-stopped"), ("failed", "a-why-of-tomorrow"),
                           ("a-state-of-tomorrow", "x")):
            def story(request):
                request.accepted(BOB)
                request.event(1, "progress-of-tomorrow")
                request.event(1, state, why=why, fin=True)
                request.final = {state: 1} if state != "a-state-of-tomorrow" else {}
                request.finish(state)
            with self.subTest(state):
                outcome = self.msg(self.server(story), "/W", "/V")
                self.assertGreater(outcome.status, 0, outcome)

    def test_partial(self):
        def story(request):
            request.accepted(BOB, {**BOB, "user": "eve", "sess": "pts/2", "id": "8"})
            request.event(1, "acknowledged", fin=True)
            request.event(2, "timed-out", why="no-answer", fin=True)
            request.finish("partial")
        self.assertGreater(self.msg(self.server(story), "/W", "/V").status, 0)

    def test_what_may_be_ignored(self):
        class Chatty(Serving):
            def tell(self, kind, number, fields):
                super().tell(kind, number, fields)
                if kind == "WELCOME":
                    super().tell("NOTE", 0, {"code": "new", "msg": "for people"})
                    super().tell("NOOP", 0, {"pad": bytes(100)})
                    super().tell(99, 12, {"!x": 1})
                    super().tell("PING", 0, {"t": 2 ** 53 - 1})
                    one = {"q": 1, "d": 1, "st": "accepted", "at": 1}
                    super().tell("EVENT", 4000, {"ev": [one]})
        server = self.server(serving=Chatty)
        outcome = self.msg(server, "/W", "/V")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn({"t": 2 ** 53 - 1}, [pong.map for pong in self.heard(server, "PONG")])

    def test_what_is_escaped(self):
        def story(request):
            request.accepted({**BOB, "sess": "pts\u202e/1"})
            request.fail("code-of-tomorrow", msg="look: \u202e\u2066")
        outcome = self.msg(self.server(story), "/W", "/V")
        self.assertGreater(outcome.status, 0)
        self.assertNotRegex(outcome.out + outcome.err, "[\u202e\u2066]")


class Lost(World):
    """Connections that end in the middle."""

    @staticmethod
    def held(request):
        eventually(lambda: request.holder, "the client to come back", 20)

    def test_goaway_then_attach(self):
        def story(request):
            request.accepted(BOB)
            request.event(1, "displayed")
            connection, _ = request.holder
            request.lose(connection)
            connection.go_away("shutting-down", retry_ms=50)
            self.held(request)
            request.event(1, "acknowledged", fin=True)
            request.finish()
        server = self.server(story)
        outcome = self.msg(server, "/W", "/V")
        self.assertEqual(outcome.status, 0, outcome)
        uid = self.heard(server, "SEND")[0].map["uid"]
        self.assertEqual([found.map for found in self.heard(server, "ATTACH")],
                         [{"uid": uid, "after": 2}])

    def test_closed_before_any_event(self):
        """The same bytes of the map again, blindly."""
        def story(request):
            connection, _ = request.holder
            request.lose(connection)
            connection.linger()
            self.held(request)
            acknowledged(request)
        server = self.server(story)
        outcome = self.msg(server, "/W", "/V")
        self.assertEqual(outcome.status, 0, outcome)
        first, second = self.heard(server, "SEND")
        self.assertEqual(first.raw, second.raw)

    def test_closed_before_result(self):
        def story(request):
            request.accepted(BOB)
            request.event(1, "displayed")
            request.event(1, "acknowledged", fin=True)
            connection, _ = request.holder
            request.lose(connection)
            connection.linger()
            self.held(request)
            request.finish()
        server = self.server(story)
        self.assertEqual(self.msg(server, "/W", "/V").status, 0)
        self.assertEqual(self.heard(server, "ATTACH")[0].map["after"], 3)

    def test_another_life(self):
        """ATTACH all the same; outcome-unknown is then the answer, and nothing is sent again."""
        def story(request):
            request.accepted(BOB)
            connection, _ = request.holder
            request.lose(connection)
            connection.server.die_and_start_again()
            connection.linger()
        server = self.server(story)
        outcome = self.msg(server, "/W", "/V")
        self.assertGreater(outcome.status, 0)
        self.assertEqual([len(self.heard(server, kind)) for kind in ("SEND", "ATTACH")], [1, 1])

    def test_goaway_that_is_final(self):
        for code in ("unauthorized", "revoked", "expired"):
            with self.subTest(code):
                self.final_goaway(code)

    def final_goaway(self, code):
        def story(request):
            request.accepted(BOB)
            request.holder[0].go_away(code)
        server = self.server(story)
        running = self.begin(server, "/W", "/V")
        eventually(lambda: running.process.poll() is not None or self.heard(server, "ATTACH"),
                   "msg to give up")
        self.assertEqual(self.heard(server, "ATTACH"), [])
        self.assertGreater(running.finish().status, 0)

    def test_goaway_of_a_misunderstanding(self):
        """Section 14: no retry, outcome unknown."""
        self.final_goaway("bad-message")


class Refusals(World):
    def test_unknown_key(self):
        server = self.server(accounts={})
        outcome = self.msg(server, "/V")
        self.assertGreater(outcome.status, 0)
        self.assertIn(self.alice.text, outcome.out + outcome.err)
        self.assertEqual(len(self.heard(server, "SEND")), 1)

    def test_another_host_key(self):
        server = self.server(trusted=Identity())
        outcome = self.msg(server, "/V")
        self.assertGreater(outcome.status, 0)
        self.assertIn("known_hosts", outcome.out + outcome.err)
        self.assertEqual(server.heard, [])
        self.assertEqual([end for end in server.closes if "Closed('')" in end], server.closes)

    def test_broken_known_hosts(self):
        server = self.server()
        with open(os.path.join(self.folder, "known_hosts"), "a", encoding="ascii") as file:
            file.write("broken\n")
        self.assertGreater(self.msg(server, "/V").status, 0)
        self.assertEqual(server.heard, [])

    def test_any_of_several_keys(self):
        server = self.server()
        with open(os.path.join(self.folder, "known_hosts"), "a", encoding="ascii") as file:
            file.write(f"\n{host_name(*server.address)}\t{Identity().text}\tthe next one\r\n")
        self.assertEqual(self.msg(server, "/W", "/V").status, 0)

    def test_refusal_frames(self):
        for code in (1, 2, 3, 200):
            with self.subTest(code):
                server = self.server()
                server.refuse = code
                outcome = self.msg(server, "/V")
                self.assertGreater(outcome.status, 0, outcome)
                if code == 200:
                    self.assertIn("200", outcome.out + outcome.err)
                else:
                    self.assertTrue(outcome.err)

    def test_busy_for_a_moment(self):
        server = self.server()
        server.refuse = 3
        running = self.begin(server, "/W", "/V")
        time.sleep(0.5)
        server.refuse = 0
        outcome = running.finish(30)
        self.assertIn(outcome.status, (0, 1, 2, 3, 4, 5), outcome)  # MAY try again

    def test_error(self):
        for code in ("forbidden", "no-target", "too-large", "code-of-tomorrow", "internal"):
            with self.subTest(code):
                server = self.server(lambda request: request.fail(code))
                outcome = self.msg(server, "/V")
                self.assertGreater(outcome.status, 0)
                self.assertEqual(len(self.heard(server, "SEND")), 1)


class BadServers(World):
    """Each is answered as section 7 says of a client."""

    def told_of(self, *messages, before_welcome=False):
        """GOAWAY's code, as msg answers to these in answer to its SEND (or to its first frame)."""
        def play(serving, _):
            for one in messages:
                raw = isinstance(one, bytes)
                serving.write(serving.sealed(one) if raw else serving.packed(*one))

        class Bad(Serving):
            ANSWERS = {**Serving.ANSWERS, "SEND": play}

            def _serve(self):
                if before_welcome:
                    play(self, None)
                    self.tell = lambda *_: None
                super()._serve()
        server = self.server(serving=Bad)
        running = self.begin(server, "/W", "/V")
        eventually(lambda: self.heard(server, "GOAWAY"),
                   lambda: f"GOAWAY: {server.heard} {running.err[:1000]}", 5)
        running.kill()
        return self.heard(server, "GOAWAY")[0].map["code"]

    def test_bad_messages(self):
        event = {"ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1}]}
        for bad in (b"\xdd\x00\xff\xff\xff", b"\xc1", b"\x93\x20\x01", b"\x80",
                    b"\x93\x21\x00\x80\xc0", ("WHO", 1, {}), ("RESULT", 1, {}),
                    ("PING", 0, {}),
                    ("EVENT", 1, {**event, "!x": 1}),
                    ("EVENT", 1, {"miss": [{"to": 513, "code": "no-target"}]}),
                    ("EVENT", 1, {"ev": [{"q": 1, "d": 1, "st": "a\nb", "at": 1}]}),
                    ("ERROR", 1, {"code": ""}), ("ERROR", 1, {"code": "x" * 33}),
                    ("WELCOME", 0, {"v": 1, "inst": bytes(16), "name": "x", "you": "y",
                                    "lim": LIMITS})):
            with self.subTest(str(bad)):
                self.assertEqual(self.told_of(bad), "bad-message")

    def test_event_of_none(self):
        """Section 10.5: an EVENT holds exactly one of ev, miss, who, message."""
        self.told_of(("EVENT", 1, {}))

    def test_event_of_two(self):
        """The same."""
        event = {"ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1}]}
        self.told_of(("EVENT", 1, {**event, "miss": [{"to": 0, "code": "no-target"}]}))

    def test_unknown_even_type(self):
        self.assertEqual(self.told_of((98, 1, {})), "unsupported")
        self.assertEqual(self.told_of((98, 0, {})), "unsupported")

    def test_before_welcome(self):
        self.assertEqual(self.told_of(("RESULT", 1, {"st": "ok", "q": 0}), before_welcome=True),
                         "bad-message")
        self.assertEqual(self.told_of(("PONG", 0, {"t": 1}), before_welcome=True), "bad-message")

    def bad_handshake(self, play):
        """What msg does when the server plays this after message 1, and how often it came."""
        tries, after = [], []

        class Bad(Serving):
            def live(self):
                tries.append(self)
                self.exactly(8 + 34)
                play(self)
                after.append(self.at_end(5))
        server = self.server(serving=Bad)
        outcome = self.msg(server, "/V")
        self.assertGreater(outcome.status, 0, outcome)
        eventually(lambda: len(after) == len(tries), "the end of each connection")
        self.assertEqual(after, [b""] * len(after))
        return outcome, len(after)

    def test_message_2(self):
        frame = Connection.framed
        for play in (b"\x10\x61", b"\0\0", frame(bytes(96)), frame(os.urandom(102)), frame(b"x"),
                     b"HTTP/1.1 400 Bad Request\r\n\r\n"):
            with self.subTest(play[:8]):
                _, tries = self.bad_handshake(lambda serving: serving.write(play))
                self.assertEqual(tries, 1, "no retry")

    def test_hello2(self):
        for hello in (b"", b"\x80", b"\xc0", b"\x81\xa1v\xa0", msgpack.packb({"v": 1, "!x": 1}),
                      msgpack.packb({"v": 1, "end": [b""]}), b"\x81\xa1v\x01\xc0"):
            heard = []

            class Bad(Serving):
                def _shake_hands(self, preamble):
                    noise = self.noise(preamble)
                    noise.read(self.read_frame())
                    self.write(self.framed(noise.write(hello)))
                    heard.append(self.at_end(5))
                    raise Closed()
            server = self.server(serving=Bad)
            with self.subTest(hello):
                self.assertGreater(self.msg(server, "/V").status, 0)
                eventually(lambda: heard, "the end of the connection")
                self.assertEqual(heard, [b""])

    def test_closed_at_once(self):
        class Gone(Serving):
            def live(self):
                self.exactly(8)
        outcome = self.msg(self.server(serving=Gone), "/V")
        self.assertGreater(outcome.status, 0)


if __name__ == "__main__":
    unittest.main()
