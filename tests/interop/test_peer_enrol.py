# SPDX-License-Identifier: MIT
"""
Enrolment between the real programs and the independent peer, and a man in the middle between the
real ones: a proxy that ends the handshake of each side.
"""
import json
import os
import subprocess
import time

from harness import eventually, program

from peer_between import Between
from peer_enrol import CLIENT, SERVER, Invitation, mac
from peer_keys import Identity, host_name
from peer_server import Server, Serving
from peer_values import TYPES
from peer_world import World


class Enrolling(World):
    def setUp(self):
        self.home = self.system.path(f"home-{self.id().rsplit('.', 1)[-1]}")
        os.mkdir(self.home, 0o700)

    def invite(self, name="guest", *options):
        done = self.system.msgctl("invite", name, "--json", *options,
                                  f"--invitations={self.system.invitations}",
                                  f"--host-key={os.path.join(self.system.state, 'host_key')}")
        return Invitation.parse(json.loads(done.out)["invitation"])

    def join(self, address, invitation, status=0):
        """The real msgctl join, of whoever lives in self.home."""
        done = subprocess.run([program("msgctl"), "join", f"127.0.0.1:{address[1]}"],
                              input=invitation.text() + "\n", capture_output=True, text=True,
                              env={**os.environ, "MSG_CONFIG_HOME": self.home}, timeout=30,
                              check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout, done.stderr

    def pins(self):
        try:
            with open(os.path.join(self.home, "known_hosts"), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def enrolled(self):
        try:
            with open(os.path.join(self.system.state, "enrolled"), encoding="ascii") as file:
                return file.read()
        except FileNotFoundError:
            return ""


class PeerJoins(Enrolling):
    """The independent client against the real msgd."""

    def enrol(self, invitation, identity, proof=None, key=None, ident=None):
        self.keys["guest"] = identity
        client = self.client("guest", trusted=[invitation.host])
        proof = proof or mac(key or invitation.key, CLIENT, client.noise_hash)
        return client, client.ask("ENROL", {"id": ident or invitation.id, "mac": proof})[1]

    def invalid(self, invitation, **wrong):
        before, identity = self.enrolled(), Identity()
        client, last = self.enrol(invitation, identity, **wrong)
        self.assertEqual((TYPES[last.type].name, last.map), ("ERROR", {"code": "invite-invalid"}))
        self.assertEqual(client.at_end(), b"")
        self.assertEqual(self.enrolled(), before)
        self.assertEqual(self.error(self.client("guest"), "WHO", {})["code"], "unauthorized")
        time.sleep(0.1)

    def test_it_is_enrolled(self):
        made, identity = self.invite("guest", "--who", "--rate=500"), Identity()
        self.assertEqual(made.host, self.host.public)
        client, last = self.enrol(made, identity)
        self.assertEqual(last.map, {"mac": mac(made.key, SERVER, client.noise_hash), "you": "guest",
                                    "perm": "who rate=500"})
        self.assertEqual(client.welcomed()["you"], "guest")
        terminal = self.login()
        self.assertEqual(len(client.ask("WHO")[0][0].map["who"]), 1)
        self.displayed(client, self.sent(terminal))
        self.assertIn(f"{made.id.hex()} {identity.text} who rate=500 guest\n", self.enrolled())
        again = self.client("guest")
        self.assertEqual(again.welcomed()["you"], "guest")
        self.assert_error(again, "ENROL", {"id": made.id, "mac": bytes(32)}, "unsupported")

    def test_what_is_wrong_looks_alike(self):
        made, other, used = self.invite(), self.invite(), self.invite()
        self.enrol(used, Identity())
        self.invalid(used)
        self.invalid(made, ident=os.urandom(8))
        self.invalid(made, proof=bytes(32))
        self.invalid(made, key=other.key)
        self.invalid(made, key=bytes(32))
        os.unlink(os.path.join(self.system.invitations, other.id.hex()))
        self.invalid(other)
        self.assertEqual(TYPES[self.enrol(made, Identity())[1].type].name, "ENROLLED")

    def test_a_proof_counts_for_its_connection_alone(self):
        made = self.invite()
        self.keys["guest"] = Identity()
        first = self.client("guest", trusted=[made.host])
        self.invalid(made, proof=mac(made.key, CLIENT, first.noise_hash))
        self.invalid(made, proof=mac(made.key, SERVER, first.noise_hash))

    def late(self, path, line, code):
        """The files come to know a key between its handshake and its ENROL."""
        made, identity = self.invite(), Identity()
        self.keys["guest"] = identity
        client, before = self.client("guest", trusted=[made.host]), self.enrolled()
        with open(path, "a", encoding="ascii") as file:
            file.write(line.format(identity.text))
        time.sleep(1.2)
        proof = mac(made.key, CLIENT, client.noise_hash)
        self.assertEqual(client.ask("ENROL", {"id": made.id, "mac": proof})[1].map, {"code": code})
        self.assertEqual(self.enrolled(), before)
        self.assertEqual(TYPES[self.enrol(made, Identity())[1].type].name, "ENROLLED")

    def test_revoked_since_the_handshake(self):
        self.late(self.system.revoked_keys, "{} lost\n", "revoked")

    def test_listed_since_the_handshake(self):
        self.late(self.system.authorized_keys, "{} to=nobody guest\n", "unauthorized")

    def test_an_unsound_enrol_is_as_any_frame(self):
        self.keys["guest"] = Identity()
        for fields in ({}, {"id": bytes(7), "mac": bytes(32)}, {"id": bytes(8), "mac": bytes(31)}):
            found = self.error(self.client("guest"), "ENROL", fields)
            self.assertEqual(found["code"], "unauthorized")
        client = self.client("guest")
        client.send("ENROL", 0, {"id": bytes(8), "mac": bytes(32)})
        self.assert_goes_away(client, "unauthorized")


class Inviting(Serving):
    """The independent server's side: one invitation, and how it answers."""

    def _reject(self):
        invitation, side = self.server.invitation, self.server.side
        found = self._message()
        proof = mac(invitation.key, CLIENT, self.noise_hash)
        if side is None:
            self.send("ERROR", found.id, {"code": "unauthorized"})
            self.linger()
            return
        if TYPES[found.type].name != "ENROL" or found.map != {"id": invitation.id, "mac": proof}:
            self.send("ERROR", found.id, {"code": "invite-invalid"})
            self.linger()
            return
        self.server.accounts[self.client_key] = "guest"
        self.send("ENROLLED", found.id, {"mac": mac(invitation.key, side, self.noise_hash),
                                         "you": "guest", "perm": "all"})
        self.last = found.id
        self._serve()


class MsgctlJoins(Enrolling):
    """The real msgctl join against the independent server."""

    def server(self, side=SERVER):
        server = Server(Identity(), {}, serving=Inviting)
        self.addCleanup(server.close)
        server.side = side
        server.invitation = Invitation(os.urandom(8), int(time.time()) + 3600, os.urandom(16),
                                       server.identity.public)
        return server

    def test_it_joins(self):
        server = self.server()
        out, err = self.join(server.address, server.invitation)
        name = host_name(*server.address)
        self.assertEqual((out, err), (f"{name} knows you as guest now, and its key is trusted "
                                      f"({self.home}/known_hosts); your rights: all\n", ""))
        self.assertEqual(self.pins(), f"{name} {server.identity.text}\n")
        self.assertEqual(list(server.accounts.values()), ["guest"])

    def test_a_server_that_proves_nothing(self):
        """It has the host's key, but not the invitation's."""
        server = self.server(side=CLIENT)
        _, err = self.join(server.address, server.invitation, status=4)
        self.assertEqual(err, f"127.0.0.1:{server.address[1]} does not prove that it made this "
                              "invitation: somebody may stand in between. Nothing was trusted, and "
                              "you are not enrolled. Compare its key with its administrator: "
                              "msgctl key show --host\n")
        self.assertEqual(self.pins(), "")

    def test_a_server_that_knows_no_invitations(self):
        """It answers as any server answers a stranger."""
        server = self.server(side=None)
        _, err = self.join(server.address, server.invitation, status=4)
        self.assertRegex(err, fr"^127\.0\.0\.1:{server.address[1]} takes no invitation from your key "
                              fr"x25519:[\w-]+; its administrator can run: msgctl authorize "
                              fr"x25519:[\w-]+ [\w-]+\n$")
        self.assertEqual((self.pins(), server.accounts), ("", {}))

    def test_a_secret_of_another_invitation(self):
        server = self.server()
        mine = server.invitation
        other = Invitation(mine.id, mine.until, os.urandom(16), mine.host)
        _, err = self.join(server.address, other, status=4)
        self.assertIn("does not take this invitation: it was used already or withdrawn", err)
        self.assertEqual((self.pins(), server.accounts), ("", {}))


class InTheMiddle(Enrolling):
    """Between the real msgctl and the real msgd."""

    def between(self, key):
        found = Between(key, self.address, self.host.public)
        self.addCleanup(found.done.wait, 10)
        return found

    def test_with_a_key_of_his_own(self):
        """He learns not even the id."""
        made, before, between = self.invite(), self.enrolled(), self.between(Identity())
        _, err = self.join(between.near_address, made, status=4)
        port = between.near_address[1]
        self.assertEqual(err, f"127.0.0.1:{port} (127.0.0.1 port {port}) shows another key than the "
                              "invitation has: it is another host, or somebody stands in between. "
                              "Nothing was sent, and the invitation is as good as before\n")
        self.assertTrue(between.done.wait(10))
        self.assertEqual((between.passed, self.pins(), self.enrolled()), ([], "", before))
        self.join(self.address, made)

    def test_with_the_hosts_own_key(self):
        """Even then the two handshakes are not one."""
        made, before, between = self.invite(), self.enrolled(), self.between(self.host)
        _, err = self.join(between.near_address, made, status=4)
        self.assertIn("does not take this invitation", err)
        self.assertTrue(between.done.wait(10))
        self.assertEqual((between.passed, self.pins(), self.enrolled()),
                         (["ENROL", "ERROR"], "", before))
        eventually(lambda: f"invitation: {made.id.hex()} is not proved: another secret, or somebody "
                           "in the middle" in self.system.logged(), self.system.logged)
        self.join(self.address, made)


if __name__ == "__main__":
    import unittest
    unittest.main()
