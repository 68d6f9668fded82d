# SPDX-License-Identifier: MIT
"""Invitations through the real programs: made, taken, listed, withdrawn, and each way to fail."""
import json
import os
import pty
import re
import stat
import time
import unittest

from harness import AM_ROOT, eventually, program
from system import System

NOT_AN_INVITATION = ("msgctl: that is no invitation, msg-invite: and 86 characters; one may be wrong "
                     "or missing\n")
HOST = os.uname().nodename
A_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d"


class Invited(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.system = System(**{"source-handshakes": 10000, "handshakes": 10000})
        cls.addClassCleanup(cls.system.close)
        cls.terminal = cls.system.terminal()
        cls.system.start()
        cls.count = 0

    def setUp(self):
        """Somebody on another host, whom this one does not know."""
        type(self).count += 1
        self.guest = self.system.make_sender(f"guest{self.count}")

    @property
    def paths(self):
        return [f"--invitations={self.system.invitations}",
                f"--host-key={os.path.join(self.system.state, 'host_key')}"]

    def ctl(self, *words, status=0, **options):
        done = self.system.msg(*words, name="msgctl", **options)
        self.assertEqual(done.status, status, done)
        return done

    def invite(self, *options, name="alice"):
        done = self.ctl("invite", name, "--json", *options, *self.paths)
        return json.loads(done.out)

    def join(self, text, guest=None, **options):
        home = (guest or self.guest).home
        return self.ctl("join", self.system.server, home=home, stdin=f"{text}\n", **options)

    def send(self, guest=None, **options):
        return self.system.msg(self.system.me.name, f"/SERVER:{self.system.server}", "Lunch?",
                               home=(guest or self.guest).home, **options)

    def enrolled(self):
        try:
            with open(os.path.join(self.system.state, "enrolled"), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def refused(self, text, err, status=4, guest=None):
        """join fails so, nobody is enrolled, and no key is trusted."""
        guest, before = guest or self.guest, self.enrolled()
        done = self.join(text, guest=guest, status=status)
        self.assertEqual((done.out, done.err), ("", err))
        self.assertEqual(self.enrolled(), before)
        self.assertFalse(os.path.exists(os.path.join(guest.home, "known_hosts")))

    def used_or_withdrawn(self):
        return (f"{self.system.server} does not take this invitation: it was used already or "
                "withdrawn. Its administrator can see which: msgctl invite --list; if it is open "
                "still, it does not hold for your address, or somebody stands in between. A new one "
                f"is made by: msgctl invite {self.system.me.name}\n")


class Works(Invited):
    def test_both_sides_know_each_other(self):
        made = self.invite("--to=nobody," + self.system.me.name, "--who")
        self.assertEqual(made["host"], HOST)
        self.assertTrue(time.time() + 86390 < made["until"] <= time.time() + 86400)
        done = self.join(made["invitation"])
        rights = f"to=nobody,{self.system.me.name} who"
        known_hosts = os.path.join(self.guest.home, "known_hosts")
        name = self.system.server.replace("127.0.0.1", "[127.0.0.1]")
        self.assertEqual((done.out, done.err),
                         (f"{name} knows you as alice now, and its key is trusted "
                          f"({known_hosts}); your rights: {rights}\n", ""))
        with open(known_hosts, encoding="ascii") as file:
            self.assertEqual(file.read(), f"{name} {self.system.host_key()}\n")
        self.assertIn(f"{made['id']} {self.guest.key} {rights} alice\n", self.enrolled())
        sent = self.send()
        self.assertEqual(sent.status, 0, sent)
        self.terminal.wait_for("Lunch")
        self.assertEqual(self.system.msg("root2", f"/SERVER:{self.system.server}", "x",
                                         home=self.guest.home).status, 1)
        self.assertRegex(self.system.logged(),
                         rf"enrolled {rights} alice, {self.guest.key} from 127.0.0.1, by invitation "
                         rf"{made['id']}")

    def test_what_is_printed_to_be_typed(self):
        done = self.ctl("invite", "bob", "--for=30m", *self.paths)
        found = re.fullmatch(
            rf"On the other computer, until {A_TIME} UTC, type\n  msgctl join {HOST}\n"
            r"and paste this when it asks:\n  (msg-invite:[\w-]{86})\n"
            r"It lets one key in, once. To take it back: msgctl invite --withdraw [0-9a-f]{16}\n",
            done.out)
        self.assertTrue(found, done.out)
        self.assertEqual(self.join(f"  {found.group(1)}\r").status, 0)

    def test_asked_for_at_the_terminal_without_echo(self):
        made = self.invite()
        pid, tty = pty.fork()
        if pid == 0:
            os.environ["MSG_CONFIG_HOME"] = self.guest.home
            os.execv(program("msgctl"), ["msgctl", "join", self.system.server])
        shown = b""
        while not shown.endswith(b"not shown): "):
            shown += os.read(tty, 1024)
        os.write(tty, made["invitation"].encode() + b"\n")
        try:
            while True:
                more = os.read(tty, 1024)
                if not more:
                    break
                shown += more
        except OSError:
            pass  # how a terminal ends
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, shown)
        os.close(tty)
        self.assertNotIn(made["invitation"].encode(), shown)
        self.assertIn(b"knows you as alice now", shown)

    def test_only_msgd_and_root_can_read_it(self):
        made = self.invite()
        path = os.path.join(self.system.invitations, made["id"])
        found = os.stat(path)
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o640)
        with open(path, encoding="ascii") as file:
            kept = file.read()
        self.assertNotIn(made["invitation"][30:60], kept)
        if AM_ROOT:
            self.assertEqual((found.st_uid, found.st_gid), (0, self.system.msgd_user.gid))
        os.chmod(path, 0o644)
        self.refused(made["invitation"], self.used_or_withdrawn())
        self.assertIn(f"{path} is open to others (mode 0644); run: chmod 640 {path}",
                      self.system.logged())

    def test_the_folder_is_made(self):
        folder = self.system.path("made/invitations")
        os.mkdir(os.path.dirname(folder), 0o755)
        self.ctl("invite", "bob", f"--invitations={folder}", self.paths[1])
        found = os.stat(folder)
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o2750 if AM_ROOT else 0o750)
        if AM_ROOT:
            self.assertEqual(found.st_gid, self.system.msgd_user.gid)

    def test_it_survives_the_daemon(self):
        made = self.invite()
        self.join(made["invitation"])
        self.system.stop()
        self.system.start()
        self.assertEqual(self.send().status, 0)
        other = self.system.make_sender(f"other{self.count}")
        self.refused(made["invitation"], self.used_or_withdrawn(), guest=other)
        self.assertIn(f"invitation: {made['id']} was used already", self.system.logged())

    def test_an_enrolled_key_is_revoked(self):
        name = f"eve{self.count}"
        self.join(self.invite(name=name)["invitation"])
        self.assertEqual(self.send().status, 0)
        done = self.ctl("revoke", name, f"--file={self.system.authorized_keys}",
                        f"--enrolled={os.path.join(self.system.state, 'enrolled')}")
        self.assertEqual(done.out, f"{self.guest.key} {name} is revoked "
                                   f"({self.system.revoked_keys})\n")
        eventually(lambda: self.send().status == 4, "the revocation to be noticed")
        self.assertIn("is revoked on", self.send().err)

    def test_authorized_keys_goes_before(self):
        self.join(self.invite("--to=nobody")["invitation"])
        self.assertEqual(self.send().status, 1)
        self.ctl("authorize", self.guest.key, "alice", f"--file={self.system.authorized_keys}")
        eventually(lambda: self.send().status == 0, "the new line to be noticed")


