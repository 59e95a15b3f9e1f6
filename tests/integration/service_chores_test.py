#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service does while nobody asks anything, beside the console in one process or in two."""
import http.client
import json
import os
import signal
import subprocess

import service_site
from harness import main
from service_site import ServiceSite

GATED = [{"id": "ask", "gate.approval": {"approval": "review"}}]


class Idle(ServiceSite):
    def gated(self, user="ana", expires="PT2S"):
        bundle = self.pack_of(user, "gated", GATED, approvals=[{"id": "review", "threshold": 1, "expiresAfter": expires}])
        return self.json_by(user, "pack", "run", "--bundle", bundle, expect=7)["runId"]

    def told(self):
        """Topics of the messages that lie in the spool."""
        folder = os.path.join(self.home, "spool", "spool")
        names = [name for name in os.listdir(folder) if name.endswith(".json")] if os.path.isdir(folder) else []
        return [json.loads(self.read(os.path.join(folder, name)))["message"]["topic"] for name in names]

    def test_a_gate_runs_out_and_people_are_told(self):
        self.apply_as_service(self.policy(version=2, notifications=[{"topic": "pack.run.*", "to": "spool"}]))
        run = self.gated()
        self.wait_for(lambda: "pack.run.expired" in self.types(run), 60)
        self.wait_for(lambda: "pack.run.expired" in self.told(), 60)

    def test_what_was_kept_long_enough_is_pruned(self):
        run = self.json_by("ana", "pack", "run", "--bundle", self.pack_of("ana", "job", [self.step("a", "true")]))["runId"]
        self.by("ana", "pack", "runs", "export", "--run", run, "--out", "bags")
        folder = os.path.join(self.home, "runs", run.replace(":", "_"))
        self.assertTrue(os.path.isdir(folder))
        self.apply_as_service(self.policy(version=2, retention={"runs": "1ms"}))
        self.service.terminate()
        self.assertEqual(self.service.wait(timeout=60), 0)
        self.service = self.start_service()  # at its start, and then once an hour
        self.wait_for(lambda: not os.path.isdir(folder), 60)


class Both(ServiceSite):
    def start(self, *args):
        with open(self.log, "ab") as log:
            process = subprocess.Popen([self.binary, "--output", "ndjson", "serve", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       start_new_session=True, **self.options_of(service_site.SERVICE))
        self.addCleanup(self._reap, process)
        return process, json.loads(process.stdout.readline())

    def end_service(self):
        self.service.terminate()
        self.assertEqual(self.service.wait(timeout=60), 0)

    def healthy(self, address):
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        return status == 200

    def keepers(self):
        """Processes that hold chores.lock, as the kernel knows them."""
        path = os.path.join(self.home, "chores.lock")
        if not os.path.exists(path):
            return []
        inode = str(os.stat(path).st_ino)
        with open("/proc/locks", encoding="ascii") as handle:
            rows = [line.split() for line in handle]
        return [int(row[4]) for row in rows if row[1] == "FLOCK" and row[5].split(":")[2] == inode]

    def test_one_process_serves_operators_and_the_console(self):
        self.end_service()
        both, first = self.start("--socket", "--listen", "127.0.0.1:0")
        self.assertEqual(json.loads(both.stdout.readline()), {"event": "serving", "socket": self.socket})
        self.assertTrue(self.healthy(first["address"]))
        run = self.json_by("ana", "pack", "run", "--bundle", self.pack_of("ana", "job", [self.step("a", "true")]))
        self.assertEqual(run["state"], "succeeded")
        self.assertEqual(os.stat(self.socket).st_mode & 0o777, 0o660)
        self.wait_for(lambda: self.keepers() == [both.pid])
        both.terminate()
        self.assertEqual(both.wait(timeout=60), 0)
        self.assertEqual(json.loads(both.stdout.read()), {"stopped": True})
        self.assertRaises(OSError, self.healthy, first["address"])
        self.refused_to("ana", "ERR_SERVE_BUSY", "pack", "runs", "list", reason="unreachable")

    def test_a_console_ends_while_runs_are_still_paused(self):
        self.end_service()
        both, first = self.start("--socket", "--listen", "127.0.0.1:0")
        both.stdout.readline()
        process = self.start_by("ana", "pack", "run", "--bundle", self.pack_of("ana", "job", [self.step("slow", "sleep 300")]))
        run = self.running_step("ana", "slow")
        both.terminate()
        self.assertEqual(both.wait(timeout=60), 0)
        self.assertEqual(process.wait(timeout=60), 7)
        self.assertIn("pack.run.paused", self.types(run))
        self.assertRaises(OSError, self.healthy, first["address"])

    def test_of_two_processes_one_does_the_chores_and_the_other_takes_over(self):
        self.wait_for(lambda: self.keepers() == [self.service.pid])
        console, first = self.start("--listen", "127.0.0.1:0")
        self.assertTrue(self.healthy(first["address"]))
        self.assertEqual(self.keepers(), [self.service.pid])
        self.service.send_signal(signal.SIGKILL)
        self.service.wait(timeout=60)
        self.wait_for(lambda: self.keepers() == [console.pid])
        self.service = self.start_service()
        self.by("ana", "pack", "runs", "list")
        self.assertEqual(self.keepers(), [console.pid])

    def test_files_are_published_by_the_console_only(self):
        for option in ("--textfile", "--traces"):
            self.refused_to(service_site.SERVICE, "ERR_USAGE", "serve", "--socket", option, self.path("run", "x"), reason="listen")


if __name__ == "__main__":
    service_site.enter()
    main()
