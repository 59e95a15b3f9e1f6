#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a person sees while a pack runs: on a terminal a block that is redrawn in place, elsewhere plain lines."""
import os
import re
import signal

from harness import STELLA, main
from run_site import RunTest
from terminal import Terminal

SPINNER = "[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]"


class LiveProgress(RunTest):
    def open(self, *args, rows=24, columns=100, **extra):
        env = self.environment(extra={"TERM": "xterm", **extra})
        terminal = Terminal([STELLA, *args], env, self.root, rows, columns)
        self.addCleanup(terminal.close)
        return terminal

    def slow_pack(self, script="echo first; echo second; sleep 3; echo third"):
        return self.pack("job", [self.step("quick", "echo hello"), self.step("slow", script), self.step("last", "true")])

    def test_a_block_at_the_bottom_with_lines_scrolling_above(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack())
        text = terminal.until(lambda text: re.search(rf"{SPINNER} slow +[123] s +second", text))
        self.assertRegex(text, r"1/3 done")
        self.assertIn("quick | hello", text)
        self.assertLess(text.index("slow | second"), text.index("1/3 done"))
        self.assertEqual(terminal.finish(), 0)
        text = terminal.screen.text
        self.assertNotRegex(text, SPINNER)
        self.assertNotIn("/3 done", text)
        for line in ("quick | hello", "slow | first", "slow | third", "✓ last", "✓ succeeded"):
            self.assertEqual(text.count(line), 1 if "|" in line else text.count(line), text)
            self.assertIn(line, text)
        self.assertGreater(terminal.screen.colours, 0)

    def test_a_chaos_hook_has_a_line_while_it_is_active(self):
        self.apply(self.policy(version=2, chaos={"allow": True}))
        bundle = self.pack("job", [self.step("slow", "until test -e /work/go; do sleep 0.05; done")])
        terminal = self.open("pack", "run", "--bundle", bundle)
        terminal.until(lambda text: re.search(rf"{SPINNER} slow", text))
        run = self.wait_for_step("slow")
        self.stella("chaos", "inject", "--run", run, "--hook", "drop-network", "--for", "4s", "--step", "slow")
        text = terminal.until(lambda text: "! chaos drop-network on slow" in text)
        self.assertRegex(text, r"! chaos drop-network on slow +\d+ s left\s+[\s\S]*slow")
        terminal.until(lambda text: "! chaos" not in text)
        self.write(os.path.join(os.path.relpath(os.path.join(self.show(run)["folder"], "work"), self.root), "go"), "")
        self.assertEqual(terminal.finish(), 0)

    def test_redraws_at_most_ten_times_a_second_and_only_what_changed(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack("seq 1 20000; sleep 1"))
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(terminal.screen.text.count("slow | 19999"), 1)
        redraws = terminal.bytes.count(b"/3 done")
        self.assertLess(redraws, 400)  # not one a line

    def test_narrow_and_resized_terminals_never_wrap_the_block(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack("echo " + "x" * 300 + "; sleep 4"), columns=30)
        terminal.until(lambda text: re.search(rf"^{SPINNER} \d s slow$", text, re.MULTILINE))
        self.assertRegex(terminal.screen.text, r"(?m)^1/3 \d+ s$")
        terminal.resize(24, 90)
        terminal.until(lambda text: re.search(rf"{SPINNER} slow .*x…$", text, re.MULTILINE))
        self.assertEqual(terminal.finish(), 0)
        self.assertNotRegex(terminal.screen.text, SPINNER)

    def test_a_fan_out_has_a_row_for_each_running_turn_on_40_columns_too(self):
        turns = {"id": "flash", "map": {"items": list(range(6)), "iterator": "n", "maxParallel": 3, "steps": [self.step("one", "sleep 2")]}}
        terminal = self.open("pack", "run", "--bundle", self.pack("job", [turns]), columns=40)
        text = terminal.until(lambda text: len(re.findall(rf"(?m)^{SPINNER} flash\[\d\]::one +\d+ s", text)) == 3)
        self.assertRegex(text, r"(?m)^0/6 done")
        terminal.resize(24, 72)
        terminal.until(lambda text: re.search(r"3/6 done +[\d.]+/\w+ +ETA \d+ [sm]", text))
        self.assertEqual(terminal.finish(), 0)
        self.assertNotRegex(terminal.screen.text, SPINNER)

    def test_turns_that_a_loop_did_not_need_leave_the_count(self):
        loop = {"id": "settle", "loop": {"range": [1, 9], "iterator": "n", "until": "steps.probe.state == 'succeeded'", "steps": [self.step("probe", "true")]}}
        terminal = self.open("pack", "run", "--bundle", self.pack("job", [loop, self.step("last", "sleep 3")]))
        terminal.until(lambda text: re.search(r"1/2 done", text))
        self.assertEqual(terminal.finish(), 0)

    def test_no_colour(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack(), NO_COLOR="1")
        terminal.until(lambda text: re.search(SPINNER + " slow", text))
        self.assertEqual(terminal.finish(), 0)
        self.assertEqual(terminal.screen.colours, 0)

    def test_a_dumb_terminal_and_quiet_get_no_block(self):
        for args, env in (((), {"TERM": "dumb"}), (("--quiet",), {})):
            terminal = self.open(*args, "pack", "run", "--bundle", self.slow_pack("echo said"), **env)
            self.assertEqual(terminal.finish(), 0)
            self.assertNotRegex(terminal.bytes.decode(), SPINNER)
            self.assertNotIn("\x1b[J", terminal.bytes.decode())
            self.assertEqual("slow | said" in terminal.screen.text, not args)

    def test_plain_lines_when_piped(self):
        result = self.stella("pack", "run", "--bundle", self.slow_pack("echo said"), env={"TERM": "xterm"})
        self.assertIn("slow | said\n", result.err)
        self.assertNotIn("\x1b", result.err + result.out)

    def test_ctrl_c_leaves_a_clean_terminal(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack("echo begun; sleep 300"))
        terminal.until(lambda text: re.search(SPINNER + " slow.*begun", text))
        os.write(terminal.master, b"\x03")
        self.assertEqual(terminal.finish(), 7)
        text = terminal.screen.text
        self.assertNotRegex(text, SPINNER)
        self.assertNotIn("/3 done", text)
        self.assertIn("waiting ERR_PACK_INTERRUPTED", text)
        self.assertNotIn("\x1b[?25l", terminal.bytes.decode())  # the cursor was never hidden

    def test_a_terminal_that_goes_away_pauses_the_run(self):
        terminal = self.open("pack", "run", "--bundle", self.slow_pack("echo begun; sleep 300"))
        terminal.until(lambda text: re.search(SPINNER + " slow", text))
        os.kill(terminal.process.pid, signal.SIGHUP)
        terminal.finish()
        self.assertEqual(self.show(self.last_run())["state"], "paused")


if __name__ == "__main__":
    main()
