#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Approvals through the binary: the round trip over files, deciding at the appliance, roles, secrets, kills."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import threading

from approval_site import ApprovalSite, canonical
from harness import main


class RoundTrip(ApprovalSite):
    def test_two_people_open_a_gate(self):
        run = self.run_to_gate()
        request = self.ask(run)
        bytes_of_request = self.read(request)
        self.ask(run)
        self.assertEqual(self.read(request), bytes_of_request, "an open request is the same bytes again")
        ada, ben = self.sign(request, "ada"), self.sign(request, "ben")
        self.assertRegex(os.path.basename(ada), r"^RES-review-[0-9a-f]{8}-%s\.json$" % self.keyid("ada")[:8])
        out = self.take(ada).out
        self.assertIn("has 1 of 2", out)
        self.assertNotIn("next:", out)
        self.stella("pack", "runs", "resume", "--run", run, expect=7)
        self.assertIn("already recorded", self.take(ada).out)
        self.assertEqual(len(self.lines("response")), 1)
        self.assertIn(f"next: stella pack runs resume --run {run}", self.take(ben).out)
        self.assertEqual(self.show(run)["state"], "waiting", "importing runs no step")
        self.assertIn("already recorded", self.take(ben).out)
        done = self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json
        self.assertEqual(done["state"], "succeeded")
        self.refused("ERR_APPROVAL_REPLAYED", "pack", "approve", "--offline-response", ada, reason="closed")

    def test_what_is_signed_is_what_was_shown(self):
        request = self.ask(self.run_to_gate())
        desk = self.make_home("desk-ada")
        shown = self.stella("approval", "review", request, "--plain", "--trust", self.key("admin") + ".pub", home=desk).out.encode()
        predicate = self.statement(self.sign(request, "ada"))["predicate"]
        self.assertEqual(predicate["displaySha256"], "sha256:" + hashlib.sha256(shown).hexdigest())
        self.assertLessEqual(max(len(line) for line in shown.decode().splitlines()), 80)
        self.assertIn(b"uses the appliance's own programs", shown)
        for step in (b"act", b"check", b"cat /work/note"):
            self.assertIn(step, shown)

    def test_the_request_is_the_contracts(self):
        request = json.loads(self.read(self.ask(self.run_to_gate())))
        self.assertEqual(set(request), {"schema", "request", "plan", "site", "checkpoint", "leaves"})
        statement = json.loads(base64.b64decode(request["request"]["payload"]))
        predicate = statement["predicate"]
        self.assertEqual(statement["predicateType"], "urn:stella:approval-request:v1")
        self.assertEqual(statement["subject"], [{"name": "plan.json", "digest": {"sha256": hashlib.sha256(request["plan"].encode()).hexdigest()}}])
        self.assertEqual(set(predicate), {
            "requestId", "nonce", "supersedes", "appliance", "home", "tenant", "run", "gate", "threshold", "roles", "policy", "stella",
            "review", "state", "issuedAt", "expiresAt", "ledger"})
        self.assertEqual((len(predicate["requestId"]), len(predicate["nonce"])), (32, 64))
        self.assertEqual(predicate["review"]["stepsReleased"], ["act"])
        self.assertEqual([step["id"] for step in predicate["review"]["stepsDone"]], ["check"])
        self.assertEqual(predicate["run"]["requestedBy"], "Ana Ortiz")
        self.assertEqual(predicate["run"]["pack"]["publishers"][0]["name"], "OT Tools")

    def test_the_ledger_is_a_chain_that_anchors_everything(self):
        run = self.run_to_gate()
        request = self.ask(run)
        self.take(self.sign(request, "ada"))
        previous = "0" * 64
        for number, text in enumerate(self.ledger(), 1):
            line = json.loads(text)
            self.assertEqual((line["seq"], line["prev"]), (number, previous))
            self.assertEqual(text, canonical(line))
            self.assertEqual(set(line["anchors"]), {"journal", "site", "vault", "mirror", "evidence"})
            previous = hashlib.sha256(b"\0" + text).hexdigest()
        self.assertEqual([json.loads(text)["kind"] for text in self.ledger()], ["request", "response"])
        checkpoint = self.read(os.path.join(self.home, "runs", "ledger", "plant-7", "checkpoint.txt")).decode().splitlines()
        self.assertEqual(checkpoint[:2], ["stella/apl-test/plant-7", "2"])
        root = hashlib.sha256(b"\1" + b"".join(hashlib.sha256(b"\0" + text).digest() for text in self.ledger())).digest()
        self.assertEqual(base64.b64decode(checkpoint[2]), root)
        types = [event["type"] for event in self.events(run)]
        self.assertIn("pack.approval.requested", types)
        self.assertIn("pack.approval.recorded", types)

    def test_a_rejection_ends_the_run(self):
        run = self.run_to_gate()
        request = self.ask(run)
        ada, ben = self.sign(request, "ada"), self.sign(request, "ben", "rejected", "Not on a Friday")
        error = self.refused("ERR_PACK_APPROVAL_REJECTED", "pack", "approve", "--offline-response", ben)
        self.assertIn("Not on a Friday", error["message"])
        self.assertEqual(self.show(run)["state"], "failed")
        self.assert_refused("ERR_APPROVAL_REPLAYED", "closed", ada)

    def test_extending_replaces_the_request(self):
        run = self.run_to_gate()
        first = self.sign(self.ask(run), "ada")
        request = self.ask(run, "--extend", "2h")
        predicate = json.loads(base64.b64decode(json.loads(self.read(request))["request"]["payload"]))["predicate"]
        self.assertEqual(predicate["supersedes"], self.statement(first)["predicate"]["requestId"])
        self.assert_refused("ERR_APPROVAL_MISMATCH", "nonce", first)
        self.take(self.sign(request, "ada"))
        self.take(self.sign(request, "ben"))
        self.stella("pack", "runs", "resume", "--run", run)

    def test_a_folder_with_one_request_is_enough(self):
        request = self.ask(self.run_to_gate())
        folder = os.path.dirname(request)
        desk, trust = self.make_home("desk-ada"), self.key("admin") + ".pub"
        self.stella("approval", "review", folder, "--trust", trust, home=desk)
        shutil.copy(request, os.path.join(folder, "REQ-other.json"))
        self.refused("ERR_USAGE", "approval", "review", folder, "--trust", trust, home=desk, reason="request")
        self.refused("ERR_FILE_NOT_FOUND", "approval", "review", self.make_home("empty"), "--trust", trust, home=desk)

    def test_responses_of_the_current_folder_are_found(self):
        run = self.run_to_gate()
        request = self.ask(run)
        self.sign(request, "ada")
        self.sign(request, "ben")
        self.stella("pack", "approve", "--offline-response", cwd=os.path.dirname(request))
        self.stella("pack", "runs", "resume", "--run", run)


