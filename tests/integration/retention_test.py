#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long runs are kept: artifacts before logs, each removal recorded and signed, on a full disk and after a kill too."""
import json
import os
import subprocess

import removal_check
from harness import main
from run_site import RunTest


class RetentionSite(RunTest):
    def setUp(self):
        super().setUp()
        self.removals = os.path.join(self.home, "runs", "removals")
        self.appliance = self.path("apl-test.pub")

    def finished(self, name="job", export=True, script="echo said; echo kept > /artifacts/kept.txt"):
        run = self.run_pack([self.step("a", script)], name=name, outputs=[{"name": "kept", "type": "file", "path": "kept.txt"}])["runId"]
        if export:
            self.stella("pack", "runs", "export", run, "--out", self.path("out"))
        return run

    def prune(self, *args, **kwargs):
        return self.stella("--output", "json", "pack", "runs", "prune", *args, **kwargs)

    def statements(self):
        return sorted(os.listdir(self.removals)) if os.path.isdir(self.removals) else []

    def parts(self, run):
        folder = os.path.join(self.home, "runs", run.replace(":", "_"))
        if not os.path.isdir(folder):
            return None
        folders = [name for name in os.listdir(folder) if os.path.isdir(os.path.join(folder, name))]
        return {name for name in folders if os.listdir(os.path.join(folder, name))}


