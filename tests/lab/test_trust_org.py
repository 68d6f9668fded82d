# SPDX-License-Identifier: MIT
"""An organisation's key: new hosts and new users without a question, and what it cannot say."""
import json
from shlex import quote

from scenario import on_both
from trusting import Trust

FILES = ("/etc/msgd/authorized_keys", "/etc/msgd/revoked_keys", "/etc/msgd/host_endorsements")


class Organisation(Trust):
    def founded(self, host, names="*"):
        """h1's root makes the key; the host believes it for users, h1 for hosts. Nobody is signed."""
        self.folder = self.lab.h1.does("mktemp", "-d", "-p", "/root").strip()
        self.lab.h1.does("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.folder}/org")
        self.public = " ".join(self.lab.h1.read(f"{self.folder}/org.pub").split()[:2])
        self.keep(host, *FILES)
        self.keep(self.lab.h1, "/etc/msg/known_hosts", "/etc/msg/endorsements")
        self.lab.h1.write("/etc/msg/known_hosts", f"@cert-authority * {self.public} org\n")
        host.does("msgctl", "authorize", "--ca", f"--names={names}", "--all", "--who", self.public, "org")

    def sign(self, host, *lines):
        """Signed and brought to where it is wanted; the serials."""
        h1 = self.lab.h1
        host_line = host.does("msgctl", "ca", "lines", f"--names={host.name}")
        h1.write(f"{self.folder}/list", host_line + "".join(line + "\n" for line in lines))
        said = h1.does("msgctl", "ca", "sign", f"{self.folder}/list", f"--ssh-key={self.folder}/org",
                       f"--into={self.folder}", "--json")
        for where, name in ((h1, "msg/endorsements"), (host, "msgd/host_endorsements")):
            where.write(f"/etc/{name}", h1.read(f"{self.folder}/etc/{name}"))
        return {m["name"]: m["serial"] for m in map(json.loads, said.splitlines())}

    def line(self, guest, *rights, name=None):
        return " ".join(["user", name or guest.name, guest.key(), *rights])

    @on_both
    def test_a_new_host_and_a_new_user_need_no_question(self, host):
        bob = self.login(host)
        self.founded(host)
        first, second = self.guest(), self.guest()
        self.sign(host, self.line(first))
        self.known_as(first, host, first.name)
        self.reaches(first, host, bob)
        self.refused(second, host, f"{host.name} does not know your key")
        self.sign(host, self.line(first), self.line(second, "all"))
        self.known_as(second, host, second.name)
        self.reaches(second, host, bob)
        everybody = f"To everybody from {second.name}"
        self.assertEqual(first.run("msg", "/ALL", f"/SERVER:{host.name}", "no").status, 1)
        self.assertEqual(second.run("msg", "/ALL", f"/SERVER:{host.name}", everybody).status, 0)
        bob.wait_for(everybody)

    @on_both
    def test_it_makes_nobody_root_unless_root_has_said_so(self, host):
        bob = self.login(host)
        self.founded(host)
        guest = self.guest()
        self.sign(host, self.line(guest, name="root"))
        self.refused(guest, host, f"{host.name} does not know your key")
        host.does("msgctl", "authorize", "--ca", "--names=roo*,?oot", self.public, "org")
        self.refused(guest, host, f"{host.name} does not know your key")
        self.assertNotIn("root", bob.screen())
        host.does("msgctl", "authorize", "--ca", "--names=*,root", self.public, "org")
        self.known_as(guest, host, "root")
        self.reaches(guest, host, bob, name="root")

    @on_both
    def test_a_revoked_user_is_cut_off_while_connected(self, host):
        bob = self.login(host)
        self.founded(host)
        guests = {way: self.guest() for way in ("key", "serial", "signer", "nothing")}
        serials = self.sign(host, *(self.line(guest) for guest in guests.values()))
        ways = {"key": [guests["key"].key()],
                "serial": [self.public, f"--serial={serials[guests['serial'].name]}"],
                "signer": [self.public]}
        for guest in guests.values():
            self.known_as(guest, host, guest.name)
        waits = {way: self.waiting(guest, host, bob) for way, guest in guests.items()}
        for way, words in ways.items():
            with self.subTest(by=way):
                self.assertIsNone(waits[way][0].process.poll())
                host.does("msgctl", "revoke", *words)
                self.cut_off(bob, *waits[way])
                self.refused(guests[way], host, f"is revoked on {host.name}")
                if way != "signer":
                    self.assertIsNone(waits["nothing"][0].process.poll())
        self.cut_off(bob, *waits["nothing"])

    @on_both
    def test_signed_by_hand(self, host):
        """As an organisation's own scripts may do it, with ssh-keygen alone."""
        bob = self.login(host)
        self.founded(host)
        guest = self.guest()
        self.trusts(guest, host)
        statement = guest.does("msgctl", "key", "statement", f"--names={guest.name}")
        signed = self.lab.h1.does(
            "sh", "-c", f"cd {self.folder} && printf %s {quote(statement)} >s && ssh-keygen -q -Y "
                        "sign -n msg-endorse-v1 -f org s && cat s s.sig")
        guest.shell(f"printf %s {quote(signed)} >s && msgctl key endorsed s")
        self.known_as(guest, host, guest.name)
        self.reaches(guest, host, bob)
