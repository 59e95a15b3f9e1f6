# SPDX-License-Identifier: Apache-2.0
"""Texts that a reader of YAML or JSON must refuse early: name -> bytes, or a function that makes them when they are
large. Every one is refused as text, whatever the schema behind would say of it."""

MIB = 1 << 20


def nested_aliases():
    """The classic bomb: ten levels of ten aliases each."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in range(1, 10):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]")
    return "\n".join(lines).encode()


def fill(unit, total=MIB, head=b"", tail=b""):
    return head + unit * ((total - len(head) - len(tail)) // len(unit)) + tail


def steps(count):
    """A pack of so many steps, in block style as people write it."""
    head = b"apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: many, version: 1.0.0}\nspec:\n  steps:\n"
    return head + b"".join(b"  - id: s%d\n    run:\n      command: [echo, hello world]\n" % number for number in range(count))


YAML = {
    # bombs: what grows when it is resolved
    "alias bomb": nested_aliases,
    "alias bomb in flow": b"{a: &a [x,x], b: &b [*a,*a], c: &c [*b,*b], d: [*c,*c]}",
    "anchor alone": b"a: &anchor 1\n",
    "alias to nothing": b"a: *nothing\n",
    "alias as a key": b"? *a\n: 1\n",
    "merge key": b"base: {x: 1}\nspec:\n  <<: {y: 2}\n",
    "merge of a list": b"spec:\n  <<: [{y: 2}, {z: 3}]\n",
    "anchor on a key": b"&k key: 1\n",
    "million anchors": lambda: fill(b"- &a x\n"),
    "million aliases": lambda: fill(b"- *a\n"),
    # cycles
    "cycle": b"a: &a [*a]\n",
    "cycle of mappings": b"a: &a {b: &b {c: *a, d: *b}}\n",
    # depth
    "65 levels of lists": b"[" * 65 + b"]" * 65,
    "65 levels of mappings": b"{a: " * 65 + b"1" + b"}" * 65,
    "half a million brackets": lambda: b"[" * (MIB // 2),
    "half a million braces": lambda: b"{" * (MIB // 2),
    "alternating brackets": lambda: b"[{a: " * (MIB // 5),
    "depth by dashes": lambda: b"- " * (MIB // 2),
    "depth by indentation": lambda: b"".join(b" " * level + b"a:\n" for level in range(1000)),
    "depth by question marks": lambda: b"? " * (MIB // 2),
    "depth by colons": lambda: b": " * (MIB // 2),
    # duplicates
    "duplicate key": b"a: 1\nb: 2\na: 3\n",
    "duplicate key in quotes": b"a: 1\n\"a\": 2\n",
    "duplicate key by an escape": b"a: 1\n\"\\x61\": 2\n",
    "duplicate key deep inside": b"spec: {steps: [{id: a, id: b}]}\n",
    "duplicate key in many": lambda: fill(b"a: 1\n"),
    # huge scalars and many nodes
    "more than 1 MiB": lambda: b"a: " + b"x" * MIB,
    "a name of 100 KiB": lambda: b"k" * 102400 + b": 1\n",
    "a quoted name of a MiB": lambda: b'"' + b"k" * (MIB - 10) + b'": 1\n',
    "many small nodes in flow": lambda: fill(b"1,", head=b"[", tail=b"1]"),
    "many empty lists": lambda: fill(b"[],", head=b"[", tail=b"1]"),
    "many small nodes in block": lambda: fill(b"- 1\n"),
    "many small mappings": lambda: b"".join(b"k%x:\n" % number for number in range(130000)),
    "many null items": lambda: fill(b"-\n"),
    "many commas": lambda: b"[" + b"," * (MIB - 2) + b"]",
    "only empty lines": lambda: b"\n" * MIB,
    "empty lines in a text": lambda: b"a: |\n" + b"\n" * (MIB - 10),
    "only comments": lambda: fill(b"#\n"),
    "only blanks": lambda: b" " * MIB,
    "only tabs": lambda: b"\t" * MIB,
    "many documents": lambda: fill(b"---\n"),
    "many document ends": lambda: fill(b"...\n"),
    "many directives": lambda: fill(b"%A b\n"),
    "many tags": lambda: fill(b"- !t x\n"),
    "long names around many nodes": lambda: b"".join(b"%s%d:\n  a: 1\n" % (b"n" * 1000, i) for i in range(900)),
    # encodings
    "invalid UTF-8": b"a: \xff\xfe\n",
    "cut UTF-8": b"a: \xe2\x82",
    "overlong UTF-8": b"a: \xc0\xaf\n",
    "a surrogate": b"a: \xed\xa0\x80\n",
    "beyond U+10FFFF": b"a: \xf4\x90\x80\x80\n",
    "invalid UTF-8 at the end of a MiB": lambda: fill(b"# x\n", tail=b"\xff"),
    "UTF-16": "a: 1\n".encode("utf-16"),
    "a byte-order mark": b"\xef\xbb\xbfa: 1\n",
    "NUL": b"a: 1\x00\n",
    "NUL by an escape": b'a: "\\0"\n',
    "a control character": b"a: \x1b[31m\n",
    "a lone carriage return": b"a: 1\rb: 2\n",
    # not ended, not begun
    "open quote": b'a: "x\n',
    "open quote of a MiB": lambda: b'a: "' + b"x" * (MIB - 10),
    "open single quote of a MiB": lambda: b"a: '" + b"x\n " * (MIB // 3 - 10),
    "open list": b"a: [1, 2\n",
    "open mapping": b"a: {b: 1\n",
    "open escape": b'a: "\\u12',
    "a tab for indentation": b"a:\n\tb: 1\n",
    "two values": b"a: 1\n--- \nb: 2\n",
    "a tag": b"a: !!python/object/apply:os.system [id]\n",
    "a directive": b"%YAML 1.1\n---\na: 1\n",
    "a list as a key": b"? [a, b]\n: 1\n",
    # numbers
    "an integer beyond 2^53": b"a: 9007199254740993\n",
    "an integer of 100,000 digits": lambda: b"a: " + b"9" * 100000 + b"\n",
    "a real that overflows": b"a: 1e999\n",
    "a real with a huge exponent": lambda: b"a: 1e" + b"9" * 100000 + b"\n",
}

JSON = {
    "65 levels of lists": b"[" * 65 + b"]" * 65,
    "65 levels of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "half a million brackets": lambda: b"[" * (MIB // 2),
    "alternating depth": lambda: b'[{"a":' * (MIB // 8),
    "duplicate name": b'{"a": 1, "b": 2, "a": 3}',
    "duplicate name by an escape": b'{"a": 1, "\\u0061": 2}',
    "duplicate name deep inside": b'{"spec": [{"id": 1, "id": 2}]}',
    "invalid UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "a surrogate": b'{"a": "\xed\xa0\x80"}',
    "a lone surrogate by an escape": b'{"a": "\\ud800"}',
    "a byte-order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "NUL": b'{"a": 1}\x00{}',
    "a control character in a text": b'{"a": "\x1b"}',
    "open text": b'{"a": "x',
    "open text of a MiB": lambda: b'{"a": "' + b"x" * (MIB - 10),
    "open list": b"[1, 2",
    "open object": b'{"a": 1',
    "half an escape": b'{"a": "\\u12',
    "trailing value": b"{} {}",
    "trailing comma": b"[1, 2, ]",
    "a comment": b"{} // x",
    "single quotes": b"{'a': 1}",
    "nothing but blanks": lambda: b" " * (MIB - 1),
    "an integer beyond 2^53": b'{"a": 9007199254740993}',
    "an integer of 100,000 digits": lambda: b'{"a": ' + b"9" * 100000 + b"}",
    "a real that overflows": b'{"a": 1e999}',
    "a real with a huge exponent": lambda: b'{"a": 1e' + b"9" * 100000 + b"}",
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "hexadecimal": b'{"a": 0x10}',
    "a leading zero": b'{"a": 012}',
}

# Only where 4 MiB may be given: more values than a reader may hold, and texts that are wrong at their very end.
LARGE_JSON = {
    "millions of numbers": lambda: fill(b"1,", 4 * MIB, b"[", b"1]"),
    "millions of lists": lambda: fill(b"[],", 4 * MIB, b"[", b"1]"),
    "millions of objects": lambda: fill(b"{},", 4 * MIB, b"[", b"1]"),
    "millions of texts": lambda: fill(b'"",', 4 * MIB, b"[", b"1]"),
    "a million names": lambda: b"{" + b",".join(b'"%x":0' % number for number in range(1000000)) + b"}",
    "more than 16 MiB": lambda: b'"' + b"x" * (16 * MIB) + b'"',
    "open text of 4 MiB": lambda: b'"' + b"x" * (4 * MIB - 10),
    "4 MiB of brackets": lambda: b"[" * (4 * MIB),
    "4 MiB of blanks": lambda: b" " * (4 * MIB),
}


def made(text):
    return text() if callable(text) else text
