# SPDX-License-Identifier: MIT
"""msgctl pair: who can ssh to a host is known there after one command, and its administrator sleeps."""
import time

from harness import eventually
from scenario import on_both
from trusting import UNITS, Guest, Trust


class Pair(Trust):
    def both(self, host, kind="ed25519"):
        """A guest of h1, and the account on the host to which his ssh key lets him log in."""
        here, there = self.guest(), Guest(host)
        there.shell(f"echo {here.ssh_key(kind)} >>.ssh/authorized_keys")
        return here, there

    def paired(self, here, there):
        """Without a terminal, so without a question; its outcome."""
        here.run("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
                 f"{there.name}@{there.host.name}", "true")
        return here.run("msgctl", "pair", f"{there.name}@{there.host.name}")

    @on_both
    def test_no_question_beyond_that_of_ssh(self, host):
        bob = self.login(host)
        here, there = self.both(host)
        terminal = self.lab.h1.ssh(here.name)
        self.addCleanup(terminal.close)
        start = len(terminal.screen())
        terminal.type(f"msgctl pair {there.name}@{host.name}; echo en''ded $?\n")
        terminal.wait_for("Are you sure you want to continue connecting")
        terminal.type("yes\n")
        terminal.wait_for(r"^ended \d")
        screen = terminal.screen()[start:].split("\n", 1)[1]
        self.assertIn("ended 0\n", screen)
        self.assertEqual(screen.count("?"), 1, screen)
        self.assertIn(f"{host.name} and this computer know each other: your key counts as {there.name} "
                      f"there, and may do what {there.name} may\n", screen)
        self.assertIn(f"\n  msg {there.name} /SERVER:{host.name} hello\n", screen)
        self.reaches(here, host, bob, name=there.name)

    @on_both
    def test_a_key_that_cannot_endorse_pairs(self, host):
        """RSA, in a real ssh-agent alone."""
        bob = self.login(host)
        here, there = self.both(host, "rsa")
        here.ssh(host)
        out = here.shell("ssh-agent sh -c 'ssh-add -q .ssh/id_rsa && rm .ssh/id_rsa && "
                         f"msgctl pair {there.name}@{host.name}'")
        self.assertIn("know each other", out)
        self.reaches(here, host, bob, name=there.name)

    @on_both
    def test_who_cannot_ssh_is_told_so(self, host):
        here, there = self.guest(), Guest(host)
        here.ssh(host)
        outcome = self.paired(here, there)
        self.assertEqual(outcome.status, 4, outcome)
        self.assertIn(f"ssh cannot log in to {host.name}, as it says above; this must work first: "
                      f"ssh {there.name}@{host.name} true\n", outcome.err)
        self.refused(here, host, f"the key of {host.name} is not known")

    @on_both
    def test_a_changed_key_is_refused_here_too(self, host):
        here, there = self.both(host)
        here.does("msgctl", "trust", host.name, "x25519:" + 43 * "A")
        outcome = self.paired(here, there)
        self.assertEqual(outcome.status, 4, outcome)
        self.assertIn(f"THE KEY OF {host.name} HAS CHANGED", outcome.err)
        self.assertIn(f"to take it back: ssh {there.name}@{host.name} msgctl revoke --self {here.key()}\n",
                      outcome.err)

    @on_both
    def test_taken_back_while_connected(self, host):
        """By himself, and by root for good."""
        bob = self.login(host)
        for revoke in (["--self"], []):
            here, there = self.both(host)
            self.keep(host, "/etc/msgd/revoked_keys")
            self.assertEqual(self.paired(here, there).status, 0)
            message, number = self.waiting(here, host, bob)
            host.does("msgctl", "revoke", *revoke, here.key(), user=there.name if revoke else None)
            outcome = message.finish(30)
            self.assertEqual(outcome.status, 1, outcome)
            self.assertIn(f"session {bob.line} : withdrawn", outcome.err)
            bob.wait_for(rf"\[{number}\] withdrawn")
            self.refused(here, host, "does not know your key" if revoke else "is revoked on")
        self.assertNotEqual(self.paired(here, there).status, 0)

    @on_both
    def test_a_name_service_that_hangs(self, host):
        """
        He is told busy meanwhile, in time; what he waits for goes on, or is taken back by him, and
        later he counts again.
        """
        bob = self.login(host)
        here, there = self.both(host)
        self.assertEqual(self.paired(here, there).status, 0)
        message, number = self.waiting(here, host, bob)
        other, taken_back = self.waiting(here, host, bob)
        host.does("touch", "/run/nss-hang")
        self.addCleanup(host.run, "rm", "-f", "/run/nss-hang")
        time.sleep(1.1)  # the last answer holds for a second
        outcome = here.run("msg", "bob", f"/SERVER:{host.name}", "x", timeout=10.0)
        self.assertEqual((outcome.status, outcome.err),
                         (4, f"Error sending message: {host.name} is busy; try again in 1 s\n"))
        other.interrupt()
        bob.wait_for(rf"\[{taken_back}\] withdrawn")
        self.assertEqual(other.finish().status, 130)
        host.does("rm", "/run/nss-hang")
        eventually(lambda: here.run("msg", "bob", f"/SERVER:{host.name}", "again").status == 0,
                   lambda: host.journal(*UNITS))
        bob.run(f"msg /ack {number}")
        self.assertEqual(message.finish(30).status, 0)

    @on_both
    def test_nobody_becomes_root_by_it(self, host):
        here = self.guest()
        host.does("sh", "-c", f"echo {here.ssh_key()} >>/root/.ssh/authorized_keys")
        here.ssh(host)
        outcome = here.run("msgctl", "pair", f"root@{host.name}")
        self.assertNotEqual(outcome.status, 0)
        self.assertIn(f"msgctl on {host.name}: it has not taken your key {here.key()}\n", outcome.err)
        self.refused(here, host, f"the key of {host.name} is not known")
