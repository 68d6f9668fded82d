# SPDX-License-Identifier: MIT
"""
The lab: hosts booted with systemd by systemd-nspawn, each in a network namespace and a cgroup of its
own, all on one bridge that leads nowhere else.

It lives inside the mount, process and network namespaces that tests/lab/run made, in one tmpfs
(FOLDER): when run's child ends, however it ends, the kernel takes all of it away.
"""
import contextlib
import fcntl
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import termios

import trees
from harness import Running, Terminal, User, eventually

FOLDER = os.environ.get("MSG_LAB_FOLDER", "")
CGROUP = os.environ.get("MSG_LAB_CGROUP", "")
SWITCH = "10.99.0.1"
PEOPLE = ("alice", "bob", "carol", "dave")
# What a booted machine does of its own accord, and a short life needs not.
UNWANTED = """apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
    e2scrub_reap.service fstrim.timer man-db.timer systemd-networkd-wait-online.service
    console-getty.service""".split()

# Stopping a slice waits until all in it has ended. Whatever hangs, or is stopped, is killed before.
LOG_OUT = """
systemctl kill -s KILL 'session-*.scope'
for uid; do pkill -KILL -u $uid; done
systemctl stop user.slice
systemctl reset-failed 'user@*' 'session-*' 'desktop-*' 2>/dev/null
"""

TIOCSPTLCK, TIOCGPTN = 0x40045431, 0x80045430
ME = User("root", 0, 0, FOLDER)


def said(*command, **how):
    return trees.said(list(command), **how)


class Entered(Running):
    """A program in a machine. nsenter waits for it, and hands no signal on."""

    def signal(self, number):
        with contextlib.suppress(OSError):
            with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                      encoding="ascii") as f:
                for pid in f.read().split():
                    os.kill(int(pid), number)

    def interrupt(self):
        """Ctrl-C."""
        self.signal(signal.SIGINT)

    def kill(self):
        self.signal(signal.SIGKILL)
        super().kill()


