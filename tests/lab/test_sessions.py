# SPDX-License-Identifier: MIT
"""The session list of booted hosts: logind, utmp and processes together, and where each is reached."""
import unittest

from harness import eventually
from scenario import Scenario, on_both


class SessionsTest(Scenario):
    @on_both
    def test_explore(self, host):
        def show(what):
            import time
            time.sleep(2.5)
            print(f"=== {host.name} {what}", flush=True)
            print(host.run("msgctl", "sessions").out)
        bob = host.ssh("bob")
        show("ssh")
        pipe = host.ssh_pipe("alice", "sleep 1000")
        show("ssh -T")
        print(host.run("sh", "-c", "which tmux screen script; ps -eo pid,ppid,sid,tty,comm,user | tail -40; loginctl list-sessions; for s in $(loginctl list-sessions --no-legend | cut -c1-8); do loginctl show-session $s; done").out)
        bob.send("tmux\n") if hasattr(bob, "send") else bob.type("tmux\n")
        show("tmux")
        print(host.run("sh", "-c", "ps -eo pid,ppid,sid,tty,comm,user | tail -20").out)
        print(host.journal("msgd-present")[-3000:])


if __name__ == "__main__":
    unittest.main()
