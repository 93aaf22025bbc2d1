"""What this process remembers of the run in flight. Nothing of it must survive a crash.

Pods and Jobs are watched, so what was seen once and is there no more is gone. Supporting objects
are not watched: they are created without looking, and looked at only when the API server says that
they exist; the answer to either is kept here. Of an object only its metadata is kept.

The engine tells what came of each effect: ``with_object`` the answer to a create, or to the read
that follows AlreadyExists; ``without`` a delete; ``with_refusal`` a create refused for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gatewaycanary.core.naming import OWNER_LABEL
from gatewaycanary.core.observation import PodFault
from gatewaycanary.core.writes import Object
from gatewaycanary.helmtests.verdict import Standing

ObjectKey = tuple[str, str]
"""Kind and name."""

_KEPT = ("name", "namespace", "uid", "labels", "annotations", "deletionTimestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object's metadata as found at a moment."""

    metadata: Object
    at: datetime
    by_helm: bool = False

    @property
    def labels(self) -> Mapping[str, str]:
        """Return the labels."""
        labels: Mapping[str, str] = self.metadata.get("labels") or {}
        return labels

    @property
    def annotations(self) -> Mapping[str, str]:
        """Return the annotations."""
        annotations: Mapping[str, str] = self.metadata.get("annotations") or {}
        return annotations

    @property
    def deleting(self) -> bool:
        """Tell whether the object's deletion has been asked for."""
        return bool(self.metadata.get("deletionTimestamp"))

    @classmethod
    def of(cls, obj: Object, *, at: datetime) -> Found:
        """Keep what matters of a whole object."""
        metadata = obj["metadata"]
        managers = (entry.get("manager") for entry in metadata.get("managedFields") or ())
        return cls(
            metadata={key: metadata[key] for key in _KEPT if key in metadata},
            at=at,
            by_helm="helm" in managers,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMemory:
    """The memory of one run, named by its label.

    ``seen``: uids of test objects. ``passed``: the tests that passed, which may be gone since.
    """

    run: str = ""
    seen: Mapping[ObjectKey, str] = field(default_factory=dict)
    passed: Mapping[ObjectKey, Standing] = field(default_factory=dict)
    found: Mapping[ObjectKey, Found] = field(default_factory=dict)
    refused: Mapping[ObjectKey, PodFault] = field(default_factory=dict)

    def of(self, run: str, *, uid: str) -> RunMemory:
        """Return the memory of this run; of another only the owner's objects are still known."""
        if self.run == run:
            return self
        ours = {k: found for k, found in self.found.items() if found.labels.get(OWNER_LABEL) == uid}
        return RunMemory(run=run, found=ours)

    def with_object(self, kind: str, obj: Object, *, now: datetime) -> RunMemory:
        """Remember an object as the API server has answered it."""
        key = (kind, str(obj["metadata"]["name"]))
        return replace(self, found={**self.found, key: Found.of(obj, at=now)})

    def with_seen(self, seen: Mapping[ObjectKey, str]) -> RunMemory:
        """Remember test objects that exist."""
        new = {key: uid for key, uid in seen.items() if key not in self.seen}
        return replace(self, seen={**self.seen, **new}) if new else self

    def with_passed(self, name: ObjectKey, standing: Standing) -> RunMemory:
        """Remember that a test passed."""
        if name in self.passed:
            return self
        return replace(self, passed={**self.passed, name: standing})

    def without(self, kind: str, name: str) -> RunMemory:
        """Forget an object that was deleted."""
        key = (kind, name)
        return replace(self, found={k: found for k, found in self.found.items() if k != key})

    def with_refusal(self, kind: str, name: str, fault: PodFault) -> RunMemory:
        """Remember that the API server will not create this object."""
        return replace(self, refused={**self.refused, (kind, name): fault})
