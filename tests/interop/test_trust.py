#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
msgctl trust against the independent server: the key it shows is asked about at a terminal, never
believed without one, and a changed key is never asked about.
"""
import os
import sys
import subprocess
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
os.environ.setdefault("MSG_BUILD", os.getcwd())

try:
    from peer_keys import Identity
    from peer_server import Server
except ModuleNotFoundError as missing:
    print("skipped:", missing)
    sys.exit(77)
from harness import Terminal, User, program

OTHER = "x25519:" + 43 * "A"


class Trust(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.config = os.path.join(folder.name, "config")
        self.known_hosts = os.path.join(self.config, "known_hosts")
        self.key = Identity()
        self.server = Server(self.key, {})
        self.addCleanup(self.server.close)
        self.host = f"127.0.0.1:{self.server.address[1]}"
        self.name = f"[127.0.0.1]:{self.server.address[1]}"
        self.line = f"{self.name} {self.key.text}\n"

    def pins(self):
        if not os.path.exists(self.known_hosts):
            return ""
        with open(self.known_hosts, encoding="utf-8") as file:
            return file.read()

    def pin(self, key):
        os.mkdir(self.config, 0o700)
        with open(self.known_hosts, "w", encoding="utf-8",
                  opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(f"{self.name} {key}\n")

    def run_it(self, *words, status):
        """Without a terminal; stdout and stderr."""
        done = subprocess.run([program("msgctl"), "trust", *words],
                              env={**os.environ, "MSG_CONFIG_HOME": self.config}, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              start_new_session=True)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def answered(self, *answers, status):
        """At a terminal; what it shows."""
        me = User.me(os.path.dirname(self.config))
        with Terminal(me, env={"MSG_CONFIG_HOME": self.config}) as terminal:
            terminal.type(f"{program('msgctl')} trust {self.host}; echo ended $?\n")
            terminal.wait_for(rf"It shows\n  {self.key.text}\n")
            for number, answer in enumerate(answers, 1):
                terminal.wait_for(rf"(?s)(Trust this key.*){{{number}}}")
                terminal.type(answer + "\n")
            terminal.wait_for(rf"^ended {status}$")
            return terminal.screen()

    def test_without_a_terminal(self):
        out, err = self.run_it(self.host, status=4)
        self.assertEqual(out, "")
        self.assertIn(f"the key of {self.host} is not known: {self.key.text}; if it is the right "
                      "one, which its administrator sees by msgctl key show --host: msgctl trust "
                      f"{self.host} {self.key.text}; if you can ssh there, without him: msgctl pair "
                      f"{self.host}\n", err)
        self.assertEqual(self.pins(), "")

    def test_yes(self):
        self.assertIn(f"{self.name} is trusted by the key {self.key.text} ({self.known_hosts})",
                      self.answered("yes", status=0))
        self.assertEqual(self.pins(), self.line)

    def test_the_right_key(self):
        self.answered("what", self.key.text, status=0)
        self.assertEqual(self.pins(), self.line)

    def test_no(self):
        self.answered("no", status=4)
        self.assertEqual(self.pins(), "")

    def test_another_key(self):
        screen = self.answered(OTHER, status=4)
        self.assertIn("That is another key", screen)
        self.assertEqual(self.pins(), "")

    def test_no_answer_in_three(self):
        self.answered("y", "", "sure", status=4)
        self.assertEqual(self.pins(), "")

    def test_known(self):
        self.pin(self.key.text)
        out, _ = self.run_it(self.host, status=0)
        self.assertEqual(out, f"{self.name} is trusted by the key {self.key.text} "
                              f"({self.known_hosts})\n")
        self.assertEqual(self.pins(), self.line)

    def test_changed(self):
        self.pin(OTHER)
        _, err = self.run_it(self.host, status=4)
        self.assertIn(f"THE KEY OF {self.host} HAS CHANGED: {self.key.text} is not the one in "
                      f"{self.known_hosts}:1", err)
        self.assertEqual(self.pins(), f"{self.name} {OTHER}\n")

    def test_unreachable(self):
        self.server.close()
        _, err = self.run_it(self.host, status=4)
        self.assertIn("cannot reach msgd on", err)


if __name__ == "__main__":
    unittest.main()
