# SPDX-License-Identifier: Apache-2.0
"""Power cuts, full disks and hostile tars while a bundle is pulled."""
import io
import os
import shutil
import subprocess
import tarfile
import unittest

from mirror_site import MirrorSite


class Killed(MirrorSite):
    def setUp(self):
        super().setUp()
        self.add(self.simple_pack("tool", files=self.random_files(3, 1 << 21)), self.simple_pack("other"))
        self.publish()

    def test_a_pull_killed_at_any_point_is_finished_by_the_next(self):
        points = ["blobs.finished", "blobs.finished:4", "intake.blob:3", "intake.blob:7", "blobs.synced", "blobs.renamed", "blobs.renamed:5",
                  "catalog.before-commit", "catalog.committed", "intake.derived", "files.before-rename:6", "files.after-rename:6"]
        for number, point in enumerate(points):
            with self.subTest(point):
                self.home = self.make_home(f"killed-{number}")
                self.stella("site", "identity", "--id", f"apl-{number}")
                self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub")
                self.stella("mirror", "trust", self.root_file(self.mirror))
                killed = self.start("pack", "mirror", "pull", "--from", self.path("stick"), env={"STELLA_CRASH_AT": point})
                killed.communicate(timeout=60)
                self.assertEqual(killed.returncode, -9)
                kept = {name: (info.st_ino, info.st_mtime_ns) for name, info in self.blobs().items()}
                staged = self.whole_parts()
                result = self.pull(self.path("stick")).json
                self.assertEqual(result["generation"], 1)
                now = {name: (info.st_ino, info.st_mtime_ns) for name, info in self.blobs().items()}
                self.assertEqual({name: now[name] for name in kept}, kept)
                self.assertEqual({name: now[name] for name in staged}, staged)
                self.assertEqual(result["blobs"]["stored"], len(now) - len(kept) - len(staged))
                self.stella("pack", "mirror", "verify", "--deep")
                self.assertEqual(len(self.stella("--output", "json", "pack", "mirror", "list").json["packs"]), 2)
                self.assertIn("accepted", [item["outcome"] for item in self.receipts()])
                self.assertEqual(os.listdir(os.path.join(self.home, "mirror", "staging")), [])

    def whole_parts(self):
        """Blobs that were verified before the kill and not yet in their place."""
        folder = os.path.join(self.home, "mirror", "staging")
        found = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            info = os.stat(os.path.join(folder, name))
            if info.st_mode & 0o777 == 0o444:
                found[name] = (info.st_ino, info.st_mtime_ns)
        return found

    def test_a_publish_killed_at_any_point_is_finished_by_the_next(self):
        self.add(self.simple_pack("third"))
        for point in ("source.signed", "source.before-rename", "files.before-rename:3"):
            with self.subTest(point):
                killed = self.start("mirror", "publish", self.mirror, "--to", self.path("stick"), env={"STELLA_CRASH_AT": point})
                killed.communicate(timeout=60)
                self.assertEqual(killed.returncode, -9)
                self.publish()
        self.assertEqual(self.pull(self.path("stick")).json["generation"], 2)
        self.assertEqual([name for name in os.listdir(self.path("stick", "STELLA-MIRROR")) if name.startswith(".")], [])


