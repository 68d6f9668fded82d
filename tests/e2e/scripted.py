# SPDX-License-Identifier: MIT
"""
A msgd on a Unix socket that says exactly what a test wants said (PROTOCOL.md), to whoever asks: so
that every line of msg, however rare what leads to it, is seen through the real program.
"""
import collections
import contextlib
import os
import shutil
import socket
import struct
import tempfile
import threading

import msgpack

PING, PONG, GOAWAY, WELCOME, HELLO, SEND, CANCEL, ATTACH = 2, 4, 6, 8, 14, 16, 18, 20
WHO, ACK, LIST, EVENT, NOTE, RESULT, ERROR = 22, 24, 26, 32, 33, 34, 36
HOST = "h2"
AT = 1_800_000_000_000

Request = collections.namedtuple("Request", "kind id body raw connection")


class Lost(Exception):
    """The script wants the connection closed."""


class Connection:
    def __init__(self, peer, number):
        self.socket, self.number = peer, number
        self.sending = threading.Lock()  # several requests may be answered at once

    def read(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def send(self, kind, number, body):
        frame = msgpack.packb([kind, number, body])
        with self.sending:
            self.socket.sendall(struct.pack(">H", len(frame)) + frame)

    def receive(self):
        raw = self.read(struct.unpack(">H", self.read(2))[0])
        kind, number, body = msgpack.unpackb(raw, raw=False)
        return Request(kind, number, body, raw, self)


class Scripted:
    """
    answers: from a request's type to a function of the Request, which yields (type, body) pairs to
    be answered with; without one, CANCEL and ACK are answered `ok` and WHO, LIST with nobody.
    """

    def __init__(self, answers):
        self.folder = tempfile.mkdtemp(prefix="msg-scripted-")
        os.chmod(self.folder, 0o755)
        self.path = os.path.join(self.folder, "msgd.sock")
        self.answers = {kind: nothing for kind in (CANCEL, ACK, WHO, LIST)}
        self.answers[PING] = pong
        self.answers.update(answers)
        self.requests = []  # all that came, in order
        self.connections = 0
        self.came = threading.Condition()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o666)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(Connection(peer, self.connections),),
                                 daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(EOFError, OSError, Lost), connection.socket:
            connection.read(8)
            connection.receive()
            connection.send(WELCOME, 0, {"v": 1, "inst": bytes(16), "name": HOST, "you": "tester",
                                         "lim": {"text": 32768, "requests": 16, "deliveries": 1024,
                                                 "max_time_ms": 604800000}})
            while True:
                request = connection.receive()
                threading.Thread(target=self._answer, args=(request,), daemon=True).start()

    def _answer(self, request):
        with self.came:
            self.requests.append(request)
            self.came.notify_all()
        try:
            with contextlib.suppress(OSError):
                for kind, body in self.answers[request.kind](request):
                    request.connection.send(kind, request.id, body)
        except Lost:
            with contextlib.suppress(OSError):
                request.connection.socket.shutdown(socket.SHUT_RDWR)

    def of(self, kind):
        with self.came:
            return [request for request in self.requests if request.kind == kind]

    def wait_for(self, kind, count=1, timeout=15):
        """The last of `count` requests of that kind, once they came."""
        def there():
            return len([r for r in self.requests if r.kind == kind]) >= count
        with self.came:
            if not self.came.wait_for(there, timeout):
                raise AssertionError(f"no request {kind}: {[r.kind for r in self.requests]}")
        return self.of(kind)[count - 1]

    def close(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


# ---- what is answered -------------------------------------------------------------------------------

def nothing(_):
    yield RESULT, {"st": "ok", "q": 0}


def pong(request):
    yield PONG, request.body


def error(code, **more):
    def answer(_):
        yield ERROR, {"code": code, **more}
    return answer


class Story:
    """
    The answer to a SEND: deliveries, and what happens to them, as [(d, state, more)...]. `more` may
    hold why, ans, by. The last one of a delivery is final.
    """

    def __init__(self, deliveries, happens, misses=(), pause=None):
        self.deliveries, self.happens, self.misses, self.pause = deliveries, happens, misses, pause

    def events(self):
        q = 0
        for d, (user, session, ident) in enumerate(self.deliveries, 1):
            q += 1
            yield {"q": q, "d": d, "st": "accepted", "at": AT, "user": user, "sess": session,
                   "id": ident, "kind": "terminal"}
        for index, (d, state, more) in enumerate(self.happens):
            q += 1
            last = all(other[0] != d for other in self.happens[index + 1:])
            yield {"q": q, "d": d, "st": state, "at": AT, **({"fin": True} if last else {}), **more}

    def __call__(self, request):
        if self.misses:
            yield EVENT, {"miss": [dict(zip(("to", "code", "user", "sess", "by"), m)) for m in self.misses]}
        q = 0
        for event in self.events():
            q = event["q"]
            if self.pause and q > len(self.deliveries):
                self.pause(request)
            first = {"n": len(self.deliveries)} if q == 1 else {}
            if q == 1 and request.body.get("time_ms"):
                first["time_ms"] = request.body["time_ms"]
            yield EVENT, {"ev": [event], **first}
        yield RESULT, {"st": "ok", "q": q}


def sessions(*rows, **more):
    """The answer to WHO: (user, name, id, reach, place)."""
    def answer(_):
        yield EVENT, {"who": [{"user": user, "name": name, "id": ident, "reach": reach,
                               "place": place, **more} for user, name, ident, reach, place in rows]}
        yield RESULT, {"st": "ok", "q": 0}
    return answer


def messages(*rows):
    """The answer to LIST."""
    def answer(request):
        wanted = request.body.get("number")
        rows_wanted = [row for row in rows if not wanted or row["number"] == wanted]
        if wanted and not rows_wanted:
            yield ERROR, {"code": "no-target"}
            return
        for row in rows_wanted:
            yield EVENT, {"message": {"sess": "pts/3", "from": "alice (this host)", "at": AT, **row}}
        yield RESULT, {"st": "ok", "q": 0}
    return answer
