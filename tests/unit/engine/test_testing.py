"""Helm tests in the loop: read, run, judged, kept and deleted; and what goes wrong on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.decision import AdvanceTests
from gatewaycanary.core.observation import RunPhase, RunView
from gatewaycanary.engine.memory import Recollection
from gatewaycanary.engine.parsing import Parsed
from gatewaycanary.engine.testing import EXPIRY, Suites
from gatewaycanary.engine.writer import Writer
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import FencedError, KubeError, UnreachableError
from gatewaycanary.kube.resources import Object
from unit.core.objects import NAMESPACE, UID, canary, service
from unit.engine.fakes import FakeApi, caches, forbidden, hold, missing
from unit.helmtests.objects import secret, stored_hook

KEY = (NAMESPACE, "web")
RUN = AdvanceTests(weight=5, suite=0, run=1)
RUNNING = {
    "stage": "Ramping",
    "ordinal": 1,
    "revision": "r-1",
    "announced": 5,
    "run": 1,
    "attempt": 1,
    "runStartedAt": "2026-01-01T00:00:00Z",
    "releases": ["sh.helm.release.v1.shop.v1"],
}


def release(*hooks: Any, revision: int = 1) -> dict[str, Any]:
    """Write the Secret of a release, where it is stored."""
    found = secret(*hooks, revision=revision)
    return {
        **found,
        "kind": "Secret",
        "metadata": {**found["metadata"], "namespace": NAMESPACE, "uid": f"v{revision}"},
    }


ROLE = stored_hook(
    "Role",
    "reader",
    text='{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", '
    '"metadata": {"name": "reader"}, "rules": []}',
)


class Setting:
    """The suites of one canary on an API in memory, at a moment that a test sets."""

    def __init__(
        self,
        *secrets: Object,
        state: dict[str, Any],
        tests: bool = True,
        allow_roles: bool = False,
    ) -> None:
        self.api = FakeApi()
        self.caches = caches(self.api)
        client = Client(self.api)
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.kept = Recollection(uid=UID)
        self.suites = Suites(
            client=client,
            writer=Writer(client=client, caches=self.caches),
            caches=self.caches,
            clock=lambda: self.now,
            cluster_domain="cluster.local",
            allow_roles=allow_roles,
        )
        spec: dict[str, Any] = {"tests": [{"helm": {"release": "shop"}}]} if tests else {}
        mine = {**canary(**spec), "status": {"state": state}}
        hold(self.api, self.caches, mine, service(), service("web-canary"))
        for one in secrets:
            self.api.add(one)

    def parsed(self) -> Parsed:
        """Read the canary."""
        raw = self.caches.get("GatewayCanary", *KEY)
        assert raw is not None
        return self.kept.read(raw)

    def go_to(self, **state: Any) -> None:
        """Have another state stored."""
        raw = self.caches.get("GatewayCanary", *KEY)
        assert raw is not None
        self.caches.put(
            "GatewayCanary", self.api.add({**raw, "status": {"state": {**RUNNING, **state}}})
        )

    def view(self) -> RunView:
        """Tell where the run stands."""
        parsed = self.parsed()
        assert parsed.spec is not None
        return self.suites.view(parsed, parsed.spec, self.kept, now=self.now)

    def reasons(self) -> list[str]:
        """Tell what forbids to run the tests."""
        found = self.suites.problems(self.parsed(), self.kept, now=self.now)
        return [problem.reason for problem in found]

    async def load(self) -> None:
        """Read the release."""
        await self.suites.load(KEY, self.kept)

    async def advance(self) -> bool:
        """Perform what the run needs."""
        return await self.suites.advance(KEY, self.kept, RUN)

    def pods(self) -> list[Object]:
        """Give the test pods that the server holds."""
        return [obj for (kind, _, _), obj in self.api.objects.items() if kind == "Pod"]

    def end(self, phase: str) -> None:
        """Have the only test pod end."""
        (pod,) = self.pods()
        code = 0 if phase == "Succeeded" else 1
        ended = {
            "exitCode": code,
            "startedAt": "2026-01-01T00:00:00Z",
            "finishedAt": "2026-01-01T00:00:02Z",
        }
        status = {
            "phase": phase,
            "containerStatuses": [{"name": "test", "state": {"terminated": ended}}],
        }
        self.caches.put("Pod", self.api.add({**pod, "status": status}))


async def test_without_tests_there_is_nothing_to_run() -> None:
    """No release is read, and the gate finds nothing unloaded."""
    setting = Setting(state={}, tests=False)
    assert setting.view() == RunView()
    assert setting.api.calls == []


async def test_a_run_from_its_start_to_its_verdict() -> None:
    """Read once, created once, judged when it ends."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    assert setting.view().phase is RunPhase.UNLOADED
    await setting.load()
    assert setting.view().work
    assert await setting.advance()
    assert len(setting.pods()) == 1
    assert not await setting.advance(), "the pod runs: nothing to do"
    assert setting.view().phase is RunPhase.RUNNING
    setting.end("Succeeded")
    view = setting.view()
    assert view.phase is RunPhase.PASSED
    assert [(one.name, one.verdict) for one in view.results] == [("smoke", Verdict.PASSED)]


