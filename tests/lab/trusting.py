# SPDX-License-Identifier: MIT
"""What the tests of trust share: people whom no host knows yet, and files put back as they were."""
import contextlib
import itertools
import os
import re

from harness import eventually
from machine import FOLDER, Entered, ME
from scenario import Scenario

COUNT = itertools.count(1)
CALLS = 0.2  # seconds between tries: a host lets one address shake hands 20 times a second, no more
UNITS = ("msgd.service", "msgd-present.service")


class Guest:
    """A new account on a host, with nothing in its home."""

    def __init__(self, host):
        self.host, self.name = host, f"guest{next(COUNT)}"
        host.add_user(self.name)
        self.home = f"/home/{self.name}"

    def run(self, *argv, **options):
        return self.host.run(*argv, user=self.name, **options)

    def does(self, *argv, **options):
        return self.host.does(*argv, user=self.name, **options)

    def shell(self, script):
        return self.does("sh", "-c", f"cd && {script}")

    def key(self):
        return self.does("msgctl", "key").split()[-1]

    def ping(self, host):
        return self.run("msgctl", "ping", host.name)

    def ssh_key(self, kind="ed25519"):
        """A new key of the guest's, without a passphrase; its public half in two words."""
        self.shell(f"ssh-keygen -q -t {kind} -N '' -C here -f .ssh/id_{kind}")
        return " ".join(self.shell(f"cat .ssh/id_{kind}.pub").split()[:2])

    def ssh(self, host, *options):
        """A first ssh to a host, which is let be known: how ssh fills known_hosts itself."""
        return self.run("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
                        "-o", "HostKeyAlgorithms=ssh-ed25519", *options, f"{self.name}@{host.name}",
                        "true")


def kept(path):
    """A file's text, owner and mode; None if there is none."""
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read(), os.stat(path)


def restore(path, was):
    if was is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    with open(path + ".kept", "wb") as f:
        f.write(was[0])
    os.chown(path + ".kept", was[1].st_uid, was[1].st_gid)
    os.chmod(path + ".kept", was[1].st_mode & 0o7777)
    os.rename(path + ".kept", path)


class Trust(Scenario):
    def guest(self, host=None):
        return Guest(host or self.lab.h1)

    def keep(self, host, *paths):
        """These files of a host's are put back at the end."""
        for path in paths:
            self.addCleanup(restore, host.root + path, kept(host.root + path))

    def host_key(self, host):
        return host.does("msgctl", "key", "--host").split()[-1]

    def trusts(self, guest, host):
        """The host's key is pinned; it does not know the guest."""
        guest.does("msgctl", "trust", host.name, self.host_key(host))

    def authorize(self, host, *words):
        self.keep(host, "/etc/msgd/authorized_keys", "/etc/msgd/revoked_keys")
        host.does("msgctl", "authorize", *words)

    def known_as(self, guest, host, name):
        """Within the second in which msgd looks at its files."""
        eventually(lambda: f"it knows you as {name}\n" in guest.ping(host).out,
                   lambda: f"{name} to be known: {guest.ping(host)} {host.journal(*UNITS)}",
                   every=CALLS)

    def refused(self, guest, host, *words):
        """msg is refused now, or within that second, by a line with these words; it is returned."""
        def found():
            outcome = guest.run("msg", "bob", f"/SERVER:{host.name}", "x")
            return outcome.status == 4 and all(word in outcome.err for word in words) and outcome.err
        return eventually(found, lambda: f"{words} to be told: {guest.ping(host)}", every=CALLS)

    def reaches(self, guest, host, bob, name=None):
        """The guest's message stands on bob's terminal, under that name, and nothing was asked."""
        text = f"From {guest.name}, {next(COUNT)}"
        outcome = guest.run("msg", "bob", f"/SERVER:{host.name}", text)
        self.assertEqual((outcome.status, outcome.out, outcome.err), (0, "", ""), outcome)
        bob.wait_for(rf"Message from {name or guest.name} \(network, {guest.host.address}\) to bob"
                     rf"[^\n]*\n\| {text}\n")

    def waiting(self, guest, host, bob):
        """A message that its sender waits for: msg under way, and its number."""
        text = f"Wait, {next(COUNT)}"
        message = guest.host.begin("msg", "bob", f"/SERVER:{host.name}", "/W", "/V", text,
                                   user=guest.name)
        self.addCleanup(message.kill)
        found = eventually(lambda: re.search(rf"\| {text}\n[^\n]*msg /ack (\d+)", bob.screen()),
                           lambda: f"{text!r} on {bob.line}: {bob.screen()!r}; its sender was told "
                                   f"{message.out!r} {message.err!r}; {host.journal(*UNITS)[-3000:]}")
        return message, found.group(1)

    def cut_off(self, bob, message, number):
        """It ended because its sender is revoked, and does not stand on the screen as if it held."""
        outcome = message.finish(30)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn(f"session {bob.line} : withdrawn, your key was revoked\n", outcome.err)
        bob.wait_for(rf"\[{number}\] withdrawn")

    def between(self, host, *key_file):
        """A man in the middle, whom h1 takes for that host; a program under way."""
        h1, interop = self.lab.h1, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                "../interop/peer_between.py")
        self.keep(h1, "/etc/hosts")
        h1.write("/etc/hosts", h1.read("/etc/hosts").replace(f"{host.address} ", "10.99.0.1 "))
        proxy = Entered(ME, ["nsenter", f"--net={FOLDER}/net-switch", "/usr/bin/python3", "-B",
                             interop, "10.99.0.1", "6743", host.address, "6743",
                             self.host_key(host), *key_file])
        self.addCleanup(proxy.kill)
        proxy.wait_for("ready")
        return proxy
