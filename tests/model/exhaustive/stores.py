"""Every picture of the cluster once, and what time and renaming make of it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import cache
from typing import Any

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Status, dump_status, parse_status
from model.exhaustive.pools import Pool
from model.exhaustive.times import aged_pods, aged_state, canonical, renamed
from model.pictures import Picture, Resource


class Store:
    """Pictures and stored statuses by number."""

    def __init__(self) -> None:
        self._statuses: Pool[Status] = Pool()
        self._dumps: list[dict[str, Any]] = []
        self._by_dump: dict[int, int] = {}
        self._specs: list[GatewayCanarySpec | None] = []
        self._numbers: dict[Hashable, int] = {}
        self._pictures: list[Picture] = []
        self.aged = cache(self._aged)
        self.tidied = cache(self._tidied)

    def __getitem__(self, number: int) -> Picture:
        return self._pictures[number]

    def __len__(self) -> int:
        return len(self._pictures)

    def stored(self, status: Status) -> dict[str, Any]:
        """Give the one JSON form of a status."""
        parsed = canonical(status)
        before = len(self._statuses)
        number = self._statuses.number(parsed)
        if number == before:
            dumped = dump_status(parsed)
            assert parse_status(dumped) == parsed, "a status does not survive being stored"
            self._dumps.append(dumped)
            self._by_dump[id(dumped)] = number
        return self._dumps[number]

    def status(self, picture: Picture) -> Status | None:
        """Give the status that stands in a picture's GatewayCanary; None where that is gone."""
        if picture.resource is None:
            return None
        return self._stored_in(picture.resource)

    def _stored_in(self, resource: Resource) -> Status:
        return self._statuses[self._by_dump[id(resource.status)]]

    def number(self, picture: Picture) -> int:
        """Give the picture's number, the same for equal pictures."""
        key = (
            self._resource(picture.resource),
            picture.stable,
            picture.stable_ready,
            picture.canary,
            picture.canary_pods,
            picture.service,
            picture.route,
            picture.scaler,
            picture.runs,
        )
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._pictures)
            self._pictures.append(picture)
        return found

    def _resource(self, resource: Resource | None) -> Hashable:
        if resource is None:
            return None
        return (
            self._spec(resource.spec),
            id(resource.status),
            resource.version,
            resource.deleting,
            resource.finalizer,
            resource.approve,
            resource.abort,
            resource.retry,
        )

    def _spec(self, spec: GatewayCanarySpec | None) -> int:
        for number, known in enumerate(self._specs):
            if known is spec:
                return number
        self._specs.append(spec)
        return len(self._specs) - 1

    def _aged(self, number: int, seconds: int) -> int:
        picture = self._pictures[number]
        pods = aged_pods(picture.canary_pods, seconds)
        if picture.resource is None:
            return self.number(replace(picture, canary_pods=pods))
        status = self._stored_in(picture.resource)
        older = replace(status, state=aged_state(status.state, seconds))
        resource = replace(picture.resource, status=self.stored(older))
        return self.number(replace(picture, canary_pods=pods, resource=resource))

    def _tidied(self, truth: int, view: int) -> tuple[int, int]:
        """Name versions anew where the operator has seen the newest one."""
        one, other = self._pictures[truth], self._pictures[view]
        if one.resource == other.resource and one.resource is not None:
            resource = replace(one.resource, version=1, generation=1)
            if one.route == other.route:
                status = renamed(self._stored_in(one.resource), version=one.route.version)
                resource = replace(resource, status=self.stored(status))
            one, other = replace(one, resource=resource), replace(other, resource=resource)
        if one.route == other.route:
            born = int(one.route.attached and one.route.born == one.route.version)
            route = replace(one.route, version=1, born=born)
            one, other = replace(one, route=route), replace(other, route=route)
        if one.stable == other.stable and one.stable is not None:
            seen = int(one.stable.observed >= one.stable.generation)
            stable = replace(one.stable, generation=1, observed=seen)
            one, other = replace(one, stable=stable), replace(other, stable=stable)
        return self.number(one), self.number(other)
