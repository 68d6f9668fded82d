# SPDX-License-Identifier: MIT
"""The story that scripts/demo shows, and the playground of scripts/demo --try."""
import os
import shlex
import signal
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "e2e"))

from system import System  # noqa: E402

WIDTH = 78
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def bold(text):
    return f"\033[1m{text}\033[0m" if COLOUR else text


def heading(text):
    print(f"\n{bold(text)}")


def show_screen(terminal, owner):
    """The last lines of a terminal, framed."""
    lines = terminal.screen().split("\n")[-24:]
    print(f"  +-- the screen of {owner}'s terminal {terminal.line} ".ljust(WIDTH, "-") + "+")
    for line in lines:
        print(f"  | {line[:WIDTH - 5]}".ljust(WIDTH) + "|")
    print("  +".ljust(WIDTH, "-") + "+")


def show_command(*words):
    print(f"\n  $ {' '.join(shlex.quote(word) if ' ' in word else word for word in words)}")


def show_outcome(outcome):
    for line in (outcome.out + outcome.err).splitlines():
        print(f"  {line}")
    print(f"  (exit status {outcome.status})")


class Story:
    """One message's way, told as it happens."""

    def __init__(self, system):
        self.system = system
        self.server = f"/SERVER:{system.server}"

    def msg(self, home, *arguments):
        """Starts msg as somebody whose keys lie in `home`."""
        show_command("msg", *arguments)
        return self.system.begin(*arguments, home=home)

    def tell(self):
        system = self.system
        person = system.me.name
        heading("A host: msgd-present with msgd embedded, listening on the loopback interface alone")
        system.start()
        print(f"  port {system.port}, everything else in {system.folder}")

        heading(f"A person on it: {person} has logged in on a terminal")
        terminal = system.terminal()
        show_screen(terminal, person)

        heading("A sender: his key is authorized by the host, and the host's key trusted by him")
        sender = system.sender("alice")
        print(f"  {sender.key} alice")

        self.acknowledged(sender, terminal, person)
        self.timed_out(sender, person)
        self.refused(person)

    def acknowledged(self, sender, terminal, person):
        heading("The message, over TCP, mutually authenticated and encrypted; the sender waits")
        text = "The server goes down at 18:00."
        running = self.msg(sender.home, person, self.server, "/TIME:30", "/V", "/W", text)
        terminal.wait_for("msg /ack")
        show_screen(terminal, person)
        heading(f"{person} has read it, and types: msg /ack")
        terminal.type("msg /ack\n")
        outcome = running.finish()
        terminal.wait_for(r"msg /ack\n(.*\n)*\$ $")
        show_screen(terminal, person)
        heading("And that is what the sender saw:")
        show_outcome(outcome)

    def timed_out(self, sender, person):
        heading("Nobody answers: the time is over after 2 seconds")
        show_outcome(self.msg(sender.home, person, self.server, "/TIME:2", "/V", "/W",
                              "Is anybody there?").finish())

    def refused(self, person):
        heading("A stranger, whose key the host does not know, is refused")
        stranger = self.system.sender("stranger", authorized=False)
        show_outcome(self.msg(stranger.home, person, self.server, "/V", "Let me in!").finish())


def demo():
    with System() as system:
        Story(system).tell()
    print(f"\n{bold('That was all; nothing is left running.')} To play with it yourself, type next:"
          "\n\n  scripts/demo --try\n")


# ---- --try -----------------------------------------------------------------------------------------

def mirror(terminal, stopped):
    """Prints what appears on the second terminal below a mark of its own."""
    seen = 0
    while not stopped.wait(0.2):
        screen = terminal.screen()
        new = screen[seen:screen.rfind("\n") + 1]
        seen += len(new)
        for line in new.splitlines():
            if line.strip():
                print(f"\r{bold(terminal.line + ' |')} {line}", end="\r\n", flush=True)


def play():
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.exit("scripts/demo --try needs a terminal; without one: scripts/demo")
    with System() as system:
        system.start()
        second = system.terminal(leader=["sleep", "infinity"])
        shell = os.environ.get("SHELL", "/bin/sh")
        person = system.me.name
        print(f"""
msgd listens on 127.0.0.1 port {system.port}. You, {person}, have two sessions: this terminal, and
{second.line}, whose screen appears here behind `{second.line} |`. In this shell try:

  msg {person} hello
  msg {person} /W /V "Please confirm" &        then: msg /list and msg /ack
  msg {person} /TIME:5 /W "Quick!"             and do nothing
  msg /?

`exit` ends everything.
""")
        stopped = threading.Event()
        watcher = threading.Thread(target=mirror, args=(second, stopped))
        watcher.start()
        try:
            system.run_here([shell])
        finally:
            stopped.set()
            watcher.join()
    print("Ended; nothing is left running.")


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGTERM):  # a closed window, too, leaves nothing running
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        play() if sys.argv[1:] == ["--try"] else demo()
    except KeyboardInterrupt:
        sys.exit(130)
