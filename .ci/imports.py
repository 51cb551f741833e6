#!/usr/bin/env python3
"""Checks the imports between the files of each crate: no circle, none upwards, none through the crate root.

A subject is a file or folder at the top of `src/`. `FLOORS` lists the subjects of each crate from the bottom up: a file
imports from its own subject and from subjects below. Test modules are not checked.
"""

import re
import sys
from pathlib import Path

FLOORS = {
    "src": """id redaction validation model error client api accessors compose upload chats updates webhook builder
        internals guide lib""",
    "crates/sandbox/src": "protocol state operations server sandbox people control builder guide lib",
}

USE = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))? )?use ((?:crate|super|self)\b[^;]*);", re.M)
CHILD = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?mod (\w+);", re.M)
INLINE = re.compile(r"(?<!\$)\bcrate((?:::\w+)+)")
TESTS = re.compile(r"#\[cfg\(test\)\]\s*mod \w+ \{")


def leaves(tree):
    """The paths of a `use` tree."""
    tree = tree.strip()
    if "{" not in tree:
        return [tree]
    head, body = tree.split("{", 1)
    items, depth, item = [], 0, ""
    for char in body[: body.rindex("}")]:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            items.append(item)
            item = ""
        else:
            item += char
    items.append(item)
    return [head.strip() + leaf for item in items if item.strip() for leaf in leaves(item)]


class Crate:
    def __init__(self, source):
        self.source = Path(source)
        paths = [path for path in self.source.rglob("*.rs") if "bin" not in path.relative_to(self.source).parts]
        self.files = {path.relative_to(self.source).with_suffix("").parts: path for path in paths}
        self.floors = FLOORS[source].split()
        self.complaints = []
        self.edges = {file: self.imports(file) for file in self.files}

    def complain(self, file, words):
        self.complaints.append(f"{self.files[file]}: {words}")

    def imports(self, file):
        """The files that a file imports from."""
        text = self.files[file].read_text()
        tests = TESTS.search(text)
        text = text[: tests.start()] if tests else text
        here = () if file == ("lib",) else file
        found = set()
        for match in USE.finditer(text):
            for leaf in leaves(match.group(1)):
                parts = [part.strip() for part in re.sub(r"\s+as\s+\w+", "", leaf).split("::") if part.strip() != "self"]
                base = () if parts[0] == "crate" else here
                while parts and parts[0] in ("crate", "super"):
                    base = base[:-1] if parts.pop(0) == "super" else base
                self.add(file, base + tuple(parts), found)
        code = "\n".join(line for line in text.splitlines() if not line.strip().startswith("//"))
        for match in INLINE.finditer(code):
            self.add(file, tuple(match.group(1).split("::")[1:]), found)
        for child in CHILD.findall(text) if here else []:
            if here + (child,) in self.files and re.search(rf"(?<![:\w]){child}::", code):
                found.add(here + (child,))
        return found - {file}

    def add(self, file, path, found):
        for length in range(len(path), 0, -1):
            if path[:length] in self.files:
                found.add(path[:length])
                return
        if file != ("lib",):
            self.complain(file, f"imports `{'::'.join(path)}` through the crate root")

    def check(self):
        for file, targets in self.edges.items():
            for target in targets:
                if self.floors.index(file[0]) < self.floors.index(target[0]):
                    self.complain(file, f"imports upwards, from {'::'.join(target)}")
        done = set()
        for file in self.edges:
            self.walk(file, [], done)
        return self.complaints

    def walk(self, file, way, done):
        if file in way:
            circle = way[way.index(file) :] + [file]
            self.complain(file, "a circle: " + " -> ".join("::".join(file) for file in circle))
        elif file not in done:
            for target in self.edges[file]:
                self.walk(target, way + [file], done)
            done.add(file)


complaints = [complaint for source in FLOORS for complaint in Crate(source).check()]
print("\n".join(complaints) or "imports are in order")
sys.exit(bool(complaints))
