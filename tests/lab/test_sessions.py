# SPDX-License-Identifier: MIT
"""The list of sessions of booted hosts: logind, utmp and the processes, and what becomes of them."""
from harness import Terminal, eventually
from machine import ME
from scenario import Scenario, on_both


class Sessions(Scenario):
    def known_as(self, host, name, **wanted):
        """Waits until msgd lists that session so; what it lists of it."""
        def fits():
            session = self.known(host).get(name, {})
            return session if session and all(session.get(k) == v for k, v in wanted.items()) else None
        return eventually(fits, lambda: f"{name} as {wanted}: {self.known(host)}")

    def id_of(self, host, user):
        """logind's id of the user's only session with a person in it."""
        ids = [name for name, session in host.sessions().items()
               if session["Name"] == user and session["Class"].startswith("user")]
        self.assertEqual(len(ids), 1, host.sessions())
        return ids[0]

    @on_both
    def test_ssh(self, host):
        bob = self.login(host)
        self.known_as(host, bob.line, id=self.id_of(host, "bob"), user="bob", reach="terminal",
                      type="tty", state="active")
        self.assertEqual([s["name"] for s in self.known(host).values() if s["user"] == "bob"],
                         [bob.line])

    @on_both
    def test_what_is_listed(self, host):
        """As a table, here and from another host."""
        bob, carol = self.login(host), self.desktop(host, "carol")
        carol.lock()
        pipe = host.ssh_pipe("dave", "sleep 1000")
        self.addCleanup(pipe.kill)
        self.known_as(host, carol.name, locked=True)
        self.known_as(host, bob.line, **{"from": "10.99.0.1"})
        dave = eventually(lambda: [s["name"] for s in self.known(host).values()
                                   if s["user"] == "dave" and s["state"] == "active"], "dave")[0]
        ids = {user: self.id_of(host, user) for user in ("bob", "carol", "dave")}
        for table in (host.does("msgctl", "sessions"),
                      self.lab.h1.does("msgctl", "sessions", host.name, user="alice")):
            head, *rows = [line.split(None, 8) for line in table.splitlines()]
            self.assertEqual(head, "ID NAME USER TYPE STATE FROM IDLE LOCKED".split() + ["REACHED BY"])
            for row in rows:
                self.assertRegex(row.pop(6), r"^\d+[smhd]$")
            self.assertCountEqual(rows, [
                [ids["bob"], bob.line, "bob", "tty", "active", "10.99.0.1", "-", "terminal"],
                [ids["carol"], carol.name, "carol", "x11", "active", "-", "yes", "desktop"],
                [ids["dave"], dave, "dave", "tty", "active", "10.99.0.1", "-", "nothing (no-screen)"]])
        eventually(lambda: self.known(host)[bob.line]["idle_s"] >= 20, "bob to be idle", 40)
        bob.type("\n")
        eventually(lambda: self.known(host)[bob.line]["idle_s"] < 10, "bob to be there again")

    @on_both
    def test_sessions_that_are_nobodys(self, host):
        for kind in ("greeter", "lock-screen", "background"):
            unit = f"login-{kind}"
            host.does("systemd-run", "-q", "-u", unit, "-p", "User=dave", "-p", "PAMName=login",
                      "-E", "XDG_SESSION_TYPE=x11", "-E", f"XDG_SESSION_CLASS={kind}", "sleep", "1000")
            self.addCleanup(host.run, "systemctl", "stop", unit)
        eventually(lambda: {s["Class"] for s in host.sessions().values()} >=
                   {"greeter", "lock-screen", "background"}, lambda: f"the logins: {host.sessions()}")
        bob = self.login(host)
        self.assertEqual({s["name"] for s in self.known(host).values() if s["reach"] != "nothing"},
                         {bob.line})
        self.assertEqual(self.sent(host, "dave", "Anybody?").status, 1)
        outcome = self.sent(host, "*", "Everybody?")
        self.assertEqual((outcome.status, outcome.out.count("Async message sent")), (0, 1), outcome)

    @on_both
    def test_ssh_with_a_master_is_two_terminals_of_one_session(self, host):
        first = Terminal(ME, leader=host.ssh_argv("bob", "-tt", "-M", "-S", "/tmp/master-%h"),
                         env={"TERM": "xterm"})
        first.wait_for(r"^\$ ")
        second = Terminal(ME, leader=host.ssh_argv("bob", "-tt", "-S", "/tmp/master-%h"),
                          env={"TERM": "xterm"})
        second.wait_for(r"^\$ ")
        for terminal in (first, second):
            terminal.line = terminal.run("tty")[0].strip()[len("/dev/"):]
        self.addCleanup(self.leave, host, first)
        for terminal in (first, second):
            self.known_as(host, terminal.line, id=self.id_of(host, "bob"), reach="terminal")
        self.leave(host, second)
        self.known_as(host, first.line, reach="terminal")

    @on_both
    def test_ssh_without_a_terminal(self, host):
        pipe = host.ssh_pipe("bob", "sleep 1000")
        self.addCleanup(pipe.kill)
        name = eventually(lambda: [i for i, s in host.sessions().items() if s["Name"] == "bob"],
                          "the login")[0]
        eventually(lambda: [s for s in self.known(host).values() if s["user"] == "bob"
                            and s["reach"] == "nothing" and s["why"] == "no-screen"],
                   lambda: f"{name}: {self.known(host)}")

    @on_both
    def test_su_and_script_make_no_place(self, host):
        bob = self.login(host)
        bob.type("script -q /dev/null\n")
        eventually(lambda: host.pids("^script "), "script to run")
        outcome = self.sent(host, "bob", "One terminal")
        self.assertEqual(outcome.out.count("Async message sent"), 1)
        bob.wait_for("One terminal")
        bob.type("exit\n")

    @on_both
    def test_tmux_is_left_and_the_person_goes(self, host):
        bob = self.tmux(host)
        pane = eventually(lambda: [s["name"] for s in self.known(host).values()
                                   if s["user"] == "bob" and s["name"] != bob.line], "the pane")[0]
        bob.type("\x02d")
        self.until_reached(host, bob.line, "terminal")
        self.known_as(host, pane, reach="nothing", why="no-screen")
        self.leave(host, bob)
        outcome = self.sent(host, "bob", "Is anybody there?")
        self.assertEqual(outcome.status, 1)
        self.assertIn("bob is logged in on", outcome.err)
        host.run("tmux", "kill-server", user="bob")
        eventually(lambda: pane not in self.known(host), "the pane to be gone")

    @on_both
    def test_logind_is_restarted_under_a_message(self, host):
        bob = self.login(host)
        before = self.known_as(host, bob.line, id=self.id_of(host, "bob"))
        message = self.send(host, "bob", "/TIME:60", "/W", "Who stays?")
        number = self.number(bob)
        host.does("systemctl", "restart", "systemd-logind")
        carol = self.login(host, "carol")
        self.known_as(host, carol.line, id=self.id_of(host, "carol"), reach="terminal")
        self.assertEqual(self.known(host)[bob.line]["id"], before["id"])
        bob.run(f"msg /ack {number}")
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")

    @on_both
    def test_logind_is_not_there(self, host):
        """What it told stays until it ends; what starts without it knows utmp's logins (Debian 12)."""
        self.addCleanup(host.run, "systemctl", "start", "systemd-logind")
        self.addCleanup(host.does, "systemctl", "unmask", "--runtime", "systemd-logind")
        bob = self.login(host)
        host.does("systemctl", "mask", "--runtime", "--now", "systemd-logind")
        message = self.send(host, "bob", "/TIME:60", "/W", "Who stays?")
        bob.run(f"msg /ack {self.number(bob)}")
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")
        host.does("systemctl", "restart", "msgd-present")
        found = 0 if host.release == "bookworm" else 1
        eventually(lambda: self.sent(host, "bob", "And now?").status == found, f"status {found}")
        host.does("systemctl", "unmask", "--runtime", "systemd-logind")
        host.does("systemctl", "start", "systemd-logind")
        carol = self.login(host, "carol")  # Debian 13's has forgotten bob by now
        self.known_as(host, carol.line, id=self.id_of(host, "carol"), reach="terminal")
        self.assertEqual(self.sent(host, "carol", "Back again.").status, 0)

    @on_both
    def test_logind_does_not_answer(self, host):
        bob = self.login(host)
        host.does("systemctl", "kill", "-s", "STOP", "systemd-logind")
        try:
            outcome = self.sent(host, "bob", "Still there?")
            self.assertEqual(outcome.status, 0, outcome)
            bob.wait_for("Still there")
        finally:
            host.does("systemctl", "kill", "-s", "CONT", "systemd-logind")
        carol = self.login(host, "carol")
        self.known_as(host, carol.line, id=self.id_of(host, "carol"), reach="terminal")

    @on_both
    def test_the_bus_is_killed_under_a_message(self, host):
        self.addCleanup(host.reboot)  # Debian 13 without its bus is not itself any more
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:60", "/W", "Who stays?")
        number = self.number(bob)
        host.does("systemctl", "kill", "-s", "KILL", "dbus.service")
        eventually(lambda: "logind" in host.journal("msgd-present"), "the loss to be told", 20)
        bob.run(f"msg /ack {number}")
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")
        host.run("systemctl", "restart", "dbus.socket", "dbus.service")
        host.run("systemctl", "restart", "systemd-logind")  # which may not find it again by itself
        eventually(lambda: "it answers again" in host.journal("msgd-present"),
                   lambda: host.journal("msgd-present"), 40)
        self.known_as(host, bob.line, reach="terminal")
