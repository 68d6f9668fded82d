# SPDX-License-Identifier: MIT
"""
The command line of msg through the real program against a scripted server: what reaches the server,
each line that is printed, on which stream, and each exit status.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from harness import AM_ROOT, Running, Terminal, User, eventually, listens, program
from scripted import (ACK, ATTACH, CANCEL, ERROR, EVENT, LIST, NOTE, RESULT, SEND, WHO, Lost,
                      Scripted, Story, error, messages, nothing, sessions)

ME = pwd.getpwuid(os.geteuid()).pw_name
BOB = ("bob", "pts/1", "c1")
ONE = Story([BOB], [(1, "displayed", {})])


class Cli(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="msg-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.user = User.me(self.folder)
        self.server = None

    def serve(self, **answers):
        names = {"send": SEND, "who": WHO, "ack": ACK, "list": LIST, "cancel": CANCEL,
                 "attach": ATTACH}
        if self.server:
            self.server.close()
        self.server = Scripted({names[name]: answer for name, answer in answers.items()})
        self.addCleanup(self.server.close)
        return self.server

    def environment(self, **more):
        socket = self.server.path if self.server else os.path.join(self.folder, "none.sock")
        return {"MSG_SOCKET": socket, "MSG_CONFIG_HOME": os.path.join(self.folder, "config"),
                "TZ": "UTC", **more}

    def begin(self, *words, stdin=None, name="msg", **env):
        running = Running(self.user, [program(name), *words], stdin=stdin,
                          env=self.environment(**env))
        self.addCleanup(running.kill)
        return running

    def msg(self, *words, **options):
        return self.begin(*words, **options).finish(30)

    def expect(self, outcome, status, out="", err=""):
        self.assertEqual((outcome.status, outcome.out, outcome.err), (status, out, err))

    def sent(self):
        return self.server.wait_for(SEND).body

    def terminal(self):
        """A shell at a pseudo-terminal in which msg runs."""
        folder = os.path.dirname(program("msg"))
        terminal = Terminal(self.user, env={**self.environment(),
                                            "PATH": f"{folder}:{os.environ['PATH']}"})
        self.addCleanup(terminal.close)
        return terminal


class UsageTest(Cli):
    def refused(self, part, *words):
        with self.subTest(words=words):
            outcome = self.msg(*words)
            self.assertEqual((outcome.status, outcome.out), (2, ""))
            self.assertTrue(outcome.err.startswith("Invalid parameter(s)\n"), outcome.err)
            self.assertIn(part, outcome.err.splitlines()[1])
            self.assertIn("msg {username | sessionname", outcome.err)

    def test_help_goes_to_stdout(self):
        for word in ("/?", "--help", "-h"):
            outcome = self.msg(word)
            self.assertEqual((outcome.status, outcome.err), (0, ""))
            self.assertTrue(outcome.out.endswith(
                "The shell reads some characters first: * ? ' ! &\n"
                "so quote the message, and for everybody write /ALL:\n"
                "  msg /ALL \"Let's meet at 1PM today\"\n"), outcome.out)

    def test_version(self):
        self.assertRegex(self.msg("--version").out, r"^msg \d+\.\d+\.\d+\n$")

    def test_refusals(self):
        self.refused("to whom?")
        self.refused("/home is no option; to send it as text, quote the whole message or put --",
                     "bob", "/home")
        self.refused("0 to 604800", "bob", "/TIME:604801", "x")
        self.refused("0 to 604800", "bob", "/TIME:-1", "x")
        self.refused("0 to 604800", "bob", "--time=soon", "x")
        self.refused("several servers", "bob", "/SERVER:a,b", "x")
        self.refused("groups of servers", "bob", "/SERVER:@web", "x")
        self.refused("/ANSWERS needs an argument: /ANSWERS:a,b", "bob", "/ANSWERS", "x")
        self.refused("not available in this version", "bob", "/JSON", "x")
        self.refused("port", "bob", "/SERVER:h2:0", "x")
        self.refused("/ACK takes no target", "bob", "/ACK")
        self.refused("/a\\x1Bb is no option", "/a\x1bb", "x")

    def test_an_unquoted_star(self):
        folder = os.path.join(self.folder, "work")
        os.mkdir(folder)
        for name in ("a.txt", "b.txt"):
            with open(os.path.join(folder, name), "w", encoding="ascii"):
                pass
        done = subprocess.run(f"cd {folder} && {program('msg')} * hello", shell=True, check=False,
                              capture_output=True, text=True, env={**os.environ, **self.environment()})
        self.assertEqual(done.returncode, 2)
        self.assertIn("the shell has made this folder's file names of *; for everybody: msg /ALL",
                      done.stderr)


class TextTest(Cli):
    def setUp(self):
        super().setUp()
        self.serve(send=ONE)

    def sends(self, text, *words, **options):
        with self.subTest(words=words, text=text):
            self.serve(send=ONE)
            outcome = self.msg(*words, **options)
            self.assertEqual((outcome.status, outcome.out), (0, ""), outcome)
            self.assertEqual(self.sent()["text"], text)
            return outcome.err

    def test_words(self):
        self.assertEqual(self.sends("Meet at 1PM", "bob", "Meet", "at", "1PM"), "")
        self.assertEqual(self.sends("-5 degrees tonight", "bob", "-5", "degrees", "tonight"), "")
        self.assertEqual(self.sends("/home is full", "bob", "/home is full"), "")
        self.assertEqual(self.sends("/etc/motd is new", "bob", "/etc/motd", "is", "new"), "")
        self.assertEqual(self.sends("/home", "bob", "--", "/home"), "")
        self.assertEqual(self.sends("use /W", "bob", "use", "/W"),
                         "msg: note: /W is sent as text: options end at the message's first word\n")
        self.assertEqual(self.sends("a\nb", "bob", "a\r\nb"), "")
        self.assertEqual(self.sends("gr\u00fcn", "bob", "gr\u00fcn"), "")

    def test_stdin(self):
        self.sends("two\nlines\n", "bob", stdin="two\r\nlines\n\n")
        self.sends("\u20ac", "bob", stdin="\ufeff\u20ac".encode("utf-16-le"))
        self.sends("x", "bob", stdin=b"\xef\xbb\xbfx")

    def refused(self, why, *words, **options):
        with self.subTest(why=why):
            self.expect(self.msg(*words, **options), 2, "", f"msg: {why}\n")
            self.assertEqual(self.server.requests, [])

    def test_refused_texts(self):
        self.refused("the message is empty", "bob", "")
        self.refused("the message is empty", "bob", stdin="")
        self.refused("the message is nothing but white space", "bob", " ", "\t")
        self.refused("message line 3, column 7: control character ESC", "bob",
                     stdin="a\nb\nabcdef\x1b[2J")
        self.refused("message line 1, column 2: byte 0xFF, which is not UTF-8", "bob",
                     stdin=b"a\xff")
        self.refused("the message has 32769 bytes; at most 32768 can be sent", "bob",
                     stdin="x" * 32769)
        self.refused("the message is too long; at most 32768 bytes can be sent", "bob",
                     stdin="x" * 200000)
        self.refused("title line 1, column 2: control character LF", "bob", "/TITLE:a\nb", "x")

    def test_the_longest_text_and_title(self):
        self.sends("x" * 32768, "bob", "/TITLE:" + "t" * 256, stdin="x" * 32768 + "\n")
        self.assertEqual(self.sent()["title"], "t" * 256)

    def test_prompt(self):
        for end in ("\x04", ".\n"):
            self.serve(send=ONE, who=sessions(("bob", "pts/1", "c1", "terminal", 1)))
            terminal = self.terminal()
            terminal.type("msg bob\n")
            terminal.wait_for("^Message to bob; end it with Ctrl-D, or with a dot alone on a line:")
            self.assertEqual(self.server.wait_for(WHO).body, {"to": [{"name": "bob"}]})
            terminal.type("first\nsecond.\n" + end)
            self.assertEqual(self.sent()["text"], "first\nsecond.")
            self.assertEqual(terminal.run("true")[1], 0)

    def test_no_prompt_for_nobody(self):
        def absent(_):
            yield EVENT, {"miss": [{"to": 0, "code": "no-target"}]}
            yield ERROR, {"code": "no-target"}
        self.serve(send=ONE, who=absent)
        output, status = self.terminal().run("msg eve")
        self.assertEqual((output, status), ("eve does not exist or is disconnected\n", 1))
        self.assertEqual(self.server.of(SEND), [])

    def test_who_is_missing_is_told_before_the_prompt_and_once(self):
        def some(_):
            yield EVENT, {"miss": [{"to": 1, "code": "no-target"}]}
            yield EVENT, {"who": [{"user": "bob", "name": "pts/1", "id": "c1", "reach": "terminal",
                                   "place": 1}]}
            yield RESULT, {"st": "partial", "q": 0}
        self.serve(send=Story([BOB], [(1, "displayed", {})], misses=[(1, "no-target")]), who=some)
        path = os.path.join(self.folder, "targets")
        with open(path, "w", encoding="ascii") as f:
            f.write("bob eve")
        terminal = self.terminal()
        terminal.type(f"msg @{path}; echo status $?\n")
        terminal.wait_for("^eve does not exist or is disconnected\nMessage to ")
        terminal.type("x\n.\n")
        terminal.wait_for("^status 1$")
        self.assertEqual(terminal.count("eve does not exist"), 1)

    def test_a_prompt_where_who_is_forbidden(self):
        self.serve(send=ONE, who=error("forbidden"))
        terminal = self.terminal()
        terminal.type("msg bob\n")
        terminal.wait_for("^Message to bob")
        terminal.type("x\n.\n")
        self.assertEqual(self.sent()["text"], "x")

    def test_interrupted_prompt(self):
        self.serve(send=ONE, who=sessions(("bob", "pts/1", "c1", "terminal", 1)))
        terminal = self.terminal()
        terminal.type("msg bob; echo status $?\n")
        terminal.wait_for("^Message to bob")
        terminal.type("half\x03")
        terminal.wait_for("status 130$")
        self.assertEqual(self.server.of(SEND), [])


class TargetTest(Cli):
    def to(self, *words, **options):
        self.serve(send=ONE, who=nothing)
        outcome = self.msg(*words, **options)
        self.assertEqual(outcome.status, 0, outcome)
        return self.sent()["to"]

    def file(self, text):
        path = os.path.join(self.folder, "targets")
        with open(path, "wb") as f:
            f.write(text)
        return path

    def test_words(self):
        self.assertEqual(self.to("bob", "x"), [{"name": "bob"}])
        self.assertEqual(self.to("user:bob", "x"), [{"user": "bob"}])
        self.assertEqual(self.to("session:pts/1", "x"), [{"session": "pts/1"}])
        self.assertEqual(self.to("id:7", "x"), [{"id": "7"}])
        self.assertEqual(self.to("7", "x"), [{"name": "7"}])
        self.assertEqual(self.to("*", "x"), [{"all": True}])
        self.assertEqual(self.to("/ALL", "x"), [{"all": True}])

    def test_file(self):
        path = self.file(b"\xef\xbb\xbf# us\r\nbob id:7\r\n\"a b\" bob *\n")
        wanted = [{"name": "bob"}, {"id": "7"}, {"name": "a b"}, {"all": True}]
        self.assertEqual(self.to(f"@{path}", "x"), wanted)
        self.assertEqual(self.to("@-", "x", stdin=b"bob id:7 \"a b\" *"), wanted)

    def test_long_file(self):
        names = [f"u{i}" for i in range(1025)]
        self.serve(send=ONE)
        outcome = self.msg(f"@{self.file(' '.join(names).encode())}", "x")
        self.assertEqual(outcome.status, 0, outcome)
        lists = sorted((r.body["to"] for r in self.server.of(SEND)), key=lambda to: to[0]["name"])
        self.assertEqual(sorted(len(to) for to in lists), [1, 512, 512])
        self.assertEqual(self.server.connections, 1)
        self.assertEqual(sorted(s["name"] for to in lists for s in to), sorted(names))
        self.assertEqual(len({r.body["uid"] for r in self.server.of(SEND)}), 3)

    def test_refused_files(self):
        path = self.file(b"bob\n@other\n")
        self.expect(self.msg(f"@{path}", "x"), 2, "", f"msg: {path}:2: target files do not nest\n")
        self.expect(self.msg("@/nonexistent", "x"), 2, "", "msg: /nonexistent: no such file\n")
        self.expect(self.msg("@", "x"), 2, "", "msg: the name of a file is missing behind @\n")
        self.expect(self.msg("@-", stdin="bob"), 2, "",
                    "msg: stdin holds the targets: the message must stand on the command line\n")
        path = self.file(b"x" * 65537)
        self.expect(self.msg(f"@{path}", "x"), 2, "",
                    f"msg: {path}: a target file has at most 65536 bytes\n")
        self.expect(self.msg("user:", "x"), 2, "", "msg: user:: a name is missing\n")

    def test_unknown_ones_are_reported_and_the_others_sent(self):
        self.serve(send=Story([BOB], [(1, "displayed", {})], misses=[(1, "no-target")]))
        self.expect(self.msg(f"@{self.file(b'bob eve')}", "x"), 1, "",
                    "eve does not exist or is disconnected\n")


class RequestTest(Cli):
    def body(self, *words, **options):
        self.serve(send=options.pop("send", ONE))
        self.msg(*words, **options)
        return self.sent()

    def test_plain(self):
        body = self.body("bob", "x")
        self.assertEqual(len(body.pop("uid")), 16)
        self.assertEqual(body, {"to": [{"name": "bob"}], "text": "x"})

    def test_all_options(self):
        story = Story([BOB], [(1, "displayed", {}), (1, "acknowledged", {})])
        body = self.body("/w", "--time", "30", "bob", "/EACH", "/NOTME", "--title=T", "x", send=story)
        body.pop("uid")
        self.assertEqual(body, {"to": [{"name": "bob"}], "not": [{"me": True}], "text": "x",
                                "title": "T", "wait": True, "time_ms": 30000, "each": True,
                                "lost_ms": 60000})

    def test_default_time(self):
        os.mkdir(os.path.join(self.folder, "config"), 0o700)
        path = os.path.join(self.folder, "config", "msg.conf")
        with open(path, "w", encoding="ascii") as f:
            f.write("[msg]\ndefault_time = 2m\n")
        self.assertEqual(self.body("bob", "x")["time_ms"], 120000)
        self.assertEqual(self.body("bob", "/TIME:5", "x")["time_ms"], 5000)
        self.assertNotIn("time_ms", self.body("bob", "/TIME:0", "x"))
        with open(path, "w", encoding="ascii") as f:
            f.write("[msg]\nnonsense = 1\n")
        outcome = self.msg("bob", "x")
        self.assertEqual(outcome.status, 2)
        self.assertIn(f"{path}:2: ", outcome.err)


class LineTest(Cli):
    """CLI's lines, each by the events or the error that lead to it."""

    def story(self, words, status, happens, out="", err="", deliveries=(BOB,), **more):
        with self.subTest(happens=happens, words=words):
            self.serve(send=Story(list(deliveries), happens, **more))
            outcome = self.msg("bob", *words, "x")
            shown = re.sub(r"Message id [0-9A-HJKMNP-TV-Z]{6}\n$", "", outcome.err)
            self.assertEqual((outcome.status, outcome.out, shown), (status, out, err))
            self.assertEqual("/V" in words, shown != outcome.err)

    SENDING = "Sending message to session pts/1, display time unlimited\n"
    SHOWN = (1, "displayed", {})

    def test_silent_success(self):
        self.story([], 0, [self.SHOWN])
        self.story(["/W"], 0, [self.SHOWN, (1, "acknowledged", {})])

    def test_displayed(self):
        self.story(["/V"], 0, [self.SHOWN],
                   self.SENDING + "Async message sent to session pts/1\n")
        self.story(["/V", "/TIME:30"], 0, [self.SHOWN],
                   "Sending message to session pts/1, display time 30\n"
                   "Async message sent to session pts/1\n")

    def waited(self, status, state, more, line, err=""):
        self.story(["/V", "/W"], status, [self.SHOWN, (1, state, more)], self.SENDING + line, err)
        self.story(["/W"], status, [self.SHOWN, (1, state, more)],
                   f"{more['ans']}\n" if "ans" in more else "", err)

    def test_what_becomes_of_it(self):
        self.waited(0, "acknowledged", {}, "Message to session pts/1 responded to by user\n")
        self.waited(0, "acknowledged", {"ans": "Yes"},
                    "Message to session pts/1 responded to by user: Yes\n")
        self.waited(3, "timed-out", {"why": "no-answer"},
                    "Timeout on message to session pts/1 before user response\n")
        self.waited(3, "dismissed", {"why": "closed-by-user"},
                    "Message to session pts/1 dismissed by user\n")
        self.waited(3, "session-gone", {"why": "hangup"},
                    "Session pts/1 ended before user response\n")
        self.waited(0, "withdrawn", {"why": "answered-elsewhere", "by": ":0"},
                    "Message to session pts/1 withdrawn, answered in session :0\n")

    def test_withdrawn_otherwise(self):
        for why, words in (("sender-lost", "withdrawn, the connection was lost for too long"),
                           ("revoked", "withdrawn, your key was revoked"),
                           ("daemon-stop", "withdrawn, msgd was stopped")):
            self.waited(1, "withdrawn", {"why": why}, "",
                        f"Error sending message to session pts/1 : {words}\n")

    def test_failures(self):
        for why, words in (("terminal-stopped", "terminal is stopped"),
                           ("too-many", "too many messages are up there already"),
                           ("presenter-lost", "msgd-present, which was to show it, was lost"),
                           ("helper-lost", "its popup was lost"),
                           ("internal", "msgd or msgd-present failed; their log says more"),
                           ("gr\u00fcn\u202e", "gr\u00fcn<U+202E>")):
            self.story([], 1, [(1, "failed", {"why": why})], "",
                       f"Error sending message to session pts/1 : {words}\n")
        self.story([], 1, [(1, "timed-out", {"why": "not-shown"})], "",
                   "Error sending message to session pts/1 : not displayed in time\n")
        self.story([], 1, [(1, "session-gone", {"why": "logout"})], "",
                   "Error sending message to session pts/1 : the session has ended\n")

    def test_messages_disabled(self):
        self.story(["/V"], 1, [(1, "failed", {"why": "messages-disabled"})],
                   self.SENDING + "Session pts/1 (bob) has messages disabled\n",
                   "User bob has messages disabled\n")

    def test_remarks(self):
        self.serve(send=Story([("bob", ":0", "c1")], [(1, "displayed", {"why": "locked"})],
                              misses=[(0, "reached-elsewhere", "bob", "pts/2", ":0"),
                                      (0, "no-screen", "bob", "sftp"),
                                      (0, "messages-disabled", "bob", "pts/4"),
                                      (0, "of-next-year", "bob", "pts/5")]),
                   who=sessions(("bob", ":0", "c1", "desktop", 1), ("eve", "bob", "c4", "tmux", 3)))
        outcome = self.msg("bob", "/V", "x")
        self.assertEqual(outcome.status, 0)
        self.assertEqual(outcome.out,
                         "Sending message to session :0, display time unlimited\n"
                         "Session pts/2 left out, bob is reached on :0\n"
                         "Session sftp (bob) left out, it has no screen or terminal\n"
                         "Session pts/4 (bob) has messages disabled\n"
                         "Session :0 is locked\n"
                         "Async message sent to session :0\n")
        self.assertRegex(outcome.err, "^bob is taken for user:bob; there is also session:bob\n"
                                      "Message id .{6}\n$")

    def test_notes(self):
        def noting(request):
            yield NOTE, {"code": "hint", "msg": "mind\x1bit".replace("\x1b", "\u202e")}
            yield from ONE(request)
        self.serve(send=noting)
        self.assertIn("h2 notes: mind<U+202E>it\n", self.msg("bob", "/V", "x").err)
        self.expect(self.msg("bob", "x"), 0)

    def test_hostile_names(self):
        hostile = "\u202epts/1"
        self.story(["/V"], 0, [self.SHOWN],
                   "Sending message to session <U+202E>pts/1, display time unlimited\n"
                   "Async message sent to session <U+202E>pts/1\n",
                   deliveries=[("bob", hostile, "c1")])


