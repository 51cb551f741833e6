#!/usr/bin/env python3
"""Writes openapi/history.yaml: the version of the API that introduced each operation, parameter, schema and property.

    .ci/history.py ../shared/spec            writes the file
    .ci/history.py ../shared/spec --check    fails if the file is out of date

Reads the official documents in the folder and in its subfolder `older`. Only their structure is used.
"""

import sys
from pathlib import Path

import yaml

TARGET = Path(__file__).parent.parent / "openapi" / "history.yaml"
SERVICES = ["tamtam", "max"]
METHODS = {"get", "put", "post", "delete", "patch"}

HEAD = """\
# The version of the API that introduced each operation, parameter, schema and property. Written by .ci/history.py from the
# official documents of the versions listed here: do not edit it.
#
# Items that are not listed already exist in the first of these versions. Operations are named by method and path. Inherited
# properties are listed at the schema that declares them.
"""


def version(document):
    """Returns the version as a list of numbers, for sorting, and as text."""
    text = str(document["info"]["version"])
    return [int(part) for part in text.split(".")], text


def resolve(document, node):
    """Returns the target of a reference."""
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].lstrip("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations(document):
    """Returns the operations by name, each with its parameters."""
    found = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                parameters = item.get("parameters", []) + operation.get("parameters", [])
                names = [resolve(document, parameter)["name"] for parameter in parameters]
                found[f"{method.upper()} {path}"] = names
    return found


def properties(schema):
    """Returns the properties that a schema declares itself, including inline parts of an `allOf`."""
    own = list(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        own += properties(part)
    return own


def since(documents):
    """Returns the versions that introduced items, by kind and name."""
    seen, history = {}, {"operations": {}, "parameters": {}, "schemas": {}, "properties": {}}
    first = True
    for document in documents:
        text = version(document)[1]
        here = {"operations": set(), "parameters": set(), "schemas": set(), "properties": set()}
        for operation, parameters in operations(document).items():
            here["operations"].add((operation,))
            here["parameters"] |= {(operation, parameter) for parameter in parameters}
        for name, schema in document["components"]["schemas"].items():
            here["schemas"].add((name,))
            here["properties"] |= {(name, property_) for property_ in properties(schema)}
        for kind, names in here.items():
            for name in sorted(names - seen.get(kind, set())):
                # An item that is as old as its operation or schema is not listed.
                parent = {"parameters": "operations", "properties": "schemas"}.get(kind)
                is_with_parent = parent and name[:1] not in seen.get(parent, set())
                if not first and not is_with_parent:
                    history[kind][name] = text
        for kind, names in here.items():
            seen[kind] = seen.get(kind, set()) | names
        first = False
    # Items that the current version lacks are left out.
    return {kind: {name: text for name, text in names.items() if name in here[kind]} for kind, names in history.items()}


def written(service, documents):
    """Returns the part of the file for a service."""
    lines = [f"{service}:", f"  versions: [{', '.join(version(document)[1] for document in documents)}]"]
    for kind, names in since(documents).items():
        lines.append(f"  {kind}:" + ("" if names else " {}"))
        last = None
        for (name, *rest), text in sorted(names.items()):
            if not rest:
                lines.append(f"    {name}: {text}")
                continue
            if name != last:
                lines.append(f"    {name}:")
            last = name
            lines.append(f"      {rest[0]}: {text}")
    return lines


def main():
    folder, *options = sys.argv[1:]
    lines = []
    for service in SERVICES:
        paths = sorted(Path(folder).glob(f"{service}-official-*.yaml")) + sorted(Path(folder, "older").glob(f"{service}-v*.yaml"))
        documents = sorted((yaml.safe_load(path.read_text()) for path in paths), key=lambda document: version(document)[0])
        lines += written(service, documents)
    text = HEAD + "\n".join(lines) + "\n"
    if options == ["--check"]:
        if TARGET.read_text() != text:
            sys.exit(f"{TARGET} is out of date: run {sys.argv[0]} {folder}")
    else:
        TARGET.write_text(text)


main()
