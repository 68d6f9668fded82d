# SPDX-License-Identifier: MIT
"""A journal in a test's hands: a socket that takes the native protocol's datagrams, read strictly."""
import os
import socket
import struct


class Journal:
    def __init__(self, path, timeout=10.0):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.settimeout(timeout)

    def record(self):
        """The next one: a map of lists, since a field may stand there several times."""
        return read(self.socket.recv(1 << 20))

    def records(self, count):
        return [self.record() for _ in range(count)]

    def is_silent(self, seconds=0.3):
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1 << 20, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10.0)

    def close(self):
        self.socket.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


def read(datagram):
    """systemd.io/JOURNAL_NATIVE_PROTOCOL, as journald reads it."""
    fields = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            size = struct.unpack("<Q", rest[:8])[0]
            value, end, rest = rest[8:8 + size], rest[8 + size:9 + size], rest[9 + size:]
            assert (len(value), end) == (size, b"\n"), datagram
        fields.setdefault(name.decode("ascii"), []).append(value.decode())
        datagram = rest
    return fields
