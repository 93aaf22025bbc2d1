"""GatewayCanaries to throw at the API server: valid, nearly valid, and wild.

A valid one is drawn from the schema and then made coherent, for rules between fields are not to be
met by chance. A nearly valid one is a valid one with one or two places changed. A wild one is as
drawn, with whatever contradictions that has. The same seed and number draw the same object.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from integration.engine.fuzz.mutations import TEXTS, mutated
from integration.engine.fuzz.schemas import SPEC, places, value

PROVIDERS = ("nginx", "istio", "gatewayAPI")
PREPARED = "gateway"
"""The Deployment, Service and Ingress that are there in every namespace of the run."""

_ANNOTATIONS = ("approve", "abort", "retry")
_LENGTHS = (12, 12, 12, 62, 63, 64, 253, 254)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One object to create. ``length``: of its name, which whoever creates it makes unique."""

    number: int
    spec: Any
    length: int = 12
    metadata: dict[str, Any] = field(default_factory=dict)


def draw(seed: int, number: int) -> Drawn:
    """Draw an object; half of them nearly valid, for there the mistakes live."""
    rng = Random(f"{seed}/{number}")
    spec, length = value(rng, SPEC), 12
    kind = rng.choice(("valid", "nearly", "nearly", "wild"))
    if kind != "wild":
        spec = _coherent(rng, spec)
    if kind == "nearly":
        length = rng.choice(_LENGTHS)
        for _ in range(rng.choice((1, 1, 2))):
            spec = mutated(rng, spec, rng.choice(list(places(spec, SPEC))))
    return Drawn(number=number, spec=spec, length=length, metadata=_metadata(rng))


def _coherent(rng: Random, spec: dict[str, Any]) -> dict[str, Any]:
    """Settle what the rules between fields say."""
    kept, named = rng.choice(PROVIDERS), rng.choice(("image", "imageTag"))
    traffic = {name: one for name, one in spec["traffic"].items() if name not in PROVIDERS}
    traffic[kept] = value(rng, SPEC["properties"]["traffic"]["properties"][kept])
    spec = {key: one for key, one in spec.items() if key not in ("image", "imageTag")}
    spec |= {"traffic": traffic, named: value(rng, SPEC["properties"][named])}
    if "steps" in spec:
        found = {step["weight"]: step for step in spec["steps"]}
        spec["steps"] = [found.get(weight, {"weight": weight}) for weight in sorted({*found, 100})]
    for suite in spec.get("tests", ()):
        helm = suite["helm"]
        if set(helm.get("include", ())) & set(helm.get("exclude", ())):
            del helm["exclude"]
    subsets = traffic.get("istio", {}).get("subsets")
    if subsets is not None and subsets["stable"] == subsets["canary"]:
        del traffic["istio"]["subsets"]
    return _named(rng, spec)


def _named(rng: Random, spec: dict[str, Any]) -> dict[str, Any]:
    target = spec["targetRef"]
    target["name"] = target["name"][:56].rstrip("-.") or "a"
    if rng.random() < 0.3:
        target["name"] = PREPARED
        spec["traffic"] = {"nginx": {"ingress": PREPARED}}
        spec.pop("service", None)
        spec.pop("container", None)
    service = spec.get("service", {})
    stable = service.get("stable", target["name"])
    if "." in target["name"] or stable == service.get("canary", f"{target['name']}-canary"):
        spec["service"] = {"stable": "one", "canary": "other"}
    return spec


def _metadata(rng: Random) -> dict[str, Any]:
    if rng.random() < 0.7:
        return {}
    # NB: an annotation's value may be any text up to 256 KiB.
    said = {name: rng.choice(TEXTS)[:100_000] for name in _ANNOTATIONS if rng.random() < 0.5}
    return {"annotations": {f"canary.soma.dev/{name}": one for name, one in said.items()}}
