#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mail: each recipient gets it once whatever the server says of the others, and only over the TLS that was asked for."""
import contextlib
import glob
import os
import sqlite3
import subprocess

from harness import main
from notify_site import NotifyTest, SmtpReceiver

GOOD, BAD, LATE = "good@plant.example", "bad@plant.example", "late@plant.example"


class Mail(NotifyTest):
    def rule(self, server, *recipients, **more):
        return {"topic": "pack.run.gate-waiting", "to": "email", "host": "receiver.example", "port": server.port, "from": "stella@plant.example",
                "recipients": list(recipients), **more}

    def wait_for_message(self, **what):
        def found():
            messages = self.messages()
            return messages[0] if messages and all(messages[0][name] == value for name, value in what.items()) else None
        return self.wait_for(found)


class Recipients(Mail):
    def send(self, refuse, *recipients):
        server = self.receiver(SmtpReceiver, refuse)
        self.tell([self.rule(server, *recipients, tls=False)], [server.port])
        self.ask()
        return server

    def asked(self, server):
        return [line[9:-1] for line in server.lines if line.startswith("RCPT TO:")]

    def test_one_that_is_refused_keeps_the_mail_from_nobody_else(self):
        server = self.send({f"RCPT TO:<{BAD}>": "550 no such user"}, BAD, GOOD)
        message = self.wait_for_message(state="sent")
        self.assertEqual((len(server.mails), self.asked(server)), (1, [BAD, GOOD]))
        self.assertEqual(message["reason"], "smtp-550")
        self.assertIn(f"{BAD} was refused (550)", message["note"])
        self.assertIn("smtp-550", self.stella("notify", "list").out)
        self.stella("notify", "flush")
        self.stella("notify", "flush", "--again")
        self.assertEqual(len(server.mails), 1)
        self.assertEqual(self.spooled("email"), [])

    def test_one_that_is_to_come_later_is_asked_for_alone(self):
        server = self.send({f"RCPT TO:<{LATE}>": "451 greylisted", f"RCPT TO:<{BAD}>": "550 no such user"}, GOOD, LATE, BAD)
        message = self.wait_for_message(state="queued", reason="smtp-451")
        self.assertIn(f"{LATE} is to be tried again (451)", message["note"])
        self.stella("notify", "flush", expect=10)
        self.assertEqual(self.asked(server), [GOOD, LATE, BAD, LATE])
        self.assertEqual(len(server.mails), 1)
        server.refuse = {}
        self.stella("notify", "flush")
        self.assertEqual((self.asked(server)[4:], len(server.mails)), ([LATE], 2))
        self.assertEqual(self.messages()[0]["state"], "sent")

    def test_the_last_attempt_reaches_some_and_nobody_twice(self):
        server = self.send({"RCPT": "450 later"}, GOOD, LATE)
        self.wait_for_message(state="queued", reason="smtp-450")
        with contextlib.closing(sqlite3.connect(glob.glob(os.path.join(self.home, "**", "outbox.db"), recursive=True)[0])) as outbox, outbox:
            outbox.execute("UPDATE messages SET until = 1")  # as if it had been tried for three days
        server.refuse = {f"RCPT TO:<{LATE}>": "451 greylisted"}
        self.stella("notify", "flush", expect=None)
        self.assertEqual((len(server.mails), self.messages()[0]["state"]), (1, "sent"))
        self.assertEqual(self.spooled("email", "eml"), [], "carried out as a file it would reach one of them twice")

    def test_when_all_are_refused_it_is_given_up(self):
        server = self.send({"RCPT": "550 nobody"}, GOOD, BAD)
        self.wait_for_message(state="failed", reason="smtp-550")
        self.assertEqual(server.mails, [])
        self.assertEqual(len(self.spooled("email", "eml")), 1)

    def test_a_timer_tries_what_is_due(self):
        server = self.send({"RCPT": "450 later"}, GOOD)
        self.wait_for_message(state="queued", reason="smtp-450")
        for _ in range(8):  # the next time is a quarter of an hour away, by now
            self.stella("notify", "flush", expect=10)
        tried = self.messages()[0]["attempts"]
        done = self.stella("--output", "json", "notify", "flush", "--due").json
        self.assertEqual((done["sent"], done["left"], self.messages()[0]["attempts"]), (0, 1, tried))
        server.refuse = {}
        self.stella("notify", "flush", "--due")
        self.assertEqual(server.mails, [])
        self.stella("notify", "flush")
        self.assertEqual(len(server.mails), 1)
        self.refused("ERR_USAGE", "notify", "flush", "--due", "--again", reason="again")


class Tls(Mail):
    def certificate(self, host="receiver.example"):
        """A server's certificate and key, made by a CA of the test's own; the CA's certificate."""
        def openssl(*args):
            subprocess.run(["openssl", *args], check=True, capture_output=True)
        path = lambda name: self.path(f"{host}-{name}")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", path("ca.key"), "-out", path("ca.pem"), "-subj", "/CN=test CA",
                "-addext", "keyUsage=critical,keyCertSign")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", path("tls.key"), "-out", path("tls.csr"), "-subj", "/CN=mail")
        with open(path("ext"), "w", encoding="ascii") as handle:
            handle.write(f"subjectAltName=DNS:{host}\n")
        openssl("x509", "-req", "-in", path("tls.csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "2",
                "-extfile", path("ext"), "-out", path("tls.crt"))
        with open(path("both"), "w", encoding="ascii") as handle:
            handle.write(self.read(path("tls.crt"), "r") + self.read(path("tls.key"), "r"))
        return path("both"), self.read(path("ca.pem"), "r")

    def believed_only_with_its_ca(self, server, ca, entry):
        self.credential("mail", "ana:s3cret-pass")
        self.tell([self.rule(server, GOOD, credential="mail")], allow=[entry])
        self.ask()
        self.wait_for_message(state="queued", reason="tls")
        self.assertFalse([line for line in server.lines if line.startswith(("AUTH", "MAIL", "RCPT"))])
        self.credential("ca.pem", ca)
        self.stella("notify", "flush")
        self.assertEqual((len(server.mails), self.messages()[0]["state"]), (1, "sent"))
        private = [is_secured for line, is_secured in zip(server.lines, server.secured) if line.startswith(("AUTH", "MAIL", "RCPT", "DATA"))]
        self.assertEqual((len(private) >= 4, set(private)), (True, {True}))

    def test_starttls_with_an_authority_of_the_sites_own(self):
        certificate, ca = self.certificate()
        server = self.receiver(SmtpReceiver, auth=True, tls=certificate)
        self.believed_only_with_its_ca(server, ca, self.entry(server.port))
        self.assertIn("STARTTLS", server.lines)

    def test_tls_from_the_first_byte_at_port_465(self):
        certificate, ca = self.certificate()
        try:
            server = self.receiver(SmtpReceiver, auth=True, tls=certificate, at_once=True, address=("127.0.0.4", 465))
        except PermissionError:
            self.skipTest("root, to listen at port 465")
        self.believed_only_with_its_ca(server, ca, {**self.entry(465), "address": "127.0.0.4"})
        self.assertNotIn("STARTTLS", server.lines)

    def test_a_certificate_of_another_host(self):
        certificate, ca = self.certificate("elsewhere.example")
        server = self.receiver(SmtpReceiver, tls=certificate)
        self.credential("ca.pem", ca)
        self.tell([self.rule(server, GOOD)], [server.port])
        self.ask()
        self.wait_for_message(state="queued", reason="tls")
        self.assertEqual(server.mails, [])


if __name__ == "__main__":
    main()
