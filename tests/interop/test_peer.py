# SPDX-License-Identifier: MIT
"""
The independent peer by itself: its values, keys and handshake against the document and the vectors
byte for byte, and its client against its own server.
"""
import json
import os
import socket
import struct
import tempfile
import threading
import unittest

import msgpack
from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.extras.dh.dangerous.dh_nogen import NoGenDH

from peer import (PREAMBLE_TCP, Client, Closed, Connection, GoneAway, Handshake, NotAuthentic,
                  Refused)
from peer_keys import Identity, host_name, key_of
from peer_server import LIMITS, Server
from peer_told import Told
from peer_values import DOCUMENT, BadMessage, fault, message, scanned

VECTORS = os.path.join(os.path.dirname(DOCUMENT), "vectors", "xx-session.json")


def vectors():
    with open(VECTORS, encoding="utf-8") as file:
        return json.load(file)


def plain(value):
    """A value of the vectors: {"hex": ...} is bytes."""
    if isinstance(value, dict):
        return bytes.fromhex(value["hex"]) if "hex" in value else {
            key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


class Values(unittest.TestCase):
    def refused(self, *hexes):
        for text in hexes:
            with self.subTest(text[:40]), self.assertRaises(BadMessage):
                scanned(bytes.fromhex(text))

    def test_all_types_and_widths(self):
        for value in (0, 127, 128, 2**16, 2**32, 2**64 - 1, -1, -33, -2**63, None, True, "",
                      "é" * 20, "x" * 70000, b"", b"x" * 300, [1] * 15, [1] * 1024,
                      {"a": {"b": []}}):
            self.assertEqual(scanned(msgpack.packb(value)), value)
        for one in ("01", "cc01", "cd0001", "ce00000001", "cf0000000000000001", "d001"):
            self.assertEqual(scanned(bytes.fromhex(one)), 1)

    def test_refused(self):
        self.refused("", "c1", "ca00000000", "cb0000000000000000", "d40000", "c70100", "0000", "a2",
                     "9101" + "01", "81a16101" + "c0", "82a16101a16102", "8101" + "01",
                     "dd00ffffff", "df00000021", "c6ffffffff")

    def test_bounds(self):
        deep, wide = 8, 1024
        self.assertEqual(scanned(b"\x91" * deep + b"\x01")[0][0][0][0][0][0][0][0], 1)
        self.refused("91" * (deep + 1) + "01", "dc" + "0401" + "01" * (wide + 1))
        self.assertEqual(len(scanned(msgpack.packb({f"{i}": i for i in range(32)}))), 32)
        self.refused(msgpack.packb({f"{i}": i for i in range(33)}).hex(),
                     msgpack.packb({"k" * 33: 1}).hex(), msgpack.packb([[1] * 1023] * 4).hex())
        scanned(msgpack.packb({"k" * 32: 1}))
        scanned(msgpack.packb([[1] * 1023] * 3 + [[1] * 1022]))

    def test_faults_are_judged_in_order(self):
        good = {"uid": bytes(16), "to": [{"user": "bob"}], "text": "x"}
        self.assertIsNone(fault("SEND", good))
        for change, wanted in (
                ({"!new": 1, "text": 7}, ("unsupported", "!new")),
                ({"to": [{"user": "a", "!b": 1}]}, ("unsupported", "to.0")),
                ({"text": None}, ("bad-message", "text")), ({"uid": b"x"}, ("bad-message", "uid")),
                ({"to": []}, ("bad-message", "to.0")), ({"to": [{}]}, ("bad-message", "to.0")),
                ({"to": [{"user": "a"}, {"user": "a", "id": "b"}]}, ("bad-message", "to.1")),
                ({"to": [{"user": "a\n"}]}, ("bad-message", "to.0")),
                ({"text": "x" * 32769}, ("too-large", "text")),
                ({"to": [{"user": "a"}] * 513}, ("too-many", "to.512")),
                ({"text": " \n"}, ("bad-text", "text")), ({"title": "a\tb"}, ("bad-text", "title")),
                ({"time_ms": 2**53}, ("too-large", "time_ms")),
                ({"title": "\x1b", "answers": ["a"] * 9}, ("too-many", "answers.8"))):
            self.assertEqual(fault("SEND", {**good, **change}), wanted)
        self.assertIsNone(fault("SEND", {**good, "text": "x" * 32768, "new": {"deep": 1}}))


class Keys(unittest.TestCase):
    TEXT = "x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8"

    def test_text_form(self):
        public = bytes.fromhex(vectors()["keys"]["client_static"]["public"])
        self.assertEqual(Identity(bytes(range(32))).text, self.TEXT)
        self.assertEqual(key_of(self.TEXT), public)
        for bad in (self.TEXT + "=", self.TEXT[:-1] + "9", self.TEXT[:-1], self.TEXT.upper(),
                    self.TEXT[7:], "X25519:" + self.TEXT[7:]):
            self.assertRaises(ValueError, key_of, bad)

    def test_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "identity")
            Identity(bytes(range(32))).save(path)
            self.assertEqual(os.stat(path).st_size, 122)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            self.assertEqual(Identity.load(path).text, self.TEXT)
            with open(path, "r+", encoding="ascii") as file:
                file.seek(len("msg-key-v1\npublic: x25519:"))
                file.write("A")
            self.assertRaises(ValueError, Identity.load, path)

    def test_host_name(self):
        self.assertEqual(host_name("Host", 6743), "host")
        self.assertEqual(host_name("Host", 1), "[host]:1")


