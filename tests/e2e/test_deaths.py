# SPDX-License-Identifier: MIT
"""
What dies, and what then: each program is killed at each step, and what follows is what was promised.
Nothing hangs, and nothing is shown twice, across msgd's death too.
"""
import os
import random
import signal
import subprocess
import time
import unittest

from harness import AM_ROOT, eventually
from local_peer import ATTACH, CANCEL, ERROR, EVENT, GOAWAY, RESULT, SEND, LocalPeer, message
from system import Services, System


def last(peer, number):
    """The message that ends an id, or what came instead: None at the end, GOAWAY."""
    while True:
        got = peer.receive()
        if got is None or got[0] == GOAWAY:
            return got
        if got[1] == number and got[0] in (RESULT, ERROR):
            return got


class DeathsCase(unittest.TestCase):
    KIND = System

    def setUp(self):
        self.system = self.KIND()
        self.addCleanup(self.system.close)
        self.system.start()
        self.user = self.system.user() if AM_ROOT else self.system.me
        self.terminal = self.system.terminal(self.user)

    def peer(self):
        peer = LocalPeer(self.system.socket)
        self.addCleanup(peer.close)
        return peer

    def waiting(self, **more):
        """A raw SEND whose popup is up: the peer, its id, the map's bytes, the popup's number."""
        peer = self.peer()
        body = message(self.user.name, "please", wait=True, time_ms=60000, **more)
        number = peer.request(SEND, body)
        peer.until(number, "displayed")
        return peer, number, body, self.popup()

    def popup(self):
        return self.terminal.wait_for(r"type: msg /ack (\d+)\n").group(1)

    def assert_alive(self):
        """A message still gets through."""
        text = f"alive {random.random()}"
        outcome = self.system.msg(self.user.name, text)
        self.assertEqual(outcome.status, 0, f"{outcome} {self.system.logged()}")
        self.terminal.wait_for(text)

    def assert_not_known(self, body):
        """Whatever is asked about a message of an earlier life; nothing is shown."""
        uid = {"uid": body_uid(body)}
        with self.peer() as again:
            for kind, what in ((SEND, body), (SEND, body), (ATTACH, uid), (CANCEL, uid)):
                answer = last(again, again.request(kind, what))
                self.assertEqual((answer[0], answer[2]["code"]), (ERROR, "outcome-unknown"))


