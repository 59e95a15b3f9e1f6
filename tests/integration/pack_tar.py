# SPDX-License-Identifier: Apache-2.0
"""Pack files that no author's tool would build: the layout of a good one around another pack.yaml, digests and all."""
import hashlib
import io
import json
import tarfile


def _add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    tar.addfile(info, io.BytesIO(data))


def _tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            _add(tar, name, data)
    return out.getvalue()


def _canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _describe(descriptor, data):
    """Points a descriptor at these bytes; the blob's name in the layout."""
    digest = hashlib.sha256(data).hexdigest()
    descriptor.update({"digest": "sha256:" + digest, "size": len(data)})
    return "blobs/sha256/" + digest


def with_manifest(good, pack_yaml, out):
    """Rewrites `good`, a pack of nothing but its pack.yaml, with these bytes instead, unsigned, into `out`."""
    with tarfile.open(good) as tar:
        blobs = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}
    index = json.loads(blobs["index.json"])
    manifest = json.loads(blobs["blobs/sha256/" + index["manifests"][0]["digest"][7:]])
    config = json.loads(blobs["blobs/sha256/" + manifest["config"]["digest"][7:]])
    layer = _tar({"pack.yaml": pack_yaml})
    files = {"oci-layout": blobs["oci-layout"], "index.json": b"", _describe(manifest["layers"][0], layer): layer}
    config["files"][0].update({"size": len(pack_yaml), "sha256": hashlib.sha256(pack_yaml).hexdigest()})
    config["layers"] = [manifest["layers"][0]["digest"]]
    described = _canonical(config)
    files[_describe(manifest["config"], described)] = described
    described = _canonical(manifest)
    files[_describe(index["manifests"][0], described)] = described
    files["index.json"] = _canonical(index)
    with open(out, "wb") as handle:
        handle.write(_tar(files))
