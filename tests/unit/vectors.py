#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Test vectors in JSON as lines of KEY=VALUE, which the C tests read (tests/unit/vectors.h).

    vectors.py published FOLDER   Noise_XX_25519_ChaChaPoly_BLAKE2b of each *.json in it, with the
                                  keys that the Go library's vectors.txt has, a blank line after each
    vectors.py flat FILE          any JSON file: the path of each value is its key
"""

import glob
import json
import os
import sys

NAME = "Noise_XX_25519_ChaChaPoly_BLAKE2b"
KEYS = {
    "init_static": "init_static",
    "resp_static": "resp_static",
    "init_ephemeral": "gen_init_ephemeral",
    "resp_ephemeral": "gen_resp_ephemeral",
    "init_prologue": "prologue",
    "handshake_hash": "handshake_hash",
}


def published(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            vectors = json.load(file)["vectors"]
        for vector in vectors:
            if vector["protocol_name"] == NAME:
                yield from one_vector(vector)


def one_vector(vector):
    assert vector["init_prologue"] == vector["resp_prologue"] and not vector.get("init_psks")
    yield "handshake=" + NAME
    yield "transport=resp"  # who sends the first message after the handshake
    for theirs, ours in KEYS.items():
        if theirs in vector:
            yield f"{ours}={vector[theirs]}"
    for number, message in enumerate(vector["messages"]):
        yield f"msg_{number}_payload={message['payload']}"
        yield f"msg_{number}_ciphertext={message['ciphertext']}"
    yield ""


def flat(value, path=""):
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        yield f"{path}={'' if value is None else value}"
        return
    for key, item in items:
        yield from flat(item, f"{path}.{key}" if path else str(key))


def main(kind, path):
    if kind == "published":
        lines = published(path)
    else:
        with open(path, encoding="utf-8") as file:
            lines = flat(json.load(file))
    for line in lines:
        print(line)


if __name__ == "__main__":
    main(*sys.argv[1:])
