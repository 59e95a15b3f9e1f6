#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No byte of a secret leaves the vault but into its step: printed in every form and in small pieces, it is looked for in
everything that is left behind."""
import base64
import os
import subprocess

from harness import SealedSite, main

SECRET = b"K7#correct-horse/battery+staple"
# Each form in writes of 1, 5 and 4096 bytes, so that a reader gets it in several reads; once over the end of a large read.
PRINT_ALL = """#!/bin/sh
set -e
say() { dd bs="$1" status=none; echo; }
for size in 1 5 4096; do
  printf 'plain %s end' "$TOKEN" | say $size
  for before in '' x xy; do printf 'base64 %s end' "$(printf '%s%s trailing' "$before" "$TOKEN" | base64 -w0)" | say $size; done
  printf 'hex %s end' "$(printf %s "$TOKEN" | od -An -v -tx1 | tr -d ' \\n')" | say $size
  printf 'HEX %s end' "$(printf %s "$TOKEN" | od -An -v -tx1 | tr -d ' \\n' | tr a-f A-F)" | say $size
done
printf '%65530s%s end' '' "$TOKEN" | say 65536
printf 'error %s end' "$TOKEN" | say 3 >&2
"""


def forms(secret):
    """Every form that must not be found: the value, its hex, and the base64 that does not depend on what is beside it."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret)
        start, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        found |= {text[start:end], text[start:end].replace(b"+", b"-").replace(b"/", b"_")}
    return found


class Secrets(SealedSite):
    def setUp(self):
        super().setUp()
        self.apply()
        self.phrase = ["--passphrase-file", self.write("vault.phrase", "vault phrase\n")]
        self.stella("vault", "init", "--kdf-memory", "64MiB", *self.phrase)
        self.put = self.stella("vault", "put", "token", "--scope", "job", *self.phrase, input=SECRET)

    def leaks(self, folder):
        """Files that hold a form of the secret."""
        found = []
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if os.path.isfile(path) and any(form in self.read(path) for form in forms(SECRET)):
                    found.append(os.path.relpath(path, folder))
        return found

    def assert_unsaid(self, *results):
        for result in results:
            for form in forms(SECRET):
                self.assertNotIn(form.decode(), result.out + result.err)

    def job(self, **more):
        return self.pack("job", [{"id": "tell", "run": {"command": ["/pack/print_all.sh"], "secrets": ["token"], **more}}],
                         secrets=[{"name": "token", "scope": "job", "as": "env", "env": "TOKEN"}],
                         files={"print_all.sh": PRINT_ALL})

    def test_no_form_is_left_anywhere(self):
        ran = self.stella("pack", "run", "--bundle", self.job(), *self.phrase)
        run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]
        logs, raw = self.stella("pack", "runs", "logs", run), self.stella("pack", "runs", "logs", run, "--raw")
        shown = self.stella("--output", "json", "pack", "runs", "show", run)
        bag = self.stella("--output", "json", "pack", "runs", "export", "--run", run, "--out", self.path("out"))
        self.assert_unsaid(self.put, ran, logs, raw, shown, bag)
        self.assertEqual(raw.out.count("[redacted:token]"), 3 * 6 + 2, raw.out)
        self.assertEqual(self.leaks(self.home), [])
        self.assertEqual(self.leaks(self.path("out")), [])

    def test_a_kill_leaves_no_form_either(self):
        process = subprocess.run([os.environ["STELLA"], "pack", "run", "--bundle", self.job(onCrash="rerun"), *self.phrase], check=False, capture_output=True,
                                 env=self.environment(extra={"STELLA_CRASH_AT": "step.finished"}), stdin=subprocess.DEVNULL, timeout=120)
        self.assertEqual(process.returncode, -9)
        self.assertEqual(self.leaks(self.home), [])
        run = self.stella("--output", "json", "pack", "runs", "list").json["runs"][0]["runId"]
        self.stella("pack", "runs", "resume", run, *self.phrase)
        self.assertEqual(self.leaks(self.home), [])

    def test_a_wrong_passphrase_and_a_missing_secret_start_nothing(self):
        wrong = ["--passphrase-file", self.write("wrong.phrase", "not it\n")]
        before = self.home_state()["vault/vault.db"]
        error = self.refused("ERR_VAULT_SHARE", "pack", "run", "--bundle", self.job(), *wrong)
        self.assertEqual(error["exit"], self.stella("vault", "list", *wrong, expect=None).status)
        self.assertEqual(self.home_state()["vault/vault.db"], before)
        other = self.pack("other", [{"id": "a", "run": {"command": ["touch", "/work/ran"], "secrets": ["nope"]}}],
                          secrets=[{"name": "nope", "scope": "job", "as": "file"}])
        self.assertEqual(self.refused("ERR_PACK_SECRET_MISSING", "pack", "run", "--bundle", other, *self.phrase)["exit"], 2)
        for run in self.stella("--output", "json", "pack", "runs", "list").json["runs"]:
            self.assertEqual(run["state"], "paused")
            self.assertNotIn("pack.step.started", [event["type"] for event in self.events(run["runId"])])


if __name__ == "__main__":
    main()
