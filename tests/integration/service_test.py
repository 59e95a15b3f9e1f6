# SPDX-License-Identifier: Apache-2.0
"""A service home: operators through the socket, as themselves, with their own files and their own tenants only."""
import json
import os
import pty
import select
import signal
import socket
import subprocess
import time

import service_site
from harness import main
from service_site import ServiceSite, USERS

WAITS = "until test -e /work/go; do sleep 0.05; done"
GATED = [{"id": "check", "run": {"script": "echo checked"}}, {"id": "ask", "gate.approval": {"approval": "review"}}, {"id": "act", "run": {"script": "echo done"}}]


class Operators(ServiceSite):
    def test_a_gated_run_and_its_evidence(self):
        bundle = self.pack_of("ana", "gated", GATED, approvals=[{"id": "review", "threshold": 1}])
        run = self.json_by("ana", "pack", "run", "--bundle", bundle, expect=7)["runId"]
        request = self.json_by("ana", "pack", "approve", "--run", run, "--offline-request")["file"]
        self.assertEqual(os.path.dirname(request), self.path("of-ana"))
        self.assertEqual(os.stat(request).st_uid, USERS["ana"])
        asked = json.loads(self.read(request))
        self.refused_to("ana", "ERR_ACCESS_DENIED", "pack", "approve", "--run", run, "--comment", "mine", "--key", self.key("ada"), reason="option")
        response = self.stella("--output", "json", "approval", "sign", request, "--key", self.key("ada"), "--trust", self.key("admin") + ".pub",
                               "--decision", "approved", "--comment", "ok", "--plan-hash", self.show_by("ana", run)["planHash"], "--yes",
                               home=self.make_home("desk"), cwd=self.root).json["response"]
        theirs = self.file_of("ana", "RES.json", self.read(os.path.join(self.root, response)))
        self.by("ana", "pack", "approve", "--offline-response", theirs)
        self.assertEqual(self.json_by("ana", "pack", "runs", "resume", run)["state"], "succeeded")
        shown = self.show_by("ana", run)
        self.assertEqual(shown["requestedBy"], "Ana Ortiz")
        self.assertEqual(self.events(run)[0]["data"]["by"], "Ana Ortiz")
        self.assertEqual(self.events(run)[0]["data"]["via"], {"peer": USERS["ana"], "user": "ana"})
        report = self.stella("--output", "json", "evidence", "verify", shown["evidence"], "--trust", self.key("admin") + ".pub").json
        self.assertEqual(report["home"], "service")
        self.assertIn("gate review", " ".join(report["proven"]))
        self.assertIn('"kind":"service"', json.dumps(json.loads(__import__("base64").b64decode(asked["request"]["payload"])), separators=(",", ":")))
        self.assertNotIn("the home is personal", " ".join(report["rests"]))

    def test_two_operators_at_once_each_as_themselves(self):
        started = {user: self.start_by(user, "pack", "run", "--bundle", self.pack_of(user, f"job-{user}", [self.step("slow", WAITS)])) for user in ("ana", "bo")}
        runs = {user: self.running_step(user, "slow") for user in started}
        for user, run in runs.items():
            self.let_go(run)
            self.assertEqual(started[user].wait(timeout=60), 0)
        self.assertEqual(self.show_by("ana", runs["ana"])["requestedBy"], "Ana Ortiz")
        self.assertEqual(self.show_by("bo", runs["bo"])["requestedBy"], "Bo Lind")
        self.assertTrue(runs["bo"].startswith("run:plant-8:"))

    def test_a_tenant_is_a_wall(self):
        run = self.json_by("ana", "pack", "run", "--bundle", self.pack_of("ana", "job", GATED, approvals=[{"id": "review", "threshold": 1}]), expect=7)["runId"]
        self.assertEqual(self.json_by("bo", "pack", "runs", "list")["runs"], [])
        request = self.json_by("ana", "pack", "approve", "--run", run, "--offline-request")["file"]
        signed = self.stella("--output", "json", "approval", "sign", request, "--key", self.key("ada"), "--trust", self.key("admin") + ".pub", "--decision", "approved",
                             "--comment", "ok", "--plan-hash", self.show_by("ana", run)["planHash"], "--yes", home=self.make_home("desk"), cwd=self.root).json["response"]
        self.assertNotEqual(self.by("bo", "pack", "approve", "--offline-response", self.file_of("bo", "RES.json", self.read(self.path(signed))), expect=None).status, 0)
        self.assertEqual([gate["have"] for gate in self.show_by("ana", run)["gates"]], [0])
        for verb in (("runs", "show"), ("runs", "logs"), ("runs", "resume"), ("runs", "cancel"), ("runs", "release"), ("approve", "--offline-request")):
            self.refused_to("bo", "ERR_RUN_NOT_FOUND", "pack", *verb, "--run", run)
        self.refused_to("bo", "ERR_RUN_NOT_FOUND", "pack", "plan", "--bundle", self.pack_of("bo", "job", GATED, approvals=[{"id": "review", "threshold": 1}]), "--diff", run)
        self.refused_to("bo", "ERR_RUN_NOT_FOUND", "pack", "runs", "hold", run, "--reason", "mine")
        self.refused_to("bo", "ERR_ACCESS_DENIED", "--tenant", "plant-7", "pack", "runs", "list", reason="tenant")
        self.refused_to("bo", "ERR_ACCESS_DENIED", "pack", "runs", "list", reason="tenant", env={"STELLA_TENANT": "plant-7"})
        self.assertEqual(self.show_by("ana", run)["state"], "waiting")

    def test_who_is_not_listed_is_refused_and_noted(self):
        for user in ("eve", "far"):
            for verb in (("pack", "runs", "list"), ("doctor",), ("site", "show")):
                self.refused_to(user, "ERR_ACCESS_DENIED", *verb, reason="unlisted" if user == "eve" else "socket")
        error = self.refused_to("eve", "ERR_ACCESS_DENIED", "pack", "runs", "list")
        self.assertEqual(error["exit"], 3)
        self.assertIn(f"refused uid {USERS['eve']} (eve)", self.read(self.log, "r"))
        self.by("ana", "pack", "runs", "list")
        self.apply_as_service(dict(self.policy(), version=2, tenants=self.policy()["tenants"][1:]))
        self.refused_to("ana", "ERR_ACCESS_DENIED", "pack", "runs", "list", reason="unlisted")

    def test_what_an_operator_watches_ends_when_the_policy_lists_them_no_longer(self):
        run = self.json_by("ana", "pack", "run", "--detach", "--bundle", self.pack_of("ana", "job", [self.step("slow", WAITS)]))["runId"]
        self.running_step("ana", "slow")
        theirs = self.start_by("ana", "pack", "runs", "logs", run, "--follow")
        others = self.start_by("bo", "pack", "run", "--bundle", self.pack_of("bo", "job-bo", [self.step("slow", WAITS)]))
        of_bo = self.running_step("bo", "slow")
        self.apply_as_service(dict(self.policy(), version=2, tenants=self.policy()["tenants"][1:]))
        self.assertNotEqual(theirs.wait(timeout=60), 0)
        self.assertIn(f"uid {USERS['ana']} is no longer listed", self.read(self.log, "r"))
        self.let_go(of_bo)
        self.assertEqual(others.wait(timeout=60), 0)
        self.let_go(run)  # a run that goes on by itself does so
        self.wait_for(lambda: "pack.run.succeeded" in self.types(run))

    def test_the_home_is_closed_to_operators(self):
        for command in (["ls", self.home], ["cat", self.home + "/site/identity.key"], ["ls", self.home + "/runs"]):
            options = self.options_of("ana")
            self.assertNotEqual(subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options).returncode, 0)
        self.refused_to("ana", "ERR_ACCESS_DENIED", "vault", "list", reason="verb")
        for verb in (("site", "apply", "x"), ("site", "identity"), ("vault", "put", "x", "--scope", "s"), ("pack", "mirror", "gc"), ("pack", "runs", "prune"), ("serve", "--socket")):
            self.refused_to("ana", "ERR_ACCESS_DENIED", *verb, reason="verb")
        self.refused_to("ana", "ERR_USAGE", "act-for")

    def test_detached_runs_go_on_as_the_person(self):
        run = self.json_by("ana", "pack", "run", "--detach", "--bundle", self.pack_of("ana", "job", [self.step("slow", WAITS)]))["runId"]
        self.running_step("ana", "slow")
        self.let_go(run)
        self.wait_for_state("ana", run, "succeeded")
        self.assertEqual([event["data"]["by"] for event in self.events(run) if "by" in event["data"]], ["Ana Ortiz"] * 2)
        self.assertEqual([event["data"]["via"]["user"] for event in self.events(run) if "by" in event["data"]], ["ana"] * 2)


