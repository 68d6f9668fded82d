# SPDX-License-Identifier: MIT
"""
Values and messages as protocol/PROTOCOL.md says: the msgpack scan of its section 6, and the tables
of section 10, which are read from the document itself, judged as section 7 says. No other source
of the project is read: what a table does not say, this peer does not know.
"""
import collections
import os
import re
import struct

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "..", "..", "protocol", "PROTOCOL.md")

# ---- the scan, which is a decoder too ------------------------------------------------------------

DEPTH, NODES, ITEMS, PAIRS, KEY = 8, 4096, 1024, 32, 32


class BadMessage(Exception):
    """Bytes that fail the scan, or are no [type, id, {map}]."""


class Scan:
    """Reads one value at self.at. Text that is not UTF-8 keeps its bytes as lone surrogates."""

    INTEGERS = {0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q",
                0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}
    SIMPLE = {0xc0: None, 0xc2: False, 0xc3: True}
    SIZED = {0xc4: ("bin", 1), 0xc5: ("bin", 2), 0xc6: ("bin", 4),
             0xd9: ("str", 1), 0xda: ("str", 2), 0xdb: ("str", 4),
             0xdc: ("array", 2), 0xdd: ("array", 4), 0xde: ("map", 2), 0xdf: ("map", 4)}
    FIXED = ((0x80, 0x8f, "map"), (0x90, 0x9f, "array"), (0xa0, 0xbf, "str"))

    def __init__(self, data):
        self.data, self.at, self.nodes = data, 0, 0

    def take(self, size):
        if size > len(self.data) - self.at:
            raise BadMessage("the value is cut short")
        self.at += size
        return self.data[self.at - size:self.at]

    def head(self):
        """(kind, size or value) of what begins here."""
        first = self.take(1)[0]
        if first < 0x80 or first >= 0xe0:
            return "value", first if first < 0x80 else first - 256
        for low, high, kind in self.FIXED:
            if low <= first <= high:
                return kind, first - low
        if first in self.SIMPLE:
            return "value", self.SIMPLE[first]
        if first in self.INTEGERS:
            form = self.INTEGERS[first]
            return "value", struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if first in self.SIZED:
            kind, width = self.SIZED[first]
            return kind, int.from_bytes(self.take(width), "big")
        raise BadMessage(f"a value begins with {first:02x}")

    def value(self, around=0):
        """One value with `around` containers around it."""
        self.nodes += 1
        if around > DEPTH or self.nodes > NODES:
            raise BadMessage("too deep" if around > DEPTH else "too many values")
        kind, size = self.head()
        if kind == "value":
            return size
        if kind == "bin":
            return self.take(size)
        if kind == "str":
            return self.take(size).decode("utf-8", "surrogateescape")
        if kind == "array":
            if size > ITEMS:
                raise BadMessage("too many elements")
            return [self.value(around + 1) for _ in range(size)]
        return self.map(size, around)

    def map(self, size, around):
        if size > PAIRS:
            raise BadMessage("too many pairs")
        pairs = {}
        for _ in range(size):
            start = self.at
            key = self.value(around + 1)
            if not isinstance(key, str) or self.at - start > KEY + 5:
                raise BadMessage("a key is no short str")
            if len(key.encode("utf-8", "surrogateescape")) > KEY or key in pairs:
                raise BadMessage("a key is long, or there twice")
            pairs[key] = self.value(around + 1)
        return pairs


def scanned(data):
    """The one value that the bytes are."""
    scan = Scan(data)
    value = scan.value()
    if scan.at != len(data):
        raise BadMessage("something follows the value")
    return value


Message = collections.namedtuple("Message", "type id map raw")  # raw: the bytes of the map


def message(plaintext):
    """[type, id, {map}], the envelope of section 7."""
    value = scanned(plaintext)
    if not isinstance(value, list) or len(value) != 3 or not isinstance(value[2], dict):
        raise BadMessage("no [type, id, {map}]")
    for number in value[:2]:
        if type(number) is not int or not 0 <= number < 2 ** 32:
            raise BadMessage("type or id is no u32")
    rest = Scan(plaintext)
    rest.head()
    rest.value(1)
    rest.value(1)
    return Message(*value, plaintext[rest.at:])


# ---- the tables of the document ------------------------------------------------------------------

Field = collections.namedtuple("Field", "kind need limit")
Type = collections.namedtuple("Type", "name sender id")


def _tables(path):
    """Each row of each table as (heading, dict by column)."""
    heading, columns = "", None
    with open(path, encoding="utf-8") as document:
        for line in document:
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if line.startswith("#"):
                heading, columns = line.strip("# \n"), None
            elif not line.startswith("|"):
                columns = None
            elif columns is None:
                columns = cells
            elif set(cells[0]) != {"-"}:
                yield heading, dict(zip(columns, cells))


