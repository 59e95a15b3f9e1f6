# SPDX-License-Identifier: Apache-2.0
"""Keys and the site policy: made, checked, signed, applied; and everything that must be refused without a trace."""
import hashlib
import json
import os
import shutil
import subprocess
import unittest

from harness import SealedSite, STELLA, main

CRASH_POINTS = ("site.pinned", "site.applied")


class KeyTest(SealedSite):
    def test_openssl_computes_the_same_key_id_and_reads_the_key(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        key = self.key("ada")
        shown = self.stella("key", "show", key + ".pub", "--output", "json").json
        der = subprocess.run(["openssl", "pkey", "-pubin", "-in", key + ".pub", "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(shown["id"], hashlib.sha256(der).hexdigest())
        private = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], check=True, stdout=subprocess.PIPE).stdout
        self.assertEqual(private, self.read(key + ".pub"))

    def test_a_key_with_a_passphrase_opens_with_it_only(self):
        right, wrong = self.write("right", "open sesame\nsecond line\n"), self.write("wrong", "open says me\n")
        key = self.path("ada.key")
        made = self.stella("key", "new", "--out", key, "--name", "Ada Obi", "--kdf-memory", "64MiB", "--passphrase-file", right, "--output", "json").json
        self.assertEqual(os.stat(key).st_mode & 0o777, 0o600)
        document = json.loads(self.read(key))
        self.assertEqual((document["format"], document["kdf"]["memlimit"]), ("stella-key/1", 64 << 20))
        plain = self.write("policy.json", json.dumps(self.policy(admins={"threshold": 1, "keys": [made["publicKey"]]})))
        sign = ["site", "sign", plain, "--key", key, "--out", self.path("signed.json")]
        self.refused("ERR_KEY_UNUSABLE", *sign, "--passphrase-file", wrong, reason="passphrase")
        self.refused("ERR_KEY_UNUSABLE", *sign)
        self.assertFalse(os.path.exists(self.path("signed.json")))
        self.stella(*sign, "--passphrase-file", right)
        os.chmod(key, 0o644)
        self.refused("ERR_KEY_UNUSABLE", *sign, "--passphrase-file", right, reason="mode")

    def test_bad_ways_to_make_a_key(self):
        key = self.key("ada")
        before = self.read(key)
        self.refused("ERR_FILE_UNSUITABLE", "key", "new", "--out", key, "--no-passphrase", reason="exists")
        self.assertEqual(self.read(key), before)
        words = self.write("words", "x\n")
        for size in ("63MiB", "3GiB", "lots", "-1"):
            self.refused("ERR_USAGE", "key", "new", "--out", self.path("n.key"), f"--kdf-memory={size}", "--passphrase-file", words)
        self.refused("ERR_USAGE", "key", "new", "--out", self.path("n.key"), "--kdf-memory", "64MiB", "--no-passphrase")
        self.refused("ERR_KEY_UNUSABLE", "key", "new", "--out", self.path("n.key"), "--passphrase-file", self.write("none", "\n"))
        self.refused("ERR_FILE_NOT_FOUND", "key", "new", "--out", self.path("no", "n.key"), "--no-passphrase")
        self.assertFalse(os.path.exists(self.path("n.key")))

    def test_show_writes_the_lines_of_other_tools(self):
        key = self.key("ada") + ".pub"
        line = self.stella("key", "show", key, "--ssh", "ada@desk").out
        self.assertRegex(line, r'^ada@desk namespaces="stella-evidence" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5[A-Za-z0-9+/]+=*\n$')
        self.assertRegex(self.stella("key", "show", key, "--vkey", "apl").out, r"^apl\+[0-9a-f]{8}\+A[A-Za-z0-9+/]+=*\n$")
        self.assertEqual(self.stella("key", "show", "-", input=self.read(key, "rb"), expect=0).out.split()[1],
                         self.stella("key", "show", self.key("ada")).out.split()[1])
        self.refused("ERR_USAGE", "key", "show", key, "--ssh", 'a b')
        self.refused("ERR_USAGE", "key", "show", key, "--vkey", "a+b")
        self.refused("ERR_USAGE", "key", "show", key, "--vkey", "a", "--ssh", "a")


class PolicyTest(SealedSite):
    def snapshot(self, home=None):
        tree = {}
        for folder, _, names in os.walk(os.path.join(home or self.home, "site")):
            for name in names:
                tree[name] = self.read(os.path.join(folder, name))
        return tree

    def apply_refused(self, code, signed, *args, reason=None):
        before = self.snapshot()
        error = self.refused(code, "site", "apply", signed, *args, reason=reason)
        self.assertEqual(self.snapshot(), before)
        return error

    def test_the_office_round_trip(self):
        office = self.make_home("office")
        self.stella("site", "init", self.path("plant-7"), home=office)
        template = self.path("plant-7", "policy.yaml")
        self.refused("ERR_FILE_UNSUITABLE", "site", "init", self.path("plant-7"), home=office, reason="exists")
        found = self.stella("site", "check", template, "--output", "json", expect=2, home=office).json
        self.assertFalse(found["valid"])
        self.assertEqual(len(found["problems"]), 5)
        for problem in found["problems"]:
            self.assertRegex(problem["at"], r"policy\.yaml:\d+:\d+$")
        text = self.read(template, "r")
        for mark, key in (("ADMIN", self.public("admin")), ("APPLIANCE", self.identity()), ("PUBLISHER", self.public("publisher")),
                          ("ADA", self.public("ada")), ("BEN", self.public("ben"))):
            text = text.replace("PUBLIC-KEY-OF-" + mark, key)
        self.write("plant-7/policy.yaml", text)
        self.assertIn("one stolen admin key", self.stella("site", "check", template, home=office).out)
        signed = self.stella("site", "sign", template, "--key", self.key("admin"), "--output", "json", home=office).json
        self.assertEqual(signed["file"], self.path("plant-7", "policy.dsse.json"))
        self.stella("site", "apply", signed["file"], "--trust", self.key("admin") + ".pub")
        shown = self.stella("site", "show", "--output", "json").json
        self.assertEqual((shown["site"], shown["version"], shown["digest"]), ("plant-7", 1, signed["digest"]))
        self.assertIn('namespaces="stella-evidence" ssh-ed25519 ', self.stella("site", "show", "--allowed-signers").out)

    def test_nothing_is_trusted_on_first_use(self):
        signed = self.sign_policy(self.policy())
        self.apply_refused("ERR_SITE_SIGNATURE", signed, reason="trust")
        self.apply_refused("ERR_SITE_SIGNATURE", signed, "--trust", self.key("ada") + ".pub", reason="threshold")
        self.apply_refused("ERR_SITE_SIGNATURE", self.path("policy-1.json"), "--trust", self.key("admin") + ".pub")
        self.refused("ERR_FILE_NOT_FOUND", "site", "show")
        self.stella("site", "apply", signed, "--trust", self.key("admin") + ".pub")
        self.assertIn("already applied", self.stella("site", "apply", signed).out)

    def test_two_admins_sign_one_file(self):
        admins = {"threshold": 2, "keys": [self.public("admin"), self.public("second"), self.public("third")]}
        signed = self.sign_policy(self.policy(admins=admins))
        trust = [word for name in ("admin", "second", "third") for word in ("--trust", self.key(name) + ".pub")]
        self.apply_refused("ERR_SITE_SIGNATURE", signed, *trust, reason="threshold")
        self.apply_refused("ERR_SITE_SIGNATURE", signed, *trust, "--threshold", "1", reason="threshold")  # its own asks for two
        self.stella("site", "sign", signed, "--key", self.key("admin"))  # the same person twice is one
        self.apply_refused("ERR_SITE_SIGNATURE", signed, *trust, reason="threshold")
        self.stella("site", "sign", signed, "--key", self.key("third"))
        self.stella("site", "apply", signed, *trust)
        lone = self.sign_policy(self.policy(version=2), key="admin")
        self.apply_refused("ERR_SITE_SIGNATURE", lone, reason="threshold")

    def test_versions_only_grow(self):
        self.apply(self.policy(version=3))
        self.apply_refused("ERR_SITE_ROLLBACK", self.sign_policy(self.policy(version=2)), reason="version")
        self.apply_refused("ERR_SITE_ROLLBACK", self.sign_policy(self.policy(version=3, mode="connected")), reason="equal-version")
        self.apply_refused("ERR_SITE_INVALID", self.sign_policy(self.policy(version=4, site="plant-8")), reason="site")
        self.apply_refused("ERR_SITE_FROZEN", self.sign_policy(self.policy(version=4, validUntil="2020-01-01T00:00:00Z")))
        self.apply_refused("ERR_HOME_UNSAFE", self.sign_policy(self.policy(version=4, homes="service")), reason="personal")
        self.stella("site", "apply", self.sign_policy(self.policy(version=4)))

    def test_every_byte_counts(self):
        signed = self.sign_policy(self.policy())
        good = self.read(signed)
        outer = json.loads(good)
        for position in range(0, len(good), max(1, len(good) // 40)):
            bad = bytearray(good)
            bad[position] ^= 1
            try:
                changed = json.loads(bytes(bad))
                if all(changed.get(name) == outer[name] for name in ("payload", "payloadType")) and changed["signatures"][0]["sig"] == outer["signatures"][0]["sig"]:
                    continue  # the key id is a hint that nobody believes
            except (ValueError, KeyError, UnicodeDecodeError):
                pass
            before = self.snapshot()
            result = self.stella("site", "apply", self.write("bad.json", bytes(bad)), "--trust", self.key("admin") + ".pub", expect=None)
            self.assertIn(result.status, (2, 6), str(result))
            self.assertEqual(self.snapshot(), before)

    def test_an_edited_home_is_noticed_at_once(self):
        self.apply()
        path = os.path.join(self.home, "site", "policy.dsse.json")
        good = self.read(path)
        mallory = self.policy(admins={"threshold": 1, "keys": [self.public("mallory")]})
        with open(path, "wb") as handle:
            handle.write(self.read(self.sign_policy(mallory, key="mallory", name="mallory")))
        self.refused("ERR_SITE_SIGNATURE", "site", "show", reason="pinned")
        with open(path, "wb") as handle:
            handle.write(good)
        os.unlink(os.path.join(self.home, "site", "pinned.json"))
        self.refused("ERR_SITE_SIGNATURE", "site", "show", reason="pinned")

    def test_a_power_cut_leaves_the_old_or_the_new_policy(self):
        self.apply()
        for version, point in enumerate(CRASH_POINTS, 2):
            signed = self.sign_policy(self.policy(version=version))
            killed = subprocess.run([STELLA, "site", "apply", signed], env=self.environment(extra={"STELLA_CRASH_AT": point}),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(killed.returncode, -9, point)
            held = self.stella("site", "show", "--output", "json").json["version"]
            self.assertIn(held, (version - 1, version), point)
            self.stella("site", "apply", signed)
            self.assertEqual(self.stella("site", "show", "--output", "json").json["version"], version)

    def test_unsuitable_files(self):
        os.mkdir(self.path("folder"))
        os.mkfifo(self.path("fifo"))
        self.write("empty", "")
        with open(self.path("zeros"), "wb") as handle:
            handle.truncate(1 << 30)
        for verb, extra in (("apply", ("--trust", self.key("admin") + ".pub")), ("check", ()), ("sign", ("--key", self.key("admin"), "--out", self.path("out")))):
            for name, reason in (("folder", "folder"), ("fifo", "fifo"), ("empty", "empty"), ("zeros", "size")):
                self.refused("ERR_FILE_UNSUITABLE", "site", verb, self.path(name), *extra, reason=reason)
            self.refused("ERR_FILE_NOT_FOUND", "site", verb, self.path("nothing"), *extra)
        for name, code in (("folder", "ERR_FILE_UNSUITABLE"), ("fifo", "ERR_FILE_UNSUITABLE"), ("empty", "ERR_FILE_UNSUITABLE"),
                           ("zeros", "ERR_FILE_UNSUITABLE"), ("nothing", "ERR_FILE_NOT_FOUND")):
            self.refused(code, "key", "show", self.path(name))
            self.refused(code, "site", "apply", self.path("zeros"), "--trust", self.path(name))
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_home_that_others_can_write_is_refused(self):
        os.chmod(self.home, 0o777)
        self.refused("ERR_HOME_UNSAFE", "site", "show")
        self.refused("ERR_HOME_UNSAFE", "site", "identity", "--id", "apl-1")

    def test_an_identity_is_made_once_and_renewed_by_name(self):
        first = self.stella("site", "identity", "--id", "apl-1", "--out", self.path("a.pub"), "--output", "json").json
        self.assertEqual(self.stella("site", "identity", "--output", "json").json, first)
        self.refused("ERR_USAGE", "site", "identity", "--id", "apl-2", reason="identity")
        renewed = self.stella("site", "identity", "--renew", "--output", "json").json
        self.assertEqual(renewed["id"], "apl-1")
        self.assertNotEqual(renewed["keyid"], first["keyid"])
        for name in os.listdir(os.path.join(self.home, "site")):
            self.assertEqual(os.stat(os.path.join(self.home, "site", name)).st_mode & 0o077, 0, name)
        self.refused("ERR_USAGE", "site", "identity", "--id", "../x", home=self.make_home("other"), reason="name")

    def test_a_power_cut_while_the_identity_is_made_or_renewed(self):
        def cut(point, *args):
            killed = subprocess.run([STELLA, "site", "identity", *args], env=self.environment(extra={"STELLA_CRASH_AT": point}),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(killed.returncode, -9, point)
        cut("site.identity", "--id", "apl-1")
        first = self.stella("site", "identity", "--id", "apl-1", "--output", "json").json
        cut("site.renewed", "--renew")
        self.refused("ERR_KEY_UNUSABLE", "site", "identity", reason="identity")
        renewed = self.stella("site", "identity", "--renew", "--output", "json").json
        self.assertNotEqual(renewed["keyid"], first["keyid"])
        shown = self.stella("key", "show", os.path.join(self.home, "site", "identity.1.key"), "--output", "json").json
        self.assertEqual(shown["id"], first["keyid"])

    def test_a_clock_that_went_back_must_be_confirmed(self):
        self.apply()
        path = os.path.join(self.home, "site", "clock.json")
        record = json.loads(self.read(path))
        record["highest"], record["boot"] = "2999-01-01T00:00:00Z", "another"
        self.write(os.path.relpath(path, self.root), json.dumps(record))
        self.assertTrue(self.stella("site", "clock", "--output", "json").json["suspect"])
        later = self.sign_policy(self.policy(version=2))
        self.apply_refused("ERR_CLOCK_ROLLBACK", later, reason="behind")
        self.refused("ERR_USAGE", "site", "clock", "--confirm", reason="reason")
        self.refused("ERR_USAGE", "site", "clock", "--reason", "x", reason="confirm")
        self.stella("site", "clock", "--confirm", "--reason", "battery replaced")
        self.assertIn("battery replaced", self.read(path, "r"))
        self.stella("site", "apply", later)

    def test_a_machines_trust_file_rules_every_home(self):
        probe = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /etc && mkdir /etc/stella"]
        if os.geteuid() != 0 or subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("needs root and mount namespaces")
        signed = self.sign_policy(self.policy())
        mallory = self.sign_policy(self.policy(admins={"threshold": 1, "keys": [self.public("mallory")]}), key="mallory", name="mallory")
        trust = self.write("trust.json", json.dumps({"site": "plant-7", "threshold": 1, "keys": [self.public("admin")]}), 0o644)
        script = 'mount -t tmpfs -o mode=755 none /etc && mkdir -p /etc/stella && cp "$0" /etc/stella/trust.json && chmod 644 /etc/stella/trust.json && exec "$@"'
        def inside(*args):
            return subprocess.run(["unshare", "-m", "sh", "-c", script, trust, STELLA, *args], env=self.environment(),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        refused = inside("site", "apply", mallory, "--trust", self.key("mallory") + ".pub")
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn("trust.json", refused.stderr)
        applied = inside("site", "apply", signed)
        self.assertEqual(applied.returncode, 0, applied.stderr)


if __name__ == "__main__":
    main()
