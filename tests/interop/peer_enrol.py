# SPDX-License-Identifier: MIT
"""Invitations and what both ends of an enrolment show, as section 17 of PROTOCOL.md says."""
import base64
import hashlib
import struct

PREFIX = "msg-invite:"
CLIENT, SERVER = b"msg-enrol-c", b"msg-enrol-s"


def keyed(key, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32, key=key).digest()


def mac(key, side, handshake_hash):
    return keyed(key, side, handshake_hash)


class Invitation:
    def __init__(self, ident, until, secret, host):
        self.id, self.until, self.secret, self.host = ident, until, secret, host
        self.key = keyed(secret, b"msg-invite", ident)

    @staticmethod
    def parse(text):
        if not text.startswith(PREFIX) or len(text) != len(PREFIX) + 86:
            raise ValueError("no invitation")
        data = base64.b64decode(text[len(PREFIX):] + "==", altchars=b"-_", validate=True)
        found = Invitation(data[:8], struct.unpack(">I", data[8:12])[0], data[12:28], data[28:60])
        if found.text() != text:
            raise ValueError("a character is wrong")
        return found

    def text(self):
        data = self.id + struct.pack(">I", self.until) + self.secret + self.host
        data += hashlib.blake2b(data, digest_size=32).digest()[:4]
        return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")
