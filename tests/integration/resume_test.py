#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Going on with a run: steps that nobody can tell how far they came, what is reused and what runs again, and why."""
import os
import time

from harness import main
from run_site import RunTest


class Resuming(RunTest):
    def killed(self, steps, mark, **manifest):
        """A run whose runner got SIGKILL once the file `mark` stood in its /work; its id and folder."""
        runner = self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.pack("job", steps, **manifest))
        until = time.monotonic() + 60
        while time.monotonic() < until and runner.poll() is None:
            folders = [os.path.join(self.home, "runs", name) for name in os.listdir(os.path.join(self.home, "runs"))] if os.path.isdir(os.path.join(self.home, "runs")) else []
            found = [folder for folder in folders if os.path.exists(os.path.join(folder, "work", mark))]
            if found:
                time.sleep(0.3)  # what it printed just before comes out of its pipe
                runner.kill()
                runner.wait(timeout=30)
                return self.last_run(), found[0]
            time.sleep(0.05)
        self.fail("the step did not get that far")

    def json(self, *args, expect=0):
        return self.stella("--output", "json", "pack", "runs", *args, expect=expect).json

    def whats(self, told):
        return {row["step"]: row["what"] for row in told["steps"]}

    def test_asks_about_a_step_in_flight_and_shows_what_it_left(self):
        slow = "echo half way; echo new > /work/changed; echo x >> /work/tries; touch /work/mark; test -e /work/go || sleep 300"
        run, folder = self.killed([self.step("first", "true"), self.step("slow", slow), self.step("last", "true")], "mark")
        asked = self.stella("pack", "runs", "resume", run, expect=7)
        for text in ("step slow was in flight", "| half way", "/work/changed", "reused"):
            self.assertIn(text, asked.out)
        self.assertIn("--rerun slow", asked.err)
        told = self.json("resume", run, expect=7)["resume"]
        self.assertEqual(self.whats(told), {"first": "reused", "slow": "ask", "last": "next"})
        left = told["inFlight"][0]
        self.assertEqual((left["step"], left["printed"]), ("slow", ["half way"]))
        self.assertIn("/work/changed", left["changed"])
        self.assertEqual(self.json("resume", run, "--dry-run", "--rerun", "slow")["steps"][1]["what"], "rerun")
        self.assertEqual(self.json("resume", run, "--dry-run", "--fail", "slow")["steps"][1]["what"], "fail")
        wrong = self.stella("pack", "runs", "resume", run, "--rerun", "slov", expect=2)
        self.assertIn("did you mean `slow`", wrong.err)
        with open(os.path.join(folder, "work", "go"), "wb"):
            pass
        done = self.json("resume", run, "--rerun", "slow")
        self.assertEqual((done["state"], done["attempt"], self.whats(done["resume"])["slow"]), ("succeeded", 1, "rerun"))
        self.assertEqual(len(self.read(os.path.join(folder, "work", "tries"), "r").splitlines()), 2)

    def test_gives_a_step_in_flight_up(self):
        run, _ = self.killed([self.step("slow", "touch /work/mark; sleep 300")], "mark")
        self.json("resume", run, expect=7)
        failed = self.json("resume", run, "--fail", "slow", expect=1)
        self.assertEqual((failed["state"], failed["steps"][0]["reason"]), ("failed", "crash"))

    def artifact_run(self):
        steps = [self.step("make", "echo x >> /work/made; echo one > /artifacts/a.txt", artifacts=[{"name": "a", "path": "a.txt"}]),
                 self.step("use", "echo x >> /work/used"), self.step("fail", "test -e /work/mended")]
        result = self.run_pack(steps, expect=1)
        with open(os.path.join(result["folder"], "work", "mended"), "wb"):
            pass
        return result["runId"], result["folder"]

    def lines(self, folder, name):
        return len(self.read(os.path.join(folder, "work", name), "r").splitlines())

    def test_reuses_a_step_whose_artifact_is_as_it_left_it(self):
        run, folder = self.artifact_run()
        done = self.json("resume", run)
        self.assertEqual(self.whats(done["resume"]), {"make": "reused", "use": "reused", "fail": "rerun"})
        self.assertEqual((self.lines(folder, "made"), self.lines(folder, "used")), (1, 1))

    def test_makes_an_artifact_again_that_is_missing_or_altered(self):
        for alter in (os.unlink, lambda path: open(path, "w", encoding="utf-8").close()):
            run, folder = self.artifact_run()
            alter(os.path.join(folder, "artifacts", "a.txt"))
            rows = self.json("resume", run, "--dry-run")["steps"]
            self.assertEqual([row["what"] for row in rows], ["rerun", "rerun", "rerun"])
            self.assertIn("artifact a.txt", rows[0]["why"])
            self.assertIn("something it needs", rows[1]["why"])
            self.assertEqual(self.json("resume", run)["state"], "succeeded")
            self.assertEqual((self.lines(folder, "made"), self.lines(folder, "used")), (2, 2))

    def test_waits_for_an_artifacts_folder_that_is_gone(self):
        run, folder = self.artifact_run()
        away = folder + ".away"
        os.rename(os.path.join(folder, "artifacts"), away)
        gone = self.stella("--output", "json", "pack", "runs", "resume", run, expect=8)
        self.assertIn("ERR_ARTIFACT_STORE", gone.err)
        os.rename(away, os.path.join(folder, "artifacts"))
        done = self.json("resume", run)
        self.assertEqual((done["state"], self.lines(folder, "made")), ("succeeded", 1))

    def test_pauses_when_the_artifacts_folder_goes_away_under_a_run(self):
        steps = [self.step("one", "echo x >> /work/ones; touch /work/mark; until test -e /work/go; do sleep 0.05; done", onCrash="rerun"),
                 self.step("two", "echo y > /artifacts/two; echo x >> /work/twos")]
        runner = self.start("--tenant", "plant-7", "--output", "json", "pack", "run", "--bundle", self.pack("job", steps))
        run = self.wait_for_step("one")
        folder = self.show(run)["folder"]
        self.wait_for(lambda: os.path.exists(os.path.join(folder, "work", "mark")))
        os.rename(os.path.join(folder, "artifacts"), folder + ".away")
        with open(os.path.join(folder, "work", "go"), "wb"):
            pass
        runner.communicate(timeout=60)
        self.assertEqual(runner.returncode, 8)
        paused = self.show(run)
        self.assertEqual((paused["state"], paused["code"], paused["reason"]), ("paused", "ERR_ARTIFACT_STORE", "gone"))
        os.rename(folder + ".away", os.path.join(folder, "artifacts"))
        done = self.json("resume", run)
        self.assertEqual((done["state"], done["attempt"], self.lines(folder, "ones"), self.lines(folder, "twos")), ("succeeded", 1, 1, 1))

    def test_goes_on_with_turns_that_only_the_run_could_tell(self):
        one = "echo \"$N\" >> /work/turns; test \"$N\" != b || test -e /work/go || { touch /work/mark; sleep 300; }"
        steps = [{"id": "find", "run": {"script": "echo 'names=[\"a\",\"b\",\"c\"]' > \"$STELLA_OUTPUT\""}, "outputs": {"names": "array"}},
                 {"id": "each", "map": {"items": "${{ steps.find.outputs.names }}", "iterator": "n", "maxParallel": 1,
                                        "steps": [{"id": "one", "run": {"script": one, "env": {"N": "${{ n }}"}, "onCrash": "rerun"}}]}}]
        run, folder = self.killed(steps, "mark")
        with open(os.path.join(folder, "work", "go"), "wb"):
            pass
        self.assertEqual(self.json("resume", run)["state"], "succeeded")
        self.assertEqual(self.read(os.path.join(folder, "work", "turns"), "r").split(), ["a", "b", "b", "c"])

    def test_goes_on_with_a_loop_that_waits_between_its_turns(self):
        one = "echo x >> /work/turns; n=$(wc -l < /work/turns); test $n -lt 4 || echo ok=yes > \"$STELLA_OUTPUT\"; test $n -ne 2 || { touch /work/mark; sleep 300; }"
        steps = [{"id": "settle", "loop": {"range": [1, 9], "delay": "PT1S", "until": "steps.probe.outputs.ok == 'yes'",
                                           "steps": [{"id": "probe", "run": {"script": one, "onCrash": "rerun"}}]}}]
        run, folder = self.killed(steps, "mark")
        self.assertEqual(self.json("resume", run)["state"], "succeeded")
        self.assertEqual(self.lines(folder, "turns"), 4)


if __name__ == "__main__":
    main()
