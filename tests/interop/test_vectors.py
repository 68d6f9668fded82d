#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The vectors checked in are what the independent implementation makes today."""

import os
import sys

FILE = os.path.join(os.path.dirname(__file__), "..", "..", "protocol", "vectors", "xx-session.json")

try:
    import make_vectors
except ModuleNotFoundError as missing:
    print("skipped:", missing)
    sys.exit(77)

with open(FILE, encoding="utf-8") as checked_in:
    same = checked_in.read() == make_vectors.text()
print("xx-session.json is", "what is generated" if same else "NOT what is generated")
sys.exit(0 if same else 1)
