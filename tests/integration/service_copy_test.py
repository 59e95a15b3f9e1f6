# SPDX-License-Identifier: Apache-2.0
"""Copies that an operator's command line makes for a service can be ended."""
import os
import signal

import service_site
from harness import main
from service_site import ServiceSite


class Copies(ServiceSite):
    def half_copied(self, run, out):
        """A copy that is stopped while it is at work; nothing when it was too quick for that."""
        process = self.start_by("ana", "pack", "runs", "export", "--run", run, "--out", out)
        place = self.path("of-ana", out, "STELLA-EVIDENCE")

        def size():
            return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(place) for name in names)
        while process.poll() is None and size() == 0:
            pass
        process.send_signal(signal.SIGSTOP)
        self.wait_for(lambda: process.poll() is not None or self.process_state(process.pid) == "T" or None)
        if process.poll() is None and size() < 50_000_000:
            return process
        process.send_signal(signal.SIGCONT)
        process.wait(timeout=60)
        return None

    def process_state(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as handle:
            return handle.read().rpartition(")")[2].split()[0]

    def test_ctrl_c_ends_a_copy_and_leaves_no_part(self):
        script = "head -c 80000000 /dev/urandom | base64"
        run = self.json_by("ana", "pack", "run", "--bundle", self.pack_of("ana", "job", [self.step("talk", script)]))["runId"]
        for out in map("bags-{}".format, range(30)):
            if process := self.half_copied(run, out):
                break
        else:
            self.fail("no copy could be stopped on its way")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGCONT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT, process.stderr.read())
        self.assertEqual(os.listdir(self.path("of-ana", out, "STELLA-EVIDENCE")), [])
        self.by("ana", "pack", "runs", "export", "--run", run, "--out", out)


if __name__ == "__main__":
    service_site.enter()
    main()
