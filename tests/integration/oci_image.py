# SPDX-License-Identifier: Apache-2.0
"""Makes small OCI images out of nothing but python and this machine's static busybox."""
import gzip
import hashlib
import io
import json
import os
import platform
import tarfile

BUSYBOX = next((path for path in ("/usr/bin/busybox", "/bin/busybox") if os.path.exists(path)), None)
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
LAYER = "application/vnd.oci.image.layer.v1.tar"


def layer(entries):
    """A tar: (path, content) for a file, (path, None) for a folder, (path, "->", target) for a link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, *what in entries:
            info = tarfile.TarInfo(path)
            info.mode, info.mtime = 0o755, 1700000000
            data = b""
            if what[0] is None:
                info.type = tarfile.DIRTYPE
            elif what[0] == "->":
                info.type, info.linkname = tarfile.SYMTYPE, what[1]
            else:
                data = what[0] if isinstance(what[0], bytes) else what[0].encode()
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def busybox_layer(*programs):
    with open(BUSYBOX, "rb") as handle:
        tool = handle.read()
    return layer([("bin/", None), ("bin/busybox", tool)] + [("bin/" + name, "->", "busybox") for name in programs])


def write(folder, layers, env=(), tag="latest"):
    """Writes the layout (layers packed with gzip, the last one plain) and returns the manifest's digest."""
    blobs = os.path.join(folder, "blobs", "sha256")
    os.makedirs(blobs, exist_ok=True)

    def put(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as handle:
            handle.write(data)
        return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data)}

    stored = [put(gzip.compress(tar, mtime=0), LAYER + "+gzip") for tar in layers[:-1]] + [put(layers[-1], LAYER)]
    config = put(json.dumps({"created": "2026-01-01T00:00:00Z", "architecture": MACHINE, "os": "linux",
                             "config": {"Env": list(env), "Cmd": ["/bin/sh"]},
                             "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest() for tar in layers]},
                             "history": [{"created_by": "oci_image.py"} for _ in layers]}).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                               "layers": stored}).encode(), "application/vnd.oci.image.manifest.v1+json")
    for name, document in (("oci-layout", {"imageLayoutVersion": "1.0.0"}),
                           ("index.json", {"schemaVersion": 2, "manifests": [
                               {**manifest, "annotations": {"org.opencontainers.image.ref.name": tag}}]})):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as handle:
            json.dump(document, handle)
    return manifest["digest"]