async def test_a_successor_adopts_the_run() -> None:
    """Another process, which remembers nothing, finds the same pod and creates no second."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    await setting.advance()
    setting.kept = Recollection(uid=UID)
    await setting.load()
    assert not await setting.advance()
    setting.end("Failed")
    assert setting.view().phase is RunPhase.FAILED


async def test_an_effect_of_a_run_that_is_no_more() -> None:
    """The state has gone on since the decision: nothing is created."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    setting.go_to(run=2)
    assert not await setting.advance()
    setting.go_to(run=1, announced=10)
    assert not await setting.advance()
    setting.go_to(stage="Resting", ordinal=1)
    assert not await setting.advance()
    assert setting.pods() == []


@pytest.mark.parametrize(
    ("secrets", "reason"),
    [
        ([], "ReleaseNotFound"),
        ([release()], "ReleaseWithoutTests"),
        ([release(stored_hook(text="{"))], "ReleaseUnreadable"),
        ([release(stored_hook("Widget", "w"), stored_hook())], "TestHookRefused"),
    ],
)
async def test_no_run_is_passed_for_want_of_tests(secrets: list[Object], reason: str) -> None:
    """A release that cannot be tested as written gates nothing: never green, and told why."""
    setting = Setting(*secrets, state=RUNNING)
    await setting.load()
    assert setting.reasons() == [reason]
    assert setting.view().phase is RunPhase.IDLE
    assert not await setting.advance()
    assert setting.pods() == []


@pytest.mark.parametrize(("allowed", "reasons"), [(False, ["TestHookRefused"]), (True, [])])
async def test_roles_are_by_opt_in(allowed: bool, reasons: list[str]) -> None:
    """Tests bring rights of their own only where the operator was installed to let them."""
    setting = Setting(release(ROLE, stored_hook()), state=RUNNING, allow_roles=allowed)
    await setting.load()
    assert setting.reasons() == reasons


async def test_a_release_that_may_not_be_read() -> None:
    """The right that is missing is the problem, in the server's words."""
    setting = Setting(state={})
    setting.api.fail("list", "Secret", forbidden("no right to secrets"))
    await setting.load()
    (problem,) = setting.suites.problems(setting.parsed(), setting.kept, now=setting.now)
    assert problem.reason == "ReleaseForbidden"
    assert "no right to secrets" in problem.message


async def test_at_rest_a_release_is_read_again() -> None:
    """What it lacks holds until the reading expires; then it is unread, and forbids nothing."""
    setting = Setting(state={})
    await setting.load()
    assert setting.reasons() == ["ReleaseNotFound"]
    assert setting.view().look_again_at == setting.now + EXPIRY
    setting.now += EXPIRY
    assert setting.reasons() == []
    assert setting.view().phase is RunPhase.UNLOADED
    setting.api.add(release(stored_hook()))
    await setting.load()
    assert setting.reasons() == []
    view = setting.view()
    assert view.phase is RunPhase.IDLE
    assert view.releases == ("sh.helm.release.v1.shop.v1",)
    setting.now += EXPIRY
    assert setting.view().phase is RunPhase.UNLOADED, "a start takes the newest there is then"


async def test_in_mid_rollout_a_problem_lasts() -> None:
    """It is read again, but does not seem mended until it is: its grace goes on running."""
    setting = Setting(state=RUNNING)
    await setting.load()
    setting.now += EXPIRY
    assert setting.view().phase is RunPhase.UNLOADED
    assert setting.reasons() == ["ReleaseNotFound"]
    setting.api.add(release(stored_hook()))
    await setting.load()
    assert setting.reasons() == []
    setting.now += timedelta(hours=1)
    assert setting.view().phase is not RunPhase.UNLOADED, "what runs is not read again"


async def test_what_was_read_is_of_one_rollout() -> None:
    """The next one reads anew."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    setting.go_to(ordinal=2)
    assert setting.view().phase is RunPhase.UNLOADED
    assert setting.reasons() == []


async def test_the_newest_revision_at_rest_and_the_pinned_one_later() -> None:
    """A helm upgrade in mid-rollout changes nothing about the tests that gate it."""
    old, new = release(stored_hook()), release(stored_hook(name="later"), revision=2)
    setting = Setting(old, new, state={})
    await setting.load()
    assert setting.view().releases == ("sh.helm.release.v1.shop.v2",)
    setting.go_to()
    await setting.load()
    assert setting.kept.loaded is not None
    assert setting.kept.loaded.releases == ("sh.helm.release.v1.shop.v1",)
    assert [hook.name for hook in setting.kept.loaded.hooks[0]] == ["smoke"]


async def test_the_log_is_kept_for_its_revision() -> None:
    """It is read once, and never shown for another rollout."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    await setting.advance()
    setting.end("Failed")
    setting.api.log = "expected 200\ngot 500\n"
    assert setting.view().log_tail == ""
    await setting.suites.read_log(KEY, setting.kept)
    assert setting.view().log_tail == "expected 200\ngot 500"
    setting.go_to(revision="r-2")
    assert setting.view().log_tail == ""


