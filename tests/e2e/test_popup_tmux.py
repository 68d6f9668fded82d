# SPDX-License-Identifier: MIT
"""
msgd-popup in tmux: a real server and a real client on a pseudo-terminal of another user's (as root),
or one's own. The presenter's end of the socket is played here.
"""
import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import unittest

from boundary import (ACKNOWLEDGED, DISMISSED, ENDED, FAILED, POPUP, PRESENT, SESSION_GONE, SHOWN,
                      TIMED_OUT, WAIT, Message, datagram)
from harness import AM_ROOT, WAIT as PATIENCE, Terminal, User, eventually, program, stop
from system import System

TMUX = shutil.which("tmux")
REACH_TMUX = 2
STILL, ALONE = 1.3, 0.5  # a little more than the popup's own
IDLE = 3.2               # until a client counts as still


class Server:
    """A tmux server of a user's and its clients."""

    def __init__(self, user, name=None, folder=None):
        self.user = user
        self.name = name or f"msg-{secrets.token_hex(4)}"
        self.told = folder  # another place than tmux' own
        self.socket = f"{folder or f'/tmp/tmux-{user.uid}'}/{self.name}"
        self.clients = []

    def attach(self, *command):
        client = Terminal(self.user, leader=[TMUX, "-f", "/dev/null",
                                             *(["-S", self.socket] if self.told else ["-L", self.name]),
                                             *(command or ["new-session"])],
                          env={"TERM": "xterm", "SHELL": "/bin/sh", "PS1": "$ "})
        self.clients.append(client)
        eventually(lambda: client.path in self.run("list-clients", "-F", "#{client_tty}").stdout,
                   "the client")
        client.wait_for(r"\$ ")
        return client

    def run(self, *arguments):
        process = self.user.popen([TMUX, "-N", "-S", self.socket, *arguments],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        out, err = process.communicate(timeout=15)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def free(self, client):
        """True if no popup is open there: one can be opened."""
        return self.run("display-popup", "-E", "-c", client.path, "sh", "-c", "exit 9").returncode == 9

    def buffers(self):
        return [line for line in self.run("list-buffers").stdout.splitlines() if "msgd-" in line]

    def close(self):
        self.run("kill-server")
        for client in self.clients:
            client.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)  # tmux leaves it behind


def text_of(client):
    """What was drawn, without what steers the terminal."""
    return re.sub(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()].|[=>78M])", "\n", client.screen())


class Helper:
    """One msgd-popup, and what it says."""

    def __init__(self, user, client, text="Lunch?", sender="alice (this host)", title="", answers=(),
                 wait=True, life_ms=60000, number=7):
        self.sock, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = user.popen([program("msgd-popup")], stdin=subprocess.DEVNULL,
                                  pass_fds=(3,) if its.fileno() == 3 else (its.fileno(), 3),
                                  preexec_fn=lambda: os.dup2(its.fileno(), 3))
        its.close()
        parts = [part.encode() for part in (sender, title, "".join(a + "\n" for a in answers), text)]
        line = client if isinstance(client, str) else client.line
        self.sock.send(datagram(POPUP, REACH_TMUX, 0, user.name.encode(), line.encode()))
        self.sock.send(datagram(PRESENT, 1, 2, 3, life_ms, int(time.time() * 1000), number,
                                WAIT if wait else 0, len(parts[0]), len(parts[1]), len(parts[2]), 0,
                                text=b"".join(parts)))

    def receive(self, timeout):
        self.sock.settimeout(timeout)
        data = self.sock.recv(4096)
        if not data:
            raise EOFError
        return Message(data)

    def shown(self, timeout=10):
        message = self.receive(timeout)
        assert message.verb == SHOWN and message.reach == REACH_TMUX, message
        return message

    def ended(self, how, why="", timeout=10):
        message = self.receive(timeout)
        assert message.verb == ENDED and (message.how, message.why) == (how, why), message
        self.finish()
        return message

    def nothing(self, seconds):
        try:
            message = self.receive(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"it says {message}")

    def finish(self, timeout=5):
        assert self.process.wait(timeout) == 0, self.process.returncode

    def close(self):
        self.sock.close()
        stop(self.process, signal.SIGKILL)


