#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks that protocol/PROTOCOL.md says what the code says.

Tables of messages against messages.def, of limits against limits.h, of states and whys against
delivery.h; the worked exchanges against protocol/vectors. Every difference is a
line; the exit status is 1 if there was one.

    tests/interop/check_protocol_md.py [ROOT]
"""

import json
import re
import sys
from pathlib import Path

INNER_SECTIONS = ("the boundary", "the audit", "the client", "files")  # of limits.h: what a peer need not know
FIELD = re.compile(r"^\s*(UINT|BOOL|NAME|TEXT|BIN|BLOB|NAMES|BLOBS|MAP|MAPS|COUNT)\s*\(([^)]*)\)")
OPENING = re.compile(r"^(RECORD|MESSAGE)\(([^)]*)\)")
LINKS = re.compile(r"\]\(#([^)]+)\)")


# ---- what the code says ---------------------------------------------------------------------------

def number(expression, known):
    """The value of a C constant expression over numbers and known names."""
    plain = re.sub(r"\b(0[xX][0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", expression)
    return eval(plain, {"__builtins__": {}}, known)  # of our own files, not of input


def read_limits(path):
    """name -> value, and the names that a peer need not know."""
    limits, inner, section = {}, set(), ""
    for line in path.read_text().splitlines():
        if heading := re.match(r"/\* ---- (.*?) -+", line):
            section = heading[1]
        if match := re.match(r"#define (LIM_\w+)\s+(.*?)\s*(/\*.*)?$", line):
            limits[match[1]] = number(match[2], limits)
            if section.startswith(INNER_SECTIONS):
                inner.add(match[1])
    return limits, inner


def field_row(macro, arguments, values):
    """(key, kind, need, limit) as the document's table has them."""
    args = [value(arg, values) for arg in arguments]
    if macro == "COUNT":
        return args[2].strip('"'), "uint", "opt", args[3]
    key, need, rest = args[1], args[2].lower(), args[3:]
    if macro in ("NAMES", "BLOBS"):
        return key, f"[{macro[:-1].lower()}]", need, tuple(rest)
    if macro in ("MAP", "MAPS"):
        kind = f"map {rest[0]}"
        return key, kind if macro == "MAP" else f"[{kind}]", need, rest[1] if rest[1:] else ""
    return key, macro.lower(), need, rest[0] if rest else ""


def value(argument, values):
    argument = argument.strip()
    if argument in values or argument[0].isdigit():
        return number(argument, values)
    return argument


def read_messages(path, limits):
    """title -> rows, and type -> (name, from)."""
    values, tables, types, rows = dict(limits), {}, {}, []
    for line in path.read_text().splitlines():
        if define := re.match(r"#define (\w+) (0x[0-9A-Fa-f]+)", line):
            values[define[1]] = int(define[2], 16)
        if opening := OPENING.match(line):
            args = [arg.strip() for arg in opening[2].split(",")]
            title = args[0]
            if opening[1] == "MESSAGE":
                types[int(args[2])] = (args[0], args[3].lower())
                title = f"{args[0]} ({args[2]})"
            rows = tables[title] = []
        elif field := FIELD.match(line):
            rows.append(field_row(field[1], field[2].split(","), values))
    return tables, types


def read_names(path, macro):
    """The wire names of an X list of delivery.h."""
    body = path.read_text().split(f"#define {macro}(X)")[1]
    lines = []
    for line in body.splitlines():
        lines.append(line)
        if not line.rstrip().endswith("\\"):
            break
    return re.findall(r'X\(\w+, "([a-z-]+)"', "\n".join(lines))


# ---- what the document says -----------------------------------------------------------------------

def tables_of(text):
    """[(heading, column names, rows)] in order; a row is its cells."""
    heading, found, current = "", [], None
    for line in text.splitlines():
        if line.startswith("#"):
            heading = line.lstrip("#").strip()
        if not line.startswith("|"):
            current = None
            continue
        cells = [cell.strip() for cell in line.strip()[1:-1].split("|")]
        if current is None:
            current = (heading, cells, [])
            found.append(current)
        elif not set(line) <= set("|- "):
            current[2].append(cells)
    return found


def document_limit(text):
    """A number, a pair of them, or nothing."""
    if not text:
        return ""
    parts = [part.replace(",", "").replace("^", "**") for part in text.split("×")]
    numbers = tuple(number(part.strip(), {}) for part in parts)
    return numbers if len(numbers) > 1 else numbers[0]


