# SPDX-License-Identifier: Apache-2.0
"""Runs that stop before their end: signals, cancel requests, kill -9 at every named point, a full disk."""
import os
import signal
import subprocess
import unittest

from harness import main
from run_site import RunTest


class Stopping(RunTest):
    def start_slow(self, **more):
        bundle = self.pack("job", [self.step("quick", "true", onCrash="rerun"), self.step("slow", "echo begun; test -e /work/go || sleep 300; echo x >> /work/n", **more), self.step("last", "true")])
        process = self.start("pack", "run", "--bundle", bundle)
        return process, self.wait_for_step("slow")

    def let_go(self, run):
        with open(os.path.join(self.show(run)["folder"], "work", "go"), "w", encoding="utf-8"):
            pass

    def kill(self, process):
        process.kill()
        process.wait(timeout=30)

    def test_sigterm_ends_the_tree_and_pauses(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, run = self.start_slow(onCrash="rerun")
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=30), 7)
            shown = self.show(run)
            self.assertEqual((shown["state"], shown["reason"], shown["exit"]), ("paused", "interrupted", 7))
            self.let_go(run)
            self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", run).json["attempt"], 1)

    def test_kill_then_rerun_as_the_pack_says(self):
        process, run = self.start_slow(onCrash="rerun")
        self.kill(process)
        self.let_go(run)
        result = self.stella("--output", "json", "pack", "runs", "resume", run).json
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
        self.assertEqual(self.types(run).count("pack.step.started quick"), 1)
        self.assertIn("unknown", [event["data"].get("state") for event in self.events(run) if event["type"] == "pack.step.finished"])

    def test_kill_then_fail_as_the_pack_says(self):
        process, run = self.start_slow(onCrash="fail")
        self.kill(process)
        self.refused("ERR_PACK_STEP_FAILED", "pack", "runs", "resume", run, reason="crash")

    def test_kill_then_ask(self):
        process, run = self.start_slow()
        self.kill(process)
        error = self.refused("ERR_PACK_INTERRUPTED", "pack", "runs", "resume", run, reason="unknown")
        self.assertEqual(error["exit"], 7)
        self.assertIn(f"--run {run} --rerun slow", error["fix"])
        self.assertIn("--fail slow", error["fix"])
        self.refused("ERR_USAGE", "pack", "runs", "resume", run, "--rerun", "last", reason="step")
        self.let_go(run)
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", run, "--rerun", "slow").json["state"], "succeeded")

    def test_kill_then_ask_and_give_up(self):
        process, run = self.start_slow()
        self.kill(process)
        self.stella("pack", "runs", "resume", run, expect=7)
        self.refused("ERR_PACK_STEP_FAILED", "pack", "runs", "resume", run, "--fail", "slow", reason="crash")

    def test_busy(self):
        process, run = self.start_slow()
        self.refused("ERR_RUN_BUSY", "pack", "runs", "resume", run)
        process.terminate()
        process.wait(timeout=30)

    def test_cancel_while_it_runs(self):
        process, run = self.start_slow()
        shown = self.stella("--output", "json", "pack", "runs", "cancel", "--run", run, "--reason", "wrong cell").json
        self.assertEqual(shown["state"], "cancelled")
        self.assertEqual(process.wait(timeout=30), 1)
        self.stella("pack", "runs", "cancel", run)
        self.assertEqual(self.events(run)[-1]["type"], "pack.evidence.sealed")

    def test_a_reason_that_cannot_be_kept_changes_nothing(self):
        run = self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}], expect=7, approvals=[{"id": "review", "threshold": 1}])["runId"]
        for reason in ("x" * 5000, "\udcff", "\x1b[31m", "two\nlines"):
            self.refused("ERR_USAGE", "pack", "runs", "cancel", run, "--reason", reason, reason="reason")
        self.assertEqual(self.show(run)["state"], "waiting")
        self.assertNotIn("cancel.json", os.listdir(self.show(run)["folder"]))

    def test_cancel_while_it_waits_and_after_its_end(self):
        result = self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}], expect=7, approvals=[{"id": "review", "threshold": 1}])
        self.stella("pack", "runs", "cancel", result["runId"])
        self.assertEqual(self.show(result["runId"])["state"], "cancelled")
        done = self.run_pack([self.step("a", "true")], name="other")
        self.refused("ERR_USAGE", "pack", "runs", "cancel", done["runId"], reason="state")

    def test_follow_ends_with_the_run(self):
        process, run = self.start_slow(onCrash="rerun")
        follower = subprocess.Popen([os.environ["STELLA"], "pack", "runs", "logs", run, "--follow"], env=self.environment(), stdout=subprocess.PIPE)
        self.assertEqual(follower.stdout.readline(), b"slow | begun\n")
        process.terminate()
        process.wait(timeout=30)
        self.assertEqual(follower.wait(timeout=30), 0)
        follower.stdout.close()


    def test_a_run_without_a_runner_is_called_so_and_not_followed_for_ever(self):
        process, run = self.start_slow(onCrash="rerun")
        self.assertEqual(self.show(run)["runner"], process.pid)
        follower = subprocess.Popen([os.environ["STELLA"], "pack", "runs", "logs", run, "--follow"], env=self.environment(),
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertEqual(follower.stdout.readline(), b"slow | begun\n")
        self.kill(process)
        out, err = follower.communicate(timeout=60)
        self.assertEqual(follower.returncode, 0)
        self.assertIn(b"no process runs", err)
        shown = self.show(run)
        self.assertEqual((shown["state"], shown["runner"]), ("running", None))
        self.assertIn("runs resume", shown["next"])
        self.assertIn("interrupted", self.stella("pack", "runs", "show", run).out)
        self.assertIn("interrupted", self.stella("pack", "runs", "list").out)


class Crashing(RunTest):
    POINTS = ["run.submitted", "run.planned", "run.started", "step.started", "step.started:2", "step.output", "step.finished", "step.finished:2", "run.finished", "run.sealed"]

    def test_finishes_after_a_kill_at_each_point(self):
        bundle = self.pack("job", [self.step("a", "echo said; echo x >> /work/a", onCrash="rerun"), self.step("b", "test -s /work/a", onCrash="rerun")])
        for point in self.POINTS:
            with self.subTest(point=point):
                killed = subprocess.run([os.environ["STELLA"], "pack", "run", "--bundle", bundle], env=self.environment(extra={"STELLA_CRASH_AT": point}),
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
                self.assertEqual(killed.returncode, -signal.SIGKILL)
                run = self.last_run()
                result = self.stella("--output", "json", "pack", "runs", "resume", run).json
                self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
                self.assertTrue(result["evidence"])
                events = self.events(run)
                self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
                self.assertEqual(sum(event["type"] == "pack.run.succeeded" for event in events), 1)
                self.assertEqual(sum(event["type"] == "pack.step.finished" and event["data"]["state"] == "succeeded" for event in events), 2)

    def test_a_failed_attempt_keeps_its_evidence_after_a_kill_before_sealing(self):
        bundle = self.pack("job", [self.step("a", "false")])
        for point in ("run.finished", "run.sealed"):
            with self.subTest(point=point):
                subprocess.run([os.environ["STELLA"], "pack", "run", "--bundle", bundle], env=self.environment(extra={"STELLA_CRASH_AT": point}),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
                run = self.last_run()
                result = self.stella("--output", "json", "pack", "runs", "resume", run, expect=1).json
                self.assertEqual(result["attempt"], 2)
                sealed = [event["attempt"] for event in self.events(run) if event["type"] == "pack.evidence.sealed"]
                self.assertEqual(sealed, [1, 2])
                self.assertEqual(len(os.listdir(os.path.join(result["folder"], "evidence"))), 2)

    def test_waits_again_after_a_kill_at_the_gate(self):
        bundle = self.pack("job", [{"id": "gate", "gate.approval": {"approval": "review"}}, self.step("b", "true")], approvals=[{"id": "review", "threshold": 1}])
        subprocess.run([os.environ["STELLA"], "pack", "run", "--bundle", bundle], env=self.environment(extra={"STELLA_CRASH_AT": "gate.waiting"}),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
        run = self.last_run()
        error = self.refused("ERR_PACK_APPROVAL_REQUIRED", "pack", "runs", "resume", run)
        self.assertIn(f"stella pack approve --run {run} --gate review --offline-request", error["fix"])
        self.assertEqual(self.types(run).count("pack.gate.waiting gate"), 1)


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class FullDisk(RunTest):
    def make_home(self, name):
        path = super().make_home(name)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", path], check=False, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def test_pauses_and_goes_on_once_there_is_room(self):
        bundle = self.pack("job", [self.step("fill", "test -e /work/go || cat /dev/zero > /work/big", onCrash="rerun")])
        error = self.refused("ERR_ARTIFACT_STORE", "pack", "run", "--bundle", bundle)
        self.assertEqual(error["exit"], 8)
        shown = self.show(self.last_run())
        self.assertEqual((shown["state"], shown["code"]), ("paused", "ERR_ARTIFACT_STORE"))
        os.unlink(os.path.join(shown["folder"], "work", "big"))
        with open(os.path.join(shown["folder"], "work", "go"), "w", encoding="utf-8"):
            pass
        result = self.stella("--output", "json", "pack", "runs", "resume", shown["runId"]).json
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))


if __name__ == "__main__":
    main()
