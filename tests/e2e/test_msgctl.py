# SPDX-License-Identifier: MIT
"""msgctl's subcommands that need no server: keys and the files of trust, streams and statuses."""
import json
import os
import stat
import subprocess
import tempfile
import unittest

from harness import AM_ROOT, program

KEY_A = "x25519:" + 43 * "A"
KEY_B = "x25519:AQ" + 41 * "A"
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq"
KEY_C = "x25519:Ag" + 41 * "A"


class Msgctl(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.authorized = self.path("authorized_keys")
        self.revoked = self.path("revoked_keys")
        self.identity = self.path("config/identity")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_it(self, *words, status=0):
        """stdout and stderr."""
        env = {**os.environ, "MSG_CONFIG_HOME": self.path("config")}
        done = subprocess.run([program("msgctl"), *words], env=env, capture_output=True, text=True,
                              timeout=60, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def authorize(self, *words, status=0):
        return self.run_it("authorize", "--file", self.authorized, *words, status=status)

    def revoke(self, *words, status=0):
        return self.run_it("revoke", "--file", self.authorized, *words, status=status)

    def text(self, path):
        with open(path, encoding="utf-8") as f:
            return f.read()

    def put(self, path, text, mode=0o644):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    # ---- key -------------------------------------------------------------------------------------

    def test_a_key_is_made_on_first_use(self):
        out, err = self.run_it("key")
        self.assertRegex(out, r"^x25519:[A-Za-z0-9_-]{43}\n$")
        self.assertEqual(err, f"msgctl: a new key was made: {self.identity}\n")
        self.assertEqual(self.run_it("key", "show"), (out, ""))
        self.assertEqual(stat.S_IMODE(os.stat(self.identity).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("config")).st_mode), 0o700)

    def test_make_keeps_a_key(self):
        first, _ = self.run_it("key", "make")
        second, err = self.run_it("key", "make")
        self.assertEqual(first, second)
        self.assertEqual(err, f"msgctl: there was a key already: {self.identity}\n")

    def test_the_secret_is_nowhere_printed(self):
        out, err = self.run_it("key", "--json")
        secret = self.text(self.identity).split("secret: ")[1].strip()
        self.assertNotIn(secret, out + err)
        answer = json.loads(out)
        self.assertEqual(answer, {"schema": 1, "key": answer["key"], "file": self.identity,
                                  "made": True})

    def test_a_named_file_is_not_made_to_be_shown(self):
        _, err = self.run_it("key", "--file", self.path("other"), status=1)
        self.assertEqual(err, f"msgctl: {self.path('other')}: No such file or directory\n")
        self.assertFalse(os.path.exists(self.path("other")))

    def test_wrong_modes_are_refused_with_the_mending_command(self):
        self.run_it("key")
        os.chmod(self.identity, 0o644)
        out, err = self.run_it("key", status=1)
        self.assertEqual(out, "")
        self.assertEqual(err, f"msgctl: {self.identity} is open to others (mode 0644); "
                              f"run: chmod 600 {self.identity}\n")
        subprocess.run(err.split("run: ")[1].split(), check=True)
        os.chmod(self.path("config"), 0o755)
        _, err = self.run_it("key", status=1)
        self.assertIn(f"run: chmod 700 {self.path('config')}\n", err)
        subprocess.run(err.split("run: ")[1].split(), check=True)
        self.run_it("key")

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_root_leaves_nothing_in_anothers_folder(self):
        os.chown(self.folder, 12345, 12345)
        _, err = self.run_it("key", status=1)
        self.assertEqual(err, f"msgctl: {self.folder} belongs to uid 12345: "
                              "nothing is made there by uid 0\n")
        self.assertEqual(os.listdir(self.folder), [])

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_root_is_shown_the_key_of_another(self):
        """As with the host's key, which belongs to _msgd."""
        out, _ = self.run_it("key")
        for path in (self.folder, self.path("config"), self.identity):
            os.chown(path, 12345, 12345)
        self.assertEqual(self.run_it("key", "--file", self.identity), (out, ""))

    # ---- trust -----------------------------------------------------------------------------------

    def test_trust_pins_a_key(self):
        known_hosts = self.path("config/known_hosts")
        out, _ = self.run_it("trust", "H1.example:99", KEY_A)
        self.assertEqual(out, f"[h1.example]:99 is trusted by the key {KEY_A} ({known_hosts})\n")
        self.run_it("trust", "h1.example:99", KEY_A)
        self.run_it("trust", "2001:db8::1", KEY_B)
        self.assertEqual(self.text(known_hosts),
                         f"[h1.example]:99 {KEY_A}\n2001:db8::1 {KEY_B}\n")
        _, err = self.run_it("trust", "h1.example:99", KEY_B, status=1)
        self.assertIn(f"{known_hosts}:1: [h1.example]:99 is known there by another key\n", err)
        self.assertEqual(stat.S_IMODE(os.stat(known_hosts).st_mode), 0o600)

    def test_untrust(self):
        known_hosts = self.path("config/known_hosts")
        for name, key in (("h1", KEY_A), ("h2", KEY_B), ("h1:99", KEY_B)):
            self.run_it("trust", name, key)
        ca = "@cert-authority h* " + SSH_KEY
        with open(known_hosts, "a", encoding="utf-8") as f:
            f.write(f"\n# h1 is old\nh1 {KEY_B} moved\n{ca}\n")
        out, _ = self.run_it("trust", "--list")
        self.assertEqual(out, f"h1 {KEY_A} ({known_hosts}:1)\nh2 {KEY_B} ({known_hosts}:2)\n"
                         f"[h1]:99 {KEY_B} ({known_hosts}:3)\nh1 {KEY_B} ({known_hosts}:6)\n"
                         f"{ca} ({known_hosts}:7)\n")
        listed = [json.loads(line) for line in self.run_it("trust", "--list", "--json")[0].splitlines()]
        self.assertEqual(listed[4], {"schema": 1, "names": "h*", "mark": "cert-authority",
                                     "key": SSH_KEY, "file": known_hosts, "line": 7})
        _, err = self.run_it("trust", "h2", KEY_A, status=1)
        self.assertIn("run first: msgctl untrust h2\n", err)
        out, _ = self.run_it("untrust", "H1")
        self.assertEqual(out, f"h1: 2 keys taken out of {known_hosts}\n")
        self.assertEqual(self.text(known_hosts),
                         f"h2 {KEY_B}\n[h1]:99 {KEY_B}\n\n# h1 is old\n{ca}\n")
        self.assertEqual(stat.S_IMODE(os.stat(known_hosts).st_mode), 0o600)
        out, _ = self.run_it("untrust", "h1:99", "--json")
        self.assertEqual(json.loads(out), {"schema": 1, "host": "[h1]:99", "file": known_hosts,
                                           "removed": 1})
        _, err = self.run_it("untrust", "h1", status=1)
        self.assertIn("no key is kept for h1; those that are: msgctl trust --list\n", err)
        self.put(known_hosts, f"h2 {KEY_B}\nh3\n")
        for words in (("untrust", "h2"), ("trust", "--list")):
            self.assertIn(f"{known_hosts}:2: no key behind the name, ",
                          self.run_it(*words, status=1)[1])
        self.assertEqual(self.text(known_hosts), f"h2 {KEY_B}\nh3\n")
        os.remove(known_hosts)
        self.assertEqual(self.run_it("trust", "--list"), ("", ""))
        self.run_it("untrust", "h2", status=1)
        for words in (("trust",), ("trust", "h1", "--list"), ("untrust",), ("untrust", "h1:0")):
            self.run_it(*words, status=2)

    def test_trust_takes_an_alias_for_what_it_names(self):
        os.mkdir(self.path("config"), 0o700)
        self.put(self.path("config/msg.conf"), "[alias]\nmail = mx.example:7\n")
        out, _ = self.run_it("trust", "MAIL", KEY_A, "--json")
        self.assertEqual(json.loads(out)["host"], "[mx.example]:7")

    def test_trust_refuses(self):
        self.run_it("trust", "h1", "x25519:AAAA", status=2)
        self.run_it("trust", "h1:0", KEY_A, status=2)
        self.run_it("trust", "a b", KEY_A, status=2)
        os.mkdir(self.path("config"), 0o700)
        self.put(self.path("config/known_hosts"), "broken\n", 0o600)
        _, err = self.run_it("trust", "h1", KEY_A, status=1)
        self.assertEqual(err, f"msgctl: {self.path('config/known_hosts')}:1: no key behind the name, "
                              "x25519: and 43 characters\n")
        _, err = self.run_it("trust", "bob@h1", KEY_A, status=2)
        self.assertEqual(err, "msgctl: bob@h1: a host alone is wanted, without a user before it\n")

    def test_trust_takes_no_key_that_is_revoked(self):
        """It would say that it is trusted, and it never was."""
        os.mkdir(self.path("config"), 0o700)
        known_hosts = self.path("config/known_hosts")
        self.put(known_hosts, f"@revoked h* {KEY_A}\n", 0o600)
        _, err = self.run_it("trust", "H1:99", KEY_A, status=1)
        self.assertEqual(err, f"msgctl: that key is revoked ({known_hosts}:1); its administrator can "
                              "tell you the new one: msgctl key show --host\n")
        self.assertEqual(self.text(known_hosts), f"@revoked h* {KEY_A}\n")
        self.run_it("trust", "h1", KEY_B)
        self.run_it("trust", "other", KEY_A)

    # ---- authorize and revoke --------------------------------------------------------------------

    def test_authorize(self):
        self.put(self.authorized, "# people\n")
        out, _ = self.authorize(KEY_A, "alice")
        self.assertEqual(out, f"{self.authorized}: added: {KEY_A} alice\n")
        out, _ = self.authorize(KEY_A, "alice")
        self.assertEqual(out, f"{self.authorized}: unchanged: {KEY_A} alice\n")
        line = (f"{KEY_A} to=bob,session:console all who override rate=5 from=192.0.2.0/24 "
                "expires=2099-12-31 alice")
        out, _ = self.authorize("--all", "--who", "--override", "--to=bob,session:console",
                                "--rate=5", "--from=192.0.2.0/24", "--expires=2099-12-31", KEY_A,
                                "alice", "--json")
        self.assertEqual(json.loads(out), {"schema": 1, "key": KEY_A, "name": "alice",
                                           "result": "replaced", "file": self.authorized,
                                           "line": line})
        self.assertEqual(self.text(self.authorized), f"# people\n{line}\n")

    def test_authorize_until_a_day_that_is_past(self):
        _, err = self.authorize(KEY_A, "alice", "--expires=2099-12-31")
        self.assertEqual(err, "")
        _, err = self.authorize(KEY_A, "alice", "--expires=2020-01-01")
        self.assertEqual(err, "msgctl: the day of --expires is past: the key is not let in\n")

    def test_authorize_refuses(self):
        for words in (["x25519:AAAA", "alice"], [KEY_A, "a/b"], [KEY_A, "all"], [KEY_A, ""],
                      [KEY_A, "alice", "--rate=0"], [KEY_A, "alice", "--to="],
                      [KEY_A, "alice", "--to=%a/b"], [KEY_A, "alice", "--to=bob all"],
                      [KEY_A, "alice", "--from=x"], [KEY_A, "alice", "--expires=2026-02-30"],
                      [KEY_A + " all", "alice"], [KEY_A, "alice\n" + KEY_B + " mallory"],
                      ["# " + KEY_A, "alice"], [KEY_A], []):
            with self.subTest(words=words):
                out, err = self.authorize(*words, status=2)
                self.assertEqual(out, "")
                self.assertTrue(err.startswith("msgctl: "))
                self.assertFalse(os.path.exists(self.authorized))

    def test_a_file_with_an_error_is_left_alone(self):
        self.put(self.authorized, f"{KEY_B} bob\noops\n")
        _, err = self.authorize(KEY_A, "alice", status=1)
        self.assertIn(f"{self.authorized}:2: ", err)
        self.assertEqual(self.text(self.authorized), f"{KEY_B} bob\noops\n")

    def test_revoke_by_name(self):
        self.authorize(KEY_A, "alice")
        self.authorize(KEY_B, "alice")
        out, _ = self.revoke("alice", "--json")
        self.assertEqual({json.loads(line)["key"] for line in out.splitlines()}, {KEY_A, KEY_B})
        self.assertEqual(self.text(self.authorized), "")
        self.assertEqual(sorted(self.text(self.revoked).splitlines()),
                         [f"{KEY_A} alice", f"{KEY_B} alice"])
        _, err = self.authorize(KEY_A, "alice", status=1)
        self.assertEqual(err, f"msgctl: the key is revoked in {self.revoked}: "
                              "take its line out there first\n")
        _, err = self.revoke("alice", status=1)
        self.assertEqual(err, f"msgctl: {self.authorized} has no key of the name alice\n")

    def test_revoke_takes_a_serial_as_a_number(self):
        for typed, written in (("7", "7"), (40 * "0" + "12", "12"), (str(2**64 - 1), str(2**64 - 1))):
            with self.subTest(typed=typed):
                out, _ = self.revoke(SSH_KEY, f"--serial={typed}")
                self.assertIn(f"serial:{written} {SSH_KEY} is revoked (", out)
        lines = [f"serial:{n} {SSH_KEY}" for n in (7, 12, 2**64 - 1)]
        self.assertEqual(self.text(self.revoked).splitlines(), lines)
        for typed in (str(2**64), 33 * "1", 24 * "9", "-1", "0x1", "1 ", ""):
            with self.subTest(typed=typed):
                _, err = self.revoke(SSH_KEY, f"--serial={typed}", status=2)
                self.assertEqual(err, "msgctl: --serial wants a number, and with it the ssh-ed25519 "
                                      "key that has endorsed\n")
        self.assertEqual(self.text(self.revoked).splitlines(), lines)

    def test_revoke_names_organisations_that_may_endorse(self):
        ca = SSH_KEY
        self.put(self.authorized, f"{KEY_A} alice\nca:{ca} names=al* org\n")
        warning = (f"msgctl: {self.authorized}:{{}}: the organisation there may have endorsed alice by "
                   "other keys, which are not revoked; by an endorsement's serial: msgctl revoke "
                   f"'{ca}' --serial=N\n")
        out, err = self.revoke("alice")
        self.assertEqual((out, err), (f"{KEY_A} alice is revoked ({self.revoked}), taken out of "
                                      f"{self.authorized}\n", warning.format(1)))
        _, err = self.revoke("alice", status=1)
        self.assertEqual(err, warning.format(1) +
                         f"msgctl: {self.authorized} has no key of the name alice\n")
        _, err = self.revoke("bob", status=1)
        self.assertEqual(err, f"msgctl: {self.authorized} has no key of the name bob\n")

    def test_revoke_by_key(self):
        self.authorize(KEY_A, "alice")
        out, _ = self.revoke(KEY_A)
        self.assertEqual(out, f"{KEY_A} alice is revoked ({self.revoked}), "
                              f"taken out of {self.authorized}\n")
        out, _ = self.revoke(KEY_A)
        self.assertEqual(out, f"{KEY_A} is already revoked ({self.revoked})\n")
        out, _ = self.revoke(KEY_B, "--revoked", self.path("elsewhere"))
        self.assertEqual(self.text(self.path("elsewhere")), f"{KEY_B}\n")
        self.revoke("x25519:AAAA", status=2)

    def test_revoke_although_authorized_keys_is_broken(self):
        self.put(self.authorized, f"{KEY_A} alice\noops\n")
        _, err = self.revoke(KEY_A, status=1)
        self.assertIn(f"{self.authorized}:2: ", err)
        self.assertEqual(self.text(self.revoked), f"{KEY_A}\n")

    # ---- the folder beside authorized_keys --------------------------------------------------------

    def drop_in(self, name, text):
        os.makedirs(self.path("authorized_keys.d"), exist_ok=True)
        self.put(self.path("authorized_keys.d/" + name), text)
        return self.path("authorized_keys.d/" + name)

    def test_authorize_into_the_folder(self):
        team = self.path("authorized_keys.d/team.keys")
        out, _ = self.run_it("authorize", "--file", team, KEY_A, "alice")
        self.assertEqual(out, f"{team}: added: {KEY_A} alice\n")
        self.assertEqual(self.text(team), f"{KEY_A} alice\n")
        self.run_it("authorize", "--file", team, "--who", KEY_A, "alice")
        self.assertEqual(self.text(team), f"{KEY_A} who alice\n")
        _, err = self.authorize(KEY_A, "alice", status=1)
        self.assertIn(f"the key is in {team}:1: ", err)
        other = self.path("authorized_keys.d/other.keys")
        self.run_it("authorize", "--file", other, KEY_A, "alice", status=1)
        self.assertFalse(os.path.exists(other))
        _, err = self.run_it("authorize", "--file", self.path("authorized_keys.d/team"), KEY_B, "bob",
                             status=2)
        self.assertIn("names end in .keys", err)
        self.revoke(KEY_B)  # the revoked_keys beside authorized_keys
        _, err = self.run_it("authorize", "--file", other, KEY_B, "bob", status=1)
        self.assertIn(f"revoked in {self.revoked}", err)

    def test_revoke_finds_keys_in_the_folder(self):
        self.put(self.authorized, f"{KEY_C} carol\n")
        broken = self.drop_in("a.keys", "oops\n")
        team = self.drop_in("team.keys", f"# team\n{KEY_A} alice\n{KEY_B} bob\n")
        out, err = self.revoke("alice", status=1)
        self.assertEqual(out, f"{KEY_A} alice is revoked ({self.revoked}), taken out of {team}\n")
        self.assertIn(f"{broken}:1: ", err)
        os.unlink(broken)
        out, _ = self.revoke(KEY_B)
        self.assertEqual(out, f"{KEY_B} bob is revoked ({self.revoked}), taken out of {team}\n")
        self.assertEqual(self.text(team), "# team\n")
        self.assertEqual(self.text(self.authorized), f"{KEY_C} carol\n")
        _, err = self.revoke("alice", status=1)
        self.assertIn("no key of the name alice, nor has its folder", err)

    def test_revoke_although_the_folder_is_open_to_others(self):
        team = self.drop_in("team.keys", f"{KEY_A} alice\n")
        os.chmod(os.path.dirname(team), 0o777)
        _, err = self.revoke(KEY_A, status=1)
        self.assertIn("run: chmod go-w", err)
        self.assertEqual(self.text(self.revoked), f"{KEY_A}\n")
        self.assertEqual(self.text(team), f"{KEY_A} alice\n")

    # ---- the command line ------------------------------------------------------------------------

    def test_usage(self):
        out, err = self.run_it("--help")
        self.assertTrue(out.startswith("usage: msgctl SUBCOMMAND"))
        self.assertEqual(err, "")
        out, _ = self.run_it("revoke", "--help")
        self.assertTrue(out.startswith("usage: msgctl revoke KEY | NAME | --self KEY [options]\n"))
        self.assertRegex(self.run_it("--version")[0], r"^msgctl \d+\.\d+\.\d+\n$")
        for words in ([], ["nothing"], ["key", "--all"], ["key", "steal"], ["key", "\x1b[2J"]):
            with self.subTest(words=words):
                out, err = self.run_it(*words, status=2)
                self.assertEqual(out, "")
                self.assertNotIn("\x1b", err)


if __name__ == "__main__":
    unittest.main()
