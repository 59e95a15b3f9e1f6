# SPDX-License-Identifier: Apache-2.0
"""A mirror outside and a medium, on top of the sealed site: what mirror_test.py and tuf_js_test.py share."""
import glob
import hashlib
import json
import os
import shutil

from harness import SealedSite

ROLES = ("targets", "snapshot", "timestamp", "stable")
STEPS = [{"id": "say", "run": {"command": ["echo", "hello"]}}]


class MirrorSite(SealedSite):
    """A mirror `outside-1` with keys in clear; its root is listed by the site policy and trusted by the home."""

    def setUp(self):
        super().setUp()
        self.mirror = self.make_mirror()
        self.apply(self.mirror_policy())
        self.stella("mirror", "trust", self.root_file(self.mirror))

    def make_mirror(self, name="outside-1", folder=None, roots=("root1", "root2", "root3"), threshold=2):
        folder = self.path(folder or name)
        args = ["mirror", "init", folder, "--name", name, "--threshold", threshold]
        for root in roots:
            args += ["--root-key", self.key(root)]
        for role in ROLES:
            args += ["--role-key", f"{role}={self.key('mirror-' + role)}"]
        self.stella(*args)
        return folder

    def root_file(self, mirror):
        return os.path.join(mirror, "metadata", "1.root.json")

    def root_digest(self, mirror):
        return "sha256:" + hashlib.sha256(self.read(self.root_file(mirror))).hexdigest()

    def mirror_policy(self, **changes):
        sources = [{"name": "outside-1", "root": self.root_digest(self.mirror)}]
        return self.policy(**{"mirror": {"sources": sources, "maxAge": "P45D", "warnAge": "P14D"}, **changes})

    def simple_pack(self, name, version="1.0.0", files=None, tenants=None):
        folder = self.pack_folder(name, STEPS, version=version, files=files)
        if tenants is not None:
            with open(os.path.join(folder, "pack.yaml"), encoding="utf-8") as handle:
                document = json.load(handle)
            document["metadata"]["tenantVisibility"] = tenants
            self.write(os.path.relpath(os.path.join(folder, "pack.yaml"), self.root), json.dumps(document), 0o644)
        return self.build(folder)

    def random_files(self, count, size):
        """Files over 1 MiB become blobs of their own."""
        names = {}
        for number in range(count):
            names[f"data/{number}.txt"] = os.urandom(size // 2).hex()
        return names

    def add(self, *packs, mirror=None, channel="stable"):
        self.stella("mirror", "add", mirror or self.mirror, *packs, "--channel", channel)

    def publish(self, medium="stick", mirror=None):
        """The bundle's folder on the medium."""
        place = self.path(medium)
        os.makedirs(place, exist_ok=True)
        result = self.stella("--output", "json", "mirror", "publish", mirror or self.mirror, "--to", place)
        return result.json["path"]

    def pull(self, source, **kwargs):
        return self.stella("--output", "json", "pack", "mirror", "pull", "--from", source, **kwargs)

    def held(self):
        """What must not change when a pull is refused: generation, packs, the files that others read."""
        listed = self.stella("--output", "json", "pack", "mirror", "list").json
        status = self.stella("--output", "json", "pack", "mirror", "status").json
        files = {}
        for path in ("index.json", "metadata/timestamp.json"):
            full = os.path.join(self.home, "mirror", path)
            files[path] = self.read(full) if os.path.exists(full) else None
        return {"packs": listed, "generation": status["generation"], "files": files}

    def blobs(self):
        folder = os.path.join(self.home, "mirror", "blobs", "sha256")
        return {name: os.stat(os.path.join(folder, name)) for name in os.listdir(folder)} if os.path.isdir(folder) else {}

    def quarantine(self):
        reasons = []
        for path in sorted(glob.glob(os.path.join(self.home, "mirror", "quarantine", "*", "reason.json"))):
            reasons.append(json.loads(self.read(path)))
        return reasons

    def receipts(self):
        return self.stella("--output", "json", "pack", "mirror", "receipts").json["receipts"]

    def copy_of(self, bundle, name="copy"):
        place = self.path(name, "STELLA-MIRROR", os.path.basename(bundle))
        shutil.rmtree(self.path(name), ignore_errors=True)
        shutil.copytree(bundle, place)
        return place
