#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pack runs list, show, cancel, prune, hold, release: what operators see of runs and how long they stay."""
import contextlib
import json
import os
import sqlite3
import subprocess
import tempfile
import time

from harness import main
from run_site import RunTest

TOOL = os.path.join(os.environ.get("STELLA_BUILD", ""), "stella_many_runs")


class List(RunTest):
    def test_newest_first_with_filters(self):
        first = self.run_pack([self.step("a", "true")])["runId"]
        second = self.run_pack([self.step("a", "false")], name="other", expect=1)["runId"]
        runs = self.stella("--output", "json", "pack", "runs", "list").json["runs"]
        self.assertEqual([run["runId"] for run in runs], [second, first])
        for args, wanted in ((("--state", "failed"), [second]), (("--pack", "job"), [first]), (("--limit", "1"), [second]),
                             (("--since", "1h"), [second, first]), (("--since", "2099-01-01T00:00:00Z"), []), (("--tenant", "plant-7"), [second, first]),
                             (("--tenant", "plant-8"), [])):
            listed = self.stella("--output", "json", "pack", "runs", "list", *args).json
            self.assertEqual([run["runId"] for run in listed["runs"]], wanted, args)
        table = self.stella("pack", "runs", "list", "--limit", "1")
        for word in (second, "✗ failed", "other:1.0.0", runs[0]["planHash"][7:19], "Ana Ortiz", "ERR_PACK_STEP_FAILED"):
            self.assertIn(word, table.out)
        self.assertIn("--limit N shows more", table.err)
        lines = self.stella("--output", "ndjson", "pack", "runs", "list").out.splitlines()
        self.assertEqual([json.loads(line).get("runId") for line in lines], [second, first, None])

    def test_filters_that_mean_nothing(self):
        for option, value, reason in (("--state", "runing", "state"), ("--limit", "0", "limit"), ("--limit", "many", "limit"),
                                      ("--since", "yesterday", "duration"), ("--since", "2026-13-01T00:00:00Z", "time")):
            self.refused("ERR_USAGE", "pack", "runs", "list", option, value, reason=reason)
        self.assertIn("running", self.refused("ERR_USAGE", "pack", "runs", "list", "--state", "runing")["message"])

    def test_ten_thousand_runs(self):
        if not os.path.exists(TOOL):
            self.skipTest("stella_many_runs is not built")
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as home:
            subprocess.run([TOOL, home, "10000"], check=True, stdin=subprocess.DEVNULL)
            begun = time.monotonic()
            runs = self.stella("--output", "json", "pack", "runs", "list", home=home).json["runs"]
            took = time.monotonic() - begun
            print(f"runs list over 10,000 runs: {took * 1000:.0f} ms", flush=True)
            self.assertEqual(len(runs), 100)
            self.assertEqual(runs, sorted(runs, key=lambda run: run["created"], reverse=True))
            self.assertLess(took, 2)
            few = self.stella("--output", "json", "pack", "runs", "list", "--state", "failed", "--limit", "7", home=home).json["runs"]
            self.assertEqual([run["state"] for run in few], ["failed"] * 7)


