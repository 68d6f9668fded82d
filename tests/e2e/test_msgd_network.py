# SPDX-License-Identifier: MIT
"""
msgd's TCP side: who is let in and as whom, what each kind of stranger gets, and what becomes of a key
that goes out of favour. The client is the independent peer of tests/interop.
"""
import os
import re
import secrets
import select
import socket
import subprocess
import sys
import time
import unittest

import msgpack

import screens
from harness import AM_ROOT, TOP, User, eventually
from local_peer import message
from msgd_alone import BOB, EVE, MsgdTest

sys.path.append(os.path.join(TOP, "tests", "interop"))
from peer import Client, Closed, GoneAway, NotAuthentic, Refused  # noqa: E402
from peer_keys import Identity  # noqa: E402


class Network(MsgdTest):
    def setUp(self):
        super().setUp()
        self.authorized = os.path.join(self.msgd.folder, "authorized_keys")
        self.revoked = os.path.join(self.msgd.folder, "revoked_keys")
        self.alice = Identity()

    def write(self, path, *lines):
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write("".join(line + "\n" for line in lines))
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def start(self, *more, sessions=None, options=""):
        if not os.path.exists(self.authorized):
            self.write(self.authorized, f"{self.alice.text} {options} alice")
        before = len(self.msgd.logged())
        super().start("--listen", "127.0.0.1:0", *more, sessions=sessions)
        found = eventually(lambda: re.search(r"listening on 127\.0\.0\.1 port (\d+)",
                                             self.msgd.logged()[before:]), self.msgd.logged)
        self.port = int(found[1])

    def start_with(self, listener, *options, **more):
        """Handed the socket, as by systemd."""
        self.addCleanup(listener.close)
        argv = self.msgd.arguments
        self.msgd.arguments = lambda *more: [
            "bash", "-c", f'exec 3<&{listener.fileno()}; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh",
            *argv(*more)]
        MsgdTest.start(self, *options, pass_fds=[listener.fileno()], **more)
        self.port = listener.getsockname()[1]

    def key_file(self):
        return os.path.join(self.msgd.state, "host_key")

    def client(self, identity=None, first=()):
        client = Client.tcp(("127.0.0.1", self.port), identity or self.alice, Anything(), first)
        self.addCleanup(client.close)
        return client

    def raw(self):
        s = socket.create_connection(("127.0.0.1", self.port), 10)
        self.addCleanup(s.close)
        return s

    def send(self, client, **more):
        fields = msgpack.unpackb(message("bob", "tea?", **more))
        return client.request("SEND", {k: v for k, v in fields.items()})

    def ended(self, identity, first=(("WHO", {}),)):
        """What the first request of a key that is not accepted is answered with."""
        client = self.client(identity, first)
        answer = client.answer(1)
        self.assertEqual(client.at_end(), b"")
        return answer.map["code"]


class Anything:
    """Trusts every host key: the tests know that it is theirs."""

    def __contains__(self, key):
        return True


