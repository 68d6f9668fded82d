# SPDX-License-Identifier: MIT
"""
Messages to bob, whose desktop has no notification server: a dialog, started by his own systemd
manager, which knows where his screen is.
"""
from desktop import Desktop
from harness import eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class WithoutAServer(Scenario):
    def dialog(self, host, *words):
        bob = Desktop(host, "bob", server="none")
        self.addCleanup(bob.close)
        self.until_desktop(host)
        eventually(lambda: "DISPLAY=" in bob.run("systemctl", "--user", "show-environment").out,
                   "his manager to know his screen")
        message = self.send(host, "bob", *words)
        return bob, message, bob.shown()

    def until_desktop(self, host):
        eventually(lambda: any(s["user"] == "bob" and s["reach"] == "desktop"
                               for s in self.known(host).values()), lambda: self.known(host))

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
    def test_time_is_up(self, host):
        bob, message, _ = self.dialog(host, "/TIME:8", "/W", TEXT)
        self.ends(message, 3, "before user response")
        bob.gone()
        self.no_helper_left(host)


class WithoutZenity(WithoutAServer):
    """xmessage, whose buttons stand in a row from the left, below the text."""

    def dialog(self, host, *words):
        self.addCleanup(host.does, "mv", "/usr/bin/zenity.away", "/usr/bin/zenity")
        host.does("mv", "/usr/bin/zenity", "/usr/bin/zenity.away")
        return super().dialog(host, *words)

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
