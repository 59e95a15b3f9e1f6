#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input at the verbs that act: each gives its code and exit status, and the home is as it was."""
import base64
import json
import os
import subprocess
import unittest

from approval_site import ApprovalSite
from harness import SealedSite, main

STEPS = [{"id": "a", "run": {"command": ["true"]}}]


class Packs(SealedSite):
    def setUp(self):
        super().setUp()
        document = self.policy()
        document["publishers"].append({"name": "Line Tools", "key": self.public("line"), "packs": ["line-*"]})
        self.apply(document)
        self.stella("pack", "run", "--bundle", self.pack("first", STEPS))  # so that journal and cache are there

    def refuse(self, bundle, code, exit_status, reason=None):
        for verb in ("plan", "run"):
            self.refused_and_unchanged(code, exit_status, "pack", verb, "--bundle", bundle, reason=reason)

    def test_truncated_and_edited(self):
        good = self.pack("job", STEPS, files={"data.txt": "one two three"})
        whole = self.read(good)
        self.refuse(self.write("cut.pack", whole[:-3000]), "ERR_PACK_INVALID", 2, "truncated")
        self.refuse(self.write("edited.pack", whole.replace(b"one two three", b"one two thrii")), "ERR_PACK_SIGNATURE", 6, "digest")
        self.refuse(self.write("longer.pack", whole + b"x"), "ERR_PACK_INVALID", 2)

    def test_publishers(self):
        self.refuse(self.pack("unsigned", STEPS, key=None), "ERR_PACK_SIGNATURE", 6, "unsigned")
        self.refuse(self.pack("foreign", STEPS, key="stranger"), "ERR_PACK_SIGNATURE", 6, "unknown-publisher")
        self.refuse(self.pack("job", STEPS, key="line"), "ERR_PACK_SIGNATURE", 6, "scope")
        self.stella("pack", "run", "--bundle", self.pack("line-feed", STEPS, key="line"))


