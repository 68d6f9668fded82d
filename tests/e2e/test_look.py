# SPDX-License-Identifier: MIT
"""
How a message looks in each place, and what a screen reader gets of it: who sent it, on which host,
when, the text, what to do; with wide characters, right-to-left text and 30 KB of it.
"""
import socket

from boundary import ACKNOWLEDGED, DISMISSED
from harness import eventually
from test_popup import PopupCase, folder_of

SENDER = "alice (network, 192.0.2.5)"
HOST = socket.gethostname().split(".")[0]
WORLD = "gr\u00fc\u00dfe, \u4f60\u597d\u4e16\u754c, \u05e9\u05dc\u05d5\u05dd, \u0645\u0631\u062d\u0628\u0627"
MARKUP = "<b>not bold</b> &amp; so on"
LONG = "\n".join(f"line {number} w\u00f6rter \u4e16\u754c \u05e9\u05dc\u05d5\u05dd" for number in range(1, 901))


class ScreenReaderTest(PopupCase):
    """zenity's dialog, by the accessibility bus of a real desktop."""

    SCREEN = True

    def setUp(self):
        super().setUp()
        self.desktop.popen(["openbox"])
        self.desktop.start_accessibility()
        self.desktop.start_manager()

    def dialog(self, *arguments, **options):
        """It is up; all that is read of it."""
        self.helper = self.popup(*arguments, **options)
        self.shown(self.helper, by="zenity")
        return self.desktop.heard()

    def header(self):
        return f"Message from {SENDER} to {self.user.name} on {HOST}, "

    @staticmethod
    def only(heard, role):
        return [thing for thing in heard if thing["role"] == role]

    def text(self, heard):
        """The one text there is, as lines."""
        texts = self.only(heard, "text")
        self.assertEqual(len(texts), 1, heard)
        return texts[0]["text"].split("\n")

    def test_all_is_read_once_and_in_order(self):
        heard = self.dialog(f"{WORLD}\n{MARKUP}", title="Tonight")
        self.assertEqual((heard[0]["role"], heard[0]["name"]), ("dialog", "Message"))
        lines = self.text(heard)
        self.assertRegex(lines[0], rf"^{self.header().replace('(', '.').replace(')', '.')}\d\d:\d\d$")
        self.assertEqual(lines[1:], [
            "Title: Tonight", WORLD, MARKUP,
            "To confirm that you have read this, choose OK, or type: msg /ack 7"])
        # Nothing else there has words, but for the buttons, which come after it.
        self.assertEqual([thing["name"] for thing in heard if thing["name"]],
                         ["Message", "Dismiss", "Not yet", "OK"])
        self.assertLess(heard.index(self.only(heard, "text")[0]),
                        heard.index(self.only(heard, "push button")[0]))

    def test_the_text_has_the_focus_and_enter_answers_nothing(self):
        heard = self.dialog()
        self.assertEqual([thing["role"] for thing in heard if "focused" in thing["states"]], ["text"])
        self.assertEqual([thing["name"] for thing in heard if "default" in thing["states"]], ["Not yet"])
        # A screen reader begins where the caret is, which zenity leaves in the last line: what to do.
        text = self.only(heard, "text")[0]
        self.assertTrue(text["text"][:text["caret"]].splitlines()[-1].startswith("To confirm "))

    def test_the_button_is_pressed(self):
        self.dialog()
        self.desktop.heard("OK")
        self.assertEqual(self.ended(self.helper), (ACKNOWLEDGED, "", ""))
        self.is_gone()

    def test_dismissed(self):
        self.dialog()
        self.desktop.heard("Dismiss")
        self.assertEqual(self.ended(self.helper), (DISMISSED, "closed-by-user", ""))

    def test_each_answer_is_read_and_pressed(self):
        answers = ("Yes", "N\u00f6", "\u05dc\u05d0")
        for number, answer in enumerate(answers, 1):
            with self.subTest(answer):
                heard = self.dialog(answers=answers)
                self.assertEqual([thing["name"] for thing in self.only(heard, "push button")],
                                 ["Dismiss", "Not yet", "1", "2", "3"])
                self.assertEqual(self.text(heard)[-4:], [
                    *(f"{n} {a}" for n, a in enumerate(answers, 1)),
                    "To answer, choose one, or type: msg /ack 7 1"])
                self.desktop.heard(str(number))
                self.assertEqual(self.ended(self.helper), (ACKNOWLEDGED, "", answer))
                eventually(lambda: not self.desktop.places("^Message$"), "no dialog")

    def test_30_kb(self):
        """All of it can be read, and its window is no larger than the screen."""
        heard = self.dialog(LONG)
        self.assertEqual(self.text(heard)[1:-1], LONG.split("\n"))
        x, y, width, height = self.desktop.places("^Message$")[0]
        self.assertTrue(x + width <= 800 and y + height <= 600, (x, y, width, height))


class XmessageTest(PopupCase):
    """The real one, where no zenity is, by what it draws."""

    SCREEN = True

    def setUp(self):
        super().setUp()
        self.desktop.popen(["openbox"])
        self.desktop.start_manager(PATH=folder_of(self.user, xmessage=None, xlsfonts=None))

    def drawn(self, text):
        """It is up; what is inside its window."""
        helper = self.popup(text, sent_at_ms=0)
        self.shown(helper, by="xmessage")
        x, y, width, height = self.desktop.places("^Message$")[0]
        self.assertTrue(x >= 0 and y >= 0 and x + width <= 800 and y + height <= 600)
        screen = self.desktop.pixels()
        helper.close()
        self.is_gone()
        eventually(lambda: not self.desktop.places("^Message$"), "no dialog")
        return [screen[row * 800 + x:row * 800 + x + width] for row in range(y, y + height)]

    @staticmethod
    def inked(rows, left, right):
        """How many lines of text reach into that part of the window, in shares of its width."""
        width, lines, before = len(rows[0]), 0, False
        for row in rows:
            ink = min(row[int(left * width):int(right * width)]) < 128
            lines, before = lines + (ink and not before), ink
        return lines

    def test_letters_it_has_not(self):
        """This X server has no fonts for them."""
        drawn = self.drawn("gr\u00fc\u00dfe \u4f60\u597d \u05e9\u05dc\u05d5\u05dd")
        self.assertEqual(drawn, self.drawn("gr\u00fc\u00dfe ?? ????"))
        self.assertNotEqual(drawn, self.drawn("gr\u00fc\u00dfe ?? ???!"))

    def test_30_kb_in_one_line(self):
        """It is wrapped, and scrolls; the button can be reached."""
        rows = self.drawn("w\u00f6rter " * 4000)
        self.assertGreater(self.inked(rows, 0.6, 0.8), self.inked(self.drawn("word"), 0.6, 0.8) + 8)
