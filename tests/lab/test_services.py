# SPDX-License-Identifier: MIT
"""
The services on hosts that systemd runs: started by the first connection, confined, and started again
when one of them dies, hangs or is told to read its configuration; with what senders are told then.
"""
import os
import re
import time
import unittest

import local_peer
from desktop import Desktop
from harness import eventually
from scenario import Scenario, enable, on_both

KEPT = 0b11100000  # CAP_KILL, CAP_SETGID, CAP_SETUID
EXPOSURE = {"msgd.service": 1.5, "msgd-present.service": 1.9}  # at most, as systemd sees it
MESSAGE = "The server goes down at 18:00."


class Services(Scenario):
    def show(self, host, unit, name):
        return host.does("systemctl", "show", "-P", name, unit).strip()

    def pid(self, host, unit):
        """Of the service's main process once it is up."""
        def found():
            return (self.show(host, unit, "ActiveState") == "active" and
                    int(self.show(host, unit, "MainPID")))
        return eventually(found, lambda: f"{unit} to run: {host.journal(unit)}")

    def restarted(self, host, unit, before):
        """Its new process, once systemd has started one."""
        def found():
            now = self.show(host, unit, "MainPID")
            return self.show(host, unit, "ActiveState") == "active" and now != str(before) and int(now)
        return eventually(found, lambda: f"{unit} to run again: {host.journal(unit)}", 30)

    def waiting(self, host, *options):
        """A message on bob's terminal that its sender waits for: terminal, msg, number."""
        bob = self.login(host)
        self.until_reached(host, bob.line, "terminal")
        message = self.send(host, "bob", "/TIME:60", "/W", *options, MESSAGE)
        return bob, message, self.number(bob)


class Confinement(Services):
    @on_both
    def test_folders_and_sockets(self, host):
        host.does("msgctl", "ping")
        own = int(host.does("id", "-u", "_msgd"))
        for path, mode, uid in (("/run/msgd", "755", 0), ("/run/msgd/state", "700", own),
                                ("/run/msgd/state/seen", "600", own), ("/run/msgd/msgd.sock", "666", 0),
                                ("/run/msgd/present.sock", "600", own), ("/etc/msgd", "755", 0),
                                ("/etc/msgd/invitations", "2750", 0),
                                ("/var/lib/msgd", "700", own), ("/var/lib/msgd/host_key", "600", own)):
            with self.subTest(path=path):
                self.assertEqual(host.does("stat", "-c", "%a %u", path).split(), [mode, str(uid)])

    def status(self, host, unit):
        return self.status_of(host, self.pid(host, unit))

    def status_of(self, host, pid):
        text = host.does("cat", f"/proc/{pid}/status")
        return dict(re.findall(r"^(\w+):[ \t]*(.*)$", text, re.MULTILINE))

    @on_both
    def test_what_each_may(self, host):
        host.does("msgctl", "ping")
        msgd, presenter = (self.status(host, unit) for unit in ("msgd", "msgd-present"))
        for fields, uid, caps in ((msgd, host.does("id", "-u", "_msgd").strip(), 0),
                                  (presenter, "0", KEPT)):
            self.assertEqual(set(fields["Uid"].split()), {uid})
            for name in ("CapPrm", "CapEff", "CapBnd"):
                self.assertEqual(int(fields[name], 16), caps, name)
            for name in ("CapInh", "CapAmb"):
                self.assertEqual(int(fields[name], 16), 0, name)
            self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"))
        self.assertEqual(presenter["Groups"].split(),
                         [host.does("getent", "group", "tty").split(":")[2]])

    @on_both
    def test_what_a_popup_may(self, host):
        bob = self.desktop(host)
        self.send(host, "bob", "/TIME:60", "/W", MESSAGE)
        bob.shown()
        helper, = self.helpers(host)
        fields = self.status_of(host, helper)
        self.assertEqual(set(fields["Uid"].split()), {str(bob.uid)})
        self.assertEqual(set(fields["Gid"].split()), {str(bob.uid)})
        self.assertEqual(fields["Groups"].strip(), "")
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(fields[name], 16), 0, name)
        self.assertEqual((fields["NoNewPrivs"], fields["Seccomp"]), ("1", "2"))

    @on_both
    def test_how_exposed_they_are(self, host):
        for unit, most in EXPOSURE.items():
            said = host.does("systemd-analyze", "security", "--offline=true", "--no-pager",
                             f"--threshold={round(most * 10)}", f"/usr/lib/systemd/system/{unit}")
            self.assertRegex(said, r"Overall exposure level for \S+: \d\.\d")

    @on_both
    def test_systemd_has_nothing_to_say(self, host):
        for unit in ("msgd.service", "msgd-present.service", "msgd.socket", "msgd-tcp.socket",
                     "msgd-present.socket"):
            outcome = host.run("systemd-analyze", "verify", "--man=no", f"/usr/lib/systemd/system/{unit}")
            self.assertEqual([line for line in (outcome.out + outcome.err).splitlines()
                              if "msgd" in line], [])


