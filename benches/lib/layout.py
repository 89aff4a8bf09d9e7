"""An OCI image layout of one raw layer: what crane and skopeo push. The layer is a hard link to the file."""
import hashlib
import json
import os

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


def write_layout(folder, blob):
    """Writes the layout of a file with tag `v1`, unless it is there."""
    if folder.exists():
        return
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    os.link(blob.path, blobs / blob.hex)
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [blob.digest]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": put(blobs, config, CONFIG_TYPE),
        "layers": [{"mediaType": LAYER_TYPE, "digest": blob.digest, "size": blob.size}],
    }
    tagged = put(blobs, manifest, MANIFEST_TYPE) | {"annotations": {"org.opencontainers.image.ref.name": "v1"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [tagged]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def put(blobs, document, media_type):
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}
