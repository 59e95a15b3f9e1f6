# SPDX-License-Identifier: Apache-2.0
"""How messages reach their receivers, or the spool: failing receivers, kills, sealed mode, media."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import time

from harness import STELLA, main
from notify_site import HttpReceiver, NotifyTest, SmtpReceiver


def endless(handler):
    handler.send_response(503)
    handler.end_headers()
    try:
        for _ in range(2000):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass


def after_a_while(handler):
    time.sleep(1.4)
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def redirect_to(port):
    def answer(handler):
        handler.send_response(302)
        handler.send_header("Location", f"http://127.0.0.1:{port}/elsewhere")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return answer


class Failing(NotifyTest):
    def fail_once(self, answer, reason, left=True):
        """One message, one attempt that ends with `reason`; then the receiver is well again and the same id comes."""
        receiver = self.receiver(HttpReceiver, [answer])
        self.tell([self.webhook(receiver.port)], [receiver.port])
        self.ask()
        self.wait_for(lambda: (self.messages()[0]["reason"] or "") == reason or None)
        receiver.answers = [200]
        self.stella("notify", "flush", *([] if left else ["--again"]))
        (one,) = self.messages()
        self.assertEqual((one["state"], one["attempts"] >= 1), ("sent", True))
        self.assertEqual({got["headers"]["Idempotency-Key"] for got in receiver.got}, {one["id"]})
        self.assertEqual(len({got["body"] for got in receiver.got}), 1)

    def test_a_receiver_that_is_down_busy_slow_or_endless(self):
        for answer, reason in ((503, "http-503"), (429, "http-429"), (endless, "http-503")):
            with self.subTest(reason=reason, endless=answer is endless):
                self.fail_once(answer, reason)
                shutil.rmtree(self.home)
                self.home = self.make_home("appliance")
                os.unlink(self.path("apl-test.pub"))

    def test_a_refusal_is_given_up_and_spooled(self):
        self.fail_once(404, "http-404", left=False)
        self.assertEqual(len(self.spooled("webhook")), 1)

    def extend(self, run):
        """One more message."""
        return self.stella("pack", "approve", "--run", run, "--offline-request", "--extend", "2h", "--out", self.path("req.json"))

    def test_a_verb_waits_a_moment_for_a_silent_receiver_and_its_post_goes_on(self):
        receiver, go = self.receiver(HttpReceiver), threading.Event()
        self.addCleanup(go.set)
        self.tell([self.webhook(receiver.port)], [receiver.port])
        run = self.ask()
        self.settled(1)

        def held(handler):
            go.wait(60)
            after_a_while(handler)
        receiver.answers = [held]
        self.assertIn("1 notification could not be delivered yet", self.extend(run).err)
        self.assertEqual([one["reason"] for one in self.messages("--state", "queued")], ["sending"])
        go.set()
        self.settled(2)
        self.assertEqual([one["state"] for one in self.messages()], ["sent", "sent"])
        self.assertEqual(len({got["headers"]["Idempotency-Key"] for got in receiver.got}), len(receiver.got))

    def test_a_silent_receiver_is_left_and_asked_again(self):
        receiver, go = self.receiver(HttpReceiver), threading.Event()
        self.addCleanup(go.set)
        self.tell([self.webhook(receiver.port)], [receiver.port])
        run = self.ask()
        self.settled(1)
        receiver.answers = [lambda handler: go.wait(60)]
        self.extend(run)
        self.wait_for(lambda: [one["reason"] for one in self.messages("--state", "queued")] == ["timeout"] or None, 60)
        receiver.answers = [200]
        self.stella("notify", "flush")
        self.assertEqual(len({got["headers"]["Idempotency-Key"] for got in receiver.got}), 2)

    def test_a_slow_receiver_gets_each_message_once(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([{**self.webhook(receiver.port), "path": f"/{name}"} for name in "abc"], [receiver.port])
        run = self.ask()
        self.settled(3)
        receiver.got.clear()
        receiver.answers = [after_a_while]
        self.stella("pack", "runs", "cancel", run)
        self.stella("notify", "flush")
        self.settled(6)
        self.assertEqual(sorted(got["path"] for got in receiver.got), ["/a", "/b", "/c"])

    def test_a_dead_receiver_keeps_nobody_elses_messages(self):
        down, up = self.receiver(HttpReceiver, [503]), self.receiver(HttpReceiver)
        self.tell([self.webhook(down.port), {**self.webhook(up.port), "path": "/up"}, {"topic": "pack.*", "to": "spool"}],
                  [down.port, up.port])
        run = self.ask()
        self.settled(2)
        self.wait_for(lambda: [one["reason"] for one in self.messages("--state", "queued")] == ["http-503"] or None)
        with sqlite3.connect(os.path.join(self.home, "spool", "outbox.db")) as outbox:
            outbox.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<600) INSERT INTO messages (id, run, tenant,"
                           " pack, topic, receiver, target, place, message, payload, made, until, state, attempts, next, settled, code,"
                           " reason, note) SELECT printf('%032x', i), run, tenant, pack, topic, receiver, target, place, message, payload,"
                           " made, until, state, attempts, next, settled, code, reason, note FROM messages, n WHERE state='queued'")
        outbox.close()
        self.assertIn("602 notifications could not be delivered yet", self.stella("pack", "runs", "cancel", run).err)
        self.assertEqual([one["topic"] for one in up.bodies], ["pack.run.gate-waiting", "pack.run.cancelled"])
        self.assertEqual(len(self.spooled("spool")), 2)
        self.assertTrue(all(str(down.port) in one["where"] for one in self.messages("--state", "queued", "--limit", "1000")))

    def test_a_receiver_that_is_not_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.tell([self.webhook(port)], [port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "connect" or None)
        self.stella("notify", "flush", expect=10)
        self.assertEqual(self.messages()[0]["state"], "queued")

    def test_a_mail_server_that_is_busy_or_refuses(self):
        server = self.receiver(SmtpReceiver, {"RCPT": "450 later"})
        rule = {"topic": "pack.*", "to": "email", "host": "receiver.example", "port": server.port, "tls": False,
                "from": "stella@plant.example", "recipients": ["a@b.example"]}
        self.tell([rule], [server.port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "smtp-450" or None)
        server.refuse = {"RCPT": "550 no such person"}
        self.stella("notify", "flush", expect=10)
        self.assertEqual((self.messages()[0]["state"], self.messages()[0]["reason"]), ("failed", "smtp-550"))
        self.assertEqual((len(self.spooled("email")), len(self.spooled("email", "eml"))), (1, 1))
        server.refuse = {}
        self.stella("notify", "flush", "--again")
        self.assertEqual(server.mails, [self.read(self.spooled("email", "eml")[0])])

    def test_mail_without_the_tls_that_the_policy_wants(self):
        server = self.receiver(SmtpReceiver)
        rule = {"topic": "pack.*", "to": "email", "host": "receiver.example", "port": server.port,
                "from": "stella@plant.example", "recipients": ["a@b.example"]}
        self.tell([rule], [server.port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "tls" or None)
        self.assertEqual(server.mails, [])

    def test_no_proxy_redirect_or_name_leads_elsewhere(self):
        elsewhere = self.receiver(HttpReceiver)
        receiver = self.receiver(HttpReceiver, [redirect_to(elsewhere.port)])
        self.tell([self.webhook(receiver.port)], [receiver.port])
        trap = f"http://127.0.0.1:{elsewhere.port}"
        self.run_pack([self.step("a", "true")], env={"http_proxy": trap, "HTTP_PROXY": trap, "ALL_PROXY": trap, "all_proxy": trap})
        self.settled(1)
        self.assertEqual(self.messages()[0]["reason"], "http-302")
        self.assertEqual((len(receiver.got), elsewhere.got), (1, []))

    def test_a_certificate_that_nobody_vouches_for(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", self.path("tls.key"),
                        "-out", self.path("tls.pem"), "-subj", "/CN=receiver.example", "-addext",
                        "subjectAltName=DNS:receiver.example"], check=True, capture_output=True)
        receiver = self.receiver(HttpReceiver)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("tls.pem"), self.path("tls.key"))
        receiver.server.socket = context.wrap_socket(receiver.server.socket, server_side=True)
        rule = self.webhook(receiver.port)
        rule.pop("tls")
        self.tell([rule], [receiver.port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "tls" or None)
        self.assertEqual(receiver.got, [])
        self.credential("ca.pem", self.read(self.path("tls.pem"), "r"))
        self.stella("notify", "flush")
        self.assertEqual(len(receiver.got), 1)

    def test_a_credential_that_others_can_read(self):
        receiver = self.receiver(HttpReceiver)
        self.credential("hook", "token", 0o644)
        self.tell([self.webhook(receiver.port, credential="hook")], [receiver.port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "credential" or None)
        self.credential("hook", "token")
        self.stella("notify", "flush")
        self.assertEqual([got["headers"]["Authorization"] for got in receiver.got], ["Bearer token"])


class Barred(NotifyTest):
    def test_sealed_nothing_is_connected_to(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port)], [receiver.port], mode="sealed")
        self.ask()
        self.assertEqual([(one["state"], one["code"], one["reason"]) for one in self.messages()],
                         [("spooled", "AIRGAP_EGRESS_BLOCKED", "sealed")])
        error = self.refused("AIRGAP_EGRESS_BLOCKED", "notify", "test", reason="sealed")
        self.assertEqual(error["exit"], 5)
        trace = self.path("trace")
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=socket,connect,openat", "-o", trace, STELLA, "notify", "test"],
                       env=self.environment(), capture_output=True, check=False)
        calls = self.read(trace, "r")
        self.assertIn("outbox.db", calls)
        self.assertNotIn("AF_INET", calls)
        self.assertNotIn("libcurl", calls)
        self.assertEqual(receiver.got, [])
        envelope = json.loads(self.read(self.spooled("webhook")[0]))
        self.assertEqual(envelope["why"]["code"], "AIRGAP_EGRESS_BLOCKED")
        self.assertEqual(envelope["payload"], envelope["message"])

    def test_a_receiver_that_todays_policy_names_no_more(self):
        receiver = self.receiver(HttpReceiver, [503])
        self.tell([self.webhook(receiver.port)], [receiver.port])
        self.ask()
        self.wait_for(lambda: self.messages()[0]["reason"] == "http-503" or None)
        before = len(receiver.got)
        self.tell([{"topic": "pack.gate.*", "to": "spool"}], version=2)
        self.stella("notify", "flush")
        self.assertEqual([(one["state"], one["reason"]) for one in self.messages()], [("spooled", "rule-gone")])
        self.assertEqual(len(receiver.got), before)

    def test_a_policy_without_the_entry_is_refused(self):
        document = self.policy(mode="constrained", notifications=[self.webhook(443)])
        plain = self.write("bad.json", json.dumps(document))
        error = self.refused("ERR_SITE_INVALID", "site", "check", plain)
        self.assertIn("for: [stella]", json.dumps(error))


class Kills(NotifyTest):
    def test_a_kill_at_each_point_sends_under_one_id(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port), {"topic": "pack.run.*", "to": "spool"}], [receiver.port])
        run = self.ask()
        self.settled(2)
        for point in ("notify.before-queue", "notify.queued", "notify.sending", "notify.posted", "notify.sent", "notify.spooling",
                      "notify.spooled"):
            with self.subTest(point=point):
                sent, files = len(receiver.got), len(self.spooled("spool"))
                # One more event that nobody was told of: the verb is killed before it looks at the journal again.
                self.stella("pack", "approve", "--run", run, "--offline-request", "--extend", "2h", "--out", self.path("req.json"),
                            env={"STELLA_CRASH_AT": "notify.before-queue:2"}, expect=-signal.SIGKILL)
                self.stella("notify", "flush", env={"STELLA_CRASH_AT": point}, expect=-signal.SIGKILL)
                self.stella("notify", "flush")
                self.stella("notify", "flush")
                self.assertEqual(len(self.spooled("spool")), files + 1)
                ids = {one["headers"]["Idempotency-Key"] for one in receiver.got[sent:]}
                self.assertEqual(len(ids), 1)
                self.assertEqual(len(receiver.got) - sent, 2 if point == "notify.posted" else 1)
        self.assertEqual({state for _, state in self.states()}, {"sent", "spooled"})


class Forgetting(NotifyTest):
    def outbox(self, statement):
        connection = sqlite3.connect(os.path.join(self.home, "spool", "outbox.db"))
        with connection:
            found = connection.execute(statement).fetchall()
        connection.close()
        return found

    def test_an_old_outbox_is_tidied_by_any_round_once_an_hour(self):
        receiver = self.receiver(HttpReceiver)
        self.tell([self.webhook(receiver.port), {**self.webhook(receiver.port), "path": "/down"}, {"topic": "pack.run.*", "to": "spool"}],
                  [receiver.port])
        old = self.ask()
        self.settled(3)
        self.outbox("UPDATE messages SET state='failed' WHERE number=(SELECT max(number) FROM messages WHERE state='sent')")
        self.assertEqual(sorted(state for _, state in self.states()), ["failed", "sent", "spooled"])
        self.outbox("INSERT INTO messages (number, id, run, tenant, pack, topic, receiver, target, place, message, payload, made, until, state,"
                    " attempts, next, settled, code, reason, note) SELECT 1000, 'x', run, tenant, pack, topic, receiver, target, place, message, payload, made, until,"
                    " 'queued', 0, made*2, 0, '', '', '' FROM messages WHERE state='sent'")
        there = os.path.relpath(self.spooled("spool")[0], os.path.join(self.home, "spool"))
        self.outbox(f"INSERT INTO exports VALUES ('{there}', 1), ('spool/gone.json', 1)")
        units = self.outbox("SELECT max(made) FROM messages")[0][0] / time.time()  # of the outbox's times, in a second
        self.outbox(f"UPDATE messages SET settled=settled-{int(91 * 86400 * units)} WHERE state<>'queued'")
        self.stella("pack", "runs", "list")
        self.assertEqual(len(self.outbox("SELECT 1 FROM messages")), 4)  # not an hour after the last time
        self.outbox(f"UPDATE tidied SET at=at-{int(3601 * units)}")
        self.stella("pack", "runs", "list")
        self.assertEqual(self.outbox("SELECT id, run, state FROM messages"), [("x", old, "queued")])
        self.assertEqual(self.outbox("SELECT file FROM exports"), [(there,)])
        self.assertEqual(self.outbox("SELECT run FROM seen"), [(old,)])


class Exporting(NotifyTest):
    mode = "sealed"

    def test_the_spool_goes_out_once(self):
        self.tell([{"topic": "pack.run.*", "to": "email", "host": "mail.example", "from": "stella@plant.example",
                    "recipients": ["a@b.example"]}, {"topic": "pack.run.*", "to": "spool"}])
        self.ask()
        medium = self.path("medium")
        os.makedirs(medium)
        self.refused("ERR_MEDIA_UNSUITABLE", "spool", "export", "--media", medium)
        export = ("spool", "export", "--media", medium, "--allow-fixed")
        self.stella(*export, env={"STELLA_CRASH_AT": "spool.exported"}, expect=-signal.SIGKILL)
        done = self.stella("--output", "json", *export).json
        self.assertEqual(len(os.listdir(os.path.join(medium, "STELLA-SPOOL"))), 1)  # the killed one's folder was taken up
        self.assertEqual(len(done["files"]), 3)
        subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=done["folder"], check=True)
        for name in done["files"]:
            self.assertEqual(self.read(os.path.join(done["folder"], name)), self.read(os.path.join(self.home, "spool", name)))
        self.assertEqual(self.stella("--output", "json", *export).json["files"], [])
        self.stella("notify", "test", expect=5)
        self.assertEqual(len(self.stella("--output", "json", *export).json["files"]), 3)
        self.assertEqual(len(self.stella("--output", "json", *export, "--again").json["files"]), 6)
        self.assertTrue(all(one["exported"] for one in self.stella("--output", "json", "spool", "list").json["files"]))

    def test_onto_a_real_medium(self):
        image, medium = self.path("stick.img"), self.path("stick")
        os.makedirs(medium)
        with open(image, "wb") as handle:
            handle.truncate(32 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
        if subprocess.run(["mount", "-o", "loop", image, medium], capture_output=True, check=False).returncode != 0:
            self.skipTest("no loop devices here")
        self.addCleanup(subprocess.run, ["umount", medium], check=False)
        self.tell([{"topic": "pack.run.*", "to": "spool"}])
        self.ask()
        done = self.stella("--output", "json", "spool", "export", "--media", medium).json
        self.assertEqual(len(done["files"]), 1)


class Doctor(NotifyTest):
    def findings(self):
        report = self.stella("--output", "json", "doctor", expect=None).json
        return [(one["health"], one["says"]) for one in report["findings"] if one["what"] == "notify"]

    def test_doctor_finds_a_closed_way_a_bad_spool_and_what_is_stuck(self):
        self.tell([])
        self.assertEqual(self.findings(), [])
        down = self.receiver(HttpReceiver, [503])
        self.tell([self.webhook(down.port)], [down.port], version=2)
        self.ask()
        self.wait_for(lambda: self.messages() and self.messages()[0]["reason"] == "http-503")
        self.assertEqual(self.findings(), [("ok", "1 waiting")])
        with sqlite3.connect(os.path.join(self.home, "spool", "outbox.db")) as outbox:
            outbox.execute("UPDATE messages SET made = made - 3700000")
        outbox.close()
        ((health, says),) = self.findings()
        self.assertEqual(health, "warning")
        for part in ("1 waiting", "http-503", "stella notify list --state queued"):
            self.assertIn(part, says)
        self.tell([self.webhook(down.port)], allow=[self.entry(down.port, packs=["other"])], version=3)
        (health, says), _ = self.findings()
        self.assertEqual(health, "warning")
        self.assertIn(f"receiver.example:{down.port}", says)
        os.rename(os.path.join(self.home, "spool"), self.path("spool"))
        self.write(os.path.join("home-appliance", "spool"), "")
        self.assertEqual(self.findings()[-1][0], "bad")


if __name__ == "__main__":
    main()
