# SPDX-License-Identifier: Apache-2.0
"""The clock of the whole machine jumps, forward and back, while a run is under way and while it waits."""
import json
import os
import random
import subprocess
import time

from harness import STELLA, main
from survival_site import FAULTS, SPEC, STEPS, SurvivalSite, run

HOUR = 3600


class Jumps(SurvivalSite):
    def setUp(self):
        super().setUp()
        self.offset = self.write("offset", "0")
        self.jumping = {"LD_PRELOAD": FAULTS, "FAULT_CLOCK": self.offset, "STELLA_TENANT": "plant-7"}

    def jump(self, seconds):
        self.write("offset.new", str(seconds))
        os.rename(self.path("offset.new"), self.offset)

    def jumped(self, *args, expect=0):
        return self.stella("--output", "json", *args, env=self.jumping, expect=expect)

    def to_the_gate(self):
        return self.jumped("pack", "run", "--bundle", self.bundle, expect=7).json["runId"]

    def test_while_a_step_runs(self):
        for seconds in (30 * 24 * HOUR, -30 * 24 * HOUR):
            with self.subTest(seconds=seconds):
                self.jump(0)
                bundle = self.pack(f"slow{'-back' if seconds < 0 else ''}", [{"id": "slow", **run("touch /work/there; while ! test -e /work/go; do sleep 0.05; done", timeout="PT30S")},
                                                                            {"id": "last", **run("echo done > /artifacts/done.txt")}])
                process = subprocess.Popen([STELLA, "--output", "json", "pack", "run", "--bundle", bundle], env=self.environment(extra=self.jumping),
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
                folder = self.folder_of_the_step()
                self.jump(seconds)
                with open(os.path.join(folder, "work", "go"), "wb"):
                    pass
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0, (out, err))
                at = [event["at"] for event in self.events(self.runs()[0])]
                self.assertEqual(at, sorted(at))
                os.unlink(os.path.join(folder, "work", "there"))

    def test_while_a_run_of_every_kind_is_under_way(self):
        bundle = self.pack("all", [step for step in STEPS if step["id"] != "ask"], **{**SPEC, "approvals": []})
        undisturbed = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", bundle).json
        dice = random.Random(1795453200)
        for round_number in range(3):
            with self.subTest(round=round_number):
                self.jump(0)
                process = subprocess.Popen([STELLA, "--output", "json", "pack", "run", "--bundle", bundle], env=self.environment(extra=self.jumping),
                                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
                before = set(self.runs())
                self.wait_until(lambda: process.poll() is not None or set(self.runs()) - before)  # pylint: disable=cell-var-from-loop
                while process.poll() is None:
                    self.jump(dice.randint(-30 * 24 * HOUR, 30 * 24 * HOUR))
                    time.sleep(dice.random() / 50)
                out, err = process.communicate(timeout=60)
                self.assertEqual(process.returncode, 0, (out, err))
                result = json.loads(out)
                self.jump(0)
                self.stella("--tenant", "plant-7", "site", "clock", "--confirm", "--reason", "it jumped about")
                self.assert_whole(result["runId"], result, self.left(undisturbed["folder"]), gates=0)
                at = [event["at"] for event in self.events(result["runId"])]
                self.assertEqual(at, sorted(at))
                self.stella("evidence", "verify", result["evidence"], "--trust", self.key("admin") + ".pub")

    def wait_until(self, condition):
        until = time.monotonic() + 60
        while not condition() and time.monotonic() < until:
            time.sleep(0.02)

    def folder_of_the_step(self):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            for run_id in self.runs()[:1]:
                folder = os.path.join(self.home, "runs", run_id.replace(":", "_"))
                if os.path.exists(os.path.join(folder, "work", "there")):
                    return folder
            time.sleep(0.05)
        return self.fail("the step did not start")

    def held(self, run_id, seconds, reason):
        """A jump opens no gate, and none runs out by it: the run waits until somebody says what time it is."""
        self.jump(seconds)
        result = self.jumped("pack", "runs", "resume", run_id, expect=6)
        self.assertEqual((result.error["code"], result.error["reason"]), ("ERR_CLOCK_ROLLBACK", reason), str(result))
        self.jumped("pack", "runs", "list")
        self.assertEqual(self.jumped("pack", "runs", "show", run_id).json["state"], "waiting")

    def test_while_it_waits(self):
        run_id = self.to_the_gate()
        self.held(run_id, 2 * HOUR, "ahead")
        self.held(run_id, -2 * HOUR, "behind")
        self.jump(0)
        self.approve(run_id)
        done = self.jumped("pack", "runs", "resume", run_id).json
        self.assertEqual((done["state"], done["attempt"]), ("succeeded", 1))

    def test_forward_and_confirmed_the_gate_runs_out(self):
        run_id = self.to_the_gate()
        self.held(run_id, 2 * HOUR, "ahead")
        self.jumped("site", "clock", "--confirm", "--reason", "the battery was empty")
        self.jumped("pack", "runs", "list")
        shown = self.jumped("pack", "runs", "show", run_id).json
        self.assertEqual((shown["state"], shown["code"]), ("expired", "ERR_PACK_APPROVAL_TIMEOUT"))


if __name__ == "__main__":
    main()
