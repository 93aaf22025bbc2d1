"""What happens without the operator: by itself, by a person's leave, or as a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from gatewaycanary.api.status import Phase, Status
from model.cluster import Cluster
from model.exhaustive.nodes import Course
from model.exhaustive.scenes import Wish, asked, wish_of
from model.exhaustive.times import NOW
from model.observing import EVICTED, FAILED, PASSED, RUNNING
from model.pictures import Picture
from model.specs import V1, V3

Change = Callable[[Cluster], object]


class Happening(NamedTuple):
    """A change of the cluster, in words. ``course``: what it makes of the rollout's course."""

    words: str
    change: Change
    course: Course = Course.GOOD


def by_itself(picture: Picture) -> Iterator[Happening]:
    """Give what controllers and tests do next: each of these may come first."""
    yield Happening("stable's rollout goes on by one pod", lambda c: c.progress_stable())
    yield Happening("the canary's pods go on by one", lambda c: c.progress_canary(NOW))
    if any(RUNNING in hooks for _, hooks in picture.runs):
        yield Happening("the running test passes", lambda c: _conclude(c, PASSED))
        yield Happening("the running test fails", lambda c: _conclude(c, FAILED), Course.BAD)


def by_leave(picture: Picture, status: Status) -> Iterator[Happening]:
    """Give what a person is awaited for."""
    resource, state = picture.resource, status.state
    if resource is None or resource.spec is None or resource.deleting:
        return
    wanted = f"{state.revision}/{state.announced}"
    if status.phase is Phase.AWAITING_APPROVAL and resource.approve != wanted:
        yield Happening(f"a person approves {wanted}", lambda c: c.edit_resource(approve=wanted))
    if resource.spec.suspend:
        yield Happening("a person resumes", lambda c: _wish(c, suspend=False))
    stable = picture.stable
    awaited = status.phase is Phase.AWAITING_HANDOVER
    if awaited and stable is not None and stable.image != state.image:
        yield Happening(
            "somebody gives stable the canary's image",
            lambda c: c.edit_stable(image=state.image),
        )


def faults(picture: Picture) -> Iterator[Happening]:
    """Give what may go wrong in the cluster, or what people may do to it."""
    if picture.resource is not None:
        yield from _by_people(picture)
    yield from _to_the_route(picture)
    yield from _to_pods(picture)


def _by_people(picture: Picture) -> Iterator[Happening]:
    resource = picture.resource
    if resource is None or resource.spec is None or resource.deleting:
        return
    wish = wish_of(resource.spec)
    yield _person("deletes the GatewayCanary", _delete)
    if wish.image != V3:
        yield _person("asks for version 3", lambda c: _wish(c, image=V3))
    if wish.image != V1:
        yield _person("asks for stable's version 1 again", lambda c: _wish(c, image=V1))
    if len(wish.weights) == 3:
        yield _person("takes the first step out", lambda c: _wish(c, weights=wish.weights[1:]))
    if not wish.suspend:
        yield _person("suspends", lambda c: _wish(c, suspend=True))
    if not resource.abort:
        yield _person("aborts", lambda c: c.edit_resource(abort="token"))
    if not resource.retry:
        yield _person("sets a retry token", lambda c: c.edit_resource(retry="token"))


def _to_the_route(picture: Picture) -> Iterator[Happening]:
    route = picture.route
    if not route.attached:
        return
    for weight in (0, 30):
        if route.weight != weight:
            yield _person(f"writes {weight} % into the route", partial(_drift, weight=weight))
    yield _person("takes our destination out of the route", _detach)


def _to_pods(picture: Picture) -> Iterator[Happening]:
    stable, canary = picture.stable, picture.canary
    if stable is not None:
        other = "template-b" if stable.template == "template-a" else "template-a"
        yield _person("changes stable's template", lambda c: c.edit_stable(template=other))
        if stable.image != V3:
            yield _person("gives stable version 3", lambda c: c.edit_stable(image=V3))
    for kept in (0, 1):
        if stable is not None and stable.endpoints > kept:
            yield _disturbance(f"stable keeps {kept} ready pods", partial(_lose_stable, kept=kept))
        if canary is not None and canary.ready > kept:
            yield _disturbance(
                f"the canary keeps {kept} ready pods", partial(_lose_canary, kept=kept)
            )
    if stable is not None and not stable.stuck:
        stuck = replace(stable, stuck=True)
        yield _disturbance(
            "no new pod of stable becomes ready any more", lambda c: c.set_stable(stuck)
        )
    if canary is not None and not canary.stuck:
        held_up = replace(canary, stuck=True)
        yield _disturbance(
            "no new pod of the canary becomes ready any more", lambda c: c.set_canary(held_up)
        )
    if any(RUNNING in hooks for _, hooks in picture.runs):
        yield _disturbance("the running test is evicted", lambda c: _conclude(c, EVICTED))


def _person(what: str, change: Change) -> Happening:
    return _disturbance(f"somebody {what}", change)


def _disturbance(words: str, change: Change) -> Happening:
    return Happening(words, change, Course.DISTURBED)


def _conclude(cluster: Cluster, verdict: str) -> None:
    for key, hooks in cluster.now.runs:
        if RUNNING in hooks:
            at = hooks.index(RUNNING)
            concluded = (*hooks[:at], verdict, *hooks[at + 1 :])
            cluster.change(runs=cluster.now.with_hooks(key, concluded))
            return


def _wish(cluster: Cluster, **values: object) -> None:
    resource = cluster.now.resource
    if resource is not None and resource.spec is not None:
        wish: Wish = replace(wish_of(resource.spec), **values)  # type: ignore[arg-type]
        cluster.edit_resource(spec=asked(wish))


def _delete(cluster: Cluster) -> None:
    resource = cluster.now.resource
    if resource is not None and not resource.finalizer:
        cluster.change(resource=None)
    else:
        cluster.edit_resource(deleting=True)


def _drift(cluster: Cluster, weight: int) -> None:
    route = cluster.now.route
    cluster.change(route=replace(route, weight=weight, text=str(weight), version=route.version + 1))


def _detach(cluster: Cluster) -> None:
    route = cluster.now.route
    mark = route.mark if route.held else ""
    gone = replace(route, attached=False, weight=None, text="", mark=mark)
    cluster.change(route=replace(gone, version=route.version + 1))


def _lose_stable(cluster: Cluster, kept: int) -> None:
    stable = cluster.now.stable
    if stable is None:
        return
    lost = max(0, stable.ready - kept)
    cluster.set_stable(
        replace(
            stable,
            ready=stable.ready - lost,
            unready=stable.unready + lost,
            old_unready=stable.old_unready + stable.old_ready,
            old_ready=0,
        )
    )


def _lose_canary(cluster: Cluster, kept: int) -> None:
    canary = cluster.now.canary
    if canary is not None:
        lost = canary.ready - kept
        cluster.set_canary(replace(canary, ready=kept, unready=canary.unready + lost))