async def test_a_silent_test_has_a_log_all_the_same() -> None:
    """An empty log would be asked for again and again, and the rollout would never end."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    await setting.advance()
    setting.end("Failed")
    setting.api.log = ""
    await setting.suites.read_log(KEY, setting.kept)
    assert setting.view().log_tail != ""


async def test_a_log_that_cannot_be_read() -> None:
    """The reason stands in its place; only a lost lease is not talked away."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    await setting.advance()
    setting.end("Failed")
    setting.api.fail("get", "Pod/log", UnreachableError("no answer"))
    await setting.suites.read_log(KEY, setting.kept)
    assert "no answer" in setting.view().log_tail
    setting.api.fail("get", "Pod/log", FencedError("lost"))
    with pytest.raises(FencedError):
        await setting.suites.read_log(KEY, setting.kept)


async def test_a_failed_test_whose_pod_is_gone() -> None:
    """There is no log, and that is said."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.suites.read_log(KEY, setting.kept)
    assert setting.view().log_tail.startswith("(no log")


async def test_a_pod_that_is_refused_for_good() -> None:
    """A quota is a verdict with its reason, at once and without another try."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    setting.api.fail("create", "Pod", forbidden('pods "x" is forbidden: exceeded quota: q'))
    await setting.advance()
    view = setting.view()
    assert (view.phase, view.reason) == (RunPhase.FAILED, "QuotaExceeded")
    assert not await setting.advance()
    assert setting.api.verbs().count(("create", "Pod")) == 1


@pytest.mark.parametrize(
    "trouble",
    [
        UnreachableError("no answer"),
        # So says an API server of everybody, until it has read the roles after its start.
        forbidden('pods is forbidden: User "x" cannot create resource "pods" in API group ""'),
    ],
)
async def test_trouble_that_passes_is_no_verdict(trouble: KubeError) -> None:
    """It is the server's and not the canary's: raised, and tried again."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    await setting.load()
    setting.api.fail("create", "Pod", trouble)
    with pytest.raises(type(trouble)):
        await setting.advance()
    assert setting.view().phase is RunPhase.RUNNING
    assert await setting.advance()
    assert len(setting.pods()) == 1


async def test_supporting_objects_come_first_and_go_last() -> None:
    """A ConfigMap is created before the test; at the end all goes, each kind by one request."""
    hooks = stored_hook("ConfigMap", "data"), stored_hook()
    setting = Setting(release(*hooks), state=RUNNING)
    await setting.load()
    await setting.advance()
    assert [one for one in setting.api.verbs() if one[0] == "create"] == [
        ("create", "ConfigMap"),
        ("create", "Pod"),
    ]
    setting.end("Succeeded")
    setting.go_to(stage="Finalizing", recorded=5)
    assert setting.view().objects_left
    await setting.suites.delete(KEY, setting.kept)
    assert setting.pods() == []
    assert ("ConfigMap", NAMESPACE, "data") not in setting.api.objects
    assert setting.api.verbs().count(("deletecollection", "Pod")) == 1
    assert ("deletecollection", "Job") not in setting.api.verbs(), "there never was one"
    assert not setting.view().objects_left


async def test_a_supporting_object_of_somebody_else_stays() -> None:
    """Only what carries our label is deleted; what is gone already is no error."""
    theirs = {"kind": "ConfigMap", "metadata": {"name": "data", "namespace": NAMESPACE}}
    setting = Setting(release(stored_hook("ConfigMap", "data"), stored_hook()), state=RUNNING)
    setting.api.add(theirs)
    setting.go_to(stage="Finalizing", recorded=5)
    await setting.suites.delete(KEY, setting.kept)
    assert ("ConfigMap", NAMESPACE, "data") in setting.api.objects
    setting.api.fail("get", "ConfigMap", missing())
    await setting.suites.delete(KEY, setting.kept)
    assert ("delete", "ConfigMap") not in setting.api.verbs()


async def test_a_canary_that_is_gone() -> None:
    """Its tests need nothing more."""
    setting = Setting(release(stored_hook()), state=RUNNING)
    setting.caches.remove("GatewayCanary", namespace=NAMESPACE, name="web", uid=UID)
    await setting.load()
    await setting.suites.read_log(KEY, setting.kept)
    await setting.suites.delete(KEY, setting.kept)
    assert not await setting.advance()
    assert setting.api.calls == []
