# SPDX-License-Identifier: MIT
"""
What the scenarios stand on: three hosts, booted once for all of them. Messages go out from h1; h2
(Debian 12) and h3 (Debian 13) receive, and have a desktop's programs.

tests/lab/run runs the parts of h2 and h3 beside each other, each with hosts of its own, which boot
when they are first asked for. A test on_both hosts becomes two, test_x_h2 and test_x_h3, each in its
host's part; any other is in the first part alone.
"""
import functools
import json
import os
import socket
import time
import unittest

import boundary
import local_peer
from harness import eventually
from desktop import Desktop
from machine import Console, Machine, Switch

RELEASES = {"h1": "bookworm", "h2": "bookworm", "h3": "trixie"}
PART = os.environ.get("MSG_LAB_PART", "h2")
FIRST = bool(os.environ.get("MSG_LAB_FIRST", "1"))
UNITS = ("msgd.service", "msgd-present.service")


class Lab:
    def __init__(self):
        self.switch = Switch()
        self.lost = {}  # name: why it did not boot; it is not tried again

    def boot(self, name):
        try:
            if name in self.lost:
                raise self.lost[name]
            return self.booted(name)
        except Exception as error:
            self.lost[name] = error
            raise

    def booted(self, name):
        machine = Machine(self.switch, name, RELEASES[name],
                          f"{os.environ['MSG_LAB_MADE']}/{RELEASES[name]}",
                          "base" if name == "h1" else "servers")
        start_services(machine)
        return machine

    @functools.cached_property
    def h1(self):
        return self.boot("h1")

    @functools.cached_property
    def h2(self):
        return self.acquainted(self.boot("h2"))

    @functools.cached_property
    def h3(self):
        return self.acquainted(self.boot("h3"))

    def acquainted(self, host):
        """alice and root of h1 may send to the host, alice to everybody at once."""
        key = host.does("msgctl", "key", "--host").split()[-1]
        for user, rights in (("alice", ["--all", "--who"]), ("dave", [])):
            self.h1.does("msgctl", "trust", host.name, key, user=user)
            own = self.h1.does("msgctl", "key", user=user).split()[-1]
            host.does("msgctl", "authorize", own, user, "--rate=100000", *rights)
        eventually(lambda: self.h1.run("msgctl", "ping", host.name, user="alice").status == 0,
                   lambda: f"h1 to be known: {host.journal(*UNITS)}")
        return host


@functools.lru_cache(maxsize=None)
def lab():
    """The hosts; taken away with the namespaces of tests/lab/run."""
    return Lab()


def enable(host):
    """What `make enable` does after `make install`."""
    host.does("systemd-sysusers", "/usr/lib/sysusers.d/msgd.conf")
    host.does("systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/msgd.conf")
    host.does("systemctl", "daemon-reload")
    host.does("systemctl", "preset", "msgd.socket", "msgd-tcp.socket")
    host.does("systemctl", "start", "msgd.socket")


def start_services(host):
    host.write("/etc/msgd/msgd.conf", "[limits]\nmessages_a_minute = 100000\n")
    enable(host)
    host.does("systemctl", "enable", "--now", "msgd-tcp.socket")
    eventually(lambda: host.run("msgctl", "ping").status == 0,  # the first connection starts it
               lambda: f"msgd on {host.name}: {host.journal(*UNITS)}")


class OnBoth:
    """What on_both() makes of a test; Scenario puts tests in its place."""

    def __init__(self, test):
        self.test = test

    def on(self, name):
        @functools.wraps(self.test)
        def test(scenario):
            self.test(scenario, getattr(scenario.lab, name))
        test.host = name
        return test


def on_both(test):
    """The test, on each receiving host, which is its argument."""
    return OnBoth(test)


