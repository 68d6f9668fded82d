#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
notifier.py [OPTION...]: a notification server for the tests that does what it is told, and lies:

  --name=NAME       what it calls itself (notifier)
  --caps=A,B        its capabilities (actions,body,body-markup)
  --error-at=N      the Nth Notify is refused, as MATE refuses the 22nd
  --mute=METHOD     never answers that one
  --inhibited       says that it disturbs nobody
  --deaf            takes CloseNotification, and closes nothing
  --then=A,B        what follows each Notify, 0.1 s apart: key (ActionInvoked), =N (NotificationClosed
                    with that reason), +key (with another's id), !key (from another connection),
                    leave (gives the name away and ends)

Each call it gets is a line of JSON on stdout.
"""
import argparse
import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"


def note(method, **what):
    print(json.dumps({"method": method, **what}), flush=True)


class Server(dbus.service.Object):
    def __init__(self, bus, options):
        super().__init__(dbus.service.BusName(NAME, bus, do_not_queue=True), PATH)
        self.options = options
        self.loop = GLib.MainLoop()
        self.last = 40

    def answer(self, method, reply, value):
        if self.options.mute != method:
            reply(*value)

    @dbus.service.method(NAME, in_signature="", out_signature="ssss",
                         async_callbacks=("reply", "error"))
    def GetServerInformation(self, reply, error):
        note("GetServerInformation")
        self.answer("GetServerInformation", reply, (self.options.name, "tests", "1.0", "1.2"))

    @dbus.service.method(NAME, in_signature="", out_signature="as",
                         async_callbacks=("reply", "error"))
    def GetCapabilities(self, reply, error):
        note("GetCapabilities")
        caps = [cap for cap in self.options.caps.split(",") if cap]
        self.answer("GetCapabilities", reply, (dbus.Array(caps, signature="s"),))

    @dbus.service.method(dbus.PROPERTIES_IFACE, in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        if interface == NAME and name == "Inhibited" and self.options.inhibited:
            return dbus.Boolean(True, variant_level=1)
        raise dbus.DBusException("no such property", name="org.freedesktop.DBus.Error.UnknownProperty")

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u",
                         async_callbacks=("reply", "error"))
    def Notify(self, app, replaces, icon, summary, body, actions, hints, expires, reply, error):
        note("Notify", app=app, summary=summary, body=body, actions=list(actions),
             urgency=int(hints.get("urgency", 1)), expires=int(expires))
        self.last += 1
        if self.last - 40 == self.options.error_at:
            error(dbus.DBusException("Exceeded maximum number of notifications",
                                     name=NAME + ".MaxNotificationsExceeded"))
            return
        self.answer("Notify", reply, (dbus.UInt32(self.last),))
        for at, step in enumerate(filter(None, self.options.then.split(","))):
            GLib.timeout_add(100 * (at + 1), self.step, self.last, step)

    def step(self, number, step):
        if step == "leave":
            self.loop.quit()
        elif step[0] == "=":
            self.NotificationClosed(number, int(step[1:]))
        elif step[0] == "+":
            self.ActionInvoked(number + 1, step[1:])
        elif step[0] == "!":
            stranger = dbus.bus.BusConnection(dbus.bus.BUS_SESSION)
            message = dbus.lowlevel.SignalMessage(PATH, NAME, "ActionInvoked")
            message.append(number, step[1:], signature="us")
            stranger.send_message(message)
            stranger.flush()
        else:
            self.ActionInvoked(number, step)
        return False

    @dbus.service.method(NAME, in_signature="u", out_signature="")
    def CloseNotification(self, number):
        note("CloseNotification", id=int(number))
        if not self.options.deaf:
            self.NotificationClosed(number, 3)

    @dbus.service.signal(NAME, signature="us")
    def ActionInvoked(self, number, key):
        pass

    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, number, reason):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="notifier")
    parser.add_argument("--caps", default="actions,body,body-markup")
    parser.add_argument("--error-at", type=int, default=0)
    parser.add_argument("--mute", default="")
    parser.add_argument("--inhibited", action="store_true")
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--then", default="")
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    Server(dbus.SessionBus(), parser.parse_args()).loop.run()


if __name__ == "__main__":
    sys.exit(main())
