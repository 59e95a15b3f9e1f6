# SPDX-License-Identifier: Apache-2.0
"""A sealed site whose packs are run: steps from python values, runs looked at, waits for what a run does."""
import os

from harness import SealedSite


class RunTest(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()

    def step(self, name, script, **more):
        run = {"script": script}
        run.update({key: more.pop(key) for key in list(more) if key in ("secrets", "timeout", "retries", "onCrash", "continueOnError", "env")})
        return {"id": name, "run": run, **more}

    def run_pack(self, steps, *args, expect=0, name="job", env=None, **spec):
        bundle = self.pack(name, steps, **spec)
        result = self.stella("--output", "json", "pack", "run", "--bundle", bundle, *args, expect=expect, env=env)
        return result.json if result.out else None

    def last_run(self):
        return self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]

    def show(self, run):
        return self.stella("--output", "json", "pack", "runs", "show", run).json

    def types(self, run):
        return [event["type"] + (" " + event["step"] if "step" in event else "") for event in self.events(run)]

    def wait_for_step(self, step):
        """The run id, once its step was started."""
        def started():
            if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
                return None
            runs = self.stella("--output", "json", "pack", "runs", "list").json["runs"]
            if runs and runs[0]["state"] == "running" and f"pack.step.started {step}" in self.types(runs[0]["runId"]):
                return runs[0]["runId"]
            return None
        return self.wait_for(started)
