#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an approver's desk refuses to show or to sign."""
import base64
import glob
import hashlib
import json
import os
import pty
import shutil
import subprocess

from approval_site import ApprovalSite, canonical
from harness import main


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
