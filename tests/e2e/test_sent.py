# SPDX-License-Identifier: MIT
"""msgctl status and withdraw: messages that were sent from here, on this host and on another."""
import json
import os
import re
import stat

from harness import Running, program
from world import HOST, Real


class Sender(Real):
    FORGOTTEN = ("no longer knows message {}: it forgets one 10 minutes after its end, and all when "
                 "msgd is started anew")

    def setUp(self):
        self.home = self.system.folder_of(self.id().rsplit(".", 1)[1])
        self.file = os.path.join(self.home, "sent")
        self.terminal.clear()

    def begin(self, *words, name="msgctl", home=None):
        env = {**self.system.environment(), "MSG_CONFIG_HOME": home or self.home}
        running = Running(self.system.me, [program(name), *words], env=env)
        self.addCleanup(running.kill)
        return running

    def run_it(self, *words, status=0, **options):
        done = self.begin(*words, **options).finish(30)
        self.assertEqual(done.status, status, done)
        return done

    def send(self, *words, **options):
        """The id that /V prints."""
        done = self.run_it(self.user.name, "/V", *words, name="msg", **options)
        return done.out, re.search(r"Message id (\w{6})\n", done.err).group(1)


class Sent(Sender):
    SENDERS = {"alice": [], "bob": []}

    def test_status_tells_the_story_again(self):
        told, ident = self.send("/TIME:30", "Lunch?")
        for words in ([], [ident], [ident.lower()[:4]]):
            again = self.run_it("status", *words)
            self.assertEqual(again.err, "")
            self.assertEqual(again.out.replace("display time unlimited", "display time 30"), told)
        self.assertEqual(self.terminal.count("Lunch?"), 1)
        self.assertEqual(stat.S_IMODE(os.stat(self.file).st_mode), 0o600)
        with open(self.file, encoding="ascii") as file:
            self.assertRegex(file.read(), rf"^[0-9a-f]{{32}} \d+ - {self.system.socket}\n$")

    def test_json(self):
        self.send("Lunch?")
        rows = [json.loads(line) for line in self.run_it("status", "--json").out.splitlines()]
        self.assertEqual([row["event"] for row in rows], ["accepted", "displayed"])
        self.assertEqual({(row["host"], row["session"], row["user"]) for row in rows},
                         {(HOST, self.terminal.line, self.user.name)})
        self.assertRegex(rows[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertRegex(rows[0]["uid"], "^[0-9a-f]{32}$")

    def test_the_last_is_meant(self):
        _, first = self.send("one")
        _, second = self.send("two", "/TIME:77")
        self.assertNotEqual(first, second)
        self.run_it("withdraw", first)
        self.assertEqual(self.run_it("withdraw").out,
                         f"Message {second} is withdrawn from every screen that it is still on\n")

    def test_from_another_host(self):
        server, home = f"/SERVER:{self.system.server}", self.senders["alice"].home
        told, ident = self.send(server, "from afar", home=home)
        self.assertEqual(self.run_it("status", home=home).out, told)
        done = self.run_it("status", ident, status=1)  # somebody else, who never sent it
        self.assertEqual(done.err, f"msgctl: no message that was sent from here has the id {ident}\n")
        with open(os.path.join(home, "sent"), encoding="ascii") as file:
            line = file.read()
        with open(os.path.join(self.senders["bob"].home, "sent"), "w", encoding="ascii") as file:
            os.chmod(file.name, 0o600)
            file.write(line)
        done = self.run_it("status", home=self.senders["bob"].home, status=5)
        self.assertEqual(done.err, f"msgctl: {self.system.server} {self.FORGOTTEN.format(ident)}\n")

    def test_withdraw_ends_the_waiting(self):
        waiting = self.begin(self.user.name, "/W", "/V", "Coming?", name="msg")
        self.popup("Coming?")
        out = json.loads(self.run_it("withdraw", "--json").out)
        self.assertEqual((out["event"], out["host"]), ("withdrawn", HOST))
        done = waiting.finish(10)
        self.assertEqual(done.status, 1, done)
        self.assertIn(f"Message to session {self.terminal.line} withdrawn\n", done.out)
        self.assertIn(" withdrawn\n", self.run_it("status", status=1).out)

    def test_status_takes_over_and_follows(self):
        waiting = self.begin(self.user.name, "/W", "Coming soon?", name="msg")
        number = self.popup("Coming soon?")
        following = self.begin("status")
        done = waiting.finish(10)
        self.assertEqual(done.status, 5, done)
        self.assertIn("another connection follows this message", done.err)
        self.terminal.run(f"{program('msg')} /ack {number}")
        done = following.finish(10)
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertIn(f"Message to session {self.terminal.line} responded to by user\n", done.out)

    def test_what_failed_then_fails_now(self):
        done = self.run_it("@-", "x", name="msg", status=2)  # nobody is named
        self.assertFalse(os.path.exists(self.file), done)
        list_file = os.path.join(self.home, "list")
        with open(list_file, "w", encoding="ascii") as file:
            file.write(f"{self.user.name} nobody9\n")
        self.run_it(f"@{list_file}", "x", name="msg", status=1)
        self.run_it("status", status=1)

    def test_nothing_to_tell(self):
        for command in ("status", "withdraw"):
            self.assertEqual(self.run_it(command, status=1).err,
                             "msgctl: no message that was sent from here is remembered\n")
        self.send("x")
        os.chmod(self.file, 0o644)
        self.assertIn(f"run: chmod 600 {self.file}\n", self.run_it("status", status=1).err)
        done = self.run_it(self.user.name, "y", name="msg")  # which never fails for its sake
        self.assertEqual((done.out, done.err), ("", ""))
        os.chmod(self.file, 0o600)
        with open(self.file, "w", encoding="ascii") as file:
            file.write(f"{'00' * 16} 1 - {self.system.socket}\n{'00' * 15}01 1 - /x\n")
        self.assertEqual(self.run_it("status", "0", status=1).err,
                         "msgctl: several messages have an id that begins with 0\n")


class Restarted(Sender):
    def test_an_earlier_life(self):
        _, ident = self.send("x")
        self.system.stop()
        self.system.start()
        for command in ("status", "withdraw"):
            self.assertEqual(self.run_it(command, status=5).err,
                             f"msgctl: {HOST} {self.FORGOTTEN.format(ident)}\n")

