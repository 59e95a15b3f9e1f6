#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the demo's output, shortened, between the transcript marks of README.md. Keys, digests and times stay as printed;
what is left out is marked with an ellipsis.

    demo/refresh_transcript.py            plays ./dev demo and takes its output
    demo/refresh_transcript.py FILE|-     takes the output of a demo that was played
"""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BEGIN, END = "<!-- transcript:begin -->", "<!-- transcript:end -->"
SHOWN_ONCE = ("key new", "pack build", "approval review", "approval sign")  # later ones look the same
HEAD, TAIL, OF_A_STEP = 13, 9, 5       # lines kept of one command, of one step's log


def played():
    done = subprocess.run([os.path.join(ROOT, "dev"), "demo"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def blocks(text):
    """[line, lines below it]: chapters, explanations and commands, each with what it printed."""
    found, started = [], False
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        started = started or line.startswith("━━ ")
        if not started:
            continue
        if found and found[-1][0] == "━━ Done" and not line.startswith("  ·"):
            break
        if line.startswith("━━ ") or re.match(r"\w+\$ ", line) or re.match(r"   \S", line):
            found.append([line.rstrip(), []])
        elif found and line.strip():
            found[-1][1].append(line.rstrip())
    return found


def fewer_of_each_step(lines):
    kept, step, count = [], None, 0
    for line in lines:
        says = re.match(r"  ([\w-]+) \| ", line)
        count = count + 1 if says and says.group(1) == step else 1
        step = says.group(1) if says else None
        if step is None or count <= OF_A_STEP:
            kept.append(line)
        elif count == OF_A_STEP + 1:
            kept.append(f"  {step} | …")
    return kept


def shortened(lines):
    lines = fewer_of_each_step(lines)
    if len(lines) <= HEAD + TAIL + 1:
        return lines
    return lines[:HEAD] + ["  …"] + lines[-TAIL:]


def transcript(text):
    shown, out = set(), []
    for line, below in blocks(text):
        if line.startswith("━━ ") and out:
            out.append("")
        out.append(line)
        verb = next((verb for verb in SHOWN_ONCE if f"$ stella {verb}" in line), None)
        out += ["  …"] if verb in shown else shortened(below)
        shown |= {verb} - {None}
    return "\n".join(out)


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    source = sys.argv[1] if len(sys.argv) > 1 else None
    if source is None:
        text = played()
    elif source == "-":
        text = sys.stdin.read()
    else:
        with open(source, encoding="utf-8") as handle:
            text = handle.read()
    if "━━ Done" not in text:
        sys.exit("this is not the output of a demo that came to its end")
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as handle:
        before, rest = handle.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(f"{before}{BEGIN}\n```console\n{transcript(text)}\n```\n{END}{after}")


if __name__ == "__main__":
    main()
