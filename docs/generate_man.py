#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes man pages of the binary, one for each command and stella(1), from its --help and nothing else.

    docs/generate_man.py build/release/stella FOLDER        then: man -M or man -l FOLDER/stella-pack-run.1
"""
import os
import re
import subprocess
import sys

import generate_commands

STATUSES = ["0 done", "1 the work failed", "2 invalid input or usage", "3 not authorised", "4 not found", "5 network or sealed mode", "6 integrity",
            "7 waiting, nothing lost", "8 no space or medium gone", "10 somebody else is at it"]


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.splitlines())


def rows(text, title):
    """(name, meaning) of each line of a section of the help."""
    block = re.search(rf"^{title}:\n((?:  .*\n|\n)+)", text + "\n", re.MULTILINE)
    found = []
    for line in (block.group(1).splitlines() if block else []):
        one = re.match(r"  (\S.*?)(?:\s{2,}(\S.*))?$", line)
        if one:
            found.append([one.group(1), one.group(2) or ""])
        elif line.strip() and found:
            found[-1][1] = (found[-1][1] + " " + line.strip()).strip()
    return found


def section(title, entries):
    if not entries:
        return ""
    return f".SH {title}\n" + "".join(f".TP\n.B {roff(name)}\n{roff(about) or chr(92) + '&'}\n" for name, about in entries)


def page(path, summary, text, version, see):
    name = "-".join(("stella", *path))
    usage = re.search(r"^Usage: (.*)$", text, re.MULTILINE).group(1)
    example = re.search(r"^Example:\n((?:  .*\n?)+)", text, re.MULTILINE)
    parts = [f'.TH "{roff(name.upper())}" 1 "" "stella {version}" "stella"\n', f".SH NAME\n{roff(name)} \\- {roff(summary)}\n", f".SH SYNOPSIS\n{roff(usage)}\n",
             section("ARGUMENTS", rows(text, "Positionals")), section("OPTIONS", rows(text, "Options")), section("GLOBAL OPTIONS", rows(text, "Global options")),
             section("COMMANDS", rows(text, "Subcommands"))]
    if example:
        parts.append(f".SH EXAMPLE\n.nf\n{roff(example.group(1).strip())}\n.fi\n")
    parts.append(section("EXIT STATUS", [one.split(" ", 1) for one in STATUSES]))
    parts.append(".SH SEE ALSO\n" + ",\n".join(f".BR {roff(other)} (1)" for other in see).replace(",\n", " ,\n") + "\n")
    return "".join(parts)


def pages(binary):
    """File name -> text of every man page; commands that come with a later version have none."""
    version = subprocess.run([binary, "version"], stdout=subprocess.PIPE, check=True, text=True).stdout.split()[-1]
    files = {}
    for path, summary, text in generate_commands.walk(binary):
        if summary == generate_commands.LATER:
            continue
        files["-".join(("stella", *path)) + ".1"] = page(path, summary, text, version, ["stella"])
    root = generate_commands.help_of(binary, ())
    files["stella.1"] = page((), root.splitlines()[0].split(": ", 1)[1], root, version, [name[:-2] for name in sorted(files)])
    return files


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    os.makedirs(sys.argv[2], exist_ok=True)
    wanted = pages(os.path.abspath(sys.argv[1]))
    for name, text in wanted.items():
        with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as handle:
            handle.write(text)
    print(f"{len(wanted)} pages in {sys.argv[2]}")


if __name__ == "__main__":
    main()
