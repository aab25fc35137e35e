"""People and segments for the tests: a lexicon without a database, and generators of both."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from salus.audiences import stages
from salus.audiences.lexicon import Lexicon
from salus.audiences.nodes import Moment
from salus.contacts.api import patterns, specials_asked
from salus.contacts.dictionary import DICTIONARY
from salus.kernel.errors import NotFound
from salus.kernel.time import FAR
from salus.kernel.vocabulary import Channel, PhiClass, Purpose, Special
from salus.permissions.contracts import Authorization, Restriction, Standing, Suppression, TopicChoice
from salus.timeline.contracts import Event, EventKind

PLACES = {
    "60601": (41.8853, -87.6216),
    "60137": (41.8661, -88.0641),
    "53703": (43.0774, -89.3839),
    "96813": (21.3139, -157.8477),
}
FRIENDS, TRIAL = UUID(int=0xF1), UUID(int=0xF2)
STATIC: dict[UUID, dict[str, Any]] = {
    FRIENDS: {"version": 1, "where": {"listed": str(FRIENDS), "tells": ["engagement"]}},
    TRIAL: {
        "version": 1,
        "where": {"listed": str(TRIAL), "tells": ["diagnosis", "medication"], "special": ["hiv"]},
    },
}
"""Two static segments."""


def static(segment_id: UUID) -> dict[str, Any]:
    """Return the tree of a static segment; raises `NotFound`."""
    if segment_id not in STATIC:
        raise NotFound
    return STATIC[segment_id]


LEXICON = Lexicon(
    attributes=DICTIONARY,
    patterns=patterns,
    specials=specials_asked,
    stages=stages.definitions(),
    places=PLACES,
    segment=static,
)
NOON = datetime(2025, 6, 2, 17, 0, tzinfo=UTC)
NOW = Moment(NOON, "America/Chicago")


def tree(where: Any) -> dict[str, Any]:
    """Return a whole segment around one rule."""
    return {"version": 1, "where": where}


# Moments: near midnight somewhere, and around the ends of February.

moments = st.builds(
    Moment,
    at=st.one_of(
        st.integers(0, 2_500 * 24 * 60).map(
            lambda n: datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
        ),
        st.sampled_from(
            [
                datetime(2024, 2, 29, 4, 30, tzinfo=UTC),
                datetime(2025, 2, 28, 23, 59, tzinfo=UTC),
                datetime(2025, 3, 1, 0, 30, tzinfo=UTC),
                datetime(2025, 3, 1, 12, 0, tzinfo=UTC),
                datetime(2024, 12, 31, 23, 30, tzinfo=UTC),
                datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
            ]
        ),
    ),
    zone=st.sampled_from(["UTC", "America/Chicago", "Pacific/Kiritimati", "Pacific/Pago_Pago"]),
)

ZONES = ["America/Chicago", "America/New_York", "Pacific/Honolulu", "Pacific/Kiritimati", "Asia/Kolkata"]
WORDS = [
    "Springfield",
    "springfield",
    "Élan",
    "ÉLAN",
    "İzmir",
    "izmir",
    "straße",
    "STRASSE",
    "O'Neil",
    "Ω 1",
    "60601",
]
CODES = {
    "conditions": (["E11.9", "E11.65", "E10.9", "I10", "F11.20", "44054006", "O09.90"], ["icd10", "snomed"]),
    "labs": (["4548-4", "17856-6", "2339-0"], ["loinc"]),
    "encounters": (["99213", "99214"], ["cpt"]),
    "appointments": (["99213"], ["cpt"]),
    "procedures": (["45378", "G0105"], ["cpt"]),
    "hospitalizations": (["99223"], ["cpt"]),
}
ASKED = [
    "E11",
    "E11.9",
    "E",
    "vs:diabetes",
    "44054006",
    "I10",
    "vs:hba1c",
    "4548-4",
    "F1",
    "99213",
    "O",
    "e11",
]
STATUSES = ["active", "final", "booked", "finished", "resolved"]


def dates_around(at: datetime) -> st.SearchStrategy[date]:
    """Return dates that matter at `at`: near it, its anniversaries, leap days."""
    leap_days = st.sampled_from([date(y, 2, 29) for y in (1940, 1960, 1980, 2000, 2004, 2020, 2024)])
    near = st.integers(-400, 400).map(lambda days: at.date() + timedelta(days))
    anniversaries = st.tuples(st.integers(-3, 3), st.integers(1, 95)).map(
        lambda one: (at.date() + timedelta(one[0])).replace(day=min((at.date() + timedelta(one[0])).day, 28),
                                                           year=at.year - one[1])
    )  # fmt: skip
    return st.one_of(near, anniversaries, leap_days, st.dates(date(1920, 1, 1), date(2030, 12, 31)))


def records(key: str, at: datetime) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Return lists of dated records of one attribute, with fields left out."""
    codes, systems = CODES[key]
    days = dates_around(at).map(date.isoformat)
    one = st.fixed_dictionaries(
        {"id": st.just("1")},
        optional={
            "code": st.sampled_from(codes),
            "system": st.sampled_from(systems),
            "status": st.sampled_from(STATUSES),
            "date": st.one_of(days, st.just((at.date() - timedelta(30)).isoformat())),
            "end": days,
            "value": st.one_of(st.integers(0, 12), st.sampled_from([6.5, 9.0, 9.1, -1.25])),
            "text": st.sampled_from(WORDS),
        },
    )
    return st.lists(one, max_size=4)


