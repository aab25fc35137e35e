"""The rows of `state_rules.csv` that act when a message is sent; each adds to the federal rows."""

from __future__ import annotations

from datetime import date, time

from salus.gate.contracts import Element, Reason
from salus.gate.rules.conditions import (
    Chronic,
    Demanded,
    LivesIn,
    PromotesIn,
    PurposeIn,
    RelationIn,
    RevealsAny,
    SignedOff,
    SignOff,
)
from salus.gate.rules.demands import (
    AUTH,
    AUTH_SALE,
    CONFIDENTIAL,
    ENCRYPT,
    block,
    separate_opt_in,
    special,
)
from salus.gate.rules.logic import ALWAYS, AllOf, AnyOf, Condition, Not
from salus.gate.rules.phrases import (
    BY_TEXT,
    CARVE_OUT,
    FROM_CARE,
    HEALTH_DATA,
    LEAD,
    NOTHING_PROMOTED,
    PAID,
    PAID_BY_PROMOTED,
    PLAN,
    SOLICITS,
    SUPPLIER,
    TARGETED,
    USES_PHI,
)
from salus.gate.rules.rule import Demand, Kind, Layer, Mark, Rule, Window
from salus.gate.rules.words import ANY_PURPOSE, FUNDRAISING, PATIENTS
from salus.kernel.vocabulary import Gate, Promotes, Protection, Purpose, Relation, Special

_P, _E = Purpose, Element
_AUTH_GATES = frozenset({Gate.AUTH, Gate.AUTH_REMUN, Gate.SPECIAL_AUTH})
_STATE_BLOCK = (block(Reason.STATE_LAW),)
_CA_FORM = Demand(Gate.AUTH, Reason.STATE_LAW, form="CA", detail="form of Civ. Code 56.11")
_WA_SALE = Demand(Gate.AUTH_REMUN, Reason.STATE_LAW, sale=True, max_days=365, detail="signed within a year")

COLLECT, SHARE, SELL = "consumer_health_data", "consumer_health_data_sharing", "consumer_health_data_sale"
"""Topics under which the separate consents of state consumer-health laws are kept as opt-ins."""


def _state(
    row: str,
    sentence: str,
    citation: str,
    effective: date,
    mark: Mark,
    when: Condition,
    demands: tuple[Demand, ...] = (),
    *,
    part: str = "",
    purposes: frozenset[Purpose] = ANY_PURPOSE,
    elements: tuple[Element, ...] = (),
    kind: Kind = Kind.ADD,
    exempts: tuple[str, ...] = (),
    protection: Protection | None = None,
) -> Rule:
    state = row.partition(":")[0]
    lives = ALWAYS if state == "*" else LivesIn(state)
    return Rule(
        row + part, row, Layer.STATE, sentence, citation, effective, mark, purposes, AllOf(lives, when), demands,
        demands, kind, elements=elements, exempts=exempts, protection=protection,
    )  # fmt: skip


def _hours(
    row: str, citation: str, effective: date, mark: Mark, window: Window, *, at_most_3: bool = False
) -> Rule:
    state = row.partition(":")[0]
    lives = () if state == "*" else (LivesIn(state),)
    words = f"Text messages that solicit arrive from {window.start:%H:%M} to {window.end:%H:%M} local time"
    if window.sunday_start:
        words += f", on Sundays from {window.sunday_start:%H:%M}"
    return Rule(
        row, row, Layer.STATE, words + (", at most three a day." if at_most_3 else "."), citation, effective, mark,
        when=AllOf(*lives, BY_TEXT, SOLICITS), window=window,
        elements=(_E.SMS_AT_MOST_3_A_DAY,) if at_most_3 else (),
    )  # fmt: skip


