#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a forger would do to a bag, for the demo and the tests.

    tamper.py flip FILE                 flips one bit of the byte in the middle of FILE
    tamper.py sign-again BAG KEY.pem    signs the bag's statement again with another Ed25519 key (PKCS#8 PEM)
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile


def flip(path):
    """An empty file gets a byte instead."""
    with open(path, "r+b") as handle:
        if os.path.getsize(path) == 0:
            handle.write(b"\0")
            return
        handle.seek(os.path.getsize(path) // 2)
        byte = handle.read(1)[0]
        handle.seek(-1, os.SEEK_CUR)
        handle.write(bytes([byte ^ 1]))


def sign_again(bag, key):
    path = os.path.join(bag, "SHA256SUMS.dsse.json")
    with open(path, encoding="utf-8") as handle:
        envelope = json.load(handle)
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    pae = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    with tempfile.NamedTemporaryFile() as message:
        message.write(pae)
        message.flush()
        raw = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message.name], check=True, stdout=subprocess.PIPE).stdout
    public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True, stdout=subprocess.PIPE).stdout
    envelope["signatures"] = [{"keyid": hashlib.sha256(public).hexdigest(), "sig": base64.b64encode(raw).decode()}]
    with open(path, "w", encoding="utf-8") as handle:
        json.dump(envelope, handle, sort_keys=True, separators=(",", ":"))


if __name__ == "__main__":
    {"flip": flip, "sign-again": sign_again}[sys.argv[1]](*sys.argv[2:])