class Sockets(Services):
    @on_both
    def test_the_first_connection_starts_both(self, host):
        host.does("systemctl", "stop", "msgd.service", "msgd-present.service")
        self.assertEqual(self.show(host, "msgd.service", "ActiveState"), "inactive")
        self.assertEqual(host.run("msgctl", "ping").status, 0)
        self.pid(host, "msgd.service")
        self.pid(host, "msgd-present.service")
        host.does("systemctl", "stop", "msgd.service")
        self.assertEqual(self.lab.h1.run("msgctl", "ping", host.name, user="alice").status, 0)

    @on_both
    def test_after_a_boot_both_sockets_are_there_and_nothing_runs(self, host):
        host.reboot()
        for unit, state in (("msgd.socket", "active"), ("msgd-tcp.socket", "active"),
                            ("msgd.service", "inactive"), ("msgd-present.service", "inactive")):
            self.assertEqual(self.show(host, unit, "ActiveState"), state, unit)
        self.assertEqual(self.lab.h1.run("msgctl", "ping", host.name, user="alice").status, 0)
        self.pid(host, "msgd-present.service")

    @on_both
    def test_each_unit_can_be_restarted(self, host):
        for unit in ("msgd.service", "msgd-present.service", "msgd.socket", "msgd-tcp.socket",
                     "msgd-present.socket"):
            with self.subTest(unit=unit):
                host.does("msgctl", "ping")
                host.does("systemctl", "restart", unit)
                self.assertEqual(self.show(host, unit, "ActiveState"), "active")
                self.assertEqual(host.run("msgctl", "ping").status, 0)
                ping = self.lab.h1.run("msgctl", "ping", host.name, user="alice")
                self.assertEqual(ping.status, 0, ping)
        self.assertEqual(host.does("systemctl", "list-units", "--failed", "--no-legend", "msgd*"), "")

    @on_both
    def test_a_broken_configuration_is_told_and_mended_without_more_ado(self, host):
        self.addCleanup(host.does, "rm", "-f", "/etc/msgd/msgd.conf.d/broken.conf")
        host.does("mkdir", "-p", "/etc/msgd/msgd.conf.d")
        host.does("sh", "-c", "echo nonsense = 1 >/etc/msgd/msgd.conf.d/broken.conf")
        host.run("systemctl", "restart", "msgd.service")
        eventually(lambda: int(self.show(host, "msgd.service", "NRestarts")) > 6, "six tries", 30)
        self.assertIn("broken.conf:1: ", host.journal("msgd.service"))
        host.does("rm", "/etc/msgd/msgd.conf.d/broken.conf")
        eventually(lambda: host.run("msgctl", "ping").status == 0, "msgd to be back", 30)

    @on_both
    def test_tcp_is_switched_off_and_on_while_it_runs(self, host):
        self.addCleanup(host.does, "systemctl", "enable", "--now", "msgd-tcp.socket")
        host.does("msgctl", "ping")
        host.does("systemctl", "disable", "--now", "msgd-tcp.socket")
        outcome = self.lab.h1.run("msgctl", "ping", host.name, user="alice")
        self.assertEqual(outcome.status, 4)
        self.assertIn(f"{host.name} ({host.address} port 6743: connection refused)", outcome.err)
        self.assertTrue(outcome.err.endswith(
            "run: systemctl enable --now msgd-tcp.socket\n"), outcome.err)
        self.assertEqual(host.run("msgctl", "ping").status, 0)
        key = host.does("msgctl", "key").split()[-1]
        outcome = host.run("msgctl", "authorize", key, "nobody")
        self.addCleanup(host.does, "msgctl", "revoke", "nobody")
        self.assertEqual(outcome.err, "msgctl: no other host can reach msgd here yet; "
                                      "run: systemctl enable --now msgd-tcp.socket\n")
        host.does("systemctl", "enable", "--now", "msgd-tcp.socket")
        self.assertEqual(host.run("msgctl", "authorize", key, "nobody").err, "")
        self.assertEqual(self.lab.h1.run("msgctl", "ping", host.name, user="alice").status, 0)

    @on_both
    def test_without_a_socket_msg_says_how_to_start_it(self, host):
        self.addCleanup(host.does, "systemctl", "start", "msgd.socket")
        host.does("systemctl", "stop", "msgd.socket")
        self.assertEqual(self.show(host, "msgd.service", "ActiveState"), "inactive")
        self.assertEqual(host.run("msg", "bob", "x").err,
                         "Error 1722 getting session names: msgd is not running on this host "
                         "(/run/msgd/msgd.sock: no such file); start it: systemctl start msgd.socket\n")

    @on_both
    def test_off_and_on_again(self, host):
        """What `make disable` does leaves nothing that runs or would be started."""
        self.addCleanup(host.does, "systemctl", "enable", "--now", "msgd-tcp.socket")
        self.addCleanup(enable, host)
        host.does("systemctl", "disable", "--now", "msgd.socket", "msgd-tcp.socket")
        host.does("systemctl", "stop", "msgd-present.socket", "msgd-present.service")
        self.assertEqual(host.run("systemctl", "list-units", "--no-legend", "--plain", "msgd*").out, "")
        self.assertEqual(host.run("find", "/etc/systemd", "-name", "msgd*").out, "")
        self.assertEqual(host.run("find", "/run/msgd", "-type", "s").out, "")
        self.assertEqual(host.run("pgrep", "-f", "sbin/msgd").out, "")


