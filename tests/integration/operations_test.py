#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/operations: the first hour is played, every code has a row, every question of the compliance page is answered."""
import os
import re
import subprocess

from docs_test import anchors, read
from harness import SOURCE, STELLA, SealedSite, main

PAGE = os.path.join("docs", "operations", "first-hour.md")
# What the compliance list of an operations runbook asks for.
QUESTIONS = {
    "lifecycle, from submission to evidence": 1, "measured": 1, "logs": 1, "traces": 1, "told": 1, "command line": 1, "console": 1, "secrets": 1,
    "sealed mode": 1, "offline process": 1, "fail": 1, "recover": 1, "chaos": 1, "escalation matrix": 1, "rule above all": 1}


def blocks():
    """(who, exit status, script) of each block that is played."""
    found = re.findall(r"^<!-- at: (\w+)(?:, exit: (\d+))? -->\n```sh\n(.*?)^```", read(PAGE), re.MULTILINE | re.DOTALL)
    return [(who, int(status or 0), script) for who, status, script in found]


class FirstHour(SealedSite):
    def play(self, who, script):
        """One block in bash, as this person: their home, one folder for all, a stick that is a folder of the test."""
        stick = self.path("stick")
        os.makedirs(stick, exist_ok=True)
        home = self.make_home(who)
        script = script.replace("/media/stick", stick).replace("--run RUN", f"--run {self.run_id}").replace(" RUN", f" {self.run_id}")
        environment = {**self.environment(home), "PATH": os.path.dirname(STELLA) + ":/usr/bin:/bin:/usr/sbin:/sbin"}
        return subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.path("table"), env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)

    def test_it_can_be_played_from_the_first_line_to_the_last(self):
        os.mkdir(self.path("table"))
        self.run_id, said = "none", ""
        for who, status, script in blocks():
            done = self.play(who, script)
            self.assertEqual(done.returncode, status, f"{who}:\n{script}\n{done.stdout}")
            said += done.stdout
            if status == 7:
                self.run_id = re.search(r"run:plant-7:\w+", done.stdout).group(0)
        self.assertRegex(said, r"counted 3 lines")
        self.assertIn("proven, by signatures", said)
        self.assertTrue(os.listdir(self.path("stick", "for-people-on-call")))

    def test_every_shell_block_of_the_page_is_played(self):
        self.assertEqual(len(blocks()), read(PAGE).count("```sh"))
        self.assertEqual({who for who, _, _ in blocks()}, {"outside", "office", "appliance", "desk", "auditor"})


class Pages(SealedSite):
    def test_every_code_has_a_row_in_the_failure_table(self):
        rows = re.findall(r"^\| ((?:ERR|AIRGAP)_[A-Z_, ]+?)(?: \([^)]*\))? \|", read("docs/operations/failures.md"), re.MULTILINE)
        named = {code for row in rows for code in row.split(", ")}
        known = {row["code"] for row in self.stella("--output", "json", "explain").json["codes"]}
        self.assertEqual(sorted(named), sorted(known))

    def test_the_compliance_page_answers_every_question(self):
        rows = re.findall(r"^\| ([^|]+) \| \[[^\]]+\]\(([^)#]+)#([^)]+)\)(?:, [^|]+)? \|$", read("docs/operations/compliance.md"), re.MULTILINE)
        asked = " / ".join(question.lower() for question, _, _ in rows)
        for words, times in QUESTIONS.items():
            with self.subTest(question=words):
                self.assertGreaterEqual(asked.count(words), times)
        for question, page, fragment in rows:
            with self.subTest(question=question):
                text = read(os.path.normpath(os.path.join("docs", "operations", page)))
                self.assertIn(fragment, anchors(text))
                self.assertGreater(len(self.section(text, fragment)), 80)

    def section(self, text, fragment):
        """What stands under a heading, down to the next one."""
        parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
        for heading, body in zip(parts[1::2], parts[2::2]):
            if fragment in anchors("# " + heading):
                return body.strip()
        return ""

    def test_the_rule_stands_at_the_top(self):
        lines = [line for line in read("docs/operations/README.md").splitlines() if line]
        self.assertEqual(lines[0], "# Operations")
        self.assertTrue(lines[1].startswith("> **The rule above all others.**"))

    def test_every_page_is_found_from_the_first(self):
        first = read("docs/operations/README.md")
        for name in sorted(os.listdir(os.path.join(SOURCE, "docs", "operations"))):
            if name.endswith(".md") and name != "README.md":
                with self.subTest(page=name):
                    self.assertIn(f"]({name}", first)


if __name__ == "__main__":
    main()
