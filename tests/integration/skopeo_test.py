# SPDX-License-Identifier: Apache-2.0
"""Other people's tools carry a .pack: skopeo copies it to an OCI layout and back with the same manifest and config."""
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import unittest

from harness import SealedSite

MANIFEST = """apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: {name: carried, version: 2.1.0, description: travels in other people's tools}
spec:
  steps:
    - id: say
      run: {command: [./steps/say.sh]}
"""


@unittest.skipUnless(shutil.which("skopeo"), "skopeo is not installed")
class Skopeo(SealedSite):
    def setUp(self):
        super().setUp()
        self.write("src/pack.yaml", MANIFEST)
        self.write("src/steps/say.sh", "#!/bin/sh\necho hello\n", 0o755)
        self.write("src/data/large.bin", os.urandom(3 << 20))
        self.signer = self.openssl_key("publisher.key")
        self.file = self.path("carried-2.1.0.pack")
        self.built = self.stella("--output", "json", "pack", "build", "src", "--key", self.signer, "--out", self.file).json

    def openssl_key(self, name):
        path = self.path(name)
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
        os.chmod(path, 0o600)
        return path

    def skopeo(self, *args):
        done = subprocess.run(["skopeo", "--insecure-policy", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, f"skopeo {args}: {done.stderr.decode()}")
        return done.stdout

    def inspect(self, what):
        return self.stella("--output", "json", "pack", "inspect", what).json

    def layout_manifest(self, folder):
        """The manifest's bytes as the layout's index names them."""
        with open(os.path.join(folder, "index.json"), encoding="utf-8") as handle:
            (descriptor,) = json.load(handle)["manifests"]
        algorithm, value = descriptor["digest"].split(":")
        data = self.read(os.path.join(folder, "blobs", algorithm, value))
        self.assertEqual(hashlib.sha256(data).hexdigest(), value)
        return value, json.loads(data)

    def test_to_a_layout_and_back(self):
        before = self.inspect(self.file)
        self.skopeo("copy", f"oci-archive:{self.file}:carried:2.1.0", f"oci:{self.path('layout')}:carried:2.1.0")
        manifest_digest, manifest = self.layout_manifest(self.path("layout"))
        self.assertEqual("sha256:" + manifest_digest, before["manifestDigest"])
        self.assertEqual(manifest["config"]["digest"], self.built["digest"])
        self.assertEqual(manifest["artifactType"], "application/vnd.stella.pack.v1")
        self.assertEqual(len(manifest["layers"]), 3, "small files, the large one, the signature")
        self.skopeo("copy", f"oci:{self.path('layout')}:carried:2.1.0", f"oci-archive:{self.path('back.pack')}:carried:2.1.0")
        self.assertEqual(self.inspect(self.path("layout")), before)
        self.assertEqual(self.inspect(self.path("back.pack")), before)

    def test_from_the_unpacked_tar(self):
        with tarfile.open(self.file) as tar:
            tar.extractall(self.path("unpacked"))
        self.skopeo("copy", f"oci:{self.path('unpacked')}:carried:2.1.0", f"dir:{self.path('flat')}")
        self.assertEqual("sha256:" + hashlib.sha256(self.read(self.path("flat", "manifest.json"))).hexdigest(),
                         self.inspect(self.file)["manifestDigest"])

    def test_skopeo_reads_the_manifest(self):
        raw = self.skopeo("inspect", "--raw", f"oci-archive:{self.file}:carried:2.1.0")
        self.assertEqual("sha256:" + hashlib.sha256(raw).hexdigest(), self.inspect(self.file)["manifestDigest"])

    def test_a_layer_changed_on_the_way_is_refused(self):
        self.skopeo("copy", f"oci-archive:{self.file}:carried:2.1.0", f"oci:{self.path('layout')}:carried:2.1.0")
        _, manifest = self.layout_manifest(self.path("layout"))
        blob = self.path("layout", "blobs", "sha256", manifest["layers"][1]["digest"].split(":")[1])
        with open(blob, "r+b") as handle:
            handle.seek(5000)
            byte = handle.read(1)
            handle.seek(5000)
            handle.write(bytes([byte[0] ^ 1]))
        self.refused("ERR_PACK_SIGNATURE", "pack", "inspect", self.path("layout"), reason="digest")

    def test_a_python_tar_reader_sees_a_deterministic_archive(self):
        with tarfile.open(self.file) as tar:
            members = tar.getmembers()
        self.assertEqual([m.name for m in members][:2], ["oci-layout", "index.json"])
        self.assertEqual({(m.uid, m.gid, m.mtime, m.uname, m.gname, m.mode) for m in members}, {(0, 0, 0, "", "", 0o644)})


if __name__ == "__main__":
    unittest.main()
