# SPDX-License-Identifier: MIT
"""
Senders who are let in on their ssh key, or on an organisation's: real ssh-keygen and ssh-agent,
msgctl, msg and msgd.
"""
import os
import re
import signal
import subprocess
import time
import unittest

from harness import Running, eventually, program
from world import Real

YEAR = 365 * 86400


def ssh_key(path, kind="ed25519"):
    """A new key; its public half as a .pub file has it."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "me@laptop", "-f", path],
                   check=True)
    with open(path + ".pub", encoding="ascii") as f:
        return f.read().strip()


class Agent:
    """A private ssh-agent."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "agent")
        said = subprocess.run(["ssh-agent", "-s", "-a", self.socket], check=True,
                              capture_output=True, text=True).stdout
        self.pid = int(re.search(r"SSH_AGENT_PID=(\d+)", said)[1])

    def add(self, path):
        subprocess.run(["ssh-add", "-q", path], check=True, capture_output=True,
                       env={**os.environ, "SSH_AUTH_SOCK": self.socket})

    def close(self):
        os.kill(self.pid, signal.SIGTERM)


class Endorsed(Real):
    SENDERS = {"alice": None}

    def setUp(self):
        self.home = self.senders["alice"].home
        self.key = self.senders["alice"].key
        self.folder = self.system.folder_of(self.id().rsplit(".", 1)[1])
        self.id_file = os.path.join(self.folder, "id")
        self.public = ssh_key(self.id_file)
        self.short = " ".join(self.public.split()[:2])
        for path in (self.system.authorized_keys, self.system.revoked_keys):
            self.write(path, "")
        self.forget()

    def write(self, path, text):
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def file(self):
        return os.path.join(self.home, "endorsements")

    def forget(self):
        if os.path.exists(self.file()):
            os.unlink(self.file())

    def ctl(self, *words, status=0, env=None):
        env = {**self.system.environment(), "MSG_CONFIG_HOME": self.home, **(env or {})}
        done = Running(self.system.me, [program("msgctl"), *words], env=env).finish(30)
        self.assertEqual(done.status, status, done)
        return done

    def authorize(self, *words):
        self.ctl("authorize", "--file", self.system.authorized_keys, *words)
        time.sleep(1.1)  # the file is looked at once a second

    def endorse(self, *words, **options):
        return self.ctl("key", "endorse", "--ssh-key", self.id_file, *words, **options)

    def who_am_i(self, status=0):
        return self.ctl("ping", self.system.server, status=status)

    def known_as(self, name):
        self.assertIn(f"it knows you as {name}\n", self.who_am_i().out)

    def until_refused(self, word):
        def refused():
            done = self.system.begin("ping", self.system.server, name="msgctl",
                                     home=self.home).finish(30)
            return done.status == 4 and word in done.err
        eventually(refused, word)

    # ---- a person's own ssh key ------------------------------------------------------------------

    def test_by_a_file(self):
        self.authorize(self.public, "alice")
        self.who_am_i(status=4)
        out = self.endorse().out
        self.assertRegex(out, rf"^{self.key} is endorsed by {re.escape(self.short)} until "
                              rf"\d{{4}}-\d\d-\d\d \({self.file()}\)\n$")
        self.known_as("alice")
        self.expect(self.msg_from("alice", self.user.name, "/TIME:5", "signed"), 0)
        self.popup("signed")
        self.assertIn("Message from alice (network, 127.0.0.1)", self.terminal.screen())

    def test_one_that_has_ended(self):
        """Who was let in by it is told what to have done; msg and the doctor say it alike."""
        self.authorize(self.public, "alice")
        self.endorse()
        with open(self.file(), encoding="ascii") as f:
            statement = f.read().split("-----BEGIN")[0]
        before = int(time.time()) - 900
        day = time.strftime("%Y-%m-%d", time.localtime(before))
        for key, at in (("after", before - 900), ("before", before)):
            statement = re.sub(rf"{key}: \d+", f"{key}: {at}", statement)
        signature = subprocess.run(
            ["ssh-keygen", "-q", "-Y", "sign", "-n", "msg-endorse-v1", "-f", self.id_file],
            input=statement, text=True, capture_output=True, check=True).stdout
        self.write(self.file(), statement + signature)
        self.expect(self.msg_from("alice", self.user.name, "late"), 4, "",
                    f"Error 5 getting session names: {self.system.server} does not know your key "
                    f"{self.key} ({self.home}/identity): what endorsed it ended on {day}. Have it signed anew, by "
                    "who signed it, or by your ssh key: msgctl key endorse\n")
        self.assertIn(f"fails    you there: {self.system.server} does not know your key, and what "
                      f"endorsed it ended on {day}. Have it signed anew, by who signed it, or by your ssh "
                      "key:\n        type here:  msgctl key endorse\n",
                      self.ctl("doctor", self.system.server, status=4).out)

    def test_by_the_agent(self):
        agent = Agent(self.folder)
        self.addCleanup(agent.close)
        ssh_key(os.path.join(self.folder, "rsa"), "rsa")
        agent.add(os.path.join(self.folder, "rsa"))
        environment = {"SSH_AUTH_SOCK": agent.socket, "TMPDIR": self.folder}
        before = set(os.listdir(self.folder))
        if not os.path.exists(os.path.expanduser("~/.ssh/id_ed25519")):
            err = self.ctl("key", "endorse", status=1, env=environment).err
            self.assertIn("keys of other types (RSA, ECDSA, sk) cannot serve", err)
            self.assertIn("ssh-keygen -t ed25519", err)
        agent.add(self.id_file)
        self.authorize(self.public, "alice")
        self.assertIn(self.short, self.ctl("key", "endorse", env=environment).out)
        self.assertEqual(set(os.listdir(self.folder)), before)
        self.known_as("alice")

    def test_by_hand(self):
        statement = os.path.join(self.folder, "statement")
        self.write(statement, self.ctl("key", "statement").out)
        subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "msg-endorse-v1", "-f", self.id_file,
                        statement], check=True, capture_output=True)
        with open(self.file(), "w", encoding="ascii") as out:
            for name in (statement, statement + ".sig"):
                with open(name, encoding="ascii") as f:
                    out.write(f.read())
        self.authorize(self.public, "alice")
        self.known_as("alice")

    def test_keys_of_other_types_are_told_what_to_do(self):
        for kind in ("rsa", "ecdsa"):
            path = os.path.join(self.folder, kind)
            ssh_key(path, kind)
            err = self.ctl("key", "endorse", "--ssh-key", path, status=1).err
            self.assertIn(f"{path} is no ssh-ed25519 key", err)
            self.assertIn("cannot serve", err)
            self.assertIn(f"msgctl authorize {self.key}", err)
            self.assertFalse(os.path.exists(self.file()))

    def test_it_cannot_become_another_by_its_name(self):
        self.authorize(self.public, "alice")
        self.endorse("--names", "root")
        self.known_as("alice")

    def test_one_takes_the_others_place(self):
        self.endorse()
        self.endorse()
        with open(self.file(), encoding="ascii") as f:
            self.assertEqual(f.read().count("msg-endorse-v1\n"), 1)
        other = os.path.join(self.folder, "other")
        ssh_key(other)
        self.ctl("key", "endorse", "--ssh-key", other)
        with open(self.file(), encoding="ascii") as f:
            self.assertEqual(f.read().count("msg-endorse-v1\n"), 2)
        self.authorize(self.public, "alice")
        self.known_as("alice")
        for number, status in ((3, 0), (4, 0), (5, 1)):
            path = os.path.join(self.folder, f"id{number}")
            ssh_key(path)
            err = self.ctl("key", "endorse", "--ssh-key", path, status=status).err
        self.assertIn(f"{self.file()}: there are 4 endorsements by other keys already", err)
        self.endorse()
        self.known_as("alice")

    def test_a_broken_file_is_told(self):
        self.write(self.file(), "nonsense\n")
        self.assertIn(f"{self.file()}: the statement does not begin with the line msg-endorse-v1",
                      self.who_am_i(status=4).err)

    # ---- revoked ---------------------------------------------------------------------------------

    def revoke(self, *words):
        self.ctl("revoke", "--file", self.system.authorized_keys, *words)

    def test_a_revoked_signer_is_cut_off(self):
        self.authorize(self.public, "alice")
        self.endorse()
        running = self.begin_from("alice", self.user.name, "/W", "wait for me")
        self.popup("wait for me")
        self.revoke(self.public)
        done = running.finish(30)
        self.assertNotEqual(done.status, 0, done)
        self.assertIn("revoked", done.out + done.err)
        self.until_refused("revoked")

    def test_a_revoked_serial(self):
        self.authorize(self.public, "alice")
        self.endorse()
        with open(self.file(), encoding="ascii") as f:
            serial = re.search(r"serial: (\d+)", f.read())[1]
        self.known_as("alice")
        self.revoke("--serial", serial, self.public)
        self.until_refused("revoked")
        self.endorse()  # with another serial
        self.known_as("alice")

    def test_a_revoked_key(self):
        self.authorize(self.public, "alice")
        self.endorse()
        self.known_as("alice")
        self.revoke(self.key)
        self.until_refused("revoked")
        self.endorse()
        self.until_refused("revoked")

    # ---- an organisation's key -------------------------------------------------------------------

    def sign_as_organisation(self, name, perm="", after=0, before=YEAR):
        """By hand, as an organisation's script would."""
        statement = self.ctl("key", "statement", "--names", name).out
        start = int(re.search(r"after: (\d+)", statement)[1])
        statement = re.sub(r"after: \d+", f"after: {start + after}", statement)
        statement = re.sub(r"before: \d+", f"before: {start + before}", statement)
        statement = statement.replace("perm:\n", f"perm: {perm}\n" if perm else "perm:\n")
        signature = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", "msg-endorse-v1", "-f",
                                    self.id_file], input=statement, text=True, check=True,
                                   capture_output=True).stdout
        self.write(self.file(), statement + signature)

    def test_an_organisation(self):
        self.authorize("--ca", "--names", "al*,bob", "--who", "--all", self.public, "org")
        self.sign_as_organisation("alice", "who")
        self.known_as("alice")
        self.ctl("sessions", self.system.server)
        done = self.msg_from("alice", "/ALL", "to everybody")
        self.assertEqual(done.status, 1, done)  # in the line's rights, not in the endorsement's
        self.sign_as_organisation("alice", "all")
        self.ctl("sessions", self.system.server, status=1)
        self.expect(self.msg_from("alice", "/ALL", "to you all"), 0)
        self.popup("to you all")

    def test_whom_it_may_endorse(self):
        self.authorize("--ca", "--names", "al*,bob", self.public, "org")
        for name, status in (("alice", 0), ("bob", 0), ("root", 4), ("bobby", 4)):
            self.sign_as_organisation(name)
            self.who_am_i(status=status)

    def test_one_whose_time_is_over_is_told(self):
        self.authorize("--ca", "--names", "*", self.public, "org")
        self.sign_as_organisation("alice", before=-86400, after=-90000)
        err = self.who_am_i(status=4).err
        ended = time.strftime("%F", time.localtime(time.time() - 86400))
        self.assertIn(f"does not know your key {self.key} ({self.home}/identity): what endorsed it "
                      f"ended on {ended}. Have it signed anew, by who signed it, or by your ssh key: "
                      "msgctl key endorse\n", err)

    def test_its_time(self):
        self.authorize("--ca", "--names", "*", self.public, "org")
        for after, before, status in ((-400, -290, 0), (-400, -310, 4), (290, 400, 0),
                                      (310, 400, 4)):
            self.sign_as_organisation("alice", after=after, before=before)
            self.who_am_i(status=status)


if __name__ == "__main__":
    unittest.main()
