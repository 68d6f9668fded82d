# SPDX-License-Identifier: MIT
"""
msgctl doctor through the real programs: each check is seen to pass, to fail, and to pass again when
the very line that it prints has been typed.
"""
import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import threading
import time
import unittest

from harness import AM_ROOT, Running, User, eventually, free_port, program
from world import HOST, Real

OTHER = "x25519:AQ" + 41 * "A"
THERE = ["your files", "name", "your key", "endorsements", "known_hosts", "address", "listener",
         "handshake", "host key", "you there", "version", "sessions", "popup", "clock"]
HERE = ["your files", "msgd.conf", "senders", "host endorsements", "msgd.socket",
        "msgd-present.socket", "msgd-tcp.socket", "socket", "server", "you there", "version", "sessions",
        "popup"]
NO_KEY = "no key behind the name, x25519: and 43 characters"
CONFIG_FAULT = "1: neither [section] nor key = value"

# As msg's users have one: it takes out the line that it is pointed at.
EDITOR = '#!/bin/sh\nsed -i "${1#+}d" "$2"\n'


class Doctor(Real):
    SENDERS = {"alice": [], "bob": ["--who"], "eve": None, "late": ["--expires=2020-01-01"]}

    @classmethod
    def start(cls):
        super().start()
        cls.tools = cls.system.folder_of("tools", 0o755)
        cls.tool("editor", EDITOR)
        time.sleep(1.1)  # authorized_keys is looked at once a second

    @classmethod
    def tool(cls, name, text):
        path = os.path.join(cls.tools, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o755)

    @classmethod
    def forget_tool(cls, name):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(cls.tools, name))

    def env(self, home=None):
        env = self.system.environment()
        env.update({"PATH": f"{self.tools}:{env['PATH']}", "MSG_SSH_KNOWN_HOSTS": "",
                    "MSG_CONFIG_HOME": home or self.system.path("nowhere")})
        return env

    def begin(self, *words, home=None, env=None):
        running = Running(self.system.me, [program("msgctl"), "doctor", *words],
                          env={**self.env(home), **(env or {})})
        self.addCleanup(running.kill)
        return running

    def look(self, *words, status=0, **options):
        """What it found, by the checks' names; the order, the numbers and stderr are right."""
        done = self.begin("--json", *words, **options).finish(40)
        self.assertEqual((done.status, done.err), (status, ""), done)
        rows = [json.loads(line) for line in done.out.splitlines()]
        self.assertEqual([row["number"] for row in rows], list(range(1, len(rows) + 1)))
        self.assertEqual([row["name"] for row in rows],
                         HERE if rows[1]["name"] == HERE[1] else THERE)
        for row in rows:
            self.assertEqual(set(row) >= {"mend", "on", "as"}, row["state"] == "fails", row)
        return {row["name"]: row for row in rows}

    def home(self, name):
        return self.senders[name].home

    def look_there(self, name, *words, **options):
        return self.look(self.system.server, *words, home=self.home(name), **options)

    def passes(self, rows, *names):
        for name in names:
            self.assertEqual(rows[name]["state"], "ok", rows[name])

    def fails(self, rows, name, found, mend, on="", by=""):
        """This one alone; what stands behind it and needs it is skipped for its sake."""
        row = rows[name]
        self.assertEqual((row["state"], row["on"], row["as"]), ("fails", on, by), row)
        for key, wanted in (("found", found), ("mend", mend)):
            if isinstance(wanted, re.Pattern):
                self.assertRegex(row[key], wanted)
            else:
                self.assertEqual(row[key], wanted)
        why = f"needs {row['number']}, {name}"
        for other in rows.values():
            if other["state"] != "ok" and other["found"].startswith("needs "):
                self.assertEqual(other["found"], why)
        self.assertEqual([r["name"] for r in rows.values() if r["state"] == "fails"], [name])
        return row

    def mend(self, row, home=None, user=None):
        """Types what it says."""
        done = Running(user or self.system.me, ["/bin/sh", "-c", row["mend"], "sh"],
                       env=self.env(home)).finish(30)
        self.assertEqual(done.status, 0, done)

    def write(self, path, text, mode=0o600):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def new_home(self, trusts=True):
        """Somebody whom the host knows and whose files a test may spoil."""
        name = re.sub(r"\W", "", self.id().rsplit(".", 1)[1])
        sender = self.system.make_sender(name)
        self.system.msgctl("authorize", sender.key, name, "--file", self.system.authorized_keys)
        if trusts:
            self.system.msgctl("trust", self.system.server, self.system.host_key(), home=sender.home)
        time.sleep(1.1)
        return sender


