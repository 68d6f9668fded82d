# SPDX-License-Identifier: MIT
"""Messages from h1 to bob, who sits at an X11 desktop."""
import unittest

from scenario import Scenario, on_both
from desktop import Desktop


class FrameTest(Scenario):
    @on_both
    def test_frame(self, host):
        d = Desktop(host, "bob")
        self.addCleanup(d.close)
        n = d.begin("notify-send", "-u", "critical", "--wait", "-A", "default=OK", "Title", "the body")
        box = d.shown()
        print(box)
        d.save(f"x-{host.name}", box)
        d.click_in(box, d.yes)
        print(n.finish())
        d.gone()
