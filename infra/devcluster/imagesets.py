"""The images that every cluster of ours holds.

podinfo in five variants that differ in what a test can see: the stable one,
a good new one, one that starts and answers its probes but whose greeting says
"broken", one that also answers many requests with an error, and one that ends
at once. A toolbox with a shell, busybox's applets
and curl serves as test pod. pause holds each pod's namespaces.
"""

import hashlib
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devcluster import layout
from devcluster.errors import ClusterError
from devcluster.images import Entry, Image, write_archive
from devcluster.locks import held
from devcluster.recipes import PODINFO_VERSIONS
from devcluster.settings import PAUSE_IMAGE, PODINFO_REPOSITORY, TOOLBOX_IMAGE

_FORM = "1"
"""To be raised when what is made from equal inputs changes."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BUSYBOX = Path("/bin/busybox")
_CURL = Path("/usr/bin/curl")
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_BROKEN = "3.0.0"

_ACCOUNTS = (
    Entry("/etc/passwd", text="root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
    Entry("/etc/group", text="root:x:0:\nnogroup:x:65534:\n"),
    Entry("/etc/nsswitch.conf", text="hosts: files dns\n"),
    Entry("/tmp", mode=0o1777),
)


def shared_libraries(listing: str) -> tuple[Path, ...]:
    """Read the library paths from what ldd prints."""
    return tuple(sorted({Path(path) for path in re.findall(r"(/\S+) \(0x", listing)}))


def _output(*argv: str) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(argv)} failed: {done.stderr.strip()}")
    return done.stdout


def _shell() -> tuple[Entry, ...]:
    applets = _output(str(_BUSYBOX), "--list").split()
    links = tuple(Entry(f"/bin/{name}", link="busybox") for name in applets if name != "busybox")
    return (Entry("/bin/busybox", source=_BUSYBOX), *links, *_ACCOUNTS)


def _toolbox() -> Image:
    libraries = shared_libraries(_output("ldd", str(_CURL)))
    return Image(
        TOOLBOX_IMAGE,
        (
            *_shell(),
            Entry("/usr/bin/curl", source=_CURL),
            *(Entry(str(path), source=path) for path in libraries),
            Entry(str(_AUTHORITIES), source=_AUTHORITIES, mode=0o644),
        ),
        command=("sh",),
        environment={"PATH": _PATH},
    )


def _podinfo(build: Path, version: str, tag: str = "", **settings: str) -> Image:
    broken = {"UI_MESSAGE": "broken"} if version == _BROKEN else {}
    told = {f"PODINFO_{name}": value for name, value in (broken | settings).items()}
    return Image(
        f"{PODINFO_REPOSITORY}:{tag or version}",
        (
            Entry("/home/app/podinfo", source=build / f"podinfo-{version}"),
            Entry("/data", mode=0o1777),
            *_ACCOUNTS,
        ),
        command=("./podinfo",),
        environment={"PATH": _PATH} | told,
        workdir="/home/app",
        port=9898,
    )


_CRASH = """#!/bin/sh
echo 'podinfo: cannot start' >&2
exit 1
"""


def _crashing() -> Image:
    # Charts start ./podinfo with arguments of their own, so the program itself is what ends.
    return Image(
        f"{PODINFO_REPOSITORY}:crash",
        (*_shell(), Entry("/home/app/podinfo", text=_CRASH)),
        command=("./podinfo",),
        environment={"PATH": _PATH},
        workdir="/home/app",
        port=9898,
    )


def _pause(build: Path) -> Image:
    return Image(PAUSE_IMAGE, (Entry("/pause", source=build / "pause"),), command=("/pause",))


def images(builds: Mapping[str, Path]) -> tuple[Image, ...]:
    """Describe every image, from the finished builds by name."""
    podinfo = (_podinfo(builds["podinfo"], version) for version in PODINFO_VERSIONS)
    erring = _podinfo(builds["podinfo"], _BROKEN, "erring", RANDOM_ERROR="true")
    return (_pause(builds["pause"]), *podinfo, erring, _crashing(), _toolbox())


def _key(described: tuple[Image, ...]) -> str:
    digest = hashlib.sha256(_FORM.encode())
    # A build's directory is named by the hash of its inputs; the system's files are hashed here.
    digest.update(repr(described).encode())
    for path in sorted({e.source for image in described for e in image.entries if e.source}):
        if not path.is_relative_to(layout.build_cache()):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def archive(builds: Mapping[str, Path], more: tuple[Image, ...] = ()) -> Path:
    """Return the archive of all images, and of more if asked, written now if need be."""
    described = (*images(builds), *more)
    path = layout.build_cache() / f"images-{_key(described)}.tar"
    with held(layout.build_cache() / "lock", "write images"):
        if not path.exists():
            partial = path.with_suffix(".partial")
            write_archive(partial, described)
            partial.rename(path)
    return path
