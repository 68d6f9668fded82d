# SPDX-License-Identifier: MIT
"""What somebody sees of the bytes that were written to his terminal: tmux is the terminal."""
import os
import shutil
import subprocess
import tempfile

from harness import eventually

TMUX = shutil.which("tmux")


def screen(data, columns=80, rows=24):
    """The rows of such a terminal after these bytes, blanks at their ends cut off."""
    with tempfile.TemporaryDirectory(prefix="msg-emulated-") as folder:
        path = os.path.join(folder, "bytes")
        with open(path, "wb") as f:
            f.write(data)

        def tmux(*argv):
            return subprocess.run(
                [TMUX, "-u", "-f", "/dev/null", "-S", os.path.join(folder, "socket"), *argv],
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TERM": "xterm", "SHELL": "/bin/sh"},
                stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True, timeout=20).stdout
        # One row more for its status line.
        tmux("new-session", "-d", "-x", str(columns), "-y", str(rows + 1),
             f"stty raw -echo; cat {path}; printf '\\033]2;all\\033\\\\'; exec sleep 60")
        try:
            # The title comes behind the bytes: tmux may have some to read yet when cat has ended.
            eventually(lambda: tmux("display-message", "-p", "#{pane_title}") == "all\n",
                       "all to be shown")
            return tmux("capture-pane", "-p").split("\n")[:rows]
        finally:
            tmux("kill-server")
