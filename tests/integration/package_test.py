# SPDX-License-Identifier: Apache-2.0
"""The Debian package: what is in it, its unit, installed into a scratch root and removed again."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.environ["STELLA_BUILD"]
SOURCE = os.environ["STELLA_SOURCE"]
UNIT = "lib/systemd/system/stella.service"
CONSOLE = "lib/systemd/system/stella-console.service"
LIMIT_BYTES = 10 * 1024 * 1024


def skip(what):
    print(f"skipped: needs {what}", file=sys.stderr)
    sys.exit(77)


def run(*command, expect=0, **kwargs):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kwargs)
    if done.returncode != expect:
        raise AssertionError(f"$ {' '.join(command)}\nexit {done.returncode}\n{done.stdout}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="stella-package-")
        cls.addClassCleanup(shutil.rmtree, cls.root, True)
        run("cpack", "-G", "DEB", "-B", cls.root, cwd=BUILD)
        [name] = [name for name in os.listdir(cls.root) if name.endswith(".deb")]
        cls.deb = os.path.join(cls.root, name)

    def field(self, name):
        return run("dpkg-deb", "--field", self.deb, name).strip()

    def test_it_is_small_and_needs_debian_only(self):
        self.assertLess(os.path.getsize(self.deb), LIMIT_BYTES)
        self.assertEqual(self.field("Package"), "stella")
        needed = [re.split(r"[ (|]", part.strip())[0] for part in self.field("Depends").split(",")]
        self.assertIn("libsodium23", needed)
        for package in needed:
            self.assertIn("install ok installed", run("dpkg-query", "-W", "-f=${Status}", package), package)

    def test_what_is_in_it(self):
        names = {line.split()[-1].lstrip(".") for line in run("dpkg-deb", "--contents", self.deb).splitlines()}
        for name in ("/usr/bin/stella", "/usr/" + UNIT, "/usr/" + CONSOLE, "/usr/lib/sysusers.d/stella.conf", "/usr/share/doc/stella/examples/service.json",
                     "/usr/share/doc/stella/copyright", "/usr/share/doc/stella/operations/service-home.md", "/usr/share/doc/stella/commands/pack-run.md"):
            self.assertIn(name, names)
        for name in names:
            self.assertTrue(name.startswith("/usr") or name in ("/", ""), name)
        owners = {line.split()[1] for line in run("dpkg-deb", "--contents", self.deb).splitlines()}
        self.assertEqual(owners, {"root/root"})

    def test_man_pages_and_completions_are_where_debian_looks_for_them(self):
        place = os.path.join(self.root, "unpacked")
        run("dpkg-deb", "--extract", self.deb, place)
        share = os.path.join(place, "usr", "share")
        pages = os.listdir(os.path.join(share, "man", "man1"))
        self.assertIn("stella.1.gz", pages)
        commands = [name for name in os.listdir(os.path.join(SOURCE, "docs", "commands")) if name != "README.md"]
        self.assertEqual(len(pages), len(commands) + 1)
        with gzip.open(os.path.join(share, "man", "man1", "stella-pack-run.1.gz"), "rb") as page:
            self.assertEqual(page.mtime or 0, 0)
            shown = run("groff", "-man", "-Tascii", "-ww", "-P-c", input=page.read().decode())
        self.assertIn("--plan-hash", re.sub(".\b", "", shown))
        if shutil.which("man"):
            shown = run("man", "-l", os.path.join(share, "man", "man1", "stella-pack-run.1.gz"), env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
            self.assertIn("plan-hash", re.sub(".\b", "", shown))
        for shell, path in (("bash", "bash-completion/completions/stella"), ("zsh", "zsh/vendor-completions/_stella"), ("fish", "fish/vendor_completions.d/stella.fish")):
            with open(os.path.join(share, path), encoding="utf-8") as handle:
                self.assertEqual(handle.read(), run(os.path.join(place, "usr", "bin", "stella"), "completion", shell))

    def test_installed_into_a_scratch_root_and_removed(self):
        if os.geteuid() != 0:
            self.skipTest("root, to install")
        scratch = os.path.join(self.root, "scratch")
        for folder in ("var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/dpkg/triggers", "var/lib/stella", "etc", "usr/lib", "usr/bin"):
            os.makedirs(os.path.join(scratch, folder))
        open(os.path.join(scratch, "var/lib/dpkg/status"), "w", encoding="utf-8").close()
        dpkg = ["dpkg", f"--root={scratch}", "--force-script-chrootless", "--force-depends", "--log=/dev/null"]
        run(*dpkg, "--install", self.deb)
        version = run(os.path.join(scratch, "usr/bin/stella"), "version")
        self.assertIn(self.field("Version").split("-")[0], version)
        with open(os.path.join(scratch, "etc/passwd"), encoding="utf-8") as handle:
            self.assertIn("stella:", handle.read())
        with open(os.path.join(scratch, "etc/group"), encoding="utf-8") as handle:
            self.assertRegex(handle.read(), r"stella-operators:x:\d+:stella")
        self.assertFalse(os.path.exists(os.path.join(scratch, "etc/stella/service.json")))
        for name in (UNIT, CONSOLE):
            with open(os.path.join(scratch, "usr", name), encoding="utf-8") as handle:
                unit = handle.read()
            self.assertIn("ExecStart=/usr/bin/stella serve " + ("--socket" if name == UNIT else "--listen 127.0.0.1:8080"), unit)
            self.assertIn("NoNewPrivileges=yes", unit)
            self.assertEqual("KillMode=process" in unit, name == CONSOLE, "what was started over HTTP outlives a restart of the console")
            place = os.path.join(self.root, os.path.basename(name))
            with open(place, "w", encoding="utf-8") as handle:
                handle.write(unit.replace("/usr/bin/stella", os.path.join(scratch, "usr/bin/stella")))
            self.assertEqual(run("systemd-analyze", "verify", "--man=no", place), "")
        run(*dpkg, "--purge", "stella")
        left = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(scratch, "usr")) for name in names]
        self.assertEqual(left, [])
        self.assertTrue(os.path.isdir(os.path.join(scratch, "var/lib/stella")))

    def test_the_unit_is_hardened(self):
        out = run("systemd-analyze", "security", "--offline=yes", "--threshold=35", os.path.join(SOURCE, "packaging", "stella.service"))
        self.assertIn("Overall exposure level", out)


if __name__ == "__main__":
    for program in ("cpack", "dpkg-shlibdeps", "dpkg-deb", "systemd-analyze", "systemd-sysusers", "file"):
        if shutil.which(program) is None:
            skip(program)
    if not os.path.exists(os.path.join(BUILD, "CPackConfig.cmake")) or "release" not in os.path.basename(os.path.abspath(BUILD)):
        skip("a release build")
    unittest.main(verbosity=2)
