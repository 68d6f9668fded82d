# SPDX-License-Identifier: MIT
"""The audit of the ways to be let in: an own key, an invitation, an endorsement."""
import json
import os
import re
import shutil
import tempfile
import time
import unittest

from audit import Journal
from harness import eventually
from test_endorse import ssh_key
from test_grant import Own
from test_msgd_network import Anything, Client, Identity


class Ways(Own):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="msg-journal-")
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.chmod(folder, 0o755)
        cls.journal = Journal(os.path.join(folder, "socket"))
        cls.addClassCleanup(cls.journal.close)
        cls.CONFIG = {"audit-journal": cls.journal.path}
        super().setUpClass()

    def setUp(self):
        super().setUp()
        while not self.journal.is_silent():
            self.journal.record()

    def single(self, **expected):
        """The next record with this request, which has these fields."""
        record = self.journal.record()
        while record["MSG_REQUEST"] != [expected["request"]]:
            record = self.journal.record()
        for key, value in expected.items():
            self.assertEqual(record.get("MSG_" + key.upper()), value and [value], record)
        return record

    def test_an_own_key(self):
        me, uid = self.user, f"unix:{self.user.uid}"
        self.grant()
        self.single(request="grant", outcome="added", principal=uid, name=me.name,
                    granted_key=self.other.key, address=None, account=None)
        self.assertEqual(self.send().status, 0)
        record = self.single(request="send", outcome="ok", principal=self.other.key, account=uid,
                             key=self.other.key, name=me.name, address="127.0.0.1")
        self.assertTrue(record["MESSAGE"][0].startswith(f"{me.name} (network, 127.0.0.1): send to "))
        self.self_("revoke", self.other.key)
        self.single(request="grant", outcome="taken", granted_key=self.other.key)
        self.self_("revoke", self.other.key, status=1)
        self.single(request="grant", outcome="no-target", granted_key=self.other.key)

    def test_an_invitation(self):
        guest = self.computer()
        made = json.loads(self.run_as(
            self.system.me, "invite", "guest", "--json", f"--invitations={self.system.invitations}",
            f"--host-key={os.path.join(self.system.state, 'host_key')}").out)
        self.run_as(self.user, "join", self.system.server, home=guest.home,
                    stdin=made["invitation"] + "\n")
        self.single(request="enrol", outcome="ok", principal=guest.key, name="guest",
                    invitation=made["id"], address="127.0.0.1")
        late = self.computer()
        self.run_as(self.user, "join", self.system.server, home=late.home, status=4,
                    stdin=made["invitation"] + "\n")
        record = self.single(request="connect", outcome="refused", step="invitation", key=late.key)
        self.assertEqual(record["MSG_REASON"], [f"{made['id']} was used already"])

    @unittest.skipUnless(shutil.which("ssh-keygen"), "needs ssh-keygen")
    def test_an_endorsement(self):
        key_file = os.path.join(self.other.home, "id")
        public = ssh_key(key_file)
        for name in (key_file, key_file + ".pub"):
            os.chown(name, self.user.uid, self.user.gid)
        self.run_as(self.system.me, "authorize", public, "alice", "--file",
                    self.system.authorized_keys)
        endorsed = json.loads(self.run_as(self.user, "key", "endorse", "--json", "--ssh-key", key_file,
                                          home=self.other.home).out)
        eventually(lambda: self.send().status == 0, self.system.logged)  # the file is looked at
        record = self.single(request="send", outcome="ok", principal=self.other.key, name="alice",
                             signer=" ".join(public.split()[:2]))
        self.assertEqual(record["MSG_SERIAL"], [str(endorsed["serial"])])


class PutOff(Own):
    def test_more_at_once_than_wait_for_the_name_service(self):
        identity = Identity()
        self.self_("authorize", identity.text)
        client = Client.tcp(("127.0.0.1", self.system.port), identity, Anything())
        self.addCleanup(client.close)
        client.welcomed()
        time.sleep(1.1)  # what the name service said holds for a second
        last = client.request_all(40 * [("WHO", {"to": [{"name": "nobody-here"}]})])
        told = [client.all_of(n)[1].map["code"] for n in range(last - 39, last + 1)]
        self.assertEqual((told.count("busy"), told[:16].count("busy")), (24, 0), told)
        audited = re.findall(rf"^msgd: audit: request=who outcome=(\S+) principal={identity.text} "
                             rf"account=unix:{self.user.uid} ", self.system.logged(), re.M)
        self.assertEqual(sorted(audited), sorted(told))


if __name__ == "__main__":
    unittest.main()
