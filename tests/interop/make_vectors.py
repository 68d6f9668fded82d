#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes protocol/vectors/xx-session.json: one whole connection, byte for byte.

Made with python3-dissononce and python3-msgpack, which share no line with the C code that replays
it. Every key is fixed, so the file comes out the same each time; tests/interop/test_vectors.py
checks that it does. All private keys stand in it: never use them for anything else.

    tests/interop/make_vectors.py > protocol/vectors/xx-session.json
"""

import json
import struct
import sys

import msgpack
from dissononce.cipher.chachapoly import ChaChaPolyCipher
from dissononce.dh.private import PrivateKey
from dissononce.dh.x25519.x25519 import X25519DH
from dissononce.hash.blake2b import Blake2bHash
from dissononce.processing.handshakepatterns.interactive.XX import XXHandshakePattern
from dissononce.processing.impl.cipherstate import CipherState
from dissononce.processing.impl.handshakestate import HandshakeState
from dissononce.processing.impl.symmetricstate import SymmetricState

PATTERN = XXHandshakePattern().message_patterns
PREAMBLE = bytes.fromhex("4d53470001010000")  # "MSG", 0, version 1, suite 1 (Noise), flags 0
CLIENT, SERVER = "client", "server"
UID = bytes(range(0xA0, 0xB0))
NOON = 1767268800000  # 2026-01-01 12:00 UTC, in ms


def secret(first):
    """32 bytes counted up from `first`: recognisable, and plainly not random."""
    return bytes(range(first, first + 32))


SECRETS = {
    "client_static": secret(0x00),
    "client_ephemeral": secret(0x20),
    "server_static": secret(0x40),
    "server_ephemeral": secret(0x60),
}

# The keys of each map in the order in which protocol/messages.def lists them.
HELLOS = [
    None,  # message 1 has no payload
    {"v": 1},
    {"v": 1, "agent": "vector 1"},
]
LIMITS = {"text": 32768, "requests": 16, "deliveries": 1024, "max_time_ms": 604800000}
MESSAGES = [
    (CLIENT, "SEND", 16, 1, {
        "uid": UID, "to": [{"user": "bob"}], "text": "Lunch?", "title": "Canteen", "wait": True,
        "time_ms": 30000, "lost_ms": 60000}),
    (SERVER, "WELCOME", 8, 0, {
        "v": 1, "inst": bytes(range(0xC0, 0xD0)), "name": "host.example", "you": "alice",
        "lim": LIMITS}),
    (SERVER, "EVENT", 32, 1, {
        "ev": [{"q": 1, "d": 1, "st": "accepted", "at": NOON, "user": "bob", "sess": "pts/1",
                "id": "7", "kind": "terminal"}],
        "n": 1, "time_ms": 30000}),
    (SERVER, "EVENT", 32, 1, {"ev": [{"q": 2, "d": 1, "st": "displayed", "at": NOON + 40}]}),
    (SERVER, "EVENT", 32, 1, {
        "ev": [{"q": 3, "d": 1, "st": "acknowledged", "fin": True, "at": NOON + 4200}]}),
    (SERVER, "RESULT", 34, 1, {"st": "ok", "n": {"acknowledged": 1}, "q": 3}),
]


class Recorder(SymmetricState):
    """Notes ck, h and k after each token: each is one mix_key, mix_hash or encrypt_and_hash."""

    def __init__(self):
        super().__init__(CipherState(ChaChaPolyCipher()), Blake2bHash())
        self.steps = []

    def note(self, step, **more):
        key = self._cipherstate._key
        self.steps.append({"does": step, **more, "ck": self._ck.hex(), "h": self._h.hex(),
                           "k": key.hex() if key else ""})

    def initialize_symmetric(self, protocolname):
        super().initialize_symmetric(protocolname)
        self.note("InitializeSymmetric")

    def mix_key(self, input_key_material):
        super().mix_key(input_key_material)
        self.note("MixKey", dh=input_key_material.hex())

    def mix_hash(self, data):
        super().mix_hash(data)
        self.note("MixHash", data=data.hex())

    def take(self):
        taken, self.steps = self.steps, []
        return taken


class FixedDH(X25519DH):
    """Deals out one known ephemeral key where the library would make a random one."""

    def __init__(self, ephemeral):
        super().__init__()
        self.ephemeral = PrivateKey(ephemeral)

    def generate_keypair(self, privatekey=None):
        return super().generate_keypair(privatekey or self.ephemeral)


def handshake_state(role, recorder):
    dh = FixedDH(SECRETS[role + "_ephemeral"])
    state = HandshakeState(recorder, dh)
    static = dh.generate_keypair(PrivateKey(SECRETS[role + "_static"]))
    state.initialize(XXHandshakePattern(), role == CLIENT, PREAMBLE, s=static)
    return state


def frame(content):
    return struct.pack(">H", len(content)) + content


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def readable(value):
    """The value as JSON has it: bytes become {"hex": ...}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, dict):
        return {key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    return value


def key_pairs():
    pairs = {}
    for name, private in SECRETS.items():
        pair = X25519DH().generate_keypair(PrivateKey(private))
        pairs[name] = {"private": private.hex(), "public": pair.public.data.hex()}
    return pairs


def named(tokens, steps):
    return [{"token": token, **step} for token, step in zip(tokens, steps, strict=True)]


def shake_hands(streams):
    """Runs the three messages between both ends; returns what is written about them, and keys."""
    recorders = {role: Recorder() for role in (CLIENT, SERVER)}
    ends = {role: handshake_state(role, recorders[role]) for role in (CLIENT, SERVER)}
    start, messages, split = named(["name", "prologue"], recorders[CLIENT].take()), [], {}
    recorders[SERVER].take()
    for number, hello in enumerate(HELLOS):
        writer, reader = (CLIENT, SERVER) if number % 2 == 0 else (SERVER, CLIENT)
        payload, message, received = pack(hello) if hello else b"", bytearray(), bytearray()
        split[writer] = ends[writer].write_message(payload, message)
        split[reader] = ends[reader].read_message(bytes(message), received)
        steps = named([*PATTERN[number], "payload"], recorders[writer].take())
        assert received == payload and recorders[reader].take()[-1]["h"] == steps[-1]["h"]
        streams[writer] += frame(bytes(message))
        messages.append({"from": writer, "hello": hello, "payload": payload.hex(), "steps": steps,
                         "message": message.hex(), "frame": frame(bytes(message)).hex()})
    assert recorders[CLIENT].get_handshake_hash() == recorders[SERVER].get_handshake_hash()
    return start, messages, recorders[CLIENT].get_handshake_hash(), split


def converse(split, streams):
    """Each message of MESSAGES, sealed by its sender and opened by the other end."""
    out = []
    for sender, name, kind, ident, body in MESSAGES:
        receiver = SERVER if sender == CLIENT else CLIENT
        which = 0 if sender == CLIENT else 1
        plaintext = pack([kind, ident, body])
        nonce = split[sender][which]._nonce
        ciphertext = split[sender][which].encrypt_with_ad(b"", plaintext)
        assert split[receiver][which].decrypt_with_ad(b"", ciphertext) == plaintext
        streams[sender] += frame(ciphertext)
        out.append({"from": sender, "name": name, "value": [kind, ident, readable(body)],
                    "plaintext": plaintext.hex(), "nonce": nonce, "ciphertext": ciphertext.hex(),
                    "frame": frame(ciphertext).hex()})
    return out


def session():
    streams = {CLIENT: PREAMBLE, SERVER: b""}
    start, messages, handshake_hash, split = shake_hands(streams)
    transport = converse(split, streams)
    return {
        "about": "One whole connection. Made by tests/interop/make_vectors.py; bytes are hex.",
        "protocol_name": "Noise_XX_25519_ChaChaPoly_BLAKE2b",
        "prologue": PREAMBLE.hex(),
        "keys": key_pairs(),
        "start": start,
        "handshake": messages,
        "handshake_hash": handshake_hash.hex(),
        "split": {"client_to_server": split[CLIENT][0]._key.hex(),
                  "server_to_client": split[CLIENT][1]._key.hex()},
        "transport": transport,
        "streams": {role: content.hex() for role, content in streams.items()},
    }


def text():
    return json.dumps(session(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
