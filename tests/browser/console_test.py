# SPDX-License-Identifier: Apache-2.0
"""The console in a browser: list, log, keyboard, colours, hostile text, no script."""
import json

from browser_site import Console, main

COLOURS = r"""i=0
while [ $i -lt 1000 ]; do
  i=$((i + 1))
  case $i in
    300|600|900) printf '\033[1;31mneedle\033[0m %s\n' $i ;;
    *) echo "line $i" ;;
  esac
done
echo warned >&2
"""
# Goes on until the test says so.
TALKING = 'i=0; while [ ! -e /work/stop ] && [ $i -lt 6000 ]; do i=$((i+1)); echo "n $i"; sleep 0.02; done; echo the end'
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&"


class Looking(Console):
    def run_of(self, steps, expect=0, **spec):
        return self.run_pack(steps, expect=expect, **spec)["runId"]

    def lines(self):
        return self.js("[...document.querySelectorAll('#lines .line')].map((line) => [Number(line.dataset.n), line.querySelector('code') ? line.querySelector('code').textContent : null])")

class List(Looking):
    def test_shows_filters_and_follows_runs(self):
        self.run_of([self.step("a", "true")], name="good")
        self.run_of([self.step("a", "exit 3")], expect=1, name="bad")
        self.serve()
        self.visit()
        self.assertEqual(self.js("[...document.querySelectorAll('tr.run')].map((row) => row.dataset.state)"), ["failed", "succeeded"])
        self.assert_accessible()
        self.js("window.stays = true")
        self.start("pack", "run", "--bundle", self.pack("slow", [self.step("a", "sleep 3")]))
        self.until("document.querySelector('tr.run[data-state=running]') !== null")
        self.until("document.querySelectorAll('tr.run[data-state=succeeded]').length === 2")
        self.assertTrue(self.js("window.stays"))
        self.go("/console/packs/runs?state=failed")
        self.assertEqual(self.js("document.querySelectorAll('tr.run').length"), 1)
        self.assertEqual(self.go("/console/packs/runs?since=nonsense"), 400)
        self.assertIn("nonsense", self.text(".notice"))
        self.assertEqual(self.go("/console/packs/runs/run%3Aplant-7%3A20200101T000000000Z"), 404)
        self.assertIn("ERR_RUN_NOT_FOUND", self.text("main"))

    def test_fits_a_phone(self):
        self.run_of([self.step("a", "echo hello")])
        self.serve()
        self.visit(width=360, height=700)
        for address in ("/console/packs/runs", self.run_address(self.last_run())):
            self.go(address)
            self.assertLessEqual(self.js("document.documentElement.scrollWidth"), 360, address)