@unittest.skipUnless(TMUX, "tmux is not installed")
class TestCase(unittest.TestCase):
    def setUp(self):
        if AM_ROOT:
            self.user = User.make()
            self.addCleanup(self.user.remove)
            self.addCleanup(shutil.rmtree, f"/tmp/tmux-{self.user.uid}", ignore_errors=True)
        else:
            self.user = User.me("/tmp")
        self.server = self.serve()
        self.client = self.server.attach()

    def serve(self, name=None, **options):
        server = Server(self.user, name, **options)
        self.addCleanup(server.close)
        return server

    def helper(self, client=None, **message):
        helper = Helper(self.user, client or self.client, **message)
        self.addCleanup(helper.close)
        return helper

    def up(self, **message):
        """A popup that is up and takes keys."""
        self.client.clear()  # of what an earlier one said
        helper = self.helper(**message)
        helper.shown()
        takes_keys(self.client)
        return helper

    def gone(self, client=None):
        """Nothing is left: no popup, no buffer, no page."""
        client = client or self.client
        eventually(lambda: self.server.free(client), "the popup to go")
        # A page that lost its popup takes a moment to end.
        eventually(lambda: not self.server.buffers(), self.server.buffers)
        eventually(lambda: not pages(self.user), lambda: f"pages {pages(self.user)} to end")


def see(client, *parts, patience=PATIENCE):
    """Waits until all of that is drawn: the page has drawn it, tmux will."""
    for part in parts:
        eventually(lambda: part in text_of(client), lambda: f"{part!r} in {text_of(client)!r}",
                   patience)


def takes_keys(client):
    """Waits until the popup there says that keys count."""
    eventually(lambda: re.search("Press (?:o to confirm|the digit of)", text_of(client)),
               lambda: f"keys to count: {text_of(client)!r}")