class There(Doctor):
    """Another host."""

    def test_all_is_well(self):
        rows = self.look_there("bob")
        self.passes(rows, *THERE[:12])
        bob, home = self.senders["bob"], self.home("bob")
        wanted = {"your files": home, "name": f"127.0.0.1 port {self.system.port}",
                  "your key": f"{bob.key} ({home}/identity)",
                  "endorsements": "none of your key, so a host must list the key itself",
                  "known_hosts": f"{home}/known_hosts, or the system's, has the host",
                  "address": "127.0.0.1",
                  "listener": f"port {self.system.port}: 127.0.0.1 listens",
                  "handshake": f"127.0.0.1 port {self.system.port} shows the key "
                               f"{self.system.host_key()}",
                  "host key": f"trusted by its line in known_hosts ({home}/known_hosts:1)",
                  "you there": f"{HOST} knows you as bob",
                  "sessions": f"{self.user.name} on {self.terminal.line} by terminal",
                  "popup": "nobody is shown anything unasked; to try it: msgctl doctor "
                           f"{self.system.server} --popup {self.system.me.name}",
                  "clock": "a host tells its time with a message only; see --popup"}
        self.assertEqual({name: rows[name]["found"] for name in wanted}, wanted)
        self.assertRegex(rows["version"]["found"], r"^msgctl \d+\.\d+\.\d+ speaks the protocol's "
                                                   r"version 1, msgd there 1$")

    def test_words(self):
        done = self.begin(self.system.server, home=self.home("bob")).finish(30)
        lines = done.out.splitlines()
        self.assertEqual(len(lines), len(THERE))
        self.assertEqual(lines[0], f" 1. ok       your files: {self.home('bob')}")
        self.assertTrue(lines[12].startswith("13. skipped  popup: nobody is shown"))
        done = self.begin(f"127.0.0.1:{free_port()}", home=self.home("bob")).finish(30)
        self.assertIn("\n        type on 127.0.0.1, as root:  msgd -T | grep listen\n", done.out)
        self.assertEqual(done.status, 4)

    def test_popup(self):
        self.terminal.clear()
        rows = self.look_there("alice", "--popup", self.user.name)
        self.assertEqual(rows["popup"]["found"], f"shown on {self.terminal.line} (terminal)")
        self.assertEqual(rows["clock"]["found"], "that host's is 0 s ahead of this one's"
                         if "ahead" in rows["clock"]["found"] else
                         "that host's is 0 s behind this one's")
        self.popup("This is a test by msgctl doctor. There is nothing to do.")

    def test_nobody_is_shown_anything_unasked(self):
        self.terminal.clear()
        self.look_there("bob")
        self.look("--file", self.config(), env={})
        time.sleep(0.5)
        self.assertNotIn("doctor", self.terminal.screen())

    def is_disabled(self, rows):
        """By which of the two ways, a host tells nobody."""
        return self.fails(rows, "popup", f"User {self.user.name} has messages disabled",
                          "mesg y; msgctl receive on", "127.0.0.1", self.user.name)

    def test_popup_fails(self):
        rows = self.look_there("alice", "--popup", "nobody9", status=1)
        self.fails(rows, "popup", re.compile("^nobody9.* does not exist or is disconnected"),
                   f"msgctl sessions {self.system.server}")
        self.terminal.mesg(False)
        try:
            time.sleep(1.1)
            rows = self.look_there("alice", "--popup", self.user.name, status=1)
            self.is_disabled(rows)
        finally:
            self.terminal.mesg(True)
            time.sleep(1.1)

    @unittest.skipUnless(AM_ROOT, "needs another user")
    def test_popup_that_he_does_not_wish(self):
        self.system.msg("receive", "off", user=self.user, name="msgctl")
        rows = self.look_there("alice", "--popup", self.user.name, status=1)
        self.mend(self.is_disabled(rows), user=self.user)
        self.passes(self.look_there("alice", "--popup", self.user.name), "popup")

    def test_forbidden_who_is_no_failure(self):
        row = self.look_there("alice")["sessions"]
        self.assertEqual(row["state"], "skipped")
        self.assertIn("you may not ask who is logged in there, and may send to single users all the "
                      "same; root there can let you: msgctl authorize --who "
                      f"{self.senders['alice'].key} {self.system.me.name}", row["found"])

    # ---- the caller's files ----------------------------------------------------------------------

    def test_files(self):
        home = self.new_home().home
        conf = os.path.join(home, "msg.conf")
        self.write(conf, "oops\n")
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "your files", f"{conf}:{CONFIG_FAULT}", f"editor +1 {conf}"))
        self.passes(self.look(self.system.server, home=home), "your files", "you there")
        os.chmod(home, 0o770)
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "your files", f"{home} can be written by others (mode 0770)",
                             f"chmod go-w {home}"))
        os.chmod(home, 0o700)

    def test_key(self):
        home = self.new_home().home
        key = os.path.join(home, "identity")
        os.chmod(key, 0o644)
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "your key", f"{key} is open to others (mode 0644)",
                             f"chmod 600 {key}"))
        self.passes(self.look(self.system.server, home=home), "your key", "you there")
        self.write(key, "oops\n")
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "your key", re.compile(f"^{key}: "), f"mv {key} {key}.broken"))
        rows = self.look(self.system.server, home=home, status=4)  # and this one is not known there
        self.assertRegex(rows["your key"]["found"], rf"^x25519:.{{43}} \({key}, made just now\)$")

    def test_endorsements(self):
        home = self.new_home().home
        file = os.path.join(home, "endorsements")
        self.write(file, "oops\n")
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "endorsements", re.compile(f"^{file}: "),
                             f"mv {file} {file}.broken"))
        self.passes(self.look(self.system.server, home=home), "endorsements", "you there")

    def test_known_hosts(self):
        home = self.new_home().home
        file = os.path.join(home, "known_hosts")
        with open(file, "a", encoding="ascii") as known:
            known.write("broken\n")
        rows = self.look(self.system.server, home=home, status=1)
        self.mend(self.fails(rows, "known_hosts", f"{file}:2: {NO_KEY}", f"editor +2 {file}"))
        self.passes(self.look(self.system.server, home=home), "known_hosts", "you there")

    # ---- the way there ---------------------------------------------------------------------------

    def test_name(self):
        rows = self.look("h2:99999", home=self.home("bob"), status=2)
        self.fails(rows, "name", "h2:99999: the port is a number from 1 to 65535", "msgctl doctor h2")
        rows = self.look("bob@h2", home=self.home("bob"), status=2)
        self.fails(rows, "name", "bob@h2: a host alone is wanted, without a user before it",
                   "msgctl doctor h2")
        home = self.new_home().home
        self.write(os.path.join(home, "msg.conf"), f"[alias]\nmail = {self.system.server}\n")
        rows = self.look("mail", home=home)
        self.assertEqual(rows["name"]["found"], f"127.0.0.1 port {self.system.port}, an alias of "
                                                f"{home}/msg.conf")

    def test_address(self):
        rows = self.look("nohost.invalid", home=self.home("bob"), status=4)
        self.fails(rows, "address", re.compile("^nohost.invalid: (there is no host of that name|the "
                                               "name cannot be looked up)"),
                   "getent hosts nohost.invalid")

    def test_listener(self):
        port = free_port()
        rows = self.look(f"127.0.0.1:{port}", home=self.home("bob"), status=4)
        self.fails(rows, "listener", f"port {port}: 127.0.0.1 refuses: nothing listens there",
                   "msgd -T | grep listen", "127.0.0.1", "root")

    # ---- what answers ----------------------------------------------------------------------------

    def listen(self, serve):
        """A host that is served by a function of the connection."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def accept():
            try:
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
            except OSError:
                pass
        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def answers(self, data):
        def serve(there):
            there.recv(8)
            there.sendall(data)
            time.sleep(1)
        return self.listen(serve)

    def test_handshake_with_no_msgd(self):
        port = self.answers(b"220 h2 ESMTP\r\n")
        rows = self.look(f"127.0.0.1:{port}", home=self.home("bob"), status=4)
        self.fails(rows, "handshake", re.compile(rf"^what listens at 127.0.0.1 port {port} is not msgd: "),
                   f"ss -ltnp sport = :{port}", "127.0.0.1", "root")

    def test_handshake_refused(self):
        def refusal(code, wait=0):
            return b"\0\x08REF\0" + bytes([code, 2, 3, wait])
        port = self.answers(refusal(1))
        rows = self.look(f"127.0.0.1:{port}", home=self.home("bob"), status=4)
        self.fails(rows, "handshake",
                   f"127.0.0.1:{port} speaks the versions 2 to 3 of the protocol, and msgctl 1",
                   "make install enable", "127.0.0.1", "root")
        port = self.answers(refusal(3, 7))
        rows = self.look(f"127.0.0.1:{port}", home=self.home("bob"), status=4)
        self.fails(rows, "handshake", f"127.0.0.1:{port} is busy; it asks for 7 s",
                   f"sleep 7; msgctl doctor 127.0.0.1:{port}")

    def test_handshake_with_the_dead(self):
        """systemd accepts, and msgd does not start."""
        port = self.listen(lambda there: time.sleep(20))
        rows = self.look(f"127.0.0.1:{port}", home=self.home("bob"), status=4)
        self.fails(rows, "handshake",
                   f"127.0.0.1 port {port} takes the connection, and then: no answer in 5 s",
                   "systemctl restart msgd.service", "127.0.0.1", "root")

    def test_a_signal(self):
        came = threading.Event()

        def serve(there):
            if there.recv(8):
                came.set()
            time.sleep(20)
        running = self.begin(f"127.0.0.1:{self.listen(serve)}", home=self.home("bob"))
        self.assertTrue(came.wait(10))
        running.process.send_signal(signal.SIGINT)
        done = running.finish(10)
        self.assertEqual(done.status, 130)
        self.assertIn("listener", done.out)
        self.assertNotIn("handshake", done.out)

    # ---- the host's key --------------------------------------------------------------------------

    def test_key_unknown(self):
        home, key = self.new_home(trusts=False).home, self.system.host_key()
        rows = self.look(self.system.server, home=home, status=4)
        row = self.fails(rows, "host key", re.compile(
            "^not known: no line of known_hosts, no organisation's key and nothing that ssh knows "
            f"speaks for {key}. If you can ssh there, type here: msgctl pair {self.system.server}. Else "
            "compare it with what this prints there: msgctl key show --host. If it is the same key:$"), f"msgctl trust {self.system.server} {key}")
        self.assertFalse(os.path.exists(os.path.join(home, "known_hosts")))
        self.mend(row, home)
        self.passes(self.look(self.system.server, home=home), "host key", "you there")

    def test_key_changed(self):
        home, key = self.new_home().home, self.system.host_key()
        file = os.path.join(home, "known_hosts")
        self.write(file, f"# mine\n[127.0.0.1]:{self.system.port} {OTHER}\nh9 {OTHER}\n")
        rows = self.look(self.system.server, home=home, status=4)
        row = self.fails(rows, "host key", re.compile(
            f"^HAS CHANGED: {key} is not the key in {file}:2. Somebody may be listening in: "),
            f"msgctl untrust {self.system.server}; msgctl trust {self.system.server} {key}")
        self.mend(row, home)
        self.passes(self.look(self.system.server, home=home), "host key", "you there")
        with open(file, encoding="ascii") as known:
            self.assertIn(f"h9 {OTHER}", known.read())

    def test_key_revoked(self):
        home, key = self.new_home().home, self.system.host_key()
        file = os.path.join(home, "known_hosts")
        self.write(file, f"@revoked * {key}\n")
        rows = self.look(self.system.server, home=home, status=4)
        self.fails(rows, "host key", f"{key} is revoked ({file}:1): that host needs a new key",
                   re.compile("^mv /var/lib/msgd/host_key .* && systemctl restart msgd.service$"),
                   "127.0.0.1", "root")

    # ---- the caller's key ------------------------------------------------------------------------

    def test_not_authorized(self):
        key = self.senders["eve"].key
        rows = self.look_there("eve", status=4)
        row = self.fails(rows, "you there", f"{self.system.server} does not know your key, nor who "
                                            "endorses it; if you can ssh there, type here: msgctl "
                                            f"pair {self.system.server}. Else:",
                         f"msgctl authorize {key} {self.system.me.name}", "127.0.0.1", "root")
        self.mend({**row, "mend": row["mend"] + f" --file {self.system.authorized_keys}"})
        time.sleep(1.1)
        self.passes(self.look_there("eve"), "you there")

    def test_expired(self):
        rows = self.look_there("late", status=4)
        self.fails(rows, "you there", f"{self.system.server} knew your key, until its last day",
                   f"msgctl authorize {self.senders['late'].key} {self.system.me.name}",
                   "127.0.0.1", "root")

    def test_revoked(self):
        sender = self.new_home()
        self.system.msgctl("revoke", sender.key, "--file", self.system.authorized_keys, "--enrolled",
                           "/nonexistent")
        time.sleep(1.1)
        rows = self.look(self.system.server, home=sender.home, status=4)
        file = os.path.join(sender.home, "identity")
        row = self.fails(rows, "you there", f"{self.system.server} has revoked your key; if you may "
                                            "have another, make one",
                         f"mv {file} {file}.revoked && msgctl key make")
        self.mend(row, sender.home)
        rows = self.look(self.system.server, home=sender.home, status=4)
        self.assertIn("does not know your key", rows["you there"]["found"])

    def config(self):
        """What the system's msgd is told by options, as a file."""
        path = self.system.path("msgd.conf")
        self.write(path, "[msgd]\n" + "".join(
            f"{key} = {value}\n" for key, value in (
                ("socket", self.system.socket), ("state", self.system.state),
                ("authorized_keys", self.system.authorized_keys),
                ("revoked_keys", self.system.revoked_keys),
                ("host_endorsements", self.system.path("host_endorsements")),
                ("invitations", self.system.invitations))), 0o644)
        return path


