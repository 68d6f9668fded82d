# SPDX-License-Identifier: MIT
"""
A person's desktop on a host: Xvfb or sway, a window manager and a notification server in a graphical
login session, looked at by its pixels and clicked at as a mouse does.
"""
import collections
import os
import re
import socket
import struct
import subprocess
import time

from harness import eventually
from machine import temporary

WIDTH, HEIGHT = 1024, 768
BACKGROUND = "305070"
Box = collections.namedtuple("Box", "left top right bottom")
LEFT, MIDDLE, RIGHT = "1", "2", "3"
BUS_NAME = "org.freedesktop.Notifications"

# With -noreset: an X server begins anew when its last client has gone, and throws out who comes then.
START_X11 = """
Xvfb $DISPLAY -noreset -screen 0 %dx%dx24 -nolisten tcp & x=$!
until xdpyinfo >/dev/null 2>&1; do sleep 0.05; done
xsetroot -solid '#%s' 2>/dev/null
systemctl --user import-environment DISPLAY
openbox &
%s
wait $x
"""
START_SWAY = """
rm -f $XDG_RUNTIME_DIR/vnc $XDG_RUNTIME_DIR/wayland-*
cat >$XDG_RUNTIME_DIR/sway.config <<END
output * resolution %dx%d
output * background #%s solid_color
exec systemctl --user import-environment WAYLAND_DISPLAY
exec %s
exec wayvnc -u $XDG_RUNTIME_DIR/vnc
END
exec sway -c $XDG_RUNTIME_DIR/sway.config
"""

# Notification servers: what starts them, the mouse's buttons that say yes and no, and where.
Server = collections.namedtuple("Server", "start yes no yes_at no_at also_at", defaults=[None])


def daemon(name):
    """Debian keeps these out of PATH, in different folders."""
    return f"$(find /usr/lib /usr/libexec -name {name} -type f) &"


# In pixels from the popup's left and upper edge, from the other edge if negative, None for the middle.
CENTRE, CORNER = (None, None), (-22, 25)
BUTTON, RIGHT_BUTTON, WIDE_BUTTON = (60, -31), (-60, -34), (None, -31)
SERVERS = {
    "dunst": Server("dunst &", MIDDLE, LEFT, CENTRE, CENTRE),
    "xfce4-notifyd": Server(daemon("xfce4-notifyd"), LEFT, LEFT, RIGHT_BUTTON, (None, 20)),
    "mako": Server("mako", LEFT, RIGHT, CENTRE, CENTRE),
    "swaync": Server("swaync", LEFT, RIGHT, WIDE_BUTTON, CENTRE),
    "mate": Server(daemon("mate-notification-daemon"), LEFT, LEFT, RIGHT_BUTTON, CORNER, CENTRE),
    "notification-daemon": Server(daemon("notification-daemon"), LEFT, LEFT, RIGHT_BUTTON, CORNER, CENTRE),
    "lxqt": Server("lxqt-notificationd &", LEFT, LEFT, BUTTON, CORNER, CENTRE),
    "none": Server("", None, None, None, None),
}


def difference(before, after):
    """The Box in which two pictures differ, or None."""
    row = WIDTH * 3
    rows = [y for y in range(HEIGHT) if before[y * row:(y + 1) * row] != after[y * row:(y + 1) * row]]
    if not rows:
        return None
    left, right = WIDTH, 0
    for y in rows:
        a, b = before[y * row:(y + 1) * row], after[y * row:(y + 1) * row]
        differing = [x for x in range(WIDTH) if a[x * 3:x * 3 + 3] != b[x * 3:x * 3 + 3]]
        left, right = min(left, differing[0]), max(right, differing[-1])
    return Box(left, rows[0], right, rows[-1])