def pages(user):
    """Pages that run as that user."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if os.stat(f"/proc/{pid}").st_uid == user.uid and f.read().split(b"\0")[1] == b"--page":
                    found.append(pid)
        except (OSError, IndexError):
            pass
    return found


class Answers(TestCase):
    def test_o_confirms(self):
        helper = self.helper(title="Food", text="Now, or later?")
        self.assertRegex(helper.shown().by, r"^tmux \d")
        host = socket.gethostname().split(".")[0]
        see(self.client, f"Message from alice (this host) on {host}, {time.strftime('%H:')}",
            "| Title: Food", "| Now, or later?", "Keys count once none was pressed")
        takes_keys(self.client)
        see(self.client, "Press o to confirm", "msg /ack 7")
        self.client.type("o")
        self.assertEqual(helper.ended(ACKNOWLEDGED).text, b"")
        self.gone()

    def test_escape_dismisses_and_an_arrow_does_not(self):
        helper = self.up()
        self.client.type("\033[A\033[B")
        helper.nothing(ALONE + 0.5)
        self.client.type("\033")
        helper.ended(DISMISSED, "closed-by-user")
        self.gone()

    def test_answers_by_digit(self):
        helper = self.up(answers=["Yes", "Not now", "Nö"])
        see(self.client, "| 2 Not now")
        self.client.type("o")
        helper.nothing(ALONE + 0.3)
        self.client.type("4")
        helper.nothing(ALONE + 0.3)
        self.client.type("3")
        self.assertEqual(helper.ended(ACKNOWLEDGED).text.decode(), "Nö")

    def test_who_types_on_acknowledges_nothing(self):
        helper = self.helper()
        end = time.monotonic() + 21
        keys = "echo o o\rls foo\r"
        shown = False
        for i in range(12 * 30):
            self.client.type(keys[i % len(keys)])
            time.sleep(1 / 12)
            if not shown and helper_has_news(helper):
                helper.shown(0.1)  # at the latest after 15 s
                shown = True
            if time.monotonic() > end:
                break
        self.assertTrue(shown)
        helper.nothing(0.1)
        takes_keys(self.client)
        self.client.type("o")
        helper.ended(ACKNOWLEDGED)

    def test_it_opens_when_the_client_is_still(self):
        self.client.type("ls")
        started = time.monotonic()
        helper = self.helper()
        helper.shown()
        self.assertGreater(time.monotonic() - started, 1.9)
        self.client.type("\r \r \r")
        helper.nothing(STILL)
        self.client.type("oo")  # pasted
        helper.nothing(STILL)


def helper_has_news(helper):
    helper.sock.settimeout(0)
    try:
        return bool(helper.sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


class Ends(TestCase):
    def test_its_time_takes_it_down(self):
        helper = self.helper(life_ms=6000)
        helper.shown()
        helper.ended(TIMED_OUT, "no-answer")
        self.gone()

    def test_withdrawal_takes_it_down(self):
        helper = self.helper()
        helper.shown()
        helper.sock.close()
        helper.finish()
        self.gone()

    def test_withdrawal_before_it_opened(self):
        self.client.type("x")
        helper = self.helper()
        time.sleep(0.5)
        helper.sock.close()
        helper.finish()
        self.gone()

    def test_a_killed_helper_takes_it_down(self):
        helper = self.helper()
        helper.shown()
        helper.process.kill()
        helper.process.wait()
        self.gone()

    def test_a_killed_page(self):
        helper = self.helper()
        helper.shown()
        os.kill(int(pages(self.user)[0]), signal.SIGKILL)
        helper.ended(DISMISSED, "closed-by-user")
        self.gone()

    def test_a_killed_client_of_the_helpers(self):
        """Which waits for the popup's end: as systemd does when the service is stopped."""
        helper = self.helper()
        helper.shown()
        with open(f"/proc/{helper.process.pid}/task/{helper.process.pid}/children",
                  encoding="ascii") as f:
            os.kill(int(f.read().split()[0]), signal.SIGTERM)
        helper.ended(FAILED, "helper-lost")
        self.gone()

    def test_somebody_closes_it(self):
        helper = self.helper()
        helper.shown()
        self.server.run("display-popup", "-C", "-c", self.client.path)
        helper.ended(DISMISSED, "closed-by-user")
        self.gone()

    def test_a_detached_client(self):
        other = self.server.attach()
        helper = self.helper()
        helper.shown()
        self.server.run("detach-client", "-t", self.client.path)
        helper.ended(SESSION_GONE, "hangup")
        self.gone(other)

    def test_a_hung_up_client(self):
        other = self.server.attach()
        helper = self.helper()
        helper.shown()
        self.client.close()
        helper.ended(SESSION_GONE, "hangup")
        self.gone(other)

    def test_a_killed_server(self):
        helper = self.helper()
        helper.shown()
        self.server.run("kill-server")
        helper.ended(SESSION_GONE, "hangup")

    def test_another_popup_is_waited_for(self):
        first = self.up(text="the first")
        second = self.helper(text="the second")
        second.nothing(3)
        self.client.clear()
        self.client.type("o")
        first.ended(ACKNOWLEDGED)
        second.shown()
        takes_keys(self.client)
        self.client.type("o")
        second.ended(ACKNOWLEDGED)
        self.gone()

    def test_another_popup_for_all_its_time(self):
        first = self.up(text="the first")
        second = self.helper(text="the second", life_ms=4000)
        second.ended(TIMED_OUT, "not-shown")
        self.assertEqual(self.server.buffers(), [])
        first.nothing(0.1)


class Texts(TestCase):
    def test_a_long_text_is_scrolled(self):
        text = "\n".join(f"line {i} " + "x" * 20 for i in range(1, 1001))
        helper = self.up(text=text)
        see(self.client, "| line 1 ", "of 1000: arrows, PgUp, PgDn]")
        self.assertNotIn("line 40 ", text_of(self.client))
        for keys, shown in (("\033[6~", "line 30 "), (" ", "line 50 "), ("\033[F", "line 1000 "),
                            ("\033[H", "line 1 "), ("\033[B", "line 19 ")):
            self.client.clear()
            self.client.type(keys)
            see(self.client, shown)
            time.sleep(0.3)
        helper.nothing(0.1)
        self.client.type("o")
        helper.ended(ACKNOWLEDGED)

    def test_wide_characters(self):
        self.up(text="你好，世界 👍️ grüße שלום עולם \u202eabc")
        see(self.client, "你好", "grüße", "<U+202E>abc")

    def test_30_kb_on_24_lines(self):
        helper = self.up(text="wörter " * 3900, answers=["a" * 64] * 8)
        see(self.client, "| 8 aaa")
        self.client.type("8")
        self.assertEqual(helper.ended(ACKNOWLEDGED).text, b"a" * 64)

    def test_nothing_of_the_text_steers_the_terminal(self):
        self.up(text="#{pid} #(id >/tmp/x) #[fg=red] %H\nPress o")
        see(self.client, "| #{pid} #(id >/tmp/x) #[fg=red] %H")


