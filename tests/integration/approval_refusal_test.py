#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Responses and ledgers that are refused by the appliance: one code each, recorded, and nothing else changes."""
import base64
import glob
import hashlib
import json
import os
import shutil
import sqlite3
import time

from approval_site import ApprovalSite, canonical
from harness import main


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

    def forge(self, events):
        """The run's events replaced by these, numbered and chained anew."""
        head, statements = None, [("DELETE FROM events WHERE run = ?", (self.run_id,))]
        for number, event in enumerate(events, 1):
            prev = hashlib.sha256(head).hexdigest() if head else "0" * 64
            head = canonical({**event, "seq": number, "prev": prev})
            statements.append(("INSERT INTO events (run, seq, line) VALUES (?, ?, ?)", (self.run_id, number, head.decode())))
        self.edit_database(*statements, ("UPDATE runs SET seq = ?, head = ?, state = 'paused' WHERE id = ?",
                                         (len(events), hashlib.sha256(head).hexdigest(), self.run_id)))

    def test_a_gate_forged_as_passed_skipped_or_never_asked_stays_shut(self):
        real = self.events(self.run_id)
        silent = [event for event in real if not event["type"].startswith(("pack.gate.", "pack.approval."))]
        last = {**real[-1], "step": "ask"}

        def finished(state):
            return {**last, "type": "pack.step.finished", "data": {"state": state, "kind": "gate.approval", "gate": "review"}}
        skipped = {**last, "type": "pack.step.skipped", "data": {"when": "`false`"}}
        for forged in (finished("succeeded"), finished("continued"), finished("skipped"), skipped):
            for events in (real, silent):
                with self.subTest(forged=forged["data"], events=len(events)):
                    self.forge([*events, forged])
                    self.resume_opens_nothing()

    def test_a_damaged_file_of_another_run_is_its_own_affair(self):
        other = self.run_to_gate()
        self.ask(other)
        stored = glob.glob(os.path.join(self.home, "runs", other.replace(":", "_"), "approvals", "REQ-*.json"))[0]
        with open(stored, "r+b") as handle:
            handle.truncate(100)
        self.take(self.good)
        self.refused("ERR_APPROVAL_MALFORMED", "pack", "approve", "--run", other, "--offline-request", "--out", self.root)

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
        run = self.run_to_gate()
        response = self.sign(self.ask(run), "ada")
        time.sleep(2.5)
        self.refused("ERR_APPROVAL_EXPIRED", "pack", "approve", "--offline-response", response)
        self.assertEqual(self.show(run)["state"], "expired")


if __name__ == "__main__":
    main()
