# SPDX-License-Identifier: MIT
"""msgd-popup on a real bus: a real notification server with real clicks, and one that lies."""
import contextlib
import os
import shutil
import socket
import tempfile
import time
import unittest

import boundary
import desktop
from boundary import ACKNOWLEDGED, DISMISSED, FAILED, TIMED_OUT, WAIT, Msgd
from harness import User, eventually, program

DO_NOT_DISTURB, LOCKED = 2, 1

# Keeps what it was given; -buttons LABEL:STATUS,...: it ends with the status of the last but one.
XMESSAGE = """#!/bin/sh
/bin/cat >"$HOME/given"
echo "$*" >"$HOME/how"
while [ "$1" != -buttons ]; do shift; done
pressed=${2%,*}
/bin/sleep 1.5
exit "${pressed##*:}"
"""


def folder_of(user, iconv=None, **programs):
    """A folder with these programs alone, by their text, or the real ones; and iconv."""
    folder = os.path.join(user.home, "programs")
    os.mkdir(folder)
    for name, text in {"iconv": iconv, **programs}.items():
        path = os.path.join(folder, name)
        if text is None:
            os.symlink(shutil.which(name), path)
            continue
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o755)
    os.chmod(folder, 0o755)
    return folder


@unittest.skipIf(desktop.missing(), desktop.missing())
class PopupCase(unittest.TestCase):
    SCREEN = False

    def setUp(self):
        self.user = User.make("mp")
        self.addCleanup(self.user.remove)
        self.desktop = desktop.Desktop(self.user, self.SCREEN)
        self.addCleanup(self.desktop.close)

    def popup(self, text="The server goes down at 18:00.", flags=WAIT, reach=3, place_flags=0,
              **options):
        """A helper as msgd-present starts it; the other end of its socket."""
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = its.fileno()
        self.process = self.user.popen([program("msgd-popup")], close_fds=False,
                                       stdin=subprocess_null(), stdout=subprocess_null(),
                                       preexec_fn=lambda: os.dup2(fd, 3))
        its.close()
        self.addCleanup(self.end, self.process)
        helper = Msgd(ours, greet=False)
        self.addCleanup(helper.close)
        helper.send(boundary.POPUP, reach, place_flags, self.user.name.encode(), b"")
        options.setdefault("life_ms", 30000)
        helper.present(0, text, flags, **options)
        return helper

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def shown(self, helper, **fields):
        return helper.expect(boundary.SHOWN, timeout=10, **fields)

    def ended(self, helper, timeout=10):
        ended = helper.expect(boundary.ENDED, timeout=timeout)
        return ended.how, ended.why, ended.text.decode()

    def is_gone(self):
        """It ends by itself, and cleanly."""
        self.assertEqual(self.process.wait(5), 0)


def subprocess_null():
    return open(os.devnull, "r+b")  # closed with the test's process


class DunstTest(PopupCase):
    SCREEN = True

    def test_a_click_says_ok(self):
        self.desktop.start_dunst()
        helper = self.popup()
        self.assertRegex(self.shown(helper, reach=3, flags=0).by, r"^dunst 1\.")
        self.desktop.click()
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", ""))
        self.is_gone()
        eventually(lambda: not self.desktop.windows(), "no window")

    def test_closed_is_dismissed(self):
        self.desktop.start_dunst()
        helper = self.popup()
        self.shown(helper)
        self.desktop.click(button=2)
        self.assertEqual(self.ended(helper), (DISMISSED, "closed-by-user", ""))
        self.is_gone()

    def test_an_answer_is_chosen(self):
        self.desktop.start_dunst(choose="Not now")
        helper = self.popup(answers=("Yes", "Not now"))
        self.shown(helper)
        self.desktop.click(button=3)
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", "Not now"))
        self.is_gone()

    def test_a_click_on_the_body_is_no_answer(self):
        """dunst shows its menu instead, where none is chosen."""
        self.desktop.start_dunst(choose="None of these")
        helper = self.popup(answers=("Yes", "No"))
        self.shown(helper)
        self.desktop.click()
        helper.nothing(1.0)

    def test_its_time_takes_it_down(self):
        self.desktop.start_dunst()
        helper = self.popup(life_ms=6000)
        self.shown(helper)
        self.assertEqual(len(eventually(self.desktop.windows, "a window")), 1)
        self.assertEqual(self.ended(helper), (TIMED_OUT, "no-answer", ""))
        self.is_gone()
        eventually(lambda: not self.desktop.windows(), "no window")

    def test_the_end_of_the_socket_takes_it_down(self):
        self.desktop.start_dunst()
        helper = self.popup(flags=0)
        self.shown(helper)
        eventually(self.desktop.windows, "a window")
        helper.close()
        self.is_gone()
        eventually(lambda: not self.desktop.windows(), "no window")

    def test_what_it_looks_like(self):
        """A picture with something in it; kept where MSG_PICTURES names a folder."""
        self.desktop.start_dunst()
        helper = self.popup("Grüße, 世界, \u05e9\u05dc\u05d5\u05dd\n<b>not bold</b> & so on",
                            title="Tonight", answers=("Yes", "No"))
        self.shown(helper)
        _, _, width, height = eventually(self.desktop.windows, "a window")[0]
        self.assertTrue(width > 200 and height > 60)
        folder = os.environ.get("MSG_PICTURES")
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o777)
            path = os.path.join(folder or scratch, "dunst.png")

            def is_drawn():
                self.desktop.picture(path)
                return os.path.getsize(path) > 1000
            eventually(is_drawn, "something in the picture")

    def test_the_server_is_killed(self):
        self.desktop.start_dunst()
        helper = self.popup()
        self.shown(helper)
        self.desktop.server.kill()
        self.assertEqual(self.ended(helper), (FAILED, "helper-lost", ""))
        self.is_gone()


