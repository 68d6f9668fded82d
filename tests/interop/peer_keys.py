# SPDX-License-Identifier: MIT
"""Keys, their text form and their files, as section 15 of protocol/PROTOCOL.md says."""
import base64
import os

from dissononce.dh.x25519.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH


def key_text(public):
    return "x25519:" + _base64(public)


def key_of(text):
    """The 32 bytes of x25519:...; ValueError for any other form."""
    prefix, _, encoded = text.partition(":")
    if prefix != "x25519":
        raise ValueError("no x25519: key")
    return _unbase64(encoded)


def _base64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unbase64(text):
    data = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    if len(text) != 43 or _base64(data) != text:
        raise ValueError("not the one form of 32 bytes")
    return data


class Identity:
    """A static key."""

    def __init__(self, secret=None):
        pair = X25519DH().generate_keypair(PrivateKey(secret) if secret else None)
        self.pair, self.public, self.secret = pair, pair.public.data, pair.private.data
        self.text = key_text(self.public)

    def save(self, path):
        """identity and host_key have this one format."""
        with open(path, "w", encoding="ascii", opener=lambda p, f: os.open(p, f, 0o600)) as file:
            file.write(f"msg-key-v1\npublic: {self.text}\nsecret: {_base64(self.secret)}\n")

    @staticmethod
    def load(path):
        with open(path, encoding="ascii", newline="") as file:
            lines = file.read().split("\n")
        if len(lines) != 4 or lines[0] != "msg-key-v1" or lines[3] or lines[2][:8] != "secret: ":
            raise ValueError(f"{path} is no key file")
        identity = Identity(_unbase64(lines[2][8:]))
        if lines[1] != f"public: {identity.text}":
            raise ValueError(f"{path}: the public key is not the secret's")
        return identity


def host_name(host, port):
    """As it stands in known_hosts."""
    return host.lower() if port == 6743 else f"[{host.lower()}]:{port}"
