# SPDX-License-Identifier: MIT
"""Whose messages a user wants: msgctl receive, what the file may be, and what senders are told."""
import ctypes
import json
import os
import re
import stat
import time
import unittest

from boundary import ENDED, FAILED, LOCAL, OVERRIDE, SHOWN, WAIT
from harness import AM_ROOT, eventually, program
from presenter import PresenterCase
from system import System

WISH = ".config/msg/receive"
ALONE = [] if AM_ROOT else ["--receive"]


def put(user, text, mode=0o600, owner=None):
    """The user's file, as an editor of his would write it; its path."""
    path = os.path.join(user.home, WISH)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text.encode() if isinstance(text, str) else text)
    os.chmod(path, mode)
    os.chown(path, user.uid if owner is None else owner, -1)
    return path

NOBODY = re.compile(r"^msgctl: there is no user (\S+) on this host; who is on another is network:NAME$",
                    re.M)


class Hung:
    """A file system that answers nobody, mounted on a user's home; root's to make."""

    def __init__(self, user):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.home = user.home
        self.fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.fuse},rootmode=40000,user_id={user.uid},group_id={user.gid},allow_other"
        if self.libc.mount(b"hang", self.home.encode(), b"fuse", 0, options.encode()) < 0:
            error = ctypes.get_errno()
            os.close(self.fuse)
            raise unittest.SkipTest(f"no file system can be mounted here: {os.strerror(error)}")

    def mend(self):
        """Who waits for it gets an error."""
        if self.fuse >= 0:
            os.close(self.fuse)
            self.fuse = -1
            self.libc.umount2(self.home.encode(), 2)


class Command(unittest.TestCase):
    """msgctl receive, and its file."""

    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        self.file = self.system.path("folder/receive")

    def receive(self, *words, status=0, out=None, err=""):
        outcome = self.system.msg("receive", *words, "--file", self.file, name="msgctl")
        self.assertEqual(outcome.status, status, outcome)
        said = "".join(line for line in outcome.err.splitlines(True) if not NOBODY.search(line))
        self.strangers = NOBODY.findall(outcome.err)
        self.assertRegex(said, f"^msgctl: {err}" if err else "^$", outcome)
        if out is not None:
            self.assertEqual(outcome.out, out, outcome)
        return outcome.out

    def text(self):
        with open(self.file, encoding="utf-8") as f:
            return f.read()

    def test_what_holds_is_printed(self):
        self.receive(out="on\n")
        self.assertFalse(os.path.exists(self.file))
        for words, text, said in ((["off"], "off\n", "off\n"), (["on"], "on\n", "on\n"),
                                  (["only", "ann, network:bob"], "only ann\nonly network:bob\n",
                                   "only ann,network:bob\n"),
                                  (["only", "ann", "bob,", "carl"], "only ann\nonly bob\nonly carl\n",
                                   "only ann,bob,carl\n"),
                                  (["only", "ann,network:bob"], "only ann\nonly network:bob\n",
                                   "only ann,network:bob\n")):
            self.receive(*words, out=said)
            self.assertEqual(self.text(), text)
            self.receive(out=said)
        said = json.loads(self.receive("--json"))
        self.assertEqual(said, {"schema": 1, "receive": "only", "names": "ann,network:bob",
                                "file": self.file})

    def test_a_slip_in_a_name_is_noted(self):
        """He is shut out by it, and nobody would notice."""
        self.receive("only", "nobody9,root,network:nobody8,bob@h2")
        self.assertEqual(self.strangers, ["nobody9", "bob@h2"])
        self.receive()
        self.assertEqual(self.strangers, [])

    def test_nobody_else_reads_it(self):
        self.receive("off")
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.file)).st_mode), 0o700)
        self.assertEqual(os.listdir(os.path.dirname(self.file)), ["receive"])

    def test_what_could_not_be_read_back_is_refused(self):
        self.receive("only", "ann")
        for words, err in ((["maybe"], "maybe: neither on, nor off, nor only NAMES"),
                           (["only"], "only: only whom\\?"),
                           (["off", "ann"], "off ann: more than one word"),
                           (["only", "%staff"], "only %staff: neither the name of a user here nor "
                                                "network:NAME"),
                           (["only", "b\33[7m"], r"only b\\x1B\[7m: a control character"),
                           (["only", "b," * 1000], "more names than a file of 4096 bytes holds\n$")):
            with self.subTest(words=words):
                self.receive(*words, status=2, out="", err=err)
                self.assertEqual(self.text(), "only ann\n")

    def test_a_file_that_counts_for_nothing_is_told(self):
        self.receive("off")
        with open(self.file, "w", encoding="utf-8") as f:
            f.write("# mine\nof\n")
        self.receive(status=1, out="on\n", err=f"{self.file}:2: neither on, nor off, nor only NAMES; "
                                               f"it counts for nothing, mend it: rm ")
        self.receive("off", out="off\n")
        for make in (lambda: os.symlink("/dev/null", self.file), lambda: os.mkfifo(self.file),
                     lambda: os.mkdir(self.file)):
            os.remove(self.file)
            make()
            self.receive(status=1, out="on\n", err=f"{self.file} is not a regular file; it counts")
            self.receive("off", status=1, out="", err=f"{self.file} is not a regular file of yours; "
                                                      f"run: rm {self.file}\n$")

    @unittest.skipUnless(AM_ROOT, "root alone can give a file away")
    def test_another_s_file_is_left_alone(self):
        self.receive("off")
        os.chown(self.file, 12345, -1)
        self.receive(status=1, out="on\n", err=f"{self.file} is not a file of yours; it counts")
        self.receive("off", status=1, out="", err=f"{self.file} is not a regular file of yours")

    @unittest.skipUnless(AM_ROOT, "a home of one's own is made by root")
    def test_the_file_is_below_the_home_that_the_system_names(self):
        user = self.system.user()
        env = {"XDG_CONFIG_HOME": f"{user.home}/other", "HOME": f"{user.home}/other"}
        outcome = self.system.begin("receive", "off", user=user, name="msgctl", home=f"{user.home}/x")
        self.assertEqual(outcome.finish().out, "off\n")
        self.assertEqual(os.listdir(user.home), [".config"])
        self.assertEqual(os.stat(os.path.join(user.home, WISH)).st_uid, user.uid)
        with user.popen([program("msgctl"), "receive"], env=env, stdout=-1) as process:
            self.assertEqual(process.stdout.read(), b"off\n")


