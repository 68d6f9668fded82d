# SPDX-License-Identifier: MIT
"""A user's own keys through the real programs: given, used, listed, taken back, and each refusal."""
import grp
import json
import os
import re
import subprocess
import unittest

from harness import AM_ROOT, User, eventually
from local_peer import LocalPeer
from system import System
from world import HOST, Exact

GRANT, GRANTED, ERROR = 28, 30, 36
NOT_LISTENING = ("msgctl: no other host can reach msgd here yet; its administrator can run: systemctl "
                 "enable --now msgd-tcp.socket\n")
SEVERAL = unittest.skipUnless(AM_ROOT, "only root makes other users")


class Own(Exact):
    """A user of the host, and computers of his that it does not know."""

    CONFIG = {}

    @classmethod
    def setUpClass(cls):
        cls.system = System(**{"source-handshakes": 10000, "handshakes": 10000, **cls.CONFIG})
        cls.addClassCleanup(cls.system.close)
        cls.user = cls.system.user() if AM_ROOT else cls.system.me
        cls.terminal = cls.system.terminal(cls.user)
        cls.system.start()
        cls.count = 0

    def setUp(self):
        self.other = self.computer()
        self.addCleanup(self.forget_all)

    def computer(self):
        """Another computer of the user's, which trusts this host."""
        type(self).count += 1
        home = self.system.folder_of(f"computer{self.count}")
        os.chown(home, self.user.uid, self.user.gid)
        computer = self.system.make_sender(f"made{self.count}")._replace(home=home)
        key = self.run_as(self.user, "key", home=home).out.split()[-1]
        self.run_as(self.user, "trust", self.system.server, self.system.host_key(), home=home)
        return computer._replace(key=key)

    def run_as(self, user, *words, status=0, **options):
        done = self.system.msg(*words, name="msgctl", user=user, **options)
        self.assertEqual(done.status, status, done)
        return done

    def self_(self, *words, user=None, **options):
        return self.run_as(user or self.user, *words, "--self", **options)

    def grant(self, computer=None, **options):
        return self.self_("authorize", (computer or self.other).key, **options)

    def forget_all(self):
        for line in self.self_("authorize", "--list", "--json").out.splitlines():
            self.self_("revoke", json.loads(line)["key"])

    def begin(self, *words, computer=None):
        return self.system.begin(f"/SERVER:{self.system.server}", *words, user=self.user,
                                 home=(computer or self.other).home)

    def send(self, *words, computer=None):
        return self.begin(*(words or (self.user.name, "Lunch?")), computer=computer).finish(30)

    def granted(self):
        with open(os.path.join(self.system.state, "granted"), encoding="utf-8") as file:
            return file.read()

    def write_granted(self, text):
        path = os.path.join(self.system.state, "granted")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path + ".new", 0o600)
        if AM_ROOT:
            os.chown(path + ".new", self.system.msgd_user.uid, self.system.msgd_user.gid)
        os.rename(path + ".new", path)

    def becomes(self, status, computer=None, words=()):
        eventually(lambda: self.send(*words, computer=computer).status == status,
                   lambda: f"{status}: {self.send(*words, computer=computer)}")


