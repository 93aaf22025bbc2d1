"""Container images without a container engine.

An image is one layer, its config and a manifest, in the layout that `docker
save` writes, made by tarfile. Everything is deterministic (order, owners,
times), so equal inputs give equal bytes, and so equal digests.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Entry:
    """Put one thing at a path of the image: a file, inline text, a link or a directory."""

    path: str
    source: Path | None = None
    text: str | None = None
    link: str | None = None
    mode: int = 0o755

    def content(self) -> bytes:
        """Return what the file holds."""
        if self.source is not None:
            return self.source.read_bytes()
        return (self.text or "").encode()


@dataclass(frozen=True, slots=True)
class Image:
    """Describe one image."""

    name: str
    entries: tuple[Entry, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    workdir: str = "/"
    port: int | None = None


def _info(entry: Entry) -> tuple[tarfile.TarInfo, bytes]:
    info, content = tarfile.TarInfo(entry.path.lstrip("/")), b""
    info.mode = entry.mode
    if entry.link is not None:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
    elif entry.source is None and entry.text is None:
        info.type = tarfile.DIRTYPE
    else:
        content = entry.content()
        info.size = len(content)
    return info, content


def _parents(entries: Sequence[Entry]) -> list[Entry]:
    given = {entry.path.rstrip("/") for entry in entries}
    wanted = {str(parent) for entry in entries for parent in Path(entry.path).parents}
    return [Entry(path) for path in sorted(wanted - given - {"/", "."})]


def layer(entries: Sequence[Entry]) -> bytes:
    """Write the image's only layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in (*_parents(entries), *entries):
            info, content = _info(entry)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def config(image: Image, layer_digest: str) -> bytes:
    """Write the image's config."""
    runtime: dict[str, object] = {
        "Cmd": list(image.command),
        "Env": [f"{key}={value}" for key, value in sorted(image.environment.items())],
        "WorkingDir": image.workdir,
    }
    if image.port is not None:
        runtime["ExposedPorts"] = {f"{image.port}/tcp": {}}
    described = {
        "architecture": "amd64",
        "os": "linux",
        "created": _EPOCH,
        "config": runtime,
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created": _EPOCH, "created_by": "devcluster"}],
    }
    return json.dumps(described, sort_keys=True).encode()


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """Write images into one archive that `ctr images import` and `docker load` read."""
    manifest, seen = [], set[str]()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for image in images:
            data = layer(image.entries)
            digest = hashlib.sha256(data).hexdigest()
            described = config(image, digest)
            files = {
                f"{digest}/layer.tar": data,
                f"{hashlib.sha256(described).hexdigest()}.json": described,
            }
            for name in files.keys() - seen:
                _add(archive, name, files[name])
            seen |= files.keys()
            layer_name, config_name = files
            manifest.append(
                {"Config": config_name, "RepoTags": [image.name], "Layers": [layer_name]}
            )
        _add(archive, "manifest.json", json.dumps(manifest).encode())


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
