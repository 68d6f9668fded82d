# SPDX-License-Identifier: MIT
"""What people see, and what msgd is told of it."""
import grp
import os
import re
import socket
import time
import unittest

import boundary
from boundary import Msgd
from harness import AM_ROOT, eventually
from presenter import Presenter, PresenterCase


class ShowTest(PresenterCase):
    def setUp(self):
        super().setUp()
        self.term = self.terminal()
        self.session = self.msgd.handle(self.term.line)

    def test_the_popup(self):
        delivery = self.msgd.present(self.session, "The server goes down at 18:00.", boundary.WAIT)
        self.assertEqual(self.msgd.expect(boundary.SHOWN, delivery=delivery).reach, 1)
        self.term.wait_for("/ack 7\n")
        host = socket.gethostname().split(".")[0]
        self.assertEqual(self.term.bytes().count(b"\a"), 1)
        self.assertRegex(self.term.screen(), re.compile(
            rf"\A\nMessage from alice \(network, 192.0.2.5\) to {self.me.name} on {host}, "
            r"\d\d:\d\d\n\| The server goes down at 18:00.\n"
            r"To confirm that you have read this, type: msg /ack 7\n\Z"))

    def test_a_terminal_that_may_not_read_utf8(self):
        """Its bytes 80 to 9F are controls there: U+205B would begin a control sequence."""
        for utf8, text in ((True, "| gr\u00fc\u00dfe \u205b2J\n"), (False, "| gr\u00fc<U+00DF>e <U+205B>2J\n")):
            self.term.clear()
            self.term.say_utf8(utf8)
            delivery = self.msgd.present(self.session, "gr\u00fc\u00dfe \u205b2J")
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
            eventually(lambda: text in self.term.screen(), self.term.screen)

    def test_a_message_nobody_waits_for_is_over_once_shown(self):
        delivery = self.msgd.present(self.session, "hello", title="greetings", life_ms=300)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.term.wait_for("Title: greetings\n[|] hello\n")
        self.msgd.nothing(1.0)
        self.msgd.withdraw(delivery)
        self.msgd.nothing(0.3)
        self.assertNotIn("withdrawn", self.term.screen())
        self.assertNotIn("/ack", self.term.screen())

    def test_withdrawn_leaves_a_line(self):
        for why, line in ((boundary.BY_SENDER, "[7] withdrawn\n"),
                          (boundary.ANSWERED, "[7] answered elsewhere\n"),
                          (boundary.STOP, "[7] withdrawn\n")):
            self.term.clear()
            delivery = self.msgd.present(self.session, "hello", boundary.WAIT)
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
            self.msgd.withdraw(delivery, why)
            eventually(lambda: self.term.screen().endswith("/ack 7\n\n" + line), self.term.screen)
            self.msgd.withdraw(delivery, why)  # not known any more
        self.msgd.nothing()

    def test_withdrawn_in_silence_leaves_none(self):
        delivery = self.msgd.present(self.session, "hello", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.msgd.withdraw(delivery, boundary.SILENT)
        self.msgd.nothing()
        self.assertTrue(self.term.screen().endswith("/ack 7\n"))

    def test_time_over(self):
        started = time.monotonic()
        delivery = self.msgd.present(self.session, "hello", boundary.WAIT, life_ms=2000)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.TIMED_OUT, "no-answer"))
        self.assertTrue(1.99 < time.monotonic() - started < 3.3)
        time.sleep(0.2)
        self.assertTrue(self.term.screen().endswith("/ack 7\n"))

    def test_hangup(self):
        # the leader outlives its terminal
        held = self.terminal(leader=("sh", "-c", "trap '' HUP; while :; do sleep 1; done"))
        delivery = self.msgd.present(self.msgd.handle(held.line), "hello", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        held.pause()
        time.sleep(0.3)
        os.close(held.master)
        held.master = -1
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.SESSION_GONE, "hangup"))
        self.assertIsNone(held.leader.poll())

    def test_hangup_while_it_is_tried(self):
        held = self.terminal(leader=("sh", "-c", "trap '' HUP; while :; do sleep 1; done"))
        session = self.msgd.handle(held.line)
        held.type_ctrl_s()
        delivery = self.msgd.present(session, "hello")
        held.pause()
        time.sleep(0.5)
        os.close(held.master)
        held.master = -1
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.SESSION_GONE, "hangup"))

    def test_leader_killed(self):
        """At once: by a look a second each but the first takes one. Others may be at work here."""
        terminals, took = [self.term, self.terminal(), self.terminal()], []
        handles = [self.msgd.handle(terminal.line) for terminal in terminals]
        deliveries = []
        for handle in handles:
            deliveries.append(self.msgd.present(handle, "hello", boundary.WAIT))
            self.msgd.expect(boundary.SHOWN, delivery=deliveries[-1])
        for terminal, delivery in zip(terminals, deliveries):
            started = time.monotonic()
            terminal.leader.kill()
            terminal.leader.wait()
            ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
            self.assertEqual((ended.how, ended.why), (boundary.SESSION_GONE, "logout"))
            took.append(time.monotonic() - started)
        self.assertLess(min(took[1:]), 0.5)

    def test_record_removed(self):
        delivery = self.msgd.present(self.session, "hello", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.utmp.remove(self.term.line, self.term.leader.pid)
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.SESSION_GONE, "logout"))

    def check_stopped(self):
        handle = self.msgd.handle(self.terminal().line)
        since = time.monotonic()
        delivery = self.msgd.present(self.session, "hello")
        served = self.msgd.present(handle, "not delayed by the stopped one")
        self.msgd.expect(boundary.SHOWN, delivery=served)  # it comes before the other's end
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.FAILED, "terminal-stopped"))
        self.assertTrue(1.9 < time.monotonic() - since < 3.5, time.monotonic() - since)

    def test_terminal_stopped_by_ctrl_s(self):
        self.term.type_ctrl_s()
        self.check_stopped()
        self.assertEqual(self.term.screen(), "")

    def fill(self):
        self.term.pause()
        time.sleep(0.4)
        fd = os.open(self.term.path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        refused = 0
        while refused < 10:  # what is taken moves on to the reader's side, and makes room again
            try:
                os.write(fd, b"x" * (4096 if refused == 0 else 1))
                refused = 0
            except BlockingIOError:
                refused += 1
                time.sleep(0.03)
        os.close(fd)

    def test_terminal_that_nobody_reads(self):
        self.fill()
        self.check_stopped()

    def test_terminal_that_goes_on_in_time(self):
        self.fill()
        deliveries = [self.msgd.present(self.session, f"text {n}") for n in range(5)]
        self.msgd.nothing(1.0)
        self.term.resume()
        for delivery in deliveries:
            self.msgd.expect(boundary.SHOWN, delivery=delivery, timeout=2)
        self.term.wait_for("text 4\n")
        order = re.findall(r"[|] text (\d)\n", self.term.screen())
        self.assertEqual(order, list("01234"))

    def test_withdrawn_before_it_is_shown(self):
        self.term.type_ctrl_s()
        delivery = self.msgd.present(self.session, "hello", boundary.WAIT)
        time.sleep(0.2)
        self.msgd.withdraw(delivery)
        self.term.type("\x11")
        self.msgd.nothing(2.5)
        self.assertEqual(self.term.screen(), "")

    def test_not_shown_in_its_time(self):
        self.term.type_ctrl_s()
        delivery = self.msgd.present(self.session, "hello", life_ms=500)
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.TIMED_OUT, "not-shown"))

    def test_mesg_n_holds_for_ones_own_terminal_too(self):
        self.term.mesg(False)
        delivery = self.msgd.present(self.session, "hello")
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.FAILED, "messages-disabled"))
        self.assertEqual(self.term.bytes(), b"")

    def test_override_on_ones_own_terminal(self):
        self.term.mesg(False)
        delivery = self.msgd.present(self.session, "hello", boundary.OVERRIDE | boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.term.wait_for("[|] hello\n")
        self.msgd.withdraw(delivery)
        self.term.wait_for(r"^\[7\] withdrawn$")

    def test_long_texts_are_cut_on_the_screen(self):
        text = "\n".join(f"line {n}" for n in range(1, 401))
        delivery = self.msgd.present(self.session, text, boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.term.wait_for("/ack 7\n")
        self.assertIn("| line 17\n[383 more lines: msg /list 7]\nTo confirm", self.term.screen())
        delivery = self.msgd.present(self.session, "x" * 32768, title="t" * 256, sender="s" * 256)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)

    def test_text_cannot_imitate_and_turns_nothing(self):
        text = "a\n\nMessage from root\n\u202eevil\tb\u00e4\u6f22"
        self.msgd.present(self.session, text, sender="al\u2066ice (this host)")
        self.term.wait_for("\u6f22\n")
        self.assertIn("from al<U+2066>ice (this host) to", self.term.screen())
        self.assertIn("| a\n| \n| Message from root\n| <U+202E>evil    b\u00e4\u6f22\n",
                      self.term.screen())

    def test_the_log_has_no_text(self):
        delivery = self.msgd.present(self.session, "s3cret words", title="t1tle")
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.presenter.wait_for(f"present to {self.me.name} on {self.term.line} from "
                                r"alice \(network, 192.0.2.5\): 12 bytes")
        self.assertNotRegex(self.presenter.log, "s3cret|t1tle")

    def test_msgd_gone_takes_down_what_waits(self):
        delivery = self.msgd.present(self.session, "hello", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.reconnect()
        self.term.wait_for(r"^\[7\] withdrawn$")
        self.assertEqual(self.msgd.present(self.session, "again", delivery=delivery), delivery)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)
        self.msgd.nothing()

    def test_no_descriptor_is_left_on_a_terminal(self):
        for flags in (0, boundary.WAIT, boundary.OVERRIDE):
            delivery = self.msgd.present(self.session, "hello", flags)
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
        folder = f"/proc/{self.presenter.process.pid}/fd"
        eventually(lambda: not any(os.readlink(f"{folder}/{fd}") == self.term.path
                                   for fd in os.listdir(folder)), "the terminal to be closed")


@unittest.skipUnless(AM_ROOT, "needs root: two users are made")
class TwoUsersTest(PresenterCase):
    def setUp(self):
        super().setUp()
        self.alice, self.bob = self.user(), self.user()

    def test_each_gets_his_own(self):
        terminals = [self.terminal(user) for user in (self.alice, self.bob, self.me)]
        for terminal in terminals:
            session = self.msgd.handle(terminal.line)
            delivery = self.msgd.present(session, f"for {terminal.user.name}", boundary.WAIT)
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
        for terminal in terminals:
            terminal.wait_for("/ack")
            self.assertIn(f"| for {terminal.user.name}\n", terminal.screen())
            self.assertEqual(terminal.count("| for"), 1)

    def test_mesg_n_and_override(self):
        for user in (self.alice, self.me):
            terminal = self.terminal(user, mesg=False)
            session = self.msgd.handle(terminal.line)
            delivery = self.msgd.present(session, "not wanted")
            ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
            self.assertEqual((ended.how, ended.why), (boundary.FAILED, "messages-disabled"))
            delivery = self.msgd.present(session, "all the same",
                                         boundary.OVERRIDE | boundary.WAIT)
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
            terminal.wait_for("/ack 7")
            self.msgd.withdraw(delivery)
            terminal.wait_for(r"^\[7\] withdrawn$")
            self.assertNotIn("not wanted", terminal.screen())

    def test_override_does_not_wait_for_a_stopped_terminal(self):
        terminal = self.terminal(self.alice, mesg=False)
        session = self.msgd.handle(terminal.line)
        terminal.type_ctrl_s()
        delivery = self.msgd.present(session, "hello", boundary.OVERRIDE)
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (boundary.FAILED, "terminal-stopped"))

    def test_a_terminal_that_changed_hands(self):
        terminal = self.terminal(self.alice)
        session = self.msgd.handle(terminal.line)
        os.chown(terminal.path, self.bob.uid, -1)
        for flags in (0, boundary.OVERRIDE):
            delivery = self.msgd.present(session, "for alice's eyes", flags)
            self.msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.SESSION_GONE)
        self.assertEqual(terminal.bytes(), b"")

    def test_an_ordinary_users_presenter_serves_his_own(self):
        folder = os.path.join(self.folder, "alice")
        os.mkdir(folder)
        os.chown(folder, self.alice.uid, -1)
        his, other = self.terminal(self.alice), self.terminal(self.bob)
        presenter = Presenter(folder, self.utmp, ["--socket", os.path.join(folder, "present.sock")],
                              user=self.alice.uid, group=self.alice.gid, extra_groups=[])
        self.addCleanup(presenter.stop)
        presenter.wait_for("listens for msgd")
        msgd = Msgd.connect(presenter.socket, self.alice.uid)
        self.addCleanup(msgd.close)
        msgd.handle(his.line)
        sessions = msgd.sessions()
        self.assertEqual(set(sessions), {his.line})
        his.mesg(False)
        delivery = msgd.present(sessions[his.line].handle, "hello")
        msgd.expect(boundary.ENDED, delivery=delivery, why="messages-disabled")
        delivery = msgd.present(sessions[his.line].handle, "hello", boundary.OVERRIDE)
        msgd.expect(boundary.SHOWN, delivery=delivery)
        self.assertEqual(other.bytes(), b"")

    def test_presenter_keeps_three_capabilities_and_group_tty(self):
        status = self.presenter.status()
        kept = sum(1 << number for number in (5, 6, 7))  # KILL, SETGID, SETUID
        self.assertEqual([int(status[name], 16) for name in
                          ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")],
                         [0, kept, kept, kept, 0])
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Groups"].split(), [str(grp.getgrnam("tty").gr_gid)])
        self.assertEqual(os.stat(self.presenter.socket).st_uid, self.msgd_user.uid)
        self.assertEqual(os.stat(self.presenter.socket).st_mode & 0o777, 0o600)

    def test_many_overrides_at_once(self):
        terminal = self.terminal(self.alice, mesg=False)
        session = self.msgd.handle(terminal.line)
        deliveries = [self.msgd.present(session, "hello", boundary.OVERRIDE) for _ in range(100)]
        for delivery in deliveries:
            self.msgd.expect(boundary.SHOWN, delivery=delivery)
        children = f"/proc/{self.presenter.process.pid}/task/{self.presenter.process.pid}/children"
        with open(children, encoding="ascii") as f:
            eventually(lambda: f.seek(0) == 0 and f.read() == "", "the helpers to be reaped")
