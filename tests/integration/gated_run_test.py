# SPDX-License-Identifier: Apache-2.0
"""What a runner does at and behind its gates: killed at each point, waiting, asking anew, and refusing what nobody reviewed."""
import json
import os
import signal
import subprocess

from approval_site import ApprovalSite
from harness import main


class GatedRun(ApprovalSite):
    def approve(self, run):
        request = self.ask(run)
        for who in ("ada", "ben"):
            self.take(self.sign(request, who))

    def resume(self, run, *more, expect=0, env=None):
        result = self.stella("--output", "json", "pack", "runs", "resume", "--run", run, *more, expect=expect, env=env)
        return result.json if result.out else None

    def killed(self, point, *args):
        done = subprocess.run([os.environ["STELLA"], *args], env=self.environment(extra={"STELLA_CRASH_AT": point}), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=60)
        self.assertEqual(done.returncode, -signal.SIGKILL, point)

    def types(self, run):
        return [event["type"] + (" " + event["step"] if "step" in event else "") for event in self.events(run)]


class Killed(GatedRun):
    def test_goes_on_after_a_kill_on_either_side_of_an_open_gate(self):
        for point in ("gate.approved", "step.finished", "run.finished"):
            with self.subTest(point=point):
                run = self.run_to_gate()
                self.approve(run)
                self.killed(point, "pack", "runs", "resume", run)
                result = self.resume(run)
                self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
                self.assertEqual(self.types(run).count("pack.step.started act"), 1)
                self.assertEqual(self.types(run).count("pack.gate.approved ask"), 1)
                self.assertTrue(result["evidence"])

    def test_proves_the_gate_again_when_a_released_step_was_in_flight(self):
        run = self.run_to_gate()
        self.approve(run)
        self.killed("step.started", "pack", "runs", "resume", run)
        self.assertEqual(self.stella("pack", "runs", "resume", run, expect=7).status, 7)
        for name in os.listdir(os.path.join(self.show(run)["folder"], "approvals")):
            if name.startswith("RES-"):
                os.unlink(os.path.join(self.show(run)["folder"], "approvals", name))
        refused = self.stella("--output", "json", "pack", "runs", "resume", run, "--rerun", "act", expect=None)
        self.assertNotEqual(refused.status, 0)
        self.assertEqual(self.types(run).count("pack.step.started act"), 1)

    def test_the_state_is_compared_again_when_the_gate_was_passed_before_the_kill(self):
        run = self.run_to_gate()
        self.approve(run)
        self.killed("gate.approved", "pack", "runs", "resume", run)
        with open(os.path.join(self.show(run)["folder"], "work", "note"), "a", encoding="utf-8") as handle:
            handle.write("changed\n")
        self.refused("ERR_APPROVAL_MISMATCH", "pack", "runs", "resume", run, reason="state")


class NewPlan(GatedRun):
    def test_settles_the_new_plan_after_a_kill(self):
        run = self.run_to_gate()
        request = self.ask(run)
        stricter = self.policy(version=2)
        stricter["approvals"]["require"] = [{"packs": ["gated"], "threshold": 3}]
        self.apply(stricter)
        self.killed("run.resumed", "pack", "runs", "resume", run)
        again = self.resume(run, expect=7)
        self.assertEqual((again["attempt"], again["gates"][0]["need"]), (2, 3))
        self.assertTrue(os.path.exists(os.path.join(again["folder"], "plan.1.json")))
        self.assertEqual(self.types(run).count("pack.step.started check"), 1)
        self.refused("ERR_APPROVAL_REPLAYED", "pack", "approve", "--offline-response", self.sign(request, "ada"), reason="closed")

    def test_a_plan_that_was_asked_for_by_hash_is_not_changed(self):
        plan = self.stella("--output", "json", "--tenant", "plant-7", "pack", "plan", "--bundle", self.bundle).json["planHash"]
        run = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--plan-hash", plan, expect=7).json["runId"]
        stricter = self.policy(version=2)
        stricter["approvals"]["require"] = [{"packs": ["gated"], "threshold": 3}]
        self.apply(stricter)
        self.refused("ERR_PACK_HASH_MISMATCH", "pack", "runs", "resume", run, reason="asked")


