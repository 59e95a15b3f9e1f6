# SPDX-License-Identifier: Apache-2.0
"""Plans do not depend on how their sources are written down, nor on where and when they are made."""
import json
import os
import random

from harness import SealedSite, main

SEED = int(os.environ.get("SURVIVAL_SEED", "1795453200"))
SHUFFLES = 25
STEPS = [
    {"id": "a", "run": {"command": ["echo", "${{ inputs.cell }}", "${{ inputs.options.speed }}"], "env": {"ONE": "1", "TWO": "${{ inputs.count }}", "THREE": "3"},
                        "timeout": "PT1M", "onCrash": "rerun", "retries": {"maxAttempts": 2, "backoffSeconds": 1, "factor": 2, "on": ["exit:75", "timeout"]}}},
    {"id": "b", "when": "inputs.count > `1`", "needs": ["a"], "run": {"script": "true", "continueOnError": True}},
    {"id": "ask", "gate.approval": {"approval": "review"}},
    {"id": "c", "run": {"command": ["true"]}}]
SPEC = {"inputs": [{"name": "cell", "type": "string", "required": True}, {"name": "count", "type": "integer", "default": 3}, {"name": "options", "type": "object"}],
        "approvals": [{"id": "review", "threshold": 2, "roles": {"safety": 1, "shift": 1}, "expiresAfter": "PT1H", "message": "Go on in ${{ inputs.cell }}?"}]}
INPUTS = {"cell": "hall 3", "count": 2, "options": {"speed": 1.5, "names": ["x", "y"], "nested": {"b": None, "a": True}}}


def shuffled(value, dice):
    """The same value with the members of every object in another order; lists keep theirs."""
    if isinstance(value, dict):
        names = list(value)
        dice.shuffle(names)
        return {name: shuffled(value[name], dice) for name in names}
    return [shuffled(item, dice) for item in value] if isinstance(value, list) else value


class Order(SealedSite):
    def setUp(self):
        super().setUp()
        document = self.policy()
        document["tenants"][0]["approvers"] = [self.approver("Ada Obi", "ada", ["safety"]), self.approver("Ben Keller", "ben", ["shift"])]
        self.apply(document)
        self.bundle = self.pack("ordered", STEPS, **SPEC)

    def plan(self, inputs, bundle=None, **kwargs):
        out = self.path("plan.json")
        if os.path.exists(out):
            os.unlink(out)
        result = self.stella("--output", "json", "pack", "plan", "--bundle", bundle or self.bundle, "--inputs", inputs, "--out", out, **kwargs)
        return result.json["planHash"], self.read(out)

    def test_of_inputs(self):
        dice, first = random.Random(SEED), self.plan(self.write("in.json", json.dumps(INPUTS)))
        for number in range(SHUFFLES):
            with self.subTest(number):
                text = json.dumps(shuffled(INPUTS, dice), indent=dice.choice([None, 1, 4]), ensure_ascii=dice.random() < 0.5)
                self.assertEqual(self.plan(self.write(dice.choice(["in.json", "in.yaml"]), text)), first)

    def test_of_the_pack(self):
        """Other bytes are another pack, and its digest is in the plan: everything else is the same. Each in a home of its
        own, because no home takes a name and version with other bytes."""
        dice, inputs = random.Random(SEED), self.write("in.json", json.dumps(INPUTS))
        first = json.loads(self.plan(inputs)[1])
        folder = self.path("packs", "ordered-1.0.0")
        document = json.loads(self.read(os.path.join(folder, "pack.yaml")))
        for number in range(SHUFFLES):
            with self.subTest(number):
                with open(os.path.join(folder, "pack.yaml"), "w", encoding="utf-8") as handle:
                    json.dump(shuffled(document, dice), handle, indent=dice.choice([None, 1, 4]))
                home = self.make_home(f"order-{number}")
                self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub", home=home)
                other = json.loads(self.plan(inputs, bundle=self.build(folder), home=home)[1])
                other["pack"]["digest"] = first["pack"]["digest"]
                self.assertEqual(other, first)

    def test_of_place_time_and_user(self):
        inputs = self.write("in.json", json.dumps(INPUTS))
        first = self.plan(inputs)
        moved = self.write("elsewhere/deep/in.json", json.dumps(INPUTS))
        home = self.make_home("other")
        self.apply(self.policy(tenants=self.applied_tenants()), home=home)
        for env in ({"TZ": "Pacific/Chatham"}, {"LC_ALL": "C"}, {"HOME": "/nowhere"}):
            with self.subTest(env):
                self.assertEqual(self.plan(moved, env=env, cwd="/"), first)
                self.assertEqual(self.plan(moved, env=env, home=home), first)

    def applied_tenants(self):
        return json.loads(self.read(self.path("policy-1.json")))["tenants"]


if __name__ == "__main__":
    main()
