# SPDX-License-Identifier: MIT
"""Messages from h1 to bob, who works in tmux on an ssh terminal of another host."""
import threading

from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Typist:
    """Types 12 keys a second on a terminal, with Enter among them and every letter that counts."""

    def __init__(self, terminal):
        self.terminal = terminal
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._type, daemon=True)
        self.thread.start()

    def _type(self):
        while True:
            for key in "echo too 1 2\r":
                if self.stopped.wait(1 / 12):
                    return
                self.terminal.type(key)

    def stop(self):
        self.stopped.set()
        self.thread.join()


class Tmux(Scenario):
    @on_both
    def test_acknowledged(self, host):
        bob = self.tmux(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.wait_for(TEXT, 20)
        self.press(bob, "o", message)
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")
        self.no_helper_left(host)

    @on_both
    def test_answered(self, host):
        bob = self.tmux(host)
        message = self.send(host, "bob", "/TIME:60", "/ANSWERS:Yes,No", "Reboot now?")
        bob.wait_for("Reboot now", 20)
        self.press(bob, "2", message)
        self.ends(message, 0, f"Message to session {bob.line} responded to by user: No")

    @on_both
    def test_dismissed(self, host):
        bob = self.tmux(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.wait_for(TEXT, 20)
        self.press(bob, "\x1b", message)
        self.ends(message, 3, f"Message to session {bob.line} dismissed by user")

    @on_both
    def test_time_is_up(self, host):
        bob = self.tmux(host)
        message = self.send(host, "bob", "/TIME:15", "/W", TEXT)
        bob.wait_for(TEXT, 20)
        self.ends(message, 3, f"Timeout on message to session {bob.line} before user response")
        self.no_helper_left(host)

    @on_both
    def test_withdrawn(self, host):
        bob = self.tmux(host)
        message = self.send(host, "bob", "/W", TEXT)
        bob.wait_for(TEXT, 20)
        message.interrupt()
        self.ends(message, 130)
        self.no_helper_left(host)

    @on_both
    def test_nobody_waits(self, host):
        bob = self.tmux(host)
        self.ends(self.send(host, "bob", TEXT), 0, f"Async message sent to session {bob.line}")
        bob.wait_for("The server goes down")

    @on_both
    def test_a_server_that_was_told_another_place(self, host):
        self.addCleanup(host.run, "pkill", "-KILL", "-u", "bob", "tmux")
        bob = self.tmux(host, command="TMUX_TMPDIR=$XDG_RUNTIME_DIR tmux -u")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        message.wait_for("is reached in tmux", 20)
        self.press(bob, "o", message)
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")

    @on_both
    def test_who_types_acknowledges_nothing(self, host):
        bob = self.tmux(host)
        typist = Typist(bob)
        try:
            message = self.send(host, "bob", "/TIME:120", "/W", TEXT)
            bob.wait_for(TEXT, 25)
            with self.assertRaises(Exception, msg="it ended while bob was typing"):
                message.process.wait(4)
        finally:
            typist.stop()
        self.press(bob, "o", message)
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")
