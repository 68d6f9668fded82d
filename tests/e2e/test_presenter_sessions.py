# SPDX-License-Identifier: MIT
"""The session list: what utmp says, how far it is believed, and how it is told."""
import grp
import os
import shutil
import socket
import struct
import time

import boundary
from boundary import Msgd
from harness import AM_ROOT, stop
from presenter import Presenter, PresenterCase


class SessionTest(PresenterCase):
    def test_list_says_what_there_is(self):
        self.assertEqual(self.msgd.sessions(), {})
        one, two = self.terminal(host="192.0.2.7"), self.terminal(mesg=False)
        found = self.msgd.sessions()
        self.assertEqual(set(found), {one.line, two.line})
        session = found[one.line]
        self.assertEqual((session.uid, session.gid, session.user),
                         (self.me.uid, self.me.gid, self.me.name))
        self.assertEqual((session.name, session.place, session.id, session.from_, session.type),
                         (one.line, one.line, f"p{one.leader.pid}", "192.0.2.7", "tty"))
        self.assertEqual((session.reach, session.flags, session.why), (1, 0, ""))
        session = found[two.line]
        self.assertEqual((session.reach, session.flags, session.why),
                         (1, boundary.DISABLED, "messages-disabled"))

    def test_without_a_system_bus_it_is_said_once(self):
        self.end(self.presenter)
        terminal = self.terminal()
        path = os.path.join(self.folder, "other.sock")
        presenter = Presenter(self.folder, self.utmp, [
            "--system-bus", f"unix:path={self.folder}/none", "--socket", path, "--msgd-user",
            self.msgd_user.name])
        self.addCleanup(self.end, presenter)
        presenter.wait_for(f"on {path}")
        msgd = Msgd.connect(path, self.msgd_user.uid)
        self.addCleanup(msgd.close)
        self.assertEqual(msgd.sessions()[terminal.line].reach, 1)
        time.sleep(5.5)  # it is tried again
        self.assertEqual(presenter.log.count("logind: the system bus: No such file"), 1)

    def test_changes_come_by_themselves(self):
        self.msgd.sessions()
        terminal = self.terminal()
        added = self.msgd.expect(boundary.SESSION, change=boundary.ADDED, terminal=terminal.line)
        terminal.mesg(False)
        changed = self.msgd.expect(boundary.SESSION, change=boundary.CHANGED, handle=added.handle)
        self.assertEqual(changed.why, "messages-disabled")
        terminal.hang_up()
        self.msgd.expect(boundary.SESSION, change=boundary.GONE, handle=added.handle)
        self.assertEqual(self.msgd.sessions(), {})

    def test_logins_and_logouts_are_seen_at_once(self):
        terminals = [self.terminal(utmp=False) for _ in range(3)]
        self.msgd.sessions()
        for _ in range(2):
            took = []
            for terminal in terminals:
                started = time.monotonic()
                self.utmp.add(terminal.line, terminal.leader.pid, self.me.name)
                added = self.msgd.expect(boundary.SESSION, change=boundary.ADDED,
                                         terminal=terminal.line)
                self.utmp.remove(terminal.line, terminal.leader.pid)
                self.msgd.expect(boundary.SESSION, change=boundary.GONE, handle=added.handle)
                took.append(time.monotonic() - started)
            # The best of three, since others may be at work here: by a look a second each took one.
            self.assertLess(min(took), 0.5)
            os.rename(self.utmp.path, self.utmp.path + ".old")  # replaced: watched again soon
            shutil.copy(self.utmp.path + ".old", self.utmp.path)
            time.sleep(1.3)

    def test_nothing_is_told_to_one_who_has_not_asked(self):
        self.terminal()
        time.sleep(1.5)
        self.assertIsNone(self.msgd.receive(1.5))

    def test_handles_are_never_used_again(self):
        terminal = self.terminal()
        first = self.msgd.handle(terminal.line)
        stop(terminal.leader)
        self.msgd.expect(boundary.SESSION, change=boundary.GONE, handle=first)
        # the same name again: another leader, another login
        leader = self.me.popen(["sleep", "1000"])
        self.addCleanup(stop, leader)
        self.utmp.add(terminal.line, leader.pid, self.me.name)
        second = self.msgd.handle(terminal.line)
        self.assertGreater(second, first)
        self.reconnect()
        self.assertEqual(self.msgd.handle(terminal.line), second)
        delivery = self.msgd.present(first, "for one who has left")
        self.msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.SESSION_GONE)
        self.assertEqual(terminal.bytes(), b"")

    def test_same_leader_logged_in_again_is_another_session(self):
        terminal = self.terminal()
        first = self.msgd.handle(terminal.line)
        time.sleep(0.01)
        self.utmp.add(terminal.line, terminal.leader.pid, self.me.name)
        self.msgd.expect(boundary.SESSION, change=boundary.GONE, handle=first)
        self.assertGreater(self.msgd.handle(terminal.line), first)

    def test_many_sessions_and_many_lists(self):
        leader = self.me.popen(["sleep", "1000"])
        self.addCleanup(stop, leader)
        pairs = []
        for _ in range(150):
            pairs.append(os.openpty())
            line = os.ttyname(pairs[-1][1])[len("/dev/"):]
            if AM_ROOT:
                os.fchown(pairs[-1][1], self.me.uid, grp.getgrnam("tty").gr_gid)
            os.fchmod(pairs[-1][1], 0o620)
            self.utmp.add(line, leader.pid, self.me.name)
        self.addCleanup(lambda: [os.close(fd) for pair in pairs for fd in pair])
        self.assertEqual(len(self.msgd.sessions()), 150)
        for _ in range(10):  # asked for before any is read: ten lists, each whole
            self.msgd.send(boundary.SESSIONS, 0)
        time.sleep(1)
        for _ in range(10):
            self.assertEqual(self.msgd.expect(boundary.END).count, 150)
        stop(leader)  # all at once
        gone = set()
        while len(gone) < 150:
            gone.add(self.msgd.expect(boundary.SESSION, change=boundary.GONE).handle)
        self.assertEqual(self.msgd.sessions(), {})

    def test_one_who_asks_and_never_reads_is_closed(self):
        self.msgd.sock.settimeout(1)
        with self.assertRaises((TimeoutError, socket.timeout)):  # it is not read any more
            for _ in range(100000):
                self.msgd.send(boundary.SESSIONS, 0)
        self.presenter.wait_for("it takes nothing", timeout=35)
        self.reconnect()
        self.assertEqual(self.msgd.sessions(), {})


