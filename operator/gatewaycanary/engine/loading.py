"""Read the hooks of the releases that a spec names from their stored manifests."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from gatewaycanary.api.spec import GatewayCanarySpec
from gatewaycanary.api.status import Stage
from gatewaycanary.api.suites import TestSuite
from gatewaycanary.core.observation import Problem
from gatewaycanary.engine.memory import Loaded
from gatewaycanary.engine.parsing import Parsed
from gatewaycanary.helmtests import selection
from gatewaycanary.helmtests.release import SECRET_TYPE, Hook, revision
from gatewaycanary.kube.client import Client
from gatewaycanary.kube.errors import ForbiddenError
from gatewaycanary.kube.resources import SECRET, Object

PAGE = 500
_NAMES = replace(SECRET, metadata_only=True)


class Loader:
    """Read releases; at a start the newest revision, later the one that the state has pinned."""

    def __init__(self, *, client: Client, allow_roles: bool = False) -> None:
        self._client = client
        self._allow_roles = allow_roles
        self._reading = asyncio.Lock()

    async def load(self, parsed: Parsed, spec: GatewayCanarySpec, *, expires: datetime) -> Loaded:
        """Read all suites of a spec."""
        state = parsed.status.state
        resting = state.stage is Stage.RESTING
        hooks: list[tuple[Hook, ...]] = []
        releases: list[str] = []
        problems: list[Problem] = []
        for number, suite in enumerate(spec.tests):
            pinned = "" if resting else _pinned(state.releases, number)
            selected = await self._select(parsed.meta.namespace, suite, pinned=pinned)
            hooks.append(selected.hooks)
            problems.extend(selected.problems)
            releases.append(selected.release.secret if selected.release else "")
        return Loaded(
            ordinal=state.ordinal + 1 if resting else state.ordinal,
            hooks=tuple(hooks),
            releases=tuple(releases),
            problems=tuple(problems),
            expires=expires,
        )

    async def _select(
        self, namespace: str, suite: TestSuite, *, pinned: str
    ) -> selection.Selection:
        release = suite.helm.release
        try:
            secrets = await self._secrets(namespace, release, pinned=pinned)
        except ForbiddenError as error:
            problem = Problem(
                reason="ReleaseForbidden",
                object=f"Helm release {release}",
                message=f"the operator may not read the release's Secrets: {error.message}",
            )
            return selection.Selection(problems=(problem,))
        # A release may be large. In a thread it holds up no revert, and there is never more than
        # one in memory.
        async with self._reading:
            return await asyncio.to_thread(
                selection.load,
                secrets,
                release=release,
                namespace=namespace,
                include=suite.helm.include,
                exclude=suite.helm.exclude,
                allow_roles=self._allow_roles,
            )

    async def _secrets(self, namespace: str, release: str, *, pinned: str) -> list[Object]:
        """Read the one Secret that counts, however many revisions are kept."""
        name = pinned or await self._newest(namespace, release)
        if not name:
            return []
        answer = await self._client.list(
            SECRET,
            namespace=namespace,
            label_selector=_labelled(release),
            field_selector=f"metadata.name={name}",
        )
        # NB: items of a list carry no kind, and the type is what tells a release's Secret.
        return list(answer["items"])

    async def _newest(self, namespace: str, release: str) -> str:
        """Name the Secret of the newest revision; empty where there is none."""
        found, page = (0, ""), None
        while True:
            answer = await self._client.list(
                _NAMES,
                namespace=namespace,
                label_selector=_labelled(release),
                field_selector=f"type={SECRET_TYPE}",
                limit=PAGE,
                page=page,
            )
            named = ((revision(one), one["metadata"]["name"]) for one in answer["items"])
            found = max((found, *named))
            page = answer["metadata"].get("continue")
            if not page:
                return found[1]


def _labelled(release: str) -> str:
    return f"owner=helm,name={release}"


def _pinned(releases: tuple[str, ...], number: int) -> str:
    return releases[number] if number < len(releases) else ""
