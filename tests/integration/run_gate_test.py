# SPDX-License-Identifier: Apache-2.0
"""Runs that wait at a gate: the next command, expiry, extension, a policy that changes meanwhile."""
import time

from harness import main
from run_site import RunTest


class Waiting(RunTest):
    GATE = [{"id": "gate", "gate.approval": {"approval": "review"}}, {"id": "b", "run": {"command": ["true"]}}]

    def test_says_the_next_command_and_waits(self):
        bundle = self.pack("job", self.GATE, approvals=[{"id": "review", "threshold": 2}])
        result = self.stella("pack", "run", "--bundle", bundle, expect=7)
        self.assertIn("waiting ERR_PACK_APPROVAL_REQUIRED: gate review needs 2 approvals, has 0", result.err)
        shown = self.show(self.last_run())
        self.assertEqual(shown["state"], "waiting")
        gate = shown["gates"][0]
        self.assertEqual((gate["gate"], gate["have"], gate["need"], gate["approvers"]), ("review", 0, 2, []))

    def test_expires_when_anybody_looks(self):
        result = self.run_pack(self.GATE, expect=7, approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT1S"}])
        time.sleep(1.2)
        self.stella("pack", "runs", "list")
        shown = self.show(result["runId"])
        self.assertEqual((shown["state"], shown["code"], shown["exit"]), ("expired", "ERR_PACK_APPROVAL_TIMEOUT", 3))
        again = self.stella("--output", "json", "pack", "runs", "resume", result["runId"], "--extend", "1h", expect=7).json
        self.assertEqual((again["state"], again["attempt"]), ("waiting", 2))

    def test_extends_a_waiting_gate(self):
        result = self.run_pack(self.GATE, expect=7, approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}])
        before = result["gates"][0]["expiresAt"]
        after = self.stella("--output", "json", "pack", "runs", "resume", result["runId"], "--extend", "5h", expect=7).json["gates"][0]["expiresAt"]
        self.assertGreater(after, before)

    def test_wait_ends_when_the_gate_runs_out(self):
        bundle = self.pack("job", self.GATE, approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT2S"}])
        self.refused("ERR_PACK_APPROVAL_TIMEOUT", "pack", "run", "--bundle", bundle, "--wait")

    def test_plans_anew_when_the_policy_changes_while_it_waits(self):
        result = self.run_pack(self.GATE, expect=7, approvals=[{"id": "review", "threshold": 1}])
        stricter = self.policy(version=2)
        stricter["approvals"]["require"] = [{"packs": ["job"], "threshold": 2}]
        self.apply(stricter)
        again = self.stella("--output", "json", "pack", "runs", "resume", result["runId"], expect=7).json
        self.assertEqual((again["state"], again["attempt"], again["gates"][0]["need"]), ("waiting", 2, 2))
        self.assertNotEqual(again["planHash"], result["planHash"])


if __name__ == "__main__":
    main()
