# SPDX-License-Identifier: MIT
"""
A client of msgd's Unix socket that says exactly what a test wants said (PROTOCOL.md), as the tester.
"""
import secrets
import socket
import struct

import msgpack

HELLO, WELCOME, GOAWAY, SEND, CANCEL, ATTACH = 14, 8, 6, 16, 18, 20
ACK, LIST, EVENT, NOTE, RESULT, ERROR = 24, 26, 32, 33, 34, 36
PREAMBLE = bytes.fromhex("4d53470001000000")


class LocalPeer:
    def __init__(self, path, timeout=15.0):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        connection.connect(path)
        self.adopt(connection)

    def adopt(self, connection):
        """Speaks on a connection made elsewhere."""
        self.socket = connection
        self.socket.sendall(PREAMBLE)
        self.send(HELLO, 0, {"v": 1})
        self.last = 0

    def send(self, kind, number, body):
        """body: a map, or a map's bytes."""
        packed = body if isinstance(body, bytes) else msgpack.packb(body)
        frame = b"\x93" + msgpack.packb(kind) + msgpack.packb(number) + packed
        self.socket.sendall(struct.pack(">H", len(frame)) + frame)

    def request(self, kind, body):
        """Sends a request; its id."""
        self.last += 1
        self.send(kind, self.last, body)
        return self.last

    def receive(self):
        """The next message: (type, id, map); None at the end."""
        header = self._exactly(2)
        if header is None:
            return None
        return tuple(msgpack.unpackb(self._exactly(struct.unpack(">H", header)[0])))

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                if data:
                    raise EOFError("in the middle of a frame")
                return None
            data += part
        return data

    def answers(self, number):
        """The messages on an id, up to the one that ends it."""
        while True:
            message = self.receive()
            if message is None:
                raise EOFError(f"no end of {number}")
            if message[1] == number:
                yield message
                if message[0] in (RESULT, ERROR):
                    return

    def until(self, number, state):
        """Reads an id's events until one has the state; that event."""
        for kind, _, body in self.answers(number):
            for event in body.get("ev", []) if kind == EVENT else []:
                if event["st"] == state:
                    return event
        raise AssertionError(f"{state} never came")

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def message(target, text, **more):
    """The bytes of a SEND's map, to be sent as often as one likes."""
    return msgpack.packb({"uid": secrets.token_bytes(16), "to": [{"name": target}], "text": text,
                          **more})
