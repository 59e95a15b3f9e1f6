# SPDX-License-Identifier: Apache-2.0
"""Secrets of runs with the built binary: missing, redacted, from a file."""
import json
import os

from harness import main
from run_site import RunTest

SECRET = "correct-horse-battery-staple"


class Secrets(RunTest):
    def vault(self):
        phrase = self.write("vault.phrase", "vault phrase\n")
        self.stella("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        return phrase

    def put(self, phrase, name="token"):
        self.stella("vault", "put", name, "--scope", "job", "--passphrase-file", phrase, input=SECRET)

    def assert_nowhere(self, secret):
        for folder, folders, names in os.walk(os.path.join(self.home, "runs")):
            for name in folders + names:
                self.assertNotIn(secret, name, folder)
            for name in names:
                self.assertNotIn(secret.encode(), self.read(os.path.join(folder, name)), name)

    spec = {"secrets": [{"name": "token", "scope": "job", "as": "env", "env": "TOKEN"}]}

    def test_a_missing_secret_pauses_and_the_run_goes_on_once_it_is_there(self):
        phrase = self.vault()
        bundle = self.pack("job", [self.step("use", "test -n \"$TOKEN\"; echo \"got $TOKEN\"; printf %s \"$TOKEN\" | base64", secrets=["token"])], **self.spec)
        error = self.refused("ERR_PACK_SECRET_MISSING", "pack", "run", "--bundle", bundle, "--passphrase-file", phrase)
        self.assertEqual(error["exit"], 2)
        run = self.last_run()
        self.assertEqual(self.show(run)["state"], "paused")
        self.put(phrase)
        result = self.stella("--output", "json", "pack", "runs", "resume", run, "--passphrase-file", phrase).json
        self.assertEqual((result["state"], result["attempt"]), ("succeeded", 1))
        logs = self.stella("pack", "runs", "logs", run).out
        self.assertIn("got [redacted:token]", logs)
        self.assertNotIn("Y29ycmVjdC1ob3JzZS", logs)
        self.assert_nowhere(SECRET)
        leased = [event for event in self.events(run) if event["type"] == "pack.secret.leased"]
        self.assertEqual((leased[0]["data"]["name"], leased[0]["data"]["scope"], leased[0]["data"]["version"]), ("token", "job", 1))

    def test_a_secret_in_an_output_fails_the_step(self):
        phrase = self.vault()
        self.put(phrase)
        result = self.run_pack([self.step("leak", "echo \"x=$TOKEN\" > \"$STELLA_OUTPUT\"", secrets=["token"])], "--passphrase-file", phrase, expect=1, **self.spec)
        self.assertEqual(result["reason"], "secret-in-output")
        self.assert_nowhere(SECRET)

    def test_a_secret_in_a_name_fails_the_step_and_does_not_reach_the_evidence(self):
        phrase = self.vault()
        self.put(phrase)
        result = self.run_pack([self.step("leak", "touch \"/artifacts/$TOKEN.txt\"; exit 1", secrets=["token"], continueOnError=True)],
                               "--passphrase-file", phrase, expect=1, **self.spec)
        self.assertEqual(result["reason"], "secret-in-output")
        self.assert_nowhere(SECRET)

    def test_wrong_passphrase_pauses(self):
        phrase = self.vault()
        self.put(phrase)
        wrong = self.write("wrong.phrase", "not it\n")
        bundle = self.pack("job", [self.step("use", "true", secrets=["token"])], **self.spec)
        self.refused("ERR_VAULT_SHARE", "pack", "run", "--bundle", bundle, "--passphrase-file", wrong, reason="passphrase")
        self.assertEqual(self.show(self.last_run())["state"], "paused")


class Constrained(RunTest):
    mode = "connected"

    def test_takes_secrets_from_a_file_that_only_the_owner_reads(self):
        bundle = self.pack("job", [self.step("use", "test \"$(cat /run/secrets/token)\" = correct-horse-battery-staple", secrets=["token"])],
                           secrets=[{"name": "token", "scope": "job", "as": "file"}])
        secrets = self.write("secrets.json", json.dumps({"token": SECRET}))
        self.stella("pack", "run", "--bundle", bundle, "--secrets", secrets)
        os.chmod(secrets, 0o644)
        self.refused("ERR_KEY_UNUSABLE", "pack", "run", "--bundle", bundle, "--secrets", secrets)


if __name__ == "__main__":
    main()
