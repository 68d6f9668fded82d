# SPDX-License-Identifier: MIT
"""What ends, dies or hangs while a message is on a screen: what the sender is told, and what is left."""
import os
import subprocess
import unittest

from harness import eventually
from scenario import Scenario, on_both

TEXT = "The server goes down at 18:00."


class Trouble(Scenario):
    def shown(self, host, *options):
        """bob's desktop, with a message that waits on it."""
        bob = self.desktop(host)
        self.watch(host)
        message = self.send(host, "bob", "/TIME:60", "/W", *options, TEXT)
        return bob, message, bob.shown()

    # ---- sessions that end -------------------------------------------------------------------------

    @on_both
    def test_terminal_closed(self, host):
        bob = self.login(host)
        self.watch(host)
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        self.number(bob)
        bob.close()
        self.ends(message, 3, f"Session {bob.line} ended before user response")

    @on_both
    def test_desktop_logged_out(self, host):
        bob, message, _ = self.shown(host)
        bob.log_out()
        self.ends(message, 3, f"Session {bob.name} ended before user response", timeout=20)

    @on_both
    def test_x_server_killed(self, host):
        bob, message, _ = self.shown(host)
        bob.kill_x()
        self.ends(message, 3, f"Session {bob.name} ended before user response", timeout=20)

    @on_both
    def test_user_terminated(self, host):
        terminal = self.login(host)
        bob, message, _ = self.shown(host)
        self.number(terminal)
        host.does("loginctl", "terminate-user", "bob")
        self.ends(message, 3, f"Session {bob.name} ended before user response",
                  f"Session {terminal.line} ended before user response", timeout=20)

    # ---- what shows it dies ------------------------------------------------------------------------

    @on_both
    def test_helper_killed(self, host):
        bob, message, _ = self.shown(host)
        helper, = self.helpers(host)
        host.does("kill", "-KILL", str(helper))
        self.popup_lost(bob, message)

    def popup_lost(self, bob, message):
        self.ends(message, 1, f"Error sending message to session {bob.name} : its popup was lost",
                  timeout=20)

    @on_both
    def test_notification_server_killed(self, host):
        bob, message, _ = self.shown(host)
        host.does("kill", "-KILL", str(bob.server_pid()))
        self.popup_lost(bob, message)

    @on_both
    def test_bus_killed(self, host):
        bob, message, _ = self.shown(host)
        host.does("pkill", "-KILL", "-u", "bob", "dbus-daemon")
        self.popup_lost(bob, message)

    # ---- what answers no more ----------------------------------------------------------------------

    def stopped(self, host, pid):
        host.does("kill", "-STOP", str(pid))
        self.addCleanup(host.run, "kill", "-CONT", str(pid))

    @on_both
    def test_bus_that_never_answers(self, host):
        bob = self.desktop(host)
        self.watch(host)
        self.stopped(host, host.does("pgrep", "-u", "bob", "dbus-daemon").split()[0])
        self.ends(self.send(host, "bob", "/TIME:60", "/W", TEXT), 1,
                  f"Error sending message to session {bob.name}", timeout=15)

    @on_both
    def test_notification_server_that_never_answers(self, host):
        bob = self.desktop(host)
        self.watch(host)
        self.stopped(host, bob.server_pid())
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        message.wait_for(f"Session {bob.name} is reached on its desktop, by zenity")
        message.interrupt()
        self.ends(message, 130)

    @on_both
    def test_one_who_hangs_delays_nobody(self, host):
        self.desktop(host)
        carol = self.login(host, "carol")
        self.watch(host)
        self.stopped(host, host.does("pgrep", "-u", "bob", "dbus-daemon").split()[0])
        hanging = self.send(host, "bob", "/W", "/TIME:60", TEXT)
        message = self.send(host, "carol", "/W", "/TIME:60", TEXT)
        carol.run(f"msg /ack {self.number(carol)}")
        self.ends(message, 0, timeout=5)
        self.ends(hanging, 1, timeout=15)

    # ---- logind ------------------------------------------------------------------------------------

    @on_both
    def test_logind_restarted(self, host):
        terminal = self.login(host, "carol")
        bob, message, box = self.shown(host)
        host.does("systemctl", "restart", "systemd-logind")
        other = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        terminal.run(f"msg /ack {self.number(terminal)}")
        self.ends(other, 0)
        bob.say_yes(box)
        self.ends(message, 0)
        late = self.login(host, "dave")
        self.ends(self.send(host, "dave", TEXT), 0)
        late.wait_for(TEXT)

    @on_both
    def test_logind_that_never_answers(self, host):
        terminal = self.login(host, "carol")
        self.watch(host)
        self.stopped(host, host.does("pgrep", "-x", "systemd-logind").strip())
        message = self.send(host, "carol", "/TIME:60", "/W", TEXT)
        terminal.run(f"msg /ack {self.number(terminal)}")
        self.ends(message, 0)

    # ---- file systems and name services ------------------------------------------------------------

    def hanging(self, host, folder, uid):
        """A file system that answers nobody is mounted there until the test ends."""
        if not os.path.exists("/dev/fuse"):
            raise unittest.SkipTest("no /dev/fuse")
        fuse = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={fuse},rootmode=40000,user_id={uid},group_id={uid},allow_other"
        subprocess.run(["nsenter", "-t", str(host.leader), "-m", "mount", "-i", "-t", "fuse", "-o",
                        options, "hang", folder], check=True, pass_fds=[fuse])

        def mend():
            os.close(fuse)  # what waits gets an error
            host.does("umount", "-l", folder)
        self.addCleanup(mend)

    @on_both
    def test_home_that_hangs(self, host):
        bob = self.desktop(host)
        terminal = self.login(host, "bob")
        self.watch(host)
        self.hanging(host, "/home/bob", host.uids["bob"])
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        self.number(terminal)
        # dunst looks for icons in it: it is shown, or has failed, within its deadline
        eventually(lambda: message.process.poll() is not None or
                   f"Session {bob.name} is reached" in message.out, lambda: message.out)
        message.interrupt()
        self.assertIn(message.finish().status, (1, 130))

    @on_both
    def test_name_service_that_hangs(self, host):
        bob = self.desktop(host)
        terminal = self.login(host, "carol")
        self.watch(host)
        host.does("touch", "/run/nss-hang")
        self.addCleanup(host.run, "rm", "-f", "/run/nss-hang")
        message = self.send(host, "bob", "/TIME:60", "/W", TEXT)
        other = self.send(host, "carol", "/TIME:60", TEXT)
        terminal.wait_for(TEXT)
        self.ends(other, 0)
        message.wait_for(f"Session {bob.name} is reached on its desktop")
        host.does("rm", "/run/nss-hang")  # our own mouse asks it, too
        bob.say_yes(bob.shown())
        self.ends(message, 0)
