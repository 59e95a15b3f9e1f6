# SPDX-License-Identifier: Apache-2.0
"""The disk fills, or goes read-only, at each place of a run's way to it: the run pauses and goes on once that is mended.

SURVIVAL_EVERY: every how many-th place is tried (40; 1 with `./dev test --all`).
"""
import os

from harness import main
from survival_site import SurvivalSite

EVERY = int(os.environ.get("SURVIVAL_EVERY", "40"))


class Series(SurvivalSite):
    def series(self, fault):
        reference = self.undisturbed()
        run = ("pack", "run", "--bundle", self.everything)
        calls = self.count(*run, expect=7)
        for place in range(1, calls + 1, EVERY):
            with self.subTest(place=place):
                before = set(self.runs())
                status, error = self.faulty(*run, **{fault: place})
                self.assertGreater(status, 0, error)
                made = set(self.runs()) - before
                self.assertIn(error["exit"], (7, 8) if made else (2, 8), error)  # 2: before there is a run, what cannot be written is named
                for run_id in made:
                    self.assertIn(self.show(run_id)["state"], ("planned", "running", "paused", "waiting"))
                    self.assert_whole(run_id, self.finish(run_id), reference)

    def test_full_from_each_write_on(self):
        self.series("full_at")

    def test_read_only_from_each_write_on(self):
        self.series("readonly_at")


if __name__ == "__main__":
    main()
