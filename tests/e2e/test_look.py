# SPDX-License-Identifier: MIT
"""
How a message looks in each place, and what a screen reader gets of it: who sent it, on which host,
when, the text, what to do; with wide characters, right-to-left text and 30 KB of it.
"""
import re
import socket
import time
import unittest

import emulated
import test_popup_tmux
from boundary import ACKNOWLEDGED, DISMISSED, SHOWN, WAIT
from harness import eventually
from presenter import PresenterCase
from test_popup import PopupCase, folder_of

SENDER, HERE = "alice (network, 192.0.2.5)", "alice (this host)"
HOST = socket.gethostname().split(".")[0]
WORLD = "gr\u00fc\u00dfe, \u4f60\u597d\u4e16\u754c, \u05e9\u05dc\u05d5\u05dd, \u0645\u0631\u062d\u0628\u0627"
MARKUP = "<b>not bold</b> &amp; so on"
LONG = "\n".join(f"line {number} w\u00f6rter \u4e16\u754c \u05e9\u05dc\u05d5\u05dd"
                 for number in range(1, 901))
ANSWERS = ("Yes", "N\u00f6", "\u05dc\u05d0", "d", "e", "f", "g", "h")
CHOICES = [f"| {number} {answer}" for number, answer in enumerate(ANSWERS, 1)]


@unittest.skipUnless(emulated.TMUX, "tmux is not installed")
class TerminalTest(PresenterCase):
    """Plain lines, as somebody sees them on 24 rows, and hears them in that order."""

    def seen(self, text, **options):
        """The rows of the screen that are not empty, with the prompt that stood there before."""
        terminal = self.terminal()
        self.header = f"Message from {HERE} to {self.me.name} on {HOST}, "
        delivery = self.msgd.present(self.msgd.handle(terminal.line), text, WAIT, sender=HERE, **options)
        self.msgd.expect(SHOWN, delivery=delivery)
        terminal.wait_for("/ack 7")
        self.bytes = terminal.bytes()
        return [row for row in emulated.screen(b"$ " + self.bytes) if row]

    def test_all_five(self):
        rows = self.seen(WORLD, title="Tonight")
        self.assertRegex(rows[1], rf"^{re.escape(self.header)}\d\d:\d\d$")
        self.assertEqual([rows[0], *rows[2:]], [
            "$", "Title: Tonight", f"| {WORLD}",
            "To confirm that you have read this, type: msg /ack 7"])

    def test_nothing_is_drawn(self):
        """One bell; else lines, of which only the sender's are not plain ASCII."""
        self.seen(f"{WORLD}\n{MARKUP}", answers=ANSWERS)
        self.assertEqual(self.bytes.count(b"\a"), 1)
        for line in re.split(b"\r+\n", self.bytes.replace(b"\a", b"")):
            self.assertFalse(re.search(b"[\0-\x1f\x7f]", line), line)
            self.assertTrue(line.startswith(b"| ") or line.isascii(), line)

    def test_30_kb_on_24_rows(self):
        """It begins and ends on one screen, and says where the rest is."""
        rows = self.seen(f"{WORLD}\n{LONG}", title="Tonight", answers=ANSWERS)
        self.assertEqual(rows[0], "$")
        self.assertTrue(rows[1].startswith(self.header), rows)
        self.assertEqual(rows[2:4], ["Title: Tonight", f"| {WORLD}"])
        text = [row for row in rows[4:] if row.startswith("| line ")]
        self.assertEqual(rows[4:4 + len(text)], [f"| {line}" for line in LONG.split("\n")[:len(text)]])
        self.assertEqual(rows[4 + len(text):], [
            f"[{900 - len(text)} more lines: msg /list 7]", *CHOICES, "To answer, type: msg /ack 7 1"])

    def test_wide_rows_are_not_wrapped_by_the_terminal(self):
        rows = self.seen("\u4e16\u754c" * 200)
        self.assertEqual({row[:2] for row in rows[2:-1]}, {"| "})
        self.assertEqual("".join(row[2:] for row in rows[2:-1]), "\u4e16\u754c" * 200)


