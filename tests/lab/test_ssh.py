# SPDX-License-Identifier: MIT
"""Messages from h1 to somebody who works on an ssh terminal of another host."""
import unittest

from scenario import Scenario, on_both


class SshTest(Scenario):
    @on_both
    def test_acknowledged_by_msg_ack(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:60", "/W", "The server goes down at 18:00.")
        number = self.number(bob)
        self.assertIn("Message from alice (network, 10.99.0.2) to bob", bob.screen())
        self.assertIn("| The server goes down at 18:00.\n", bob.screen())
        bob.run(f"msg /ack {number}")
        outcome = message.finish()
        self.assertEqual(outcome.out, f"Sending message to session {bob.line}, display time 60\n"
                                      f"Message to session {bob.line} responded to by user\n")
        self.assertEqual(outcome.status, 0)

    @on_both
    def test_mesg_n(self, host):
        bob = self.login(host, mesg=False)
        outcome = self.sent(host, "bob", "/W", "Not seen.")
        self.assertIn(f"{bob.line}", outcome.out + outcome.err)
        self.assertIn("messages disabled", outcome.out + outcome.err)
        self.assertEqual(outcome.status, 1)
        self.assertNotIn("Not seen", bob.screen())
