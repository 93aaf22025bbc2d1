"""What a test run did to a namespace, in words that do for both helm's run and ours.

An object is named by its hook: helm's test objects carry the hook's name, ours carry it in a label.
What is compared is which hooks' objects were created and deleted, in the order in which the API
server stored that. Clearing away what an earlier run left is not part of a run's story: the two
runs find different things there, as our test objects have a name for each run.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from gatewaycanary.core.naming import OWNER_LABEL, TEST_LABEL
from gatewaycanary.kube.resources import (
    CONFIG_MAP,
    JOB,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE_ACCOUNT,
    Object,
)
from proving.histories import History, Record

KINDS = (CONFIG_MAP, JOB, PERSISTENT_VOLUME_CLAIM, POD, SECRET, SERVICE_ACCOUNT)

Entry = tuple[str, str, str]
"""What was done, the kind and the hook's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The versions between two moments. ``ours``: whose objects count, ours or helm's."""

    since: int
    until: int
    ours: bool


def story(history: History, span: Span) -> list[Entry]:
    """Tell what a run created, and deleted of that again, of its hooks' objects."""
    told: list[Entry] = []
    known: set[str] = set()
    for record, hook in _records(history, span):
        uid = record.object["metadata"]["uid"]
        if uid not in known and _is_first(history, record):
            told.append(("create", record.kind, hook))
            known.add(uid)
        if uid in known and (record.deleted or "deletionTimestamp" in record.object["metadata"]):
            told.append(("delete", record.kind, hook))
            known.discard(uid)
    return told


def tests(history: History, span: Span) -> list[tuple[str, str, Any]]:
    """Give what each created test was to do, without what the two runs may differ in."""
    return [
        (record.kind, hook, _plain(record))
        for record, hook in _records(history, span)
        if record.kind in ("Pod", "Job") and _is_first(history, record)
    ]


def _records(history: History, span: Span) -> Iterator[tuple[Record, str]]:
    for record in history.records():
        hook = _hook(record.object, ours=span.ours)
        if hook is not None and span.since < record.version <= span.until:
            yield record, hook


def _hook(obj: Object, *, ours: bool) -> str | None:
    """Name the hook that an object was made of; None where it is not one of this run's."""
    metadata = obj["metadata"]
    labels = metadata.get("labels") or {}
    if (OWNER_LABEL in labels) is not ours:
        return None
    if not (metadata.get("annotations") or {}).get("helm.sh/hook", "").startswith("test"):
        return None
    return str(labels[TEST_LABEL] if ours else metadata["name"])


def _is_first(history: History, record: Record) -> bool:
    uid = record.object["metadata"]["uid"]
    same = (r for r in history.records(record.kind) if r.object["metadata"]["uid"] == uid)
    return next(same).version == record.version


def _plain(record: Record) -> Any:
    spec = deepcopy(record.object["spec"])
    pod = spec["template"]["spec"] if record.kind == "Job" else spec
    for field in ("activeDeadlineSeconds", "hostAliases", "nodeName"):
        pod.pop(field, None)
        spec.pop(field, None)
    spec.pop("selector", None)
    if record.kind == "Job":
        spec["template"].pop("metadata", None)
    pod["volumes"] = [v for v in pod.get("volumes", ()) if "projected" not in v]
    for container in pod["containers"]:
        container.pop("env", None)
        mounts = container.get("volumeMounts", ())
        container["volumeMounts"] = [m for m in mounts if "serviceaccount" not in m["mountPath"]]
    return spec
