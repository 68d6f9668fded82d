# SPDX-License-Identifier: MIT
"""Notification servers other than dunst, each with a click, a closing, a time that is up."""
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Xfce(Scenario):
    SERVER = "xfce4-notifyd"

    @on_both
    def test_clicked(self, host):
        bob = self.desktop(host, server=self.SERVER)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        box = bob.shown()
        bob.save(f"{self.SERVER}-{host.name}", box)
        bob.click_in(box, bob.yes)
        self.ends(message, 0, "Message to session :5 responded to by user")
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_time_is_up(self, host):
        bob = self.desktop(host, server=self.SERVER)
        message = self.send(host, "bob", "/TIME:4", "/W", TEXT)
        bob.shown()
        self.ends(message, 3, "Timeout on message to session :5 before user response")
        bob.gone()
        self.no_helper_left(host)


class Mate(Xfce):
    SERVER = "mate"


class NotificationDaemon(Xfce):
    SERVER = "notification-daemon"


class Lxqt(Xfce):
    SERVER = "lxqt"
