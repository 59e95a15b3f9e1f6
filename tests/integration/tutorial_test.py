#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each pack that docs/tutorial.md shows is valid, plans and runs."""
import json
import os
import re

import harness

INPUTS = {"inputs": {"hosts": ["plc-1", "; rm -rf /"]}, "map": {"hosts": ["plc-1", "plc-2", "plc-3"]}}


def packs():
    with open(os.path.join(harness.SOURCE, "docs", "tutorial.md"), encoding="utf-8") as handle:
        return dict(re.findall(r"<!-- pack: (\w+) -->\n```yaml\n(.*?)```", handle.read(), re.DOTALL))


class Tutorial(harness.SealedSite):
    def run_pack(self, name, expect=0):
        folder = self.path("packs", name)
        self.write(f"packs/{name}/pack.yaml", packs()[name], mode=0o644)
        self.stella("pack", "validate", "--dir", folder)
        bundle = self.build(folder)
        more = ["--inputs", self.write("inputs.json", json.dumps(INPUTS[name]))] if name in INPUTS else []
        self.stella("pack", "plan", "--bundle", bundle, *more)
        return self.stella("--output", "json", "pack", "run", "--bundle", bundle, *more, *self.more_options(), expect=expect).json

    def more_options(self):
        return ("--passphrase-file", self.path("passphrase")) if os.path.exists(self.path("passphrase")) else ()

    def test_the_first_pack_runs(self):
        self.apply()
        run = self.run_pack("first")
        self.assertRegex(self.stella("pack", "runs", "logs", run["runId"]).out, r"\d+ /pack/pack\.yaml")

    def test_an_input_stays_one_argument(self):
        self.apply()
        run = self.run_pack("inputs")
        self.assertIn("keep 14 days on 2 hosts", self.stella("pack", "runs", "logs", run["runId"]).out)

    def test_the_map_has_a_step_for_each_host(self):
        self.apply()
        run = self.run_pack("map")
        self.assertIn("rotating plc-2", self.stella("pack", "runs", "logs", run["runId"], "--step", "rotate[1]::one").out)
        self.assertEqual(self.read(os.path.join(run["folder"], "artifacts", "count.txt"), "r").strip(), "3")

    def test_the_secret_comes_from_the_vault(self):
        self.apply(self.policy(network={"dns": "block", "allow": [
            {"host": "reports.plant.example", "address": "127.79.0.1", "port": 8080, "packs": ["nightly"], "loopback": True}]}))
        phrase = self.write("passphrase", "brass kettle morning\n")
        self.stella("vault", "init", "--passphrase-file", phrase, "--kdf-memory", "64MiB")
        self.stella("vault", "put", "report-token", "--scope", "reports", "--passphrase-file", phrase, input="correct-horse-battery")
        self.assertEqual(self.run_pack("secrets")["state"], "succeeded")

    def test_the_gate_waits(self):
        self.apply()
        run = self.run_pack("gate", expect=7)
        self.assertEqual([gate["gate"] for gate in run["gates"]], ["night-shift"])

    def test_every_listing_is_tried_here(self):
        tried = set(re.findall(r'run_pack\("(\w+)"', self.read(__file__, "r")))
        self.assertEqual(set(packs()), tried)


if __name__ == "__main__":
    harness.main()
