# SPDX-License-Identifier: MIT
"""Notification servers other than dunst: a click on OK, a closing, a time that is up."""
from desktop import Desktop, Sway
from harness import eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Servers:
    KIND = Desktop
    SERVER = ""

    def sitting(self, host):
        return self.desktop(host, server=self.SERVER, kind=self.KIND)

    @on_both
    def test_clicked(self, host):
        bob = self.sitting(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        box = bob.shown()
        bob.save(f"{self.SERVER}-{host.name}", box)
        bob.say_yes(box)
        self.ends(message, 0, f"Sending message to session {bob.name}, display time 60\n",
                  f"Message to session {bob.name} responded to by user\n")
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_closed(self, host):
        bob = self.sitting(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.say_no(bob.shown())
        self.ends(message, 3, f"Message to session {bob.name} dismissed by user")
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_time_is_up(self, host):
        bob = self.sitting(host)
        message = self.send(host, "bob", "/TIME:8", "/W", TEXT)
        eventually(bob.popup, "a popup")
        self.ends(message, 3, f"Timeout on message to session {bob.name} before user response")
        bob.gone()
        self.no_helper_left(host)


class OnTheText(Servers):
    """Those that take a click on the text for OK, too."""

    @on_both
    def test_clicked_on_the_text(self, host):
        bob = self.sitting(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.say_yes_by_the_text(bob.shown())
        self.ends(message, 0, f"Message to session {bob.name} responded to by user")
        bob.gone()


class Xfce(Servers, Scenario):
    SERVER = "xfce4-notifyd"


class Mako(Servers, Scenario):
    KIND, SERVER = Sway, "mako"


class SwayNotificationCenter(Servers, Scenario):
    KIND, SERVER = Sway, "swaync"


class Mate(OnTheText, Scenario):
    SERVER = "mate"

    @on_both
    def test_closed(self, host):
        """It says of what was closed that its time was up, which ends nothing: bob may still answer."""
        bob = self.sitting(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.say_no(bob.shown())
        bob.gone()
        self.assertIsNone(message.process.poll())
        self.assertEqual(bob.run("msg", "/ack").status, 0)
        self.ends(message, 0, "responded to by user")
        self.no_helper_left(host)


class NotificationDaemon(OnTheText, Scenario):
    SERVER = "notification-daemon"


class Lxqt(OnTheText, Scenario):
    SERVER = "lxqt"
