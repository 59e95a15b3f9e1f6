# SPDX-License-Identifier: Apache-2.0
"""A run of many kinds of step, under what a machine can do to it (tests/faults/faults.cpp), and what must hold after."""
import hashlib
import json
import os
import subprocess
import unittest

from approval_site import ApprovalSite
from harness import STELLA

FAULTS = os.path.join(os.environ.get("STELLA_BUILD", ""), "tests", "stella_faults.so")


def run(script, **more):
    return {"run": {"script": script, "onCrash": "rerun", **more}}


def leave(name, **more):
    """A run step that leaves a file of this name."""
    return run(f"echo {name} > /artifacts/{name}.txt", **more)


# Every kind of step, groups in groups, turns that only the run can tell.
STEPS = [
    {"id": "prepare", **run("printf 'ready=yes\\ncell=c1\\nhosts=[\"p\",\"q\"]\\n' > \"$STELLA_OUTPUT\"; echo prepared > /artifacts/prepare.txt")},
    {"id": "direct", "run": {"command": ["sh", "-c", "echo \"$0\" > /artifacts/direct.txt", "${{ steps.prepare.outputs.cell }}"], "onCrash": "rerun"}},
    {"id": "flaky", **run("test -e /work/tried || { touch /work/tried; exit 75; }", retries={"maxAttempts": 3, "backoffSeconds": 0, "on": ["exit:75"]})},
    {"id": "tolerated", **run("exit 3", continueOnError=True)},
    {"id": "skipped", "when": "steps.prepare.outputs.ready == 'no'", **run("exit 1")},
    {"id": "side", "parallel": {"maxParallel": 2, "steps": [
        {"id": "left", **leave("left")},
        {"id": "inner", "parallel": {"steps": [{"id": "upper", **leave("upper")}, {"id": "lower", **leave("lower")}]}}]}},
    {"id": "cells", "map": {"items": ["x", "y"], "iterator": "cell", "maxFailures": 1, "steps": [
        {"id": "one", **run("test \"$CELL\" = x || exit 1; echo \"$CELL\" > \"/artifacts/cell-$CELL.txt\"", env={"CELL": "${{ cell }}"})}]}},
    {"id": "found", "map": {"items": "${{ steps.prepare.outputs.hosts }}", "iterator": "host", "steps": [
        {"id": "look", **run("echo \"$HOST_ID\" > \"/artifacts/host-$HOST_ID.txt\"", env={"HOST_ID": "${{ host }}"})}]}},
    {"id": "settle", "loop": {"range": [1, 4], "iterator": "turn", "until": "steps.probe.outputs.turn == '2'", "steps": [
        {"id": "probe", **run("echo \"turn=$TURN\" > \"$STELLA_OUTPUT\"; echo \"$TURN\" > \"/artifacts/turn-$TURN.txt\"", env={"TURN": "${{ turn }}"})}]}},
    {"id": "choose", "conditional": {"cases": [{"when": "steps.prepare.outputs.cell == 'c2'", "steps": [{"id": "other", **run("exit 1")}]}],
                                     "else": [{"id": "taken", **leave("taken")}]}},
    {"id": "window", "gate.policy": {"expression": "steps.prepare.outputs.ready == 'yes'", "message": "not ready"}},
    {"id": "ask", "gate.approval": {"approval": "review"}},
    {"id": "act", **run("rm -f /artifacts/report.txt; cat /artifacts/*.txt > /work/report; mv /work/report /artifacts/report.txt")},
]
SPEC = {"approvals": [{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}],
        "outputs": [{"name": "report", "type": "file", "path": "report.txt"}], "finally": [{"id": "tidy", **leave("tidied")}]}


@unittest.skipUnless(os.path.exists(FAULTS), "sanitizer builds take no preloaded library")
class SurvivalSite(ApprovalSite):
    threshold = 1

    def setUp(self):
        super().setUp()
        self.everything = self.pack("everything", STEPS, **SPEC)

    def faulty(self, *args, stdin=None, **faults):
        """Runs stella with faults, e.g. kill_at=7; exit status and error object, if it gave one."""
        extra = {"LD_PRELOAD": FAULTS, "FAULT_BELOW": self.home, **{"FAULT_" + name.upper(): str(value) for name, value in faults.items()}}
        done = subprocess.run([STELLA, "--output", "json", "--tenant", "plant-7", *args], env=self.environment(extra=extra), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120)
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [""])[-1]
        return done.returncode, json.loads(last)["error"] if last.startswith("{") else None

    def count(self, *args, expect):
        """How many calls that change the home this command makes."""
        status, error = self.faulty(*args, count=self.path("count"))
        self.assertEqual(status, expect, error)
        return int(self.read(self.path("count")))

    def runs(self):
        if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
            return []
        return [row["runId"] for row in self.stella("--output", "json", "pack", "runs", "list").json["runs"]]

    def approve(self, run_id):
        self.take(self.sign(self.ask(run_id), "ada"))

    def finish(self, run_id):
        """Resumes, approves at the gate, and gives the result of the run that succeeded."""
        for _ in range(4):
            result = self.stella("--output", "json", "pack", "runs", "resume", run_id, expect=None)
            if result.status == 0:
                return result.json
            self.assertEqual((result.status, result.error["code"]), (7, "ERR_PACK_APPROVAL_REQUIRED"), str(result))
            self.approve(run_id)
        return self.fail("the run does not come to its end")

    def left(self, folder):
        """What a run leaves: its artifacts, by name."""
        place = os.path.join(folder, "artifacts")
        return {name: self.read(os.path.join(place, name)) for name in sorted(os.listdir(place))}

    def assert_whole(self, run_id, result, reference, gates=1):
        """The run ended as an undisturbed one does, and its journal says so once."""
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1), result)
        self.assertEqual(self.left(result["folder"]), reference)
        self.assertTrue(os.path.isdir(result["evidence"] or ""), result)
        events, prev = self.events(run_id), "0" * 64
        for number, event in enumerate(events, 1):
            self.assertEqual((event["seq"], event["prev"]), (number, prev))
            prev = hashlib.sha256(json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        # A gate that was open is proved again before anything behind it starts, and says so; it is approved once.
        ended = [event["step"] for event in events if event["type"] == "pack.step.finished" and event["data"]["state"] in ("succeeded", "continued")
                 and not event["data"].get("kind", "").startswith("gate.")]
        self.assertEqual(len(ended), len(set(ended)), f"finished twice: {sorted(ended)}")
        for kind, times in (("pack.run.succeeded", 1), ("pack.evidence.sealed", 1), ("pack.gate.approved", gates)):
            self.assertEqual(sum(event["type"] == kind for event in events), times, kind)

    def undisturbed(self):
        status, error = self.faulty("pack", "run", "--bundle", self.everything)
        self.assertEqual(status, 7, error)
        run_id = self.runs()[0]
        result = self.finish(run_id)
        reference = self.left(result["folder"])
        self.assert_whole(run_id, result, reference)
        return reference