@unittest.skipUnless(AM_ROOT, "users with homes are made by root")
class Senders(unittest.TestCase):
    """alice sends, bob has his wish, and so has carol."""

    @classmethod
    def setUpClass(cls):
        cls.system = System()
        cls.addClassCleanup(cls.system.close)
        cls.alice, cls.bob, cls.carol = (cls.system.user() for _ in range(3))
        cls.b1, cls.b2, cls.c = cls.system.terminals(2, cls.bob) + cls.system.terminals(1, cls.carol)
        cls.remote = cls.system.make_sender("remote")
        cls.boss = cls.system.make_sender("boss")
        for sender, name, *rights in ((cls.remote, cls.alice.name, "--all"),
                                      (cls.boss, "boss", "--override")):
            cls.system.msgctl("authorize", sender.key, name, *rights, "--file",
                              cls.system.authorized_keys)
        cls.system.start()
        for sender in (cls.remote, cls.boss):
            cls.system.msgctl("trust", cls.system.server, cls.system.host_key(), home=sender.home)

    def setUp(self):
        self.wish("on")
        for terminal in (self.b1, self.b2, self.c):
            terminal.clear()

    def wish(self, *words, user=None):
        outcome = self.system.msg("receive", *words, user=user or self.bob, name="msgctl")
        self.assertEqual(outcome.status, 0, outcome)

    def send(self, *words, status=0, out="", err="", **options):
        outcome = self.system.msg(*words, "hello", **options)
        self.assertEqual((outcome.status, outcome.out), (status, out), outcome)
        self.assertRegex(outcome.err, rf"\A{err}\Z", outcome)

    def send_to_bob(self, *words, **options):
        options.setdefault("user", self.alice)
        self.send(self.bob.name, *words, **options)

    def refused(self, *words, **options):
        self.send_to_bob(*words, status=1, err=f"User {self.bob.name} has messages disabled\n",
                         **options)
        self.assertNotIn("hello", self.b1.screen() + self.b2.screen())

    def shown(self, *words, **options):
        self.send_to_bob(*words, **options)
        for terminal in (self.b1, self.b2):
            terminal.wait_for(r"^\| hello")
            terminal.clear()

    def from_network(self, sender=None):
        return {"user": None, "home": (sender or self.remote).home}

    def test_off(self):
        self.shown()
        self.wish("off")
        self.refused()
        self.refused("/W", "/TIME:30")
        self.refused(f"/SERVER:{self.system.server}", **self.from_network())
        self.wish("on")
        self.shown()

    def test_what_was_just_said_holds_for_the_next_message(self):
        for _ in range(10):
            self.wish("off")
            self.refused()
            self.wish("on")
            self.shown()

    def test_only(self):
        self.wish("only", f"{self.alice.name},root")
        self.shown()
        self.refused(user=self.carol)
        self.refused(user=self.bob)  # whoever wants to hear himself says so
        self.wish("only", f"{self.bob.name},network:boss")
        self.shown(user=self.bob)
        self.refused()

    def test_nobody_from_the_network_passes_for_a_user(self):
        server = f"/SERVER:{self.system.server}"
        self.wish("only", self.alice.name)
        self.refused(server, **self.from_network())
        self.wish("only", f"network:{self.alice.name}")
        self.shown(server, **self.from_network())
        self.refused()

    def test_override(self):
        self.wish("off")
        self.shown(user=None)  # root
        self.shown(f"/SERVER:{self.system.server}", **self.from_network(self.boss))

    def test_one_session_of_his(self):
        self.wish("off")
        outcome = self.system.msg(self.b1.line, "/V", "hello", user=self.alice)
        self.assertEqual(outcome.status, 1, outcome)
        self.assertIn(f"Session {self.b1.line} ({self.bob.name}) has messages disabled\n", outcome.out)

    def test_everybody_leaves_him_out(self):
        self.wish("off")
        server = f"/SERVER:{self.system.server}"
        self.send("/ALL", server, **self.from_network())
        self.c.wait_for(r"^\| hello")
        self.assertNotIn("hello", self.b1.screen() + self.b2.screen())
        outcome = self.system.msg("/ALL", "/V", server, "again", **self.from_network())
        self.assertEqual(outcome.status, 0, outcome)
        for terminal in (self.b1, self.b2):
            self.assertIn(f"Session {terminal.line} ({self.bob.name}) has messages disabled\n",
                          outcome.out)
        self.wish("off", user=self.carol)
        self.addCleanup(self.wish, "on", user=self.carol)
        outcome = self.system.msg("/ALL", server, "nobody", **self.from_network())
        self.assertEqual(outcome.status, 1, outcome)
        self.assertRegex(outcome.err, "Everybody who is logged in on .* has messages disabled")

    def test_what_counts_for_nothing(self):
        """What is said of none of these is that he has messages disabled."""
        path = put(self.bob, "off")
        self.refused()
        for what, make in {
                "a link": lambda: os.symlink(put(self.carol, "off", 0o644, self.bob.uid), path),
                "a pipe": lambda: os.mkfifo(path), "a folder": lambda: os.mkdir(path),
                "another's": lambda: put(self.bob, "off", 0o644, self.alice.uid),
                "root's": lambda: put(self.bob, "off", 0o644, 0),
                "one byte too long": lambda: put(self.bob, "off\n".ljust(4097, "#")),
                "not readable by him": lambda: put(self.bob, "off", 0),
                "not understood": lambda: put(self.bob, "off\noff\n"),
                "none": lambda: None}.items():
            with self.subTest(what=what):
                os.remove(path) if not os.path.isdir(path) else os.rmdir(path)
                make()
                started = time.monotonic()
                self.shown()
                self.assertLess(time.monotonic() - started, 10)
                if what not in ("none",):
                    self.assertIn(f"{WISH} of {self.bob.name} counts as none", self.system.logged())
                if what == "none":
                    put(self.bob, "off\n".ljust(4096, "\n"))
                    self.refused()
                else:
                    put(self.bob, "") if os.path.isfile(path) and not os.path.islink(path) else None
        os.remove(path)
        os.rename(os.path.join(self.bob.home, ".config"), os.path.join(self.bob.home, "elsewhere"))
        os.symlink("elsewhere", os.path.join(self.bob.home, ".config"))
        put(self.bob, "off")
        self.refused()  # his folders may be where he likes