class Retention(RetentionSite):
    def test_artifacts_go_before_logs_and_both_are_signed(self):
        run, kept = self.finished(), self.finished("kept", export=False)
        self.apply(self.policy(version=2, retention={"runs": "P30D", "artifacts": "1ms"}))
        dry = self.prune("--dry-run").json
        self.assertEqual([(row["runId"], row["stage"]) for row in dry["removed"]], [(run, "artifacts")])
        self.assertEqual([(row["runId"], row["kept"]) for row in dry["kept"]], [(kept, "unexported")])
        self.assertIn("artifacts would be removed: ended more than", self.stella("pack", "runs", "prune", "--dry-run").out)
        self.assertEqual((self.statements(), self.parts(run)), ([], self.parts(kept)))
        done = self.prune("--yes").json
        self.assertEqual([row["runId"] for row in done["removed"]], [run])
        self.assertEqual(self.parts(run) & {"artifacts", "work", "evidence", "pack"}, set())
        self.assertIn("artifacts", self.parts(kept))
        self.assertIn("said", self.stella("pack", "runs", "logs", run).out)
        shown = self.show(run)
        self.assertEqual(shown["artifactsRemoved"]["by"], "Ana Ortiz")
        self.assertIn("artifacts and bags", self.stella("pack", "runs", "show", run).out)
        self.refused("ERR_EVIDENCE_INCOMPLETE", "pack", "runs", "export", run, "--out", self.path("again"), reason="removed")
        stage, record = removal_check.removal(os.path.join(self.removals, self.statements()[0]), self.appliance)
        self.assertEqual((stage, record), ("artifacts", [event for event in self.events(run) if event["type"] == "pack.artifacts.removed"][0]))
        self.assertEqual(self.prune("--yes").json["removed"], [])
        whole = self.prune("--older-than", "0s", "--yes").json
        self.assertEqual([(row["runId"], row["stage"]) for row in whole["removed"]], [(run, "run")])
        (record,) = removal_check.chain(self.removals, self.appliance)
        self.assertEqual((record["run"], record["by"]), (run, "Ana Ortiz"))
        self.assertRegex(record["why"], "^ended more than ")

    def test_only_artifacts_when_that_is_asked(self):
        run = self.finished()
        done = self.prune("--older-than", "0s", "--artifacts", "--yes").json
        self.assertEqual([(row["runId"], row["stage"]) for row in done["removed"]], [(run, "artifacts")])
        self.assertEqual(self.show(run)["state"], "succeeded")

    def test_a_failed_run_whose_artifacts_went_runs_its_steps_again(self):
        run = self.run_pack([self.step("make", "echo x > /artifacts/x.txt"), self.step("fail", "test -e /work/mended || { touch /work/mended; exit 1; }")], expect=1)
        run = self.last_run()
        self.prune("--older-than", "0s", "--artifacts", "--unexported", "--yes")
        self.stella("pack", "runs", "resume", run, expect=1)  # /work/mended went too
        self.stella("pack", "run", "--resume", run)
        self.assertEqual(os.listdir(os.path.join(self.show(run)["folder"], "artifacts")), ["x.txt"])

    def test_what_was_never_exported_goes_only_when_forced_and_the_record_says_so(self):
        run = self.finished(export=False)
        self.assertEqual([row["kept"] for row in self.prune("--older-than", "0s", "--yes").json["kept"]], ["unexported"])
        self.assertEqual(self.statements(), [])
        self.prune("--older-than", "0s", "--unexported", "--yes")
        (record,) = removal_check.chain(self.removals, self.appliance)
        self.assertEqual(record["run"], run)
        self.assertIn("evidence never exported", record["why"])

    def test_the_evidence_of_each_attempt_is_exported_before_its_run_goes(self):
        bundle = self.pack("twice", [self.step("two", "test -e /work/mended")])
        run = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", bundle, expect=1).json["runId"]
        open(os.path.join(self.show(run)["folder"], "work", "mended"), "wb").close()
        self.stella("pack", "runs", "resume", run)
        self.assertEqual([row["kept"] for row in self.prune("--older-than", "0s", "--yes").json["kept"]], ["unexported"])
        done = self.stella("--output", "json", "pack", "runs", "export", run, "--out", self.path("out")).json
        self.assertEqual([done["runId"], len(done["earlier"])], [run, 1])
        bags = sorted(os.listdir(os.path.join(self.path("out"), "STELLA-EVIDENCE")))
        self.assertEqual(bags, sorted(os.path.basename(one["folder"]) for one in [done, *done["earlier"]]))
        again = self.stella("--output", "json", "pack", "runs", "export", run, "--out", self.path("out")).json
        self.assertEqual([again["folder"], again["earlier"]], [done["folder"], []])
        self.assertEqual(sum(event["type"] == "pack.evidence.exported" for event in self.events(run)), 2)
        self.assertEqual([row["runId"] for row in self.prune("--older-than", "0s", "--yes").json["removed"]], [run])

    def test_a_policy_cannot_keep_artifacts_longer_than_their_run(self):
        error = self.refused("ERR_SITE_INVALID", "site", "check", self.write("p.json", json.dumps(self.policy(version=3, retention={"runs": "P1D", "artifacts": "P2D"}))))
        self.assertIn("artifacts", error["at"] + error["message"])

    def test_a_server_prunes_by_itself(self):
        run, kept = self.finished(), self.finished("kept", export=False)
        self.apply(self.policy(version=2, retention={"runs": "1ms"}))
        server = self.start("serve", "--listen", "127.0.0.1:0")
        self.wait_for(lambda: self.statements() and self.parts(run) is None)
        self.assertIn("artifacts", self.parts(kept))
        server.terminate()
        self.assertEqual(server.wait(timeout=30), 0)
        (record,) = removal_check.chain(self.removals, self.appliance)
        self.assertEqual((record["run"], record["by"]), (run, "Ana Ortiz"))

    def test_the_list_of_removals_shows_a_forged_and_a_missing_statement(self):
        runs = [self.finished(f"job-{number}") for number in range(2)]
        self.assertIn("no run was removed", self.stella("pack", "runs", "removals").out)
        self.prune("--older-than", "0s", "--yes")
        listed = self.stella("--output", "json", "pack", "runs", "removals").json["removals"]
        self.assertEqual([(row["run"], row["signature"]) for row in listed], [(run, "good") for run in runs])
        first, second = (os.path.join(self.removals, name) for name in self.statements())
        kept = self.read(second)
        self.write(second, kept.replace(b'"sig":"', b'"sig":"A'))
        self.assertEqual(self.refused("ERR_JOURNAL_TAMPERED", "pack", "runs", "removals", reason="signature")["exit"], 6)
        os.unlink(second)
        self.refused("ERR_JOURNAL_TAMPERED", "pack", "runs", "removals", reason="signature")
        self.prune("--yes")
        self.assertEqual(self.read(second), kept)
        self.refused("ERR_JOURNAL_TAMPERED", "pack", "runs", "removals", "--trust", self.key("ada") + ".pub")
        self.assertTrue(os.path.exists(first))

    def test_killed_at_each_point_the_next_prune_finishes(self):
        for point, stage in (("artifacts.recorded", "artifacts"), ("artifacts.removed", "artifacts"), ("run.pruned", "run"), ("removal.unsigned", "run")):
            with self.subTest(point=point):
                run = self.finished(point.replace(".", "-"))
                more = ("--artifacts",) if stage == "artifacts" else ()
                self.prune("--older-than", "0s", *more, "--yes", expect=-9, env={"STELLA_CRASH_AT": point})
                self.prune("--older-than", "0s", *more, "--yes")
                if stage == "artifacts":
                    self.assertEqual(self.parts(run) & {"artifacts", "work", "evidence", "pack"}, set())
                    self.assertEqual(sum(event["type"] == "pack.artifacts.removed" for event in self.events(run)), 1)
                    removal_check.removal(os.path.join(self.removals, [name for name in self.statements() if run.replace(":", "_") in name][0]), self.appliance)
                    self.prune("--older-than", "0s", "--yes")
                self.assertIsNone(self.parts(run))
                self.assertEqual(removal_check.chain(self.removals, self.appliance)[-1]["run"], run)
                self.stella("pack", "runs", "removals")


class FullDisk(RetentionSite):
    def make_home(self, name):
        path = super().make_home(name)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=120m,mode=0700", "tmpfs", path], check=False, capture_output=True)
        if made.returncode != 0:
            self.skipTest("tmpfs cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def fill(self):
        with open(os.path.join(self.home, "filler"), "wb") as handle:
            try:
                while True:
                    handle.write(b"x" * 65536)
                    handle.flush()
            except OSError:
                pass

    def test_prune_makes_room_on_a_full_disk(self):
        runs = [self.finished(f"job-{number}", script="head -c 1000000 /dev/zero > /artifacts/kept.txt") for number in range(2)]
        for more in (("--artifacts",), ()):
            self.fill()
            self.assertLess(os.statvfs(self.home).f_bavail * os.statvfs(self.home).f_bsize, 65536)
            done = self.prune("--older-than", "0s", *more, "--yes").json
            self.assertEqual([row["runId"] for row in done["removed"]], runs)
            os.unlink(os.path.join(self.home, "filler"))
            self.stella("pack", "runs", "list")  # with room again, space is held back again
        self.assertEqual([record["run"] for record in removal_check.chain(self.removals, self.appliance)], runs)
        self.stella("pack", "runs", "removals")


if __name__ == "__main__":
    main()