class Files(ServiceSite):
    def setUp(self):
        super().setUp()
        self.secret = os.path.join(self.home, "site", "identity.key")
        self.bundle = self.pack_of("ana", "job", [self.step("show", "cat /inputs/image")], inputs=[{"name": "image", "type": "file", "required": True}])

    def test_a_file_that_only_the_operator_can_read(self):
        self.file_of("ana", "image.bin", "the image")
        inputs = self.file_of("ana", "inputs.json", json.dumps({"image": "image.bin"}))
        for given in (inputs, "inputs.json", "./inputs.json"):
            run = self.json_by("ana", "pack", "run", "--bundle", os.path.basename(self.bundle), "--inputs", given)["runId"]
            self.assertIn("the image", self.by("ana", "pack", "runs", "logs", run).out)
        run = self.json_by("ana", "pack", "run", "--bundle", self.bundle, "--inputs", "-", input='{"image": "image.bin"}')["runId"]
        self.assertIn("the image", self.by("ana", "pack", "runs", "logs", run).out)
        self.by("ana", "pack", "plan", "--bundle", self.bundle, "--inputs", inputs, "--out", "plan.json")
        self.assertEqual(os.stat(self.path("of-ana", "plan.json")).st_uid, USERS["ana"])
        self.by("ana", "pack", "plan", "--bundle", self.bundle, "--inputs", inputs, "--diff", "plan.json", "--exit-code")

    def test_a_response_is_named(self):
        self.file_of("ana", "RES-a-1.json", "{}")
        error = self.refused_to("ana", "ERR_USAGE", "pack", "approve", "--offline-response", reason="response")
        self.assertIn("Name the file", error["fix"])

    def test_a_file_that_only_the_service_can_read(self):
        self.file_of("ana", "image.bin", "the image")
        good = self.file_of("ana", "inputs.json", json.dumps({"image": "image.bin"}))
        self.by("ana", "pack", "plan", "--bundle", self.bundle, "--inputs", good, "--out", "plan.json")
        for given in (self.secret, "../" + os.path.relpath(self.secret, self.root)):
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "run", "--bundle", self.bundle, "--inputs", given)
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "run", "--bundle", given)
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "plan", "--bundle", self.bundle, "--inputs", good, "--diff", given)
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "plan", "--bundle", self.bundle, "--inputs", good, "--diff", "plan.json", "--redact", given)
            self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "approve", "--offline-response", given)
            inputs = self.file_of("ana", "evil.json", json.dumps({"image": given}))
            for name in (inputs, "evil.json", "-"):
                self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "run", "--bundle", self.bundle, "--inputs", name, input=json.dumps({"image": given}))
        self.assertEqual(self.json_by("ana", "pack", "runs", "list")["runs"], [])
        # What the service holds is not written over either.
        before = self.read(self.secret)
        self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "plan", "--bundle", self.bundle, "--inputs", good, "--out", self.secret)
        self.assertEqual(self.read(self.secret), before)

    def test_a_name_that_looks_like_the_mark_is_a_name(self):
        self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "run", "--bundle", "operator:" + self.secret)
        self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "run", "--bundle", self.bundle, "--inputs", "operator:" + self.secret)

    def test_every_path_that_an_operator_can_give(self):
        """All options of all verbs that the service does: each value that is a path reaches the service as the operator's."""
        help_of = {}
        for verb in ("plan", "run", "approve", "runs list", "runs show", "runs logs", "runs resume", "runs cancel", "runs hold", "runs release",
                     "mirror list", "mirror show", "mirror status"):
            help_of[verb] = self.by("ana", "pack", *verb.split(), "--help").out
        for verb, text in help_of.items():
            for row in text.splitlines():
                words = row.split()
                if len(words) > 1 and words[0].startswith("--") and words[1] in ("FILE", "DIR", "FILE|DIR", "PLAN|RUN") and "--passphrase" not in words[0]:
                    self.assertIn(words[0], ("--bundle", "--inputs", "--out", "--diff", "--secrets", "--redact", "--key", "--offline-response", "--home"), verb)

    def test_evidence_is_written_with_the_operators_rights(self):
        self.file_of("ana", "image.bin", "the image")
        run = self.json_by("ana", "pack", "run", "--bundle", self.bundle, "--inputs", "-", input='{"image": "image.bin"}')["runId"]
        self.refused_to("ana", "ERR_FILE_UNSUITABLE", "pack", "runs", "export", "--run", run, "--out", self.home + "/out")
        self.refused_to("ana", "ERR_MEDIA_UNSUITABLE", "pack", "runs", "export", "--run", run, "--media", self.path("of-ana"))
        self.assertNotIn("pack.evidence.exported", self.types(run))
        made = self.json_by("ana", "pack", "runs", "export", "--run", run, "--out", "bags")["folder"]
        self.assertTrue(made.startswith(self.path("of-ana", "bags", "STELLA-EVIDENCE")))
        self.assertEqual(os.stat(os.path.join(made, "SHA256SUMS")).st_uid, USERS["ana"])
        self.assertEqual(subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=made, check=False).returncode, 0)
        self.by("ana", "pack", "runs", "export", "--run", run, "--out", "bags")
        self.assertEqual(self.types(run).count("pack.evidence.exported"), 1)
        with open(os.path.join(made, "data", "plan.json"), "ab") as handle:
            handle.write(b"x")
        self.refused_to("ana", "ERR_MEDIA_UNSUITABLE", "pack", "runs", "export", "--run", run, "--out", "bags", reason="exists")

    def test_passphrases_are_the_operators(self):
        phrase = self.write("phrase", "correct horse battery\n")
        self.give(phrase, service_site.SERVICE, 0o600)
        self.admin("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        value = self.give(self.write("value", "the-secret-value-0123"), service_site.SERVICE, 0o600)
        self.admin("--tenant", "plant-7", "vault", "put", "token", "--scope", "ops", "--from", value, "--passphrase-file", phrase)
        bundle = self.pack_of("ana", "use", [self.step("use", "test \"$(cat /run/secrets/token)\" = the-secret-value-0123", secrets=["token"])],
                              secrets=[{"name": "token", "scope": "ops", "as": "file"}])
        theirs = self.file_of("ana", "phrase", "correct horse battery\n")
        self.assertEqual(self.json_by("ana", "pack", "run", "--bundle", bundle, "--passphrase-file", theirs)["state"], "succeeded")
        with open(theirs, encoding="utf-8") as handle:
            self.assertEqual(self.json_by("ana", "pack", "run", "--bundle", bundle, "--passphrase-fd", handle.fileno(), pass_fds=[handle.fileno()])["state"], "succeeded")
        run = self.json_by("ana", "pack", "run", "--bundle", bundle, "--detach", "--passphrase-file", theirs)["runId"]
        self.wait_for_state("ana", run, "succeeded")
        self.assertIn(b"passphrase for the vault", self.typed("ana", b"correct horse battery\n", "pack", "run", "--bundle", bundle))
        self.assertEqual(self.json_by("ana", "pack", "runs", "list")["runs"][0]["state"], "succeeded")
        self.refused_to("ana", "ERR_KEY_UNUSABLE", "pack", "run", "--bundle", bundle, "--passphrase-file", self.file_of("ana", "open", "x\n", 0o644), reason="mode")


    def typed(self, user, answer, *args):
        """What this user sees at a terminal, where they type the answer once they are asked."""
        mine, theirs = pty.openpty()
        self.addCleanup(os.close, mine)
        options = self.options_of(user, {"TERM": "dumb"})
        os.fchown(theirs, USERS[user], -1)
        process = subprocess.Popen([self.binary, *args], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options)
        self.addCleanup(self._reap, process)
        os.close(theirs)
        seen, asked, until = b"", False, time.time() + 60
        while time.time() < until:
            if not select.select([mine], [], [], 0.1)[0]:
                continue
            try:
                seen += os.read(mine, 4096)
            except OSError:  # nobody has the terminal any more
                break
            if b"passphrase for the vault" in seen and not asked:
                asked = True
                os.write(mine, answer)
        self.assertEqual(process.wait(timeout=60), 0, seen)
        self.assertNotIn(answer.strip(), seen)
        return seen


class Endings(ServiceSite):
    def slow(self, user="ana"):
        process = self.start_by(user, "pack", "run", "--bundle", self.pack_of(user, "job", [self.step("slow", WAITS, onCrash="rerun")]))
        return process, self.running_step(user, "slow")

    def goes_on(self, run):
        self.let_go(run)
        self.assertEqual(self.json_by("ana", "pack", "runs", "resume", run)["state"], "succeeded")

    def test_ctrl_c_pauses(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process, run = self.slow()
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=60), 7, process.stderr.read())
            shown = self.show_by("ana", run)
            self.assertEqual((shown["state"], shown["reason"]), ("paused", "interrupted"))
        self.goes_on(run)

    def test_ctrl_c_ends_a_reader_as_it_does_without_a_service(self):
        process, run = self.slow()
        reader = self.start_by("ana", "pack", "runs", "logs", run, "--follow")
        self.wait_for(lambda: self.children_of_service() >= 2)
        reader.send_signal(signal.SIGINT)
        self.assertEqual(reader.wait(timeout=60), -signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

    def children_of_service(self):
        with open(f"/proc/{self.service.pid}/task/{self.service.pid}/children", encoding="ascii") as handle:
            return len(handle.read().split())

    def test_a_killed_command_line_pauses_the_run(self):
        process, run = self.slow()
        process.kill()
        self.wait_for_state("ana", run, "paused")
        self.wait_for(lambda: self.children_of_service() == 0)
        self.goes_on(run)

    def test_a_killed_service_pauses_what_runs_and_says_so(self):
        process, run = self.slow()
        self.service.kill()
        self.service.wait(timeout=60)
        self.assertEqual(process.wait(timeout=60), 10)
        self.assertIn("ERR_SERVE_BUSY", process.stderr.read().decode())
        self.refused_to("ana", "ERR_SERVE_BUSY", "pack", "runs", "list", reason="unreachable")
        self.service = self.start_service()
        self.wait_for_state("ana", run, "paused")
        self.goes_on(run)

    def test_a_service_that_is_told_to_end_pauses_what_runs(self):
        process, run = self.slow()
        self.service.terminate()
        self.assertEqual(self.service.wait(timeout=60), 0)
        self.assertEqual(process.wait(timeout=60), 7)
        self.assertFalse(os.path.exists(self.socket))
        self.service = self.start_service()
        self.assertEqual(self.show_by("ana", run)["state"], "paused")


class Hostile(ServiceSite):
    def connect_as(self, user):
        """A connection that this user made; the service sees their uid."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([service_site.GROUP_ID])
                os.setresgid(USERS[user], USERS[user], USERS[user])
                os.setresuid(USERS[user], USERS[user], USERS[user])
                made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                made.connect(self.socket)
                socket.send_fds(theirs, [b"x"], [made.fileno()])
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        _, fds, _, _ = socket.recv_fds(mine, 1, 1)
        mine.close()
        theirs.close()
        made = socket.socket(fileno=fds[0])
        made.settimeout(30)
        self.addCleanup(made.close)
        return made

    def answer(self, connection):
        text = connection.recv(65536)
        return json.loads(text)["error"] if text else None

    def test_nonsense_is_refused_and_the_service_goes_on(self):
        good = {"schema": "stella.service-request.v1", "arguments": ["doctor"], "folder": "/", "term": "", "noColour": False}
        for text in (b"x", b"\xff" * 100, b"{}", b"[" * 60000, b"y" * 70000, json.dumps(dict(good, uid=0)).encode(), json.dumps(good).encode()):
            connection = self.connect_as("ana")
            connection.send(text)
            self.assertEqual(self.answer(connection)["reason"], "frame", text[:40])
        connection = self.connect_as("ana")
        null = os.open("/dev/null", os.O_RDWR)
        socket.send_fds(connection, [json.dumps(good).encode()], [null] * 7)
        self.assertEqual(self.answer(connection)["reason"], "frame")
        os.close(null)
        self.by("ana", "doctor", expect=None)

    def test_silent_clients_are_few_and_are_let_go(self):
        silent = [self.connect_as("ana") for _ in range(8)]
        error = self.refused_to("ana", "ERR_SERVE_BUSY", "pack", "runs", "list", reason="busy")
        self.assertEqual(error["exit"], 10)
        self.by("bo", "pack", "runs", "list")
        for connection in silent:
            self.assertEqual(self.answer(connection)["reason"], "frame")
        self.by("ana", "pack", "runs", "list")

    def test_a_client_that_answers_no_wish_harms_nobody(self):
        connection = self.connect_as("ana")
        null = os.open("/dev/null", os.O_RDWR)
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(mine.close)
        request = {"schema": "stella.service-request.v1", "arguments": ["pack", "plan", "--bundle", "/x.pack"], "folder": "/", "term": "", "noColour": False}
        socket.send_fds(connection, [json.dumps(request).encode()], [null, null, null, theirs.fileno()])
        theirs.close()
        mine.settimeout(30)
        self.assertEqual(json.loads(mine.recv(65536))["path"], "/x.pack")
        self.by("bo", "pack", "runs", "list")
        mine.send(b"garbage")
        self.assertEqual(json.loads(connection.recv(65536))["exit"], 2)
        os.close(null)

    def test_homes_and_services_are_kept_apart(self):
        home = self.give(self.make_home("other"), "eve")
        self.refused_to("eve", "ERR_HOME_UNSAFE", "--home", home, "serve", "--socket", self.path("of-eve", "s"), reason="personal")
        self.refused_to(service_site.SERVICE, "ERR_SERVE_BUSY", "serve", "--socket", reason="running")
        self.by("ana", "--home", "unix:" + self.socket, "pack", "runs", "list")
        self.by("ana", "pack", "runs", "list", env={"STELLA_HOME": "unix:" + self.socket})
        self.by("ana", "pack", "runs", "list", env={"STELLA_HOME": self.home})
        self.assertEqual(self.json_by("eve", "--home", home, "pack", "runs", "list")["runs"], [])
        os.chmod("/etc/stella/service.json", 0o666)
        self.refused_to("ana", "ERR_HOME_UNSAFE", "pack", "runs", "list", reason="service-file")


if __name__ == "__main__":
    service_site.enter()
    main()
