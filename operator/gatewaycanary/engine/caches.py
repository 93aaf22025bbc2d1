"""What the operator knows of the cluster: one store for each resource and watched namespace.

Records are the raw objects without what no rule reads (``metadata.managedFields`` above all). Items
of a list carry neither kind nor apiVersion, so both are put in here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from random import Random

from gatewaycanary.core import lookups, naming
from gatewaycanary.kube import resources
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.reflector import Reflector, State
from gatewaycanary.kube.resources import Object, Resource
from gatewaycanary.kube.store import Store

TOKENS = "tokens"
OURS = naming.OWNER_LABEL

WATCHED: tuple[tuple[Resource, str | None], ...] = (
    (resources.GATEWAY_CANARY, None),
    (resources.DEPLOYMENT, None),
    (resources.SERVICE, None),
    (resources.ENDPOINT_SLICE, None),
    (resources.INGRESS, None),
    (resources.VIRTUAL_SERVICE, None),
    (resources.DESTINATION_RULE, None),
    (resources.HTTP_ROUTE, None),
    (resources.AUTHORIZATION_POLICY, None),
    (resources.PEER_AUTHENTICATION, None),
    (resources.SIDECAR, None),
    (resources.NETWORK_POLICY, None),
    (resources.POD_DISRUPTION_BUDGET, None),
    (resources.HORIZONTAL_POD_AUTOSCALER, None),
    (resources.POD, OURS),
    (resources.JOB, OURS),
)
"""Each watched resource with the label selector that is sent to the server."""

HELD = frozenset({resources.VIRTUAL_SERVICE.kind, resources.HTTP_ROUTE.kind})
"""Kinds of routes that people hold: who owns which of their fields is looked at."""

Changed = Callable[[str, Object | None, Object | None], None]
"""Told of a change: the kind, the object before and after."""


def trim(resource: Resource) -> Callable[[Object], Object]:
    """Give the function that makes a record of an object of this resource."""
    dropped = frozenset() if resource.kind in HELD else frozenset({"managedFields"})

    def record(obj: Object) -> Object:
        metadata = {k: v for k, v in obj["metadata"].items() if k not in dropped}
        body = {k: v for k, v in obj.items() if k != "metadata"}
        return {
            **body,
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": metadata,
        }

    return record


def _filed_under(kind: str) -> Callable[[Object], Iterable[Hashable]]:
    def keys(obj: Object) -> Iterable[Hashable]:
        namespace = obj["metadata"].get("namespace", "")
        return [(namespace, token) for token in lookups.tokens(kind, obj)]

    return keys


class Caches:
    """The stores, and the reflectors that keep them true."""

    def __init__(self, *, client: Client, namespaces: tuple[str, ...], rng: Random) -> None:
        self._spaces = namespaces or ("",)
        self._stores: dict[tuple[str, str], Store[Object]] = {}
        self._following: dict[Resource, list[Reflector[Object]]] = {}
        self._on_presence: list[Callable[[], None]] = []
        for resource, selector in WATCHED:
            for space in self._spaces:
                store = Store(trim=trim(resource), indexes={TOKENS: _filed_under(resource.kind)})
                self._stores[resource.kind, space] = store
                self._following.setdefault(resource, []).append(
                    Reflector(
                        client=client,
                        resource=resource,
                        store=store,
                        rng=rng,
                        namespace=space or None,
                        label_selector=selector,
                        on_presence=self._presence_changed,
                    )
                )
        self._kinds = {resource.kind: found for resource, found in self._following.items()}
        self._definitions = None if namespaces else self._follow_definitions(client, rng)

    def _follow_definitions(self, client: Client, rng: Random) -> Reflector[Object]:
        """Follow what is installed, so that a kind that comes need not be asked for again."""
        resource = resources.CUSTOM_RESOURCE_DEFINITION
        store: Store[Object] = Store(trim=trim(resource))
        store.subscribe(lambda _, new: self._defined(new))
        return Reflector(client=client, resource=resource, store=store, rng=rng)

    def _defined(self, definition: Object | None) -> None:
        name = definition["metadata"]["name"] if definition is not None else ""
        for resource, found in self._following.items():
            if resource.crd == name:
                for reflector in found:
                    reflector.recheck()

    def _presence_changed(self) -> None:
        for callback in self._on_presence:
            callback()

    @property
    def reflectors(self) -> list[Reflector[Object]]:
        """Give all that is to be run."""
        more = () if self._definitions is None else (self._definitions,)
        return [*self.watched, *more]

    @property
    def watched(self) -> list[Reflector[Object]]:
        """Give what fills the stores that decisions rest on."""
        return [reflector for found in self._following.values() for reflector in found]

    def subscribe(self, changed: Changed, *, presence: Callable[[], None] = lambda: None) -> None:
        """Have every change told, with its kind, and that a kind was installed or taken away."""
        self._on_presence.append(presence)
        for (kind, _), store in self._stores.items():
            store.subscribe(lambda old, new, kind=kind: changed(kind, old, new))  # type: ignore[misc]

    async def synced(self) -> None:
        """Wait until every store tells the truth."""
        for reflector in self.watched:
            await reflector.synced.wait()

    @property
    def ready(self) -> bool:
        """Tell whether every store has told the truth once and the CRD is installed."""
        crd = self._following[resources.GATEWAY_CANARY]
        synced = all(reflector.synced.is_set() for reflector in self.watched)
        return synced and all(reflector.state is not State.ABSENT for reflector in crd)

    def store(self, kind: str, namespace: str) -> Store[Object] | None:
        """Give the store that holds this kind in this namespace, if it is watched."""
        space = "" if self._spaces == ("",) else namespace
        return self._stores.get((kind, space))

    def installed(self, kind: str) -> bool:
        """Tell whether the API server knows the kind."""
        return all(one.state is not State.ABSENT for one in self._kinds.get(kind, ()))

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Give one object, or None."""
        store = self.store(kind, namespace)
        return None if store is None else store.get(namespace, name)

    def list(self, kind: str, namespace: str) -> Iterable[Object]:
        """Give all objects of a kind in a namespace."""
        store = self.store(kind, namespace)
        return () if store is None else store.in_namespace(namespace)

    def filed(self, kind: str, namespace: str, token: str) -> Iterable[Object]:
        """Give the objects of a kind in a namespace that are filed under a token."""
        store = self.store(kind, namespace)
        return () if store is None else store.by_index(TOKENS, (namespace, token))

    def everywhere(self, kind: str) -> Iterator[Object]:
        """Give all objects of a kind."""
        for (stored, _), store in self._stores.items():
            if stored == kind:
                yield from store.all()

    def count(self, kind: str) -> int:
        """Count the objects of a kind."""
        return sum(len(store) for (stored, _), store in self._stores.items() if stored == kind)

    def put(self, kind: str, obj: Object) -> None:
        """Take in what one of our writes answered."""
        store = self.store(kind, obj["metadata"].get("namespace", ""))
        if store is not None:
            store.put(obj)

    def remove(self, kind: str, *, namespace: str, name: str, uid: str) -> None:
        """Take out what one of our deletes has removed."""
        store = self.store(kind, namespace)
        if store is not None:
            store.remove(namespace=namespace, name=name, uid=uid)
