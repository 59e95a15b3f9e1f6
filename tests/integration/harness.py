# SPDX-License-Identifier: Apache-2.0
"""Drives the built binary as people do: homes, keys, a signed site policy, packs. Standard library only.

    class MyTest(SealedSite): ...   gives a site in one folder; self.stella(...) runs the binary and checks its status.
"""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

STELLA = os.environ["STELLA"]
SOURCE = os.environ.get("STELLA_SOURCE", os.path.join(os.path.dirname(__file__), "..", ".."))
EXAMPLES = os.path.join(SOURCE, "docs", "examples", "packs")
# How many times longer the binary under test takes: for spans of real time that a test cannot do without.
SLOWNESS = 1 if os.path.basename(os.environ.get("STELLA_BUILD", "release")) in ("release", "dev") else 5
EXIT_STATUSES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10}


class Result:
    def __init__(self, args, status, out, err):
        self.args, self.status, self.out, self.err = args, status, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The error object of --output json."""
        return json.loads(self.err.strip().splitlines()[-1])["error"]

    def __str__(self):
        return f"$ stella {' '.join(map(str, self.args))}\nexit {self.status}\n{self.out}\n{self.err}"


class SealedSite(unittest.TestCase):
    """A site in one temporary folder: admin, publisher, approvers ada and ben, an appliance home, all keys in clear."""
    maxDiff = None
    mode = "sealed"

    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="stella-test-")
        self.addCleanup(self._remove)
        self.home = self.make_home("appliance")

    def _remove(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.root], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.root, ignore_errors=True)

    # paths and files
    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as handle:
            handle.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def read(self, path, mode="rb"):
        with open(path, mode) as handle:
            return handle.read()

    def make_home(self, name):
        path = self.path("home-" + name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    # the binary
    def environment(self, home=None, extra=None):
        env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": self.root, "LC_ALL": "C.UTF-8", "STELLA_HOME": home or self.home}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(extra or {})
        return env

    def stella(self, *args, home=None, input=None, expect=0, env=None, cwd=None, timeout=180 * SLOWNESS):
        """Runs one command; `expect` is the exit status, or None for any of the contract's."""
        process = subprocess.run([STELLA, *map(str, args)], input=(input or "").encode() if not isinstance(input, bytes) else input,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(home, env),
                                 cwd=cwd or self.root, timeout=timeout, check=False)
        result = Result(args, process.returncode, process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace"))
        if expect is None:
            self.assertIn(result.status, EXIT_STATUSES, str(result))
        else:
            self.assertEqual(result.status, expect, str(result))
        return result

    def start(self, *args, home=None, env=None):
        """Starts a command in a session of its own and returns the Popen."""
        process = subprocess.Popen([STELLA, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment(home, env), cwd=self.root, start_new_session=True)
        self.addCleanup(self._reap, process)
        return process

    def _reap(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def wait_for(self, condition, seconds=60):
        """What the condition gives, once it gives something; looked at again and again."""
        until = time.monotonic() + seconds * SLOWNESS
        while time.monotonic() < until:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        self.fail("it did not happen in time")

    def refused(self, code, *args, reason=None, **kwargs):
        """The command ends with this code's error; returns the error object."""
        result = self.stella("--output", "json", *args, expect=None, **kwargs)
        self.assertNotEqual(result.status, 0, str(result))
        error = result.error
        self.assertEqual(error["code"], code, str(result))
        self.assertEqual(error["exit"], result.status, str(result))
        self.assertTrue(error["fix"], str(result))
        if reason is not None:
            self.assertEqual(error["reason"], reason, str(result))
        return error

    # keys and policy
    def key(self, name):
        """A key in clear; its file. The public half is FILE.pub."""
        path = self.path("keys", name + ".key")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self.stella("key", "new", "--out", path, "--name", name, "--no-passphrase")
        return path

    def public_line(self, path):
        """The base64 line that policies hold, from a PEM file."""
        return "".join(line for line in self.read(path, "r").strip().splitlines() if not line.startswith("-"))

    def public(self, name):
        return self.public_line(self.key(name) + ".pub")

    def identity(self, home=None, name="apl-test"):
        out = self.path(name + ".pub")
        if not os.path.exists(out):
            self.stella("site", "identity", "--id", name, "--out", out, home=home)
        return self.public_line(out)

    def policy(self, **changes):
        """The policy as a dict; give members to change them."""
        document = {
            "schema": "stella.site.v1", "site": "plant-7", "version": 1, "mode": self.mode, "homes": "any",
            "admins": {"threshold": 1, "keys": [self.public("admin")]},
            "appliances": [{"id": "apl-test", "key": self.identity()}],
            "publishers": [{"name": "OT Tools", "key": self.public("publisher")}],
            "tenants": [{"name": "plant-7", "packs": ["*"],
                         "operators": [{"name": "Ana Ortiz", "user": "root"}],
                         "approvers": [self.approver("Ada Obi", "ada"), self.approver("Ben Keller", "ben")]}],
            "network": {"dns": "block", "allow": []},
            "approvals": {"defaultExpiry": "PT24H", "allowRequesterToApprove": False, "onAppliance": True, "require": []},
        }
        document.update(changes)
        return document

    def approver(self, name, key, roles=()):
        return {"name": name, "keys": [{"key": self.public(key), "unprotected": True}], "scopes": ["packs.approve"], "roles": list(roles)}

    def sign_policy(self, document, key="admin", name=None):
        """Writes and signs a policy; the file of the envelope."""
        name = name or f"policy-{document['version']}"
        plain = self.write(f"{name}.json", json.dumps(document))
        signed = self.path(f"{name}.dsse.json")
        self.stella("site", "sign", plain, "--key", self.key(key), "--out", signed)
        return signed

    def apply(self, document=None, home=None, **kwargs):
        signed = self.sign_policy(document or self.policy())
        return self.stella("site", "apply", signed, "--trust", self.key("admin") + ".pub", home=home, **kwargs)

    # packs
    def pack_folder(self, name, steps, version="1.0.0", files=None, **spec):
        """A pack folder from python values; `files` is path -> text (executable when it begins with #!)."""
        folder = self.path("packs", f"{name}-{version}")
        document = {"apiVersion": "stellaops.io/pack.v1", "kind": "TaskPack", "metadata": {"name": name, "version": version},
                    "spec": {"steps": steps, **spec}}
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pack.yaml"), "w", encoding="utf-8") as handle:
            json.dump(document, handle, indent=1)  # JSON is YAML in flow style
        for path, text in (files or {}).items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as handle:
                handle.write(text)
            os.chmod(target, 0o755 if text.startswith("#!") else 0o644)
        return folder

    def build(self, folder, key="publisher", out=None):
        out = out or self.path(os.path.basename(folder) + ".pack")
        args = ["pack", "build", folder, "--out", out]
        if key:
            args += ["--key", self.key(key)]
        self.stella(*args)
        return out

    def pack(self, name, steps, key="publisher", **spec):
        return self.build(self.pack_folder(name, steps, **spec), key=key)

    # what must not change
    def home_state(self, home=None):
        """Every file of a home with what it holds, databases by their rows. Left out: locks, the mark of the latest time
        seen, and the mirror's record of what it refused, which is there to grow."""
        home, state = home or self.home, {}
        for folder, folders, names in os.walk(home):
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, home)
                if name.endswith(("-wal", "-shm", "lock")) or relative == "site/clock.json" or relative.startswith(("mirror/quarantine/", "mirror/receipts/")):
                    continue
                if os.path.islink(path) or not os.path.isfile(path):
                    state[relative] = "special"
                elif name.endswith(".db"):
                    state[relative] = self.rows(path)
                else:
                    state[relative] = self.read(path)
        return state

    def rows(self, path):
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return list(database.iterdump())
        finally:
            database.close()

    def refused_and_unchanged(self, code, exit_status, *args, reason=None, home=None, **kwargs):
        """Refused with this code and status, and the home is as it was."""
        before = self.home_state(home)
        error = self.refused(code, *args, reason=reason, home=home, **kwargs)
        self.assertEqual(error["exit"], exit_status, error)
        self.assert_unchanged(before, home, str(error))
        return error

    def assert_unchanged(self, before, home=None, why=""):
        after = self.home_state(home)
        self.assertEqual(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)), [], why)

    # runs
    def wait_for(self, condition, seconds=60):
        """What the condition gives, once that is true; looked at twenty times a second."""
        until = time.time() + seconds
        while time.time() < until:
            found = condition()
            if found:
                return found
            time.sleep(0.05)
        return self.fail("it did not happen in time")

    def events(self, run, home=None):
        """The journal of a run, read from the database."""
        database = sqlite3.connect(f"file:{home or self.home}/runs/journal.db?mode=ro", uri=True)
        try:
            return [json.loads(line) for (line,) in database.execute("SELECT line FROM events WHERE run = ? ORDER BY seq", (run,))]
        finally:
            database.close()


def main():
    unittest.main(verbosity=2)
