# SPDX-License-Identifier: MIT
"""What is told of one SEND: section 11 of protocol/PROTOCOL.md, from the client's side."""
import collections

from peer_values import TYPES


class Told:
    """What was told of one SEND, on whatever connections, held against section 11's invariants."""

    def __init__(self, wait):
        self.wait, self.q, self.deliveries, self.life = wait, 0, None, None
        self.states, self.final, self.log, self.misses = {}, {}, [], []
        self.result = None

    def hear(self, found, again=False):
        """
        One EVENT or RESULT; `again`: for an id that began with ATTACH or a repeated SEND. What was
        heard before must then be the same.
        """
        assert self.result is None, "something after RESULT"
        if TYPES[found.type].name == "RESULT":
            self._ended(found.map)
            return
        assert TYPES[found.type].name == "EVENT", found
        assert bool(found.map.get("re")) == again, found
        if "miss" in found.map:
            assert again or not self.q, "miss is not among the first EVENTs"
            self._missed(found.map["miss"], again)
        for event in found.map.get("ev", ()):
            if event["q"] == 1:
                self.deliveries, self.life = found.map["n"], found.map["time_ms"]
            if again and event["q"] <= self.q:
                assert event == self.log[event["q"] - 1], (event, self.log)
            else:
                self._event(event)

    def _missed(self, misses, again):
        """Notes, those with `sess`, come last; nothing is left out for nobody. Replays start anew."""
        if again and self.misses[:1] == misses[:1]:
            self.misses = []
        for miss in misses:
            assert "sess" in miss or not (self.misses and "sess" in self.misses[-1]), miss
            assert ("by" in miss) == (miss["code"] == "reached-elsewhere"), miss
            assert "sess" in miss or "by" not in miss, miss
            self.misses.append(miss)
        assert len(self.misses) <= 512, "more than LIM_SELECTORS misses"

    def _event(self, event):
        assert event["q"] == self.q + 1, f"a gap before {event}"
        self.q += 1
        self.log.append(event)
        delivery, state = event["d"], event["st"]
        assert delivery not in self.final, f"after the final event: {event}"
        if self.q <= self.deliveries:
            assert (delivery, state) == (self.q, "accepted"), event
            assert {"user", "sess", "id", "kind"} <= set(event), event
        else:
            assert 1 <= delivery <= self.deliveries and state != "accepted", event
        assert "by" not in event or state == "displayed" or event["why"] == "answered-elsewhere", event
        final = state not in ("accepted", "displayed") or (state == "displayed" and not self.wait)
        assert bool(event.get("fin")) == final, event
        self.states.setdefault(delivery, []).append(state)
        if final:
            self.final[delivery] = event

    def _ended(self, result):
        assert result["q"] == self.q and len(self.final) == self.deliveries, (result, self.log)
        sums = collections.Counter(event["st"] for event in self.final.values())
        assert {k: v for k, v in result.get("n", {}).items() if v} == sums, (result, sums)
        self.result = result["st"]