class Console(Terminal):
    """
    A virtual console of a machine, where login has let a person in: a pseudo-terminal that stands in
    the place of /dev/ttyN, since the kernel's own belong to the host outside.
    """

    def __init__(self, host, user, line="tty5"):
        self.host, self.user, self.utmp, self.line = host, ME, None, line
        self.path, self.unit = f"/dev/{line}", f"console-{line}"
        self.master = os.open(f"/proc/{host.leader}/root/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
        fcntl.ioctl(self.master, TIOCSPTLCK, struct.pack("i", 0))
        number, = struct.unpack("I", fcntl.ioctl(self.master, TIOCGPTN, bytes(4)))
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        host.does("sh", "-c", f"touch {self.path} && mount --bind /dev/pts/{number} {self.path}")
        self.collect()
        self.leader = subprocess.Popen(host.entered(
            ["systemd-run", "-q", "--wait", "-u", self.unit, "-p", f"TTYPath={self.path}",
             "-p", "StandardInput=tty", "-p", "StandardOutput=tty", "-p", f"UtmpIdentifier={line}",
             "/sbin/agetty", "--noclear", "--autologin", user, line, "vt100"]))
        eventually(lambda: "$ " in self.screen(),
                   lambda: f"a prompt on {line}: {self.screen()!r}, {host.journal(self.unit)}")

    def hang_up(self):
        if self.master >= 0:
            self.host.run("systemctl", "stop", self.unit)
            self.host.run("umount", self.path)
        super().hang_up()

    close = hang_up


class Switch:
    """The bridge, in the namespace in which ssh is called."""

    def __init__(self):
        self.name = "switch"
        self.key = f"{FOLDER}/id"
        namespace(self.name)
        said("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        self.ip("link", "set", "lo", "up")
        self.ip("link", "add", "bridge", "type", "bridge")
        self.ip("address", "add", f"{SWITCH}/24", "dev", "bridge")
        self.ip("link", "set", "bridge", "up")

    def ip(self, *words, where=None):
        said("nsenter", f"--net={FOLDER}/net-{where or self.name}", "ip", *words)

    def join(self, name):
        """A namespace for a host, h1 to h9, cabled to the bridge; its address."""
        address = f"10.99.0.{int(name[1:]) + 1}"
        namespace(name)
        self.ip("link", "add", f"to-{name}", "type", "veth", "peer", "name", "eth0",
                "netns", f"{FOLDER}/net-{name}")
        self.ip("link", "set", f"to-{name}", "master", "bridge", "up")
        for words in (("link", "set", "lo", "up"), ("address", "add", f"{address}/24", "dev", "eth0"),
                      ("link", "set", "eth0", "up")):
            self.ip(*words, where=name)
        return address

    def cable(self, name, plugged):
        """Plugs a host in, or out."""
        self.ip("link", "set", f"to-{name}", "up" if plugged else "down")


def namespace(name):
    path = f"{FOLDER}/net-{name}"
    with open(path, "w", encoding="ascii"):
        pass
    said("unshare", f"--net={path}", "true")


class Machine:
    """A host of a release, running: with what was installed in a folder, or bare."""

    def __init__(self, switch, name, release, installed, layer="base"):
        self.switch, self.name, self.release = switch, name, release
        self.address = switch.join(name)
        self.folder = f"{FOLDER}/{name}"
        os.mkdir(self.folder)
        for part in ("upper", "work", "root"):
            os.mkdir(f"{self.folder}/{part}")
        self.root = f"{self.folder}/root"
        said("mount", "-t", "overlay", "overlay", "-o",
             f"lowerdir={':'.join(trees.stack(release, layer))},upperdir={self.folder}/upper,"
             f"workdir={self.folder}/work", self.root)
        self.uids = {}
        if installed:
            self._furnish(installed)
        self.process = self._boot()
        self.leader = None
        eventually(self._is_up, lambda: f"{name} to boot: {self.console()}", 120)

    # ---- before it boots -------------------------------------------------------------------------

    def write(self, path, text, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(full, mode)

    def read(self, path):
        with open(self.root + path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def _furnish(self, installed):
        said("sh", "-c", 'tar cf - -C "$1" . | tar xf - --keep-directory-symlink --no-same-owner -C "$2"',
             "sh", f"{installed}/root", self.root)
        shutil.copy(f"{installed}/libnss_hang.so.2", f"{self.root}/usr/lib")
        self.write("/etc/nsswitch.conf", "passwd: hang files\ngroup: files\nhosts: files dns\n")
        self.write("/etc/hostname", f"{self.name}\n")
        self.write("/etc/default/locale", "LANG=C.UTF-8\n")
        self.write("/etc/environment", "LANG=C.UTF-8\n")
        self.write("/etc/hosts", "127.0.0.1 localhost\n" + "".join(
            f"10.99.0.{number + 1} h{number}\n" for number in range(1, 10)))
        said("systemctl", f"--root={self.root}", "-q", "mask", *UNWANTED)
        for user in PEOPLE:
            self.add_user(user)
        self._let_in("/root", 0)

    def add_user(self, user, uid=None):
        said("chroot", self.root, "useradd", "-m", "-s", "/bin/sh", *(["-u", str(uid)] if uid else []),
             user)
        entry = re.search(rf"^{user}:[^:]*:(\d+):", self.read("/etc/passwd"), re.M)
        self.uids[user] = int(entry.group(1))
        self._let_in(f"/home/{user}", self.uids[user])

    def _let_in(self, home, uid):
        with open(f"{self.switch.key}.pub", encoding="ascii") as f:
            self.write(f"{home}/.ssh/authorized_keys", f.read(), 0o600)
        self.write(f"{home}/.hushlogin", "")
        for path in (".ssh", ".ssh/authorized_keys", ".hushlogin"):
            os.chown(f"{self.root}{home}/{path}", uid, uid)
        os.chmod(f"{self.root}{home}/.ssh", 0o700)

    def _boot(self):
        cgroup = f"{CGROUP}/{self.name}"
        os.makedirs(cgroup, exist_ok=True)

        def enter():
            with open(f"{cgroup}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(os.getpid()))
        env = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        with open(f"{self.folder}/console", "wb") as log:
            return subprocess.Popen(
                ["systemd-nspawn", "-q", "-D", self.root, "--register=no", "--keep-unit", "-M", self.name,
                 "--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off", "--link-journal=no",
                 f"--network-namespace-path={FOLDER}/net-{self.name}", "--boot"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, preexec_fn=enter)

    def console(self):
        with open(f"{self.folder}/console", encoding="utf-8", errors="replace") as f:
            return f.read()[-2000:]

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.console()}")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="ascii") as f:
            children = f.read().split()
        if not children:
            return False
        self.leader = int(children[0])
        up = subprocess.run(self.entered(["systemctl", "is-system-running", "--wait"]), check=False,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, timeout=60)
        return up.stdout.strip() in ("running", "degraded")

    # ---- what runs in it -------------------------------------------------------------------------

    def entered(self, argv, user=None, env=None):
        """The command as it is run in the machine, by root or another, in no login session."""
        home = "/root" if user is None else f"/home/{user}"
        clean = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home,
                 "USER": user or "root", "LOGNAME": user or "root", "SHELL": "/bin/sh",
                 "LANG": "C.UTF-8", "TERM": "vt100", **(env or {})}
        become = [] if user is None else ["setpriv", f"--reuid={self.uids[user]}",
                                          f"--regid={self.uids[user]}", "--clear-groups"]
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-C",
                *(["--wd=/"]), "env", "-i", *(f"{k}={v}" for k, v in clean.items()), *become, *argv]

    def begin(self, *argv, user=None, env=None, stdin=None):
        """A program under way."""
        return Entered(ME, self.entered(argv, user, env), stdin=stdin)

    def run(self, *argv, timeout=30.0, **options):
        """A program's Outcome."""
        return self.begin(*argv, **options).finish(timeout)

    def does(self, *argv, **options):
        """The output of a command that is to succeed."""
        outcome = self.run(*argv, **options)
        if outcome.status != 0:
            raise AssertionError(f"{self.name}: {shlex.join(argv)}: {outcome}")
        return outcome.out

    def journal(self, *units):
        return self.run("journalctl", "-b", "--no-pager", "-o", "short-monotonic",
                        *(f"-u{unit}" for unit in units)).out

    def pids(self, pattern):
        """Processes of the machine whose command line matches, as the machine numbers them."""
        return [int(pid) for pid in self.run("pgrep", "-f", pattern).out.split()]

    def next_pid(self, pid):
        """The number of the next process there, if nobody has it."""
        said("nsenter", "-t", str(self.leader), "-p", "sh", "-c",
             f"echo {pid - 1} >/proc/sys/kernel/ns_last_pid")

    def sessions(self):
        """logind's: {id: {property: value}}."""
        listed = {}
        for line in self.does("loginctl", "list-sessions", "--no-legend").splitlines():
            shown = self.run("loginctl", "show-session", line.split()[0])
            if shown.status == 0:
                listed[line.split()[0]] = dict(p.split("=", 1) for p in shown.out.splitlines())
        return listed

    def ssh_argv(self, user, *options):
        return ["nsenter", f"--net={FOLDER}/net-switch", "ssh", "-F", "none", "-i", self.switch.key,
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
                *options, f"{user}@{self.address}"]

    def ssh(self, user, *command):
        """A terminal that user has opened by ssh -tt (harness.Terminal), with its prompt there."""
        terminal = Terminal(ME, leader=[*self.ssh_argv(user, "-tt"), *command], env={"TERM": "xterm"})
        if not command:
            terminal.wait_for(r"^\$ ")
            terminal.line = terminal.run("tty")[0].strip()[len("/dev/"):]
        return terminal

    def ssh_pipe(self, user, *command):
        """A login by ssh -T: no terminal there."""
        return Running(ME, [*self.ssh_argv(user, "-T"), *command])

    def log_out_all(self):
        """Ends every login and every user's manager, and waits until nothing of theirs runs."""
        self.run("sh", "-c", LOG_OUT, "sh", *(str(self.uids[user]) for user in PEOPLE), timeout=60)
        eventually(lambda: not self.sessions() and not self.run("pgrep", "-u", ",".join(PEOPLE)).out,
                   lambda: f"everybody to be gone: {self.sessions()} {self.run('ps', 'axfo', 'user,pid,stat,args').out}")

    def reboot(self):
        """Like a service's, its machine ends and is to be started again."""
        self.run("systemctl", "reboot")
        self.process.wait(60)
        self.process = self._boot()
        eventually(self._is_up, lambda: f"{self.name} to boot again: {self.console()}", 120)

    def power_off(self):
        if self.process.poll() is None and self.leader:
            os.kill(self.leader, signal.SIGKILL)
            self.process.wait(20)


def temporary():
    return tempfile.mkdtemp(dir=FOLDER)
