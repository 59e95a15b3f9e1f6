# SPDX-License-Identifier: Apache-2.0
"""The vault's verbs through the built binary: nothing readable on disk, nothing printed, old or new after a kill."""
import hashlib
import os
import random
import sqlite3
import unittest

from harness import SealedSite

VALUE = "v4lue-of-the-plc-token-7f3a91"
PASSPHRASE = "correct horse battery staple"


class Vault(SealedSite):
    def setUp(self):
        super().setUp()
        self.passphrase = self.write("passphrase", PASSPHRASE + "\n")
        self.database = os.path.join(self.home, "vault", "vault.db")

    def vault(self, *args, **kwargs):
        return self.stella("vault", *args, "--passphrase-file", self.passphrase, **kwargs)

    def make(self, value=VALUE):
        self.vault("init", "--kdf-memory", "64MiB")
        if value:
            self.vault("put", "plc-token", "--scope", "firmware", input=value)

    def versions(self):
        """Name -> version, as list says it."""
        return {row["name"]: row["version"] for row in self.vault("list", "--output", "json").json["secrets"]}

    def digest(self):
        return hashlib.sha256(self.read(self.database)).hexdigest()

    def killed_at(self, point, *args, **kwargs):
        return self.vault(*args, env={"STELLA_CRASH_AT": point}, expect=-9, **kwargs)


class Verbs(Vault):
    def test_no_verb_prints_a_value(self):
        self.make()
        self.vault("rotate", "plc-token", input=VALUE + "-second\n")
        for verb in (["list"], ["show", "plc-token"], ["status"], ["audit"]):
            for form in ("table", "json", "ndjson"):
                result = self.vault(*verb, "--output", form)
                self.assertNotIn(VALUE[:10], result.out + result.err, str(result))
        shown = self.vault("show", "plc-token", "--output", "json").json
        self.assertEqual((shown["name"], shown["scope"], shown["version"], shown["kept"]), ("plc-token", "firmware", 2, 2))

    def test_one_newline_is_left_out_and_that_is_said(self):
        self.make(value=None)
        result = self.vault("put", "a", "--scope", "s", input=VALUE + "\n")
        self.assertIn("newline", result.err)
        self.assertEqual(self.vault("show", "a", "--output", "json").json["lastFour"], VALUE[-4:])
        self.assertNotIn("newline", self.vault("put", "b", "--scope", "s", input=VALUE).err)

    def test_nothing_readable_lies_in_the_home(self):
        self.make()
        self.vault("rotate", "plc-token", input=VALUE)
        self.vault("remove", "plc-token", "--yes")
        for folder, _, names in os.walk(self.home):
            for name in names:
                content = self.read(os.path.join(folder, name))
                for text in (VALUE, VALUE[:12], "plc-token", "firmware", PASSPHRASE):
                    self.assertNotIn(text.encode(), content, f"{text} in {name}")
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o777, 0o600, name)

    def test_tenants_do_not_see_each_other(self):
        self.make()
        self.assertEqual(self.vault("list", "--tenant", "other", "--output", "json").json["secrets"], [])
        self.refused("ERR_VAULT_NOT_FOUND", "vault", "show", "plc-token", "--tenant", "other", "--passphrase-file",
                     self.passphrase, reason="secret")

    def test_audit_names_what_was_done(self):
        self.make()
        self.vault("show", "plc-token")
        report = self.vault("audit", "--output", "json").json
        self.assertTrue(report["verified"])
        self.assertEqual([entry["action"] for entry in report["entries"]], ["init", "put", "show"])

    def test_rekey_changes_the_passphrase_only(self):
        self.make()
        new = self.write("new", "another passphrase\n")
        self.stella("vault", "rekey", "--kdf-memory", "64MiB", "--passphrase-file", self.passphrase, "--passphrase-file", new)
        self.refused("ERR_VAULT_SHARE", "vault", "list", "--passphrase-file", self.passphrase, reason="passphrase")
        self.passphrase = new
        self.assertEqual(self.versions(), {"plc-token": 1})

    def test_backup_restores_what_was_lost(self):
        self.make()
        copy = self.path("backup.db")
        self.vault("backup", copy)
        self.vault("remove", "plc-token", "--yes")
        self.refused("ERR_VAULT_ROLLBACK", "vault", "restore", copy, "--yes", "--passphrase-file", self.passphrase)
        self.vault("restore", copy, "--yes", "--reason", "removed by mistake")
        self.assertEqual(self.versions(), {"plc-token": 1})
        os.unlink(self.database)
        self.vault("restore", copy)
        self.assertEqual(self.versions(), {"plc-token": 1})

    def test_later_verbs_are_refused_by_name(self):
        for args in (["serve"], ["unseal"], ["seal"], ["init", "--shares", "5", "--threshold", "3"]):
            self.refused("ERR_USAGE", "vault", *args, reason="not-yet")
        self.refused("ERR_USAGE", "vault", "list", env={"TASKRUNNER_SEALED_VAULT_URL": "vault+unix:///run/v.sock"}, reason="not-yet")


