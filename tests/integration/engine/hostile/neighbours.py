"""Objects beside a canary, valid for the API server and odd for everybody else.

Each either is told in the canary's message, by object and place, or does not matter, and then the
rollout goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gatewaycanary.kube.resources import (
    DEPLOYMENT,
    ENDPOINT_SLICE,
    HORIZONTAL_POD_AUTOSCALER,
    HTTP_ROUTE,
    INGRESS,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    SERVICE,
    VIRTUAL_SERVICE,
    Object,
    Resource,
)
from integration.engine.hostile.scenes import ready_canary

GOES_ON: Sequence[str] = ()
"""Nothing is wrong with it."""

Extra = tuple[Resource, Object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is odd in one namespace.

    ``changes`` are merged into objects that are there, ``extras`` are created beside them.
    """

    name: str
    told: Sequence[str] = GOES_ON
    changes: Sequence[tuple[Resource, str, Mapping[str, Any]]] = ()
    extras: Sequence[Extra] = ()
    spec: Mapping[str, Any] = field(default_factory=dict)


def _ingress(name: str, spec: Mapping[str, Any], *told: str, **metadata: Any) -> Case:
    change = {"spec": {"rules": None, **spec}, "metadata": metadata}
    return Case(name=name, told=told, changes=[(INGRESS, "gateway", change)])


def _service(name: str, spec: Mapping[str, Any], *told: str) -> Case:
    return Case(name=name, told=told, changes=[(SERVICE, "gateway", {"spec": spec})])


def _deployment(name: str, spec: Mapping[str, Any], *told: str) -> Case:
    return Case(name=name, told=told, changes=[(DEPLOYMENT, "gateway", {"spec": spec})])


def _beside(name: str, resource: Resource, spec: Mapping[str, Any], *told: str) -> Case:
    return Case(
        name=name, told=told, extras=[(resource, {"metadata": {"name": "odd"}, "spec": spec})]
    )


def _path(service: str = "gateway", path: str = "/", **port: Any) -> Object:
    backend = {"service": {"name": service, "port": port or {"number": 80}}}
    return {"path": path, "pathType": "Prefix", "backend": backend}


def _hosts(*hosts: str, paths: Sequence[Object]) -> Object:
    return {"rules": [{"host": host, "http": {"paths": list(paths)}} for host in hosts]}


_RESOURCE = {"apiGroup": "example.com", "kind": "Bucket", "name": "static"}
INGRESSES = (
    _ingress(
        "an Ingress with a default backend only",
        {"defaultBackend": {"service": {"name": "gateway", "port": {"number": 80}}}},
        "Ingress gateway",
        "spec.defaultBackend",
    ),
    _ingress(
        "a host without paths", {"rules": [{"host": "a.example"}]}, "Ingress gateway", "spec.rules"
    ),
    _ingress(
        "a bucket as the backend",
        {
            "rules": [
                {
                    "http": {
                        "paths": [
                            {"path": "/", "pathType": "Prefix", "backend": {"resource": _RESOURCE}}
                        ]
                    }
                }
            ]
        },
        "Ingress gateway",
        "spec.rules",
    ),
    _ingress("a port by name", _hosts("a.example", paths=[_path(name="http")])),
    _ingress("a thousand hosts", _hosts(*(f"h{n}.example" for n in range(1000)), paths=[_path()])),
    _ingress(
        "a thousand paths", _hosts("a.example", paths=[_path(path=f"/{n}") for n in range(1000)])
    ),
    _ingress(
        "paths to a thousand others",
        _hosts("a.example", paths=[_path(f"other-{n}", path=f"/{n}") for n in range(1000)]),
        "Ingress gateway",
    ),
    _ingress(
        "a canary by itself",
        _hosts("a.example", paths=[_path()]),
        "Ingress gateway",
        annotations={"nginx.ingress.kubernetes.io/canary": "true"},
    ),
    _ingress(
        "annotations of rubbish",
        _hosts("a.example", paths=[_path()]),
        annotations={
            "nginx.ingress.kubernetes.io/canary-weight": "abc",
            "nginx.ingress.kubernetes.io/affinity": "💥",
            "nginx.ingress.kubernetes.io/canary": "maybe",
        },
    ),
    Case(
        name="a foreign canary of rubbish",
        told=("Ingress odd",),
        extras=[
            (
                INGRESS,
                {
                    "metadata": {
                        "name": "odd",
                        "annotations": {
                            "nginx.ingress.kubernetes.io/canary": "true",
                            "nginx.ingress.kubernetes.io/canary-weight": "-∞",
                        },
                    },
                    "spec": {
                        "ingressClassName": "nginx",
                        **_hosts("shop.example", paths=[_path("other")]),
                    },
                },
            )
        ],
    ),
    Case(
        name="an Ingress that is not there",
        told=("Ingress nowhere",),
        spec={"traffic": {"nginx": {"ingress": "nowhere"}}},
    ),
)
SERVICES = (
    _service(
        "a Service without a selector", {"selector": None}, "Service gateway", "spec.selector"
    ),
    _service(
        "a Service of others", {"selector": {"app": "other"}}, "Service gateway", "spec.selector"
    ),
    _service(
        "a Service without the label", {"selector": {"app": None, "x": "y"}}, "Service gateway"
    ),
    _service("a hundred ports", {"ports": [{"name": f"p{n}", "port": 80 + n} for n in range(100)]}),
    _service("a target port that is nowhere", {"ports": [{"port": 80, "targetPort": "nowhere"}]}),
    _service(
        "an external name",
        {
            "type": "ExternalName",
            "externalName": "a.example",
            "clusterIP": None,
            "clusterIPs": None,
        },
        "Service gateway",
        "spec.type",
    ),
    Case(
        name="a second Service of all",
        told=("Service odd", "spec.selector"),
        extras=[
            (
                SERVICE,
                {
                    "metadata": {"name": "odd"},
                    "spec": {"ports": [{"port": 1}], "selector": {"a": "b"}},
                },
            )
        ],
        changes=[
            (DEPLOYMENT, "gateway", {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}})
        ],
    ),
)
_CONTAINER = {"name": "gateway", "image": "example/gateway:1"}


