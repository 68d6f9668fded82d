# SPDX-License-Identifier: MIT
"""
msg's lines, each byte for byte, that neither an error code nor a delivery's end brings about; and the
proof that every line there is stands in a test of the real programs.
"""
import grp
import os
import re
import signal
import socket
import threading
import time
import unittest

import said
import screens
from harness import AM_ROOT, TOP, User, eventually, listens
from local_peer import SEND, message
from scripted import error
from test_cli import ME, Cli
from world import HOST, Real, Staged, stopped

UID = os.getuid()
GROUP = grp.getgrgid(os.getgid()).gr_name
ID = "Message id [0-9A-HJKMNP-TV-Z]{6}\n"


class Complete(unittest.TestCase):
    def test_every_line_stands_in_a_test(self):
        if not os.path.exists(said.LINES):
            self.skipTest("the sources are not here")
        folders = [os.path.join(TOP, "tests", name) for name in ("e2e", "interop")]
        texts = [text for folder in folders for text in said.literals(folder)]
        lines = said.templates()
        self.assertGreater(len(lines), 80)
        for name, template in lines.items():
            wanted = said.pattern(template)
            self.assertTrue(any(wanted.search(text) for text in texts), f"{name}: {template}")


class Sessions(Staged):
    """What /V remarks on the sessions of a host that has all kinds of them."""

    SESSIONS = [
        {"user": "bob", "uid": 61801, "name": ":0", "reach": screens.DESKTOP, "place": "seat",
         "flags": screens.LOCKED, "kind": "x11"},
        {"user": "bob", "uid": 61801, "name": "pts/2", "place": "seat"},
        {"user": "bob", "uid": 61801, "name": "sftp", "reach": screens.NOTHING, "terminal": ""},
        {"user": "carol", "uid": 61802, "name": "pts/3", "state": "dreaming"},
        {"user": "dave", "uid": 61803, "name": "pts/4", "reach": screens.NOTHING,
         "flags": screens.DISABLED, "why": "messages-disabled"},
        {"user": "eve", "uid": 61804, "name": "ssh", "reach": screens.NOTHING, "terminal": ""},
        {"user": "frank", "uid": 61805, "name": "carol"},
        {"user": "grace", "uid": 61806, "name": ":9", "reach": screens.DESKTOP},
    ]

    def setUp(self):
        super().setUp()
        self.start("--admin-group", GROUP, sessions=self.SESSIONS)

    def sent(self, *words, orders=1, **shown):
        running = self.begin(*words, "x")
        for _ in range(orders):
            self.screens.shown(self.screens.order()["present"], **shown)
        return running.finish()

    PLACES = ("Sending message to session :0, display time unlimited\n"
              "Session pts/2 left out, bob is reached on :0\n"
              "Session sftp (bob) left out, it has no screen or terminal\n")

    def test_places_of_one_user(self):
        self.expect(self.sent("bob", "/V", reach=screens.DESKTOP, by="dunst"), 0,
                    self.PLACES +
                    "Session :0 is reached on its desktop, by dunst\n"
                    "Session :0 is locked\n"
                    "Async message sent to session :0\n", re.compile(ID))
        self.expect(self.sent("bob"), 0)

    def test_how_a_place_is_reached(self):
        """In another way than was meant; what may keep it from being seen."""
        self.expect(self.sent("bob", "/V", reach=screens.TMUX, flags=screens.DO_NOT_DISTURB), 0,
                    self.PLACES +
                    "Session :0 is reached in tmux\n"
                    "Session :0 is locked\n"
                    "Async message sent to session :0\n", re.compile(ID))
        self.expect(self.sent("bob", "/V"), 0,
                    re.compile("(.*\n)*Session :0 is reached on its terminal\n(.*\n)*"),
                    re.compile(ID))
        self.expect(self.sent("grace", "/V", reach=screens.DESKTOP, flags=screens.DO_NOT_DISTURB), 0,
                    "Sending message to session :9, display time unlimited\n"
                    "Session :9 is reached on its desktop\n"
                    "Session :9 is set to do not disturb\n"
                    "Async message sent to session :9\n", re.compile(ID))

    def test_a_name_with_two_meanings_and_a_strange_state(self):
        self.expect(self.sent("carol", "/V"), 0,
                    "Sending message to session pts/3, display time unlimited\n"
                    "Session pts/3 is in the state dreaming\n"
                    "Async message sent to session pts/3\n",
                    re.compile("carol is taken for user:carol; there is also session:carol\n" + ID))

    def test_nobody_to_be_reached(self):
        self.expect(self.msg("dave", "x"), 1, "", "User dave has messages disabled\n")
        self.expect(self.msg("eve", "x"), 1, "",
                    "eve is logged in on h2 but has no screen or terminal there\n")
        self.expect(self.msg("id:none", "x"), 1, "", "none does not exist or is disconnected\n")
        self.expect(self.msg("user:ssh", "x"), 1, "", "ssh does not exist or is disconnected\n")

    def test_everybody(self):
        """Those who wish no messages are told with /V, and are no failure."""
        self.expect(self.sent("/ALL", orders=4), 0)
        outcome = self.sent("/ALL", "/V", orders=4)
        self.expect(outcome, 0, re.compile("(.*\n)*User dave has messages disabled\n(.*\n)*"),
                    re.compile(ID))

    def test_everybody_who_is_there_wishes_none(self):
        for handle in self.msgd.handles[:4] + self.msgd.handles[5:]:
            self.screens.gone(handle)
        eventually(lambda: self.msg("sessions", name="msgctl").out.count("\n") == 2, "one session")
        self.expect(self.msg("/ALL", "x"), 1, "",
                    "Everybody who is logged in on h2 has messages disabled\n")
        self.screens.gone(self.msgd.handles[4])
        eventually(lambda: self.msg("sessions", name="msgctl").err, "nobody")
        self.expect(self.msg("/ALL", "x"), 1, "", "Nobody is logged in on h2\n")
        self.expect(self.msg("sessions", name="msgctl"), 0, "", "Nobody is logged in on h2\n")

    def test_everybody_refuses_it_meanwhile(self):
        running = self.begin("/ALL", "x")
        for _ in range(4):
            self.screens.ended(self.screens.order()["present"], screens.FAILED, "messages-disabled")
        self.expect(running.finish(), 1, "",
                    "Everybody who is logged in on h2 has messages disabled\n")


