# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/pack-reference.md validates, plans and runs, and every field of the pack language is in one."""
import glob
import json
import os
import re

import oci_image
from harness import SOURCE, main
from run_site import RunTest

HEAD = """apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: {name: firmware-rollout, version: 1.4.0}
spec:
"""
with open(os.path.join(SOURCE, "docs", "pack-reference.md"), encoding="utf-8") as page:
    PAGE = page.read()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SCHEMA = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL).group(1)


class PackReference(RunTest):
    def approver(self, name, key, roles=()):
        return super().approver(name, key, roles=("safety",))

    def test_every_example_validates_plans_and_runs(self):
        self.assertGreaterEqual(len(EXAMPLES), 11)
        phrase = self.write("vault.phrase", "vault phrase\n")
        self.stella("vault", "init", "--kdf-memory", "64MiB", "--passphrase-file", phrase)
        for name in ("plc-token", "api-key"):
            self.stella("vault", "put", name, "--scope", "firmware", "--passphrase-file", phrase, input="correct-horse-battery")
        inputs = self.write("inputs.json", json.dumps({"cell": "hall-3"}))
        for number, text in enumerate(EXAMPLES):
            if "runtime:" in text and not oci_image.BUSYBOX:
                continue
            with self.subTest(example=text):
                folder = self.folder_of(number, text)
                self.stella("pack", "validate", "--dir", folder)
                with open(os.path.join(folder, "pack.yaml"), encoding="utf-8") as handle:
                    more = ["--inputs", inputs] if "name: cell" in handle.read() else []
                bundle = self.build(folder)
                self.assertEqual(self.stella("--output", "json", "pack", "plan", "--bundle", bundle, *more).json["plan"]["schema"], "stella.plan.v1")
                waits = "gate.approval" in text
                run = self.stella("--output", "json", "pack", "run", "--bundle", bundle, *more, "--passphrase-file", phrase, expect=7 if waits else 0).json
                self.assertEqual(run["state"], "waiting" if waits else "succeeded")

    def folder_of(self, number, text):
        folder = self.path("packs", str(number))
        os.makedirs(os.path.join(folder, "schemas"))
        self.write(os.path.join(folder, "schemas", "cell.schema.json"), SCHEMA, mode=0o644)
        if "runtime:" in text:
            digest = oci_image.write(os.path.join(folder, "images", "tools"), [oci_image.busybox_layer("sh")])
            text = re.sub(r"sha256:[0-9a-f]{64}", digest, text)
        if not text.startswith("apiVersion"):
            text = HEAD + "".join("  " + line + "\n" for line in text.splitlines()).replace("version: 1.4.0", f"version: 1.4.{number}")
        self.write(os.path.join(folder, "pack.yaml"), text.replace("version: 1.4.0", f"version: 1.4.{number}"), mode=0o644)
        return folder

    def test_every_field_is_in_an_example(self):
        fields = set()
        for path in glob.glob(os.path.join(SOURCE, "appliance", "pack", "*.cpp")):
            with open(path, encoding="utf-8") as handle:
                fields.update(re.findall(r'\.(?:any|text|texts|integer|number|boolean|choice|word|duration|each|each_member)\(\s*"([A-Za-z.]+)"', handle.read()))
        self.assertGreater(len(fields), 40)
        shown = "\n".join(EXAMPLES)
        self.assertEqual(sorted(field for field in fields if not re.search(rf"(?<![A-Za-z]){re.escape(field)}:", shown)), [])


if __name__ == "__main__":
    main()
