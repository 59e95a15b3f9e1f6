# SPDX-License-Identifier: Apache-2.0
"""Made-up documents, and expressions over them by the grammar: mostly ones that find something, some ill-typed, some
with a few characters changed. The same seed gives the same."""
import json
import random

NAMES = ["site", "cells", "plc", "name", "load", "ok", "tags", "deep", "a-b", "_x1", "", "quo\"te", "straße", "鍵"]
WORDS = ["", "north", "south", "hall-3", "plc-07", "7", "-2.5", "1e3", "007", "yes", "Zebra", "zebra", "é", "日本", "𝄞", "it's", "tick`", "a\\b", "line\nbreak"]
NUMBERS = [0, 1, 2, 3, 7, -1, -4, 12, 2.5, -0.25, 1e-7, 3.0, 1e21, 123456.789]
COMPARISONS = ["==", "!=", "<", "<=", ">", ">="]
SLIVERS = list("[]{}()*@&|!.,:?<>=`'\"\\-0a ~$") + ["||", "&&", "[?", "[]", "[*]", ".*", "::", "==", "!=", "`1`", "'x'", "abs(", "&site", "\t", "é"]

# function -> what its arguments are to be: any number string array object numbers strings reference, * for more of the last
FUNCTIONS = {
    "abs": ["number"], "avg": ["numbers"], "ceil": ["number"], "contains": ["array|string", "any"], "ends_with": ["string", "string"],
    "floor": ["number"], "join": ["string", "strings"], "keys": ["object"], "length": ["string|array|object"], "map": ["reference", "array"],
    "max": ["numbers|strings"], "max_by": ["array", "reference"], "merge": ["object", "object*"], "min": ["numbers|strings"],
    "min_by": ["array", "reference"], "not_null": ["any", "any*"], "reverse": ["array|string"], "sort": ["numbers|strings"],
    "sort_by": ["array", "reference"], "starts_with": ["string", "string"], "sum": ["numbers"], "to_array": ["any"], "to_number": ["any"],
    "to_string": ["any"], "type": ["any"], "values": ["object"]}