class LetIn(Network):
    def test_from_end_to_end(self):
        self.start()
        client = self.client()
        number = self.send(client, wait=True)
        self.assertEqual(client.welcomed()["you"], "alice")
        order = self.screens.order()
        self.assertEqual((order["sender"], order["text"]), ("alice (network, 127.0.0.1)", "tea?"))
        self.screens.shown(order["present"])
        self.screens.ended(order["present"], screens.ACKNOWLEDGED)
        events, result = client.all_of(number)
        self.assertEqual([e["st"] for m in events for e in m.map["ev"]],
                         ["accepted", "displayed", "acknowledged"])
        self.assertEqual(result.map["st"], "ok")

    def test_the_host_key_stays(self):
        self.start()
        with open(self.key_file(), "rb") as f:
            before = f.read()
        self.assertEqual(os.stat(self.key_file()).st_mode & 0o777, 0o600)
        self.client().ping(1)
        self.msgd.stop()
        self.start()
        with open(self.key_file(), "rb") as f:
            self.assertEqual(f.read(), before)

    def test_what_is_of_the_unix_socket_only(self):
        self.start()
        client = self.client()
        for kind, fields in (("ACK", {"number": 1}), ("LIST", {}),
                             ("ENROL", {"id": bytes(8), "mac": bytes(32)})):
            self.assertEqual(client.ask(kind, fields)[1].map["code"], "unsupported")

    def test_rights(self):
        self.start(sessions=[("bob", BOB, "pts/1"), ("eve", EVE, "pts/2")])
        client = self.client()
        self.assertEqual(client.ask("WHO")[1].map["code"], "forbidden")
        found, last = client.ask("WHO", {"to": [{"name": "bob"}]})
        self.assertEqual(([s["name"] for s in found[0].map["who"]], last.map["st"]), (["pts/1"], "ok"))
        everybody = {"uid": bytes(16), "to": [{"all": True}], "text": "x"}
        self.assertEqual(client.ask("SEND", everybody)[1].map["code"], "forbidden")
        self.write(self.authorized, f"{self.alice.text} all who override alice")
        time.sleep(1.2)
        self.assertEqual(client.ask("WHO")[1].map["st"], "ok")
        client.request("SEND", {**everybody, "uid": b"1" * 16})
        self.assertEqual({self.screens.order()["flags"] for _ in range(2)}, {screens.OVERRIDE})

    def test_within_to(self):
        self.start(sessions=[("bob", BOB, "pts/1"), ("eve", EVE, "pts/2")], options="to=bob,dave")
        client = self.client()
        found, _ = client.ask("WHO")
        self.assertEqual([s["user"] for m in found for s in m.map["who"]], ["bob"])
        for target, code in (("eve", "forbidden"), ("nobody", "forbidden"), ("dave", "no-target")):
            fields = msgpack.unpackb(message(target, "x"))
            misses, last = client.ask("SEND", fields)
            self.assertEqual(misses[0].map["miss"][0]["code"], code)
            self.assertEqual(last.map["code"], code)

    def group(self, *options):
        name = f"mtg{secrets.token_hex(4)}"
        subprocess.run(["groupadd", *options, name], check=True)
        self.addCleanup(subprocess.run, ["groupdel", "-f", name], check=False)
        return name

    @unittest.skipUnless(AM_ROOT, "needs groups")
    def test_within_groups(self):
        """Of one bob is by his account, in the other carol is listed, and not for ever."""
        carol = User.make()
        self.addCleanup(carol.remove)
        bobs, listed = self.group("-g", str(BOB)), self.group()
        subprocess.run(["gpasswd", "-a", carol.name, listed], check=True, capture_output=True)
        self.start(sessions=[("bob", BOB, "pts/1"), ("eve", EVE, "pts/2"),
                             (carol.name, carol.uid, "pts/3")],
                   options=f"to=%{bobs},%{listed},%{bobs}none")
        client = self.client()

        def reached():
            return [s["user"] for m in client.ask("WHO")[0] for s in m.map["who"]]
        self.assertEqual(reached(), ["bob", carol.name])
        for target, code in (("eve", "forbidden"), ("nobody", "forbidden"), (bobs, "forbidden"),
                             (f"%{bobs}", "forbidden")):
            self.assertEqual(client.ask("SEND", msgpack.unpackb(message(target, "x")))[1].map["code"],
                             code)
        self.send(client)
        self.assertEqual(self.screens.order()["text"], "tea?")
        subprocess.run(["gpasswd", "-d", carol.name, listed], check=True, capture_output=True)
        eventually(lambda: reached() == ["bob"], "carol to be out of the group")
        time.sleep(1.1)  # no answer of the name service's holds so long
        last = client.request_all([("WHO", {})] * 4)
        self.assertEqual(client.all_of(last)[1].map["st"], "ok")
        self.assertTrue(all(client.open[last - i] for i in range(1, 4)), "in their order")

    def test_a_rate_of_its_own(self):
        self.start(options="rate=1")
        client = self.client()
        self.send(client)
        got = client.ask("SEND", msgpack.unpackb(message("bob", "x")))[1].map
        self.assertEqual(got["code"], "rate-limited")
        self.assertTrue(got["retry_ms"] > 50000)

    def test_principals_are_kept_apart(self):
        bob = Identity()
        self.write(self.authorized, f"{self.alice.text} alice", f"{bob.text} bob")
        self.start()
        first, second = self.client(), self.client(bob)
        self.send(first, uid=b"u" * 16, wait=True)
        self.screens.order()
        for kind in ("ATTACH", "CANCEL"):
            self.assertEqual(second.ask(kind, {"uid": b"u" * 16})[1].map["code"], "unknown-uid")
        self.send(second, uid=b"u" * 16, wait=True)
        self.assertTrue(self.screens.order()["sender"].startswith("bob "))


