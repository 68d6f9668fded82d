# SPDX-License-Identifier: MIT
"""An msgd that was taken over: what it sends harms nobody but itself."""
import array
import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import time

import boundary
from harness import eventually
from presenter import PresenterCase

LIFE_MAX = 7 * 24 * 3600 * 1000


class HostileTest(PresenterCase):
    def setUp(self):
        super().setUp()
        self.term = self.terminal()
        self.session = self.msgd.handle(self.term.line)

    def closes(self, *datagrams):
        """Any one of these ends the connection, and nothing else."""
        for data in datagrams:
            self.msgd.sock.send(data)
            self.assertTrue(self.msgd.closed(), data[:80])
            self.reconnect()
        self.msgd.sessions()

    def good(self, **changed):
        values = dict(delivery=1, session=self.session, account=1, life_ms=1000, sent_at_ms=0,
                      number=7, flags=0, sender_len=5, title_len=0, answers_len=0,
                      name_len=0)
        values.update(changed)
        return values.values()

    def test_datagrams_that_do_not_fit(self):
        present = boundary.datagram(boundary.PRESENT, *self.good(), text=b"alicehello")
        self.closes(struct.pack("=II", 99, 0), struct.pack("=II", 0xffffffff, 0), b"", b"x",
                    present[:-1], present + b"x", present[:8], present[:20],
                    struct.pack("=II", boundary.PRESENT, 0xffffffff) + present[8:],
                    boundary.datagram(boundary.PRESENT, *self.good(), text=b"x" * 33801),
                    boundary.datagram(boundary.SHOWN, 1, 1, 0, b""),
                    boundary.datagram(boundary.END, 1, 0),
                    present.ljust(boundary.DATAGRAM + 1, b"x"))
        self.assertEqual(self.term.bytes(), b"")

    def test_numbers_out_of_range(self):
        def present(**changed):
            return boundary.datagram(boundary.PRESENT, *self.good(**changed), text=b"alicehello")
        self.closes(present(flags=8), present(sender_len=0), present(sender_len=257),
                    present(name_len=6), present(name_len=257),
                    present(sender_len=11), present(title_len=6), present(title_len=257),
                    present(answers_len=6), present(answers_len=521),
                    present(sender_len=0xffffffff, title_len=0xffffffff), present(life_ms=0),
                    present(life_ms=LIFE_MAX + 1), present(life_ms=2 ** 64 - 1),
                    boundary.datagram(boundary.WITHDRAW, 1, 4, 0))
        self.assertEqual(self.term.bytes(), b"")
        self.msgd.sock.send(present(life_ms=LIFE_MAX))
        self.msgd.expect(boundary.SHOWN, delivery=1)

    def test_a_delivery_named_twice(self):
        self.msgd.present(self.session, "hello", boundary.WAIT, delivery=1)
        self.msgd.expect(boundary.SHOWN, delivery=1)
        self.msgd.present(self.session, "hello", boundary.WAIT, delivery=1)
        self.assertTrue(self.msgd.closed())
        self.presenter.wait_for("a delivery that is there already")

    def test_attached_descriptors(self):
        folder = f"/proc/{self.presenter.process.pid}/fd"
        before = len(os.listdir(folder))
        for verb in (boundary.datagram(boundary.SESSIONS, 0), b"x"):
            self.msgd.sock.sendmsg([verb], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                             array.array("i", [0, 1, 2]))])
            self.assertTrue(self.msgd.closed())
            self.reconnect()
        eventually(lambda: len(os.listdir(folder)) <= before, lambda: os.listdir(folder))

    def test_text_that_is_not_fit(self):
        cases = [dict(text=b"a\x1b[2J"), dict(text=b"a\rb"), dict(text=b"a\0b"), dict(text=b"\xff"),
                 dict(text="\u009b2J"), dict(text=b""), dict(text=b" \n "), dict(text=b"\xed\xa0\x80"),
                 dict(text=b"\xc0\x8a"), dict(text="x", title="a\nb"), dict(text="x", title="\x07"),
                 dict(text="x", sender="a\nb"), dict(text="x", sender="a\tb"),
                 dict(text="x", sender=b"\xe4")]
        for case in cases:
            delivery = self.msgd.present(self.session, **case)
            ended = self.msgd.expect(boundary.ENDED, delivery=delivery)
            self.assertEqual((ended.how, ended.why), (boundary.FAILED, "internal"), case)
        self.assertEqual(self.term.bytes(), b"")
        self.presenter.wait_for("not fit to be shown")

    def test_handles_never_given(self):
        for handle in (0, self.session + 1, 2 ** 64 - 1):
            delivery = self.msgd.present(handle, "hello")
            self.msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.SESSION_GONE)
        for delivery in (0, 99, 2 ** 64 - 1):
            self.msgd.withdraw(delivery)
        self.msgd.nothing()

    def flood(self, count, flags):
        """Presents so many, reading meanwhile; how often it was told what."""
        tally = {"shown": 0, "too-many": 0}
        sent = 0
        self.msgd.sock.setblocking(False)
        deadline = time.monotonic() + 60
        while sum(tally.values()) < count and time.monotonic() < deadline:
            try:
                while sent < count:
                    self.msgd.present(self.session, "x", flags, life_ms=600000)
                    sent += 1
            except BlockingIOError:
                pass
            message = self.msgd.receive(0.2)
            while message:
                if message.verb == boundary.SHOWN:
                    tally["shown"] += 1
                elif message.verb == boundary.ENDED:
                    self.assertEqual(message.how, boundary.FAILED)
                    tally[message.why] += 1
                message = self.msgd.receive(0)
        self.msgd.sock.setblocking(True)
        return tally

    def test_a_flood_is_held_to_the_rate(self):
        started = time.monotonic()
        tally = self.flood(10000, 0)
        most = 512 + 20 * (time.monotonic() - started + 1)
        self.assertEqual(sum(tally.values()), 10000)
        self.assertTrue(512 <= tally["shown"] <= most, tally)
        self.msgd.sessions()
        self.assertLess(self.presenter.log.count("too many"), 5)

    def test_no_more_than_so_many_are_up(self):
        tally = self.flood(600, boundary.WAIT)
        self.assertEqual(tally, {"shown": 512, "too-many": 88})
        for delivery in range(1, 101):
            self.msgd.withdraw(delivery, boundary.SILENT)
        time.sleep(1)  # the rate: 20 a second
        delivery = self.msgd.present(self.session, "one more", boundary.WAIT)
        self.msgd.expect(boundary.SHOWN, delivery=delivery)

    def test_one_who_does_not_read_is_not_read_either(self):
        """However much it sends: what is held for it stays within bounds."""
        self.msgd.sock.settimeout(1)
        sent = 0
        with self.assertRaises((TimeoutError, socket.timeout)):
            while sent < 100000:
                self.msgd.present(0, "x" * 30000)
                sent += 1
        status = self.presenter.status()
        self.assertLess(int(status["VmRSS"].split()[0]), 200000)
        self.reconnect()
        self.msgd.sessions()

    @contextlib.contextmanager
    def pouring(self, seconds=2.0):
        """
        The presenter is held while the body runs. Then two processes present to nobody, as fast as
        it is taken; how often they could is in the list.
        """
        data = boundary.datagram(boundary.PRESENT, *self.good(session=0), text=b"a" * 32000)
        counted, taken = multiprocessing.Value("i", 0), []

        def send():
            with contextlib.suppress(OSError):
                while True:
                    self.msgd.sock.send(data)
                    with counted.get_lock():
                        counted.value += 1
        senders = [multiprocessing.Process(target=send) for _ in range(2)]
        self.presenter.process.send_signal(signal.SIGSTOP)
        try:
            yield taken
            for sender in senders:
                sender.start()
            time.sleep(0.3)
        finally:
            self.presenter.process.send_signal(signal.SIGCONT)
        for sender in senders:
            sender.join(seconds)
            sender.kill()
            sender.join()
        taken.append(counted.value)

    def not_taken(self, end):
        """Nothing that is said after the end is taken, or kept, but what lay there already."""
        before = int(self.presenter.status()["VmRSS"].split()[0])
        with self.pouring() as taken:
            end()
        self.assertLess(taken[0], 20)
        self.assertLess(int(self.presenter.status()["VmRSS"].split()[0]) - before, 10000)
        self.reconnect()
        self.msgd.sessions()

    def test_one_who_says_the_end_and_goes_on(self):
        def deaf():
            self.msgd.sock.shutdown(socket.SHUT_RD)
            self.msgd.send(boundary.SESSIONS, 0)
        self.not_taken(deaf)
        self.not_taken(lambda: self.msgd.sock.send(b""))

    def test_one_who_is_deaf_from_the_start(self):
        def deaf():
            self.msgd = self.connect(greet=False)
            self.msgd.sock.shutdown(socket.SHUT_RD)
            self.msgd.sock.send(hello)
        hello = boundary.datagram(boundary.HELLO, 1, 0, self.msgd.layout, b"msgd")
        self.msgd.close()
        self.presenter.wait_for("msgd has gone")
        self.not_taken(deaf)

    def test_garbage(self):
        for _ in range(50):
            self.msgd.sock.send(os.urandom(1 + os.urandom(1)[0]))
            self.assertTrue(self.msgd.closed())
            self.reconnect()
        self.msgd.sessions()
