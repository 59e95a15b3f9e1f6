#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines of each room that the tests went through, as a table: gcov's own counts, summed over everything that was linked.

    rooms_table.py SOURCE-ROOT BUILD-FOLDER
"""
import concurrent.futures
import gzip
import json
import os
import subprocess
import sys
import tempfile

LAYERS = ("bundles", "vault", "mirror", "appliance")


def count_files(build):
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda") and "/tests/unit/" not in os.path.join(folder, name):
                yield os.path.join(folder, name)


def lines_of(root, counts):
    """(file, line) -> times, for the files of the rooms."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gcov", "--json-format", counts], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for name in os.listdir(folder):
            with gzip.open(os.path.join(folder, name)) as handle:
                document = json.load(handle)
            for file in document["files"]:
                path = os.path.relpath(os.path.normpath(os.path.join(document["current_working_directory"], file["file"])), root)
                if path.split(os.sep)[0] in LAYERS:
                    for line in file["lines"]:
                        place = (path, line["line_number"])
                        found[place] = found.get(place, 0) + line["count"]
    return found


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    lines = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda counts: lines_of(root, counts), sorted(count_files(build))):
            for place, count in found.items():
                lines[place] = lines.get(place, 0) + count
    rooms = {}
    for (path, _), count in lines.items():
        for room in ("/".join(path.split(os.sep)[:2]), "all"):
            row = rooms.setdefault(room, [0, 0])
            row[0] += count > 0
            row[1] += 1
    if not rooms:
        sys.exit("no counts were found: run the tests of the coverage build first")
    for room in sorted(rooms, key=lambda name: (name == "all", name)):
        seen, whole = rooms[room]
        print(f"{room:24} {seen:6} of {whole:6} lines  {100 * seen / whole:5.1f} %")


if __name__ == "__main__":
    main()
