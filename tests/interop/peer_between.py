# SPDX-License-Identifier: MIT
"""
A man in the middle, for tests. As a program: `peer_between ADDRESS PORT HOST PORT KEY [FILE]` stands
at the first address before a host with that key, takes one connection, and prints what it could pass
on; FILE has the secret key that it shows, else it makes one.
"""
import socket
import sys
import threading

import msgpack

from peer import HANDSHAKE_1, HANDSHAKE_3, Client, Closed, Connection, Handshake, NotAuthentic
from peer_keys import Identity, key_of
from peer_values import TYPES, message


class Between:
    """A man in the middle, who ends both handshakes with keys of his own and passes frames on."""

    def __init__(self, key, address, host, listen=("127.0.0.1", 0)):
        self.key, self.address, self.host = key, address, host
        self.listener = socket.create_server(listen)
        self.near_address = self.listener.getsockname()
        self.passed, self.done = [], threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            self._serve(Connection(self.listener.accept()[0]))
        except (Closed, NotAuthentic, OSError):
            pass
        finally:
            self.listener.close()
            self.done.set()

    def _serve(self, near):
        with near:
            noise = Handshake(False, self.key, near.exactly(8))
            noise.read(near.read_frame(HANDSHAKE_1))
            near.write(near.framed(noise.write(msgpack.packb({"v": 1}))))
            noise.read(near.read_frame(HANDSHAKE_3))
            near.sending, near.receiving = noise.ciphers()
            asked = near.read_plaintext()
            self.passed.append(TYPES[message(asked).type].name)
            with Client.tcp(self.address, Identity(), [self.host]) as far:
                far.write(far.sealed(asked))
                answer = far.read_plaintext()
            self.passed.append(TYPES[message(answer).type].name)
            near.write(near.sealed(answer))
            near.linger()


def main(near, near_port, far, far_port, key, *file):
    own = Identity.load(*file) if file else Identity()
    between = Between(own, (far, int(far_port)), key_of(key), (near, int(near_port)))
    print("ready", flush=True)
    between.done.wait(60)
    print("passed", *between.passed, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