class ErrorTest(Cli):
    """Every error code, each way of not being answered."""

    def code(self, code, status, line, target="bob", misses=(), **more):
        def answer(_):
            if misses:
                yield EVENT, {"miss": [dict(zip(("to", "code", "user"), m)) for m in misses]}
            yield ERROR, {"code": code, **more}
        with self.subTest(code=code, target=target):
            self.serve(send=answer)
            self.expect(self.msg(target, "x"), status, "", line + "\n")

    def test_targets(self):
        self.code("no-target", 1, "bob does not exist or is disconnected", misses=[(0, "no-target")])
        self.code("no-target", 1, "bob does not exist or is disconnected")
        self.code("no-target", 1, "bob@h3 does not exist or is disconnected; for another host: "
                  "msg bob /SERVER:h3", target="bob@h3")
        self.code("no-target", 1, "Nobody is logged in on h2", target="*")
        self.code("no-target", 1, "Nobody else is logged in on h2", target="*",
                  misses=[(0, "left-out")])
        self.code("no-target", 1, "bob has no session on h2 but those left out",
                  misses=[(0, "left-out")])
        self.code("no-target", 1, "bob is logged in on h2 but has no screen or terminal there",
                  misses=[(0, "no-screen", "bob")])
        self.code("no-target", 1, "User bob has messages disabled",
                  misses=[(0, "messages-disabled", "bob")])
        self.code("no-target", 1, "Error sending message to bob : strange",
                  misses=[(0, "strange")])
        self.code("forbidden", 1, f"Error 5 getting session names: {ME} may not message bob on this "
                  "host")
        self.code("forbidden", 1, f"Error 5 getting session names: {ME} may not message all sessions "
                  "on this host; root may, and the group that msgd.conf names", target="*")

    def test_refusals(self):
        prefix = "Error sending message: "
        self.code("busy", 4, prefix + "h2 is busy; try again in 3 s", retry_ms=3000)
        self.code("rate-limited", 4, prefix + "too many messages to h2; try again in 2 s",
                  retry_ms=1500)
        self.code("shutting-down", 4, prefix + "msgd on h2 is being stopped")
        self.code("no-presenter", 4,
                  prefix + "msgd on h2 has lost msgd-present, which shows messages")
        self.code("unauthorized", 4, "Error 5 getting session names: msgd does not serve "
                  f"{ME}: this uid is nobody's")

    def test_faults(self):
        prefix = "Error sending message: h2 answers "
        self.code("bad-text", 2, prefix + "bad-text: it finds the text not fit to show")
        self.code("too-large", 2, prefix + "too-large: the text is too long for it", at="text")
        self.code("too-large", 1, prefix + "too-large: something is too long for it", at="to.0")
        self.code("too-many", 1, prefix + "too-many: too many sessions for one message")
        self.code("conflict", 1, prefix + "conflict: it has another message of that id")
        self.code("unsupported", 1, prefix + "unsupported: it cannot do that")
        self.code("bad-message", 1, prefix + "bad-message: it does not understand the request")
        self.code("internal", 1, prefix + "internal: its own fault; its log says more")
        self.code("new-code", 1, prefix + "new-code: <U+202E>why", msg="\u202ewhy")
        self.code("new-code", 1, prefix + "new-code: no reason given")

    def test_unknown_outcomes(self):
        self.code("outcome-unknown", 5, "Error sending message: msgd on h2 was started anew; what "
                  "became of the message is not known")
        self.code("moved", 5, "Error sending message: another connection follows this message; what "
                  "became of it is not known here")

    def test_not_running(self):
        path = self.environment()["MSG_SOCKET"]
        self.expect(self.msg("bob", "x"), 4, "", "Error 1722 getting session names: msgd is not "
                    f"running on this host ({path}: no such file)\n")
        if not os.path.exists("/run/msgd/msgd.sock"):
            self.expect(self.msg("bob", "x", MSG_SOCKET=""), 4, "",
                        "Error 1722 getting session names: msgd is not running on this host "
                        "(/run/msgd/msgd.sock: no such file); start it: systemctl start msgd.socket\n")
        self.serve()
        self.server.listener.shutdown(socket.SHUT_RDWR)  # a close alone would leave accept() waiting
        self.server.listener.close()
        self.expect(self.msg("bob", "x"), 4, "", "Error 1722 getting session names: msgd is not "
                    f"running on this host ({self.server.path}: connection refused)\n")

    def test_nobody_answers_over_tcp(self):
        self.expect(self.msg("bob", "/SERVER:127.0.0.1:1", "x"), 4, "",
                    "Error 1722 getting session names: cannot reach msgd on 127.0.0.1:1 "
                    "(127.0.0.1 port 1: connection refused); where it fails, step by step: "
                    "msgctl doctor 127.0.0.1:1\n")

    @unittest.skipUnless(AM_ROOT, "a server of another user's is made by root")
    def test_a_server_of_another_user(self):
        self.serve(send=ONE)
        user = User.make()
        self.addCleanup(user.remove)
        os.chmod(self.folder, 0o755)
        self.user = user
        # The scripted server is root's, which is believed; one of a third user's is not.
        other = User.make()
        self.addCleanup(other.remove)
        path = os.path.join(other.home, "sock")
        os.chmod(other.home, 0o755)
        served = other.popen(["/usr/bin/python3", "-c",
                              "import socket,sys,os\ns=socket.socket(socket.AF_UNIX)\n"
                              f"s.bind({path!r})\nos.chmod({path!r},0o666)\ns.listen(9)\n"
                              "while True: s.accept()[0].recv(999)"])
        self.addCleanup(served.wait)
        self.addCleanup(served.kill)
        eventually(lambda: listens(path), "the other's socket")
        self.expect(self.msg("bob", "x", MSG_SOCKET=path), 4, "",
                    f"Error 5 getting session names: the server at {path} runs as uid {other.uid}, "
                    "not as root or _msgd: it is not believed\n")


