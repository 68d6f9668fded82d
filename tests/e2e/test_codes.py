# SPDX-License-Identifier: MIT
"""
Every error code of the protocol through the real programs: what brings it about, what msg prints
then, byte for byte, and how it ends. What only another client can provoke is asked for by a peer.
"""
import os
import re
import signal
import subprocess
import time
import unittest

from harness import AM_ROOT, TOP, User, eventually
from local_peer import ATTACH, WELCOME
from world import HOST, IDENTITY, Real, Staged, stopped, without_id

ERROR_5 = "Error 5 getting session names: "
ERROR_1722 = "Error 1722 getting session names: "
SENDING = "Error sending message: "

# Where a code is brought about that msg never meets, or that another module has already.
WHERE = {
    "bad-message": "test_msgd.Refused.test_unfit",
    "bad-text": "test_msgd.Refused.test_unfit",
    "too-large": "test_msgd.Refused.test_unfit",
    "too-many": "test_codes.Crowd.test_too_many",
    "unsupported": "test_msgd.Refused.test_unsupported_and_forbidden_types",
    "unauthorized": "test_codes.Keys.test_unauthorized",
    "forbidden": "test_codes.Rights.test_forbidden",
    "revoked": "test_codes.Keys.test_revoked",
    "expired": "test_codes.Keys.test_expired",
    "no-target": "test_codes.Targets.test_no_target",
    "unknown-uid": "test_msgd.Refused.test_unknown_uids",
    "outcome-unknown": "test_codes.Unknown.test_another_life",
    "conflict": "test_msgd.Twice.test_other_bytes_conflict",
    "moved": "test_codes.Targets.test_moved",
    "too-late": "test_codes.Targets.test_too_late",
    "busy": "test_codes.Busy.test_deliveries",
    "rate-limited": "test_codes.Keys.test_rate_limited",
    "invite-invalid": "test_invite.Fails.test_used_twice",
    "shutting-down": "test_msgd_service.Deaths.test_a_clean_end",
    "no-presenter": "test_codes.Alone.test_no_presenter",
    "internal": "test_codes.Full.test_internal",
}


class Complete(unittest.TestCase):
    def test_every_code_has_its_test(self):
        path = os.path.join(TOP, "protocol", "PROTOCOL.md")
        if not os.path.exists(path):
            self.skipTest("the specification is not here")
        with open(path, encoding="utf-8") as f:
            section = f.read().split("\n## 13 Errors\n")[1].split("\n## 14 ")[0]
        self.assertEqual(re.findall(r"^\| ([a-z-]+) \|", section, re.M)[1:], list(WHERE))
        for name in WHERE.values():
            loader = unittest.TestLoader()
            loader.loadTestsFromName(name)
            self.assertEqual(loader.errors, [], name)


class Targets(Real):
    SENDERS = {"alice": []}

    def test_no_target(self):
        self.expect(self.system.msg("nobody-here", "x"), 1, "",
                    "nobody-here does not exist or is disconnected\n")
        self.expect(self.msg_from("alice", "nobody-here", "x"), 1, "",
                    "nobody-here does not exist or is disconnected\n")

    def test_another_host_is_meant(self):
        self.expect(self.system.msg("bob@h2", "x"), 1, "", "bob@h2 does not exist or is "
                    "disconnected; for another host: msg bob /SERVER:h2\n")

    def test_some_of_several(self):
        self.expect(self.system.msg("@-", "/V", "to some", stdin=f"eve {self.user.name} id:0"), 1,
                    f"Sending message to session {self.terminal.line}, display time unlimited\n"
                    f"Async message sent to session {self.terminal.line}\n",
                    re.compile("eve does not exist or is disconnected\n"
                               "0 does not exist or is disconnected\nMessage id .{6}\n"))
        self.popup("to some")

    def test_moved(self):
        """Another connection of the same principal takes the stream over."""
        running = self.system.begin(self.user.name, "/W", "/TIME:60", "taken over")
        self.popup("taken over")
        peer = self.peer()
        number = peer.request(ATTACH, {"uid": self.last_uid()})
        self.assertEqual(peer.until(number, "displayed")["q"], 2)
        self.expect(running.finish(), 5, "", f"{SENDING}another connection follows this message; "
                    "what became of it is not known here\n")

    def test_too_late(self):
        running = self.system.begin(self.user.name, "/W", "/TIME:3", "quickly")
        number = self.popup("quickly")
        self.expect(running.finish(), 3)
        sender = f"{self.system.me.name} (this host)"
        self.expect(self.system.msg("/ack", number, user=self.user), 1, "", re.compile(
            rf"The message from {re.escape(sender)} \(\d\d:\d\d\) ended at \d\d:\d\d\n"))

    def test_no_such_number(self):
        self.expect(self.system.msg("/ack", "4000000", user=self.user), 1, "",
                    "You have no message 4000000\n")


