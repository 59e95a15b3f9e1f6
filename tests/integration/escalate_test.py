#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pack runs escalate: what whoever is called needs, in the terminal, for programs, and as a folder that holds no secret."""
import json
import os
import re
import subprocess

import secrets_test
from harness import SOURCE, main
from run_site import RunTest


class Escalate(RunTest):
    def escalate(self, run, *more):
        return self.stella("--output", "json", "pack", "runs", "escalate", run, *more).json

    def test_a_failed_step_with_the_end_of_its_log(self):
        script = "i=0; while [ $i -lt 60 ]; do i=$((i+1)); echo \"line $i\"; done; printf 'bell \\a here\\n' >&2; exit 3"
        self.run_pack([self.step("a", "true"), self.step("b", script)], expect=1)
        run = self.last_run()
        found = self.escalate(run)
        events = {event["type"]: event["at"] for event in self.events(run)}
        self.assertEqual((found["runId"], found["tenant"], found["state"], found["code"]), (run, "plant-7", "failed", "ERR_PACK_STEP_FAILED"))
        self.assertEqual((found["pack"]["name"], found["pack"]["version"], found["planHash"]), ("job", "1.0.0", self.show(run)["planHash"]))
        self.assertEqual((found["times"]["submitted"], found["times"]["ended"]), (events["pack.run.submitted"], events["pack.run.failed"]))
        self.assertEqual([(one["attempt"], one["state"]) for one in found["attempts"]], [(1, "failed")])
        failing = found["failing"]
        self.assertEqual((failing["step"], failing["exit"], failing["state"]), ("b", 3, "failed"))
        self.assertEqual((len(failing["log"]), failing["log"][0]), (40, "line 22"))
        self.assertIn("bell \\x07 here", failing["log"])
        self.assertEqual(found["owner"]["primary"], "pack maintainers")
        text = self.stella("pack", "runs", "escalate", "--run", run).out
        for part in (run, found["planHash"], "line 60", "call first   pack maintainers", events["pack.run.failed"]):
            self.assertIn(part, text)
        self.assertNotIn("\a", text)

    def test_a_second_attempt_is_told_apart(self):
        self.run_pack([self.step("a", "exit 1")], expect=1)
        run = self.last_run()
        self.stella("pack", "runs", "resume", run, expect=1)
        found = self.escalate(run)
        self.assertEqual([(one["attempt"], one["state"]) for one in found["attempts"]], [(1, "failed"), (2, "failed")])
        self.assertLess(found["attempts"][0]["ended"], found["attempts"][1]["started"])

    def test_blocked_attempts_come_with_the_policy_line(self):
        self.run_pack([self.step("call", "bash -c 'exec 3<>/dev/tcp/203.0.113.10/80' || true")], expect=5)
        found = self.escalate(self.last_run())
        self.assertEqual(found["owner"]["kind"], "network")
        (one,) = found["blocked"]
        self.assertEqual((one["step"], one["address"], one["port"]), ("call", "203.0.113.10", 80))
        self.assertIn("203.0.113.10", one["line"])
        self.assertIn(one["line"], self.stella("pack", "runs", "escalate", self.last_run()).out)

    def test_a_gate_says_who_is_missing(self):
        approvals = [{"id": "review", "threshold": 2}]
        run = self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}], expect=7, approvals=approvals)["runId"]
        found = self.escalate(run)
        (gate,) = found["gates"]
        self.assertEqual((gate["gate"], gate["have"], gate["need"], gate["mayDecide"]), ("review", 0, 2, ["Ada Obi", "Ben Keller"]))
        self.assertEqual((found["owner"]["kind"], found["failing"]), ("approvals", None))
        self.assertIn("may decide Ada Obi, Ben Keller", self.stella("pack", "runs", "escalate", run).out)

    def test_a_run_that_cannot_be_read_is_told_all_the_same(self):
        self.run_pack([self.step("a", "exit 1")], expect=1)
        run = self.last_run()
        plan = os.path.join(self.show(run)["folder"], "plan.json")
        self.write(plan, "{")
        found = self.escalate(run, "--out", self.path("to-hand-over"))
        self.assertEqual((found["runId"], found["failing"]["step"]), (run, "a"))
        self.assertRegex(found["problems"][0], "^ERR_PACK_HASH_MISMATCH")
        self.assertIn("report.txt", os.listdir(found["folder"]))

    def test_the_site_names_its_own_people(self):
        people = {"pack": {"primary": "Ada Obi, +49 30 1234", "secondary": "duty desk"}, "operation": {"primary": "shift lead"}}
        self.apply(self.policy(version=2, escalation=people))
        self.run_pack([self.step("a", "exit 1")], expect=1)
        owner = self.escalate(self.last_run())["owner"]
        self.assertEqual((owner["kind"], owner["primary"], owner["secondary"], owner["named"]), ("pack", "Ada Obi, +49 30 1234", "duty desk", "policy"))
        text = self.stella("pack", "runs", "escalate", self.last_run()).out
        self.assertIn("call first   Ada Obi, +49 30 1234", text)
        self.assertIn("then         duty desk", text)
        self.run_pack([self.step("a", "true")], name="good")
        owner = self.escalate(self.last_run())["owner"]
        self.assertEqual((owner["primary"], owner["secondary"]), ("shift lead", "site office"))

    def test_kinds_that_the_policy_leaves_out_keep_their_roles(self):
        self.run_pack([self.step("a", "exit 1")], expect=1)
        owner = self.escalate(self.last_run())["owner"]
        self.assertEqual((owner["primary"], owner["secondary"], owner["named"]), ("pack maintainers", "stella maintainers", "default"))

    def test_a_policy_with_a_mistake_in_it_says_where(self):
        for wrong, what in (("packs: {primary: a}", "packs"), ("pack: {secondary: a}", "primary"), ("pack: {primary: a, third: b}", "third"),
                            ('pack: {primary: "a\\nb"}', "one line"), ("pack: [a]", "an object is needed"), (f"pack: {{primary: {'x' * 201}}}", "200 bytes")):
            rest = "".join(f"{name}: {json.dumps(value)}\n" for name, value in self.policy().items())
            document = "escalation:\n  {" + wrong + "}\n" + rest
            error = self.refused("ERR_SITE_INVALID", "site", "check", self.write("policy.yaml", document))
            self.assertRegex(error["at"], r"policy\.yaml:2:\d+", wrong)
            self.assertIn(what, error["message"] + error["at"], wrong)

    def test_the_matrix_on_the_page_is_the_one_in_the_binary(self):
        with open(os.path.join(SOURCE, "docs", "operations", "escalation.md"), encoding="utf-8") as page:
            rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page.read(), re.MULTILINE)
        with open(os.path.join(SOURCE, "appliance", "escalation", "matrix.cpp"), encoding="utf-8") as code:
            text = re.sub(r'"\s+"', "", code.read())  # literals over several lines
        owners = re.findall(r'constexpr Owner k\w+\{((?:\s*"[^"]*",?)+)\};', text)
        wanted = [tuple(re.findall(r'"([^"]*)"', owner)) for owner in owners]
        self.assertEqual(sorted(rows), sorted(wanted))