class DeathsTest(DeathsCase):
    """Embedded: the death of either daemon ends both."""

    def gone(self, process):
        eventually(lambda: process.poll() is not None, "the end of msgd-present", 10)
        self.system.process = None

    # ---- msg -------------------------------------------------------------------------------------

    def test_msg_killed_while_it_waits(self):
        running = self.system.begin(self.user.name, "/W", "/V", "please")
        number = self.popup()
        running.kill()
        time.sleep(0.3)
        self.assertNotIn("withdrawn", self.terminal.screen())
        _, status = self.terminal.run(f"msg /ack {number}")
        self.assertEqual(status, 0, self.terminal.screen())

    def test_msg_killed_at_any_moment(self):
        texts = [f"moment {i}:" for i in range(30)]
        for i, text in enumerate(texts):
            running = self.system.begin(self.user.name, "/W", "/TIME:2", text)
            time.sleep(i * 0.002)
            running.kill()
        self.assert_alive()
        for text in texts:
            self.assertLessEqual(self.terminal.count(f"| {text}"), 1)

    def test_withdrawn_when_the_sender_is_lost(self):
        peer, _, _, number = self.waiting(lost_ms=3000)
        peer.close()
        time.sleep(0.3)
        self.assertNotIn("withdrawn", self.terminal.screen())
        self.terminal.wait_for(rf"^\[{number}\] withdrawn")

    def test_kept_where_the_sender_wants_it(self):
        peer, _, body, number = self.waiting()
        uid = body_uid(body)
        peer.close()
        time.sleep(1.5)
        self.assertNotIn("withdrawn", self.terminal.screen())
        with self.peer() as again:
            request = again.request(ATTACH, {"uid": uid})
            again.until(request, "displayed")
            _, status = self.terminal.run(f"msg /ack {number}")
            self.assertEqual(status, 0, self.terminal.screen())
            self.assertEqual(last(again, request)[2]["st"], "ok")

    # ---- msgd ------------------------------------------------------------------------------------

    def kill_msgd(self):
        process = self.system.process
        os.kill(self.system.msgd_pid(), signal.SIGKILL)
        self.gone(process)

    def test_msgd_killed_under_a_popup(self):
        peer, number, body, popup = self.waiting()
        self.kill_msgd()
        self.assertIsNone(last(peer, number))
        self.terminal.wait_for(rf"^\[{popup}\] withdrawn", 5)
        self.system.start()
        self.assert_not_known(body)
        self.assert_alive()
        self.assertEqual(self.terminal.count("| please"), 1)

    def test_msgd_killed_at_any_moment_shows_nothing_twice(self):
        for i in range(12):
            with self.subTest(moment=i):
                text = f"moment {i}:"
                body = message(self.user.name, text)
                with self.peer() as peer:
                    peer.request(SEND, body)
                    time.sleep(i * 0.0007)
                    self.kill_msgd()
                self.system.start()
                with self.peer() as again:
                    answer = last(again, again.request(SEND, body))
                if answer[0] == RESULT:
                    self.terminal.wait_for(f"^. {text}")
                else:
                    self.assertEqual(answer[2]["code"], "outcome-unknown")
                self.assertLessEqual(self.terminal.count(f"| {text}"), 1)

    def test_msg_says_that_it_does_not_know(self):
        running = self.system.begin(self.user.name, "/V", "/W", "/TIME:60", "please")
        self.popup()
        self.kill_msgd()
        self.system.start()
        outcome = running.finish()
        self.assertEqual(outcome.status, 5, outcome)
        self.assertIn("was started anew", outcome.err)
        self.assertEqual(self.terminal.count("| please"), 1)

    def test_msg_gives_up_when_msgd_stays_away(self):
        running = self.system.begin(self.user.name, "/V", "/W", "/TIME:4", "please")
        self.popup()
        self.kill_msgd()
        outcome = running.finish(20)
        self.assertEqual(outcome.status, 5, outcome)

    def test_msgd_ends_cleanly(self):
        peer, number, _, popup = self.waiting()
        running = self.system.begin(self.user.name, "/V", "/W", "/TIME:60", "second")
        self.terminal.wait_for("second")
        process = self.system.process
        os.kill(self.system.msgd_pid(), signal.SIGTERM)
        states = []
        kinds = []
        while (got := peer.receive()) is not None:
            kinds.append(got[0])
            if got[0] == EVENT:
                states += [(event["st"], event.get("why")) for event in got[2].get("ev", [])]
            if got[0] == RESULT:
                self.assertEqual((got[1], got[2]["st"]), (number, "withdrawn"))
        self.assertIn(("withdrawn", "daemon-stop"), states)
        self.assertIn(RESULT, kinds)
        self.assertEqual(kinds[-1], GOAWAY)
        self.terminal.wait_for(rf"^\[{popup}\] withdrawn", 5)
        self.assertEqual(running.finish().status, 1)
        self.gone(process)

    # ---- msgd-present ----------------------------------------------------------------------------

    def test_presenter_killed_ends_msgd_clients_told_first(self):
        peer, number, _, _ = self.waiting()
        msgd = self.system.msgd_pid()
        process = self.system.process
        process.kill()
        self.assertIsNotNone(last(peer, number), "clients are told first")
        eventually(lambda: not os.path.exists(f"/proc/{msgd}"), "the end of msgd", 10)
        self.gone(process)

    def test_presenter_killed_at_any_moment(self):
        for i in range(8):
            with self.subTest(moment=i):
                text = f"moment {i}:"
                running = self.system.begin(self.user.name, "/W", "/TIME:1", text)
                time.sleep(i * 0.003)
                process = self.system.process
                msgd = self.system.msgd_pid()
                process.kill()
                self.gone(process)
                self.assertIn(running.finish(25).status, (1, 3, 4, 5))
                eventually(lambda pid=msgd: not os.path.exists(f"/proc/{pid}"), "msgd's end", 10)
                self.assertLessEqual(self.terminal.count(f"| {text}"), 1)
                self.system.start()
        self.assert_alive()

    # ---- the session -----------------------------------------------------------------------------

    def test_session_ends_under_a_popup(self):
        running = self.system.begin(self.user.name, "/V", "/W", "/TIME:60", "please")
        self.popup()
        self.terminal.hang_up()
        outcome = running.finish()
        self.assertEqual(outcome.status, 3, outcome)
        self.assertIn(f"Session {self.terminal.line} ended before user response", outcome.out)

    @unittest.skipUnless(AM_ROOT, "only root deletes users")
    def test_user_deleted_under_a_popup(self):
        """A message is the session's, which goes on until he is logged out."""
        running = self.system.begin(self.user.name, "/W", "/V", "please")
        self.popup()
        subprocess.run(["userdel", "--force", self.user.name], check=True, capture_output=True)
        time.sleep(2.5)  # sessions are looked at once a second
        self.assertIsNone(running.process.poll(), running.out)
        self.assert_alive()
        self.terminal.hang_up()
        outcome = running.finish()
        self.assertEqual(outcome.status, 3, outcome)
        self.assertIn(f"Session {self.terminal.line} ended before user response\n", outcome.out)


