# SPDX-License-Identifier: Apache-2.0
"""Every example of docs/pack-reference.md is a pack that validates and can be planned."""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

STELLA = os.environ["STELLA"]
PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "pack-reference.md"
HEAD = """apiVersion: stellaops.io/pack.v1
kind: TaskPack
metadata: {name: firmware-rollout, version: 1.4.0}
spec:
"""


def examples():
    found = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [HEAD + "".join("  " + line + "\n" for line in text.splitlines()) for text in found]


class PackReference(unittest.TestCase):
    def test_examples_validate_and_plan(self):
        self.assertGreaterEqual(len(examples()), 9)
        for number, text in enumerate(examples()):
            with self.subTest(number), tempfile.TemporaryDirectory() as folder:
                os.chmod(folder, 0o700)
                pack = pathlib.Path(folder) / "pack"
                pack.mkdir()
                (pack / "pack.yaml").write_text(text)
                inputs = pathlib.Path(folder) / "inputs.json"
                inputs.write_text(json.dumps({"cell": "hall-3"}) if "required: true" in text else "{}")
                home = dict(os.environ, STELLA_HOME=str(pathlib.Path(folder) / "home"))
                checked = subprocess.run([STELLA, "pack", "validate", "--dir", str(pack)], env=home,
                                         capture_output=True, text=True, check=False)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                planned = subprocess.run([STELLA, "pack", "plan", "--inputs", str(inputs), "--output", "json"], env=home,
                                         cwd=pack, capture_output=True, text=True, check=False)
                self.assertEqual(planned.returncode, 0, planned.stderr)
                self.assertEqual(json.loads(planned.stdout)["plan"]["schema"], "stella.plan.v1")


if __name__ == "__main__":
    unittest.main()
