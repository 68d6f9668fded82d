# SPDX-License-Identifier: MIT
"""A host that shows another key than it had, or that somebody else answers for."""
from harness import eventually
from scenario import on_both
from trusting import Trust

KEY = "/var/lib/msgd/host_key"


class Changed(Trust):
    def renewed(self, host):
        """The host has lost its key, and makes another."""
        self.addCleanup(host.does, "systemctl", "start", "msgd.service")
        self.addCleanup(host.does, "mv", f"{KEY}.old", KEY)
        self.addCleanup(host.does, "systemctl", "stop", "msgd.service")
        host.does("systemctl", "stop", "msgd.service")
        host.does("mv", KEY, f"{KEY}.old")
        host.does("systemctl", "start", "msgd.service")
        eventually(lambda: host.run("msgctl", "key", "--host").status == 0, "the new key")
        return self.host_key(host)

    def acquainted(self, host):
        guest = self.guest()
        self.trusts(guest, host)
        self.authorize(host, guest.key(), guest.name)
        self.known_as(guest, host, guest.name)
        return guest

    @on_both
    def test_refused_loudly(self, host):
        bob, guest = self.login(host), self.acquainted(host)
        pin, old = f"{guest.home}/.config/msg/known_hosts", self.host_key(host)
        key = self.renewed(host)
        self.assertNotEqual(key, old)
        self.until_known(host, bob.line)
        self.refused(guest, host, f"THE KEY OF {host.name} HAS CHANGED: {key} is not the one in {pin}:1",
                     "somebody may be listening in. Nothing was sent", f": msgctl untrust {host.name}; "
                     f"msgctl trust {host.name} {key}\n")
        for words in ([host.name], [host.name, key]):
            outcome = guest.run("msgctl", "trust", *words)
            self.assertNotEqual(outcome.status, 0)
            self.assertIn(f"{pin}:1", outcome.err)
        self.assertEqual(guest.does("cat", pin), f"{host.name} {old}\n")
        self.assertNotIn(guest.name, bob.screen())
        guest.shell(f"msgctl untrust {host.name}; msgctl trust {host.name} {key}")  # as it says
        self.reaches(guest, host, bob)

    @on_both
    def test_a_man_in_the_middle(self, host):
        """He ends the handshake with a key of his own, and hears nothing."""
        bob, guest = self.login(host), self.acquainted(host)
        proxy = self.between(host)
        self.refused(guest, host, f"THE KEY OF {host.name} HAS CHANGED", "Nothing was sent")
        self.assertEqual(proxy.finish(20).out, "ready\npassed\n")
        self.assertNotIn(guest.name, bob.screen())

    @on_both
    def test_one_whom_nobody_vouches_for(self, host):
        """A stranger's key is never taken without a person: not by a pipe, not by a script."""
        guest = self.guest()
        key = self.host_key(host)
        self.refused(guest, host, f"the key of {host.name} is not known: {key}; if it is the right "
                     "one, which its administrator sees by msgctl key show --host: msgctl trust "
                     f"{host.name} {key}; if you can ssh there, without him: msgctl pair {host.name}\n")
        outcome = guest.run("msgctl", "trust", host.name, stdin="yes\n")
        self.assertEqual(outcome.status, 4, outcome)
        self.assertIn(f"msgctl trust {host.name} {key}", outcome.err)


class Refused(Trust):
    """What is root's to do, tried by a user: he is told so, and what he can do himself."""

    @on_both
    def test_by_a_user(self, host):
        guest = self.guest(host)
        key = guest.key()
        for words, err in ((["authorize", key, "me"], "it is root's: run this as root, or for yourself: "
                                                      "msgctl authorize --self KEY\n"),
                           (["revoke", key], "it is root's: run this as root, or for yourself: "
                                             "msgctl revoke --self KEY\n"),
                           (["key", "--host"], "it is root's: run this as root\n"),
                           (["key", "endorse", "--host"], "it is root's: run this as root\n"),
                           (["ca", "lines"], "run this as root\n")):
            with self.subTest(words=words):
                outcome = guest.run("msgctl", *words)
                self.assertEqual((outcome.status, outcome.out), (1, ""))
                self.assertTrue(outcome.err.endswith(err), outcome)

    @on_both
    def test_a_host_that_has_no_key_yet(self, host):
        self.addCleanup(host.does, "mv", f"{KEY}.away", KEY)
        host.does("mv", KEY, f"{KEY}.away")
        for words in (["key", "--host"], ["key", "endorse", "--host"], ["invite", "somebody"]):
            with self.subTest(words=words):
                outcome = host.run("msgctl", *words)
                self.assertEqual(outcome.status, 1)
                self.assertTrue(outcome.err.endswith(
                    "msgctl: msgd makes this host's key when it first listens for other hosts; run: "
                    "systemctl enable --now msgd-tcp.socket\n"), outcome)
