# SPDX-License-Identifier: Apache-2.0
"""A run that waits at a gate for two people, and the desks of those who decide: what the approval tests share."""
import base64
import glob
import hashlib
import json
import os
import subprocess

from harness import SealedSite

STATEMENT = "application/vnd.in-toto+json"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class ApprovalSite(SealedSite):
    threshold, roles, expires_after = 2, {}, "PT1H"

    def setUp(self):
        super().setUp()
        self.apply()
        self.bundle = self.pack("gated", [
            {"id": "check", "run": {"script": 'echo "ready=yes" >> "$STELLA_OUTPUT"\necho hello > /work/note\necho checked\n'}},
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
