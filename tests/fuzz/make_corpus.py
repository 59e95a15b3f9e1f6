#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seed corpus beside this file: good, bad and hostile inputs, named after what they are.

    make_corpus.py [STELLA-BINARY]     the binary makes the whole packs; without it those are left as they are
"""
import base64
import gzip
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def put(target, name, data):
    os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    with open(os.path.join(CORPUS, target, name), "wb") as handle:
        handle.write(data if isinstance(data, bytes) else data.encode())


def json_seeds():
    seeds = {
        "good-nested": '{"a":[1,2.5,{"b":null}],"c":"\\u00e9\\ud83d\\ude00","d":true}', "good-numbers": "[0,-0,1e21,1E-7,9007199254740991,0.1]",
        "good-escapes": '"\\b\\t\\n\\f\\r\\"\\\\\\/\\u0000"', "bad-duplicate": '{"a":1,"a":2}', "bad-escaped-duplicate": '{"a":1,"\\u0061":2}',
        "bad-trailing": "{} {}", "bad-comma": "[1,]", "bad-nan": "[NaN]", "bad-infinity": "1e999", "bad-integer": "9007199254740993",
        "bad-lone-surrogate": '"\\ud800"', "bad-single-quotes": "{'a':1}", "bad-comment": "[1] // x", "bad-leading-zero": "[01]",
        "hostile-depth": "[" * 5000 + "]" * 5000, "hostile-objects": '{"a":' * 500, "hostile-digits": "1" * 5000, "empty": ""}
    for name, text in seeds.items():
        put("json", name, text)
    put("json", "bad-utf8", b'"\xc0\x80"')
    put("json", "bad-bom", b"\xef\xbb\xbf{}")


def http_seeds():
    head = b'--B\r\nContent-Disposition: form-data; name="x"; filename="y"\r\n\r\n'
    seeds = {
        "good-target": b"t/api/runs/run%3Aplant-7%3A20261123T165433120Z?state=waiting&limit=5", "good-root": b"t/",
        "bad-dots": b"t/api/%2e%2e/x", "bad-percent": b"t/%", "bad-utf8": b"t/%ff", "bad-nul": b"t/%00", "bad-slash": b"t/a%2fb",
        "hostile-pairs": b"t/a?" + b"x=1&" * 100, "hostile-long": b"t/" + b"a" * 9000, "good-form": b"ftoken=a+b&next=%2Fconsole",
        "bad-form": b"fa=%zz", "good-multipart": b"m" + head + b"abc\r\n--B--\r\n", "bad-cut": b"m" + head + b"abc",
        "bad-head": b"m--B\r\nnothing\r\n\r\n\r\n--B--", "hostile-parts": b"m" + (head + b"\r\n") * 40 + b"--B--",
        "good-cookie": b"ca=1; s=2", "bad-cookie": b"cs; s=1; s=2", "good-mark": b"i3.81920.512", "bad-mark": b"i99999999999999999999.1",
        "good-run": b'r{"pack":"a:1.0.0","inputs":{"x":1},"planHash":"sha256:00"}', "bad-option": b'r{"pack":"--home"}', "bad-more": b'r{"pack":"a","b":1}',
        "bad-response": b'p{"payload":"e30=","payloadType":"x","signatures":[]}', "empty": b""}
    for name, data in seeds.items():
        put("http", name, data)


def yaml_seeds():
    bomb = "a: &a [x, x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi"))
    seeds = {
        "good-pack": "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: a, version: 1.0.0}\nspec:\n  steps:\n    - id: x\n"
                     "      run:\n        script: |\n          echo hello\n          echo you\n",
        "good-flow": '{a: [1, 2.5, "x", \'y\', ~, no, 012], "b": {c: >-\n  folded\n  text\n}}', "good-document": "---\na: 1\n...\n",
        "bad-duplicate": "a: 1\na: 2\n", "bad-anchor": "a: &x 1\n", "bad-alias": "a: *x\n", "bad-tag": "a: !!str 1\n", "bad-merge": "<<: {a: 1}\n",
        "bad-documents": "a: 1\n---\nb: 2\n", "bad-directive": "%YAML 1.1\n---\na: 1\n", "bad-key": "? [a]\n: 1\n", "bad-tab": "a:\n\tb: 1\n",
        "bad-self-alias": "&a [*a]\n", "bad-quote": 'a: "x\n', "hostile-bomb": bomb, "hostile-depth": "[" * 3000, "hostile-keys": "? " * 3000,
        "hostile-dashes": "- " * 3000, "hostile-colons": "a: " * 2000, "hostile-escape": 'a: "\\0\\ud800\\U00110000"', "empty": "",
        "comment": "# nothing\n",
        "hostile-empty-lines": "a: |\n" + " \n" * 250, "bad-return": "a: 1\rb: 2\n", "good-return": "a: 1\r\nb: 2\r\n",
        "hostile-quoted-name": "  :{aa: [0, " + "'" * 52 + "2.5y~, n\"b\": ~,/kcaPmetaaaaa: [0, 2Y[.5y~, n\"b\": ~, nt\n}}"}
    for name, text in seeds.items():
        put("yaml", name, text)
    put("yaml", "bad-utf8", b"a: \xff\n")
    put("yaml", "bad-nul", b"a: b\0c\n")


PACK_HEAD = "apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: fuzz, version: 1.0.0}\nspec:\n"
MANIFEST_SEEDS = {
    "good-dynamic": "  steps:\n    - {id: a, run: {command: [echo]}, outputs: {l: array}}\n"
                    "    - {id: m, map: {items: \"${{ steps.a.outputs.l }}\", iterator: x, steps: [{id: n, loop: {items: \"${{ x.b }}\", steps: "
                    "[{id: o, run: {command: [echo, \"${{ item }}\"]}}]}}]}}\n",
    "good-map-percent": "  steps: [{id: m, map: {items: [1, 2, {a: b}], maxFailures: 10%, failFast: true, steps: [{id: o, run: {command: [echo, \"${{ item }}\"]}}]}}]\n",
    "good-needs": "  maxParallel: 2\n  steps:\n    - {id: a, run: {command: [x]}}\n    - {id: b, needs: [], run: {command: [x]}}\n    - {id: c, needs: [a, b], run: {command: [x]}}\n",
    "bad-needs-forward": "  steps: [{id: a, needs: [b], run: {command: [x]}}, {id: b, needs: [a], run: {command: [x]}}]\n",
    "bad-needs-self": "  steps: [{id: a, needs: [a], run: {command: [x]}}]\n",
    "bad-same-id": "  steps: [{id: a, run: {command: [x]}}, {id: a, run: {command: [x]}}]\n",
    "bad-two-kinds": "  steps: [{id: a, run: {command: [x]}, map: {items: [], steps: []}}]\n",
    "bad-hidden-name": "  steps: [{id: m, map: {items: [1], iterator: inputs, steps: [{id: m, run: {command: [x]}}]}}]\n",
    "bad-secret": "  secrets: [{name: s, scope: x}]\n  steps: [{id: a, when: \"secrets.s == 'x'\", run: {command: [\"${{ secrets.s }}\"]}}]\n",
    "bad-hole": "  steps: [{id: a, run: {command: [\"${{ a[ }}\", \"${{ }}\", \"${{\"]}}]\n",
    "bad-durations": "  steps: [{id: a, run: {command: [x], timeout: PT999999999999H}}, {id: l, loop: {range: [1, 5], delay: -1s, until: x, steps: []}}]\n",
    "hostile-range": "  steps: [{id: l, loop: {range: [-9007199254740991, 9007199254740991], maxIterations: 100000, steps: [{id: a, run: {command: [x]}}]}}]\n",
    "hostile-product": "  steps: [{id: a, loop: {range: [1, 1000], steps: [{id: b, loop: {range: [1, 1000], steps: [{id: c, loop: {range: [1, 1000], steps: "
                       "[{id: d, run: {command: [x]}}]}}]}}]}}]\n",
    "hostile-nesting": "  steps: " + "[{id: a, parallel: {steps: " * 20 + "[]" + "}}]" * 20 + "\n",
    "hostile-retries": "  steps: [{id: a, run: {command: [x], retries: {maxAttempts: 1e9, backoffSeconds: 1e308, factor: 1e308, jitter: 2, on: [\"exit:0\", \"exit:256\", \"exit:\"]}}}]\n",
}


def manifest_seeds():
    """What is said in docs/pack-reference.md, the example packs, and what no pack may say."""
    docs = os.path.join(CORPUS, "..", "..", "..", "docs")
    with open(os.path.join(docs, "pack-reference.md"), encoding="utf-8") as handle:
        examples = re.findall(r"```yaml\n(.*?)```", handle.read(), re.DOTALL)
    for number, text in enumerate(examples):
        whole = text if text.startswith("apiVersion") else PACK_HEAD + "".join("  " + line + "\n" for line in text.splitlines())
        put("pack", f"good-reference-{number}", whole)
    for name in sorted(os.listdir(os.path.join(docs, "examples", "packs"))):
        with open(os.path.join(docs, "examples", "packs", name, "pack.yaml"), encoding="utf-8") as handle:
            put("pack", f"good-{name}", handle.read())
    for name, text in MANIFEST_SEEDS.items():
        put("pack", name, PACK_HEAD + text)


def member(name, kind=tarfile.REGTYPE, data=b"", mode=0o644, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.linkname = kind, len(data), mode, link
    return info, data


def tar_of(*members, form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def archive_seeds():
    good = tar_of(member("docs", tarfile.DIRTYPE, mode=0o755), member("docs/a.md", data=b"hello"), member("b.sh", data=b"x" * 700, mode=0o755))
    seeds = {
        "good": good, "good-pax": tar_of(member("a" * 120 + "/\u00fcber", data=b"x"), form=tarfile.PAX_FORMAT),
        "good-gnu-long-name": tar_of(member("b" * 150, data=b"x"), form=tarfile.GNU_FORMAT), "bad-truncated": good[:900],
        "bad-no-end": good[:2560], "bad-trailing": good + b"x" * 512, "bad-two": good + good, "hostile-absolute": tar_of(member("/etc/passwd")),
        "hostile-parent": tar_of(member("../x")), "hostile-symlink": tar_of(member("l", tarfile.SYMTYPE, link="/etc")),
        "hostile-hardlink": tar_of(member("l", tarfile.LNKTYPE, link="b")), "hostile-device": tar_of(member("d", tarfile.CHRTYPE)),
        "hostile-fifo": tar_of(member("f", tarfile.FIFOTYPE)), "hostile-setuid": tar_of(member("s", mode=0o4755)),
        "hostile-duplicate": tar_of(member("a"), member("a")), "hostile-case": tar_of(member("Readme"), member("README")),
        "hostile-file-as-folder": tar_of(member("a"), member("a/b")), "hostile-size": good[:636] + b"77777777777" + good[647:],
        "hostile-zeros": b"\0" * 8192, "hostile-not-composed": tar_of(member("cafe\u0301")), "empty": b""}
    info, data = member("sparse", data=b"x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "99999999"}
    seeds["hostile-sparse"] = tar_of((info, data), form=tarfile.PAX_FORMAT)
    for name, bytes_ in seeds.items():
        put("archive", name, bytes_)


def envelope_seeds():
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "a:1", "digest": {"sha256": "0" * 64}}],
                            "predicateType": "urn:stella:pack:v1", "predicate": {"name": "a", "version": "1"}}, separators=(",", ":"))
    signature = {"keyid": "0" * 64, "sig": base64.b64encode(bytes(64)).decode()}

    def envelope(**changes):
        whole = {"payloadType": "application/vnd.in-toto+json", "payload": base64.b64encode(statement.encode()).decode(),
                 "signatures": [signature]}
        whole.update(changes)
        return json.dumps(whole)
    seeds = {"good": envelope(), "good-two": envelope(signatures=[signature, signature]), "bad-none": envelope(signatures=[]),
             "bad-extra": envelope(extra=1), "bad-short": envelope(signatures=[{"keyid": "", "sig": "AAAA"}]), "bad-base64": envelope(payload="a*b="),
             "bad-bits": envelope(payload="QQ==".replace("Q=", "R=")), "bad-type": envelope(payloadType="text/plain"),
             "bad-statement": envelope(payload=base64.b64encode(b"{}").decode()), "bad-many": envelope(signatures=[signature] * 65), "empty": ""}
    for name, text in seeds.items():
        put("envelope", name, text)


def document_seeds():
    digest = "sha256:" + "0" * 64
    config = {"files": [{"mode": "0644", "path": "pack.yaml", "sha256": "0" * 64, "size": 1}], "layers": [digest], "name": "a",
              "schema": "stella.pack.config.v1", "version": "1"}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "application/vnd.stella.pack.v1",
                "config": {"mediaType": "application/vnd.stella.pack.config.v1+json", "digest": digest, "size": 1}, "layers": []}
    index = {"schemaVersion": 2, "manifests": [{"mediaType": manifest["mediaType"], "digest": digest, "size": 1}]}

    def canonical(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    put("packfile", "config-good", "c" + canonical(config))
    put("packfile", "config-parent", "c" + canonical(config).replace("pack.yaml", "../up"))
    put("packfile", "config-layers", "c" + canonical(config | {"layers": [digest, digest]}))
    put("packfile", "manifest-good", "m" + canonical(manifest))
    put("packfile", "manifest-other", "m" + canonical(manifest | {"artifactType": "x"}))
    put("packfile", "index-good", "i" + canonical(index))
    put("packfile", "index-two", "i" + canonical(index | {"manifests": index["manifests"] * 2}))
    put("packfile", "ignore-good", "g# comment\n*.tmp\n/build/\ndocs/*.draft\n")
    put("packfile", "ignore-hostile", "g!x\n" + "*" * 500 + "\n[" + "a" * 100)


def expression_seeds():
    seeds = {
        "good-path": "inputs.cells[-1].plc[1][0]", "good-quoted": 'steps."a-b".exit == `0` && !(inputs."dry")', "good-raw": "'it\\'s \\n' != ''",
        "good-literal": '`{"a": [1, 2.5, null, "\\u00e9"]}`.a[1:]', "good-filter": "inputs.cells[?load > `2.7` || name == 'b'].[name, @]",
        "good-slice": "inputs.cells[::-1].plc[]", "good-values": "steps.*.{s: state, e: exit}", "good-pipe": "inputs | cells | [*].load | sum(@)",
        "good-sort": "sort_by(inputs.cells, &load)[*].name", "good-map": "map(&to_string(@), inputs.cells[0].plc)",
        "good-functions": "[abs(`-1`), join('-', keys(steps)), length('\u00e9'), not_null(run.x, run.id), type(@), to_number('1e3'), reverse('ab')]",
        "good-template": "a ${{ inputs.site }}-${{ {a: {b: run.id}} }} b", "good-lone-template": "${{ inputs.cells[*].name }}",
        "bad-arity": "length(run, steps)", "bad-function": "lenght(run)", "bad-type": "abs(run)", "bad-step": "inputs.cells[::0]", "bad-end": "inputs.",
        "bad-literal": "`{`", "bad-template": "${{ inputs", "bad-infinite": "sum(`[1e308, 1e308]`)", "empty": "",
        "hostile-doubling": "[run,run]" + " | [@,@]" * 60, "hostile-depth": "(" * 2000, "hostile-not": "!" * 4000, "hostile-list": "[" * 300 + "@" + "]" * 300,
        "hostile-projections": "inputs" + ".*" * 400, "hostile-deep-result": "[run]" + " | [@]" * 100, "hostile-index": "inputs.cells[99999999999999999999]",
        "hostile-map": "map(&" * 9 + "@" + ", `[1,1,1,1,1,1,1,1]`)" * 9, "hostile-join": "to_string(run)" + " | join(@, [@,@,@])" * 30,
        "hostile-surrogate": '"\\ud800"', "hostile-nul": "'a\0b'"}
    for name, text in seeds.items():
        put("expression", name, text)
    put("expression", "bad-utf8", b"'\xff'")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def record(kind, ident, payload, stream=0, millis=1795453200000):
    rest = struct.pack("<IBBHIq", len(payload), kind, stream, 0, ident, millis) + payload
    return struct.pack("<I", crc32c(rest)) + rest


def log_seeds():
    magic, index_magic = b"stella.log.v1\n\0\0", b"stella.idx.v1\n\0\0"
    declared = record(1, 1, struct.pack("<QQI", 0, 0, 1) + b"flash[3]::one")
    text, end = record(2, 1, b"one\ntwo\n", 1), record(3, 1, struct.pack("<QQ", 8, 2))
    whole = magic + declared + text + end
    fields = struct.pack("<QIII", 1, 1, 1, 1), struct.pack("<QQQq", 16, 0, 0, 1795453200000)
    entry = fields[0] + struct.pack("<I", crc32c(fields[0] + fields[1])) + fields[1]
    beyond = struct.pack("<QQQq", 1 << 60, 0, 0, 1795453200000)
    far = fields[0] + struct.pack("<I", crc32c(fields[0] + beyond)) + beyond
    seeds = {"good": (b"", whole), "good-index": (index_magic + entry, whole), "good-empty": (b"", magic), "bad-index-place": (index_magic + far, whole),
             "bad-index-crc": (index_magic + entry[:-1] + b"x", whole), "bad-index-order": (index_magic + far + entry, whole),
             "bad-torn-head": (b"", whole[:-30]), "bad-torn-payload": (b"", whole[:-3]), "bad-crc": (b"", whole[:60] + b"!" + whole[61:]),
             "bad-zeros": (b"", whole + bytes(200)), "bad-magic": (b"", b"x" * 64), "bad-zero-file": (b"", bytes(64)), "bad-stray": (b"", magic + text),
             "bad-kind": (b"", magic + record(4, 1, b"")), "bad-id": (b"", magic + record(1, 0xFFFFFFFF, struct.pack("<QQI", 0, 0, 1) + b"a")),
             "bad-length": (b"", magic + struct.pack("<II", 0, 0xFFFFFFFF) + bytes(100)), "bad-end": (b"", magic + declared + record(3, 1, b"x")),
             "hostile-offset": (b"", magic + record(1, 1, struct.pack("<QQI", (1 << 64) - 1, 0, 1) + b"a") + text),
             "hostile-name": (b"", magic + record(1, 1, struct.pack("<QQI", 0, 0, 1) + b"../" * 1000) + text), "empty": (b"", b"")}
    for name, (index, chunk) in seeds.items():
        put("logs", name, struct.pack("<H", len(index)) + index + chunk)


def schema_seeds():
    def pair(schema, value):
        return json.dumps({"schema": schema, "value": value})
    seeds = {
        "good-object": pair({"type": "object", "properties": {"a": {"type": "string", "pattern": "^\\p{L}+$"}}, "required": ["a"]}, {"a": "x"}),
        "good-unevaluated": pair({"allOf": [{"properties": {"a": True}}], "unevaluatedProperties": False}, {"a": 1, "b": 2}),
        "good-dynamic": pair({"$id": "t", "$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}, "type": "array"}, [[[]], 1]),
        "good-formats": pair({"anyOf": [{"format": f} for f in ("date-time", "duration", "email", "ipv6", "uri", "regex")]}, "2026-01-01T00:00:60Z"),
        "good-metaschema": pair({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"minLength": -1}),
        "good-numbers": pair({"multipleOf": 1e-300, "uniqueItems": True, "items": {"multipleOf": 0.01}}, [1e308, 19.99, 1]),
        "bad-reference": '{"$ref": "#/none"}', "bad-anchor": '{"$ref": "#x"}', "bad-remote": '{"$ref": "//host/%zz"}', "bad-type": '{"type": 5}',
        "bad-look-ahead": '{"pattern": "(?=x)"}', "bad-class": '{"pattern": "[a-\\\\d-"}', "hostile-circle": '{"$ref": "#"}',
        "hostile-circle-of-two": pair({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, 1),
        "hostile-doubling": pair({"$defs": {f"a{i}": {"anyOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(30)} | {"a30": False},
                                  "$ref": "#/$defs/a0"}, 1),
        "hostile-repeats": '{"pattern": "((a{100}){100}){100}"}', "hostile-depth": '{"not":' * 500, "empty": ""}
    for name, text in seeds.items():
        put("schema", name, text)


def pack_seeds(stella):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "steps"))
        with open(os.path.join(folder, "pack.yaml"), "w", encoding="utf-8") as handle:
            handle.write("apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: seed, version: 1.0.0}\n"
                         "spec:\n  steps:\n    - {id: say, run: {command: [echo, hello]}}\n")
        key, pack = os.path.join(folder, "steps", "k.pack"), os.path.join(folder, "seed.pack")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        os.chmod(key, 0o600)
        os.rename(key, os.path.join(folder, "key.pack"))  # *.pack at the root stays out of the pack
        subprocess.run([stella, "pack", "build", folder, "--key", os.path.join(folder, "key.pack"), "--out", pack], check=True)
        with open(pack, "rb") as handle:
            data = handle.read()
    put("packfile", "pack-good", b"t" + data)
    put("packfile", "pack-truncated", b"t" + data[: len(data) // 2])
    put("packfile", "pack-edited", b"t" + data.replace(b"hello", b"hallo"))


def image_seeds():
    """A first byte for what it is: t, g, z a layer's packing, m a manifest, c a config."""
    def tar(*entries):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for info, data in entries:
                archive.addfile(info, io.BytesIO(data))
        return out.getvalue()
    link, hard, folder = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE
    layers = {
        "good": tar(member("./bin/", folder), member("bin/a", data=b"x"), member("b", link, link="bin"), member("b/c", data=b"y"), member("d", hard, link="bin/a")),
        "whiteouts": tar(member("a/b", data=b"x"), member("a/.wh..wh..opq"), member("a/.wh.b"), member(".wh.a"), member("a/c/d", data=b"z")),
        "escapes": tar(member("l", link, link="../../etc"), member("l/passwd", data=b"x")), "parent": tar(member("../x", data=b"x")),
        "circle": tar(member("a", link, link="b"), member("b", link, link="a"), member("a/x")), "hard-missing": tar(member("a", hard, link="/etc/passwd")),
        "devices": tar(member("dev/sda", tarfile.BLKTYPE), member("p", tarfile.FIFOTYPE)), "beneath-a-file": tar(member("f", data=b"x"), member("f/g")),
        "bad-whiteout": tar(member(".wh...")), "dot": tar(member("./", folder), member("./.wh..", folder))}
    for name, data in layers.items():
        put("image", "layer-" + name, b"t" + data)
        put("image", "gzip-" + name, b"g" + gzip.compress(data, mtime=0))
    put("image", "gzip-cut", b"g" + gzip.compress(layers["good"], mtime=0)[:60])
    digest = "sha256:" + "0" * 64
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": 1}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2}
    put("image", "manifest-good", "m" + json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}))
    put("image", "manifest-index", "m" + json.dumps({"schemaVersion": 2, "manifests": [{"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}}]}))
    put("image", "config-good", "c" + json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [digest]}, "config": {"Env": ["A=b"]}}))
    put("image", "config-bad-env", "c" + json.dumps({"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}, "config": {"Env": ["=b", 1]}}))


def mirror_seeds(stella):
    """A published bundle's files, and what each would be with one thing wrong."""
    with tempfile.TemporaryDirectory() as folder:
        def run(*args):
            subprocess.run([stella, "--home", os.path.join(folder, "home"), *args], check=True, capture_output=True, cwd=folder)
        os.makedirs(os.path.join(folder, "pack"))
        os.makedirs(os.path.join(folder, "stick"))
        with open(os.path.join(folder, "pack", "pack.yaml"), "w", encoding="utf-8") as handle:
            handle.write("apiVersion: stellaops.io/pack.v1\nkind: TaskPack\nmetadata: {name: tool, version: 1.0.0}\n"
                         "spec: {steps: [{id: a, run: {command: [echo]}}]}\n")
        roles = ("targets", "snapshot", "timestamp", "stable")
        for name in ("root", *roles):
            run("key", "new", "--out", name + ".key", "--no-passphrase")
        run("pack", "build", "pack", "--out", "tool.pack")
        keys = [part for role in roles for part in ("--role-key", f"{role}={role}.key")]
        run("mirror", "init", "mirror", "--name", "m", "--root-key", "root.key", "--threshold", "1", *keys)
        run("mirror", "add", "mirror", "tool.pack")
        run("mirror", "publish", "mirror", "--to", "stick")
        bundle = os.path.join(folder, "stick", "STELLA-MIRROR", "m-g1")
        for name in ("1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json", "1.stable.json"):
            with open(os.path.join(bundle, "metadata", name), encoding="utf-8") as handle:
                text = handle.read()
            put("mirror", "good-" + name, text)
            put("mirror", "bad-version-" + name, text.replace('"version":1', '"version":-1'))
            put("mirror", "bad-extra-" + name, text.replace('"_type"', '"_kind":1,"_type"'))
        with open(os.path.join(bundle, "data", "index.jsonl"), encoding="utf-8") as handle:
            index = handle.read()
        put("mirror", "good-index", index)
        put("mirror", "bad-index-gap", index.replace('"offset":512', '"offset":1024'))
        put("mirror", "bad-index-size", index.replace('"size":', '"size":9007199254740991'))
        with tarfile.open(os.path.join(bundle, "data", "0001.tar")) as tar:
            put("mirror", "good-manifest", tar.extractfile(tar.next()).read())


def service_seeds():
    request = {"schema": "stella.service-request.v1", "arguments": ["pack", "run", "--bundle", "a.pack"], "folder": "/home/ana", "term": "xterm", "noColour": False}
    wish = {"wish": "write", "path": "/home/ana/plan.json", "mode": 420, "replace": True}
    error = {"error": {"code": "ERR_USAGE", "reason": "frame", "message": "no", "at": "", "fix": "ask"}}
    for name, value in {"good-request": request, "good-wish": wish, "good-answer": {"exit": 7, "signal": 0}, "good-error": error, "good-signal": {"signal": "INT"},
                        "good-fulfilled": {"fulfilled": True}, "bad-uid": dict(request, uid=0), "bad-folder": dict(request, folder="home"),
                        "bad-nul": dict(request, arguments=["a\0b"]), "bad-term": dict(request, term="a\nb"), "bad-code": {"error": dict(error["error"], code="ERR_NONE")},
                        "hostile-arguments": dict(request, arguments=["x"] * 4000), "bad-mode": dict(wish, mode=2541)}.items():
        put("service", name, json.dumps(value))


def ansi_seeds():
    esc = b"\x1b"
    seeds = {
        "good-plain": b"42 controllers rolled", "good-colours": esc + b"[1;31mfailed" + esc + b"[0m, " + esc + b"[32mdone" + esc + b"[m",
        "good-bright": esc + b"[97;104mx" + esc + b"[39;49my", "good-256": esc + b"[38;5;208mx" + esc + b"[48;5;21my" + esc + b"[38;5;240mz",
        "good-24-bits": esc + b"[38;2;255;128;0mx" + esc + b"[48:2:1:2:3my", "good-styles": esc + b"[2;3;4;7;9mx" + esc + b"[22;23;24;27;29my",
        "good-progress": b"10 %\r50 %\r100 %\r\r", "good-title": esc + b"]0;title\x07x" + esc + b"]8;;http://example.org" + esc + b"\\y",
        "good-utf8": "Prüfung – 检查 ✓".encode(), "bad-utf8": b"a\xc0\x80\xff" + esc + b"[1m\xe2\x82", "bad-cut": b"x" + esc, "bad-bracket": b"x" + esc + b"[",
        "bad-csi": esc + b"[1;\x01mx", "bad-osc": esc + b"]0;never ends", "bad-numbers": esc + b"[99999999999999999999;38;5mx" + esc + b"[38;2;1mx" + esc + b"[48;5;256my",
        "bad-controls": bytes(range(32)) + b"\x7f\x80\x9b31m", "hostile-markup": esc + b"[1m<script>alert('&\"')</script>" + esc + b"[0m</span><b onclick=x>",
        "hostile-bidi": "a\u202eb\u200bc\ufeffd".encode(), "hostile-switches": (esc + b"[1mx" + esc + b"[0m") * 900, "hostile-parameters": esc + b"[" + b"1;" * 2000 + b"mx",
        "hostile-long": b"x" * 9000, "hostile-unseen": b"\x01" * 4096, "empty": b""}
    for name, data in seeds.items():
        put("ansi", name, data)


if __name__ == "__main__":
    ansi_seeds()
    json_seeds()
    http_seeds()
    yaml_seeds()
    manifest_seeds()
    archive_seeds()
    envelope_seeds()
    document_seeds()
    expression_seeds()
    image_seeds()
    log_seeds()
    schema_seeds()
    service_seeds()
    if len(sys.argv) > 1:
        pack_seeds(sys.argv[1])
        mirror_seeds(os.path.abspath(sys.argv[1]))
