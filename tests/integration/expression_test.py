# SPDX-License-Identifier: Apache-2.0
"""The part of JMESPath that stella reads gives what the reference implementation gives, for 2,000 made-up expressions."""
import json
import random

import harness

try:
    import jmespath
    import jmespath.visitor
    # The specification orders numbers only; the reference also orders strings, and dies on a string and a number.
    jmespath.visitor._is_comparable = jmespath.visitor._is_actual_number
except ImportError:
    jmespath = None

# Numbers other than 0 and 1, because python counts [True] and [1] as equal and JMESPath does not.
CONTEXT = {
    "inputs": {"cell": "hall-3", "count": 7, "ratio": 2.5, "dry": False, "list": [2, 3, {"x": "y", "deep": [4, [5]]}], "none": None, "empty": ""},
    "steps": {"check": {"state": "succeeded", "exit": 3, "outputs": {"ready": "yes", "n": "12"}}, "a-b": {"outputs": {}}},
    "run": {"id": "run:t:1", "attempt": 2}, "": 9, "quo\"te": 8,
}
NAMES = ["inputs", "steps", "run", "cell", "count", "ratio", "dry", "list", "none", "empty", "check", "outputs", "ready", "x", "deep", "missing",
         "\"a-b\"", "\"\"", "\"quo\\\"te\"", "\"\\u0069nputs\""]
LITERALS = ["'hall-3'", "'it\\'s'", "'back\\\\slash'", "''", "`7`", "`2.5`", "`7.0`", "`-3`", "`true`", "`false`", "`null`", "`\"yes\"`", "`[]`", "`{}`",
            "`[2, 3]`", "`{\"x\": \"y\"}`", "`\"tick \\` tick\"`"]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def path(self):
        text = self.random.choice(NAMES)
        for _ in range(self.random.randrange(5)):
            text += f"[{self.random.randrange(-4, 5)}]" if self.random.random() < 0.3 else "." + self.random.choice(NAMES)
        return text

    def expression(self, depth=0):
        kind = self.random.randrange(8 if depth < 4 else 2)
        inner = lambda: self.expression(depth + 1)
        if kind == 0:
            return self.path()
        if kind == 1:
            return self.random.choice(LITERALS)
        if kind == 2:
            return f"({inner()})"
        if kind == 3:
            return f"!({inner()})"
        if kind == 4:
            return f"{inner()} {self.random.choice(COMPARISONS)} {inner()}"
        if kind == 5:
            return f"{inner()} && {inner()}"
        if kind == 6:
            return f"{inner()} || {inner()}"
        return f"({inner()}).{self.random.choice(NAMES)}" + self.random.choice(["", "[0]", "[-1]"])


def plain(value):
    """JSON has one kind of number; python has two."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def same(left, right):
    return json.dumps(plain(left), sort_keys=True) == json.dumps(plain(right), sort_keys=True)


class Expressions(harness.SealedSite):
    def answers(self, expressions):
        lines = "".join(json.dumps({"expression": text, "context": CONTEXT}) + "\n" for text in expressions)
        answers = self.stella("pack", "eval", "--lines", input=lines).out.splitlines()
        self.assertEqual(len(answers), len(expressions))
        return [json.loads(line) for line in answers]

    @harness.unittest.skipIf(jmespath is None, "python3-jmespath is not installed")
    def test_gives_what_the_reference_gives(self):
        expressions = [Maker(seed).expression() for seed in range(2000)]
        different = []
        for text, answer in zip(expressions, self.answers(expressions)):
            if "result" not in answer or not same(answer["result"], jmespath.search(text, CONTEXT)):
                different.append((text, answer))
        self.assertEqual(different, [])
        self.assertGreater(len(set(expressions)), 900)

    def test_refuses_by_name_what_comes_later(self):
        parts = {"a | b": "pipe", "a[*]": "projection", "a[]": "projection", "*": "projection", "a[1:2]": "slice", "a[?b]": "filter",
                 "[a, b]": "multi-select", "{a: b}": "multi-select", "@": "current node", "&a": "expression reference", "length(a)": "functions"}
        for (text, name), answer in zip(parts.items(), self.answers(parts)):
            self.assertIn(name, answer["error"]["message"], text)
            self.assertEqual(answer["error"]["reason"], "expression-function" if name == "functions" else "expression-syntax")

    def test_one_expression_on_standard_input(self):
        self.assertEqual(self.stella("pack", "eval", "inputs.list[-1].x == 'y'", input=json.dumps(CONTEXT)).out, "true\n")
        self.assertEqual(self.stella("--output", "json", "pack", "eval", "run.attempt", input=json.dumps(CONTEXT)).json, {"result": 2})
        error = self.refused("ERR_PACK_INVALID", "pack", "eval", "run.", input="{}", reason="expression-syntax")
        self.assertIn("column 5", error["at"])
        self.refused("ERR_USAGE", "pack", "eval", "run", input="{")


if __name__ == "__main__":
    harness.main()