class TurnedAway(Network):
    def test_strangers(self):
        late, far, gone = Identity(), Identity(), Identity()
        self.write(self.authorized, f"{late.text} expires=2020-01-01 late",
                   f"{far.text} from=192.0.2.0/24 far", f"{gone.text} gone")
        self.write(self.revoked, f"{gone.text} lost")
        self.start()
        for identity, code in ((self.alice, "unauthorized"), (late, "expired"),
                               (far, "unauthorized"), (gone, "revoked")):
            self.assertEqual(self.ended(identity), code)
        self.assertTrue(self.screens.is_silent())
        logged = self.msgd.logged()
        self.assertIn(f"refused 127.0.0.1, key: {self.alice.text}, unauthorized", logged)
        self.assertEqual(logged.count("refused 127.0.0.1"), 1)  # once a source a minute

    def test_debug_says_each(self):
        self.start("--debug")
        strangers = [Identity(), Identity()]
        for stranger in strangers:
            self.ended(stranger)
            self.assertIn(stranger.text, self.msgd.logged())
        s = self.raw()
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        eventually(lambda: "refused 127.0.0.1, handshake: not this protocol" in self.msgd.logged(),
                   self.msgd.logged)

    def test_a_broken_revoked_keys_refuses_everybody(self):
        self.write(self.revoked, "nonsense")
        self.start()
        self.assertEqual(self.ended(self.alice), "internal")  # none of them was revoked
        self.assertIn(f"{self.revoked}:1: ", self.msgd.logged())

    def test_what_waits_outlives_a_slip_in_revoked_keys(self):
        self.start()
        client = self.client()
        self.send(client, wait=True)
        order = self.screens.order()
        self.write(self.revoked, "nonsense")
        eventually(lambda: f"{self.revoked}:1: " in self.msgd.logged(), "msgd to have looked")
        self.assertEqual(self.ended(self.alice), "internal")  # another connection
        self.assertTrue(self.screens.is_silent(0.5))
        self.write(self.revoked, f"{self.alice.text}")
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 1})
        with self.assertRaises(GoneAway) as raised:  # the one that waits was left to
            client.wait_at_most()
            while True:
                client.receive()
        self.assertEqual(raised.exception.code, "revoked")

    def test_a_broken_authorized_keys_keeps_the_last_good_state(self):
        self.start()
        self.write(self.authorized, "nonsense")
        time.sleep(1.2)
        self.client().ping(1)
        self.assertIn(f"{self.authorized}:1: ", self.msgd.logged())

    def test_revoked_while_it_waits(self):
        self.start()
        client = self.client()
        number = self.send(client, wait=True)
        order = self.screens.order()
        self.write(self.revoked, f"{self.alice.text}")
        self.assertEqual(self.screens.order(), {"withdraw": order["present"], "why": 1})
        with self.assertRaises(GoneAway) as raised:
            events, result = client.all_of(number)
            self.assertEqual(events[-1].map["ev"][0]["why"], "revoked")
            self.assertEqual(result.map["st"], "withdrawn")
            client.wait_at_most()
            client.receive()
        self.assertEqual(raised.exception.code, "revoked")
        self.assertEqual(self.ended(self.alice), "revoked")

    def test_a_key_that_is_taken_out(self):
        self.start()
        client = self.client()
        client.ping(1)
        self.write(self.authorized)
        client.wait_at_most()
        with self.assertRaises(GoneAway) as raised:
            client.receive()
        self.assertEqual(raised.exception.code, "unauthorized")

    def test_the_folder_beside_authorized_keys(self):
        """A file that comes lets its key in, one with an error hinders no other, one that goes ends it."""
        bob, folder = Identity(), self.authorized + ".d"
        os.mkdir(folder, 0o755)
        self.write(os.path.join(folder, "broken.keys"), "nonsense")
        self.start()
        self.assertIn(f"{folder}/broken.keys:1: ", self.msgd.logged())
        self.assertEqual(self.ended(bob), "unauthorized")
        self.write(os.path.join(folder, "bob.keys"), f"{bob.text} bob")
        time.sleep(1.2)
        client = self.client(bob)
        client.ping(1)
        self.write(os.path.join(folder, "twice.keys"), f"{bob.text} all robert")
        eventually(lambda: f"{folder}/twice.keys:1: the key is also in {folder}/bob.keys:1"
                   in self.msgd.logged(), self.msgd.logged)
        os.unlink(os.path.join(folder, "twice.keys"))
        os.unlink(os.path.join(folder, "bob.keys"))
        client.wait_at_most()
        with self.assertRaises(GoneAway) as raised:
            client.receive()
        self.assertEqual(raised.exception.code, "unauthorized")
        self.client().ping(1)

    def test_connections_of_one_key(self):
        self.start("--account-connections", "2")
        clients = [self.client(), self.client()]
        for client in clients:
            client.ping(1)
        third = self.client()
        with self.assertRaises(GoneAway) as raised:
            third.wait_at_most()
            third.receive()
        self.assertEqual((raised.exception.code, raised.exception.more["retry_ms"]), ("busy", 1000))
        self.assertIn("refused 127.0.0.1, account: too many connections of this key\n",
                      self.msgd.logged())
        clients[0].close()
        eventually(self.is_let_in, "room for another")

    def is_let_in(self):
        """Not yet, where one who has gone was not seen to go."""
        try:
            self.client().ping(1)
            return True
        except (GoneAway, Refused):
            return time.sleep(0.1)  # which costs handshakes too

    def a_stranger_too_many(self, stranger):
        """Three strangers wait; the next is refused until one of them has gone."""
        self.start("--source-unauthenticated", "3")
        waiting = [stranger() for _ in range(3)]
        time.sleep(0.1)
        with self.assertRaises(Refused) as raised:
            self.client()
        self.assertEqual((raised.exception.code, raised.exception.seconds), (3, 1))
        waiting[0].close()
        eventually(self.is_let_in, "room for another")

    def test_strangers_of_one_source(self):
        self.a_stranger_too_many(self.raw)

    def test_strangers_who_have_shaken_hands(self):
        """With keys that nobody knows, which cost nothing to make, they are strangers still."""
        self.a_stranger_too_many(lambda: self.client(Identity()))
        known = [self.client(), self.client(), self.client()]
        for client in known:
            client.ping(1)

    def test_handshakes_of_one_source(self):
        self.start("--source-handshakes", "3")
        waiting = [self.raw() for _ in range(4)]  # in no time, in which no other comes to be allowed
        self.assertEqual(waiting[3].recv(10)[:7], bytes.fromhex("00085245460003"))
        self.assertEqual(select.select(waiting[:3], [], [], 0)[0], [])
        time.sleep(0.4)
        self.client().ping(1)

    def test_a_forged_frame_is_closed_in_silence(self):
        self.start()
        client = self.client()
        client.ping(1)
        client.write(client.framed(b"x" * 40))
        self.assertEqual(client.at_end(), b"")
        with self.assertRaises((NotAuthentic, Closed, OSError)):
            client.receive()


