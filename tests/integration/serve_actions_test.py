# SPDX-License-Identifier: Apache-2.0
"""What acts over HTTP: the same verbs as on the command line, and no token that opens a gate."""
import json
import os

from approval_site import ApprovalSite
from harness import main
from serve_site import ServeSite, quote


class Actions(ServeSite, ApprovalSite):
    def setUp(self):
        ApprovalSite.setUp(self)
        self.server = None
        self.serve()
        self.all = self.bearer("packs.read,packs.run,packs.approve")

    def do(self, run, verb, body=b"", expect=200, headers=None):
        return self.api(f"/api/runs/{quote(run)}/{verb}", headers or self.all, expect=expect, method="POST", body=body)

    def state(self, run):
        return self.api(f"/api/runs/{quote(run)}", self.all)["state"]

    def test_a_gate_is_opened_by_a_signed_response_only(self):
        run = self.run_to_gate()
        shown = self.api(f"/api/runs/{quote(run)}", self.all)
        gate = shown["gates"][0]["gate"]
        self.assertNotIn(self.home, json.dumps(shown))
        status, headers, request = self.ask_http(f"/api/runs/{quote(run)}/request?gate={gate}")
        self.assertEqual(status, 200, request)
        self.assertIn(f"REQ-{gate}-", headers["content-disposition"])
        path = self.write("asked.json", request)
        self.do(run, "approve", expect=400)
        self.do(run, "approve", b'{"decision":"approved"}', expect=400)
        self.do(run, "resume", b"{}", expect=202)  # it waits on
        reader = self.bearer("packs.read,packs.run")
        signed = [self.sign(path, who) for who in ("ada", "ben")]
        self.assertEqual(self.do(run, "approve", self.read(signed[0]), expect=403, headers=reader)["error"]["reason"], "scope")
        first = self.do(run, "approve", self.read(signed[0]))
        self.assertEqual((first["decision"], first["have"]), ("approved", 1))
        forged = json.loads(self.read(signed[1]))
        forged["signatures"][0]["sig"] = json.loads(self.read(signed[0]))["signatures"][0]["sig"]
        self.assertEqual(self.do(run, "approve", json.dumps(forged).encode(), expect=409)["error"]["code"], "ERR_APPROVAL_SIGNATURE")
        boundary = b"XXX"
        form = b"--XXX\r\nContent-Disposition: form-data; name=\"response\"; filename=\"r\"\r\n\r\n" + self.read(signed[1]) + b"\r\n--XXX--\r\n"
        status, headers, body = self.ask_http(f"/api/runs/{quote(run)}/approve", method="POST", body=form,
                                              headers={**self.all, "Content-Type": "multipart/form-data; boundary=XXX"})
        self.assertEqual((status, boundary), (303, b"XXX"), body)
        self.do(run, "resume", b"{}", expect=202)
        self.wait_for(lambda: self.state(run) == "succeeded")
        evidence = self.wait_for(lambda: self.ask_http(f"/api/runs/{quote(run)}/evidence")[0] == 200 and self.api(f"/api/runs/{quote(run)}/evidence", self.all))
        self.assertIn("journal.jsonl", [one["path"] for one in evidence["files"]])
        other = self.run_to_gate()
        self.assertEqual(self.do(other, "approve", self.read(signed[0]), expect=409)["error"]["code"], "ERR_APPROVAL_MISMATCH")

    def ask_http(self, path, headers=None, **kwargs):
        return ServeSite.ask(self, path, headers or self.all, **kwargs)

    def test_a_run_is_started_cancelled_and_resumed(self):
        run = self.run_to_gate()
        cancelled = self.do(run, "cancel", b'{"reason":"no longer needed"}')
        self.assertEqual(cancelled["state"], "cancelled")
        self.do(run, "cancel", b'{"why":"x"}', expect=400)
        self.do(run, "cancel", b"[]", expect=400)
        self.do(run, "resume", b"{}", expect=202)
        self.wait_for(lambda: self.state(run) == "waiting")
        missing = self.api("/api/runs", self.all, expect=404, method="POST", body=b'{"pack":"nothing:1.0.0","inputs":{}}')
        self.assertEqual(missing["error"]["code"], "ERR_PACK_NOT_FOUND")

    def test_who_asked_is_told_with_their_token_and_may_not_approve(self):
        run = self.run_to_gate()
        made = self.token("packs.read,packs.run,packs.approve", "plant-7", "--for", "Ada Obi")
        bearer = {"Authorization": "Bearer " + made["token"]}
        via = {"token": made["id"], "tenant": "plant-7", "madeBy": "Ana Ortiz", "for": "Ada Obi"}
        self.assertIsNone(self.show(run)["requestedVia"])
        self.do(run, "cancel", b'{"reason":"anew"}', headers=bearer)
        self.do(run, "resume", b"{}", expect=202, headers=bearer)
        self.wait_for(lambda: self.state(run) == "waiting")
        told = [(event["type"], event["data"].get("by"), event["data"].get("via")) for event in self.events(run) if "by" in event["data"]]
        self.assertEqual(told, [("pack.run.submitted", "Ana Ortiz", None), ("pack.run.cancelled", "Ana Ortiz", via), ("pack.run.resumed", "Ana Ortiz", via),
                                ("pack.run.resumed", "Ana Ortiz", via)][:len(told)])
        self.assertGreaterEqual(len(told), 3)
        shown = self.show(run)
        self.assertEqual((shown["requestedBy"], shown["requestedVia"], shown["requesters"]), ("Ana Ortiz", via, ["Ana Ortiz", "Ada Obi"]))
        self.assertEqual(shown["gates"][0]["mayDecide"], ["Ben Keller"])
        sentence = f"token {made['id']} of plant-7 (for Ada Obi, made by Ana Ortiz)"
        self.assertIn(sentence, self.stella("pack", "runs", "show", run).out)
        self.assertIn(f"Ana Ortiz, by {sentence}", self.ask_http(f"/console/packs/runs/{quote(run)}")[2].decode())
        request = ApprovalSite.ask(self, run)
        self.refused("ERR_APPROVAL_ROSTER", "approval", "sign", request, "--key", self.key("ada"), "--trust", self.key("admin") + ".pub", "--decision",
                     "approved", "--comment", "mine", "--plan-hash", shown["planHash"], "--yes", reason="requester")
        self.take(self.sign(request, "ben"))
        for root, _, files in os.walk(self.home):
            for name in files:
                self.assertNotIn(made["token"].encode(), self.read(os.path.join(root, name)), name)
        self.refused("ERR_ACCESS_DENIED", "pack", "runs", "cancel", run, "--via", "000000000000", reason="token")

    def form(self, run, verb, **fields):
        """What a page's form sends."""
        body = b"".join(b'--XXX\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value) for name, value in fields.items()) + b"--XXX--\r\n"
        return self.ask_http(f"/console/packs/runs/{quote(run)}/{verb}", method="POST", body=body,
                             headers={**self.all, "Content-Type": "multipart/form-data; boundary=XXX"})

    def test_a_list_that_has_not_changed_costs_nothing_and_each_viewer_sees_their_own_page(self):
        run = self.run_to_gate()
        place = "/console/packs/runs"
        status, headers, _ = self.ask_http(place)
        tag = headers["etag"]
        same = {**self.all, "If-None-Match": tag}
        self.assertEqual(self.ask_http(place, headers=same)[::2], (304, b""))
        self.assertEqual(self.ask_http(place, headers={**self.bearer(), "If-None-Match": tag})[0], 200)  # another viewer's is another page
        self.stella("pack", "runs", "hold", run, "--reason", "audit")
        status, headers, body = self.ask_http(place, headers=same)
        self.assertEqual(status, 200)
        self.assertNotEqual(headers["etag"], tag)
        page, tokens = f"{place}/{quote(run)}", [self.token("packs.read,packs.run,packs.approve") for _ in range(2)] + [self.token()]
        pages = [self.ask_http(page, headers={"Authorization": "Bearer " + one["token"]})[2].decode() for one in tokens]
        for one, text in zip(tokens, pages):
            self.assertEqual([other["id"] for other in tokens if other["id"] in text], [one["id"]])
            self.assertIn("audit", text)
        self.assertEqual(["/cancel" in text for text in pages], [True, True, False])
        self.assertEqual(self.api(f"/api/runs/{quote(run)}", self.all)["state"], "waiting")
        self.stella("pack", "runs", "cancel", run)
        self.assertEqual(self.api(f"/api/runs/{quote(run)}", self.all)["state"], "cancelled")
        self.assertIn('data-state="cancelled"', self.ask_http(page)[2].decode())

    def test_a_pages_forms_do_what_the_api_does(self):
        before = set(os.listdir("/tmp"))
        run, other = self.run_to_gate(), self.run_to_gate()
        status, headers, request = self.form(run, "request", gate=b"review")
        self.assertEqual(status, 200, request)
        self.assertEqual((headers["content-disposition"], request), (self.ask_http(f"/api/runs/{quote(run)}/request?gate=review")[1]["content-disposition"],
                                                                      self.ask_http(f"/api/runs/{quote(run)}/request?gate=review")[2]))
        self.assertEqual([name for name in set(os.listdir("/tmp")) - before if name.startswith("stella-request")], [])
        signed = [self.read(self.sign(self.write("asked.json", request), who)) for who in ("ada", "ben")]
        for verb, fields, expect, code in (("approve", {"response": signed[0]}, 409, "ERR_APPROVAL_MISMATCH"), ("approve", {"response": b""}, 400, "ERR_USAGE"),
                                           ("approve", {"response": b"{}"}, 400, "ERR_APPROVAL_MALFORMED"), ("request", {}, 400, "ERR_USAGE")):
            status, headers, page = self.form(other, verb, **fields)
            self.assertEqual((status, headers["content-type"]), (expect, "text/html; charset=utf-8"), page)
            self.assertIn(code, page.decode())
        for one in signed:
            status, headers, _ = self.form(run, "approve", response=one)
            self.assertEqual((status, headers["location"]), (303, f"/console/packs/runs/{quote(run)}?done=approve"))
        self.assertEqual(self.form(run, "resume")[0], 303)
        self.wait_for(lambda: self.state(run) == "succeeded")
        self.assertEqual(self.form(other, "cancel", reason=b"not this one")[0], 303)
        self.assertIn("not this one", [event["data"].get("reason") for event in self.events(other)])
        for place in ("plan.json", "artifact?path=done.txt"):
            self.assertEqual(self.ask_http(f"/console/packs/runs/{quote(run)}/{place}")[2],
                             self.ask_http(f"/api/runs/{quote(run)}/" + place.replace("plan.json", "plan").replace("artifact?", "artifacts?"))[2])
        self.assertEqual(self.ask_http(f"/console/packs/runs/{quote(run)}/artifact?path=../plan.json")[0], 404)


if __name__ == "__main__":
    main()
