# SPDX-License-Identifier: MIT
"""
What keeps the lab from running on this host, found out with nothing of ours in it: what the kernel or
a container refuses, root trees that cannot be made, machines that do not boot from them. Where all of
that is well, nothing is skipped any more, and whatever fails has failed.
"""
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time

import namespaces
import trees
from machine import Machine, Switch

TOOLS = ("debootstrap", "systemd-nspawn", "ip", "ssh", "ssh-keygen", "unshare", "nsenter")
MODULES = ("dbus", "gi", "msgpack")
TREES = 900  # seconds for the trees to be made, if none is kept
BOOT = 240   # and for two bare machines to boot

# Tried in the namespaces, in a folder beside the trees: what keeps it from running, and whether it does.
PROBES = (
    ("no bridge", "ip link add switch type bridge && ip link add one type veth peer name two"),
    ("no tmpfs", "mkdir t && mount -t tmpfs tmpfs t"),
    ("no overlay", "mkdir l u w r && mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w r"),
    ("no devices, which root trees need", "mknod n c 1 3 && : >n"),
    ("systemd-nspawn does not run",
     "if [ -d /run/systemd ]; then mount -t tmpfs tmpfs /run/systemd; fi && "
     "systemd-nspawn -q --register=no --keep-unit --link-journal=no --volatile=yes -D / "
     "-M msg-lab-probe --as-pid2 --pipe true"),
)


def why_not():
    """What keeps the lab from running here."""
    if os.geteuid() != 0:
        return "it needs root"
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    missing += [f"Python's {name}" for name in MODULES if not importlib.util.find_spec(name)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return cgroups_refused() or namespaces_refused()


def cgroups_refused():
    """A process must get into a group of its own."""
    try:
        folder = tempfile.mkdtemp(prefix="msg-lab-", dir=namespaces.unified() or "/proc")
    except OSError:
        return "no writable cgroup2 hierarchy"
    try:
        script = 'echo $$ >"$1/cgroup.procs"'
        return refused("no group of processes", ["sh", "-c", script, "sh", folder])
    finally:
        namespaces.remove_cgroups(os.path.basename(folder))


def namespaces_refused():
    reason = refused("no namespaces", ["unshare", *namespaces.ALL, "true"])
    if reason:
        return reason
    with trees.scratch("probe") as folder:
        for what, script in PROBES:
            script = f'mkdir "$1" && cd "$1" && {script}'
            name = f"{folder}/{what.split()[-1]}"
            reason = refused(what, ["unshare", *namespaces.ALL, "sh", "-c", script, "sh", name])
            if reason:
                return reason
    return None


def refused(what, command):
    """What a command said that failed."""
    done = subprocess.run(["timeout", "60", *command], check=False, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL)
    said = " ".join((done.stderr.strip() or f"status {done.returncode}").splitlines()[-1:])
    return f"{what}: {said}" if done.returncode else None


def unprepared():
    """Makes the trees and boots bare machines; what came of it if it was not that."""
    made = namespaces.beside([[trees.__file__, release] for release in trees.RELEASES], TREES)
    for release, (good, said) in zip(trees.RELEASES, made):
        if not good:
            return f"no tree of {release}: {last_line(said)}"
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        with namespaces.contained("boot", [], log) as (child, _):
            good, said = namespaces.ended(child, log, time.monotonic() + BOOT)
    return None if good else f"bare machines do not boot: {last_line(said)}"


def last_line(said):
    return (said.strip().splitlines() or ["not a word"])[-1][-300:]


def boot_bare():
    """Within the namespaces: a machine of each release, as it comes out of its tree."""
    switch = Switch()
    for name, release in zip(("h1", "h2"), trees.RELEASES):
        Machine(switch, name, release, None, "servers").does("loginctl", "list-sessions")