def _pod(*containers: Mapping[str, Any], **spec: Any) -> Object:
    return {"template": {"spec": {"containers": list(containers), **spec}}}


DEPLOYMENTS = (
    _deployment(
        "several containers",
        _pod(_CONTAINER, {**_CONTAINER, "name": "proxy"}),
        "Deployment gateway",
        "spec.template.spec.containers",
    ),
    _deployment(
        "containers by the hundred",
        _pod(*({**_CONTAINER, "name": f"c{n}"} for n in range(500))),
        "Deployment gateway",
        "spec.template.spec.containers",
    ),
    _deployment(
        "variables by the thousand",
        _pod({**_CONTAINER, "env": [{"name": f"V{n}", "value": "💥"} for n in range(5000)]}),
    ),
    _deployment(
        "a strategy of none",
        {"strategy": {"type": "Recreate", "rollingUpdate": None}},
        "Deployment gateway",
        "spec.strategy",
    ),
    _deployment("no replicas", {"replicas": 0}, "Deployment gateway", "spec.replicas"),
    _deployment("paused", {"paused": True}, "Deployment gateway", "spec.paused"),
    _deployment(
        "an endless image",
        _pod({**_CONTAINER, "image": "a" * 100_000}),
        "Deployment gateway",
        "image",
    ),
    _deployment(
        "an image of rubbish",
        _pod({**_CONTAINER, "image": "http://a b/💥:?"}),
    ),
    _deployment(
        "affinity in every way",
        _pod(
            _CONTAINER,
            affinity={
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 1,
                            "podAffinityTerm": {
                                "topologyKey": "a",
                                "labelSelector": {
                                    "matchExpressions": [
                                        {
                                            "key": "app",
                                            "operator": "In",
                                            "values": ["gateway", "é"[:0] + "x"],
                                        }
                                    ]
                                },
                            },
                        }
                    ]
                    * 50
                }
            },
        ),
    ),
    _deployment(
        "annotations of 200 KiB", {"template": {"metadata": {"annotations": {"a": "💥" * 50_000}}}}
    ),
    Case(
        name="a Deployment that is not there",
        told=("Deployment nowhere",),
        spec={
            "targetRef": {"name": "nowhere"},
            "service": {"stable": "gateway", "canary": "gateway-canary"},
        },
    ),
)


def _slice(name: str, change: Mapping[str, Any], *told: str) -> Case:
    odd = {**ready_canary(), **change}
    odd["metadata"] = {**odd["metadata"], "name": "odd"}
    return Case(name=name, told=told, extras=[(ENDPOINT_SLICE, odd)])


_STABLE = {"name": "odd", "labels": {"kubernetes.io/service-name": "gateway"}}
SLICES = (
    _slice("conditions that are not there", {"endpoints": [{"addresses": ["10.0.0.3"]}]}),
    _slice(
        "conditions that are null", {"endpoints": [{"addresses": ["10.0.0.3"], "conditions": None}]}
    ),
    _slice("endpoints that are null", {"endpoints": None, "ports": None}),
    _slice(
        "names for addresses", {"addressType": "FQDN", "endpoints": [{"addresses": ["a.example"]}]}
    ),
    _slice(
        "a thousand endpoints",
        {
            "endpoints": [
                {
                    "addresses": [f"10.1.{n // 250}.{n % 250 + 1}"],
                    "conditions": {"ready": n % 2 == 0},
                }
                for n in range(1000)
            ]
        },
    ),
    _slice("a pod that is nowhere", {"endpoints": [{"addresses": ["10.0.0.3"], "targetRef": {}}]}),
    Case(
        name="a slice without a label",
        extras=[(ENDPOINT_SLICE, {**ready_canary(), "metadata": {"name": "odd"}})],
    ),
    Case(
        name="stable without endpoints",
        told=("StableUnavailable",),
        changes=[(ENDPOINT_SLICE, "gateway-1", {"endpoints": []})],
    ),
)
_ALL = {"podSelector": {}, "policyTypes": ["Ingress"]}
POLICIES = (
    _beside("a policy of everything", NETWORK_POLICY, _ALL),
    _beside(
        "a policy of expressions",
        NETWORK_POLICY,
        {
            **_ALL,
            "podSelector": {
                "matchExpressions": [{"key": "app", "operator": "In", "values": ["gateway"]}]
            },
        },
        "NetworkPolicy odd",
        "spec.podSelector",
    ),
    _beside(
        "a policy of a thousand peers",
        NETWORK_POLICY,
        {
            **_ALL,
            "podSelector": {"matchLabels": {"a": "b"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "gateway"}}}] * 1000}],
        },
        "NetworkPolicy odd",
        "spec.ingress",
    ),
    _beside(
        "a budget of nothing", POD_DISRUPTION_BUDGET, {"selector": None, "minAvailable": "100%"}
    ),
    _beside(
        "a scaler of another kind",
        HORIZONTAL_POD_AUTOSCALER,
        {
            "scaleTargetRef": {"kind": "Gateway", "name": "gateway", "apiVersion": "a/v1"},
            "maxReplicas": 1,
        },
    ),
)

