# SPDX-License-Identifier: Apache-2.0
"""The pictures of the docs, made from real runs: STELLA_PICTURES=docs/pictures puts them there."""
from browser_site import GatedConsole, main

READ = r"""i=0
while [ $i -lt 40 ]; do
  i=$((i + 1))
  case $i in
    *7|*4) printf '\033[1;32mok\033[0m    block %03d verified \033[36msha256:5b1c9f0e%02d\033[0m\n' $i $i ;;
    12) printf '\033[33mwarning\033[0m controller plc-3 answers slowly\n' >&2 ;;
    *) echo "read batch record $i of 40" ;;
  esac
done
"""


class Pictures(GatedConsole):
    def policy(self, **changes):
        document = super().policy(**changes)
        document["tenants"][0]["approvers"][0]["roles"] = ["safety"]
        return document

    def make_runs(self):
        tenant = ("--tenant", "plant-7", "pack", "run", "--bundle")
        ok = self.pack("nightly-inventory", [self.step("collect", READ), self.step("compare", "echo same"), self.step("report", "echo done")])
        bad = self.pack("sbom", [self.step("scan", "echo scanning"), self.step("upload", "echo no space >&2; exit 4"), self.step("sign", "true")], version="2.0.1")
        self.stella(*tenant, ok)
        self.stella(*tenant, bad, expect=1)
        self.stella(*tenant, ok)
        work = [self.step("write", "echo writing"), self.step("verify", "echo reading back")]
        flash = self.pack("firmware-rollout", [
            self.step("check", "echo ready"), self.step("read-plan", READ),
            {"id": "security", "gate.approval": {"approval": "review"}},
            {"id": "flash", "map": {"items": ["plc-1", "plc-2", "plc-3"], "iterator": "plc", "maxParallel": 2, "steps": work}},
            {"id": "after", "parallel": {"steps": [self.step("report", "echo report"), self.step("notify", "echo notify")]}}],
            approvals=[{"id": "review", "threshold": 2, "roles": {"safety": 1}, "expiresAfter": "PT12H", "message": "Flash the three controllers of cell 2 with image 4.7"}],
            version="1.4.0")
        self.stella(*tenant, flash, expect=7)
        return self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]

    def test_show_what_is_there(self):
        run = self.make_runs()
        self.take(self.sign(self.ask(run), "ben"))
        self.serve()
        self.visit(height=520)
        self.until("document.querySelectorAll('tr.run').length === 4")
        self.until("document.querySelector('#link').textContent === 'live'")
        self.picture("console-list")
        self.browser.do("size", width=1280, height=900)
        self.go(self.run_address(run) + "?step=read-plan")
        self.until("document.querySelector('.gate').innerText.includes('Ben Keller') && document.querySelectorAll('#lines .line').length > 8")
        self.until("document.querySelector('#link').textContent === 'live'")
        self.picture("console-gate")
        self.browser.do("colours", value="dark")
        self.press("d")
        self.until("document.querySelectorAll('#graph .box').length >= 14")
        self.browser.do("size", width=1280, height=1000)
        self.js("document.querySelector('.gate').scrollIntoView()")
        self.picture("console-run-dark")


if __name__ == "__main__":
    main()
