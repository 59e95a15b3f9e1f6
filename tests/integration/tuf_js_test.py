# SPDX-License-Identifier: Apache-2.0
"""tuf-js, pinned and run under Node, is asked about the metadata that `stella mirror publish` writes."""
import glob
import http.server
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
import unittest

from mirror_site import MirrorSite

ORACLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracles")
BUILD = os.path.join(os.environ.get("STELLA_BUILD", "/tmp"), "oracles")


def read_text(path):
    with open(path, encoding="utf-8") as handle:
        return handle.read()


def install():
    """npm ci into the build folder; the reason to skip when that is not possible."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    major = int(re.match(r"v(\d+)", subprocess.check_output(["node", "--version"], text=True)).group(1))
    if major < 18:
        return f"node {major} is older than 18"
    lock, marker = read_text(os.path.join(ORACLES, "package-lock.json")), os.path.join(BUILD, "installed-lock.json")
    if os.path.exists(marker) and read_text(marker) == lock:
        return None
    os.makedirs(BUILD, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(ORACLES, name), BUILD)
    result = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=BUILD, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return "npm ci failed: " + " ".join(result.stderr.split())[-300:]
    with open(marker, "w", encoding="utf-8") as handle:
        handle.write(lock)
    return None


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class TufJs(MirrorSite):
    @classmethod
    def setUpClass(cls):
        missing = install()
        if missing:
            raise unittest.SkipTest(missing)

    def serve(self, bundle):
        """A folder with metadata/ and targets/ as a TUF repository has them, on 127.0.0.1; its URL."""
        site = self.path("served-" + os.path.basename(bundle))
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(os.path.join(bundle, "metadata"), os.path.join(site, "metadata"))
        blobs = self.path("blobs-" + os.path.basename(bundle))
        for volume in glob.glob(os.path.join(bundle, "data", "*.tar")):
            with tarfile.open(volume) as tar:
                tar.extractall(blobs)
        self.targets = {"data/index.jsonl": self.read(os.path.join(bundle, "data", "index.jsonl"))}
        for path in glob.glob(os.path.join(bundle, "metadata", "*.stable.json")):
            for target, meta in json.loads(self.read(path))["signed"]["targets"].items():
                self.targets[target] = self.read(os.path.join(blobs, "blobs", "sha256", meta["hashes"]["sha256"]))
        for target, data in self.targets.items():
            self.write(os.path.relpath(os.path.join(site, "targets", target), self.root), data)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Handler(*args, directory=site))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.site = site
        return f"http://127.0.0.1:{server.server_address[1]}"

    def ask(self, url, cache="tuf-cache", targets=None):
        folder = self.path(cache)
        if not os.path.exists(os.path.join(folder, "root.json")):
            self.write(f"{cache}/root.json", self.read(self.root_file(self.mirror)))
        env = {"PATH": os.environ["PATH"], "HOME": self.root, "STELLA_ORACLES": BUILD, "NO_PROXY": "127.0.0.1"}
        command = ["node", os.path.join(ORACLES, "tuf_check.mjs"), folder, url + "/metadata", url + "/targets", *(targets or [])]
        result = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
        self.assertTrue(result.stdout, result.stderr)
        return json.loads(result.stdout)

    def test_accepts_what_is_published_and_refuses_the_older_generation_after_the_newer(self):
        self.add(self.simple_pack("tool", "1.0.0"), self.simple_pack("other", "2.1.0", tenants=["plant-7"]))
        old = self.serve(self.publish("stick-1"))
        answer = self.ask(old, targets=list(self.targets))
        self.assertEqual(answer, {"targets": {name: len(data) for name, data in self.targets.items()}})
        self.assertEqual(set(self.targets), {"data/index.jsonl", "stable/tool/1.0.0", "stable/other/2.1.0"})
        self.add(self.simple_pack("tool", "1.1.0"))
        new = self.serve(self.publish("stick-2"))
        self.assertIn("stable/tool/1.1.0", self.ask(new, targets=list(self.targets))["targets"])
        self.assertEqual(self.ask(old)["error"], "BadVersionError")

    def test_refuses_what_stella_refuses(self):
        self.add(self.simple_pack("tool", "1.0.0"))
        bundle = self.publish()
        url = self.serve(bundle)
        for name in ("timestamp.json", "1.snapshot.json", "1.targets.json", "1.stable.json"):
            with self.subTest(name):
                served = os.path.join(self.site, "metadata", name)
                good = self.read(served)
                bad = good.replace(b'"expires":"20', b'"expires":"21')
                self.assertNotEqual(good, bad)
                self.write(os.path.relpath(served, self.root), bad)
                self.assertIn("error", self.ask(url, cache="cache-" + name, targets=list(self.targets)))
                copy = self.copy_of(bundle)
                self.write(os.path.relpath(os.path.join(copy, "metadata", name), self.root), bad)
                self.assertEqual(self.pull(self.path("copy"), expect=None).status, 6)
                self.write(os.path.relpath(served, self.root), good)


if __name__ == "__main__":
    unittest.main()
