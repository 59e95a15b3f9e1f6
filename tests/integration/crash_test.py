#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the runner wherever the round trip can meet it: while a step runs, while it waits, between two responses."""
import os
import time

from approval_site import ApprovalSite
from harness import main


class Killed(ApprovalSite):
    def setUp(self):
        super().setUp()
        self.bundle = self.pack("killed", [
            {"id": "before", "run": {"script": "echo x >> /work/before; test -e /work/go || sleep 300", "onCrash": "rerun"}},
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "after", "run": {"script": "echo x >> /work/after; test -e /work/go-on || sleep 300", "onCrash": "rerun"}}],
            approvals=[{"id": "review", "threshold": 2, "expiresAfter": "PT1H"}])

    def wait_until(self, condition):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if condition():
                return
            time.sleep(0.05)
        self.fail("it did not happen in time")

    def run_id(self):
        if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
            return None
        runs = self.stella("--output", "json", "pack", "runs", "list").json["runs"]
        return runs[0]["runId"] if runs else None

    def killed_when(self, condition, *args):
        """Starts a runner, kills it with SIGKILL once the condition holds, and waits for its end."""
        runner = self.start("--tenant", "plant-7", "pack", *args)
        self.wait_until(condition)
        self.assertIsNone(runner.poll(), "the runner ended before it was killed")
        runner.kill()
        self.assertEqual(runner.wait(timeout=30), -9)

    def started(self, step, times):
        def found():
            run = self.run_id()
            return run and [event.get("step") for event in self.events(run) if event["type"] == "pack.step.started"].count(step) == times
        return found

    def has_lines(self, name, count):
        """The step itself got that far: it is in its script, not on the way there."""
        def found():
            run = self.run_id()
            path = os.path.join(self.show(run)["folder"], "work", name) if run else ""
            return os.path.exists(path) and len(self.read(path).splitlines()) == count
        return found

    def let(self, name):
        open(os.path.join(self.show(self.run_id())["folder"], "work", name), "wb").close()

    def held(self):
        """Somebody has the run and it is waiting."""
        run = self.run_id()
        return self.show(run)["state"] == "waiting" and self.stella("pack", "runs", "resume", run, expect=None).status not in (0, 7)

    def test_the_run_finishes_after_a_kill_at_every_stage(self):
        self.killed_when(self.has_lines("before", 1), "run", "--bundle", self.bundle)
        run = self.run_id()
        self.let("go")
        self.stella("pack", "runs", "resume", run, expect=7)
        self.killed_when(self.held, "run", "--resume", run, "--wait")
        request = self.ask(run)
        self.take(self.sign(request, "ada"))
        self.killed_when(self.held, "run", "--resume", run, "--wait")
        self.assertEqual(self.show(run)["gates"][0]["have"], 1)
        self.take(self.sign(request, "ben"))
        self.killed_when(self.has_lines("after", 1), "run", "--resume", run)
        self.let("go-on")
        done = self.stella("--output", "json", "pack", "runs", "resume", run).json
        self.assertEqual((done["state"], done["attempt"]), ("succeeded", 1))
        self.assertTrue(self.started("before", 2)() and self.started("after", 2)())
        self.stella("evidence", "verify", done["evidence"], "--trust", self.key("admin") + ".pub", home=self.make_home("auditor"))

    def test_a_runner_that_waits_goes_on_by_itself(self):
        runner = self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--wait")
        self.wait_until(self.has_lines("before", 1))
        self.let("go-on")
        runner.kill()
        runner.wait(timeout=30)
        self.let("go")
        run = self.run_id()
        runner = self.start("pack", "run", "--resume", run, "--wait")
        self.wait_until(self.held)
        request = self.ask(run)
        for who in ("ada", "ben"):
            self.take(self.sign(request, who))
        self.assertEqual(runner.wait(timeout=60), 0)
        self.assertEqual(self.show(run)["state"], "succeeded")


if __name__ == "__main__":
    main()