class BadInput(Vault):
    def test_a_wrong_passphrase_changes_nothing(self):
        self.make()
        before = self.digest()
        wrong = self.write("wrong", "incorrect horse\n")
        for verb in (["list"], ["show", "plc-token"], ["audit"], ["remove", "plc-token", "--yes"]):
            error = self.refused("ERR_VAULT_SHARE", "vault", *verb, "--passphrase-file", wrong, reason="passphrase")
            self.assertEqual(error["exit"], 3)
        self.assertEqual(self.digest(), before)

    def test_a_missing_vault_and_a_missing_secret(self):
        for verb in (["list"], ["status"], ["show", "a"]):
            self.refused("ERR_VAULT_NOT_FOUND", "vault", *verb, "--passphrase-file", self.passphrase, reason="vault")
        self.make()
        for verb in (["show", "absent"], ["remove", "absent", "--yes"], ["rotate", "absent"]):
            error = self.refused("ERR_VAULT_NOT_FOUND", "vault", *verb, "--passphrase-file", self.passphrase, reason="secret", input=VALUE)
            self.assertEqual(error["exit"], 4)

    def test_nobody_to_ask(self):
        self.make()
        self.refused("ERR_VAULT_SEALED", "vault", "list", reason="no-passphrase")

    def test_values_that_are_refused(self):
        self.make()
        before = self.versions()
        for value, reason in (("short", "short"), ("", "empty"), ("\n", "empty"), ("x" * 70000, "size")):
            self.refused("ERR_USAGE", "vault", "put", "a", "--scope", "s", "--passphrase-file", self.passphrase, input=value, reason=reason)
        self.refused("ERR_USAGE", "vault", "put", "../a", "--scope", "s", "--passphrase-file", self.passphrase, input=VALUE, reason="name")
        self.refused("ERR_USAGE", "vault", "put", "plc-token", "--scope", "other", "--passphrase-file", self.passphrase, input=VALUE, reason="scope")
        self.refused("ERR_USAGE", "vault", "put", "a", "--scope", "s", "--passphrase-file", "-", input=VALUE, reason="stdin")
        self.assertEqual(self.versions(), before)
        self.vault("put", "pin", "--scope", "s", "--allow-short", input="4711")
        self.assertEqual(self.versions(), {**before, "pin": 1})

    def test_files_that_are_no_files(self):
        self.make()
        os.mkdir(self.path("folder"))
        os.mkfifo(self.path("fifo"))
        with open(self.path("zeros"), "wb") as handle:
            handle.truncate(1 << 30)
        os.chmod(self.path("zeros"), 0o600)
        self.write("nothing", "")
        before = self.digest()
        for name in ("folder", "fifo", "absent", "nothing", "zeros"):
            for verb in (["put", "a", "--scope", "s", "--from"], ["restore", "--yes"]):
                result = self.stella("--output", "json", "vault", *verb, self.path(name), "--passphrase-file", self.passphrase, expect=None)
                self.assertIn(result.error["code"], ("ERR_FILE_UNSUITABLE", "ERR_FILE_NOT_FOUND"), str(result))
        self.refused("ERR_KEY_UNUSABLE", "vault", "put", "a", "--scope", "s", "--from", self.write("open", VALUE, 0o644),
                     "--passphrase-file", self.passphrase, reason="mode")
        self.assertEqual(self.digest(), before)

    def test_a_second_init_leaves_the_first_vault(self):
        self.make()
        before = self.digest()
        self.refused("ERR_FILE_UNSUITABLE", "vault", "init", "--passphrase-file", self.passphrase, reason="exists")
        self.assertEqual(self.digest(), before)
        self.refused("ERR_USAGE", "vault", "init", "--kdf-memory", "1MiB", "--passphrase-file", self.passphrase,
                     home=self.make_home("other"), reason="kdf-memory")