class Works(Own):
    def test_it_counts_as_its_user(self):
        self.assertEqual(self.send().status, 4)
        done = json.loads(self.self_("authorize", self.other.key, "--json").out)
        self.assertEqual(done, {"schema": 1, "key": self.other.key, "result": "added",
                                "user": self.user.name, "rights": "who", "host": HOST,
                                "host_key": self.system.host_key(), "port": self.system.port})
        self.assertEqual(self.granted(), f"{self.user.uid} {self.other.key} {self.user.name}\n")
        self.assertEqual(self.send(self.user.name, "as himself").status, 0)
        shown = self.terminal.wait_for(rf"{self.user.name} \(network, 127\.0\.0\.1\)[^|]*\| as himself")
        self.assertTrue(shown)
        done = self.run_as(self.user, "ping", self.system.server, home=self.other.home)
        self.assertIn(f"it knows you as {self.user.name}\n", done.out)
        self.assertRegex(self.system.logged(), rf"{self.user.name} \(uid {self.user.uid}\) authorized "
                                               rf"a key of his own: {self.other.key}")

    def test_what_is_printed_to_be_typed(self):
        server = f"{HOST}:{self.system.port}"
        for stdin, words in (("", (self.other.key,)), (f"  {self.other.key} \r\n", ("-",)),
                             (f"{self.other.key}\n", ())):
            self.expect(self.self_("authorize", *words, stdin=stdin), 0,
                        f"{self.other.key} counts as {self.user.name} on {HOST} from now on\n"
                        f"On the other computer, type\n  msgctl trust {server} "
                        f"{self.system.host_key()}\n  msg {self.user.name} /SERVER:{server} hello\n")
        self.assertEqual(self.granted().count(self.other.key), 1)

    def test_rights_are_the_users(self):
        self.grant()
        done = self.run_as(self.user, "sessions", self.system.server, home=self.other.home)
        self.assertIn(self.terminal.line, done.out)
        everybody = self.send("/ALL", "x")
        self.assertEqual(everybody.status, 1)
        self.assertIn("may not message all sessions", everybody.err)

    def test_it_is_listed_and_taken_back(self):
        self.expect(self.self_("authorize", "--list"), 0, "",
                    "msgctl: you have authorized no key of your own on this host\n")
        second = self.computer()
        self.grant()
        self.grant(second)
        self.assertEqual(sorted(self.self_("authorize", "--list").out.split()),
                         sorted([self.other.key, second.key]))
        self.expect(self.self_("revoke", self.other.key), 0,
                    f"{self.other.key} does not count as you any more; its connections are ended\n")
        self.assertEqual(self.send().status, 4)
        self.assertEqual(self.send(computer=second).status, 0)
        self.expect(self.self_("revoke", self.other.key, status=1), 1, "",
                    f"msgctl: you have no such key of your own here: {self.other.key}; to list them: "
                    "msgctl authorize --self --list\n")
        self.assertEqual(json.loads(self.self_("revoke", second.key, "--json").out),
                         {"schema": 1, "key": second.key, "result": "taken"})

    def test_taken_back_it_is_cut_off(self):
        self.grant()
        waiting = self.begin(self.user.name, "/W", "still there?")
        self.terminal.wait_for("still there")
        self.self_("revoke", self.other.key)
        done = waiting.finish(15)
        self.assertNotEqual(done.status, 0, done)
        self.assertRegex(self.system.logged(), rf"{self.user.name} from 127\.0\.0\.1 is unauthorized "
                                               "now: closed")
        listed = self.system.msg("/LIST", user=self.user)
        self.assertNotRegex(listed.out, r"still there\?$")

    def test_it_survives_the_daemon(self):
        self.grant()
        self.system.stop()
        self.system.start()
        self.assertEqual(self.send().status, 0)

    def test_later_requests_are_judged_afresh(self):
        """One connection: the second request comes when the first answer is too old to be used."""
        self.grant()
        waiting = self.begin(self.user.name, "/W", "/TIME:20", "afresh?")
        found = self.terminal.wait_for(r"\| afresh\?\n(?:.*msg /ack (\d+)\n)?")
        self.assertTrue(found)
        waiting.process.send_signal(2)  # CANCEL, two seconds later
        self.assertEqual(waiting.finish(15).status, 130)
        self.assertNotIn("busy", self.system.logged())

    @SEVERAL
    def test_groups_are_looked_at_each_time(self):
        group = f"{self.user.name}g"
        subprocess.run(["groupadd", group], check=True)
        self.addCleanup(subprocess.run, ["groupdel", group], check=False)
        with System(**{"admin-group": group}) as system:
            type(self).system, before = system, self.system
            try:
                terminal = system.terminal(self.user)
                system.start()
                computer = self.computer()
                self.grant(computer)
                self.assertEqual(self.send("/ALL", "no", computer=computer).status, 1)
                subprocess.run(["gpasswd", "-a", self.user.name, group], check=True,
                               capture_output=True)
                self.becomes(0, computer, ("/ALL", "now everybody"))
                terminal.wait_for("now everybody")
                subprocess.run(["gpasswd", "-d", self.user.name, group], check=True,
                               capture_output=True)
                self.becomes(1, computer, ("/ALL", "not any more"))
            finally:
                type(self).system = before
        self.assertTrue(grp.getgrnam(group))


