# SPDX-License-Identifier: MIT
"""msg /ANSWERS: from the label that is chosen to what its sender's shell gets."""
import grp
import os
import re
import unittest

import screens
from harness import AM_ROOT, eventually
from system import System
from world import Staged

ID = re.compile("Message id [0-9A-HJKMNP-TV-Z]{6}\n")
HERE = [("bob", 61801, "pts/1"), ("bob", 61801, "pts/2"), ("carol", 61802, "pts/3")]


class Chosen(Staged):
    def setUp(self):
        super().setUp()
        group = grp.getgrgid(os.getgid()).gr_name
        self.start("--admin-group", group, sessions=HERE)

    def ask(self, *words, orders=1):
        """msg with these words, and what is up then."""
        running = self.begin(*words, "Reboot now?")
        up = [self.screens.order() for _ in range(orders)]
        for order in up:
            self.screens.shown(order["present"])
        return running, up

    def choose(self, order, label):
        self.screens.ended(order["present"], screens.ACKNOWLEDGED, answer=label)

    def test_of_one_user_the_label_alone(self):
        running, (first, second) = self.ask("bob", "/ANSWERS: Yes ,No, Ask me later", orders=2)
        for order in (first, second):
            self.assertEqual(order["answers"], ["Yes", "No", "Ask me later"])
            self.assertEqual(order["flags"] & screens.WAIT, screens.WAIT)
        self.choose(second, "Ask me later")
        self.assertEqual(self.screens.order()["withdraw"], first["present"])
        self.expect(running.finish(), 0, "Ask me later\n")

    def test_verbose(self):
        running, (order,) = self.ask("pts/1", "--answers", "Yes,No", "/V")
        self.choose(order, "Yes")
        self.expect(running.finish(), 0,
                    "Sending message to session pts/1, display time unlimited\n"
                    "Message to session pts/1 responded to by user: Yes\n", ID)

    def test_of_several_users_with_whose_it_is(self):
        running, up = self.ask("/ALL", "/answers:Yes,No", orders=3)
        self.choose(up[2], "No")
        self.choose(up[0], "Yes")
        self.expect(running.finish(), 0, "carol\tNo\nbob\tYes\n")

    def test_each_session_answers(self):
        running, up = self.ask("bob", "/ANSWERS:Yes,No", "/EACH", orders=2)
        self.choose(up[1], "No")
        self.choose(up[0], "Yes")
        self.expect(running.finish(), 0, "No\nYes\n")

    def test_no_answer(self):
        running, (order,) = self.ask("pts/1", "/ANSWERS:Yes,No")
        self.screens.ended(order["present"], screens.DISMISSED, "closed-by-user")
        self.expect(running.finish(), 3)

    def test_what_is_refused(self):
        for typed, words in (("", "/ANSWERS: needs an argument: /ANSWERS:a,b"),
                             ("Yes,,No", "/ANSWERS: answer 2 is empty"),
                             ("1,2,3,4,5,6,7,8,9", "/ANSWERS: more than 8 answers"),
                             ("Yes,yes", "/ANSWERS: answers 1 and 2 are the same; case does not count"),
                             ("x" * 33, "/ANSWERS: answer 1 has 33 characters; at most 32 can be sent"),
                             ("a\x1bb", "/ANSWERS: answer line 1, column 2: control character ESC")):
            with self.subTest(typed=typed):
                outcome = self.msg("bob", f"/ANSWERS:{typed}", "x")
                self.assertEqual((outcome.status, outcome.out), (2, ""), outcome)
                self.assertTrue(outcome.err.startswith(f"Invalid parameter(s)\nmsg: {words}\n"),
                                outcome)
        self.assertTrue(self.screens.is_silent())


class OnATerminal(unittest.TestCase):
    """The whole system: the labels stand on the terminal, with their digits."""

    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        self.system.start()
        self.user = self.system.user() if AM_ROOT else self.system.me
        self.terminal = self.system.terminal(self.user)
        eventually(lambda: self.terminal.line in self.system.msgctl("sessions").out,
                   f"{self.terminal.line} to be listed")

    def ask(self):
        running = self.system.begin(self.terminal.line, "/ANSWERS:Yes,No", "Reboot now?")
        number = self.terminal.wait_for(r"msg /ack (\d+)").group(1)
        return running, number

    def test_by_digit(self):
        running, number = self.ask()
        self.assertEqual(self.terminal.run(f"msg /ack {number} 2"), ("", 0))
        outcome = running.finish()
        self.assertEqual((outcome.status, outcome.out), (0, "No\n"), outcome)

    def test_asked_for(self):
        running, number = self.ask()
        self.terminal.clear()
        self.terminal.type("msg /ack; echo status=$?\n")
        self.terminal.wait_for(f"^Message {number} asks for one of these answers: 1 Yes, 2 No$")
        self.terminal.type("YES\n")
        self.terminal.wait_for("^status=0$")
        outcome = running.finish()
        self.assertEqual((outcome.status, outcome.out), (0, "Yes\n"), outcome)


if __name__ == "__main__":
    unittest.main()
