"""What a store holds after watch events, lists, our own writes and deletes, in any order."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.kube.resources import Object
from gatewaycanary.kube.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What the tests keep of an object."""

    namespace: str
    name: str
    color: str
    uid: str


def thing(
    name: str, version: int, *, color: str = "red", uid: str = "", space: str = "a"
) -> Object:
    """Return an object as the API gives it."""
    return {
        "metadata": {
            "namespace": space,
            "name": name,
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
        },
        "spec": {"color": color, "noise": version},
    }


def trim(obj: Object) -> Thing:
    """Keep all but the noise."""
    metadata = obj["metadata"]
    return Thing(
        namespace=metadata["namespace"],
        name=metadata["name"],
        color=obj["spec"]["color"],
        uid=metadata["uid"],
    )


def make() -> Store[Thing]:
    """Return an empty store with an index by color."""
    return Store(trim=trim, indexes={"color": lambda record: (record.color,)})


class Told:
    """Collect what subscribers are told."""

    def __init__(self, store: Store[Thing]) -> None:
        self.changes: list[tuple[str | None, str | None]] = []
        store.subscribe(self._note)

    def _note(self, old: Thing | None, new: Thing | None) -> None:
        self.changes.append((old.color if old else None, new.color if new else None))


def test_a_watch_adds_changes_and_removes() -> None:
    """Events are followed, and each change is told with what was before."""
    store = make()
    told = Told(store)
    store.observe("ADDED", thing("x", 1))
    store.observe("MODIFIED", thing("x", 2, color="blue"))
    assert store.get("a", "x") == trim(thing("x", 2, color="blue"))
    assert store.resource_version("a", "x") == "2"
    store.observe("DELETED", thing("x", 3, color="blue"))
    assert store.get("a", "x") is None
    assert store.resource_version("a", "x") is None
    assert told.changes == [(None, "red"), ("red", "blue"), ("blue", None)]
    assert store.version == 3


def test_a_change_that_trimming_drops_wakes_nobody() -> None:
    """Only the version moves on; neither subscribers nor the counter do."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    record, told = store.get("a", "x"), Told(store)
    store.observe("MODIFIED", thing("x", 2))
    assert told.changes == []
    assert store.version == 1
    assert store.get("a", "x") is record
    assert store.resource_version("a", "x") == "2"


def test_our_write_is_seen_before_the_watch_tells_it() -> None:
    """A read after our own write gives what we wrote, and the late event changes nothing."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    assert store.put(thing("x", 5, color="blue")) is True
    told = Told(store)
    store.observe("MODIFIED", thing("x", 3, color="green"))
    store.observe("MODIFIED", thing("x", 5, color="blue"))
    assert store.by_index("color", "blue") == [trim(thing("x", 2, color="blue"))]
    assert told.changes == []


def test_an_answer_older_than_the_cache_is_ignored() -> None:
    """The watch may be ahead of the answer to our own write."""
    store = make()
    store.observe("ADDED", thing("x", 9))
    assert store.put(thing("x", 5, color="blue")) is False
    assert store.all() == [trim(thing("x", 9))]


def test_an_answer_about_an_object_whose_end_was_seen_does_not_bring_it_back() -> None:
    """Write at 5, deleted by another at 6, and the answer to our write is worked on last."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    store.observe("DELETED", thing("x", 6))
    assert store.put(thing("x", 5)) is False
    assert len(store) == 0


def test_a_new_object_of_ours_is_taken_at_once() -> None:
    """What we have just created is newer than all that the watch has passed."""
    store = make()
    store.observe("BOOKMARK", {"metadata": {"resourceVersion": "10"}})
    assert store.put(thing("x", 11)) is True
    assert len(store) == 1


def test_our_delete_is_not_undone_by_late_events() -> None:
    """Events of the deleted object that were still under way don't resurrect it."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    assert store.remove(namespace="a", name="x", uid="uid-x") is True
    store.observe("MODIFIED", thing("x", 2))
    assert store.put(thing("x", 2)) is False
    assert store.load([thing("x", 2)]) == {("a", "x")}
    assert len(store) == 0
    store.observe("DELETED", thing("x", 3))
    store.observe("ADDED", thing("x", 4, uid="other"))
    assert len(store) == 1


