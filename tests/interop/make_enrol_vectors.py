#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes protocol/vectors/enrol.json: an invitation and the two proofs on the connection of
xx-session.json. Its secret stands in it: never use it for anything else.

    tests/interop/make_enrol_vectors.py > protocol/vectors/enrol.json
"""

import json
import os
import sys

from peer_enrol import CLIENT, SERVER, Invitation, mac

SESSION = os.path.join(os.path.dirname(__file__), "..", "..", "protocol", "vectors",
                       "xx-session.json")


def enrolment():
    with open(SESSION, encoding="utf-8") as file:
        session = json.load(file)
    handshake_hash = bytes.fromhex(session["handshake_hash"])
    host = bytes.fromhex(session["keys"]["server_static"]["public"])
    made = Invitation(bytes(range(0xE0, 0xE8)), 1767355200, bytes(range(0xF0, 0x100)), host)
    return {
        "about": "Made by tests/interop/make_enrol_vectors.py; bytes are hex.",
        "id": made.id.hex(),
        "until": made.until,
        "secret": made.secret.hex(),
        "host": host.hex(),
        "invitation": made.text(),
        "key": made.key.hex(),
        "handshake_hash": handshake_hash.hex(),
        "enrol_mac": mac(made.key, CLIENT, handshake_hash).hex(),
        "enrolled_mac": mac(made.key, SERVER, handshake_hash).hex(),
    }


def text():
    return json.dumps(enrolment(), indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