class Vectors(unittest.TestCase):
    """Both ends with the vectors' keys write what the vectors say, byte for byte."""

    def setUp(self):
        self.vectors = vectors()
        self.secrets = {name: bytes.fromhex(key["private"])
                        for name, key in self.vectors["keys"].items()}

    def fixed(self, name):
        return NoGenDH(X25519DH(), PrivateKey(self.secrets[name]))

    def hex(self, *path):
        value = self.vectors
        for step in path:
            value = value[step]
        return bytes.fromhex(value)

    def test_handshake(self):
        client = Handshake(True, Identity(self.secrets["client_static"]), PREAMBLE_TCP,
                           self.fixed("client_ephemeral"))
        server = Handshake(False, Identity(self.secrets["server_static"]), PREAMBLE_TCP,
                           self.fixed("server_ephemeral"))
        self.assertEqual(PREAMBLE_TCP, self.hex("prologue"))
        turns = ((client, server), (server, client), (client, server))
        for number, (writer, reader) in enumerate(turns):
            hello = self.vectors["handshake"][number]["hello"]
            payload = msgpack.packb(hello) if hello else b""
            self.assertEqual(payload, self.hex("handshake", number, "payload"))
            written = writer.write(payload)
            self.assertEqual(written, self.hex("handshake", number, "message"))
            self.assertEqual(reader.read(written), payload)
        self.assertEqual(client.hash, self.hex("handshake_hash"))
        self.assertEqual(server.hash, client.hash)

    def test_messages(self):
        for transport in self.vectors["transport"]:
            found = message(bytes.fromhex(transport["plaintext"]))
            self.assertEqual([found.type, found.id, found.map], plain(transport["value"]))
            self.assertEqual(msgpack.packb(plain(transport["value"])).hex(), transport["plaintext"])
            self.assertIsNone(fault(transport["name"], found.map))

    def test_client_writes_the_clients_stream(self):
        """Over a socket, against a scripted server that plays the vectors' other half."""
        listener = socket.create_server(("127.0.0.1", 0))
        got, played = bytearray(), self.hex("streams", "server")
        first = 2 + struct.unpack(">H", played[:2])[0]

        def serve():
            sock, _ = listener.accept()
            with Connection(sock) as connection:
                got.extend(connection.exactly(len(self.hex("prologue")) + 34))
                connection.write(played[:first])
                got.extend(connection.exactly(len(self.hex("streams", "client")) - len(got)))
                connection.write(played[first:])
                got.extend(connection.at_end())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with listener, Client.tcp(listener.getsockname(), Identity(self.secrets["client_static"]),
                                  [self.hex("keys", "server_static", "public")], agent="vector 1",
                                  first=[("SEND", self.hex("transport", 0, "plaintext")[3:])],
                                  dh=self.fixed("client_ephemeral")) as client:
            told = Told(wait=True)
            while told.result is None:
                told.hear(client.answer(1))
            self.assertEqual(client.noise_hash, self.hex("handshake_hash"))
        thread.join(5)
        self.assertEqual(bytes(got), self.hex("streams", "client"))
        self.assertEqual((told.states, told.result),
                         ({1: ["accepted", "displayed", "acknowledged"]}, "ok"))