class Deaths(Services):
    """DESIGN's rows, systemd doing the restarting."""

    @on_both
    def test_msg_is_killed(self, host):
        bob, message, number = self.waiting(host)
        message.kill()
        self.assertEqual(bob.run(f"msg /ack {number}")[1], 0)
        self.assertNotIn("withdrawn", bob.screen())

    @on_both
    def test_no_connection_holds_it_any_more(self, host):
        bob = self.login(host)
        with self.peer(host, "alice") as alice:
            alice.request(local_peer.SEND, {"uid": os.urandom(16), "to": [{"name": "bob"}],
                                            "text": MESSAGE, "wait": True, "lost_ms": 1500})
            number = self.number(bob)
            self.assertNotIn("withdrawn", bob.screen())
            closed = time.monotonic()
        bob.wait_for(rf"\[{number}\] withdrawn", 10)
        self.assertGreater(time.monotonic() - closed, 1.4)

    @on_both
    def test_msgd_is_killed(self, host):
        bob, message, _ = self.waiting(host)
        before = self.pid(host, "msgd.service")
        host.does("kill", "-KILL", str(before))
        outcome = message.finish(60)
        self.assertEqual(outcome.status, 5, outcome)
        self.assertIn("what became of the message is not known", outcome.out + outcome.err)
        self.restarted(host, "msgd.service", before)
        bob.wait_for(r"\] withdrawn")
        self.assertEqual(bob.count(MESSAGE), 1)
        self.until_reached(host, bob.line, "terminal")
        self.assertEqual(self.sent(host, "bob", "Again.").status, 0)

    @on_both
    def test_what_an_earlier_msgd_has_shown_is_not_shown_again(self, host):
        bob, uid = self.login(host), {"uid": os.urandom(16)}
        sent = {**uid, "to": [{"name": "bob"}], "text": MESSAGE, "wait": True}
        with self.peer(host, "alice") as alice:
            alice.request(local_peer.SEND, sent)
            self.number(bob)
            before = self.pid(host, "msgd.service")
            host.does("kill", "-KILL", str(before))
        self.restarted(host, "msgd.service", before)
        self.until_reached(host, bob.line, "terminal")
        with self.peer(host, "alice") as alice:
            for kind, what in ((local_peer.SEND, sent), (local_peer.ATTACH, uid)):
                *_, (kind, _, body) = alice.answers(alice.request(kind, what))
                self.assertEqual((kind, body.get("code")), (local_peer.ERROR, "outcome-unknown"))
        self.assertEqual(bob.count(MESSAGE), 1)

    @on_both
    def test_the_presenter_is_killed(self, host):
        bob, message, number = self.waiting(host)
        before = self.pid(host, "msgd-present.service")
        host.does("kill", "-KILL", str(before))
        self.restarted(host, "msgd-present.service", before)
        self.until_reached(host, bob.line, "terminal")
        bob.run(f"msg /ack {number}")
        outcome = message.finish()
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn("responded to by user", outcome.out)
        self.assertEqual(bob.count(MESSAGE), 1)

    @on_both
    def test_msgd_is_stopped(self, host):
        bob, message, _ = self.waiting(host)
        host.does("systemctl", "stop", "msgd.service")
        self.ends(message, 1,
                  f"Error sending message to session {bob.line} : withdrawn, msgd was stopped")
        bob.wait_for(r"\] withdrawn")
        self.assertEqual(host.run("msgctl", "ping").status, 0)

    @on_both
    def test_the_presenter_is_stopped(self, host):
        self.login(host)
        host.does("systemctl", "stop", "msgd-present.service")
        eventually(lambda: self.sent(host, "bob", "x").status == 0, "msgd to have it started again")

    @on_both
    def test_one_that_hangs_is_started_again(self, host):
        self.addCleanup(host.does, "systemctl", "daemon-reload")
        host.does("msgctl", "ping")
        for unit in ("msgd.service", "msgd-present.service"):
            folder = f"/run/systemd/system/{unit}.d"
            host.does("mkdir", "-p", folder)
            self.addCleanup(host.does, "rm", "-r", folder)
            host.does("sh", "-c", f"printf '[Service]\nWatchdogSec=2\n' >{folder}/test.conf")
            host.does("systemctl", "daemon-reload")
            host.does("systemctl", "restart", unit)
            before = self.pid(host, unit)
            host.does("kill", "-STOP", str(before))
            self.restarted(host, unit, before)
            eventually(lambda at=unit: "Watchdog timeout" in host.journal(at), "the reason to be told")
            self.assertEqual(host.run("msgctl", "ping").status, 0)

    @on_both
    def test_reload(self, host):
        before = self.pid(host, "msgd.service")
        _, message, _ = self.waiting(host)
        host.does("systemctl", "reload", "msgd.service")
        eventually(lambda: "configuration read again" in host.journal("msgd"), "the reload")
        eventually(lambda: self.show(host, "msgd.service", "SubState") == "running", "its end")
        self.assertEqual(self.pid(host, "msgd.service"), before)
        self.assertIsNone(message.process.poll())