@unittest.skipIf(os.geteuid() != 0, "mounting a small file system needs root")
class FullDisk(MirrorSite):
    def small(self, name, options):
        place = self.path(name)
        os.makedirs(place, mode=0o700, exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options + ",mode=0700", "tmpfs", place], capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("tmpfs cannot be mounted here: " + made.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        return place

    def setUp(self):
        super().setUp()
        self.add(self.simple_pack("tool", files=self.random_files(6, 1 << 21)))
        self.publish()

    def make_ready(self, home):
        self.stella("site", "identity", "--id", "apl-small", home=home)
        self.stella("site", "apply", self.path("policy-1.dsse.json"), "--trust", self.key("admin") + ".pub", home=home)
        self.stella("mirror", "trust", self.root_file(self.mirror), home=home)

    def refused_then_finished(self, home, wide):
        error = self.refused("ERR_NO_SPACE", "pack", "mirror", "pull", "--from", self.path("stick"), home=home)
        self.assertEqual(error["exit"], 8)
        self.assertEqual(self.stella("--output", "json", "pack", "mirror", "list", home=home).json["packs"], [])
        parts = len(os.listdir(os.path.join(home, "mirror", "staging")))
        subprocess.run(["mount", "-o", "remount," + wide, home], check=True)
        result = self.pull(self.path("stick"), home=home).json
        self.assertEqual(result["added"], ["tool:1.0.0"])
        self.stella("pack", "mirror", "verify", "--deep", home=home)
        return parts, result["blobs"]["stored"]

    def test_a_pull_that_will_not_fit_is_refused_before_it_begins(self):
        home = self.small("home-size", "size=12m")
        self.make_ready(home)
        self.refused_then_finished(home, "size=64m")

    def test_a_disk_that_fills_up_on_the_way_keeps_what_was_verified(self):
        home = self.small("home-inodes", "size=64m,nr_inodes=500")
        self.make_ready(home)
        info = os.statvfs(home)
        # Enough for the catalog, the folders and some of the blobs.
        subprocess.run(["mount", "-o", f"remount,nr_inodes={info.f_files - info.f_ffree + 16}", home], check=True)
        parts, stored = self.refused_then_finished(home, "nr_inodes=500")
        self.assertGreater(parts, 1)
        self.assertLess(stored, 10)

    def test_a_medium_without_room(self):
        stick = self.small("small-stick", "size=4m")
        error = self.refused("ERR_MEDIA_FULL", "mirror", "publish", self.mirror, "--to", stick)
        self.assertEqual(error["exit"], 8)
        self.assertEqual(os.listdir(stick), [])


@unittest.skipIf(os.geteuid() != 0, "mounting a loop device needs root")
class BadMedium(MirrorSite):
    def run_tool(self, *command):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            self.skipTest(f"{command[0]} does not work here: {made.stderr.strip()}")
        return made.stdout

    def setUp(self):
        super().setUp()
        for tool in ("mkfs.ext4", "filefrag", "losetup"):
            if shutil.which(tool, path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
                self.skipTest(f"{tool} is not installed")
        self.image, self.stick = self.path("stick.img"), self.path("stick")
        with open(self.image, "wb") as handle:
            handle.truncate(48 << 20)
        self.run_tool("mkfs.ext4", "-q", "-F", "-b", "4096", self.image)
        self.mount()

    def mount(self):
        os.makedirs(self.stick, exist_ok=True)
        self.run_tool("mount", "-o", "loop", self.image, self.stick)
        self.addCleanup(subprocess.run, ["umount", "-l", self.stick], check=False, stderr=subprocess.DEVNULL)

    def test_a_medium_that_stops_answering_and_comes_back(self):
        self.add(self.simple_pack("tool", files=self.random_files(6, 1 << 21)))
        volume = os.path.join(self.publish(), "data", "0001.tar")
        extents = [line.split() for line in self.run_tool("filefrag", "-v", "-b4096", volume).splitlines() if line.strip()[:1].isdigit()]
        start = int(extents[-1][3].rstrip(".:"))
        length = int(extents[-1][5].rstrip(":"))
        subprocess.run(["umount", self.stick], check=True)
        whole = self.read(self.image)
        self.mount()
        # The device ends in the middle of the volume: what lies behind cannot be read.
        os.truncate(self.image, (start + length // 2) * 4096)
        error = self.refused("ERR_MEDIA_GONE", "pack", "mirror", "pull", "--from", self.stick)
        self.assertEqual(error["exit"], 8)
        self.assertEqual(self.quarantine(), [])
        subprocess.run(["umount", self.stick], check=True)
        self.write("stick.img", whole)
        self.mount()
        result = self.pull(self.stick).json
        self.assertEqual(result["added"], ["tool:1.0.0"])
        self.assertLess(result["blobs"]["stored"], 10)
        self.stella("pack", "mirror", "verify", "--deep")


class HostileTar(MirrorSite):
    def setUp(self):
        super().setUp()
        self.add(self.simple_pack("tool"))
        self.bundle = self.publish()

    def tar_with(self, *extra, first=True):
        """The good bundle in a tar, with hostile members before or after it."""
        path = self.path("hostile.tar")
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            members = [lambda member=member: tar.addfile(member, io.BytesIO(b"x" * member.size)) for member in extra]
            good = [lambda: tar.add(self.bundle, arcname=os.path.basename(self.bundle))]
            for act in members + good if first else good + members:
                act()
        return path

    def member(self, name, kind=tarfile.REGTYPE, **fields):
        member = tarfile.TarInfo(name)
        member.type = kind
        member.size = 1 if kind == tarfile.REGTYPE else 0
        for field, value in fields.items():
            setattr(member, field, value)
        return member

    def test_hostile_members(self):
        inside = os.path.basename(self.bundle)
        cases = [
            ("path", self.member("../escaped")), ("path", self.member("/tmp/escaped")), ("path", self.member(f"{inside}/../../escaped")),
            ("path", self.member(f"{inside}/a\nb")), ("link", self.member(f"{inside}/link", tarfile.SYMTYPE, linkname="/etc/passwd")),
            ("link", self.member(f"{inside}/link", tarfile.LNKTYPE, linkname="../../etc/passwd")),
            ("type", self.member(f"{inside}/fifo", tarfile.FIFOTYPE)), ("type", self.member(f"{inside}/dev", tarfile.CHRTYPE)),
            ("type", self.member(f"{inside}/suid", mode=0o4755)), ("duplicate", self.member(f"{inside}/bundle.json")),
            ("collision", self.member(f"{inside}/BUNDLE.json")),
        ]
        for reason, member in cases:
            for first in (True, False):
                with self.subTest(f"{reason} {member.name!r} {'first' if first else 'last'}"):
                    self.refused("ERR_MIRROR_MALFORMED", "pack", "mirror", "pull", "--from", self.tar_with(member, first=first), reason=reason)
        self.assertFalse(os.path.exists(self.path("escaped")))
        self.assertEqual(self.blobs(), {})
        self.assertEqual(len(self.quarantine()), 2 * len(cases))

    def test_a_tar_that_is_cut_or_goes_on(self):
        whole = self.read(self.tar_with())
        for name, data, reasons in (("cut", whole[:len(whole) // 2], {"truncated", "tar"}), ("tail", whole + b"garbage" * 100, {"tar", "truncated"}),
                                    ("gzip", b"\x1f\x8b" + whole, {"tar", "truncated"})):
            with self.subTest(name):
                error = self.refused("ERR_MIRROR_MALFORMED", "pack", "mirror", "pull", "--from", self.write(name + ".tar", data))
                self.assertIn(error["reason"], reasons)


if __name__ == "__main__":
    unittest.main()
