# SPDX-License-Identifier: Apache-2.0
"""The mirror round trip: publish, trust, pull, again, and everything that must be refused."""
import fcntl
import json
import os
import shutil
import subprocess
import unittest

from mirror_site import MirrorSite, ROLES

REFUSALS = {"ERR_MIRROR_MALFORMED", "ERR_MIRROR_SIGNATURE", "ERR_MIRROR_DIGEST", "ERR_MIRROR_UNTRUSTED", "ERR_MIRROR_ROLLBACK"}


class RoundTrip(MirrorSite):
    def test_a_pull_brings_the_packs_and_a_second_one_changes_nothing(self):
        self.add(self.simple_pack("tool"), self.simple_pack("other", "2.0.0"))
        bundle = self.publish()
        self.assertEqual(os.path.basename(bundle), "outside-1-g1")
        first = self.pull(self.path("stick")).json
        self.assertEqual((first["generation"], first["added"], first["skipped"], first["refused"]),
                         (1, ["other:2.0.0", "tool:1.0.0"], [], []))
        blobs, held = self.blobs(), self.held()
        again = self.stella("pack", "mirror", "pull", "--from", self.path("stick"))
        self.assertIn("already at generation 1", again.out)
        self.assertEqual(self.held(), held)
        self.assertEqual({name: info.st_mtime_ns for name, info in self.blobs().items()},
                         {name: info.st_mtime_ns for name, info in blobs.items()})
        self.stella("pack", "mirror", "verify", "--deep")
        self.assertEqual([item["outcome"] for item in self.receipts()], ["accepted", "unchanged"])

    def test_a_pack_from_the_registry_is_the_pack_that_was_added(self):
        pack = self.simple_pack("tool", files=self.random_files(2, 1 << 21))
        self.add(pack)
        self.publish()
        self.pull(self.path("stick"))
        outside = self.stella("--output", "json", "pack", "inspect", pack).json
        inside = self.stella("--output", "json", "pack", "inspect", "tool:1.0.0").json
        self.assertEqual(outside, inside)

    def test_publishing_again_without_a_change_is_the_same_generation(self):
        self.add(self.simple_pack("tool"))
        one, two = self.publish("stick-1"), self.publish("stick-2")
        self.assertEqual(self.read(os.path.join(one, "metadata/timestamp.json")), self.read(os.path.join(two, "metadata/timestamp.json")))
        self.add(self.simple_pack("tool", "1.1.0"))
        self.assertTrue(self.publish("stick-1").endswith("outside-1-g2"))

    def test_a_medium_with_several_generations_gives_the_newest(self):
        self.add(self.simple_pack("tool"))
        self.publish()
        self.add(self.simple_pack("tool", "1.1.0"))
        self.publish()
        self.assertEqual(self.pull(self.path("stick")).json["generation"], 2)

    def test_a_new_generation_copies_only_what_is_new(self):
        files = self.random_files(3, 1 << 21)
        self.add(self.simple_pack("tool", files=files))
        self.publish()
        self.pull(self.path("stick"))
        self.add(self.simple_pack("tool", "1.1.0", files=files))
        self.publish()
        self.assertLess(self.pull(self.path("stick")).json["blobs"]["bytes"], 1 << 20)

    def test_role_keys_made_by_init_are_sealed_and_one_passphrase_opens_them(self):
        secret = self.write("passphrase", "correct horse battery")
        folder = self.path("sealed")
        self.stella("mirror", "init", folder, "--root-key", self.key("root1"), "--threshold", "1", "--kdf-memory", "64MiB",
                    "--passphrase-file", secret)
        for role in ROLES:
            self.assertIn(b"stella-key/1", self.read(os.path.join(folder, "keys", role + ".key")))
        for _, _, names in os.walk(folder):
            self.assertFalse([name for name in names if name.startswith("root1")])
        os.mkdir(self.path("stick"))
        self.stella("mirror", "publish", folder, "--to", self.path("stick"), "--passphrase-file", secret)
        wrong = self.write("wrong", "incorrect horse")
        self.stella("mirror", "add", folder, self.simple_pack("tool"))
        self.refused("ERR_KEY_UNUSABLE", "mirror", "publish", folder, "--to", self.path("stick"), "--passphrase-file", wrong)

    def test_packs_of_other_tenants_are_skipped_until_the_policy_gives_them(self):
        self.add(self.simple_pack("tool", tenants=["plant-7"]), self.simple_pack("foreign", tenants=["plant-8"]), self.simple_pack("free"))
        self.publish()
        result = self.pull(self.path("stick")).json
        self.assertEqual(result["added"], ["free:1.0.0", "tool:1.0.0"])
        self.assertEqual([item["pack"] for item in result["skipped"]], ["foreign:1.0.0"])
        tenants = self.mirror_policy()["tenants"]
        self.apply(self.mirror_policy(version=2, tenants=[*tenants, {**tenants[0], "name": "plant-8", "approvers": []}]))
        self.assertEqual(self.pull(self.path("stick")).json["added"], ["foreign:1.0.0"])

    def test_gc_keeps_two_generations_and_what_was_promoted(self):
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            shutil.rmtree(self.path("stick"), ignore_errors=True)
            state = json.loads(self.read(os.path.join(self.mirror, "source.json")))
            state["packs"], state["changed"] = [], True
            self.write(os.path.relpath(os.path.join(self.mirror, "source.json"), self.root), json.dumps(state))
            self.add(self.simple_pack("tool", version, files={"data.txt": version * 1000}))
            self.publish()
            self.pull(self.path("stick"))
        plan = self.stella("--output", "json", "pack", "mirror", "gc", "--dry-run").json
        self.assertEqual(plan["packs"], ["tool:1.0.0"])
        self.stella("pack", "mirror", "promote", "tool:1.0.0", "--channel", "proven")
        self.assertEqual(self.stella("--output", "json", "pack", "mirror", "gc", "--dry-run").json["packs"], [])
        self.refused("ERR_PACK_NOT_FOUND", "pack", "mirror", "promote", "tool:9.0.0", "--channel", "proven")
        self.stella("pack", "mirror", "gc")
        self.stella("pack", "mirror", "verify", "--deep")


