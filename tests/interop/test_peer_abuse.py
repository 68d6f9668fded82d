# SPDX-License-Identifier: MIT
"""What the real msgd must bear: the faults of section 7 and the abuse of section 18."""
import contextlib
import os
import socket
import struct
import time
import unittest

import msgpack

from harness import eventually

from peer import (FRAME, HANDSHAKE_1, HANDSHAKE_2, HANDSHAKE_3, PLAINTEXT, PREAMBLE_TCP, Client,
                  Connection, Handshake, Refused)
from peer_told import Told
from peer_world import World, shown

SLACK = 1.5  # seconds that a deadline may be late on a busy machine


class Raw(World):
    """Connections that are told byte by byte what to write."""

    def raw(self, *parts):
        time.sleep(0.06)  # less than LIM_SOURCE_HANDSHAKES a second
        connection = Connection(socket.create_connection(self.address, 10))
        self.addCleanup(connection.close)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                connection.write(part)
        return connection

    def silent(self, *parts, within=1.0):
        """Nothing comes but the end, and well before a deadline could have brought it."""
        connection = self.raw(*parts)
        self.assertEqual(connection.at_end(within), b"", parts)

    def at_message_3(self, name="power", extra=b""):
        """A handshake up to message 2: (connection, handshake)."""
        noise = Handshake(True, self.keys[name], PREAMBLE_TCP)
        connection = self.raw(PREAMBLE_TCP + Connection.framed(noise.write(extra)))
        noise.read(connection.read_frame(HANDSHAKE_2))
        return connection, noise


