#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pack runs logs`: by step, time and pattern, in every format, and beside a run that goes on."""
import json
import os
import subprocess
import unittest

from run_site import RunTest


class Logs(RunTest):
    def finished(self):
        return self.run_pack([self.step("one", "echo alpha; echo beta >&2; printf 'no newline'"), self.step("two", "echo gamma"), self.step("quiet", "true")])["runId"]

    def logs(self, run, *more):
        return self.stella("pack", "runs", "logs", run, *more).out

    def test_picks_lines_by_step_pattern_and_time(self):
        run = self.finished()
        self.assertEqual(sorted(self.logs(run).splitlines()), ["one | alpha", "one | beta", "one | no newline", "two | gamma"])
        self.assertEqual(self.logs(run, "--step", "two"), "two | gamma\n")
        self.assertEqual(self.logs(run, "--step", "quiet"), "")
        self.assertEqual(self.logs(run, "--grep", "^(be|ga)"), "one | beta\ntwo | gamma\n")
        self.assertEqual(self.logs(run, "--since", "2199-01-01T00:00:00Z"), "")
        self.assertEqual(self.logs(run, "--since", "1h"), self.logs(run))
        self.assertEqual(self.logs(run, "--raw", "--step", "two"), "gamma\n")

    def test_gives_rows_to_programs(self):
        run = self.finished()
        whole = self.stella("--output", "json", "pack", "runs", "logs", run, "--step", "two").json
        self.assertEqual((whole["lines"][0]["text"], whole["lines"][0]["line"], whole["lines"][0]["stream"], whole["truncated"]), ("gamma", 1, "out", False))
        rows = [json.loads(row) for row in self.stella("--output", "ndjson", "pack", "runs", "logs", run).out.splitlines()]
        self.assertEqual(len(rows), 5)
        self.assertEqual(rows[-1]["state"], "succeeded")

    def test_refuses_what_it_cannot_do(self):
        run = self.finished()
        self.refused("ERR_USAGE", "pack", "runs", "logs", run, "--grep", "(", reason="grep")
        self.refused("ERR_USAGE", "pack", "runs", "logs", run, "--grep", "(?=x)", reason="grep")
        self.refused("ERR_USAGE", "pack", "runs", "logs", run, "--step", "tow", reason="step")
        self.refused("ERR_USAGE", "pack", "runs", "logs", run, "--since", "soon")

    def test_keeps_no_file_a_step_and_seals_one(self):
        run = self.finished()
        shown = self.show(run)
        self.assertEqual(sorted(os.listdir(os.path.join(shown["folder"], "logs"))), ["000001.chunk", "000001.index"])
        bag = shown["evidence"] if os.path.isabs(shown["evidence"]) else os.path.join(shown["folder"], "evidence", shown["evidence"])
        self.assertEqual(sorted(os.listdir(os.path.join(bag, "data", "logs"))), ["one.1.log", "two.1.log"])
        with open(os.path.join(bag, "data", "logs", "two.1.log"), encoding="utf-8") as handle:
            self.assertEqual(handle.read(), "gamma\n")

    def test_follow_of_an_ended_run_ends_and_says_so(self):
        run = self.finished()
        followed = subprocess.run([os.environ["STELLA"], "pack", "runs", "logs", run, "--follow", "--step", "two"], env=self.environment(),
                                  capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual((followed.returncode, followed.stdout), (0, "two | gamma\n"))
        self.assertIn("has ended: succeeded", followed.stderr)


if __name__ == "__main__":
    unittest.main()