class WaitingTest(Cli):
    """Signals, lost connections, and what is said while msg waits."""

    def waiting(self, *words, **answers):
        """msg /W, up to a popup that nobody answers unless `released` is set."""
        self.released = threading.Event()

        def waits(request):
            for kind, body in Story([BOB], [(1, "displayed", {}), (1, "end", {})])(request):
                if kind == RESULT or body["ev"][0]["st"] == "end":
                    break
                yield kind, body
            self.released.wait(20)
            yield EVENT, {"ev": [{"q": 3, "d": 1, "st": "withdrawn", "why": "by-sender", "fin": True,
                                  "at": 1}]}
            yield RESULT, {"st": "withdrawn", "q": 3}

        def cancel(request):
            yield from nothing(request)
            self.released.set()
        self.serve(send=waits, **{"cancel": cancel, **answers})
        return words

    def test_signals_withdraw(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                running = self.begin(*self.waiting("bob", "/W", "/V", "x"))
                running.wait_for("^Sending message")
                running.process.send_signal(number)
                outcome = running.finish()
                self.assertEqual(outcome.status, 128 + number, outcome)
                self.assertEqual(self.server.wait_for(CANCEL).body, {"uid": self.sent()["uid"]})
                self.assertIn("Message to session pts/1 withdrawn\n", outcome.out)

    def test_a_second_signal_ends_it_at_once(self):
        running = self.begin(*self.waiting("bob", "/W", "/V", "x", cancel=lambda _: ()))
        running.wait_for("^Sending message")
        running.process.send_signal(signal.SIGTERM)
        self.server.wait_for(CANCEL)
        self.assertIsNone(running.process.poll())
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.finish(3).status, 128 + signal.SIGTERM)

    def test_a_server_that_does_not_withdraw(self):
        running = self.begin(*self.waiting("bob", "/W", "/V", "x", cancel=lambda _: ()))
        running.wait_for("^Sending message")
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.finish(10).status, 130)

    def test_ignored_signals_stay_ignored(self):
        self.waiting()
        shell = f"trap '' INT; {program('msg')} bob /W x"
        running = Running(self.user, ["/bin/sh", "-c", shell], env=self.environment())
        self.addCleanup(running.kill)
        self.server.wait_for(SEND)
        os.killpg(running.process.pid, signal.SIGINT)
        time.sleep(0.3)
        self.assertIsNone(running.process.poll())
        self.assertEqual(self.server.of(CANCEL), [])
        os.killpg(running.process.pid, signal.SIGTERM)

    def test_said_while_waiting(self):
        self.waiting()
        terminal = self.terminal()
        terminal.type("msg bob /W x\n")
        self.server.wait_for(SEND)
        began = time.monotonic()
        terminal.wait_for(r"^Waiting for bob \(pts/1\), no time limit; Ctrl-C withdraws$")
        self.assertGreater(time.monotonic() - began, 2)
        terminal.type("\x03")
        self.server.wait_for(CANCEL)
        self.assertEqual(terminal.run("true")[1], 0)

    def test_nothing_is_said_with_a_limit(self):
        self.waiting()
        terminal = self.terminal()
        terminal.type("msg bob /W /TIME:60 x\n")
        self.server.wait_for(SEND)
        time.sleep(4)
        self.assertNotIn("Waiting", terminal.screen())
        terminal.type("\x03")

    def test_lost_before_an_event_the_same_is_sent_again(self):
        def lossy(request):
            if request.connection.number == 1:
                raise Lost
            yield from ONE(request)
        self.serve(send=lossy)
        outcome = self.msg("bob", "x")
        self.assertEqual(outcome.status, 0, outcome)
        first, second = self.server.of(SEND)
        self.assertEqual(first.raw[3:], second.raw[3:])

    def test_lost_after_an_event_it_attaches(self):
        def lossy(_):
            yield EVENT, {"n": 1, "ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1, "user": "bob",
                                          "sess": "pts/1", "id": "c1"}]}
            time.sleep(0.2)
            raise Lost

        def attach(request):
            yield EVENT, {"re": True, "ev": [{"q": 2, "d": 1, "st": "displayed", "at": 1}]}
            yield EVENT, {"ev": [{"q": 3, "d": 1, "st": "acknowledged", "fin": True, "at": 1}]}
            yield RESULT, {"st": "ok", "q": 3}
        self.serve(send=lossy, attach=attach)
        outcome = self.msg("bob", "/W", "/V", "x")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertEqual(self.server.wait_for(ATTACH).body,
                         {"uid": self.sent()["uid"], "after": 1})
        self.assertIn("responded to by user\n", outcome.out)
        self.assertIn("The connection to h2 was lost; connecting again\n", outcome.err)

    def test_lost_for_good(self):
        def lossy(_):
            yield EVENT, {"n": 1, "ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1, "user": "bob",
                                          "sess": "pts/1", "id": "c1"}]}
            self.server.close()
            raise Lost
        self.serve(send=lossy)
        self.expect(self.msg("bob", "x"), 5, "", f"Error sending message: the connection to h2 was lost "
                    f"({self.server.path}); whether it was shown is not known\n")

    def test_another_life_of_msgd(self):
        def lossy(_):
            yield EVENT, {"n": 1, "ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1, "user": "bob",
                                          "sess": "pts/1", "id": "c1"}]}
            time.sleep(0.2)
            raise Lost
        for code in ("outcome-unknown", "unknown-uid"):
            self.serve(send=lossy, attach=error(code))
            outcome = self.msg("bob", "x")
            self.expect(outcome, 5, "", "Error sending message: msgd on h2 was started anew; what "
                        "became of the message is not known\n")

    def test_refused_when_it_comes_back(self):
        """The message is there: that nobody follows it now does not mean that it was not sent."""
        def lossy(_):
            yield EVENT, {"n": 1, "ev": [{"q": 1, "d": 1, "st": "accepted", "at": 1, "user": "bob",
                                          "sess": "pts/1", "id": "c1"}]}
            raise Lost
        for code in ("busy", "internal", "revoked"):
            self.serve(send=lossy, attach=error(code))
            self.expect(self.msg("bob", "x"), 5, "", f"Error sending message: h2 answers {code}; "
                        "what became of the message is not known; ask later: msgctl status\n")
            self.assertEqual([len(self.server.of(kind)) for kind in (SEND, ATTACH)], [1, 1])


