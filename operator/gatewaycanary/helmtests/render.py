"""What is created of a hook: the object as written, but for what makes it safe and aims it.

Test pods differ from what ``helm test`` creates in this, and in nothing else: a name and labels of
ours and an owner, a deadline, labels that no Service selects (Helm's own starter test would else be
a ready endpoint of the gateway), a few environment variables, and where they are aimed at the
canary: host aliases, and no sidecar, which would route by Host and so go to stable.

Nothing here raises, whatever a chart wrote: what Kubernetes cannot take, it refuses itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from gatewaycanary.api.crd import VERSION
from gatewaycanary.core.manifests import owner_labels
from gatewaycanary.core.naming import GROUP, RUN_LABEL, TEST_LABEL, hook_object_name
from gatewaycanary.core.selectors import KNOWN_LABELS, Labels, service_selects
from gatewaycanary.helmtests.manifests import Manifest
from gatewaycanary.helmtests.release import Hook

Target = Literal["canary", "stable", "gateway"]
SIDECAR: Final = "sidecar.istio.io/inject"
JOB_GRACE: Final = 30
"""Seconds by which a Job outlives the suite: at its deadline it deletes its pod, log and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunKey:
    """Which run: all that its objects' names and labels are made of. ``canary``: the resource."""

    uid: str
    namespace: str
    canary: str
    revision: str
    weight: int
    suite: int
    run: int

    @property
    def label(self) -> str:
        """Name the run within its owner, as the value of a label."""
        return f"{self.revision}-{self.weight}-{self.suite}-{self.run}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """A Service by its name and all its ClusterIPs."""

    name: str
    cluster_ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where tests are aimed and what they are told. ``sidecar``: False keeps a mesh's out."""

    target: Target
    timeout: timedelta
    stable: ServiceAddress
    canary: ServiceAddress
    image: str
    step: str
    cluster_domain: str = "cluster.local"
    sidecar: bool = True


def render(
    hook: Hook, *, key: RunKey, aim: Aim, selectors: Iterable[Labels | None] = ()
) -> Manifest:
    """Make the manifest to be created; ``selectors``: those of all Services of the namespace."""
    manifest = deepcopy(hook.manifest)
    manifest.pop("status", None)
    manifest["metadata"] = _metadata(hook, manifest, key)
    if hook.kind == "Pod":
        _adapt(manifest, key=key, aim=aim, selectors=selectors)
        manifest["spec"]["activeDeadlineSeconds"] = _deadline(manifest["spec"], aim.timeout)
    elif hook.kind == "Job":
        _adapt_job(manifest, hook, key=key, aim=aim, selectors=selectors)
    return manifest


def object_name(hook: Hook, key: RunKey) -> str:
    """Name the object: a test has one name a run, everything else keeps its own."""
    if not hook.is_test:
        return hook.name
    return hook_object_name(
        hook.name,
        uid=key.uid,
        revision=key.revision,
        weight=key.weight,
        suite=key.suite,
        run=key.run,
    )


def labels(hook: Hook, key: RunKey) -> dict[str, str]:
    """Give the labels that say whose the object is, which run's and which hook's."""
    ours = owner_labels(uid=key.uid, canary=key.canary, revision=key.revision)
    return {**ours, RUN_LABEL: key.label, TEST_LABEL: label_value(hook.name)}


def label_value(name: str) -> str:
    """Cut a hook's name to what a label's value may be."""
    return name[:63].rstrip("-._")


def unselected(found: Labels, selectors: Iterable[Labels | None]) -> dict[str, str]:
    """Leave out as many labels as it takes for no Service to select the rest.

    One pass does: a selector asks for labels only, so leaving one out makes no other match.
    """
    kept = dict(found)
    for selector in selectors:
        if selector and service_selects(selector, kept):
            removable = [label for label in KNOWN_LABELS if label in selector] or sorted(
                label for label in selector if not label.startswith(f"{GROUP}/")
            )
            for label in removable[:1]:
                del kept[label]
    return kept


def dns_names(service: str, namespace: str, cluster_domain: str) -> tuple[str, ...]:
    """Give the four names by which a pod may call a Service."""
    return (
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.{cluster_domain}",
    )


def _metadata(hook: Hook, manifest: Mapping[str, Any], key: RunKey) -> dict[str, Any]:
    written = _mapping(manifest.get("metadata"))
    owner = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "GatewayCanary",
        "name": key.canary,
        "uid": key.uid,
    }
    return {
        "name": object_name(hook, key),
        "namespace": key.namespace,
        "labels": {**_mapping(written.get("labels")), **labels(hook, key)},
        "annotations": _mapping(written.get("annotations")),
        "ownerReferences": [owner],
    }


