# SPDX-License-Identifier: MIT
"""msgd-present and its popups on a desktop: what msgd is told, and that no helper is left."""
import contextlib
import json
import os
import signal
import subprocess
import time
import unittest

import boundary
import desktop
from boundary import (ACKNOWLEDGED, DISMISSED, FAILED, SESSION_GONE, TIMED_OUT, WAIT, Msgd)
from harness import eventually
from presenter import Case, Presenter

LOCKED, DO_NOT_DISTURB = 1, 2
DESKTOP = 3
HERE = os.path.dirname(os.path.abspath(__file__))


class Seats:
    """logind of the tests, on a bus of its own."""

    def __init__(self, folder):
        self.address = f"unix:path={folder}/system_bus"
        self.bus = subprocess.Popen(["dbus-daemon", "--session", "--nofork", "--nopidfile",
                                     f"--address={self.address}"], stdin=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
        eventually(lambda: os.path.exists(f"{folder}/system_bus"), "the bus")
        self.process = subprocess.Popen(
            [desktop.PYTHON, "-B", os.path.join(HERE, "seats.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
            env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address})
        assert self.process.stdout.readline() == "ready\n"

    def say(self, **session):
        self.process.stdin.write(json.dumps(session) + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.stdin.close()
        self.process.wait(5)
        self.process.stdout.close()
        desktop.Desktop.end(self.bus)


@unittest.skipIf(desktop.missing(), desktop.missing())
class DesktopCase(Case):
    SCREEN = False

    def setUp(self):
        super().setUp()
        self.bob = self.user("mp")
        self.desktop = desktop.Desktop(self.bob, self.SCREEN)
        self.addCleanup(self.desktop.close)
        self.seats = Seats(self.folder)
        self.addCleanup(self.seats.close)
        self.leader = self.bob.popen(["sleep", "1000"])
        self.addCleanup(self.desktop.end, self.leader)
        self.log_in()
        self.presenter = None

    def log_in(self, **more):
        self.seats.say(Id="c1", uid=self.bob.uid, gid=self.bob.gid, Name=self.bob.name,
                       Leader=self.leader.pid, **more)

    def start(self, *options):
        path = os.path.join(self.folder, "present.sock")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, "log"))
        self.presenter = Presenter(self.folder, self.utmp, [
            "--system-bus", self.seats.address, "--socket", path, "--msgd-user",
            self.msgd_user.name, *options])
        self.addCleanup(self.end, self.presenter)
        self.presenter.wait_for("listens for msgd")
        self.connect()

    def connect(self):
        self.msgd = Msgd.connect(self.presenter.socket, self.msgd_user.uid)
        self.addCleanup(self.msgd.close)
        self.session = eventually(self.find, "the session")

    def find(self):
        found = self.msgd.sessions().get("")
        return found and found.reach == DESKTOP and found.handle

    def end(self, presenter):
        if presenter.process.poll() != -signal.SIGKILL:
            self.assertEqual(presenter.stop(), 0, presenter.log)
            self.assertNotRegex(presenter.log, "AddressSanitizer|runtime error|LeakSanitizer")
        eventually(lambda: not self.helpers(), self.helpers)

    def helpers(self):
        """The pids of this user's helpers, dead ones too."""
        found = subprocess.run(["pgrep", "-u", str(self.bob.uid), "msgd-popup|fake"], check=False,
                               capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def present(self, flags=WAIT, **options):
        return self.msgd.present(self.session, options.pop("text", "The server goes down."), flags,
                                 **options)

    def shown(self, delivery, **fields):
        return self.msgd.expect(boundary.SHOWN, delivery=delivery, timeout=10, **fields)

    def all_shown(self, *deliveries):
        """In whatever order."""
        missing = set(deliveries)
        while missing:
            missing.remove(self.msgd.expect(boundary.SHOWN, timeout=10).delivery)

    def ended(self, delivery, timeout=12):
        ended = self.msgd.expect(boundary.ENDED, delivery=delivery, timeout=timeout)
        return ended.how, ended.why, ended.text.decode()

    def up(self):
        """Numbers of the notifications that were asked for and not closed, as the notifier has them."""
        closed = {call["id"] for call in self.desktop.asked("CloseNotification")}
        return [41 + at for at, _ in enumerate(self.desktop.asked("Notify")) if 41 + at not in closed]


class ClickTest(DesktopCase):
    SCREEN = True

    def test_a_click_and_an_answer(self):
        self.desktop.start_dunst(choose="No")
        self.start()
        delivery = self.present()
        self.assertRegex(self.shown(delivery, reach=DESKTOP, flags=0).by, "^dunst ")
        self.desktop.click()
        self.assertEqual(self.ended(delivery), (ACKNOWLEDGED, "", ""))
        eventually(lambda: not self.desktop.windows(), "no window")
        delivery = self.present(answers=("Yes", "No"))
        self.shown(delivery)
        self.desktop.click(button=3)
        self.assertEqual(self.ended(delivery), (ACKNOWLEDGED, "", "No"))

    def test_withdrawn(self):
        self.desktop.start_dunst()
        self.start()
        delivery = self.present()
        self.shown(delivery)
        eventually(self.desktop.windows, "a window")
        self.msgd.withdraw(delivery)
        eventually(lambda: not self.desktop.windows(), "no window")
        eventually(lambda: not self.helpers(), self.helpers)
        self.msgd.nothing(0.3)

    def test_logged_out(self):
        self.desktop.start_dunst()
        self.start()
        delivery = self.present()
        self.shown(delivery)
        self.seats.say(Id="c1", gone=True)
        self.assertEqual(self.ended(delivery)[0], SESSION_GONE)
        eventually(lambda: not self.desktop.windows(), "no window")


class ShelfTest(DesktopCase):
    def setUp(self):
        super().setUp()
        self.desktop.start_notifier()
        self.start()

    def test_locked_is_told(self):
        self.log_in(LockedHint=True)
        eventually(lambda: self.msgd.sessions()[""].flags & 2, "locked")
        self.shown(self.present(), flags=LOCKED)

    def test_time_over(self):
        delivery = self.present(life_ms=5000)
        self.shown(delivery)
        self.assertEqual(self.ended(delivery), (TIMED_OUT, "no-answer", ""))
        eventually(lambda: not self.up(), self.up)

    def test_the_sixth_takes_the_oldests_place(self):
        deliveries = [self.present(flags=0, account=at) for at in range(5)]
        self.all_shown(*deliveries)
        sixth = self.present(flags=0, account=9)
        self.assertEqual(self.ended(deliveries[0])[0], FAILED)
        self.shown(sixth)
        eventually(lambda: len(self.up()) == 5, self.up)
        self.assertEqual(len(self.helpers()), 5)

    def test_a_fourth_of_one_account_waits_for_room(self):
        deliveries = [self.present() for _ in range(4)]
        self.all_shown(*deliveries[:3])
        self.msgd.nothing(0.5)
        self.assertEqual(self.ended(self.present(flags=0)), (FAILED, "too-many", ""))
        self.msgd.withdraw(deliveries[1])
        self.shown(deliveries[3])

    def test_its_time_runs_while_it_waits(self):
        for _ in range(3):
            self.shown(self.present())
        self.assertEqual(self.ended(self.present(life_ms=1000)), (TIMED_OUT, "not-shown", ""))

    def test_a_helper_that_is_killed(self):
        delivery = self.present()
        self.shown(delivery)
        os.kill(self.helpers()[0], signal.SIGKILL)
        self.assertEqual(self.ended(delivery), (FAILED, "helper-lost", ""))

    def test_one_that_its_session_takes_along(self):
        """What ends a session ends what is in it first: the sender is told of the session."""
        delivery = self.present()
        self.shown(delivery)
        os.kill(self.helpers()[0], signal.SIGKILL)
        self.msgd.nothing(0.3)
        self.seats.say(Id="c1", gone=True)
        self.assertEqual(self.ended(delivery), (SESSION_GONE, "logout", ""))

    def test_a_helper_that_is_stopped(self):
        delivery = self.present()
        self.shown(delivery)
        os.kill(self.helpers()[0], signal.SIGSTOP)
        self.msgd.withdraw(delivery)
        time.sleep(1)
        self.assertEqual(len(self.helpers()), 1)
        eventually(lambda: not self.helpers(), self.helpers)

    def test_msgd_dies(self):
        """What waits is taken down, the rest lives out its time."""
        waits, rest = self.present(), self.present(flags=0, life_ms=6000)
        self.all_shown(waits, rest)
        self.msgd.close()
        eventually(lambda: len(self.up()) == 1, self.up)
        time.sleep(0.5)
        self.assertEqual(len(self.helpers()), 1)
        eventually(lambda: not self.helpers(), self.helpers)
        self.connect()

    def test_the_presenter_dies(self):
        self.shown(self.present())
        self.shown(self.present(flags=0))
        self.presenter.process.kill()
        eventually(lambda: not self.up(), self.up)
        eventually(lambda: not self.helpers(), self.helpers)
        self.presenter.process.wait()
        os.unlink(self.presenter.socket)
        self.start()

    def test_a_desktop_without_a_bus(self):
        self.desktop.end(self.desktop.bus)
        self.assertEqual(self.ended(self.present()), (FAILED, "helper-lost", ""))


# What the user may have put in his helper's place: it speaks for his own message alone.
FAKE = f"""#!{desktop.PYTHON} -B
import os, socket, struct, sys, time
sys.path.insert(0, {HERE!r})
import boundary
s = socket.socket(fileno=3)
place, present = s.recv(40000), boundary.Message(s.recv(40000))
text = present.text[present.sender_len:].split(b"\\n")[-1].decode()
def shown(by=b"fake", flags=0): s.send(boundary.datagram(boundary.SHOWN, 9, 3, flags, by))
def ended(how, why=b"", text=b""): s.send(boundary.datagram(boundary.ENDED, 9, how, 0, why, text=text))
exec(text)
s.recv(1)
"""


class HostileHelperTest(DesktopCase):
    def setUp(self):
        super().setUp()
        fake = os.path.join(self.folder, "fake")
        with open(fake, "w", encoding="utf-8") as f:
            f.write(FAKE)
        os.chmod(fake, 0o755)
        self.start("--popup", fake)

    def test_it_is_not_believed(self):
        for text in ("shown(b'a\\x1b[2J')", "shown(); shown()", "ended(3)", "ended(1, b'logout')",
                     "ended(0, text=b'Maybe')", "ended(0)", "s.send(b'x')", "s.send(b'x' * 2000)",
                     "s.close(); sys.exit()", "s.send(boundary.datagram(boundary.SESSIONS, 0))",
                     "socket.send_fds(s, [boundary.datagram(boundary.SHOWN, 9, 3, 0, b'')], [0])"):
            with self.subTest(text):
                delivery = self.present(text=text, answers=("Yes", "No"))
                self.assertEqual(self.ended(delivery), (FAILED, "helper-lost", ""))
                eventually(lambda: not self.helpers(), self.helpers)

    def test_what_it_may_say(self):
        delivery = self.present(text="shown(); ended(0, text=b'No')", answers=("Yes", "No"))
        self.assertEqual(self.shown(delivery).by, "fake")
        self.assertEqual(self.ended(delivery), (ACKNOWLEDGED, "", "No"))
        delivery = self.present(text="ended(1, b'closed-by-user')")
        self.assertEqual(self.ended(delivery), (DISMISSED, "closed-by-user", ""))

    def test_what_it_gets(self):
        """A socket, no group, no way to more, nothing of ours in its environment."""
        delivery = self.present(text="shown(' '.join(os.listdir('/proc/self/fd')).encode())")
        self.assertEqual(self.shown(delivery).by, "0 1 2 3 4")  # the last reads the folder
        delivery = self.present(text="shown(' '.join(sorted(os.environ)).encode())")
        self.assertEqual(self.shown(delivery).by, "LC_ALL PATH")
        with open(f"/proc/{self.helpers()[0]}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        self.assertEqual(set(status["Uid"].split()), {str(self.bob.uid)})
        self.assertEqual((status["Groups"].strip(), status["NoNewPrivs"]), ("", "1"))
        self.assertEqual([int(status[f"Cap{which}"], 16) for which in ("Inh", "Prm", "Eff", "Amb")],
                         [0] * 4)


if __name__ == "__main__":
    unittest.main()
