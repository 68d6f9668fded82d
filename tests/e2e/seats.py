#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
seats.py: as much of logind as msgd-present asks, on the bus of DBUS_SESSION_BUS_ADDRESS. Each line of
stdin is a JSON object: the properties of a session by Id, over the defaults below; with "gone" it is
removed. Each line is answered by one on stdout.
"""
import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME, TOP = "org.freedesktop.login1", "/org/freedesktop/login1"
DEFAULTS = {"Type": "x11", "Class": "user", "State": "active", "Display": ":7", "TTY": "",
            "LockedHint": False, "IdleHint": False, "RemoteHost": "", "Active": True}
TYPES = {"Leader": dbus.UInt32, "VTNr": dbus.UInt32, "Timestamp": dbus.UInt64}


class User(dbus.service.Object):
    def __init__(self, bus, uid, gid):
        super().__init__(bus, f"{TOP}/user/_{uid}")
        self.gid = gid

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return dbus.UInt32(self.gid, variant_level=1)


class Session(dbus.service.Object):
    def __init__(self, bus, given):
        super().__init__(bus, f"{TOP}/session/_{given['Id']}")
        self.given = {**DEFAULTS, **given}

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        uid = self.given["uid"]
        values = {"User": dbus.Struct((dbus.UInt32(uid), dbus.ObjectPath(f"{TOP}/user/_{uid}"))),
                  "Seat": dbus.Struct((self.given.get("seat", "seat0"), dbus.ObjectPath("/seat"))),
                  "Timestamp": dbus.UInt64(1700000000000000)}
        for name, value in self.given.items():
            if name[0].isupper():
                values[name] = TYPES.get(name, lambda same: same)(value)
        return dbus.Dictionary(values, signature="sv")

    @dbus.service.signal(dbus.PROPERTIES_IFACE, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, dropped):
        pass


class Manager(dbus.service.Object):
    def __init__(self, bus):
        super().__init__(dbus.service.BusName(NAME, bus, do_not_queue=True), TOP)
        self.bus = bus
        self.sessions, self.users = {}, {}

    @dbus.service.method(NAME + ".Manager", in_signature="", out_signature="a(susso)")
    def ListSessions(self):
        return dbus.Array([(one.given["Id"], dbus.UInt32(one.given["uid"]), one.given["Name"],
                            one.given.get("seat", "seat0"), one.__dbus_object_path__)
                           for one in self.sessions.values()], signature="(susso)")

    @dbus.service.signal(NAME + ".Manager", signature="so")
    def SessionNew(self, name, path):
        pass

    @dbus.service.signal(NAME + ".Manager", signature="so")
    def SessionRemoved(self, name, path):
        pass

    def take(self, line):
        given = json.loads(line)
        name = given["Id"]
        if given.pop("gone", False):
            session = self.sessions.pop(name)
            path = session.__dbus_object_path__
            session.remove_from_connection()
            self.SessionRemoved(name, path)
        elif name in self.sessions:
            self.sessions[name].given.update(given)
            self.sessions[name].PropertiesChanged(NAME + ".Session", {}, list(given))
        else:
            if given["uid"] not in self.users:
                self.users[given["uid"]] = User(self.bus, given["uid"], given["gid"])
            self.sessions[name] = Session(self.bus, given)
            self.SessionNew(name, self.sessions[name].__dbus_object_path__)
        print("done", flush=True)


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    loop = GLib.MainLoop()
    manager = Manager(dbus.SessionBus())

    def on_line(source, condition):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        manager.take(line)
        return True

    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, on_line)
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    sys.exit(main())
