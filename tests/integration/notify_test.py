# SPDX-License-Identifier: Apache-2.0
"""People are told of runs: what, by which rule, once, and never at a run's expense."""
import email
import email.policy
import json
import os
import signal
import subprocess
import time

from harness import STELLA, main
from notify_site import HttpReceiver, NotifyTest, SmtpReceiver


class Telling(NotifyTest):
    def test_every_message_of_a_run_that_is_approved(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port, "pack.run.*"), {"topic": "pack.gate.*", "to": "spool"}], [receiver.port])
        run = self.ask()
        self.settled(2)
        for key in ("ada", "ben"):
            self.stella("pack", "approve", "--run", run, "--comment", "yes", "--key", self.key(key), "--yes")
        self.stella("pack", "runs", "resume", "--run", run)
        self.settled(5)
        self.assertEqual([one["topic"] for one in receiver.bodies],
                         ["pack.run.gate-waiting", "pack.run.gate-approved", "pack.run.succeeded"])
        self.assertEqual([one["run"]["id"] for one in receiver.bodies], [run] * 3)
        waiting, approved, done = receiver.bodies
        self.assertEqual(waiting["gate"]["mayDecide"], ["Ada Obi (safety)", "Ben Keller"])
        self.assertEqual(waiting["gate"]["missingRoles"], ["safety"])
        self.assertEqual(waiting["next"], f"stella pack approve --run {run} --gate review --offline-request")
        self.assertEqual(approved["gate"]["approved"], ["Ada Obi", "Ben Keller"])
        self.assertEqual(done["next"], f"stella pack runs export --run {run} --media DIR")
        self.assertEqual(len(self.spooled("spool")), 2)
        shown = self.show(run)
        for name in ("tenant", "planHash", "attempt"):
            self.assertEqual(done["run"][name], shown[name])

    def test_a_rejection_a_failure_and_a_cancel(self):
        self.tell([{"topic": "pack.run.*", "to": "spool"}])
        run = self.ask()
        self.stella("pack", "approve", "--run", run, "--comment", "not today", "--key", self.key("ada"), "--reject", "--yes", expect=3)
        self.run_pack([self.step("a", "exit 3")], expect=1, name="breaks")
        waiting = self.ask(name="other")
        self.stella("pack", "runs", "cancel", "--run", waiting, "--reason", "wrong cell")
        told = [json.loads(self.read(path))["message"] for path in self.spooled()]
        topics = sorted(one["topic"].removeprefix("pack.run.") for one in told)
        self.assertEqual(topics, ["cancelled", "failed", "failed", "gate-rejected", "gate-waiting", "gate-waiting"])
        rejected = next(one for one in told if one["topic"] == "pack.run.gate-rejected")
        self.assertEqual(rejected["text"], "not today")
        self.assertIn("Ada Obi rejected gate review", rejected["headline"])
        cancelled = next(one for one in told if one["topic"] == "pack.run.cancelled")
        self.assertEqual(cancelled["text"], "wrong cell")

    def test_a_blocked_attempt(self):
        self.tell([{"topic": "pack.network.blocked", "to": "spool"}])
        self.run_pack([self.step("call", "bash -c 'exec 3<>/dev/tcp/10.9.8.7/443' || true")],
                      expect=5, name="calls")
        (path,) = self.spooled()
        message = json.loads(self.read(path))["message"]
        self.assertEqual(message["run"]["code"], "ERR_PACK_NETWORK_BLOCKED")
        self.assertIn("10.9.8.7 port 443", message["headline"])

    def test_the_past_is_not_news(self):
        self.tell([])
        self.run_pack([self.step("a", "true")])
        self.assertFalse(os.path.exists(os.path.join(self.home, "spool")))
        self.tell([{"topic": "pack.run.*", "to": "spool"}], version=2)
        self.run_pack([self.step("a", "true")], name="second")
        self.assertEqual(self.states(), [("pack.run.succeeded", "spooled")])

    def test_tenants_and_packs_narrow_a_rule(self):
        self.tell([{"topic": "pack.run.*", "to": "spool", "packs": ["other-*"]}])
        self.run_pack([self.step("a", "true")])
        self.run_pack([self.step("a", "true")], name="other-job")
        self.assertEqual([one["where"] for one in self.messages()], ["spool"])

    def test_a_gate_that_runs_out_soon_and_then_does(self):
        self.tell([{"topic": "pack.gate.*", "to": "spool"}])
        gate = [{**self.gate[0], "expiresAfter": "PT8S"}]
        self.run_pack(self.gated, expect=7, name="gated", approvals=gate)
        self.wait_for(lambda: self.stella("notify", "flush", expect=None) and ("pack.run.gate-expiring", "spooled") in self.states())
        self.wait_for(lambda: self.stella("pack", "runs", "list") and ("pack.run.gate-expired", "spooled") in self.states())
        self.assertEqual([topic for topic, _ in self.states()],
                         ["pack.run.gate-expired", "pack.run.gate-expiring", "pack.run.gate-waiting"])

    def gate_that_runs_out(self):
        self.tell([{"topic": "pack.gate.*", "to": "spool"}])
        self.run_pack(self.gated, expect=7, name="gated", approvals=[{**self.gate[0], "expiresAfter": "PT3S"}])

    def test_following_ends_and_tells_of_gates_that_ran_out(self):
        self.gate_that_runs_out()
        self.start("notify", "follow")
        self.wait_for(lambda: ("pack.run.gate-expired", "spooled") in self.states() or None, 60)

    def test_flushing_ends_and_tells_of_gates_that_ran_out(self):
        self.gate_that_runs_out()
        self.wait_for(lambda: self.stella("notify", "flush") and ("pack.run.gate-expired", "spooled") in self.states() or None, 60)

    def test_following_ends_when_its_input_cannot_be_read(self):
        self.tell([{"topic": "pack.gate.*", "to": "spool"}])
        folder = os.open("/", os.O_RDONLY)
        self.addCleanup(os.close, folder)
        subprocess.run([STELLA, "notify", "follow", "--until-eof"], env=self.environment(), stdin=folder, timeout=60, check=True)

    def test_a_waiting_runner_tells_and_warns_meanwhile(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port, "pack.gate.*")], [receiver.port])
        bundle = self.pack("gated", self.gated, approvals=[{**self.gate[0], "expiresAfter": "PT16S"}])
        runner = self.start("pack", "run", "--bundle", bundle, "--wait")
        self.wait_for(lambda: len(receiver.got) >= 2)
        self.assertEqual([one["topic"] for one in receiver.bodies], ["pack.run.gate-waiting", "pack.run.gate-expiring"])
        self.wait_for(lambda: len(receiver.got) == 3)
        self.assertEqual(receiver.bodies[2]["topic"], "pack.run.gate-expired")
        self.assertEqual(runner.wait(30), 3)

    def test_a_killed_runner_still_told(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port, "pack.gate.*")], [receiver.port])
        bundle = self.pack("gated", self.gated, approvals=self.gate)
        runner = self.start("pack", "run", "--bundle", bundle, "--wait", env={"STELLA_CRASH_AT": "gate.waiting"})
        self.assertEqual(runner.wait(60), -signal.SIGKILL)
        self.wait_for(lambda: len(receiver.got) == 1)
        self.assertEqual(receiver.bodies[0]["topic"], "pack.run.gate-waiting")

    def test_a_server_delivers_what_a_killed_verb_left(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port, "pack.run.cancelled")], [receiver.port])
        run = self.ask()
        self.stella("pack", "runs", "cancel", "--run", run, env={"STELLA_CRASH_AT": "notify.queued:2"}, expect=-signal.SIGKILL)
        self.assertEqual(receiver.got, [])
        self.start("serve", "--listen", "unix:" + self.path("console.sock"))
        self.wait_for(lambda: receiver.got)
        self.assertEqual(receiver.bodies[0]["topic"], "pack.run.cancelled")

    def test_a_silent_receiver_does_not_hold_a_run_up(self):
        held = []
        receiver = self.receiver(HttpReceiver, [lambda handler: held.append(time.sleep(20))])
        self.tell([self.webhook(receiver.port)], [receiver.port])
        bundle = self.pack("job", [self.step("a", "true")])
        process = self.start("--output", "json", "pack", "run", "--bundle", bundle)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(json.loads(out)["state"], "succeeded")
        self.assertEqual(held, [])  # it ended while the receiver was still silent

    def test_two_that_deliver_at_once_send_once(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([], [receiver.port])
        self.tell([self.webhook(receiver.port)], [receiver.port], version=2, mode="sealed")
        self.ask()
        self.wait_for(lambda: self.states() == [("pack.run.gate-waiting", "spooled")])
        self.tell([self.webhook(receiver.port)], [receiver.port], version=3)
        self.stella("pack", "runs", "cancel", "--run", self.last_run(), env={"STELLA_CRASH_AT": "notify.queued:2"}, expect=-9)
        self.assertIn(("pack.run.cancelled", "queued"), self.states())
        several = [self.start("notify", "flush") for _ in range(4)]
        self.assertEqual([one.wait(60) for one in several], [0] * 4)
        self.assertEqual([one["topic"] for one in receiver.bodies], ["pack.run.cancelled"])


class Payloads(NotifyTest):
    hostile = "<!channel> `x` *b* & \r\nBcc: eve@evil.example\r\n\r\nbody \u202e " + "x" * 1500

    def tell_all(self):
        self.http, self.smtp = self.receiver(HttpReceiver), self.receiver(SmtpReceiver, auth=True)
        self.credential("slack-token", "T000/B000/slack-SECRET")
        self.credential("pager", "pager-SECRET")
        self.credential("hook", "hook-SECRET")
        self.credential("mail", "user:mail-SECRET")
        to = {"topic": "pack.run.*", "host": "receiver.example", "tls": False}
        self.tell([{**to, "to": "slack", "port": self.http.port, "path": "/services/", "credential": "slack-token"},
                   {**to, "to": "pagerduty", "port": self.http.port, "credential": "pager"},
                   {**to, "to": "webhook", "port": self.http.port, "path": "/hook", "credential": "hook"},
                   {**to, "to": "email", "port": self.smtp.port, "from": "stella@plant.example",
                    "recipients": ["a@b.example", "c@d.example"], "credential": "mail"}], [self.http.port, self.smtp.port])

    def by_path(self, path):
        return [one for one in self.http.got if one["path"] == path]

    def test_each_receiver_gets_its_shape(self):
        self.tell_all()
        run = self.ask()
        listed = self.settled(4)
        self.assertEqual({one["state"] for one in listed}, {"sent"})
        ids = {one["to"]: one["id"] for one in listed}
        (slack,), (pager,), (hook,) = self.by_path("/services/T000/B000/slack-SECRET"), self.by_path("/v2/enqueue"), self.by_path("/hook")
        blocks = json.loads(slack["body"])["blocks"]
        self.assertEqual([block["type"] for block in blocks], ["header", "section", "section", "section"])
        self.assertIn("review: 0 of 2 approvals", slack["body"].decode())
        event = json.loads(pager["body"])
        self.assertEqual((event["routing_key"], event["event_action"]), ("pager-SECRET", "trigger"))
        # PagerDuty's OpenAPI description of the Events API V2: required members, and what `severity` may be.
        self.assertIn(event["payload"]["severity"], ("critical", "warning", "error", "info"))
        self.assertEqual(set(event["payload"]), {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"})
        self.assertEqual(event["payload"]["custom_details"]["Run"], run)
        self.assertEqual(hook["headers"]["Authorization"], "Bearer hook-SECRET")
        self.assertEqual(hook["headers"]["Idempotency-Key"], ids["webhook"])
        (mail,) = self.smtp.mails
        parsed = email.message_from_bytes(mail, policy=email.policy.default)
        self.assertEqual(parsed.defects, [])
        self.assertEqual(parsed["to"], "a@b.example, c@d.example")
        self.assertEqual(parsed["subject"], "gated:1.0.0 (plant-7) waits at gate review: 2 approvals needed")
        self.assertEqual(parsed["message-id"], f"<stella.{ids['email']}@plant.example>")
        self.assertIn("T", parsed["date"].datetime.isoformat())
        body = parsed.get_content()
        for text in (run, "plant-7", "gated:1.0.0", "sha256:", "waiting (attempt 1)", "Flash <cell> & go",
                     f"stella pack approve --run {run} --gate review --offline-request"):
            self.assertIn(text, body)
        self.assertIn("RCPT TO:<c@d.example>", self.smtp.lines)

    def test_hostile_text_stays_text(self):
        self.tell_all()
        run = self.ask()
        self.stella("pack", "approve", "--run", run, "--comment", self.hostile, "--key", self.key("ada"), "--reject", "--yes", expect=3)
        self.settled(12)
        for one in self.http.got:
            text = one["body"].decode()
            self.assertNotIn("\u202e", text)
            self.assertNotIn("Bcc: eve@evil.example\\r\\n", text)
            self.assertLess(len(text), 12000)
        for one in self.by_path("/services/T000/B000/slack-SECRET"):
            self.assertNotIn("<!channel>", one["body"].decode())
        for mail in self.smtp.mails:
            parsed = email.message_from_bytes(mail, policy=email.policy.default)
            self.assertEqual(parsed.defects, [])
            self.assertIsNone(parsed["bcc"])
            self.assertEqual([name for name, _ in parsed.items()],
                             ["Date", "From", "To", "Subject", "Message-ID", "References", "Auto-Submitted", "MIME-Version",
                              "Content-Type", "Content-Transfer-Encoding"])
            self.assertTrue(all(len(line) <= 998 and line.isascii() for line in mail.split(b"\r\n")))

    def test_credentials_show_nowhere(self):
        self.tell_all()
        self.ask()
        self.settled(4)
        self.http.answers, self.smtp.refuse = [404], {"DATA": "554 no"}
        self.stella("notify", "test", expect=10)
        shown = self.stella("notify", "list").out + self.stella("--output", "json", "notify", "list").out
        self.assertIn("http-404", shown)
        self.assertIn("smtp-554", shown)
        stored = b"".join(self.read(os.path.join(folder, name)) for folder, _, names in os.walk(os.path.join(self.home, "spool")) for name in names)
        self.assertTrue(self.spooled("slack") and self.spooled("pagerduty"))
        for secret in ("slack-SECRET", "pager-SECRET", "hook-SECRET", "mail-SECRET"):
            self.assertNotIn(secret, shown)
            self.assertNotIn(secret.encode(), stored)

    def test_pagerduty_closes_what_it_opened(self):
        self.tell_all()
        run = self.ask()
        for key in ("ada", "ben"):
            self.stella("pack", "approve", "--run", run, "--comment", "yes", "--key", self.key(key), "--yes")
        self.settled(8)
        events = [json.loads(one["body"]) for one in self.by_path("/v2/enqueue")]
        self.assertEqual([one["event_action"] for one in events], ["trigger", "resolve"])
        self.assertEqual(len({one["dedup_key"] for one in events}), 1)


if __name__ == "__main__":
    main()
