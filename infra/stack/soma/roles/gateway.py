"""gateway: takes messages and shows what came of them. It needs PostgreSQL and nothing else."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Path
from pydantic import BaseModel, Field

from soma.domain.answers import WRONG
from soma.serving.apps import token_needed
from soma.settings import Settings
from soma.storage import sessions
from soma.storage.database import Database

SessionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class NewMessage(BaseModel):
    """What a user says; a sender that repeats itself gives the same id again."""

    # NUL is the one character that PostgreSQL's texts cannot hold.
    text: str = Field(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")
    id: UUID = Field(default_factory=uuid4)


class Accepted(BaseModel):
    """What was stored, and whether it was there before."""

    id: UUID
    session_id: str
    repeated: bool


class Shown(BaseModel):
    """One message as it is shown."""

    id: UUID
    role: str
    text: str
    at: str
    reply_to: UUID | None
    state: str | None


class Session(BaseModel):
    """A session as it is shown."""

    id: str
    messages: list[Shown]
    pending: int


def routes(settings: Settings, database: Database) -> APIRouter:
    """Make the API."""
    router = APIRouter(prefix="/v1/sessions", dependencies=token_needed(settings))
    wrong = settings.fault_answer == "wrong"

    @router.post("/{session_id}/messages", status_code=202)
    async def accept(session_id: SessionId, message: NewMessage) -> Accepted:
        try:
            fresh = await sessions.accept(
                database, session=session_id, message=message.id, text=message.text
            )
        except sessions.ContradictionError as error:
            raise HTTPException(409, str(error)) from error
        return Accepted(id=message.id, session_id=session_id, repeated=not fresh)

    @router.get("/{session_id}")
    async def show(session_id: SessionId) -> Session:
        said = await sessions.conversation(database, session_id)
        if said is None:
            raise HTTPException(404, f"there is no session {session_id}")
        shown = [_shown(one, wrong=wrong) for one in said]
        pending = sum(one.state == "pending" for one in said)
        return Session(id=session_id, messages=shown, pending=pending)

    return router


def _shown(message: sessions.Message, *, wrong: bool) -> Shown:
    return Shown(
        id=message.id,
        role=message.role,
        text=WRONG if wrong and message.role == "assistant" else message.text,
        at=message.at,
        reply_to=message.reply_to,
        state=message.state,
    )