class OwnTerminalTest(Cli):
    """The terminal msg runs in."""

    def setUp(self):
        super().setUp()
        self.serve()
        self.shell = self.terminal()
        self.mine = (ME, self.shell.line, "c3", "terminal", 3)
        self.other = (ME, "pts/7777", "c4", "terminal", 4)

    def run_msg(self, command, *there):
        self.server.requests.clear()
        self.server.answers[WHO] = sessions(*there)
        self.server.answers[SEND] = Story([(ME, self.shell.line, "c3")], [(1, "displayed", {})])
        output, status = self.shell.run(f"msg {command}")
        return self.server.of(SEND)[0].body, output, status

    def test_left_out_of_everybody(self):
        body, output, status = self.run_msg("/ALL x", self.mine, self.other)
        self.assertEqual(body["not"], [{"session": self.shell.line}])
        self.assertEqual((output, status), ("", 0))

    def test_left_out_of_ones_own_name(self):
        body, _, _ = self.run_msg(f"{ME} x", self.mine, self.other)
        self.assertEqual(body["not"], [{"session": self.shell.line}])

    def test_alone(self):
        for target in (ME, self.shell.line):
            body, output, status = self.run_msg(f"{target} x", self.mine)
            self.assertNotIn("not", body)
            self.assertEqual((output, status), ("", 0))

    def test_alone_and_waited_for(self):
        for target in (ME, self.shell.line):
            body, output, status = self.run_msg(f"{target} /W x", self.mine)
            self.assertNotIn("not", body)
            self.assertNotIn("wait", body)
            self.assertEqual((output, status), (f"{self.shell.line} is this terminal; answer from a "
                                                "second one\n", 1))

    def test_notme_leaves_out_all_of_mine(self):
        body, _, _ = self.run_msg("/ALL /NOTME x", self.mine, self.other)
        self.assertEqual(body["not"], [{"me": True}])


