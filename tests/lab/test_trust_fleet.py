# SPDX-License-Identifier: MIT
"""doc/fleet.md: its very commands, typed on three hosts that know nothing of each other."""
import os
import re
import shutil

from harness import TOP, eventually
from trusting import CALLS, Trust

PASSPHRASE = "correct horse battery staple"
ORGANISATION = ("/etc/msgd/authorized_keys.d/organisation.keys", "/etc/msgd/host_endorsements",
                "/etc/msg/known_hosts", "/etc/msg/endorsements", "/etc/msgd/revoked_keys")
SSH = ("/root/.ssh/id_ed25519", "/root/.ssh/known_hosts", "/root/.ssh/config")


def commands():
    """[(`#` or `$`, what is typed there)] of the page's console."""
    with open(os.path.join(TOP, "doc/fleet.md"), encoding="utf-8") as f:
        block = re.search(r"^```console\n(.*?)^```", f.read(), re.M | re.S).group(1)
    return [(line[0], line[2:]) for line in block.splitlines()]


class Fleet(Trust):
    def setUp(self):
        super().setUp()
        self.hosts = [self.lab.h1, self.lab.h2, self.lab.h3]
        for host in self.hosts:
            self.keep(host, *ORGANISATION)
        self.strangers()
        self.root_may_ssh()
        self.folder = self.lab.h1.does("mktemp", "-d", "-p", "/root").strip()
        self.addCleanup(self.lab.h1.does, "rm", "-r", self.folder)

    def strangers(self):
        """alice's files, with the key and the pins that the lab gave her, are away meanwhile."""
        for host in self.hosts:
            for user in ("alice", "bob"):
                own = f"{host.root}/home/{user}/.config/msg"
                if os.path.exists(own):
                    os.rename(own, own + ".away")
                    self.addCleanup(os.rename, own + ".away", own)
                self.addCleanup(shutil.rmtree, own, True)

    def root_may_ssh(self):
        """root of h1, to each host, after its first question."""
        h1 = self.lab.h1
        self.keep(h1, *SSH)
        with open(self.lab.switch.key, encoding="ascii") as f:
            h1.write(SSH[0], f.read(), 0o600)
        h1.write(SSH[2], "StrictHostKeyChecking accept-new\nLogLevel ERROR\n", 0o600)

    def shell_of_root(self):
        terminal = self.lab.h1.ssh("root", "env", r"PS1=\$\ ", "sh", "-i")
        self.addCleanup(terminal.close)
        terminal.wait_for(r"^\$ ")
        terminal.type(f"cd {self.folder}\n")
        return terminal

    def typed(self, terminal, command):
        """Types it, answers what asks for the passphrase, and waits for its end."""
        start, asked = len(terminal.screen()), 0
        terminal.type(f"{command}; echo en''ded $?\n")

        def ended():
            nonlocal asked
            screen = terminal.screen()[start:]
            prompts = len(re.findall(r"passphrase[^\n]*: ", screen))
            if prompts > asked:
                asked = prompts
                terminal.type(PASSPHRASE + "\n")
            return re.search(r"^ended (\d+)$", screen, re.M)
        status = eventually(ended, lambda: f"{command} to end: {terminal.screen()}", 60).group(1)
        self.assertEqual(status, "0", terminal.screen())
        return asked

    def test_the_page(self):
        typed = commands()
        self.assertEqual([prompt for prompt, _ in typed], ["#", "#", "#", "#", "$"])
        bobs = {host: self.login(host) for host in self.hosts}
        root = self.shell_of_root()
        asked = [self.typed(root, command) for prompt, command in typed if prompt == "#"]
        self.assertEqual(asked, [2, 0, 1, 0])
        for host in self.hosts:
            eventually(lambda at=host: self.ping(at).status == 0, lambda at=host: self.ping(at))
        sent = self.lab.h1.run("env", "-C", "/home/alice", "sh", "-c", typed[-1][1], user="alice")
        self.assertEqual((sent.status, sent.out, sent.err), (0, "", ""), sent)
        for host, bob in bobs.items():
            bob.wait_for(rf"Message from alice \(network, {self.lab.h1.address}\) to bob[^\n]*\n"
                         rf"\| Can you hear me on {host.name}\?\n")
        self.and_one_is_revoked()

    def ping(self, host):
        return self.lab.h1.run("msgctl", "ping", host.name, user="alice")

    def and_one_is_revoked(self):
        """As the page says of somebody who leaves."""
        key = self.lab.h1.does("msgctl", "key", user="alice").split()[-1]
        self.assertIn(f"user alice {key}\n", self.lab.h1.read(f"{self.folder}/list"))
        self.lab.h2.does("msgctl", "revoke", key)
        eventually(lambda: "is revoked on h2" in self.ping(self.lab.h2).err, lambda: self.ping(self.lab.h2),
                   every=CALLS)
        self.assertEqual(self.ping(self.lab.h3).status, 0)
