# SPDX-License-Identifier: Apache-2.0
"""pack init, validate, check-schema and plan, good and bad, through the binary."""
import base64
import hashlib
import json
import os
import subprocess

import harness
from terminal import Terminal

RUN = [{"id": "one", "run": {"command": ["echo", "${{ inputs.word }}"]}}]
WORD = [{"name": "word", "type": "string", "default": "hello"}]


class Authors(harness.SealedSite):
    def test_the_example_pack_is_good_as_it_is(self):
        folder = self.path("line-counter")
        self.stella("pack", "init", folder)
        self.assertIn("valid line-counter:0.1.0", self.stella("pack", "validate", "--dir", folder).out)
        self.assertTrue(os.access(os.path.join(folder, "steps", "count.sh"), os.X_OK))
        plan = self.stella("--output", "json", "pack", "plan", cwd=folder).json
        self.assertEqual(plan["classes"], {"count": "pending", "enough": "requires-policy", "report": "pending"})
        self.refused("ERR_FILE_UNSUITABLE", "pack", "init", folder, reason="exists")

    def test_both_example_packs_of_the_documentation_are_good(self):
        for name in ("installed-files", "call-home"):
            self.stella("pack", "validate", "--dir", os.path.join(harness.EXAMPLES, name))

    def test_all_problems_are_listed_with_their_places(self):
        folder = self.pack_folder("bad", [])
        self.write("packs/bad-1.0.0/pack.yaml", "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: bad, version: 1.0.0}\n"
                   "spec:\n  stepz: []\n  steps:\n    - {id: a, run: {comand: [x]}}\n    - {id: b, map: {items: x}}\n")
        result = self.stella("--output", "json", "pack", "validate", "--dir", folder, expect=2)
        found = {problem["at"]: problem["what"] for problem in result.json["problems"]}
        self.assertIn("did you mean `steps`", found["pack.yaml:5:3"])
        self.assertIn("did you mean `command`", found["pack.yaml:7:21"])
        self.assertIn("`steps` is missing", " ".join(found.values()))
        self.assertEqual((result.error["code"], result.error["reason"]), ("ERR_PACK_INVALID", "schema"))

    def test_a_text_that_is_no_yaml_is_refused_where_it_breaks(self):
        folder = self.pack_folder("bad", [])
        for text, at in (("a: 1\na: 2\n", "pack.yaml:2:1"), ("a: [1\n", "pack.yaml:"), ("a: &x 1\n", "pack.yaml:1:")):
            self.write("packs/bad-1.0.0/pack.yaml", text)
            error = self.refused("ERR_PACK_INVALID", "pack", "validate", "--dir", folder, reason="yaml")
            self.assertTrue(error["at"].startswith(at), error)

    def test_a_schema_is_checked_alone(self):
        schema = self.write("s.json", '{"type": "string", "maxLength": 3}')
        self.stella("pack", "check-schema", schema, input='"abc"')
        self.refused("ERR_PACK_INPUTS", "pack", "check-schema", schema, input='"abcd"', reason="schema")
        other = self.write("o.json", '{"oneOf": []}')
        error = self.refused("ERR_PACK_INVALID", "pack", "check-schema", other, input="1", reason="schema")
        self.assertIn("oneOf", error["message"])