class Rights(Real):
    SENDERS = {"alice": [], "limited": ["--to=somebody-else"]}

    def test_forbidden(self):
        me, server, key = self.system.me.name, self.system.server, self.senders["alice"].key
        self.expect(self.msg_from("alice", "/ALL", "x"), 1, "", f"{ERROR_5}{me} may not message all "
                    f"sessions on {server}; its administrator can run: msgctl authorize --all {key} "
                    f"{me}\n")
        limited = self.senders["limited"].key
        for target in (self.user.name, "nobody-here"):
            self.expect(self.msg_from("limited", target, "x"), 1, "", f"{ERROR_5}{me} may not "
                        f"message {target} on {server}; its administrator can run: msgctl authorize "
                        f"{limited} {me}\n")

    def test_who_is_forbidden(self):
        me, server, key = self.system.me.name, self.system.server, self.senders["alice"].key
        outcome = self.system.msg("sessions", server, name="msgctl", home=self.senders["alice"].home)
        self.expect(outcome, 1, "", f"{ERROR_5}{me} may not ask who is logged in on {server}; its "
                    f"administrator can run: msgctl authorize --who {key} {me}\n")

    def test_everybody_here(self):
        self.expect(self.system.msg("/ALL", "x", user=self.user), 1, "", f"{ERROR_5}{self.user.name} "
                    "may not message all sessions on this host; root may, and the group that "
                    "msgd.conf names\n")

    @unittest.skipUnless(AM_ROOT, "a service account is made by root")
    def test_a_service_account(self):
        service = User.make(system=True)
        self.addCleanup(service.remove)
        self.expect(self.system.msg(self.user.name, "x", user=service), 1, "", f"{ERROR_5}"
                    f"{service.name} may not message {self.user.name} on this host\n")
        self.expect(self.system.msg("sessions", name="msgctl", user=service), 1, "", f"{ERROR_5}"
                    f"{service.name} may not ask who is logged in on this host\n")

    @unittest.skipUnless(AM_ROOT, "an unmapped uid is taken by root")
    def test_nobody_s_uid(self):
        home = self.system.folder_of("nobody")
        os.chown(home, 65534, 65534)
        self.expect(self.system.msg(self.user.name, "x", user=User("nobody", 65534, 65534, home)), 4,
                    "", f"{ERROR_5}msgd does not serve nobody: this uid is nobody's\n")


