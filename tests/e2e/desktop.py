# SPDX-License-Identifier: MIT
"""
A user's desktop for the tests: his run folder with a real bus in it, an X server of its own, and a
notification server, a real one (dunst) or one of the tests that lies (notifier.py). Root only: the
run folder is /run/user/UID. All of it is removed again, processes by their pid.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

from harness import AM_ROOT, eventually

HERE = os.path.dirname(os.path.abspath(__file__))
NEEDED = ("dbus-daemon", "Xvfb", "dunst", "xdotool", "import")
PYTHON = "/usr/bin/python3"
ACCESSIBILITY = "/usr/libexec/at-spi-bus-launcher"

# Left: what the click is on; right: the menu of actions, where the choice is that of a script.
DUNSTRC = """[global]
    monitor = 0
    follow = none
    width = 420
    height = 500
    origin = top-right
    offset = 20x20
    font = Monospace 10
    markup = full
    format = "<b>%s</b>\\n%b"
    word_wrap = true
    mouse_left_click = do_action
    mouse_middle_click = close_current
    mouse_right_click = context
    dmenu = {menu}
"""


def missing():
    """Why there can be no desktop here, or None."""
    if not AM_ROOT:
        return "needs root: a desktop of another user"
    absent = [name for name in (*NEEDED, ACCESSIBILITY) if not shutil.which(name)]
    if absent:
        return "needs " + ", ".join(absent)
    return None


class Desktop:
    """Bus and screen of one user; a context manager."""

    def __init__(self, user, screen=True):
        self.user = user
        self.run = f"/run/user/{user.uid}"
        self.cleanup = contextlib.ExitStack()
        self.display = None
        made = not os.path.isdir("/run/user")
        os.makedirs(self.run, mode=0o700)
        self.cleanup.callback(shutil.rmtree, self.run, ignore_errors=True)
        if made:
            os.chmod("/run/user", 0o755)
        os.chown(self.run, user.uid, user.gid)
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.run}/bus",
                            "XDG_RUNTIME_DIR": self.run}
        try:
            self.start_bus()
            if screen:
                self.start_screen()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.cleanup.close()

    def popen(self, argv, **options):
        """A process on this desktop, ended with it."""
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stderr", subprocess.DEVNULL)
        environment = {**self.environment, **options.pop("env", {})}
        process = self.user.popen(argv, env=environment, stdin=subprocess.DEVNULL, **options)
        self.cleanup.callback(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    def start_bus(self):
        self.bus = self.popen(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                               f"--address=unix:path={self.run}/bus"])
        eventually(lambda: os.path.exists(f"{self.run}/bus"), "the bus")

    def start_screen(self):
        # With -noreset: else it begins anew when its last client has gone, and throws out who comes then.
        # With built-ins: fonts of Latin-1 alone, whatever others this host has.
        screen = self.popen(["Xvfb", "-noreset", "-displayfd", "1", "-screen", "0", "800x600x24",
                             "-nolisten", "tcp", "-fp", "built-ins"], stdout=subprocess.PIPE)
        self.display = ":" + screen.stdout.readline().decode().strip()
        self.environment["DISPLAY"] = self.display

    def start_accessibility(self):
        """The bus of screen readers, which programs find when they start."""
        self.popen([ACCESSIBILITY, "--launch-immediately"])
        eventually(lambda: self.owner("org.a11y.Bus"), "the accessibility bus")

    def heard(self, *button):
        """What a screen reader gets of the dialog (reader.py); or it presses a button."""
        reader = self.popen([PYTHON, "-B", os.path.join(HERE, "reader.py"), *button],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = reader.communicate(timeout=30)[0].decode()
        if reader.returncode != 0:
            raise AssertionError(f"the screen reader: {said}")
        return [json.loads(line) for line in said.splitlines() if line.startswith("{")]

    def owner(self, name="org.freedesktop.Notifications"):
        """Whether somebody owns the name."""
        reply = self.call("org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus.NameHasOwner", f"string:{name}")
        return "true" in reply

    def call(self, destination, path, method, *arguments):
        process = self.popen(["dbus-send", "--session", "--print-reply", f"--dest={destination}",
                              path, method, *arguments], stdout=subprocess.PIPE)
        return process.communicate(timeout=10)[0].decode()

    def start_dunst(self, choose="1"):
        """The real server; its menu of actions chooses the one whose label has that in it."""
        menu = os.path.join(self.user.home, "menu")
        with open(menu, "w", encoding="utf-8") as f:
            f.write(f"#!/bin/sh\ngrep -m 1 '{choose}'\n")
        os.chmod(menu, 0o755)
        conf = os.path.join(self.user.home, "dunstrc")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(DUNSTRC.format(menu=menu))
        self.server = self.popen(["dunst", "-conf", conf])
        eventually(self.owner, "dunst")

    def start_server(self, script, name, *how, **options):
        """A server of the tests on the bus; what it was asked is in lines of its stdout."""
        path = os.path.join(self.user.home, f"{script}.log")
        with open(path, "wb") as log:
            server = self.popen([PYTHON, "-B", os.path.join(HERE, script), *how], stdout=log,
                                stderr=log, **options)
        eventually(lambda: self.owner(name), lambda: open(path, encoding="utf-8").read())
        return server, path

    def start_notifier(self, *how):
        self.server, self.log = self.start_server("notifier.py", "org.freedesktop.Notifications",
                                                  *how)

    def start_manager(self, **environment):
        self.manager, self.manager_log = self.start_server("manager.py", "org.freedesktop.systemd1",
                                                           env=environment)

    @staticmethod
    def lines(path):
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.startswith("{")]

    def asked(self, method):
        """The calls of that name that the notifier got."""
        return [line for line in self.lines(self.log) if line["method"] == method]

    def x(self, *argv):
        """A program that looks at the screen, or clicks; its output."""
        process = self.popen(list(argv), stdout=subprocess.PIPE)
        return process.communicate(timeout=20)[0].decode()

    def windows(self, what="Dunst"):
        """Places of the visible windows of that class: x, y, width, height."""
        return self.places(what, "--class")

    def places(self, what, by="--name"):
        places = []
        for window in self.x("xdotool", "search", "--onlyvisible", by, what).split():
            match = re.search(r"Position: (-?\d+),(-?\d+).*Geometry: (\d+)x(\d+)",
                              self.x("xdotool", "getwindowgeometry", window), re.S)
            if match:
                places.append(tuple(int(number) for number in match.groups()))
        return places

    def click(self, what="Dunst", button=1):
        x, y, width, _ = eventually(lambda: self.windows(what), f"a window of {what}")[0]
        self.press(x + width // 2, y + 15, button)

    def press(self, x, y, button=1):
        self.x("xdotool", "mousemove", str(x), str(y), "click", str(button))

    def pixels(self):
        """The screen, a byte of grey for each of its 800 times 600 points."""
        process = self.popen(["import", "-window", "root", "-depth", "8", "gray:-"],
                             stdout=subprocess.PIPE)
        return process.communicate(timeout=20)[0]

    def picture(self, path):
        self.x("import", "-window", "root", path)


if __name__ == "__main__":
    sys.exit("this is a module of the tests")