def documents(at: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """Return sealed documents as contacts makes them: what is not known is not there."""
    days = dates_around(at).map(date.isoformat)
    address = st.fixed_dictionaries(
        {"channel": st.sampled_from(["email", "sms"]), "value": st.just("somebody@lakepost.example.org")}
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "given_name": st.sampled_from(WORDS),
            "city": st.sampled_from(WORDS),
            "gender": st.sampled_from(["female", "male", "other"]),
            "postal_code": st.sampled_from(["60601", "60601-1234", "60137", "53703", "96813", "K1A 0B1"]),
            "time_zone": st.sampled_from(ZONES),
            "birth_date": days,
            "due_date": days,
            "income": st.one_of(st.integers(0, 200_000), st.sampled_from([0.5, 42_000.25])),
            "pregnant": st.booleans(),
            "race": st.lists(st.sampled_from(["white", "asian"]), min_size=1, max_size=2),
            "risk_factors": st.lists(st.sampled_from(["falls", "smoking", "E11.9"]), min_size=1, max_size=3),
            "addresses": st.lists(address, max_size=2),
            **{key: records(key, at) for key in CODES},
        },
    )


def events(contact_id: UUID, at: datetime) -> st.SearchStrategy[list[Event]]:
    """Return what happened to a contact."""
    detail = st.one_of(
        st.sampled_from(["intake", "Intake", "2", "true", ""]), st.integers(-2, 5), st.booleans(),
        st.sampled_from([2.5, None, [], ["a"]]),
    )  # fmt: skip
    when = st.one_of(
        st.integers(-200 * 24, 24).map(lambda hours: at + timedelta(hours=hours)),
        st.sampled_from([at, at - timedelta(days=30), at - timedelta(days=30, microseconds=1)]),
    )
    one = st.builds(
        Event,
        number=st.just(1),
        contact_id=st.just(contact_id),
        kind=st.sampled_from(
            [EventKind.MESSAGE_OPENED, EventKind.FORM_COMPLETED, EventKind.APPOINTMENT_MISSED]
        ),
        at=when,
        recorded_at=st.just(at),
        message_id=st.none(),
        details=st.dictionaries(st.sampled_from(["form", "count"]), detail, max_size=2),
    )
    return st.lists(one, max_size=5)


def standings(contact_id: UUID, at: datetime) -> st.SearchStrategy[Standing]:
    """Return what the ledger may say of a contact at `at`."""
    choice = st.builds(
        TopicChoice,
        evidence_id=st.just(contact_id),
        topic=st.sampled_from(["news", "classes"]),
        channel=st.sampled_from([Channel.EMAIL, Channel.SMS]),
        at=st.just(at),
        confirmed=st.booleans(),
    )
    refusal = st.builds(
        TopicChoice,
        evidence_id=st.just(contact_id),
        topic=st.sampled_from(["news", "classes", "*"]),
        channel=st.sampled_from([Channel.EMAIL, Channel.SMS]),
        at=st.just(at),
    )
    form = st.builds(
        Authorization,
        evidence_id=st.just(contact_id),
        purposes=st.frozensets(st.sampled_from([Purpose.NEWSLETTER, Purpose.FUNDRAISING_OWN])),
        classes=st.just(frozenset({PhiClass.DIAGNOSIS})),
        specials=st.frozensets(st.sampled_from([Special.HIV, Special.GENETIC])),
        remuneration_stated=st.booleans(),
        sale_stated=st.just(False),
        valid_from=st.sampled_from([at - timedelta(10), at]),
        valid_until=st.sampled_from([at, at + timedelta(microseconds=1), FAR]),
        defects=st.sampled_from([(), ("164.508(c)(1)(v) no expiration",)]),
    )
    return st.builds(
        Standing,
        contact_id=st.just(contact_id),
        version=st.just(1),
        at=st.just(at),
        valid_until=st.just(FAR),
        opt_ins=st.lists(choice, max_size=2).map(tuple),
        opt_outs=st.lists(refusal, max_size=2).map(tuple),
        authorizations=st.lists(form, max_size=2).map(tuple),
        restrictions=st.sampled_from([(), (Restriction(contact_id),)]),
        suppressions=st.sampled_from([(), (Suppression(contact_id, Channel.EMAIL, "bounce"),)]),
        fundraising_opt_out=st.sampled_from([None, contact_id]),
        deceased=st.sampled_from([None, contact_id]),
    )


