# SPDX-License-Identifier: MIT
"""
What `make install` makes on each release, built in that release's own tree. The build is kept in
build/lab-RELEASE, so that the next run compiles only what has changed.
"""
import os
import sys

import trees

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# As a distribution configures it.
CONFIGURED = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "--libdir=/usr/lib",
              "--libexecdir=/usr/libexec", "--enable-werror",
              "--with-systemdsystemunitdir=/usr/lib/systemd/system",
              "--with-systemdsystempresetdir=/usr/lib/systemd/system-preset",
              "--with-sysusersdir=/usr/lib/sysusers.d", "--with-tmpfilesdir=/usr/lib/tmpfiles.d"]

SCRIPT = """
set -e
top=$1 name=$2 made=$3
shift 3
cd "$top"
. scripts/setup.sh
configured "$name" gcc "$@"
make -C "build/$name" -j2
make -C "build/$name" install DESTDIR="$made/root"
gcc -D_GNU_SOURCE -shared -fPIC -Wall -Werror -o "$made/libnss_hang.so.2" tests/lab/nss_hang.c
"""


def install(release, where):
    """Builds it, if need be, and installs it in a folder; the caller removes that and what is beside it."""
    name, lower = f"lab-{release}", trees.stack(release, "build")
    os.makedirs(f"{TOP}/build", exist_ok=True)
    os.mkdir(where)
    os.mkdir(f"{where}.over")
    with trees.locked(f"{TOP}/build/lab"):
        with trees.overlay(f"{where}.over", lower) as root:
            trees.inside(root, ["/bin/bash", "-c", SCRIPT, "build", TOP, name, where, *CONFIGURED],
                         f"--bind={TOP}", f"--bind={where}", "-E", "LC_ALL=C.UTF-8")


if __name__ == "__main__":
    install(*sys.argv[1:])
