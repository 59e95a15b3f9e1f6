#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What operators of a service home carry in and out: escalations, mirror bundles, notifications."""
import json
import os
import shutil
import subprocess

import service_site
from harness import main
from mirror_site import MirrorSite
from service_site import ServiceSite, USERS


class Out(ServiceSite):
    def whole(self, folder):
        self.assertEqual(subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=folder, check=False).returncode, 0)
        for name in os.listdir(folder):
            self.assertEqual(os.stat(os.path.join(folder, name)).st_uid, USERS["ana"], name)

    def failed_run(self, user="ana"):
        bundle = self.pack_of(user, f"job-{user}", [self.step("fall", "echo before the end; exit 3")])
        return self.json_by(user, "pack", "run", "--bundle", bundle, expect=1)["runId"]

    def test_an_escalation_is_written_with_the_operators_rights(self):
        run = self.failed_run()
        for place in (self.home, self.home + "/runs", self.path("of-bo")):
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "runs", "escalate", run, "--out", place)
        self.assertEqual([name for name in os.listdir(self.home) if name.startswith("run_")], [])
        found = self.json_by("ana", "pack", "runs", "escalate", run, "--out", "calls")
        self.assertTrue(found["folder"].startswith(self.path("of-ana", "calls") + "/"), found["folder"])
        self.assertEqual(sorted(os.listdir(found["folder"])), ["SHA256SUMS", "doctor.json", "evidence.json", "journal.jsonl", "log.txt", "plan.json",
                                                              "report.json", "report.txt", "versions.json"])
        self.whole(found["folder"])
        self.assertIn("before the end", self.read(os.path.join(found["folder"], "log.txt"), "r"))
        self.refused_to("bo", "ERR_RUN_NOT_FOUND", "pack", "runs", "escalate", run, "--out", "calls")
        self.assertEqual(os.listdir(self.path("of-bo")), [])

    def test_messages_of_ones_own_tenants_are_listed_and_carried_out(self):
        self.apply_as_service(self.policy(version=2, notifications=[{"topic": "pack.run.*", "to": "spool"}]))
        runs = {user: self.failed_run(user) for user in ("ana", "bo")}
        self.admin("notify", "flush")
        for user, run in runs.items():
            messages = self.json_by(user, "notify", "list")["messages"]
            self.assertEqual({one["runId"] for one in messages}, {run})
            self.assertEqual(len(self.json_by(user, "notify", "list", "--limit", "1")["messages"]), 1)
            self.assertEqual(len(self.json_by(user, "spool", "list")["files"]), len(messages))
        self.assertEqual(self.json_by("bo", "notify", "list", "--run", runs["ana"])["messages"], [])
        self.refused_to("ana", "ERR_MEDIA_UNSUITABLE", "spool", "export", "--media", self.path("of-ana"))
        self.refused_to("ana", "ERR_FILE_UNSUITABLE", "spool", "export", "--media", self.home, "--allow-fixed")
        done = self.json_by("ana", "spool", "export", "--media", ".", "--allow-fixed")
        self.assertTrue(done["folder"].startswith(self.path("of-ana", "STELLA-SPOOL") + "/"), done["folder"])
        self.whole(done["folder"])
        carried = [json.loads(self.read(os.path.join(done["folder"], name), "r")) for name in done["files"]]
        self.assertEqual({one["message"]["run"]["id"] for one in carried}, {runs["ana"]})
        self.assertIsNone(self.json_by("ana", "spool", "export", "--media", ".", "--allow-fixed")["folder"])
        self.assertTrue(all(one["exported"] is None for one in self.json_by("bo", "spool", "list")["files"]))

    def test_what_acts_for_everybody_stays_the_administrators(self):
        for verb in (("notify", "flush"), ("notify", "test"), ("notify", "follow"), ("mirror", "trust", "x"), ("pack", "mirror", "gc"),
                     ("pack", "mirror", "promote", "a:1.0.0", "--channel", "c")):
            error = self.refused_to("ana", "ERR_ACCESS_DENIED", *verb, reason="verb")
            self.assertIn("administrator", error["fix"])