class Waiting(GatedRun):
    def start_waiting(self):
        process = self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--wait")
        lines = []
        for line in process.stderr:
            lines.append(line.decode())
            if "next: " in lines[-1]:
                run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]
                return process, run, lines[-1]
        return self.fail(lines)

    def test_goes_on_by_itself(self):
        process, run, line = self.start_waiting()
        self.assertIn(f"stella pack approve --run {run} --gate review --offline-request", line)
        self.approve(run)
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(self.show(run)["state"], "succeeded")

    def test_ends_when_somebody_rejects(self):
        process, run, _ = self.start_waiting()
        self.take(self.sign(self.ask(run), "ada", decision="rejected", comment="not today"), expect=3)
        self.assertEqual(process.wait(timeout=60), 3)
        self.assertEqual(self.show(run)["code"], "ERR_PACK_APPROVAL_REJECTED")

    def test_a_vote_is_lost_with_its_key_while_it_waits(self):
        process, run, _ = self.start_waiting()
        request = self.ask(run)
        self.take(self.sign(request, "ada"))
        self.apply(self.policy(version=2, revoked=[{"key": self.public("ada"), "since": "2026-01-01T00:00:00Z", "reason": "left"}]))
        self.assertIn("has 1 of 2", self.take(self.sign(request, "ben")).out)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=3)
        self.assertNotIn("pack.step.started act", self.types(run))
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 7)

    def test_a_policy_that_gives_another_plan_ends_the_waiting(self):
        process, run, _ = self.start_waiting()
        self.apply(self.policy(version=2, approvals={"require": [{"packs": ["*"], "threshold": 3}]}))
        self.assertEqual(process.wait(timeout=60), 6)
        self.assertEqual(self.show(run)["state"], "waiting")
        self.assertEqual(self.resume(run, expect=7)["attempt"], 2)

    def test_a_signal_leaves_it_waiting(self):
        process, run, _ = self.start_waiting()
        process.terminate()
        self.assertEqual(process.wait(timeout=60), 7)
        self.assertEqual(self.show(run)["state"], "waiting")
        self.approve(run)
        self.assertEqual(self.resume(run)["state"], "succeeded")


class AskingAnew(GatedRun):
    def test_an_approval_is_spent_when_the_step_behind_it_failed(self):
        self.bundle = self.pack("spent", [
            {"id": "check", "run": {"script": "true"}},
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "act", "run": {"script": "test -e /work/mended"}}], approvals=[{"id": "review", "threshold": 2}])
        run = self.run_to_gate()
        self.approve(run)
        failed = self.resume(run, expect=1)
        with open(os.path.join(failed["folder"], "work", "mended"), "w", encoding="utf-8"):
            pass
        again = self.resume(run, expect=7)
        self.assertEqual((again["state"], again["attempt"], again["gates"][0]["have"]), ("waiting", 2, 0))
        self.assertEqual(self.types(run).count("pack.step.started check"), 1)
        self.approve(run)
        self.assertEqual(self.resume(run)["state"], "succeeded")

    def test_after_a_rejection(self):
        run = self.run_to_gate()
        self.take(self.sign(self.ask(run), "ada", decision="rejected", comment="no"), expect=3)
        shown = self.show(run)
        self.assertEqual((shown["state"], shown["exit"]), ("failed", 3))
        self.assertTrue(shown["evidence"])
        again = self.resume(run, expect=7)
        self.assertEqual((again["state"], again["attempt"]), ("waiting", 2))
        self.approve(run)
        self.assertEqual(self.resume(run)["state"], "succeeded")

    def test_an_approver_who_resumes_does_not_count(self):
        document = self.policy(version=2)
        document["tenants"][0]["operators"] = [{"name": "Ada Obi", "user": "root"}]
        run = self.run_to_gate()
        self.approve(run)
        self.apply(document)
        self.resume(run, expect=None)
        self.assertNotEqual(self.show(run)["state"], "succeeded")
        self.assertNotIn("pack.step.started act", self.types(run))


class ReviewedSecrets(GatedRun):
    def test_only_the_version_that_was_reviewed_is_leased(self):
        phrase = self.write("vault.phrase", "vault phrase\n")
        self.stella("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        self.stella("--tenant", "plant-7", "vault", "put", "token", "--scope", "job", "--passphrase-file", phrase, input="first-secret-value")
        self.bundle = self.pack("keyed", [
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "act", "run": {"script": "cat /run/secrets/token > /dev/null", "secrets": ["token"]}}],
            approvals=[{"id": "review", "threshold": 2}], secrets=[{"name": "token", "scope": "job", "as": "file"}])
        run = self.run_to_gate()
        request = self.ask(run, "--passphrase-file", phrase)
        reviewed = json.loads(self.read(request))
        self.assertIn("request", reviewed)
        for who in ("ada", "ben"):
            self.take(self.sign(request, who))
        self.stella("--tenant", "plant-7", "vault", "rotate", "token", "--passphrase-file", phrase, input="second-secret-value")
        error = self.refused("ERR_VAULT_DENIED", "pack", "runs", "resume", run, "--passphrase-file", phrase, reason="version")
        self.assertIn("version 1", error["message"])
        self.assertEqual(self.show(run)["state"], "paused")
        self.assertNotIn("pack.step.started act", self.types(run))


if __name__ == "__main__":
    main()
