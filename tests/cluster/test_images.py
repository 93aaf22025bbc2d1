"""Images are written without an engine, byte for byte the same each time."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from devcluster import images, imagesets
from devcluster.images import Entry, Image

_IMAGE = Image(
    "localhost/thing:1",
    (
        Entry("/bin/thing", text="#!/bin/sh\n"),
        Entry("/bin/other", link="thing"),
        Entry("/tmp", mode=0o1777),
    ),
    command=("/bin/thing",),
    environment={"B": "2", "A": "1"},
    workdir="/home",
    port=9898,
)


def test_a_layer_holds_entries_and_their_parent_directories() -> None:
    """Files, links, directories with their modes; parents come first."""
    with tarfile.open(fileobj=io.BytesIO(images.layer(_IMAGE.entries))) as archive:
        members = {member.name: member for member in archive}
    assert list(members) == ["bin", "bin/thing", "bin/other", "tmp"]
    assert members["bin"].isdir()
    assert members["bin/thing"].mode == 0o755
    assert members["bin/other"].linkname == "thing"
    assert members["tmp"].mode == 0o1777


def test_a_config_tells_how_to_run_the_image() -> None:
    """The container's command, environment, directory and port are in the config."""
    described = json.loads(images.config(_IMAGE, "abc"))
    assert described["config"] == {
        "Cmd": ["/bin/thing"],
        "Env": ["A=1", "B=2"],
        "ExposedPorts": {"9898/tcp": {}},
        "WorkingDir": "/home",
    }
    assert described["rootfs"]["diff_ids"] == ["sha256:abc"]


def test_an_archive_is_deterministic_and_consistent(tmp_path: Path) -> None:
    """Equal images give equal bytes, and every digest in the archive is true."""
    for name in ("one", "two"):
        images.write_archive(tmp_path / name, [_IMAGE, _IMAGE])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with tarfile.open(tmp_path / "one") as archive:
        files = {m.name: f.read() for m in archive if (f := archive.extractfile(m))}
    manifest = json.loads(files.pop("manifest.json"))
    assert [entry["RepoTags"] for entry in manifest] == [["localhost/thing:1"]] * 2
    config = json.loads(files[manifest[0]["Config"]])
    layer = files[manifest[0]["Layers"][0]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert (
        manifest[0]["Config"] == f"{hashlib.sha256(files[manifest[0]['Config']]).hexdigest()}.json"
    )


def test_shared_libraries_are_read_from_what_ldd_prints() -> None:
    """Resolved libraries and the loader count, the kernel's own page does not."""
    listing = (
        "\tlinux-vdso.so.1 (0x00007ffd)\n"
        "\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f01)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f02)\n"
    )
    assert imagesets.shared_libraries(listing) == (
        Path("/lib/x86_64-linux-gnu/libz.so.1"),
        Path("/lib64/ld-linux-x86-64.so.2"),
    )
