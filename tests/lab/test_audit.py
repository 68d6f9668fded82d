# SPDX-License-Identifier: MIT
"""The audit in a real journal: what a message, a denied request and a stranger leave there."""
import json
import unittest

from harness import eventually
from scenario import Scenario, on_both

REQUEST = "MESSAGE_ID=f43f8151f1394a00889165b4f68035ae"
REFUSAL = "MESSAGE_ID=f58f080a859042c8805e2ded8c19df96"
MESSAGE = "The server goes down at 18:00."


class Audit(Scenario):
    def records(self, host, *fields):
        """As an administrator asks for them."""
        out = host.does("journalctl", "-o", "json", "--all", "_SYSTEMD_UNIT=msgd.service", *fields)
        return [json.loads(line) for line in out.splitlines()]

    def record(self, host, *fields):
        """The last one, once it is there."""
        return eventually(lambda: self.records(host, *fields),
                          lambda: f"a record of {fields}: {host.journal('msgd')}")[-1]

    @on_both
    def test_what_is_found_in_the_journal(self, host):
        key = self.lab.h1.does("msgctl", "key", user="alice").split()[-1]
        bob = self.login(host)
        self.until_reached(host, bob.line, "terminal")
        before = len(self.records(host, REQUEST, "MSG_REQUEST=send"))
        self.assertEqual(self.sent(host, "bob", MESSAGE).status, 0)
        sent = eventually(lambda: self.records(host, REQUEST, "MSG_REQUEST=send")[before:],
                          lambda: host.journal("msgd"))
        self.assertEqual(len(sent), 1)
        found = {name[4:].lower(): sent[0].get(name) for name in sent[0] if name.startswith("MSG_")}
        self.assertEqual((found["outcome"], found["principal"], found["key"], found["name"],
                          found["targets"], found["delivery"]),
                         ("ok", key, key, "alice", "name:bob", f"bob {bob.line} displayed"))
        self.assertEqual(sent[0]["MESSAGE"],
                         f"alice (network, {found['address']}): send to name:bob: ok")
        self.assertEqual(sent[0]["_UID"], host.does("id", "-u", "_msgd").strip())
        self.assertNotIn("18:00", str(self.records(host)))
        self.assertEqual(self.sent(host, "*", MESSAGE, user="dave").status, 1)
        denied = self.record(host, REQUEST, "MSG_OUTCOME=forbidden")
        self.assertEqual((denied["MSG_NAME"], denied["MSG_TARGETS"], denied["PRIORITY"]),
                         ("dave", "all", "5"))

    @on_both
    def test_a_stranger(self, host):
        h1, own = self.lab.h1, "--config=/root/stranger"
        key = h1.does("msgctl", "key", own).split()[-1]
        h1.does("msgctl", "trust", own, host.name, host.does("msgctl", "key", "--host").split()[-1])
        host.does("systemctl", "restart", "msgd.service")  # h1 may have been refused a minute ago
        self.assertEqual(h1.run("msgctl", "ping", own, host.name).status, 4)
        found = self.record(host, REFUSAL, f"MSG_KEY={key}")
        self.assertEqual((found["MSG_STEP"], found["MSG_OUTCOME"]), ("key", "refused"))
        self.assertEqual(found["MESSAGE"], f"refused {found['MSG_ADDRESS']}, key: {key}, unauthorized")


if __name__ == "__main__":
    unittest.main()
