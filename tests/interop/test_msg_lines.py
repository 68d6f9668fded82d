#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
msg's lines about another host, against the independent server: keys that are not known at either
end, rights, refusals, and servers that are none; byte for byte.
"""
import os
import socket
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "e2e")]
os.environ.setdefault("MSG_BUILD", os.getcwd())

try:
    from peer_keys import Identity
    from peer_server import Server, Serving
except ModuleNotFoundError as missing:
    print("skipped:", missing)
    sys.exit(77)
import pwd

from harness import Running, Terminal, User, program

ME = pwd.getpwuid(os.geteuid()).pw_name
BOB = {"user": "bob", "sess": "pts/1", "id": "7", "kind": "terminal"}
PREFIX = "Error 5 getting session names: "
OTHER = "x25519:" + 43 * "A"


def shown(request):
    request.accepted(BOB)
    request.event(1, "displayed", fin=True)
    request.finish()


class World(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.config = os.path.join(folder.name, "config")
        os.mkdir(self.config, 0o700)
        self.known_hosts = os.path.join(self.config, "known_hosts")
        self.identity = os.path.join(self.config, "identity")
        self.alice, self.host = Identity(), Identity()
        self.alice.save(self.identity)
        self.user = User.me(folder.name)

    def serve(self, story=shown, pin=True, known=True, serving=Serving):
        self.server = Server(self.host, {self.alice.public: "alice"} if known else {}, story,
                             serving=serving)
        self.addCleanup(self.server.close)
        self.name = f"127.0.0.1:{self.server.address[1]}"
        self.address = f"127.0.0.1 port {self.server.address[1]}"
        if pin:
            self.pin(self.host.text)

    def pin(self, key):
        with open(self.known_hosts, "w", encoding="ascii") as file:
            file.write(f"[127.0.0.1]:{self.server.address[1]} {key}\n")

    def msg(self, *words, server=None):
        running = Running(self.user, [program("msg"), f"/SERVER:{server or self.name}", *words],
                          env={"MSG_CONFIG_HOME": self.config})
        self.addCleanup(running.kill)
        return running.finish(30)

    def expect(self, status, err, *words, out="", **options):
        outcome = self.msg(*(words or ("bob", "x")), **options)
        self.assertEqual((outcome.status, outcome.out, outcome.err), (status, out, err))


class Answers(World):
    def test_success(self):
        self.serve()
        self.expect(0, "")

    def test_a_client_that_is_not_known(self):
        self.serve(known=False)
        self.expect(4, f"{PREFIX}{self.name} does not know your key {self.alice.text} "
                       f"({self.identity}); its administrator can run: msgctl authorize "
                       f"{self.alice.text} {ME}; you, if you can ssh there: msgctl pair {self.name}\n")

    def test_rights(self):
        self.serve(lambda request: request.fail("forbidden"))
        self.expect(1, f"{PREFIX}{ME} may not message bob on {self.name}; its administrator can run: "
                       f"msgctl authorize {self.alice.text} {ME}\n")
        self.expect(1, f"{PREFIX}{ME} may not message all sessions on {self.name}; its administrator "
                       f"can run: msgctl authorize --all {self.alice.text} {ME}\n", "/ALL", "x")

    def test_codes(self):
        for code, status, line in (
                ("revoked", 4, f"{PREFIX}your key {{key}} ({{file}}) is revoked on {{host}}; if "
                               "its administrator lets you have another: mv {file} {file}.revoked && "
                               "msgctl key make"),
                ("expired", 4, f"{PREFIX}your key {{key}} ({{file}}) has expired on {{host}}; its "
                               f"administrator can run: msgctl authorize {{key}} {ME}"),
                ("no-target", 1, "bob does not exist or is disconnected")):
            with self.subTest(code):
                self.serve(lambda request: request.fail(code))
                self.expect(status, line.format(key=self.alice.text, file=self.identity,
                                                host=self.name) + "\n")


class Keys(World):
    def test_unknown_without_a_terminal(self):
        self.serve(pin=False)
        self.expect(4, f"{PREFIX}the key of {self.name} is not known: {self.host.text}; if it is the "
                       "right one, which its administrator sees by msgctl key show --host: msgctl "
                       f"trust {self.name} {self.host.text}; if you can ssh there, without him: "
                       f"msgctl pair {self.name}\n")
        self.assertEqual(self.server.heard, [])

    def test_changed(self):
        self.serve(pin=False)
        self.pin(OTHER)
        self.expect(4, f"{PREFIX}THE KEY OF {self.name} HAS CHANGED: {self.host.text} is not the one "
                       f"in {self.known_hosts}:1; somebody may be listening in. Nothing was sent. If "
                       f"its administrator says that it is the new one: msgctl untrust {self.name}; "
                       f"msgctl trust {self.name} {self.host.text}\n")
        self.assertEqual(self.server.heard, [])

    def test_broken_file(self):
        self.serve()
        with open(self.known_hosts, "a", encoding="ascii") as file:
            file.write("broken\n")
        outcome = self.msg("bob", "x")
        self.assertEqual(outcome.status, 4)
        self.assertTrue(outcome.err.startswith(
            f"{PREFIX}no key of {self.name} can be trusted: {self.known_hosts}:2: "), outcome.err)
        self.assertEqual(self.server.heard, [])

    def test_a_key_file_that_others_can_read(self):
        self.serve()
        os.chmod(self.identity, 0o644)
        outcome = self.msg("bob", "x")
        self.assertEqual(outcome.status, 4)
        self.assertIn(f"chmod 600 {self.identity}", outcome.err)

    def asked(self, answer, status):
        self.serve(pin=False)
        with Terminal(self.user, env={"MSG_CONFIG_HOME": self.config}) as terminal:
            terminal.type(f"{program('msg')} /SERVER:{self.name} bob x; echo ended $?\n")
            terminal.wait_for(rf"^The key of {self.name} \({self.address}\) is not known here")
            terminal.wait_for(rf"It shows\n  {self.host.text}\n")
            terminal.wait_for("Trust this key")
            terminal.type(f"{answer}\n")
            terminal.wait_for(rf"^ended {status}$")
            return terminal.screen()

    def test_asked_and_trusted(self):
        self.asked("yes", 0)
        self.assertEqual([found.map["text"] for found in self.server.heard if "text" in found.map],
                         ["x"])
        self.expect(0, "")

    def test_asked_and_declined(self):
        screen = self.asked("no", 4)
        self.assertIn(f"{PREFIX}the key of {self.name} was not accepted: {self.host.text}\n", screen)
        self.assertEqual(self.server.heard, [])
        self.assertFalse(os.path.exists(self.known_hosts))

    def test_asked_once_for_many_targets(self):
        self.serve(pin=False)
        path = os.path.join(self.config, "targets")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(f"u{i}" for i in range(600)))
        with Terminal(self.user, env={"MSG_CONFIG_HOME": self.config}) as terminal:
            terminal.type(f"{program('msg')} /SERVER:{self.name} @{path} x; echo ended $?\n")
            terminal.wait_for("Trust this key")
            terminal.type("yes\n")
            terminal.wait_for(r"^ended \d+$")
            self.assertEqual(terminal.count("Trust this key"), 1)
        sent = [found.map["to"] for found in self.server.heard if "text" in found.map]
        self.assertEqual(sorted(len(to) for to in sent), [88, 512])


class Refusals(World):
    def test_refusal_frames(self):
        head = "Error 1722 getting session names: msgd on {0} ({1}) "
        for code, line in (
                (1, "speaks another version of the protocol (1 to 1); bring both up to date"),
                (2, "refuses this kind of connection"),
                (200, "refuses with the code 200")):
            with self.subTest(code):
                self.serve()
                self.server.refuse = code
                outcome = self.msg("bob", "x")
                self.assertEqual(outcome.status, 4, outcome)
                self.assertEqual(outcome.err, (head + line + "\n").format(self.name, self.address))

    def test_busy(self):
        self.serve()
        self.server.refuse = 3
        outcome = self.msg("bob", "x")
        self.assertEqual(outcome.status, 4, outcome)
        self.assertRegex(outcome.err, r"is busy; try again in \d+ s\n$")

    def test_no_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            self.expect(4, "Error 1722 getting session names: cannot reach msgd on "
                           f"127.0.0.1:{port} (127.0.0.1 port {port}: no answer in 5 s, a firewall "
                           "may drop it); where it fails, step by step: msgctl doctor "
                           f"127.0.0.1:{port}\n", server=f"127.0.0.1:{port}")

    def not_msgd(self, play, why):
        class Other(Serving):
            def live(self):
                self.exactly(8 + 34)
                play(self)
        self.serve(serving=Other)
        self.expect(4, f"Error 1722 getting session names: what answers on {self.name} "
                       f"({self.address}) is not msgd: {why}\n")

    def test_another_protocol(self):
        self.not_msgd(lambda serving: serving.write(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                      "its answer is not of this protocol")
        self.not_msgd(lambda serving: serving.write(serving.framed(os.urandom(102))),
                      "its answer does not authenticate")
        self.not_msgd(lambda serving: None, "it closes the connection")


class Doctor(World):
    """msgctl doctor, where the host says what no msgd of ours does."""

    def look(self, *words, status=0):
        running = Running(self.user, [program("msgctl"), "doctor", self.name, *words],
                          env={"MSG_CONFIG_HOME": self.config})
        self.addCleanup(running.kill)
        done = running.finish(30)
        self.assertEqual((done.status, done.err), (status, ""), done)
        return done.out

    def shifted(self, seconds):
        def story(request):
            request.accepted({**BOB, "at": int((time.time() + seconds) * 1000)})
            request.event(1, "displayed", fin=True)
            request.finish()
        return story

    def test_clock(self):
        for seconds, status in ((-290, 0), (290, 0), (-310, 1), (310, 1)):
            with self.subTest(seconds):
                self.serve(self.shifted(seconds))
                out = self.look("--popup", "bob", status=status)
                self.assertRegex(out, rf"\n14\. {'ok   ' if status == 0 else 'fails'}    clock: that host's "
                                      rf"is (289|290|309|310) s {'behind' if seconds < 0 else 'ahead of'} "
                                      "this one's" + ("; beyond 300 s no endorsement holds. On the one "
                                      r"that is wrong:\n        type here, as root:  timedatectl set-ntp "
                                      r"true\n$" if status else r"\n$"))

    def test_what_is_no_way_to_show(self):
        self.serve(lambda request: request.fail("no-presenter"))
        self.assertIn(f"fails    popup: msgd on {self.name} has lost msgd-present, which shows "
                      "messages\n        type on 127.0.0.1, as root:  systemctl restart "
                      "msgd-present.socket msgd-present.service\n",
                      self.look("--popup", "bob", status=1))

    def test_sessions_that_are_not_told(self):
        class Lost(Serving):
            ANSWERS = {**Serving.ANSWERS,
                       "WHO": lambda serving, found: serving._error(found, "no-presenter")}
        self.serve(serving=Lost)
        self.assertIn("12. fails    sessions: msgd has lost msgd-present, which shows messages\n"
                      "        type on 127.0.0.1, as root:  systemctl restart msgd-present.socket "
                      "msgd-present.service\n13. skipped  popup: nobody", self.look(status=1))

    def test_many_sessions(self):
        def session(number, name="bob"):
            return {"id": str(number), "name": f"pts/{number}", "user": name, "type": "tty",
                    "state": "active", "place": 1, "reach": "terminal"}
        self.serve()
        self.server.sessions[:] = [session(1, "b\u202eob"), {**session(2), "reach": "nothing",
                                                            "why": "no-screen"},
                                   {**session(3), "by": ":0"}]
        self.assertIn("ok       sessions: b<U+202E>ob on pts/1 by terminal, bob on pts/2 by nothing "
                      "(no-screen), bob on pts/3 by terminal (left out for :0)\n", self.look())
        self.server.sessions[:] = [session(number) for number in range(1, 13)]
        self.assertIn(f", bob on pts/8 by terminal and 4 more: msgctl sessions {self.name}\n",
                      self.look())


if __name__ == "__main__":
    unittest.main()
