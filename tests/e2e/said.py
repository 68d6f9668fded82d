# SPDX-License-Identifier: MIT
"""Which of msg's lines stand in the tests of the real programs, word by word."""
import ast
import glob
import os
import re

from harness import TOP

LINES = os.path.join(TOP, "client", "lines.def")
FIELD = "\x00"  # what a test fills in
HEADS = re.compile(r"Error (?:\d+ getting session names|sending message): ")  # constants of the tests


def templates():
    """{name: text with {fields}}."""
    with open(LINES, encoding="utf-8") as f:
        source = f.read()
    found = re.findall(r'^LINE\((\w+), \w+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)', source, re.M)
    return {name: "".join(ast.literal_eval(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', text))
            for name, text in found}


def _text(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return FIELD


def literals(folder):
    """Every string in a folder's tests, as far as it stands there; FIELD for what does not."""
    for path in glob.glob(os.path.join(folder, "test_*.py")):
        with open(path, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for node in ast.walk(tree):
            if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
                yield _text(node).replace("\\", "")


def pattern(template):
    """What a literal must hold: the line's words, with anything in its fields' places."""
    parts = re.split(r"\{\w+\}", HEADS.sub("", template))
    return re.compile("[^\n]+?".join(re.escape(part) for part in parts))
