# SPDX-License-Identifier: Apache-2.0
"""How many runs of a tenant go on at once: tenants[].maxRuns of the site policy."""
import json
import os
import signal

from harness import main
from run_site import RunTest

SLOW = {"id": "slow", "run": {"script": "touch /work/begun; until test -e /work/go; do sleep 0.05; done", "onCrash": "rerun"}}


class TenantLimit(RunTest):
    def apply(self, document=None, **kwargs):
        document = self.policy()
        document["tenants"][0]["maxRuns"] = 2
        other = dict(document["tenants"][0], name="plant-8", approvers=[], maxRuns=1)
        return super().apply(dict(document, tenants=[document["tenants"][0], other]), **kwargs)

    def setUp(self):
        super().setUp()
        self.bundle = self.pack("job", [SLOW])

    def runs(self, state="running", tenant="plant-7"):
        if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
            return []
        return self.stella("--output", "json", "pack", "runs", "list", "--state", state, "--tenant", tenant).json["runs"]

    def start_runs(self, number):
        processes = [self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle) for _ in range(number)]
        self.wait_for(lambda: self.all_live(processes) and len(self.runs()) == number and all(self.has_begun(run) for run in self.runs()))
        return processes

    def all_live(self, processes):
        for process in processes:
            self.assertIsNone(process.poll(), process.poll() is not None and process.stderr.read())
        return True

    def folder(self, run):
        return self.stella("--output", "json", "pack", "runs", "show", run["runId"]).json["folder"]

    def has_begun(self, run):
        return os.path.exists(os.path.join(self.folder(run), "work", "begun"))

    def let_go(self, run):
        with open(os.path.join(self.folder(run), "work", "go"), "w", encoding="utf-8"):
            pass

    def test_one_run_too_many_is_refused_or_waits(self):
        self.start_runs(2)
        error = self.refused("ERR_RUN_BUSY", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, reason="tenant")
        self.assertEqual(error["exit"], 10)
        for run in self.runs():
            self.assertIn(run["runId"], error["message"])
        self.refused("ERR_RUN_BUSY", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--detach", reason="tenant")
        self.assertEqual(len(self.stella("--output", "json", "pack", "runs", "list").json["runs"]), 2, "a refused run leaves nothing")
        waiting = self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--wait")
        self.assertIn(b"may have 2 runs", waiting.stderr.readline())
        self.assertEqual(len(self.runs()), 2)
        self.let_go(self.runs()[0])
        self.wait_for(lambda: len(self.runs("succeeded")) == 1 and len(self.runs()) == 2)
        for run in self.runs():
            self.let_go(run)
        self.wait_for(lambda: len(self.runs("succeeded")) == 3)

    def test_another_tenant_has_its_own(self):
        self.start_runs(2)
        quick = self.pack("quick", [self.step("a", "true")])
        self.stella("--tenant", "plant-8", "pack", "run", "--bundle", quick)

    def test_a_place_is_free_after_a_kill(self):
        processes = self.start_runs(2)
        os.killpg(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle)
        self.wait_for(lambda: len(self.runs()) == 3)  # one of them is only called so: its runner was killed
        dead = self.runs()[-1]["runId"] if not self.is_busy(self.runs()[-1]) else self.runs()[-2]["runId"]
        self.refused("ERR_RUN_BUSY", "pack", "runs", "resume", dead, reason="tenant")
        self.assertEqual(self.stella("pack", "runs", "resume", dead, "--dry-run").status, 0)

    def is_busy(self, run):
        result = self.stella("--output", "json", "pack", "runs", "resume", run["runId"], "--dry-run", expect=None)
        return result.status == 10

    def test_what_a_policy_may_say(self):
        for limit in (0, 1001, "2", 1.5, -1, None):
            with self.subTest(limit=limit):
                document = self.policy(version=2)
                document["tenants"][0]["maxRuns"] = limit
                self.refused("ERR_SITE_INVALID", "site", "check", self.write("bad.json", json.dumps(document)))


if __name__ == "__main__":
    main()
