# SPDX-License-Identifier: MIT
"""scripts/demo tells the whole story and leaves nothing; scripts/demo --try is a place to play."""
import getpass
import os
import re
import subprocess
import sys
import tempfile
import unittest

from harness import TOP, WAIT, Terminal, User
from system import System

DEMO = [sys.executable, os.path.join(TOP, "scripts", "demo.py")]


class DemoTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        System().close()  # skipped where a program is missing
        self.folder = tempfile.TemporaryDirectory(prefix="msg-demo-")
        os.chmod(self.folder.name, 0o755)  # _msgd looks in
        self.addCleanup(self.folder.cleanup)
        self.environment = {**os.environ, "TMPDIR": self.folder.name, "NO_COLOR": "1"}

    def assert_nothing_left(self):
        self.assertEqual(os.listdir(self.folder.name), [])
        commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        self.assertNotIn(self.folder.name, commands.stdout)

    def test_story(self):
        done = subprocess.run(DEMO, env=self.environment, stdin=subprocess.DEVNULL, timeout=60,
                              capture_output=True, text=True, check=False)
        text = done.stdout
        self.assertEqual((done.returncode, done.stderr), (0, ""), text)
        person = getpass.getuser()
        for pattern in (
                rf"\| Message from alice \(network, 127\.0\.0\.1\) to {person} on ",
                r"\| \| The server goes down at 18:00\.",
                r"\| (\$ )?msg /ack",
                r"Sending message to session pts/\d+, display time 30\n"
                r"  Message to session pts/\d+ responded to by user\n(  .*\n)?  \(exit status 0\)",
                r"Timeout on message to session pts/\d+ before user response\n(  .*\n)?"
                r"  \(exit status 3\)",
                r"Error 5 getting session names: .* does not know your key x25519:.*\n"
                r"(  .*\n)?  \(exit status 4\)",
                r"scripts/demo --try"):
            self.assertRegex(text, pattern)
        self.assert_nothing_left()

    def test_try(self):
        user = User.me(self.folder.name)
        terminal = Terminal(user, leader=DEMO + ["--try"],
                            env={**self.environment, "SHELL": "/bin/sh", "PS1": "$ "})
        self.addCleanup(terminal.close)
        terminal.wait_for(r"^\$ $")
        second = re.search(r"(pts/\d+), whose screen", terminal.screen()).group(1)
        _, status = terminal.run("msg $USER hello")
        self.assertEqual(status, 0, terminal.screen())
        terminal.wait_for(rf"{second} \| . hello")
        terminal.type("msg $USER /W /V /TIME:60 'Please confirm' &\n")
        terminal.wait_for(rf"{second} \| To confirm that you have read this, type: msg /ack")
        output, status = terminal.run("msg /ack")
        self.assertEqual(status, 0, output)
        terminal.wait_for(rf"Message to session {second} responded to by user")
        terminal.type("exit\n")
        terminal.wait_for("nothing is left running")
        terminal.leader.wait(10)
        os.rmdir(os.path.join(self.folder.name, "msg")) if os.path.isdir(
            os.path.join(self.folder.name, "msg")) else None
        self.assert_nothing_left()

    def test_the_window_of_try_is_closed(self):
        terminal = Terminal(User.me(self.folder.name), leader=DEMO + ["--try"],
                            env={**self.environment, "SHELL": "/bin/sh", "PS1": "$ "})
        self.addCleanup(terminal.close)
        terminal.wait_for(r"^\$ $")
        master, terminal.master = terminal.master, -1
        os.close(master)
        terminal.leader.wait(WAIT)  # hang_up() would kill it in the middle of its tidying
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