def _number(text):
    power = re.fullmatch(r"2\^(\d+) - 1", text)
    return 2 ** int(power.group(1)) - 1 if power else int(text.replace(",", ""))


def _limit(text):
    numbers = [_number(part) for part in text.split(" × ")] if text else [None]
    return numbers[0] if len(numbers) == 1 else tuple(numbers)


def _read(path):
    records, types = collections.defaultdict(dict), {}
    for heading, row in _tables(path):
        named = re.match(r"record (\w+)$|(\w+) \(\d+\), from ", heading)
        if named and "kind" in row:
            name = named.group(1) or named.group(2)
            records[name][row["key"]] = Field(row["kind"], row["need"], _limit(row["limit"]))
        elif heading == "10 Every message":
            types[int(row["type"])] = Type(row["name"], row["from"], row["id"])
    return dict(records), types


RECORDS, TYPES = _read(DOCUMENT)
NUMBER = {known.name: number for number, known in TYPES.items()}
EXACTLY_ONE = {"selector": {"user", "session", "id", "name", "all", "me"},
               "EVENT": {"ev", "miss", "who", "message"}}
AT_MOST_ONE = {"GRANT": {"add", "take"}}

# ---- faults of section 7, in the order of its table ----------------------------------------------

CODES = ("unsupported", "bad-message", "bad-message", "too-large", "too-many", "bad-text")
CRITICAL, WRONG, NAME, LARGE, MANY, TEXT = range(len(CODES))
SPACE = {9, 10, 0x20, 0xa0, 0x1680, *range(0x2000, 0x200e), 0x2028, 0x2029, 0x202f, 0x205f, 0x2060,
         0x3000, 0xfeff}


def _size(text):
    return len(text.encode("utf-8", "surrogateescape"))


def _unclean(text, but=""):
    """Control characters, and bytes that were no UTF-8."""
    bad = (range(0x20), range(0x7f, 0xa0), range(0xd800, 0xe000))
    return any(c not in but and any(ord(c) in part for part in bad) for c in text)


def fit_to_show(text, but="\t\n"):
    return not _unclean(text, but) and any(ord(c) not in SPACE for c in text)


PYTHON = {"uint": int, "bool": bool, "name": str, "text": str, "bin": bytes, "blob": bytes}


def _scalar_faults(kind, limit, value, key):
    """Ranks of what is wrong with one value that is no array or record."""
    if type(value) is not PYTHON[kind] or (kind == "uint" and value < 0):
        yield WRONG
    elif kind == "uint" and value > limit or kind == "blob" and len(value) > limit:
        yield LARGE
    elif kind == "bin" and len(value) != limit or kind == "blob" and not value:
        yield WRONG
    elif kind in ("name", "text"):
        if kind == "name" and (not value or _unclean(value)):
            yield NAME
        if _size(value) > limit:
            yield LARGE
        if kind == "text" and not fit_to_show(value, "" if key == "title" else "\t\n"):
            yield TEXT


def _field_faults(field, value, key, at):
    listed = re.fullmatch(r"\[(.*)\]", field.kind)
    kind = listed.group(1) if listed else field.kind
    if listed:
        most, limit = field.limit if isinstance(field.limit, tuple) else (field.limit, None)
        if not isinstance(value, list) or (field.need == "req" and not value):
            yield WRONG, f"{at}.0"
            return
        if len(value) > most:
            yield MANY, f"{at}.{most}"
        entries = [(entry, f"{at}.{i}") for i, entry in enumerate(value)]
    else:
        limit, entries = field.limit, [(value, at)]
    for entry, where in entries:
        if not kind.startswith("map "):
            yield from ((rank, where) for rank in _scalar_faults(kind, limit, entry, key))
        elif isinstance(entry, dict):
            yield from _record_faults(kind[4:], entry, where)
        else:
            yield WRONG, where


def _absent(field, value):
    """An optional field that is 0, false, an empty text or array is the same as an absent one."""
    empty = {"uint": 0, "bool": False, "text": ""}.get(field.kind, [])
    return field.need == "opt" and type(value) is type(empty) and value == empty


def _record_faults(record, value, at):
    fields = RECORDS[record]
    for key in value:
        if key.startswith("!") and key not in fields:
            yield CRITICAL, at or key
    for key, field in fields.items():
        if key not in value:
            if field.need == "req":
                yield WRONG, at or key
        elif not _absent(field, value[key]):
            yield from _field_faults(field, value[key], key, at or key)
    one = EXACTLY_ONE.get(record)
    if one and sum(1 for key in one if value.get(key)) != 1:
        yield WRONG, at
    if sum(1 for key in AT_MOST_ONE.get(record, ()) if key in value) > 1:
        yield WRONG, at


def fault(record, value):
    """(code, at) of the first fault of a message or record, or None."""
    first = min(_record_faults(record, value, ""), key=lambda found: found[0], default=None)
    return first and (CODES[first[0]], first[1])