class Fails(Invited):
    def test_used_twice(self):
        made = self.invite()
        self.join(made["invitation"])
        other = self.system.make_sender(f"second{self.count}")
        self.refused(made["invitation"], self.used_or_withdrawn(), guest=other)

    def test_used_again_by_the_same(self):
        made = self.invite()
        self.join(made["invitation"])
        os.unlink(os.path.join(self.guest.home, "known_hosts"))
        self.refused(made["invitation"],
                     f"{self.system.server} knows your key already, as alice; the invitation was not "
                     f"used. To trust its key: msgctl trust {self.system.server} "
                     f"{self.system.host_key()}\n")

    def test_late(self):
        made = self.invite("--for=1s")
        time.sleep(max(0.0, made["until"] + 1.1 - time.time()))
        done = self.join(made["invitation"], status=4)
        self.assertRegex(done.err, rf"\A{re.escape(self.system.server)} does not take this "
                                   rf"invitation: it could be used until {A_TIME}\. Its administrator "
                                   rf"can make a new one: msgctl invite \S+\n\Z")
        self.assertNotIn(self.guest.key, self.enrolled())

    def test_withdrawn(self):
        made = self.invite()
        done = self.ctl("invite", "--withdraw", made["id"], *self.paths)
        self.assertEqual(done.out, f"invitation {made['id']} is withdrawn\n")
        self.refused(made["invitation"], self.used_or_withdrawn())
        done = self.ctl("invite", "--withdraw", made["id"], *self.paths, status=1)
        self.assertIn(f"there is no invitation {made['id']}", done.err)

    def test_from_elsewhere(self):
        """It is not used up by who may not use it."""
        made = self.invite("--from=192.0.2.0/24")
        self.refused(made["invitation"], self.used_or_withdrawn())

    def test_a_slip(self):
        made = self.invite()["invitation"]
        for text in (made[:-1], made + "A", made[:40] + ("A" if made[40] != "A" else "B") + made[41:],
                     made[11:], "x25519:" + made[11:], 600 * "A"):
            with self.subTest(text=text):
                self.refused(text, NOT_AN_INVITATION, status=2)
        self.refused("", "msgctl: no invitation was given\n", status=2)
        self.join(made)

    def test_another_host(self):
        made = self.invite()
        with System(name="h3") as other:
            other.terminal()
            other.start()
            done = self.ctl("join", other.server, home=self.guest.home, status=4,
                            stdin=made["invitation"] + "\n")
            self.assertEqual(done.err, f"{other.server} (127.0.0.1 port {other.port}) shows another "
                             "key than the invitation has: it is another host, or somebody stands in "
                             "between. Nothing was sent, and the invitation is as good as before\n")
        self.join(made["invitation"])

    def test_a_host_known_by_another_key(self):
        made = self.invite()
        other = "x25519:" + 43 * "A"
        self.ctl("trust", self.system.server, other, home=self.guest.home)
        done = self.join(made["invitation"], status=4)
        self.assertIn("HAS CHANGED", done.err)
        self.assertNotIn(self.guest.key, self.enrolled())
        os.unlink(os.path.join(self.guest.home, "known_hosts"))
        self.join(made["invitation"])

    def test_a_revoked_key_is_not_let_in(self):
        made = self.invite()
        self.ctl("revoke", self.guest.key, f"--file={self.system.authorized_keys}")
        time.sleep(1.1)
        done = self.join(made["invitation"], status=4)
        self.assertIn("is revoked on", done.err)
        self.assertNotIn(made["id"], self.enrolled())

    def test_a_record_that_cannot_be_written(self):
        """Then nobody is let in, and the invitation can be used later."""
        made, path = self.invite(), os.path.join(self.system.state, "enrolled")
        before = self.enrolled()
        with open(path, "a", encoding="ascii") as file:
            file.write("oops\n")
        done = self.join(made["invitation"], status=1)
        self.assertIn("internal", done.err)
        self.assertFalse(os.path.exists(os.path.join(self.guest.home, "known_hosts")))
        self.assertEqual(self.enrolled(), before + "oops\n")
        with open(path, "w", encoding="ascii") as file:
            file.write(before)
        self.join(made["invitation"])


