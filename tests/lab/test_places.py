# SPDX-License-Identifier: MIT
"""Messages from h1 to carol, who has a desktop, tmux and two ssh terminals on another host."""
from harness import eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Places(Scenario):
    def everywhere(self, host):
        desktop = self.desktop(host, "carol")
        return desktop, self.tmux(host, "carol"), self.login(host, "carol"), self.login(host, "carol")

    @on_both
    def test_answered_on_a_terminal(self, host):
        desktop, tmux, first, second = self.everywhere(host)
        message = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        number = self.number(first)
        desktop.shown()
        tmux.wait_for(TEXT, 25)
        second.wait_for(TEXT)
        first.run(f"msg /ack {number}")
        outcome = self.ends(message, 0, f"Message to session {first.line} responded to by user")
        for other in (desktop.name, tmux.line, second.line):
            self.assertIn(f"Message to session {other} withdrawn, answered in session {first.line}\n",
                          outcome.out)
        desktop.gone()
        second.wait_for(rf"\[{number}\] answered elsewhere|\[{number}\] withdrawn")
        self.no_helper_left(host)

    @on_both
    def test_answered_on_the_desktop(self, host):
        desktop, tmux, first, second = self.everywhere(host)
        message = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        box = desktop.shown()
        for terminal in (tmux, first, second):
            terminal.wait_for(TEXT, 25)
        desktop.say_yes(box)
        outcome = self.ends(message, 0, f"Message to session {desktop.name} responded to by user")
        self.assertEqual(outcome.out.count("responded to by user"), 1)
        self.no_helper_left(host)

    @on_both
    def test_answered_in_tmux(self, host):
        desktop, tmux, first, second = self.everywhere(host)
        message = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        number = self.number(first)
        desktop.shown()
        tmux.wait_for(TEXT, 25)
        self.press(tmux, "o", message)
        outcome = self.ends(message, 0, f"Message to session {tmux.line} responded to by user")
        self.assertEqual(outcome.out.count("responded to by user"), 1)
        desktop.gone()
        for terminal in (first, second):
            terminal.wait_for(rf"\[{number}\] answered elsewhere|\[{number}\] withdrawn")
        self.no_helper_left(host)

    @on_both
    def test_windows_of_the_desktop_are_left_out(self, host):
        """What runs in them stays as it was; who asks is told why."""
        desktop = self.desktop(host, "carol", also="(sleep 1; exec xterm -geometry 40x10+20+400) &")
        window = eventually(lambda: [s["name"] for s in self.known(host).values()
                                     if s["by"] == desktop.name], lambda: f"{self.known(host)}")[0]
        self.assertIn(f"terminal (left out for {desktop.name})\n", host.does("msgctl", "sessions"))
        desktop.until_window("xterm")  # what runs in it may be known before
        desktop.empty_again()
        desktop.click(60, 450)
        desktop.type("in the window")
        desktop.save(f"window-{host.name}")
        desktop.shown()  # what was typed: it is on the screen
        desktop.empty_again()
        message = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        desktop.say_yes(desktop.shown())
        outcome = self.ends(message, 0, f"Message to session {desktop.name} responded to by user",
                            f"Session {window} left out, carol is reached on {desktop.name}\n")
        self.assertEqual(outcome.out.count("Sending message"), 1)
        desktop.gone()

    @on_both
    def test_panes_are_left_out(self, host):
        tmux = self.tmux(host, "carol")
        tmux.type("tmux split-window\n")
        eventually(lambda: host.run("tmux", "list-panes", user="carol").out.count("\n") == 2,
                   "two panes")
        eventually(lambda: [s["by"] for s in self.known(host).values()].count(tmux.line) == 2,
                   lambda: f"two panes to be known: {self.known(host)}")
        message = self.send(host, "carol", TEXT)
        outcome = self.ends(message, 0, f"Async message sent to session {tmux.line}")
        self.assertEqual(outcome.out.count("Async"), 1)
        self.assertEqual(outcome.out.count(f"left out, carol is reached on {tmux.line}\n"), 2)
        for pane in host.does("tmux", "list-panes", "-F", "#D", user="carol").split():
            self.assertNotIn(TEXT, host.does("tmux", "capture-pane", "-p", "-t", pane, user="carol"))
