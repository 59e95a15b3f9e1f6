#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chaos hooks from another process than the run's: pause, a network that drops, approvals that come late."""
import os
import signal
import time

from approval_site import ApprovalSite
from chaos_site import CLIENT, ChaosTest, Server, seconds
from harness import SLOWNESS, main


class Refusals(ChaosTest):
    def test_off_unless_the_site_allows_it(self):
        run = self.run_pack([self.step("a", "exit 1")], expect=1)["runId"]
        for version, chaos in ((2, {"allow": False}), (3, {})):
            self.apply(self.policy(version=version, chaos=chaos))
            for hook in ("pause", "drop-network", "delay-approvals"):
                self.refused_and_unchanged("ERR_USAGE", 2, "chaos", "inject", "--run", run, "--hook", hook, reason="chaos")

    def test_a_run_that_has_ended(self):
        for script, status in (("true", 0), ("false", 1)):
            run = self.run_pack([self.step("a", script)], expect=status, name=script)["runId"]
            self.refused_and_unchanged("ERR_USAGE", 2, "chaos", "inject", "--run", run, "--hook", "pause", reason="state")

    def test_wrong_words(self):
        gate = [{"id": "gate", "gate.approval": {"approval": "review"}}]
        run = self.run_pack(gate, expect=7, approvals=[{"id": "review", "threshold": 1}])["runId"]
        for reason, arguments in (("hook", ("--hook", "reboot")), ("duration", ("--hook", "pause", "--for", "2h")),
                                  ("duration", ("--hook", "pause", "--for", "0s")), ("step", ("--hook", "pause", "--step", "gat"))):
            self.refused_and_unchanged("ERR_USAGE", 2, "chaos", "inject", "--run", run, *arguments, reason=reason)
        self.refused_and_unchanged("ERR_RUN_NOT_FOUND", 4, "chaos", "inject", "--run", "run:plant-7:20261123T165433120Z", "--hook", "pause")


class Pause(ChaosTest):
    STEPS = [{"id": "a", "run": {"script": "while [ ! -e /work/go ]; do sleep 0.05; done; echo a > /artifacts/a"}},
             {"id": "b", "run": {"script": "echo b > /artifacts/b"}}]

    def running(self):
        bundle = self.pack("job", self.STEPS)
        process = self.start_run(bundle)
        run = self.wait_for_step("a")
        return process, run, self.show(run)["folder"]

    def test_lets_what_runs_end_and_starts_nothing_new(self):
        process, run, folder = self.running()
        made = self.inject_and_wait(run, "pause")
        self.assertEqual((made["hook"], made["by"], made["forMs"], made["runState"]), ("pause", "Ana Ortiz", 30000, "running"))
        open(os.path.join(folder, "work", "go"), "w").close()
        status, error = self.until_left(process)
        self.assertEqual((status, error["code"], error["reason"]), (7, "ERR_PACK_CHAOS_PAUSED", "chaos"))
        self.assertIn(f"stella pack runs resume --run {run}", error["fix"])
        shown = self.show(run)
        self.assertEqual((shown["state"], shown["code"], shown["exit"]), ("paused", "ERR_PACK_CHAOS_PAUSED", 7))
        self.assertEqual(self.hooks(run), [("pause", "took-hold")])
        self.assertEqual({step["step"]: step["state"] for step in shown["steps"]}, {"a": "succeeded", "b": "pending"})
        done = self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json
        self.assertEqual((done["state"], done["attempt"]), ("succeeded", 1))
        self.assertIn("pack.chaos.injected", self.types(run))
        text = self.stella("pack", "runs", "show", run).out
        self.assertIn("chaos: pause at ", text)
        self.stella("evidence", "verify", done["evidence"], "--trust", self.key("admin") + ".pub")

    def test_before_a_step(self):
        process, run, folder = self.running()
        self.inject(run, "pause", "--step", "b", "--for", "1h")
        open(os.path.join(folder, "work", "go"), "w").close()
        status, error = self.until_left(process)
        self.assertEqual((status, error["code"], error["at"]), (7, "ERR_PACK_CHAOS_PAUSED", "b"))
        self.assertNotIn("pack.step.started b", self.types(run))
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json["state"], "succeeded")

    def test_a_paused_run_is_cancelled(self):
        process, run, folder = self.running()
        self.inject(run, "pause", "--step", "b")
        open(os.path.join(folder, "work", "go"), "w").close()
        self.assertEqual(self.until_left(process)[0], 7)
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "cancel", "--run", run).json["state"], "cancelled")

    def test_it_is_over_after_its_time(self):
        process, run, folder = self.running()
        until = self.inject(run, "pause", "--step", "b", "--for", "1s").json["until"]
        self.wait_for(lambda: time.time() > seconds(until))
        open(os.path.join(folder, "work", "go"), "w").close()
        self.assertEqual(self.until_left(process)[0], 0)
        self.assertEqual(self.hooks(run), [("pause", "over")])

    def test_a_kill_in_between_loses_nothing(self):
        process, run, folder = self.running()
        self.inject(run, "pause", "--step", "b", "--for", "1h")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        open(os.path.join(folder, "work", "go"), "w").close()
        error = self.refused("ERR_PACK_CHAOS_PAUSED", "pack", "runs", "resume", "--run", run, "--rerun", "a")
        self.assertEqual((error["exit"], error["at"]), (7, "b"))
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json["state"], "succeeded")


    def test_wait_sits_a_pause_out(self):
        process = self.start_run(self.pack("job", self.STEPS), "--wait")
        run = self.wait_for_step("a")
        until = self.inject_and_wait(run, "pause", "--for", "2s")["until"]
        open(os.path.join(self.show(run)["folder"], "work", "go"), "w").close()
        self.assertEqual(self.until_left(process), (0, None))
        events = self.events(run)
        self.assertEqual([event["data"]["code"] for event in events if event["type"] == "pack.run.paused"], ["ERR_PACK_CHAOS_PAUSED"])
        resumed = [event for event in events if event["type"] == "pack.run.resumed"]
        self.assertEqual([(event["data"]["by"], event["data"]["from"]) for event in resumed], [("Ana Ortiz", "paused")])
        self.assertGreaterEqual(resumed[0]["at"], until)
        self.assertEqual((self.show(run)["state"], self.show(run)["attempt"]), ("succeeded", 1))

    def test_a_pause_that_is_sat_out_can_be_cancelled(self):
        process = self.start_run(self.pack("job", self.STEPS), "--wait")
        run = self.wait_for_step("a")
        self.inject_and_wait(run, "pause", "--for", "1h")
        open(os.path.join(self.show(run)["folder"], "work", "go"), "w").close()
        self.wait_for(lambda: self.show(run)["state"] == "paused")
        self.stella("pack", "runs", "cancel", "--run", run)
        self.assertEqual(self.until_left(process)[0], 1)
        self.assertEqual(self.show(run)["state"], "cancelled")

    def test_a_kill_on_either_side_of_the_record(self):
        process, run, folder = self.running()
        for place, recorded in (("chaos.before-record", 0), ("chaos.recorded", 1)):
            self.stella("chaos", "inject", "--run", run, "--hook", "pause", "--step", "b", expect=-signal.SIGKILL, env={"STELLA_CRASH_AT": place})
            self.assertEqual(self.types(run).count("pack.chaos.injected b"), recorded)
        self.stella("pack", "runs", "show", run)
        open(os.path.join(folder, "work", "go"), "w").close()
        self.assertEqual(self.until_left(process)[1]["code"], "ERR_PACK_CHAOS_PAUSED")


