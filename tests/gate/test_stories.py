"""Stories that a privacy officer would tell: the borders of the rules, in plain cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from salus.gate.contracts import Reason, Treatment
from salus.kernel.phi import Phi
from salus.kernel.vocabulary import (
    AddressSource,
    Channel,
    PhiClass,
    Profile,
    Promotes,
    Protection,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
    Special,
)

from .world import (
    AT,
    MAIL,
    bounced,
    consent,
    decide,
    guardian,
    in_clear,
    message,
    only_at,
    opted_in,
    opted_out,
    person,
    read,
    restricted,
    signed,
    standing,
)

P, R = Purpose, Reason
DIABETES = message(P.CONDITION_EDUCATION, reads=(read("conditions", "E11"),), conditions=("E11",))
OURS = message(P.OWN_SERVICE, promotes=Promotes.OWN_HEALTH)


def test_tips_go_to_who_is_in_treatment_and_the_clearance_ends_with_the_treatment() -> None:
    decision = decide(DIABETES, person(treatments=(Treatment("E11.65", date(2026, 1, 31)),)))
    assert decision.allowed
    assert decision.valid_until == datetime(2027, 2, 1, tzinfo=UTC)
    assert {"list_unsubscribe", "list_unsubscribe_post", "unsubscribe_link"} <= set(decision.elements)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [("event:lab_available", None), ("labs", R.NO_RULE), ("event:lab_available labs", R.NO_RULE)],
)
def test_that_a_result_is_here_may_be_told_and_what_it_says_may_not(
    fields: str, reason: Reason | None
) -> None:
    assert decide(message(P.LAB_NOTICE, reads=fields), person()).reason is reason


@pytest.mark.parametrize(("last_care", "allowed"), [(date(2025, 11, 24), True), (date(2025, 11, 23), False)])
def test_care_counts_for_twelve_months_to_the_day(last_care: date, allowed: bool) -> None:
    assert decide(DIABETES, person(treatments=(Treatment("E11.9", last_care),))).allowed is allowed


def test_care_that_is_still_to_come_does_not_count() -> None:
    tomorrow, long_ago, lately = (date(2026, 11, 25), date(2020, 1, 1), date(2026, 10, 1))
    later = tuple(Treatment("E11.9", day) for day in (tomorrow, long_ago))
    assert decide(DIABETES, person(treatments=later)).reason is R.NO_AUTHORIZATION
    both = decide(DIABETES, person(treatments=(*later, Treatment("E11.9", lately))))
    assert both.allowed
    assert both.valid_until == datetime(2027, 10, 2, tzinfo=UTC)


def test_being_treated_for_something_else_is_not_enough() -> None:
    assert decide(DIABETES, person(treatments="I10 E10.1")).reason is R.NO_AUTHORIZATION


@pytest.mark.parametrize(
    "changes",
    [
        {"promotes": Promotes.OWN_HEALTH},
        {"promotes": Promotes.THIRD_PARTY},
        {"remuneration": Remuneration.IN_KIND, "payer": "Acme"},
        {"sender_role": SenderRole.PLAN},
        {"sender_role": SenderRole.SUPPLIER},
        {"conditions": ()},
        {"reads": (read("conditions", "E11"), read("conditions", "I10"))},
        {"reads": (read("conditions"),)},
    ],
)
def test_tips_in_treatment_need_every_part_of_the_exception(changes: dict[str, object]) -> None:
    assert decide(replace(DIABETES, **changes), person(treatments="E11.9")).reason is R.NO_AUTHORIZATION  # type: ignore[arg-type]


def test_a_special_condition_is_never_under_the_exception() -> None:
    hiv = message(P.CONDITION_EDUCATION, reads=(read("conditions", "B20"),), conditions=("B20",))
    who = person(treatments="B20")
    assert decide(hiv, who).reason is R.NO_AUTHORIZATION
    named = decide(hiv, person(treatments="B20", authorizations=signed(P.CONDITION_EDUCATION, specials=frozenset({Special.HIV}))))  # fmt: skip
    assert named.allowed
    assert named.floor is Protection.PORTAL
    assert "hiv" in named.disclosed
    assert "neutral_notice" in named.elements


def test_naming_a_condition_discloses_it_though_nothing_reads_it() -> None:
    decision = decide(message(P.CARE_INSTRUCTIONS, conditions=("E11",)), person())
    assert "diagnosis" in decision.disclosed
    assert decision.floor is Protection.VERIFIED


@pytest.mark.parametrize(
    ("reads", "strict", "floor"),
    [
        ("given_name birth_date encounters", Protection.NAMED, Protection.NAMED),
        ("conditions", Protection.VERIFIED, Protection.NAMED),
        ("labs", Protection.VERIFIED, Protection.NAMED),
        ("department", Protection.VERIFIED, Protection.NAMED),
    ],
)
def test_what_is_disclosed_sets_the_protection(reads: str, strict: Protection, floor: Protection) -> None:
    facts = message(P.CARE_INSTRUCTIONS, reads=reads)
    assert decide(facts, person()).floor is strict
    assert decide(replace(facts, profile=Profile.FEDERAL_FLOOR), person()).floor is floor


@pytest.mark.parametrize(
    ("special", "floor"),
    [
        (Special.HIV, Protection.PORTAL),
        (Special.REPRODUCTIVE, Protection.PORTAL),
        (Special.MENTAL_HEALTH, Protection.PORTAL),
        (Special.PART2_SUD, Protection.PORTAL),
        (Special.GENETIC, Protection.KEY),
    ],
)
@pytest.mark.parametrize("profile", list(Profile))
def test_a_special_category_needs_the_portal_or_a_key_in_every_profile(
    special: Special, floor: Protection, profile: Profile
) -> None:
    facts = message(P.CARE_INSTRUCTIONS, reads=(read("conditions", special=special),), profile=profile)
    assert decide(facts, person()).floor is floor
    assert (
        decide(message(P.CARE_INSTRUCTIONS, profile=profile), person(specials=frozenset({special}))).floor
        is floor
    )


def test_mail_of_a_substance_use_program_tells_by_its_sender_alone() -> None:
    facts = message(P.APPOINTMENT, sender_role=SenderRole.PART2_PROGRAM)
    decision = decide(facts, person())
    assert decision.reason is R.NO_PART2_CONSENT
    assert "part2_sud" in decision.disclosed
    assert {"part2_notice", "neutral_sender"} <= set(decision.elements)
    assert decide(facts, person(relation=Relation.PROSPECT)).reason is R.NO_RULE


def test_the_strict_profile_never_markets_to_people_with_a_part_2_record() -> None:
    facts = message(
        P.OWN_SERVICE, promotes=Promotes.OWN_HEALTH, reads=(read("conditions", special=Special.PART2_SUD),)
    )
    assert decide(facts, person()).reason is R.BLOCKED_BY_RULE


def test_an_authorization_must_be_whole_in_force_and_about_this() -> None:
    good = signed(P.OWN_SERVICE)
    assert decide(OURS, person(authorizations=good)).allowed
    for flaw in (
        {"defects": ("164.508(c)(1)(v) no expiration",)},
        {"valid_until": AT},
        {"valid_from": AT + timedelta(seconds=1)},
        {"purposes": frozenset({P.NEWSLETTER})},
    ):
        assert decide(OURS, person(authorizations=signed(P.OWN_SERVICE, **flaw))).reason is R.NO_AUTHORIZATION


def test_an_authorization_must_describe_the_information_that_is_used() -> None:
    facts = message(P.OWN_SERVICE, promotes=Promotes.OWN_HEALTH, reads="conditions")
    narrow = signed(P.OWN_SERVICE, classes=frozenset({PhiClass.DATES_OF_CARE}))
    decision = decide(facts, person(authorizations=narrow))
    assert decision.reason is R.NO_AUTHORIZATION
    (shut,) = [result for result in decision.results if not result.satisfied]
    assert shut.detail == "does not describe all the information used"


def test_the_evidence_is_named_and_its_end_is_the_clearances_end() -> None:
    decision = decide(OURS, person(authorizations=signed(P.OWN_SERVICE)))
    (auth,) = [result for result in decision.results if result.gate == "AUTH"]
    assert auth.evidence_id == UUID(int=0xA1)
    assert auth.rule_id == "D13a"
    assert decision.valid_until == AT + timedelta(days=300)


def test_who_pays_must_be_stated_and_in_the_strict_profile_named() -> None:
    facts = message(
        P.THIRD_PARTY_PRODUCT, promotes=Promotes.THIRD_PARTY, remuneration=Remuneration.ABOVE_COST, payer="Acme Pharma",
        payer_is_promoted_party=True,
    )  # fmt: skip
    silent = person(authorizations=signed(P.THIRD_PARTY_PRODUCT, parties=("Acme Pharma",)))
    assert decide(facts, silent).reason is R.NO_AUTHORIZATION_REMUNERATION
    stated = person(authorizations=signed(P.THIRD_PARTY_PRODUCT, remuneration_stated=True))
    assert decide(facts, stated).reason is R.NO_AUTHORIZATION_REMUNERATION
    assert decide(replace(facts, profile=Profile.FEDERAL_FLOOR), stated).allowed
    named = person(
        authorizations=signed(P.THIRD_PARTY_PRODUCT, remuneration_stated=True, parties=("acme pharma",))
    )
    assert decide(facts, named).allowed
    assert "remuneration_statement" in decide(facts, named).elements


def test_payment_in_kind_or_by_somebody_else_is_no_financial_remuneration() -> None:
    for changes in ({"remuneration": Remuneration.IN_KIND, "payer_is_promoted_party": True}, {"remuneration": Remuneration.ABOVE_COST}):  # fmt: skip
        facts = message(P.APPOINTMENT, payer="Acme", **changes)
        assert "D19a" not in decide(facts, person()).rule_ids


def test_an_opt_in_must_be_confirmed_unless_the_organization_says_otherwise() -> None:
    facts = message(P.GENERAL_EDUCATION)
    quick = person(opt_ins=opted_in(confirmed=False))
    assert decide(facts, quick).reason is R.NO_OPT_IN
    assert decide(replace(facts, double_opt_in_required=False), quick).allowed
    assert decide(message(P.NEWSLETTER, double_opt_in_required=False), quick).reason is R.NO_OPT_IN


def test_an_opt_in_is_for_a_topic_on_a_channel() -> None:
    facts = message(P.GENERAL_EDUCATION)
    assert decide(facts, person(opt_ins=opted_in("other"))).reason is R.NO_OPT_IN
    assert decide(facts, person(opt_ins=opted_in(channel=Channel.SMS))).reason is R.NO_OPT_IN
    assert decide(facts, person(opt_ins=opted_in("*"))).reason is R.NO_OPT_IN


def test_a_signed_authorization_says_no_less_than_an_opt_in() -> None:
    assert decide(message(P.GENERAL_EDUCATION), person(authorizations=signed(P.GENERAL_EDUCATION))).allowed


def test_reminders_go_on_after_an_opt_out_of_everything_but_not_of_reminders() -> None:
    reminder = message(P.APPOINTMENT, topic="reminders")
    assert decide(reminder, person(opt_outs=opted_out("*"))).allowed
    assert decide(reminder, person(opt_outs=opted_out("reminders"))).reason is R.OPTED_OUT
    assert decide(reminder, person(opt_outs=opted_out("care-news"))).allowed


def test_tips_and_marketing_stop_after_an_opt_out_of_everything() -> None:
    assert decide(DIABETES, person(treatments="E11.9", opt_outs=opted_out("*"))).reason is R.OPTED_OUT
    everything = person(authorizations=signed(P.OWN_SERVICE), opt_outs=opted_out("*"))
    assert decide(OURS, everything).reason is R.OPTED_OUT


def test_a_later_opt_in_for_a_topic_lifts_an_opt_out_of_everything_for_it() -> None:
    back = person(opt_outs=opted_out("*"), opt_ins=opted_in())
    assert decide(message(P.GENERAL_EDUCATION), back).allowed


def test_stop_on_a_text_message_stops_every_text_message() -> None:
    facts = message(P.APPOINTMENT, channel=Channel.SMS)
    who = person(opt_ins=opted_in(channel=Channel.SMS), unencrypted=in_clear(P.APPOINTMENT))
    assert decide(facts, who).allowed
    stopped = replace(who, standing=replace(who.standing, opt_ins=(), opt_outs=opted_out("*", Channel.SMS)))
    shut = {result.gate for result in decide(facts, stopped).results if not result.satisfied}
    assert "NOT_OPTED_OUT" in shut


def test_a_safety_flag_reaches_who_opted_out_but_not_a_dead_address() -> None:
    alert = message(P.PUBLIC_HEALTH_ALERT, safety_flag=UUID(int=3))
    assert decide(alert, person(opt_outs=opted_out("*"))).allowed
    assert decide(alert, person(suppressions=bounced())).reason is R.SUPPRESSED
    assert decide(replace(alert, safety_flag=None), person(opt_outs=opted_out("*"))).reason is R.OPTED_OUT


def test_a_suppression_counts_for_its_channel_and_address_and_for_an_address_without_index() -> None:
    facts = message(P.APPOINTMENT)
    assert decide(facts, person(suppressions=bounced(b"else"))).allowed
    assert decide(facts, person(suppressions=bounced(None))).reason is R.SUPPRESSED
    assert decide(facts, person(suppressions=bounced(b"else"), address_blind=None)).reason is R.SUPPRESSED


def test_a_restriction_counts_for_its_purposes_and_channels() -> None:
    facts = message(P.APPOINTMENT)
    assert decide(facts, person(restrictions=restricted(P.SURVEY))).allowed
    assert decide(facts, person(restrictions=restricted(P.APPOINTMENT))).reason is R.RESTRICTED
    assert decide(facts, person(restrictions=restricted(channels=frozenset({Channel.SMS})))).allowed


def test_paper_only_means_nothing_by_mail_text_or_portal() -> None:
    for channel in (Channel.EMAIL, Channel.PORTAL):
        who = person(confidential_address=only_at(None, None))
        assert decide(message(P.APPOINTMENT, channel=channel), who).reason is R.CONFIDENTIAL_MEANS


def test_a_minor_is_reached_through_the_representative_until_the_birthday() -> None:
    who = person(birth_date=date(2009, 2, 1), representative=guardian())
    decision = decide(message(P.APPOINTMENT), who)
    assert decision.allowed
    assert decision.valid_until == datetime(2027, 2, 1, 12, tzinfo=UTC)
    other = person(birth_date=date(2009, 2, 1), representative=guardian("else@example.org"))
    assert decide(message(P.APPOINTMENT), other).reason is R.MINOR_WITHOUT_REPRESENTATIVE


def test_a_minor_who_consented_alone_is_reached_on_their_own_channel() -> None:
    who = person(birth_date=date(2009, 2, 1), representative=guardian(minor_own_channel=True))
    assert decide(message(P.APPOINTMENT), who).allowed


def test_a_missing_birth_date_blocks_patients_but_not_web_prospects() -> None:
    assert decide(message(P.APPOINTMENT), person(birth_date=None)).reason is R.UNKNOWN_FACT
    lead = person(
        birth_date=None, relation=Relation.PROSPECT, source=AddressSource.WEBSITE_SIGNUP, opt_ins=opted_in()
    )
    assert decide(message(P.GENERAL_EDUCATION), lead).allowed


def test_a_standing_that_is_out_of_date_decides_nothing() -> None:
    stale = person(standing=standing(valid_until=AT))
    assert decide(message(P.APPOINTMENT), stale).reason is R.UNKNOWN_FACT
    early = person(standing=replace(standing(), at=AT + timedelta(seconds=1)))
    assert decide(message(P.APPOINTMENT), early).reason is R.UNKNOWN_FACT


def test_a_text_message_ends_with_the_quiet_hours() -> None:
    who = person(opt_ins=opted_in(channel=Channel.SMS), unencrypted=in_clear(P.APPOINTMENT))
    decision = decide(message(P.APPOINTMENT, channel=Channel.SMS), who)
    assert decision.valid_until == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # 20:00 in New York
    assert {"sms_minimal_text", "sms_stop_instructions", "sms_portal_link"} <= set(decision.elements)
    at_night = decide(
        message(P.APPOINTMENT, channel=Channel.SMS), who, datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    )
    assert at_night.reason is R.QUIET_HOURS
    assert at_night.valid_until == datetime(2026, 11, 25, 14, 0, tzinfo=UTC)  # 9:00


def test_the_wish_for_text_messages_is_for_a_purpose_an_address_and_a_time() -> None:
    facts = message(P.APPOINTMENT, channel=Channel.SMS)
    who = person(opt_ins=opted_in(channel=Channel.SMS), unencrypted=in_clear(P.APPOINTMENT))
    (wish,) = who.standing.unencrypted
    assert decide(facts, who).allowed
    for flaw in (
        {"valid_until": AT},
        {"purposes": frozenset({P.REFILL})},
        {"channel": Channel.EMAIL},
        {"address": Phi("else@example.org")},
    ):
        other = replace(who.standing, unencrypted=(replace(wish, **flaw),))
        assert decide(facts, replace(who, standing=other)).reason is R.NOT_ENCRYPTED
    soon = replace(wish, valid_until=AT + timedelta(minutes=5), address=Phi(MAIL))
    decision = decide(facts, replace(who, standing=replace(who.standing, unencrypted=(soon,))))
    assert decision.valid_until == AT + timedelta(minutes=5)


def test_a_part_2_consent_that_is_over_opens_nothing_and_the_longest_counts() -> None:
    facts = message(P.CARE_INSTRUCTIONS, reads=(read("conditions", special=Special.PART2_SUD),))
    (short,) = consent(tpo=True)
    long = replace(short, evidence_id=UUID(int=77), valid_until=AT + timedelta(days=120))
    assert (
        decide(facts, person(part2_consents=(replace(short, valid_until=AT),))).reason is R.NO_PART2_CONSENT
    )
    assert decide(facts, person(part2_consents=consent(marketing=True))).reason is R.NO_PART2_CONSENT
    decision = decide(facts, person(part2_consents=(short, long)))
    assert decision.valid_until == long.valid_until
    assert long.evidence_id in {result.evidence_id for result in decision.results}


def test_a_security_code_is_not_held_back_at_night() -> None:
    who = person(opt_ins=opted_in(channel=Channel.SMS), unencrypted=in_clear(P.TRANSACTIONAL))
    night = datetime(2026, 11, 25, 5, 0, tzinfo=UTC)
    assert decide(message(P.TRANSACTIONAL, channel=Channel.SMS), who, night).allowed


def test_a_californian_needs_the_californian_form_and_is_told_so_only_when_that_is_all_that_is_missing() -> (
    None
):
    assert decide(OURS, person(states="CA")).reason is R.NO_AUTHORIZATION
    plain = person(states="CA", authorizations=signed(P.OWN_SERVICE))
    assert decide(OURS, plain).reason is R.STATE_LAW
    assert decide(OURS, person(states="CA", authorizations=signed(P.OWN_SERVICE, form_state="CA"))).allowed


def test_the_state_of_care_counts_like_the_state_of_residence() -> None:
    assert "TX:marketing" in decide(OURS, person(states="OH TX")).rule_ids


def test_a_sale_is_never_a_message_in_the_strict_profile() -> None:
    who = person(authorizations=signed(P.SALE_OF_LIST, sale_stated=True))
    assert decide(message(P.SALE_OF_LIST), who).reason is R.BLOCKED_BY_RULE


def test_a_commercial_message_without_consent_says_that_it_is_an_advertisement() -> None:
    facts = replace(OURS, profile=Profile.FEDERAL_FLOOR)
    assert "ad_identifier" in decide(facts, person()).elements
    assert "ad_identifier" not in decide(OURS, person(authorizations=signed(P.OWN_SERVICE))).elements


def test_every_fundraising_message_carries_its_own_way_out() -> None:
    decision = decide(message(P.FUNDRAISING_OWN, reads="encounters"), person())
    assert decision.allowed
    assert "fundraising_opt_out" in decision.elements
    refused = decide(message(P.FUNDRAISING_OWN), person(fundraising_opt_out=UUID(int=4)))
    assert refused.reason is R.FUNDRAISING_OPTED_OUT


def test_the_first_reason_is_the_one_that_nothing_else_would_mend() -> None:
    who = person(deceased=UUID(int=1), suppressions=bounced(), opt_outs=opted_out())
    assert decide(OURS, who).reason is R.DECEASED
    assert decide(replace(OURS, classification_confirmed=False), who).reason is R.NOT_CONFIRMED


def test_a_moment_without_a_zone_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="time zone"):
        decide(OURS, person(), datetime(2026, 11, 24, 17, 0))  # noqa: DTZ001
