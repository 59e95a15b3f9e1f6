#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses what the house rules forbid: an include of a room that is not declared in USES, a layer that looks up, source
in a folder that is no declared room, a file over 400 lines, a function over 60, a junk name, a room without a test.
Tests, the demo and the programs of the docs are held to the sizes and names as well.

    check_rooms.py SOURCE-ROOT ROOMS-FILE     (ROOMS-FILE: lines `layer/room:used,used`, written by CMake)
"""
import os
import re
import sys

LAYERS = {"bundles": {"bundles"}, "vault": {"bundles", "vault"}, "mirror": {"bundles", "mirror"},
          "appliance": {"bundles", "vault", "mirror", "appliance"}}
JUNK = {"util", "utils", "common", "misc", "helper", "helpers", "core", "base", "manager"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
SOURCES = (".cpp", ".hpp")
MAX_LINES, MAX_FUNCTION = 400, 60


def load_rooms(path):
    rooms = {}
    with open(path, encoding="utf-8") as handle:
        for line in handle:
            if line.strip():
                room, used = line.rstrip("\n").split(":")
                rooms[room] = {name for name in used.split(",") if name}
    return rooms


def long_functions(lines):
    """A function body at namespace or class level: from a line that ends in `{` and holds `)` to its closing brace."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and re.match(r"^(  )?\S.*\)[^;]*\{$", line) and not re.match(r"^\s*(namespace|class|struct|enum)\b", line):
            start, indent = number, len(line) - len(line.lstrip())
        elif start is not None and line.startswith(" " * indent + "}") and len(line) - len(line.lstrip()) == indent:
            if number - start + 1 > MAX_FUNCTION:
                yield start, number - start + 1
            start = None


def check_size(relative, lines, problems):
    if len(lines) - 1 > MAX_LINES:
        problems.append(f"{relative}:1: {len(lines) - 1} lines; {MAX_LINES} is the limit: two ideas, two files")
    if relative.endswith(SOURCES):
        for start, length in long_functions(lines):
            problems.append(f"{relative}:{start}: a function of {length} lines; {MAX_FUNCTION} is the limit")
    if os.path.splitext(os.path.basename(relative))[0] in JUNK:
        problems.append(f"{relative}: the name says nothing: name the idea")


def check_includes(relative, lines, rooms, problems):
    """In a room: only rooms of its USES. In tests: any declared room, and what lies beside them in tests/."""
    layer, room = relative.split("/")[0], "/".join(relative.split("/")[:2])
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        target = "/".join(found.group(1).split("/")[:2])
        if target == room or (layer == "tests" and target.startswith("tests/")):
            continue
        if target not in rooms:
            problems.append(f'{relative}:{number}: includes "{found.group(1)}", which is in no declared room')
        elif layer in LAYERS and target not in rooms.get(room, set()):
            problems.append(f"{relative}:{number}: {room} includes {target}, which is not in its USES")


def check_file(root, relative, rooms, problems):
    with open(os.path.join(root, relative), encoding="utf-8") as handle:
        lines = handle.read().split("\n")
    check_size(relative, lines, problems)
    room = "/".join(relative.split("/")[:2])
    if relative.endswith(SOURCES):
        check_includes(relative, lines, rooms, problems)
        if relative.split("/")[0] in LAYERS and room not in rooms:
            problems.append(f"{relative}: {room} is no declared room: no build and no check looks at it")


def files_of(root, folder):
    for place, _, names in os.walk(os.path.join(root, folder)):
        for name in names:
            yield os.path.relpath(os.path.join(place, name), root)


def main():
    root, rooms_file = sys.argv[1], sys.argv[2]
    rooms, problems = load_rooms(rooms_file), []
    for room, used in rooms.items():
        layer, name = room.split("/")
        for other in used:
            if other.split("/")[0] not in LAYERS[layer]:
                problems.append(f"{room}: layer {layer} may not use {other}")
        if name in JUNK:
            problems.append(f"{room}: the name says nothing: name the idea")
        unit = os.path.join(root, "tests", "unit", layer)
        tests = os.listdir(unit) if os.path.isdir(unit) else []
        if room != "appliance/cli" and not any(t == f"{name}_test.cpp" or (t.startswith(f"{name}_") and t.endswith("_test.cpp")) for t in tests):
            problems.append(f"{room}: has no tests/unit/{room}_test.cpp")
    for folder in (*LAYERS, "tests", "demo", "docs"):
        for relative in files_of(root, folder):
            if relative.endswith((*SOURCES, ".py")):
                check_file(root, relative, rooms, problems)
    for problem in sorted(problems):
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
