# SPDX-License-Identifier: Apache-2.0
"""A run's evidence as one file over HTTP: what is unpacked verifies with other people's tools."""
import hashlib
import http.client
import os
import subprocess

from harness import SLOWNESS, main
from serve_site import ServeSite, quote

KEPT = 0 if SLOWNESS == 1 else 512 << 10  # kilobytes of freed memory that a sanitizer may hold back


class Evidence(ServeSite):
    def setUp(self):
        super().setUp()
        self.serve()
        self.good = self.bearer()

    def download(self, run):
        """Writes the archive to a file as it comes; (path, sha256, the most that the server held meanwhile)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", f"/api/runs/{quote(run)}/evidence?download=tar", headers=self.good)
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.getheader("Content-Type"), "application/x-tar")
        path, digest, most, got = self.path("bag.tar"), hashlib.sha256(), 0, 0
        with open(path, "wb") as output:
            while piece := response.read(4 << 20):
                output.write(piece)
                digest.update(piece)
                got += len(piece)
                most = max(most, self.resident())
        self.assertEqual(got, int(response.getheader("Content-Length")))
        connection.close()
        return path, digest.hexdigest(), most

    def test_the_tar_unpacks_to_a_bag_that_verifies(self):
        run = self.run_job([{"id": "a", "run": {"script": "echo hello; echo deep > /artifacts/x; mkdir -p /artifacts/some/folder; : > /artifacts/some/folder/empty"}}])
        bag = self.api(f"/api/runs/{quote(run)}/evidence", self.good)["bag"]
        head = self.ask(f"/api/runs/{quote(run)}/evidence?download=tar", self.good, method="HEAD")
        path, digest, _ = self.download(run)
        self.assertEqual(int(head[1]["content-length"]), os.path.getsize(path))
        self.assertEqual(self.download(run)[1], digest)
        place = self.path("elsewhere")
        os.makedirs(place)
        subprocess.run(["tar", "-xf", path, "-C", place], check=True)
        self.assertEqual(os.listdir(place), [bag])
        checked = subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=os.path.join(place, bag), check=False,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertIn(b"data/", checked.stdout)
        report = self.stella("--output", "json", "evidence", "verify", os.path.join(place, bag), "--trust", self.key("admin") + ".pub").json
        self.assertTrue(report["proven"])
        self.assertIn(f"/api/runs/{quote(run)}/evidence?download=tar", self.ask(f"/console/packs/runs/{quote(run)}", self.good)[2].decode())

    def test_memory_does_not_grow_with_the_bag(self):
        run = self.run_job([{"id": "a", "run": {"script": "head -c 200000000 /dev/zero > /artifacts/large"}}])
        before = self.resident()
        path, _, most = self.download(run)
        self.assertGreater(os.path.getsize(path), 200000000)
        self.assertLess(most - before, (16 << 10) + KEPT)

    def test_what_cannot_be_given_is_refused(self):
        bundle = self.pack("job", [{"id": "a", "run": {"script": "sleep 300"}}])
        run = self.stella("--output", "json", "pack", "run", "--detach", "--bundle", bundle).json["runId"]
        place = f"/api/runs/{quote(run)}/evidence"
        self.assertEqual(self.api(place + "?download=tar", self.good, expect=404)["error"]["reason"], "evidence")
        self.stella("pack", "runs", "cancel", "--run", run, "--grace", "0s")
        self.wait_for(lambda: self.ask(place, self.good)[0] == 200)
        self.assertEqual(self.api(place + "?download=zip", self.good, expect=400)["error"]["reason"], "download")
        self.assertEqual(self.ask(place + "?download=tar")[0], 401)


if __name__ == "__main__":
    main()