class OnTheAppliance(ApprovalSite):
    def approve(self, run, key, *more, **kwargs):
        return ["pack", "approve", "--run", run, "--gate", "review", "--comment", "Seen", "--key", self.key(key), *more]

    def test_people_decide_at_the_appliance(self):
        run = self.run_to_gate()
        self.stella(*self.approve(run, "ada"))
        self.refused("ERR_APPROVAL_REPLAYED", *self.approve(run, "ada-two"), reason="same-person")
        self.refused("ERR_APPROVAL_ROSTER", *self.approve(run, "ana"), reason="requester")
        self.stella(*self.approve(run, "ben"))
        self.stella("pack", "runs", "resume", "--run", run)

    def test_a_rejection_ends_the_run(self):
        run = self.run_to_gate()
        self.stella(*self.approve(run, "ben", "--reject"), expect=3)
        self.assertEqual(self.show(run)["state"], "failed")

    def test_the_site_may_forbid_it(self):
        document = self.policy(version=2)
        document["approvals"]["onAppliance"] = False
        self.apply(document)
        self.refused("ERR_APPROVAL_ROSTER", *self.approve(self.run_to_gate(), "ada"), reason="on-appliance")

    def test_a_key_without_passphrase_needs_the_policys_word(self):
        document = self.policy(version=2)
        document["tenants"][0]["approvers"][1]["keys"] = [self.public("ben")]
        self.apply(document)
        self.refused("ERR_KEY_UNUSABLE", *self.approve(self.run_to_gate(), "ben"), reason="unprotected")

    def test_options_that_do_not_go_together(self):
        run = self.run_to_gate()
        for arguments in (["--offline-request", "--comment", "x"], ["--offline-response", "x", "--gate", "review"], ["--out", "x", "--comment", "x"]):
            self.refused("ERR_USAGE", "pack", "approve", "--run", run, *arguments)
        self.refused("ERR_USAGE", "pack", "approve", "--run", run, "--offline-request", "--qr", reason="not-yet")
        self.refused("ERR_USAGE", "pack", "approve", "--run", run, "--gate", "reviw", "--offline-request", reason="gate")
        self.refused("ERR_RUN_NOT_FOUND", "pack", "approve", "--run", "run:plant-7:20200101T000000000Z", "--offline-request")


