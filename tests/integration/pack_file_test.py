# SPDX-License-Identifier: Apache-2.0
"""Packs as files: the same bytes every time, signatures that keep the digest, and every bad file refused by name."""
import json
import os
import subprocess
import tarfile
import unittest

from harness import SealedSite

MANIFEST = """apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: {name: filed, version: 1.0.0}
spec:
  inputs:
    - {name: cell, type: string, required: true}
  secrets:
    - {name: plc-token, scope: firmware, as: file}
  approvals:
    - {id: review, threshold: 2}
  network:
    - {host: historian.example, port: 443}
  steps:
    - id: say
      run: {command: [./steps/say.sh, "${{ inputs.cell }}"], secrets: [plc-token]}
    - id: review
      gate.approval: {approval: review}
"""


class PackFile(SealedSite):
    def setUp(self):
        super().setUp()
        self.write("src/pack.yaml", MANIFEST)
        self.write("src/steps/say.sh", "#!/bin/sh\necho hello\n", 0o755)

    def build(self, *args, out="x.pack"):
        return self.stella("--output", "json", "pack", "build", "src", "--out", self.path(out), *args).json

    def key_file(self, name):
        path = self.path(name)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
        os.chmod(path, 0o600)
        return path

    def key_id(self, path):
        der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
        digest = subprocess.run(["sha256sum"], input=der, check=True, stdout=subprocess.PIPE).stdout
        return digest.decode().split()[0]

    def test_the_same_folder_gives_the_same_bytes(self):
        self.build(out="one.pack")
        os.utime(self.path("src/pack.yaml"), (1, 1))
        os.chmod(self.path("src/pack.yaml"), 0o640)
        self.build(out="two.pack")
        self.assertEqual(self.read(self.path("one.pack")), self.read(self.path("two.pack")))

    def test_the_name_comes_from_the_manifest(self):
        self.stella("pack", "build", cwd=self.path("src"))
        self.assertTrue(os.path.exists(self.path("src/filed-1.0.0.pack")))

    def test_signing_adds_a_key_id_and_keeps_the_digest(self):
        digest = self.build()["digest"]
        first, second = self.key_file("a.key"), self.key_file("b.key")
        self.stella("pack", "sign", self.path("x.pack"), "--key", first)
        self.stella("pack", "sign", self.path("x.pack"), env={"STELLA_KEY": second})
        seen = self.stella("--output", "json", "pack", "inspect", self.path("x.pack")).json
        self.assertEqual(seen["digest"], digest)
        self.assertEqual([s["keyid"] for s in seen["signatures"]], [self.key_id(first), self.key_id(second)])

    def test_the_digest_is_the_configs(self):
        digest = self.build()["digest"]
        with tarfile.open(self.path("x.pack")) as tar:
            config = json.load(tar.extractfile("blobs/sha256/" + digest.split(":")[1]))
        self.assertEqual([f["path"] for f in config["files"]], ["pack.yaml", "steps/say.sh"])

    def test_inspect_tells_what_the_pack_asks_for(self):
        self.build()
        seen = self.stella("--output", "json", "pack", "inspect", self.path("x.pack")).json
        self.assertEqual(seen["inputs"], [{"name": "cell", "type": "string", "required": True}])
        self.assertEqual(seen["secrets"], [{"name": "plc-token", "scope": "firmware"}])
        self.assertEqual(seen["network"], [{"host": "historian.example", "port": 443}])
        self.assertEqual(seen["approvals"][0]["threshold"], 2)
        text = self.stella("pack", "inspect", self.path("x.pack")).out
        for word in ("filed:1.0.0", "plc-token", "historian.example:443", "steps/say.sh"):
            self.assertIn(word, text)

    def test_a_bad_manifest_is_not_built(self):
        self.write("src/pack.yaml", MANIFEST.replace("steps:", "stepps:"))
        error = self.refused("ERR_PACK_INVALID", "pack", "build", "src", "--out", self.path("x.pack"))
        self.assertIn("pack.yaml:", error["at"])
        self.write("src/pack.yaml", "a: 1\na: 2\n")
        error = self.refused("ERR_PACK_INVALID", "pack", "build", "src", reason="yaml")
        self.assertTrue(error["at"].endswith("pack.yaml:2:1"), error)
        self.assertFalse(os.path.exists(self.path("x.pack")))

    def test_links_and_special_files_are_refused_by_name(self):
        os.symlink("/etc/passwd", self.path("src/steps/link"))
        error = self.refused("ERR_PACK_INVALID", "pack", "build", "src", reason="link")
        self.assertIn("steps/link", error["message"])
        os.unlink(self.path("src/steps/link"))
        os.mkfifo(self.path("src/pipe"))
        error = self.refused("ERR_PACK_INVALID", "pack", "build", "src", reason="type")
        self.assertIn("pipe", error["message"])
        self.write("src/.packignore", "pipe\n")
        self.build()

    def test_truncated_and_edited_files(self):
        self.build()
        good = self.read(self.path("x.pack"))
        for keep in (1, 513, len(good) // 2, len(good) - 1):
            self.write("bad.pack", good[:keep])
            self.refused("ERR_PACK_INVALID", "pack", "inspect", self.path("bad.pack"), reason="truncated")
        self.write("bad.pack", good.replace(b"echo hello", b"echo hallo"))
        self.refused("ERR_PACK_SIGNATURE", "pack", "inspect", self.path("bad.pack"), reason="digest")
        for at in range(0, len(good), 97):
            changed = bytearray(good)
            changed[at] ^= 0x41
            self.write("bad.pack", bytes(changed))
            result = self.stella("pack", "inspect", self.path("bad.pack"), expect=None)
            self.assertIn(result.status, (0, 2, 6), str(result))  # 0: a byte that nothing reads, such as a tag's

    def test_unsuitable_files(self):
        for name, code in (("missing", "ERR_FILE_NOT_FOUND"), ("folder", "ERR_PACK_INVALID"), ("pipe", "ERR_FILE_UNSUITABLE"),
                           ("empty", "ERR_FILE_UNSUITABLE"), ("zeros", "ERR_PACK_INVALID"), ("x.pack.zst", "ERR_PACK_INVALID")):
            path = self.path(name)
            if name == "folder":
                os.mkdir(path)
            elif name == "pipe":
                os.mkfifo(path)
            elif name in ("empty", "x.pack.zst"):
                self.write(name, "" if name == "empty" else "zz")
            elif name == "zeros":
                with open(path, "wb") as handle:
                    handle.truncate(1 << 30)
            self.refused(code, "pack", "inspect", path)
            if name != "folder":
                self.refused(code, "pack", "sign", path, "--key", self.key_file(name + ".key"))
        self.refused("ERR_PACK_NOT_FOUND", "pack", "inspect", "nothing:1.0.0")


if __name__ == "__main__":
    unittest.main()
