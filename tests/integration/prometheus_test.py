#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus takes in a server's metrics of real runs, loads the shipped rules, and answers every query of the board."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

from harness import SOURCE, main
from run_site import RunTest
from serve_site import ServeSite

FOLDER = os.path.join(SOURCE, "docs", "operations", "observability")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never by way of a proxy
    with opener.open(url, timeout=10) as answer:
        return answer.read().decode()


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is missing")
class Prometheus(ServeSite, RunTest):
    def start_prometheus(self, target):
        with open(os.path.join(FOLDER, "prometheus.yaml"), encoding="utf-8") as handle:
            text = handle.read()
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{target}").replace("15s", "1s").replace("alerts.yaml", os.path.join(FOLDER, "alerts.yaml"))
        config, port = self.write("prometheus.yaml", text, 0o644), free_port()
        server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.path('tsdb')}",
                                   f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "HOME": self.root})
        self.addCleanup(server.wait, 60)
        self.addCleanup(server.kill)
        return f"http://127.0.0.1:{port}"

    def query(self, base, expression):
        answer = json.loads(ask(f"{base}/api/v1/query?query={urllib.parse.quote(expression)}"))
        self.assertEqual(answer["status"], "success", expression)
        return answer["data"]["result"]

    def wait_for_query(self, base, expression, seconds=90):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                found = self.query(base, expression)
                if found:
                    return found
            except OSError:
                pass  # not up yet
            time.sleep(0.3)
        self.fail(f"{expression} gave nothing in time")

    def one(self, base, expression):
        return float(self.wait_for_query(base, expression)[0]["value"][1])

    def test_takes_in_the_metrics_of_real_runs(self):
        self.run_pack([self.step("one", "true"), self.step("two", "true")], name="good")
        self.run_pack([self.step("bad", "exit 3")], name="bad", expect=1)
        self.run_pack([{"id": "ask", "gate.approval": {"approval": "review"}}], name="gated", expect=7,
                      approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}])
        base = self.start_prometheus(self.serve())
        self.assertEqual(self.one(base, 'up{job="stella"} == 1'), 1)
        self.assertEqual(self.one(base, 'pack_run_active{tenant="plant-7"}'), 1)
        self.assertEqual(self.one(base, 'pack_run_success_ratio{tenant="plant-7"}'), 0.5)
        self.assertEqual(self.one(base, 'pack_step_duration_seconds_count{step_type="run"}'), 3)
        self.assertGreater(self.one(base, 'histogram_quantile(0.9, pack_step_duration_seconds_bucket{step_type="run"})'), 0)
        self.assertGreaterEqual(self.one(base, 'pack_gate_waiting_seconds{gate="review"}'), 0)
        self.stella("pack", "approve", "--run", self.last_run(), "--gate", "review", "--comment", "no", "--key", self.key("ada"), "--reject", "--yes", expect=3)
        self.assertEqual(self.one(base, 'pack_gate_wait_seconds_count{gate="review"}'), 1)
        self.assertEqual(self.one(base, 'pack_run_active{tenant="plant-7"} == 0'), 0)
        rules = json.loads(ask(f"{base}/api/v1/rules"))["data"]["groups"][0]["rules"]
        self.assertIn("StellaGateWaiting", [rule["name"] for rule in rules])
        self.assertEqual([rule["name"] for rule in rules if rule["health"] == "err"], [])
        for expression in self.board_queries():
            with self.subTest(query=expression):
                self.query(base, expression)
        self.assertGreater(self.one(base, 'process_resident_memory_bytes{job="stella"}'), 1e6)
        before = self.query(base, "pack_run_ended_total")
        self.stop(signal.SIGKILL)
        self.wait_for_query(base, 'up{job="stella"} == 0')
        self.serve(self.port)
        self.wait_for_query(base, 'up{job="stella"} == 1')
        self.assertEqual([(one["metric"], one["value"][1]) for one in self.query(base, "pack_run_ended_total")],
                         [(one["metric"], one["value"][1]) for one in before])
        self.assertEqual({one["value"][1] for one in self.query(base, "resets(pack_run_ended_total[5m])")}, {"0"})
        types = json.loads(ask(f"{base}/api/v1/metadata?metric=pack_step_duration_seconds"))["data"]
        self.assertEqual(types["pack_step_duration_seconds"][0]["type"], "histogram")

    def board_queries(self):
        with open(os.path.join(FOLDER, "task-runner.json"), encoding="utf-8") as handle:
            board = json.load(handle)
        for panel in board["panels"]:
            for target in panel["targets"]:
                expression = target["expr"].replace("$tenant", ".*").replace("$__rate_interval", "5m")
                self.assertFalse(re.search(r"\$", expression), "a variable that the board does not have")
                yield expression


if __name__ == "__main__":
    main()