class DropNetwork(ChaosTest):
    def setUp(self):
        self.server = Server("127.77.0.10")
        self.addCleanup(self.server.close)
        super().setUp()

    def policy(self, **changes):
        entry = {"host": "historian.example", "address": "127.77.0.10", "port": self.server.port, "loopback": True}
        return super().policy(**{"network": {"dns": "block", "allow": [entry]}, **changes})

    def start_client(self):
        step = {"id": "pull", "run": {"command": ["python3", "/pack/client.py", str(self.server.port)], "timeout": "PT60S"}}
        bundle = self.pack("puller", [step], files={"client.py": CLIENT}, network=[{"host": "historian.example", "port": self.server.port}])
        process = self.start_run(bundle)
        run = self.wait_for_step("pull")
        folder = self.show(run)["folder"]
        self.wait_for(lambda: os.path.exists(os.path.join(folder, "work", "connected")))
        return process, run

    def check_end(self, process, run):
        status, error = self.until_left(process)
        self.assertEqual((status, error), (0, None))
        log = self.stella("pack", "runs", "logs", run).out
        for line in ("first pong", "new ECONNREFUSED", "back pong"):
            self.assertIn(line, log)
        self.assertRegex(log, "cut (ECONNRESET|EPIPE|closed)")
        shown = self.show(run)
        self.assertEqual((shown["state"], shown["blocked"], shown["attempt"]), ("succeeded", [], 1))
        relayed = [event["data"] for event in self.events(run) if event["type"] == "pack.network.allowed"]
        self.assertEqual(relayed[0]["cut"], 1)

    def test_mid_step_and_back_without_a_block(self):
        process, run = self.start_client()
        self.inject(run, "drop-network", "--for", "2s")
        self.check_end(process, run)
        self.assertEqual(self.hooks(run), [("drop-network", "over")])

    def test_only_the_step_that_is_named(self):
        process, run = self.start_client()
        self.refused("ERR_USAGE", "chaos", "inject", "--run", run, "--hook", "drop-network", "--step", "pul", reason="step")
        self.inject(run, "drop-network", "--for", "2s", "--step", "pull")
        self.check_end(process, run)

    def test_a_host_that_the_policy_does_not_allow_stays_blocked(self):
        script = "touch /work/connected; while [ ! -e /work/go ]; do sleep 0.05; done; curl -s -m2 http://192.0.2.1:81/ || true"
        process = self.start_run(self.pack("job", [self.step("a", script)]))
        run = self.wait_for_step("a")
        self.inject_and_wait(run, "drop-network")
        open(os.path.join(self.show(run)["folder"], "work", "go"), "w").close()
        status, error = self.until_left(process)
        self.assertEqual((status, error["code"]), (5, "ERR_PACK_NETWORK_BLOCKED"))


