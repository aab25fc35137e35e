"""Conditions that many rules share, by a name that reads like the law tables' own words."""

from __future__ import annotations

from datetime import date

from salus.gate.rules.cases import Age
from salus.gate.rules.conditions import (
    ActiveTreatment,
    AgeIn,
    ChannelIn,
    NamesOnlyItsConditions,
    PaidByPromotedParty,
    PromotesIn,
    PurposeIn,
    ReadsAny,
    ReadsOnly,
    RelationIn,
    RemunerationIn,
    RevealsAny,
    SenderIn,
    SourceIn,
)
from salus.gate.rules.logic import AllOf, AnyOf, Not
from salus.gate.rules.words import (
    CARE_CLASSES,
    CARE_PURPOSES,
    CARE_SOURCES,
    CLINICAL_SPECIALS,
    FUNDRAISING,
    HIPAA_ROLES,
    OWN,
    TREATING_ROLES,
    UNPROVEN_SOURCES,
    WEB_SOURCES,
)
from salus.kernel.vocabulary import (
    FUNDRAISING_CLASSES,
    AddressSource,
    Channel,
    PhiClass,
    Promotes,
    Purpose,
    Relation,
    Remuneration,
    SenderRole,
)

PRIVACY_RULE = date(2003, 4, 14)
"""Compliance date of 45 CFR 164 subpart E."""
OMNIBUS = date(2013, 9, 23)
"""Compliance date of the rules on remuneration, sale and fundraising (78 FR 5566)."""
CAN_SPAM = date(2004, 1, 1)
PRIMARY_PURPOSE = date(2005, 3, 28)
"""16 CFR 316.3."""
TCPA_CONSENT = date(2013, 10, 16)
"""47 CFR 64.1200(a)(2), (f)."""

NOTHING_PROMOTED = PromotesIn(frozenset({Promotes.NOTHING}))
OWN_HEALTH = PromotesIn(frozenset({Promotes.OWN_HEALTH}))
AT_MOST_OWN_HEALTH = PromotesIn(frozenset({Promotes.NOTHING, Promotes.OWN_HEALTH}))
UNPAID = RemunerationIn(frozenset({Remuneration.NONE}))
PAID = Not(UNPAID)
PAID_BY_PROMOTED = PaidByPromotedParty()

CARVE_OUT = SenderIn(HIPAA_ROLES)
"""The sender is, or acts for, a covered entity, so that the exceptions of 164.501 are open to it."""
SUPPLIER = SenderIn(frozenset({SenderRole.SUPPLIER}))
TREATS = SenderIn(TREATING_ROLES)
PLAN = SenderIn(frozenset({SenderRole.PLAN}))

OWN_PEOPLE = RelationIn(OWN)
OWN_PATIENT = RelationIn(frozenset({Relation.PATIENT}))
PROVIDER = RelationIn(frozenset({Relation.TREATING_PROVIDER}))
MINOR = AgeIn(frozenset({Age.UNDER_13, Age.MINOR}))

FROM_CARE = SourceIn(CARE_SOURCES)
FROM_WEB = SourceIn(WEB_SOURCES)
FROM_SIGN_UP = SourceIn(frozenset({AddressSource.WEBSITE_SIGNUP}))
UNPROVEN = SourceIn(UNPROVEN_SOURCES)

TARGETED = AnyOf(ReadsAny(CARE_CLASSES), RevealsAny(CLINICAL_SPECIALS))
"""PHI of care picks the people or shows in the text (D15: any clinical attribute)."""
UNTARGETED = Not(TARGETED)
USES_PHI = AnyOf(TARGETED, FROM_CARE)

AGE_SEX_VACCINATION = ReadsOnly(
    frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.ENGAGEMENT, PhiClass.VACCINATION})
)
"""D11: selected by age, sex or a vaccination that is due, and nothing else of care."""
RECALL_DATA = ReadsOnly(AGE_SEX_VACCINATION.classes | {PhiClass.DATES_OF_CARE})
"""A recall to care also reads when somebody was last there."""
GENERAL_FUNDRAISING = ReadsOnly(
    frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC, PhiClass.DATES_OF_CARE, PhiClass.INSURANCE})
)
FUNDRAISING_DATA = ReadsOnly(FUNDRAISING_CLASSES)

IN_TREATMENT = AllOf(
    TREATS, OWN_PATIENT, NOTHING_PROMOTED, UNPAID, ActiveTreatment(), NamesOnlyItsConditions(),
    Not(RevealsAny(CLINICAL_SPECIALS)),
)  # fmt: skip
"""X1: treated here in the last 12 months for what the message is about; nothing promoted, nobody pays,
nothing special, and no other diagnosis given away."""

BY_TEXT = ChannelIn(frozenset({Channel.SMS}))

MARKETS = AnyOf(
    PurposeIn(frozenset(Purpose) - CARE_PURPOSES - FUNDRAISING), Not(NOTHING_PROMOTED), PAID_BY_PROMOTED
)
"""Not treatment, payment or operations: by its purpose, by what it promotes, or by who pays."""

SOLICITS = AnyOf(MARKETS, PurposeIn(FUNDRAISING))
"""What telephone-solicitation law means by it, taken widely."""

LEAD = AnyOf(
    SUPPLIER,
    AllOf(RelationIn(frozenset({Relation.PROSPECT})), Not(FROM_CARE)),
)
"""Somebody whose data is not PHI, so that state consumer-health laws bite (`law.md` 9, trap a)."""

HEALTH_DATA = Not(ReadsOnly(frozenset({PhiClass.CONTACT, PhiClass.DEMOGRAPHIC})))
"""Page visits, interests, purchases, or more: what such laws call consumer health data."""
