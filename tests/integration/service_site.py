# SPDX-License-Identifier: Apache-2.0
"""A machine whose stella is a service, with operators of two tenants: real users, in an /etc of this test's own.

Needs root: enter() starts the test again in a mount namespace, or ends it with 77 and says what is missing.
"""
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

from harness import STELLA, Result, SealedSite
from run_site import RunTest

SERVICE, GROUP = "stella-svc", "stella-ops"
USERS = {SERVICE: 4100001, "ana": 4100002, "bo": 4100003, "eve": 4100004, "far": 4100005}
GROUP_ID = 4100010
INSIDE = "STELLA_TEST_OWN_ETC"


def skip(what):
    print(f"skipped: needs {what}", file=sys.stderr)
    sys.exit(77)


def enter():
    """Starts this script again where /etc can be changed without anybody noticing."""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        skip("root, to be several users")
    if subprocess.run(["unshare", "--mount", "true"], check=False, stderr=subprocess.DEVNULL).returncode != 0:
        skip("mount namespaces")
    place = tempfile.mkdtemp(prefix="stella-etc-")
    try:
        script = 'cp -a /etc "$0/etc" && mount --bind "$0/etc" /etc && exec "$@"'
        status = subprocess.run(["unshare", "--mount", "sh", "-c", script, place, sys.executable, "-B", *sys.argv],
                                env={**os.environ, INSIDE: place}, check=False).returncode
    finally:
        shutil.rmtree(place, ignore_errors=True)
    sys.exit(status)


def make_users():
    os.makedirs("/etc/stella", exist_ok=True)
    with open("/etc/passwd", "r+", encoding="utf-8") as handle:
        if SERVICE in handle.read():
            return
        for name, uid in USERS.items():
            handle.write(f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin\n")
    with open("/etc/group", "a", encoding="utf-8") as handle:
        handle.write(f"{GROUP}:x:{GROUP_ID}:\n")


class ServiceSite(RunTest):
    """Ana operates plant-7, Bo plant-8; Eve may connect and is nobody's operator; far is not in the socket's group."""

    def setUp(self):
        make_users()
        SealedSite.setUp(self)
        os.chmod(self.root, 0o755)
        self.binary = self.path("bin", "stella")
        os.makedirs(os.path.dirname(self.binary))
        shutil.copy(STELLA, self.binary)
        os.chmod(self.binary, 0o755)
        self.give(self.home, SERVICE)
        run = self.path("run")
        os.makedirs(run)
        self.give(run, SERVICE, 0o755)
        self.socket = os.path.join(run, "service.socket")
        self.set_service_file({"schema": "stella.service.v1", "home": self.home, "socket": self.socket, "group": GROUP})
        self.addCleanup(lambda: os.path.exists("/etc/stella/service.json") and os.remove("/etc/stella/service.json"))
        for user in ("ana", "bo", "eve", "far"):
            folder = self.path("of-" + user)
            os.makedirs(folder)
            self.give(folder, user, 0o700)
        self.admin("site", "identity", "--id", "apl-test", "--out", self.path("run", "apl.pub"))
        self.apply_as_service(self.policy())
        self.log = self.path("service.log")
        self.service = self.start_service()

    def set_service_file(self, document):
        with open("/etc/stella/service.json", "w", encoding="utf-8") as handle:
            json.dump(document, handle)
        os.chmod("/etc/stella/service.json", 0o644)

    def give(self, path, user, mode=0o700):
        os.chown(path, USERS[user], USERS[user])
        os.chmod(path, mode)
        return path

    def policy(self, **changes):
        document = super().policy()
        document["homes"] = "service"
        document["tenants"][0]["operators"] = [{"name": "Ana Ortiz", "user": "ana"}]
        document["tenants"].append({"name": "plant-8", "packs": ["*"], "operators": [{"name": "Bo Lind", "user": "bo"}],
                                    "approvers": [self.approver("Nia Berg", "nia")]})
        document.update(changes)
        return document

    def identity(self, home=None, name="apl-test"):
        return self.public_line(self.path("run", "apl.pub"))

    def apply_as_service(self, document, expect=0):
        return self.admin("site", "apply", self.sign_policy(document), "--trust", self.key("admin") + ".pub", expect=expect)

    # who does what
    def options_of(self, user, env=None):
        uid = pwd.getpwnam(user).pw_uid
        groups = [GROUP_ID] if user != "far" else []
        environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "STELLA_CRASH_AT": ""}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        environment.update(env or {})
        return {"user": uid, "group": uid, "extra_groups": groups, "env": environment,
                "cwd": self.path("of-" + user) if user in ("ana", "bo", "eve", "far") else "/"}

    def by(self, user, *args, input=None, expect=0, env=None, pass_fds=()):
        """What this user types, in a folder of their own."""
        process = subprocess.run([self.binary, *map(str, args)], input=(input or "").encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 timeout=180, check=False, pass_fds=pass_fds, **self.options_of(user, env))
        result = Result(args, process.returncode, process.stdout.decode(errors="replace"), process.stderr.decode(errors="replace"))
        if expect is not None:
            self.assertEqual(result.status, expect, str(result))
        return result

    def admin(self, *args, expect=0):
        return self.by(SERVICE, *args, expect=expect)

    def json_by(self, user, *args, **kwargs):
        return self.by(user, "--output", "json", *args, **kwargs).json

    def refused_to(self, user, code, *args, reason=None, **kwargs):
        result = self.by(user, "--output", "json", *args, expect=None, **kwargs)
        self.assertNotEqual(result.status, 0, str(result))
        self.assertEqual(result.error["code"], code, str(result))
        self.assertEqual(result.error["exit"], result.status, str(result))
        if reason is not None:
            self.assertEqual(result.error["reason"], reason, str(result))
        return result.error

    def start_by(self, user, *args):
        process = subprocess.Popen([self.binary, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True, **self.options_of(user))
        self.addCleanup(self._reap, process)
        return process

    def start_service(self):
        with open(self.log, "ab") as log:
            process = subprocess.Popen([self.binary, "serve", "--socket"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                       start_new_session=True, **self.options_of(SERVICE))
        self.addCleanup(self._reap, process)
        line = process.stdout.readline()
        self.assertIn(b"serving operators at", line, self.read(self.log))
        return process

    # files of people
    def file_of(self, user, name, text, mode=0o600):
        path = self.write(os.path.join("of-" + user, name), text)
        return self.give(path, user, mode)

    def pack_of(self, user, name, steps, **spec):
        """A signed pack that only this user can read."""
        bundle = self.pack(name, steps, **spec)
        place = self.path("of-" + user, os.path.basename(bundle))
        shutil.copy(bundle, place)
        return self.give(place, user, 0o600)

    def show_by(self, user, run):
        return self.json_by(user, "pack", "runs", "show", run)

    def wait_for_state(self, user, run, *states):
        self.wait_for(lambda: self.show_by(user, run)["state"] in states, 60)
        return self.show_by(user, run)

    def running_step(self, user, step):
        def started():
            runs = self.json_by(user, "pack", "runs", "list")["runs"]
            if runs and runs[0]["state"] == "running" and f"pack.step.started {step}" in self.types(runs[0]["runId"]):
                return runs[0]["runId"]
            return None
        return self.wait_for(started, 60)

    def let_go(self, run):
        folder = os.path.join(self.home, "runs", run.replace(":", "_"))
        with open(os.path.join(folder, "work", "go"), "w", encoding="utf-8"):
            pass
