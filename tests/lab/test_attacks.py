# SPDX-License-Identifier: MIT
"""What one user of a host tries with another's messages, and with the presenter."""
import os
import secrets
import socket
import time

import boundary
import local_peer
from harness import Utmp, eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class OthersMessages(Scenario):
    """carol, who is logged in beside bob, goes for his message."""

    def waiting(self, host, text=TEXT):
        bob, carol = self.login(host), self.login(host, "carol")
        message = self.send(host, "bob", "/TIME:60", "/W", text)
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
        bob, carol, message, number = self.waiting(host, text := f"For bob's eyes, {secrets.token_hex(8)}")
        self.assertIn(text, bob.run(f"msg /list {number}")[0])
        for command in ("msg /list", f"msg /list {number}"):
            self.assertNotIn(text, carol.run(command)[0])
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
        bob.type("script -q /dev/null\n")  # a terminal of his that is no session's
        bob.wait_for(r"script -q /dev/null\n\$ ")  # its shell's prompt
        inner = bob.run("tty")[0].strip()[len("/dev/"):]
        self.assertNotEqual(inner, bob.line)
        self.forged(host, inner, "carol", pid)
        self.forged(host, bob.line, "carol", pid)
        self.forged(host, "pts/1/../" + carol.line[4:], "carol", pid)
        self.forged(host, "../etc/passwd", "carol", pid)
        self.ends(self.send(host, "carol", TEXT), 0, f"session {carol.line}\n")
        carol.wait_for(TEXT)
        known = self.known(host)
        self.assertEqual((known[bob.line]["user"], inner in known), ("bob", False), known)
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

    def until_free(self, host, line):
        """Until the next login gets the terminal: sshd and the shell end after ssh has."""
        eventually(lambda: not os.path.exists(f"/proc/{host.leader}/root/dev/{line}"), f"{line} to be free")

    @on_both
    def test_terminal_that_is_used_again(self, host):
        bob = self.login(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        self.number(bob)
        line = bob.line
        bob.close()
        self.ends(message, 3, f"Session {line} ended before user response")
        self.until_free(host, line)
        carol = self.login(host, "carol")
        self.assertEqual(carol.line, line)
        self.ends(self.send(host, "bob", "/W", "Only for bob."), 1, "does not exist or is disconnected")
        self.ends(self.send(host, "carol", "For carol."), 0)
        carol.wait_for("For carol.")
        self.assertNotIn("Only for bob.", carol.screen())
        self.assertNotIn(TEXT, carol.screen())

    def login_as(self, host, user, pid):
        """A login of which that process is the leader: its number is the next one that is free there."""
        for _ in range(20):
            host.next_pid(pid)
            terminal = host.ssh(user)
            if any(s["Leader"] == str(pid) for s in host.sessions().values()):
                return terminal
            terminal.close()
            self.until_free(host, terminal.line)
        self.fail(f"{user} never got the number {pid}")

    @on_both
    def test_number_of_a_leader_that_is_used_again(self, host):
        """While the presenter looks away, carol gets what bob's login was known by."""
        bob = self.login(host)
        leader = int(next(s["Leader"] for s in host.sessions().values() if s["Name"] == "bob"))
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        number, line = self.number(bob), bob.line
        presenter = host.does("systemctl", "show", "-P", "MainPID", "msgd-present.service").strip()
        host.does("kill", "-STOP", presenter)
        self.addCleanup(host.run, "kill", "-CONT", presenter)
        host.does("kill", "-KILL", str(leader))
        bob.close()
        self.until_free(host, line)
        carol = self.login_as(host, "carol", leader)
        self.addCleanup(self.leave, host, carol)
        self.assertEqual(carol.line, line)
        if os.path.exists(f"/proc/{host.leader}/root/run/utmp"):
            self.forged(host, line, "bob", leader)
        host.does("kill", "-CONT", presenter)
        self.ends(message, 3, f"Session {line} ended before user response")
        self.until_known(host, line)
        self.assertEqual(self.known(host)[line]["user"], "carol")
        self.assertEqual(carol.run(f"msg /ack {number}")[1], 1)
        self.ends(self.send(host, "bob", TEXT), 1, "does not exist or is disconnected")
        self.assertNotIn(TEXT, carol.screen())
        self.ends(self.send(host, "carol", "For carol."), 0)
        carol.wait_for("For carol.")

    def replaced_bus(self, host, link):
        """bob puts something else in the place of his bus."""
        bob = self.desktop(host)
        bus = f"/run/user/{host.uids['bob']}/bus"
        host.does("sh", "-c", f"mv {bus} {bus}.real; ln -s {link} {bus}", user="bob")
        self.addCleanup(host.run, "sh", "-c", f"rm -f {bus}; mv {bus}.real {bus}", user="bob")
        return bob

    def eavesdropper(self, host):
        """The path of a socket of carol's that takes everybody in, and what tells all that it hears."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        folder = os.open(f"/proc/{host.leader}/root/tmp", os.O_PATH)
        self.addCleanup(host.does, "rm", "/tmp/eavesdropper")
        with boundary.as_user(host.uids["carol"]):
            listener.bind(f"/proc/self/fd/{folder}/eavesdropper")
            os.chmod(f"/proc/self/fd/{folder}/eavesdropper", 0o777)
            listener.listen(9)
        os.close(folder)
        listener.settimeout(0.5)

        def heard():
            data = b""
            try:
                while True:
                    with listener.accept()[0] as caller:
                        caller.settimeout(0.5)
                        data += caller.recv(9)
            except TimeoutError:
                return data
        return "/tmp/eavesdropper", heard

    @on_both
    def test_bus_replaced_by_anothers(self, host):
        path, heard = self.eavesdropper(host)
        bob = self.replaced_bus(host, path)
        self.ends(self.send(host, "bob", "/W", "/TIME:60", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)
        self.assertEqual(heard(), b"")

    @on_both
    def test_bus_replaced_by_the_systems(self, host):
        bob = self.replaced_bus(host, "/run/dbus/system_bus_socket")
        self.ends(self.send(host, "bob", "/W", "/TIME:60", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)

    @on_both
    def test_tmux_socket_replaced_by_anothers(self, host):
        bob = self.tmux(host)
        path, heard = self.eavesdropper(host)
        own = f"/tmp/tmux-{host.uids['bob']}/default"
        host.does("sh", "-c", f"mv {own} /tmp/bobs; ln -s {path} {own}", user="bob")
        self.addCleanup(host.run, "mv", "/tmp/bobs", own, user="bob")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        bob.wait_for(TEXT)  # written to his terminal, since his tmux cannot be asked
        self.assertEqual(heard(), b"")
        message.interrupt()
        self.ends(message, 130)
