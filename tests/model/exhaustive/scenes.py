"""The rollouts that are explored: whose route it is, who promotes, and what a person must say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Status
from model.exhaustive.stores import Store
from model.pictures import Picture, Resource, Route, Scaler, Stable
from model.specs import V1, V2, spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person has written into the spec."""

    image: str = V2
    weights: tuple[int, ...] = (20, 50, 100)
    mode: str = "Automatic"
    approval: tuple[int, ...] = ()
    suspend: bool = False


_WISHES: Final[dict[int, Wish]] = {}


@cache
def asked(wish: Wish) -> GatewayCanarySpec:
    """Give the spec of a wish, once read, and remember whose it is."""
    found = spec(
        wish.image,
        weights=wish.weights,
        suites=1,
        settle="5s",
        mode=wish.mode,
        suspend=wish.suspend,
        approval=tuple(weight for weight in wish.approval if weight in wish.weights),
    )
    _WISHES[id(found)] = wish
    return found


def wish_of(found: GatewayCanarySpec) -> Wish:
    """Give the wish that a spec was written from."""
    return _WISHES[id(found)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One canary with three steps and one test a step, and how many faults may come."""

    name: str
    words: str
    wish: Wish = Wish()
    replicas: int = 1
    held: bool = False
    scaler: bool = False
    faults: int = 1

    def picture(self, store: Store) -> Picture:
        """Set the scene: stable runs version 1, another is asked for."""
        return Picture(
            resource=Resource(spec=asked(self.wish), status=store.stored(Status())),
            stable=Stable(image=V1, replicas=self.replicas, ready=self.replicas),
            stable_ready=self.replicas,
            scaler=Scaler(policy="Max") if self.scaler else None,
            route=Route(held=self.held, version=1),
            suite_length=1,
        )

    def with_faults(self, faults: int) -> Scene:
        """Give the scene with so many faults."""
        return replace(self, faults=faults)


NGINX: Final = Scene(name="nginx", words="a route of ours, promoted by the operator", faults=2)
HELD: Final = Scene(
    name="held", words="a person's route, promoted by the operator", held=True, faults=2
)
APPROVAL: Final = Scene(
    name="approval",
    words="a route of ours, two steps need a person's approval",
    wish=Wish(approval=(50, 100)),
)
HANDOVER: Final = Scene(
    name="handover",
    words="a person's route, promoted by somebody else",
    wish=Wish(mode="Handover"),
    held=True,
)
THREE_PODS: Final = Scene(
    name="three pods",
    words="a route of ours, three pods a side, an autoscaler",
    replicas=3,
    scaler=True,
)
SCENES: Final = (NGINX, HELD, THREE_PODS, APPROVAL, HANDOVER)