class Log(Looking):
    def setUp(self):
        super().setUp()
        self.run = self.run_of([self.step("talk", COLOURS), self.step("other", "echo other")])
        self.serve()

    def test_is_searched_with_counts_and_steps_through_the_hits(self):
        self.visit(self.run_address(self.run) + "?step=talk")
        self.press("/")
        self.browser.do("type", text="need.e")
        self.press("Enter")
        self.until("document.querySelector('#hits').textContent === '1 of 3 lines'")
        self.until("document.querySelector('.line.here.hit .f1.bold') !== null")
        self.assertEqual(self.text(".line.here .n"), "300")
        self.press("Escape", "n", "n")
        self.until("(document.querySelector('.line.here .n') || {}).textContent === '900'")
        self.press("N")
        self.until("(document.querySelector('.line.here .n') || {}).textContent === '600'")
        self.press("/")
        self.js("document.querySelector('#find').value = ''")
        self.browser.do("type", text="(")
        self.press("Enter")
        self.until("document.querySelector('#hits').textContent.startsWith('no pattern')")

    def test_has_an_address_for_each_line(self):
        self.visit(self.run_address(self.run) + "?step=talk&from=700")
        self.until("document.querySelector('.window .line[data-n=\"705\"] .n') !== null && !document.querySelector('#lines .line.yet')")
        self.browser.do("click", selector='.line[data-n="705"] .n')
        address = self.js("location.pathname + location.search + location.hash")
        self.assertTrue(address.endswith("#L705"), address)
        for link in (address, self.run_address(self.run) + "#talk.L705"):
            self.go("/console/packs/runs")
            self.go(link)
            self.until("(document.querySelector('.line.here code') || {}).textContent === 'line 705'")
            self.assertEqual(self.text("#log-title"), "talk")

    def test_shows_every_line_once_wherever_one_scrolls(self):
        self.visit(self.run_address(self.run) + "?step=talk")
        seen = {}
        for first in range(1, 1001, 20):
            self.scroll_to(first)
            for number, text in self.lines():
                self.assertEqual(seen.setdefault(number, text), text)
        self.assertEqual(sorted(seen), list(range(1, 1002)))
        self.assertEqual(seen[1001], "warned")
        self.assertEqual(seen[457], "line 457")

    def test_stops_following_when_somebody_scrolls(self):
        self.start("pack", "run", "--bundle", self.pack("long", [self.step("go", TALKING)]))
        run = self.wait_for_step("go")
        self.visit(self.run_address(run))
        self.until("document.querySelectorAll('#lines .line').length > 30 && document.querySelector('#follow').getAttribute('aria-pressed') === 'true'")
        self.browser.do("wheel", selector="#lines", by=-300)
        self.until("document.querySelector('#follow').getAttribute('aria-pressed') === 'false'")
        first, height = self.js("[document.querySelector('#lines').scrollTop, document.querySelector('#lines').scrollHeight]")
        self.until(f"document.querySelector('#lines').scrollHeight > {height + 2000}")
        self.assertLessEqual(abs(self.js("document.querySelector('#lines').scrollTop") - first), 25)
        self.press("f")
        self.tell(run, "stop")
        self.until("[...document.querySelectorAll('#lines .line code')].some((line) => line.textContent === 'the end')")