class Keys(Real):
    SENDERS = {"stranger": None, "gone": ["--expires=2020-01-01"], "lost": [], "hasty": ["--rate=1"],
               "elsewhere": ["--from=192.0.2.0/24"], "later": []}

    @classmethod
    def _sender(cls, name, rights):
        sender = super()._sender(name, rights)
        if name == "lost":
            cls.system.msgctl("revoke", sender.key, "--file", cls.system.authorized_keys)
        return sender

    def refused(self, name, line):
        self.expect(self.msg_from(name, self.user.name, "from afar"), 4, "", f"{line}\n")
        self.expect(self.system.msg("ping", self.system.server, name="msgctl", timeout=5,
                                    home=self.senders[name].home), 4, "", f"{line}\n")
        self.assertNotIn("from afar", self.terminal.screen())

    def authorize(self, name):
        me = self.system.me.name
        return f"its administrator can run: msgctl authorize {self.senders[name].key} {me}"

    def test_unauthorized(self):
        for name in ("stranger", "elsewhere"):
            with self.subTest(name):
                self.refused(name, f"{ERROR_5}{self.system.server} does not know your key "
                             f"{self.key_of(name)}; {self.authorize(name)}; you, if you can ssh "
                             f"there: msgctl pair {self.system.server}")

    def revoked(self, name):
        file = os.path.join(self.senders[name].home, IDENTITY)
        self.refused(name, f"{ERROR_5}your key {self.key_of(name)} is revoked on "
                     f"{self.system.server}; if its administrator lets you have another: mv {file} "
                     f"{file}.revoked && msgctl key make")

    def test_revoked(self):
        self.revoked("lost")

    def test_expired(self):
        self.refused("gone", f"{ERROR_5}your key {self.key_of('gone')} has expired on "
                     f"{self.system.server}; {self.authorize('gone')}")

    def test_rate_limited(self):
        self.expect(self.msg_from("hasty", self.user.name, "first"), 0)
        self.expect(self.msg_from("hasty", self.user.name, "second"), 4, "", re.compile(
            f"{SENDING}too many messages to {self.system.server}; try again in (5[0-9]|60) s\n"))
        self.popup("first")
        self.assertNotIn("| second", self.terminal.screen())

    def test_revoked_while_it_waits(self):
        running = self.begin_from("later", self.user.name, "/W", "/V", "/TIME:60", "soon gone")
        number = self.popup("soon gone")
        self.system.msgctl("revoke", self.senders["later"].key, "--file",
                           self.system.authorized_keys)
        outcome = running.finish()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 1, f"Sending message to session {self.terminal.line}, display time 60\n",
                    f"Error sending message to session {self.terminal.line} : withdrawn, your key was "
                    "revoked\n")
        self.terminal.wait_for(rf"^\[{number}\] withdrawn$")
        self.revoked("later")


class Busy(Real):
    CONFIG = {"open-deliveries": 1, "account-connections": 1, "unix-connections": 2}
    SENDERS = {"alice": []}

    def test_deliveries(self):
        running = self.system.begin(self.user.name, "/W", "/TIME:60", "the only one")
        number = self.popup("the only one")
        self.expect(self.system.msg(self.user.name, "one too many"), 4, "",
                    f"{SENDING}{HOST} is busy; try again in 1 s\n")
        self.assertNotIn("one too many", self.terminal.screen())
        self.expect(self.system.msg("/ack", number, user=self.user), 0)
        self.expect(running.finish(), 0)
        self.expect(self.system.msg(self.user.name, "room again"), 0)

    def test_connections_of_an_account(self):
        running = self.begin_from("alice", self.user.name, "/W", "/TIME:60", "the only call")
        number = self.popup("the only call")
        self.expect(self.msg_from("alice", self.user.name, "x"), 4, "",
                    f"{SENDING}{self.system.server} is busy; try again in 1 s\n")
        self.expect(self.system.msg("/ack", number, user=self.user), 0)
        self.expect(running.finish(), 0)

    def welcomed(self):
        """A peer that was let in; who was here before may not be seen to have gone yet."""
        try:
            peer = self.peer()
            return peer if peer.receive()[0] == WELCOME else None
        except (OSError, ValueError, TypeError):  # the refusal is no message
            return None

    def test_connections_of_a_uid(self):
        peers = [eventually(self.welcomed, "a place") for _ in range(2)]
        self.assertEqual(len(peers), 2)
        self.expect(self.system.msg(self.user.name, "x"), 4, "", f"{ERROR_1722}msgd on {HOST} "
                    f"({self.system.socket}) is busy; try again in 1 s\n")


