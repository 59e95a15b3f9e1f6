#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles the console's assets into a .cpp: files of page/assets by name, NN_*.css joined to console.css and NN_*.js to
console.js in the order of their numbers, each under a name that holds its digest. Refuses more than 150 kB in all.

    assets.py ASSETS-FOLDER OUT.cpp
"""
import hashlib
import os
import re
import sys

MAX_BYTES = 150_000
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


def collect(folder):
    assets = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as handle:
            text = handle.read()
        joined = re.fullmatch(r"\d\d_.+(\.css|\.js)", name)
        key = "console" + joined.group(1) if joined else name
        assets[key] = assets.get(key, "") + text
    # One scope for all parts of the script, none of it the page's.
    assets["console.js"] = "'use strict';\n(() => {\n" + assets["console.js"] + "})();\n"
    return {name: text.encode() for name, text in assets.items()}


def literal(data):
    """As adjacent literals: a compiler need not take one of more than 65,535 characters."""
    rows = []
    for start in range(0, len(data), 96):
        row = ""
        for byte in data[start:start + 96]:
            char = chr(byte)
            row += "\\" + char if char in "\\\"" else "\\n" if char == "\n" else "\\077" if char == "?" else char if 32 <= byte < 127 else f"\\{byte:03o}"
        rows.append(f'"{row}"')
    return "\n    ".join(rows) or '""'


def main():
    folder, out = sys.argv[1:]
    assets = collect(folder)
    total = sum(map(len, assets.values()))
    if total > MAX_BYTES:
        sys.exit(f"the console's assets are {total} bytes; {MAX_BYTES} is the limit")
    rows = []
    for name, data in assets.items():
        stem, suffix = os.path.splitext(name)
        digest = hashlib.sha256(data).hexdigest()[:12]
        rows.append(f'    {{"{name}", "/console/assets/{stem}-{digest}{suffix}", "{TYPES[suffix]}",\n    std::string_view({literal(data)}, {len(data)})}},\n')
    text = ('#include "appliance/page/assets.hpp"\n\nnamespace stella::page {\nnamespace {\nconstexpr Asset kAssets[] = {\n' + "".join(rows) +
            '};\n}  // namespace\n\nstd::span<const Asset> assets() {\n  return kAssets;\n}\n\n}  // namespace stella::page\n')
    with open(out, "w", encoding="utf-8") as handle:
        handle.write(text)


if __name__ == "__main__":
    main()