class ReceiverTest(Cli):
    WAITS = {"number": 7, "text": "The server goes down\nat 18:00", "st": "displayed", "wait": True}
    ENDED = {"number": 6, "text": "Lunch", "st": "timed-out", "ended": 1_800_000_060_000}

    def test_list(self):
        self.serve(list=messages(self.ENDED, self.WAITS))
        self.expect(self.msg("/list"), 0,
                    "   6  08:00  alice (this host): Lunch  [timed-out 08:01]\n"
                    "*  7  08:00  alice (this host): The server goes down\n")
        self.expect(self.msg("/LIST", "7"), 0,
                    "Message 7 from alice (this host) to pts/3, 08:00\n"
                    "| The server goes down\n| at 18:00\n"
                    "To confirm that you have read this, type: msg /ack 7\n")
        self.expect(self.msg("/LIST", "8"), 1, "", "You have no message 8\n")
        self.serve()
        self.expect(self.msg("/LIST"), 0, "", "No messages\n")

    def test_ack(self):
        self.serve(list=messages(self.ENDED, self.WAITS))
        self.expect(self.msg("/ack"), 0)
        self.assertEqual(self.server.wait_for(ACK).body, {"number": 7})
        self.serve()
        self.expect(self.msg("/ack", "/V"), 1, "", "No message waits for you\n")
        self.expect(self.msg("/V", "/ack", "9"), 0, "Message 9 acknowledged\n")
        self.expect(self.msg("--ack", "9", "Not", "now"), 0)
        self.assertEqual(self.server.wait_for(ACK, 2).body, {"number": 9, "answer": "Not now"})

    def test_several_wait(self):
        self.serve(list=messages(self.WAITS, {**self.WAITS, "number": 8}))
        self.expect(self.msg("/ack"), 1,
                    "*  7  08:00  alice (this host): The server goes down\n"
                    "*  8  08:00  alice (this host): The server goes down\n",
                    "Several messages wait for you; say which: msg /ack 8\n")
        self.assertEqual(self.server.of(ACK), [])

    def test_too_late(self):
        self.serve(list=messages(self.ENDED), ack=error("too-late"))
        self.expect(self.msg("/ack", "6"), 1, "",
                    "The message from alice (this host) (08:00) ended at 08:01\n")
        self.serve(ack=error("no-target"))
        self.expect(self.msg("/ack", "6"), 1, "", "You have no message 6\n")

    def test_answers(self):
        asks = {**self.WAITS, "answers": ["Yes", "No"]}
        self.serve(list=messages(asks), ack=error("bad-message", at="answer"))
        self.expect(self.msg("/ack", "7", "Maybe"), 1, "",
                    "Maybe is none of the answers to message 7: 1 Yes, 2 No\n")
        self.expect(self.msg("/ack", "7"), 1, "",
                    "Message 7 asks for one of these answers: 1 Yes, 2 No\n")
        self.serve(list=messages(self.WAITS), ack=error("bad-message", at="answer"))
        self.expect(self.msg("/ack", "7", "Maybe"), 1, "",
                    "Message 7 offers no answers; acknowledge it with: msg /ack 7\n")
        self.expect(self.msg("/ack", "7", "x" * 65), 2, "",
                    "msg: the answer has 65 bytes; at most 64 can be sent\n")

    def test_an_answer_is_asked_for(self):
        """At a terminal, until one fits or none is typed."""
        asks = {**self.WAITS, "answers": ["Yes", "No"]}

        def acknowledge(request):
            if request.body.get("answer") == "No":
                yield RESULT, {"st": "ok", "q": 0}
            else:
                yield ERROR, {"code": "bad-message", "at": "answer"}
        self.serve(list=messages(asks), ack=acknowledge)
        terminal = self.terminal()
        terminal.type("msg /ack 7; echo status=$?\n")
        terminal.wait_for("Message 7 asks for one of these answers: 1 Yes, 2 No\n")
        terminal.type("Perhaps\n")
        terminal.wait_for("Perhaps is none of the answers to message 7: 1 Yes, 2 No\n")
        terminal.type("No\n")
        terminal.wait_for("status=0")
        terminal.type("msg /ack 7; echo status=$?\n")
        terminal.type("\n")
        terminal.wait_for("status=1")
        self.assertEqual([a.body.get("answer") for a in self.server.of(ACK)],
                         [None, "Perhaps", "No", None])

    @unittest.skipUnless(AM_ROOT, "root at another's terminal")
    def test_at_anothers_terminal(self):
        self.serve(ack=error("no-target"))
        user = User.make()
        self.addCleanup(user.remove)
        terminal = self.terminal()
        os.chown(terminal.path, user.uid, -1)
        for command, number in (("msg /ack 7", " 7"), ("msg /ack", "")):
            output, status = terminal.run(command)
            self.assertEqual((output, status), (f"This terminal is {user.name}'s, and you are root: "
                                                f"sudo -u {user.name} msg /ack{number}\n", 1))