class Crowd(Staged):
    def test_too_many(self):
        self.start(sessions=[("bob", 61801, f"pts/{i}") for i in range(1025)])
        self.expect(self.msg("bob", "x"), 1, "",
                    f"{SENDING}h2 answers too-many: too many sessions for one message\n")
        self.assertTrue(self.screens.is_silent())


class Unknown(Real):
    def test_another_life(self):
        running = self.system.begin(self.user.name, "/W", "/TIME:60", "before")
        self.popup("before")
        process = self.system.process
        os.kill(self.system.msgd_pid(), signal.SIGKILL)
        eventually(lambda: process.poll() is not None, "the end of msgd-present")
        self.system.start()
        self.expect(running.finish(), 5, "", f"{SENDING}msgd on {HOST} was started anew; what became "
                    "of the message is not known\n")
        self.assertEqual(self.terminal.count("| before"), 1)


class Ending(Real):
    def setUp(self):
        super().setUp()
        if not self.system.process:
            self.system.start()

    def calls(self):
        """How many connections there are at msgd's socket, taken or not; its own has a flag."""
        with open("/proc/net/unix", encoding="utf-8") as f:
            return sum(line.split()[3::4] == ["00000000", self.system.socket] for line in f)

    def stops_under(self, *words, **options):
        """msgd ends before it has read what a program asks of it."""
        pid = self.system.msgd_pid()
        os.kill(pid, signal.SIGSTOP)
        stopped(pid)
        before = self.calls()
        running = self.system.begin(*words, **options)
        eventually(lambda: self.calls() > before, "it to call")
        time.sleep(0.5)  # it has called; its question is to be there, too
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        outcome = running.finish(30)
        eventually(lambda: self.system.process.poll() is not None, "the end of msgd-present")
        self.system.process = None
        return outcome

    def test_a_question(self):
        self.expect(self.stops_under("sessions", name="msgctl"), 4, "", f"{ERROR_1722}msgd is not "
                    f"running on this host ({self.system.socket}: the connection was closed)\n")

    def test_stopped_while_it_waits(self):
        running = self.system.begin(self.user.name, "/W", "/TIME:60", "till the end")
        number = self.popup("till the end")
        self.system.stop()
        self.expect(running.finish(), 1, "", f"Error sending message to session {self.terminal.line} "
                    ": withdrawn, msgd was stopped\n")
        self.terminal.wait_for(rf"^\[{number}\] withdrawn$")


class Alone(Staged):
    """msgd without msgd-present."""

    def test_no_presenter(self):
        self.msgd.launch("--name", "h2", "--present-socket", os.path.join(self.msgd.folder, "none"))
        eventually(self.msgd.answers, self.msgd.logged)
        self.expect(self.msg("bob", "x"), 4, "", f"{SENDING}msgd on h2 has lost msgd-present, which "
                    "shows messages\n")


class Full(Staged):
    """No room for the record of what was shown."""

    def limit(self, size):
        """Its own user may set this; root in a container may not."""
        own = {"user": self.msgd.uid, "group": self.msgd.uid, "extra_groups": []} if AM_ROOT else {}
        subprocess.run(["prlimit", "--pid", str(self.msgd.process.pid), f"--fsize={size}:unlimited"],
                       check=True, **own)

    def test_internal(self):
        self.start()
        seen = os.path.join(self.msgd.state, "seen")
        size = os.path.getsize(seen)
        for room in (0, 10):
            self.limit(size + room)
            self.expect(self.msg("bob", "x"), 1, "",
                        f"{SENDING}h2 answers internal: its own fault; its log says more\n")
            self.assertTrue(self.screens.is_silent())
            self.assertEqual(os.path.getsize(seen), size)
        self.limit("unlimited")
        running = self.begin("bob", "y")
        self.screens.shown(self.screens.order()["present"])
        self.expect(running.finish(), 0)


if __name__ == "__main__":
    unittest.main()