class NotifierTest(PopupCase):
    def story(self, *how, **options):
        """What becomes of a popup with a server that does so."""
        self.desktop.start_notifier(*how)
        helper = self.popup(**options)
        self.shown(helper, by="notifier 1.0")
        return helper

    def test_what_it_is_asked(self):
        helper = self.story(text="a < b & c", title="T & <t>", answers=("Yes", "No"), life_ms=20000)
        call = self.desktop.asked("Notify")[0]
        self.assertEqual((call["app"], call["summary"]),
                         ("msg", "Message from alice (network, 192.0.2.5)"))
        self.assertEqual(call["actions"], ["answer1", "Yes", "answer2", "No"])
        self.assertIn("Title: T &amp; &lt;t&gt;\na &lt; b &amp; c\n1 Yes\n2 No\n", call["body"])
        self.assertTrue(call["body"].startswith("<b>Message from alice (network, 192.0.2.5) to "))
        self.assertEqual((call["urgency"], call["expires"]), (2, 20000))
        helper.close()
        self.is_gone()
        self.assertEqual([call["id"] for call in self.desktop.asked("CloseNotification")], [41])

    def test_one_ok_button(self):
        """Where a click on the body has a button of its own, no second one stands beside it."""
        self.story()
        self.assertEqual(self.desktop.asked("Notify")[0]["actions"], ["default", "OK", "ok", "OK"])
        self.desktop.end(self.desktop.server)
        eventually(lambda: not self.desktop.owner(), "the name is free")
        self.desktop.start_notifier("--name=Xfce Notify Daemon")
        self.shown(self.popup())
        self.assertEqual(self.desktop.asked("Notify")[0]["actions"], ["default", "OK"])

    def test_what_is_no_character(self):
        """sd-bus takes no string with one: it must not be what keeps a message from the screen."""
        self.story(text="a\ufffeb", title="\ufdd0", answers=("Yes\uffff", "No"))
        call = self.desktop.asked("Notify")[0]
        self.assertIn("a&lt;U+FFFE&gt;b", call["body"])
        self.assertEqual(call["actions"], ["answer1", "Yes<U+FFFF>", "answer2", "No"])

    def test_what_nobody_waits_for(self):
        self.story(flags=0, life_ms=20000)
        call = self.desktop.asked("Notify")[0]
        self.assertEqual((call["actions"], call["urgency"], call["expires"]),
                         (["default", "OK"], 1, 20000))

    def test_without_end_it_is_critical(self):
        self.story(flags=0, life_ms=7 * 24 * 3600 * 1000)
        call = self.desktop.asked("Notify")[0]
        self.assertEqual((call["urgency"], call["expires"]), (2, 0))

    def test_no_markup_no_escapes(self):
        self.story("--caps=actions,body", text="a < b & c")
        self.assertIn("\na < b & c\n", self.desktop.asked("Notify")[0]["body"])

    def test_do_not_disturb_and_locked_are_told(self):
        self.desktop.start_notifier("--inhibited")
        self.shown(self.popup(place_flags=LOCKED), flags=DO_NOT_DISTURB | LOCKED)

    def test_only_our_action_of_our_number_counts(self):
        helper = self.story("--then=+ok,+answer1,!ok,other,answer1,ok")
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", ""))

    def test_a_strangers_signal_is_not_heard(self):
        helper = self.story("--then=!ok,!default,=2")
        self.assertEqual(self.ended(helper)[0], DISMISSED)

    def test_two_closes(self):
        helper = self.story("--then==2,=1")
        self.assertEqual(self.ended(helper), (DISMISSED, "closed-by-user", ""))
        self.is_gone()

    def test_hidden_by_the_server_is_no_end(self):
        helper = self.story("--then==1", life_ms=5000)
        self.assertEqual(self.ended(helper), (TIMED_OUT, "no-answer", ""))

    def test_no_close(self):
        helper = self.story("--deaf", life_ms=5000)
        self.assertEqual(self.ended(helper), (TIMED_OUT, "no-answer", ""))
        self.is_gone()
        self.assertEqual(len(self.desktop.asked("CloseNotification")), 1)

    def test_too_many(self):
        self.desktop.start_notifier("--error-at=1")
        self.assertEqual(self.ended(self.popup()), (FAILED, "too-many", ""))
        self.is_gone()

    def test_a_server_that_never_answers(self):
        for method, seconds in (("GetCapabilities", 3), ("Notify", 5)):
            with self.subTest(method):
                self.desktop.start_notifier(f"--mute={method}")
                started = time.monotonic()
                self.assertEqual(self.ended(self.popup(), 12), (FAILED, "helper-lost", ""))
                self.assertGreater(time.monotonic() - started, seconds - 0.2)
                self.process.wait(5)  # the one that was asked for has no number to close it by
                self.desktop.end(self.desktop.server)
                eventually(lambda: not self.desktop.owner(), "the name is free")

    def test_a_server_that_leaves(self):
        helper = self.story("--then=leave")
        self.assertEqual(self.ended(helper), (FAILED, "helper-lost", ""))

    def test_nothing_is_started(self):
        """dunst could be: its service file lies there."""
        self.assertEqual(self.ended(self.popup()), (FAILED, "helper-lost", ""))
        self.assertFalse(self.desktop.owner())

    def test_a_bus_that_never_answers(self):
        self.desktop.end(self.desktop.bus)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self.desktop.run}/bus")
        listener = self.user.popen(
            [desktop.PYTHON, "-c", "import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\n"
             "s.bind(sys.argv[1])\ns.listen(9)\ntime.sleep(60)", f"{self.desktop.run}/bus"])
        self.addCleanup(self.desktop.end, listener)
        eventually(lambda: os.path.exists(f"{self.desktop.run}/bus"), "the socket")
        self.assertEqual(self.ended(self.popup(), 12), (FAILED, "helper-lost", ""))
        self.is_gone()

    def test_anothers_socket_is_no_bus(self):
        """Replaced by a link, or by another user's socket."""
        bus = f"{self.desktop.run}/bus"
        self.desktop.start_notifier()
        os.rename(bus, bus + ".real")
        os.symlink(bus + ".real", bus)
        self.assertEqual(self.ended(self.popup()), (FAILED, "helper-lost", ""))
        os.unlink(bus)
        with socket.socket(socket.AF_UNIX) as theirs:
            theirs.bind(bus)
            theirs.listen(1)
            self.assertEqual(self.ended(self.popup()), (FAILED, "helper-lost", ""))
            os.chown(bus, self.user.uid, self.user.gid)
            os.chmod(bus, 0o666)
            self.assertEqual(self.ended(self.popup()), (FAILED, "helper-lost", ""))
        self.assertEqual(self.desktop.asked("Notify"), [])

    def test_nobody_can_look_into_it(self):
        helper = self.story()
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            self.assertRegex(f.read(), r"\nUid:\t" + str(self.user.uid))
        owner = os.stat(f"/proc/{self.process.pid}/environ").st_uid
        self.assertEqual(owner, 0)  # not dumpable: even its user cannot read it
        with open(f"/proc/{self.process.pid}/cmdline", "rb") as f:
            self.assertEqual(f.read().count(b"\0"), 1)
        helper.close()
        self.is_gone()


