# SPDX-License-Identifier: Apache-2.0
"""The unit of the package under a real systemd: process 1 of namespaces of this test, with an /etc, /run, /opt and /var/lib
of its own. Needs root and a hierarchy of control groups that systemd can have."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from harness import SOURCE, STELLA, main

SYSTEMD = "/lib/systemd/systemd"
HIERARCHIES = ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup")

INSIDE = r"""
set -e
mount --make-rprivate /
mount -t proc proc /proc
cp -a /etc "$1/etc"; rm -rf "$1"/etc/systemd/system/*.wants "$1/etc/stella"; mount --bind "$1/etc" /etc
if [ -d /sys/fs/cgroup/systemd ]; then
  mount -t tmpfs tmpfs /sys/fs/cgroup; mkdir /sys/fs/cgroup/systemd /sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
else
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=755 tmpfs /var/lib; mount -t tmpfs -o mode=755 tmpfs /opt
mkdir -p /run/systemd/system /run/trial /run/lock
mount --bind "$1/out" /run/trial; touch /run/trial/console; mount --bind /run/trial/console /dev/console
install -m 755 "$2" /opt/stella
systemd-sysusers "$3/packaging/sysusers.conf"
install -D -m 644 "$3/packaging/service.json" /etc/stella/service.json
echo 'ana:x:4100002:4100002::/nonexistent:/usr/sbin/nologin' >> /etc/passwd
sed -i 's/^stella-operators:.*$/&,ana/' /etc/group
sed -e 's|/usr/bin/stella|/opt/stella|; s|^ConditionPathExists.*|&\nDefaultDependencies=no|' "$3/packaging/stella.service" > /run/systemd/system/stella.service
printf '[Unit]\nDefaultDependencies=no\nAfter=stella.service\nWants=stella.service\n[Service]\nType=oneshot\nExecStart=%s -B %s inside\nEnvironment=STELLA=/opt/stella STELLA_SOURCE=%s\nStandardError=append:/run/trial/err\n' "$4" "$5" "$3" > /run/systemd/system/trial.service
printf '[Unit]\nDefaultDependencies=no\nWants=trial.service\n' > /run/systemd/system/trial.target
export container=trial
exec /lib/systemd/systemd --system --unit=trial.target --log-target=console --show-status=0
"""


class Trial:
    """What happens beside the service: the administrator, Ana and nobody in particular."""

    def __init__(self):
        self.place = "/run/trial/w"
        os.makedirs(self.place)
        os.chmod(self.place, 0o777)
        self.told = []

    def by(self, user, *args):
        command = ["/opt/stella", *args] if user == "root" else ["runuser", "-u", user, "--", "/opt/stella", *args]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=self.place,
                              env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/nonexistent"})
        self.told.append({"user": user, "command": " ".join(args), "exit": done.returncode, "said": done.stdout})
        return done

    def public(self, name):
        with open(f"{self.place}/{name}.pub", encoding="ascii") as handle:
            return "".join(line for line in handle.read().split("\n") if not line.startswith("-"))

    def pack(self, version, script):
        os.makedirs(f"{self.place}/pack", exist_ok=True)
        with open(f"{self.place}/pack/pack.yaml", "w", encoding="ascii") as handle:
            json.dump({"apiVersion": "stellaops.io/pack.v1", "kind": "TaskPack", "metadata": {"name": "job", "version": version},
                       "spec": {"steps": [{"id": "a", "run": {"script": script}}]}}, handle)
        self.by("root", "pack", "build", "pack", "--key", "publisher.key", "--out", f"job-{version}.pack")
        os.chmod(f"{self.place}/job-{version}.pack", 0o644)

    def play(self):
        for name in ("admin", "publisher"):
            self.by("root", "key", "new", "--out", f"{name}.key", "--name", name, "--no-passphrase")
        self.by("stella", "site", "identity", "--id", "apl", "--out", "apl.pub")
        policy = {"schema": "stella.site.v1", "site": "plant-7", "version": 1, "mode": "sealed", "homes": "service",
                  "admins": {"threshold": 1, "keys": [self.public("admin.key")]}, "appliances": [{"id": "apl", "key": self.public("apl")}],
                  "publishers": [{"name": "OT", "key": self.public("publisher.key")}],
                  "tenants": [{"name": "plant-7", "packs": ["*"], "operators": [{"name": "Ana Ortiz", "user": "ana"}]}],
                  "network": {"dns": "block", "allow": []}, "approvals": {"allowRequesterToApprove": True}}
        with open(f"{self.place}/policy.json", "w", encoding="ascii") as handle:
            json.dump(policy, handle)
        self.by("root", "site", "sign", "policy.json", "--key", "admin.key", "--out", "policy.dsse.json")
        self.by("stella", "site", "apply", "policy.dsse.json", "--trust", "admin.key.pub")
        self.by("ana", "doctor")
        self.pack("1.0.0", "id -u; python3 -c 'print(6 * 7)'; cp /bin/true /work/x && /work/x && echo kept > /artifacts/x")
        self.by("ana", "pack", "run", "--bundle", "job-1.0.0.pack")
        self.pack("1.0.1", "sleep 300")
        self.by("ana", "pack", "run", "--detach", "--bundle", "job-1.0.1.pack")
        self.by("nobody", "pack", "runs", "list")
        subprocess.run(["systemctl", "restart", "stella.service"], check=False)
        for _ in range(100):
            if os.path.exists("/run/stella/service.socket"):
                break
            time.sleep(0.1)
        self.by("ana", "--output", "json", "pack", "runs", "list")
        with open("/run/trial/told.new", "w", encoding="utf-8") as handle:
            json.dump(self.told, handle)
        os.rename("/run/trial/told.new", "/run/trial/told")


class Unit(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="stella-unit-")
        self.addCleanup(shutil.rmtree, self.root, True)
        os.makedirs(self.root + "/out")
        os.chmod(self.root, 0o755)
        os.chmod(self.root + "/out", 0o777)
        self.groups = []
        for place in HIERARCHIES:
            if os.path.exists(place + "/cgroup.procs"):
                self.groups.append(f"{place}/stella-unit-{os.getpid()}")
                os.mkdir(self.groups[-1])

    def text_of(self, name):
        if not os.path.exists(os.path.join(self.root, name)):
            return ""
        with open(os.path.join(self.root, name), encoding="utf-8", errors="replace") as handle:
            return handle.read()

    def enter_groups(self):
        for group in self.groups:
            with open(group + "/cgroup.procs", "w", encoding="ascii") as handle:
                handle.write("0")

    def told(self):
        command = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--ipc", "--kill-child", "sh", "-c", INSIDE, "sh", self.root, STELLA,
                   os.path.abspath(SOURCE), sys.executable, os.path.abspath(__file__)]
        with open(self.root + "/log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=self.enter_groups, start_new_session=True)
        try:
            until = time.time() + 240
            while time.time() < until and process.poll() is None and not os.path.exists(self.root + "/out/told"):
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait()
            self.leave_groups()
        if not os.path.exists(self.root + "/out/told"):
            self.fail("\n".join(f"{name}:\n{self.text_of(name)}" for name in ("log", "out/console", "out/err")))
        with open(self.root + "/out/told", encoding="utf-8") as handle:
            return json.load(handle)

    def leave_groups(self):
        for group in self.groups:
            for folder, _, _ in sorted(os.walk(group), reverse=True):
                for _ in range(100):
                    try:
                        os.rmdir(folder)
                        break
                    except OSError:
                        time.sleep(0.05)

    def test_a_pack_runs_under_the_hardened_unit(self):
        told = self.told()
        by_command = {(one["user"], one["command"]): one for one in told}
        for one in told:
            if one["user"] in ("root", "stella"):
                self.assertEqual(one["exit"], 0, one)
        self.assertIn("ok       sandbox", by_command["ana", "doctor"]["said"])
        done = by_command["ana", "pack run --bundle job-1.0.0.pack"]
        self.assertEqual(done["exit"], 0, done["said"])
        self.assertIn("42", done["said"])
        self.assertEqual(by_command["ana", "pack run --detach --bundle job-1.0.1.pack"]["exit"], 0)
        self.assertEqual(by_command["nobody", "pack runs list"]["exit"], 3)
        runs = json.loads(told[-1]["said"])["runs"]
        self.assertEqual([run["state"] for run in runs], ["paused", "succeeded"])


def skip(what):
    print(f"skipped: needs {what}", file=sys.stderr)
    sys.exit(77)


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        Trial().play()
        sys.exit(0)
    if os.geteuid() != 0:
        skip("root, to be process 1 of namespaces")
    if not os.path.exists(SYSTEMD) or shutil.which("runuser") is None:
        skip("systemd")
    if not any(os.access(place + "/cgroup.procs", os.W_OK) for place in HIERARCHIES):
        skip("a writable hierarchy of control groups")
    main()
