#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`stella metrics`: what the journal says, whoever was killed meanwhile; the rules, the board and the pages fit it."""
import glob
import json
import os
import re
import shutil
import subprocess
import unittest

import yaml
from harness import SOURCE, main
from run_site import RunTest

FOLDER = os.path.join(SOURCE, "docs", "operations", "observability")
GATED = [{"id": "ask", "gate.approval": {"approval": "review"}}]
REVIEW = [{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}]
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$')


def promtool(*args, **kwargs):
    return subprocess.run(["promtool", *args], capture_output=True, text=True, check=False, timeout=120, **kwargs)


def samples(text):
    """(name, labels) -> value of a text in the Prometheus format; refuses a line that is none."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        match = SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        labels = tuple(sorted(re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', match.group(2) or "")))
        assert (match.group(1), labels) not in found, f"twice: {line}"
        found[match.group(1), labels] = float(match.group(3))
    return found


class Metrics(RunTest):
    def metrics(self):
        return samples(self.stella("metrics").out)

    def value(self, name, **labels):
        return self.metrics().get((name, tuple(sorted(labels.items()))))

    def test_counts_what_ran(self):
        self.run_pack([self.step("one", "true"), self.step("two", "true")], name="good")
        self.run_pack([self.step("bad", "exit 3")], name="bad", expect=1)
        self.run_pack(GATED, name="gated", expect=7, approvals=REVIEW)
        now = self.metrics()
        tenant = ("tenant", "plant-7")
        self.assertEqual(now["pack_run_active", (tenant,)], 1)
        self.assertEqual(now["pack_runs", (("state", "waiting"), tenant)], 1)
        self.assertEqual(now["pack_run_success_ratio", (tenant,)], 0.5)
        self.assertEqual(now["pack_step_duration_seconds_count", (("step_type", "run"),)], 3)
        self.assertEqual(now["pack_step_duration_seconds_bucket", (("le", "+Inf"), ("step_type", "run"))], 3)
        self.assertEqual(now["stella_evidence_unexported", (tenant,)], 2)
        self.assertGreaterEqual(now["pack_gate_waiting_seconds", (("gate", "review"), tenant)], 0)
        self.assertEqual(now["stella_disk_reserve_bytes", ()], now["stella_disk_reserve_wanted_bytes", ()])
        self.assertNotIn(("process_open_fds", ()), now)

    def test_measures_a_gate_that_was_decided(self):
        run = self.run_pack(GATED, name="gated", expect=7, approvals=REVIEW)
        run = run["runId"] if run else self.last_run()
        self.stella("pack", "approve", "--run", run, "--gate", "review", "--comment", "no", "--key", self.key("ada"), "--reject", "--yes", expect=3)
        now = self.metrics()
        self.assertEqual(now["pack_gate_wait_seconds_count", (("gate", "review"),)], 1)
        self.assertEqual(now["pack_run_ended_total", (("state", "failed"), ("tenant", "plant-7"))], 1)
        self.assertNotIn(("pack_gate_waiting_seconds", (("gate", "review"), ("tenant", "plant-7"))), now)

    def test_is_right_after_a_kill_and_a_restart(self):
        bundle = self.pack("killed", [self.step("one", "true"), self.step("long", "test -e /work/go || sleep 300", onCrash="rerun"), self.step("end", "true")])
        runner = self.start("pack", "run", "--bundle", bundle)
        run = self.wait_for_step("long")
        runner.kill()
        runner.wait(timeout=30)
        self.assertEqual(self.value("pack_run_active", tenant="plant-7"), 1)
        self.assertEqual(self.value("pack_step_duration_seconds_count", step_type="run"), 1)
        self.write(os.path.join(self.show(run)["folder"], "work", "go"), "")
        self.stella("pack", "runs", "resume", run)
        self.assertEqual(self.value("pack_run_active", tenant="plant-7"), 0)
        self.assertEqual(self.value("pack_step_duration_seconds_count", step_type="run"), 3)  # nobody measured the one that was killed
        self.assertEqual(self.value("pack_run_ended_total", tenant="plant-7", state="succeeded"), 1)
        self.assertEqual(self.value("pack_run_success_ratio", tenant="plant-7"), 1)

    def test_goes_on_counting_when_runs_are_pruned(self):
        for number in range(3):
            self.run_pack([self.step("one", "true")], name=f"job-{number}")
        before = self.metrics()
        self.stella("pack", "runs", "prune", "--older-than", "1ms", "--unexported", "--yes")
        after = self.metrics()
        self.assertEqual(after["pack_runs", (("state", "succeeded"), ("tenant", "plant-7"))], 0)
        for name, labels in before:
            if re.search(r"_(total|count|sum|bucket)$", name):
                self.assertEqual(after.get((name, labels)), before[name, labels], name)

    def test_writes_a_textfile_that_promtool_takes(self):
        self.run_pack([self.step("one", "true")])
        self.run_pack(GATED, name="gated", expect=7, approvals=REVIEW)
        path = self.path("collector", "stella.prom")
        os.makedirs(os.path.dirname(path))
        self.stella("metrics", "--out", path)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o644)
        self.assertEqual(os.listdir(os.path.dirname(path)), ["stella.prom"])
        checked = promtool("check", "metrics", input=self.read(path, "r"))
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        whole = self.stella("--output", "json", "metrics").json["metrics"]
        self.assertEqual({family["name"] for family in whole}, set(re.findall(r"^# TYPE (\S+)", self.read(path, "r"), re.MULTILINE)))

    def test_a_folder_that_is_not_there_is_refused(self):
        self.assertNotEqual(self.stella("metrics", "--out", self.path("nowhere", "stella.prom"), expect=None).status, 0)

    def test_a_home_without_runs_has_metrics(self):
        home = self.make_home("fresh")
        found = samples(self.stella("metrics", home=home).out)
        self.assertEqual(found["stella_mirror_generation", ()], 0)
        self.assertIn("stella_build_info", {name for name, _ in found})


class Shipped(RunTest):
    """docs/operations/observability."""

    def catalogue(self):
        return {row["name"]: row for row in self.stella("--output", "json", "explain", "--metrics").json["metrics"]}

    def test_promtool_takes_rules_and_configuration(self):
        for args in (["check", "rules", "alerts.yaml"], ["check", "config", "prometheus.yaml"], ["test", "rules", "alerts_test.yaml"]):
            with self.subTest(args=args):
                checked = promtool(*args, cwd=FOLDER)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                self.assertIn("SUCCESS", checked.stdout)

    def test_every_alert_is_tested_and_uses_metrics_that_are_there(self):
        with open(os.path.join(FOLDER, "alerts.yaml"), encoding="utf-8") as handle:
            rules = [rule for group in yaml.safe_load(handle)["groups"] for rule in group["rules"]]
        with open(os.path.join(FOLDER, "alerts_test.yaml"), encoding="utf-8") as handle:
            tests = [case for test in yaml.safe_load(handle)["tests"] for case in test["alert_rule_test"]]
        for rule in rules:
            with self.subTest(alert=rule["alert"]):
                cases = [bool(case["exp_alerts"]) for case in tests if case["alertname"] == rule["alert"]]
                self.assertEqual(set(cases), {False, True}, "not shown both to fire and to be silent")
                used = set(re.findall(r"\b(?:pack|stella)_[a-z_]+\b", rule["expr"]))
                self.assertLessEqual(used, set(self.catalogue()))
        self.assertLessEqual({"StellaGateWaiting", "StellaSuccessRatioFalling", "StellaEvidenceNotExported", "StellaMirrorStale",
                              "StellaDiskReserveUsed", "StellaDown"}, {rule["alert"] for rule in rules})

    def test_the_board_is_the_one_that_its_script_makes(self):
        made = subprocess.run(["python3", "-B", "make_board.py"], cwd=FOLDER, capture_output=True, text=True, check=True).stdout
        with open(os.path.join(FOLDER, "task-runner.json"), encoding="utf-8") as handle:
            self.assertEqual(handle.read(), made, "run: make_board.py > task-runner.json")
        board = json.loads(made)
        self.assertEqual((board["uid"], board["title"]), ("task-runner", "task-runner"))
        known = set(self.catalogue())
        known |= {f"{name}_bucket" for name in known}
        queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
        used = set().union(*(re.findall(r"\b(?:pack|stella|process)_[a-z_]+\b", query) for query in queries))
        self.assertLessEqual(used, known)
        self.assertLessEqual({"pack_run_active", "pack_step_duration_seconds_bucket", "pack_gate_wait_seconds_bucket", "pack_run_success_ratio"}, used)
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        self.assertEqual(len(places), len(set(places)))
        for panel in board["panels"]:
            self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24)
            self.assertTrue(panel["description"])

    def test_every_event_that_runs_write_is_described(self):
        known = {row["type"]: set(row["data"]) for row in self.stella("--output", "json", "explain", "--events").json["events"]}
        steps = [self.step("one", "echo hi; exit 1", retries={"maxAttempts": 2, "backoffSeconds": 0}, continueOnError=True), {**self.step("never", "true"), "when": "`false`"},
                 {"id": "all", "map": {"items": ["a", "b"], "iterator": "n", "maxParallel": 1, "steps": [self.step("do", "true")]}}, *GATED]
        run = self.run_pack(steps, name="many", expect=7, approvals=REVIEW)
        run = run["runId"] if run else self.last_run()
        self.stella("pack", "approve", "--run", run, "--gate", "review", "--comment", "ok", "--key", self.key("ada"), "--yes")
        self.stella("pack", "runs", "resume", run)
        self.stella("pack", "runs", "export", "--run", run, "--out", self.path("out"))
        seen = set()
        for event in self.events(run):
            seen.add(event["type"])
            self.assertIn(event["type"], known)
            self.assertLessEqual(set(event["data"]), known[event["type"]], event["type"])
        self.assertGreater(len(seen), 12, sorted(seen))


@unittest.skipUnless(shutil.which("promtool"), "promtool (Debian package prometheus) is missing")
class Tools(unittest.TestCase):
    def test_promtool_refuses_what_is_wrong(self):
        """So that the checks above are known to be able to fail."""
        self.assertNotEqual(promtool("check", "metrics", input="a{b=\"c} 1\n").returncode, 0)

    def test_nothing_stands_there_that_no_test_looks_at(self):
        there = {os.path.basename(path) for path in glob.glob(os.path.join(FOLDER, "*")) if not path.endswith(".md")} - {"__pycache__"}
        self.assertEqual(there, {"alerts.yaml", "alerts_test.yaml", "prometheus.yaml", "make_board.py", "task-runner.json"})


if __name__ == "__main__":
    main()