@unittest.skipUnless(AM_ROOT and os.path.exists("/dev/fuse"), "a home that hangs is made by root")
class HungHome(unittest.TestCase):
    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        self.alice, self.bob, self.carol = (self.system.user() for _ in range(3))
        self.system.start()
        self.b, self.c = self.system.terminal(self.bob), self.system.terminal(self.carol)

    def test_it_counts_as_no_file_and_delays_nobody(self):
        put(self.bob, "off")
        put(self.carol, "off")
        hung = Hung(self.bob)
        self.addCleanup(hung.mend)
        begun = [self.system.begin(self.bob.name, "/V", f"hung {i}", user=self.alice)
                 for i in range(8)]
        outcome = self.system.msg(self.carol.name, "meanwhile", user=self.alice)
        self.assertEqual(outcome.err, f"User {self.carol.name} has messages disabled\n")
        self.assertTrue(any(running.process.poll() is None for running in begun))
        for i, running in enumerate(begun):
            self.assertEqual(running.finish(20).status, 0)
            self.b.wait_for(rf"^\| hung {i}")
        # Its readers cannot be ended, and are no more than so many; and still he is reached.
        for i in range(6):
            self.assertEqual(self.system.msg(self.bob.name, f"late {i}", user=self.alice).status, 0)
        self.assertLessEqual(self.children_of(self.bob), 4)
        self.assertIn(f"{WISH} of {self.bob.name} counts as none", self.system.logged())
        hung.mend()
        eventually(lambda: self.children_of(self.bob) == 0, "what hung to end")
        outcome = self.system.msg(self.bob.name, "mended", user=self.alice)
        self.assertEqual(outcome.err, f"User {self.bob.name} has messages disabled\n")

    def children_of(self, user):
        with open(f"/proc/{self.system.process.pid}/task/{self.system.process.pid}/children",
                  encoding="ascii") as f:
            children = f.read().split()
        count = 0
        for child in children:
            try:
                count += os.stat(f"/proc/{child}").st_uid in (0, user.uid) and \
                    int(child) != self.system.msgd_pid()
            except FileNotFoundError:
                pass
        return count


