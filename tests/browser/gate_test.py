# SPDX-License-Identifier: Apache-2.0
"""The console in a browser: a run from its start over its gate to its end, with the two files that travel."""
import glob
import os

from browser_site import GatedConsole, main

# Goes on when the test says so.
SLOW = """for i in 1 2 3 4; do echo "block $i"; done
i=0; while [ ! -e /work/go ] && [ $i -lt 600 ]; do i=$((i+1)); sleep 0.1; done
echo "block 8"
"""


class GateOnThePage(GatedConsole):
    def setUp(self):
        super().setUp()
        self.watched = self.pack("watched", [
            {"id": "check", "run": {"script": SLOW}},
            {"id": "ask", "gate.approval": {"approval": "review"}},
            {"id": "act", "run": {"script": "echo acted; echo done > /artifacts/done.txt\n"}}],
            approvals=[{"id": "review", "threshold": 2, "message": "Go on with <b>this</b>?"}],
            outputs=[{"name": "report", "type": "file", "path": "done.txt"}])

    def state(self):
        return self.js("document.querySelector('#state').dataset.state")

    def downloaded(self, pattern):
        return self.wait_for(lambda: (glob.glob(self.path("downloads", pattern)) or [None])[0])

    def hand_in(self, response):
        self.browser.do("upload", selector="form.upload input[type=file]", path=response)
        return self.browser.do("clickAndGo", selector="form.upload button")

    def test_is_watched_from_its_start_over_the_gate_to_its_end(self):
        self.serve()
        self.start("--tenant", "plant-7", "pack", "run", "--bundle", self.watched)
        run = self.wait_for_step("check")
        self.visit(self.run_address(run))
        self.assertEqual(self.state(), "running")
        self.until("[...document.querySelectorAll('#lines .line')].some((line) => line.textContent.includes('block 3'))")
        self.until("document.querySelector('#link').textContent === 'live'")
        self.js("window.stays = true")
        self.tell(run, "go")
        # The page is told of the gate; nobody loads it again.
        self.until("document.querySelector('#state').dataset.state === 'waiting'")
        self.assertTrue(self.js("window.stays"))
        self.assertEqual(self.text("#said"), "The run is waiting")
        self.until("document.querySelector('#lines').textContent.includes('block 8')")
        gate = self.js("document.querySelector('.gate').innerText")
        for part in ("Go on with <b>this</b>?", "0 of 2", "nobody yet", "2 more approvals", "Ada Obi (safety)", "Ben Keller", "act"):
            self.assertIn(part, gate)
        self.assertTrue(self.js("document.querySelector('.gate').compareDocumentPosition(document.querySelector('#steps')) & 4"))
        self.assert_accessible()

        os.makedirs(self.path("downloads"))
        self.browser.do("downloads", folder=self.path("downloads"))
        self.browser.do("click", selector=".gate form[action$='/request'] button")
        request = self.downloaded("REQ-review-*.json")
        self.assertEqual(self.hand_in(self.sign(request, "ada")), 200)
        self.assertIn("recorded", self.text(".notice"))
        self.assertIn("1 of 2", self.text(".gate"))
        self.assertIn("Ada Obi", self.text(".gate"))
        # Somebody who is on no roster decides nothing.
        self.assertGreaterEqual(self.hand_in(self.write("nonsense.json", '{"payload": 1}')), 400)
        self.assertIn("ERR_APPROVAL_MALFORMED", self.text("main"))
        self.go(self.run_address(run))
        self.assertEqual(self.hand_in(self.sign(request, "ben")), 200)
        self.assertIn("Gate is open", self.text(".gate"))
        self.browser.do("clickAndGo", selector=".gate form[action$='/resume'] button")
        self.until("document.querySelector('#state').dataset.state === 'succeeded'")
        self.until("document.querySelector('#evidence').textContent.includes('sealed as')")
        self.until("document.querySelector('#outputs').textContent.includes('done.txt')")
        self.assertEqual(self.js("fetch(document.querySelector('#outputs a[download]').href).then((answer) => answer.text())"), "done\n")
        self.assertIn(self.js("fetch(location.pathname + '/artifact?path=..%2Fplan.json').then((answer) => answer.status)"), (400, 404))
        self.assertEqual(self.show(run)["state"], "succeeded")
        self.press("e")
        self.assertIn("stella evidence verify", self.js("document.querySelector('#evidence').innerText"))
        self.assert_accessible()

    def test_is_cancelled_after_a_second_question(self):
        self.serve()
        run = self.run_to_gate()
        self.visit(self.run_address(run))
        self.browser.do("click", selector=".confirm:last-child summary")
        self.browser.do("click", selector="#why")
        self.browser.do("type", text="wrong <cell>")
        self.browser.do("clickAndGo", selector=".confirm[open] form button")
        self.until("document.querySelector('#state').dataset.state === 'cancelled'")
        self.assertIn("wrong <cell>", str(self.events(run)))

    def test_shows_nothing_that_acts_to_who_may_only_read(self):
        self.serve()
        self.visit(self.run_address(self.run_to_gate()), scopes="packs.read")
        self.assertEqual(self.js("document.querySelectorAll('form[action$=\"/resume\"], form[action$=\"/cancel\"], form.upload').length"), 0)
        self.assertIn("stella pack approve --offline-response FILE", self.text(".gate"))


if __name__ == "__main__":
    main()
