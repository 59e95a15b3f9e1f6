# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the runner at seeded places of its way to disk: nothing lost, nothing finished twice, the same outputs.

SURVIVAL_POINTS says at how many places (25; 500 with `./dev test --all`), SURVIVAL_SEED where they lie.
"""
import os
import random
import signal

from harness import main
from survival_site import SurvivalSite

POINTS = int(os.environ.get("SURVIVAL_POINTS", "25"))
SEED = int(os.environ.get("SURVIVAL_SEED", "1795453200"))


class Kills(SurvivalSite):
    def test_kill_at_seeded_places(self):
        reference = self.undisturbed()
        run = ("pack", "run", "--bundle", self.everything)
        before_gate = self.count(*run, expect=7)
        first = self.runs()[0]
        self.approve(first)
        behind_gate = self.count("pack", "runs", "resume", first, expect=0)
        dice = random.Random(SEED)
        self.began = 0
        for point in range(POINTS):
            place = dice.randint(1, before_gate + behind_gate)
            with self.subTest(point=point, place=place):
                if place <= before_gate:
                    run_id = self.killed_before_the_gate(run, place, dice)
                else:
                    run_id = self.killed_behind_the_gate(run, place - before_gate)
                if run_id:
                    self.began += 1
                    self.assert_whole(run_id, self.finish(run_id), reference)
        self.assertGreater(self.began, POINTS // 2)

    def kill(self, args, place):
        status, error = self.faulty(*args, kill_at=place)
        self.assertIn(status, (-signal.SIGKILL, 0, 7), error)  # a little fewer calls than when it was counted: it got through

    def killed_before_the_gate(self, run, place, dice):
        """The run, killed once or twice; None when it had not been submitted yet."""
        before = set(self.runs())
        self.kill(run, place)
        made = set(self.runs()) - before
        self.assertLessEqual(len(made), 1)
        if not made:
            return None
        run_id = made.pop()
        if dice.random() < 0.5:
            self.kill(("pack", "runs", "resume", run_id), dice.randint(1, place))
        return run_id

    def killed_behind_the_gate(self, run, place):
        status, error = self.faulty(*run)
        self.assertEqual(status, 7, error)
        run_id = self.runs()[0]
        self.approve(run_id)
        self.kill(("pack", "runs", "resume", run_id), place)
        return run_id

    def test_a_finished_run_is_left_as_it_is(self):
        self.undisturbed()
        before = self.home_state()
        for _ in range(2):
            result = self.stella("--output", "json", "pack", "runs", "resume", self.runs()[0]).json
            self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
        self.assert_unchanged(before)


if __name__ == "__main__":
    main()
