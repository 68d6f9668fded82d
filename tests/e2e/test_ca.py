# SPDX-License-Identifier: MIT
"""
An organisation's key, from its making to users and hosts that have never heard of each other: with it
a new user and a new host need no question and no line of their own.
"""
import json
import os
import pty
import pwd
import re
import shutil
import subprocess
import time
import unittest

from harness import AM_ROOT, Running, Terminal, User, eventually, program
from test_endorse import ssh_key
from world import Real


class Organisation(Real):
    SENDERS = {"alice": None, "bob": None}

    @classmethod
    def start(cls):
        cls.endorsements = cls.system.path("host_endorsements")
        cls.system.config["host-endorsements"] = cls.endorsements
        cls.system.start()
        cls.host_key = cls.system.host_key()

    def setUp(self):
        self.folder = self.system.folder_of(self.id().rsplit(".", 1)[1])
        self.ca = os.path.join(self.folder, "ca")
        for sender in self.senders.values():  # known_hosts was made with a pin
            with open(os.path.join(sender.home, "known_hosts"), "w", encoding="utf-8"):
                pass

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def ctl(self, *words, home=None, status=0):
        env = {**self.system.environment(), "MSG_CONFIG_HOME": home or self.folder,
               "MSG_SSH_KNOWN_HOSTS": ""}
        done = Running(self.system.me, [program("msgctl"), *words], env=env).finish(30)
        self.assertEqual(done.status, status, done)
        return done

    def sign(self, *lines, options=(), status=0):
        """The files that were made, in the order of the list."""
        self.write(self.path("list"), "".join(line + "\n" for line in lines))
        done = self.ctl("ca", "sign", self.path("list"), "--ssh-key", self.ca, "--into", self.folder,
                        "--json", *options, status=status)
        return [json.loads(line) for line in done.out.splitlines()] if status == 0 else done.err

    def test_make(self):
        with Terminal(User.me(self.folder)) as terminal:
            terminal.type(f"{program('msgctl')} ca make {self.ca}; echo ended $?\n")
            for ask in ("Enter passphrase", "Enter same passphrase"):
                terminal.wait_for(ask)
                terminal.type("\n")
            terminal.wait_for(r"^ended 0$")
            screen = re.sub(r"\s+", "", terminal.screen())
        with open(self.ca + ".pub", encoding="ascii") as f:
            key = " ".join(f.read().split()[:2])
        self.assertIn(re.sub(r"\s+", "", f"msgctl authorize --ca --names='*' '{key}' NAME"), screen)
        self.assertIn(re.sub(r"\s+", "", f"@cert-authority * {key}"), screen)
        self.assertEqual(os.stat(self.ca).st_mode & 0o777, 0o600)

    def test_a_fleet(self):
        key = ssh_key(self.ca)
        alice, bob = self.senders["alice"], self.senders["bob"]
        made = self.sign("# all of us", f"user alice {alice.key} who", f"user bob {bob.key}",
                         f"host h2,127.0.0.1 {self.host_key}")
        self.assertEqual([(m["kind"], m["name"]) for m in made],
                         [("user", "alice"), ("user", "bob"), ("host", "h2,127.0.0.1")])
        self.assertEqual(len({m["serial"] for m in made}), 3)
        # What stands on every host, and on every client.
        self.ctl("authorize", "--file", self.system.authorized_keys, "--ca", "--names=*", "--who", key,
                 "org")
        short = " ".join(key.split()[:2])
        for sender, file in zip((alice, bob), made):
            self.ctl("key", "endorsed", file["file"], home=sender.home)
            self.write(os.path.join(sender.home, "known_hosts"), f"@cert-authority * {short} org\n")
        self.ctl("key", "endorsed", made[2]["file"], "--host", "--file",
                 os.path.join(self.system.state, "host_key"), "--into", self.endorsements)
        time.sleep(1.1)
        eventually(lambda: self.system.msg("ping", self.system.server, name="msgctl",
                                           home=alice.home).status == 0, "the endorsement to be shown")
        for name, sender in (("alice", alice), ("bob", bob)):
            self.assertIn(f"it knows you as {name}\n",
                          self.ctl("ping", self.system.server, home=sender.home).out)
        self.ctl("sessions", self.system.server, home=alice.home)
        self.ctl("sessions", self.system.server, home=bob.home, status=1)
        self.ctl("revoke", "--file", self.system.authorized_keys, "--serial", str(made[0]["serial"]),
                 key)
        time.sleep(1.1)
        self.assertIn("revoked", self.ctl("ping", self.system.server, home=alice.home, status=4).err)
        self.ctl("ping", self.system.server, home=bob.home)

    def tree(self, name):
        with open(self.path(f"etc/{name}"), encoding="ascii") as f:
            return f.read()

    def test_the_tree(self):
        """What stands in it is what each file of a host's takes."""
        key = " ".join(ssh_key(self.ca).split()[:2])
        os.umask(0o077)
        self.addCleanup(os.umask, 0o022)
        alice = self.senders["alice"]
        made = self.sign(f"user alice {alice.key} who", f"host h2,127.0.0.1 {self.host_key}",
                         f"user bob {self.senders['bob'].key}")
        texts = []
        for file in made:
            with open(file["file"], encoding="ascii") as f:
                texts.append(f.read())
        self.assertEqual(self.tree("msg/endorsements"), texts[0] + texts[2])
        self.assertEqual(self.tree("msgd/host_endorsements"), texts[1])
        self.assertEqual(self.tree("msg/known_hosts"), f"@cert-authority * {key} organisation\n")
        self.assertEqual(self.tree("msgd/authorized_keys.d/organisation.keys"),
                         f"ca:{key} names=* all who override organisation\n")
        for path, _, files in os.walk(self.path("etc")):
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o755, path)
            for name in files:
                self.assertEqual(os.stat(os.path.join(path, name)).st_mode & 0o777, 0o644, name)
        self.assertEqual(self.sign(f"user alice {alice.key}")[0]["name"], "alice")
        self.assertEqual(self.tree("msgd/host_endorsements"), "")

    def test_one_passphrase_for_all(self):
        """Typed once, on the terminal of ssh-keygen; nothing is left of what it signed."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "correct horse", "-f", self.ca],
                       check=True)
        key = self.senders["alice"].key
        self.write(self.path("list"), "".join(f"user u{i} {key}\n" for i in range(40)))
        temporary = self.path("tmp")
        os.mkdir(temporary)
        with Terminal(User.me(self.folder), env={"TMPDIR": temporary}) as terminal:
            terminal.type(f"{program('msgctl')} ca sign {self.path('list')} --ssh-key={self.ca} "
                          f"--into={self.path('signed')} >{self.path('said')}; echo ended $?\n")
            terminal.wait_for("Enter passphrase")
            terminal.type("correct horse\n")
            terminal.wait_for(r"^ended 0$")
            self.assertEqual(terminal.screen().count("Enter passphrase"), 1)
        self.assertEqual(len(os.listdir(self.path("signed"))), 41)
        self.assertEqual(os.listdir(temporary), [])

    def test_keys_of_other_types_are_told(self):
        ssh_key(self.ca, "rsa")
        err = self.sign(f"user alice {self.senders['alice'].key}", status=1)
        self.assertIn("no ssh-ed25519 key, and others (RSA, ECDSA, sk) cannot serve an organisation; "
                      "make one: msgctl ca make FILE", err)

    def test_nobody_signs_by_his_own_key_unawares(self):
        self.write(self.path("list"), f"user alice {self.senders['alice'].key}\n")
        err = self.ctl("ca", "sign", self.path("list"), status=2).err
        self.assertIn("ca sign wants --ssh-key=FILE, the organisation's, which msgctl ca make FILE makes",
                      err)

    def test_an_organisation_wants_names(self):
        err = self.ctl("authorize", "--ca", ssh_key(self.ca), "org", status=2).err
        self.assertIn("authorize wants: with --ca also --names=LIST: whom the organisation may endorse, "
                      "such as '*'", err)

    def test_an_empty_list_is_told(self):
        ssh_key(self.ca)
        self.assertIn("there is nobody in the list", self.sign("# nobody", status=1))

    def test_nobody_becomes_root_by_a_pattern(self):
        key, alice = ssh_key(self.ca), self.senders["alice"]
        made, = self.sign(f"user root {alice.key}")
        self.ctl("key", "endorsed", made["file"], home=alice.home)
        self.write(os.path.join(alice.home, "known_hosts"),
                   f"@cert-authority * {' '.join(key.split()[:2])}\n")
        self.addCleanup(os.unlink, os.path.join(alice.home, "endorsements"))
        made, = self.sign(f"host 127.0.0.1 {self.host_key}")
        self.ctl("key", "endorsed", made["file"], "--host", "--file",
                 os.path.join(self.system.state, "host_key"), "--into", self.endorsements)
        for names, status in (("*", 4), ("roo?,r*", 4), ("*,root", 0)):
            self.ctl("authorize", "--file", self.system.authorized_keys, "--ca", "--names", names, key,
                     "org")
            time.sleep(1.1)
            done = self.ctl("ping", self.system.server, home=alice.home, status=status)
        self.assertIn("it knows you as root\n", done.out)
        self.ctl("revoke", "--file", self.system.authorized_keys, key)

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_lines(self):
        user = self.system.user()
        home = pwd.getpwnam(user.name).pw_dir
        os.makedirs(f"{home}/.config", 0o755)
        self.addCleanup(shutil.rmtree, home)
        for path in (home, f"{home}/.config"):
            os.chown(path, user.uid, user.gid)
        host_key = f"--host-key={os.path.join(self.system.state, 'host_key')}"
        done = self.ctl("ca", "lines", user.name, "--names=h2,h2.example.org", host_key)
        host, person = done.out.splitlines()
        self.assertEqual(host, f"host h2,h2.example.org {self.host_key}")
        self.assertRegex(person, rf"^user {user.name} x25519:[\w-]{{43}}$")
        self.assertEqual(self.ctl("ca", "lines", user.name, "--json", host_key).out.count("}\n"), 2)
        self.assertIn(person + "\n", self.ctl("ca", "lines", user.name, host_key).out)
        ssh_key(self.ca)
        self.sign(host, person)
        self.assertIn("nobody_of_that_name: there is no such user here",
                      self.ctl("ca", "lines", "nobody_of_that_name", host_key, status=1).err)
        missing = self.path("no_key")
        self.assertIn("when it first listens for other hosts; run: systemctl enable --now "
                      "msgd-tcp.socket", self.ctl("ca", "lines", f"--host-key={missing}", status=1).err)

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_lines_leave_no_terminal_to_the_user(self):
        """His process could type in it, as root."""
        folder, found = self.path("bin"), self.path("found")
        os.mkdir(folder)
        self.write(os.path.join(folder, "runuser"),
                   f"#!/bin/bash\n( : </dev/tty ) 2>/dev/null && echo controls >>{found}\n"
                   f"[ -t 0 -o -t 1 -o -t 2 ] && echo holds >>{found}\n"
                   f"echo asked >>{found}\necho {self.senders['alice'].key}\n")
        os.chmod(os.path.join(folder, "runuser"), 0o755)
        user = self.system.user()
        pid, tty = pty.fork()
        if pid == 0:
            os.environ.update(self.system.environment(), PATH=f"{folder}:{os.environ['PATH']}")
            os.execv(program("msgctl"), ["msgctl", "ca", "lines", user.name, "--names=h2",
                     f"--host-key={os.path.join(self.system.state, 'host_key')}"])
        self.addCleanup(os.close, tty)
        shown = b""
        try:
            while more := os.read(tty, 1024):
                shown += more
        except OSError:
            pass  # how a terminal ends
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, shown)
        self.assertIn(f"user {user.name} {self.senders['alice'].key}".encode(), shown)
        with open(found, encoding="ascii") as file:
            self.assertEqual(file.read(), "asked\n")

    @unittest.skipIf(AM_ROOT, "root may")
    def test_lines_are_for_root(self):
        self.assertIn("run this as root", self.ctl("ca", "lines", status=1).err)

    def test_expires(self):
        ssh_key(self.ca)
        line = f"user alice {self.senders['alice'].key}"
        self.assertEqual(self.sign(line, options=("--expires", "2099-01-02"))[0]["expires"],
                         "2099-01-02")
        self.assertIn("a date to come", self.sign(line, options=("--expires", "2020-01-01"),
                                                  status=2))

    def test_a_bad_line_signs_nothing(self):
        ssh_key(self.ca)
        before = set(os.listdir(self.folder))
        err = self.sign(f"user alice {self.senders['alice'].key}", "user bob", status=1)
        self.assertIn(f"{self.path('list')}:2: no key behind the name", err)
        self.assertEqual(set(os.listdir(self.folder)), before | {"list"})

    def test_what_is_not_kept(self):
        ssh_key(self.ca)
        made = self.sign(f"user alice {self.senders['alice'].key}",
                         f"host h2 {self.senders['bob'].key}")
        for file, home, why in ((made[0]["file"], "bob", f"it endorses another key than this one, which is {self.senders['bob'].key}: "
                                           "have that signed"),
                                (made[1]["file"], "bob", "it is of a host; that wants --host"),
                                (self.path("list"), "bob", "the statement does not begin")):
            err = self.ctl("key", "endorsed", file, home=self.senders[home].home, status=1).err
            self.assertIn(f"{file}: {why}", err)
        with open(made[0]["file"], encoding="ascii") as f:
            text = f.read()
        self.write(self.path("changed"), text.replace("name: alice", "name: root"))
        self.assertIn("the signature is not of that statement",
                      self.ctl("key", "endorsed", self.path("changed"),
                               home=self.senders["alice"].home, status=1).err)