class UtmpTest(PresenterCase):
    def absent(self, line):
        """There is no session there, and another that was added later is seen."""
        other = self.terminal()
        self.msgd.handle(other.line)
        self.assertNotIn(line, self.msgd.sessions())

    def record(self, line, pid=None, user=None, **options):
        leader = self.me.popen(["sleep", "1000"])
        self.addCleanup(stop, leader)
        self.utmp.add(line, leader.pid if pid is None else pid, user or self.me.name, **options)

    def test_lines_that_are_no_terminals(self):
        victim = self.terminal(utmp=False)
        number = victim.line.split("/")[1]
        link = os.path.join(self.folder, "link")
        os.symlink(victim.path, link)
        for line in (f"../{victim.path}", f"/dev/{victim.line}", f"pts/0{number}", f"pts/{number} ",
                     f"pts/../pts/{number}", f"pts//{number}", f"pts/+{number}", f"pts/{number}x",
                     "pts/", "tty", "tty0", "tty64", "ttyS0", "console", "null", "ptmx", ":0", "",
                     os.path.relpath(link, "/dev")[:32]):
            self.record(line)
        self.absent(victim.line)
        self.assertEqual(len(self.msgd.sessions()), 1)

    def test_records_that_do_not_count(self):
        lines = [self.terminal(utmp=False).line for _ in range(4)]
        dead = self.me.popen(["true"])
        dead.wait()
        self.record(lines[0], kind=6)
        self.record(lines[1], pid=dead.pid)
        self.record(lines[2], user="no-such-user-here")
        self.record(lines[3], pid=-1)
        self.record("pts/9999999")
        self.absent(lines[0])
        self.assertEqual(len(self.msgd.sessions()), 1)

    def test_terminal_of_somebody_else(self):
        victim = self.terminal(utmp=False)
        self.record(victim.line, user="nobody")
        self.absent(victim.line)
        if AM_ROOT:  # and the other way round: my record, his terminal
            theirs = self.terminal(self.user(), utmp=False)
            self.record(theirs.line)
            self.absent(theirs.line)

    def test_two_records_of_one_terminal_are_one_session(self):
        terminal = self.terminal()
        with open(self.utmp.path, "rb") as f:
            old = bytearray(f.read())
        old[340:344] = struct.pack("=i", 1000)  # of long ago
        with open(self.utmp.path, "ab") as f:
            f.write(old)
        sessions = self.msgd.sessions()
        self.assertEqual(list(sessions), [terminal.line])
        handle = sessions[terminal.line].handle
        time.sleep(1.2)
        self.assertEqual(self.msgd.handle(terminal.line), handle)

    def test_files_that_are_not_believed(self):
        terminal = self.terminal()
        self.msgd.handle(terminal.line)
        os.chmod(self.utmp.path, 0o646)
        self.presenter.wait_for("it is writable by everybody")
        self.assertEqual(self.msgd.sessions(), {})
        os.chmod(self.utmp.path, 0o664)
        self.presenter.wait_for("it is writable by a group that is not utmp")
        os.chmod(self.utmp.path, 0o644)
        self.msgd.handle(terminal.line)
        if AM_ROOT:
            os.chown(self.utmp.path, self.msgd_user.uid, -1)
            self.presenter.wait_for("it is neither root's nor ours")
            os.chown(self.utmp.path, 0, grp.getgrnam("utmp").gr_gid)
            os.chmod(self.utmp.path, 0o664)
            self.msgd.handle(terminal.line)
        os.rename(self.utmp.path, self.utmp.path + ".old")
        os.symlink(self.utmp.path + ".old", self.utmp.path)
        self.presenter.wait_for("it cannot be opened")
        os.unlink(self.utmp.path)
        os.mkfifo(self.utmp.path, 0o644)
        self.presenter.wait_for("it is not a regular file")
        os.unlink(self.utmp.path)
        self.assertEqual(self.msgd.sessions(), {})
        os.rename(self.utmp.path + ".old", self.utmp.path)
        self.msgd.handle(terminal.line)

    def test_a_cut_or_garbled_file_is_survived(self):
        terminal = self.terminal()
        self.msgd.handle(terminal.line)
        with open(self.utmp.path, "ab") as f:
            f.write(os.urandom(384 * 20 + 17))
        self.msgd.handle(terminal.line)
        os.truncate(self.utmp.path, 100)
        self.assertEqual(self.msgd.sessions(), {})
