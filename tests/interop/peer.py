# SPDX-License-Identifier: MIT
"""
An independent peer of the msg protocol, written from protocol/PROTOCOL.md alone: the Noise channel
(by dissononce), frames, and a client. peer_server has the server, peer_keys the keys, peer_values
what a message may hold, peer_told what a client hears of a SEND. Sockets block, and every wait has
a deadline.
"""
import collections
import socket
import struct
import time

import msgpack
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.hash.blake2b import Blake2bHash
from dissononce.processing.handshakepatterns.interactive.XX import XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

from peer_keys import key_text
from peer_values import NUMBER, TYPES, BadMessage, fault, message, scanned

MAGIC = b"MSG\0"
PREAMBLE_TCP, PREAMBLE_UNIX = MAGIC + b"\1\1\0\0", MAGIC + b"\1\0\0\0"
REFUSAL = b"REF\0"
HANDSHAKE_1, HANDSHAKE_2, HANDSHAKE_3 = 288, 4192, 8256
FRAME, PLAINTEXT = 65535, 65519
PATIENCE = 10.0  # seconds for each wait, unless told otherwise


class Closed(Exception):
    """The other end closed; bytes_seen is what came of an unfinished frame."""


class Refused(Exception):
    """The refusal frame of section 3."""

    def __init__(self, frame):
        super().__init__(frame.hex())
        self.code, self.lowest, self.highest, self.seconds = frame[4:8]


class NotAuthentic(Exception):
    """What ends a handshake or a channel in silence."""


class GoneAway(Exception):
    """The other end's GOAWAY, or (ours) the one that we had to send."""

    def __init__(self, code, ours=False, **more):
        super().__init__(code, more)
        self.code, self.ours, self.more = code, ours, more


# ---- the channel: section 4 ----------------------------------------------------------------------

class Handshake:
    """Noise XX of one end; messages are read and written in turn."""

    def __init__(self, initiator, identity, preamble, dh=None):
        self.state = HandshakeState(SymmetricState(CipherState(ChaChaPolyCipher()), Blake2bHash()),
                                    dh or X25519DH())
        self.state.initialize(XXHandshakePattern(), initiator, preamble, s=identity.pair)
        self.initiator, self.split = initiator, None

    def write(self, payload=b""):
        return self._step(self.state.write_message, payload)

    def read(self, data):
        """The payload."""
        return self._step(self.state.read_message, data)

    def _step(self, function, data):
        """The library raises something else for each way in which a message is bad; a DH result
        of zeros is ValueError."""
        out = bytearray()
        try:
            self.split = function(data, out)
        except Exception as error:
            raise NotAuthentic(repr(error)) from error
        return bytes(out)

    @property
    def hash(self):
        return self.state.symmetricstate.get_handshake_hash()

    @property
    def other(self):
        """The other end's static key."""
        return self.state.rs.data

    def ciphers(self):
        """(sending, receiving)."""
        return self.split if self.initiator else self.split[::-1]