class Tar(MirrorSite):
    def test_a_tar_that_publish_or_gnu_tar_wrote_is_taken(self):
        self.add(self.simple_pack("tool", files=self.random_files(1, 1 << 21)))
        bundle = self.publish()
        written = self.path("bundle.tar")
        self.stella("mirror", "publish", self.mirror, "--to", written)
        by_tar = self.path("by-tar.tar")
        subprocess.run(["tar", "--format=gnu", "-cf", by_tar, "-C", os.path.dirname(bundle), os.path.basename(bundle)], check=True)
        for number, tar in enumerate((written, by_tar)):
            home = self.make_home(f"tar-{number}")
            self.stella("site", "identity", "--id", f"apl-{number}", home=home)
            self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub", home=home)
            self.stella("mirror", "trust", self.root_file(self.mirror), home=home)
            self.assertEqual(self.pull(tar, home=home).json["added"], ["tool:1.0.0"])


class Refused(MirrorSite):
    def setUp(self):
        super().setUp()
        self.add(self.simple_pack("tool", files=self.random_files(1, 1 << 21)))
        self.bundle = self.publish()

    def refuse(self, source, code=None, reason=None):
        """The pull is refused, nothing that is served changes, and record and receipt are there."""
        before, quarantined, receipts = self.held(), len(self.quarantine()), len(self.receipts())
        result = self.pull(source, expect=None)
        self.assertIn(result.status, (2, 6), str(result))
        error = result.error
        self.assertIn(error["code"], {code} if code else REFUSALS, str(result))
        if reason:
            self.assertEqual(error["reason"], reason, str(result))
        self.assertEqual(self.held(), before)
        record = self.quarantine()
        self.assertEqual(len(record), quarantined + 1)
        self.assertTrue(any(item["code"] == error["code"] and item["reason"] == error["reason"] for item in record))
        self.assertEqual(len(self.receipts()), receipts + 1)
        self.assertEqual(self.receipts()[-1]["outcome"], "refused")
        return error

    def flip(self, path, offset):
        with open(path, "r+b") as handle:
            handle.seek(offset)
            byte = handle.read(1)
            handle.seek(offset)
            handle.write(bytes([byte[0] ^ 1]))

    def test_one_byte_flipped_in_each_file_in_turn(self):
        names = [os.path.relpath(os.path.join(folder, name), self.bundle) for folder, _, found in os.walk(self.bundle) for name in found]
        self.assertEqual(len(names), 8)
        for name in sorted(names):
            size = os.path.getsize(os.path.join(self.bundle, name))
            # In a volume: a header, a blob, the zeros after a blob, the end.
            offsets = (10, 600, size // 2, 512 * 3 - 1, size - 5) if name.endswith(".tar") else (size // 3, size // 2, size - 3)
            for offset in offsets:
                with self.subTest(f"{name} at {offset}"):
                    copy = self.copy_of(self.bundle)
                    self.flip(os.path.join(copy, name), offset)
                    self.refuse(self.path("copy"))
        self.pull(self.path("stick"))
        self.stella("pack", "mirror", "verify", "--deep")

    def test_a_file_cut_short_or_missing(self):
        for name in ("data/0001.tar", "data/index.jsonl", "metadata/timestamp.json", "metadata/1.targets.json"):
            with self.subTest(name):
                copy = self.copy_of(self.bundle)
                os.truncate(os.path.join(copy, name), os.path.getsize(os.path.join(copy, name)) - 512 if name.endswith("tar") else 40)
                self.refuse(copy)
                os.remove(os.path.join(copy, name))
                self.refuse(copy, "ERR_MIRROR_MALFORMED", "missing")

    def test_links_pipes_and_folders_in_a_files_place(self):
        copy = self.copy_of(self.bundle)
        for name in ("metadata/timestamp.json", "data/0001.tar"):
            path = os.path.join(copy, name)
            for reason, make in (("link", lambda p: os.symlink("/etc/passwd", p)), ("type", os.mkfifo), ("type", os.mkdir)):
                with self.subTest(f"{reason} {name}"):
                    os.rename(path, path + ".kept")
                    make(path)
                    self.refuse(copy, "ERR_MIRROR_MALFORMED", reason)
                    os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.remove(path)
                    os.rename(path + ".kept", path)

    def test_an_older_generation_and_one_that_was_made_anew(self):
        kept = self.path("kept-mirror")
        shutil.copytree(self.mirror, kept)
        old = self.copy_of(self.bundle, "old")
        self.add(self.simple_pack("tool", "1.1.0"))
        self.pull(self.publish())
        self.refuse(old, "ERR_MIRROR_ROLLBACK", "version")
        # The mirror was restored from a copy and goes on: the same number, other content.
        self.add(self.simple_pack("other"), mirror=kept)
        self.refuse(self.publish("forked", mirror=kept), "ERR_MIRROR_ROLLBACK", "changed")

    def test_a_version_that_changed_its_content(self):
        self.pull(self.path("stick"))
        other = self.simple_pack("tool", files={"data.txt": "other"})
        self.refused("ERR_MIRROR_DIGEST", "mirror", "add", self.mirror, other, reason="changed")
        state = json.loads(self.read(os.path.join(self.mirror, "source.json")))
        state["packs"] = []
        self.write(os.path.relpath(os.path.join(self.mirror, "source.json"), self.root), json.dumps(state))
        self.add(other)
        self.refuse(self.publish(), "ERR_MIRROR_DIGEST", "changed")

    def next_root(self, signers, **changes):
        """2.root.json, made outside stella: canonical JSON here, signatures by openssl."""
        root = json.loads(self.read(self.root_file(self.mirror)))
        root["signed"].update(version=2, **changes)
        message = self.write("next-root", json.dumps(root["signed"], sort_keys=True, separators=(",", ":")))
        ids = root["signed"]["roles"]["root"]["keyids"]
        signatures = []
        for number in signers:
            key = self.key(f"root{number}")
            made = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message], capture_output=True, check=True)
            signatures.append({"keyid": ids[number - 1], "sig": made.stdout.hex()})
        return json.dumps({"signatures": signatures, "signed": root["signed"]})

    def test_a_root_signed_by_too_few(self):
        copy = self.copy_of(self.bundle)
        target = os.path.relpath(os.path.join(copy, "metadata/2.root.json"), self.root)
        self.write(target, self.next_root([1]))
        self.refuse(copy, "ERR_MIRROR_SIGNATURE", "threshold")
        self.write(target, self.next_root([1, 1, 1]))
        self.refuse(copy, "ERR_MIRROR_SIGNATURE", "threshold")
        self.write(target, self.next_root([2, 3]))
        self.pull(copy)
        self.assertEqual(self.stella("--output", "json", "pack", "mirror", "status").json["trusted"]["version"], 2)

    def test_an_unlisted_root(self):
        stranger = self.make_mirror("outside-1", "stranger", roots=("strange1", "strange2"))
        self.add(self.simple_pack("evil"), mirror=stranger)
        self.refused("ERR_MIRROR_UNTRUSTED", "mirror", "trust", self.root_file(stranger), reason="unlisted")
        self.refused("ERR_MIRROR_UNTRUSTED", "mirror", "trust", self.root_file(stranger), "--expect", self.root_digest(stranger))
        self.refuse(self.publish("strange", mirror=stranger), "ERR_MIRROR_UNTRUSTED", "root")

    def test_a_root_that_the_policy_lists_no_more(self):
        self.apply(self.mirror_policy(version=2, mirror={"sources": [{"name": "outside-1", "root": "sha256:" + "0" * 64}]}))
        self.assertEqual(self.pull(self.path("stick"), expect=6).error["code"], "ERR_MIRROR_UNTRUSTED")

    def test_a_delta_is_refused_by_name(self):
        os.makedirs(self.path("stick"), exist_ok=True)
        self.refused("ERR_USAGE", "mirror", "publish", self.mirror, "--to", self.path("stick"), "--base", "1", reason="not-yet")

    def test_receipts_that_were_edited_or_removed(self):
        self.pull(self.path("stick"))
        for _ in range(3):
            self.pull(self.path("stick"))
        folder = os.path.join(self.home, "mirror", "receipts")
        path = os.path.join(folder, "000002.dsse.json")
        good = self.read(path)
        self.write(os.path.relpath(path, self.root), good.replace(b'"payload":"', b'"payload":"AAAA', 1))
        self.refused("ERR_MIRROR_DIGEST", "pack", "mirror", "receipts")
        os.remove(path)
        error = self.refused("ERR_MIRROR_DIGEST", "pack", "mirror", "receipts", reason="receipts")
        self.assertIn("000002", error["message"])
        self.write(os.path.relpath(path, self.root), self.read(os.path.join(folder, "000003.dsse.json")))
        self.refused("ERR_MIRROR_DIGEST", "pack", "mirror", "receipts", reason="receipts")

    def test_a_damaged_registry_is_found_and_mended_from_the_medium(self):
        self.pull(self.path("stick"))
        victim = max(self.blobs().items(), key=lambda item: item[1].st_size)[0]
        path = os.path.join(self.home, "mirror", "blobs", "sha256", victim)
        os.chmod(path, 0o600)
        self.flip(path, 1000)
        self.stella("pack", "mirror", "verify")
        error = self.refused("ERR_MIRROR_DIGEST", "pack", "mirror", "verify", "--deep", reason="blob")
        self.assertIn(victim, error["message"])
        self.refused("ERR_MIRROR_DIGEST", "pack", "inspect", "tool:1.0.0")
        os.remove(path)
        self.refused("ERR_MIRROR_DIGEST", "pack", "mirror", "verify", reason="blob")
        self.assertEqual(self.pull(self.path("stick")).json["blobs"]["stored"], 1)
        self.stella("pack", "mirror", "verify", "--deep")


