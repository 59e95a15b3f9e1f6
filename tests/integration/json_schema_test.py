#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""JSON Schema through the binary, with a sample of the official suite; and 5,000 made-up schemas and values on which ajv
gives the same verdict.

What is left out of the comparison because ajv 8.20 is known to differ: $dynamicRef and $dynamicAnchor (17 cases of the
suite), $id in places that $ref passes (8), unevaluatedItems beside contains (8), $vocabulary, multipleOf with fractions
(it divides doubles), the empty name in `required` and `dependentRequired` (it takes "" for nothing missing). Made, but
passed over: `if` with unevaluatedProperties (a failed `if` counts as evaluated), `contains: true` (an empty list passes),
minContains 0 where it writes code that does not run (`items0 is not defined`).
"""
import json
import os
import random
import re
import subprocess
import unittest

import tuf_js_test
from harness import SealedSite, main

SUITE = "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance"
BUILD = os.environ.get("STELLA_BUILD", "")
PAIRS = 5000
NAMES = ["a", "b", "cc", "d-1", ""]
SCALARS = [None, True, False, 0, 1, 2, -3, 1.0, 2.5, "", "a", "bb", "a1", "\u00e9\u00e9\u00e9"]
PATTERNS = ["^a", "b+$", "^[a-c]{1,2}$", "\\d", "^\\S*$", "\\p{L}", "a|c", "^(?:x|a)?"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, depth=0):
        kind = self.random.randrange(10)
        if depth > 2 or kind < 5:
            return self.random.choice(SCALARS)
        if kind < 7:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.random.choice(NAMES): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def schema(self, depth=0):
        if self.random.random() < 0.06:
            return self.random.random() < 0.7
        made = {}
        for _ in range(self.random.randrange(1, 4)):
            made.update(self.keyword(depth))
        return made

    def keyword(self, depth):
        some, count = self.random.choice, self.random.randrange
        plain = [
            lambda: {"type": some(["null", "boolean", "object", "array", "number", "string", "integer", ["string", "null"], ["object", "integer"]])},
            lambda: {"enum": [self.value(1) for _ in range(count(1, 4))]}, lambda: {"const": self.value(1)},
            lambda: {some(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]): some([0, 1, 2, 2.5, -3])},
            lambda: {"multipleOf": some([1, 2, 3])}, lambda: {some(["minLength", "maxLength"]): count(4)},
            lambda: {some(["minItems", "maxItems", "minProperties", "maxProperties"]): count(4)}, lambda: {"uniqueItems": some([True, False])},
            lambda: {"pattern": some(PATTERNS)}, lambda: {"required": self.random.sample(NAMES[:-1], count(3))},
            lambda: {"dependentRequired": {some(NAMES): self.random.sample(NAMES[:-1], count(3))}},
            lambda: {"$ref": some(["#/$defs/one", "#/$defs/two", "#three"])}]
        if depth > 2:
            return some(plain)()
        below = lambda: self.schema(depth + 1)
        nested = [
            lambda: {some(["allOf", "anyOf", "oneOf"]): [below() for _ in range(count(1, 4))]}, lambda: {"not": below()},
            lambda: {"if": below(), "then": below(), "else": below()}, lambda: {"properties": {some(NAMES): below(), some(NAMES): below()}},
            lambda: {"patternProperties": {some(PATTERNS): below()}}, lambda: {"additionalProperties": below()}, lambda: {"propertyNames": below()},
            lambda: {"items": below()}, lambda: {"prefixItems": [below() for _ in range(count(1, 3))]},
            lambda: {"contains": below(), "minContains": count(3), "maxContains": count(1, 4)}, lambda: {"dependentSchemas": {some(NAMES): below()}},
            lambda: {"unevaluatedProperties": below()}]
        return some(plain + nested + nested)()

    def pair(self):
        schema = self.schema()
        if isinstance(schema, dict):
            # The definitions refer to nothing, so that no circle is made: circles are told by name in other tests.
            schema["$defs"] = {"one": {"type": ["string", "object"]}, "two": {"minimum": 1, "maxItems": 2}, "three": {"$anchor": "three", "not": {"const": 1}}}
        return {"schema": schema, "value": self.value()}


def is_known_miss(line, verdict):
    return ('"if"' in line and '"unevaluatedProperties"' in line) or '"contains": true' in line \
        or re.fullmatch(r"error: items\d+ is not defined", verdict) is not None


class Verdicts(unittest.TestCase):
    def test_made_up_schemas_agree_with_ajv(self):
        reason = tuf_js_test.install()
        if reason:
            self.skipTest(reason)
        maker = Maker(20201212)
        lines = [json.dumps(maker.pair()) for _ in range(PAIRS)]
        ask = lambda *command: subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
        ours = ask(os.path.join(BUILD, "tests", "oracles", "schema_verdicts"))
        theirs = ask("node", os.path.join(tuf_js_test.ORACLES, "ajv_verdicts.mjs"), tuf_js_test.BUILD)
        differ = [f"{line}\n  stella {a}, ajv {b}" for line, a, b in zip(lines, ours, theirs)
                  if a != b and not is_known_miss(line, b)]
        self.assertEqual((len(ours), len(theirs)), (PAIRS, PAIRS))
        self.assertEqual(differ, [], "\n".join(differ[:10]))
        self.assertGreater(min(ours.count("true"), ours.count("false")), PAIRS // 10)


class CheckSchema(SealedSite):
    def test_a_sample_of_the_suite(self):
        self.assertTrue(os.path.isdir(SUITE), "install libtest-json-schema-acceptance-perl")
        cases = []
        for name in ("dynamicRef", "unevaluatedItems", "refRemote", "vocabulary", "multipleOf"):
            with open(f"{SUITE}/tests/draft2020-12/{name}.json", encoding="utf-8") as handle:
                cases += [(group["schema"], test) for group in json.load(handle) for test in group["tests"]]
        for schema, test in cases[::4]:
            with self.subTest(test=test["description"]):
                path = self.write("suite.json", json.dumps(schema))
                verdict = self.stella("pack", "check-schema", "--remote", f"http://localhost:1234/={SUITE}/remotes", path,
                                      input=json.dumps(test["data"]), expect=0 if test["valid"] else 2)
                self.assertEqual("valid" in verdict.out.split("\n")[0].split(), test["valid"])

    def test_every_violation_is_listed_with_its_place(self):
        schema = self.write("s.json", json.dumps({"properties": {"a": {"type": "string"}, "day": {"format": "date"}}, "required": ["b"]}))
        found = self.stella("--output", "json", "pack", "check-schema", "--format", schema, input='{"a": 1,\n "day": "today"}', expect=2).json
        self.assertEqual([(one["pointer"], one["at"], one["keyword"]) for one in found["violations"]],
                         [("", "standard input:1:1", "required"), ("/a", "standard input:1:7", "type"), ("/day", "standard input:2:9", "format")])
        self.assertEqual(self.stella("--output", "json", "pack", "check-schema", schema, input='{"b": 1, "day": "today"}').json, {"valid": True})

    def test_a_reference_is_never_fetched(self):
        schema = self.write("s.json", '{"$ref": "https://example.org/other.json"}')
        self.refused("ERR_PACK_INVALID", "pack", "check-schema", schema, input="1", reason="schema")
        other = self.write("other.json", '{"$id": "https://example.org/other.json", "type": "integer"}')
        self.stella("pack", "check-schema", "--remote", other, schema, input="1")


if __name__ == "__main__":
    main()
