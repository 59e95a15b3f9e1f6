#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gates within the turns of a map: each turn is asked for, approved and proved by itself."""
import os
import re

from approval_site import ApprovalSite
from harness import main


class TurnGates(ApprovalSite):
    def setUp(self):
        super().setUp()
        one = [{"id": "ask", "gate.approval": {"approval": "review"}},
               {"id": "act", "run": {"script": "echo \"$PLC\" >> /work/flashed", "env": {"PLC": "${{ plc }}"}}}]
        self.bundle = self.pack("turns", [
            {"id": "flash", "map": {"items": ["north", "south"], "iterator": "plc", "steps": one}},
            {"id": "after", "run": {"script": "cp /work/flashed /artifacts/"}}],
            approvals=[{"id": "review", "threshold": 2, "expiresAfter": "PT1H"}])

    def ask_for(self, run, gate):
        folder = self.path("medium")
        os.makedirs(folder, exist_ok=True)
        made = self.stella("--output", "json", "pack", "approve", "--run", run, "--gate", gate, "--offline-request", "--out", folder)
        return made.json["file"]

    def gate(self, run, name):
        return next(gate for gate in self.show(run)["gates"] if gate["gate"] == name)

    def approve(self, run, name):
        request = self.ask_for(run, name)
        for who in ("ada", "ben"):
            response = self.sign(request, who)
            for path in (request, response):
                self.assertRegex(os.path.basename(path), r"^(REQ|RES)-flash_[01]___review-[0-9a-f-]+\.json$")
            self.take(response)
        self.assertEqual(self.gate(run, name)["have"], 2)

    def resume(self, run, expect=0):
        return self.stella("--output", "json", "pack", "runs", "resume", "--run", run, expect=expect)

    def test_each_turn_is_approved_by_itself(self):
        run = self.run_to_gate()
        waiting = self.stella("pack", "runs", "resume", "--run", run, expect=7)
        named = re.search(r"--gate '(flash\[[01]\]::review)'", waiting.err)
        self.assertTrue(named, waiting.err)
        first = named.group(1)
        second = {"flash[0]::review": "flash[1]::review", "flash[1]::review": "flash[0]::review"}[first]
        self.approve(run, first)
        self.resume(run, expect=7)
        self.assertEqual(len(self.read(os.path.join(self.show(run)["folder"], "work", "flashed"), "r").splitlines()), 1)
        self.approve(run, second)
        done = self.resume(run).json
        self.assertEqual(done["state"], "succeeded")
        self.assertEqual({gate["gate"] for gate in done["gates"]}, {first, second})
        proof = self.stella("evidence", "verify", done["evidence"], "--trust", self.key("admin") + ".pub")
        for gate in (first, second):
            self.assertIn(f"gate {gate}: ", proof.out)
        self.assertIn("simulation: ", proof.out)
        self.assertTrue(os.path.exists(os.path.join(done["evidence"], "data", "simulation.json")))


if __name__ == "__main__":
    main()
