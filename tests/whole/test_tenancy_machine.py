"""Two organizations do and ask at random, by doors, by REST and by SQL: neither ever sees or changes what is the other's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg import sql

from salus.campaigns import api as campaigns
from salus.contacts import api as contacts
from salus.kernel.errors import SalusError
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import Channel
from salus.keys import api as keys
from salus.keys.models import KeyRow
from salus.permissions import api as permissions
from salus.platform.tenancy import NoTenant, acting_for
from tests.whole.test_rest_unasked import clinic
from tests.whole.two_clinics import Side, furnish, prints, tables

sides = st.sampled_from((0, 1))
moments = st.integers(0, 10**6)

READS = {
    "contact": ("/contacts/{}/journeys",),
    "campaign": ("/campaigns/{}", "/reports/campaigns/{}", "/reports/campaigns/{}/recipients"),
    "journey": ("/journeys/{}", "/journeys/{}/counts", "/journeys/{}/check"),
    "task": ("/tasks/{}",),
}
ACTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "contact": (
        ("/contacts/{}/open", {"fields": ["given_name"], "purpose": "treatment"}),
        ("/patients/{}/code", {}),
    ),
    "campaign": (("/campaigns/{}/plan", {}), ("/campaigns/{}/launch", {})),
    "task": (("/tasks/{}/end", {"done": True}),),
}
LISTS = ("/campaigns", "/journeys", "/tasks", "/services", "/imports", "/log/entries", "/frequency-cap")


class Tenancy(RuleBasedStateMachine):
    """What the two may do; `pair` and `look` are given by the test."""

    pair: ClassVar[tuple[Side, Side]]
    look: ClassVar[psycopg.Connection]

    def __init__(self) -> None:
        super().__init__()
        self.prints = [dict(self._print(side)) for side in self.pair]

    def _print(self, side: Side) -> Iterator[tuple[str, tuple[int, str]]]:
        return ((table, (count, digest)) for table, count, digest in prints(self.look, side))

    def two(self, who: int) -> tuple[Side, Side]:
        """Return who acts, and whose things are not theirs."""
        self.acted = who
        return self.pair[who], self.pair[1 - who]

    @invariant()
    def what_the_other_has_is_as_it_was(self) -> None:
        """Whoever acted, the rows of the other one are the same in every table."""
        if (who := getattr(self, "acted", None)) is None:
            return
        other = 1 - who
        assert dict(self._print(self.pair[other])) == self.prints[other]
        self.prints[who] = dict(self._print(self.pair[who]))

    @rule(who=sides)
    def admits_somebody(self, who: int) -> None:
        self.two(who)[0].admit()

    @rule(who=sides)
    def drafts_a_campaign(self, who: int) -> None:
        self.two(who)[0].draft_campaign()

    @rule(who=sides, which=moments)
    def asks_for_a_call(self, who: int, which: int) -> None:
        mine, _ = self.two(who)
        mine.ask_for(_pick(mine.ids["contact"], which))

    @rule(who=sides)
    def registers_a_service(self, who: int) -> None:
        self.two(who)[0].register_service()

    @rule(who=sides, which=moments)
    def drafts_a_campaign_for_the_others_people(self, who: int, which: int) -> None:
        mine, theirs = self.two(who)
        given: dict[str, Any] = {"actor": mine.house.marketer, "at": datetime.now(UTC)}
        segment = _pick(theirs.ids["segment"], which)
        with pytest.raises(SalusError), acting_for(mine.id):
            campaigns.create(name="x", segment_id=segment, versions=mine.house.versions, **given)
        with pytest.raises(SalusError), acting_for(mine.id):
            campaigns.create(
                name="x", segment_id=mine.ids["segment"][0], versions=theirs.house.versions, **given
            )

    @rule(who=sides, which=moments)
    def opens_and_forbids_for_the_others_patient(self, who: int, which: int) -> None:
        mine, theirs = self.two(who)
        patient = _pick(theirs.ids["contact"], which)
        with acting_for(mine.id):
            assert contacts.numbers_of([patient]) == {}
        with pytest.raises(SalusError), acting_for(mine.id):
            contacts.open_one(patient, fields=["given_name"], purpose="treatment", actor=mine.worker)
        with pytest.raises(SalusError), acting_for(mine.id):
            permissions.opt_out(patient, "visits", Channel.EMAIL, evidence="by phone", actor=mine.worker)

    @rule(who=sides, which=moments, kind=st.sampled_from(sorted(READS)))
    def reads_what_is_the_others(self, who: int, which: int, kind: str) -> None:
        """It reads like what is not there."""
        mine, theirs = self.two(who)
        for path in READS[kind]:
            foreign = _get(mine, path.format(_pick(theirs.ids[kind], which)))
            absent = _get(mine, path.format(new_id()))
            assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
            assert foreign.status_code == 404, path
        assert _get(mine, READS[kind][0].format(_pick(mine.ids[kind], which))).status_code == 200

    @rule(who=sides, which=moments, kind=st.sampled_from(sorted(ACTS)))
    def acts_on_what_is_the_others(self, who: int, which: int, kind: str) -> None:
        mine, theirs = self.two(who)
        for path, body in ACTS[kind]:
            foreign = _post(mine, path.format(_pick(theirs.ids[kind], which)), body)
            absent = _post(mine, path.format(new_id()), body)
            assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
            assert foreign.status_code == 404, (path, foreign.content)

    @rule(who=sides)
    def lists_everything(self, who: int) -> None:
        mine, theirs = self.two(who)
        for path in LISTS:
            answer = _get(mine, path)
            assert answer.status_code == 200, path
            assert theirs.seen_in(answer.content.decode()) == [], path
        listed = [each["id"] for each in _get(mine, "/campaigns?limit=100").json()["campaigns"]]
        assert set(listed) == set(map(str, mine.ids["campaign"][-100:]))

    @rule(who=sides, which=moments)
    def finds_nobody_by_the_others_numbers(self, who: int, which: int) -> None:
        mine, theirs = self.two(who)
        word = _pick(sorted(theirs.words), which)
        for asked in ({"identifier": word}, {"email": f"{word}@lakepost.example.test"}):
            assert _post(mine, "/contacts/find", asked).json() == {"ids": []}

    @rule(who=sides, which=moments)
    def asks_the_database_itself(self, who: int, which: int) -> None:
        """SQL under the application's role, past every manager."""
        mine, theirs = self.two(who)
        table = sql.Identifier(_pick(tables(self.look), which))
        with acting_for(mine.id), connection.cursor() as cursor:
            cursor.execute(_sql("SELECT count(*) FROM {} WHERE organization_id <> %s", table), [mine.id])
            assert cursor.fetchone() == (0,)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_sql("SELECT count(*) FROM {}", table))
            hidden = cursor.fetchone() == (0,)
        assert hidden or table.as_string() in OPEN
        for statement in ("DELETE FROM {} WHERE organization_id = %s", UPDATE):
            given = [theirs.id] if statement[0] == "D" else [mine.id, theirs.id]
            assert _touched(mine.id, _sql(statement, table), given) == 0

    @rule(who=sides)
    def opens_what_the_other_sealed(self, who: int) -> None:
        """With the ciphertext in hand, the wrong key is still the wrong key."""
        mine, theirs = self.two(who)
        with acting_for(theirs.id):
            sealed = keys.sealer().seal(b"canary", b"place")
        with acting_for(mine.id), pytest.raises(SalusError):
            keys.sealer().open(sealed, b"place")

    @rule()
    def nobody_is_in_context(self) -> None:
        assert contacts.numbers_of([self.pair[0].ids["contact"][0]]) == {}
        for ask in (keys.sealer, lambda: KeyRow.objects.count()):
            with pytest.raises(NoTenant):
                ask()


