# SPDX-License-Identifier: MIT
"""
An msgd that was taken over, on a host where all else is as it is installed: it gets what SECURITY.md
says that full compromise of msgd yields, and no more. First by what it says to the presenter
(tests/e2e/boundary.py in msgd's place), then by what its service may do at all (a shell there).
"""
import os

import boundary
from harness import eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."
SOCKETS = ("msgd.socket", "msgd-tcp.socket")
ESCAPE = b"clear \x1b[2J"
LIVE = 5  # popups of one user, of which one account holds at most 3


class Hostile(Scenario):
    def stopped(self, host):
        """Takes msgd away until the test ends."""
        self.addCleanup(host.does, "systemctl", "start", *SOCKETS)
        host.does("systemctl", "stop", *SOCKETS, "msgd.service")

    def presenter(self, host):
        return host.does("systemctl", "show", "-P", "MainPID", "msgd-present.service").strip()


class AtTheBoundary(Hostile):
    def in_its_place(self, host, uid=None):
        """Connected with the presenter, as msgd's user."""
        folder = os.open(f"/proc/{host.leader}/root/run/msgd", os.O_PATH)
        try:
            own = int(host.does("id", "-u", "_msgd"))
            msgd = boundary.Msgd.connect(f"/proc/self/fd/{folder}/present.sock", own if uid is None else uid)
        finally:
            os.close(folder)
        self.addCleanup(msgd.close)
        return msgd

    def taken(self, host):
        self.stopped(host)
        msgd = self.in_its_place(host)
        before = self.presenter(host)
        self.addCleanup(lambda: self.assertEqual(self.presenter(host), before))
        return msgd

    @on_both
    def test_clean_text_under_any_name_and_no_other(self, host):
        bob = self.login(host)
        msgd = self.taken(host)
        session = msgd.handle(bob.line)
        for text in (ESCAPE, b"bell \x07", b"\xff", b"return \rX"):
            delivery = msgd.present(session, text)
            msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.FAILED)
        delivery = msgd.present(session, "x", sender=b"root\nMessage from root")
        msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.FAILED)
        delivery = msgd.present(session, TEXT, sender="root (network, 192.0.2.1)")
        msgd.expect(boundary.SHOWN, delivery=delivery)
        bob.wait_for(r"^\| The server goes down")
        self.assertIn("Message from root (network, 192.0.2.1) to bob", bob.screen())
        self.assertEqual(bob.count("Message from"), 1)
        self.assertNotIn(b"\x1b[2J", bob.bytes())

    @on_both
    def test_nobodys_terminal_but_a_sessions(self, host):
        bob = self.login(host)
        msgd = self.taken(host)
        listed = {s.handle for s in msgd.sessions().values()}
        for handle in (0, max(listed) + 1, 2 ** 64 - 1):
            delivery = msgd.present(handle, TEXT)
            msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.SESSION_GONE)
        bob.run("chmod 600 $(tty)")
        delivery = msgd.present(msgd.handle(bob.line), TEXT)
        msgd.expect(boundary.ENDED, delivery=delivery, how=boundary.FAILED)
        self.assertNotIn(TEXT, bob.screen())

    @on_both
    def test_no_more_popups_than_a_user_gets(self, host):
        bob = self.desktop(host)
        msgd = self.taken(host)
        session = next(s.handle for s in self.all_of(msgd) if s.user == "bob")
        for account in range(30):
            msgd.present(session, TEXT, boundary.WAIT, account=account)
        bob.shown()
        shown = eventually(lambda: len(self.helpers(host)) >= LIVE and self.helpers(host), "popups", 20)
        self.assertEqual(len(shown), LIVE)
        msgd.close()  # it dies, and what it had shown goes with it
        self.no_helper_left(host)
        bob.gone()

    def all_of(self, msgd):
        msgd.send(boundary.SESSIONS, 0)
        found = []
        while (message := msgd.receive()).verb != boundary.END:
            found.append(message)
        return found

    @on_both
    def test_false_reports_and_garbage_end_it_alone(self, host):
        bob = self.login(host)
        msgd = self.taken(host)
        waiting = msgd.present(msgd.handle(bob.line), TEXT, boundary.WAIT)
        msgd.expect(boundary.SHOWN, delivery=waiting)
        msgd.sock.send(boundary.datagram(boundary.SHOWN, 1, 1, 0, b""))
        self.assertTrue(msgd.closed())
        for _ in range(20):
            msgd = self.in_its_place(host)
            msgd.sock.send(os.urandom(64))
            self.assertTrue(msgd.closed())
        self.assertGreater(self.in_its_place(host).handle(bob.line), 0)

    @on_both
    def test_only_msgds_user_gets_there(self, host):
        self.stopped(host)
        with self.assertRaises(PermissionError):
            self.in_its_place(host, host.uids["bob"])