class Popups(Services):
    """Each is a process of the presenter's service, and to be taken down by whoever outlives it."""

    def reached(self, host):
        return any(session["user"] == "bob" and session["reach"] == "desktop"
                   for session in self.known(host).values())

    def popup(self, host):
        bob = Desktop(host, "bob")
        self.addCleanup(bob.close)
        eventually(lambda: self.reached(host), "bob's desktop to be known")
        message = self.send(host, "bob", "/TIME:60", "/W", MESSAGE)
        bob.shown()
        return bob, message

    @on_both
    def test_the_presenter_is_killed(self, host):
        bob, message = self.popup(host)
        before = self.pid(host, "msgd-present.service")
        host.does("kill", "-KILL", str(before))
        bob.gone()
        self.ends(message, 1, "msgd-present, which showed it, was lost")
        self.restarted(host, "msgd-present.service", before)
        self.no_helper_left(host)
        eventually(lambda: self.reached(host), "bob's desktop to be known again")
        self.sent(host, "bob", "Again.")
        bob.shown()

    @on_both
    def test_the_presenter_is_stopped(self, host):
        bob, message = self.popup(host)
        host.does("systemctl", "stop", "msgd-present.service")
        self.no_helper_left(host)
        bob.gone()
        self.ends(message, 1, "msgd-present, which showed it, was lost")

    @on_both
    def test_msgd_is_killed(self, host):
        bob, message = self.popup(host)
        before = self.pid(host, "msgd.service")
        host.does("kill", "-KILL", str(before))
        bob.gone()
        self.assertEqual(message.finish(60).status, 5)
        self.restarted(host, "msgd.service", before)
        self.no_helper_left(host)

    @on_both
    def test_msgd_is_killed_and_nobody_waits(self, host):
        """Such a popup lives out its time, and is not shown again."""
        bob = self.desktop(host)
        self.ends(self.send(host, "bob", "/TIME:20", MESSAGE), 0)
        bob.shown()
        before = self.pid(host, "msgd.service")
        host.does("kill", "-KILL", str(before))
        self.restarted(host, "msgd.service", before)
        self.assertIsNotNone(bob.popup())
        self.assertEqual(len(self.helpers(host)), 1)
        bob.gone(30)
        self.no_helper_left(host)

    @on_both
    def test_msgd_is_stopped(self, host):
        bob, message = self.popup(host)
        host.does("systemctl", "stop", "msgd.service")
        self.assertEqual(message.finish().status, 1)
        bob.gone()
        self.no_helper_left(host)

    def ends_in_tmux(self, host, *command):
        """After the command bob's keys reach his shell again."""
        bob = self.tmux(host)
        message = self.send(host, "bob", "/TIME:60", "/W", MESSAGE)
        bob.wait_for(MESSAGE, 20)
        host.does(*command)
        outcome = message.finish(60)
        self.no_helper_left(host)
        bob.type("echo at work $((40 + 2))\n")
        bob.wait_for("at work 42")
        return outcome.status

    @on_both
    def test_in_tmux(self, host):
        presenter = self.pid(host, "msgd-present.service")
        self.assertEqual(self.ends_in_tmux(host, "kill", "-KILL", str(presenter)), 1)
        self.assertEqual(self.ends_in_tmux(host, "systemctl", "stop", "msgd-present.service"), 1)
        msgd = self.pid(host, "msgd.service")
        self.assertEqual(self.ends_in_tmux(host, "kill", "-KILL", str(msgd)), 5)


if __name__ == "__main__":
    unittest.main()
