"""Specs that must be taken, each one valid spec with something changed."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Causes = tuple[tuple[str, str], ...]

GONE = object()
"""In a change: this field is taken away."""

BASE: Object = {
    "targetRef": {"name": "soma-gateway"},
    "image": "registry.example/soma-gateway:2.0.0",
    "traffic": {"nginx": {"ingress": "soma-gateway"}},
}


def changed(base: Object, change: Object) -> Object:
    """Lay a change over a spec: objects are merged, all else is replaced."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if value is GONE:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = changed(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


@dataclass(frozen=True, slots=True)
class Case:
    """One spec, and what is wrong with it."""

    name: str
    change: Object
    causes: Causes = ()

    @property
    def spec(self) -> Object:
        """Give the whole spec."""
        return changed(BASE, self.change)


def suite(**change: Any) -> Object:
    """Give a spec's change that adds one suite of tests."""
    return {"tests": [{"helm": {"release": "soma"}, **change}]}


def steps(*weights: int) -> Object:
    """Give a spec's change to these weights."""
    return {"steps": [{"weight": weight} for weight in weights]}


def istio(**change: Any) -> Object:
    """Give a spec's change to Istio."""
    return {"traffic": {"nginx": GONE, "istio": {"virtualService": "soma-gateway", **change}}}


GATEWAY_API = {"traffic": {"nginx": GONE, "gatewayAPI": {"httpRoute": "soma-gateway"}}}
DIGEST = "sha256:" + "0123456789abcdef" * 4

VALID = (
    Case("the shortest useful spec", {}),
    Case("a tag for stable's repository", {"image": GONE, "imageTag": "2.0.0"}),
    Case("an image by digest", {"image": f"soma-gateway@{DIGEST}"}),
    Case("an image by tag and digest", {"image": f"r.example:5000/a/b_c/d:1.0@{DIGEST}"}),
    Case("an image without a tag", {"image": "localhost:5000/soma-gateway"}),
    Case("a container", {"container": "gateway"}),
    Case("other Services", {"service": {"stable": "web", "canary": "web-next"}}),
    Case("a stable Service of another name", {"service": {"stable": "web"}}),
    Case("the whole targetRef", {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment"}}),
    Case("the longest target", {"targetRef": {"name": "a" * 56}}),
    Case(
        "a dotted target with both Services",
        {"targetRef": {"name": "so.ma"}, "service": {"stable": "soma", "canary": "soma-next"}},
    ),
    Case("an Istio route", istio()),
    Case("Istio routes by name", istio(routes=["primary", "internal"])),
    Case("Istio subsets", istio(subsets={"stable": "v1", "canary": "next"})),
    Case("a Gateway API route", GATEWAY_API),
    Case("no settling time", {"traffic": {"settle": "0s"}}),
    Case("every unit of time", {"traffic": {"settle": "1h2m3s4ms"}}),
    Case("large numbers of small units", {"progressDeadline": "86400s"}),
    Case("the longest duration", {"progressDeadline": "99999h99999m99999s99999ms"}),
    Case("one step", steps(100)),
    Case("all the steps there are", steps(*range(1, 101))),
    Case("a step with a hold", {"steps": [{"weight": 5, "hold": "2m"}, {"weight": 100}]}),
    Case("a step with approval", {"steps": [{"weight": 100, "approval": True}]}),
    Case("a fixed number of pods", {"canary": {"replicas": 3}}),
    Case("all pods", {"canary": {"replicas": "Full"}}),
    Case("no scale-down delay", {"canary": {"scaleDownDelay": "0s"}}),
    Case("a selector label", {"canary": {"selectorLabel": "app.kubernetes.io/name"}}),
    Case("a policy gap", {"canary": {"allowPolicyGap": True}}),
    Case("tests of a release", suite()),
    Case("tests of one name", {"tests": [{"helm": {"release": "soma", "include": ["smoke"]}}]}),
    Case(
        "tests in and out",
        {"tests": [{"helm": {"release": "soma", "include": ["a"], "exclude": ["b"]}}]},
    ),
    Case("tests through the gateway", suite(target="gateway", timeout="90s", attempts=3)),
    Case("no tests", {"tests": []}),
    Case("handover", {"promotion": {"mode": "Handover"}}),
    Case("suspended", {"suspend": True}),
    Case("a null that is no value", {"container": None, "steps": None}),
)
