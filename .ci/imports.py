#!/usr/bin/env python3
"""Checks the imports between the files of each crate: no circles, upward imports or imports through the crate root.

A subject is a file or folder at the top of a source folder. `FLOORS` lists the subjects of each folder from the bottom up: a
file may import from its own subject and from subjects below. Test modules and expansions of macros are not checked.
"""

import re
import sys
from pathlib import Path

FLOORS = {
    "src": """id redaction validation service json error mini_app client api accessors compose upload chats updates webhook builder bot_methods
        internals guide lib""",
    "crates/sandbox/src": "protocol state operations server sandbox people control builder guide lib",
    "codegen": "error node yaml names docs jsonpath overlay rename document_check history request_schemas model merge lower emit mod",
}
ROOTS = {("lib",), ("mod",)}

# Comments, and links of documentation in the arguments of macros.
COMMENT = re.compile(r'//.*|"[^"\n]*\]\(crate::[^"\n]*"')
USE = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?use\s+([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:$])(crate|super|self)((?:::\w+)+)")
CHILD = re.compile(r"^\s*(?:pub(?:\([^)]*\))? )?mod (\w+);", re.M)
MODULE = re.compile(r"((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))? )?mod (\w+) \{")


def leaves(tree):
    """Returns the paths of a `use` tree."""
    tree = tree.strip()
    if "{" not in tree:
        return [re.sub(r"\s+as\s+\w+", "", tree)]
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


def block(text, start):
    """Returns the end of the block whose brace opens at `start`. Braces in strings are rare, and balanced, in modules."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def modules(text, path):
    """Yields the code of a file and of each module within it, without their inner modules. Test modules are skipped."""
    own, at = "", 0
    for match in iter(lambda: MODULE.search(text, at), None):
        end = block(text, match.end() - 1)
        own += text[at : match.start()]
        if "cfg(test)" not in match.group(1):
            yield from modules(text[match.end() : end - 1], path + (match.group(2),))
        at = end
    yield path, own + text[at:]


class Crate:
    def __init__(self, source):
        self.source = Path(source)
        paths = [path for path in self.source.rglob("*.rs") if "bin" not in path.relative_to(self.source).parts]
        paths = [path for path in paths if path.name != "tests.rs"]
        self.files = {path.relative_to(self.source).with_suffix("").parts: path for path in paths}
        self.floors = FLOORS[source].split()
        self.complaints = []
        self.edges = {file: self.imports(file) for file in self.files}

    def complain(self, file, words):
        self.complaints.append(f"{self.files[file]}: {words}")

    def imports(self, file):
        """Returns the files that a file imports from."""
        code = COMMENT.sub("", self.files[file].read_text())
        found = set()
        for here, code in modules(code, () if file in ROOTS else file):
            uses = [leaf for match in USE.finditer(code) for leaf in leaves(match.group(1))]
            inline = [match.group(0) for match in PATH.finditer(USE.sub("", code))]
            for path in uses + inline:
                self.add(file, here, [part.strip() for part in path.split("::")], found)
            for child in CHILD.findall(code) if file not in ROOTS else []:
                if here + (child,) in self.files and re.search(rf"(?<![:\w]){child}::", code):
                    found.add(here + (child,))
        return found - {file}

    def add(self, file, here, parts, found):
        """Adds the file that a path leads to. Ignores paths of other crates and of the file itself."""
        if parts[0] not in ("crate", "super", "self"):
            return
        # In the generator, `crate` occurs only in generated code. Its own imports are relative.
        if parts[0] == "crate" and self.source.name == "codegen":
            return
        base = () if parts[0] == "crate" else here
        while parts and parts[0] in ("crate", "super", "self"):
            base = base[:-1] if parts.pop(0) == "super" else base
        path = base + tuple(part for part in parts if part not in ("self", "*"))
        for length in range(len(path), 0, -1):
            if path[:length] in self.files:
                found.add(path[:length])
                return
        if file not in ROOTS and path:
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


def self_test():
    """Checks that all forms of imports are found."""
    assert leaves("crate::{a::{B, c::D as E}, f}") == ["crate::a::B", "crate::a::c::D", "crate::f"]
    text = "use {super::x::Y};\nfn f() { super::super::z::g() }\nmod inner { use super::W; }\n#[cfg(test)]\nmod tests { use t::T; }"
    found = {path: code for path, code in modules(text, ("a", "b"))}
    assert set(found) == {("a", "b"), ("a", "b", "inner")} and "t::T" not in found[("a", "b")]
    assert [match.group(0) for match in PATH.finditer(found[("a", "b")])] == ["super::x::Y", "super::super::z::g"]


self_test()
complaints = [complaint for source in FLOORS for complaint in Crate(source).check()]
print("\n".join(complaints[:20]) or "no import breaks the rules")
sys.exit(bool(complaints))
