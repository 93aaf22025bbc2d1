"""What is built, from which sources, with which versions stamped in.

Order matters to the person waiting only: the longest build comes first.
"""

import shutil
from pathlib import Path

from devcluster import go, wheels
from devcluster.builds import Program, Recipe, Step
from devcluster.settings import HELM, ISTIO, KUBERNETES, KWOK, TRAEFIK

_MAJOR, _MINOR, _ = KUBERNETES.split(".")
_STAMP = "k8s.io/component-base/version"

_LEGO = "github.com/go-acme/lego/v5@v5.4.1"
_LEGO_SUM = "h1:Jt6xAP9xQrJ3SLLGgxejfDDd3pzdrmuLCWe4oTqHHQc="
# Left out: the command, its tests, and two hundred vendors' DNS clients.
_LEGO_UNUSED = shutil.ignore_patterns("providers", "cmd", "e2e", "main.go")

_KWOK_STAGES = (
    "node/fast/node-initialize.yaml",
    "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "pod/fast/pod-ready.yaml",
    "pod/fast/pod-complete.yaml",
    "pod/fast/pod-delete.yaml",
)

_ISTIO_DEFINITIONS = "manifests/charts/base/files/crd-all.gen.yaml"
_GATEWAY_API_DEFINITIONS = "config/crd/standard/*.yaml"
_ENVOY_IN_WHEEL = "envoy/_bin/envoy"

PODINFO_VERSIONS = ("1.0.0", "2.0.0", "3.0.0")


def _lay_lego(work: Path, _target: Path) -> None:
    laid = work / "lego"
    # The module cache is read-only: its files are copied without their modes.
    shutil.copytree(
        go.module(_LEGO, _LEGO_SUM), laid, ignore=_LEGO_UNUSED, copy_function=shutil.copyfile
    )
    for directory in (laid, *filter(Path.is_dir, laid.rglob("*"))):
        directory.chmod(0o755)
    shutil.copytree(work / "dns", laid / "providers" / "dns")


def _gather_stages(work: Path, target: Path) -> None:
    home = go.module_of(work, "sigs.k8s.io/kwok") / "kustomize" / "stage"
    stages = [(home / name).read_text() for name in _KWOK_STAGES]
    (target / "stages.yaml").write_text("---\n".join(stages))


def _gather_definitions(module: str, pattern: str) -> Step:
    """Copy the CustomResourceDefinitions that a module's files hold into one file."""

    def gather(work: Path, target: Path) -> None:
        texts = [path.read_text() for path in sorted(go.module_of(work, module).glob(pattern))]
        kept = [text for text in texts if "\nkind: CustomResourceDefinition\n" in text]
        (target / "definitions.yaml").write_text("\n---\n".join(kept))

    return gather


def _unpack_envoy(work: Path, target: Path) -> None:
    wheels.unpack(work / "requirements.txt", _ENVOY_IN_WHEEL, target / "envoy")


def _podinfo(version: str) -> Program:
    package = "github.com/stefanprodan/podinfo"
    stamps = {
        f"{package}/pkg/version.VERSION": version,
        f"{package}/pkg/version.REVISION": version,
    }
    return Program(f"{package}/cmd/podinfo", f"podinfo-{version}", stamps)


KUBERNETES_BUILD = Recipe(
    name="kubernetes",
    programs=(
        Program(
            ".",
            "kubernetes",
            {
                f"{_STAMP}.gitVersion": f"v{KUBERNETES}",
                f"{_STAMP}.gitMajor": _MAJOR,
                f"{_STAMP}.gitMinor": _MINOR,
                f"{_STAMP}.gitTreeState": "clean",
                "helm.sh/helm/v4/internal/version.version": f"v{HELM}",
            },
        ),
    ),
    expected="9 minutes",
)

TRAEFIK_BUILD = Recipe(
    name="traefik",
    programs=(
        Program(
            "github.com/traefik/traefik/v3/cmd/traefik",
            "traefik",
            {"github.com/traefik/traefik/v3/pkg/version.Version": TRAEFIK},
        ),
    ),
    expected="4 minutes",
    prepare=_lay_lego,
    pins=(_LEGO, _LEGO_SUM),
)

PODINFO_BUILD = Recipe(
    name="podinfo",
    programs=tuple(map(_podinfo, PODINFO_VERSIONS)),
    expected="1 minute",
)

KWOK_BUILD = Recipe(
    name="kwok",
    programs=(
        Program("sigs.k8s.io/kwok/cmd/kwok", "kwok", {"sigs.k8s.io/kwok/pkg/consts.Version": KWOK}),
    ),
    expected="1 minute",
    finish=_gather_stages,
    pins=_KWOK_STAGES,
)

PAUSE_BUILD = Recipe(
    name="pause",
    programs=(Program(".", "pause"),),
    expected="5 seconds",
)

ISTIO_BUILD = Recipe(
    name="istio",
    programs=(
        Program(
            "istio.io/istio/pilot/cmd/pilot-discovery",
            "pilot-discovery",
            {"istio.io/istio/pkg/version.buildVersion": ISTIO},
        ),
    ),
    expected="5 minutes",
    finish=_gather_definitions("istio.io/istio", _ISTIO_DEFINITIONS),
    pins=(_ISTIO_DEFINITIONS,),
)

ENVOY_BUILD = Recipe(
    name="envoy",
    programs=(),
    expected="10 seconds",
    finish=_unpack_envoy,
    pins=(_ENVOY_IN_WHEEL,),
)

GATEWAY_API_BUILD = Recipe(
    name="gateway-api",
    programs=(),
    expected="5 seconds",
    finish=_gather_definitions("sigs.k8s.io/gateway-api", _GATEWAY_API_DEFINITIONS),
    pins=(_GATEWAY_API_DEFINITIONS,),
)

BASE = (KUBERNETES_BUILD, TRAEFIK_BUILD, PODINFO_BUILD, PAUSE_BUILD)
"""What every cluster is made of; each addon names what it needs beyond."""
