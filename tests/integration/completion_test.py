#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""stella completion: the scripts complete what the table of commands has, in the shells themselves."""
import os
import shutil
import subprocess
import unittest

from harness import SealedSite, main


class Completion(SealedSite):
    def script(self, shell):
        return self.write(f"completion.{shell}", self.stella("completion", shell).out)

    def shell(self, *args):
        done = subprocess.run(args, cwd=self.root, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout.split()

    def bash(self, *words):
        """What bash offers after these words, the last of which is being typed."""
        line = " ".join(f"'{word}'" for word in words)
        return self.shell("bash", "-euc", f'source "$0"; COMP_WORDS=(stella {line}); COMP_CWORD={len(words)}; _stella; printf "%s\\n" "${{COMPREPLY[@]}}"', self.script("bash"))

    def test_bash_offers_verbs_options_and_files(self):
        self.assertIn("pack", self.bash(""))
        self.assertEqual(self.bash("pack", "runs", "es"), ["escalate"])
        self.assertEqual(self.bash("--home", "/tmp/x", "pack", "runs", "pru"), ["prune"])
        self.assertEqual(self.bash("pack", "runs", "prune", "--older-than", "30d", "--dr"), ["--dry-run"])
        self.assertEqual(self.bash("--output", "nd"), ["ndjson"])
        self.assertEqual(self.bash("completion", "z"), ["zsh"])
        self.assertIn("--passphrase-file", self.bash("vault", "put", "NAME", "--"))
        self.write("inputs.json", "{}")
        self.assertEqual(self.bash("pack", "plan", "--inputs", "inp"), ["inputs.json"])
        os.mkdir(self.path("some-folder"))
        self.assertEqual(self.bash("pack", "validate", "--dir", "some"), ["some-folder"])

    def test_every_verb_of_the_help_is_offered(self):
        for path in ((), ("pack",), ("pack", "runs"), ("vault",), ("site",)):
            listed = self.stella(*path, "--help").out.split("Subcommands:")[1].split("Example:")[0].split("\n\n")[0]
            names = sorted({line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "})
            self.assertEqual(sorted(word for word in self.bash(*path, "") if word in names), names)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not here")
    def test_zsh_reads_the_script(self):
        self.shell("zsh", "-fn", self.script("zsh"))
        place = self.shell("zsh", "-fc", 'compdef() { :; }; source "$0"; _stella_place --home x pack runs prune --older-than; echo "$PATH" > /dev/null; _stella_words "pack mirror"', self.script("zsh"))
        self.assertEqual(" ".join(place[:3]), "pack runs prune,--older-than")
        self.assertIn("pull", place)

    @unittest.skipUnless(shutil.which("fish"), "fish is not here")
    def test_fish_offers_verbs_and_options(self):
        script = self.script("fish")
        self.shell("fish", "--no-execute", script)
        self.assertIn("escalate", self.shell("fish", "--no-config", "-c", f"source {script}; complete -C 'stella pack runs es'"))
        self.assertIn("--dry-run", self.shell("fish", "--no-config", "-c", f"source {script}; complete -C 'stella pack runs prune --dr'"))

    def test_another_shell_is_refused(self):
        self.assertEqual(self.refused("ERR_USAGE", "completion", "tcsh", reason="shell")["exit"], 2)


if __name__ == "__main__":
    main()