class Desktop:
    TYPE = "x11"
    SCREEN = "Xvfb"

    def __init__(self, host, user, display=":5", server="dunst", also=""):
        self.host, self.user, self.display = host, user, display
        self.server, self.how = server, SERVERS[server]
        self.uid = host.uids[user]
        self.unit = f"desktop-{user}"
        self.env = {"XDG_RUNTIME_DIR": f"/run/user/{self.uid}", **self.environment(),
                    "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{self.uid}/bus"}
        script = self.script(f"{self.how.start}\n{also}")
        self.env["HOME"] = self.env["XDG_RUNTIME_DIR"]  # our tools look into no home that hangs
        given = {**self.env, "HOME": f"/home/{user}", "XDG_SESSION_TYPE": self.TYPE, "XDG_SESSION_CLASS": "user",
                 "XDG_SESSION_DESKTOP": "lab", "XDG_CURRENT_DESKTOP": "lab"}
        host.does("systemd-run", "-q", "-u", self.unit, "-p", f"User={user}", "-p", "PAMName=login",
                  "-p", "KillMode=control-group", "-p", "TimeoutStopSec=5",
                  *(f"-E{name}={value}" for name, value in given.items()), "/bin/sh", "-c", script)
        try:
            eventually(self._is_up, self._state, 30)
        except AssertionError:
            self.close()
            raise
        self.name = self.session()  # no display manager told logind which display it is
        self.empty_again()

    # ---- what differs between X11 and Wayland ----------------------------------------------------

    def environment(self):
        return {"DISPLAY": self.display}

    def script(self, server):
        return START_X11 % (WIDTH, HEIGHT, BACKGROUND, server)

    def there(self):
        """With its window manager: a window that comes earlier is moved, and gets no keys."""
        return "window id" in self.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK").out

    SHOT = ["import", "-window", "root", "-depth", "8", "rgb:-"]

    def click(self, x, y, button=LEFT):
        self.run("xdotool", "mousemove", str(x), str(y), "sleep", "0.1", "click", button)

    # ----------------------------------------------------------------------------------------------

    def empty_again(self):
        """What is on the screen now is no popup."""
        self.empty = self._still()

    def _is_up(self):
        if not self.session():
            return False
        return self.there() and (self.server == "none" or self.has_server())

    def _state(self):
        """What there is of it."""
        runs = self.host.run("ps", "-u", self.user, "-o", "pid,ppid,stat,wchan:20,args").out
        told = self.host.run("journalctl", "-b", "--no-pager", "-o", "short-monotonic", "-n", "60",
                             f"_UID={self.uid}", "+", "_SYSTEMD_UNIT=systemd-logind.service", "+",
                             f"UNIT={self.unit}.service", "+", f"UNIT=user@{self.uid}.service").out
        return (f"the desktop: session {self.session()}, display {self.there()}, "
                f"server {self.has_server()}\n{runs}\n{told}")

    def has_server(self):
        owner = self.run("busctl", "--user", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus",
                         "org.freedesktop.DBus", "NameHasOwner", "s", BUS_NAME)
        return owner.out.strip() == "b true"

    def run(self, *argv, **options):
        return self.host.run(*argv, user=self.user, env=self.env, **options)

    def begin(self, *argv, **options):
        return self.host.begin(*argv, user=self.user, env=self.env, **options)

    # ---- looking ---------------------------------------------------------------------------------

    def picture(self):
        """The screen's pixels, three bytes each; None if there is no screen."""
        argv = self.host.entered(self.SHOT, self.user, self.env)
        shot = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=30).stdout
        size = WIDTH * HEIGHT * 3
        return shot[-size:] if len(shot) >= size else None

    def _still(self):
        """The screen once it does not change any more."""
        last = [None]

        def same():
            now = self.picture()
            last[0], before = now, last[0]
            return now if now and now == before else None
        return eventually(same, "the screen to stand still")

    def popup(self):
        """Where something shows that was not there at first; None."""
        now = self.picture()
        return now and difference(self.empty, now)

    def shown(self):
        """Waits for a popup, and until it stays where it is; its Box."""
        last = [None]

        def same():
            now = self.popup()
            last[0], before = now, last[0]
            return now if now and now == before else None
        return eventually(same, "a popup on the screen")

    def gone(self, timeout=15):
        eventually(lambda: self.popup() is None, "the popup to leave the screen", timeout)

    def save(self, name, box=None, margin=12):
        """Keeps a picture, in MSG_LAB_PICTURES if that is set."""
        folder = os.environ.get("MSG_LAB_PICTURES")
        if not folder:
            return
        raw = os.path.join(temporary(), "raw")
        with open(raw, "wb") as f:
            f.write(self.picture())
        inside = f"/run/picture-{self.user}.rgb"
        with open(raw, "rb") as f, open(f"/proc/{self.host.leader}/root{inside}", "wb") as to:
            to.write(f.read())
        crop = []
        if box:
            crop = ["-crop", f"{box.right - box.left + 2 * margin}x{box.bottom - box.top + 2 * margin}"
                             f"+{max(0, box.left - margin)}+{max(0, box.top - margin)}", "+repage"]
        self.host.does("convert", "-size", f"{WIDTH}x{HEIGHT}", "-depth", "8", f"rgb:{inside}", *crop,
                       "-strip", "-colors", "64", f"png:{inside}.png")
        with open(f"/proc/{self.host.leader}/root{inside}.png", "rb") as f, \
                open(os.path.join(folder, f"{name}.png"), "wb") as to:
            to.write(f.read())

    # ---- the person ------------------------------------------------------------------------------

    def click_in(self, box, button, at):
        def along(near, far, offset):
            return (near + far) // 2 if offset is None else (near if offset >= 0 else far) + offset
        self.click(along(box.left, box.right, at[0]), along(box.top, box.bottom, at[1]), button)

    def say_yes(self, box):
        """Clicks OK, or what is OK with this server."""
        self.click_in(box, self.how.yes, self.how.yes_at)

    def say_yes_by_the_text(self, box):
        """Clicks beside the button, where that is OK too."""
        self.click_in(box, self.how.yes, self.how.also_at)

    def say_no(self, box):
        """Closes the popup."""
        self.click_in(box, self.how.no, self.how.no_at)

    def choose(self, label):
        """Has dunst list the answers, types one's name there and takes it."""
        listing = self.begin("dunstctl", "context")
        self.until_window("dmenu")  # it has the keyboard by then, and not as soon as it runs
        self.type(label)
        self.key("Return")
        listing.finish()

    def until_window(self, kind):
        """Waits for a window of that class on the screen."""
        eventually(lambda: self.run("xdotool", "search", "--onlyvisible", "--class", kind).out,
                   f"a window of {kind}")

    def type(self, text):
        self.run("xdotool", "type", "--delay", "20", text)

    def key(self, name):
        self.run("xdotool", "key", name)

    def session(self):
        """Its id in logind; None when it has ended."""
        return next((number for number, s in self.host.sessions().items()
                     if s.get("Type") == self.TYPE and s.get("Name") == self.user), None)

    def lock(self):
        """As a screen locker tells logind."""
        login1 = "org.freedesktop.login1"
        path = self.run("busctl", "call", login1, "/org/freedesktop/login1", f"{login1}.Manager",
                        "GetSession", "s", self.name).out.split('"')[1]
        self.run("busctl", "call", login1, path, f"{login1}.Session", "SetLockedHint", "b", "true")

    def log_out(self):
        session = self.session()
        if session:
            self.host.run("loginctl", "terminate-session", session)

    def kill_x(self):
        self.host.does("pkill", "-KILL", "-u", self.user, "-x", "Xvfb")

    def server_pid(self):
        shown = self.run("busctl", "--user", "status", BUS_NAME).out
        return int(re.search(r"^PID=(\d+)", shown, re.M).group(1))

    def close(self):
        """Everything in it ends, and the unit that started it."""
        self.log_out()
        self.host.run("systemctl", "stop", self.unit)
        self.host.run("systemctl", "reset-failed", self.unit)
        eventually(lambda: not self.session(), lambda: f"the desktop to end: {self.host.sessions()}")
        self.host.run("pkill", "-KILL", "-u", self.user, "-x", self.SCREEN)
        eventually(lambda: self.host.run("pgrep", "-u", self.user, "-x", self.SCREEN).status != 0,
                   "the display to be free for the next one")


