# SPDX-License-Identifier: MIT
"""
A server of the msg protocol over TCP, written from protocol/PROTOCOL.md alone. What becomes of a
message is told by a story: a function that gets each new Request and plays its events.
"""
import collections
import contextlib
import os
import socket
import threading
import time

from peer import (HANDSHAKE_1, HANDSHAKE_3, MAGIC, PREAMBLE_TCP, REFUSAL, Closed, Connection,
                  Handshake, NotAuthentic)
from peer_values import TYPES, BadMessage, fault, message, scanned

import msgpack

FIRST_BYTES, HANDSHAKE, FIRST_REQUEST, IDLE = 2.0, 5.0, 10.0, 30.0
OPEN_REQUESTS, EVENTS, MISSES = 16, 32, 128
LIMITS = {"text": 32768, "requests": OPEN_REQUESTS, "deliveries": 1024, "max_time_ms": 604800000}


class Request:
    """A SEND: its log of events, and the one connection and id that hears them."""

    def __init__(self, sent):
        self.raw, self.fields = sent.raw, sent.map
        self.events, self.result, self.final = [], None, collections.Counter()
        self.holder, self.first, self.marks = None, None, {}
        self.cancelled = threading.Event()
        self._lock = threading.RLock()

    def missed(self, *misses):
        """Before anything is accepted: entries that reached nobody, and what was left out."""
        with self._lock:
            for start in range(0, len(misses), MISSES):
                self._tell("EVENT", {"miss": list(misses[start:start + MISSES]), **self.marks})

    def accepted(self, *deliveries, time_ms=30000):
        """One delivery for each {user, sess, id, kind}."""
        with self._lock:
            self.first = {"n": len(deliveries), "time_ms": time_ms}
            for number, known in enumerate(deliveries, 1):
                self._log({"d": number, "st": "accepted", **known})
            self._write(self.events)

    def event(self, delivery, state, **more):
        with self._lock:
            if more.get("fin"):
                self.final[state] += 1
            self._write([self._log({"d": delivery, "st": state, **more})])

    def finish(self, state="ok"):
        with self._lock:
            self.result = {"st": state, "n": dict(self.final), "q": len(self.events)}
            self._end("RESULT", self.result)

    def fail(self, code, **more):
        """ERROR in place of everything."""
        with self._lock:
            self._end("ERROR", {"code": code, **more})

    def hold(self, connection, number, after, again):
        """The stream goes to (connection, number) from now on; events above `after` go again."""
        with self._lock:
            if self.holder:
                self._end("ERROR", {"code": "moved"})
            self.holder, self.marks = (connection, number), {"re": True} if again else {}
            if again:
                self._write(self.events[after:])
            if self.result:
                self._end("RESULT", self.result)

    def lose(self, connection):
        with self._lock:
            if self.holder and self.holder[0] is connection:
                self.holder = None

    def _log(self, event):
        self.events.append({"q": len(self.events) + 1, "at": int(time.time() * 1000), **event})
        return self.events[-1]

    def _write(self, events):
        for start in range(0, len(events), EVENTS):
            part = events[start:start + EVENTS]
            first = self.first if part[0]["q"] == 1 else {}
            self._tell("EVENT", {"ev": part, **first, **self.marks})

    def _tell(self, kind, fields):
        if self.holder:
            connection, number = self.holder
            connection.tell(kind, number, fields)

    def _end(self, kind, fields):
        self._tell(kind, fields)
        if self.holder:
            connection, number = self.holder
            connection.open.discard(number)
            self.holder = None


