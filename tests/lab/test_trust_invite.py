# SPDX-License-Identifier: MIT
"""Invitations between hosts: taken once, and each way to fail with words of its own."""
import json
import time

from machine import FOLDER
from scenario import on_both
from trusting import Trust


class Invited(Trust):
    def invite(self, host, guest, *options):
        return json.loads(host.does("msgctl", "invite", guest.name, "--json", *options))

    def join(self, guest, host, made, status=0):
        outcome = guest.run("msgctl", "join", host.name, stdin=made["invitation"] + "\n")
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def fails(self, guest, host, made, err):
        """And nothing is trusted, at either end."""
        outcome = self.join(guest, host, made, status=4)
        self.assertEqual((outcome.out, outcome.err), ("", err))
        self.assertNotIn(guest.key(), host.run("cat", "/var/lib/msgd/enrolled").out)
        self.assertEqual(guest.run("cat", f"{guest.home}/.config/msg/known_hosts").out, "")

    def not_taken(self, host, guest):
        return (f"{host.name} does not take this invitation: it was used already or withdrawn. Its "
                "administrator can see which: msgctl invite --list; if it is open still, it does not "
                "hold for your address, or somebody stands in between. A new one is made by: "
                f"msgctl invite {guest.name}\n")

    @on_both
    def test_taken(self, host):
        bob, guest = self.login(host), self.guest()
        made = self.invite(host, guest)
        self.assertEqual(made["host"], host.name)
        self.assertIn(f"{host.name} knows you as {guest.name} now", self.join(guest, host, made).out)
        self.reaches(guest, host, bob)

    @on_both
    def test_used_twice(self, host):
        guest, second = self.guest(), self.guest()
        made = self.invite(host, guest)
        self.join(guest, host, made)
        self.fails(second, host, made,
                   self.not_taken(host, second))
        self.assertIn(f"{made['id']}  used  ", host.does("msgctl", "invite", "--list"))

    @on_both
    def test_late(self, host):
        guest = self.guest()
        made = self.invite(host, guest, "--for=1s")
        time.sleep(max(0.0, made["until"] + 1.1 - time.time()))
        until = guest.does("date", "-d", f"@{made['until']}", "+%F %H:%M").strip()
        self.fails(guest, host, made,
                   f"{host.name} does not take this invitation: it could be used until {until}. Its "
                   f"administrator can make a new one: msgctl invite {guest.name}\n")

    @on_both
    def test_a_man_in_the_middle(self, host):
        """He learns not even its id, and it is as good as before."""
        guest = self.guest()
        made = self.invite(host, guest)
        hosts = self.lab.h1.read("/etc/hosts")
        proxy = self.between(host)
        self.fails(guest, host, made,
                   f"{host.name} (10.99.0.1 port 6743) shows another key than the invitation has: it is "
                   "another host, or somebody stands in between. Nothing was sent, and the invitation "
                   "is as good as before\n")
        self.assertEqual(proxy.finish(20).out, "ready\npassed\n")
        self.lab.h1.write("/etc/hosts", hosts)  # he goes
        self.join(guest, host, made)

    @on_both
    def test_one_who_has_stolen_the_hosts_key(self, host):
        """Then he hears what is sent, and it is of no use to him: the two handshakes differ."""
        guest, copy = self.guest(), f"{FOLDER}/stolen-{host.name}"
        made = self.invite(host, guest)
        with open(copy, "w", encoding="ascii") as f:
            f.write(host.does("cat", "/var/lib/msgd/host_key"))
        proxy = self.between(host, copy)
        self.fails(guest, host, made,
                   self.not_taken(host, guest))
        self.assertEqual(proxy.finish(20).out, "ready\npassed ENROL ERROR\n")
        self.assertIn(f"{made['id']}  open  ", host.does("msgctl", "invite", "--list"))
