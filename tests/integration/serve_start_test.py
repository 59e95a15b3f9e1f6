# SPDX-License-Identifier: Apache-2.0
"""A run of a pack of the registry, asked for over HTTP."""
import json

from harness import main
from mirror_site import MirrorSite
from serve_site import ServeSite, quote


class Start(ServeSite, MirrorSite):
    def setUp(self):
        MirrorSite.setUp(self)
        self.add(self.simple_pack("greeting"))
        self.pull(self.publish())
        self.server = None
        self.serve()
        self.runs = self.bearer("packs.read,packs.run")

    def post(self, body, expect, headers=None):
        return self.api("/api/runs", headers or self.runs, expect=expect, method="POST", body=json.dumps(body).encode())

    def test_a_pack_of_the_registry_is_run_to_its_end(self):
        run = self.post({"pack": "greeting:1.0.0", "inputs": {}}, 202)["runId"]
        place = f"/api/runs/{quote(run)}"
        self.wait_for(lambda: self.api(place, self.runs)["state"] == "succeeded")
        shown = self.api(place, self.runs)
        via = shown["requestedVia"]
        self.assertEqual((via["tenant"], via["madeBy"]), ("plant-7", shown["requestedBy"]))
        self.assertIn(via["token"], self.stella("token", "list").out)
        self.assertEqual([event["data"]["via"] for event in self.events(run) if "by" in event["data"]], [via] * 2)
        again = self.post({"pack": "greeting:1.0.0", "inputs": {}, "planHash": shown["planHash"]}, 202)["runId"]
        self.assertNotEqual(again, run)
        self.wait_for(lambda: self.api(f"/api/runs/{quote(again)}", self.runs)["state"] == "succeeded")
        self.assertEqual({one["runId"] for one in self.api("/api/runs?pack=greeting", self.runs)["runs"]}, {run, again})

    def test_nothing_is_started_for_a_wrong_wish(self):
        self.assertEqual(self.post({"pack": "greeting:1.0.0", "inputs": {}, "planHash": "sha256:" + "0" * 64}, 409)["error"]["code"], "ERR_PACK_HASH_MISMATCH")
        self.assertEqual(self.post({"pack": "greeting:1.0.0", "inputs": {"no": 1}}, 400)["error"]["code"], "ERR_PACK_INPUTS")
        self.assertEqual(self.post({"pack": "greeting:1.0.0", "inputs": {}}, 403, self.bearer("packs.read"))["error"]["reason"], "scope")
        self.assertEqual(self.api("/api/runs", self.runs)["runs"], [])


if __name__ == "__main__":
    main()