class ServicesTest(DeathsCase):
    """Two services: each outlives the other's death."""

    KIND = Services

    def test_msgd_killed_under_a_popup(self):
        peer, number, body, popup = self.waiting()
        self.system.kill_msgd()
        self.assertIsNone(last(peer, number))
        self.terminal.wait_for(rf"^\[{popup}\] withdrawn", 5)
        self.system.start()
        self.assert_not_known(body)
        self.assert_alive()
        self.assertEqual(self.terminal.count("| please"), 1)

    def test_terminal_outlives_the_presenter(self):
        peer, number, _, popup = self.waiting()
        self.system.kill_presenter()
        other = self.peer()
        answer = last(other, other.request(SEND, message(self.user.name, "nobody shows it")))
        self.assertEqual((answer[0], answer[2]["code"]), (ERROR, "no-presenter"))
        self.system.start()
        _, status = self.terminal.run(f"msg /ack {popup}")
        self.assertEqual(status, 0, self.terminal.screen())
        self.assertEqual(last(peer, number)[2]["st"], "ok")
        self.assert_alive()
        self.assertEqual(self.terminal.count("| please"), 1)

    def test_session_that_ended_without_a_presenter(self):
        peer, number, _, _ = self.waiting()
        self.system.kill_presenter()
        self.terminal.hang_up()
        self.system.start()
        self.assertEqual(last(peer, number)[2]["st"], "session-gone")

    def test_presenter_killed_at_any_moment(self):
        for i in range(8):
            with self.subTest(moment=i):
                text = f"moment {i}:"
                with self.peer() as peer:
                    request = peer.request(SEND, message(self.user.name, text, time_ms=2000))
                    time.sleep(i * 0.0007)
                    self.system.kill_presenter()
                    self.system.start()
                    answer = last(peer, request)
                if answer[2].get("st") == "ok":
                    self.terminal.wait_for(f"^. {text}")
                self.assertLessEqual(self.terminal.count(f"| {text}"), 1)
        self.assert_alive()


def body_uid(body):
    """The uid in the bytes that message() made."""
    start = body.index(b"\xa3uid\xc4\x10") + 6
    return body[start:start + 16]


if __name__ == "__main__":
    unittest.main()
