"""Asks the audience engine, from any process of the installation."""

from __future__ import annotations

import base64
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from salus.audiences import queries, wire
from salus.audiences.contracts import Tree
from salus.audiences.nodes import Moment
from salus.kernel.errors import BadInput, Conflict, NotFound, SalusError, Unavailable
from salus.keys import api as keys
from salus.platform.tenancy import current_organization

TOKEN = "audience-engine"  # noqa: S105 - the name of the secret
ASK_SECONDS = 15.0
FREEZE_SECONDS = 300.0
_ERRORS: Mapping[str, type[SalusError]] = {
    "BadInput": BadInput,
    "Conflict": Conflict,
    "Unavailable": Unavailable,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said: `positions` are the feed numbers that it had read by then."""

    count: int
    positions: Mapping[str, int]
    seconds: float
    members: bytes = b""
    groups: tuple[tuple[str, int], ...] = ()
    people: tuple[tuple[int, UUID], ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """How the engine stands with one organization: "ready", "building" or "down".

    `behind` is how far each feed has gone on since the engine read it, as of now.
    """

    state: str
    people: int = 0
    of: int = 0
    positions: Mapping[str, int] | None = None
    behind: Mapping[str, int] | None = None
    rebuilt_at: datetime | None = None
    build: Mapping[str, float] = field(default_factory=dict)
    """How many seconds the last build took: "people_seconds", "feeds_seconds", "seconds"."""


def directory() -> Path:
    """Return the folder of the engine: sockets, and a folder for each organization."""
    return Path(settings.SALUS_HOME) / "audience"


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine as one organization sees it."""

    organization_id: UUID
    path: Path

    @classmethod
    def of_current(cls) -> Engine:
        """Return the engine of the organization in context."""
        organization_id = current_organization()
        shard = wire.shard_of(organization_id, getattr(settings, "SALUS_AUDIENCE_SHARDS", 1))
        return cls(organization_id, wire.socket_path(directory(), shard))

    def count(self, tree: Tree, moment: Moment) -> Answer:
        """Return how many people are in `tree`."""
        return self._ask("count", tree, moment)

    def members(self, tree: Tree, moment: Moment, *, need: Mapping[str, int] | None = None) -> Answer:
        """Return who is in `tree`, once the engine has read every feed up to `need`."""
        return self._ask("members", tree, moment, seconds=FREEZE_SECONDS if need else ASK_SECONDS, need=need)

    def breakdown(self, tree: Tree, moment: Moment, attribute: str) -> Answer:
        """Return how many of the people in `tree` have each value of `attribute`."""
        return self._ask("breakdown", tree, moment, attribute=attribute)

    def sample(self, tree: Tree, moment: Moment, size: int) -> Answer:
        """Return a few of the people in `tree`."""
        return self._ask("sample", tree, moment, size=size)

    def explain(self, tree: Tree, moment: Moment) -> Answer:
        """Return the number of people for each line of the explanation of `tree`."""
        return self._ask("explain", tree, moment)

    def status(self) -> Status:
        """Return how the engine stands; never raises `Unavailable`."""
        try:
            answer = self._exchange({"ask": "status"}, 2.0)
        except Unavailable:
            return Status("down")
        rebuilt = answer.get("rebuilt_at")
        positions: dict[str, int] = answer["positions"]
        behind = {name: max(0, head - positions[name]) for name, head in queries.heads().items()}
        return Status(
            answer["state"],
            answer["people"],
            answer["of"],
            positions,
            behind,
            datetime.fromisoformat(rebuilt) if rebuilt else None,
            answer["build"],
        )

    def _ask(
        self, what: str, tree: Tree, moment: Moment, seconds: float = ASK_SECONDS, **more: Any
    ) -> Answer:
        segments = {str(one): found for one, found in queries.closure(tree).items()}
        answer = self._exchange(
            {
                "ask": what,
                "tree": tree,
                "segments": segments,
                "at": moment.at.isoformat(),
                "zone": moment.zone,
                "seconds": seconds,
                **more,
            },
            seconds,
        )
        return Answer(
            count=answer["count"],
            positions=answer["positions"],
            seconds=answer["took"],
            members=base64.b64decode(answer.get("members", "")),
            groups=tuple((str(name), int(many)) for name, many in answer.get("groups", ())),
            people=tuple((int(number), UUID(one)) for number, one in answer.get("people", ())),
            counts=tuple(answer.get("counts", ())),
        )

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        whole = {
            "token": keys.local_secret(TOKEN).hex(),
            "organization": str(self.organization_id),
            **request,
        }
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(seconds + 2.0)
                with wire.short_path(self.path) as name:
                    connection.connect(name)
                wire.send(connection, whole)
                answer = wire.receive(connection, wire.LARGEST_ANSWER)
        except TimeoutError:
            raise Unavailable(
                "The audience engine did not answer in time.",
                kept="Nothing was changed.",
                next_step="Try again in a moment.",
            ) from None
        except (OSError, wire.Broken):
            raise down() from None
        if not isinstance(answer, dict):
            raise down()
        if "error" in answer:
            raise _error(answer["error"])
        return answer


def down() -> Unavailable:
    """Return the error of an engine that is not there."""
    return Unavailable(
        "The audience engine is not running.",
        kept="Segments and sends that are planned already are not touched by this.",
        next_step="Start it with: salus engine",
    )


def _error(given: Mapping[str, str]) -> SalusError:
    if given["kind"] == "NotFound":
        return NotFound()
    kind = _ERRORS.get(given["kind"], Unavailable)
    return kind(given["what"], place=given["place"], kept=given["kept"], next_step=given["next_step"])