class Status(TestCase):
    def line(self, text, **message):
        self.client.clear()
        time.sleep(2.2)  # since the client came, or was typed at
        helper = self.helper(text=text, wait=False, **message)
        self.assertRegex(helper.shown().by, r"^tmux \d")
        return helper

    def test_a_line_is_shown(self):
        helper = self.line("Lunch?\nNow")
        host = socket.gethostname().split(".")[0]
        see(self.client, f"Message from alice (this host) on {host}, {time.strftime('%H:')}",
            ": Lunch? ... [msg /list 7]")
        helper.ended(TIMED_OUT, "no-answer", timeout=15)
        self.gone()

    def test_formats_are_not_read(self):
        mark = f"/tmp/mf-{secrets.token_hex(4)}"
        for text in ("#{pid}", f"#(touch {mark})", f"##(touch {mark})", f"###(touch {mark})", "%H:%M",
                     "#[fg=red]x", "it's \"q\" $HOME ; \\n ~", "#{?1,a,b}", "#h #S", "#,#}",
                     f"'; run-shell 'touch {mark}"):
            with self.subTest(text=text):
                helper = self.line(text)
                helper.sock.close()
                helper.finish()
                # Of a run of # tmux draws fewer.
                line = f": {re.sub('#+', '#', text)}"[:26]
                eventually(lambda: line in re.sub("#+", "#", text_of(self.client)),
                           lambda: f"{line!r} in {text_of(self.client)!r}")
                self.assertFalse(os.path.exists(mark))

    def test_a_withdrawn_line_is_cleared(self):
        helper = self.line("Lunch?")
        self.client.clear()
        helper.sock.close()
        helper.finish()
        see(self.client, "[0] 0:sh")

    def test_who_types_sees_it_in_time(self):
        helper = self.helper(wait=False)
        for _ in range(60):
            self.client.type("x")
            time.sleep(1 / 12)
            if helper_has_news(helper):
                break
        helper.shown(0.1)


