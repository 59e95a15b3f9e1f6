#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What every verb shares: help with an example, usage errors with the nearest spelling, exit statuses, explain."""
import os
import re
import subprocess

from harness import SOURCE, STELLA, SealedSite, main


class CommandLine(SealedSite):
    def verbs(self, path=()):
        """All verbs, found by walking --help."""
        text = self.stella(*path, "--help").out
        block = re.search(r"^Subcommands:\n((?:  .*\n?|\n)+)", text, re.MULTILINE)
        if not block:
            yield path, text
            return
        for line in block.group(1).splitlines():
            word = re.match(r"  ([a-z-]+)", line)
            if word:
                yield from self.verbs((*path, word.group(1)))

    def test_every_verb_has_help_with_an_example(self):
        verbs = list(self.verbs())
        self.assertGreater(len(verbs), 20)
        for path, text in verbs:
            self.assertIn("Example:", text, path)
            self.assertIn("stella " + " ".join(path), text, path)

    def test_unknown_words_are_usage_errors_with_the_nearest_spelling(self):
        self.assertIn("did you mean `explain`", self.refused("ERR_USAGE", "explian")["message"])
        self.assertIn("did you mean `--markdown`", self.refused("ERR_USAGE", "explain", "--markdwon")["message"])
        self.stella("--output", "xml", "version", expect=2)
        self.stella(expect=2)

    def test_explain_knows_every_code_and_guesses_misspelt_ones(self):
        codes = self.stella("--output", "json", "explain").json["codes"]
        for row in codes[:5]:
            self.assertIn(row["fix"], self.stella("explain", row["code"]).out)
        self.assertIn("ERR_PACK_INVALID", self.refused("ERR_USAGE", "explain", "ERR_PACK_INVALD")["message"])

    def test_the_errors_page_is_what_the_binary_says(self):
        page = self.read(os.path.join(SOURCE, "docs", "errors.md"), "r")
        self.assertEqual(page, self.stella("explain", "--markdown").out, "run: stella explain --markdown > docs/errors.md")

    def test_closed_standard_descriptors_are_no_trouble(self):
        status = subprocess.run(["sh", "-c", f"exec {STELLA} version <&- >&- 2>&-"], env=self.environment(), check=False).returncode
        self.assertEqual(status, 0)

    def test_a_reader_that_goes_away_is_no_error(self):
        done = subprocess.run(["bash", "-c", f"{STELLA} explain | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}"],
                              env=self.environment(), stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.stdout.strip(), b"0")

    def test_what_comes_later_is_refused_by_name(self):
        for verb in (["evidence", "repair"], ["vault", "serve"], ["--profile", "p", "version"]):
            self.assertIn("later version", self.refused("ERR_USAGE", *verb, reason="not-yet")["message"])

    def test_a_home_that_others_can_write_is_refused(self):
        home = self.make_home("open")
        os.chmod(home, 0o777)
        self.refused("ERR_HOME_UNSAFE", "site", "show", home=home)


if __name__ == "__main__":
    main()
