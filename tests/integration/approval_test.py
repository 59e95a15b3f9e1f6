#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Approvals through the binary: the round trip over files, and what is refused on the way."""
import base64
import glob
import hashlib
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import threading
import unittest

from harness import SealedSite, main

STATEMENT = "application/vnd.in-toto+json"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class ApprovalSite(SealedSite):
    threshold, roles, expires_after = 2, {}, "PT1H"

    def setUp(self):
        super().setUp()
        self.apply()
        self.bundle = self.pack("gated", [
            {"id": "check", "run": {"script": 'echo "ready=yes" >> "$STELLA_OUTPUT"\necho hello > /work/note\n'}},
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "act", "run": {"script": "cat /work/note > /artifacts/done.txt\n"}}],
            approvals=[{"id": "review", "threshold": self.threshold, "roles": self.roles, "expiresAfter": self.expires_after,
                        "message": "Go on?"}])

    def policy(self, **changes):
        document = super().policy()
        document["tenants"][0]["approvers"].append(self.approver("Ana Ortiz", "ana"))
        document["tenants"][0]["approvers"].append(dict(self.approver("Uma Roth", "uma"), scopes=[]))
        document["tenants"][0]["approvers"][0]["roles"] = ["safety"]
        document["tenants"][0]["approvers"][0]["keys"].append({"key": self.public("ada-two"), "unprotected": True})
        document["tenants"].append({"name": "plant-8", "packs": ["*"], "operators": [{"name": "Bo Lind", "user": "bo"}],
                                    "approvers": [self.approver("Nia Berg", "nia")]})
        document.update(changes)
        return document

    def run_to_gate(self):
        return self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, expect=7).json["runId"]

    def ask(self, run, *more, **kwargs):
        folder = self.path("medium")
        os.makedirs(folder, exist_ok=True)
        made = self.stella("--output", "json", "pack", "approve", "--run", run, "--gate", "review", "--offline-request", "--out", folder, *more, **kwargs)
        return made.json["file"]

    def sign(self, request, who, decision="approved", comment="Looks right", key=None, home=None):
        plan = json.loads(self.read(request))["plan"]
        signed = self.stella("--output", "json", "approval", "sign", request, "--key", self.key(key or who), "--trust", self.key("admin") + ".pub",
                             "--decision", decision, "--comment", comment, "--plan-hash", "sha256:" + hashlib.sha256(plan.encode()).hexdigest(),
                             "--yes", home=home or self.make_home("desk-" + who))
        return signed.json["response"]

    def take(self, response, expect=0, **kwargs):
        return self.stella("pack", "approve", "--offline-response", response, expect=expect, **kwargs)

    def show(self, run):
        return self.stella("--output", "json", "pack", "runs", "show", run, expect=None).json

    def ledger(self):
        with open(os.path.join(self.home, "runs", "ledger", "plant-7", "approvals.jsonl"), "rb") as handle:
            return handle.read().splitlines()

    def lines(self, kind):
        return [line for line in map(json.loads, self.ledger()) if line["kind"] == kind]

    # crafting, with openssl as the approver's tool
    def envelope(self, payload, key, kind=STATEMENT):
        pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        message = self.write("craft/message", pae)
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key(key), "-in", message],
                                   check=True, stdout=subprocess.PIPE).stdout
        return {"payload": base64.b64encode(payload).decode(), "payloadType": kind,
                "signatures": [{"keyid": self.keyid(key), "sig": base64.b64encode(signature).decode()}]}

    def keyid(self, key):
        return hashlib.sha256(base64.b64decode(self.public(key))).hexdigest()

    def statement(self, response):
        return json.loads(base64.b64decode(json.loads(self.read(response))["payload"]))

    def craft(self, response, change, key="ada", kind=STATEMENT):
        """The response with its statement changed, signed again as an approver with another tool might."""
        statement = self.statement(response)
        change(statement["predicate"], statement)
        return self.write("craft/RES.json", json.dumps(self.envelope(canonical(statement), key, kind)))

    def assert_refused(self, code, reason, response):
        """Refused, recorded in the ledger, and nothing else changed."""
        before, refused = self.snapshot(), len(self.lines("refused"))
        self.refused(code, "pack", "approve", "--offline-response", response, reason=reason)
        self.assertEqual(self.snapshot(), before)
        lines = self.lines("refused")
        self.assertEqual(len(lines), refused + 1)
        self.assertEqual((lines[-1]["data"]["code"], lines[-1]["data"]["reason"]), (code, reason))

    def snapshot(self):
        return sorted((path, self.read(path)) for path in glob.glob(os.path.join(self.home, "runs", "run_*", "approvals", "*.json")))


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