class Plans(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()
        self.stella("pack", "run", "--bundle", self.pack("first", STEPS))  # so that the journal is there
        self.bundle = self.pack("job", [{"id": "a", "run": {"command": ["cat", "/inputs/file"]}}],
                                inputs=[{"name": "cell", "type": "string"}, {"name": "file", "type": "file"}])
        self.write("given.txt", "one")
        self.write("inputs.json", json.dumps({"cell": "A1", "file": "given.txt"}))
        self.planned = self.plan()

    def plan(self):
        return self.stella("--output", "json", "pack", "plan", "--bundle", self.bundle, "--inputs", self.path("inputs.json")).json["planHash"]

    def run_as_planned(self):
        return ["pack", "run", "--bundle", self.bundle, "--inputs", self.path("inputs.json"), "--plan-hash", self.planned]

    def refuse(self):
        self.refused_and_unchanged("ERR_PACK_HASH_MISMATCH", 6, *self.run_as_planned(), reason="asked")

    def test_an_input_changed_after_the_plan(self):
        self.write("inputs.json", json.dumps({"cell": "A2", "file": "given.txt"}))
        self.refuse()
        self.write("inputs.json", json.dumps({"cell": "A1", "file": "given.txt"}))
        self.write("given.txt", "two")
        self.refuse()
        self.write("given.txt", "one")
        self.stella(*self.run_as_planned())

    def test_a_policys_effect_changed_after_the_plan(self):
        stricter = self.policy(version=2)
        stricter["approvals"]["require"] = [{"packs": ["job"], "threshold": 2}]
        self.apply(stricter)
        self.refuse()

    def test_a_policy_without_effect_keeps_the_plan(self):
        self.apply(self.policy(version=2, denied=[{"pack": "other:1.0.0", "reason": "old"}]))
        self.stella(*self.run_as_planned())

    def test_inputs_that_the_pack_does_not_take(self):
        for text in ('{"cell": 7, "file": "given.txt"}', '{"cell": "A1", "file": "missing.txt"}', '{"cell": "A1", "file": "given.txt", "more": 1}',
                     '{"cell": "A1", "cell": "A2", "file": "given.txt"}'):
            with self.subTest(text):
                self.write("inputs.json", text)
                before = self.home_state()
                result = self.stella("--output", "json", *self.run_as_planned(), expect=None)
                self.assertIn((result.error["code"], result.status), (("ERR_PACK_INPUTS", 2), ("ERR_FILE_NOT_FOUND", 4)), str(result))
                self.assert_unchanged(before)


class Responses(ApprovalSite):
    def setUp(self):
        super().setUp()
        self.run_id = self.run_to_gate()
        self.request = self.ask(self.run_id)
        self.good = self.sign(self.request, "ada")

    def gates(self):
        """What the run has come to."""
        shown = self.show(self.run_id)
        return shown["state"], shown["gates"], [event["type"] for event in self.events(self.run_id) if event["type"] != "pack.approval.refused"]

    def test_one_byte_changed(self):
        """At 40 places from front to back; ledger and journal record each refusal, everything else is as it was."""
        whole = self.read(self.good)
        before, stored = self.gates(), self.snapshot()
        hint = range(whole.index(b'"keyid":"') + 9, whole.index(b'"keyid":"') + 9 + 64)  # the key id that nothing relies on
        for at in sorted(set(range(1, len(whole), len(whole) // 40)) - set(hint)):
            changed = bytearray(whole)
            changed[at] ^= 1
            result = self.stella("--output", "json", "pack", "approve", "--offline-response", self.write("craft/RES-x.json", bytes(changed)), expect=None)
            self.assertIn((result.error["code"], result.status), {("ERR_APPROVAL_MALFORMED", 2), ("ERR_APPROVAL_SIGNATURE", 6), ("ERR_APPROVAL_MISMATCH", 6)}, str(result))
        self.assertEqual(self.gates(), before)
        self.assertTrue(self.snapshot() == stored, "what the run stores of its approvals changed")
        self.take(self.good)

    def test_of_another_run(self):
        other = self.run_to_gate()
        self.ask(other)
        statement = self.statement(self.good)["predicate"]
        self.assertEqual(statement["runId"], self.run_id)
        self.stella("pack", "runs", "cancel", self.run_id)
        self.assert_refused("ERR_APPROVAL_REPLAYED", "closed", self.good)
        result = self.stella("pack", "runs", "resume", "--run", other, expect=7)
        self.assertIn("has 0", result.err)


class Policies(SealedSite):
    def refuse(self, signed, code, exit_status, reason=None, trust=("admin",)):
        self.refused_and_unchanged(code, exit_status, "site", "apply", signed, *[word for name in trust for word in ("--trust", self.key(name) + ".pub")], reason=reason)

    def test_versions(self):
        self.apply(self.policy(version=3))
        self.refuse(self.sign_policy(self.policy(version=3, site="plant-7", denied=[{"pack": "x:1.0.0", "reason": "y"}]), name="other"), "ERR_SITE_ROLLBACK", 6)
        self.refuse(self.sign_policy(self.policy(version=2)), "ERR_SITE_ROLLBACK", 6)

    def test_signed_by_too_few_by_a_stranger_or_edited(self):
        document = self.policy()
        document["admins"] = {"threshold": 2, "keys": [self.public("admin"), self.public("second")]}
        one = self.sign_policy(document)
        self.refuse(one, "ERR_SITE_SIGNATURE", 6, trust=("admin", "second"))
        self.refuse(self.sign_policy(self.policy(), key="stranger", name="strange"), "ERR_SITE_SIGNATURE", 6)
        envelope = json.loads(self.read(self.sign_policy(self.policy(), name="edited")))
        envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]).replace(b"OT Tools", b"XT Tools")).decode()
        self.refuse(self.write("edited.dsse.json", json.dumps(envelope)), "ERR_SITE_SIGNATURE", 6)


class Homes(SealedSite):
    def test_writable_by_others(self):
        self.apply()
        bundle = self.pack("job", STEPS)
        for mode in (0o770, 0o707, 0o777):
            os.chmod(self.home, mode)
            self.refused_and_unchanged("ERR_HOME_UNSAFE", 2, "pack", "run", "--bundle", bundle)
        os.chmod(self.home, 0o700)

    @unittest.skipIf(os.geteuid() != 0, "giving a home away needs root")
    def test_of_somebody_else(self):
        self.apply()
        bundle = self.pack("job", STEPS)
        os.chown(self.home, 4711, 4711)
        self.refused_and_unchanged("ERR_HOME_UNSAFE", 2, "pack", "run", "--bundle", bundle)
        os.chown(self.home, 0, 0)


class Keys(SealedSite):
    def test_openssl_computes_the_same_key_id(self):
        shown = self.stella("--output", "json", "key", "show", self.key("ada") + ".pub").json
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", self.key("ada") + ".pub", "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
        summed = subprocess.run(["openssl", "dgst", "-sha256", "-r"], input=der, check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(shown["id"], summed.decode().split()[0])


if __name__ == "__main__":
    main()