class Plans(harness.SealedSite):
    def plan(self, *args, **kwargs):
        return self.stella("--output", "json", "pack", "plan", *args, **kwargs).json

    def test_the_plan_hash_is_the_sum_of_the_file(self):
        self.apply()
        bundle, out = self.pack("demo", RUN, inputs=WORD), self.path("plan.json")
        plan = self.plan("--bundle", bundle, "--out", out)
        data = self.read(out)
        self.assertEqual(plan["planHash"], "sha256:" + hashlib.sha256(data).hexdigest())
        self.assertEqual(json.loads(data), plan["plan"])
        self.assertEqual(plan["plan"]["steps"][0]["command"], ["echo", "hello"])
        text = data.decode()
        for local in (self.root, os.uname().nodename + '"', "2026-"):
            self.assertNotIn(local, text)

    def test_the_same_pack_gives_the_same_plan_in_another_home(self):
        self.apply()
        bundle = self.pack("demo", RUN, inputs=WORD)
        first = self.plan("--bundle", bundle)["planHash"]
        other = self.make_home("other")
        self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub", home=other)
        self.assertEqual(self.plan("--bundle", bundle, home=other)["planHash"], first)

    def test_what_changed_is_said_field_by_field(self):
        self.apply()
        bundle, out = self.pack("demo", RUN, inputs=WORD), self.path("plan.json")
        self.plan("--bundle", bundle, "--out", out)
        inputs = self.write("inputs.yaml", "word: bye\n")
        changed = self.stella("--output", "json", "pack", "plan", "--bundle", bundle, "--inputs", inputs, "--diff", out, "--exit-code", expect=1).json
        self.assertEqual([change["place"] for change in changed["changes"]], ["inputs.word", "steps[one].command"])
        self.stella("pack", "plan", "--bundle", bundle, "--diff", out, "--exit-code")
        run = self.stella("--output", "json", "pack", "run", "--bundle", bundle).json["runId"]
        against_run = self.plan("--bundle", bundle, "--inputs", inputs, "--diff", run)
        self.assertEqual(against_run["changes"], changed["changes"])
        self.refused("ERR_RUN_NOT_FOUND", "pack", "plan", "--bundle", bundle, "--diff", "run:plant-7:20200101T000000000Z")

    def test_a_comparison_has_colours_on_a_terminal_only(self):
        self.apply()
        bundle, out = self.pack("demo", RUN, inputs=WORD), self.path("plan.json")
        self.plan("--bundle", bundle, "--out", out)
        inputs = self.write("inputs.yaml", "word: bye\n")
        words = ["pack", "plan", "--bundle", bundle, "--inputs", inputs, "--diff", out]
        for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            terminal = Terminal([harness.STELLA, *words], self.environment(extra=dict(extra, TERM="xterm")), self.root)
            self.addCleanup(terminal.close)
            self.assertEqual(terminal.finish(), 0)
            self.assertEqual(terminal.screen.colours > 0, coloured, terminal.screen.text)
            self.assertIn('- "hello"', terminal.screen.text)
            self.assertIn('+ "bye"', terminal.screen.text)
        self.assertNotIn("\x1b", self.stella(*words).out)

    def test_a_secret_that_an_input_was_filled_with_is_redacted(self):
        self.apply()
        secret = "correct-horse-battery"
        bundle = self.pack("demo", [dict(RUN[0], secrets=["token"])], inputs=WORD + [{"name": "more", "type": "object", "default": {}}],
                           secrets=[{"name": "token", "scope": "job"}])
        self.plan("--bundle", bundle, "--out", self.path("plan.json"))
        inputs = self.write("inputs.json", json.dumps({"word": f"x {secret} y", "more": {secret: [base64.b64encode(secret.encode()).decode()]}}))
        words = ["pack", "plan", "--bundle", bundle, "--inputs", inputs, "--diff", self.path("plan.json")]
        self.assertIn(secret, self.stella(*words).out)
        values = self.write("values.json", json.dumps({"token": secret}))
        for form in ([], ["--output", "json"]):
            masked = self.stella(*form, *words, "--redact", values)
            self.assertIn("x [redacted:token] y", masked.out)
            self.assertNotIn(secret, masked.out + masked.err)
            self.assertNotIn(base64.b64encode(secret.encode()).decode()[:20], masked.out + masked.err)
        hash_of_all = self.plan("--bundle", bundle, "--inputs", inputs)["planHash"]
        self.assertEqual(self.stella("--output", "json", *words, "--redact", values).json["planHash"], hash_of_all)
        os.chmod(values, 0o644)
        self.refused("ERR_KEY_UNUSABLE", *words, "--redact", values)

    def test_network_decisions_show_the_line_that_would_allow(self):
        self.apply(self.policy(network={"dns": "block", "allow": [{"host": "h.example", "address": "10.0.0.1", "port": 443}]}))
        bundle = self.pack("demo", RUN, inputs=WORD, network=[{"host": "h.example", "port": 443}, {"host": "i.example", "port": 80}])
        plan = self.plan("--bundle", bundle)
        self.assertEqual(plan["plan"]["network"]["allowed"], [{"host": "h.example", "address": "10.0.0.1", "port": 443}])
        self.assertIn("{host: i.example", plan["refused"][0]["line"])

    def test_the_sites_floor_puts_a_gate_before_the_first_step(self):
        policy = self.policy()
        policy["approvals"]["require"] = [{"packs": ["demo"], "threshold": 2}]
        self.apply(policy)
        plan = self.plan("--bundle", self.pack("demo", RUN, inputs=WORD))
        self.assertEqual(plan["classes"], {"site": "requires-approval", "one": "pending"})

    def test_more_approvals_than_people_are_refused(self):
        self.apply()
        steps = [{"id": "gate", "gate.approval": {"approval": "review"}}]
        bundle = self.pack("demo", steps, approvals=[{"id": "review", "threshold": 3}])
        self.refused("ERR_APPROVAL_ROSTER", "pack", "plan", "--bundle", bundle, reason="too-few")

    def test_inputs_are_refused_all_at_once(self):
        self.apply()
        bundle = self.pack("demo", RUN, inputs=WORD + [{"name": "count", "type": "integer", "required": True}])
        inputs = self.write("inputs.yaml", "word: 5\ncounts: 7\n")
        error = self.refused("ERR_PACK_INPUTS", "pack", "plan", "--bundle", bundle, "--inputs", inputs)
        for part in ("input word must be of type string", "input count is required", "did you mean `count`"):
            self.assertIn(part, error["message"])

    def test_a_plan_that_would_be_too_large_is_refused_before_it_fills_the_memory(self):
        self.apply()
        echo = {"command": ["echo"] + ["${{ item }}"] * 50}
        bundle = self.pack("demo", [{"id": "all", "map": {"items": "${{ inputs.words }}", "maxItems": 2000, "steps": [
            {"id": f"s{number}", "run": echo} for number in range(10)]}}], inputs=[{"name": "words", "type": "array", "required": True}])
        inputs = self.write("inputs.json", json.dumps({"words": ["x" * 1000] * 900}))
        limit = [] if "asan" in harness.STELLA else ["prlimit", f"--as={512 << 20}"]
        limited = subprocess.run([*limit, harness.STELLA, "--output", "json", "pack", "run", "--bundle", bundle, "--inputs", inputs],
                                 env=self.environment(), capture_output=True, text=True, check=False, timeout=120)
        error = json.loads(limited.stderr.splitlines()[-1])["error"]
        self.assertEqual((limited.returncode, error["code"], error["reason"]), (2, "ERR_PACK_INPUTS", "size"), limited.stderr)
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "list").json["runs"], [])

    def test_nobody_is_trusted_without_a_policy(self):
        bundle = self.pack("demo", RUN, inputs=WORD)
        result = self.stella("pack", "plan", "--bundle", bundle)
        self.assertIn("no site policy is applied", result.err)

    def test_packs_that_the_site_does_not_accept(self):
        policy = self.policy(denied=[{"pack": "demo:6.6.6", "reason": "bricks"}])
        policy["publishers"][0]["packs"] = ["demo*"]
        self.apply(policy)
        cases = (("unsigned", self.pack("demo", RUN, key=None, inputs=WORD)),
                 ("unknown-publisher", self.pack("demo", RUN, key="stranger", inputs=WORD, version="1.0.1")),
                 ("scope", self.pack("other", RUN, inputs=WORD)),
                 ("denied", self.pack("demo", RUN, inputs=WORD, version="6.6.6")))
        for reason, bundle in cases:
            self.refused("ERR_PACK_SIGNATURE", "pack", "plan", "--bundle", bundle, reason=reason)

    def test_a_name_and_version_mean_one_content(self):
        self.apply()
        self.plan("--bundle", self.pack("demo", RUN, inputs=WORD))
        changed = self.pack("demo", RUN, inputs=WORD, files={"docs/usage.md": "other"})
        self.refused("ERR_PACK_SIGNATURE", "pack", "plan", "--bundle", changed, reason="digest")

    def test_a_sealed_pack_stays_on_sealed_sites(self):
        self.mode = "connected"
        self.apply()
        self.refused("ERR_PACK_SEALED_REQUIRED", "pack", "plan", "--bundle", self.pack("demo", RUN, inputs=WORD, sealedInstall=True))

    def test_a_file_input_is_in_the_plan_by_its_sum(self):
        self.apply()
        bundle = self.pack("demo", [{"id": "one", "run": {"command": ["cat", "${{ inputs.image }}"]}}],
                           inputs=[{"name": "image", "type": "file", "required": True}])
        self.write("fw.bin", "abc")
        inputs = self.write("inputs.json", '{"image": "fw.bin"}')
        plan = self.plan("--bundle", bundle, "--inputs", inputs)["plan"]
        self.assertEqual(plan["files"], {"image": {"sha256": hashlib.sha256(b"abc").hexdigest(), "size": 3}})
        self.assertEqual(plan["steps"][0]["command"], ["cat", "/inputs/image"])
        os.unlink(self.path("fw.bin"))
        self.refused("ERR_FILE_NOT_FOUND", "pack", "plan", "--bundle", bundle, "--inputs", inputs)


if __name__ == "__main__":
    harness.main()