class Show(RunTest):
    def test_a_gate_says_who_is_missing_and_what_comes_next(self):
        approvals = [{"id": "review", "threshold": 2, "roles": {"safety": 1}}]
        self.apply(self.policy(version=2, tenants=[{"name": "plant-7", "packs": ["*"], "operators": [{"name": "Ana Ortiz", "user": "root"}],
                                                    "approvers": [self.approver("Ada Obi", "ada", ["safety"]), self.approver("Ben Keller", "ben")]}]))
        run = self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}, self.step("a", "true")], expect=7, approvals=approvals)["runId"]
        text = self.stella("pack", "runs", "show", run).out
        for words in ("◇", "0 of 2 approvals", "may decide: Ada Obi (safety), Ben Keller", " left (runs out ", f"stella pack approve --run {run} --gate 'review' --offline-request"):
            self.assertIn(words, text)
        self.assertNotIn("\x1b", text)
        self.stella("pack", "approve", "--run", run, "--gate", "review", "--offline-request")
        self.assertIn("missing: safety", self.stella("pack", "runs", "show", run).out)
        shown = self.show(run)
        self.assertEqual(shown["next"], "stella pack approve --offline-response FILE")
        self.assertEqual(shown["gates"][0]["mayDecide"], ["Ada Obi (safety)", "Ben Keller"])

    def test_a_failure_a_blocked_attempt_and_the_line_that_would_let_it(self):
        bundle = self.pack("job", [{"id": "out", "run": {"command": ["bash", "-c", "exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3 || true"]}}])
        self.stella("pack", "run", "--bundle", bundle, expect=5)
        run = self.last_run()
        text = self.stella("pack", "runs", "show", run).out
        self.assertIn("✗ out", text)
        self.assertRegex(text, r"blocked: out: .* udp .*192\.0\.2\.1 port 53")
        self.assertRegex(text, r"network.allow would let it: .*192\.0\.2\.1")
        self.assertIn(f"next     stella pack runs resume --run {run}", text)

    def test_large_groups_are_folded(self):
        steps = [self.step(f"s{number}", "true") for number in range(60)] + [self.step("bad", "exit 3")]
        run = self.run_pack(steps, expect=1)["runId"]
        text = self.stella("pack", "runs", "show", run).out
        self.assertIn("60/61 done, 1 failed", text)
        self.assertIn("✗ bad  failed", text)
        self.assertNotIn("s17", text)
        self.assertIn("s17", self.stella("pack", "runs", "show", run, "--all").out)

    def test_groups_and_turns_are_a_tree_with_states_and_durations(self):
        inner = [self.step("one", "true"), self.step("two", "exit $((N / 59))", env={"N": "${{ n }}"})]
        steps = [{"id": "flash", "map": {"items": list(range(60)), "iterator": "n", "maxParallel": 1, "steps": inner}},
                 {"id": "both", "parallel": {"steps": [self.step("a", "true"), self.step("b", "true")]}}]
        run = self.run_pack(steps, expect=1)["runId"]
        shown = self.show(run)
        rows = {row["step"]: row for row in shown["steps"]}
        self.assertEqual((rows["flash"]["kind"], rows["flash"]["parent"], rows["flash"]["state"]), ("map", "", "failed"))
        self.assertEqual((rows["flash[3]"]["kind"], rows["flash[3]"]["parent"], rows["flash[3]"]["state"]), ("item", "flash", "succeeded"))
        self.assertEqual(rows["flash[59]"]["state"], "failed")
        one = rows["flash[3]::one"]
        self.assertEqual((one["kind"], one["parent"], one["state"], one["attempts"]), ("run", "flash[3]", "succeeded", 1))
        self.assertGreaterEqual(one["elapsedMs"], 0)
        self.assertEqual(rows["a"]["parent"], "both")
        self.assertEqual((shown["stepsDone"], shown["stepsTotal"], shown["stepsFailed"]), (119, 122, 1))
        text = self.stella("pack", "runs", "show", run).out
        self.assertRegex(text, r"✗ flash \(map\)  failed  59/60 done, 1 failed  \d")
        self.assertIn("✗ flash[59]::two  failed", text)
        self.assertNotIn("flash[3]", text)
        self.assertIn("flash[3]::one", self.stella("pack", "runs", "show", run, "--all").out)
        self.assertIn("119/122, 1 failed", self.stella("pack", "runs", "list").out)


class Cancel(RunTest):
    def test_bad_graces(self):
        run = self.run_pack([self.step("a", "true")])["runId"]
        for grace in ("soon", "2h", "-1s"):
            self.refused("ERR_USAGE", "pack", "runs", "cancel", run, f"--grace={grace}", reason="duration")
        self.refused("ERR_USAGE", "pack", "runs", "cancel", run, reason="state")

    def test_a_run_in_another_process(self):
        bundle = self.pack("job", [self.step("slow", "sleep 300")])
        process = self.start("pack", "run", "--bundle", bundle)
        run = self.wait_for_step("slow")
        shown = self.stella("--output", "json", "pack", "runs", "cancel", run, "--grace", "1s", "--reason", "wrong cell").json
        self.assertEqual(shown["state"], "cancelled")
        self.assertEqual(process.wait(timeout=30), 1)


