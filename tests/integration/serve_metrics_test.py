#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`stella serve`: GET /metrics, and metrics and traces as files."""
import http.client
import os
import shutil
import unittest

from harness import main
from metrics_test import promtool, samples
from run_site import RunTest
from serve_site import ServeSite


class Served(ServeSite, RunTest):
    def get(self, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, "/metrics")
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def test_metrics_are_open_and_in_the_text_format(self):
        self.run_pack([self.step("one", "true")])
        self.serve()
        answer, text = self.get()
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "text/plain; version=0.0.4; charset=utf-8"))
        found = samples(text)
        self.assertEqual(found["pack_run_success_ratio", (("tenant", "plant-7"),)], 1)
        self.assertGreater(found["process_open_fds", ()], 3)
        answer, text = self.get("HEAD")
        self.assertEqual((answer.status, text), (200, ""))

    @unittest.skipUnless(shutil.which("promtool"), "promtool (Debian package prometheus) is missing")
    def test_promtool_takes_what_a_server_says(self):
        self.run_pack([self.step("one", "true")])
        self.serve()
        checked = promtool("check", "metrics", input=self.get()[1])
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_follows_runs_of_other_processes_and_outlives_a_prune(self):
        self.serve()
        for number in range(3):
            self.run_pack([self.step("one", "true")], name=f"job-{number}")
            self.wait_for(lambda wanted=number + 1: samples(self.get()[1]).get(("pack_step_duration_seconds_count", (("step_type", "run"),))) == wanted)
        self.stella("pack", "runs", "prune", "--older-than", "1ms", "--unexported", "--yes")
        gone = ("pack_runs", (("state", "succeeded"), ("tenant", "plant-7")))
        self.wait_for(lambda: samples(self.get()[1])[gone] == 0)
        self.assertEqual(samples(self.get()[1])["pack_step_duration_seconds_count", (("step_type", "run"),)], 3)

    def test_writes_a_textfile_and_traces_beside(self):
        run = self.run_pack([self.step("one", "true")])["runId"]
        textfile, traces = self.path("collector", "stella.prom"), self.path("traces")
        os.makedirs(os.path.dirname(textfile))
        process = self.start("serve", "--listen", f"unix:{self.path('socket')}", "--textfile", textfile, "--traces", traces)
        self.wait_for(lambda: os.path.exists(textfile) and os.path.isdir(traces) and any(name.endswith(".jsonl") for name in os.listdir(traces)))
        self.assertNotIn("process_", self.read(textfile, "r"))
        self.assertEqual(samples(self.read(textfile, "r"))["pack_run_active", (("tenant", "plant-7"),)], 0)
        self.assertEqual(os.listdir(traces), [f"trace_{run.replace(':', '_')}_1.jsonl"])
        process.terminate()
        self.assertEqual(process.wait(timeout=30), 0)


if __name__ == "__main__":
    main()