class TmuxTest(test_popup_tmux.TestCase):
    def seen(self, helper):
        """The client's rows, where the popup's are within its border."""
        helper.shown()
        test_popup_tmux.see(self.client, "; elsewhere: msg /ack 7")
        return emulated.screen(self.client.bytes())

    def inside(self, rows):
        """What the popup's rows say, the border, which is plain ASCII, taken off."""
        edges = [i for i, row in enumerate(rows) if re.fullmatch(r"[+]-+[+]", row)]
        self.assertEqual(len(edges), 2, rows)
        within = rows[edges[0] + 1:edges[1]]
        for row in within:
            self.assertTrue(row.startswith("|") and row.endswith("|"), row)
        self.assertNotIn(b"\033(0", self.client.bytes())  # line drawing
        return [row[1:-1].rstrip() for row in within]

    def test_all_five(self):
        rows = self.inside(self.seen(self.helper(title="Tonight", text=f"{WORLD}\n{MARKUP}")))
        self.assertRegex(rows[0], rf"^Message from alice \(this host\) on {HOST}, \d\d:\d\d$")
        self.assertEqual(rows[1:], [
            "| Title: Tonight", f"| {WORLD}", f"| {MARKUP}",
            "Press o to confirm reading it, Escape to dismiss it; elsewhere: msg /ack 7"])

    def test_30_kb_on_24_rows(self):
        rows = self.inside(self.seen(self.helper(title="Tonight", text=LONG, answers=ANSWERS)))
        self.assertTrue(rows[0].startswith("Message from alice (this host) on "))
        self.assertEqual(rows[1], "| Title: Tonight")
        text = [row for row in rows if row.startswith("| line ")]
        self.assertEqual(rows[2:2 + len(text)], [f"| {line}" for line in LONG.split("\n")[:len(text)]])
        self.assertEqual(rows[2 + len(text):], [
            f"[rows 1 to {len(text)} of 900: arrows, PgUp, PgDn]", *CHOICES,
            "Press the digit of your answer, Escape to dismiss; elsewhere: msg /ack 7 1"])
        self.assertGreater(len(text), 5)

    def status(self, text, **message):
        self.client.clear()
        time.sleep(2.2)  # since the client came
        self.helper(text=text, wait=False, sender="alice", **message).shown()
        test_popup_tmux.see(self.client, " [msg /list 7]")
        return emulated.screen(b"\033[1;1H" + self.client.bytes())[-1]

    def test_status_line(self):
        text = "\u4f60\u597d \u05e9\u05dc\u05d5\u05dd"
        self.assertRegex(self.status(text), rf"^Message from alice on {HOST}, \d\d:\d\d: {text} "
                                            r"\[msg /list 7\]$")

    def test_status_line_of_30_kb(self):
        line = self.status("\u4e16\u754c" * 4000)
        self.assertRegex(line, "^Message from alice: [\u4e16\u754c]{20,}[.]{3} \\[msg /list 7\\]$")


class NotificationTest(PopupCase):
    """What a notification server is given."""

    def given(self, *arguments, caps="actions,body", **options):
        self.desktop.start_notifier(f"--caps={caps}")
        self.shown(self.popup(*arguments, **options))
        call = self.desktop.asked("Notify")[0]
        self.assertEqual(call["summary"], f"Message from {SENDER}")
        self.assertRegex(call["body"].split("\n")[0].replace("<b>", "").replace("</b>", ""),
                         rf"^{re.escape(f'Message from {SENDER} to {self.user.name} on {HOST}, ')}\d\d:\d\d$")
        return call["body"].split("\n")[1:], call["actions"]

    def test_all_five(self):
        body, actions = self.given(WORLD, title="Tonight")
        self.assertEqual(body, ["Title: Tonight", WORLD, "To confirm that you have read this, choose OK, "
                                "or type: msg /ack 7"])
        self.assertEqual(actions, ["default", "OK", "ok", "OK"])

    def test_30_kb(self):
        """Twenty lines of it, and where the rest is; all with markup that is whole."""
        body, actions = self.given(LONG, caps="actions,body,body-markup", answers=ANSWERS)
        self.assertEqual(body[:20], LONG.split("\n")[:20])
        self.assertEqual(body[20:], ["<i>[880 more lines: msg /list 7]</i>",
                                     *(choice[2:] for choice in CHOICES),
                                     "<i>To answer, choose one, or type: msg /ack 7 1</i>"])
        self.assertEqual(actions[1::2], list(ANSWERS))

    def test_30_kb_in_one_line(self):
        body, _ = self.given("\u4e16\u754c" * 5000)
        self.assertEqual(body[0], "\u4e16\u754c" * 500)
        self.assertEqual(body[1], "[1 more line: msg /list 7]")


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
        self.assertRegex(lines[0], rf"^{re.escape(self.header())}\d\d:\d\d$")
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