class Serving(Connection):
    """One client's connection, in a thread of its own."""

    def __init__(self, sock, server):
        super().__init__(sock)
        self.server, self.last, self.open = server, 0, set()
        self._writing = threading.Lock()

    def tell(self, kind, number, fields):
        """A client that has gone misses it; it is in the request's log."""
        with self._writing, contextlib.suppress(OSError):
            self.send(kind, number, fields)

    def live(self):
        self.deadline = time.monotonic() + FIRST_BYTES
        preamble = self.exactly(8)
        accepted = self.deadline - FIRST_BYTES
        if preamble[:4] != MAGIC:
            return
        wrong = 1 if preamble[4] != 1 else 2 if preamble != PREAMBLE_TCP else 0
        code = self.server.refuse or wrong
        if code:
            self.write(self.framed(REFUSAL + bytes([code, 1, 1, 1])))
            self.linger()
            return
        self.deadline = accepted + HANDSHAKE
        self._shake_hands(preamble)
        if self.client_key in self.server.accounts:
            self._serve()
        else:
            self._reject()

    def noise(self, preamble):
        return Handshake(False, self.server.identity, preamble, self.server.dh)

    def _shake_hands(self, preamble):
        noise = self.noise(preamble)
        noise.read(self.read_frame(HANDSHAKE_1))
        self.write(self.framed(noise.write(msgpack.packb({"v": 1}))))
        payload = noise.read(self.read_frame(HANDSHAKE_3))
        try:
            hello = scanned(payload)
        except BadMessage as error:
            raise NotAuthentic(str(error)) from error
        if not isinstance(hello, dict) or fault("hello3", hello):
            raise NotAuthentic(f"hello3 is {hello}")
        self.client_key, self.noise_hash = noise.other, noise.hash
        self.sending, self.receiving = noise.ciphers()

    def _reject(self):
        self.wait_at_most(FIRST_REQUEST)
        found = self._message()
        if found and found.id:
            self.send("ERROR", found.id, {"code": "unauthorized"})
            self.linger()
        elif found:
            self.go_away("unauthorized")

    def _serve(self):
        self.tell("WELCOME", 0, {"v": 1, "inst": self.server.instance, "name": "peer.example",
                                 "you": self.server.accounts[self.client_key], "lim": LIMITS})
        self.server.connections.append(self)
        wait = FIRST_REQUEST
        while True:
            self.wait_at_most(3600 if self.open else wait)
            found = self._message()
            wait = IDLE
            if not found or not self._judge(found):
                return

    def _message(self):
        try:
            found = message(self.read_plaintext())
        except BadMessage:
            self.go_away("bad-message")
            return None
        self.server.heard.append(found)
        return found

    def _judge(self, found):
        """Section 7's table from its top; False ends the connection."""
        if found.type not in TYPES:
            return found.type % 2 == 1 or self._error(found, "unsupported")
        known = TYPES[found.type]
        request = known.id == "request"
        if known.sender == "server" or known.name == "HELLO" or request != (found.id > 0) or (
                request and found.id <= self.last):
            self.go_away("bad-message")
            return False
        self.last = max(self.last, found.id)
        wrong = fault(known.name, found.map)
        if wrong:
            return self._error(found, wrong[0], **({"at": wrong[1]} if wrong[1] else {}))
        if len(self.open) >= OPEN_REQUESTS and request:
            return self._error(found, "busy", retry_ms=1000)
        return self.ANSWERS[known.name](self, found) is not False

    def _error(self, found, code, **more):
        if not found.id:
            self.go_away(code)
            return False
        self.tell("ERROR", found.id, {"code": code, **more})
        return True

    # ---- each message that a client may send

    def _ping(self, found):
        self.tell("PONG", 0, {"t": found.map["t"]})

    def _ignore(self, found):
        pass

    def _goaway(self, found):
        return False

    def _send(self, found):
        requests, name = self.server.requests, (self.client_key, found.map["uid"])
        if name in self.server.earlier:
            self._error(found, "outcome-unknown")
            return
        again = name in requests
        if again and requests[name].raw != found.raw:
            self._error(found, "conflict")
            return
        request = requests.setdefault(name, Request(found))
        self.open.add(found.id)
        request.hold(self, found.id, 0, again)
        if not again:
            self.server.begin(self.server.story, request)

    def _known(self, found):
        """The request that is meant; else ERROR."""
        name = (self.client_key, found.map["uid"])
        if name not in self.server.requests:
            self._error(found, "outcome-unknown" if name in self.server.earlier else "unknown-uid")
        return self.server.requests.get(name)

    def _attach(self, found):
        request = self._known(found)
        if request:
            self.open.add(found.id)
            request.hold(self, found.id, found.map.get("after", 0), True)

    def _cancel(self, found):
        request = self._known(found)
        if request:
            request.cancelled.set()
            self.tell("RESULT", found.id, {"st": "ok", "q": 0})

    def _who(self, found):
        for start in range(0, len(self.server.sessions), EVENTS):
            self.tell("EVENT", found.id, {"who": self.server.sessions[start:start + EVENTS]})
        self.tell("RESULT", found.id, {"st": "ok", "q": 0})

    def _unsupported(self, found):
        self._error(found, "unsupported")

    ANSWERS = {"NOOP": _ignore, "PING": _ping, "PONG": _ignore, "GOAWAY": _goaway, "SEND": _send,
               "CANCEL": _cancel, "ATTACH": _attach, "WHO": _who, "ENROL": _unsupported,
               "ACK": _unsupported, "LIST": _unsupported, "GRANT": _unsupported}


class Server:
    """Listens on a free loopback port. `accounts`: names by static key."""

    def __init__(self, identity, accounts, story=lambda request: None, dh=None,
                 serving=Serving):
        self.identity, self.accounts, self.story, self.dh = identity, accounts, story, dh
        self.serving, self.instance = serving, os.urandom(16)
        self.requests, self.earlier, self.sessions = {}, set(), []
        self.connections, self.heard, self.failures, self.closes = [], [], [], []
        self.refuse = 0
        self._threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.begin(self._accept)

    def die_and_start_again(self):
        """What it knew is of an earlier life."""
        self.earlier |= set(self.requests)
        self.requests.clear()
        self.instance = os.urandom(16)

    def begin(self, function, *arguments):
        thread = threading.Thread(target=self._run, args=(function, *arguments), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, function, *arguments):
        try:
            function(*arguments)
        except BaseException as error:  # the test that owns the server looks at them
            self.failures.append(error)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.begin(self._connection, self.serving(sock, self))

    def _connection(self, serving):
        """Whatever ends it, it ends without another word."""
        try:
            serving.live()
        except (NotAuthentic, Closed, TimeoutError, OSError) as end:
            self.closes.append(repr(end))
        finally:
            serving.close()
            for request in list(self.requests.values()):
                request.lose(serving)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for serving in list(self.connections):
            with contextlib.suppress(OSError):
                serving.sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


