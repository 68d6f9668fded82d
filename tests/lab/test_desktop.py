# SPDX-License-Identifier: MIT
"""Messages from h1 to bob, who sits at an X11 desktop of another host, with dunst."""
from harness import eventually
from scenario import Scenario, on_both
from test_servers import TEXT, Servers


class OnADesktop(Servers, Scenario):
    SERVER = "dunst"

    @on_both
    def test_withdrawn(self, host):
        bob = self.desktop(host)
        message = self.send(host, "bob", "/W", TEXT)
        bob.shown()
        message.interrupt()
        self.ends(message, 130)
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_answered(self, host):
        bob = self.desktop(host)
        message = self.send(host, "bob", "/TIME:60", "/ANSWERS:Yes,No", "Reboot now?")
        box = bob.shown()
        bob.save(f"answers-{host.name}", box)
        bob.choose("No")
        self.ends(message, 0, f"Message to session {bob.name} responded to by user: No")
        bob.gone()

    @on_both
    def test_nobody_waits(self, host):
        bob = self.desktop(host)
        self.ends(self.send(host, "bob", TEXT), 0, f"Async message sent to session {bob.name}")
        bob.say_no(bob.shown())
        bob.gone()
        self.no_helper_left(host)

    @on_both
    def test_hostile_text(self, host):
        bob = self.desktop(host)
        text = "<b>not bold</b> & <img src='file:///etc/passwd'> 漢字 עברית " + "long " * 4000
        message = self.send(host, "bob", "/TIME:60", "/W", text)
        bob.say_yes(bob.shown())
        self.ends(message, 0)

    @on_both
    def test_locked(self, host):
        bob = self.desktop(host)
        bob.lock()
        eventually(lambda: self.known(host)[bob.name]["locked"], "the lock to be known")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.say_yes(bob.shown())
        self.ends(message, 0, f"Session {bob.name} is locked")