class Handshakes(Raw):
    def test_another_protocol(self):
        self.silent(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.silent(b"\x16\x03\x01\x02\x00\x01\x00\x01")
        self.silent(b"MSG\x01\x01\x01\0\0")

    def test_refusals(self):
        for preamble, code in ((b"MSG\0\2\1\0\0", 1), (b"MSG\0\0\1\0\0", 1), (b"MSG\0\1\0\0\0", 2),
                               (b"MSG\0\1\2\0\0", 2), (b"MSG\0\1\1\0\1", 2), (b"MSG\0\1\1\1\0", 2),
                               (b"MSG\0\2\7\0\0", 1)):
            got = self.raw(preamble, bytes(100)).at_end(3)
            self.assertEqual(got[:9].hex(), (b"\0\x08REF\0" + bytes([code, 1, 1])).hex())
            self.assertEqual(len(got), 10)

    def test_frames_that_are_too_long_end_on_their_length(self):
        self.silent(PREAMBLE_TCP, struct.pack(">H", HANDSHAKE_1 + 1))
        self.silent(PREAMBLE_TCP, struct.pack(">H", FRAME))
        self.silent(PREAMBLE_TCP, b"\0\0")
        for length in (HANDSHAKE_3 + 1, FRAME, 0):
            connection, _ = self.at_message_3()
            connection.write(struct.pack(">H", length))
            self.assertEqual(connection.at_end(1), b"")

    def test_garbage_in_the_handshake(self):
        self.silent(PREAMBLE_TCP, Connection.framed(bytes(32)))  # DH of zeros
        self.silent(PREAMBLE_TCP, Connection.framed(b"\1" + bytes(31)))
        self.silent(PREAMBLE_TCP, Connection.framed(os.urandom(31)))
        for garbage in (os.urandom(83), os.urandom(63), os.urandom(HANDSHAKE_3), b"x"):
            connection, _ = self.at_message_3()
            connection.write(Connection.framed(garbage))
            self.assertEqual(connection.at_end(1), b"")

    def test_payload_in_message_1_is_ignored(self):
        for size in (1, 256):
            connection, noise = self.at_message_3(extra=os.urandom(size))
            connection.write(Connection.framed(noise.write(msgpack.packb({"v": 1}))))
            connection.sending, connection.receiving = noise.ciphers()
            self.assertEqual(connection.read_plaintext()[:2], b"\x93\x08")

    def test_bad_hello3(self):
        for payload in (b"", b"\xc0", b"\x80", msgpack.packb({"v": 1, "!x": 1}),
                        b"\x81\xa1v\x01\x00", msgpack.packb({"v": "1"}),
                        msgpack.packb({"v": 1, "agent": "x" * 65}),
                        msgpack.packb({"v": 1, "agent": "a\nb"})):
            connection, noise = self.at_message_3()
            connection.write(Connection.framed(noise.write(payload)))
            self.assertEqual(connection.at_end(1), b"", payload)

    def test_hello3_of_a_later_revision(self):
        hello = {"v": 9, "feat": ["x-new"], "end": [b"junk"], "new": [1, {"a": 2}]}
        connection, noise = self.at_message_3()
        connection.write(Connection.framed(noise.write(msgpack.packb(hello))))
        connection.sending, connection.receiving = noise.ciphers()
        self.assertEqual(connection.read_plaintext()[:2], b"\x93\x08")

    def test_refused_client_says_nothing_of_message_3(self):
        """A client that does not trust closes after message 2; the server lives on."""
        with self.assertRaises(PermissionError):
            self.client(trusted=[self.keys["power"].public])
        self.client().welcomed()


class Deadlines(Raw):
    def ended_after(self, connection, limit):
        begun = time.monotonic()
        self.assertEqual(connection.at_end(limit + 5), b"")
        return time.monotonic() - begun

    def test_nothing_comes(self):
        self.assertAlmostEqual(self.ended_after(self.raw(), 2), 2, delta=SLACK)

    def test_half_a_preamble(self):
        self.assertAlmostEqual(self.ended_after(self.raw(PREAMBLE_TCP[:7]), 2), 2, delta=SLACK)

    def test_progress_does_not_extend_the_handshake(self):
        begun = time.monotonic()
        connection = self.raw(PREAMBLE_TCP)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for byte in Connection.framed(os.urandom(200)):
                connection.write(bytes([byte]))
                time.sleep(0.1)
        self.assertEqual(connection.at_end(1), b"")
        self.assertAlmostEqual(time.monotonic() - begun, 5, delta=SLACK)

    def test_message_3_never_comes(self):
        self.assertAlmostEqual(self.ended_after(self.at_message_3()[0], 5), 5, delta=SLACK)

    def test_no_request(self):
        client = self.client()
        client.welcomed()
        begun = time.monotonic()
        client.at_end(10 + 5)
        self.assertAlmostEqual(time.monotonic() - begun, 10, delta=SLACK)

    def test_rejected_and_no_request(self):
        self.assertAlmostEqual(self.ended_after(self.client("stranger"), 10), 10, delta=SLACK)


class Limits(Raw):
    def test_connections_of_one_source_without_a_handshake(self):
        waiting = [self.raw(PREAMBLE_TCP) for _ in range(8)]
        time.sleep(0.3)
        self.assertEqual(self.raw(PREAMBLE_TCP).at_end(1)[:7], b"\0\x08REF\0\3")
        for connection in waiting:
            connection.close()
        eventually(self.welcomed, "a place to be free again")

    def welcomed(self):
        try:
            with Client.tcp(self.address, self.keys["power"], [self.host.public]) as client:
                return client.welcomed()
        except Refused:
            return None

    def test_connections_of_one_account(self):
        for _ in range(8):
            self.client("alice").welcomed()
        client = self.client("alice")
        self.assert_goes_away(client, "busy")
        self.assertIsNone(client.welcome)
        self.client("power").welcomed()


class Channel(Raw):
    def recorded(self, first):
        """All bytes that a client wrote for these requests."""
        written = []

        class Recorder(Client):
            def write(self, data):
                written.append(data)
                super().write(data)
        with Recorder.tcp(self.address, self.keys["power"], [self.host.public], first) as client:
            told = self.follow(client, 1, Told(wait=False))
            self.assertEqual(told.result, "ok")
        return b"".join(written)

    def test_replayed_connection(self):
        terminal = self.login()
        again = self.recorded([("SEND", self.sent(terminal, wait=False, text="Replayed?"))])
        connection = self.raw(again)
        connection.read_frame(HANDSHAKE_2)
        self.assertEqual(connection.at_end(2), b"")
        self.assertEqual(shown(terminal, "Replayed?"), 1)

    def test_replayed_frame(self):
        client = self.client()
        client.welcomed()
        frame = client.packed("PING", 0, {"t": 1})
        client.write(frame)
        while 1 not in client.pongs:
            client.receive()
        client.write(frame)
        self.assertEqual(client.at_end(1), b"")

    def test_reflected_frame(self):
        client = self.client()
        frame = client.read_frame()
        client.write(client.framed(frame))
        self.assertEqual(client.at_end(1), b"")

    def test_frames_that_do_not_authenticate(self):
        for frame in (b"\0\0", b"\0\1x", Connection.framed(bytes(15)), Connection.framed(bytes(16)),
                      Connection.framed(os.urandom(FRAME))):
            client = self.client()
            client.welcomed()
            client.write(frame)
            self.assertEqual(client.at_end(1), b"")

    def test_a_frame_cut_short(self):
        client = self.client()
        client.welcomed()
        client.write(client.packed("WHO", 1, {})[:-1])
        client.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(client.at_end(1), b"")

    def test_the_longest_plaintext(self):
        client = self.client()
        head = b"\x93\x16\x01\x81\xa1x\xc5"
        size = PLAINTEXT - len(head) - 2
        _, last = client.ask_in(1, client.sealed(head + struct.pack(">H", size) + bytes(size)))
        self.assertEqual(last.map, {"st": "ok", "q": 0})


class Scans(Raw):
    """Authentic, but bad: GOAWAY bad-message, and the end."""

    def test_fatal(self):
        deep = b"\x91" * 7 + b"\x01"
        for what, plaintext in (
                ("five bytes", "dd00ffffff"), ("nothing but an end", "93"), ("C1", "c1"),
                ("duplicate keys", "93160182a161" "01" "a161" "02"),
                ("a key that is no str", "931601810101"), ("behind it", "93160180c0"),
                ("a float", "93160181a178ca00000000"), ("ext", "93160181a178d40000"),
                ("a timestamp", "93160181a178d6ff00000000"), ("huge map", "931601dfffffffff"),
                ("huge str", "93160181a178dbffffffff"),
                ("long key", "93160181d921" + "6b" * 33 + "01"),
                ("33 pairs", msgpack.packb([22, 1, {f"{i}": 1 for i in range(33)}]).hex()),
                ("1025 elements", msgpack.packb([22, 1, {"x": [1] * 1025}]).hex()),
                ("4097 values", msgpack.packb([22, 1, {"x": [[1] * 1022] * 4}]).hex()),
                ("too deep", "93160181a178" + deep.hex()), ("a map", "80"),
                ("two elements", "921601"), ("four", "9416018000"), ("negative", "93ff0180"),
                ("a type beyond u32", "93cf00000001000000000180"),
                ("an id beyond u32", "9316cf000000010000000080"),
                ("no map", "93160190"),
                ("id 0", "93160080"), ("a server's type", "93220180"), ("HELLO", "930e0081a17601"),
                ("PING with an id", "93020181a17401"), ("PING without t", "93020080"),
                ("PING with a wrong t", "93020081a174a0")):
            client = self.client()
            client.welcomed()
            client.write(client.sealed(bytes.fromhex(plaintext)))
            with self.subTest(what):
                self.assert_goes_away(client, "bad-message")

    def test_at_the_bounds(self):
        client = self.client()
        for fields in ({"x": [1] * 1024}, {"k" * 32: 1}, {f"{i}": i for i in range(32)},
                       {"x": [[[[[[1]]]]]]}, {"x": None}, {"x": [[1] * 1021] * 4 + [1]}):
            self.assertEqual(client.ask("WHO", fields)[1].map["st"], "ok", str(fields)[:60])

    def test_ids_rise(self):
        client = self.client()
        client.ask("WHO")
        client.send("WHO", 1)
        self.assert_goes_away(client, "bad-message")
        client = self.client()
        client.last = 2 ** 32 - 2
        self.assertEqual(client.ask("WHO")[1].map["st"], "ok")

    def test_wide_integers(self):
        client = self.client()
        frame = client.sealed(bytes.fromhex("dd00000003" "cd0016" "cf0000000000000001" "de0000"))
        self.assertEqual(client.ask_in(1, frame)[1].map, {"st": "ok", "q": 0})


class Faults(Raw):
    """Well-formed with a faulty field: ERROR on the id, and the connection lives."""

    def test_errors(self):
        client = self.client()
        good = {"uid": bytes(16), "to": [{"user": "nobody-there"}], "text": "x"}
        for change, code, at in (
                ({"text": None}, "bad-message", "text"), ({"text": b"x"}, "bad-message", "text"),
                ({"uid": b"x" * 15}, "bad-message", "uid"),
                ({"uid": "x" * 16}, "bad-message", "uid"),
                ({"to": []}, "bad-message", "to.0"), ({"to": {}}, "bad-message", "to.0"),
                ({"to": [{}]}, "bad-message", "to.0"), ({"to": [7]}, "bad-message", "to.0"),
                ({"to": [{"me": True}]}, "bad-message", "to.0"),
                ({"to": [{"user": "a"}, {"user": "a", "id": "b"}]}, "bad-message", "to.1"),
                ({"to": [{"user": "a\u0085"}]}, "bad-message", "to.0"),
                ({"to": [{"user": "x" * 65}]}, "too-large", "to.0"),
                ({"wait": 1}, "bad-message", "wait"), ({"time_ms": -1}, "bad-message", "time_ms"),
                ({"time_ms": 2 ** 53}, "too-large", "time_ms"),
                ({"lost_ms": 2 ** 32}, "too-large", "lost_ms"),
                ({"text": "x" * 32769}, "too-large", "text"),
                ({"title": "x" * 257}, "too-large", "title"),
                ({"to": [{"user": "a"}] * 513}, "too-many", "to.512"),
                ({"not": [{"user": "a"}] * 17}, "too-many", "not.16"),
                ({"answers": ["a"] * 9, "wait": True}, "too-many", "answers.8"),
                ({"answers": ["a"]}, "bad-message", None),
                ({"answers": ["a", "a"], "wait": True}, "bad-message", None),
                ({"text": " \n\u2003"}, "bad-text", "text"), ({"text": ""}, "bad-text", "text"),
                ({"text": "a\x1b[2J"}, "bad-text", "text"), ({"text": "a\rb"}, "bad-text", "text"),
                ({"title": "a\tb"}, "bad-text", "title"), ({"title": " "}, "bad-text", "title")):
            with self.subTest(str(change)[:60]):
                found = self.error(client, "SEND", {**good, **change})
                self.assertEqual(found["code"], code, found)
                if at:
                    self.assertIn(found.get("at"), (at, None))
        for missing in good:
            self.assert_error(client, "SEND", {k: v for k, v in good.items() if k != missing},
                              "bad-message", missing)

    def test_text_that_is_no_utf8(self):
        client = self.client()
        raw = msgpack.packb({"uid": bytes(16), "to": [{"user": "a"}], "text": "@@@"})
        for bytes_ in (b"\xc0\x80\x41", b"\xed\xa0\x80", b"\xff\xfe\x41", b"ab\xe2",
                       b"\x41\xf8\x88"):
            self.assert_error(client, "SEND", raw.replace(b"@@@", bytes_), "bad-text", "text")

    def test_one_of_several_faults(self):
        client = self.client()
        found = self.error(client, "SEND", {"uid": b"", "to": [{"user": "a"}] * 513, "!new": 1,
                                            "text": "x" * 40000, "title": "\x1b"})
        self.assertIn((found["code"], found.get("at")),
                      (("unsupported", "!new"), ("bad-message", "uid"), ("too-large", "text"),
                       ("too-many", "to.512"), ("bad-text", "title")))

    def test_what_is_empty(self):
        client = self.client()
        good = {"uid": bytes(16), "to": [{"user": "nobody-there"}], "text": "x"}
        for change in ({"title": ""}, {"not": []}, {"answers": []}, {"time_ms": 0},
                       {"to": [{"user": "nobody-there", "all": False}]}):
            before, last = client.ask("SEND", {**good, **change})
            self.assertEqual((len(before), last.map["code"]), (1, "no-target"), change)
        self.assert_error(client, "SEND", {**good, "to": [{"user": "a", "id": ""}]},
                          "bad-message", "to.0")
        client.send("NOOP", 0, {"pad": b""})
        self.assert_goes_away(client, "bad-message")

    def test_unknown_types(self):
        client = self.client()
        client.send(77, 9, {"!x": 1})
        client.send(77, 0, {})
        client.send("NOOP", 0, {"pad": bytes(1024)})
        client.send("PONG", 0, {"t": 5})
        self.assert_error(client, 78, {}, "unsupported")
        self.assertEqual(client.last, 1, "the ignored message's id is free")
        client.ping(2 ** 53 - 1)
        client.send(78, 0, {})
        self.assert_goes_away(client, "unsupported")
        client = self.client()
        client.ask("WHO")
        client.send(78, 1, {})
        self.assert_goes_away(client, "bad-message")

    def test_unknown_keys(self):
        client = self.client()
        self.assertEqual(client.ask("WHO", {"new": {"a": [1]}})[1].map["st"], "ok")
        self.assert_error(client, "WHO", {"!new": 1}, "unsupported", "!new")
        self.assert_error(client, "WHO", {"to": [{"user": "a", "!b": 1}]}, "unsupported", "to.0")

    def test_too_many_open(self):
        terminals = [self.login() for _ in range(4)]
        client = self.client()
        most = client.welcomed()["lim"]["requests"]
        raws = [self.sent(terminals[i % 4]) for i in range(most + 1)]
        numbers = [client.request("SEND", raw) for raw in raws]
        found = client.answer(numbers[-1])
        self.assertEqual(found.map["code"], "busy")
        self.assertGreater(found.map["retry_ms"], 0)

    def test_rate(self):
        terminal, client = self.login(), self.client("slow")
        for _ in range(5):
            client.ask("SEND", self.sent(terminal, wait=False))
        found = self.error(client, "SEND", self.sent(terminal, wait=False))
        self.assertEqual(found["code"], "rate-limited")
        self.assertTrue(0 < found["retry_ms"] <= 60000 / 5, found)
        eventually(lambda: shown(terminal, "Lunch?") == 5, terminal.screen)

    def test_it_still_lives(self):
        """After all of the above, in whatever order: the same process, still serving."""
        self.assertIsNone(self.system.process.poll())
        self.assertEqual(self.client().ask("WHO")[1].map["st"], "ok")


if __name__ == "__main__":
    unittest.main()
