# SPDX-License-Identifier: MIT
"""What ends msgd-popup, and what does not."""
import os
import signal
import socket
import subprocess
import unittest

from harness import eventually, program, stop


class End(unittest.TestCase):
    def setUp(self):
        self.sock, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.sock.close)
        with its:
            self.popup = subprocess.Popen([program("msgd-popup")], stdin=subprocess.DEVNULL,
                                          preexec_fn=lambda: os.dup2(its.fileno(), 3),
                                          pass_fds=(3,))
        self.addCleanup(stop, self.popup, signal.SIGKILL)

    def catches(self, number):
        with open(f"/proc/{self.popup.pid}/status", encoding="ascii") as f:
            fields = dict(line.split(":", 1) for line in f)
        return int(fields["SigCgt"], 16) >> (number - 1) & 1

    def test_systemds_signal_does_not_and_the_end_of_the_connection_does(self):
        """Of the whole service, when the presenter ends: there is a popup to be taken down first."""
        eventually(lambda: self.catches(signal.SIGTERM), "the popup to be ready")
        self.popup.send_signal(signal.SIGTERM)
        with self.assertRaises(subprocess.TimeoutExpired):
            self.popup.wait(0.3)
        self.sock.close()
        self.assertEqual(self.popup.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
