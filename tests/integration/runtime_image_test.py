# SPDX-License-Identifier: Apache-2.0
"""A pack's steps run on the image that it pins: carried in the pack, verified, and nothing of the host's programs."""
import json
import os
import shutil
import subprocess
import unittest

import harness
import oci_image

SEE = """#!/bin/sh
set -eu
cat /etc/image-says
ls /bin | head -2
echo "tools=$TOOLS path=$PATH home=$HOME"
for path in /usr/bin/python3 /usr/lib /lib /var /root /etc/replaced; do
  [ ! -e "$path" ] || echo "SEEN $path"
done
(echo x > /bin/evil) 2>/dev/null && echo WROTE
echo done > /artifacts/report.txt
"""


@unittest.skipUnless(oci_image.BUSYBOX, "busybox is not installed")
class RuntimeImage(harness.SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()
        self.folder = self.pack_folder("on-image", [{"id": "see", "run": {"command": ["./see.sh"]}}], files={"see.sh": SEE})
        self.layout = os.path.join(self.folder, "images", "tools")
        self.digest = oci_image.write(self.layout, self.layers(), env=["PATH=/bin", "TOOLS=of the image", "HOME=/root"])
        self.pin(self.digest)

    def layers(self, says="hello from the image"):
        return [oci_image.busybox_layer("sh", "ls", "cat", "head"),
                oci_image.layer([("etc/replaced", "old"), ("etc/image-says", "old\n")]),
                oci_image.layer([("etc/.wh.replaced", ""), ("etc/image-says", says + "\n")])]

    def pin(self, digest, folder=None):
        path = os.path.join(folder or self.folder, "pack.yaml")
        document = json.loads(self.read(path))
        document["spec"]["runtime"] = {"image": "tools@" + digest}
        with open(path, "w", encoding="utf-8") as handle:
            json.dump(document, handle)

    def run_pack(self, expect=0, **kwargs):
        return self.stella("--output", "json", "pack", "run", "--bundle", self.build(self.folder), expect=expect, **kwargs)

    def log(self, run):
        return self.stella("pack", "runs", "logs", run, "--step", "see").out

    def test_a_step_sees_the_image_and_not_the_host(self):
        done = self.run_pack().json
        self.assertEqual(done["state"], "succeeded")
        log = self.log(done["runId"])
        self.assertIn("hello from the image", log)
        self.assertIn("busybox", log)
        self.assertIn("tools=of the image path=/bin home=/home/step", log)
        for wrong in ("SEEN", "WROTE", "old"):
            self.assertNotIn(wrong, log)
        pinned = {"image": "tools", "digest": self.digest}
        with open(os.path.join(done["evidence"], "data", "plan.json"), encoding="utf-8") as handle:
            self.assertEqual(json.load(handle)["runtime"], pinned)
        self.stella("evidence", "verify", done["evidence"], "--trust", self.key("admin") + ".pub")

    def test_the_plan_pins_the_digest(self):
        bundle = self.build(self.folder)
        first = self.stella("--output", "json", "pack", "plan", "--bundle", bundle).json
        self.assertEqual(first["plan"]["runtime"], {"image": "tools", "digest": self.digest})
        self.assertIn("tools@" + self.digest, self.stella("pack", "plan", "--bundle", bundle).out)

    def test_another_image_of_the_same_name_is_refused(self):
        shutil.rmtree(self.layout)
        other = oci_image.write(self.layout, self.layers("not what was pinned"))
        for verb in (["build", self.folder, "--out", self.path("x.pack")], ["validate", "--dir", self.folder]):
            error = self.refused("ERR_PACK_INVALID", "pack", *verb, reason="image")
            self.assertIn(other, error["message"])
        self.assertFalse(os.path.exists(self.path("x.pack")))

    def test_an_image_with_wrong_bytes_is_refused(self):
        biggest = max(os.scandir(os.path.join(self.layout, "blobs", "sha256")), key=lambda entry: entry.stat().st_size)
        data = bytearray(self.read(biggest.path))
        data[len(data) // 2] ^= 1
        with open(biggest.path, "wb") as handle:
            handle.write(data)
        error = self.refused("ERR_PACK_HASH_MISMATCH", "pack", "run", "--bundle", self.build(self.folder), reason="image")
        self.assertEqual(error["exit"], 6)
        self.assertFalse(os.path.exists(os.path.join(self.home, "images", self.digest[7:])))

    def test_an_image_that_is_nowhere_is_not_found_and_one_in_the_registry_is(self):
        aside = self.path("aside")
        shutil.move(os.path.join(self.folder, "images"), aside)
        bundle = self.build(self.folder)
        self.refused("ERR_PACK_NOT_FOUND", "pack", "run", "--bundle", bundle, reason="image")
        shutil.copytree(os.path.join(aside, "tools", "blobs"), os.path.join(self.home, "mirror", "blobs"), dirs_exist_ok=True)
        self.assertIn("hello", self.log(self.stella("--output", "json", "pack", "run", "--bundle", bundle).json["runId"]))

    def test_an_unpacked_image_that_was_changed_is_noticed(self):
        self.run_pack()
        place = os.path.join(self.home, "images", self.digest[7:])
        with open(os.path.join(place, "rootfs", "etc", "image-says"), "w", encoding="utf-8") as handle:
            handle.write("changed\n")
        error = self.refused("ERR_PACK_HASH_MISMATCH", "pack", "run", "--bundle", self.build(self.folder), reason="image")
        self.assertIn("etc/image-says", error["message"])
        shutil.rmtree(place)
        self.assertEqual(self.run_pack().json["state"], "succeeded")

    def test_a_power_cut_while_unpacking_leaves_nothing_half(self):
        bundle = self.build(self.folder)
        for point in ("image.unpacked", "image.kept"):
            killed = subprocess.run([harness.STELLA, "pack", "run", "--bundle", bundle], check=False, capture_output=True,
                                    env=self.environment(extra={"STELLA_CRASH_AT": point}), cwd=self.root)
            self.assertEqual(killed.returncode, -9, killed.stderr)
            run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]
            run = run.get("runId") or run["id"]
            self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json["state"], "succeeded")
            images = os.path.join(self.home, "images")
            self.assertEqual([name for name in os.listdir(images) if name.startswith(".unpacking")], [])
            shutil.rmtree(os.path.join(images, self.digest[7:]))

    def test_a_script_needs_a_shell_in_the_image(self):
        shutil.rmtree(self.layout)
        self.pin(oci_image.write(self.layout, [oci_image.busybox_layer("ls"), oci_image.layer([("etc/x", "x")])]))
        document = json.loads(self.read(os.path.join(self.folder, "pack.yaml")))
        document["spec"]["steps"] = [{"id": "see", "run": {"script": "true"}}]
        with open(os.path.join(self.folder, "pack.yaml"), "w", encoding="utf-8") as handle:
            json.dump(document, handle)
        self.refused("ERR_PACK_STEP_FAILED", "pack", "run", "--bundle", self.build(self.folder))

    @unittest.skipUnless(shutil.which("skopeo"), "skopeo is not installed")
    def test_skopeo_reads_the_image_and_its_archive_runs_too(self):
        def skopeo(*args):
            done = subprocess.run(["skopeo", "--insecure-policy", *args], capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        self.assertEqual(json.loads(skopeo("inspect", f"oci:{self.layout}:latest"))["Digest"], self.digest)
        skopeo("copy", "--preserve-digests", f"oci:{self.layout}:latest", f"oci-archive:{self.path('tools.tar')}")
        shutil.rmtree(self.layout)
        shutil.move(self.path("tools.tar"), os.path.join(self.folder, "images", "tools.tar"))
        self.assertIn("hello from the image", self.log(self.run_pack().json["runId"]))


if __name__ == "__main__":
    harness.main()
