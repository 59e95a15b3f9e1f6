#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The packs certificate-expiry, backup-verification and firmware-rollout of docs/examples/packs do their real jobs."""
import json
import os
import sqlite3
import subprocess
import tarfile

import harness


class ExampleJob(harness.SealedSite):
    name = ""

    def setUp(self):
        super().setUp()
        self.apply()
        self.bundle = self.build(os.path.join(harness.EXAMPLES, self.name), out=self.path(self.name + ".pack"))

    def tar(self, name, folder, mode="w"):
        with tarfile.open(self.path(name), mode) as tar:
            tar.add(folder, ".")
        return name

    def start_run(self, expect=0, **inputs):
        given = self.write("inputs.json", json.dumps(inputs))
        return self.stella("--output", "json", "pack", "run", "--bundle", self.bundle, "--inputs", given, expect=expect).json

    def artifact(self, result, name):
        return self.read(os.path.join(result["folder"], "artifacts", name), "r")

    def logs(self, run, step):
        return self.stella("pack", "runs", "logs", run, "--step", step).out


class CertificateExpiry(ExampleJob):
    name = "certificate-expiry"

    def certificate(self, path, subject, days):
        target = self.path("pem", path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", self.path("key.pem"), "-out", target, "-subj", subject,
                        "-days", str(days)], check=True, stderr=subprocess.DEVNULL)
        return target

    def folder(self):
        self.certificate("web/front.pem", "/CN=front.plant.example", 400)
        self.certificate("web/soon.crt", "/CN=soon.plant.example", 9)
        chain = self.certificate("chain.pem", "/CN=leaf.plant.example", 100)
        second = self.certificate("tail.pem", "/O=Plant, 7/CN=root", 300)
        with open(chain, "a", encoding="ascii") as handle:
            handle.write(self.read(second, "r"))
        os.unlink(second)
        self.write("pem/broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        self.write("pem/notes.txt", "not a certificate\n")
        return self.tar("certificates.tar", self.path("pem"))

    def test_names_what_expires_and_what_cannot_be_read(self):
        done = self.start_run(certificates=self.folder(), warnDays=30)
        self.assertEqual(done["state"], "succeeded")
        rows = self.artifact(done, "certificates.csv").splitlines()
        self.assertEqual(rows[0], "state,days,until,subject,file")
        states = [row.split(",")[0] for row in rows[1:]]
        self.assertEqual(states, ["unreadable", "expiring", "good", "good", "good"])
        self.assertIn("CN=soon.plant.example", rows[2])
        self.assertTrue(any("CN=root" in row and row.endswith("chain.pem") for row in rows))
        self.assertEqual(done["outputs"]["expired"], 0)

    def test_a_strict_run_fails_at_the_gate_with_the_report_there(self):
        failed = self.start_run(expect=1, certificates=self.folder(), strict=True)
        self.assertEqual((failed["state"], failed["reason"]), ("failed", "policy"))
        self.assertIn("unreadable", self.artifact(failed, "certificates.csv"))

    def test_an_empty_folder_has_an_empty_report(self):
        os.makedirs(self.path("pem"))
        done = self.start_run(certificates=self.tar("certificates.tar", self.path("pem")))
        self.assertEqual(self.artifact(done, "certificates.csv"), "state,days,until,subject,file\n")


class BackupVerification(ExampleJob):
    name = "backup-verification"

    def setUp(self):
        super().setUp()
        self.write("saved/etc/app.conf", "port = 8080\n")
        self.write("saved/var/data.bin", os.urandom(200000))
        database = sqlite3.connect(self.path("saved/var/app.db"))
        database.execute("CREATE TABLE t (a)")
        database.executemany("INSERT INTO t VALUES (?)", [(str(n) * 40,) for n in range(2000)])
        database.commit()
        database.close()
        sums = subprocess.run("find . -type f -exec sha256sum {} +", shell=True, cwd=self.path("saved"), check=True, stdout=subprocess.PIPE).stdout
        self.write("sums", sums)

    def verify(self, expect=0, **more):
        return self.start_run(expect, backup=self.tar("backup.tar.gz", self.path("saved"), "w:gz"), sums="sums", **more)

    def test_a_good_backup_is_restored_compared_and_cleared(self):
        done = self.verify(databases=["var/app.db"], maxAgeDays=1)
        self.assertEqual(done["state"], "succeeded")
        summary = self.artifact(done, "restore.txt")
        self.assertRegex(summary, r"files restored +3\n")
        self.assertRegex(summary, r"same as saved +3\n")
        self.assertFalse(os.path.exists(os.path.join(done["folder"], "work", "restored")))

    def test_a_changed_file_fails_and_the_workspace_is_cleared_all_the_same(self):
        self.write("saved/etc/app.conf", "port = 8081\n")
        failed = self.verify(expect=1)
        self.assertIn("./etc/app.conf: FAILED", self.artifact(failed, "differing-files.txt"))
        self.assertFalse(os.path.exists(os.path.join(failed["folder"], "work", "restored")))

    def test_a_damaged_database_is_found(self):
        path = self.path("saved/var/app.db")
        data = bytearray(self.read(path))
        data[8192:12288] = os.urandom(4096)
        self.write("saved/var/app.db", bytes(data))
        sums = subprocess.run("find . -type f -exec sha256sum {} +", shell=True, cwd=self.path("saved"), check=True, stdout=subprocess.PIPE).stdout
        self.write("sums", sums)
        failed = self.verify(expect=1, databases=["var/app.db"])
        self.assertEqual(failed["state"], "failed")

    def test_an_old_backup_stops_at_the_policy_gate(self):
        for folder, _, names in os.walk(self.path("saved")):
            for name in names:
                os.utime(os.path.join(folder, name), (1_600_000_000, 1_600_000_000))
        self.assertEqual(self.verify(expect=1, maxAgeDays=30)["reason"], "policy")


class FirmwareRollout(ExampleJob):
    name = "firmware-rollout"

    def rollout(self, fails, **more):
        self.write("image.bin", os.urandom(50000))
        controllers = [{"name": f"plc-{number}", "revision": "B", "linkFails": count} for number, count in enumerate(fails)]
        return self.start_run(7, cell="cell-3", controllers=controllers, image="image.bin", **more)

    def approve(self, run, gate, people):
        request = self.path(f"request-{gate}.json")
        self.stella("pack", "approve", "--run", run, "--gate", gate, "--offline-request", "--out", request)
        plan_hash = self.stella("--output", "json", "pack", "runs", "show", run).json["planHash"]
        for who in people:
            answer = self.path(f"answer-{gate}-{who}.json")
            self.stella("approval", "sign", request, "--key", self.key(who), "--trust", self.key("admin") + ".pub", "--decision", "approved",
                        "--comment", "read it", "--plan-hash", plan_hash, "--yes", "--out", answer, home=self.make_home(who))
            self.stella("pack", "approve", "--offline-response", answer)

    def resume(self, run, expect=0):
        return self.stella("--output", "json", "pack", "runs", "resume", "--run", run, expect=expect).json

    def test_goes_through_both_gates_and_switches_every_controller(self):
        waiting = self.rollout([0, 2, 0, 1])
        self.assertEqual(waiting["gates"][0]["gate"], "security-review")
        self.approve(waiting["runId"], "security-review", ("ada", "ben"))
        second = self.resume(waiting["runId"], expect=7)
        self.assertEqual([gate["gate"] for gate in second["gates"] if gate["have"] < gate["need"]], ["go-live"])
        self.assertIn("written at try 3", self.logs(waiting["runId"], "stage[1]::write"))
        self.approve(waiting["runId"], "go-live", ("ada",))
        done = self.resume(waiting["runId"])
        self.assertEqual(done["state"], "succeeded")
        report = self.artifact(done, "rollout.txt")
        self.assertEqual(report.count("slot b"), 4)
        self.assertRegex(report, r"plc-1 +revision B +slot b +tries 3")

    def test_more_failures_than_a_quarter_end_the_rollout(self):
        waiting = self.rollout([0, 9, 9, 0])
        self.approve(waiting["runId"], "security-review", ("ada", "ben"))
        failed = self.resume(waiting["runId"], expect=1)
        self.assertEqual(failed["state"], "failed")
        self.assertIn("the cell is released", self.logs(waiting["runId"], "release"))

    def test_stops_after_the_canary_when_asked_to(self):
        waiting = self.rollout([0, 0], stopAfterCanary=True)
        self.approve(waiting["runId"], "security-review", ("ada", "ben"))
        self.resume(waiting["runId"], expect=7)
        self.approve(waiting["runId"], "go-live", ("ben",))
        done = self.resume(waiting["runId"])
        self.assertRegex(self.artifact(done, "rollout.txt"), r"plc-1 +revision B +slot a")


if __name__ == "__main__":
    harness.main()