class HandedOver(Network):
    """The socket is systemd's."""

    @unittest.skipUnless(socket.has_dualstack_ipv6(), "needs IPv6")
    def test_ipv4_comes_as_ipv4_on_a_socket_for_both(self):
        self.write(self.authorized, f"{self.alice.text} from=127.0.0.0/8 alice")
        self.start_with(socket.create_server(("::", 0), family=socket.AF_INET6,
                                             dualstack_ipv6=True))
        self.send(self.client())
        self.assertEqual(self.screens.order()["sender"], "alice (network, 127.0.0.1)")


class Moved(Network):
    def start_with_small_buffers(self, **options):
        """Handed a listener whose connections take little at once."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        self.write(self.authorized, f"{self.alice.text} who alice")
        self.start_with(listener, "--messages-a-minute", "10000", **options)

    def test_from_a_connection_that_drains_meanwhile(self):
        """Being told `moved` may be what finds room: what waits there is said then, and no more."""
        many = [("eve", EVE, f"{n:060}") for n in range(1000)]
        self.start_with_small_buffers(sessions=[("bob", BOB, "pts/1"), *many])
        for more in range(0, 24000, 2000):
            self.move(more)

    def move(self, more):
        """Away from one who reads slowly, while what he waits for comes to its end."""
        slow, other = self.client(), self.client()
        uids = [secrets.token_bytes(16) for _ in range(12)]
        numbers = [self.send(slow, uid=uid, wait=True) for uid in uids]
        orders = [self.screens.order() for _ in uids]
        for order in orders:
            self.screens.shown(order["present"])
        for number in numbers:
            slow.answer(number)
            slow.answer(number)
        for _ in range(3):
            slow.request("WHO")
        time.sleep(0.1)
        for order in orders:
            slow.sock.recv(4000)
            self.screens.ended(order["present"], screens.DISMISSED)
            time.sleep(0.01)
        for uid in uids:
            slow.sock.recv(3000 + more)
            time.sleep(0.01)
            _, result = other.all_of(other.request("ATTACH", {"uid": uid}))
            self.assertEqual(result.map["st"], "dismissed")
        slow.close()
        other.close()


if __name__ == "__main__":
    unittest.main()
