#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`finally` steps of a run whose gate is rejected: owed to the run, also after the one who imported the rejection ended."""
from approval_site import ApprovalSite
from harness import main


class OwedFinally(ApprovalSite):
    def reject(self, **spec):
        self.bundle = self.pack("owing", spec.pop("steps"), **spec)
        run = self.run_to_gate()
        gate = self.show(run)["gates"][0]["gate"]
        made = self.stella("--output", "json", "pack", "approve", "--run", run, "--gate", gate, "--offline-request", "--out", self.path("REQ.json")).json
        self.take(self.sign(made["file"], "ada", decision="rejected", comment="not today"), expect=3)
        return run

    def states(self, run):
        return {step["step"]: step["state"] for step in self.show(run)["steps"]}

    def test_runs_what_is_owed_after_a_rejection(self):
        run = self.reject(steps=[{"id": "before", "run": {"command": ["true"]}}, {"id": "ask", "gate.approval": {"approval": "review"}},
                                 {"id": "act", "run": {"command": ["true"]}}],
                          approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}],
                          **{"finally": [{"id": "tidy", "run": {"script": "echo tidied > /work/tidied"}}]})
        ended = self.stella("--output", "json", "pack", "runs", "resume", "--run", run, expect=3).json
        self.assertEqual((ended["state"], ended["code"]), ("failed", "ERR_PACK_APPROVAL_REJECTED"))
        self.assertEqual((self.states(run)["tidy"], self.states(run).get("act", "pending")), ("succeeded", "pending"))

    def test_a_gate_that_the_site_requires_holds_what_is_owed_back_too(self):
        approvals = dict(self.policy()["approvals"], require=[{"packs": ["*"], "threshold": 1}])
        self.apply(self.policy(approvals=approvals, version=2))
        run = self.reject(steps=[{"id": "act", "run": {"command": ["true"]}}],
                          **{"finally": [{"id": "tidy", "run": {"script": "echo tidied > /work/tidied"}}]})
        if self.show(run)["state"] != "failed":
            self.stella("pack", "runs", "resume", "--run", run, expect=3)
        self.assertEqual(self.show(run)["code"], "ERR_PACK_APPROVAL_REJECTED")
        self.assertNotIn("pack.step.started tidy", [f"{event['type']} {event.get('step')}" for event in self.events(run)])


if __name__ == "__main__":
    main()