class Places(TestCase):
    def test_of_two_clients_the_one_that_is_meant(self):
        other = self.server.attach()
        helper = self.helper(other)
        helper.shown()
        see(other, "Lunch?")
        self.assertNotIn("Lunch?", text_of(self.client))
        takes_keys(other)
        self.client.type("o")
        helper.nothing(ALONE)
        other.type("o")
        helper.ended(ACKNOWLEDGED)

    def test_of_two_servers_the_one_that_has_it(self):
        server = self.serve(f"zz-{secrets.token_hex(4)}")
        client = server.attach()
        helper = self.helper(client)
        helper.shown()
        see(client, "Lunch?")

    def elsewhere(self, mode=0o700):
        """A client of a server with a socket in another folder."""
        folder = tempfile.mkdtemp(prefix="msg-tmux-")
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, self.user.uid, self.user.gid)
        os.chmod(folder, mode)
        return self.serve(folder=folder).attach()

    def test_a_server_that_was_told_another_place(self):
        client = self.elsewhere()
        helper = self.helper(client)
        helper.shown()
        see(client, "Lunch?")
        takes_keys(client)
        client.type("o")
        helper.ended(ACKNOWLEDGED)

    @unittest.skipUnless(AM_ROOT, "the folder is the tester's own")
    def test_no_other_server_at_all(self):
        """Its user has no folder of tmux' own."""
        client = self.elsewhere()
        self.server.close()
        shutil.rmtree(f"/tmp/tmux-{self.user.uid}")
        self.helper(client).shown()

    def test_a_place_that_others_may_use(self):
        self.helper(self.elsewhere(0o711)).ended(FAILED, "helper-lost")

    def test_a_server_of_tmuxs_name(self):
        """Whoever calls himself so is asked, answers nothing, and delays it by no more than that."""
        folder = tempfile.mkdtemp(prefix="msg-tmux-")
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, self.user.uid, self.user.gid)
        script = ("import ctypes,socket,sys,time\nctypes.CDLL(None).prctl(15,b'tmux: server',0,0,0)\n"
                  "s=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(9)\ntime.sleep(60)")
        silent = self.user.popen(["/usr/bin/python3", "-c", script, f"{folder}/silent"])
        self.addCleanup(stop, silent, signal.SIGKILL)
        eventually(lambda: os.path.exists(f"{folder}/silent"), "its socket")
        client = self.elsewhere()
        self.helper(client).shown(8)
        self.helper().shown()

    def test_no_client_is_said_at_once(self):
        self.server.run("detach-client", "-t", self.client.path)
        self.helper().ended(FAILED, "helper-lost", timeout=5)
        self.helper("pts/99999").ended(FAILED, "helper-lost", timeout=5)

    def test_a_small_client(self):
        helper = self.helper(answers=["a"] * 8, text="x")
        helper.shown()
        helper.sock.close()
        helper.finish()
        small = self.server.attach("new-session", "-x", "20")
        fcntl.ioctl(small.master, termios.TIOCSWINSZ, struct.pack("HHHH", 6, 14, 0, 0))
        os.kill(small.leader.pid, signal.SIGWINCH)
        eventually(lambda: f"{small.path} 14 6" in self.server.run(
            "list-clients", "-F", "#{client_tty} #{client_width} #{client_height}").stdout, "the size")
        self.helper(small).ended(FAILED, "helper-lost")
        self.assertEqual(self.server.buffers(), [])

    def test_a_server_that_does_not_answer(self):
        """A socket that takes connections and says nothing stands before the real one."""
        path = f"/tmp/tmux-{self.user.uid}/000-{secrets.token_hex(4)}"
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(path)
            self.addCleanup(os.unlink, path)
            os.chown(path, self.user.uid, self.user.gid)
            silent.listen(8)
            self.helper().shown(8)

    def test_sockets_that_servers_left_behind(self):
        for i in range(40):
            path = f"/tmp/tmux-{self.user.uid}/000-{i}-{secrets.token_hex(4)}"
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(path)
            os.chown(path, self.user.uid, self.user.gid)
            self.addCleanup(os.unlink, path)
        self.helper().shown()

    def test_a_server_that_prints_without_end(self):
        """A tmux whose format is as long as it likes is bounded."""
        for i in range(3):
            self.server.run("new-session", "-d", "-s", "x" * 100 + str(i))
        self.helper().shown()

    @unittest.skipUnless(AM_ROOT, "only root makes another user's folder")
    def test_a_folder_that_is_not_the_users(self):
        folder = f"/tmp/tmux-{self.user.uid}"
        os.chown(folder, 0, 0)
        os.chmod(folder, 0o755)
        self.helper().ended(FAILED, "helper-lost")
        os.chown(folder, self.user.uid, self.user.gid)
        self.helper().ended(FAILED, "helper-lost")
        os.chmod(folder, 0o700)
        os.rename(folder, folder + "-real")
        os.symlink(folder + "-real", folder)
        try:
            self.helper().ended(FAILED, "helper-lost")
        finally:
            os.unlink(folder)
            os.rename(folder + "-real", folder)
        self.helper().shown()