def test_our_delete_is_not_undone_by_events_of_an_older_namesake() -> None:
    """We deleted x, whose own predecessor the late watch has yet to tell of."""
    store = make()
    store.put(thing("x", 9, uid="second"))
    store.remove(namespace="a", name="x", uid="second")
    store.observe("ADDED", thing("x", 7, uid="first"))
    store.observe("DELETED", thing("x", 8, uid="first"))
    store.observe("ADDED", thing("x", 9, uid="second"))
    assert len(store) == 0


def test_a_list_made_before_our_delete_does_not_undo_it() -> None:
    """The grave outlasts a list that still shows the object, and no list that does not."""
    store = make()
    store.replace([thing("x", 1)], 2)
    store.remove(namespace="a", name="x", uid="uid-x")
    store.replace([thing("x", 1)], 3)
    store.observe("MODIFIED", thing("x", 4))
    assert len(store) == 0


def test_a_successor_of_the_same_name_is_not_taken_for_the_deleted_one() -> None:
    """Delete and create again: the old one's late end does not take the new one."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    store.remove(namespace="a", name="x", uid="uid-x")
    assert store.put(thing("x", 5, uid="new", color="blue")) is True
    store.observe("MODIFIED", thing("x", 2, color="green"))
    store.observe("DELETED", thing("x", 3))
    assert [record.color for record in store.all()] == ["blue"]


def test_removing_another_uid_does_nothing() -> None:
    """The object that we deleted is no longer the one that stands here."""
    store = make()
    store.observe("ADDED", thing("x", 1, uid="new"))
    assert store.remove(namespace="a", name="x", uid="old") is False
    assert store.remove(namespace="a", name="y", uid="old") is False
    assert len(store) == 1


def test_a_list_deletes_what_it_lacks() -> None:
    """A relist after a gap tells the deletions that the watch could not."""
    store = make()
    store.replace([thing("x", 1), thing("y", 2)], 3)
    told = Told(store)
    store.replace([thing("y", 2)], 9)
    assert told.changes == [("red", None)]
    assert store.passed == 9


def test_a_list_does_not_delete_what_is_newer_than_itself() -> None:
    """We created it after the list was made."""
    store = make()
    store.put(thing("new", 12))
    store.replace([], 10)
    assert len(store) == 1


def test_a_resource_that_vanishes_takes_all_with_it() -> None:
    """When the CRD is gone, so are its objects, and that is told."""
    store = make()
    store.replace([thing("x", 1), thing("y", 2)], 3)
    told = Told(store)
    store.clear()
    assert told.changes == [("red", None)] * 2
    assert (store.all(), store.in_namespace("a"), store.by_index("color", "red")) == ([], [], [])


def test_indexes_follow_the_records() -> None:
    """Each record is found under its namespace and its present index keys only."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    store.observe("ADDED", thing("x", 2, space="b"))
    store.observe("MODIFIED", thing("x", 3, color="blue"))
    assert [record.namespace for record in store.by_index("color", "red")] == ["b"]
    assert [record.namespace for record in store.by_index("color", "blue")] == ["a"]
    assert [record.color for record in store.in_namespace("a")] == ["blue"]
    assert store.by_index("color", "green") == []
    with pytest.raises(KeyError):
        store.by_index("shape", "round")


def test_what_a_caller_got_does_not_change_under_it() -> None:
    """An answer is a list of its own."""
    store = make()
    store.observe("ADDED", thing("x", 1))
    got = store.in_namespace("a")
    store.observe("DELETED", thing("x", 2))
    assert len(got) == 1


