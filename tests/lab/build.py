# SPDX-License-Identifier: MIT
"""
What `make install` makes on each release, built in that release's own tree and kept in
build/lab-RELEASE, so that the next run builds only what has changed.
"""
import os

import trees
from harness import TOP

# As a distribution configures it.
CONFIGURED = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", "--libdir=/usr/lib",
              "--libexecdir=/usr/libexec", "--enable-werror",
              "--with-systemdsystemunitdir=/usr/lib/systemd/system",
              "--with-systemdsystempresetdir=/usr/lib/systemd/system-preset",
              "--with-sysusersdir=/usr/lib/sysusers.d", "--with-tmpfilesdir=/usr/lib/tmpfiles.d"]

SCRIPT = """
set -e
top=$1 name=$2
shift 2
cd "$top"
. scripts/setup.sh
configured "$name" gcc "$@"
make -C "build/$name" -j2
rm -rf "build/$name/root"
make -C "build/$name" install DESTDIR="$top/build/$name/root"
gcc -D_GNU_SOURCE -shared -fPIC -Wall -Werror -o "build/$name/libnss_hang.so.2" tests/lab/nss_hang.c
"""


def made(release):
    """Builds it and returns the folder into which it was installed."""
    name = f"lab-{release}"
    lower = trees.make(release, "build")
    os.makedirs(f"{TOP}/build", exist_ok=True)
    with trees.locked("build"), trees.scratch(release) as folder:
        with trees.overlay(folder, lower) as root:
            trees.inside(root, ["/bin/bash", "-c", SCRIPT, "build", TOP, name, *CONFIGURED],
                         f"--bind={TOP}", "-E", "LC_ALL=C.UTF-8")
    return f"{TOP}/build/{name}/root"
