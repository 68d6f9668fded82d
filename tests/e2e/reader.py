#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
reader.py [BUTTON]: what a screen reader gets of the dialog called Message, by AT-SPI, run on a user's
desktop: each thing in it as a line of JSON, in the order in which it is read, as role, name, text,
where the caret is in it, and whether it has the focus or is what Enter presses. With BUTTON, its
action `click` is done in place of that, as the key of a screen reader does it.
"""
import json
import sys
import time
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

warnings.simplefilter("ignore", DeprecationWarning)
PATIENCE = 15  # seconds for the dialog to be there, with the text in it
STATES = {Atspi.StateType.FOCUSED: "focused", Atspi.StateType.IS_DEFAULT: "default"}
BUTTONS = ("push button", "button")  # as AT-SPI calls it, and as it does since 2.54


def children(thing):
    return [thing.get_child_at_index(i) for i in range(thing.get_child_count())]


def dialog():
    for application in children(Atspi.get_desktop(0)):
        for window in children(application) if application else []:
            if window and window.get_name() == "Message":
                return window
    return None


def showing(thing):
    """It and all below it that can be seen, in order."""
    if thing and thing.get_state_set().contains(Atspi.StateType.SHOWING):
        yield thing
        for child in children(thing):
            yield from showing(child)


def told(thing):
    role, states = thing.get_role_name(), thing.get_state_set()
    line = {"role": BUTTONS[0] if role in BUTTONS else role, "name": thing.get_name(),
            "states": [name for state, name in STATES.items() if states.contains(state)]}
    if thing.get_text_iface():
        line["text"] = Atspi.Text.get_text(thing, 0, Atspi.Text.get_character_count(thing))
        line["caret"] = Atspi.Text.get_caret_offset(thing)
    return line


def read():
    window = dialog()
    return [told(thing) for thing in showing(window)] if window else []


def still():
    """What is read once it does not change any more: zenity takes the text bit by bit."""
    lines, before = read(), None
    while lines != before or not any(line.get("text") for line in lines):
        if time.monotonic() > deadline:
            sys.exit(f"no dialog with a text: {lines}")
        time.sleep(0.3)
        lines, before = read(), lines
    return lines


def press(name):
    for thing in showing(dialog()):
        if thing.get_role_name() in BUTTONS and thing.get_name() == name:
            actions = [thing.get_action_name(i) for i in range(thing.get_n_actions())]
            thing.do_action(actions.index("click"))
            return
    sys.exit(f"no button {name}")


def settled():
    """still(), where things may go while they are looked at."""
    while True:
        try:
            return still()
        except GLib.Error:
            time.sleep(0.3)


deadline = time.monotonic() + PATIENCE
Atspi.init()
said = settled()
if len(sys.argv) > 1:
    press(sys.argv[1])
else:
    print("\n".join(json.dumps(line) for line in said))