class DelayApprovals(ApprovalSite):
    threshold = 1

    def policy(self, **changes):
        return super().policy(**{"chaos": {"allow": True}, **changes})

    def delay(self, run, *more):
        return self.stella("--output", "json", "chaos", "inject", "--run", run, "--hook", "delay-approvals", *more).json

    def test_what_comes_in_is_recorded_and_opens_afterwards(self):
        run = self.run_to_gate()
        request = self.ask(run)
        until = self.delay(run, "--for", f"{6 * SLOWNESS}s", "--step", "ask")["until"]
        taken = self.take(self.sign(request, "ada"))
        self.assertIn("a chaos hook holds approvals back until ", taken.out)
        error = self.refused("ERR_PACK_APPROVAL_REQUIRED", "pack", "runs", "resume", "--run", run, reason="delayed")
        self.assertEqual(error["exit"], 7)
        gate = self.show(run)["gates"][0]
        self.assertEqual((gate["have"], gate["delayedUntil"][:19]), (1, until[:19]))
        self.assertIn("pack.approval.recorded", [event["type"] for event in self.events(run)])
        while time.time() < seconds(until):
            time.sleep(0.05)
        done = self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json
        self.assertEqual(done["state"], "succeeded")
        for event in self.events(run):
            if event["type"] in ("pack.gate.approved", "pack.step.started") and event.get("step") in ("ask", "act"):
                self.assertGreaterEqual(event["at"], until, event)
        self.stella("evidence", "verify", done["evidence"], "--trust", self.key("admin") + ".pub")

    def test_a_runner_that_waits_goes_on_by_itself_afterwards(self):
        process = self.start("--output", "json", "--tenant", "plant-7", "pack", "run", "--bundle", self.bundle, "--wait")
        run = self.wait_for_gate()
        request = self.ask(run)
        until = self.delay(run, "--for", "3s")["until"]
        self.take(self.sign(request, "ada"))
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        opened = [event["at"] for event in self.events(run) if event["type"] == "pack.gate.approved"]
        self.assertEqual((len(opened), opened[0] >= until), (1, True), opened)

    def wait_for_gate(self):
        until = time.time() + 30
        while time.time() < until:
            if os.path.exists(os.path.join(self.home, "runs", "journal.db")):
                runs = self.stella("--output", "json", "pack", "runs", "list").json["runs"]
                if runs and runs[0]["state"] == "waiting":
                    return runs[0]["runId"]
            time.sleep(0.05)
        return self.fail("it does not come to its gate")

    def test_a_rejection_counts_at_once(self):
        run = self.run_to_gate()
        request = self.ask(run)
        self.delay(run, "--for", "1h")
        self.take(self.sign(request, "ada", decision="rejected"), expect=3)
        self.assertEqual(self.show(run)["state"], "failed")


class DelayAndExpiry(DelayApprovals):
    expires_after = f"PT{6 * SLOWNESS}S"
    test_what_comes_in_is_recorded_and_opens_afterwards = test_a_rejection_counts_at_once = None
    test_a_runner_that_waits_goes_on_by_itself_afterwards = None

    def approve_under(self, span):
        run = self.run_to_gate()
        request = self.ask(run)
        self.delay(run, "--for", span)
        self.take(self.sign(request, "ada"))
        expires = seconds(self.show(run)["gates"][0]["expiresAt"])
        while time.time() < expires + 1.1:
            time.sleep(0.05)
        return run

    def test_a_delay_past_the_gates_time_lets_it_run_out(self):
        run = self.approve_under("1h")
        self.stella("pack", "runs", "list")
        self.assertEqual((self.show(run)["state"], self.show(run)["code"]), ("expired", "ERR_PACK_APPROVAL_TIMEOUT"))

    def test_what_was_there_in_time_when_the_delay_ended_stays_open(self):
        run = self.approve_under("1s")
        self.stella("pack", "runs", "list")
        self.assertEqual(self.show(run)["state"], "waiting")
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "resume", "--run", run).json["state"], "succeeded")


if __name__ == "__main__":
    main()