_NOT_FOR_CARE = AnyOf(
    PurposeIn(FUNDRAISING | {_P.OWN_SERVICE, _P.ELECTIVE, _P.THIRD_PARTY_PRODUCT, _P.OWN_NON_HEALTH, _P.SOCIAL_EVENT,
                             _P.NEWSLETTER, _P.MILESTONE, _P.SALE_OF_LIST}),
    Not(NOTHING_PROMOTED),
)  # fmt: skip
_TX_MARKETING = AnyOf(
    PurposeIn(frozenset({_P.OWN_SERVICE, _P.ELECTIVE, _P.THIRD_PARTY_PRODUCT, _P.OWN_NON_HEALTH})),
    Not(NOTHING_PROMOTED), PAID_BY_PROMOTED,
)  # fmt: skip
_TX_NOT_TPO = frozenset(
    {_P.SOCIAL_EVENT, _P.FUNDRAISING_OTHERS, _P.THIRD_PARTY_PRODUCT, _P.OWN_NON_HEALTH, _P.SALE_OF_LIST}
    | {_P.RESEARCH_RECRUITMENT}
)
_TAILORED = AllOf(CARVE_OUT, PAID_BY_PROMOTED, TARGETED)
_SHARES = AnyOf(PromotesIn(frozenset({Promotes.THIRD_PARTY})), PAID)
_PHI_OF_A_COVERED_ENTITY = AnyOf(
    FROM_CARE, AllOf(CARVE_OUT, RelationIn(PATIENTS | {Relation.TREATING_PROVIDER}))
)
_SALE = frozenset({_P.SALE_OF_LIST})
_CA_ELEMENTS = (_E.CA_REMUNERATION_SOURCE, _E.CA_OPT_OUT_14_POINT, _E.TOLL_FREE_NUMBER)
_VERIFIED, _PARTLY, _SECOND, _UNREAD = Mark.VERIFIED, Mark.PARTLY, Mark.SECONDARY, Mark.RECALLED
_WA_ACT, _NV_ACT, _CT_ACT = date(2024, 3, 31), date(2024, 3, 31), date(2023, 7, 1)

