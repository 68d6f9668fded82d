# SPDX-License-Identifier: MIT
"""
Every exit status of msg, and which of several holds: interrupted, 2, 5, 4, 1, 3. The statuses by
themselves stand beside what is printed, in test_codes, test_whys and test_lines.
"""
import itertools
import signal
import threading
import time
import unittest

from scripted import EVENT, RESULT, SEND, Lost, Story, error, nothing
from test_cli import Cli
from test_codes import ERROR_1722, SENDING
from world import HOST, Real

FIRST = ["interrupted", 2, 5, 4, 1, 3, 0]
MANY = " ".join(f"u{i}" for i in range(512))  # so many fit one request


class Precedence(Cli):
    """Targets for two requests, each of which ends in its own way."""

    WAYS = {0: Story([("bob", "pts/1", "c1")], [(1, "displayed", {}), (1, "acknowledged", {})]),
            3: Story([("bob", "pts/1", "c1")], [(1, "displayed", {}), (1, "timed-out",
                                                                      {"why": "no-answer"})]),
            1: error("no-target"), 4: error("busy", retry_ms=1000), 5: error("moved"),
            2: error("bad-text", at="text")}

    def ends(self, one, other):
        """The status where the first request ends by the one status, the second by the other."""
        def answer(request):
            status = other if request.body["to"][0]["name"] == "last" else one
            yield from self.WAYS[status](request)
        self.serve(send=answer)
        return self.msg("@-", "/W", "x", stdin=f"{MANY} last").status

    def test_the_first_that_applies(self):
        for first, second in itertools.combinations(FIRST[1:], 2):
            for pair in ((first, second), (second, first)):
                with self.subTest(pair=pair):
                    self.assertEqual(self.ends(*pair), first)

    def test_interrupted_before_all(self):
        released = threading.Event()

        def answer(request):
            if request.body["to"][0]["name"] == "last":
                yield from self.WAYS[2](request)
            else:
                story = Story([("bob", "pts/1", "c1")], [(1, "withdrawn", {"why": "by-sender"})],
                              pause=lambda _: released.wait(20))
                yield from story(request)

        def cancel(request):
            released.set()
            yield from nothing(request)
        self.serve(send=answer, cancel=cancel)
        running = self.begin("@-", "/W", "x", stdin=f"{MANY} last")
        self.server.wait_for(SEND, 2)
        time.sleep(0.3)
        running.process.send_signal(signal.SIGTERM)
        self.assertEqual(running.finish().status, 128 + signal.SIGTERM)

    def test_nothing_heard_is_no_success(self):
        """EOF before RESULT, every delivery final or not."""
        def lossy(request):
            for kind, body in self.WAYS[0](request):
                if kind == RESULT:
                    raise Lost
                yield kind, body
        self.serve(send=lossy, attach=error("unknown-uid"))
        outcome = self.msg("bob", "/W", "x")
        self.assertEqual(outcome.status, 5, outcome)

    def test_a_result_that_does_not_fit_is_not_believed(self):
        """A delivery without its end counts as unknown, whatever RESULT says."""
        def short(_):
            yield EVENT, {"n": 1, "ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1, "user": "bob",
                                          "sess": "pts/1", "id": "c1"}]}
            yield RESULT, {"st": "ok", "q": 1}
        self.serve(send=short)
        self.assertEqual(self.msg("bob", "/W", "x").status, 5)


class RealStatuses(Real):
    CONFIG = {"messages-a-minute": 1}
    SENDERS = {"alice": ["--rate=1000"]}
    LOGINS = 2

    def from_alice(self, *words, **options):
        return self.msg_from("alice", *words, **options)

    def test_1_before_3(self):
        outcome = self.from_alice("@-", "/W", "/TIME:1", "for one of two",
                                  stdin=f"{self.user.name} eve")
        self.expect(outcome, 1, "", "eve does not exist or is disconnected\n")

    def test_3_for_each_that_did_not_answer(self):
        """One place of a user's is enough, unless each is to answer."""
        for words, status in (((), 0), (("/EACH",), 3)):
            text = f"one answers {status}"
            running = self.begin_from("alice", self.user.name, "/W", "/TIME:6", *words, text)
            for terminal in self.terminals:
                self.popup(text, terminal)
            number = self.popup(text)
            self.assertEqual(self.terminal.run(f"msg /ack {number}"), ("", 0))
            self.assertEqual(running.finish().status, status)

    def test_4_before_1(self):
        """The second request is one too many."""
        lines = "".join(f"u{i} does not exist or is disconnected\n" for i in range(512))
        outcome = self.system.msg("@-", "x", stdin=f"{MANY} last")
        self.assertEqual(outcome.status, 4, outcome)
        got = sorted(outcome.err.splitlines(keepends=True))
        limited = [line for line in got if line.startswith(SENDING)]
        self.assertEqual(sorted(set(got) - set(limited)), sorted(lines.splitlines(keepends=True)))
        self.assertRegex("".join(limited), rf"\A{SENDING}too many messages to {HOST}; try again in "
                         r"(5\d|60) s\n\Z")

    def test_4_where_nobody_listens(self):
        self.expect(self.system.msg("bob", "/SERVER:127.0.0.1:1", "x", home=self.senders["alice"].home),
                    4, "", f"{ERROR_1722}cannot reach msgd on 127.0.0.1:1 (127.0.0.1 port 1: "
                    "connection refused); where it fails, step by step: msgctl doctor 127.0.0.1:1\n")


if __name__ == "__main__":
    unittest.main()