class Mine(Staged):
    """The receiver's side of what terminals cannot ask for yet: answers."""

    def test_answers(self):
        self.start(sessions=[("me", UID, "pts/1")])
        peer = self.msgd.peer()
        peer.request(SEND, message("pts/1", "tea?", wait=True, title="Kitchen",
                                   answers=["Yes", "No"]))
        self.screens.shown(self.screens.order()["present"])
        peer.until(1, "displayed")
        self.expect(self.msg("/list", "1"), 0, re.compile(
            rf"Message 1 from {ME} \(this host\) to pts/1, \d\d:\d\d\n\| Kitchen\n\| tea\?\n"
            r"Answers: 1 Yes, 2 No\nTo confirm that you have read this, type: msg /ack 1\n"))
        self.expect(self.msg("/ack"), 1, "", "Message 1 asks for one of these answers: 1 Yes, 2 No\n")
        self.expect(self.msg("/ack", "1", "Perhaps"), 1, "",
                    "Perhaps is none of the answers to message 1: 1 Yes, 2 No\n")
        self.expect(self.msg("/V", "/ack", "1", "yes"), 0, "Message 1 acknowledged\n")
        self.assertEqual(peer.until(1, "acknowledged")["ans"], "Yes")


class Prompts(Real):
    LOGINS = 2

    def test_a_prompt(self):
        shell, other = self.terminals
        shell.type(f"msg {other.line}; echo ended $?\n")
        shell.wait_for(f"^Message to {other.line}; end it with Ctrl-D, or with a dot alone on a "
                       "line:$")
        shell.type("by hand\n.\n")
        shell.wait_for("^ended 0$")
        self.popup("by hand", other)

    def test_no_prompt_for_nobody(self):
        self.assertEqual(self.terminal.run("msg nobody-here"),
                         ("nobody-here does not exist or is disconnected\n", 1))

    def test_whom_it_waits_for(self):
        other = self.terminals[1]
        self.terminal.type(f"msg {other.line} /W 'any time'; echo ended $?\n")
        number = self.popup("any time", other)
        self.terminal.wait_for(rf"^Waiting for {self.user.name} \({other.line}\), no time limit; "
                               "Ctrl-C withdraws$")
        self.assertEqual(other.run(f"msg /ack {number}"), ("", 0))
        self.terminal.wait_for("^ended 0$")