class In(ServiceSite, MirrorSite):
    def setUp(self):
        ServiceSite.setUp(self)
        self.mirror = self.make_mirror()
        self.apply_as_service(self.mirror_policy(version=2))
        self.admin("mirror", "trust", self.give(self.write("root.json", self.read(self.root_file(self.mirror))), service_site.SERVICE, 0o600))

    def medium_of(self, user, name, published):
        """A medium that only this user can look into."""
        place = self.path("of-" + user, name)
        shutil.copytree(published, place)
        for folder, _, files in os.walk(place):
            self.give(folder, user, 0o700)
            for file in files:
                self.give(os.path.join(folder, file), user, 0o600)
        return place

    def test_an_operator_brings_in_what_the_site_trusts(self):
        self.add(self.simple_pack("job"))
        published = self.publish()
        stick = self.medium_of("ana", "stick", self.path("stick"))
        first = self.json_by("ana", "pack", "mirror", "pull", "--from", stick)
        self.assertEqual((first["generation"], first["added"]), (1, ["job:1.0.0"]))
        for place in ("stick", "./stick/STELLA-MIRROR", os.path.join(stick, "STELLA-MIRROR", os.path.basename(published))):
            self.assertFalse(self.json_by("ana", "pack", "mirror", "pull", "--from", place)["changed"])
        self.assertEqual(self.json_by("bo", "pack", "run", "--pack", "job:1.0.0")["state"], "succeeded")
        receipts = self.admin("--output", "json", "pack", "mirror", "receipts").json["receipts"]
        self.assertEqual([one["import"]["by"] for one in receipts], ["Ana Ortiz"] * 4)

    def test_a_tar_does_as_well(self):
        self.add(self.simple_pack("job"))
        bundle = self.publish()
        tar = self.path("of-ana", "bundle.tar")
        subprocess.run(["tar", "-C", os.path.dirname(bundle), "-cf", tar, os.path.basename(bundle)], check=True)
        self.give(tar, "ana", 0o600)
        self.assertEqual(self.json_by("ana", "pack", "mirror", "pull", "--from", "bundle.tar")["generation"], 1)

    def test_only_what_the_operator_can_read_is_read(self):
        self.add(self.simple_pack("job"))
        bundle = self.publish()
        theirs = self.path("run", "stick")
        shutil.copytree(self.path("stick"), theirs)
        for folder, _, files in os.walk(theirs):
            self.give(folder, service_site.SERVICE, 0o700)
            for file in files:
                self.give(os.path.join(folder, file), service_site.SERVICE, 0o600)
        for place in (theirs, os.path.join(theirs, "STELLA-MIRROR", os.path.basename(bundle)), self.home, self.home + "/mirror"):
            self.assertNotEqual(self.by("ana", "pack", "mirror", "pull", "--from", place, expect=None).status, 0, place)
        self.refused_to("ana", "ERR_FILE_NOT_FOUND", "pack", "mirror", "pull", "--from", "nothing-here")
        self.assertEqual(self.json_by("ana", "pack", "mirror", "status")["generation"], 0)
        self.refused_to("eve", "ERR_ACCESS_DENIED", "pack", "mirror", "pull", "--from", self.path("stick"), reason="unlisted")

    def test_a_link_on_the_medium_leads_nowhere(self):
        self.add(self.simple_pack("job"))
        self.publish()
        stick = self.medium_of("ana", "stick", self.path("stick"))
        (name,) = os.listdir(os.path.join(stick, "STELLA-MIRROR"))
        for part in ("data/0001.tar", "metadata"):
            place, elsewhere = os.path.join(stick, "STELLA-MIRROR", name, part), self.path("of-ana", "elsewhere")
            os.rename(place, elsewhere)
            os.symlink(elsewhere, place)
            result = self.by("ana", "pack", "mirror", "pull", "--from", stick, expect=None)
            self.assertNotEqual(result.status, 0, f"{part}: {result}")
            os.remove(place)
            os.rename(elsewhere, place)
        self.assertEqual(self.json_by("ana", "pack", "mirror", "pull", "--from", stick)["added"], ["job:1.0.0"])

    def test_a_bundle_that_was_changed_is_refused_and_its_bringer_named(self):
        self.add(self.simple_pack("job"))
        self.publish()
        stick = self.medium_of("ana", "stick", self.path("stick"))
        (name,) = os.listdir(os.path.join(stick, "STELLA-MIRROR"))
        volume = os.path.join(stick, "STELLA-MIRROR", name, "data", "0001.tar")
        with open(volume, "r+b") as handle:
            handle.seek(600)
            handle.write(b"\xff\x00\xff")
        self.assertEqual(self.by("ana", "pack", "mirror", "pull", "--from", stick, expect=None).status, 6)
        (reason,) = self.quarantine()
        self.assertEqual((reason["by"], reason["from"]), ("Ana Ortiz", stick))
        self.assertEqual(self.json_by("ana", "pack", "mirror", "list")["packs"], [])


if __name__ == "__main__":
    service_site.enter()
    main()
