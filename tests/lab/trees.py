# SPDX-License-Identifier: MIT
"""
Root trees of Debian releases, made once and kept in MSG_LAB_CACHE (default /var/cache/msg-lab).

A release is a base made by debootstrap and layers of more packages over it, each the upper folder of
an overlayfs. A name ends in the hash of what it was made from, so that a changed list makes a new
tree and an old one is never changed; a machine has an overlay of its own over them. The mirror is the
one that this host's own apt uses.
"""
import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

CACHE = os.environ.get("MSG_LAB_CACHE", "/var/cache/msg-lab")
RELEASES = ("bookworm", "trixie")
KEPT = 7 * 24 * 3600  # seconds

# What every machine has. The libraries of our programs are called differently in each release.
BASE = """systemd systemd-sysv dbus dbus-user-session libpam-systemd openssh-server openssh-client
    openssh-sftp-server login passwd adduser iproute2 procps tmux apt libsodium23 libinih1
    libsystemd0""".split()
LIBRARIES = {"bookworm": ["libuv1", "libmsgpackc2"], "trixie": ["libuv1t64", "libmsgpack-c2"]}

# Name of a layer: the one below it, its packages.
LAYERS = {
    "build": ("base", """gcc libc6-dev make autoconf automake libtool pkgconf libuv1-dev
        libsodium-dev libmsgpack-dev libinih-dev libsystemd-dev uthash-dev libcunit1-dev""".split()),
    "desktop": ("base", """xvfb openbox dunst libnotify-bin xdotool imagemagick x11-utils suckless-tools xterm
        zenity at-spi2-core gir1.2-atspi-2.0 python3-gi""".split()),
    "servers": ("desktop", """xfce4-notifyd mate-notification-daemon notification-daemon
        lxqt-notificationd mako-notifier sway-notification-center sway
        grim wayvnc""".split()),
}


class Unusable(Exception):
    """Trees cannot be made or used here; the text says why."""


def packages(release, layer):
    if layer == "base":
        return sorted(BASE + LIBRARIES[release])
    chosen = LAYERS[layer][1]
    if (release, layer) == ("trixie", "build"):
        chosen = [{"libmsgpack-dev": "libmsgpack-c-dev"}.get(name, name) for name in chosen]
    return sorted(chosen)


def chain(layer):
    """Names of the layer and of all below it, the uppermost first."""
    return [layer] + (chain(LAYERS[layer][0]) if layer != "base" else [])


def stack(release, layer):
    """Paths of the layer and of all below it, the uppermost first."""
    names, told = [], hashlib.sha256()
    for name in reversed(chain(layer)):
        told.update(" ".join([release, name] + packages(release, name) + [""]).encode())
        middle = "" if name == "base" else f"-{name}"
        names.insert(0, f"{CACHE}/{release}{middle}-{told.hexdigest()[:12]}")
    return names


def mirror():
    """The first archive that this host's apt takes Debian itself from."""
    told = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL) $(COMPONENT)",
         "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in told.splitlines():
        if line.split()[1:] == ["Debian", "Debian", "main"]:
            return line.split()[0]
    raise Unusable("this host's apt names no archive of Debian")


def said(command, **how):
    """Runs a command that is silent unless it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **how)
    if done.returncode != 0:
        raise Unusable(f"{' '.join(command[:6])}...: {done.stdout[-2000:]}")
    return done.stdout


@contextlib.contextmanager
def overlay(folder, lower):
    """Mounts folder/root over the trees given, what is written in it going to folder/upper."""
    for name in ("upper", "work", "root"):
        os.mkdir(f"{folder}/{name}")
    said(["mount", "-t", "overlay", "overlay", "-o",
          f"lowerdir={':'.join(lower)},upperdir={folder}/upper,workdir={folder}/work", f"{folder}/root"])
    try:
        yield f"{folder}/root"
    finally:
        said(["umount", f"{folder}/root"])


@contextlib.contextmanager
def scratch(name):
    """A folder beside the trees, removed at the end."""
    os.makedirs(CACHE, mode=0o755, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE)
    try:
        os.chmod(folder, 0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inside(root, command, *options):
    """Runs a command in a tree, with this host's network."""
    said(["systemd-nspawn", "-q", "--register=no", "--keep-unit", "--as-pid2", "--pipe",
          "--resolv-conf=copy-host", "-D", root, "-M", f"msg-lab-{secrets.token_hex(4)}", *options, *command])


@contextlib.contextmanager
def locked(path):
    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bootstrap(release, tree):
    said(["debootstrap", "--variant=minbase", "--include=" + ",".join(packages(release, "base")),
          release, tree, mirror()])
    for name in os.listdir(f"{tree}/var/cache/apt/archives"):
        if name.endswith(".deb"):
            os.unlink(f"{tree}/var/cache/apt/archives/{name}")
    with open(f"{tree}/etc/machine-id", "w", encoding="ascii"):
        pass  # empty: each machine gets its own


# Nobody reads in a tree, and one that was not finished is thrown away: nothing to write through.
LEAN = ["--force-unsafe-io", *(f"--path-exclude=/usr/share/{name}/*"
                               for name in ("doc", "info", "locale", "man"))]


def add_packages(release, layer, below, folder):
    """folder/upper becomes the layer."""
    options = ["-E", "DEBIAN_FRONTEND=noninteractive"]
    options += [f"-E{name}" for name in ("http_proxy", "https_proxy") if name in os.environ]
    apt = ["apt-get", "-q", "-y", "-o", "APT::Sandbox::User=root",
           *(f"-oDpkg::Options::={option}" for option in LEAN)]
    with overlay(folder, below) as root:
        inside(root, apt + ["update"], *options)
        inside(root, apt + ["install", "--no-install-recommends"] + packages(release, layer), *options)
        inside(root, apt + ["clean"], *options)


def sweep(release):
    """Removes what is nobody's any more: half a tree, and trees that no run has wanted for a week."""
    for name in os.listdir(CACHE):
        path = f"{CACHE}/{name}"
        old = (re.fullmatch(rf"{release}(-\w+)?-[0-9a-f]{{12}}", name) and
               time.time() - os.stat(path).st_mtime > KEPT)
        if old or name.startswith(f"making-{release}."):
            shutil.rmtree(path, ignore_errors=True)


def make(release, layer):
    """Makes the layer and what is below it unless it is there; returns its stack()."""
    paths = stack(release, layer)
    os.makedirs(CACHE, mode=0o755, exist_ok=True)
    with locked(f"{CACHE}/{release}"):
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)
        sweep(release)
        for name, path in reversed(list(zip(chain(layer), paths))):
            if os.path.isdir(path):
                continue
            with scratch(f"making-{release}") as folder:
                if name == "base":
                    bootstrap(release, f"{folder}/upper")
                else:
                    add_packages(release, name, paths[paths.index(path) + 1:], folder)
                os.rename(f"{folder}/upper", path)
    return paths


def proxy():
    """The one that this host's apt uses, for debootstrap and the trees' own apt."""
    if "http_proxy" in os.environ:
        return
    told = subprocess.run(["apt-config", "shell", "PROXY", "Acquire::http::Proxy"], check=False,
                          capture_output=True, text=True).stdout
    found = re.fullmatch(r"PROXY='(http[^']+)'\s*", told)
    if found:
        os.environ["http_proxy"] = found.group(1)


def main(release):
    proxy()
    try:
        for layer in ("servers", "build"):
            make(release, layer)
    except Unusable as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
