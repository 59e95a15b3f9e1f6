#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pack runs trace` and `traces export`: OTLP JSON lines that the published protobuf messages take."""
import base64
import glob
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys

from harness import SOURCE, main
from run_site import RunTest

PROTO = os.path.join(SOURCE, "tests", "vectors", "opentelemetry")
GATED = [{"id": "ask", "gate.approval": {"approval": "review"}}]
REVIEW = [{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}]


class Trace(RunTest):
    def spans(self, run):
        lines = self.stella("pack", "runs", "trace", run).out.splitlines()
        return [span for line in lines for group in json.loads(line)["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]

    def attributes(self, span):
        return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}

    def tree(self, run):
        """Paths of names from the root, sorted."""
        spans = {span["spanId"]: span for span in self.spans(run)}
        def path(span):
            parent = span.get("parentSpanId")
            return (path(spans[parent]) if parent else ()) + (span["name"],)
        return sorted(" / ".join(path(span)) for span in spans.values())

    def test_has_a_root_and_a_child_for_each_attempt_step_try_and_gate(self):
        steps = [self.step("flaky", "test -e /work/x || { touch /work/x; exit 1; }", retries={"maxAttempts": 2, "backoffSeconds": 0}),
                 {"id": "all", "map": {"items": ["a", "b"], "iterator": "n", "steps": [self.step("do", "true")]}}, *GATED]
        run = self.run_pack(steps, name="many", expect=7, approvals=REVIEW)
        run = run["runId"] if run else self.last_run()
        self.stella("pack", "approve", "--run", run, "--gate", "review", "--comment", "ok", "--key", self.key("ada"), "--yes")
        self.stella("pack", "runs", "resume", run)
        top = "taskrunner.run / attempt 1"
        self.assertEqual(self.tree(run), sorted([
            "taskrunner.run", top, f"{top} / step flaky", f"{top} / step flaky / try 1", f"{top} / step flaky / try 2",
            f"{top} / step all", f"{top} / step all / step all[0]::do", f"{top} / step all / step all[0]::do / try 1",
            f"{top} / step all / step all[1]::do", f"{top} / step all / step all[1]::do / try 1", f"{top} / gate review", f"{top} / step ask"]))
        spans = {span["name"]: span for span in self.spans(run)}
        self.assertEqual(spans["taskrunner.run"]["status"], {"code": 1})
        self.assertEqual(spans["step flaky"]["status"]["code"], 1)
        self.assertIn("pack.step.retried", [event["name"] for event in spans["step flaky"]["events"]])
        self.assertEqual(self.attributes(spans["gate review"])["stella.gate.approvers"], {"values": [{"stringValue": "Ada Obi"}]})
        for span in spans.values():
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))

    def test_tells_why_a_run_failed(self):
        self.run_pack([self.step("bad", "exit 3")], name="bad", expect=1)
        run = self.last_run()
        shown, spans = self.show(run), {span["name"]: span for span in self.spans(run)}
        root = self.attributes(spans["taskrunner.run"])
        self.assertEqual((root["stella.run.id"], root["stella.tenant"], root["stella.pack.name"], root["stella.plan.hash"], root["stella.run.code"]),
                         (run, "plant-7", "bad", shown["planHash"], "ERR_PACK_STEP_FAILED"))
        self.assertEqual(spans["taskrunner.run"]["status"]["code"], 2)
        self.assertTrue(spans["taskrunner.run"]["status"]["message"])
        self.assertEqual(self.attributes(spans["try 1"])["process.exit.code"], "3")

    def test_a_new_attempt_is_another_child(self):
        self.run_pack([self.step("flaky", "test -e /work/again || { touch /work/again; exit 1; }")], name="flaky", expect=1)
        run = self.last_run()
        before = {span["spanId"]: span["name"] for span in self.spans(run)}
        self.stella("pack", "runs", "resume", run)
        after = self.spans(run)
        self.assertLessEqual(set(before), {span["spanId"] for span in after})  # the same ids again
        self.assertEqual(len({span["spanId"] for span in after}), len(after))
        attempts = {span["name"]: span["status"]["code"] for span in after if span["name"].startswith("attempt")}
        self.assertEqual(attempts, {"attempt 1": 2, "attempt 2": 1})

    def test_ids_come_from_the_run(self):
        run = self.run_pack([self.step("one", "true")])["runId"]
        spans = self.spans(run)
        self.assertEqual({span["traceId"] for span in spans}, {hashlib.sha256(b"stella.trace.v1\n" + run.encode()).hexdigest()[:32]})
        root = next(span for span in spans if "parentSpanId" not in span)
        self.assertEqual(root["spanId"], hashlib.sha256(f"stella.span.v1\n{run}\nrun".encode()).hexdigest()[:16])
        self.assertEqual(self.spans(run), spans)

    def test_shows_what_is_open_while_a_gate_waits(self):
        self.run_pack(GATED, name="gated", expect=7, approvals=REVIEW)
        spans = {span["name"]: span for span in self.spans(self.last_run())}
        for name in ("taskrunner.run", "attempt 1", "gate review"):
            self.assertIs(self.attributes(spans[name]).get("stella.open"), True, name)

    def test_exports_each_ended_attempt_once(self):
        folder = self.path("traces")
        self.run_pack(GATED, name="gated", expect=7, approvals=REVIEW)
        run = self.run_pack([self.step("one", "true")])["runId"]
        first = self.stella("--output", "json", "traces", "export", "--out", folder).json
        again = self.stella("--output", "json", "traces", "export", "--out", folder).json
        self.assertEqual((first["written"], first["there"], again["written"], again["there"]), (1, 0, 0, 1))
        self.assertEqual(os.listdir(folder), [f"trace_{run.replace(':', '_')}_1.jsonl"])
        self.assertEqual(self.read(os.path.join(folder, os.listdir(folder)[0]), "r"), self.stella("pack", "runs", "trace", run).out)
        self.assertEqual(self.stella("--output", "json", "traces", "export", "--out", folder, "--since", "2199-01-01T00:00:00Z").json["there"], 0)

    def test_the_published_messages_take_every_line(self):
        try:
            from google.protobuf import json_format
        except ImportError:
            self.skipTest("python3-protobuf is missing")
        if not shutil.which("protoc"):
            self.skipTest("protoc (Debian package protobuf-compiler) is missing")
        messages = self.compiled()
        # The specification's own example, so that the reader below is known to read OTLP.
        with open(os.path.join(PROTO, "trace.json"), encoding="utf-8") as handle:
            json_format.ParseDict(as_protobuf(json.load(handle)), messages.TracesData())
        self.run_pack([self.step("bad", "echo ü; exit 3", retries={"maxAttempts": 2, "backoffSeconds": 0})], name="bad", expect=1)
        run = self.last_run()
        self.stella("pack", "runs", "resume", run, expect=1)
        for line in self.stella("pack", "runs", "trace", run).out.splitlines():
            read = json_format.ParseDict(as_protobuf(json.loads(line)), messages.TracesData())  # refuses unknown fields
            spans = [span for group in read.resource_spans for scope in group.scope_spans for span in scope.spans]
            for span in spans:
                self.assertEqual((len(span.trace_id), len(span.span_id)), (16, 8))
                self.assertEqual(span.kind, 1)
            # Nothing is lost or added when the message is written again.
            back = json_format.MessageToDict(read, use_integers_for_enums=True)
            self.assertEqual(without_empty(back), without_empty(as_protobuf(json.loads(line))))

    def compiled(self):
        out = self.path("proto")
        os.makedirs(out)
        files = sorted(glob.glob(os.path.join(PROTO, "opentelemetry", "proto", "*", "v1", "*.proto")))
        subprocess.run(["protoc", f"--proto_path={PROTO}", f"--python_out={out}", *files], check=True)
        sys.path.insert(0, out)
        self.addCleanup(sys.path.remove, out)
        return importlib.import_module("opentelemetry.proto.trace.v1.trace_pb2")


def as_protobuf(value):
    """OTLP's deviation from the protobuf JSON mapping taken back: ids are hex there and base64 here."""
    if isinstance(value, list):
        return [as_protobuf(one) for one in value]
    if isinstance(value, dict):
        return {key: base64.b64encode(bytes.fromhex(one)).decode() if key in ("traceId", "spanId", "parentSpanId") else as_protobuf(one)
                for key, one in value.items()}
    return value


def without_empty(value):
    """Members that hold nothing may be left out in proto3."""
    if isinstance(value, list):
        return [without_empty(one) for one in value]
    if isinstance(value, dict):
        whole = {key: without_empty(one) for key, one in value.items()}
        return {key: one for key, one in whole.items() if one not in ([], {}, "", None)}
    return value


if __name__ == "__main__":
    main()
