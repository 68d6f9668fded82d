# SPDX-License-Identifier: MIT
"""Too many of something: what the presenter has little of runs out for the newest, not for all."""
import grp
import os
import platform
import resource
import subprocess
import sys
import time
import unittest

import boundary
from harness import AM_ROOT, eventually, stop
from presenter import Presenter, PresenterCase

DESCRIPTORS = 500
USER_SESSIONS = 256  # of limits.h

# The owner of a terminal holds its lock in the kernel: one process reads into memory whose page
# never comes (userfaultfd here; a file of his own file system would do), the other changes the line
# discipline, which waits five seconds for the first.
STALL = r'''
import ctypes, fcntl, os, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
tty = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
reader = os.fork()
if reader == 0:
    fault = libc.syscall(323, os.O_CLOEXEC)
    if fault < 0:
        os._exit(1)
    fcntl.ioctl(fault, 0xc018aa3f, struct.pack("=QQQ", 0xaa, 0, 0))
    page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
    fcntl.ioctl(fault, 0xc020aa00, struct.pack("=QQQQ", page, 4096, 1, 0))
    print("ready", flush=True)
    libc.read(tty, ctypes.c_void_p(page), 16)
    os._exit(1)
sys.stdin.readline()
end = os.fork()
while end == 0:
    libc.ioctl(tty, 0x5423, ctypes.byref(ctypes.c_int(27)))
print("stalled", flush=True)
sys.stdin.readline()
os.kill(end, signal.SIGKILL)
os.kill(reader, signal.SIGKILL)
'''


