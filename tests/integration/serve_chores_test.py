#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `stella serve` does beside serving in a person's own home, and which signals end it."""
import os
import signal

from harness import main
from serve_site import ServeSite


class Chores(ServeSite):
    def assert_serves(self):
        self.assertEqual(self.ask("/healthz")[0], 200)

    def held(self, lock):
        """Whether the kernel knows a holder of the lock."""
        if not os.path.isfile(lock):
            return False
        inode = str(os.stat(lock).st_ino)
        with open("/proc/locks", encoding="ascii") as handle:
            return any(row[1] == "FLOCK" and row[5].split(":")[2] == inode for row in map(str.split, handle))

    def test_a_lock_that_cannot_be_opened_ends_no_server(self):
        lock = os.path.join(self.home, "chores.lock")
        os.mkdir(lock)
        self.serve()
        self.assert_serves()
        os.rmdir(lock)
        self.wait_for(lambda: self.held(lock))
        self.assert_serves()
        self.assertEqual(self.stop(), 0)

    def test_nohup_keeps_a_server_when_its_terminal_goes(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does; it is handed on to what is started
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        self.serve()
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as handle:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in handle if ":\t" in line)
        mask = 1 << (signal.SIGHUP - 1)
        self.assertTrue(int(status["SigIgn"], 16) & mask)
        self.assertFalse(int(status["SigBlk"], 16) & mask)  # a blocked one would be read by the server, and end it
        self.server.send_signal(signal.SIGHUP)
        self.assert_serves()
        self.assertEqual(self.stop(), 0)

    def test_a_signal_that_is_not_ignored_ends_it(self):
        for number in (signal.SIGHUP, signal.SIGTERM):
            before = signal.signal(number, signal.SIG_DFL)
            self.addCleanup(signal.signal, number, before)
            self.serve()
            self.assertEqual(self.stop(number), 0)


if __name__ == "__main__":
    main()
