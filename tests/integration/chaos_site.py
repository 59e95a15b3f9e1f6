# SPDX-License-Identifier: Apache-2.0
"""A site that allows chaos hooks, a server that steps may reach, and runners in the background to disturb."""
import datetime
import json
import socket
import subprocess
import threading

from harness import STELLA
from run_site import RunTest

CLIENT = r'''
import errno, os, socket, sys, time
def once(port):
    try:
        s = socket.create_connection(("historian.example", port), 5)
        s.sendall(b"ping"); answer = s.recv(9); s.close()
        return "pong" if answer == b"pong" else "reset"
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")
def held(s):
    try:
        s.sendall(b"ping"); return "pong" if s.recv(9) == b"pong" else "closed"
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")
port, seen = int(sys.argv[1]), []
line = socket.create_connection(("historian.example", port), 5)
print("first", held(line), flush=True)
open("/work/connected", "w").close()
while held(line) == "pong": time.sleep(0.02)
print("cut", held(line), flush=True)
print("new", once(port), flush=True)
while once(port) != "pong": time.sleep(0.05)
print("back", once(port), flush=True)
'''


def seconds(at):
    return datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp()


class Server:
    """Answers each four bytes with `pong`, on a loopback address."""
    def __init__(self, address):
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            while connection.recv(4):
                connection.sendall(b"pong")
        except OSError:
            pass
        connection.close()

    def close(self):
        self.listener.close()


class ChaosTest(RunTest):
    def policy(self, **changes):
        return super().policy(**{"chaos": {"allow": True}, **changes})

    def inject(self, run, hook, *more, expect=0):
        return self.stella("--output", "json", "chaos", "inject", "--run", run, "--hook", hook, *more, expect=expect)

    def hooks(self, run):
        return [(one["hook"], one["state"]) for one in self.show(run)["chaos"]]

    def start_run(self, bundle, *more, verb=("pack", "run", "--bundle")):
        """A runner in the background; what it says goes to files."""
        with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
            process = subprocess.Popen([STELLA, "--output", "ndjson", *verb, bundle, *more], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env=self.environment(), cwd=self.root, start_new_session=True)
        self.addCleanup(self._reap, process)
        return process

    def inject_and_wait(self, run, hook, *more):
        """Injects and waits until the runner has heard of it."""
        made = self.inject(run, hook, *more).json
        self.wait_for(lambda: b"pack.chaos.injected" in self.read(self.path("out")))
        return made

    def until_left(self, process):
        """The exit status and the error of a run that was started in the background."""
        process.wait(timeout=120)
        last = (self.read(self.path("err"), "r").strip().splitlines() or [""])[-1]
        return process.returncode, json.loads(last)["error"] if last.startswith('{"error"') else None
