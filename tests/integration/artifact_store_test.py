#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk below a run's artifacts is full, read-only or gone: the run pauses, nothing is lost, `pack run --resume` finishes it."""
import os
import subprocess
import unittest

from harness import main
from run_site import RunTest


@unittest.skipUnless(os.geteuid() == 0, "mounting a small disk needs root")
class ArtifactStore(RunTest):
    def make_home(self, name):
        path = super().make_home(name)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m,mode=0700", "tmpfs", path], check=False, capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.home], check=True, capture_output=True)

    def ones(self, run):
        return self.read(os.path.join(self.show(run)["folder"], "work", "ones"), "r").splitlines()

    def steps(self, second):
        return [self.step("one", "echo x >> /work/ones; echo kept > /artifacts/one.txt"), self.step("two", second, onCrash="rerun")]

    def assert_finished(self, run, result):
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
        self.assertEqual(self.ones(run), ["x"])
        self.assertEqual(self.types(run).count("pack.run.succeeded"), 1)
        self.assertTrue(os.path.isdir(result["evidence"]))
        self.stella("pack", "runs", "export", run, "--out", self.path("out"))

    def test_a_full_store(self):
        bundle = self.pack("job", self.steps("test -e /work/go || cat /dev/zero > /artifacts/big; echo done > /artifacts/two.txt"))
        self.assertEqual(self.refused("ERR_ARTIFACT_STORE", "pack", "run", "--bundle", bundle)["exit"], 8)
        run = self.last_run()
        shown = self.show(run)
        self.assertEqual((shown["state"], shown["code"]), ("paused", "ERR_ARTIFACT_STORE"))
        os.unlink(os.path.join(shown["folder"], "artifacts", "big"))
        self.write(os.path.join(shown["folder"], "work", "go"), "")
        self.assert_finished(run, self.stella("--output", "json", "pack", "run", "--resume", run).json)

    def test_a_read_only_store(self):
        self.run_pack(self.steps("test -e /work/go || kill -STOP $$; echo done > /artifacts/two.txt"), expect=-9, env={"STELLA_CRASH_AT": "step.started:2"})
        run = self.last_run()
        folder = self.show(run)["folder"]
        self.write(os.path.join(folder, "work", "go"), "")
        self.remount("ro")
        before = {name: self.read(os.path.join(folder, "artifacts", name)) for name in os.listdir(os.path.join(folder, "artifacts"))}
        refused = self.stella("--output", "json", "pack", "run", "--resume", run, expect=None)
        self.assertNotEqual(refused.status, 0, str(refused))
        self.assertEqual({name: self.read(os.path.join(folder, "artifacts", name)) for name in os.listdir(os.path.join(folder, "artifacts"))}, before)
        self.remount("rw")
        self.assert_finished(run, self.stella("--output", "json", "pack", "run", "--resume", run).json)

    def test_a_store_that_is_gone(self):
        self.run_pack(self.steps("echo done > /artifacts/two.txt"), expect=-9, env={"STELLA_CRASH_AT": "step.started:2"})
        run = self.last_run()
        place = os.path.join(self.show(run)["folder"], "artifacts")
        os.rename(place, place + ".away")
        self.assertEqual(self.refused("ERR_ARTIFACT_STORE", "pack", "run", "--resume", run, reason="gone")["exit"], 8)
        self.assertEqual(self.show(run)["state"], "paused")
        os.rename(place + ".away", place)
        self.assert_finished(run, self.stella("--output", "json", "pack", "run", "--resume", run).json)

    def test_evidence_that_had_no_room_is_sealed_by_a_resume(self):
        filler = os.path.join(self.home, "filler")
        with open(filler, "wb") as handle:
            handle.write(b"x" * (70 << 20))
        result = self.run_pack(self.steps("echo done > /artifacts/two.txt"))
        self.assertEqual((result["state"], result["evidence"]), ("succeeded", None))
        os.unlink(filler)
        self.assert_finished(result["runId"], self.stella("--output", "json", "pack", "run", "--resume", result["runId"]).json)


if __name__ == "__main__":
    main()
