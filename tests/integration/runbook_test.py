#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runbooks of packs: one template, one page for each example pack, headings that `pack validate` looks for."""
import os
import re

from harness import EXAMPLES, SOURCE, SealedSite, main

PAGES = os.path.join(SOURCE, "docs", "task-packs", "runbook")
HEADINGS = ("Purpose and scope", "Required inputs and secrets", "Approval stakeholders", "Pre-checks", "Post-checks", "Rollback", "Escalation")


class Runbooks(SealedSite):
    def validate(self, folder, *more, **kwargs):
        return self.stella("--output", "json", "pack", "validate", "--dir", folder, *more, **kwargs).json

    def test_each_example_pack_has_its_page_and_carries_the_same(self):
        names = sorted(os.listdir(EXAMPLES))
        self.assertEqual(sorted(os.listdir(PAGES)), ["TEMPLATE.md", *(name + ".md" for name in names)])
        for name in names:
            with self.subTest(pack=name):
                page = self.read(os.path.join(PAGES, name + ".md"), "r")
                self.assertEqual(page, self.read(os.path.join(EXAMPLES, name, "docs", "runbook.md"), "r"), "copy one over the other")
                found = re.findall(r"^## (.+)$", page, re.MULTILINE)
                self.assertEqual([heading for heading in found if heading in HEADINGS], list(HEADINGS))
                self.assertEqual(self.validate(os.path.join(EXAMPLES, name), "--strict")["warnings"], [])

    def test_init_writes_the_template(self):
        self.stella("pack", "init", self.path("my-pack"))
        template = self.read(os.path.join(PAGES, "TEMPLATE.md"), "r")
        written = self.read(self.path("my-pack", "docs", "runbook.md"), "r")
        self.assertEqual(written, template.replace("PACK_NAME:VERSION", "my-pack:0.1.0").replace("PACK_NAME", "my-pack"))
        self.assertEqual(self.validate(self.path("my-pack"), "--strict")["warnings"], [])

    def test_what_a_runbook_lacks_is_a_warning_and_with_strict_an_error(self):
        self.stella("pack", "init", self.path("my-pack"))
        page = self.path("my-pack", "docs", "runbook.md")
        text = self.read(page, "r")
        self.write(page, text.replace("## Rollback\n", "## Way back\n"))
        lines = text.count("\n")
        found = self.validate(self.path("my-pack"))
        self.assertEqual((found["valid"], [(row["at"], row["reason"]) for row in found["warnings"]]), (True, [(f"docs/runbook.md:{lines}", "runbook")]))
        self.assertIn(f"docs/runbook.md:{lines}: warning: the runbook has no heading `Rollback`", self.stella("pack", "validate", "--dir", self.path("my-pack")).out)
        error = self.refused("ERR_PACK_INVALID", "pack", "validate", "--dir", self.path("my-pack"), "--strict", reason="runbook")
        self.assertEqual((error["exit"], error["at"]), (2, f"docs/runbook.md:{lines}"))
        os.unlink(page)
        self.assertEqual(self.validate(self.path("my-pack"))["warnings"][0]["at"], "docs/runbook.md")
        self.refused("ERR_PACK_INVALID", "pack", "validate", "--dir", self.path("my-pack"), "--strict", reason="runbook")
        bundle = self.build(self.path("my-pack"))
        self.assertEqual(len(self.stella("--output", "json", "pack", "validate", "--bundle", bundle).json["warnings"]), 1)
        self.refused("ERR_PACK_INVALID", "pack", "validate", "--bundle", bundle, "--strict", reason="runbook")


if __name__ == "__main__":
    main()