class Administrator(Own):
    def revoked(self, *words):
        return self.run_as(self.system.me, "revoke", *words, f"--file={self.system.authorized_keys}",
                           f"--granted={os.path.join(self.system.state, 'granted')}")

    def clean(self):
        with open(self.system.revoked_keys, "w", encoding="utf-8"):
            pass

    def test_revokes_a_key(self):
        self.addCleanup(self.clean)
        self.grant()
        waiting = self.begin(self.user.name, "/W", "to be revoked")
        self.terminal.wait_for("to be revoked")
        self.revoked(self.other.key)
        self.assertEqual(waiting.finish(15).status, 1)  # withdrawn
        self.becomes(4)
        self.assertIn("is revoked on", self.send().err)
        self.expect(self.self_("authorize", "--list"), 0,
                    f"{self.other.key} (does not count: revoked)\n")
        self.self_("revoke", self.other.key)
        self.expect(self.grant(status=1), 1, "",
                    f"msgctl: {self.other.key} is revoked on this host; on the other computer, move "
                    "~/.config/msg/identity out of the way: msgctl key makes another\n")

    def test_revokes_all_of_a_user(self):
        self.addCleanup(self.clean)
        second = self.computer()
        self.grant()
        self.grant(second)
        done = self.revoked(self.user.name)
        self.assertEqual(sorted(line.split()[0] for line in done.out.splitlines()),
                         sorted([self.other.key, second.key]))
        self.becomes(4)
        self.becomes(4, second)

    def test_what_he_lists_goes_before(self):
        self.grant()
        self.run_as(self.system.me, "authorize", self.other.key, "desk", "--to=nobody-here",
                    f"--file={self.system.authorized_keys}")
        self.becomes(1)
        self.expect(self.self_("authorize", "--list"), 0, f"{self.other.key} (does not count: listed)\n")
        self.self_("revoke", self.other.key)
        done = self.grant()
        self.assertIn(f"{self.other.key} stands in authorized_keys of {HOST}: what its administrator "
                      "says there counts\n", done.out)
        self.assertNotIn(self.other.key, self.granted())
        with open(self.system.authorized_keys, "w", encoding="utf-8"):
            pass
        self.becomes(4)

    def test_a_broken_record(self):
        self.grant()
        before = self.granted()
        self.write_granted(before + "oops\n")
        eventually(lambda: "granted:2: the line does not begin" in self.system.logged(), "a complaint")
        self.assertEqual(self.send().status, 0)
        done = self.self_("authorize", self.computer().key, status=1)
        self.assertIn("msgd could not do it (it could not be written down)", done.err)
        self.write_granted(before)
        self.becomes(0)


