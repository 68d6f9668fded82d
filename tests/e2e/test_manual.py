# SPDX-License-Identifier: MIT
"""What each program's usage tells, its manual page tells as well, and nothing else."""
import os
import re
import subprocess
import tempfile
import unittest

from harness import TOP, program

MAN = os.path.join(TOP, "man")


@unittest.skipUnless(os.path.isdir(MAN), "the manual pages are not here")
class ManualTest(unittest.TestCase):
    def said(self, name, *arguments):
        path = program(name)
        if not os.path.exists(path):
            self.skipTest(f"{name} is not built")
        with tempfile.TemporaryDirectory() as home:
            return subprocess.run([path, *arguments], capture_output=True, text=True, check=True,
                                  env={**os.environ, "MSG_CONFIG_HOME": home}).stdout

    def page(self, name):
        with open(os.path.join(MAN, name), encoding="utf-8") as f:
            return f.read()

    def listed(self, name):
        """The long options that a page has an item for."""
        items = re.findall(r"^\.It (.*Fl.*)$", self.page(name), re.M)
        return {word for item in items for word in re.findall(r"(?:Fl|,) -([a-z][a-z-]*)", item)}

    @staticmethod
    def options(usage):
        return set(re.findall(r"--([a-z][a-z-]*)", usage))

    def test_msg(self):
        usage = self.said("msg", "/?")
        windows = set(re.findall(r"^  /([A-Z?]+)", usage, re.M))
        self.assertGreater(len(windows), 8)
        items = re.findall(r"^\.It (.*)$", self.page("msg.1"), re.M)
        self.assertEqual(windows, {name for item in items for name in re.findall(r"Li /([A-Z?]+)", item)})
        self.assertEqual(self.options(usage), self.listed("msg.1"))

    def test_msgctl(self):
        commands = re.findall(r"^  ([a-z]+)  ", self.said("msgctl", "--help"), re.M)
        self.assertGreater(len(commands), 4)
        items = re.findall(r"^\.It Cm ([a-z]+)", self.page("msgctl.1"), re.M)
        self.assertEqual(set(commands), set(items))
        usages = "".join(self.said("msgctl", command, "--help") for command in commands)
        self.assertEqual(self.options(usages) | {"help", "version"}, self.listed("msgctl.1"))

    def test_msgd_present(self):
        usage = self.said("msgd-present", "--help")
        self.assertEqual(self.options(usage), self.listed("msgd-present.8"))

    def test_msgd_conf(self):
        with tempfile.NamedTemporaryFile(suffix=".conf") as empty:
            dump = self.said("msgd", "-f", empty.name, "-T")
        keys = re.findall(r"^([a-z_]+) = ", dump, re.M)
        self.assertGreater(len(keys), 15)
        self.assertEqual(keys, re.findall(r"^\.It Cm ([a-z_]+)", self.page("msgd.conf.5"), re.M))


if __name__ == "__main__":
    unittest.main()