class Kept(Invited):
    def test_listed(self):
        folder = self.system.path("listed")
        os.mkdir(folder, 0o750)
        paths = [f"--invitations={folder}", self.paths[1]]
        made = {name: json.loads(self.ctl("invite", name, *options, "--json", *paths).out)
                for name, options in (("ann", ["--all"]), ("zed", ["--for=1h"]))}
        listed = [json.loads(line) for line in
                  self.ctl("invite", "--list", "--json", *paths).out.splitlines()]
        self.assertEqual([entry["id"] for entry in listed],
                         sorted(entry["id"] for entry in made.values()))
        self.assertEqual({(entry["name"], entry["state"], entry["line"]) for entry in listed},
                         {("ann", "open", "all ann"), ("zed", "open", "zed")})
        with open(self.system.path("used"), "w", encoding="ascii") as file:
            file.write(f"{made['ann']['id']}\n")
        words = self.ctl("invite", "--list", f"--enrolled={self.system.path('used')}", *paths).out
        self.assertRegex(words, rf"(?m)^{made['ann']['id']}  used  {A_TIME} UTC  all ann$")
        self.assertRegex(words, rf"(?m)^{made['zed']['id']}  open  {A_TIME} UTC  zed$")
        self.ctl("invite", "new", f"--enrolled={self.system.path('used')}", *paths)
        self.assertEqual(len(os.listdir(folder)), 2, "what was used is removed")

    def test_command_lines_that_are_wrong(self):
        for words in ([], ["a", "--list"], ["a/b"], ["a b"], ["a", "--for=25h"], ["a", "--for=0"],
                      ["a", "--for=x"], ["--withdraw=12"], ["a", "--to=b c"], ["a", "--rate=0"]):
            with self.subTest(words=words):
                done = self.ctl("invite", *words, *self.paths, status=2)
                self.assertTrue(done.err.startswith("msgctl: "), done)
        self.ctl("join", status=2)

    @unittest.skipUnless(AM_ROOT, "needs another user")
    def test_it_is_roots(self):
        self.invite()
        user = self.system.user()
        for words in (["bob"], ["--list"]):
            done = self.ctl("invite", *words, *self.paths, status=1, user=user)
            self.assertTrue(done.err.endswith(
                "Permission denied\nmsgctl: it is root's: run this as root\n"), done)

    def test_no_host_key_yet(self):
        done = self.ctl("invite", "a", self.paths[0], self.paths[1] + "x", status=1)
        self.assertIn("msgd makes this host's key when it first listens for other hosts", done.err)


if __name__ == "__main__":
    unittest.main()
