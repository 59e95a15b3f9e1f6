#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A strict BagIt reader, written from RFC 8493 alone and sharing nothing with the product.

    bagit_reader.py BAG      exit 0 when the bag is complete and valid, 1 with one line for each problem

Stricter than the RFC where it leaves room: no links, no fetch.txt, one spelling of each name, LF line ends only.
"""
import hashlib
import os
import re
import stat
import sys
import unicodedata

ALGORITHMS = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}
MANIFEST = re.compile(r"(tag)?manifest-([a-z0-9]+)\.txt")
LABEL = re.compile(r"[^\s:][^:\r\n]*:(?: .*)?")


class BadBag(Exception):
    pass


def text_of(path, name):
    """A tag file: UTF-8 without a byte order mark (section 2.1.1), every line ended."""
    with open(os.path.join(path, name), "rb") as handle:
        raw = handle.read()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadBag(f"{name}: not UTF-8") from error
    if text.startswith("\ufeff"):
        raise BadBag(f"{name}: begins with a byte order mark")
    if "\r" in text or (text and not text.endswith("\n")):
        raise BadBag(f"{name}: a line does not end in a line feed")
    return text.split("\n")[:-1]


def all_files(bag):
    """Every file beneath the bag, with '/' between its parts; folders are not counted (section 2)."""
    found = set()
    for folder, folders, names in os.walk(bag):
        for name in folders + names:
            path = os.path.join(folder, name)
            kind = os.lstat(path).st_mode
            if stat.S_ISREG(kind):
                found.add(os.path.relpath(path, bag).replace(os.sep, "/"))
            elif not stat.S_ISDIR(kind):
                raise BadBag(f"{os.path.relpath(path, bag)}: neither file nor folder")
    for form in (str.casefold, lambda name: unicodedata.normalize("NFC", name)):
        if len({form(name) for name in found}) != len(found):
            raise BadBag("two names differ in nothing but case or normalisation")
    return found


def decoded(name, where):
    """A manifest's path: CR, LF and % are percent-encoded (2.1.3), and it stays inside of the bag (5.1)."""
    if re.search(r"%(?!0[AaDd]|25)", name):
        raise BadBag(f"{where}: {name}: a percent sign that stands for nothing")
    path = re.sub(r"%(0[AaDd]|25)", lambda found: chr(int(found.group(1), 16)), name)
    if path.startswith(("/", "~", "./", "\\")) or any(part in ("", ".", "..") for part in path.split("/")):
        raise BadBag(f"{where}: {name}: a path that leaves the bag")
    return path


def manifest(bag, name, algorithm):
    """Path -> checksum (section 2.1.3)."""
    width, entries = hashlib.new(algorithm).digest_size * 2, {}
    for number, line in enumerate(text_of(bag, name), 1):
        found = re.fullmatch(r"([0-9a-fA-F]{%d})[ \t]+(\S.*)" % width, line)
        if not found:
            raise BadBag(f"{name}:{number}: not a checksum and a path")
        path = decoded(found.group(2), f"{name}:{number}")
        if path in entries:
            raise BadBag(f"{name}:{number}: {path} is listed twice")
        entries[path] = found.group(1).lower()
    return entries


def sums_are_right(bag, name, algorithm, entries):
    for path, expected in sorted(entries.items()):
        digest = hashlib.new(algorithm)
        with open(os.path.join(bag, path), "rb") as handle:
            for block in iter(lambda: handle.read(1 << 20), b""):
                digest.update(block)
        if digest.hexdigest() != expected:
            yield f"{path}: not what {name} lists"


def declaration(bag):
    """bagit.txt: exactly two lines (section 2.1.1)."""
    lines = text_of(bag, "bagit.txt")
    if lines != ["BagIt-Version: 1.0", "Tag-File-Character-Encoding: UTF-8"]:
        raise BadBag("bagit.txt: not the declaration of a BagIt 1.0 bag")


def metadata(bag, payload):
    """bag-info.txt: label, colon, one space, value; indented lines go on (2.2.2). Payload-Oxum is counted again."""
    values = {}
    for number, line in enumerate(text_of(bag, "bag-info.txt"), 1):
        if line[:1] in (" ", "\t") and values:
            continue
        if not LABEL.fullmatch(line):
            raise BadBag(f"bag-info.txt:{number}: not a label and a value")
        label, _, value = line.partition(":")
        values.setdefault(label.lower(), []).append(value.strip())
    size = sum(os.path.getsize(os.path.join(bag, path)) for path in payload)
    if values.get("payload-oxum", [f"{size}.{len(payload)}"]) != [f"{size}.{len(payload)}"]:
        yield f"bag-info.txt: Payload-Oxum is {values['payload-oxum']}, the payload {size}.{len(payload)}"


def check(bag):
    """The problems of a bag; none when it is complete and valid (section 3)."""
    files = all_files(bag)
    payload = {path for path in files if path.startswith("data/")}
    declaration(bag)
    if not os.path.isdir(os.path.join(bag, "data")):
        raise BadBag("data: no payload folder")
    if "fetch.txt" in files:
        raise BadBag("fetch.txt: parts of the payload are elsewhere")
    problems = list(metadata(bag, payload)) if "bag-info.txt" in files else []
    kinds = {name: MANIFEST.fullmatch(name) for name in files}
    manifests = {name: found for name, found in kinds.items() if found}
    if not any(not found.group(1) for found in manifests.values()):
        raise BadBag("no payload manifest")
    for name, found in sorted(manifests.items()):
        if found.group(2) not in ALGORITHMS:
            raise BadBag(f"{name}: an algorithm that RFC 8493 does not know")
        entries = manifest(bag, name, found.group(2))
        for path in sorted(set(entries) - files):
            problems.append(f"{path}: listed in {name}, not there")
        if found.group(1):
            problems += [f"{path}: has no place in {name}" for path in entries if path in payload or path.startswith("tagmanifest-")]
        else:
            problems += [f"{path}: of the payload, not listed in {name}" for path in sorted(payload - set(entries))]
            problems += [f"{path}: not of the payload, listed in {name}" for path in sorted(set(entries) - payload) if not path.startswith("data/")]
        problems += sums_are_right(bag, name, found.group(2), {path: entries[path] for path in entries if path in files})
    return problems


def main(bag):
    try:
        problems = check(bag)
    except (BadBag, OSError) as error:
        problems = [str(error)]
    print("\n".join(problems) if problems else f"{bag}: complete and valid")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
