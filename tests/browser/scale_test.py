# SPDX-License-Identifier: Apache-2.0
"""The console in a browser with much to show: 10,000 steps, a big log, a server that is killed while one watches.
STELLA_BIG_LOG says how many megabytes the big log has (200, 20 under sanitizers; the slow series takes 1,000)."""
import os
import signal
import time

from browser_site import Console, main
from harness import SLOWNESS

MEGABYTES = int(os.environ.get("STELLA_BIG_LOG", "200" if SLOWNESS == 1 else "20"))
KEPT = 0 if SLOWNESS == 1 else 512 << 10  # kilobytes of freed memory that a sanitizer may hold back


class TenThousandSteps(Console):
    def test_are_a_few_boxes_and_the_page_answers(self):
        steps = [{"id": "ask", "gate.approval": {"approval": "review"}}]
        steps += [{"id": f"s{number}", "run": {"command": ["true"]}} for number in range(9999)]
        self.run_pack(steps, expect=7, approvals=[{"id": "review", "threshold": 1}])
        run = self.last_run()
        self.serve()
        self.visit()
        begun = time.time()
        self.go(self.run_address(run))
        self.press("d")
        self.until("!document.querySelector('#graph').hidden && document.querySelectorAll('#graph .box').length > 0", seconds=60)
        took = time.time() - begun
        size, nodes = self.js("document.documentElement.outerHTML.length"), self.js("document.querySelectorAll('*').length")
        print(f"10,000 steps: {took:.2f} s from the click to the graph, {nodes} elements, {size} bytes", flush=True)
        self.assertLess(nodes, 1500)
        self.assertLess(size, 150_000)
        self.assertIn("of 10000 done", self.text("main"))
        self.press("d", "j", "j")
        self.assertTrue(self.js("document.activeElement.classList.contains('item')"))
        stretch = self.js("document.querySelector('#tree .stretch').getAttribute('href')")
        self.go(stretch)
        self.assertIn("of 10000", self.text("#tree .pages"))
        self.assert_accessible()


class BigLog(Console):
    def test_takes_no_more_memory_than_a_small_one(self):
        lines = MEGABYTES * 10_000  # of 100 bytes
        script = f"seq -f '%07.0f {'x' * 91}' 1 {lines}"
        run = self.run_pack([self.step("talk", script, timeout="PT30M")])["runId"]
        self.serve()
        self.visit(self.run_address(run) + "?step=talk")
        self.until("document.querySelectorAll('#lines .line:not(.yet)').length > 5")
        before, rss = self.browser.do("memory"), self.rss()
        for share in [n / 40 for n in range(41)]:
            self.js(f"(() => {{ const box = document.querySelector('#lines'); box.scrollTop = {share} * (box.scrollHeight - box.clientHeight); }})()")
            self.until(f"""(() => {{
              const all = [...document.querySelectorAll('#lines .line')].map((line) => Number(line.dataset.n));
              const near = 1 + {share} * ({lines} - 30);
              return Math.min(...all) <= near + 30 && Math.max(...all) >= near - 30 && !document.querySelector('#lines .line.yet');
            }})()""")
            for number, text in self.js("[...document.querySelectorAll('#lines .line')].map((line) => [Number(line.dataset.n), line.querySelector('code').textContent.slice(0, 8)])"):
                self.assertEqual(int(text), number)
        self.assertEqual(self.js("Math.max(...[...document.querySelectorAll('#lines .line')].map((line) => Number(line.dataset.n)))"), lines)
        after = self.browser.do("memory")
        print(f"{MEGABYTES} MB of log: heap {before['heap'] >> 10} -> {after['heap'] >> 10} kB, nodes {before['nodes']} -> {after['nodes']}, server {rss} -> {self.rss()} kB", flush=True)
        self.assertLess(after["heap"] - before["heap"], 24 << 20)
        self.assertLess(after["nodes"], 60_000)
        self.assertLess(self.rss() - rss, (64 << 10) + KEPT)
        # A line in the middle is a click away, by its number.
        self.go(self.run_address(run) + f"?step=talk#L{lines // 2}")
        self.until(f"(document.querySelector('.line.here code') || {{textContent: ''}}).textContent.startsWith('{lines // 2:07d}')")
        self.press("/")
        self.browser.do("type", text=f"{lines - 1:07d}")
        self.press("Enter")
        self.until("document.querySelector('#hits').textContent === '1 of 1 line'", seconds=120)

    def rss(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as handle:
            return next(int(line.split()[1]) for line in handle if line.startswith("VmRSS"))


class KilledServer(Console):
    def test_no_line_is_lost_or_there_twice(self):
        self.serve()
        script = "i=0; while [ ! -e /work/stop ] && [ $i -lt 6000 ]; do i=$((i+1)); echo \"n $i\"; sleep 0.02; done"
        self.start("pack", "run", "--bundle", self.pack("long", [self.step("go", script), self.step("end", "true")]))
        run = self.wait_for_step("go")
        self.visit(self.run_address(run) + "?step=go")
        self.until("document.querySelector('#follow').getAttribute('aria-pressed') === 'true'")
        for _ in range(2):
            seen = self.js("Number(document.querySelector('#lines').lastElementChild.textContent.match(/n (\\d+)$/)?.[1] || 0)")
            self.until(f"[...document.querySelectorAll('#lines .line code')].some((code) => Number(code.textContent.slice(2)) > {seen + 20})")
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
            self.until("document.querySelector('#link').textContent === 'Server gone, reconnecting…'")
            self.assertEqual(self.js("document.querySelector('#link').dataset.state"), "gone")
            self.serve()
            self.until("document.querySelector('#link').dataset.state === 'live' || document.querySelector('#link').dataset.state === 'ended'")
        self.tell(run, "stop")
        self.until("document.querySelector('#state').dataset.state === 'succeeded'", seconds=60)
        printed = self.stella("pack", "runs", "logs", run, "--step", "go", "--raw").out.splitlines()
        self.assertGreater(len(printed), 40)
        self.until(f"document.querySelector('#lines').scrollHeight >= {20 * len(printed)}")
        seen = {}
        for first in range(1, len(printed) + 1, 15):
            self.scroll_to(first)
            rows = self.js("[...document.querySelectorAll('#lines .line')].map((line) => [Number(line.dataset.n), line.querySelector('code').textContent])")
            self.assertEqual(len({number for number, _ in rows}), len(rows))
            seen.update(rows)
        self.assertEqual(seen, dict(enumerate(printed, 1)))


if __name__ == "__main__":
    main()
