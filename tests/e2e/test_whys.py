# SPDX-License-Identifier: MIT
"""
Every reason why a delivery ends as it does, through the real programs: what brings it about, what msg
prints then, byte for byte, and how it ends.
"""
import os
import re
import signal
import termios
import unittest

import screens
from harness import TOP, eventually
from local_peer import ATTACH, SEND, message
from test_deaths import body_uid
from world import Real, Staged, without_id

WHERE = {
    "not-shown": "test_whys.Standstill.test_not_shown",
    "no-answer": "test_whys.Waiting.test_no_answer",
    "closed-by-user": "test_whys.Popups.test_dismissed",
    "by-sender": "test_whys.Waiting.test_by_sender",
    "answered-elsewhere": "test_targets.TwoUsersTest.test_first_acknowledgement_withdraws_the_rest",
    "sender-lost": "test_whys.Waiting.test_sender_lost",
    "revoked": "test_codes.Keys.test_revoked_while_it_waits",
    "daemon-stop": "test_codes.Ending.test_stopped_while_it_waits",
    "logout": "test_whys.Logins.test_logout",
    "hangup": "test_whys.Logins.test_hangup",
    "messages-disabled": "test_whys.Standstill.test_messages_disabled",
    "terminal-stopped": "test_whys.Waiting.test_terminal_stopped",
    "too-many": "test_whys.Flood.test_too_many",
    "presenter-lost": "test_whys.Standstill.test_presenter_lost",
    "helper-lost": "test_whys.Popups.test_helper_lost",
    "locked": "test_lines.Sessions.test_places_of_one_user",
    "do-not-disturb": "test_lines.Sessions.test_how_a_place_is_reached",
    "internal": "test_whys.Popups.test_internal",
}


class Complete(unittest.TestCase):
    def test_every_reason_has_its_test(self):
        path = os.path.join(TOP, "protocol", "PROTOCOL.md")
        if not os.path.exists(path):
            self.skipTest("the specification is not here")
        with open(path, encoding="utf-8") as f:
            table = f.read().split("\n| why | with | meaning |\n|---|---|---|\n")[1].split("\n\n")[0]
        self.assertEqual(re.findall(r"^\| ([a-z-]+) \|", table, re.M), list(WHERE))
        for name in WHERE.values():
            loader = unittest.TestLoader()
            loader.loadTestsFromName(name)
            self.assertEqual(loader.errors, [], name)


class Waiting(Real):
    def test_no_answer(self):
        outcome = self.system.msg(self.user.name, "/W", "/V", "/TIME:3", "in a moment")
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 3, f"Sending message to session {self.terminal.line}, display time 3\n"
                    f"Timeout on message to session {self.terminal.line} before user response\n")
        self.popup("in a moment")

    def test_by_sender(self):
        running = self.system.begin(self.user.name, "/W", "/V", "taken back")
        number = self.popup("taken back")
        running.process.send_signal(signal.SIGINT)
        outcome = running.finish()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 130, f"Sending message to session {self.terminal.line}, display time "
                    f"unlimited\nMessage to session {self.terminal.line} withdrawn\n")
        self.terminal.wait_for(rf"^\[{number}\] withdrawn$")

    def test_sender_lost(self):
        body = message(self.user.name, "nobody holds it", wait=True, lost_ms=300)
        with self.peer() as peer:
            peer.until(peer.request(SEND, body), "displayed")
        number = self.popup("nobody holds it")
        self.terminal.wait_for(rf"^\[{number}\] withdrawn$")
        again = self.peer()
        event = again.until(again.request(ATTACH, {"uid": body_uid(body)}), "withdrawn")
        self.assertEqual((event["why"], event["fin"]), ("sender-lost", True))

    def test_terminal_stopped(self):
        slave = os.open(self.terminal.path, os.O_RDWR | os.O_NOCTTY)
        self.addCleanup(os.close, slave)
        self.addCleanup(termios.tcflow, slave, termios.TCOON)
        termios.tcflow(slave, termios.TCOOFF)
        self.expect(self.system.msg(self.user.name, "into the wall"), 1, "",
                    f"Error sending message to session {self.terminal.line} : terminal is stopped\n")
        termios.tcflow(slave, termios.TCOON)
        self.expect(self.system.msg(self.user.name, "after it"), 0)
        self.popup("after it")
        self.assertNotIn("into the wall", self.terminal.screen())


class Logins(Real):
    """A login for each test, since it ends."""

    def setUp(self):
        self.login = self.system.terminal(self.user, leader=["sleep", "1000"])

    def ends(self, act, why, state="session-gone"):
        """What msg prints, and the reason that a peer is told, when the login ends under both."""
        text = f"at the end of {self.login.line}"
        running = self.system.begin(self.login.line, "/W", "/V", "/TIME:60", text)
        # Both count as displayed when the later one does: on the screen a text is a little earlier.
        eventually(lambda: self.login.count(text) == 1, "the first popup")
        peer = self.peer()
        number = peer.request(SEND, message(self.login.line, text, wait=True, time_ms=60000))
        peer.until(number, "displayed")
        act()
        outcome = running.finish()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 3, f"Sending message to session {self.login.line}, display time 60\n"
                    f"Session {self.login.line} ended before user response\n")
        self.assertEqual(peer.until(number, state)["why"], why)

    def test_logout(self):
        self.ends(self.login.leader.kill, "logout")

    def test_hangup(self):
        """The terminal is gone, and who led the session goes on without it."""
        self.login.close()
        self.login = self.system.terminal(
            self.user, leader=["sh", "-c", "trap '' HUP; sleep 1000 & wait; sleep 1000"])
        self.ends(lambda: os.close(self.master()), "hangup")

    def master(self):
        master, self.login.master = self.login.master, -1
        return master