class Bundle(secrets_test.Secrets):
    """A run that printed a secret in every form: the folder holds none of them."""

    def bundle(self, run):
        result = self.stella("--output", "json", "pack", "runs", "escalate", run, "--out", self.path("to-hand-over"))
        self.assert_unsaid(result)
        return result.json["folder"]

    def test_no_form_is_left_anywhere(self):
        failing = self.pack("job", [{"id": "tell", "run": {"command": ["sh", "-c", "/pack/print_all.sh; exit 4"], "secrets": ["token"]}}],
                            secrets=[{"name": "token", "scope": "job", "as": "env", "env": "TOKEN"}], files={"print_all.sh": secrets_test.PRINT_ALL})
        self.stella("pack", "run", "--bundle", failing, *self.phrase, expect=1)
        run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]
        folder = self.bundle(run)
        self.assertEqual(self.leaks(folder), [])
        text = self.stella("pack", "runs", "escalate", run)
        self.assert_unsaid(text)
        self.assertIn("[redacted:token]", text.out)
        lines = self.read(os.path.join(folder, "journal.jsonl"), "r").splitlines()
        leased = [json.loads(line) for line in lines if '"pack.secret.leased"' in line]
        self.assertEqual([event["data"]["name"] for event in leased], ["token"])
        self.assertNotIn(secrets_test.SECRET[-4:].decode(), "\n".join(lines))
        self.assertNotIn("lastFour", "\n".join(lines))

    def test_the_folder_is_whole_and_says_what_it_must(self):
        failing = self.pack("job", [{"id": "a", "run": {"script": "echo why; exit 4"}}])
        self.stella("pack", "run", "--bundle", failing, *self.phrase, expect=1)
        run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]
        folder = self.bundle(run)
        names = ["SHA256SUMS", "doctor.json", "evidence.json", "journal.jsonl", "log.txt", "plan.json", "report.json", "report.txt", "versions.json"]
        self.assertEqual(sorted(os.listdir(folder)), names)
        checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
        self.assertEqual((checked.returncode, len(checked.stdout.splitlines())), (0, len(names) - 1))
        kept = [json.loads(line) for line in self.read(os.path.join(folder, "journal.jsonl"), "r").splitlines()]
        self.assertEqual(kept, self.events(run))
        report = json.loads(self.read(os.path.join(folder, "report.json")))
        evidence = json.loads(self.read(os.path.join(folder, "evidence.json")))
        self.assertEqual((report["runId"], evidence["list"]), (run, report["evidence"]["list"]))
        self.assertEqual(self.read(os.path.join(folder, "log.txt"), "r"), "why\n")
        self.assertIn("sandbox", [row["what"] for row in json.loads(self.read(os.path.join(folder, "doctor.json")))["findings"]])
        self.assertTrue(json.loads(self.read(os.path.join(folder, "versions.json")))["stella"])

    test_a_kill_leaves_no_form_either = None
    test_a_wrong_passphrase_and_a_missing_secret_start_nothing = None


if __name__ == "__main__":
    main()
