#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every file argument of every verb as a folder, a FIFO, missing, empty, and a gigabyte of zeros: a clean refusal with a
code, at once, and nothing changes."""
import os
import resource
import time

from harness import main
from mirror_site import MirrorSite

CODES = {"ERR_FILE_UNSUITABLE", "ERR_FILE_NOT_FOUND", "ERR_PACK_INVALID", "ERR_APPROVAL_MALFORMED", "ERR_MIRROR_MALFORMED", "ERR_SITE_INVALID",
         "ERR_KEY_UNUSABLE", "ERR_EVIDENCE_INCOMPLETE", "ERR_USAGE", "ERR_MIRROR_UNTRUSTED", "ERR_PACK_INPUTS", "ERR_VAULT_NOT_FOUND", "ERR_SITE_SIGNATURE",
         "ERR_MEDIA_UNSUITABLE", "ERR_VAULT_TAMPERED"}
HERE = "@"  # stands for the hostile file


class FileArguments(MirrorSite):
    def setUp(self):
        super().setUp()
        self.folder = self.pack_folder("good", [{"id": "one", "run": {"command": ["true"]}}])
        self.good = self.build(self.folder)
        done = self.stella("--output", "json", "pack", "run", "--bundle", self.good).json
        self.bag = done["evidence"]
        gated = self.pack("gated", [{"id": "gate", "gate.approval": {"approval": "review"}}], approvals=[{"id": "review", "threshold": 1}])
        waiting = self.stella("--output", "json", "pack", "run", "--bundle", gated, expect=7).json
        self.run_id, self.plan_hash = waiting["runId"], waiting["planHash"]
        self.request = self.stella("--output", "json", "pack", "approve", "--run", self.run_id, "--gate", "review", "--offline-request", "--out", self.root).json["file"]
        os.makedirs(self.path("hostile"))
        os.makedirs(self.path("hostile", "folder"))
        os.mkfifo(self.path("hostile", "fifo"), 0o600)
        self.write("hostile/empty", "")
        with open(self.write("hostile/zeros", ""), "r+b") as handle:
            handle.truncate(1 << 30)

    def commands(self):
        key, pub = self.key("admin"), self.key("admin") + ".pub"
        trust = ["--trust", pub]
        decision = ["--decision", "approved", "--comment", "c", "--plan-hash", "sha256:" + "0" * 64, "--yes"]
        yield ["key", "show", HERE]
        yield ["site", "check", HERE]
        yield ["site", "sign", HERE, "--key", key, "--out", self.path("out")]
        yield ["site", "sign", self.path("policy-1.json"), "--key", HERE, "--out", self.path("out")]
        yield ["site", "apply", HERE, "--trust", pub]
        yield ["site", "apply", self.path("policy-1.dsse.json"), "--trust", HERE]
        yield ["pack", "sign", HERE, "--key", self.key("publisher")]
        yield ["pack", "validate", "--bundle", HERE]
        yield ["pack", "inspect", HERE]
        yield ["pack", "plan", "--bundle", HERE]
        yield ["pack", "plan", "--bundle", self.good, "--inputs", HERE]
        yield ["pack", "run", "--bundle", HERE]
        yield ["pack", "run", "--bundle", self.good, "--inputs", HERE]
        yield ["pack", "check-schema", HERE]
        yield ["pack", "approve", "--offline-response", HERE]
        yield ["pack", "mirror", "pull", "--from", HERE]
        yield ["mirror", "trust", HERE, "--expect", "sha256:" + "0" * 64]
        yield ["approval", "review", HERE, "--trust", pub]
        yield ["approval", "review", self.request, "--trust", HERE]
        yield ["approval", "sign", HERE, "--key", self.key("ada"), *trust, *decision]
        yield ["approval", "sign", self.request, "--key", HERE, *trust, *decision[:-2], self.plan_hash, "--yes"]
        yield ["pack", "approve", "--run", self.run_id, "--gate", "review", "--comment", "c", "--key", HERE]
        yield ["evidence", "verify", HERE, *trust]
        yield ["evidence", "verify", self.bag, "--trust", HERE]
        yield ["evidence", "show", HERE]
        yield ["pack", "build", self.folder, "--out", self.path("out"), "--key", HERE]
        yield ["pack", "sign", self.good, "--key", HERE]
        yield ["pack", "plan", "--bundle", self.good, "--diff", HERE]
        yield ["mirror", "add", self.mirror, HERE]
        yield ["mirror", "init", self.path("new-mirror"), "--threshold", "1", "--root-key", HERE]
        yield ["mirror", "publish", HERE, "--to", self.path("nowhere")]
        yield ["vault", "restore", HERE, "--yes"]
        yield ["vault", "init", "--passphrase-file", HERE]
        yield ["vault", "put", "name", "--scope", "s", "--from", HERE]

    def test_hostile_files_are_refused_at_once_and_change_nothing(self):
        before = self.home_state()
        for command in self.commands():
            for kind in ("folder", "fifo", "missing", "empty", "zeros"):
                args = [self.path("hostile", kind) if word == HERE else word for word in command]
                with self.subTest(command=" ".join(command[:3]), kind=kind):
                    started = time.monotonic()
                    result = self.stella("--output", "json", *args, expect=None, input="{}", timeout=60)
                    self.assertNotEqual(result.status, 0, str(result))
                    self.assertIn(result.error["code"], CODES, str(result))
                    self.assertLess(time.monotonic() - started, 30, str(result))
        self.assert_unchanged(before)
        # A gigabyte of zeros is never read whole: what the kernel accounts to our children stays small.
        self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 700 * 1024)


if __name__ == "__main__":
    main()