class Connection:
    """Frames over a socket, sealed once there are ciphers, and messages in them."""

    def __init__(self, sock):
        self.sock = sock
        self.sending = self.receiving = None
        self.deadline = time.monotonic() + PATIENCE
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait_at_most(self, seconds=None):
        self.deadline = time.monotonic() + (PATIENCE if seconds is None else seconds)

    def exactly(self, size):
        data = b""
        while len(data) < size:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(data)} of {size} bytes came")
            self.sock.settimeout(left)
            try:
                more = self.sock.recv(size - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed(data.hex())
            data += more
        return data

    def read_frame(self, most=FRAME):
        length = struct.unpack(">H", self.exactly(2))[0]
        if not 0 < length <= most:
            raise NotAuthentic(f"a frame of {length} bytes")
        return self.exactly(length)

    def write(self, data):
        self.sock.settimeout(PATIENCE)
        self.sock.sendall(data)

    @staticmethod
    def framed(content):
        return struct.pack(">H", len(content)) + content

    def sealed(self, plaintext):
        """One transport frame."""
        if self.sending:
            plaintext = self.sending.encrypt_with_ad(b"", plaintext)
        return self.framed(plaintext)

    def packed(self, kind, number, fields):
        """One message as a frame; `fields` may be a map already encoded, to be repeated exactly."""
        raw = fields if isinstance(fields, bytes) else msgpack.packb(fields)
        kind = NUMBER.get(kind, kind)
        return self.sealed(b"\x93" + msgpack.packb(kind) + msgpack.packb(number) + raw)

    def send(self, kind, number=0, fields=None):
        self.write(self.packed(kind, number, fields or {}))

    def read_plaintext(self):
        frame = self.read_frame(FRAME if self.receiving else PLAINTEXT)
        if not self.receiving:
            return frame
        try:
            return self.receiving.decrypt_with_ad(b"", frame)
        except Exception as error:
            raise NotAuthentic(repr(error)) from error

    def go_away(self, code, **more):
        """Section 9.5: the last frame, then the other end's bytes are read and dropped."""
        self.send("GOAWAY", 0, {"code": code, **more})
        self.linger()

    def linger(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
            self.wait_at_most(1.0)
            self.exactly(65536)
        except (Closed, OSError):
            pass
        self.sock.close()

    def at_end(self, seconds=None):
        """Waits for the other end's close: the bytes that came before it."""
        self.wait_at_most(seconds)
        try:
            return self.exactly(1 << 30)
        except Closed as closed:
            return bytes.fromhex(closed.args[0])

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- the client ----------------------------------------------------------------------------------

UNWELCOMED = {"WELCOME", "ENROLLED", "ERROR", "GOAWAY", "NOTE", "PING", "NOOP"}  # what may come first


class Client(Connection):
    """
    One connection to a server. Requests are numbered from 1; each has a queue of its own of what
    came for it. PING is answered and what may be ignored is, inside of receive().
    """

    def __init__(self, sock):
        super().__init__(sock)
        self.last, self.open = 0, {}
        self.welcome, self.notes, self.pongs, self.server_key = None, [], [], None

    @classmethod
    def tcp(cls, address, identity, trusted, first=(), agent="peer.py", dh=None):
        """`trusted`: static keys of the host; `first`: requests for the write with message 3."""
        client = cls(socket.create_connection(address, PATIENCE))
        try:
            client._shake_hands(identity, trusted, first, agent, dh)
        except BaseException:
            client.close()
            raise
        return client

    def _shake_hands(self, identity, trusted, first, agent, dh):
        noise = Handshake(True, identity, PREAMBLE_TCP, dh)
        self.write(PREAMBLE_TCP + self.framed(noise.write()))
        frame = self.read_frame(HANDSHAKE_2)
        if len(frame) == 8 and frame.startswith(REFUSAL):
            raise Refused(frame)
        self._hello("hello2", noise.read(frame))
        self.server_key = noise.other
        if self.server_key not in trusted:
            raise PermissionError(f"the host's key is {key_text(self.server_key)}")
        last = noise.write(msgpack.packb({"v": 1, "agent": agent}))
        self.noise_hash = noise.hash
        self.sending, self.receiving = noise.ciphers()
        self.write(self.framed(last) + b"".join(self._requests(first)))

    @classmethod
    def unix(cls, path, trusted_uids=(0,), first=(), agent="peer.py"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        sock.connect(path)
        peer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        client = cls(sock)
        if struct.unpack("iii", peer)[1] not in trusted_uids:
            client.close()
            raise PermissionError("the socket is somebody else's")
        hello = client.packed("HELLO", 0, {"v": 1, "agent": agent})
        client.write(PREAMBLE_UNIX + hello + b"".join(client._requests(first)))
        return client

    @staticmethod
    def _hello(record, payload):
        try:
            hello = scanned(payload)
        except BadMessage as error:
            raise NotAuthentic(str(error)) from error
        if not isinstance(hello, dict) or fault(record, hello):
            raise NotAuthentic(f"{record} is {hello}")
        return hello

    def _requests(self, requests):
        for kind, fields in requests:
            self.last += 1
            self.open[self.last] = collections.deque()
            yield self.packed(kind, self.last, fields)

    def request(self, kind, fields=None):
        """Its id."""
        return self.request_all([(kind, fields or {})])

    def request_all(self, requests):
        """In one write; the id of the last."""
        self.write(b"".join(self._requests(requests)))
        return self.last

    def answer(self, number, seconds=None):
        """The next message for the request."""
        self.wait_at_most(seconds)
        while not self.open[number]:
            self.receive()
        found = self.open[number].popleft()
        if TYPES[found.type].name in ("RESULT", "ERROR", "ENROLLED", "GRANTED"):
            del self.open[number]
        return found

    def ask(self, kind, fields=None):
        """A request and all that comes for it: (messages before the last, the last)."""
        return self.all_of(self.request(kind, fields))

    def ask_in(self, number, frame):
        """The same of a request encoded by hand."""
        self.last, self.open[number] = number, collections.deque()
        self.write(frame)
        return self.all_of(number)

    def all_of(self, number):
        before = []
        while number in self.open:
            before.append(self.answer(number))
        return before[:-1], before[-1]

    def welcomed(self):
        self.wait_at_most()
        while not self.welcome:
            self.receive()
        return self.welcome

    def ping(self, number):
        """Answered at once with the same t."""
        self.send("PING", 0, {"t": number})
        self.wait_at_most()
        while number not in self.pongs:
            self.receive()

    def receive(self):
        """One frame, judged as section 7 says of a client, and put where it belongs."""
        plaintext = self.read_plaintext()
        refused = not self.receiving and plaintext.startswith(REFUSAL)
        if refused:
            raise Refused(plaintext)
        try:
            found = message(plaintext)
        except BadMessage as error:
            self._give_up("bad-message", str(error))
        if found.type not in TYPES:
            if found.type % 2 == 0:
                self._give_up("unsupported", f"type {found.type}")
            return
        known = TYPES[found.type]
        wrong = fault(known.name, found.map)
        if known.sender == "client" or wrong or (known.id == "0" and found.id != 0):
            self._give_up("bad-message", f"{known.name} {found.map}: {wrong}")
        if known.name == "WELCOME" if self.welcome else known.name not in UNWELCOMED:
            self._give_up("bad-message", f"{known.name} {'after' if self.welcome else 'before'} it")
        self._take(known.name, found)

    def _take(self, name, found):
        if name == "GOAWAY":
            self.sock.shutdown(socket.SHUT_WR)
            raise GoneAway(**found.map)
        if name == "PING":
            self.send("PONG", 0, {"t": found.map["t"]})
        elif name == "PONG":
            self.pongs.append(found.map["t"])
        elif name == "WELCOME":
            self.welcome = found.map
        elif name == "NOTE":
            self.notes.append(found.map)
        elif found.id in self.open:
            self.open[found.id].append(found)

    def _give_up(self, code, why):
        self.go_away(code, msg=why[:200])
        raise GoneAway(code, ours=True, msg=why)