class Sway(Desktop):
    """On Wayland; its session has no display, so that it is named by its id."""

    TYPE = "wayland"
    SCREEN = "sway"
    SHOT = ["grim", "-t", "ppm", "-"]

    def environment(self):
        return {"WAYLAND_DISPLAY": "wayland-1", "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman",
                "WLR_LIBINPUT_NO_DEVICES": "1"}

    def script(self, server):
        return START_SWAY % (WIDTH, HEIGHT, BACKGROUND, server)

    def there(self):
        """With its background, which a program of its own paints: before that it stands still, too."""
        vnc = f"/proc/{self.host.leader}/root/run/user/{self.uid}/vnc"
        return os.path.exists(vnc) and (self.picture() or b"")[:3] == bytes.fromhex(BACKGROUND)

    def click(self, x, y, button=LEFT):
        """By VNC: sway's own seat has no mouse."""
        mask = 1 << int(button) - 1
        with socket.socket(socket.AF_UNIX) as vnc, vnc.makefile("rb") as said:
            vnc.connect(f"/proc/{self.host.leader}/root/run/user/{self.uid}/vnc")
            said.read(12)
            vnc.send(b"RFB 003.008\n")
            said.read(said.read(1)[0])
            vnc.send(b"\x01")  # no password
            said.read(4)
            vnc.send(b"\x01")  # shared
            said.read(20)
            said.read(struct.unpack(">I", said.read(4))[0])
            for pressed, pause in ((0, 0.1), (0, 1), (mask, 0.1), (0, 0.1)):
                vnc.send(struct.pack(">BBHH", 5, pressed, x, y))
                time.sleep(pause)  # what appears under the mouse takes its time
            vnc.send(struct.pack(">BBHH", 5, 0, 2, HEIGHT - 2))  # out of the picture
            time.sleep(0.1)

    def empty_again(self):
        self.click(2, HEIGHT - 2)  # where the mouse's pointer will stand
        super().empty_again()
