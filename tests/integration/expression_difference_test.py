# SPDX-License-Identifier: Apache-2.0
"""Expressions give what python3-jmespath gives: the same result or the same kind of error, for 50,000 made-up ones.

A quarter is also put to the reference as it is, without the departures that jmespath_reference.py names.
STELLA_EXPRESSIONS sets another number (sanitizer builds), STELLA_SEED another beginning.
"""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import warnings

import harness

sys.path.insert(0, os.path.join(harness.SOURCE, "tests", "oracles"))
import jmespath_maker

try:
    import jmespath_reference
except ImportError:
    jmespath_reference = None

COUNT = int(os.environ.get("STELLA_EXPRESSIONS", "50000"))
FIRST_SEED = int(os.environ.get("STELLA_SEED", "1"))
PER_DOCUMENT, PER_BATCH = 25, 2500
CHANGED = 0.2  # this share of the expressions has a few characters changed


def plain(value):
    """JSON has one kind of number; python has two."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def comparable(answer):
    return answer[0], json.dumps(plain(answer[1]), sort_keys=True, default=str)


def cases(seed, count):
    """`count` pairs of an expression and its document."""
    made = []
    while len(made) < count:
        maker = jmespath_maker.Maker(seed * 1_000_003 + len(made))
        document = maker.document()
        for _ in range(PER_DOCUMENT):
            text = maker.expression(document)
            made.append((maker.changed(text) if maker.chance(CHANGED) else text, document))
    return [(text, document) for text, document in made if len(text.encode()) <= 4096][:count]


def answer_of(line):
    read = json.loads(line)
    return ("result", read["result"]) if "result" in read else ("error", read["error"]["reason"].removeprefix("expression-"))


def compare_batch(seed, count):
    """(differences, counts) of one batch."""
    warnings.simplefilter("ignore", PendingDeprecationWarning)  # quotes left out of a literal, by the reference as it is
    made, different, counts = cases(seed, count), [], collections.Counter()
    lines = "".join(json.dumps({"expression": text, "context": document}) + "\n" for text, document in made)
    done = subprocess.run([harness.STELLA, "pack", "eval", "--lines"], input=lines, capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    if len(answers) != len(made):
        return [("lines", len(answers), len(made))], counts
    for index, ((text, document), line) in enumerate(zip(made, answers)):
        ours, theirs = answer_of(line), jmespath_reference.answer(text, document)
        if comparable(ours) != comparable(theirs):
            different.append((text, document, ours, theirs))
        counts["all"] += 1
        if index % 4 == 0:
            counts["asked as it is"] += 1
            counts["same as it is"] += comparable(ours) == comparable(jmespath_reference.plain_answer(text, document))
        counts[ours[1] if ours[0] == "error" else "nothing" if ours[1] in (None, [], {}) else "something"] += 1
        for name in jmespath_maker.FUNCTIONS:
            counts[name + "()"] += ours[0] == "result" and name + "(" in text
    return different, counts


@harness.unittest.skipIf(jmespath_reference is None, "python3-jmespath is not installed")
class Differences(harness.SealedSite):
    def test_every_answer_is_the_references(self):
        different, counts = [], collections.Counter()
        batches = [(FIRST_SEED + i, min(PER_BATCH, COUNT - i * PER_BATCH)) for i in range((COUNT + PER_BATCH - 1) // PER_BATCH)]
        with concurrent.futures.ProcessPoolExecutor(max_workers=2) as pool:
            for found, counted in pool.map(compare_batch, *zip(*batches)):
                different += found
                counts += counted
        print(dict(counts), file=sys.stderr)
        for text, document, ours, theirs in different[:10]:
            print(f"{text}\n  on {json.dumps(document)}\n  gives {ours}\n  reference {theirs}", file=sys.stderr)
        self.assertEqual(len(different), 0)
        self.assertGreaterEqual(counts["all"], COUNT)
        # The generator is not idle: most expressions are well formed, many find something, every function works somewhere.
        self.assertGreater(counts["something"], COUNT * 0.3)
        self.assertGreater(counts["same as it is"], counts["asked as it is"] * 0.9)
        for kind in ("syntax", "type", "function", "value"):
            self.assertGreater(counts[kind], COUNT * 0.0003, kind)
        for name in jmespath_maker.FUNCTIONS:
            self.assertGreater(counts[name + "()"], COUNT * 0.001, name)

    def test_one_at_a_time_as_in_a_batch(self):
        sample = [case for case in cases(FIRST_SEED + 1000, 400) if "\0" not in case[0]]
        for text, document in sample:
            done = subprocess.run([harness.STELLA, "--output", "json", "pack", "eval", "--", text], input=json.dumps(document), capture_output=True,
                                  text=True, check=False)
            if done.returncode == 0:
                ours = ("result", json.loads(done.stdout))
            else:
                self.assertEqual(json.loads(done.stderr)["error"]["code"], "ERR_PACK_INVALID", (text, done.stderr))
                ours = ("error", json.loads(done.stderr)["error"]["reason"].removeprefix("expression-"))
            self.assertEqual(comparable(ours), comparable(jmespath_reference.answer(text, document)), (text, document))


if __name__ == "__main__":
    harness.main()
