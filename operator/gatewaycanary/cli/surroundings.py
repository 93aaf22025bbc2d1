"""What stands around a GatewayCanary in the cluster, listed once for `gatewaycanary plan`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from gatewaycanary.api.crd import KIND
from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import FoundRoute, parse_status
from gatewaycanary.core import checks, lookups, manifests
from gatewaycanary.core.observation import Meta, Problem, Target
from gatewaycanary.core.plan import HookPlan, Surroundings
from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests import selection
from gatewaycanary.kube import resources
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import NotFoundError
from gatewaycanary.traffic import ingresses, registry
from gatewaycanary.traffic.protocol import RouteContext

YOUNGEST: Final = "9999-12-31T23:59:59Z"
LISTED: Final = (
    resources.GATEWAY_CANARY,
    resources.DEPLOYMENT,
    resources.SERVICE,
    resources.ENDPOINT_SLICE,
    resources.INGRESS,
    resources.VIRTUAL_SERVICE,
    resources.DESTINATION_RULE,
    resources.HTTP_ROUTE,
    resources.NETWORK_POLICY,
    resources.POD_DISRUPTION_BUDGET,
    resources.HORIZONTAL_POD_AUTOSCALER,
    resources.AUTHORIZATION_POLICY,
    resources.PEER_AUTHENTICATION,
    resources.SIDECAR,
)


class Listing:
    """Objects of one namespace by kind, as the checks look them up."""

    def __init__(self, objects: Mapping[str, Iterable[Object]]) -> None:
        self._objects = {kind: tuple(found) for kind, found in objects.items()}

    def installed(self, kind: str) -> bool:
        """Tell whether the kind could be listed."""
        return kind in self._objects

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return the object, or None where there is none."""
        found = self.list(kind, namespace)
        return next((one for one in found if one["metadata"]["name"] == name), None)

    def list(self, kind: str, namespace: str) -> tuple[Object, ...]:
        """Return all objects of the kind in the namespace."""
        return tuple(
            one
            for one in self._objects.get(kind, ())
            if one["metadata"].get("namespace") == namespace
        )

    def filed(self, kind: str, namespace: str, token: str) -> tuple[Object, ...]:
        """Return the objects of the kind in the namespace that are filed under the token."""
        return tuple(
            one for one in self.list(kind, namespace) if token in lookups.tokens(kind, one)
        )


async def look(
    client: Client, spec: GatewayCanarySpec, *, namespace: str, document: Mapping[str, Any]
) -> Surroundings:
    """List what the checks need and tell what they say."""
    answers = {one.kind: await _listed(client, one, namespace) for one in LISTED}
    listed = {kind: found for kind, found in answers.items() if found is not None}
    secrets = (await _listed(client, resources.SECRET, namespace) or ()) if spec.tests else ()
    return known(
        spec,
        namespace=namespace,
        document=document,
        listed=listed,
        secrets=secrets,
    )


def known(
    spec: GatewayCanarySpec,
    *,
    namespace: str,
    document: Mapping[str, Any],
    listed: Mapping[str, Iterable[Object]],
    secrets: Iterable[Object],
) -> Surroundings:
    """Tell what the checks say of what was listed, were the document applied."""
    applied = _applied(document, tuple(listed.get(KIND, ())), namespace=namespace)
    lookup = Listing({**listed, KIND: applied})
    meta = _meta(applied[-1])
    problems = checks.problems(meta=meta, spec=spec, lookup=lookup, running=False)
    warnings = checks.warnings(meta=meta, spec=spec, lookup=lookup)
    found = _route_found(applied[-1])
    route_problems, route_warnings = _route(spec, meta, lookup, found=found)
    hooks, test_problems = _tests(spec, tuple(secrets), namespace)
    return Surroundings(
        target=_target(spec, lookup, namespace),
        problems=(*problems, *route_problems, *test_problems),
        warnings=(*warnings, *route_warnings),
        hooks=hooks,
        hosts=_hosts(spec, lookup, namespace),
    )


async def _listed(
    client: Client, resource: resources.Resource, namespace: str
) -> tuple[Object, ...] | None:
    """List a resource; None where it is not installed.

    NB: items of a list carry neither kind nor apiVersion, so both are put in.
    """
    try:
        answer = await client.list(resource, namespace=namespace)
    except NotFoundError:
        return None
    known_as = {"apiVersion": resource.api_version, "kind": resource.kind}
    return tuple({**item, **known_as} for item in answer["items"])


def _applied(
    document: Mapping[str, Any], stored: tuple[Object, ...], *, namespace: str
) -> tuple[Object, ...]:
    """Put the document in its stored one's place, or in the youngest's where there is none."""
    name = (document.get("metadata") or {}).get("name", "")
    mine = [one for one in stored if one["metadata"]["name"] == name]
    others = (one for one in stored if one["metadata"]["name"] != name)
    new = {"name": name, "namespace": namespace, "uid": "", "creationTimestamp": YOUNGEST}
    kept = {"metadata": mine[0]["metadata"] if mine else new}
    if mine and "status" in mine[0]:
        kept["status"] = mine[0]["status"]
    return (*others, {**document, **kept})


def _meta(canary: Object) -> Meta:
    metadata = canary["metadata"]
    return Meta(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        generation=int(metadata.get("generation", 0)),
    )


def _target(spec: GatewayCanarySpec, lookup: Listing, namespace: str) -> Target | None:
    deployment = lookup.get("Deployment", namespace, spec.target_ref.name)
    if deployment is None:
        return None
    return manifests.target_view(deployment, container=spec.container)


def _route(
    spec: GatewayCanarySpec, meta: Meta, lookup: Listing, *, found: FoundRoute | None
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    provider = registry.find(spec)
    context = RouteContext.of(spec, meta=meta, revision="", found=found)
    return provider.problems(context, lookup), provider.warnings(context, lookup)


def _route_found(canary: Object) -> FoundRoute | None:
    """Give what a rollout that is under way has found; its weights are no contradiction then."""
    try:
        return parse_status(canary.get("status") or {}).state.route
    except ValueError:
        return None


def _tests(
    spec: GatewayCanarySpec, secrets: tuple[Object, ...], namespace: str
) -> tuple[tuple[tuple[HookPlan, ...], ...], tuple[Problem, ...]]:
    loaded = [
        selection.load(
            secrets,
            release=suite.helm.release,
            namespace=namespace,
            include=suite.helm.include,
            exclude=suite.helm.exclude,
        )
        for suite in spec.tests
    ]
    hooks = tuple(
        tuple(HookPlan(name=hook.name, manifest=hook.manifest) for hook in one.hooks)
        for one in loaded
    )
    return hooks, tuple(problem for one in loaded for problem in one.problems)


def _hosts(spec: GatewayCanarySpec, lookup: Listing, namespace: str) -> tuple[str, ...]:
    stable = spec.resolved_stable_service
    of_ingresses = (
        entry.spot.host
        for ingress in lookup.list("Ingress", namespace)
        for entry in ingresses.entries(ingress)
        if entry.service == stable and entry.spot.host
    )
    of_held = (
        str(host)
        for kind, field in (("VirtualService", "hosts"), ("HTTPRoute", "hostnames"))
        for route in lookup.filed(kind, namespace, lookups.token("Service", stable))
        for host in lookups.fields(route.get("spec")).get(field) or ()
    )
    return tuple(dict.fromkeys((*of_ingresses, *of_held)))