class Here(Doctor):
    """This host."""
    SENDERS = {}
    config = There.config

    def here(self, *words, **options):
        return self.look("--file", self.config_file, *words, **options)

    def setUp(self):
        super().setUp()
        self.config_file = self.config()

    def test_all_is_well(self):
        rows = self.here("--popup", self.user.name)
        self.passes(rows, *(name for name in HERE if "." not in name), "msgd.conf")
        self.assertEqual(rows["msgd.conf"]["found"], self.config_file)
        self.assertEqual(rows["senders"]["found"],
                         f"{self.system.authorized_keys}, {self.system.revoked_keys}")
        self.assertEqual(rows["msgd.socket"]["found"],
                         f"a msgd of your own is meant, at {self.system.socket}")
        self.assertEqual(rows["socket"]["found"], self.system.socket)
        self.assertEqual(rows["you there"]["found"], f"{HOST} knows you as {self.system.me.name}")
        self.assertEqual(rows["popup"]["found"], f"shown on {self.terminal.line} (terminal)")

    def test_config(self):
        with open(self.config_file, "a", encoding="ascii") as file:
            file.write("listen = nowhere\n")
        rows = self.here(status=1)
        row = self.fails(rows, "msgd.conf", re.compile(f"^{self.config_file}:8: "),
                         f"editor +8 {self.config_file}")
        self.mend(row)
        self.passes(self.here(), "msgd.conf", "senders")
        with open(self.config_file, "a", encoding="ascii") as file:
            file.write("[rights]\nadmin_group = nobody9\n")  # which msgd alone finds out
        self.fails(self.here(status=1), "msgd.conf", "admin_group: there is no group nobody9",
                   f"editor {self.config_file}")

    @unittest.skipIf(os.path.exists("/usr/local/sbin/msgd"), "msgd is installed here")
    def test_no_msgd(self):
        rows = self.here(status=1, env={"PATH": "/usr/bin:/bin"})
        self.fails(rows, "msgd.conf", "msgd is not on this host; where msg was built, install it",
                   "make install enable", by="root")

    def test_senders(self):
        file = self.system.authorized_keys
        os.chmod(file, 0o666)
        row = self.fails(self.here(status=1), "senders", f"{file} can be written by others (mode 0666)",
                         f"chmod go-w {file}")
        self.mend(row)
        self.passes(self.here(), "senders")
        self.write(file, f"{OTHER} bob\noops\n", 0o644)
        row = self.fails(self.here(status=1), "senders", re.compile(f"^{file}:2: "),
                         f"editor +2 {file}")
        self.mend(row)
        self.passes(self.here(), "senders")
        os.mkdir(f"{file}.d", 0o755)
        team = f"{file}.d/team.keys"
        self.write(team, "oops\n", 0o644)
        self.mend(self.fails(self.here(status=1), "senders", re.compile(f"^{team}:1: "),
                             f"editor +1 {team}"))
        self.passes(self.here(), "senders")
        self.write(self.system.revoked_keys, "oops\n", 0o644)
        row = self.fails(self.here(status=1), "senders",
                         re.compile(f"^{self.system.revoked_keys}:1: "),
                         f"editor +1 {self.system.revoked_keys}")
        self.mend(row)
        self.passes(self.here(), "senders")

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_senders_that_msgd_cannot_read(self):
        file = self.system.authorized_keys
        os.chmod(file, 0o600)
        row = self.fails(self.here(status=1), "senders", f"{file}: Permission denied",
                         f"chmod go+r {file}")
        self.mend(row)
        self.passes(self.here(), "senders")

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_senders_that_only_root_can_see(self):
        user = self.system.user()
        done = Running(user, [program("msgctl"), "doctor", "--json", "--file", self.config_file],
                       env=self.env(os.path.join(user.home, "msg"))).finish(30)
        row = [json.loads(line) for line in done.out.splitlines()][2]
        self.assertEqual((row["state"], row["found"]),
                         ("skipped", f"only root can look at {self.system.state}/enrolled; type: "
                                     "sudo msgctl doctor"))

    def test_socket(self):
        path = self.system.path("none.sock")
        row = self.fails(self.here("--socket", path, status=4), "socket", f"{path}: no such file",
                         f"msgd-present --with-msgd --socket {path}")
        self.assertIn("--socket", row["mend"])
        there = socket.socket(socket.AF_UNIX)
        self.addCleanup(there.close)
        there.bind(path)
        self.fails(self.here("--socket", path, status=4), "socket", f"{path}: connection refused",
                   f"msgd-present --with-msgd --socket {path}")
        there.listen()
        os.chmod(path, 0o666)
        self.fails(self.here("--socket", path, status=4), "socket", f"{path}: no answer in 5 s",
                   f"msgd-present --with-msgd --socket {path}")

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_forbidden_who_is_no_failure(self):
        user = User.make(system=True)
        self.addCleanup(user.remove)
        done = Running(user, [program("msgctl"), "doctor", "--json", "--file", self.config_file],
                       env=self.env(os.path.join(user.home, "msg"))).finish(30)
        row = [json.loads(line) for line in done.out.splitlines()][11]
        self.assertEqual((done.status, row["state"], row["found"]),
                         (0, "skipped", f"{user.name} may not ask who is logged in on this host"))

    @unittest.skipUnless(AM_ROOT, "needs root")
    def test_server(self):
        """A socket of somebody else's."""
        folder = self.system.folder_of("elsewhere", 0o777)
        os.chmod(folder, 0o777)
        path = os.path.join(folder, "msgd.sock")
        server = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import os, socket, sys, time; s = socket.socket(socket.AF_UNIX);"
             "s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.listen(); time.sleep(60)", path],
            user=61999, group=61999, extra_groups=[])
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        eventually(lambda: os.path.exists(path) and os.stat(path).st_mode & 0o777 == 0o666, "a socket")
        self.fails(self.here("--socket", path, status=4), "server",
                   "runs as uid 61999, not as root or _msgd: it is not believed",
                   "env -u MSG_SOCKET msgctl doctor")

    # ---- units, as a systemctl tells of them ------------------------------------------------------

    def units(self, status=None, **units):
        """States by unit: load, active, enabled; the usual socket is meant."""
        usual = {"msgd.socket": "loaded active enabled", "msgd-tcp.socket": "loaded inactive disabled",
                 "msgd-present.socket": "loaded active static"}
        usual.update({name.replace("_", "-") + ".socket": state for name, state in units.items()})
        cases = ""
        for name, state in usual.items():
            load, active, enabled = state.split()
            cases += (f"{name}) echo LoadState={load}; echo ActiveState={active}; "
                      f"echo UnitFileState={enabled};;\n")
        self.tool("systemctl", f"#!/bin/sh\nfor last; do :; done\ncase $last in {cases} esac\n")
        self.addCleanup(self.forget_tool, "systemctl")
        done = self.begin("--json", "--file", self.config_file, env={"MSG_SOCKET": ""}).finish(30)
        if status is not None:
            self.assertEqual(done.status, status, done)
        rows = [json.loads(line) for line in done.out.splitlines()]
        return {row["name"]: row for row in rows}

    def unit_fails(self, name, found, mend, **units):
        row = self.units(status=1, **units)[name]
        self.assertEqual((row["state"], row["found"], row.get("mend"), row["on"], row["as"]),
                         ("fails", found, mend, "", "root"))

    def test_units(self):
        rows = self.units()
        self.assertEqual([(rows[name]["state"], rows[name]["found"]) for name in HERE[4:7]],
                         [("ok", "enabled, active"), ("ok", "active"),
                          ("skipped", "off: no other host can send here; to switch it on: systemctl "
                                      "enable --now msgd-tcp.socket")])
        rows = self.units(msgd_tcp="loaded active enabled", msgd_present="loaded inactive static")
        self.assertEqual(rows["msgd-tcp.socket"]["found"], "enabled, active")
        self.assertEqual(rows["msgd-present.socket"]["found"], "inactive, is started with msgd")

    def test_msgd_socket(self):
        self.unit_fails("msgd.socket", "enabled, inactive", "systemctl enable --now msgd.socket",
                        msgd="loaded inactive enabled")
        self.unit_fails("msgd.socket", "disabled, active", "systemctl enable --now msgd.socket",
                        msgd="loaded active disabled")
        self.unit_fails("msgd.socket", "there is no such unit; where msg was built, install it",
                        "make install enable", msgd="not-found inactive -")

    def test_msgd_present_socket(self):
        self.unit_fails("msgd-present.socket", "masked, that is, switched off for good",
                        "systemctl unmask msgd-present.socket", msgd_present="masked inactive masked")
        self.unit_fails("msgd-present.socket", "failed; why: journalctl -u msgd-present.socket",
                        "systemctl restart msgd-present.socket", msgd_present="loaded failed static")

    def test_msgd_tcp_socket(self):
        self.unit_fails("msgd-tcp.socket", "enabled, but inactive",
                        "systemctl enable --now msgd-tcp.socket", msgd_tcp="loaded inactive enabled")
        with open(self.config_file, "a", encoding="ascii") as file:
            file.write("listen = 127.0.0.1:6743\n")
        row = self.units()["msgd-tcp.socket"]
        self.assertEqual((row["state"], row["found"]),
                         ("skipped", "off; msgd.conf says where to listen: 127.0.0.1:6743"))

    def test_no_systemd(self):
        self.tool("systemctl", "#!/bin/sh\nexit 1\n")
        self.addCleanup(self.forget_tool, "systemctl")
        done = self.begin("--json", "--file", self.config_file, env={"MSG_SOCKET": ""}).finish(30)
        row = json.loads(done.out.splitlines()[4])
        self.assertEqual((row["state"], row["found"]),
                         ("skipped", "systemd does not run this host, or does not say"))