class Refused(Own):
    def test_who_is_another_now(self):
        """The uid was given to somebody else, or to nobody."""
        self.grant()
        self.assertEqual(self.send().status, 0)
        before = self.granted()
        for line in (before.replace(f" {self.user.name}\n", " somebody-else\n"),
                     before.replace(f"{self.user.uid} ", "3999999999 ", 1)):
            with self.subTest(line=line):
                self.write_granted(line)
                self.becomes(4)
                self.assertIn("does not know your key", self.send().err)
        self.assertTrue("its user is not of this host now" in self.system.logged())
        self.write_granted(before.replace(f" {self.user.name}\n", " somebody-else\n"))
        eventually(lambda: "does not count: renamed" in self.self_("authorize", "--list").out,
                   "the file to be read")
        self.grant()
        self.assertEqual(self.granted(), before)
        self.becomes(0)

    @SEVERAL
    def test_a_user_who_is_gone(self):
        gone = User.make()
        self.addCleanup(gone.remove)
        self.self_("authorize", self.other.key, user=gone)
        self.assertEqual(self.send().status, 0)
        gone.remove()
        self.becomes(4)
        self.write_granted("")

    @SEVERAL
    def test_anothers(self):
        eve = self.system.user()
        self.grant()
        self.expect(self.self_("authorize", self.other.key, user=eve, status=1), 1, "",
                    "msgctl: another user of this host has authorized that key already; if it is "
                    f"yours, its administrator can run: msgctl authorize {self.other.key} {eve.name}\n")
        self.expect(self.self_("revoke", self.other.key, user=eve, status=1), 1, "",
                    f"msgctl: you have no such key of your own here: {self.other.key}; to list them: "
                    "msgctl authorize --self --list\n")
        self.assertEqual(self.self_("authorize", "--list", user=eve).out, "")
        self.assertEqual(self.send().status, 0)

    def test_the_seventeenth(self):
        keys = [self.key(number) for number in range(17)]
        for key in keys[:16]:
            self.self_("authorize", key)
        self.expect(self.self_("authorize", keys[16], status=1), 1, "",
                    "msgctl: you have as many keys of your own here as you may; to list them: msgctl "
                    "authorize --self --list; to take one back: msgctl revoke --self KEY\n")
        self.self_("authorize", keys[3])  # is there, and stays
        self.self_("revoke", keys[0])
        self.self_("authorize", keys[16])
        self.assertEqual(self.granted().count("\n"), 16)

    @staticmethod
    def key(number):
        return "x25519:" + "ABCDEFGHIJKLMNOPQ"[number] + 41 * "A" + "E"

    @unittest.skipUnless(AM_ROOT, "root's own")
    def test_root(self):
        self.expect(self.self_("authorize", self.other.key, user=self.system.me, status=1), 1, "",
                    "msgctl: keys do not count as root; run this as yourself, or let the owner of a "
                    "key in by name: msgctl authorize --all --who --override "
                    f"{self.other.key} NAME\n")

    @SEVERAL
    def test_a_service_account(self):
        service = User.make(system=True)
        self.addCleanup(service.remove)
        self.expect(self.self_("authorize", self.other.key, user=service, status=1), 1, "",
                    "msgctl: msgd does not take a key of your own: this account may not send messages "
                    "to others\nmsgctl: this host's administrator can run: msgctl authorize "
                    f"{self.other.key} {service.name}; or set own_keys, see msgd.conf(5)\n")

    def test_what_is_no_key(self):
        for text in ("", "alice", "ssh-ed25519 AAAA", self.other.key[:-1], self.other.key + "A"):
            with self.subTest(text=text):
                self.expect(self.self_("authorize", "-", stdin=text + "\n", status=2), 2, "",
                            "msgctl: that is no key of msg's, x25519: and 43 characters; the other "
                            "computer tells it: msgctl key\n")
        for words in ((self.other.key,), (), ("--list",), (self.other.key, "a", "--socket=/x")):
            done = self.run_as(self.user, "authorize", *words, status=2)
            self.expect(done, 2, "", "msgctl: authorize wants: KEY NAME, as administrator; or --self KEY, "
                        "or --self --list, for yourself\n")
        for words in ((self.other.key, "alice"), (self.other.key, "--all"), ("--list", self.other.key),
                      (self.other.key, "--file=/x")):
            with self.subTest(words=words):
                self.assertEqual(self.self_("authorize", *words, status=2).out, "")

    def test_as_the_protocol_has_it(self):
        key = bytes(range(32))
        with LocalPeer(self.system.socket) as peer:
            for body, code in (({"add": key, "take": key}, "bad-message"), ({"add": key[1:]}, "bad-message"),
                               ({"take": key}, "no-target"), ({"!more": 1}, "unsupported")):
                number = peer.request(GRANT, body)
                found = next(m for m in iter(peer.receive, None) if m[1] == number)
                self.assertEqual((found[0], found[2]["code"]), (ERROR, code), found)