class MsgctlTest(Cli):
    def test_sessions(self):
        self.serve(who=sessions(("bob", "pts/1", "c1", "terminal", 1), idle_s=125, type="tty",
                                state="active"))
        outcome = self.msg("sessions", name="msgctl")
        self.assertEqual(outcome.status, 0, outcome)
        lines = outcome.out.splitlines()
        self.assertRegex(lines[0], "^ID +NAME +USER +TYPE +STATE +FROM +IDLE +LOCKED +REACHED BY$")
        self.assertRegex(lines[1], "^c1 +pts/1 +bob +tty +active +- +2m +- +terminal$")
        outcome = self.msg("sessions", "--json", name="msgctl")
        self.assertIn('{"schema":1,"id":"c1","name":"pts/1","user":"bob"', outcome.out)
        self.serve(who=sessions(("bob", "pts/1", "c1", "terminal", 1), by=":0", locked=True))
        self.assertRegex(self.msg("sessions", name="msgctl").out.splitlines()[1],
                         r"^c1 +pts/1 +bob +- +- +- +0s +yes +terminal \(left out for :0\)$")
        self.assertIn('"by":":0"', self.msg("sessions", "--json", name="msgctl").out)
        self.serve(who=sessions(("bob", "9", "c1", "nothing", 1), why="no-screen"))
        self.assertRegex(self.msg("sessions", name="msgctl").out.splitlines()[1],
                         r" nothing \(no-screen\)$")
        self.serve(who=error("forbidden"))
        self.expect(self.msg("sessions", name="msgctl"), 1, "", "Error 5 getting session names: "
                    f"{ME} may not ask who is logged in on this host\n")
        self.serve()
        self.expect(self.msg("sessions", name="msgctl"), 0, "", "Nobody is logged in on h2\n")

    def test_ping(self):
        self.serve()
        outcome = self.msg("ping", name="msgctl")
        self.assertEqual(outcome.status, 0, outcome)
        self.assertRegex(outcome.out, rf"^msgd on h2 \({re.escape(self.server.path)}\) answers in "
                                      r"\d+\.\d ms; it knows you as tester\n$")
        outcome = self.msg("ping", "--json", name="msgctl")
        self.assertIn('"you":"tester"', outcome.out)
        self.server.close()
        self.assertEqual(self.msg("ping", name="msgctl").status, 4)

    def test_ping_of_a_host_that_refuses(self):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", 6743)) == 0:
                self.skipTest("something listens on port 6743")
            probe.close()
        hint = "its administrator can run: systemctl enable --now msgd-tcp.socket\n"
        for host, hinted in (("127.0.0.1", True), ("127.0.0.1:1", False)):
            outcome = self.msg("ping", host, name="msgctl")
            self.assertEqual(outcome.status, 4, outcome)
            self.assertIn("connection refused); where it fails, step by step: msgctl doctor "
                          f"{host}\n", outcome.err)
            self.assertEqual(outcome.err.endswith(hint), hinted, outcome.err)


if __name__ == "__main__":
    unittest.main()
