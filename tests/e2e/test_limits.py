# SPDX-License-Identifier: MIT
"""
Limits of the real msgd at their edge: what still fits and what does not, and the deadlines of
connections, all of which run beside one another.
"""
import os
import select
import signal
import socket
import threading
import time
import unittest

from harness import free_port
from local_peer import (ACK, ATTACH, CANCEL, EVENT, LIST, PREAMBLE, RESULT, SEND, LocalPeer,
                        message)
from msgd_alone import WHO, Msgd
from test_deaths import body_uid
from world import Real, Staged

UID = os.getuid()
SLACK = 2.5  # seconds that a deadline may be late on a busy machine
BUSY = bytes.fromhex("00085245460003")
TCP_PREAMBLE = bytes.fromhex("4d53470001010000")


class Sizes(Real):
    def test_the_longest_text(self):
        text = "\n".join("x" * 15 for _ in range(2048))
        self.assertEqual(len(text) + 1, 32768)
        self.expect(self.system.msg(self.user.name, stdin=text + "y\n"), 0)
        number = self.terminal.wait_for(r"^\[\d+ more lines: msg /list (\d+)\]$").group(1)
        listed = self.system.msg("/list", number, user=self.user).out
        self.assertEqual(listed.count("| xxxxxxxxxxxxxxx"), 2048)
        self.expect(self.system.msg(self.user.name, stdin=text + "yz"), 2, "",
                    "msg: the message has 32769 bytes; at most 32768 can be sent\n")

    def test_so_many_targets(self):
        """512 are one request, of which one is there."""
        peer = self.peer()
        to = [{"user": f"u{i}"} for i in range(511)] + [{"user": self.user.name}]
        number = peer.request(SEND, {"uid": os.urandom(16), "to": to, "text": "one of many"})
        answers = [body for kind, _, body in peer.answers(number) if kind in (EVENT, RESULT)]
        misses = [miss["to"] for body in answers for miss in body.get("miss", ())]
        self.assertEqual(misses, list(range(511)))
        self.assertEqual([len(body["miss"]) for body in answers[:4]], [128, 128, 128, 127])
        self.assertEqual(answers[-1]["st"], "partial")
        number = peer.request(SEND, {"uid": os.urandom(16), "to": to + to[:1], "text": "x"})
        self.assertEqual(list(peer.answers(number))[-1][2], {"code": "too-many", "at": "to.512"})


class OneConnection(Real):
    CONFIG = {"account-connections": 1}
    SENDERS = {"alice": []}

    def targets(self, *names):
        path = self.system.path("targets")
        with open(path, "w", encoding="ascii") as file:
            file.writelines(f"{name}\n" for name in names)
        return f"@{path}"

    def test_more_requests_than_connections(self):
        """The parts of a long list share one."""
        targets = self.targets(*(f"u{i}" for i in range(1100)), self.user.name)
        done = self.begin_from("alice", targets, "in turn").finish(30)
        self.assertNotIn("busy", done.err)
        self.assertNotIn("connecting again", done.err)
        self.assertEqual(done.err.count("u1099"), 1, done.err[-500:])
        self.terminal.wait_for("in turn")

    def test_all_of_them_wait_at_once_and_are_withdrawn(self):
        targets = self.targets(*(f"u{i}" for i in range(700)), self.user.name,
                               *(f"v{i}" for i in range(400)), self.terminal.line)
        running = self.begin_from("alice", targets, "/W", "/V", "twice")
        running.wait_for("(?:Sending message to session .*\n){2}")
        running.process.send_signal(signal.SIGINT)
        done = running.finish(30)
        self.assertEqual(done.status, 128 + signal.SIGINT)
        self.assertEqual(done.out.count("withdrawn\n"), 2, done.out)


class Deliveries(Staged):
    def test_so_many_deliveries(self):
        self.start(sessions=[("bob", 61801, f"pts/{i}") for i in range(1024)])
        peer = self.msgd.peer()
        number = peer.request(SEND, message("bob", "x"))
        for _ in range(1024):
            self.screens.shown(self.screens.order()["present"])
        result = list(peer.answers(number))[-1]
        self.assertEqual((result[0], result[2]["n"]), (RESULT, {"displayed": 1024}))