@dataclass
class Cluster:
    """A server that keeps objects and a history, and a client that is late and forgetful."""

    rng: Random
    store: Store[Thing]
    clock: int = 0
    objects: dict[str, Object] = field(default_factory=dict)
    history: list[tuple[str, Object]] = field(default_factory=list)
    late: list[Object] = field(default_factory=list)
    told: int = 0
    known: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)

    def write(self, *, ours: bool) -> None:
        """Create, change or delete something, as us or as another."""
        name = self.rng.choice("xyz")
        self.clock += 1
        old = self.objects.get(name)
        if old is not None and self.rng.random() < 0.4:
            self._delete(name, old, ours=ours)
            return
        uid = old["metadata"]["uid"] if old else f"uid-{self.clock}"
        new = thing(name, self.clock, color=self.rng.choice(["red", "blue"]), uid=uid)
        self.objects[name] = new
        self.history.append(("MODIFIED" if old else "ADDED", new))
        if ours:
            self.late.append(new)

    def _delete(self, name: str, old: Object, *, ours: bool) -> None:
        held = self.store.get("a", name)
        ours = ours and held is not None and held.uid == old["metadata"]["uid"]
        del self.objects[name]
        last: dict[str, Any] = {**old["metadata"], "resourceVersion": str(self.clock)}
        self.history.append(("DELETED", {**old, "metadata": last}))
        if ours:
            self.store.remove(namespace="a", name=name, uid=old["metadata"]["uid"])
            self.dead.add(old["metadata"]["uid"])

    def answer(self) -> None:
        """Have an answer to a write of ours worked on, perhaps long after it was made."""
        if self.late:
            obj = self.late.pop(self.rng.randrange(len(self.late)))
            self.store.put(obj)
            name, version = obj["metadata"]["name"], int(obj["metadata"]["resourceVersion"])
            self.known[name] = max(version, self.known.get(name, 0))

    def check(self) -> None:
        """See that the store is nowhere behind what we have written ourselves."""
        for record in self.store.all():
            version = int(self.store.resource_version("a", record.name) or 0)
            assert version >= self.known.get(record.name, 0)
            assert record.uid not in self.dead
        for name, version in self.known.items():
            obj = self.objects.get(name)
            if obj is not None and int(obj["metadata"]["resourceVersion"]) == version:
                assert self.store.get("a", name) == trim(obj)

    def tell(self) -> None:
        """Have the watch tell the next event, or a bookmark."""
        if self.told < len(self.history):
            self.store.observe(*self.history[self.told])
            self.told += 1
        elif self.clock:
            self.store.observe("BOOKMARK", {"metadata": {"resourceVersion": str(self.clock)}})

    def relist(self) -> None:
        """Lose the watch's place: a list, a write while it is under way, then the watch from it."""
        version, listed = self.clock, list(self.objects.values())
        told = len(self.history)
        if self.rng.random() < 0.5:
            self.write(ours=self.rng.random() < 0.5)
            self.answer()
        self.store.replace(listed, version)
        self.told = told


@settings(deadline=None, max_examples=1000)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_in_the_end_the_store_is_what_the_server_holds(seed: int) -> None:
    """After any mix of events, late answers, deletes, relists: nothing is lost, nothing haunts."""
    store = make()
    cluster = Cluster(rng=Random(seed), store=store)
    steps = [
        lambda: cluster.write(ours=True),
        lambda: cluster.write(ours=False),
        cluster.answer,
        cluster.tell,
        cluster.tell,
        cluster.relist,
    ]
    for _ in range(60):
        cluster.rng.choice(steps)()
        cluster.check()
    while cluster.late:
        cluster.answer()
    while cluster.told < len(cluster.history):
        cluster.tell()
    assert {record.name: record for record in store.all()} == {
        name: trim(obj) for name, obj in cluster.objects.items()
    }
    for color in ("red", "blue"):
        assert sorted(record.name for record in store.by_index("color", color)) == sorted(
            record.name for record in store.all() if record.color == color
        )
    assert len(store.in_namespace("a")) == len(store)
