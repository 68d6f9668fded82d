# SPDX-License-Identifier: MIT
"""Keys that the real msgd does not accept, or not any more, and its end: seen by the client."""
import os
import time
import unittest

import msgpack

from harness import eventually

from peer import Closed
from peer_keys import Identity
from peer_world import LINES, World, line_of, shown, uid_of


class Trust(World):
    def test_keys_that_are_not_accepted(self):
        self.login()
        for name, code in (("stranger", "unauthorized"), ("elsewhere", "unauthorized"),
                           ("gone", "expired"), ("revoked", "revoked")):
            client = self.client(name, [("SEND", self.sent(to=[{"user": self.me}]))])
            self.assertEqual(client.answer(1).map["code"], code)
            with self.assertRaises(Closed):
                client.receive()
            client = self.client(name)
            client.send("PING", 0, {"t": 1})
            self.assert_goes_away(client, code)
            client = self.client(name)
            client.write(client.sealed(b"\xdd\x00\xff\xff\xff"))
            self.assert_goes_away(client, "bad-message")
            client = self.client(name)
            found = self.error(client, "ENROL", {"id": bytes(8), "mac": bytes(32)})
            self.assertEqual(found["code"], "invite-invalid" if name == "stranger" else code)

    def test_revoked_while_it_waits(self):
        terminal, client = self.login(), self.client("alice")
        number, told = self.displayed(client, self.sent(terminal))
        watcher = self.local()
        with open(self.system.revoked_keys, "a", encoding="ascii") as file:
            file.write(f"{self.keys['alice'].text}\n")
        self.assert_goes_away(client, "revoked")
        which = watcher.ask("LIST")[0][-1].map["message"]
        self.assertEqual((which["st"], which["sess"]), ("withdrawn", terminal.line))
        self.assertEqual(self.error(self.client("alice"), "WHO", {})["code"], "revoked")
        self.assertTrue(number and told)

    def test_taken_out_while_it_waits(self):
        terminal, client = self.login(), self.client("power")
        self.displayed(client, self.sent(terminal))
        self.rewrite(self.system.authorized_keys,
                     (line_of(self.keys[name], name) for name in LINES if name != "power"))
        self.assert_goes_away(client, "unauthorized")
        self.assertEqual(self.local().ask("LIST")[0][-1].map["message"]["st"], "withdrawn")

    @staticmethod
    def rewrite(path, lines):
        """As an editor does: a new file in the place of the old."""
        with open(path + ".new", "w", encoding="ascii") as file:
            os.chmod(path + ".new", 0o644)
            file.writelines(lines)
        os.rename(path + ".new", path)

    def test_authorized_while_it_runs(self):
        stranger = self.keys["newcomer"] = Identity()
        self.assertEqual(self.error(self.client("newcomer"), "WHO", {})["code"], "unauthorized")
        with open(self.system.authorized_keys, "a", encoding="ascii") as file:
            file.write(line_of(stranger, "newcomer"))

        def known():
            client = self.client("newcomer", [("WHO", {})])
            code = client.answer(1).map["code"]
            return client.welcome if code == "forbidden" else time.sleep(0.2)
        self.assertEqual(eventually(known, "the new line to count")["you"], "newcomer")


class Ends(World):
    """The server ends and starts again."""

    def test_clean_end_and_another_life(self):
        terminal, client = self.login(), self.client()
        raw = self.sent(terminal)
        instance = client.welcomed()["inst"]
        number, told = self.displayed(client, raw)
        self.system.process.terminate()
        self.follow(client, number, told)
        self.assertEqual((told.final[1]["why"], told.result), ("daemon-stop", "withdrawn"))
        self.assert_goes_away(client, "shutting-down")
        self.system.stop()
        self.system.start()
        again = self.client()
        self.assertNotEqual(again.welcomed()["inst"], instance)
        for kind, fields in (("SEND", raw), ("ATTACH", {"uid": uid_of(raw)}),
                             ("CANCEL", {"uid": uid_of(raw)})):
            self.assert_error(again, kind, fields, "outcome-unknown")
        other = msgpack.packb({**msgpack.unpackb(raw), "text": "Dinner?"})
        self.assertIn(self.error(again, "SEND", other)["code"], ("outcome-unknown", "conflict"))
        self.assert_error(self.client("alice"), "ATTACH", {"uid": uid_of(raw)}, "unknown-uid")
        self.assertEqual(shown(terminal, "Lunch?"), 1)


if __name__ == "__main__":
    unittest.main()