class Whole(TestCase):
    """From msg to the popup and back, by msgd and msgd-present."""

    def setUp(self):
        self.system = System()
        self.addCleanup(self.system.close)
        super().setUp()
        self.system.utmp.add(self.client.line, self.client.leader.pid, self.user.name)
        self.system.start()
        eventually(lambda: self.reach() == "tmux", lambda: self.reach())

    def reach(self):
        listed = self.system.msg("sessions", "--json", name="msgctl").out
        return {line["name"]: line["reach"] for line in map(json.loads, listed.splitlines())}.get(
            self.client.line)

    def send(self, *arguments):
        return self.system.begin(self.client.line, "/V", *arguments)

    def test_confirmed(self):
        message = self.send("/W", "/TIME:60", "Lunch?")
        see(self.client, "| Lunch?")
        message.wait_for("displayed|Sending")
        takes_keys(self.client)
        self.client.type("o")
        outcome = message.finish()
        self.assertEqual(outcome.status, 0, outcome)
        self.assertIn(f"Message to session {self.client.line} responded to by user", outcome.out)
        self.gone()

    def test_answered(self):
        message = self.system.begin(self.client.line, "/ANSWERS:Yes,No", "/TIME:60", "Reboot?")
        see(self.client, "| 2 No")
        takes_keys(self.client)
        self.client.type("2")
        outcome = message.finish()
        self.assertEqual((outcome.status, outcome.out), (0, "No\n"), outcome)

    def test_dismissed(self):
        message = self.send("/W", "/TIME:60", "Lunch?")
        see(self.client, "| Lunch?")
        takes_keys(self.client)
        self.client.type("\033")
        outcome = message.finish()
        self.assertEqual(outcome.status, 3, outcome)
        self.assertIn("dismissed by user", outcome.out)

    def test_its_time(self):
        outcome = self.send("/W", "/TIME:6", "Lunch?").finish()
        self.assertEqual(outcome.status, 3, outcome)
        self.assertIn("Timeout on message", outcome.out)
        see(self.client, "| Lunch?")
        self.gone()

    def test_withdrawn(self):
        message = self.send("/W", "/TIME:60", "Lunch?")
        see(self.client, "| Lunch?")
        message.process.send_signal(signal.SIGINT)
        self.assertEqual(message.finish().status, 130)
        self.gone()

    def test_a_killed_presenter(self):
        message = self.send("/W", "/TIME:60", "Lunch?")
        see(self.client, "| Lunch?")
        self.system.process.kill()
        message.finish()
        self.gone()

    def test_not_waited_for(self):
        outcome = self.send("Lunch?").finish()
        self.assertEqual(outcome.status, 0, outcome)
        see(self.client, "Lunch? [msg /list ")

    def test_where_tmux_is_not_reached_the_terminal_is_written_to(self):
        away = f"/tmp/{self.server.name}.away"
        os.rename(self.server.socket, away)
        self.addCleanup(os.rename, away, self.server.socket)
        message = self.send("/W", "/TIME:60", "Lunch?")
        see(self.client, "| Lunch?", "type: msg /ack")
        message.process.send_signal(signal.SIGINT)
        message.finish()


class Page(TestCase):
    """The page, run as tmux would, over buffers that others wrote."""

    def run_page(self, data, buffer="msgd-test", helper=None):
        if data is not None:
            load = self.user.popen([TMUX, "-S", self.server.socket, "load-buffer", "-b", buffer, "-"],
                                   stdin=subprocess.PIPE)
            load.communicate(data, timeout=10)
        return self.server.run("display-popup", "-E", "-c", self.client.path, program("msgd-popup"),
                               "--page", self.server.socket, buffer,
                               str(helper or os.getpid())).returncode

    def test_what_is_no_message_is_refused(self):
        whole = datagram(PRESENT, 1, 2, 3, 1000, 0, 7, WAIT, 5, 0, 0, 0, text=b"aliceLunch?")
        for data in (b"x", b"\0" * 20000, whole[:-1], whole + b"x", b"x" * 40000,
                     whole.replace(b"Lunch", b"Lun\033h"),
                     datagram(POPUP, REACH_TMUX, 0, b"x", b"pts/1")):
            self.assertEqual(self.run_page(data), 1)
        self.assertEqual(self.run_page(None, buffer="msgd-none"), 1)

    def test_without_its_helper_it_ends(self):
        whole = datagram(PRESENT, 1, 2, 3, 1000, 0, 7, WAIT, 5, 0, 0, 0, text=b"aliceLunch?")
        dead = subprocess.Popen(["true"])
        dead.wait()
        for helper in (dead.pid, "1", "-1", "0", "x", str(2**31)):
            self.assertEqual(self.run_page(whole, helper=helper), 1)


if __name__ == "__main__":
    unittest.main()
