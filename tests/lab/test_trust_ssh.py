# SPDX-License-Identifier: MIT
"""What ssh knows, used: hosts by their ssh host key, people by their own in a real ssh-agent."""
from shlex import quote

from scenario import on_both
from trusting import Trust

SK = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIIiIiIiIiIiIiIiIiIiIiIiI" \
     "iIiIiIiIiIiIiIiIiIiIAAAABHNzaDo="


class Hosts(Trust):
    """A guest on h1, and hosts whose sshd he has met."""

    def met(self, host, *options):
        """The host shows what its ssh key endorses, knows the guest, and he knows its sshd."""
        guest = self.guest()
        self.keep(host, "/etc/msgd/host_endorsements")
        host.does("msgctl", "key", "endorse", "--host")
        self.authorize(host, guest.key(), guest.name)
        self.assertIn("Permanently added", guest.ssh(host, *options).err)
        return guest

    def ssh_host_key(self, host):
        return " ".join(host.read("/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])

    @on_both
    def test_no_question(self, host):
        bob = self.login(host)
        guest = self.met(host, "-o", "HashKnownHosts=yes")
        self.assertRegex(guest.shell("cat .ssh/known_hosts"), r"^\|1\|")
        self.known_as(guest, host, guest.name)
        self.reaches(guest, host, bob)
        self.assertEqual(guest.run("ls", f"{guest.home}/.config/msg/known_hosts").status, 2)

    @on_both
    def test_a_host_that_ssh_has_not_met(self, host):
        guest = self.met(host)
        guest.shell("rm .ssh/known_hosts")
        self.refused(guest, host, f"the key of {host.name} is not known: {self.host_key(host)}; if it "
                     "is the right one, which its administrator sees by msgctl key show --host: msgctl "
                     f"trust {host.name} {self.host_key(host)}; if you can ssh there")

    def revoked(self, guest, host):
        bob = self.login(host)
        self.refused(guest, host, f"the key of {host.name} is revoked", "nothing was sent",
                     "@revoked in the known_hosts of ssh")
        self.assertIn("REVOKED HOST KEY", guest.ssh(host).err)
        self.assertNotIn(guest.name, bob.screen())

    @on_both
    def test_revoked_by_the_user(self, host):
        guest = self.met(host)
        guest.shell(f"echo {quote('@revoked * ' + self.ssh_host_key(host))} >>.ssh/known_hosts")
        self.revoked(guest, host)

    @on_both
    def test_revoked_for_everybody(self, host):
        guest = self.met(host)
        self.known_as(guest, host, guest.name)
        self.keep(self.lab.h1, "/etc/ssh/ssh_known_hosts")
        self.lab.h1.write("/etc/ssh/ssh_known_hosts",
                          f"@revoked {host.name},x {self.ssh_host_key(host)}\n")
        self.revoked(guest, host)

    @on_both
    def test_another_sshd_of_that_name_says_nothing(self, host):
        """`[h2]:2222` may be another machine, behind a router."""
        host.does("mkdir", "-p", "/run/sshd")
        host.does("systemd-run", "-q", "-u", "other-sshd", "/usr/sbin/sshd", "-D", "-p", "2222")
        self.addCleanup(host.does, "systemctl", "stop", "other-sshd")
        host.does("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do ss -ltn | grep -q :2222 && exit; "
                              "sleep 1; done; exit 1")
        guest = self.met(host, "-p", "2222", "-o", "HashKnownHosts=no")
        self.assertRegex(guest.shell("cat .ssh/known_hosts"), rf"^\[{host.name}\]:2222 ssh-ed25519 ")
        self.refused(guest, host, f"the key of {host.name} is not known")
        guest.ssh(host)
        self.known_as(guest, host, guest.name)


class People(Trust):
    """A guest of h2 or h3, whose ssh key h1 knows."""

    def listed(self, host):
        guest = self.guest(host)
        self.trusts(guest, self.lab.h1)
        self.authorize(self.lab.h1, guest.ssh_key(), guest.name)
        return guest

    @on_both
    def test_by_the_agent(self, host):
        """The private key is nowhere but in the agent."""
        bob, guest = self.login(self.lab.h1), self.listed(host)
        self.refused(guest, self.lab.h1, "h1 does not know your key")
        out = guest.shell("ssh-agent sh -c 'ssh-add -q .ssh/id_ed25519 && rm .ssh/id_ed25519 && "
                          "msgctl key endorse'")
        self.assertRegex(out, r"^x25519:\S+ is endorsed by ssh-ed25519 \S+ until \d{4}-")
        self.known_as(guest, self.lab.h1, guest.name)
        self.reaches(guest, self.lab.h1, bob)

    @on_both
    def test_by_hand(self, host):
        bob, guest = self.login(self.lab.h1), self.listed(host)
        guest.shell("msgctl key statement >s && ssh-keygen -q -Y sign -n msg-endorse-v1 "
                    "-f .ssh/id_ed25519 s && cat s s.sig >s.endorsed && msgctl key endorsed s.endorsed")
        self.known_as(guest, self.lab.h1, guest.name)
        self.reaches(guest, self.lab.h1, bob)

    @on_both
    def test_nobody_becomes_root_by_his_own_hand(self, host):
        """The name is that of the line; and a right that one gives oneself is none."""
        bob, guest = self.login(self.lab.h1), self.listed(host)
        guest.does("msgctl", "key", "endorse", "--names=root")
        self.known_as(guest, self.lab.h1, guest.name)
        self.reaches(guest, self.lab.h1, bob)
        self.assertNotIn("root", bob.screen())
        guest.shell("msgctl key statement | sed 's/^perm:$/perm: all,who,override/' >s && "
                    "ssh-keygen -q -Y sign -n msg-endorse-v1 -f .ssh/id_ed25519 s && "
                    "cat s s.sig >.config/msg/endorsements")
        self.refused(guest, self.lab.h1, "h1 does not know your key")

    @on_both
    def test_keys_that_cannot_serve(self, host):
        guest = self.guest(host)
        for kind in ("rsa", "ecdsa"):
            guest.ssh_key(kind)
            outcome = guest.run("msgctl", "key", "endorse", f"--ssh-key={guest.home}/.ssh/id_{kind}")
            self.assertEqual(outcome.status, 1)
            self.told(outcome.err)
        outcome = guest.run("sh", "-c", "cd && ssh-agent sh -c 'ssh-add -q .ssh/id_rsa .ssh/id_ecdsa; "
                                        "msgctl key endorse'")
        self.assertIn("there is no ssh-ed25519 key in ssh-agent or at ~/.ssh/id_ed25519", outcome.err)
        self.told(outcome.err)

    @on_both
    def test_a_key_of_a_security_token_cannot_serve(self, host):
        """It is told before the token is asked for a touch."""
        guest = self.guest(host)
        guest.shell(f"mkdir -p .ssh && echo {quote(SK)} >.ssh/id_sk.pub")
        outcome = guest.run("msgctl", "key", "endorse", f"--ssh-key={guest.home}/.ssh/id_sk.pub")
        self.assertEqual(outcome.status, 1)
        self.told(outcome.err)
        outcome = host.run("msgctl", "authorize", SK, "alice")
        self.assertIn("of the keys of ssh only ssh-ed25519 can serve", outcome.err)

    def told(self, err):
        self.assertIn("(RSA, ECDSA, sk) cannot serve", err)
        self.assertIn("ssh-keygen -t ed25519", err)
