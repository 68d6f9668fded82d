# SPDX-License-Identifier: MIT
"""
A presenter in a test's hands, at the other end of msgd's boundary (daemon/present.def): it lists the
sessions it is told to and shows nothing, so that a test says when something is shown or over.
"""
import select
import socket
import struct

HELLO, SESSIONS, PRESENT, WITHDRAW, SESSION, END_OF_LIST, SHOWN, ENDED, POPUP = range(9)
NOTHING, TERMINAL, TMUX, DESKTOP = range(4)
LISTED, ADDED, CHANGED, GONE = range(4)
ACKNOWLEDGED, DISMISSED, TIMED_OUT, SESSION_GONE, FAILED = range(5)
CONSOLE, LOCKED, DISABLED, ASIDE = 1, 2, 4, 8
WAIT, OVERRIDE, LOCAL = 1, 2, 4
SHOWN_LOCKED, DO_NOT_DISTURB = 1, 2

PRESENT_RECORD = struct.Struct("=QQQQQIIIIII")
SESSION_RECORD = struct.Struct("=QIIIIII65s65s65s65s65s65s65s65s16s16s32s")


class Presenter:
    """Talks on a SOCK_SEQPACKET socket that msgd has connected to."""

    def __init__(self, connection, timeout=10.0):
        self.socket = connection
        self.socket.settimeout(timeout)
        self.handles = 0
        self.sessions = {}
        self.orders = []

    def send(self, verb, record, text=b""):
        self.socket.send(struct.pack("=II", verb, len(text)) + record + text)

    def receive(self):
        """The next datagram: (verb, record and text); None at the end."""
        datagram = self.socket.recv(65536)
        return (struct.unpack("=I", datagram[:4])[0], datagram[8:]) if datagram else None

    def greet(self):
        """Says hello in msgd's own words, and lists the sessions when asked for them."""
        verb, hello = self.receive()
        assert verb == HELLO
        self.send(HELLO, hello)
        assert self.receive()[0] == SESSIONS
        for handle in self.sessions:
            self._say(handle, LISTED)
        self.send(END_OF_LIST, struct.pack("=II", len(self.sessions), 0))

    def _say(self, handle, change):
        self.send(SESSION, session_record(handle, change, **self.sessions[handle]))

    def add(self, user, uid, name, now=False, **more):
        """A session; told at once or with the list. Its handle."""
        self.handles += 1
        self.sessions[self.handles] = {"user": user, "uid": uid, "name": name, **more}
        if now:
            self._say(self.handles, ADDED)
        return self.handles

    def change(self, handle, **fields):
        self.sessions[handle].update(fields)
        self._say(handle, CHANGED)

    def gone(self, handle):
        self._say(handle, GONE)
        del self.sessions[handle]

    # ---- orders ----------------------------------------------------------------------------------

    def order(self):
        """The next PRESENT or WITHDRAW, as a map."""
        verb, rest = self.receive()
        if verb == WITHDRAW:
            delivery, why = struct.unpack("=QI", rest[:12])
            return {"withdraw": delivery, "why": why}
        assert verb == PRESENT, verb
        (delivery, session, account, life, sent, number, flags, sender, title, answers,
         name) = PRESENT_RECORD.unpack(rest[:PRESENT_RECORD.size])
        text = rest[PRESENT_RECORD.size:]
        return {"present": delivery, "session": session, "account": account, "life": life,
                "sent": sent, "number": number, "flags": flags, "sender": text[:sender].decode(),
                "name": text[:name].decode(),
                "title": text[sender:sender + title].decode(),
                "answers": text[sender + title:sender + title + answers].decode().split("\n")[:-1],
                "text": text[sender + title + answers:].decode()}

    def is_silent(self, seconds=0.1):
        """True if nothing comes."""
        return not select.select([self.socket], [], [], seconds)[0]

    def shown(self, delivery, reach=TERMINAL, flags=0, by=""):
        self.send(SHOWN, struct.pack("=QII72s", delivery, reach, flags, by.encode()))

    def ended(self, delivery, how, why="", answer=""):
        self.send(ENDED, struct.pack("=QII32s", delivery, how, 0, why.encode()), answer.encode())

    def close(self):
        self.socket.close()


def session_record(handle, change, user, uid, name, reach=TERMINAL, flags=0, terminal=None, place=None,
                   login=None, why="", **more):
    def padded(key, default=""):
        return str(more.get(key, default)).encode()
    return SESSION_RECORD.pack(
        handle, change, uid, uid, reach, flags, 0, user.encode(), name.encode(),
        (login or f"s{handle}").encode(), (terminal or name).encode(), padded("display"),
        padded("seat"), (place or name).encode(), padded("remote"), padded("kind", "tty"),
        padded("state", "active"), why.encode())


def pair():
    """Both ends: ours, and the one that msgd is to inherit."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
