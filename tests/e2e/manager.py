#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
manager.py: as much of a user's systemd manager as starts a transient service and stops it again,
with the environment it has itself. Each call is a line of JSON on stdout.
"""
import json
import os
import re
import signal
import subprocess
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME, PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"


class Manager(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(dbus.service.BusName(NAME, bus, do_not_queue=True), PATH)
        self.units = {}

    @dbus.service.method(NAME + ".Manager", in_signature="ssa(sv)a(sa(sv))", out_signature="o")
    def StartTransientUnit(self, name, mode, properties, aux):
        given = {str(key): value for key, value in properties}
        argv = [self.expand(str(word)) for word in given["ExecStart"][0][1]]
        print(json.dumps({"start": name, "argv": argv}), flush=True)
        with os.fdopen(given["StandardInputFileDescriptor"].take(), "rb") as source, \
                os.fdopen(given["StandardOutputFileDescriptor"].take(), "wb") as sink:
            self.units[name] = subprocess.Popen(argv, stdin=source, stdout=sink,
                                                start_new_session=True)
        return dbus.ObjectPath(PATH + "/job/1")

    @dbus.service.method(NAME + ".Manager", in_signature="ss", out_signature="o")
    def StopUnit(self, name, mode):
        print(json.dumps({"stop": name}), flush=True)
        process = self.units.pop(name, None)
        if process is None:
            raise dbus.DBusException("not loaded", name=NAME + ".NoSuchUnit")
        self.end(process)
        return dbus.ObjectPath(PATH + "/job/2")

    @staticmethod
    def expand(word):
        """systemd.service(5): ${FOO} is the manager's variable, or nothing."""
        return re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], ""), word)

    @staticmethod
    def end(process):
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        process.wait()


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    loop = GLib.MainLoop()
    manager = Manager(dbus.SessionBus())
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    loop.run()
    for process in manager.units.values():
        manager.end(process)


if __name__ == "__main__":
    sys.exit(main())
