#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A clock that went back decides nothing until a person says that it is right; doctor says what is wrong."""
import json

from harness import SealedSite, main


class ClockWentBack(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()
        self.bundle = self.pack("job", [{"id": "one", "run": {"command": ["true"]}}])

    def set_highest(self, time):
        path = self.home + "/site/clock.json"
        document = json.loads(self.read(path))
        document["highest"] = time
        self.write(path, json.dumps(document, sort_keys=True, separators=(",", ":")))

    def test_nothing_starts_or_is_accepted_until_it_is_confirmed(self):
        self.stella("pack", "run", "--bundle", self.bundle)
        self.set_highest("2096-01-01T00:00:00Z")
        self.assertIn("site clock", self.refused("ERR_CLOCK_ROLLBACK", "pack", "run", "--bundle", self.bundle)["fix"])
        response = self.write("RES-x.json", "{}")
        self.refused("ERR_CLOCK_ROLLBACK", "pack", "approve", "--offline-response", response)
        self.assertEqual(len(self.stella("--output", "json", "pack", "runs", "list").json["runs"]), 1)
        self.assertFalse(self.stella("--output", "json", "doctor", expect=1).json["fit"])
        self.stella("site", "clock", "--confirm", "--reason", "RTC battery replaced")
        self.stella("pack", "run", "--bundle", self.bundle)

    def test_doctor_finds_this_machine_fit(self):
        report = self.stella("--output", "json", "doctor").json
        self.assertTrue(report["fit"])
        self.assertEqual({row["what"]: row["health"] for row in report["findings"]}["sandbox"], "ok")


if __name__ == "__main__":
    main()
