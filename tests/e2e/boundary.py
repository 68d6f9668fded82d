# SPDX-License-Identifier: MIT
"""
The boundary's datagrams, written down a second time from daemon/present.def: an msgd for the tests
of the presenter, honest or not.
"""
import contextlib
import os
import select
import socket
import struct
import time

DATAGRAM = 36864
PATIENCE = 15.0  # seconds until a thing that should happen counts as not happening
HELLO, SESSIONS, PRESENT, WITHDRAW, SESSION, END, SHOWN, ENDED, POPUP = range(9)
WAIT, OVERRIDE, LOCAL = 1, 2, 4
SILENT, BY_SENDER, ANSWERED, STOP = range(4)
LISTED, ADDED, CHANGED, GONE = range(4)
DISABLED = 4
ACKNOWLEDGED, DISMISSED, TIMED_OUT, SESSION_GONE, FAILED = range(5)

# verb: its record's struct and the names of its fields
RECORDS = {
    HELLO: ("=IIQ32s", "version unused layout program"),
    SESSIONS: ("=I", "unused"),
    PRESENT: ("=QQQQQIIIIII",
              "delivery session account life_ms sent_at_ms number flags sender_len title_len "
              "answers_len name_len"),
    WITHDRAW: ("=QII", "delivery why unused"),
    SESSION: ("=Q6I65s65s65s65s65s65s65s65s16s16s32s",
              "handle change uid gid reach flags idle_s user name id terminal display seat place "
              "from_ type state why"),
    END: ("=II", "count unused"),
    SHOWN: ("=QII72s", "delivery reach flags by"),
    ENDED: ("=QII32s", "delivery how unused why"),
    POPUP: ("=II68s68s", "reach flags user terminal"),
}


class Message:
    """One datagram, read: its verb and fields; texts without their padding."""

    def __init__(self, datagram):
        self.verb, length = struct.unpack_from("=II", datagram)
        layout, names = RECORDS[self.verb]
        size = struct.calcsize(layout)
        assert len(datagram) == 8 + size + length, "inexact length"
        for name, value in zip(names.split(), struct.unpack_from(layout, datagram, 8)):
            if isinstance(value, bytes):
                text = value.rstrip(b"\0")
                assert len(text) < len(value) and b"\0" not in text, "a string with something behind"
                value = text.decode()
            setattr(self, name, value)
        self.text = datagram[8 + size:]

    def __repr__(self):
        return str(vars(self))


def datagram(verb, *values, text=b""):
    record = struct.pack(RECORDS[verb][0], *values)
    return struct.pack("=II", verb, len(text)) + record + text


class Msgd:
    """The other end of the boundary. Says hello with what it was greeted with."""

    def __init__(self, sock, greet=True):
        self.sock = sock
        self.layout = None
        self.deliveries = 0
        self.handles = {}  # line: session, as last told
        if greet:
            hello = self.receive()
            assert hello.verb == HELLO and hello.program.startswith("msgd-present "), hello
            self.layout = hello.layout
            self.send(HELLO, hello.version, 0, hello.layout, b"msgd of the tests")

    @staticmethod
    def connect(path, uid=None, greet=True):
        """Connects, as another user if uid is given (root only)."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with as_user(uid):
            sock.connect(path)
        return Msgd(sock, greet)

    def close(self):
        self.sock.close()

    def send(self, verb, *values, text=b""):
        self.sock.send(datagram(verb, *values, text=text))

    def receive(self, timeout=PATIENCE):
        """The next message; None: nothing came; EOFError: closed."""
        ready, _, _ = select.select([self.sock], [], [], timeout)
        if not ready:
            return None
        try:
            data = self.sock.recv(DATAGRAM + 1)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError
        message = Message(data)
        if message.verb == SESSION:
            self.note(message)
        return message

    def note(self, session):
        if session.change == GONE:
            self.handles = {k: v for k, v in self.handles.items() if v.handle != session.handle}
        else:
            self.handles[session.terminal] = session

    def expect(self, verb, timeout=PATIENCE, **fields):
        """The next message of that verb with those fields; others are passed over."""
        deadline = time.monotonic() + timeout
        seen = []
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive(left)
            if message and message.verb == verb and all(
                    getattr(message, name) == value for name, value in fields.items()):
                return message
            seen.append(message)
        raise AssertionError(f"no {verb} with {fields} in {timeout} s, but {seen}")

    def nothing(self, seconds=0.5, of=(SHOWN, ENDED)):
        """Nothing of these verbs comes for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive(left)
            assert message is None or message.verb not in of, message

    def closed(self, timeout=PATIENCE):
        """True if the connection is closed within that time."""
        deadline = time.monotonic() + timeout
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.receive(left)
        except EOFError:
            return True
        return False

    def sessions(self):
        """The list, by terminal."""
        self.send(SESSIONS, 0)
        found = {}
        while True:
            message = self.receive()
            assert message, "the list does not end"
            if message.verb == SESSION and message.change == LISTED:
                found[message.terminal] = message
            if message.verb == END:
                assert message.count == len(found), (message, found)
                return found

    def handle(self, line, timeout=PATIENCE):
        """The handle of the session there, which may have to appear first."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            session = self.sessions().get(line)
            if session:
                return session.handle
            time.sleep(0.05)
        raise AssertionError(f"no session on {line}")

    def present(self, session, text, flags=0, number=7, life_ms=30000, title="",
                sender="alice (network, 192.0.2.5)", answers=(), delivery=None, **changed):
        """Asks for a message to be shown; the number of the delivery."""
        if delivery is None:
            self.deliveries += 1
            delivery = self.deliveries
        labels = "".join(f"{label}\n" for label in answers)
        parts = [part if isinstance(part, bytes) else part.encode()
                 for part in (sender, title, labels, text)]
        values = dict(delivery=delivery, session=session, account=1, life_ms=life_ms,
                      sent_at_ms=int(time.time() * 1000), number=number, flags=flags,
                      sender_len=len(parts[0]), title_len=len(parts[1]), answers_len=len(parts[2]),
                      name_len=len(parts[0].split(b" (")[0]))
        values.update(changed)
        self.send(PRESENT, *values.values(), text=b"".join(parts))
        return delivery

    def withdraw(self, delivery, why=BY_SENDER):
        self.send(WITHDRAW, delivery, why, 0)


@contextlib.contextmanager
def as_user(uid):
    """What the kernel sees as ours for a moment: a socket's credentials are those of connect()."""
    own = os.geteuid()
    if uid is None or uid == own:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(own)