# What a shell goes for that is msgd.service, a line each. bob's session is there, and the presenter.
TRIES = """
cat /home/bob/secret
ls /home
ls /run/user
true </dev/{line}
true >/dev/{line}
busctl --address=unix:path=/run/user/{uid}/bus list
tmux -S /tmp/tmux-{uid}/default list-sessions
ls /tmp/tmux-{uid}
kill -TERM {shell}
kill -TERM {presenter}
cat /proc/{shell}/environ
cat /proc/{shell}/status
ls /proc/{presenter}/fd
cat /etc/shadow
cat /etc/ssh/ssh_host_ed25519_key
touch /etc/msgd/authorized_keys
touch /etc/msgd/x
touch /usr/bin/x
touch /run/msgd/x
touch /var/tmp/../cache/x
setpriv --reuid={uid} true
setpriv --reuid=0 true
su bob -c true
unshare --user true
unshare --mount true
mount --bind /etc /mnt
mknod /var/lib/msgd/null c 1 3
install -m 4755 /bin/true /var/lib/msgd/suid
loginctl terminate-user bob
systemctl restart ssh
nsenter --target {presenter} --mount true
"""
OWN = """
touch /run/msgd/state/x
cat /var/lib/msgd/host_key
ls /etc/msgd
"""
SCRIPT = """
cd /var/lib/msgd || exit
tr '\\n' '\\0' </usr/share/tries | xargs -0 -n 1 sh -c '
  timeout 5 sh -c "$0" </dev/null >/dev/null 2>&1 && echo "$0" >>got'
echo end >>got
exec sleep 1000
"""
UNIT = """[Service]
Type=exec
WatchdogSec=0
ExecStart=
ExecStart=/bin/sh /usr/share/hostile
"""
DROP_IN = "/run/systemd/system/msgd.service.d"


class InTheService(Hostile):
    def got(self, host, lines):
        """Which of the lines succeed in msgd's service."""
        got = f"/proc/{host.leader}/root/var/lib/msgd/got"
        host.write("/usr/share/tries", lines)
        host.write("/usr/share/hostile", SCRIPT)
        for command in (("systemctl", "daemon-reload"), ("rm", "-r", DROP_IN), ("rm", "/var/lib/msgd/got"),
                        ("systemctl", "stop", "msgd.service")):
            self.addCleanup(host.does, *command)
        host.does("mkdir", "-p", DROP_IN)
        host.does("sh", "-c", 'printf %s "$1" >"$2"', "sh", UNIT, f"{DROP_IN}/hostile.conf")
        host.does("systemctl", "daemon-reload")
        host.does("systemctl", "restart", "msgd.service")

        def said():
            if not os.path.exists(got):
                return None
            with open(got, encoding="utf-8") as f:
                text = f.read()
            return text if text.endswith("end\n") else None
        text = eventually(said, lambda: f"all to be tried: {host.journal('msgd.service')}", 120)
        return text.splitlines()[:-1]

    @on_both
    def test_what_its_service_may_do(self, host):
        bob = self.tmux(host)
        host.does("sh", "-c", "echo mine >~/secret && chmod 644 ~/secret && chmod 755 ~", user="bob")
        facts = {"line": bob.line, "uid": host.uids["bob"], "presenter": self.presenter(host),
                 "shell": host.does("pgrep", "-u", "bob", "-x", "sh").split()[0]}
        tries = TRIES.format(**facts).strip()
        self.assertEqual(self.got(host, f"{tries}\n{OWN.strip()}\n"), OWN.strip().splitlines())
        self.assertEqual(self.presenter(host), facts["presenter"])
        self.assertNotEqual(host.does("pgrep", "-u", "bob", "-x", "sh"), "")
