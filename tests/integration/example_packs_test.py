# SPDX-License-Identifier: Apache-2.0
"""The two packs of docs/examples/packs do what their documentation says, on a part of this machine's own packages."""
import hashlib
import hmac
import http.server
import json
import os
import shutil
import tarfile
import threading
import unittest

import harness

KEY = "correct-horse-battery-staple"
DPKG = "/var/lib/dpkg"
SOME = ("coreutils", "perl-base", "tar")


class Rules(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802, the library's name
        body = b'{"policy": "keep it small"}' if self.path == "/policy.json" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@unittest.skipUnless(os.path.exists(os.path.join(DPKG, "info", "coreutils.md5sums")), "dpkg's records are not here")
class InstalledFiles(harness.SealedSite):
    def setUp(self):
        super().setUp()
        # Its own loopback address, so that tests side by side do not meet.
        self.address = f"127.78.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
        server = http.server.HTTPServer((self.address, 8077), Rules)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.apply(self.policy(network={"dns": "block", "allow": [
            {"host": "baseline.site.example", "address": self.address, "port": 8077, "packs": ["installed-files"], "loopback": True}]}))
        self.stella("vault", "init", "--passphrase-file", self.passphrase(), "--kdf-memory", "64MiB")
        self.stella("vault", "put", "baseline-key", "--scope", "baseline", "--passphrase-file", self.passphrase(), input=KEY)

    def passphrase(self):
        return self.write("passphrase", "brass kettle morning\n")

    def records(self, spoil=None):
        """A tar of dpkg's records for three packages; `spoil` is a file whose recorded sum is made wrong."""
        folder = self.path("records", "info")
        os.makedirs(folder)
        for package in SOME:
            text = self.read(os.path.join(DPKG, "info", package + ".md5sums"), "r")
            lines = ["0" * 32 + line[32:] if spoil and line.endswith("  " + spoil) else line for line in text.splitlines()]
            self.write(f"records/info/{package}.md5sums", "\n".join(lines) + "\n")
        shutil.copy(os.path.join(DPKG, "status"), self.path("records", "status"))
        with tarfile.open(self.path("dpkg.tar"), "w") as tar:
            for name in ("info", "status"):
                tar.add(self.path("records", name), name)

    def start_run(self, expect, **inputs):
        bundle = self.build(os.path.join(harness.EXAMPLES, "installed-files"), out=self.path("installed-files.pack"))
        given = self.write("inputs.json", json.dumps({"dpkg": "dpkg.tar", **inputs}))
        return self.stella("--output", "json", "pack", "run", "--bundle", bundle, "--inputs", given, "--passphrase-file", self.passphrase(),
                           expect=expect).json

    def approve(self, run):
        self.stella("pack", "approve", "--run", run, "--gate", "baseline-review", "--offline-request", "--out", self.path("request.json"))
        plan_hash = self.stella("--output", "json", "pack", "runs", "show", run).json["planHash"]
        for who in ("ada", "ben"):
            answer = self.path(f"answer-{who}.json")
            self.stella("approval", "sign", self.path("request.json"), "--key", self.key(who), "--trust", self.key("admin") + ".pub", "--decision",
                        "approved", "--comment", "read it", "--plan-hash", plan_hash, "--yes", "--out", answer, home=self.make_home(who))
            self.stella("pack", "approve", "--offline-response", answer)

    def artifact(self, result, name):
        return self.read(os.path.join(result["folder"], "artifacts", name))

    def test_signs_off_what_is_installed(self):
        self.records()
        waiting = self.start_run(7)
        self.assertEqual(waiting["state"], "waiting")
        log = self.stella("pack", "runs", "logs", waiting["runId"]).out
        self.assertIn("[redacted:baseline-key]", log)
        self.assertNotIn(KEY, log)
        self.approve(waiting["runId"])
        done = self.stella("--output", "json", "pack", "runs", "resume", "--run", waiting["runId"], "--passphrase-file", self.passphrase()).json
        self.assertEqual(done["state"], "succeeded")
        baseline, sbom = json.loads(self.artifact(done, "baseline.json")), self.artifact(done, "sbom.spdx.json")
        self.assertEqual(baseline["sbom"]["hmacSha256"], hmac.new(KEY.encode(), sbom, hashlib.sha256).hexdigest())
        self.assertEqual(sorted(baseline["approvers"]), ["Ada Obi", "Ben Keller"])
        self.assertGreater(baseline["files"]["same"], 100)
        document = json.loads(sbom)
        self.assertEqual((document["spdxVersion"], document["SPDXID"]), ("SPDX-2.3", "SPDXRef-DOCUMENT"))
        self.assertIn("coreutils", [package["name"] for package in document["packages"]])
        self.assertEqual(len({package["SPDXID"] for package in document["packages"]}), len(document["packages"]))

    def test_compares_with_the_previous_sbom(self):
        self.records()
        self.write("previous.json", json.dumps({"spdxVersion": "SPDX-2.3", "packages": [
            {"SPDXID": "SPDXRef-Package-gone-all", "name": "gone \u00e9\"", "versionInfo": "1"}]}))
        waiting = self.start_run(7, previous="previous.json")
        self.assertIn('removed gone \u00e9" 1', self.artifact(waiting, "changes.txt").decode())

    def test_a_changed_file_is_named_and_stops_a_strict_run(self):
        self.records(spoil="usr/bin/env")
        failed = self.start_run(1, strict=True)
        self.assertEqual(failed["reason"], "policy")
        self.assertIn("changed coreutils /usr/bin/env", self.artifact(failed, "verification.txt").decode())


class CallHome(harness.SealedSite):
    def test_every_way_out_is_blocked_and_named(self):
        self.apply()
        bundle = self.build(os.path.join(harness.EXAMPLES, "call-home"), out=self.path("call-home.pack"))
        result = self.stella("--output", "json", "pack", "run", "--bundle", bundle, expect=5)
        self.assertEqual(result.error["code"], "ERR_PACK_NETWORK_BLOCKED")
        found = {(row["host"] or row["address"], row["port"]) for row in result.json["blocked"]}
        for place in (("203.0.113.10", 80), ("2001:db8::10", 443), ("8.8.8.8", 53)):
            self.assertIn(place, found)
        self.assertIn("updates.vendor.example", {host for host, _ in found})
        self.assertIn("host: 203.0.113.10", result.error["fix"])


if __name__ == "__main__":
    harness.main()