class Refusals(ApprovalSite):
    def setUp(self):
        super().setUp()
        self.run_id = self.run_to_gate()
        self.request = self.ask(self.run_id)
        self.good = self.sign(self.request, "ada")

    def test_a_response_for_something_else(self):
        def put(name, value):
            def change(predicate, _):
                predicate[name] = value
            return change

        def plan(_, statement):
            statement["subject"][0]["digest"]["sha256"] = "0" * 64

        def kind(_, statement):
            statement["predicateType"] = "urn:stella:evidence:v1"

        for reason, change in (("run", put("runId", "run:plant-7:20200101T000000000Z")), ("gate", put("gate", "other")), ("tenant", put("tenant", "plant-8")),
                               ("attempt", put("attempt", 2)), ("nonce", put("nonce", "0" * 64)), ("plan-hash", plan), ("predicate-type", kind)):
            with self.subTest(reason):
                self.assert_refused("ERR_APPROVAL_MISMATCH", reason, self.craft(self.good, change))
        self.take(self.good)

    def test_a_signer_who_does_not_count(self):
        def as_person(name, key):
            def change(predicate, _):
                predicate["approver"] = {"name": name, "keyid": self.keyid(key)}
            return self.craft(self.good, change, key)

        self.assert_refused("ERR_APPROVAL_SIGNATURE", "unknown-signer", as_person("Ada Obi", "stranger"))
        self.assert_refused("ERR_APPROVAL_SIGNATURE", "unknown-signer", as_person("Ada Obi", "admin"))
        self.assert_refused("ERR_APPROVAL_ROSTER", "requester", as_person("Ana Ortiz", "ana"))
        self.assert_refused("ERR_APPROVAL_ROSTER", "scope", as_person("Uma Roth", "uma"))
        self.assert_refused("ERR_APPROVAL_ROSTER", "tenant", as_person("Nia Berg", "nia"))
        self.assert_refused("ERR_APPROVAL_ROSTER", "name", as_person("Ada Obi", "ben"))
        self.take(self.good)
        self.assert_refused("ERR_APPROVAL_REPLAYED", "same-person", as_person("Ada Obi", "ada-two"))
        self.assert_refused("ERR_APPROVAL_REPLAYED", "same-person", self.sign(self.request, "ada", "rejected", "Changed my mind"))

    def test_a_file_that_was_touched(self):
        text = self.read(self.good).decode()
        envelope = json.loads(text)
        payload = base64.b64decode(envelope["payload"])

        def with_members(**changes):
            return json.dumps({**envelope, **changes})

        altered = base64.b64encode(payload.replace(b"Looks right", b"Looks wrong")).decode()
        spaced = base64.b64encode(payload.replace(b",", b", ")).decode()
        signature = envelope["signatures"][0]["sig"]
        for reason, code, content in (
                ("signature", "ERR_APPROVAL_SIGNATURE", with_members(payload=altered)),
                ("signature", "ERR_APPROVAL_SIGNATURE", with_members(payload=spaced)),
                ("signature", "ERR_APPROVAL_SIGNATURE", with_members(payloadType="application/json")),
                ("json", "ERR_APPROVAL_MALFORMED", text + "{}"), ("json", "ERR_APPROVAL_MALFORMED", "\ufeff" + text),
                ("json", "ERR_APPROVAL_MALFORMED", '{"payload":"",' + text[1:]), ("json", "ERR_APPROVAL_MALFORMED", "not json"),
                ("base64", "ERR_APPROVAL_MALFORMED", with_members(signatures=[{"keyid": "", "sig": signature[:-1]}])),
                ("envelope", "ERR_APPROVAL_MALFORMED", with_members(signatures=[])),
                ("envelope", "ERR_APPROVAL_MALFORMED", with_members(signatures=envelope["signatures"] * 2)),
                ("envelope", "ERR_APPROVAL_MALFORMED", with_members(alg="none"))):
            with self.subTest(content[:40]):
                self.assert_refused(code, reason, self.write("craft/RES.json", content))
        self.take(self.write("craft/RES.json", with_members(signatures=[{"keyid": "", "sig": signature}])))

    def test_a_decision_named_twice_or_otherwise(self):
        payload = base64.b64decode(json.loads(self.read(self.good))["payload"])
        twice = payload.replace(b'"decision":"approved"', b'"decision":"approved","decision":"rejected"')
        self.assert_refused("ERR_APPROVAL_MALFORMED", "json", self.write("craft/RES.json", json.dumps(self.envelope(twice, "ada"))))
        for wrong in ("Approved", "approved ", None, True):
            def change(predicate, _):
                predicate["decision"] = wrong
            self.assert_refused("ERR_APPROVAL_MALFORMED", "statement", self.craft(self.good, change))

    def test_a_key_that_was_revoked_since(self):
        self.take(self.good)
        self.apply(self.policy(version=2, revoked=[{"key": self.public("ben"), "since": "2026-01-01T00:00:00Z", "reason": "left"}]))
        desk_ben = self.sign(self.request, "ben")
        self.assert_refused("ERR_APPROVAL_ROSTER", "revoked", desk_ben)

    def test_a_vote_is_lost_with_its_key(self):
        self.take(self.good)
        self.take(self.sign(self.request, "ben"))
        self.apply(self.policy(version=2, revoked=[{"key": self.public("ben"), "since": "2026-01-01T00:00:00Z", "reason": "left"}]))
        self.stella("pack", "runs", "resume", "--run", self.run_id, expect=7)

    def test_a_stricter_policy_voids_the_request(self):
        document = self.policy(version=2)
        document["approvals"]["require"] = [{"packs": ["gated"], "threshold": 3}]
        self.apply(document)
        self.assert_refused("ERR_APPROVAL_MISMATCH", "policy", self.good)

    def test_a_file_that_is_none(self):
        big = self.path("zeros")
        with open(big, "wb") as handle:
            handle.truncate(1 << 30)
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        for path, code in ((big, "ERR_FILE_UNSUITABLE"), (fifo, "ERR_FILE_UNSUITABLE"), (self.root, "ERR_FILE_UNSUITABLE"),
                           (self.write("empty", ""), "ERR_FILE_UNSUITABLE"), (self.path("missing"), "ERR_FILE_NOT_FOUND")):
            with self.subTest(path):
                self.refused(code, "pack", "approve", "--offline-response", path)
                if path != self.root:
                    self.refused(code, "approval", "review", path, "--trust", self.key("admin") + ".pub", home=self.make_home("desk-x"))

    def resume_opens_nothing(self):
        result = self.stella("pack", "runs", "resume", "--run", self.run_id, expect=None)
        self.assertIn(result.status, (3, 6, 7), str(result))
        self.assertFalse(glob.glob(os.path.join(self.home, "runs", "run_*", "artifacts", "done.txt")))

    def edit_database(self, *statements):
        database = sqlite3.connect(f"{self.home}/runs/journal.db")
        for statement, values in statements:
            database.execute(statement, values)
        database.commit()
        database.close()

    def test_a_row_edited_in_the_database_opens_nothing(self):
        self.edit_database(("UPDATE runs SET state = 'running'", ()))
        self.resume_opens_nothing()

    def test_events_forged_in_the_database_open_nothing(self):
        """The chain has no key: whoever has the home can add events that follow. They still are no signatures."""
        events = self.events(self.run_id)
        waiting = [event for event in events if event["type"] == "pack.gate.waiting"][-1]
        head, number = canonical(events[-1]), events[-1]["seq"]
        for kind, data in (("pack.gate.approved", {"gate": "review", "approvers": ["Ada Obi", "Ben Keller"]}),
                           ("pack.step.finished", {"state": "succeeded", "kind": "gate.approval", "gate": "review"})):
            number += 1
            head = canonical({**waiting, "seq": number, "type": kind, "data": data, "prev": hashlib.sha256(head).hexdigest()})
            self.edit_database(("INSERT INTO events (run, seq, line) VALUES (?, ?, ?)", (self.run_id, number, head.decode())),
                               ("UPDATE runs SET seq = ?, head = ?, state = 'running'", (number, hashlib.sha256(head).hexdigest())))
        self.resume_opens_nothing()

    def test_a_ledger_that_was_edited(self):
        path = os.path.join(self.home, "runs", "ledger", "plant-7", "approvals.jsonl")
        text = self.read(path)
        with open(path, "wb") as handle:
            handle.write(text.replace(b'"request"', b'"Request"', 1))
        self.refused("ERR_JOURNAL_TAMPERED", "pack", "approve", "--offline-response", self.good)
        with open(path, "wb") as handle:
            handle.write(b"")
        self.refused("ERR_APPROVAL_ROLLBACK", "pack", "approve", "--offline-response", self.good, reason="shorter")
        with open(path, "wb") as handle:
            handle.write(text)
        self.take(self.good)

    def test_the_work_folder_changed_while_the_gate_waited(self):
        self.take(self.good)
        self.take(self.sign(self.request, "ben"))
        note = glob.glob(os.path.join(self.home, "runs", "run_*", "work", "note"))[0]
        os.chmod(note, 0o644)
        with open(note, "w", encoding="utf-8") as handle:
            handle.write("other\n")
        self.refused("ERR_APPROVAL_MISMATCH", "pack", "runs", "resume", "--run", self.run_id, reason="state")

    def test_a_copied_home_asks_again(self):
        copy = self.path("home-copy")
        shutil.copytree(self.home, copy, symlinks=True)
        os.chmod(copy, 0o700)
        self.refused("ERR_APPROVAL_REPLAYED", "pack", "approve", "--offline-response", self.good, home=copy, reason="home-moved")


