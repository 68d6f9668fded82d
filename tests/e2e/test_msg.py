# SPDX-License-Identifier: MIT
"""msg on the whole system: what only a real msgd and real terminals show of the command line."""
import re
import signal
import time
import unittest

from harness import AM_ROOT, eventually
from system import System


class MsgTest(unittest.TestCase):
    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        self.system.start()
        self.user = self.system.user() if AM_ROOT else self.system.me
        self.shell, self.other = (self.login() for _ in range(2))

    def login(self):
        terminal = self.system.terminal(self.user)
        eventually(lambda: terminal.line in self.system.msgctl("sessions").out,
                   f"{terminal.line} to be listed")
        return terminal

    def run_msg(self, command):
        return self.shell.run(f"msg {command}")

    def number(self):
        return self.other.wait_for(r"type: msg /ack (\d+)").group(1)


class OwnTerminalTest(MsgTest):
    """The terminal msg runs in."""

    def test_left_out_of_ones_own_name(self):
        output, status = self.run_msg(f"{self.user.name} /V hello")
        self.assertEqual(status, 0, output)
        self.assertIn(f"Async message sent to session {self.other.line}\n", output)
        self.assertNotIn(f"session {self.shell.line}", output)
        self.other.wait_for("^. hello$")

    def test_it_alone(self):
        output, status = self.run_msg(f"{self.shell.line} hello")
        self.assertIn("| hello\n", output)
        self.assertEqual(status, 0)

    def test_it_alone_cannot_answer(self):
        output, status = self.run_msg(f"{self.shell.line} /W hello")
        self.assertIn("| hello\n", output)
        self.assertTrue(output.endswith(
            f"{self.shell.line} is this terminal; answer from a second one\n"), output)
        self.assertEqual(status, 1)

    def test_notme(self):
        output, status = self.run_msg(f"{self.user.name} /NOTME hello")
        self.assertRegex(output, f"^{self.user.name} has no session on .* but those left out\n$")
        self.assertEqual(status, 1)


class ReceiverTest(MsgTest):
    def send(self, *options):
        running = self.system.begin(self.other.line, "/V", "/W", "/TIME:60", *options, "Lunch?",
                                    user=self.user)
        return running, self.number()

    def test_list_and_ack(self):
        running, number = self.send()
        output, status = self.run_msg("/list")
        self.assertRegex(output, rf"^\* +{number}  \d\d:\d\d  {self.user.name} \(this host\): "
                                 r"Lunch\?\n$")
        output, status = self.run_msg(f"/LIST {number}")
        self.assertIn("\n| Lunch?\nTo confirm that you have read this, type: msg /ack ", output)
        self.assertEqual(self.run_msg("/ack"), ("", 0))
        outcome = running.finish()
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn(f"Message to session {self.other.line} responded to by user\n", outcome.out)
        output, status = self.run_msg(f"/ack {number}")
        self.assertRegex(output, rf"^The message from {self.user.name} \(this host\) \(\d\d:\d\d\) "
                                 r"ended at \d\d:\d\d\n$")
        self.assertEqual(status, 1)
        output, status = self.run_msg("/list")
        self.assertRegex(output, rf"^ +{number}  .*: Lunch\?  \[acknowledged \d\d:\d\d\]\n$")
        self.assertEqual(self.run_msg("/ack"), ("No message waits for you\n", 1))
        self.assertEqual(self.run_msg("/ack 4000"), ("You have no message 4000\n", 1))

    def test_several_wait(self):
        first, number = self.send()
        self.other.clear()
        second, number2 = self.send()
        output, status = self.run_msg("/ack")
        self.assertIn("Several messages wait for you; say which: msg /ack ", output)
        self.assertEqual(status, 1)
        for n in (number2, number):
            self.assertEqual(self.run_msg(f"/ack {n}"), ("", 0))
        self.assertEqual((first.finish().status, second.finish().status), (0, 0))

    def test_an_answer_where_none_is_asked_for(self):
        running, number = self.send()
        self.assertEqual(self.run_msg(f"/ack {number} Yes"),
                         (f"Message {number} offers no answers; acknowledge it with: "
                          f"msg /ack {number}\n", 1))
        self.assertIsNone(running.process.poll())

    def test_a_signal_withdraws(self):
        running, number = self.send()
        running.process.send_signal(signal.SIGINT)
        outcome = running.finish()
        self.assertEqual(outcome.status, 130, outcome)
        self.assertIn(f"Message to session {self.other.line} withdrawn\n", outcome.out)
        self.other.wait_for(rf"^\[{number}\] withdrawn")

    @unittest.skipUnless(AM_ROOT, "root at another's terminal")
    def test_root_acknowledges_only_its_own(self):
        running, number = self.send()
        outcome = self.system.terminal(self.system.me).run(f"msg /ack {number}")
        self.assertEqual(outcome, (f"You have no message {number}\n", 1))
        self.assertIsNone(running.process.poll())


class NetworkTest(MsgTest):
    """A sender on another host, from nothing: each refusal prints the command that mends it."""

    def test_from_nothing_by_what_is_printed(self):
        home = self.system.folder_of("sender")

        def send(target, status):
            outcome = self.system.msg(target, f"/SERVER:{self.system.server}", "hello", home=home)
            self.assertEqual(outcome.status, status, outcome)
            return outcome.err
        trust = re.search(r"if it is the right one, .*: msgctl (trust \S+ [^\s;]+)(;|\n)",
                          send(self.other.line, 4))
        self.system.msgctl(*trust.group(1).split(), home=home)
        authorize = re.search(r"can run: msgctl (authorize \S+ [^\s;]+)(;|\n)",
                              send(self.other.line, 4))
        self.system.msgctl(*authorize.group(1).split(), "--file", self.system.authorized_keys)
        time.sleep(1.5)
        self.assertEqual(send(self.other.line, 0), "")
        self.other.wait_for("^. hello$")
        every = re.search(r"may not message all sessions on \S+; its administrator can run: "
                          r"msgctl (authorize --all x25519:\S+ \S+)\n$", send("*", 1))
        self.system.msgctl(*every.group(1).split(), "--file", self.system.authorized_keys)
        time.sleep(1.5)
        self.assertEqual(send("*", 0), "")


if __name__ == "__main__":
    unittest.main()
