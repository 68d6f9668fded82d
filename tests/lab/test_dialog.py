# SPDX-License-Identifier: MIT
"""
Messages to bob, whose desktop has no notification server: a dialog, started by his own systemd
manager, which knows where his screen is.
"""
import json
import os
import subprocess

from desktop import Desktop
from harness import TOP, eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Dialogs(Scenario):
    def dialog(self, host, *words, typing=""):
        bob = Desktop(host, "bob", server="none")
        self.addCleanup(bob.close)
        self.until_desktop(host)
        eventually(lambda: "DISPLAY=" in bob.run("systemctl", "--user", "show-environment").out,
                   "his manager to know his screen")
        if typing:
            bob.run("xdotool", "mousemove", "512", "384")  # keys go to what is under it
            self.addCleanup(bob.begin("xdotool", "type", "--delay", "83", typing).kill)
        message = self.send(host, "bob", *words)
        return bob, message, eventually(bob.popup, "a dialog") if typing else bob.shown()

    def until_desktop(self, host):
        eventually(lambda: any(s["user"] == "bob" and s["reach"] == "desktop"
                               for s in self.known(host).values()), lambda: self.known(host))


class ScreenReader(Dialogs):
    """By the accessibility bus: zenity is of GTK 3 in Debian 12, and another program of GTK 4 in 13."""

    def heard(self, bob, *button):
        with open(os.path.join(TOP, "tests", "e2e", "reader.py"), encoding="utf-8") as f:
            outcome = bob.run("python3", "-I", "-", *button, stdin=f.read())
        self.assertEqual(outcome.status, 0, outcome)
        return [json.loads(line) for line in outcome.out.splitlines()]

    def read(self, bob, *buttons):
        """The lines of the one text there is, beside the dialog's name and these buttons."""
        heard = self.heard(bob)
        self.assertEqual([thing["name"] for thing in heard if thing["role"] == "push button"],
                         ["Dismiss", "Not yet", *buttons], heard)
        texts = [thing["text"] for thing in heard if TEXT in thing.get("text", "")]
        self.assertEqual(len(texts), 1, heard)
        lines = texts[0].split("\n")
        self.assertRegex(lines[0], r"^Message from alice \(network, 10[.]99[.]0[.]2\) to bob on h\d, "
                                   r"\d\d:\d\d$")
        return lines[1:]

    @on_both
    def test_read_and_pressed(self, host):
        bob, message, _ = self.dialog(host, "/TIME:60", "/W", TEXT)
        message.wait_for("is reached on its desktop, by zenity")
        lines = self.read(bob, "OK")
        self.assertEqual(lines[0], TEXT)
        self.assertRegex(lines[1], r"^To confirm that you have read this, choose OK, or type: msg /ack \d+$")
        self.heard(bob, "OK")
        self.ends(message, 0, "responded to by user")

    @on_both
    def test_an_answer_is_read_and_pressed(self, host):
        bob, message, _ = self.dialog(host, "/TIME:60", "/ANSWERS:Yes,No", TEXT)
        message.wait_for("is reached on its desktop, by zenity")
        self.assertEqual(self.read(bob, "1", "2")[:3], [TEXT, "1 Yes", "2 No"])
        self.heard(bob, "2")
        self.ends(message, 0, "responded to by user: No")


class WithoutAServer(Dialogs):
    @on_both
    def test_clicked(self, host):
        bob, message, box = self.dialog(host, "/TIME:60", "/W", TEXT)
        bob.save(f"dialog-{host.name}", box)
        message.wait_for("is reached on its desktop")  # a click within its first second is a slip
        bob.click(box.right - 60, box.bottom - 35)
        self.ends(message, 0, "responded to by user")
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_who_types_acknowledges_nothing(self, host):
        """12 keys a second, Enter and blanks among them, before it appears and after."""
        bob, message, _ = self.dialog(host, "/TIME:120", "/W", TEXT, typing="echo ok 1 2 3 4 5 6 7 8 9 10\n" * 9)
        with self.assertRaises(subprocess.TimeoutExpired, msg="it ended while bob was typing"):
            message.process.wait(20)
        message.interrupt()
        self.ends(message, 130)
        self.no_helper_left(host)

    @on_both
    def test_time_is_up(self, host):
        bob, message, _ = self.dialog(host, "/TIME:15", "/W", TEXT)
        self.ends(message, 3, "before user response")
        bob.gone()
        self.no_helper_left(host)


class WithoutZenity(WithoutAServer):
    """xmessage, whose buttons stand in a row from the left, below the text."""

    def dialog(self, host, *words, **options):
        self.addCleanup(host.does, "mv", "/usr/bin/zenity.away", "/usr/bin/zenity")
        host.does("mv", "/usr/bin/zenity", "/usr/bin/zenity.away")
        return super().dialog(host, *words, **options)

    def clicked(self, host, offset, status, line, *words):
        bob, message, box = self.dialog(host, "/TIME:60", *words)
        message.wait_for("is reached on its desktop, by xmessage")
        bob.save(f"xmessage{offset}-{host.name}", box)
        bob.click(box.left + offset, box.bottom - 15)
        self.ends(message, status, line)
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_clicked(self, host):
        self.clicked(host, 30, 0, "responded to by user", "/W", TEXT)

    @on_both
    def test_dismissed(self, host):
        self.clicked(host, 80, 3, "dismissed by user", "/W", TEXT)

    @on_both
    def test_answered(self, host):
        self.clicked(host, 40, 0, "responded to by user: No", "/ANSWERS:Yes,No", "Reboot now?")