class Strangers(Staged):
    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), 5)
        self.addCleanup(connection.close)
        return connection

    def begin_at(self, *options):
        self.port = free_port()
        self.start("--listen", f"127.0.0.1:{self.port}", *options)

    def test_connections_without_a_handshake(self):
        """From half of them on some are turned away by chance; all of them is the end."""
        self.begin_at("--unauthenticated=2", "--source-unauthenticated=100")
        waiting = [self.connect() for _ in range(2)]
        for connection in waiting:
            connection.sendall(TCP_PREAMBLE)
        time.sleep(0.2)
        self.assertEqual(self.connect().recv(10)[:7], BUSY)
        for connection in waiting:
            self.assertEqual(select.select([connection], [], [], 0)[0], [])

    def test_handshakes_in_all(self):
        self.begin_at("--handshakes=1")
        first = self.connect()
        first.sendall(TCP_PREAMBLE)
        time.sleep(0.2)
        self.assertEqual(self.connect().recv(10)[:7], BUSY)
        self.assertEqual(select.select([first], [], [], 0)[0], [])
        time.sleep(1)
        again = self.connect()
        again.sendall(TCP_PREAMBLE)
        self.assertEqual(select.select([again], [], [], 0.3)[0], [])


class Deadlines(unittest.TestCase):
    """Every one is begun before the first test, and each test waits for its own."""

    @classmethod
    def setUpClass(cls):
        cls.msgd = Msgd()
        cls.addClassCleanup(cls.msgd.close)
        cls.msgd.start("--messages-a-minute", "1000", "--unix-connections", "100",
                       sessions=[("me", UID, "pts/1")])
        cls.began, cls.ended = {}, {}
        cls.held, cls.held_number, _ = cls.shown("held")
        cls.slow, _, cls.slow_body = cls.shown("slow")
        for _ in range(12):
            cls.shown("x" * 32768)[0].close()
        for _ in range(3):
            cls.slow.request(LIST, {})
        cls.watch("stalled", cls.slow.socket)
        asked = cls.msgd.peer()
        list(asked.answers(asked.request(WHO, {})))
        cls.watch("idle", asked.socket)
        greeted = cls.msgd.peer()
        greeted.receive()
        cls.watch("no request", greeted.socket)
        cls.watch("nothing", cls.raw(b""))
        cls.watch("no hello", cls.raw(PREAMBLE))
        cls.watch("half a preamble", cls.raw(PREAMBLE[:7]))

    @classmethod
    def shown(cls, text):
        """A peer with a message that waits."""
        peer, body = cls.msgd.peer(), message("me", text, wait=True, time_ms=120000)
        number = peer.request(SEND, body)
        cls.msgd.screens.shown(cls.msgd.screens.order()["present"])
        peer.until(number, "displayed")
        return peer, number, body

    @classmethod
    def raw(cls, first):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(cls.msgd.socket)
        connection.sendall(first)
        cls.addClassCleanup(connection.close)
        return connection

    @classmethod
    def watch(cls, name, connection):
        """Notes when the other end has closed, without reading what it wrote."""
        began = time.monotonic()

        def wait():
            poll = select.poll()
            poll.register(connection, 0)
            cls.ended[name] = time.monotonic() - began if poll.poll(45000) else None
        cls.began[name] = threading.Thread(target=wait, daemon=True)
        cls.began[name].start()

    def closes(self, name, seconds):
        self.began[name].join(50)
        self.assertIsNotNone(self.ended[name], f"{name}: never closed")
        self.assertGreater(self.ended[name], seconds - 0.5)
        self.assertLess(self.ended[name], seconds + SLACK)

    def test_nothing_comes(self):
        self.closes("nothing", 2)

    def test_half_a_preamble(self):
        self.closes("half a preamble", 2)

    def test_no_hello(self):
        self.closes("no hello", 5)

    def test_no_request(self):
        self.closes("no request", 10)

    def test_idle(self):
        """Without a request; one that holds a request stays."""
        self.closes("idle", 30)
        cancel = self.held.request(CANCEL, {"uid": os.urandom(16)})
        self.assertEqual(list(self.held.answers(cancel))[-1][2]["code"], "unknown-uid")

    def test_slow_reader(self):
        """It is closed; its deliveries go on."""
        self.closes("stalled", 30)
        peer = self.msgd.peer()
        self.addCleanup(peer.close)
        number = peer.request(ATTACH, {"uid": body_uid(self.slow_body)})
        peer.until(number, "displayed")
        listed = LocalPeer(self.msgd.socket)
        self.addCleanup(listed.close)
        found = [body["message"]["number"] for kind, _, body in
                 listed.answers(listed.request(LIST, {}))
                 if kind == EVENT and body["message"]["text"] == "slow"]
        self.assertEqual(list(listed.answers(listed.request(ACK, {"number": found[0]})))[-1][0],
                         RESULT)
        self.assertEqual(peer.until(number, "acknowledged")["fin"], True)


if __name__ == "__main__":
    unittest.main()
