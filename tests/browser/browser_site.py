# SPDX-License-Identifier: Apache-2.0
"""A site with `stella serve` and a browser that looks at it. Each test ends with the question whether any page asked
for something outside the origin, broke its Content-Security-Policy or threw an error."""
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
import picture  # noqa: E402
from approval_site import ApprovalSite  # noqa: E402
from run_site import RunTest  # noqa: E402

PLACE = os.path.join(os.environ.get("STELLA_SOURCE", os.path.join(HERE, "..", "..")), "build", "browser")
PICTURES = os.environ.get("STELLA_PICTURES", "")  # a folder: the pictures of the docs are made there
SKIP = 77


def missing():
    """What is not there, or nothing."""
    for program in ("node", "chromium"):
        if shutil.which(program) is None:
            return program
    return None if os.path.isdir(os.path.join(PLACE, "node_modules")) else f"{PLACE}/node_modules (./dev test installs it)"


class Browser:
    def __init__(self, folder):
        env = dict(os.environ, STELLA_BROWSER=PLACE, STELLA_BROWSER_PROFILE=os.path.join(folder, "profile"), HOME=folder)
        self.process = subprocess.Popen(["node", os.path.join(HERE, "bridge.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True)
        self.answers = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.answers.put(line)

    def do(self, order, **more):
        self.process.stdin.write(json.dumps({"do": order, **more}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.answers.get(timeout=120))
        if "error" in answer:
            raise AssertionError(f"{order} {more}: {answer['error']}")
        return answer["value"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Console(RunTest):
    """self.serve() starts the server, self.visit() signs in; self.js() asks the page something."""
    scopes = "packs.read,packs.run,packs.approve"

    def setUp(self):
        super().setUp()
        self.browser = Browser(self.root)
        self.addCleanup(self.browser.close)
        self.server, self.port = None, 0

    def serve(self):
        log = open(self.path("serve.log"), "ab")  # noqa: SIM115: closed by _reap's owner
        self.addCleanup(log.close)
        self.server = subprocess.Popen([os.environ["STELLA"], "serve", "--listen", f"127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment(), cwd=self.root, start_new_session=True)
        self.addCleanup(self._reap, self.server)
        for line in self.server.stdout:
            found = re.search(rb"127\.0\.0\.1:(\d+)", line)
            if found:
                self.port = int(found.group(1))
                break
        else:
            self.fail("the server did not start")
        threading.Thread(target=lambda out: [log.write(line) for line in out], args=(self.server.stdout,), daemon=True).start()
        self.origin = f"http://127.0.0.1:{self.port}"

    def token(self, tenant="plant-7", scopes=None):
        made = self.stella("--output", "json", "token", "new", "--tenant", tenant, "--scopes", scopes or self.scopes).json
        return made["token"]

    def visit(self, address="/console/packs/runs", width=1280, height=900, script=True, scopes=None):
        """Opens a page of its own and signs in on the way."""
        self.browser.do("open", origin=self.origin, width=width, height=height, script=script)
        self.go(address)
        if self.js("document.querySelector('#token') !== null"):
            self.browser.do("click", selector="#token")
            self.browser.do("type", text=self.token(scopes=scopes))
            self.browser.do("clickAndGo", selector="form[action='/console/login'] button")
        if self.js("location.pathname + location.search") != address:
            self.go(address)

    def go(self, address):
        return self.browser.do("go", address=address)

    def js(self, text):
        return self.browser.do("evaluate", text=text)

    def press(self, *keys):
        for key in keys:
            self.browser.do("press", key=key)

    def until(self, text, seconds=30):
        """Waits for something to be true on the page."""
        end = time.time() + seconds
        while time.time() < end:
            try:
                value = self.js(text)
            except AssertionError as error:  # the page gave way to the next one while it was asked
                if "context was destroyed" not in str(error):
                    raise
                value = None
            if value:
                return value
            time.sleep(0.05)
        return self.fail(f"never on the page: {text}\n{self.js('document.body.innerText')[:3000]}")

    def scroll_to(self, first):
        """Brings a line near the top of the log (unless the end comes before) and waits until all that is seen is there."""
        self.js(f"""new Promise((done) => {{
          document.querySelector('#lines').scrollTop = {20 * (first - 1)};
          requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)));
        }})""")
        self.until(f"""(() => {{
          const box = document.querySelector('#lines'), all = [...box.querySelectorAll('.line')];
          const wanted = 1 + Math.floor(box.scrollTop / 20);
          return all.some((line) => Number(line.dataset.n) === wanted) && !box.querySelector('.line.yet');
        }})()""")

    def text(self, selector):
        return self.js(f"(document.querySelector({json.dumps(selector)}) || {{textContent: ''}}).textContent")

    def run_address(self, run):
        return "/console/packs/runs/" + run.replace(":", "%3A")

    def tell(self, run, name):
        """A step of the run waits for this file in its workspace."""
        with open(os.path.join(self.show(run)["folder"], "work", name), "w", encoding="ascii"):
            pass

    def picture(self, name):
        """For the docs, when they are asked for; to look at when a test fails, always."""
        path = os.path.join(PICTURES or self.root, name + ".png")
        self.browser.do("picture", path=path)
        if PICTURES:
            picture.shrink(path)
        self.assertGreater(os.path.getsize(path), 5000)

    def assert_accessible(self):
        found = [one for one in self.browser.do("axe") if one["impact"] in ("serious", "critical")]
        self.assertEqual(found, [], json.dumps(found, indent=1))

    def assert_clean(self):
        report = self.browser.do("report")
        self.assertEqual(report, {"outside": [], "csp": [], "errors": []})

    def tearDown(self):
        if self.browser.process.poll() is None:
            self.assert_clean()
        super().tearDown()


class GatedConsole(Console, ApprovalSite):
    """With the run that waits for two people, and their desks."""

    def setUp(self):
        ApprovalSite.setUp(self)
        self.browser = Browser(self.root)
        self.addCleanup(self.browser.close)
        self.server, self.port = None, 0


def main():
    import harness  # noqa: PLC0415: after the path was set
    lacking = missing()
    if lacking:
        print(f"skipped: {lacking} is missing")
        sys.exit(SKIP)
    harness.main()
