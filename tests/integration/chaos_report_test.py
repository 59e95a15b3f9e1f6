#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `chaos report` says of a run, and that random hooks and kills change no output of one."""
import json
import os
import random
import time

from approval_site import ApprovalSite
from chaos_site import ChaosTest, Server
from harness import main


class Report(ChaosTest):
    def test_the_report_compares_with_itself_and_with_earlier_runs(self):
        steps = [self.step(f"s{number}", "echo done") for number in range(8)]
        steps[4] = self.step("s4", "[ ! -e /inputs/hold ] || while [ ! -e /work/go ]; do sleep 0.05; done")
        inputs = [{"name": "hold", "type": "file", "required": False}]
        bundle = self.pack("job", steps, inputs=inputs)
        for _ in range(3):
            self.stella("pack", "run", "--bundle", bundle)
        hold = self.write("hold", "x")
        process = self.start_run(bundle, "--inputs", self.write("inputs.json", json.dumps({"hold": hold})))
        run = self.wait_for_step("s4")
        self.inject_and_wait(run, "pause", "--for", "1s")
        pending = self.stella("--output", "json", "chaos", "report", "--run", run).json
        self.assertEqual(pending["injections"][0]["verdict"], "unknown")
        open(os.path.join(self.show(run)["folder"], "work", "go"), "w").close()
        self.assertEqual(self.until_left(process)[0], 7)
        self.assertFalse(self.stella("--output", "json", "chaos", "report", "--run", run).json["injections"][0]["over"])
        self.stella("pack", "runs", "resume", run)
        report = self.stella("--output", "json", "chaos", "report", "--run", run).json
        self.assertEqual((report["runId"], report["earlierRuns"], len(report["rules"]), len(report["injections"])), (run, 3, 4, 1))
        found = report["injections"][0]
        self.assertEqual((found["hook"], found["over"], found["before"]["stepsEnded"], found["during"]["stepsEnded"], found["after"]["stepsEnded"]),
                         ("pause", True, 4, 1, 3))
        for side, baseline in (("againstItself", 4), ("againstEarlierRuns", 9)):
            verdicts = {row["metric"]: row["verdict"] for row in found[side]}
            self.assertEqual((verdicts["retries"], verdicts["failures"], verdicts["blocked"], verdicts["gateWait"]), ("back", "back", "back", "unknown"), (side, baseline))
            self.assertIn(verdicts["stepDuration"], ("back", "not-back"))
        self.assertIn(found["verdict"], ("back", "not-back"))
        text = self.stella("chaos", "report", run).out
        for word in ("pause at ", "before", "during", "after", "stepDuration run", "itself", "3 runs", "1.5 x"):
            self.assertIn(word, text)
        lines = [json.loads(line) for line in self.stella("--output", "ndjson", "chaos", "report", run).out.splitlines()]
        self.assertEqual([line.get("hook") for line in lines], ["pause", None])

    def test_a_run_without_hooks_and_one_that_is_not_there(self):
        run = self.run_pack([self.step("a", "true")])["runId"]
        self.assertEqual(self.stella("--output", "json", "chaos", "report", run).json["injections"], [])
        self.assertIn("no chaos hook", self.stella("chaos", "report", run).out)
        self.refused("ERR_RUN_NOT_FOUND", "chaos", "report", "--run", "run:plant-7:20261123T165433120Z")


PATIENT = r'''
import socket, sys, time
for _ in range(600):
    try:
        with socket.create_connection(("historian.example", int(sys.argv[1])), 5) as line:
            line.sendall(b"ping")
            if line.recv(9) == b"pong": sys.exit(0)
    except OSError:
        pass
    time.sleep(0.05)
sys.exit(1)
'''


def work(script, **more):
    return {"run": {"script": script, "onCrash": "rerun", **more}}


