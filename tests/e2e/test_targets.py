# SPDX-License-Identifier: MIT
"""Who is reached, who may answer, and what one answer does to the rest: real users and terminals."""
import re
import time
import unittest

from harness import AM_ROOT
from system import System

MANY = 200


class TargetsTest(unittest.TestCase):
    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        self.system.start()

    def expect(self, outcome, status, out="", err=None):
        """out: lines in any order."""
        self.assertEqual(outcome.status, status, outcome)
        self.assertEqual(sorted(outcome.out.splitlines()), sorted(out.splitlines()), outcome)
        if err is not None:
            self.assertRegex(outcome.err, err)


@unittest.skipUnless(AM_ROOT, "two users are made by root")
class TwoUsersTest(TargetsTest):
    """alice and bob; bob has two terminals."""

    def setUp(self):
        super().setUp()
        self.alice, self.bob = self.system.user(), self.system.user()
        self.a = self.system.terminal(self.alice)
        self.b1, self.b2 = self.system.terminal(self.bob), self.system.terminal(self.bob)

    def shown_on(self, text, *terminals):
        for terminal in terminals:
            terminal.wait_for(re.escape(f"| {text}"))
        time.sleep(0.2)
        for terminal in {self.a, self.b1, self.b2} - set(terminals):
            self.assertNotIn(text, terminal.screen())

    def test_user_is_all_his_terminals(self):
        outcome = self.system.msg(self.bob.name, "to bob", user=self.alice)
        self.expect(outcome, 0, "", "^$")
        self.shown_on("to bob", self.b1, self.b2)
        self.b1.wait_for(rf"^Message from {self.alice.name} \(this host\) to {self.bob.name} on ")

    def test_session_is_that_one(self):
        outcome = self.system.msg("/V", self.b2.line, "to one", user=self.alice)
        self.expect(outcome, 0, f"Sending message to session {self.b2.line}, display time unlimited\n"
                                f"Async message sent to session {self.b2.line}\n")
        self.shown_on("to one", self.b2)

    def test_session_by_id_and_prefixes(self):
        for target in (f"p{self.b2.leader.pid}", f"id:p{self.b2.leader.pid}",
                       f"session:{self.b2.line}"):
            with self.subTest(target=target):
                self.expect(self.system.msg(target, f"by {target}", user=self.alice), 0)
                self.shown_on(f"by {target}", self.b2)
        self.expect(self.system.msg(f"user:{self.b2.line}", "no", user=self.alice), 1, "",
                    "does not exist or is disconnected")

    def test_star_is_everybody(self):
        for target in ("*", "/ALL"):
            with self.subTest(target=target):
                self.expect(self.system.msg(target, f"to all {target}"), 0)
                self.shown_on(f"to all {target}", self.a, self.b1, self.b2)

    def test_star_needs_the_right(self):
        outcome = self.system.msg("*", "to all", user=self.alice)
        self.expect(outcome, 1, "", "may not message all sessions on this host")
        self.shown_on("to all")

    def test_star_leaves_me_out(self):
        self.expect(self.system.msg("*", "/NOTME", "to others", user=self.system.me), 0)
        self.shown_on("to others", self.a, self.b1, self.b2)

    def waiting(self, *arguments):
        running = self.system.begin(self.bob.name, "/V", "/W", "/TIME:60", *arguments, "please",
                                    user=self.alice)
        self.number1 = self.b1.wait_for(r"type: msg /ack (\d+)\n").group(1)
        self.number2 = self.b2.wait_for(r"type: msg /ack (\d+)\n").group(1)
        return running

    def sending(self):
        return "".join(f"Sending message to session {t.line}, display time 60\n"
                       for t in (self.b1, self.b2))

    def test_first_acknowledgement_withdraws_the_rest(self):
        running = self.waiting()
        _, status = self.b1.run(f"msg /ack {self.number1}")
        self.assertEqual(status, 0, self.b1.screen())
        self.expect(running.finish(), 0, self.sending() +
                    f"Message to session {self.b1.line} responded to by user\n"
                    f"Message to session {self.b2.line} withdrawn, "
                    f"answered in session {self.b1.line}\n")
        self.b2.wait_for(rf"^\[{self.number2}\] answered elsewhere")

    def test_the_session_that_answered_is_named(self):
        running = self.waiting()
        self.b2.run("msg /ack")
        self.expect(running.finish(), 0, self.sending() +
                    f"Message to session {self.b2.line} responded to by user\n"
                    f"Message to session {self.b1.line} withdrawn, "
                    f"answered in session {self.b2.line}\n")

    def test_each_waits_for_each(self):
        running = self.waiting("/EACH")
        self.b1.run(f"msg /ack {self.number1}")
        running.wait_for(f"{self.b1.line} responded to by user")
        time.sleep(0.3)
        self.assertIsNone(running.process.poll())
        self.assertNotIn("answered elsewhere", self.b2.screen())
        self.b2.run(f"msg /ack {self.number2}")
        self.expect(running.finish(), 0, self.sending() +
                    f"Message to session {self.b1.line} responded to by user\n"
                    f"Message to session {self.b2.line} responded to by user\n")

    def test_only_the_own_user_acknowledges(self):
        running = self.waiting()
        for user in (self.alice, self.system.me):
            outcome = self.system.msg("/ack", user=user)
            self.expect(outcome, 1, "", "No message waits for you")
            outcome = self.system.msg("/ack", self.number1, user=user)
            self.assertEqual(outcome.status, 1, outcome)
        time.sleep(0.2)
        self.assertIsNone(running.process.poll())
        self.assertNotIn("responded", running.out)
        output, status = self.b2.run(f"msg /ack {self.number2}")
        self.assertEqual(status, 0, output)
        self.assertEqual(running.finish().status, 0)

    def test_mesg_n_is_respected_and_reported(self):
        self.b1.mesg(False)
        outcome = self.system.msg(self.bob.name, "/V", "half", user=self.alice)
        self.assertIn(f"Session {self.b1.line} ({self.bob.name}) has messages disabled", outcome.out)
        self.assertIn(f"Async message sent to session {self.b2.line}", outcome.out)
        self.assertEqual(outcome.status, 0, outcome)
        self.shown_on("half", self.b2)
        self.b2.mesg(False)
        outcome = self.system.msg(self.bob.name, "none", user=self.alice)
        self.expect(outcome, 1, "", f"User {self.bob.name} has messages disabled")
        self.shown_on("none")

    def test_override_passes_mesg_n(self):
        self.b1.mesg(False)
        self.b2.mesg(False)
        self.expect(self.system.msg(self.bob.name, "from root"), 0)
        self.shown_on("from root", self.b1, self.b2)