def spent(pid):
    """Seconds of a processor that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ManyNamesTest(PresenterCase):
    def test_names_are_looked_up_in_few_looks(self):
        """Each answer by itself would be a look at the whole file: the square of their number."""
        terminal = self.terminal()
        handle = self.msgd.handle(terminal.line)
        before = spent(self.presenter.process.pid)
        with open(self.utmp.path, "ab") as f:
            for number in range(2000):  # of long ago: the real login is the later one
                f.write(self.utmp.RECORD.pack(7, terminal.leader.pid, terminal.line.encode(), b"",
                                              b"nobody%d" % number, b"", 0, 0, 0, 1000, 0, 0, 0, 0, 0))
        for _ in range(20):
            self.assertEqual(self.msgd.handle(terminal.line), handle)
            time.sleep(0.25)
        self.assertLess(spent(self.presenter.process.pid) - before, 8)


@unittest.skipUnless(platform.machine() == "x86_64", "numbers of x86-64's system calls")
@unittest.skipUnless(os.geteuid() == 0, "userfaultfd for the kernel's own faults is root's")
class StalledTerminalTest(PresenterCase):
    def stall(self, terminal):
        """From now on nobody can open the terminal for some seconds."""
        process = subprocess.Popen([sys.executable, "-c", STALL, terminal.path], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.communicate, "\n\n")
        if process.stdout.readline() != "ready\n":
            self.skipTest("no userfaultfd here")
        terminal.type("x\n")
        time.sleep(0.3)
        process.stdin.write("\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "stalled\n")
        time.sleep(0.3)

    def test_a_terminal_that_cannot_be_opened_holds_up_nobody(self):
        stalled, other = self.terminal(), self.terminal()
        self.msgd.handle(other.line)
        sessions = {line: self.msgd.handle(line) for line in (stalled.line, other.line)}
        self.stall(stalled)
        for flags in (0, boundary.OVERRIDE):
            started = time.monotonic()
            held = self.msgd.present(sessions[stalled.line], "hello", flags)
            served = self.msgd.present(sessions[other.line], "hello", flags)
            self.msgd.expect(boundary.SHOWN, delivery=served)  # it comes before the other's end
            ended = self.msgd.expect(boundary.ENDED, delivery=held)
            self.assertEqual((ended.how, ended.why), (boundary.FAILED, "terminal-stopped"))
            self.assertTrue(1.9 < time.monotonic() - started < 3.5)


class CrowdCase(PresenterCase):
    def crowd(self, count):
        """So many terminals of one leader, in utmp at once."""
        leader = self.me.popen(["sleep", "1000"])
        self.addCleanup(stop, leader)
        pairs = [os.openpty() for _ in range(count)]
        self.addCleanup(lambda: [os.close(fd) for pair in pairs for fd in pair])
        for _, slave in pairs:
            if AM_ROOT:
                os.fchown(slave, self.me.uid, grp.getgrnam("tty").gr_gid)
            os.fchmod(slave, 0o620)
            self.utmp.add(os.ttyname(slave)[len("/dev/"):], leader.pid, self.me.name)


class CrowdTest(CrowdCase):
    @unittest.skipUnless(AM_ROOT, "needs root: two users")
    def test_nobody_fills_the_list_alone(self):
        self.crowd(USER_SESSIONS + 50)
        other = self.terminal(self.user("mc"))
        eventually(lambda: other.line in self.msgd.sessions(), "the other's session")
        mine = [s for s in self.msgd.sessions().values() if s.uid == self.me.uid]
        self.assertEqual(len(mine), USER_SESSIONS)
        delivery = self.msgd.present(self.msgd.handle(other.line), "hello")
        self.msgd.expect(boundary.SHOWN, delivery=delivery)


class FewDescriptorsTest(CrowdCase):
    def start(self):
        path = os.path.join(self.folder, "present.sock")
        few = (DESCRIPTORS, DESCRIPTORS)
        presenter = Presenter(self.folder, self.utmp, ["--socket", path, "--msgd-user",
                                                       self.msgd_user.name],
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few))
        self.addCleanup(self.end, presenter)
        presenter.wait_for("listens for msgd")
        return presenter

    def test_more_sessions_than_descriptors(self):
        first = self.terminal()
        handle = self.msgd.handle(first.line)
        waiting = self.msgd.present(handle, "hello", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=waiting)
        self.crowd(DESCRIPTORS + 20)
        self.presenter.wait_for("more sessions than")
        self.msgd.nothing(3)  # three looks later what was up is still up
        listed = self.msgd.sessions()
        self.assertEqual(listed[first.line].handle, handle)
        self.assertLess(len(listed), DESCRIPTORS)
        for flags in (0, boundary.OVERRIDE):
            self.msgd.expect(boundary.SHOWN, delivery=self.msgd.present(handle, "again", flags))
        self.reconnect()
        self.assertEqual(self.msgd.handle(first.line), handle)

    def test_no_descriptor_for_a_connection(self):
        self.msgd.close()
        self.presenter.wait_for("msgd has gone")
        pid = self.presenter.process.pid
        now = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (now, DESCRIPTORS))
        terminal = self.terminal()
        msgd = boundary.Msgd.connect(self.presenter.socket, self.msgd_user.uid, greet=False)
        self.addCleanup(msgd.close)
        before = spent(pid)
        time.sleep(2)
        self.assertLess(spent(pid) - before, 1)  # it does not turn in circles
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        self.assertEqual(msgd.receive().verb, boundary.HELLO)
        msgd.close()
        self.msgd = eventually(self.connect, "a connection")
        self.msgd.handle(terminal.line)

    def tearDown(self):
        resource.prlimit(self.presenter.process.pid, resource.RLIMIT_NOFILE,
                         (DESCRIPTORS, DESCRIPTORS))

    def test_none_for_a_while_ends_no_session(self):
        handle = self.msgd.handle(self.terminal().line)
        pid = self.presenter.process.pid
        self.msgd.expect(boundary.SHOWN, delivery=self.msgd.present(handle, "hello", boundary.WAIT))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1, DESCRIPTORS))
        self.presenter.wait_for("cannot be read for now")
        self.msgd.nothing(2, of=(boundary.ENDED, boundary.SESSION))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        self.assertEqual([s.handle for s in self.msgd.sessions().values()], [handle])
