# SPDX-License-Identifier: MIT
"""
msgctl pair through the real programs, with a stand-in for ssh that runs what it is asked to run as the
user himself: what is done, what is said, and each way to fail; and once through the real ssh and
sshd, where there is one.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

from harness import Running, eventually, free_port, program, stop
from test_grant import Own

NO_SSH = ("msgctl: there is no ssh on this computer; install openssh-client, or type on {host}: msgctl "
          "authorize --self {key}\n")


class Pair(Own):
    """`ssh()` says what the stand-in does; `self.bin` is first in PATH."""

    CONFIG = {"own-keys": 16}

    def setUp(self):
        super().setUp()
        os.unlink(os.path.join(self.other.home, "known_hosts"))
        self.bin = self.system.folder_of(f"bin{self.count}", 0o755)
        self.asked = os.path.join(self.other.home, "asked")
        self.host = "127.0.0.1"
        self.named = f"[127.0.0.1]:{self.system.port}"
        self.ssh(self.run_it())

    def run_it(self, before="", after=""):
        """What sshd does for the user: his shell, his files, not the other computer's."""
        build = os.path.dirname(program("msgctl"))
        return (f'MSG_CONFIG_HOME={self.user.home}/there; MSG_SOCKET={self.system.socket}\n'
                f'PATH={build}:$PATH; export MSG_CONFIG_HOME MSG_SOCKET PATH\n'
                f'{before}\n/bin/sh -c "$4"; status=$?\n{after}\nexit $status')

    def ssh(self, script):
        path = os.path.join(self.bin, "ssh")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\n[ "$1" = -V ] && exit 0\nprintf "%s\\n" "$@" >{self.asked}\n{script}\n')
        os.chmod(path, 0o755)

    def begin_pair(self, *words, path=None):
        env = {**self.system.environment(), "MSG_CONFIG_HOME": self.other.home,
               "MSG_SSH_KNOWN_HOSTS": "", "MSG_SOCKET": "/nonexistent"}
        env["PATH"] = path or f"{self.bin}:{env['PATH']}"
        running = Running(self.user, [program("msgctl"), "pair", *words], env=env)
        self.addCleanup(running.kill)
        return running

    def pair(self, *words, path=None):
        return self.begin_pair(*(words or (self.host,)), path=path).finish(30)

    def known_hosts(self):
        try:
            with open(os.path.join(self.other.home, "known_hosts"), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def refused(self, err, status=4, words=(), path=None):
        """It fails so, and no key is trusted."""
        self.expect(self.pair(*words, path=path), status, "", err)
        self.assertEqual(self.known_hosts(), "")

    def back(self):
        return f"ssh {self.host} msgctl revoke --self {self.other.key}"


class Works(Pair):
    def test_both_ways_in_one_step(self):
        server = self.system.server
        self.expect(self.pair(), 0,
                    f"{server} and this computer know each other: your key counts as {self.user.name} "
                    f"there, and may do what {self.user.name} may\nTry it:\n"
                    f"  msg {self.user.name} /SERVER:{server} hello\n")
        self.assertEqual(self.known_hosts(), f"{self.named} {self.system.host_key()}\n")
        with open(self.asked, encoding="utf-8") as file:
            self.assertEqual(file.read(), f"-T\n--\n{self.host}\nmsgctl authorize --self - --json\n")
        self.assertEqual(self.send(self.user.name, "by the line it printed").status, 0)
        self.terminal.wait_for("by the line it printed")

    def test_again(self):
        first = self.pair()
        self.expect(self.pair(), 0, first.out)
        self.assertEqual(self.known_hosts().count("\n"), 1)
        self.assertEqual(self.granted().count(self.other.key), 1)

    def test_a_user_and_json(self):
        done = self.pair(f"{self.user.name}@127.0.0.1", "--json")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertEqual(json.loads(done.out),
                         {"schema": 1, "host": self.system.server, "host_key": self.system.host_key(),
                          "user": self.user.name, "result": "added",
                          "file": os.path.join(self.other.home, "known_hosts"), "listens": True,
                          "reached": True})
        with open(self.asked, encoding="utf-8") as file:
            self.assertIn(f"\n{self.user.name}@127.0.0.1\n", file.read())

    def test_amid_what_a_login_says(self):
        self.ssh(self.run_it("echo Welcome; echo '{\"schema\":1}'", "echo bye"))
        self.assertEqual(self.pair().status, 0)

    def test_a_key_that_is_listed(self):
        self.run_as(self.system.me, "authorize", self.other.key, "desk",
                    f"--file={self.system.authorized_keys}")
        self.addCleanup(lambda: open(self.system.authorized_keys, "w", encoding="utf-8").close())
        eventually(lambda: self.system.msg("ping", self.system.server, name="msgctl", user=self.user,
                                           home=self.computer_of_desk()).status == 0, "the line")
        done = self.pair()
        self.assertIn("know each other: its administrator lists your key as desk\n", done.out)

    def computer_of_desk(self):
        home = self.other.home + "-desk"
        if not os.path.exists(home):
            os.mkdir(home, 0o700)
            for name in ("identity",):
                with open(os.path.join(self.other.home, name), "rb") as old, \
                        open(os.path.join(home, name), "wb") as new:
                    new.write(old.read())
                os.chmod(os.path.join(home, name), 0o600)
                os.chown(os.path.join(home, name), self.user.uid, self.user.gid)
            os.chown(home, self.user.uid, self.user.gid)
            self.run_as(self.user, "trust", self.system.server, self.system.host_key(), home=home)
        return home


class Fails(Pair):
    def test_no_ssh(self):
        empty = self.system.folder_of(f"empty{self.count}", 0o755)
        self.refused(NO_SSH.format(host=self.host, key=self.other.key), status=1, path=empty)

    def test_ssh_does_not_get_in(self):
        self.ssh("echo 'Permission denied (publickey).' >&2; exit 255")
        self.refused("Permission denied (publickey).\nmsgctl: ssh cannot log in to 127.0.0.1, as it says "
                     "above; this must work first: ssh 127.0.0.1 true\n")

    def test_nothing_installed_there(self):
        self.ssh("echo 'sh: 1: msgctl: not found' >&2; exit 127")
        self.refused("sh: 1: msgctl: not found\nmsgctl: msgctl is not installed on 127.0.0.1, or not in "
                     "the PATH that ssh finds there; its administrator can install msg\n")

    def test_an_older_one_there(self):
        self.ssh("echo 'msgctl: unknown option --self' >&2; exit 2")
        done = self.pair()
        self.assertEqual(done.status, 4)
        self.assertRegex(done.err, r"\Amsgctl: unknown option --self\nmsgctl: msgctl on 127\.0\.0\.1 is of "
                                   r"another version than this one, which is \S+, and does not know "
                                   r"authorize --self; bring both up to date\n\Z")

    def test_no_msgd_there(self):
        self.ssh(self.run_it("MSG_SOCKET=/nonexistent/msgd.sock"))
        self.refused("Error 1722 getting session names: msgd is not running on this host "
                     "(/nonexistent/msgd.sock: no such file)\nmsgctl: that was msgctl on 127.0.0.1: its "
                     "msgd does not answer; its administrator can run there: systemctl enable --now "
                     "msgd.socket\n")

    def test_refused_there(self):
        self.ssh("echo 'msgctl: you have as many keys' >&2; exit 1")
        self.refused("msgctl: you have as many keys\nmsgctl: that was msgctl on 127.0.0.1: it has not "
                     f"taken your key {self.other.key}\n")

    def test_what_is_no_answer(self):
        good = ('{"schema":1,"key":"%s","result":"added","user":"bob","host_key":"x25519:%s","port":1}')
        for script in ("true", "echo hello", "head -c 100000 /dev/zero",
                       f"echo '{good % ('x25519:' + 43 * 'A', 43 * 'A')}'",  # another key than ours
                       f"echo '{good % (self.other.key, 43 * 'A')}' | tr -d '}}'"):
            with self.subTest(script=script):
                self.ssh(script)
                self.refused("msgctl: what 127.0.0.1 answers by ssh is not msgctl's: another version may "
                             "be installed there, or its login prints something else; look at: ssh "
                             "127.0.0.1 msgctl --version\nmsgctl: if your key was taken there, this takes "
                             f"it back: {self.back()}\n")

    def test_a_name_that_a_shell_would_run(self):
        """Nothing of the host's that is more than a name is printed to be typed."""
        evil = "bob; rm -rf ~"
        self.ssh(f"""echo '{{"schema":1,"key":"{self.other.key}","result":"added","user":"{evil}",'"""
                 f"""'"host_key":"{self.system.host_key()}","port":{self.system.port}}}'""")
        self.self_("authorize", self.other.key)
        done = self.pair()
        self.assertEqual(done.status, 0, done)
        self.assertIn(f"\n  msg USER /SERVER:{self.system.server} hello\n", done.out)

    def test_a_pin_of_another_key(self):
        other = "x25519:" + 43 * "A"
        self.run_as(self.user, "trust", self.system.server, other, home=self.other.home)
        done = self.pair()
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertIn(f"THE KEY OF {self.system.server} HAS CHANGED: {self.system.host_key()} is not the "
                      f"one in {self.other.home}/known_hosts:1", done.err)
        self.assertTrue(done.err.endswith(f"msgctl: {self.system.server} has taken your key all the same; "
                                          f"to take it back: {self.back()}\n"), done.err)
        self.assertEqual(self.known_hosts(), f"{self.named} {other}\n")

    def test_another_host_answers(self):
        """ssh reaches one, msg another."""
        wrong = "x25519:" + 43 * "A"
        self.ssh(self.run_it() .replace('"$4"', f'"$4 | sed s/{self.system.host_key()}/{wrong}/"'))
        done = self.pair()
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertIn("HAS CHANGED", done.err)
        self.assertIn("ssh and msg do not reach the same host by the name", done.err)

    def test_nothing_listens_at_the_port(self):
        self.ssh(self.run_it().replace('"$4"', f'"$4 | sed s/:{self.system.port}/:9/"'))
        done = self.pair()
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertIn("connection refused", done.err)
        self.assertIn("its administrator can look: ss -ltn sport = :9\nmsgctl: the keys are exchanged; once "
                      f"that is mended: msg {self.user.name} /SERVER:127.0.0.1:9 hello\n", done.err)

    def test_what_is_no_host(self):
        for word in ("-oProxyCommand=x", "a@-oProxyCommand=x", "-a@h2", "a b@h2", "$(x)@h2", "@h2", "h2;x",
                     "a@", "ssh://h2", "h2%$(x)"):
            with self.subTest(word=word):
                done = self.pair("--", word)
                self.assertEqual((done.status, done.out), (2, ""), done)
                self.assertFalse(os.path.exists(self.asked))
        self.expect(self.pair("a@"), 2, "", "msgctl: pair wants a host: [USER@]HOST\n")

    def test_interrupted(self):
        self.ssh("echo here >&2; sleep 20")
        running = self.begin_pair(self.host)
        running.wait_for("here", stream="err")
        os.killpg(running.process.pid, signal.SIGINT)
        done = running.finish()
        self.expect(done, 130, "", "here\n\nmsgctl: interrupted. Whether 127.0.0.1 has taken your key is not "
                    f"known; run the same command again, or take it back: {self.back()}\n")


SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


@unittest.skipUnless(SSHD, "there is no sshd here (openssh-server)")
class ByRealSsh(Pair):
    """An sshd of the user's own; he logs in by an RSA key, which could not endorse anything."""

    def setUp(self):
        super().setUp()
        self.folder = self.system.folder_of(f"ssh{self.count}")
        self.port = free_port()
        for name, kind in (("host", "ed25519"), ("mine", "rsa")):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", self.file(name)], check=True)
        self.write("sshd", f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.file('host')}\n"
                   f"PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n"
                   f"KbdInteractiveAuthentication no\nAuthorizedKeysFile {self.file('mine.pub')}\n"
                   f"SetEnv MSG_SOCKET={self.system.socket} MSG_CONFIG_HOME={self.folder}/there "
                   f"PATH={os.path.dirname(program('msgctl'))}:/usr/bin:/bin\n")
        with open(self.file("host.pub"), encoding="ascii") as file:
            self.write("known", f"[127.0.0.1]:{self.port} {file.read()}")
        self.write("config", f"Port {self.port}\nIdentityFile {self.file('mine')}\nIdentitiesOnly yes\n"
                   f"UserKnownHostsFile {self.file('known')}\nStrictHostKeyChecking yes\n")
        for name in os.listdir(self.folder):
            os.chown(self.file(name), self.user.uid, self.user.gid)
        os.chown(self.folder, self.user.uid, self.user.gid)
        self.ssh(f"exec {shutil.which('ssh')} -F {self.file('config')} \"$@\"")
        self.start_sshd()

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.file(name), "w", encoding="utf-8") as file:
            file.write(text)

    def start_sshd(self):
        with open(self.file("log"), "wb") as log:
            sshd = self.user.popen([SSHD, "-D", "-e", "-f", self.file("sshd")], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, env={"LD_LIBRARY_PATH":
                                                                os.environ.get("LD_LIBRARY_PATH", "")})
        self.addCleanup(stop, sshd, signal.SIGTERM)

        def listens():
            with socket.socket() as there:
                return there.connect_ex(("127.0.0.1", self.port)) == 0

        eventually(listens, "sshd to listen")

    def test_it_works(self):
        done = self.pair(f"{self.user.name}@127.0.0.1")
        self.assertEqual(done.status, 0, done)
        self.assertIn(f"your key counts as {self.user.name} there", done.out)
        self.assertEqual(self.known_hosts(), f"{self.named} {self.system.host_key()}\n")
        self.assertEqual(self.send(self.user.name, "by ssh").status, 0)
        self.terminal.wait_for("by ssh")

    def test_ssh_refuses(self):
        """Its own words are let through, and its checks are what they were."""
        self.write("known", "")
        done = self.pair(f"{self.user.name}@127.0.0.1")
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertIn("Host key verification failed", done.err)
        self.assertIn("this must work first: ssh", done.err)
        self.assertEqual(self.known_hosts(), "")