BUILT_IN = (*INGRESSES, *SERVICES, *DEPLOYMENTS, *SLICES, *POLICIES)


def _destination(host: str = "gateway", **more: Any) -> Object:
    return {"destination": {"host": host, "port": {"number": 80}}, **more}


def _mesh(name: str, spec: Mapping[str, Any], *told: str, **istio: Any) -> Case:
    route = {"metadata": {"name": "gateway"}, "spec": {"hosts": ["shop.example"], **spec}}
    traffic = {"nginx": None, "istio": {"virtualService": "gateway", **istio}}
    return Case(name=name, told=told, extras=[(VIRTUAL_SERVICE, route)], spec={"traffic": traffic})


def _http(name: str, spec: Mapping[str, Any], *told: str, **more: Any) -> Case:
    traffic = {"nginx": None, "gatewayAPI": {"httpRoute": "gateway", **more}}
    route = {"metadata": {"name": "gateway"}, "spec": spec}
    return Case(name=name, told=told, extras=[(HTTP_ROUTE, route)], spec={"traffic": traffic})


def _backend(name: str = "gateway", **more: Any) -> Object:
    return {"name": name, "port": 80, **more}


_VS, _HR = "VirtualService gateway", "HTTPRoute gateway"
MESHES = (
    _mesh("a mesh route without rules", {}, _VS, "spec.http"),
    _mesh("rules that are empty", {"http": [{}]}, _VS, "spec.http"),
    _mesh("a rule of no routes", {"http": [{"route": []}]}, _VS, "spec.http"),
    _mesh("a redirect", {"http": [{"redirect": {"uri": "/a"}}]}, _VS, "spec.http"),
    _mesh("a delegate", {"http": [{"delegate": {"name": "other"}}]}, _VS, "spec.http"),
    _mesh("TCP only", {"tcp": [{"route": [_destination()]}]}, _VS, "spec.http"),
    _mesh(
        "three destinations",
        {
            "http": [
                {
                    "route": [
                        _destination(weight=60),
                        _destination("other", weight=60),
                        _destination("third"),
                    ]
                }
            ]
        },
        _VS,
        "spec.http[0].route",
    ),
    _mesh(
        "a canary with a weight",
        {"http": [{"route": [_destination(weight=60), _destination("gateway-canary", weight=60)]}]},
        _VS,
        "spec.http[0]",
    ),
    _mesh(
        "destinations by the thousand",
        {"http": [{"route": [_destination(f"other-{n}", weight=1) for n in range(3000)]}]},
        _VS,
        "spec.http",
    ),
    _mesh(
        "a name that no rule has",
        {"http": [{"name": "💥" * 9, "route": [_destination()]}]},
        _VS,
        "primary",
        routes=["primary"],
    ),
    _mesh("the same name twice", {"http": [{"name": "a", "route": [_destination()]}] * 2}),
    _mesh("a negative weight", {"http": [{"route": [_destination(weight=-5)]}]}),
)
ROUTES = (
    _http("a route without rules", {}, _HR, "spec.rules"),
    _http("rules without backends", {"rules": [{}]}, _HR, "spec.rules"),
    _http(
        "a backend of another kind",
        {"rules": [{"backendRefs": [_backend(kind="Bucket", group="a.b")]}]},
        _HR,
        "spec.rules",
    ),
    _http(
        "a backend elsewhere",
        {"rules": [{"backendRefs": [_backend(namespace="other")]}]},
        _HR,
        "spec.rules",
    ),
    _http("a weight of a million", {"rules": [{"backendRefs": [_backend(weight=1_000_000)]}]}),
    _http(
        "a weight of nothing",
        {"rules": [{"backendRefs": [_backend(weight=0)]}]},
    ),
    _http(
        "three backends",
        {"rules": [{"backendRefs": [_backend(), _backend("a"), _backend("b")]}]},
        _HR,
        "spec.rules[0].backendRefs",
    ),
    _http(
        "stable twice",
        {"rules": [{"backendRefs": [_backend(), _backend()]}]},
        _HR,
        "spec.rules[0].backendRefs",
    ),
)
