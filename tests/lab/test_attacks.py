# SPDX-License-Identifier: MIT
"""What one user of a host tries with another's messages, and with the presenter."""
import os
import secrets
import socket
import time

import boundary
import local_peer
from harness import Utmp
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class OthersMessages(Scenario):
    """carol, who is logged in beside bob, goes for his message."""

    def waiting(self, host):
        bob, carol = self.login(host), self.login(host, "carol")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        return bob, carol, message, self.number(bob)

    def still_waits(self, bob, message, number):
        self.assertIsNone(message.process.poll())
        bob.run(f"msg /ack {number}")
        self.ends(message, 0, f"Message to session {bob.line} responded to by user")

    @on_both
    def test_acknowledged_by_another(self, host):
        bob, carol, message, number = self.waiting(host)
        for word in (number, ""):
            self.assertEqual(carol.run(f"msg /ack {word}")[1], 1)
        self.assertEqual(host.run("msg", "/ack", number).status, 1)  # root
        self.still_waits(bob, message, number)

    @on_both
    def test_read_by_another(self, host):
        bob, carol, message, number = self.waiting(host)
        for command in ("msg /list", f"msg /list {number}"):
            self.assertNotIn(TEXT, carol.run(command)[0])
        self.still_waits(bob, message, number)

    @on_both
    def test_withdrawn_by_another(self, host):
        bob, uid = self.login(host), secrets.token_bytes(16)
        self.login(host, "carol")
        with self.peer(host, "alice") as alice, self.peer(host, "carol") as carol:
            sent = alice.request(local_peer.SEND, {"uid": uid, "to": [{"name": "bob"}], "text": TEXT,
                                                   "wait": True})
            number = self.number(bob)
            for kind in (local_peer.CANCEL, local_peer.ATTACH):
                *_, (kind, _, body) = carol.answers(carol.request(kind, {"uid": uid}))
                self.assertEqual((kind, body["code"]), (local_peer.ERROR, "unknown-uid"))
            bob.run(f"msg /ack {number}")
            *_, (kind, _, body) = alice.answers(sent)
            self.assertEqual((kind, body["n"]), (local_peer.RESULT, {"acknowledged": 1}))
        self.assertNotIn("withdrawn", bob.screen())

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

    @on_both
    def test_helpers_are_not_traced(self, host):
        bob = self.desktop(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        box = bob.shown()
        helper, = self.helpers(host)
        for file in ("mem", "environ", "fd"):
            seen = host.run("sh", "-c", f"cat /proc/{helper}/{file} || ls /proc/{helper}/{file}", user="bob")
            self.assertIn("Permission denied", seen.err)
        bob.say_yes(box)
        self.ends(message, 0)


class ThePresenter(Scenario):
    """What it is told by files and sockets that others can write."""

    def forged(self, host, line, user, pid):
        """A line in the host's utmp, added by who may write it."""
        now = time.time()
        record = Utmp.RECORD.pack(Utmp.USER_PROCESS, pid, line.encode(), line.encode()[-4:],
                                  user.encode(), b"", 0, 0, pid, int(now), 0, 0, 0, 0, 0)
        with open(f"/proc/{host.leader}/root/run/utmp", "ab") as f:
            f.write(record)

    def test_forged_line_with_a_foreign_terminal(self):
        host = self.lab.h2  # Debian 13 has no utmp
        bob, carol = self.login(host), self.login(host, "carol")
        pid = int(carol.run("echo $$")[0])
        self.forged(host, bob.line, "carol", pid)
        self.forged(host, "pts/1/../" + carol.line[4:], "carol", pid)
        self.forged(host, "../etc/passwd", "carol", pid)
        self.ends(self.send(host, "carol", TEXT), 0, f"session {carol.line}\n")
        carol.wait_for(TEXT)
        self.assertEqual({s["user"] for name, s in self.known(host).items() if name == bob.line}, {"bob"})
        self.assertNotIn(TEXT, bob.screen())

    def test_file_of_logins_that_anybody_may_write(self):
        host = self.lab.h2
        bob = self.login(host)
        self.addCleanup(host.does, "chmod", "664", "/run/utmp")
        host.does("chmod", "666", "/run/utmp")
        self.forged(host, "pts/77", "dave", 1)
        self.ends(self.send(host, "dave", TEXT), 1, "dave does not exist or is disconnected")
        self.ends(self.send(host, "bob", TEXT), 0)
        bob.wait_for(TEXT)

    @on_both
    def test_terminal_that_is_used_again(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        self.number(bob)
        line = bob.line
        bob.close()
        self.ends(message, 3, f"Session {line} ended before user response")
        carol = self.login(host, "carol")
        self.assertEqual(carol.line, line)
        self.ends(self.send(host, "bob", "/W", "Only for bob."), 1, "does not exist or is disconnected")
        self.ends(self.send(host, "carol", "For carol."), 0)
        carol.wait_for("For carol.")
        self.assertNotIn("Only for bob.", carol.screen())
        self.assertNotIn(TEXT, carol.screen())

    def replaced_bus(self, host, link):
        """bob puts something else in the place of his bus."""
        bob = self.desktop(host)
        bus = f"/run/user/{host.uids['bob']}/bus"
        host.does("sh", "-c", f"mv {bus} {bus}.real; ln -s {link} {bus}", user="bob")
        self.addCleanup(host.run, "sh", "-c", f"rm -f {bus}; mv {bus}.real {bus}", user="bob")
        return bob

    @on_both
    def test_bus_replaced_by_anothers(self, host):
        carol = self.desktop(host, "carol", display=":6")
        bob = self.replaced_bus(host, f"/run/user/{host.uids['carol']}/bus")
        self.ends(self.send(host, "bob", "/W", "/TIME:60", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)
        self.assertIsNone(carol.popup())

    @on_both
    def test_bus_replaced_by_the_systems(self, host):
        bob = self.replaced_bus(host, "/run/dbus/system_bus_socket")
        self.ends(self.send(host, "bob", "/W", "/TIME:60", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)

    @on_both
    def test_tmux_socket_replaced_by_anothers(self, host):
        bob, carol = self.tmux(host), self.tmux(host, "carol")
        folder, foreign = (f"/tmp/tmux-{host.uids[user]}/default" for user in ("bob", "carol"))
        host.does("sh", "-c", f"mv {folder} {folder}.real; ln -s {foreign} {folder}", user="bob")
        self.addCleanup(host.run, "mv", f"{folder}.real", folder, user="bob")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.wait_for(TEXT)  # written to his terminal, since his tmux cannot be asked
        self.assertNotIn(TEXT, carol.screen())
        message.interrupt()
        self.ends(message, 130)
        self.assertNotIn(TEXT, carol.screen())
