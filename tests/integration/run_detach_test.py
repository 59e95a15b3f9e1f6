# SPDX-License-Identifier: Apache-2.0
"""`--detach`: the run is in the journal before the command ends, and goes on without it."""
import os
import signal
import subprocess
import time

from harness import STELLA, main
from run_site import RunTest

FINAL = ("succeeded", "failed", "cancelled", "expired")


class Detached(RunTest):
    def detach(self, steps, *args, name="job", input=None, **spec):
        bundle = self.pack(name, steps, **spec)
        return self.stella("--output", "json", "pack", "run", "--bundle", bundle, "--detach", *args, input=input).json["runId"]

    def state(self, run):
        return self.show(run)["state"]

    def end_of(self, run):
        """Its final state, once its evidence is sealed too."""
        self.wait_for(lambda: self.state(run) in FINAL and "pack.evidence.sealed" in self.types(run))
        return self.state(run)

    def let_go(self, run):
        with open(os.path.join(self.show(run)["folder"], "work", "go"), "w", encoding="utf-8"):
            pass

    def runner_of(self, run):
        """Pids of the processes that hold the run's lock, as the kernel lists them."""
        inode = os.stat(os.path.join(self.show(run)["folder"], "lock")).st_ino
        with open("/proc/locks", encoding="ascii") as handle:
            return [int(row.split()[4]) for row in handle if row.split()[1] == "POSIX" and row.split()[5].endswith(f":{inode}")]

    def test_it_goes_on_in_a_session_of_its_own(self):
        slow = self.step("slow", "echo begun; until test -e /work/go; do sleep 0.05; done; echo over")
        bundle = self.pack("job", [slow, self.step("last", "true")])
        started = subprocess.run([STELLA, "pack", "run", "--bundle", bundle, "--detach"], env=self.environment(), cwd=self.root,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, timeout=60, check=False)
        self.assertEqual(started.returncode, 0, started.stderr)
        run = started.stdout.decode().strip()
        self.assertRegex(run, r"^run:plant-7:")
        [runner] = self.runner_of(run)
        self.assertEqual(os.getsid(runner), runner)
        self.assertEqual([os.readlink(f"/proc/{runner}/fd/{fd}") for fd in (0, 1, 2)], ["/dev/null"] * 3)
        self.assertEqual(os.readlink(f"/proc/{runner}/cwd"), self.home)
        os.kill(runner, 0)
        self.let_go(run)
        self.assertEqual(self.end_of(run), "succeeded")
        self.assertIn("slow | over", self.stella("pack", "runs", "logs", run).out)
        self.assertIn("pack.evidence.sealed", self.types(run))

    def test_the_result_tells_what_pack_run_tells(self):
        bundle = self.pack("job", [self.step("a", "true")])
        result = self.stella("--output", "json", "pack", "run", "--bundle", bundle, "--detach").json
        self.assertTrue(result["detached"])
        self.assertLessEqual({"runId", "state", "attempt", "planHash", "gates", "blocked", "evidence"}, result.keys())
        self.assertEqual(self.end_of(result["runId"]), "succeeded")

    def test_what_is_wrong_before_it_is_submitted_is_said(self):
        bundle = self.pack("job", [self.step("a", "true")])
        self.refused("ERR_PACK_HASH_MISMATCH", "pack", "run", "--bundle", bundle, "--detach", "--plan-hash", "sha256:" + "0" * 64)
        self.refused("ERR_FILE_NOT_FOUND", "pack", "run", "--bundle", self.path("none.pack"), "--detach")
        self.refused("ERR_PACK_SECRET_SOURCE", "pack", "run", "--bundle", bundle, "--detach", "--secrets", self.write("s.json", "{}"))
        self.assertEqual(self.stella("--output", "json", "pack", "runs", "list").json["runs"], [])

    def test_what_keeps_the_runner_from_starting_is_said(self):
        run = self.detach([self.step("slow", "until test -e /work/go; do sleep 0.05; done")])
        self.refused("ERR_RUN_BUSY", "pack", "runs", "resume", run, "--detach")
        os.kill(self.runner_of(run)[0], signal.SIGKILL)
        self.wait_for(lambda: not self.runner_of(run))
        error = self.refused("ERR_PACK_INTERRUPTED", "pack", "runs", "resume", run, "--detach", reason="unknown")
        self.assertEqual(error["exit"], 7)
        text = self.stella("pack", "runs", "resume", run, "--detach", expect=7)
        self.assertIn("waiting ERR_PACK_INTERRUPTED", text.err)
        self.let_go(run)
        again = self.stella("--output", "json", "pack", "runs", "resume", run, "--detach", "--rerun", "slow").json
        self.assertEqual(again["runId"], run)
        self.assertEqual(self.end_of(run), "succeeded")
        self.stella("pack", "runs", "resume", run, "--detach")
        self.refused("ERR_USAGE", "pack", "runs", "resume", run, "--detach", "--dry-run", reason="detach")
        self.refused("ERR_RUN_NOT_FOUND", "pack", "runs", "resume", "run:plant-7:20200101T000000000Z", "--detach")

    def test_a_signal_to_a_runner_of_its_own_pauses_the_run(self):
        run = self.detach([self.step("slow", "until test -e /work/go; do sleep 0.05; done", onCrash="rerun")])
        [runner] = self.runner_of(run)
        os.kill(runner, signal.SIGTERM)
        self.wait_for(lambda: self.state(run) == "paused")
        self.assertEqual(self.show(run)["reason"], "interrupted")

    def test_it_waits_at_a_gate_when_told_to(self):
        steps = [{"id": "ask", "gate.approval": {"approval": "review"}}, self.step("after", "echo through")]
        run = self.detach(steps, "--wait", approvals=[{"id": "review", "threshold": 1}])
        self.wait_for(lambda: self.state(run) == "waiting")
        request = self.stella("--output", "json", "pack", "approve", "--run", run, "--gate", "review", "--offline-request", "--out", self.root).json["file"]
        response = self.stella("--output", "json", "approval", "sign", request, "--key", self.key("ada"), "--trust", self.key("admin") + ".pub",
                               "--decision", "approved", "--comment", "ok", "--plan-hash", self.show(run)["planHash"], "--yes",
                               home=self.make_home("desk")).json["response"]
        self.assertTrue(self.runner_of(run))
        self.stella("pack", "approve", "--offline-response", response)
        self.assertEqual(self.end_of(run), "succeeded")

    def test_the_vault_is_opened_with_a_passphrase_that_no_process_shows(self):
        phrase = self.write("phrase", "correct horse battery\n")
        self.stella("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        self.stella("vault", "put", "token", "--scope", "ops", "--from", self.write("value", "the-secret-value-0123"), "--passphrase-file", phrase)
        spec = {"secrets": [{"name": "token", "scope": "ops", "as": "file"}]}
        steps = [self.step("use", "wc -c < /run/secrets/token > /work/size; until test -e /work/go; do sleep 0.05; done", secrets=["token"])]
        run = self.detach(steps, "--passphrase-file", phrase, **spec)
        [runner] = self.runner_of(run)
        self.wait_for(lambda: "pack.secret.leased use" in self.types(run))
        for name in ("cmdline", "environ"):
            self.assertNotIn(b"horse", self.read(f"/proc/{runner}/{name}"))
        self.let_go(run)
        self.assertEqual(self.end_of(run), "succeeded")
        # Without it the run is submitted, and its own record says what it lacks.
        lacking = self.detach(steps, name="other", **spec)
        self.wait_for(lambda: self.show(lacking)["code"] == "ERR_VAULT_SEALED")


class DetachedOutsideSealedMode(RunTest):
    mode = "constrained"

    def test_secrets_travel_through_a_pipe(self):
        bundle = self.pack("job", [self.step("use", "test \"$(cat /run/secrets/token)\" = the-secret-value-0123", secrets=["token"])],
                           secrets=[{"name": "token", "scope": "ops", "as": "file"}])
        args = ["--output", "json", "pack", "run", "--bundle", bundle, "--detach", "--secrets"]
        given = '{"token": "the-secret-value-0123"}'
        for path, text in ((self.write("secrets.json", given), None), ("-", given)):
            run = self.stella(*args, path, input=text).json["runId"]
            until = time.time() + 30
            while self.show(run)["state"] not in FINAL and time.time() < until:
                time.sleep(0.05)
            self.assertEqual(self.show(run)["state"], "succeeded")
        self.refused("ERR_PACK_INPUTS", *args[2:], self.write("broken.json", "{"))


if __name__ == "__main__":
    main()
