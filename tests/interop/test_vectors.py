#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The vectors checked in are what the independent implementations make today."""

import os
import sys

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "protocol", "vectors")

try:
    import make_endorsement
    import make_enrol_vectors
    import make_vectors
except ModuleNotFoundError as missing:
    print("skipped:", missing)
    sys.exit(77)

different = 0
for name, maker in (("xx-session.json", make_vectors), ("endorsement.json", make_endorsement),
                    ("enrol.json", make_enrol_vectors)):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as checked_in:
        same = checked_in.read() == maker.text()
    print(name, "is", "what is generated" if same else "NOT what is generated")
    different += not same
sys.exit(1 if different else 0)