class Scenario(unittest.TestCase):
    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        for name in [name for name in dir(cls) if name.startswith("test")]:
            test = getattr(cls, name)
            if isinstance(test, OnBoth):
                setattr(cls, f"{name}_{PART}", test.on(PART))
            elif not FIRST and not hasattr(test, "host"):
                setattr(cls, name, None)  # not in this part

    @classmethod
    def setUpClass(cls):
        cls.lab = lab()

    def setUp(self):
        super().setUp()
        self.addCleanup(self.log_out_everybody)  # the last of the test's cleanups

    def log_out_everybody(self):
        """The next test finds nobody, and nothing of anybody's that still ends."""
        for name in ("h2", "h3"):
            host = vars(self.lab).get(name)
            if host:
                host.log_out_all()
                eventually(lambda: not self.known(host), lambda: f"nobody to be listed: {self.known(host)}")

    def send(self, host, *words, user="alice"):
        """msg from h1 to a host, with /V, under way."""
        target, *rest = words
        running = self.lab.h1.begin("msg", target, f"/SERVER:{host.name}", "/V", *rest, user=user)
        self.addCleanup(running.kill)
        return running

    def sent(self, host, *words, timeout=60, **options):
        return self.send(host, *words, **options).finish(timeout)

    def login(self, host, user="bob", mesg=True):
        """An ssh terminal, which msgd knows."""
        terminal = host.ssh(user)
        self.addCleanup(self.leave, host, terminal)
        if mesg is not None:
            terminal.run(f"chmod {'620' if mesg else '600'} $(tty)")  # mesg is not in every minimal system
        self.until_known(host, terminal.line)
        return terminal

    def console(self, host, user="bob"):
        """A virtual console at which user has logged in, which msgd knows."""
        console = Console(host, user)
        self.addCleanup(self.leave, host, console)
        console.run("chmod 620 $(tty)")
        self.until_known(host, console.line)
        return console

    def leave(self, host, terminal):
        """Ends it, and waits for its session to be gone: without its terminal that is still one."""
        before = self.known(host)
        own = before.get(terminal.line, {}).get("id")
        others = {s["name"] for s in before.values() if s["id"] == own} - {terminal.line}
        terminal.close()
        eventually(lambda: not {s["name"] for s in self.known(host).values()
                                if s["name"] == terminal.line or s["id"] == own} - others,
                   f"{terminal.line} to be gone")

    def known(self, host):
        """What msgd lists: {session name: its fields}."""
        listed = host.run("msgctl", "sessions", "--json")
        return {s["name"]: s for s in map(json.loads, listed.out.splitlines())}

    def desktop(self, host, user="bob", kind=Desktop, **options):
        """A desktop that msgd knows."""
        desktop = kind(host, user, **options)
        self.addCleanup(desktop.close)
        self.until_known(host, desktop.name)
        return desktop

    def tmux(self, host, user="bob", command="tmux -u"):
        """An ssh terminal with tmux on it; reached in tmux, as msgd knows."""
        terminal = self.login(host, user)
        self.addCleanup(host.run, "tmux", "kill-server", user=user)
        terminal.type(f"{command}\n")
        terminal.wait_for(r"\[\d+\] 0:")  # its status line: keys typed before tmux draws may be lost
        self.until_reached(host, terminal.line, "tmux")
        return terminal

    def until_reached(self, host, name, reach):
        eventually(lambda: self.known(host).get(name, {}).get("reach") == reach,
                   lambda: f"{name} on {host.name} to be reached by {reach}: {self.known(host)}")

    def helpers(self, host):
        """Processes that show something, or write it."""
        return host.pids("^[^ ]*msgd-popup")

    def no_helper_left(self, host):
        eventually(lambda: not self.helpers(host),
                   lambda: f"no helper to be left: {host.run('ps', 'axfo', 'user,pid,args').out}", 20)

    def watch(self, host):
        """Remembers which processes the services are; at the end they are the same, and all there is."""
        host.does("msgctl", "ping")
        before = self.services(host)
        self.addCleanup(lambda: self.assertEqual(self.services(host), before))
        self.addCleanup(self.no_helper_left, host)

    def services(self, host):
        return [host.does("systemctl", "show", "-P", "MainPID", unit).strip() for unit in UNITS]

    def peer(self, host, user):
        """A client of the user's own making, on msgd's Unix socket there."""
        connection = socket.socket(socket.AF_UNIX)
        folder = os.open(f"/proc/{host.leader}/root/run/msgd", os.O_PATH)  # no user may go this way
        try:
            with boundary.as_user(host.uids[user]):
                connection.connect(f"/proc/self/fd/{folder}/msgd.sock")
        finally:
            os.close(folder)
        peer = local_peer.LocalPeer.__new__(local_peer.LocalPeer)
        connection.settimeout(15)
        peer.adopt(connection)
        return peer

    def press(self, terminal, key, message, patience=20):
        """Presses a key now and then until the message has ended: it counts once all was still."""
        deadline = time.monotonic() + patience
        while message.process.poll() is None and time.monotonic() < deadline:
            terminal.type(key)
            try:
                message.process.wait(1.5)
            except Exception:
                continue

    def ends(self, message, status, *lines, timeout=30):
        """A message under way ends so, having told these lines."""
        outcome = message.finish(timeout)
        for line in lines:
            self.assertIn(line, outcome.out + outcome.err)
        self.assertEqual(outcome.status, status, outcome)
        return outcome

    def until_known(self, host, name):
        """And looked at again: logind tells of a login while it is opened, and of no end of that."""
        eventually(lambda: self.known(host).get(name, {"state": "opening"})["state"] != "opening",
                   lambda: f"{name} to be known on {host.name}: {host.run('msgctl', 'sessions')} "
                           f"{host.sessions()} {host.journal('msgd-present')}")

    def number(self, screen):
        """The number that a message's terminal shows."""
        return screen.wait_for(r"msg /ack (\d+)").group(1)