class Expiry(ApprovalSite):
    expires_after = "PT2S"

    def test_a_late_response_is_refused(self):
        import time
        run = self.run_to_gate()
        response = self.sign(self.ask(run), "ada")
        time.sleep(2.5)
        self.refused("ERR_APPROVAL_EXPIRED", "pack", "approve", "--offline-response", response)
        self.assertEqual(self.show(run)["state"], "expired")


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


class Desk(ApprovalSite):
    def setUp(self):
        super().setUp()
        self.run_id = self.run_to_gate()
        self.request = self.ask(self.run_id)
        self.desk = self.make_home("desk-ada")
        self.trust = ["--trust", self.key("admin") + ".pub"]

    def review(self, request, code, reason=None, trust=None):
        return self.refused(code, "approval", "review", request, *(self.trust if trust is None else trust), home=self.desk, reason=reason)

    def test_trust_comes_from_outside(self):
        self.review(self.request, "ERR_USAGE", "trust", trust=[])
        self.review(self.request, "ERR_APPROVAL_SIGNATURE", trust=["--trust", self.key("stranger") + ".pub"])
        signed = self.path("policy-1.dsse.json")
        self.stella("site", "apply", signed, *self.trust, home=self.desk)
        self.stella("approval", "review", self.request, home=self.desk)

    def test_a_request_that_was_touched(self):
        good = json.loads(self.read(self.request))

        def with_members(**changes):
            return self.write("craft/REQ-x.json", json.dumps({**good, **changes}))

        self.review(with_members(plan=good["plan"].replace("cat /work/note", "cat /work/nose")), "ERR_APPROVAL_MISMATCH", "plan-hash")
        self.review(with_members(leaves="AAAA"), "ERR_APPROVAL_MALFORMED", "leaves")
        self.review(with_members(more=1), "ERR_APPROVAL_MALFORMED")
        payload = json.loads(base64.b64decode(good["request"]["payload"]))
        payload["predicate"]["threshold"] = 1
        self.review(with_members(request={**good["request"], "payload": base64.b64encode(canonical(payload)).decode()}), "ERR_APPROVAL_SIGNATURE", "signature")
        self.review(with_members(request=self.envelope(canonical(payload), "stranger")), "ERR_APPROVAL_SIGNATURE", "unknown-signer")

    def test_signing_needs_intent_without_a_terminal(self):
        arguments = ["approval", "sign", self.request, "--key", self.key("ada"), *self.trust, "--decision", "approved", "--comment", "x"]
        self.refused("ERR_USAGE", *arguments, home=self.desk, reason="confirm")
        self.refused("ERR_USAGE", *arguments, "--yes", home=self.desk, reason="confirm")
        self.refused("ERR_APPROVAL_MISMATCH", *arguments, "--yes", "--plan-hash", "sha256:" + "0" * 64, home=self.desk, reason="plan-hash")
        self.refused("ERR_USAGE", *arguments[:-3], "maybe", "--comment", "x", "--yes", home=self.desk, reason="decision")
        self.refused("ERR_USAGE", *arguments, "--qr", home=self.desk, reason="not-yet")
        self.assertEqual(glob.glob(self.path("medium", "RES-*")), [])

    def test_a_person_types_what_they_sign(self):
        arguments = [os.environ["STELLA"], "approval", "sign", self.request, "--key", self.key("ada"), *self.trust, "--decision", "approved", "--comment", "x"]
        for typed, status in (("wrong!", 2), (self.run_id[-6:], 0)):
            ours, theirs = pty.openpty()
            os.write(ours, typed.encode() + b"\n")
            done = subprocess.run(arguments, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, check=False, env=self.environment(self.desk))
            os.close(theirs)
            os.close(ours)
            self.assertEqual(done.returncode, status)
            self.assertIn(b"RELEASES", done.stdout, "the review is shown first")
        self.assertEqual(len(glob.glob(self.path("medium", "RES-*"))), 1)

    def test_who_may_not_sign(self):
        plan = "sha256:" + hashlib.sha256(json.loads(self.read(self.request))["plan"].encode()).hexdigest()
        for key, reason in (("stranger", "tenant"), ("ana", "requester"), ("uma", "scope"), ("nia", "tenant")):
            self.refused("ERR_APPROVAL_ROSTER", "approval", "sign", self.request, "--key", self.key(key), *self.trust, "--decision", "approved",
                         "--comment", "x", "--plan-hash", plan, "--yes", home=self.desk, reason=reason)

    def test_an_older_policy_or_ledger_is_noticed(self):
        self.stella("approval", "review", self.request, *self.trust, home=self.desk)
        old_home = self.path("home-old")
        shutil.copytree(self.home, old_home, symlinks=True)
        for _ in range(2):
            later = self.ask(self.run_to_gate())
            self.stella("approval", "review", later, *self.trust, home=self.desk)
        self.stella("approval", "review", self.request, *self.trust, home=self.desk)
        # The appliance is put back to before the later requests and asks again from there.
        shutil.rmtree(self.home)
        shutil.copytree(old_home, self.home, symlinks=True)
        os.chmod(self.home, 0o700)
        restored = self.ask(self.run_id)
        self.review(restored, "ERR_APPROVAL_ROLLBACK", "ledger")


if __name__ == "__main__":
    main()