def is_kind(value, kind):
    if kind in ("numbers", "strings"):
        return isinstance(value, list) and all(is_kind(each, kind[:-1]) for each in value)
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return kind == "any" or isinstance(value, {"string": str, "array": list, "object": dict}[kind])


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    # documents

    def value(self, depth=0):
        kind = self.random.randrange(9 if depth < 4 else 5)
        if kind == 0:
            return self.random.choice([None, True, False])
        if kind < 3:
            return self.random.choice(WORDS)
        if kind < 5:
            return self.random.choice(NUMBERS)
        if kind == 5:
            pool = self.random.choice([WORDS, NUMBERS])
            return [self.random.choice(pool) for _ in range(self.random.randrange(6))]
        if kind == 6:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        if kind == 7:  # rows, the usual shape
            return [{"name": self.random.choice(WORDS), "load": self.random.choice(NUMBERS), "ok": self.chance(0.5), "tags": self.value(depth + 2)}
                    for _ in range(self.random.randrange(5))]
        return {name: self.value(depth + 1) for name in self.random.sample(NAMES, self.random.randrange(5))}

    def document(self):
        if self.chance(0.05):
            return self.value(3)
        return {name: self.value(1) for name in self.random.sample(NAMES, self.random.randrange(3, 9))} | {"cells": [
            {"name": self.random.choice(WORDS), "load": self.random.choice(NUMBERS), "plc": self.value(2)} for _ in range(self.random.randrange(1, 5))]}

    # expressions; `value` is what the expression will stand on, as far as that is known

    def name(self, value):
        known = list(value) if isinstance(value, dict) else []
        name = self.random.choice(known) if known and self.chance(0.9) else self.random.choice(NAMES)
        plain = name.isascii() and name.replace("_", "a").isalnum() and not name[0].isdigit()
        if plain and not self.chance(0.1):
            return name, name
        return name, json.dumps(name, ensure_ascii=self.chance(0.5))

    def literal(self, value):
        if isinstance(value, str) and self.chance(0.6):
            return "'" + value.replace("'", "\\'") + "'" if "\\" not in value else "'" + value + "'"
        return "`" + self.random.choice(["", " "]) + json.dumps(value, ensure_ascii=self.chance(0.5)).replace("`", "\\`") + "`"

    def slice(self):
        number = lambda: self.random.choice(["", str(self.random.randrange(-5, 6))])
        step = lambda: self.random.choice(["", "1", "2", "-1", "-2", "3"] + ["0"] * self.chance(0.4))
        return f"[{number()}:{number()}" + (f":{step()}" if self.chance(0.4) else "") + "]"

    def path(self, value, depth):
        """A path from `value`, and where it leads."""
        text = ""
        for _ in range(self.random.randrange(1, 5)):
            if isinstance(value, list) and self.chance(0.9):
                step, value = self.list_step(value, depth)
                text += step
                continue
            if text and self.chance(0.12):
                return text + "." + self.select(value, depth + 1), None
            if self.chance(0.08):
                text += ".*" if text else "*"
                value = self.random.choice(list(value.values())) if isinstance(value, dict) and value else None
                continue
            name, spelling = self.name(value)
            text += ("." if text else "") + spelling
            value = value.get(name) if isinstance(value, dict) else None
        return text, value

    def list_step(self, value, depth):
        one = self.random.choice(value) if value else None
        kind = self.random.randrange(6)
        if kind == 0:
            index = self.random.randrange(-3, 4)
            return f"[{index}]", value[index] if -len(value) <= index < len(value) else None
        if kind == 1:
            return self.slice(), one
        if kind == 2:
            return "[]", self.random.choice(one) if isinstance(one, list) and one else one
        if kind == 3:
            return f"[?{self.expression(one, depth + 1)}]", one
        return "[*]", one

    def select(self, value, depth):
        if self.chance(0.5):
            return "[" + ", ".join(self.expression(value, depth) for _ in range(self.random.randrange(1, 4))) + "]"
        members = [f"{self.name(None)[1]}: {self.expression(value, depth)}" for _ in range(self.random.randrange(1, 4))]
        return "{" + ", ".join(members) + "}"

    def argument(self, kinds, value, depth):
        kind = self.random.choice(kinds.split("|"))
        if self.chance(0.04):
            kind = self.random.choice(["any", "reference"])
        if kind == "reference":
            rows = value.get("cells") if isinstance(value, dict) else None
            one = self.random.choice(rows) if rows and isinstance(rows, list) else None
            return "&" + self.expression(one, depth + 1)
        fitting = [name for name in value if is_kind(value[name], kind)] if isinstance(value, dict) else []
        if fitting and self.chance(0.6):
            name = self.random.choice(fitting)
            return name if name.isidentifier() and name.isascii() else json.dumps(name)
        if self.chance(0.75) and kind != "any":
            return self.literal(self.fitting_value(kind))
        return self.expression(value, depth + 1)

    def fitting_value(self, kind):
        for _ in range(60):
            value = self.value(2)
            if is_kind(value, kind):
                return value
        return {"number": 3, "string": "north", "object": {}}.get(kind, [])

    def call(self, value, depth):
        name = self.random.choice(list(FUNCTIONS)) if not self.chance(0.01) else "nothing"
        arguments = []
        for kinds in FUNCTIONS.get(name, ["any"]):
            for _ in range(self.random.randrange(3) if kinds.endswith("*") else 1):
                arguments.append(self.argument(kinds.rstrip("*"), value, depth))
        if self.chance(0.01):
            arguments.append(self.literal(1))
        return f"{name}({', '.join(arguments)})"

    def expression(self, value, depth=0):
        kind = self.random.randrange(14 if depth < 4 else 5)
        inner = lambda: self.expression(value, depth + 1)
        if kind < 3:
            return self.path(value, depth)[0]
        if kind == 3:
            return self.literal(self.value(3))
        if kind == 4:
            return "@"
        if kind == 5:
            return f"{inner()} {self.random.choice(COMPARISONS)} {inner()}"
        if kind == 6:
            text, there = self.path(value, depth)
            return f"{text} {self.random.choice(COMPARISONS)} {self.literal(there if self.chance(0.5) else self.random.choice(NUMBERS))}"
        if kind == 7:
            return f"{inner()} {self.random.choice(['&&', '||'])} {inner()}"
        if kind == 8:
            return self.random.choice(["!{}", "({})", "!({})"]).format(inner())
        if kind == 9:
            text, there = self.path(value, depth)
            return f"{text} | {self.expression(there, depth + 1)}"
        if kind == 10:
            return self.select(value, depth + 1)
        if kind == 11:
            return f"({inner()})" + self.random.choice(["[0]", "[*]", "[]", ".name", "[-1].load", "[:2]", ".*", "[?ok]", "[0][:1].name"])
        return self.call(value, depth + 1)

    def changed(self, text):
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(text) + 1)
            end = min(len(text), place + self.random.randrange(1, 4))
            kind = self.random.randrange(4)
            if kind == 0:
                text = text[:place] + text[end:]
            elif kind == 1:
                text = text[:place] + self.random.choice(SLIVERS) + text[place:]
            elif kind == 2:
                text = text[:place] + self.random.choice(SLIVERS) + text[end:]
            else:
                text = text[:place] + text[place:end] * 2 + text[end:]
        return text
