# SPDX-License-Identifier: Apache-2.0
"""Checks the appliance's signed statements with openssl and the standard library, by docs/formats/removals.md alone."""
import base64
import hashlib
import json
import os
import subprocess
import tempfile


def statement(path, public_key, predicate_type):
    """The in-toto Statement of a DSSE file after openssl verified its one signature; raises AssertionError otherwise."""
    with open(path, "rb") as handle:
        envelope = json.loads(handle.read())
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"], validate=True)
    assert kind == b"application/vnd.in-toto+json", kind
    (signature,) = envelope["signatures"]
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("message", pae), ("signature", base64.b64decode(signature["sig"], validate=True))):
            with open(os.path.join(folder, name), "wb") as handle:
                handle.write(data)
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", public_key, "-in", os.path.join(folder, "message"),
                               "-sigfile", os.path.join(folder, "signature")], capture_output=True, check=False)
    assert done.returncode == 0, f"{path}: {done.stdout!r} {done.stderr!r}"
    found = json.loads(payload)
    assert payload == canonical(found), "the payload is not in its canonical form"
    assert found["_type"] == "https://in-toto.io/Statement/v1" and found["predicateType"] == predicate_type, found
    return found


def canonical(value):
    """RFC 8785 for what these records hold: texts, whole numbers, booleans."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def removal(path, public_key):
    """A removal's record and stage, with its subjects compared."""
    found = statement(path, public_key, "urn:stella:removal:v1")
    record, stage = found["predicate"]["record"], found["predicate"]["stage"]
    digest = hashlib.sha256(canonical(record)).hexdigest()
    run, named = found["subject"]
    assert (run["name"], named["name"]) == (record["run"], "record"), found["subject"]
    assert named["digest"] == {"sha256": digest}, found["subject"]
    assert run["digest"] == {"sha256": record["head"] if stage == "run" else digest}, found["subject"]
    return stage, record


def chain(folder, public_key):
    """The records of whole runs in order; each names the one before it."""
    records, prev = [], "0" * 64
    for number, name in enumerate(sorted(name for name in os.listdir(folder) if name.startswith("run-")), 1):
        stage, record = removal(os.path.join(folder, name), public_key)
        assert (stage, record["number"], record["prev"]) == ("run", number, prev), record
        prev = hashlib.sha256(canonical(record)).hexdigest()
        records.append(record)
    return records
