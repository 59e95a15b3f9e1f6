#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/generate_man.py: a man page for each command, made from the help, that groff formats without a warning."""
import os
import subprocess
import sys
import unittest

from harness import SOURCE, STELLA, SealedSite, main

GENERATOR = os.path.join(SOURCE, "docs", "generate_man.py")


class Man(SealedSite):
    def setUp(self):
        super().setUp()
        subprocess.run([sys.executable, "-B", GENERATOR, STELLA, self.path("man")], check=True, stdout=subprocess.DEVNULL)

    def formatted(self, name):
        try:
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-cbou", self.path("man", name)], capture_output=True, check=False)
        except FileNotFoundError:
            raise unittest.SkipTest("groff is not here") from None
        self.assertEqual((done.returncode, done.stderr), (0, b""), name)
        return done.stdout.decode()

    def test_each_command_has_a_page_that_formats_without_a_warning(self):
        pages = {name[:-3].replace("-", " ") for name in os.listdir(os.path.join(SOURCE, "docs", "commands")) if name != "README.md"}
        self.assertEqual({name[:-2].replace("-", " ") for name in os.listdir(self.path("man"))}, {"stella"} | {"stella " + page for page in pages})
        for name in os.listdir(self.path("man")):
            with self.subTest(page=name):
                self.assertIn("EXIT STATUS", self.formatted(name))

    def test_a_page_holds_what_the_help_says(self):
        text = self.formatted("stella-pack-runs-prune.1")
        for part in ("--older-than DURATION", "--dry-run", "--unexported", "stella pack runs prune --older-than 30d --dry-run"):
            self.assertIn(part, text)
        self.assertIn("runs signed Task Packs behind an air gap", self.formatted("stella.1"))


if __name__ == "__main__":
    main()