STATE_ROWS = (
    _state("CA:authorization_form", "An authorization for somebody in California is in 14-point type, separate, signed "
           "for nothing else, and states when it ends.", "Cal. Civ. Code 56.11", date(2003, 1, 1), _PARTLY,
           Demanded(_AUTH_GATES), (_CA_FORM,)),
    _state("CA:marketing_remunerated_tailored", "A paid message tailored to somebody's health is for chronic or "
           "life-threatening conditions only.", "Cal. Civ. Code 56.05 marketing", date(2004, 1, 1), _PARTLY,
           AllOf(_TAILORED, Not(Chronic())), _STATE_BLOCK, part=".a"),
    _state("CA:marketing_remunerated_tailored", "A paid message about a chronic or life-threatening condition says who "
           "pays, and how to stop it within 30 days.", "Cal. Civ. Code 56.05 marketing", date(2004, 1, 1), _PARTLY,
           AllOf(_TAILORED, Chronic()), part=".b", elements=_CA_ELEMENTS),
    _state("CA:marketing_use", "Medical information is not used for what care does not need, without authorization.",
           "Cal. Civ. Code 56.10(d)", date(2000, 1, 1), _UNREAD, AllOf(CARVE_OUT, TARGETED, _NOT_FOR_CARE), (AUTH,)),
    _state("CA:confidential_communications", "A plan honors a request for another address for sensitive services.",
           "Cal. Civ. Code 56.107", date(2022, 7, 1), _UNREAD, PLAN, (CONFIDENTIAL,)),
    _state("TX:marketing", "Any marketing that uses PHI needs clear and unambiguous permission, written or electronic.",
           "Tex. Health & Safety Code 181.152", date(2012, 9, 1), _VERIFIED, AllOf(_TX_MARKETING, USES_PHI), (AUTH,)),
    _state("TX:e_disclosure", "PHI goes out electronically for other than treatment, payment and operations only with "
           "authorization.", "Tex. Health & Safety Code 181.154", date(2012, 9, 1), _UNREAD,
           AllOf(USES_PHI, Not(SignedOff(SignOff.WAIVER))), (AUTH,), purposes=_TX_NOT_TPO),
    _state("TX:sale", "PHI is not disclosed for remuneration.", "Tex. Health & Safety Code 181.153", date(2012, 9, 1),
           _UNREAD, ALWAYS, _STATE_BLOCK, purposes=_SALE),
    _state("WA:consumer_health_data_collect", "Health data of somebody who is not a patient is used beyond the service "
           "they asked for only with consent.", "RCW 19.373.030", _WA_ACT, _VERIFIED, HEALTH_DATA,
           (separate_opt_in(COLLECT),), part=".a"),
    _state("WA:consumer_health_data_collect", "Sharing such data takes a second, separate consent.", "RCW 19.373.030",
           _WA_ACT, _VERIFIED, AllOf(HEALTH_DATA, _SHARES), (separate_opt_in(SHARE),), part=".b"),
    _state("WA:consumer_health_data_sell", "Selling it takes a signed authorization of its own, good for one year.",
           "RCW 19.373.070", _WA_ACT, _VERIFIED, ALWAYS, (_WA_SALE,), purposes=_SALE),
    _state("WA:hipaa_exemption", "Washington's consumer health data act leaves out PHI.", "RCW 19.373.100", _WA_ACT,
           _VERIFIED, _PHI_OF_A_COVERED_ENTITY, kind=Kind.EXEMPT, exempts=("WA:consumer_health_data_collect",)),
    _state("WA:marketing_fundraising", "Health care information is used for marketing or fundraising only as federal "
           "law permits.", "RCW 70.02.280", date(2014, 1, 1), _VERIFIED, AllOf(SOLICITS, USES_PHI)),
    _state("NY:hiv", "What tells of HIV needs a specific written release, and a notice against passing it on.",
           "NY Public Health Law 2782", date(1989, 2, 1), _UNREAD, RevealsAny(frozenset({Special.HIV})),
           (special(Special.HIV),), elements=(_E.HIV_REDISCLOSURE_NOTICE,)),
    _state("CO:sensitive_data", "Health data of somebody who is not a patient is used only with opt-in.",
           "CRS 6-1-1308", date(2023, 7, 1), _UNREAD, AllOf(LEAD, HEALTH_DATA), (separate_opt_in(COLLECT),)),
    _state("CT:consumer_health_data", "Consumer health data is sold only with consent.", "Conn. SB 3 (2023), CTDPA",
           _CT_ACT, _VERIFIED, LEAD, (separate_opt_in(SELL),), purposes=_SALE),
    _state("NV:consumer_health_data", "A sender outside HIPAA uses health data beyond the service only with consent.",
           "Nev. SB 370 (2023), NRS 603A", _NV_ACT, _VERIFIED, AllOf(SUPPLIER, HEALTH_DATA),
           (separate_opt_in(COLLECT),), part=".a"),
    _state("NV:consumer_health_data", "Sharing it takes a separate consent.", "Nev. SB 370 (2023), NRS 603A", _NV_ACT,
           _VERIFIED, AllOf(SUPPLIER, HEALTH_DATA, _SHARES), (separate_opt_in(SHARE),), part=".b"),
    _state("NV:consumer_health_data", "Selling it takes a written authorization.", "Nev. SB 370 (2023), NRS 603A",
           _NV_ACT, _VERIFIED, SUPPLIER, (AUTH_SALE,), part=".c", purposes=_SALE),
    _state("IL:mental_health", "What tells of mental health care needs a consent with its own elements.",
           "740 ILCS 110/5", date(1979, 1, 9), _UNREAD, RevealsAny(frozenset({Special.MENTAL_HEALTH})),
           (special(Special.MENTAL_HEALTH),)),
    _state("IL:genetic", "What tells of genetic tests needs a written authorization.", "410 ILCS 513",
           date(1998, 1, 1), _UNREAD, RevealsAny(frozenset({Special.GENETIC})), (special(Special.GENETIC),)),
    _state("MA:security_program", "Personal information is encrypted on public networks.", "201 CMR 17.00",
           date(2010, 3, 1), _UNREAD, ALWAYS, (ENCRYPT,), protection=Protection.NAMED),
    _hours("TX:sms_solicitation", "Tex. SB 140 (2025); Bus. & Com. Code 302, 304", date(2025, 9, 1), _SECOND,
           Window(time(9), time(21), time(12))),
    _hours("FL:sms_quiet_hours", "Fla. Stat. 501.059", date(2021, 7, 1), _SECOND, Window(time(8), time(20)),
           at_most_3=True),
    _hours("CT:sms_quiet_hours", "Conn. Gen. Stat. 42-288a", date(2023, 10, 1), _SECOND, Window(time(9), time(20))),
    _hours("MD:sms_quiet_hours", "Md. Com. Law 14-4501", date(2024, 1, 1), _SECOND, Window(time(8), time(20)),
           at_most_3=True),
    _hours("OK:sms_quiet_hours", "15 OS 775C", date(2022, 11, 1), _SECOND, Window(time(8), time(20)), at_most_3=True),
    _hours("WA:sms_quiet_hours", "RCW 19.158.040; 80.36.390", date(2022, 6, 9), _SECOND, Window(time(8), time(20))),
    _hours("*:sms_quiet_hours", "47 CFR 64.1200(c)(1)", date(2004, 1, 1), _VERIFIED, Window(time(8), time(21))),
)  # fmt: skip
