# SPDX-License-Identifier: MIT
"""Messages from h1 to people who work on terminals of another host, and to people who have none."""
import re

from harness import Running, eventually
from machine import ME
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Terminals(Scenario):
    @on_both
    def test_acknowledged(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        number = self.number(bob)
        self.assertIn("Message from alice (network, 10.99.0.2) to bob", bob.screen())
        self.assertIn(f"| {TEXT}\n", bob.screen())
        bob.run(f"msg /ack {number}")
        outcome = message.finish()
        self.assertEqual(outcome.out, f"Sending message to session {bob.line}, display time 60\n"
                                      f"Message to session {bob.line} responded to by user\n")
        self.assertEqual(outcome.status, 0)

    @on_both
    def test_answered_by_number(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/ANSWERS:Yes,No", "Reboot now?")
        number = self.number(bob)
        bob.run(f"msg /ack {number} 2")
        self.ends(message, 0, f"Message to session {bob.line} responded to by user: No\n")

    @on_both
    def test_time_is_up(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:2", "/W", TEXT)
        self.number(bob)
        self.ends(message, 3, f"Timeout on message to session {bob.line} before user response")

    @on_both
    def test_withdrawn(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/W", TEXT)
        number = self.number(bob)
        message.interrupt()
        self.ends(message, 130)
        bob.wait_for(rf"\[{number}\] withdrawn")

    @on_both
    def test_mesg_n(self, host):
        bob = self.login(host, mesg=False)
        self.ends(self.send(host, "bob", "/W", TEXT), 1, "messages disabled")
        self.assertNotIn(TEXT, bob.screen())

    @on_both
    def test_root_of_the_host_passes_mesg_n(self, host):
        bob = self.login(host, mesg=False)
        self.assertEqual(host.run("msg", "bob", TEXT).status, 0)
        bob.wait_for(TEXT)


class Consoles(Scenario):
    """On Debian 12: logind knows no virtual consoles in a container, its utmp does."""

    def shown(self, *words):
        console = self.console(self.lab.h2)
        message = self.send(self.lab.h2, "bob", *words)
        return console, message, self.number(console)

    def test_acknowledged(self):
        console, message, number = self.shown("/TIME:60", "/W", TEXT)
        self.assertRegex(console.screen(), re.compile(
            r"^Message from alice \(network, 10[.]99[.]0[.]2\) to bob on h2, \d\d:\d\d\n"
            rf"[|] {TEXT}\nTo confirm that you have read this, type: msg /ack {number}$", re.M))
        console.run(f"msg /ack {number}")
        self.ends(message, 0, f"Message to session {console.line} responded to by user")

    def test_answered_by_number(self):
        console, message, number = self.shown("/TIME:60", "/ANSWERS:Yes,No", "Reboot now?")
        console.run(f"msg /ack {number} 2")
        self.ends(message, 0, f"Message to session {console.line} responded to by user: No\n")

    def test_time_is_up(self):
        console, message, _ = self.shown("/TIME:2", "/W", TEXT)
        self.ends(message, 3, f"Timeout on message to session {console.line} before user response")

    def test_withdrawn(self):
        console, message, number = self.shown("/W", TEXT)
        message.interrupt()
        self.ends(message, 130)
        console.wait_for(rf"\[{number}\] withdrawn")

    def test_mesg_n(self):
        console = self.console(self.lab.h2)
        console.run("chmod 600 $(tty)")
        self.ends(self.send(self.lab.h2, "bob", "/W", TEXT), 1, "messages disabled")
        self.assertNotIn(TEXT, console.screen())


class WithoutATerminal(Scenario):
    """Logins that nobody looks at."""

    def pipe(self, host, user="bob", *command):
        """ssh -T, until the test ends."""
        self.logged_in(host, user, lambda: host.ssh_pipe(user, *(command or ("sleep 1000",))))

    def logged_in(self, host, user, start):
        before = set(host.sessions())
        running = start()
        self.addCleanup(running.kill)

        def new():
            return next((number for number, s in host.sessions().items()
                         if s["Name"] == user and s["Service"] == "sshd" and number not in before), None)
        eventually(new, lambda: f"{user} to be logged in: {running.err}")

    def detached(self, host, user="bob"):
        """A tmux that nobody is attached to, kept by a login without a terminal."""
        self.pipe(host, user, "tmux new-session -d; sleep 1000")
        self.addCleanup(host.run, "pkill", "-KILL", "-u", user, "tmux")
        eventually(lambda: host.run("pgrep", "-u", user, "tmux").out, "tmux to run")

    def nobody_looks(self, host):
        eventually(lambda: "bob" in {s["user"] for s in self.known(host).values()},
                   lambda: f"bob to be listed: {self.known(host)}")
        self.ends(self.send(host, "bob", TEXT), 1,
                  f"bob is logged in on {host.name} but has no screen or terminal there")

    @on_both
    def test_ssh_without_a_terminal(self, host):
        self.pipe(host)
        self.nobody_looks(host)

    @on_both
    def test_file_transfer(self, host):
        held_open = ["sh", "-c", 'sleep 1000 | "$@"', "sh", *host.ssh_argv("bob", "-s"), "sftp"]
        self.logged_in(host, "bob", lambda: Running(ME, held_open))
        self.nobody_looks(host)

    @on_both
    def test_detached_tmux(self, host):
        self.detached(host)
        self.nobody_looks(host)

    @on_both
    def test_no_broadcast_is_poisoned(self, host):
        self.pipe(host, "bob")
        self.detached(host, "dave")
        carol = self.login(host, "carol")
        message = self.send(host, "*", "/W", "/TIME:60", TEXT)
        carol.run(f"msg /ack {self.number(carol)}")
        self.ends(message, 0, f"Message to session {carol.line} responded to by user")

    @on_both
    def test_everybody_without_a_screen(self, host):
        self.pipe(host, "bob")
        outcome = self.ends(self.send(host, "*", TEXT), 1)
        self.assertNotEqual(outcome.err, "")
