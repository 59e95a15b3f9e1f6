# SPDX-License-Identifier: Apache-2.0
"""What operators of a service home do takes nothing from other tenants' notifications."""
import os
import signal
import sqlite3

import service_site
from harness import main
from service_site import SERVICE, ServiceSite


class Others(ServiceSite):
    rules = [{"topic": "pack.run.*", "to": "spool"}]
    gate = [{"id": "review", "threshold": 1, "expiresAfter": "PT4H", "message": "look"}]
    gated = [{"id": "ask", "gate.approval": {"approval": "review"}}]

    def waiting_run(self, user):
        bundle = self.pack_of(user, f"gated-{user}", self.gated, approvals=self.gate)
        return self.json_by(user, "pack", "run", "--bundle", bundle, expect=7)["runId"]

    def plain_run(self, user, name="plain"):
        return self.json_by(user, "pack", "run", "--bundle", self.pack_of(user, f"{name}-{user}", [self.step("a", "true")]))["runId"]

    def topics(self, run):
        self.admin("notify", "flush")
        return sorted(one["topic"].removeprefix("pack.run.")
                      for one in self.admin("--output", "json", "notify", "list", "--run", run).json["messages"])

    def spool(self, statement, *values):
        connection = sqlite3.connect(os.path.join(self.home, "spool", "outbox.db"))
        with connection:
            found = connection.execute(statement, values).fetchall()
        connection.close()
        return found

    def test_a_gate_that_runs_out_soon_while_somebody_else_looks(self):
        self.apply_as_service(self.policy(version=2, notifications=self.rules))
        run = self.waiting_run("bo")
        self.assertEqual(self.topics(run), ["gate-waiting"])
        self.spool("UPDATE gates SET tell_at=1 WHERE run=?", run)  # now
        mine = self.plain_run("ana")
        self.json_by("ana", "pack", "runs", "list")
        self.assertEqual(self.topics(run), ["gate-expiring", "gate-waiting"])
        self.assertEqual(self.topics(mine), ["succeeded"])

    def test_a_change_that_nobody_was_told_of_yet(self):
        self.apply_as_service(self.policy(version=2, notifications=self.rules))
        run = self.waiting_run("bo")
        self.assertEqual(self.topics(run), ["gate-waiting"])
        self.by(SERVICE, "pack", "runs", "cancel", run, env={"STELLA_CRASH_AT": "notify.before-queue:2"}, expect=-signal.SIGKILL)
        mine = self.plain_run("ana")
        self.json_by("ana", "pack", "runs", "list")
        self.assertEqual(self.topics(run), ["cancelled", "gate-waiting"])
        self.assertEqual(self.topics(mine), ["succeeded"])

    def test_the_past_of_others_is_no_news(self):
        run = self.waiting_run("bo")
        self.apply_as_service(self.policy(version=2, notifications=self.rules))
        mine = self.plain_run("ana")
        self.assertEqual(self.topics(mine), ["succeeded"])
        self.admin("pack", "runs", "cancel", run)
        self.assertEqual(self.topics(run), ["cancelled"])

    def test_what_an_operator_did_is_told_without_a_server(self):
        self.apply_as_service(self.policy(version=2, notifications=self.rules))
        run = self.waiting_run("bo")
        self.json_by("bo", "pack", "runs", "cancel", run)

        def told():
            found = self.spool("SELECT state FROM messages WHERE run=? ORDER BY number", run)
            return found == [("spooled",), ("spooled",)] or None
        self.wait_for(told)


if __name__ == "__main__":
    service_site.enter()
    main()
