# SPDX-License-Identifier: MIT
"""Messages to bob, whose notification server lies: tests/e2e/notifier.py, run outside on his bus."""
import os
import subprocess
import sys

from harness import TOP, eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."
NOTIFIER = os.path.join(TOP, "tests", "e2e", "notifier.py")


class Liars(Scenario):
    def lied_to(self, host, *options):
        """bob at a desktop with such a server."""
        self.watch(host)  # to its end: popups that nobody waits for go with it
        bob = self.desktop(host, server="none")
        folder = f"/proc/{host.leader}/root/run/user/{bob.uid}"  # its own user may not go this way
        env = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=bus", "LC_ALL": "C.UTF-8"}
        with open(NOTIFIER, "rb") as program:
            liar = subprocess.Popen([sys.executable, "-I", "-", *options], stdin=program, cwd=folder, env=env,
                                    stdout=subprocess.DEVNULL, user=bob.uid, group=bob.uid,
                                    extra_groups=[])
        self.addCleanup(liar.wait)
        self.addCleanup(liar.kill)
        eventually(bob.has_server, "the server to have its name")
        return bob

    @on_both
    def test_no_buttons(self, host):
        """Who waits for an answer gets a dialog, which has some."""
        bob = self.lied_to(host, "--caps=body")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        box = bob.shown()
        message.wait_for(f"Session {bob.name} is reached on its desktop, by zenity")
        bob.click(box.right - 60, box.bottom - 35)
        self.ends(message, 0, f"Message to session {bob.name} responded to by user")
        bob.gone()

    @on_both
    def test_two_closes(self, host):
        bob = self.lied_to(host, "--then==2,=2")
        outcome = self.ends(self.send(host, "bob", "/TIME:60", "/W", TEXT), 3,
                            f"Message to session {bob.name} dismissed by user")
        self.assertEqual(outcome.out.count("dismissed"), 1)
        self.no_helper_left(host)

    @on_both
    def test_a_close_before_the_action(self, host):
        bob = self.lied_to(host, "--then==2,ok")
        outcome = self.ends(self.send(host, "bob", "/TIME:60", "/W", TEXT), 3,
                            f"Message to session {bob.name} dismissed by user")
        self.assertNotIn("responded", outcome.out)

    @on_both
    def test_no_close(self, host):
        bob = self.lied_to(host, "--deaf")
        self.ends(self.send(host, "bob", "/TIME:3", "/W", TEXT), 3,
                  f"Timeout on message to session {bob.name} before user response")
        self.no_helper_left(host)

    @on_both
    def test_actions_of_others(self, host):
        bob = self.lied_to(host, "--then=+ok,!ok,other")
        self.ends(self.send(host, "bob", "/TIME:3", "/W", TEXT), 3,
                  f"Timeout on message to session {bob.name} before user response")

    @on_both
    def test_an_error_at_the_21st(self, host):
        bob = self.lied_to(host, "--error-at=21")
        for _ in range(20):  # as fast as they come, and msgd hears one host only so often
            self.told(host, 0, f"Async message sent to session {bob.name}")
        self.told(host, 1, f"Error sending message to session {bob.name}")
        self.told(host, 0, f"Async message sent to session {bob.name}")

    def told(self, host, status, line):
        outcome = host.run("msg", "bob", "/V", TEXT, user="alice")
        self.assertIn(line, outcome.out + outcome.err)
        self.assertEqual(outcome.status, status, outcome)

    @on_both
    def test_no_answer_to_a_notification(self, host):
        bob = self.lied_to(host, "--mute=Notify")
        self.ends(self.send(host, "bob", "/TIME:60", "/W", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)
        self.no_helper_left(host)