class Asked(PresenterCase):
    """msgd-present alone: what it is told of senders, and what it does with it."""

    def setUp(self):
        super().setUp()
        self.who = self.user() if AM_ROOT else self.me
        self.term = self.terminal(self.who)
        self.session = self.msgd.handle(self.term.line)
        self.file = (os.path.join(self.who.home, WISH) if AM_ROOT
                     else f"{self.utmp.path}.receive")

    def wish(self, text):
        if AM_ROOT:
            put(self.who, text)
        else:
            with open(self.file, "w", encoding="utf-8") as f:
                f.write(text)

    def refused(self, **message):
        delivery = self.msgd.present(self.session, "x", **message)
        ended = self.msgd.expect(ENDED, delivery=delivery)
        self.assertEqual((ended.how, ended.why), (FAILED, "messages-disabled"))

    def shown(self, **message):
        self.msgd.expect(SHOWN, delivery=self.msgd.present(self.session, "x", **message))

    def test_who_is_told_by_the_record_not_by_the_label(self):
        self.wish("only alice")
        self.shown(flags=LOCAL)
        self.refused()
        self.refused(sender="alice (this host)")
        self.refused(sender="alice (this host)", flags=LOCAL, name_len=0)
        self.refused(sender="alice (this host)", flags=LOCAL, name_len=4)
        self.refused(sender="bob (this host), alice (this host)", flags=LOCAL)
        self.wish("only network:alice")
        self.shown()
        self.refused(flags=LOCAL)
        self.wish("off")
        self.refused(flags=LOCAL)
        self.shown(flags=OVERRIDE)
        self.assertNotIn(b"bob", self.term.bytes())

    def test_a_burst_is_answered_each_by_its_own_sender(self):
        self.wish("only alice")
        sent = {}
        for i in range(200):
            good = i % 3 == 0
            sent[self.msgd.present(self.session, "x", flags=LOCAL | WAIT,
                                   sender="alice (this host)" if good else "eve (this host)")] = good
        for _ in sent:
            message = None
            while not message or message.verb not in (SHOWN, ENDED):
                message = self.msgd.receive()
                self.assertIsNotNone(message)
            self.assertEqual(message.verb == SHOWN, sent[message.delivery], message)

    def test_taken_back_while_it_is_asked(self):
        self.wish("on")
        for _ in range(50):
            self.msgd.withdraw(self.msgd.present(self.session, "gone", flags=WAIT))
        self.shown()
        self.msgd.nothing()

    def test_msgd_gone_while_it_is_asked(self):
        self.wish("on")
        for _ in range(5):
            for flags in (WAIT, 0):
                self.msgd.present(self.session, "unseen", flags=flags)
            self.reconnect()
        self.session = self.msgd.handle(self.term.line)
        self.shown()

    def test_a_terminal_closed_while_it_is_asked(self):
        self.wish("on")
        delivery = self.msgd.present(self.session, "x", flags=WAIT)
        self.term.hang_up()
        self.msgd.expect(ENDED, delivery=delivery, timeout=10)


if __name__ == "__main__":
    unittest.main()
