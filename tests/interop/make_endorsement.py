#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes protocol/vectors/endorsement.json: a statement, and what ssh-keygen signs of it.

Ed25519 signatures are the same each time, so tests/interop/test_vectors.py can make them anew. The
signer's private key stands in the file: never use it for anything else.

    tests/interop/make_endorsement.py > protocol/vectors/endorsement.json
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat,
                                                          PublicFormat)

SEED = bytes(range(0x80, 0xA0))
NAMESPACE = "msg-endorse-v1"
STATEMENT = """msg-endorse-v1
kind: user
key: x25519:j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8
name: alice
serial: 17
after: 1767225600
before: 1798761600
perm: all,who
"""

if not shutil.which("ssh-keygen"):
    raise ModuleNotFoundError("ssh-keygen")


def sign(key):
    """As a person does by hand."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "id")
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        return subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", path],
                              input=STATEMENT, capture_output=True, text=True, check=True).stdout


def text():
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    armoured = sign(key)
    envelope = base64.b64decode("".join(armoured.splitlines()[1:-1]))
    return json.dumps({
        "about": "A user's endorsement, by ssh-keygen. Made by tests/interop/make_endorsement.py; "
                 "bytes are hex.",
        "seed": SEED.hex(),
        "signer": key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
        "namespace": NAMESPACE,
        "statement": STATEMENT,
        "armoured": armoured,
        "envelope": envelope.hex(),
        "entry": (STATEMENT.encode() + envelope).hex(),
    }, indent=1) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
