# SPDX-License-Identifier: MIT
"""The harness itself: its terminals, logins and users are what the programs will take them for."""
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import AM_ROOT, Running, Terminal, User, Utmp


class HarnessTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="msg-harness-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.user = User.me(self.folder)

    def test_terminal_runs_what_is_typed(self):
        with Terminal(self.user) as terminal:
            output, status = terminal.run("tty; sh -c 'exit 3'")
            self.assertEqual((output.strip(), status), (terminal.path, 3))
            terminal.run("true")
            self.assertIn("sh -c", terminal.screen())

    def test_terminal_takes_bytes_of_others(self):
        with Terminal(self.user, leader=["sleep", "100"]) as terminal:
            with open(terminal.path, "wb", buffering=0) as device:
                device.write(b"hello\r\n")
            terminal.wait_for("^hello$")

    def test_utmp_is_read_by_who(self):
        utmp = Utmp(os.path.join(self.folder, "utmp"))
        with Terminal(self.user, utmp, host="192.0.2.7") as terminal:
            who = subprocess.run(["who", utmp.path], capture_output=True, text=True, check=True)
            self.assertRegex(who.stdout, rf"^{self.user.name} +{terminal.line} .*\(192.0.2.7\)")
            terminal.hang_up()
            who = subprocess.run(["who", utmp.path], capture_output=True, text=True, check=True)
            self.assertEqual(who.stdout, "")
            self.assertIsNotNone(terminal.leader.poll())

    def test_program_under_way(self):
        running = Running(self.user, ["sh", "-c", "cat; echo end >&2; exit 7"], stdin="text")
        outcome = running.finish()
        self.assertEqual((outcome.status, outcome.out, outcome.err), (7, "text", "end\n"))
        with self.assertRaises(AssertionError):
            Running(self.user, ["sleep", "100"]).finish(timeout=0.2)

    @unittest.skipUnless(AM_ROOT, "users are made by root")
    def test_made_user_owns_his_terminal(self):
        user = User.make()
        self.addCleanup(user.remove)
        with Terminal(user) as terminal:
            output, _ = terminal.run("id -un; stat -c '%U %G %a' $(tty)")
            self.assertEqual(output.split("\n")[:2], [user.name, f"{user.name} tty 620"])
        user.remove()
        self.assertNotEqual(subprocess.run(["id", user.name], capture_output=True).returncode, 0)