# Segments


def spans(*units: str) -> st.SearchStrategy[dict[str, int]]:
    """Return lengths of time, zero and long ones too."""
    count = st.one_of(st.integers(0, 3), st.sampled_from([6, 12, 30, 90, 1_000]))
    return st.tuples(st.sampled_from(units), count).map(lambda one: {one[0]: min(one[1], 100)
                     if one[0] == "years" else one[1]})  # fmt: skip


def date_tests(at: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """Return every sort of test of a date."""
    days = dates_around(at).map(date.isoformat)
    relative = st.tuples(
        st.sampled_from(["within_last", "within_next", "older_than", "later_than"]),
        spans("days", "weeks", "months", "years"),
    ).map(lambda one: {one[0]: one[1]})
    return st.one_of(
        relative,
        st.sampled_from([0, 1, 2, 30, 60, 365, 366]).map(lambda n: {"anniversary_within": {"days": n}}),
        st.tuples(st.sampled_from(["equal", "before", "after"]), days).map(lambda one: {one[0]: one[1]}),
        st.lists(days, min_size=1, max_size=3).map(lambda some: {"in": some}),
        st.tuples(days, days).map(lambda two: {"between": {"from": min(two), "to": max(two)}}),
        st.booleans().map(lambda yes: {"exists": yes}),
    )


def number_tests(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[dict[str, Any]]:
    """Return every sort of test of a number."""
    return st.one_of(
        st.tuples(st.sampled_from(["equal", "above", "below", "at_least", "at_most"]), numbers).map(
            lambda one: {one[0]: one[1]}
        ),
        st.lists(numbers, min_size=1, max_size=3).map(lambda some: {"in": some}),
        st.tuples(numbers, numbers).map(lambda two: {"between": {"from": min(two), "to": max(two)}}),
        st.booleans().map(lambda yes: {"exists": yes}),
    )


def text_tests() -> st.SearchStrategy[dict[str, Any]]:
    """Return every sort of test of text."""
    word = st.one_of(st.sampled_from(WORDS), st.sampled_from(["S", "%", "_", "é", "İ", "ß", "ss", "'"]))
    return st.one_of(
        st.tuples(st.sampled_from(["equal", "contains", "starts_with"]), word).map(
            lambda one: {one[0]: one[1]}
        ),
        st.lists(word, min_size=1, max_size=3).map(lambda some: {"in": some}),
        st.booleans().map(lambda yes: {"exists": yes}),
    )


def leaves(at: datetime) -> st.SearchStrategy[dict[str, Any]]:
    """Return every sort of rule that has no rules below it."""
    asked = st.one_of(st.sampled_from(ASKED), st.lists(st.sampled_from(ASKED), min_size=1, max_size=3))
    measure = st.one_of(st.integers(-2, 12), st.sampled_from([6.5, 9.0, 9.05]))
    ages = st.one_of(st.integers(-3, 100), st.sampled_from([17.5, 18.0, 64.999]))
    flags = st.booleans().map(lambda yes: {"exists": yes})

    def field(key: str, tests: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        return tests.map(lambda test: {"field": key, **test})

    record_tests = st.fixed_dictionaries(
        {},
        optional={
            "date": date_tests(at),
            "end": date_tests(at),
            "value": number_tests(measure),
            "text": text_tests(),
        },
    )
    match = st.fixed_dictionaries(
        {},
        optional={
            "code": asked,
            "system": st.sampled_from(["icd10", "snomed", "loinc"]),
            "status": st.one_of(
                st.sampled_from(STATUSES), st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2)
            ),
        },
    )
    keys = st.sampled_from(sorted(CODES))
    instants = st.one_of(
        st.tuples(st.sampled_from(["within_last", "older_than"]), spans("hours", "days", "weeks")).map(
            lambda one: {one[0]: one[1]}
        ),
        st.tuples(
            st.sampled_from(["before", "after"]),
            st.sampled_from([at.isoformat(), (at - timedelta(30)).date().isoformat(), at.date().isoformat()]),
        ).map(lambda one: {one[0]: one[1]}),
        st.just({"between": {"from": (at - timedelta(60)).date().isoformat(), "to": at.isoformat()}}),
    )
    detail_tests = st.one_of(
        text_tests(),
        number_tests(st.integers(-2, 5)),
        st.booleans().map(lambda yes: {"equal": yes}),
        st.sampled_from([{"equal": "intake"}, {"equal": "2"}, {"in": ["INTAKE", "true"]}]),
    )
    happened = st.fixed_dictionaries(
        {},
        optional={
            "at_least": st.integers(1, 3),
            "at": instants,
            "where": st.dictionaries(st.sampled_from(["form", "count"]), detail_tests, max_size=2),
        },
    )
    kinds = st.sampled_from(["message_opened", ["form_completed", "message_opened"], "appointment_missed"])
    topic = st.fixed_dictionaries(
        {"topic": st.sampled_from(["news", "classes"]), "channel": st.sampled_from(["email", "sms"])}
    )
    consents = st.one_of(
        topic.map(lambda one: {"consent": "opted_out", **one}),
        st.tuples(topic, st.booleans()).map(
            lambda one: {"consent": "opted_in", "confirmed": one[1], **one[0]}
        ),
        st.fixed_dictionaries(
            {"consent": st.just("authorized")},
            optional={
                "purpose": st.sampled_from(["newsletter", "fundraising_own"]),
                "special": st.sampled_from(["hiv", "genetic"]),
            },
        ),
        st.sampled_from(["fundraising_opted_out", "restricted", "deceased"]).map(
            lambda one: {"consent": one}
        ),
        st.sampled_from(["email", "sms"]).map(lambda one: {"consent": "suppressed", "channel": one}),
    )
    places = st.sampled_from(
        [
            {"postal_code": "60601"},
            {"latitude": 41.88, "longitude": -87.63},
            {"latitude": -90, "longitude": 0},
        ]
    )
    return st.one_of(
        st.one_of(
            field("age", number_tests(ages)),
            field("income", number_tests(st.sampled_from([0, 0.5, 42_000, 42_000.25, 1e6]))),
            field("birth_date", date_tests(at)),
            field("due_date", date_tests(at)),
        ),
        st.one_of(
            field("city", text_tests()),
            field("given_name", text_tests()),
            field("postal_code", text_tests()),
            field(
                "gender", st.sampled_from([{"equal": "female"}, {"in": ["male", "other"]}, {"has": "female"}])
            ),
            field("gender", flags),
        ),
        st.one_of(
            field("pregnant", st.booleans().map(lambda yes: {"equal": yes})),
            st.tuples(
                st.sampled_from(["pregnant", "email", "phone", "race", "conditions", "labs"]), flags
            ).map(lambda one: {"field": one[0], **one[1]}),
            asked.map(lambda codes: {"field": "risk_factors", "has": codes}),
            st.just({"field": "race", "has": "white"}),
        ),
        st.tuples(keys, match, record_tests, st.integers(1, 3)).map(
            lambda one: {"record": one[0], "at_least": one[3], **one[1], **one[2]}
        ),
        st.tuples(keys, match, record_tests.filter(bool)).map(
            lambda one: {"latest": one[0], **one[1], **one[2]}
        ),
        st.tuples(st.sampled_from(["did", "did_not"]), kinds, happened).map(
            lambda one: {one[0]: one[1], **one[2]}
        ),
        st.sampled_from(["new", "active", "overdue", "at_risk", ["new", "at_risk"]]).map(
            lambda one: {"stage": one}
        ),
        consents,
        st.tuples(places, st.sampled_from(["miles", "kilometers"]), st.sampled_from([1, 30, 200, 9_000])).map(
            lambda one: {"near": one[0], one[1]: one[2]}
        ),
    )


def trees(at: datetime, leaves_at_most: int = 8) -> st.SearchStrategy[dict[str, Any]]:
    """Return whole segments, nested."""
    on_lists = st.sampled_from([{"segment": str(FRIENDS)}, {"segment": str(TRIAL)}, STATIC[TRIAL]["where"]])
    nodes = st.recursive(
        st.one_of(leaves(at), leaves(at), leaves(at), on_lists),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4).map(lambda some: {"all": some}),
            st.lists(inner, max_size=4).map(lambda some: {"any": some}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=leaves_at_most,
    )
    return nodes.map(tree)