class OneUserTest(TargetsTest):
    """What an ordinary user can see with his own terminals."""

    def setUp(self):
        super().setUp()
        self.user = self.system.user() if AM_ROOT else self.system.me

    def test_mesg_n_of_ones_own_terminal(self):
        terminal = self.system.terminal(self.user, mesg=False)
        outcome = self.system.msg(self.user.name, "to myself", user=self.user)
        self.expect(outcome, 1, "", f"User {self.user.name} has messages disabled")
        self.assertNotIn("to myself", terminal.screen())

    def test_root_s_own_mesg_n(self):
        if not AM_ROOT:
            self.skipTest("a terminal of root's is made by root")
        terminal = self.system.terminal(mesg=False)
        outcome = self.system.msg("root", "to root", user=self.user)
        self.expect(outcome, 1, "", "User root has messages disabled")
        self.assertNotIn("to root", terminal.screen())

    def test_many_terminals_are_waited_for_at_once(self):
        """One after the other, the second would time out when its own time is over as well."""
        terminals = self.system.terminals(MANY, self.user, leader=["sleep", "1000"])
        started = time.monotonic()
        self.system.msg(self.user.name, "how long it takes", user=self.user, timeout=60)
        limit = 5 + round(3 * (time.monotonic() - started))  # to be shown everywhere, here and now
        running = self.system.begin(self.user.name, "/V", "/W", "/EACH", f"/TIME:{limit}", "to many",
                                    user=self.user)
        running.wait_for("^Timeout on message to session", timeout=2 * limit + 60)
        first = time.monotonic()
        outcome = running.finish(MANY * limit)
        self.assertLess(time.monotonic() - first, limit)
        self.assertEqual(outcome.status, 3, outcome)
        self.assertEqual(outcome.out.count("Timeout on message to session"), MANY)
        for terminal in terminals:
            terminal.wait_for("^. to many$")

    def test_one_of_many_answers_for_all(self):
        terminals = self.system.terminals(MANY, self.user, leader=["sleep", "1000"])
        running = self.system.begin(self.user.name, "/V", "/W", "/TIME:60", "to many", user=self.user)
        number = terminals[77].wait_for(r"msg /ack (\d+)\n").group(1)
        for terminal in terminals:
            terminal.wait_for("^. to many$")
        self.assertEqual(self.system.msg("/ack", number, user=self.user).status, 0)
        outcome = running.finish()
        self.assertEqual(outcome.status, 0, outcome)
        session = re.search("Message to session (.*) responded to by user", outcome.out).group(1)
        self.assertEqual(outcome.out.count(f"withdrawn, answered in session {session}\n"), MANY - 1)


if __name__ == "__main__":
    unittest.main()