@unittest.skipUnless(AM_ROOT, "needs root")
class Networks(Doctor):
    """Each way not to get through, in a network of the test's own."""
    SENDERS = {"alice": []}

    def run_inside(self, setup, *command, net="n"):
        """A program where `setup` has made the network, or changed /etc."""
        script = f"{setup}\nexec {shlex.join((program(command[0]), *command[1:]))}"
        done = Running(self.system.me, ["unshare", f"-m{net}", "/bin/sh", "-ec", script],
                       env=self.env(self.home("alice"))).finish(40)
        if "unshare" in done.err:
            self.skipTest(done.err)
        return done

    def rows_inside(self, host, setup, status=4, net="n"):
        """What it finds there."""
        done = self.run_inside(f"ip link set lo up; {setup}", "msgctl", "doctor", "--json", host,
                               net=net)
        self.assertEqual(done.status, status, done)
        rows = [json.loads(line) for line in done.out.splitlines()]
        return {row["name"]: row for row in rows}

    def inside(self, host, setup):
        return self.rows_inside(host, setup)["listener"]

    def systems_known_hosts(self, line):
        etc = self.system.path("etc")
        return (f"mkdir -p {etc}/msg; cp /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache "
                f"{etc}; mount --bind {etc} /etc; echo '{line}' >/etc/msg/known_hosts")

    def test_the_systems_known_hosts(self):
        """The caller's has the host; all the same the other is to be sound."""
        rows = self.rows_inside(self.system.server, self.systems_known_hosts("broken"), status=1)
        self.assertIn("has the host", self.look_there("alice")["known_hosts"]["found"])
        row = rows["known_hosts"]
        self.assertEqual((row["state"], row["found"], row["mend"], row["as"]),
                         ("fails", f"/etc/msg/known_hosts:1: {NO_KEY}",
                          "editor +1 /etc/msg/known_hosts", "root"))

    def test_another_key_in_the_systems_known_hosts(self):
        """Root alone can change that line; one's own goes before it."""
        server, key, home = self.system.server, self.system.host_key(), self.home("alice")
        line = self.systems_known_hosts(f"[127.0.0.1]:{self.system.port} {OTHER}")
        pin = os.path.join(home, "known_hosts")
        os.rename(pin, pin + ".kept")
        self.addCleanup(os.rename, pin + ".kept", pin)
        done = self.run_inside(line, "msg", f"/SERVER:{server}", self.user.name, "x", net="")
        self.assertEqual((done.status, done.err), (
            4, f"Error 5 getting session names: THE KEY OF {server} HAS CHANGED: {key} is not the one "
               "in /etc/msg/known_hosts:1, which is for all users here; somebody may be listening "
               "in. Nothing was sent. If its administrator says that it is the new one: msgctl trust "
               f"{server} {key}\n"))
        row = self.rows_inside(server, line, net="")["host key"]
        self.assertEqual((row["state"], row["mend"], row["as"]),
                         ("fails", f"msgctl trust {server} {key}", ""))
        self.mend(row, home)
        self.passes(self.rows_inside(server, line, net="", status=0), "host key", "you there")

    def check(self, row, found, mend, on="", by=""):
        self.assertEqual((row["name"], row["state"], row["found"], row["mend"], row["on"], row["as"]),
                         ("listener", "fails", found, mend, on, by))

    def test_refused(self):
        self.check(self.inside("127.0.0.1", ":"),
                   "port 6743: 127.0.0.1 refuses: nothing listens there",
                   "systemctl enable --now msgd-tcp.socket", "127.0.0.1", "root")

    def test_no_way(self):
        self.check(self.inside("192.0.2.7", ":"),
                   "port 6743: 192.0.2.7 cannot be got at: this host has no way there",
                   "ip route get 192.0.2.7")

    # What is routed to this host and is not its own, it throws away without a word.
    SILENT = "ip addr add 192.0.2.1/32 dev lo; ip route add 192.0.2.7 dev lo src 192.0.2.1"
    RULE = "nft insert rule inet filter input tcp dport 6743 accept"

    def test_filtered(self):
        self.check(self.inside("192.0.2.7", "ip route add prohibit 192.0.2.7"),
                   "port 6743: 192.0.2.7 is kept from us: a firewall or router says no", self.RULE,
                   "192.0.2.7", "root")

    def test_silent(self):
        self.check(self.inside("192.0.2.7", self.SILENT),
                   "port 6743: 192.0.2.7 does not answer: it is off, or a firewall drops it",
                   self.RULE, "192.0.2.7", "root")

    # A port whose queue is full, and which is silent therefore; and, if it is asked for, a good one.
    PORTS = """import socket, sys, time
full = socket.create_server(("2001:db8::7", 6743), family=socket.AF_INET6, backlog=0)
held = [socket.socket(socket.AF_INET6) for _ in range(4)]
for one in held:
    one.setblocking(False)
    one.connect_ex(("2001:db8::7", 6743))
good = [socket.create_server((address, 6743)) for address in sys.argv[1:]]
open(__file__ + ".ready", "w").close()
time.sleep(20)
"""

    def listener_of_two(self, good):
        """Of a name whose first address, an IPv6 one, is silent, and whose second is 192.0.2.1."""
        hosts, ports = self.system.path("hosts"), self.system.path("ports")
        self.write(hosts, "2001:db8::7 h9\n192.0.2.1 h9\n", 0o644)
        self.write(ports, self.PORTS)
        return self.rows_inside("h9", "ip addr add 2001:db8::7/128 dev lo nodad; "
                                      "ip addr add 192.0.2.1/32 dev lo; "
                                      f"mount --bind {hosts} /etc/hosts; "
                                      f"rm -f {ports}.ready; /usr/bin/python3 {ports} {good} >/dev/null 2>&1 & "
                                      f"while ! [ -e {ports}.ready ]; do sleep 0.1; done")["listener"]

    SILENT_FIRST = "port 6743: 2001:db8::7 does not answer: it is off, or a firewall drops it; "

    def test_a_silent_address_before_a_good_one(self):
        row = self.listener_of_two("192.0.2.1")
        self.assertEqual((row["state"], row["found"]),
                         ("ok", f"{self.SILENT_FIRST}192.0.2.1 listens; such silence costs each "
                                "call 250 ms"))

    def test_the_most_telling_address_is_mended(self):
        self.check(self.listener_of_two(""),
                   f"{self.SILENT_FIRST}192.0.2.1 refuses: nothing listens there",
                   "systemctl enable --now msgd-tcp.socket", "h9", "root")


if __name__ == "__main__":
    unittest.main()
