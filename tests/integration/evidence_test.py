#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evidence as an auditor meets it: on a real medium, with other people's tools, whole and tampered with."""
import base64
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import unittest

from approval_site import ApprovalSite
from harness import SOURCE, main

READER = os.path.join(SOURCE, "tests", "oracles", "bagit_reader.py")
TAMPER = os.path.join(SOURCE, "demo", "tamper.py")
SIGNATURES = {"SHA256SUMS.dsse.json", "SHA256SUMS.sshsig"}  # what nothing lists, because they sign the list


class EvidenceSite(ApprovalSite):
    def finished_run(self):
        run = self.run_to_gate()
        request = self.ask(run)
        for who in ("ada", "ben"):
            self.take(self.sign(request, who))
        self.stella("pack", "runs", "resume", "--run", run)
        return run

    def bags(self, run):
        return sorted(glob.glob(os.path.join(self.show(run)["folder"], "evidence", "*")))

    def auditor(self):
        return self.make_home("auditor")

    def verify(self, bag, *more, expect=0):
        return self.stella("--output", "json", "evidence", "verify", bag, "--trust", self.key("admin") + ".pub", *more, home=self.auditor(), expect=expect)

    def verify_refused(self, code, bag):
        """The error's text; the contract's exit status is 6."""
        error = self.refused(code, "evidence", "verify", bag, "--trust", self.key("admin") + ".pub", home=self.auditor())
        self.assertEqual(error["exit"], 6)
        return f"{error['message']} {error['at']}"

    # other people's tools
    def sums(self, bag, name="SHA256SUMS"):
        return subprocess.run(["sha256sum", "-c", "--strict", "--quiet", name], cwd=bag, capture_output=True, text=True, check=False)

    def ssh(self, bag):
        """What ssh-keygen ends with; its signers come from the policy that the auditor verified, not from the bag."""
        self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub", home=self.auditor())
        signers = self.write("allowed_signers", self.stella("site", "show", "--allowed-signers", home=self.auditor()).out)
        with open(os.path.join(bag, "SHA256SUMS"), "rb") as listed:
            return subprocess.run(["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "apl-test", "-n", "stella-evidence", "-s",
                                   os.path.join(bag, "SHA256SUMS.sshsig")], stdin=listed, capture_output=True, check=False).returncode

    def reader(self, bag):
        return subprocess.run([sys.executable, "-B", READER, bag], capture_output=True, text=True, check=False)

    def assert_whole(self, bag):
        for name in ("SHA256SUMS", "manifest-sha256.txt", "tagmanifest-sha256.txt"):
            checked = self.sums(bag, name)
            self.assertEqual((checked.returncode, checked.stdout), (0, ""), checked.stderr)
        self.assertEqual(self.ssh(bag), 0)
        read = self.reader(bag)
        self.assertEqual(read.returncode, 0, read.stdout)

    def files(self, bag):
        return sorted(os.path.relpath(os.path.join(folder, name), bag) for folder, _, names in os.walk(bag) for name in names)

    def copy(self, bag):
        place = self.path("tampered", os.path.basename(bag))
        shutil.rmtree(self.path("tampered"), ignore_errors=True)
        shutil.copytree(bag, place)
        subprocess.run(["chmod", "-R", "u+w", place], check=True)
        return place