class Empty(Real):
    CONFIG, LOGINS = {"admin-group": GROUP}, 0

    def test_nobody(self):
        self.expect(self.system.msg("/ALL", "x"), 1, "", f"Nobody is logged in on {HOST}\n")
        self.expect(self.system.msg("/ack"), 1, "", "No message waits for you\n")
        self.expect(self.system.msg("/list"), 0, "", "No messages\n")

    def test_nobody_else(self):
        """The terminal that msg runs in is left out of everybody."""
        terminal = self.system.terminal()
        self.assertEqual(terminal.run("msg /ALL x"), (f"Nobody else is logged in on {HOST}\n", 1))
        terminal.close()
        eventually(lambda: self.system.msgctl("sessions").err, "the end of the session")


class Deaf(Real):
    """msgd stands still: nothing hangs."""

    def test_no_answer(self):
        pid = self.system.msgd_pid()
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        stopped(pid)
        line = (f"Error 1722 getting session names: msgd does not answer on this host "
                f"({self.system.socket}: no answer in 5 s)\n")
        begun = time.monotonic()
        asked = [self.system.begin("/list"), self.system.begin("sessions", name="msgctl"),
                 self.system.begin(self.user.name, "/V", "x"),
                 self.system.begin(self.user.name, "never shown"),
                 self.system.begin(self.user.name, "/W", "never shown")]
        for running in asked:
            self.expect(running.finish(), 4, "", line)
        self.assertLess(time.monotonic() - begun, 8)
        os.kill(pid, signal.SIGCONT)
        self.expect(self.system.msg(self.user.name, "shown"), 0)
        self.popup("shown")
        self.assertEqual(self.terminal.count("never shown"), 0)


class Scripts(Cli):
    """What no msgd of this version says."""

    def test_a_host_that_does_not_tell(self):
        self.serve(send=lambda _: (), who=error("forbidden"))
        terminal = self.terminal()
        terminal.type("msg bob /V\n")
        terminal.wait_for("^h2 does not say who is there; the message is sent all the same$")
        terminal.wait_for("^Message to bob")

    def test_stopped_before_a_question(self):
        self.serve(who=error("shutting-down"))
        self.expect(self.msg("sessions", name="msgctl"), 4, "",
                    "Error sending message: msgd on h2 is being stopped\n")


class Refusals(Cli):
    """The refusal frame, on the Unix socket."""

    def refusing(self, code):
        path = os.path.join(self.folder, f"refuses-{code}")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen(1)

        def serve():
            peer, _ = listener.accept()
            with peer:
                peer.recv(8)
                peer.sendall(b"\0\x08REF\0" + bytes([code, 2, 3, 7]))
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(4096):
                    pass
        threading.Thread(target=serve, daemon=True).start()
        return path

    def test_refusals(self):
        for code, line in (
                (1, "msgd on {0} ({1}) speaks another version of the protocol (2 to 3); bring both "
                    "up to date"),
                (2, "msgd on {0} ({1}) refuses this kind of connection"),
                (3, "msgd on {0} ({1}) is busy; try again in 7 s"),
                (200, "msgd on {0} ({1}) refuses with the code 200")):
            with self.subTest(code):
                path = self.refusing(code)
                self.expect(self.msg("bob", "x", MSG_SOCKET=path), 4, "",
                            f"Error 1722 getting session names: {line.format(HOST, path)}\n")

    @unittest.skipUnless(AM_ROOT, "a server of nobody's is made by root")
    def test_a_server_of_another_user_namespace(self):
        home = os.path.join(self.folder, "nobody")
        os.mkdir(home)
        os.chmod(self.folder, 0o755)
        os.chown(home, 65534, 65534)
        path = os.path.join(home, "sock")
        served = User("nobody", 65534, 65534, home).popen(
            ["/usr/bin/python3", "-c", "import socket\ns = socket.socket(socket.AF_UNIX)\n"
             f"s.bind({path!r})\ns.listen(9)\nwhile True: s.accept()[0].recv(999)"])
        self.addCleanup(served.wait)
        self.addCleanup(served.kill)
        eventually(lambda: listens(path), "nobody's socket")
        self.expect(self.msg("bob", "x", MSG_SOCKET=path), 4, "", "Error 5 getting session names: the "
                    f"server at {path} is of another user namespace: it is not believed\n")


if __name__ == "__main__":
    unittest.main()