class NotListening(Pair):
    CONFIG = {"listen": ""}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.real_key, cls.system.host_key = cls.system.host_key, lambda: "x25519:" + 43 * "A"

    def test_its_key_is_trusted_already(self):
        done = self.pair()
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertTrue(done.err.endswith(
            "msgctl: the keys are exchanged, but msgd on 127.0.0.1 does not listen for other hosts yet; its "
            "administrator can run there: systemctl enable --now msgd-tcp.socket\nmsgctl: then try it: msg "
            f"{self.user.name} /SERVER:127.0.0.1 hello\n"), done.err)
        self.assertEqual(self.known_hosts(), f"127.0.0.1 {self.real_key()}\n")


class Off(Pair):
    CONFIG = {"own-keys": 0}

    def test_it_says_so(self):
        done = self.pair()
        self.assertEqual((done.status, done.out), (4, ""))
        self.assertEqual(done.err, (
            "msgctl: msgd does not take a key of your own: own keys are switched off on this host\nmsgctl: "
            f"this host's administrator can run: msgctl authorize {self.other.key} {self.user.name}; or set "
            "own_keys, see msgd.conf(5)\nmsgctl: that was msgctl on 127.0.0.1: it has not taken your key "
            f"{self.other.key}\n"))


del Own  # not to be run again here

if __name__ == "__main__":
    unittest.main()
