#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`logs search`: lines of all runs of a home, by run, pack, tenant, step, time and pattern."""
import json

from harness import main
from run_site import RunTest


class Search(RunTest):
    def setUp(self):
        super().setUp()
        self.first = self.run_pack([self.step("one", "echo alpha 1; echo beta 1 >&2"), self.step("two", "echo gamma 1")], name="first")["runId"]
        self.second = self.run_pack([self.step("one", "echo alpha 2"), self.step("two", "printf 'gamma 2'")], name="second")["runId"]

    def search(self, *args):
        """(summary, rows) of the ndjson form."""
        lines = [json.loads(line) for line in self.stella("--output", "ndjson", "logs", "search", *args).out.splitlines()]
        return lines[-1], lines[:-1]

    def texts(self, *args):
        return [row["text"] for row in self.search(*args)[1]]

    def test_names_run_pack_tenant_and_step_on_each_line(self):
        row = next(row for row in self.search()[1] if row["text"] == "beta 1")
        self.assertEqual({key: row[key] for key in ("runId", "packId", "tenant", "stepId", "attempt", "try", "stream", "line")},
                         {"runId": self.first, "packId": "first:1.0.0", "tenant": "plant-7", "stepId": "one", "attempt": 1, "try": 1, "stream": "err", "line": row["line"]})
        self.assertRegex(row["at"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_shows_the_newest_first_or_the_oldest(self):
        self.assertEqual(self.texts("--grep", "alpha|gamma"), ["gamma 2", "alpha 2", "gamma 1", "alpha 1"])
        self.assertEqual(self.texts("--grep", "alpha|gamma", "--oldest-first"), ["alpha 1", "gamma 1", "alpha 2", "gamma 2"])

    def test_picks_by_run_pack_step_and_time(self):
        self.assertEqual(sorted(self.texts("--run", self.first)), ["alpha 1", "beta 1", "gamma 1"])
        self.assertEqual(sorted(self.texts("--pack", "second")), ["alpha 2", "gamma 2"])
        self.assertEqual(sorted(self.texts("--pack", "second:1.0.0")), ["alpha 2", "gamma 2"])
        self.assertEqual(self.texts("--pack", "second:2.0.0"), [])
        self.assertEqual(sorted(self.texts("--step", "two")), ["gamma 1", "gamma 2"])
        self.assertEqual(self.texts("--since", "2199-01-01T00:00:00Z"), [])
        self.assertEqual(len(self.texts("--since", "1h")), 5)
        self.assertEqual(len(self.texts("--tenant", "plant-7")), 5)
        self.assertEqual(self.texts("--tenant", "plant-8"), [])

    def test_stops_at_its_limit_and_says_so(self):
        for order in ([], ["--oldest-first"]):
            with self.subTest(order=order):
                summary, rows = self.search("--limit", "2", *order)
                self.assertEqual((len(rows), summary["lines"], summary["truncated"]), (2, 2, True))
        summary, rows = self.search("--limit", "5")
        self.assertEqual((len(rows), summary["truncated"]), (5, False))

    def test_holds_the_newest_of_a_long_log(self):
        run = self.run_pack([self.step("long", "seq 1 200000")], name="long")["runId"]
        self.assertEqual(self.texts("--run", run, "--limit", "3"), ["200000", "199999", "199998"])
        self.assertEqual(self.texts("--run", run, "--limit", "3", "--oldest-first"), ["1", "2", "3"])
        self.assertEqual(self.texts("--run", run, "--grep", "^12345$"), ["12345"])

    def test_one_object_is_bounded_and_lines_are_not(self):
        """A search that finds 80 MB: as one object its first 64 MiB, which says that there is more; as lines all of it."""
        line, count = "x" * 3000, 9000
        for number in range(3):
            self.run_pack([self.step("long", f"yes {line} | head -n {count}")], name=f"wide-{number}")
        found = ("logs", "search", "--grep", "^x", "--limit", "100000")
        whole = self.stella("--output", "json", *found).json
        held = sum(len(row["text"]) for row in whole["found"])
        self.assertLess(held, 64 << 20)
        self.assertGreater(held, 40 << 20)  # what stands around each line counts too
        self.assertTrue(whole["truncated"])
        self.assertEqual(len(self.search(*found[2:])[1]), 3 * count)

    def test_shows_a_table_and_one_object(self):
        shown = self.stella("logs", "search", "--run", self.second, "--oldest-first").out.splitlines()
        self.assertEqual([line.split(" ", 1)[1] for line in shown], [f"{self.second} one | alpha 2", f"{self.second} two | gamma 2"])
        whole = self.stella("--output", "json", "logs", "search", "--run", self.second).json
        self.assertEqual([row["text"] for row in whole["found"]], ["gamma 2", "alpha 2"])

    def test_writes_out_what_could_steer_a_terminal(self):
        run = self.run_pack([self.step("evil", "printf '\\033[2Jgone\\n'")], name="evil")["runId"]
        self.assertNotIn("\x1b", self.stella("logs", "search", "--run", run).out)
        self.assertNotIn("\x1b", self.stella("--output", "ndjson", "logs", "search", "--run", run).out)

    def test_follows_an_attempt(self):
        run = self.run_pack([self.step("flaky", "echo try; test -e /work/again || { touch /work/again; exit 1; }")], name="flaky", expect=1)
        run = run["runId"] if run else self.last_run()
        self.stella("pack", "runs", "resume", run)
        self.assertEqual([(row["attempt"], row["try"]) for row in self.search("--run", run, "--oldest-first")[1]], [(1, 1), (2, 2)])

    def test_finds_events(self):
        summary, rows = self.search("--events", "--run", self.first, "--grep", "pack.step.finished", "--oldest-first")
        self.assertEqual([(row["type"], row["runId"], row["packId"], row["tenant"], row["stepId"], row["attempt"]) for row in rows],
                         [("pack.step.finished", self.first, "first:1.0.0", "plant-7", step, 1) for step in ("one", "two")])
        self.assertEqual(rows[0]["data"]["state"], "succeeded")
        self.assertEqual(summary["lines"], 2)
        newest = self.search("--events", "--limit", "1")[1]
        self.assertEqual((newest[0]["type"], newest[0]["runId"]), ("pack.evidence.sealed", self.second))
        self.assertIn(f"{self.first} - | pack.run.submitted", self.stella("logs", "search", "--events", "--grep", "submitted").out)

    def test_refuses_what_it_cannot_do(self):
        self.refused("ERR_USAGE", "logs", "search", "--grep", "(", reason="grep")
        self.refused("ERR_USAGE", "logs", "search", "--limit", "0", reason="limit")
        self.refused("ERR_USAGE", "logs", "search", "--limit", "many", reason="limit")
        self.refused("ERR_RUN_NOT_FOUND", "logs", "search", "--run", "run:plant-7:20200101T000000000Z")


if __name__ == "__main__":
    main()