def acknowledged(request):
    request.accepted({"user": "bob", "sess": "pts/1", "id": "7", "kind": "terminal"})
    request.event(1, "displayed")
    request.event(1, "acknowledged", fin=True)
    request.finish()


def half(request):
    """Goes on when it is cancelled."""
    request.accepted(*({"user": f"u{i}", "sess": "s", "id": f"{i}", "kind": "desktop"}
                       for i in range(70)))
    request.cancelled.wait(20)
    for number in range(1, 71):
        request.event(number, "withdrawn", why="by-sender", fin=True)
    request.finish("withdrawn")


class Both(unittest.TestCase):
    """The client against the server, both ours."""

    def setUp(self):
        self.host, self.alice = Identity(), Identity()
        self.server = Server(self.host, {self.alice.public: "alice"}, acknowledged)
        self.addCleanup(self.server.close)
        self.addCleanup(lambda: self.assertEqual(self.server.failures, []))

    def client(self, identity=None, first=(), trusted=None):
        client = Client.tcp(self.server.address, identity or self.alice,
                            trusted or [self.host.public], first)
        self.addCleanup(client.close)
        return client

    def sent(self, **more):
        return msgpack.packb({"uid": os.urandom(16), "to": [{"user": "bob"}], "text": "Lunch?",
                              "wait": True, **more})

    def follow(self, client, number, told, again=False):
        while told.result is None:
            told.hear(client.answer(number), again)
        return told

    def error(self, client, kind, fields):
        before, last = client.ask(kind, fields)
        self.assertEqual(before, [])
        return last.map["code"], last.map.get("at")

    def test_send_in_one_write_with_the_handshake(self):
        client = self.client(first=[("SEND", self.sent())])
        told = self.follow(client, 1, Told(wait=True))
        self.assertEqual(told.states, {1: ["accepted", "displayed", "acknowledged"]})
        self.assertEqual(client.welcome["you"], "alice")

    def test_repeated_and_other_bytes(self):
        raw = self.sent()
        client = self.client()
        told = self.follow(client, client.request("SEND", raw), Told(wait=True))
        told.result = None
        self.follow(client, client.request("SEND", raw), told, again=True)
        other = msgpack.packb({**msgpack.unpackb(raw), "text": "Dinner?"})
        self.assertEqual(self.error(client, "SEND", other), ("conflict", None))
        self.assertEqual(self.error(client, "ATTACH", {"uid": bytes(16)}), ("unknown-uid", None))

    def test_attach_takes_over(self):
        self.server.story = half
        raw = self.sent()
        uid = msgpack.unpackb(raw)["uid"]
        first, told = self.client(first=[("SEND", raw)]), Told(wait=True)
        while told.q < 70:
            told.hear(first.answer(1))
        second = self.client()
        number = second.request("ATTACH", {"uid": uid, "after": 64})
        for_six = second.answer(number)
        self.assertEqual([event["q"] for event in for_six.map["ev"]], list(range(65, 71)))
        told.hear(for_six, again=True)
        self.assertEqual(first.answer(1).map, {"code": "moved"})
        self.assertEqual(first.ask("CANCEL", {"uid": uid})[1].map, {"st": "ok", "q": 0})
        self.assertEqual(self.follow(second, number, told, again=True).result, "withdrawn")

    def test_unknown_key(self):
        stranger = self.client(Identity(), [("SEND", self.sent())])
        self.assertEqual(stranger.answer(1).map["code"], "unauthorized")
        self.assertRaises(Closed, stranger.receive)
        stranger = self.client(Identity())
        stranger.send("PING", 0, {"t": 1})
        with self.assertRaises(GoneAway) as gone:
            stranger.receive()
        self.assertEqual(gone.exception.code, "unauthorized")

    def test_unknown_host(self):
        with self.assertRaises(PermissionError):
            self.client(trusted=[self.alice.public])

    def test_refusal(self):
        self.server.refuse = 3
        with self.assertRaises(Refused) as refused:
            self.client()
        self.assertEqual(vars(refused.exception),
                         {"code": 3, "lowest": 1, "highest": 1, "seconds": 1})

    def test_types_and_keys_that_nobody_knows(self):
        client = self.client()
        client.send(77, 5, {"x": 1})
        self.assertEqual(self.error(client, 78, {}), ("unsupported", None))
        self.assertEqual(self.error(client, "WHO", {"!x": 1}), ("unsupported", "!x"))
        self.assertEqual(client.ask("WHO", {"x": 1})[1].map, {"st": "ok", "q": 0})
        client.ping(7)
        client.send(78, 0)
        with self.assertRaises(GoneAway) as gone:
            client.receive()
        self.assertEqual(gone.exception.code, "unsupported")

    def test_fatal(self):
        for kind, number, fields in (("WHO", 0, {}), ("RESULT", 1, {}), ("PING", 1, {"t": 1}),
                                     ("PING", 0, {}), ("WHO", 1, b"\x80\xc0"),
                                     ("HELLO", 0, {"v": 1}),
                                     ("WHO", 1, bytes.fromhex("dd00ffffff"))):
            client = self.client()
            client.send(kind, number, fields)
            with self.subTest(f"{kind} {number} {fields}"), self.assertRaises(GoneAway) as gone:
                client.welcomed()
                client.receive()
            self.assertEqual((gone.exception.code, gone.exception.ours), ("bad-message", False))

    def test_ids_rise(self):
        client = self.client()
        client.ask("WHO")
        client.send("WHO", 1)
        with self.assertRaises(GoneAway):
            client.receive()

    def test_another_protocol(self):
        for hello, answer in ((b"GET / HT", b""), (b"MSG\0\2\1\0\0", b"\0\x08REF\0\1\1\1\1"),
                              (b"MSG\0\1\0\0\0", b"\0\x08REF\0\2\1\1\1")):
            with Connection(socket.create_connection(self.server.address)) as connection:
                connection.write(hello)
                self.assertEqual(connection.at_end(), answer)

    def test_a_frame_that_does_not_authenticate(self):
        client = self.client()
        client.welcomed()
        client.write(client.framed(bytes(16)))
        self.assertEqual(client.at_end(), b"")

    def test_a_bad_server(self):
        """The client says GOAWAY bad-message, in the clear to be seen here."""
        welcome = msgpack.packb([8, 0, {"v": 1, "inst": bytes(16), "name": "x", "you": "y",
                                        "lim": LIMITS}])
        result = msgpack.packb([34, 1, {"st": "ok", "q": 0}])
        for welcomed, frame, code in ((True, b"\x93\x22\x01\x80", "bad-message"),
                                      (True, b"\x93\x20\x01", "bad-message"),
                                      (True, b"\x93\x4e\x00\x80", "unsupported"),
                                      (True, b"\x93\x16\x01\x80", "bad-message"),
                                      (True, welcome, "bad-message"),
                                      (False, result, "bad-message")):
            ours, theirs = socket.socketpair()
            with Client(ours) as client, Connection(theirs) as server:
                client.welcome = {"v": 1} if welcomed else None
                server.write(server.framed(frame))
                with self.assertRaises(GoneAway) as gone:
                    theirs.shutdown(socket.SHUT_WR)
                    client.receive()
                self.assertEqual((gone.exception.code, gone.exception.ours), (code, True))
                found = message(server.read_plaintext())
                self.assertEqual((found.type, found.id, found.map["code"]), (6, 0, code))

    def test_handshake_of_zeros(self):
        noise = Handshake(False, self.host, PREAMBLE_TCP)
        noise.read(bytes(32))
        self.assertRaises(NotAuthentic, noise.write)


if __name__ == "__main__":
    unittest.main()
