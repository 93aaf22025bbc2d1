"""What forbids to shift a route that a person holds, whichever kind it is."""

from __future__ import annotations

from collections.abc import Iterator

from gatewaycanary.core.lookups import Lookup, items
from gatewaycanary.core.observation import Problem
from gatewaycanary.core.writes import Object
from gatewaycanary.traffic import held_rules
from gatewaycanary.traffic.held_rules import Dialect, Rule
from gatewaycanary.traffic.protocol import RouteContext


def problems(context: RouteContext, lookup: Lookup, dialect: Dialect) -> Iterator[Problem]:
    """Yield what is wrong with the route, with the place in it."""
    if not lookup.installed(dialect.kind):
        yield _not_installed(dialect)
        return
    route = lookup.get(dialect.kind, context.namespace, context.route)
    if route is None:
        yield Problem(
            reason="RouteMissing",
            object=f"{dialect.kind} {context.route}",
            message=f"there is no such {dialect.kind} in this namespace; {dialect.setting} "
            "names it",
        )
        return
    shifted = held_rules.rules(route, context, dialect)
    yield from _unnamed(route, context, dialect, shifted)
    if not shifted and not context.rules:
        yield _without_rule(route, context, dialect)
    for rule in shifted:
        yield from _unfit(rule, context, dialect)


def _not_installed(dialect: Dialect) -> Problem:
    provider = dialect.setting.rpartition(".")[0]
    return Problem(
        reason="ProviderNotInstalled",
        object=f"CustomResourceDefinition {dialect.crd}",
        field="",
        message=f"it is not installed: the cluster knows no {dialect.kind} of "
        f"{dialect.api_version}, which {provider} asks for; install it, or a version that serves "
        "this one, and the rollout goes on by itself",
    )


def _unnamed(
    route: Object, context: RouteContext, dialect: Dialect, shifted: tuple[Rule, ...]
) -> Iterator[Problem]:
    """Yield the names that the spec asks for and that no rule to stable bears."""
    named = {
        raw.get("name"): held_rules.spell(("spec", dialect.rules, index))
        for index, raw in items(route.get("spec"), dialect.rules)
    }
    fit = {rule.name for rule in shifted}
    for name in context.rules:
        if name not in named:
            spelled = ", ".join(str(one) for one in named if one) or "none"
            yield Problem(
                reason="RuleMissing",
                object=f"{dialect.kind} {context.route}",
                field=f"spec.{dialect.rules}",
                message=f"none is called {name}, as {dialect.names_setting} asks; names there: "
                f"{spelled}",
            )
        elif name not in fit:
            yield Problem(
                reason="RuleNotToStable",
                object=f"{dialect.kind} {context.route}",
                field=f"{named[name]}.{dialect.destinations}",
                message=f"{name} is to be shifted, by {dialect.names_setting}, and does not send "
                f"to {_stable(context)}",
            )


def _stable(context: RouteContext) -> str:
    subset = f" subset {context.subsets.stable}" if context.subsets else ""
    return f"Service {context.stable_service}{subset}"


def _without_rule(route: Object, context: RouteContext, dialect: Dialect) -> Problem:
    found = ", ".join(
        f"{dialect.leads_to(one)} at {held_rules.spell(('spec', dialect.rules, at))}"
        for at, raw in items(route.get("spec"), dialect.rules)
        for _, one in items(raw, dialect.destinations)
    )
    return Problem(
        reason="RouteHasNoRule",
        object=f"{dialect.kind} {context.route}",
        field=f"spec.{dialect.rules}",
        message=f"nothing in it sends to {_stable(context)}; it sends to: {found or 'nothing'}; "
        "set spec.service.stable to the one that is to be shifted",
    )


def _unfit(rule: Rule, context: RouteContext, dialect: Dialect) -> Iterator[Problem]:
    for other in rule.others:
        yield Problem(
            reason="ThirdDestination",
            object=f"{dialect.kind} {context.route}",
            field=held_rules.spell(other.place),
            message=f"it sends to {dialect.leads_to(other.raw)} as well; a weight can be shared "
            "between stable and canary only, so move it to a rule of its own",
        )
    canary = rule.canary
    if canary is not None and context.found is None and canary.weight != 0:
        yield Problem(
            reason="CanaryHasWeight",
            object=f"{dialect.kind} {context.route}",
            field=f"{held_rules.spell(canary.place)}.weight",
            message=f"{dialect.leads_to(canary.raw)} has a weight before any rollout, while there "
            "is no canary; set it to 0 or take the destination out",
        )