UPDATE = "UPDATE {} SET organization_id = %s WHERE organization_id = %s"
OPEN = frozenset({'"identity_user"', '"identity_organization"', '"identity_session"'})
"""What is looked up before an organization is known; `tests/platform/test_tenancy.py` lists why."""


def _sql(statement: str, table: sql.Identifier) -> sql.Composed:
    return sql.SQL(statement).format(table)


def _touched(organization_id: UUID, statement: sql.Composed, given: list[UUID]) -> int:
    """Return how many rows a statement changed; one that the database refuses changed none. All is undone."""
    try:
        with acting_for(organization_id), connection.cursor() as cursor:
            cursor.execute(statement, given)
            transaction.set_rollback(True)
            return int(cursor.rowcount)
    except DatabaseError:
        return 0


def _pick(found: list[Any], which: int) -> Any:
    return found[which % len(found)]


def _client(side: Side) -> Client:
    return Client(headers={"host": "localhost", "authorization": f"Bearer {side.key}"})


def _get(side: Side, path: str) -> Any:
    return _client(side).get(f"/api/v1{path}")


def _post(side: Side, path: str, body: dict[str, Any]) -> Any:
    return _client(side).post(
        f"/api/v1{path}", body, content_type="application/json", headers={"Idempotency-Key": str(new_id())}
    )


def test_of_two_organizations_neither_ever_sees_or_changes_what_is_the_others(
    database: Any, fast_passwords: None
) -> None:
    with psycopg.connect(database.superuser_dsn, autocommit=True) as look:
        Tenancy.look = look
        Tenancy.pair = furnish(clinic("Cedar Row Clinic")), furnish(clinic("Northfield Clinic"))
        run_state_machine_as_test(
            Tenancy,
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
