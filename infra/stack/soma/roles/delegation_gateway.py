"""delegation-gateway: takes long tasks and shows how far they are."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field

from soma.serving.apps import token_needed
from soma.settings import Settings
from soma.storage import tasks
from soma.storage.database import Database
from soma.storage.sessions import ContradictionError

Step = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class NewTask(BaseModel):
    """What is to be done; a sender that repeats itself gives the same id again."""

    steps: list[Step] = Field(min_length=1, max_length=100)
    id: UUID = Field(default_factory=uuid4)


class Accepted(BaseModel):
    """What was stored, and whether it was there before."""

    id: UUID
    repeated: bool


class Shown(BaseModel):
    """A task as it is shown."""

    id: UUID
    state: str
    done: int
    steps: list[str]
    results: list[str]


def routes(settings: Settings, database: Database) -> APIRouter:
    """Make the API."""
    router = APIRouter(prefix="/v1/tasks", dependencies=token_needed(settings))

    @router.post("", status_code=202)
    async def accept(task: NewTask) -> Accepted:
        try:
            fresh = await tasks.accept(database, task=task.id, steps=task.steps)
        except ContradictionError as error:
            raise HTTPException(409, str(error)) from error
        return Accepted(id=task.id, repeated=not fresh)

    @router.get("/{task_id}")
    async def show(task_id: UUID) -> Shown:
        task = await tasks.find(database, task_id)
        if task is None:
            raise HTTPException(404, f"there is no task {task_id}")
        return Shown(
            id=task.id,
            state=task.state,
            done=len(task.results),
            steps=list(task.steps),
            results=list(task.results),
        )

    return router
