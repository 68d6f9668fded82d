# SPDX-License-Identifier: MIT
"""
tests/lab/run again, in namespaces of its own: machines, mounts and networks are in those of one child,
and when that ends, however it ends, the kernel takes all of it away.
"""
import contextlib
import os
import subprocess
import sys
import tempfile
import time

ALL = ["--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "--mount-proc"]
RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")


def unified():
    """Where the cgroup2 hierarchy is mounted."""
    with open("/proc/self/mounts", encoding="utf-8") as f:
        for line in f:
            words = line.split()
            if words[2] == "cgroup2" and os.access(words[1], os.W_OK):
                return words[1]
    return None


def left(name):
    """The groups of processes of that name: systemd-nspawn makes its own in more than one hierarchy."""
    with open("/proc/self/mounts", encoding="utf-8") as f:
        tops = [words[1] for words in map(str.split, f) if words[2] in ("cgroup", "cgroup2")]
    return [folder for folder in (os.path.join(top, name) for top in tops) if os.path.isdir(folder)]


def remove_cgroups(name):
    """Their last processes may still be ending."""
    deadline = time.monotonic() + 20
    for folder in left(name):
        remove_cgroup(folder, deadline)


def remove_cgroup(folder, deadline):
    while os.path.isdir(folder):
        for path, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(path)
        if time.monotonic() > deadline:
            print(f"{folder} could not be removed", file=sys.stderr)
            return
        time.sleep(0.05)


@contextlib.contextmanager
def contained(what, arguments, log, **env):
    """
    A child that does what run's inside() calls `what`; what it says goes into a file. And the name of
    all that it makes outside of its namespaces, which is taken away at the end.
    """
    folder = tempfile.mkdtemp(prefix="msg-lab-")
    name = os.path.basename(folder)
    cgroup = os.path.join(unified(), name)
    os.mkdir(cgroup)
    env = {**os.environ, **env, "MSG_LAB_INSIDE": what, "MSG_LAB_FOLDER": folder,
           "MSG_LAB_CGROUP": cgroup}
    child = None
    try:
        child = subprocess.Popen(["unshare", *ALL, sys.executable, RUN, *arguments], env=env,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        yield child, name
    finally:
        if child:
            child.kill()
            child.wait()
        remove_cgroups(name)
        os.rmdir(folder)


def beside(programs, seconds):
    """
    Runs programs of ours in mount and process namespaces of their own, all at once; of each whether
    it went well in that time, and what it said.
    """
    deadline = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        running = []
        for program in programs:
            log = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))
            child = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child",
                                      "--mount-proc", sys.executable, *program],
                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            stack.callback(child.wait)
            stack.callback(child.kill)
            running.append((child, log))
        return [ended(child, log, deadline) for child, log in running]


def ended(child, log, deadline):
    """Waits for a child; (whether it went well, what it said)."""
    late = ""
    try:
        child.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        late = "\nnot done in time"
    log.seek(0)
    return child.returncode == 0, log.read() + late


def enter():
    """What the first process in them does first."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", os.environ["MSG_LAB_FOLDER"]],
                   check=True)
    if os.path.isdir("/run/systemd"):  # nspawn's locks on machines' names
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run/systemd"], check=True)


def reaped(child):
    """
    Its exit status. Whoever's parent ended is waited for here, too: a machine cannot end before the
    last of its processes has been.
    """
    while True:
        pid, status = os.wait()
        if pid == child:
            return os.waitstatus_to_exitcode(status) & 0xff
