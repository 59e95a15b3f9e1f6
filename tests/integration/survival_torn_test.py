# SPDX-License-Identifier: Apache-2.0
"""The power goes while the journal is being written: its end is cut or spoilt at seeded places, and the run goes on."""
import os
import random
import shutil
import signal

from harness import main
from run_site import RunTest

SEED, PLACES = 1795453200, 16


class TornTail(RunTest):
    def setUp(self):
        super().setUp()
        steps = [self.step(f"s{number}", f"echo said {number}; echo {number} > /artifacts/{number}.txt", onCrash="rerun") for number in range(5)]
        bundle = self.pack("job", steps + [self.step("slow", "test -e /work/go || sleep 300", onCrash="rerun")])
        process = self.start("pack", "run", "--bundle", bundle)
        self.run_id = self.wait_for_step("slow")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.copytree(os.path.join(self.home, "runs"), self.path("kept"), symlinks=True)
        self.whole = self.read(os.path.join(self.home, "runs", "journal.db-wal"))

    def spoil(self, wal):
        """The home as it was at the kill, but with this tail of the journal."""
        runs = os.path.join(self.home, "runs")
        shutil.rmtree(runs)
        shutil.copytree(self.path("kept"), runs, symlinks=True)
        with open(os.path.join(runs, "journal.db-wal"), "wb") as handle:
            handle.write(wal)
        if os.path.exists(os.path.join(runs, "journal.db-shm")):
            os.unlink(os.path.join(runs, "journal.db-shm"))  # memory: it does not outlive a power cut
        folder = os.path.join(runs, self.run_id.replace(":", "_"))
        with open(os.path.join(folder, "work", "go"), "w", encoding="utf-8"):
            pass
        return folder

    def test_a_cut_or_spoilt_tail_loses_what_was_not_whole_and_nothing_else(self):
        self.assertGreater(len(self.whole), 4096)
        dice = random.Random(SEED)
        for number in range(PLACES):
            at = dice.randrange(len(self.whole) // 2, len(self.whole))
            cut = number % 2 == 0
            with self.subTest(at=at, cut=cut):
                folder = self.spoil(self.whole[:at] + (b"" if cut else bytes(len(self.whole) - at)))
                seen = self.events(self.run_id)
                result = self.stella("--output", "json", "pack", "runs", "resume", self.run_id).json
                self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
                events = self.events(self.run_id)
                self.assertEqual(events[:len(seen)], seen, "what was whole is there")
                self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
                ended = [event["step"] for event in events if event["type"] == "pack.step.finished" and event["data"]["state"] == "succeeded"]
                self.assertEqual(sorted(ended), sorted(set(ended)))
                self.stella("evidence", "verify", result["evidence"], "--trust", self.key("admin") + ".pub")
                said = self.stella("pack", "runs", "logs", self.run_id, "--step", "s4").out.splitlines()
                self.assertEqual(set(said), {"s4 | said 4"})  # once more if it ran once more: what was printed stays
                self.assertEqual(sorted(os.listdir(os.path.join(folder, "artifacts"))), [f"{number}.txt" for number in range(5)])


if __name__ == "__main__":
    main()