class Roles(ApprovalSite):
    threshold, roles = 1, {"safety": 1}

    def test_a_missing_role_keeps_the_gate_shut(self):
        run = self.run_to_gate()
        request = self.ask(run)
        self.assertIn("safety: 1 more", self.take(self.sign(request, "ben")).out)
        self.stella("pack", "runs", "resume", "--run", run, expect=7)
        self.take(self.sign(request, "ada"))
        self.stella("pack", "runs", "resume", "--run", run)


class SecretVersions(ApprovalSite):
    def setUp(self):
        super().setUp()
        self.passphrase = self.write("vault.pass", "correct horse battery staple\n")
        self.vault("init", "--kdf-memory", "64MiB")
        self.vault("put", "token", "--scope", "firmware", "--from", self.write("value", "first-value-of-it"))
        self.bundle = self.pack("secretive", [
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "act", "run": {"script": "test -s /run/secrets/token\n", "secrets": ["token"]}}],
            secrets=[{"name": "token", "scope": "firmware", "as": "file"}], approvals=[{"id": "review", "threshold": 1}])

    def vault(self, verb, *arguments):
        return self.stella("--tenant", "plant-7", "vault", verb, *arguments, "--passphrase-file", self.passphrase)

    def reviewed(self, request):
        return json.loads(base64.b64decode(json.loads(self.read(request))["request"]["payload"]))["predicate"]["review"]["secrets"]

    def run_to_gate(self):
        return self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--passphrase-file", self.passphrase,
                           expect=7).json["runId"]

    def test_the_version_is_not_known_while_the_vault_is_sealed(self):
        run = self.run_to_gate()
        request = self.ask(run)
        self.assertEqual(self.reviewed(request), [{"name": "token", "scope": "firmware", "version": None}])
        self.take(self.sign(request, "ada"))
        self.stella("pack", "runs", "resume", "--run", run, "--passphrase-file", self.passphrase)

    def test_only_the_reviewed_version_is_leased(self):
        run = self.run_to_gate()
        request = self.ask(run, "--passphrase-file", self.passphrase)
        self.assertEqual(self.reviewed(request), [{"name": "token", "scope": "firmware", "version": 1}])
        self.take(self.sign(request, "ada"))
        self.vault("rotate", "token", "--from", self.write("value", "second-value-of-it"))
        self.refused("ERR_VAULT_DENIED", "pack", "runs", "resume", "--run", run, "--passphrase-file", self.passphrase, reason="version")


class Crashes(ApprovalSite):
    def test_a_kill_at_any_point_of_taking_in(self):
        run = self.run_to_gate()
        request = self.ask(run)
        for who, points in (("ada", ("take.before-response", "take.after-response")), ("ben", ("ledger.before-line", "ledger.after-line", "take.after-ledger"))):
            response = self.sign(request, who)
            for point in points:
                killed = subprocess.run([os.environ["STELLA"], "pack", "approve", "--offline-response", response], check=False, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment(extra={"STELLA_CRASH_AT": point}))
                self.assertLess(killed.returncode, 0, point)
            self.take(response)
        self.assertEqual(len(self.lines("response")), 2)
        recorded = [event for event in self.events(run) if event["type"] == "pack.approval.recorded"]
        self.assertEqual(len(recorded), 2)
        self.stella("pack", "runs", "resume", "--run", run)

    def test_a_kill_while_asking(self):
        run = self.run_to_gate()
        for point in ("ask.before-request", "ask.after-request", "ledger.before-line", "ledger.after-line"):
            subprocess.run([os.environ["STELLA"], "pack", "approve", "--run", run, "--offline-request", "--out", self.root], check=False, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment(extra={"STELLA_CRASH_AT": point}))
        request = self.ask(run)
        self.assertEqual(len(self.lines("request")), 1)
        self.take(self.sign(request, "ada"))

    def test_two_imports_at_once(self):
        run = self.run_to_gate()
        request = self.ask(run)
        responses = [self.sign(request, "ada"), self.sign(request, "ben")] * 2
        threads = [threading.Thread(target=self.take, args=(response,)) for response in responses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.lines("response")), 2)
        self.stella("pack", "runs", "resume", "--run", run)


if __name__ == "__main__":
    main()