@unittest.skipIf(os.geteuid() != 0, "mounting a loop device needs root")
class Medium(EvidenceSite):
    def medium(self, size):
        """A removable medium as people have it: ext4 on a loop device."""
        image, place = self.path("stick.img"), self.path("stick")
        with open(image, "wb") as handle:
            handle.truncate(size)
        os.makedirs(place, exist_ok=True)
        for command in (["mkfs.ext4", "-q", "-F", "-m", "0", image], ["mount", "-o", "loop", image, place]):
            done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"})
            if done.returncode != 0:
                self.skipTest(f"{command[0]} does not work here: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False, stderr=subprocess.DEVNULL)
        return place

    def test_an_exported_bag_is_accepted_by_everybodys_tools(self):
        run, stick = self.finished_run(), self.medium(8 << 20)
        exported = self.stella("--output", "json", "pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed").json
        bag = exported["folder"]
        self.assertTrue(bag.startswith(stick + "/STELLA-EVIDENCE/"), bag)
        self.assertEqual(self.files(bag), self.files(self.bags(run)[0]))
        subprocess.run(["umount", stick], check=True)
        subprocess.run(["mount", "-o", "loop,ro", self.path("stick.img"), stick], check=True)
        self.assert_whole(bag)
        report = self.verify(stick).json
        self.assertEqual((report["run"], report["state"], report["origin"]), (run, "succeeded", "proven"))
        self.assertTrue(any("Ada Obi" in line and "Ben Keller" in line for line in report["proven"]), report)
        self.assertIn("pack.evidence.exported", [event["type"] for event in self.events(run)])

    def test_a_second_export_finds_the_bag_there(self):
        run, stick = self.finished_run(), self.medium(8 << 20)
        export = ["pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed"]
        self.stella(*export)
        count = len(self.events(run))
        self.assertIn("already there", self.stella(*export).out)
        self.assertEqual(len(self.events(run)), count)

    def test_a_full_medium_takes_nothing(self):
        run, stick = self.finished_run(), self.medium(4 << 20)
        fill = os.path.join(stick, "fill")
        room = os.statvfs(stick)
        with open(fill, "wb") as handle:
            handle.write(b"x" * (room.f_bavail * room.f_bsize - 16384))
        before, events = self.files(stick), len(self.events(run))
        error = self.refused("ERR_MEDIA_FULL", "pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed")
        self.assertEqual(error["exit"], 8)
        self.assertEqual((self.files(stick), len(self.events(run))), (before, events))
        os.unlink(fill)
        bag = self.stella("--output", "json", "pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed").json["folder"]
        self.assert_whole(bag)

    def test_a_medium_without_inodes_takes_nothing(self):
        """Bytes are left, so this ends in the middle of the copy and not before it."""
        run, stick = self.finished_run(), self.medium(4 << 20)
        for number in range(os.statvfs(stick).f_favail - 12):
            open(os.path.join(stick, f"fill-{number}"), "wb").close()
        events = len(self.events(run))
        error = self.refused("ERR_MEDIA_FULL", "pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed")
        self.assertEqual(error["exit"], 8)
        self.assertEqual([name for name in glob.glob(stick + "/STELLA-EVIDENCE/*")], [])
        self.assertEqual(len(self.events(run)), events)
        for path in glob.glob(stick + "/fill-*"):
            os.unlink(path)
        self.stella("pack", "runs", "export", "--run", run, "--media", stick, "--allow-fixed")

    def test_a_folder_is_no_removable_medium(self):
        error = self.refused("ERR_MEDIA_UNSUITABLE", "pack", "runs", "export", "--run", self.finished_run(), "--media", self.make_home("plain"))
        self.assertEqual(error["exit"], 2)


class Tampered(EvidenceSite):
    def setUp(self):
        super().setUp()
        self.bag = self.bags(self.finished_run())[0]
        self.assert_whole(self.bag)

    def test_each_file_with_one_byte_flipped_is_named(self):
        names = self.files(self.bag)
        self.assertGreater(len(names), 20)
        for name in names:
            with self.subTest(name):
                bag = self.copy(self.bag)
                subprocess.run([sys.executable, TAMPER, "flip", os.path.join(bag, name)], check=True)
                result = self.verify(bag, expect=6)
                self.assertIn(result.error["code"], ("ERR_EVIDENCE_TAMPERED", "ERR_EVIDENCE_INCOMPLETE", "ERR_EVIDENCE_UNTRUSTED"), str(result))
                self.assertIn("SHA256SUMS" if name in SIGNATURES else name, f"{result.error['message']} {result.error['at']}")
                if name in SIGNATURES | {"SHA256SUMS"}:
                    self.assertEqual(self.ssh(bag) == 0, name == "SHA256SUMS.dsse.json")
                    continue
                checked = self.sums(bag)
                self.assertEqual((checked.returncode, checked.stdout), (1, f"{name}: FAILED\n"))
                read = self.reader(bag)
                self.assertEqual(read.returncode, 1)
                self.assertIn(name, read.stdout)

    def test_a_missing_file_is_named(self):
        for name in self.files(self.bag):
            with self.subTest(name):
                bag = self.copy(self.bag)
                os.unlink(os.path.join(bag, name))
                self.assertIn(name, self.verify_refused("ERR_EVIDENCE_INCOMPLETE", bag))
                if name not in SIGNATURES | {"SHA256SUMS", "tagmanifest-sha256.txt"}:
                    self.assertEqual(self.reader(bag).returncode, 1)

    def test_an_added_file_is_named(self):
        for name in ("data/extra.txt", "extra.txt", "data/logs/zz.1.log", "approvals/RES-x.json", ".hidden", "SHA256SUMS.extra"):
            with self.subTest(name):
                bag = self.copy(self.bag)
                with open(os.path.join(bag, name), "wb"):
                    pass
                self.assertIn(name, self.verify_refused("ERR_EVIDENCE_INCOMPLETE", bag))
                self.assertEqual(self.reader(bag).returncode, 1 if name.startswith("data/") else 0)

    def test_the_list_signed_again_by_another_key(self):
        bag = self.copy(self.bag)
        subprocess.run([sys.executable, TAMPER, "sign-again", bag, self.key("stranger")], check=True)
        self.verify_refused("ERR_EVIDENCE_UNTRUSTED", bag)

    def test_a_bag_made_anew_by_a_forger(self):
        """A log is changed, and every sum, manifest and signature is made to fit; only the key is not the appliance's."""
        bag = self.copy(self.bag)
        log = "data/logs/check.1.log"
        with open(os.path.join(bag, log), "ab") as handle:
            handle.write(b"all fine\n")
        info = os.path.join(bag, "bag-info.txt")
        payload = [name for name in self.files(bag) if name.startswith("data/")]
        size = sum(os.path.getsize(os.path.join(bag, name)) for name in payload)
        text = "".join(f"Payload-Oxum: {size}.{len(payload)}\n" if line.startswith("Payload-Oxum") else line for line in self.read(info, "r").splitlines(True))
        self.write(os.path.relpath(info, self.root), text)
        self.list_again(bag, "manifest-sha256.txt")
        self.list_again(bag, "tagmanifest-sha256.txt")
        self.list_again(bag, "SHA256SUMS")
        self.assertEqual((self.sums(bag).returncode, self.reader(bag).returncode), (0, 0))
        self.verify_refused("ERR_EVIDENCE_TAMPERED", bag)
        path = os.path.join(bag, "SHA256SUMS.dsse.json")
        statement = json.loads(base64.b64decode(json.loads(self.read(path))["payload"]))
        statement["subject"][0]["digest"]["sha256"] = hashlib.sha256(self.read(os.path.join(bag, "SHA256SUMS"))).hexdigest()
        forged = self.envelope(json.dumps(statement, sort_keys=True, separators=(",", ":")).encode(), "stranger")
        self.write(os.path.relpath(path, self.root), json.dumps(forged, sort_keys=True, separators=(",", ":")))
        self.verify_refused("ERR_EVIDENCE_UNTRUSTED", bag)

    def list_again(self, bag, name):
        path = os.path.join(bag, name)
        names = [line.split("  ", 1)[1] for line in self.read(path, "r").splitlines()]
        self.write(os.path.relpath(path, self.root), "".join(f"{hashlib.sha256(self.read(os.path.join(bag, item))).hexdigest()}  {item}\n" for item in names))

    def test_trust_is_the_auditors_own(self):
        error = self.refused("ERR_EVIDENCE_UNTRUSTED", "evidence", "verify", self.bag, home=self.make_home("nobody"), reason="no-trust")
        self.assertEqual(error["exit"], 6)
        self.refused("ERR_EVIDENCE_UNTRUSTED", "evidence", "verify", self.bag, "--trust", self.key("stranger") + ".pub", home=self.auditor())
        self.stella("evidence", "verify", self.bag, "--integrity-only", home=self.make_home("nobody"))


class EveryEnd(EvidenceSite):
    def check(self, run, state, count=1):
        bags = self.bags(run)
        self.assertEqual(len(bags), count)
        for bag in bags:
            self.assert_whole(bag)
        report = self.verify(bags[-1]).json
        self.assertEqual((report["run"], report["state"]), (run, state))
        return bags

    def test_a_rejected_run(self):
        run = self.run_to_gate()
        self.take(self.sign(self.ask(run), "ben", "rejected", "Not on a Friday"), expect=3)
        bag = self.check(run, "failed")[0]
        self.assertTrue(any("approvals/RES-" in name for name in self.files(bag)))

    def test_a_cancelled_run(self):
        run = self.run_to_gate()
        self.stella("pack", "runs", "cancel", "--run", run, "--reason", "wrong cell")
        self.check(run, "cancelled")

    def test_a_failed_run_and_its_second_attempt(self):
        bundle = self.pack("twice", [{"id": "one", "run": {"script": "echo one"}}, {"id": "two", "run": {"script": "test -e /work/mended"}}])
        failed = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", bundle, expect=1).json
        self.check(failed["runId"], "failed")
        open(os.path.join(failed["folder"], "work", "mended"), "wb").close()
        self.stella("pack", "runs", "resume", failed["runId"])
        bags = self.check(failed["runId"], "succeeded", count=2)
        numbers = [self.verify(bag).json["number"] for bag in bags]
        self.assertEqual(numbers, [1, 2])
        self.assertEqual(self.verify(bags[0]).json["state"], "failed")

    def test_a_pack_that_a_revoked_publisher_signed_too(self):
        former = {"name": "Former Tools", "key": self.public("former")}
        revoked = [{"key": self.public("former"), "since": "2026-01-01T00:00:00Z", "reason": "left"}]
        policy = self.policy(version=2, revoked=revoked)
        self.apply({**policy, "publishers": [former, *policy["publishers"]]})
        bundle = self.pack("both", [{"id": "one", "run": {"script": "echo one"}}], key="former")
        self.stella("pack", "sign", bundle, "--key", self.key("publisher"))
        run = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", bundle).json["runId"]
        proven = " ".join(self.verify(self.bags(run)[0]).json["proven"])
        self.assertIn("signed by publisher OT Tools", proven)


class NoRoom(ApprovalSite):
    def test_a_sparse_artifact_larger_than_the_disk_is_not_copied_and_the_run_is_sealed_once_it_is_gone(self):
        bundle = self.pack("sparse", [{"id": "one", "run": {"script": "truncate -s 4T /artifacts/hole"}}])
        shown = self.stella("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", bundle, expect=None).json
        self.assertIsNone(shown["evidence"])
        folder = self.path("home-appliance", "runs", shown["runId"].replace(":", "_"))
        self.assertEqual([name for name in os.listdir(folder) if name == "evidence" and os.listdir(os.path.join(folder, name))], [])
        os.truncate(os.path.join(folder, "artifacts", "hole"), 0)
        sealed = self.stella("--output", "json", "--tenant", "plant-7", "pack", "runs", "resume", shown["runId"], expect=None).json
        self.assertTrue(os.path.isdir(sealed["evidence"]))


if __name__ == "__main__":
    main()