class RandomHooks(ApprovalSite):
    """Hooks and kills at seeded moments of runs of a pack with every kind of step."""
    threshold, injections = 1, 20

    def setUp(self):
        self.server = Server("127.77.0.10")
        self.addCleanup(self.server.close)
        super().setUp()
        pull = {"command": ["python3", "/pack/patient.py", str(self.server.port)], "onCrash": "rerun", "retries": {"maxAttempts": 3, "backoffSeconds": 0}}
        self.steps = [
            {"id": "prepare", **work("printf 'ready=yes\\n' > \"$STELLA_OUTPUT\"; echo prepared > /artifacts/prepare.txt")},
            {"id": "pull", "run": pull},
            {"id": "each", "map": {"items": ["x", "y"], "iterator": "one", "maxParallel": 2, "steps": [
                {"id": "put", **work("echo \"$ONE\" > /artifacts/each-$ONE.txt", env={"ONE": "${{ one }}"})}, {"id": "again", "run": pull}]}},
            {"id": "both", "parallel": {"maxParallel": 2, "steps": [{"id": "left", **work("echo l > /artifacts/left.txt")}, {"id": "right", "run": pull}]}},
            {"id": "settle", "loop": {"range": [1, 3], "iterator": "item", "index": "index", "maxIterations": 5, "steps": [{"id": "turn", **work("sleep 0.1")}]}},
            {"id": "window", "gate.policy": {"expression": "steps.prepare.outputs.ready == 'yes'", "message": "not ready"}},
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "choose", "conditional": {"cases": [{"when": "steps.prepare.outputs.ready == 'yes'", "steps": [{"id": "say", **work("echo yes > /artifacts/said.txt")}]}], "else": []}},
            {"id": "act", **work("cat /artifacts/*.txt > /artifacts/report")}]
        self.bundle = self.pack("everything", self.steps, files={"patient.py": PATIENT}, network=[{"host": "historian.example", "port": self.server.port}],
                                approvals=[{"id": "review", "threshold": 1, "expiresAfter": "PT1H"}], outputs=[{"name": "report", "type": "file", "path": "report"}],
                                **{"finally": [{"id": "undo", **work("echo undone > /artifacts/undone")}]})

    def policy(self, **changes):
        entry = {"host": "historian.example", "address": "127.77.0.10", "port": self.server.port, "loopback": True}
        return super().policy(**{"chaos": {"allow": True}, "network": {"dns": "block", "allow": [entry]}, **changes})

    def follow(self, run, process, dice, places):
        """Until the runner leaves: a hook whenever the journal is as long as the dice say; at the end sometimes a kill."""
        steps = [None, "pull", "each", "ask", "act", "settle"]
        until = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < until:
            if places and len(self.events(run)) >= places[0]:
                places.pop(0)
                hook, step = dice.choice(["pause", "drop-network", "delay-approvals"]), dice.choice(steps)
                done = self.stella("chaos", "inject", "--run", run, "--hook", hook, "--for", dice.choice(["1s", "2s"]),
                                   *(["--step", step] if step else []), expect=None)
                self.assertIn(done.status, (0, 2), str(done))  # 2: it has just ended
                if dice.random() < 0.25:
                    process.kill()
            time.sleep(0.02)
        process.wait(timeout=120)

    def finish(self, run, dice, places):
        until = time.monotonic() + 120
        while time.monotonic() < until:  # while approvals are delayed, a resume comes back at once
            shown = self.show(run)
            if shown["state"] == "succeeded" and shown["evidence"]:  # killed before it was sealed: resumed once more
                return shown
            gate = shown["gates"][0]
            if shown["state"] == "waiting" and gate["have"] == 0:
                self.take(self.sign(self.ask(run), "ada"))
            process = self.start("--tenant", "plant-7", "pack", "runs", "resume", "--run", run)
            self.follow(run, process, dice, places)
        return self.fail(f"{run} does not come to its end: {self.show(run)['state']}")

    def left(self, shown):
        place = os.path.join(shown["folder"], "artifacts")
        return shown["outputs"], {name: self.read(os.path.join(place, name)) for name in sorted(os.listdir(place))}

    def one_run(self, dice, places):
        process = self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.bundle)
        known = len(self.runs)
        until = time.monotonic() + 60
        while len(self.runs) == known and time.monotonic() < until:
            self.runs = self.all_runs()
        run = self.runs[0]
        self.follow(run, process, dice, places)
        return run, self.finish(run, dice, places)

    def all_runs(self):
        if not os.path.exists(os.path.join(self.home, "runs", "journal.db")):
            return []
        return [row["runId"] for row in self.stella("--output", "json", "pack", "runs", "list").json["runs"]]

    def test_random_hooks_change_no_output(self):
        self.runs, seed, injected = [], 0, 0
        _, reference = self.one_run(random.Random(0), [])
        while injected < self.injections and seed < 60:  # a quick run ends before some of its hooks
            seed += 1
            with self.subTest(seed=seed):
                dice = random.Random(seed)
                run, shown = self.one_run(dice, sorted(dice.randint(1, 60) for _ in range(4)))
                self.assertEqual((shown["state"], shown["attempt"], shown["blocked"]), ("succeeded", 1, []))
                self.assertEqual(self.left(shown), self.left(reference))
                injected += sum(event["type"] == "pack.chaos.injected" for event in self.events(run))
                self.stella("evidence", "verify", shown["evidence"], "--trust", self.key("admin") + ".pub")
                self.stella("chaos", "report", run)
        self.assertGreaterEqual(injected, self.injections)


if __name__ == "__main__":
    main()