class Standstill(Real):
    """msgd-present does not get to it; then it goes on, or dies."""

    def setUp(self):
        if not self.system.process:
            self.system.start()
        self.terminal.mesg(True)
        eventually(self.is_reachable, f"{self.user.name} to take messages")

    def is_reachable(self):
        """What the presenter knows of mesg is up to a second old."""
        return self.system.msg(self.user.name, "Ready?").status == 0

    def failed(self, words):
        return f"Error sending message to session {self.terminal.line} : {words}\n"

    def test_not_shown(self):
        self.pause_presenter()
        self.expect(self.system.msg(self.user.name, "/TIME:1", "too slowly"), 1, "",
                    self.failed("not displayed in time"))
        self.goes_on()
        self.expect(self.system.msg(self.user.name, "the next"), 0)
        self.popup("the next")

    def test_messages_disabled(self):
        """It was switched off while the message was under way."""
        self.pause_presenter()
        running = self.system.begin(self.user.name, "/V", "not now", user=self.user)
        running.wait_for("^Sending message to session")
        self.terminal.mesg(False)
        self.goes_on()
        outcome = running.finish()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 1, f"Sending message to session {self.terminal.line}, display time "
                    f"unlimited\nSession {self.terminal.line} ({self.user.name}) has messages "
                    "disabled\n", f"User {self.user.name} has messages disabled\n")
        self.assertNotIn("not now", self.terminal.screen())

    def test_logged_out_meanwhile(self):
        login = self.system.terminal(self.user, leader=["sleep", "1000"])
        self.pause_presenter()
        running = self.system.begin(login.line, "/V", "too late")
        running.wait_for("^Sending message to session")
        login.leader.kill()
        login.leader.wait()
        self.goes_on()
        outcome = running.finish()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 1, f"Sending message to session {login.line}, display time unlimited\n",
                    f"Error sending message to session {login.line} : the session has ended\n")
        self.assertNotIn("too late", login.screen())

    def test_presenter_lost(self):
        self.pause_presenter()
        running = self.system.begin(self.user.name, "/V", "to be lost")
        running.wait_for("^Sending message to session")
        process, self.system.process = self.system.process, None
        process.kill()
        outcome = running.finish()
        process.wait()
        outcome.err = without_id(outcome.err)
        self.expect(outcome, 1, f"Sending message to session {self.terminal.line}, display time "
                    "unlimited\n", self.failed("msgd-present, which was to show it, was lost"))
        self.doCleanups()


class Flood(Real):
    def sixteen(self):
        """What becomes of so many more that wait; they stay up without the connection."""
        states = []
        with self.peer() as peer:
            for _ in range(16):
                peer.request(SEND, message(self.user.name, "flood", wait=True, time_ms=60000))
            while len(states) < 16:
                events = [e for e in peer.receive()[2].get("ev", []) if e["st"] != "accepted"]
                states += [event["st"] for event in events]
                self.assertLessEqual({event.get("why") for event in events}, {None, "too-many"})
        return states

    def test_too_many(self):
        """More at once than the presenter bears for one user."""
        states = []
        while "failed" not in states and len(states) < 1000:
            states += self.sixteen()
        self.assertEqual(states.count("displayed"), 512)
        self.expect(self.system.msg(self.user.name, "one more"), 1, "", "Error sending message to "
                    f"session {self.terminal.line} : too many messages are up there already\n")


class Popups(Staged):
    """What only desktops know, or nobody can bring about: as msgd-present reports it."""

    def test_dismissed(self):
        self.start()
        self.expect(self.ends(screens.DISMISSED, "closed-by-user", words=("/W", "/V")), 3,
                    "Sending message to session pts/1, display time unlimited\n"
                    "Session pts/1 is reached on its desktop\n"
                    "Message to session pts/1 dismissed by user\n", self.ID)

    ID = re.compile("Message id .{6}\n")

    def test_helper_lost(self):
        self.start()
        self.expect(self.ends(screens.FAILED, "helper-lost"), 1, "",
                    "Error sending message to session pts/1 : its popup was lost\n")

    def test_internal(self):
        self.start()
        self.expect(self.ends(screens.FAILED, "internal", shown=False), 1, "", "Error sending message "
                    "to session pts/1 : msgd or msgd-present failed; their log says more\n")

    def test_a_popup_lost_with_its_presenter(self):
        self.start()
        running = self.begin("bob", "/W", "x")
        self.screens.shown(self.screens.order()["present"], screens.DESKTOP)
        self.screens.close()
        self.expect(running.finish(), 1, "", "Error sending message to session pts/1 : msgd-present, "
                    "which showed it, was lost\n")
        self.assertEqual(self.msgd.process.wait(5), 1)

    def test_a_reason_that_nobody_knows(self):
        """An unknown state or reason of a later presenter is a failure, told as it is."""
        self.start()
        self.expect(self.ends(screens.FAILED, "meteorite", shown=False), 1, "", re.compile(
            "Error sending message to session pts/1 : .*\n"))


if __name__ == "__main__":
    unittest.main()