class Altered(Vault):
    def test_changed_bytes_are_found_or_harmless(self):
        self.make()
        whole = self.read(self.database)
        rng = random.Random(3)
        used = [at for at in range(len(whole)) if whole[at] != 0]  # what SQLite does not use is zero
        for at in rng.sample(used, 25):
            changed = bytearray(whole)
            changed[at] ^= 1 << rng.randrange(8)
            with open(self.database, "wb") as handle:
                handle.write(changed)
            result = self.stella("--output", "json", "vault", "show", "plc-token", "--passphrase-file", self.passphrase, expect=None)
            if result.status == 0:
                self.assertEqual(result.json["lastFour"], VALUE[-4:])
            else:
                self.assertEqual(result.error["code"], "ERR_VAULT_TAMPERED", f"byte {at}: {result}")

    def test_rows_edited_in_the_database(self):
        self.make()
        self.vault("put", "other", "--scope", "firmware", input=VALUE[::-1])
        whole = self.read(self.database)
        for sql in ("DELETE FROM object WHERE id = (SELECT min(id) FROM object)", "DELETE FROM audit WHERE number = 2",
                    "DELETE FROM audit WHERE number = 3", "UPDATE head SET generation = generation + 1",
                    "UPDATE object SET body = (SELECT body FROM object ORDER BY id DESC LIMIT 1)",
                    "INSERT INTO object VALUES('00000000000000000000000000000000', x'00')",
                    "UPDATE header SET kdf_passes = 1", "UPDATE header SET kdf_memory = 1 << 60", "DROP TABLE audit",
                    "UPDATE head SET contents = zeroblob(8)", "UPDATE head SET merkle_root = 'text'", "PRAGMA user_version = 9",
                    "PRAGMA application_id = 1", "DELETE FROM header", "DELETE FROM head"):
            with open(self.database, "wb") as handle:
                handle.write(whole)
            database = sqlite3.connect(self.database)
            try:
                database.execute(sql)
                database.commit()
            except sqlite3.IntegrityError:
                continue  # STRICT tables refuse it already
            finally:
                database.close()
            with self.subTest(sql=sql):
                self.refused("ERR_VAULT_TAMPERED", "vault", "list", "--passphrase-file", self.passphrase)

    def test_a_vault_that_is_no_database(self):
        self.make()
        for content in (b"not a vault, but long enough to hold a header of some kind or other" * 20, b""):
            with open(self.database, "wb") as handle:
                handle.write(content)
            self.refused("ERR_VAULT_TAMPERED", "vault", "list", "--passphrase-file", self.passphrase)
        os.unlink(self.database)
        os.symlink(self.passphrase, self.database)
        self.refused("ERR_FILE_UNSUITABLE", "vault", "list", "--passphrase-file", self.passphrase, reason="link")


class Killed(Vault):
    def test_init_is_whole_or_not_there(self):
        self.killed_at("vault.init.made", "init", "--kdf-memory", "64MiB")
        self.assertFalse(os.path.exists(self.database))
        self.killed_at("vault.init.linked", "init", "--kdf-memory", "64MiB")
        self.vault("put", "plc-token", "--scope", "firmware", input=VALUE)
        self.assertEqual(self.versions(), {"plc-token": 1})

    def test_a_killed_change_is_old_or_new(self):
        self.make()
        self.killed_at("vault.commit", "rotate", "plc-token", input=VALUE + "2")
        self.assertEqual(self.versions(), {"plc-token": 1})
        self.killed_at("vault.committed", "rotate", "plc-token", input=VALUE + "2")
        self.assertEqual(self.versions(), {"plc-token": 2})
        self.killed_at("vault.commit", "remove", "plc-token", "--yes")
        self.assertEqual(self.versions(), {"plc-token": 2})
        self.killed_at("vault.commit", "rekey", "--kdf-memory", "64MiB")
        self.assertEqual(self.versions(), {"plc-token": 2})
        self.assertTrue(self.vault("audit", "--output", "json").json["verified"])

    def test_a_killed_restore_is_old_or_new(self):
        self.make()
        copy = self.path("backup.db")
        self.vault("backup", copy)
        self.vault("rotate", "plc-token", input=VALUE + "2")
        restore = ["restore", copy, "--yes", "--reason", "test"]
        self.killed_at("vault.restore.ready", *restore)
        self.assertEqual(self.versions(), {"plc-token": 2})
        self.killed_at("vault.restore.done", *restore)
        self.assertEqual(self.versions(), {"plc-token": 1})


if __name__ == "__main__":
    unittest.main()