class Prune(RunTest):
    def exported(self, **kwargs):
        run = self.run_pack([self.step("a", "true")], **kwargs)["runId"]
        self.stella("pack", "runs", "export", run, "--out", self.path("out"))
        return run

    def prune(self, *args, **kwargs):
        return self.stella("--output", "json", "pack", "runs", "prune", "--older-than", "0s", *args, **kwargs)

    def ids(self):
        return {run["runId"] for run in self.stella("--output", "json", "pack", "runs", "list").json["runs"]}

    def test_removes_what_was_exported_and_records_it(self):
        run, other = self.exported(), self.run_pack([self.step("a", "true")], name="kept")["runId"]
        folder = self.show(run)["folder"]
        dry = self.prune("--dry-run").json
        self.assertEqual(([row["runId"] for row in dry["removed"]], [(row["runId"], row["kept"]) for row in dry["kept"]]), ([run], [(other, "unexported")]))
        self.assertTrue(os.path.isdir(folder))
        self.refused("ERR_USAGE", "pack", "runs", "prune", "--older-than", "0s", reason="confirm")
        done = self.prune("--yes").json
        self.assertGreater(done["freedBytes"], 0)
        self.assertEqual(self.ids(), {other})
        self.assertFalse(os.path.exists(folder))
        self.refused("ERR_RUN_NOT_FOUND", "pack", "runs", "show", run)
        text = self.stella("pack", "runs", "prune", "--older-than", "0s", "--unexported", "--yes").out
        self.assertIn("removed 1 runs", text)
        self.assertEqual(self.ids(), set())

    def test_retention_is_the_policys(self):
        self.exported()
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "prune", "--yes").json["removed"], [])
        self.refused("ERR_USAGE", "pack", "runs", "prune", "--older-than", "long", reason="duration")
        self.apply(self.policy(version=2, retention={"runs": "PT1S"}))
        self.wait_for(lambda: self.stella("--output", "json", "pack", "runs", "prune", "--yes").json["removed"])
        self.assertEqual(self.ids(), set())

    def test_holds(self):
        run = self.exported()
        self.refused("ERR_USAGE", "pack", "runs", "hold", run)
        self.refused("ERR_RUN_NOT_FOUND", "pack", "runs", "hold", "run:plant-7:20200101T000000000Z", "--reason", "x")
        self.stella("pack", "runs", "hold", run, "--reason", "audit 2026-11")
        self.assertEqual(self.show(run)["hold"]["reason"], "audit 2026-11")
        self.assertEqual([event["data"] for event in self.events(run) if event["type"] == "pack.hold.placed"], [{"by": "Ana Ortiz", "reason": "audit 2026-11"}])
        self.assertIn("held", self.stella("pack", "runs", "list").out)
        self.assertIn("audit 2026-11", self.stella("pack", "runs", "show", run).out)
        self.assertEqual([row["kept"] for row in self.prune("--yes").json["kept"]], ["held"])
        self.assertEqual(self.ids(), {run})
        self.assertTrue(self.stella("--output", "json", "pack", "runs", "release", run).json["released"])
        self.assertFalse(self.stella("--output", "json", "pack", "runs", "release", run).json["released"])
        self.assertEqual([event["data"] for event in self.events(run) if event["type"] == "pack.hold.released"], [{"by": "Ana Ortiz"}])
        self.prune("--yes")
        self.assertEqual(self.ids(), set())

    def test_a_run_whose_journal_was_damaged_can_be_held(self):
        run = self.exported()
        with contextlib.closing(sqlite3.connect(os.path.join(self.home, "runs", "journal.db"))) as journal, journal:
            journal.execute("DELETE FROM events WHERE run = ? AND seq = (SELECT max(seq) FROM events WHERE run = ?)", (run, run))
        self.assertIn("damaged", self.stella("pack", "runs", "hold", run, "--reason", "look into it").err)
        self.prune("--yes", expect=None)
        self.assertEqual(self.ids(), {run})

    def test_killed_in_the_middle_the_next_one_goes_on(self):
        runs = [self.exported(name=f"job-{number}") for number in range(2)]
        self.prune("--yes", expect=-9, env={"STELLA_CRASH_AT": "run.pruned"})
        left = [name for name in os.listdir(os.path.join(self.home, "runs")) if name.startswith("run_")]
        self.assertEqual((len(self.ids()), len(left)), (1, 2), runs)
        self.prune("--yes")
        self.assertEqual([name for name in os.listdir(os.path.join(self.home, "runs")) if name.startswith("run_")], [])

    def test_runs_that_have_not_ended_and_the_ledger_stay(self):
        run = self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}], expect=7, approvals=[{"id": "review", "threshold": 1}])["runId"]
        self.stella("pack", "approve", "--run", run, "--gate", "review", "--offline-request")
        self.prune("--yes", "--unexported")
        self.assertEqual(self.ids(), {run})
        self.stella("pack", "runs", "cancel", run)
        ledger = self.read(os.path.join(self.home, "runs", "ledger", "plant-7", "approvals.jsonl"))
        self.prune("--yes", "--unexported")
        self.assertEqual(self.ids(), set())
        self.assertEqual(self.read(os.path.join(self.home, "runs", "ledger", "plant-7", "approvals.jsonl")), ledger)


if __name__ == "__main__":
    main()