class DialogTest(PopupCase):
    SCREEN = True

    def setUp(self):
        super().setUp()
        self.desktop.popen(["openbox"])

    def popup(self, *arguments, **options):
        self.desktop.start_manager()
        return super().popup(*arguments, **options)

    def without_zenity(self, **programs):
        """A manager that finds an xmessage alone, which presses the button before the last."""
        self.desktop.start_manager(PATH=folder_of(self.user, **{"xmessage": XMESSAGE, **programs}))

    def given(self, name):
        with open(os.path.join(self.user.home, name), "rb") as f:
            return f.read()

    def test_xmessage(self):
        self.without_zenity()
        helper = super().popup()
        self.shown(helper, by="xmessage")
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", ""))

    def test_an_answer_by_xmessage(self):
        self.without_zenity()
        helper = super().popup(answers=("Yes", "No"))
        self.shown(helper, by="xmessage")
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", "No"))

    def test_xmessage_without_fonts(self):
        """Of what its fonts have not it would draw other letters: it is given none of that."""
        self.without_zenity()
        self.shown(super().popup("gr\u00fc\u00dfe \u201c\u4f60\u597d\u201d \u05e9\u05dc"), by="xmessage")
        self.assertEqual(self.given("given").split(b"\n")[1], b'gr\xfc\xdfe "??" ??')
        self.assertIn(b"*international: false", self.given("how"))

    def test_xmessage_with_fonts(self):
        self.without_zenity(xlsfonts="#!/bin/sh\necho \"$*\"\n")
        self.shown(super().popup("gr\u00fc\u00dfe \u4f60\u597d"), by="xmessage")
        self.assertEqual(self.given("given").split(b"\n")[1].decode(), "gr\u00fc\u00dfe \u4f60\u597d")
        self.assertIn(b"*international: true", self.given("how"))

    def test_a_manager_that_comes_late(self):
        """As where our connection is what starts the bus."""
        helper = super().popup()
        helper.nothing(1.0)
        self.desktop.start_manager()
        self.shown(helper, by="zenity")

    def windows(self):
        return self.desktop.x("xdotool", "search", "--onlyvisible", "--name", "^Message$").split()

    def press(self, button):
        """One of zenity's, from the right: OK or the last answer, ..., Not yet, Dismiss."""
        x, y, width, height = eventually(lambda: self.desktop.places("^Message$"), "a dialog")[0]
        # xdotool counts the window's frame twice
        self.desktop.press(x + width - 55 - 98 * button, y + height - 45)

    def starts(self):
        return [line for line in self.desktop.lines(self.desktop.manager_log) if "start" in line]

    def test_zenity(self):
        helper = self.popup()
        self.shown(helper, by="zenity")
        self.assertNotIn("18:00", " ".join(self.starts()[0]["argv"]))
        self.picture("zenity")
        self.press(0)
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", ""))
        self.is_gone()
        eventually(lambda: not self.windows(), "no dialog")

    def test_enter_answers_nothing(self):
        """Somebody who was typing has not read it; nor has he who says so."""
        helper = self.popup()
        self.shown(helper, by="zenity")
        self.desktop.x("xdotool", "type", "--delay", "40", "ls -l\n")
        helper.nothing(1.5)
        before = len(self.starts())
        self.press(1)
        eventually(lambda: len(self.starts()) > before, "another dialog")
        helper.nothing(1.5)
        self.press(0)
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", ""))

    def test_an_answer(self):
        helper = self.popup(answers=("Yes", "No"))
        self.shown(helper, by="zenity")
        self.picture("zenity-answers")
        self.press(0)
        self.assertEqual(self.ended(helper), (ACKNOWLEDGED, "", "No"))

    def picture(self, name):
        folder = os.environ.get("MSG_PICTURES")
        if folder:
            self.desktop.picture(os.path.join(folder, f"{name}.png"))

    def test_a_server_without_actions(self):
        self.desktop.start_notifier("--caps=body")
        helper = self.popup()
        self.shown(helper, by="zenity")
        self.assertEqual(self.desktop.asked("Notify"), [])
        helper.close()
        self.is_gone()
        eventually(lambda: not self.windows(), "no dialog")

    def test_closed_is_dismissed(self):
        helper = self.popup()
        self.shown(helper)
        self.press(2)
        self.assertEqual(self.ended(helper)[:2], (DISMISSED, "closed-by-user"))


if __name__ == "__main__":
    unittest.main()