class Arguments(MirrorSite):
    def test_what_is_no_bundle(self):
        os.mkfifo(self.path("fifo"))
        os.mkdir(self.path("empty-folder"))
        self.write("empty", "")
        with open(self.path("zeros"), "wb") as handle:
            handle.truncate(1 << 30)
        os.makedirs(self.path("layout"))
        self.write("layout/oci-layout", "{}")
        for source, code in (("absent", "ERR_FILE_NOT_FOUND"), ("fifo", "ERR_FILE_UNSUITABLE"), ("empty", "ERR_FILE_UNSUITABLE"),
                             ("empty-folder", "ERR_MIRROR_MALFORMED"), ("zeros", "ERR_MIRROR_MALFORMED"), ("layout", "ERR_MIRROR_MALFORMED")):
            with self.subTest(source):
                self.refused(code, "pack", "mirror", "pull", "--from", self.path(source))
        for name in ("absent", "fifo", "empty", "zeros", "empty-folder"):
            with self.subTest("root " + name):
                self.assertIn(self.stella("mirror", "trust", self.path(name), expect=None).status, (2, 4))
                self.assertIn(self.stella("mirror", "add", self.mirror, self.path(name), expect=None).status, (2, 4))
        self.refused("ERR_FILE_NOT_FOUND", "mirror", "publish", self.mirror, "--to", self.path("absent"))
        self.refused("ERR_FILE_NOT_FOUND", "mirror", "status", self.path("empty-folder"))

    def test_without_an_identity_or_a_trusted_root(self):
        os.makedirs(self.path("stick"))
        home = self.make_home("bare")
        error = self.refused("ERR_KEY_UNUSABLE", "pack", "mirror", "pull", "--from", self.path("stick"), home=home)
        self.assertIn("stella site identity", error["fix"])
        self.stella("site", "identity", "--id", "apl-bare", home=home)
        self.refused("ERR_MIRROR_UNTRUSTED", "pack", "mirror", "pull", "--from", self.path("stick"), reason="no-root", home=home)

    def test_trust_without_a_listed_root_needs_a_person_or_the_digest(self):
        home = self.make_home("bare")
        root = self.root_file(self.mirror)
        self.refused("ERR_USAGE", "mirror", "trust", root, home=home)
        self.refused("ERR_MIRROR_UNTRUSTED", "mirror", "trust", root, "--expect", "sha256:" + "0" * 64, home=home, reason="expect")
        self.stella("mirror", "trust", root, "--expect", self.root_digest(self.mirror), home=home)
        self.assertIn("already trusted", self.stella("mirror", "trust", root, "--expect", self.root_digest(self.mirror), home=home).out)
        other = self.make_mirror("outside-2", roots=("strange1", "strange2"))
        self.refused("ERR_MIRROR_UNTRUSTED", "mirror", "trust", self.root_file(other), "--expect", self.root_digest(other), home=home,
                     reason="pinned")

    def test_init_needs_enough_private_root_keys(self):
        public = [self.key(name) + ".pub" for name in ("root1", "root2")]
        for keys, threshold in (([self.key("root1")], "2"), ([self.key("root1"), public[1]], "2"), (public, "1"),
                                ([self.key("root1"), self.key("root1")], "1"), ([self.key("root1")], "0"), ([self.key("root1")], "x")):
            args = [part for key in keys for part in ("--root-key", key)]
            self.refused("ERR_USAGE", "mirror", "init", self.path("new"), *args, "--threshold", threshold)
        self.refused("ERR_FILE_UNSUITABLE", "mirror", "init", self.mirror, "--name", "again", "--root-key", self.key("root1"),
                     "--threshold", "1", reason="exists")

    def test_a_second_writer_is_told_to_wait(self):
        self.add(self.simple_pack("tool"))
        self.publish()
        self.pull(self.path("stick"))
        with open(os.path.join(self.home, "mirror", "lock"), "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            error = self.refused("ERR_MIRROR_BUSY", "pack", "mirror", "pull", "--from", self.path("stick"))
            self.assertEqual(error["exit"], 10)
            self.stella("pack", "mirror", "list")

    def test_skopeo_reads_the_registry(self):
        if shutil.which("skopeo") is None:
            self.skipTest("skopeo is not installed")
        self.add(self.simple_pack("tool"))
        self.publish()
        self.pull(self.path("stick"))
        shown = self.stella("--output", "json", "pack", "mirror", "show", "tool").json["packs"][0]
        raw = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{self.home}/mirror:tool:1.0.0"], capture_output=True, check=True)
        self.assertEqual(json.loads(raw.stdout)["config"]["digest"], shown["digest"])


if __name__ == "__main__":
    unittest.main()
