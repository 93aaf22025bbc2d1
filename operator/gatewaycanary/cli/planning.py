"""`gatewaycanary plan`: read a file and, unless offline, what stands around it; write nothing."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gatewaycanary.api.crd import GROUP, KIND
from gatewaycanary.api.problems import SpecInvalid
from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.cli.connecting import reached
from gatewaycanary.cli.errors import CommandError
from gatewaycanary.cli.surroundings import look
from gatewaycanary.cli.verdicts import Code
from gatewaycanary.core import plan as plans
from gatewaycanary.core.observation import Problem

Document = Mapping[str, Any]


def plan(arguments: argparse.Namespace) -> int:
    """Print the plan of every GatewayCanary in the file, and return the exit code."""
    documents = list(canaries(_text(arguments.filename)))
    if not documents:
        raise CommandError(f"{arguments.filename} holds no GatewayCanary")
    made = asyncio.run(_plan_all(documents, arguments))
    for one in made:
        print("\n".join(one.lines()), end="\n\n")
    print("Nothing was changed.")
    return Code.DONE if all(one.runs for one in made) else Code.INVALID


def canaries(text: str) -> Iterator[Document]:
    """Give the GatewayCanaries of a YAML text, those within Lists too."""
    try:
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise CommandError(f"not YAML: {error}") from error
    for document in documents:
        if isinstance(document, dict):
            yield from _canaries_of(document)


def _canaries_of(document: Document) -> Iterator[Document]:
    items = document.get("items") if document.get("kind") == "List" else (document,)
    for item in items if isinstance(items, list | tuple) else ():
        group = str(item.get("apiVersion", "")).partition("/")[0]
        if item.get("kind") == KIND and group == GROUP:
            yield item


async def _plan_all(documents: list[Document], arguments: argparse.Namespace) -> list[plans.Plan]:
    if arguments.offline:
        return [_planned(document) for document in documents]
    async with reached(arguments) as reach:
        made = []
        for document in documents:
            namespace = _metadata(document).get("namespace") or reach.namespace
            spec = _read(document)
            known = (
                await look(reach.client, spec, namespace=namespace, document=document)
                if isinstance(spec, GatewayCanarySpec)
                else plans.Surroundings()
            )
            made.append(_planned(document, known))
        return made


def _planned(document: Document, known: plans.Surroundings | None = None) -> plans.Plan:
    name = str(_metadata(document).get("name") or "?")
    spec = _read(document)
    if isinstance(spec, GatewayCanarySpec):
        return plans.plan(spec, name=name, known=known or plans.Surroundings())
    refusals = tuple(f"SpecInvalid: {problem.sentence()}" for problem in spec)
    return plans.Plan(headline=f"GatewayCanary {name}", refusals=refusals)


def _read(document: Document) -> GatewayCanarySpec | tuple[Problem, ...]:
    spec = document.get("spec")
    try:
        return parse(spec if isinstance(spec, dict) else {})
    except SpecInvalid as error:
        return tuple(
            Problem(reason="SpecInvalid", object="", field=field, message=message)
            for field, message in error.problems
        )


def _metadata(document: Document) -> Document:
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _text(filename: str) -> str:
    try:
        return sys.stdin.read() if filename == "-" else Path(filename).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {filename}: {error}") from error
