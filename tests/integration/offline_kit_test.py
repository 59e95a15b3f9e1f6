#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A signed manifest of each finished run lands in the offline kit's folder: once, whole, later when the folder was not fit."""
import hashlib
import os
import subprocess

import removal_check
from harness import main
from run_site import RunTest


class OfflineKit(RunTest):
    def setUp(self):
        super().setUp()
        self.kit = self.path("kit")
        os.mkdir(self.kit)
        self.apply(self.policy(version=2, offlineKit={"folder": self.kit}))

    def files(self):
        return sorted(os.listdir(self.kit))

    def manifest(self, name):
        found = removal_check.statement(os.path.join(self.kit, name), self.path("apl-test.pub"), "urn:stella:run-manifest:v1")
        return found["subject"], found["predicate"]

    def doctor(self):
        findings = self.stella("--output", "json", "doctor", expect=None).json["findings"]
        return [(row["health"], row["says"]) for row in findings if row["what"] == "kit"]

    def test_a_finished_run_is_described_and_signed(self):
        result = self.run_pack([self.step("a", "true")])
        (name,) = self.files()
        subjects, said = self.manifest(name)
        bag = os.path.basename(result["evidence"])
        sums = "sha256:" + hashlib.sha256(self.read(os.path.join(result["evidence"], "SHA256SUMS"))).hexdigest()
        self.assertEqual((said["runId"], said["tenant"], said["state"], said["attempt"]), (result["runId"], "plant-7", "succeeded", 1))
        self.assertEqual((said["pack"]["name"], said["pack"]["version"], said["planHash"]), ("job", "1.0.0", result["planHash"]))
        self.assertEqual((said["evidence"]["bag"], said["evidence"]["list"]), (bag, sums))
        self.assertEqual([subject["name"] for subject in subjects], ["plan.json", bag + "/SHA256SUMS"])
        times = said["times"]
        self.assertTrue(times["submitted"] <= times["started"] <= times["ended"] <= times["sealed"], times)
        self.assertEqual(self.show(result["runId"])["kit"]["file"], os.path.join(self.kit, name))
        self.assertIn(name, self.stella("pack", "runs", "show", result["runId"]).out)
        self.assertEqual(self.doctor()[0][0], "ok")

    def test_a_failed_run_and_its_second_attempt_have_one_each(self):
        self.run_pack([self.step("a", "test -e /work/mended || { touch /work/mended; exit 1; }")], expect=1)
        self.stella("pack", "runs", "resume", self.last_run())
        states = [self.manifest(name)[1]["state"] for name in self.files()]
        self.assertEqual(states, ["failed", "succeeded"])

    def test_a_run_that_waits_has_none(self):
        self.run_pack([{"id": "gate", "gate.approval": {"approval": "review"}}], expect=7, approvals=[{"id": "review", "threshold": 1}])
        self.assertEqual(self.files(), [])

    def test_nothing_is_written_twice(self):
        self.run_pack([self.step("a", "true")])
        (name,) = self.files()
        before = os.stat(os.path.join(self.kit, name))
        os.unlink(os.path.join(self.home, "runs", "kit.json"))
        self.stella("pack", "runs", "list")
        after = os.stat(os.path.join(self.kit, name))
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_a_missing_folder_fails_no_run_and_is_delivered_later(self):
        os.rmdir(self.kit)
        run = self.run_pack([self.step("a", "true")])["runId"]
        self.assertFalse(os.path.exists(self.kit))
        self.assertIn("is not there", self.show(run)["kit"]["why"])
        self.assertIn("kit      waits", self.stella("pack", "runs", "show", run).out)
        self.assertEqual(self.doctor()[0][0], "warning")
        os.mkdir(self.kit)
        self.stella("pack", "runs", "list")
        self.assertEqual(len(self.files()), 1)
        self.assertEqual((self.doctor()[0][0], self.show(run)["kit"]["why"]), ("ok", None))

    def test_a_full_folder_is_tried_again_and_never_holds_a_part(self):
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "tmpfs", self.kit], check=False, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.kit], check=False)
        filler = os.path.join(self.kit, "filler")
        with open(filler, "wb", buffering=0) as handle:
            while True:
                try:
                    handle.write(b"x" * 4096)
                except OSError:
                    break
        run = self.run_pack([self.step("a", "true")])["runId"]
        self.assertEqual(self.files(), ["filler"])
        self.assertIn("ERR_", self.show(run)["kit"]["why"])
        os.unlink(filler)
        self.stella("pack", "runs", "list")
        (name,) = self.files()
        self.assertEqual(self.manifest(name)[1]["runId"], run)

    def test_a_file_that_cannot_be_written_keeps_no_other_back(self):
        first = self.run_pack([self.step("a", "true")])["runId"]
        (name,) = self.files()
        path = os.path.join(self.kit, name)
        os.unlink(path)
        os.mkdir(path)
        mark = os.path.join(self.home, "runs", "kit.json")
        os.unlink(mark)  # everything is looked at anew
        second = self.run_pack([self.step("a", "true")], name="second")["runId"]
        (delivered,) = [one for one in self.files() if one != name]
        os.unlink(os.path.join(self.kit, delivered))
        os.unlink(mark)
        self.stella("pack", "runs", "list")
        self.assertEqual(self.manifest(delivered)[1]["runId"], second)
        self.assertIn(name, self.show(first)["kit"]["why"])
        self.assertIsNone(self.show(second)["kit"]["why"])
        health, says = self.doctor()[0]
        self.assertEqual(health, "warning")
        self.assertIn("1 manifest waits", says)
        self.assertIn(first, says)
        os.rmdir(path)
        self.stella("pack", "runs", "list")
        self.assertEqual(self.manifest(name)[1]["runId"], first)
        self.assertEqual(self.doctor()[0][0], "ok")

    def test_killed_after_the_file_it_is_known_as_delivered(self):
        self.run_pack([self.step("a", "true")], expect=-9, env={"STELLA_CRASH_AT": "kit.delivered"})
        (name,) = self.files()
        before = self.read(os.path.join(self.kit, name))
        self.stella("pack", "runs", "list")
        self.assertEqual((self.files(), self.read(os.path.join(self.kit, name))), ([name], before))
        self.assertEqual(self.doctor()[0][0], "ok")

    def test_killed_before_it_the_next_process_delivers(self):
        self.run_pack([self.step("a", "true")], expect=-9, env={"STELLA_CRASH_AT": "run.finished"})
        self.assertEqual(self.files(), [])
        self.stella("pack", "runs", "resume", self.last_run(), expect=None)
        self.stella("pack", "runs", "list")
        self.assertEqual(len(self.files()), 1)


if __name__ == "__main__":
    main()
