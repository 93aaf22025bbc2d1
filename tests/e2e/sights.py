"""What a scenario sees of the cluster, and what it waits for.

All of it is read from the history, which the API server's own events fill: nothing here asks
the cluster, and nothing here sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from gatewaycanary.core.naming import RUN_LABEL
from gatewaycanary.kube.resources import Object
from proving import invariants, routes, timelines
from proving.histories import History
from proving.operators import Operator
from proving.routes import Claim

_RESTING = frozenset({"Succeeded", "Failed", "Invalid", "Idle"})


class Sight:
    """Look at one namespace's history."""

    def __init__(self, *, history: History, operator: Operator) -> None:
        self.history = history
        self.operator = operator
        self.outage_allowed = False

    def canary(self, name: str = "gateway") -> Object:
        """Give the GatewayCanary as last stored."""
        return self.history.current("GatewayCanary", name) or {"metadata": {}, "spec": {}}

    def status(self, name: str = "gateway") -> dict[str, Any]:
        """Give its status."""
        return timelines.status(self.canary(name))

    def state(self) -> dict[str, Any]:
        """Give its recorded position."""
        return timelines.state(self.canary())

    def stable_image(self) -> str:
        """Give the image that stable is to run."""
        found = self.history.current("Deployment", "gateway")
        return str(found["spec"]["template"]["spec"]["containers"][0]["image"]) if found else ""

    def route_weight(self) -> int | None:
        """Give the weight in the route; None where our destination is not in it."""
        claims = map(Claim.of, (each.object for each in self.history.records("GatewayCanary")))
        if claim := next(filter(None, claims), None):
            held = self.history.current(*claim.key)
            return routes.weight(held, claim) if held else None
        found = self.history.current("Ingress", "gateway-canary")
        return timelines.weight(found) if found else None

    def conditions(self, name: str = "gateway") -> dict[str, tuple[str, str]]:
        """Give each condition's status and reason."""
        found = self.status(name).get("conditions", [])
        return {each["type"]: (each["status"], each["reason"]) for each in found}

    def weights(self) -> list[int]:
        """Give the weights that the route has carried, in their order."""
        return [shift.after for shift in timelines.shifts(self.history.records())]

    def test_pods(self) -> list[Object]:
        """Give every test pod that there ever was, as last stored."""
        found = {
            each.name: each.object
            for each in self.history.records("Pod")
            if RUN_LABEL in timelines.labels(each.object)
        }
        return list(found.values())

    def reasons(self) -> set[str]:
        """Give the reasons of all events about the GatewayCanary."""
        return {
            each.object.get("reason", "")
            for each in self.history.records("Event")
            if (each.object.get("regarding") or {}).get("kind") == "GatewayCanary"
        }

    def ends(self, phase: str, *, name: str = "gateway", timeout: float = 150.0) -> dict[str, Any]:
        """Wait until the last spec came to rest, and expect it to be in this phase."""
        status = self.when(
            f"rests as {phase}", lambda: self._rests(name), name=name, timeout=timeout
        )
        assert status["phase"] == phase, f"{status['phase']}: {status.get('message')}"
        return status

    def reaches(
        self, phase: str, *, weight: int | None = None, timeout: float = 90.0
    ) -> dict[str, Any]:
        """Wait until it is in a phase, at a weight if one is given."""

        def there() -> bool:
            status = self.status()
            return status.get("phase") == phase and weight in (None, status.get("weight"))

        return self.when(f"is {phase} at {weight}", there, timeout=timeout)

    def carries(self, weight: int, *, timeout: float = 90.0) -> None:
        """Wait until the route carries a weight."""
        self.when(
            f"the route carries {weight}",
            lambda: self.route_weight() == weight,
            timeout=timeout,
        )

    def sees(self, item: Object) -> None:
        """Wait until the history holds what the API server has just answered.

        A watch lags behind the answer to a write, and what was true before the write must not be
        taken for its effect.
        """
        name, version = item["metadata"]["name"], int(item["metadata"]["resourceVersion"])
        self.history.wait(
            f"{item['kind']} {name} at version {version}",
            lambda: any(
                each.name == name and each.version >= version
                for each in self.history.records(item["kind"])
            ),
        )

    def says(self, kind: str, reason: str, *, name: str = "gateway", timeout: float = 90.0) -> str:
        """Wait until a condition is true for a reason; give its message."""
        self.when(
            f"{kind}=True/{reason}",
            lambda: self.conditions(name).get(kind) == ("True", reason),
            name=name,
            timeout=timeout,
        )
        conditions = self.status(name)["conditions"]
        return str(next(each["message"] for each in conditions if each["type"] == kind))

    def says_reason(self, reason: str) -> None:
        """Wait until some condition names a reason."""

        def named() -> bool:
            return reason in {told for _, told in self.conditions().values()}

        self.when(f"a condition says {reason}", named)

    def sees_stable_image(self, tag: str) -> None:
        """Wait until stable is to run a version."""
        self.when(f"stable gets {tag}", lambda: self.stable_image().endswith(f":{tag}"))

    def runs_a_test(self, *, weight: int | None = None, timeout: float = 90.0) -> Object:
        """Wait for a test pod that runs now."""

        def running() -> Object | None:
            for each in self.history.all_current("Pod"):
                at = invariants.environment(each).get("GATEWAYCANARY_WEIGHT")
                if (
                    RUN_LABEL in timelines.labels(each)
                    and timelines.status(each).get("phase") == "Running"
                    and "deletionTimestamp" not in each["metadata"]
                    and weight in (None, int(at or 0))
                ):
                    return each
            return None

        found = self.history.wait(f"a test runs at {weight}", running, timeout=timeout)
        assert found is not None
        return found

    def _rests(self, name: str) -> bool:
        canary = self.canary(name)
        status = timelines.status(canary)
        if status.get("observedGeneration", 0) < canary["metadata"].get("generation", 1):
            return False
        retry = timelines.notes(canary).get("canary.soma.dev/retry", "")
        pending = retry != timelines.state(canary).get("retrySeen", "")
        return status.get("phase") in _RESTING and not pending

    def when(
        self,
        told: str,
        condition: Callable[[], object],
        *,
        name: str = "gateway",
        timeout: float = 90.0,
    ) -> dict[str, Any]:
        """Wait for a condition; where it does not come, tell what there is instead."""
        try:
            self.history.wait(told, condition, timeout=timeout)
        except AssertionError as late:
            status = self.status(name)
            shown = {key: status.get(key) for key in ("phase", "step", "weight", "message")}
            raise AssertionError(f"{late}; it is {shown}\n{self.log_tail()}") from None
        return self.status(name)

    def complaints(self) -> list[str]:
        """Give the lines of the operator's log that tell of a bug, or of a missing right."""
        text = self.operator.log.read_text() if self.operator.log.exists() else ""
        found = [line for line in text.splitlines() if " ERROR " in line or " 403 " in line]
        # kopf calls each try an error that meets no API server.
        return [line for line in found if not self.outage_allowed or "Request attempt" not in line]

    def log_tail(self) -> str:
        """Give the end of the operator's log."""
        text = self.operator.log.read_text() if self.operator.log.exists() else ""
        return f"{time.strftime('%H:%M:%S')} the operator's log ends with:\n" + "\n".join(
            text.splitlines()[-25:]
        )