def document_messages(tables):
    rows = {}
    for heading, columns, lines in tables:
        if columns[:4] == ["key", "kind", "need", "limit"]:
            title = heading.removeprefix("record ").split(",")[0]
            rows[title] = [(row[0], row[1], row[2], document_limit(row[3])) for row in lines]
    return rows


def find(tables, columns):
    for _, names, rows in tables:
        if names[:len(columns)] == columns:
            return rows
    return []


# ---- comparing ------------------------------------------------------------------------------------

def compare(what, code, document):
    """The differences between two mappings, a line each."""
    for key in code:
        if key not in document:
            yield f"{what} {key}: not in PROTOCOL.md"
        elif code[key] != document[key]:
            yield f"{what} {key}: the code has {code[key]}, PROTOCOL.md {document[key]}"
    for key in document:
        if key not in code:
            yield f"{what} {key}: only in PROTOCOL.md"


def check_messages(root, tables, limits):
    code, types = read_messages(root / "protocol/messages.def", limits)
    document = document_messages(tables)
    yield from compare("table", dict.fromkeys(code), dict.fromkeys(document))
    for title in sorted(code.keys() & document.keys()):
        yield from compare(title, {row[0]: row[1:] for row in code[title]},
                           {row[0]: row[1:] for row in document[title]})
        if len(code[title]) != len(document[title]):
            yield f"{title}: a row twice"
    rows = find(tables, ["type", "name", "from"])
    yield from compare("type", types, {int(row[0]): (row[1], row[2]) for row in rows})
    headings = {heading for heading, _, _ in tables}
    for kind, (name, sender) in types.items():
        wanted = f"{name} ({kind}), from {'both' if sender == 'both' else 'the ' + sender}"
        if wanted not in headings:
            yield f"no heading `{wanted}` with a table"


def check_limits(tables, limits, inner):
    rows = find(tables, ["name", "value", "reason"])
    document = {row[0]: int(row[1].replace(",", "")) for row in rows}
    wanted = {name: limit for name, limit in limits.items() if name not in inner}
    yield from compare("limit", wanted, document)


def check_names(root, tables):
    header = root / "protocol/delivery.h"
    for macro, columns in (("DELIVERY_STATES", ["state", "final"]),
                           ("DELIVERY_WHYS", ["why", "with"])):
        code = dict.fromkeys(read_names(header, macro))
        yield from compare(columns[0], code, {row[0]: None for row in find(tables, columns)})


def lookup(vectors, path):
    for part in path.split("."):
        vectors = vectors[int(part)] if isinstance(vectors, list) else vectors[part]
    return vectors


def check_hex(root, text):
    vectors = json.loads((root / "protocol/vectors/xx-session.json").read_text())
    vectors["endorsement"] = json.loads((root / "protocol/vectors/endorsement.json").read_text())
    if vectors["endorsement"]["statement"] not in text:
        yield "the statement of endorsement.json: not in PROTOCOL.md"
    blocks = re.findall(r"^`([a-z_0-9.]+)`[^\n]*\n\n```hex\n(.*?)```", text, re.S | re.M)
    shown = {path: "".join(content.split()) for path, content in blocks}
    if len(shown) != text.count("```hex"):
        yield "a ```hex block without its path, or a path twice"
    for path, content in shown.items():
        try:
            wanted = lookup(vectors, path)
        except (KeyError, IndexError):
            wanted = None
        if content != wanted:
            yield f"hex {path}: differs from the vectors, or is not in them"
    for i in range(len(vectors["transport"])):
        for part in ("plaintext", "frame"):
            if f"transport.{i}.{part}" not in shown:
                yield f"hex transport.{i}.{part}: not in PROTOCOL.md"


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def check_links(text):
    headings = [line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")]
    for target in sorted(set(LINKS.findall(text)) - {anchor(heading) for heading in headings}):
        yield f"link #{target}: no such heading"


def check(root):
    text = (root / "protocol/PROTOCOL.md").read_text()
    tables = tables_of(text)
    limits, inner = read_limits(root / "protocol/limits.h")
    yield from check_messages(root, tables, limits)
    yield from check_limits(tables, limits, inner)
    yield from check_names(root, tables)
    yield from check_hex(root, text)
    yield from check_links(text)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    faults = list(check(root))
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