class Keyboard(Looking):
    def focused(self):
        return self.js("(document.activeElement.dataset.step || document.activeElement.id || document.activeElement.className)")

    def test_does_everything(self):
        run = self.run_of([self.step("one", "echo first"), self.step("two", "echo second"), self.step("three", "exit 1")], expect=1)
        self.serve()
        self.visit()
        self.press("Tab")
        self.assertEqual(self.focused(), "to-main")
        self.press("Enter", "j", "Enter")
        self.until("location.pathname.includes('run%3A') && document.querySelector('#steps') !== null")
        self.assertEqual(self.text("#log-title"), "three")
        self.press("k", "k", "k", "k")
        self.assertEqual(self.focused(), "one")
        self.assertNotEqual(self.js("getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.press("j", "Enter")
        self.until("document.querySelector('#log-title').textContent === 'two'")
        self.until("document.querySelector('#lines').textContent.includes('second')")
        self.press("?")
        self.assertTrue(self.js("document.querySelector('#sheet').open"))
        self.press("Escape")
        self.until("!document.querySelector('#sheet').open")
        for key, part in (("e", "evidence"), ("p", "plan"), ("o", "outputs"), ("l", "timeline")):
            self.press(key)
            self.assertEqual(self.js("[...document.querySelectorAll('.part')].filter((part) => !part.hidden).map((part) => part.id)"), [part])
        self.press("ArrowLeft")
        self.assertEqual(self.js("document.querySelector('[aria-selected=true]').dataset.tab"), "evidence")
        self.press("d")
        self.assertTrue(self.js("document.querySelector('#tree').hidden && !document.querySelector('#graph').hidden"))
        self.press("j")
        self.assertTrue(self.js("document.activeElement.classList.contains('box')"))
        self.press("j", "Enter")
        self.until("document.querySelector('#log-title').textContent === document.activeElement.dataset.step")
        self.assert_accessible()
        self.assertEqual(self.show(run)["state"], "failed")


class Colours(Looking):
    def test_are_the_browsers_until_somebody_chooses(self):
        run = self.run_of([self.step("talk", COLOURS), self.step("b", "exit 4")], expect=1)
        self.serve()
        self.visit(self.run_address(run) + "?step=talk")
        ground = "getComputedStyle(document.body).backgroundColor"
        light = self.js(ground)
        self.assert_accessible()
        self.browser.do("colours", value="dark")
        dark = self.js(ground)
        self.assertNotEqual(light, dark)
        self.assert_accessible()
        self.press("t")
        self.assertEqual(self.js(ground), light)
        self.go("/console/packs/runs")
        self.assertEqual(self.js(ground), light)
        self.press("t")
        self.assertEqual(self.js(ground), dark)
        self.assert_accessible()


class Hostile(Looking):
    def test_text_never_becomes_markup(self):
        run = self.run_of([self.step("talk", f"cat <<'EOF'\n{HOSTILE}\n{HOSTILE}\nEOF\nprintf 'a\\342\\200\\256b\\033[31mred\\n'"),
                           {"id": "gate", "gate.policy": {"expression": "`false`", "message": HOSTILE}}], expect=None,
                          inputs=[{"name": "word", "type": "string", "default": HOSTILE}])
        self.serve()
        self.visit(self.run_address(run) + "?step=talk")
        self.until("document.querySelectorAll('#lines .line').length >= 3")
        for part in ("talk", "plan", "timeline"):
            if part != "talk":
                self.press(part[0] if part == "plan" else "l")
            self.assertEqual(self.js("document.querySelectorAll('main img, main script, main iframe').length"), 0)
        self.assertEqual(self.js("document.querySelector('#lines .line code').textContent"), HOSTILE)
        self.assertNotIn("\u202e", self.text("#lines"))
        self.go(self.run_address(run) + "?step=" + "%3Cimg%20src=x%20onerror=alert(1)%3E&q=%3Cscript%3E&group=%3Cb%3E")
        self.assertEqual(self.js("document.querySelectorAll('main img, main script, main b[onclick]').length"), 0)


class Plain(Looking):
    def test_has_everything_without_a_script(self):
        run = self.run_of([self.step("talk", COLOURS), self.step("b", "exit 4")], expect=1)
        self.serve()
        self.visit(self.run_address(run) + "?step=talk&q=needle", script=False)
        text = self.js("document.body.innerText")
        for part in ("failed", "ERR_PACK_STEP_FAILED", "exit 4", "3 lines", "needle 900", "line 457", "Lines 1 to 500 of 1001", "stella evidence verify", "Submitted by", "sha256:"):
            self.assertIn(part, text)
        self.browser.do("clickAndGo", selector=".pages.no-script a")
        self.assertIn("Lines 501 to", self.js("document.body.innerText"))
        self.browser.do("clickAndGo", selector="#as-graph")
        self.assertTrue(self.js("document.querySelector('#graph').getClientRects().length > 0"))
        self.assertEqual(self.js("[...document.querySelectorAll('.needs-script')].filter((one) => one.getClientRects().length > 0).length"), 0)
        self.browser.do("scripts", on=True)  # of axe-core, over the page as it is
        self.assert_accessible()


class Strangers(Looking):
    def policy(self, **changes):
        document = super().policy(**changes)
        document["tenants"].append({"name": "plant-8", "packs": ["*"], "operators": [{"name": "Bo Lind", "user": "bo"}], "approvers": []})
        return document

    def test_see_no_run_of_another_tenant(self):
        run = self.run_pack([self.step("a", "true")], "--tenant", "plant-7")["runId"]
        self.serve()
        token = self.token(tenant="plant-8")
        self.browser.do("open", origin=self.origin)
        self.go("/console/packs/runs")
        self.browser.do("click", selector="#token")
        self.browser.do("type", text=token)
        self.browser.do("clickAndGo", selector="form[action='/console/login'] button")
        self.assertEqual(self.js("document.querySelectorAll('tr.run').length"), 0)
        for address in (self.run_address(run), self.run_address(run) + "/log?step=a&try=1", self.run_address(run) + "/log/raw?step=a"):
            self.assertEqual(self.js(f"fetch({json.dumps(address)}).then((answer) => answer.status)"), 404, address)


if __name__ == "__main__":
    main()