def _adapt_job(
    manifest: Manifest, hook: Hook, *, key: RunKey, aim: Aim, selectors: Iterable[Labels | None]
) -> None:
    spec = manifest["spec"] = _mapping(manifest.get("spec"))
    ours, theirs = _longest(aim.timeout), _deadline(spec, aim.timeout)
    spec["activeDeadlineSeconds"] = theirs if theirs < ours else ours + JOB_GRACE
    # A Job that vanishes by itself leaves no verdict behind; we delete it.
    spec.pop("ttlSecondsAfterFinished", None)
    template = spec["template"] = _mapping(spec.get("template"))
    metadata = template["metadata"] = _mapping(template.get("metadata"))
    metadata["labels"] = {**_mapping(metadata.get("labels")), **labels(hook, key)}
    pod = template["spec"] = _mapping(template.get("spec"))
    pod["activeDeadlineSeconds"] = _deadline(pod, aim.timeout)
    _adapt(template, key=key, aim=aim, selectors=selectors)


def _adapt(pod: Manifest, *, key: RunKey, aim: Aim, selectors: Iterable[Labels | None]) -> None:
    """Change a pod, or a Job's pod template, whose labels are complete."""
    metadata = pod["metadata"]
    metadata["labels"] = unselected(metadata["labels"], selectors)
    spec = pod["spec"] = _mapping(pod.get("spec"))
    for kind in ("initContainers", "containers"):
        for container in _sequence(spec.get(kind)):
            if isinstance(container, dict):
                container["env"] = _environment(container.get("env"), key=key, aim=aim)
    if aim.target == "canary":
        spec["hostAliases"] = _aliases(spec.get("hostAliases"), key=key, aim=aim)
    # A sidecar routes by Host: by the weights, whichever side the address belongs to.
    if not aim.sidecar and aim.target != "gateway":
        metadata["labels"][SIDECAR] = "false"
        metadata["annotations"] = {**_mapping(metadata.get("annotations")), SIDECAR: "false"}


def _environment(written: object, *, key: RunKey, aim: Aim) -> list[Any]:
    """Put our variables first, so that those of the chart may refer to them."""
    ours = {
        "GATEWAYCANARY_NAME": key.canary,
        "GATEWAYCANARY_STEP": aim.step,
        "GATEWAYCANARY_WEIGHT": str(key.weight),
        "GATEWAYCANARY_IMAGE": aim.image,
        "GATEWAYCANARY_CANARY_HOST": _host(aim.canary, key, aim),
        "GATEWAYCANARY_STABLE_HOST": _stable_host(key, aim),
    }
    theirs = [
        variable
        for variable in _sequence(written)
        if not (isinstance(variable, dict) and variable.get("name") in ours)
    ]
    return [*({"name": name, "value": value} for name, value in ours.items()), *theirs]


def _host(service: ServiceAddress, key: RunKey, aim: Aim) -> str:
    return dns_names(service.name, key.namespace, aim.cluster_domain)[-1]


def _stable_host(key: RunKey, aim: Aim) -> str:
    # Aimed at the canary, every name of the stable Service leads there: only its address does not.
    if aim.target == "canary" and aim.stable.cluster_ips:
        return aim.stable.cluster_ips[0]
    return _host(aim.stable, key, aim)


def _aliases(written: object, *, key: RunKey, aim: Aim) -> list[Any]:
    names = dns_names(aim.stable.name, key.namespace, aim.cluster_domain)
    ours = [{"ip": address, "hostnames": list(names)} for address in aim.canary.cluster_ips]
    return [*ours, *_without(_sequence(written), names)]


def _without(aliases: Sequence[Any], names: tuple[str, ...]) -> Iterable[Any]:
    for alias in aliases:
        hostnames = _sequence(_mapping(alias).get("hostnames"))
        others = [name for name in hostnames if name not in names]
        if others or not hostnames:
            yield {**alias, "hostnames": others} if hostnames else alias


def _deadline(spec: Mapping[str, Any], timeout: timedelta) -> int:
    longest = _longest(timeout)
    written = spec.get("activeDeadlineSeconds")
    return min(written, longest) if isinstance(written, int) and written > 0 else longest


def _longest(timeout: timedelta) -> int:
    return max(1, int(timeout.total_seconds()))


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else []