class TooOften(Own):
    CONFIG = {"messages-a-minute": 60}

    def test_a_hundred_and_twenty_a_minute(self):
        with LocalPeer(self.system.socket) as peer:
            for _ in range(130):
                number = peer.request(GRANT, {})
                found = next(m for m in iter(peer.receive, None) if m[1] == number)
                if found[0] == ERROR:
                    break
        self.assertEqual(found[2]["code"], "rate-limited")
        self.assertGreater(found[2]["retry_ms"], 0)

    def forget_all(self):
        """There is nothing to forget, nor leave to ask."""


class WrittenTooOften(Own):
    """What is written waits for the disk, and everybody with it."""
    CONFIG = {"grants-a-minute": 3}

    def test_changes_have_a_rate_of_their_own(self):
        second = self.computer()
        self.grant()
        self.grant()  # changes nothing, and costs nothing
        self.self_("revoke", second.key, status=1)
        self.self_("revoke", self.other.key)
        self.grant()
        before = self.granted()
        for words in (("revoke", self.other.key), ("authorize", second.key)):
            with self.subTest(words=words):
                done = self.self_(*words, status=4)
                self.assertEqual(done.out, "")
                self.assertRegex(done.err, r"^msgctl: you have asked msgd too often; try again in "
                                           r"(1\d|20) s\n$")
        self.grant()
        self.assertEqual(self.self_("authorize", "--list").out, f"{self.other.key}\n")
        self.assertEqual(self.granted(), before)

    def forget_all(self):
        """There is no leave left to."""


class Off(Own):
    CONFIG = {"own-keys": 0}

    def test_nobody_is_taken(self):
        self.write_granted(f"{self.user.uid} {self.other.key} {self.user.name}\n")
        self.assertEqual(self.send().status, 4)
        eventually(lambda: self.self_("authorize", "--list").out ==
                   f"{self.other.key} (does not count: off)\n", "the file to be read")
        self.self_("revoke", self.other.key)
        self.expect(self.grant(status=1), 1, "",
                    "msgctl: msgd does not take a key of your own: own keys are switched off on this "
                    "host\nmsgctl: this host's administrator can run: msgctl authorize "
                    f"{self.other.key} {self.user.name}; or set own_keys, see msgd.conf(5)\n")


class Switched(Own):
    """Off while somebody is connected; and on again: nothing that was granted is lost."""

    def test_off_and_on_again(self):
        self.grant()
        waiting = self.begin(self.user.name, "/W", "to be switched off")
        self.terminal.wait_for("to be switched off")
        before = self.granted()
        self.system.configure("[rights]\nown_keys = 0\n")
        done = waiting.finish(15)
        self.assertEqual(done.status, 1, done)
        self.assertRegex(self.system.logged(), rf"{self.user.name} from 127\.0\.0\.1 is unauthorized "
                                               "now: closed")
        self.assertEqual(self.send().status, 4)
        self.expect(self.self_("authorize", "--list"), 0, f"{self.other.key} (does not count: off)\n")
        self.assertEqual(self.granted(), before)
        self.system.configure("[rights]\nown_keys = 1\n")
        self.assertEqual(self.send().status, 0)
        self.expect(self.self_("authorize", "--list"), 0, f"{self.other.key}\n")


class NotListening(Own):
    CONFIG = {"listen": ""}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.system.host_key = lambda: "x25519:" + 43 * "A"  # there is none yet

    def test_its_key_is_made(self):
        done = self.grant()
        host_key = System.host_key(self.system)
        self.assertEqual(done.err, NOT_LISTENING)
        self.assertIn(f"msgctl trust {HOST} {host_key}\n", done.out)
        self.assertTrue(re.search(r"^  msg \S+ /SERVER:\S+ hello$", done.out, re.M))


if __name__ == "__main__":
    unittest.main()
