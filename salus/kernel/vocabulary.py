"""The closed vocabularies: every word that rules, rows and messages may use, and no other."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class PhiClass(StrEnum):
    """What a piece of patient data tells (45 CFR 160.103; the classes of 164.514(f)(1) are apart)."""

    CONTACT = "contact"
    DEMOGRAPHIC = "demographic"
    DATES_OF_CARE = "dates_of_care"
    DEPARTMENT = "department"
    PHYSICIAN = "physician"
    OUTCOME = "outcome"
    INSURANCE = "insurance"
    DIAGNOSIS = "diagnosis"
    MEDICATION = "medication"
    PROCEDURE = "procedure"
    LAB = "lab"
    HOSPITALIZATION = "hospitalization"
    VACCINATION = "vaccination"
    ENGAGEMENT = "engagement"


CLINICAL = frozenset(
    {
        PhiClass.DIAGNOSIS,
        PhiClass.MEDICATION,
        PhiClass.PROCEDURE,
        PhiClass.LAB,
        PhiClass.HOSPITALIZATION,
        PhiClass.VACCINATION,
        PhiClass.OUTCOME,
    }
)
"""Classes that tell about health itself."""

FUNDRAISING_CLASSES = frozenset(
    {
        PhiClass.CONTACT,
        PhiClass.DEMOGRAPHIC,
        PhiClass.DATES_OF_CARE,
        PhiClass.DEPARTMENT,
        PhiClass.PHYSICIAN,
        PhiClass.OUTCOME,
        PhiClass.INSURANCE,
    }
)
"""All that fundraising may use without authorization (45 CFR 164.514(f)(1))."""


class Special(StrEnum):
    """Categories that law protects beyond HIPAA's common rule (`law.md` 1.3)."""

    PSYCHOTHERAPY_NOTES = "psychotherapy_notes"
    PART2_SUD = "part2_sud"
    HIV = "hiv"
    REPRODUCTIVE = "reproductive"
    GENETIC = "genetic"
    MENTAL_HEALTH = "mental_health"
    SENSITIVE_DEMOGRAPHIC = "sensitive_demographic"
    """Ethnicity, religion, income, marital and family status: S10."""


class Purpose(StrEnum):
    """Why a message is written: the purposes of `decision_table.csv`, set by a person, never guessed."""

    APPOINTMENT = "appointment_confirm_remind_reschedule"
    LAB_NOTICE = "lab_result_or_portal_notice"
    REFILL = "refill_or_adherence"
    CARE_INSTRUCTIONS = "care_instructions_or_patient_care_coordination"
    PROVIDER_TREATMENT = "provider_to_provider_treatment"
    PAYMENT = "payment_or_billing"
    CONDITION_EDUCATION = "condition_education"
    GENERAL_EDUCATION = "general_health_education"
    PREVENTIVE_REMINDER = "preventive_reminder"
    OWN_SERVICE = "own_service_announcement"
    ELECTIVE = "elective_cosmetic_weightloss_wellness"
    THIRD_PARTY_PRODUCT = "third_party_product"
    OWN_NON_HEALTH = "own_non_health_product"
    SALE_OF_LIST = "sale_or_disclosure_of_list"
    FUNDRAISING_OWN = "fundraising_own"
    FUNDRAISING_OTHERS = "fundraising_for_others"
    RESEARCH_RECRUITMENT = "research_recruitment"
    SOCIAL_EVENT = "social_event_invitation"
    SURVEY = "survey_feedback"
    PUBLIC_HEALTH_ALERT = "public_health_alert"
    PLAN_BENEFIT = "plan_benefit_renewal_claims"
    PLAN_PROSPECT = "plan_options_to_prospect"
    TRANSACTIONAL = "transactional_order_shipping_security"
    MILESTONE = "milestone_birthday_anniversary"
    RE_ENGAGEMENT = "re_engagement"
    NEWSLETTER = "newsletter"
    BREACH_NOTICE = "breach_notice"
    GOVERNMENT_PROGRAM = "government_program_information"
    UNCLASSIFIED = "unclassified"


class Promotes(StrEnum):
    """Whose product or service a message promotes."""

    NOTHING = "nothing"
    OWN_HEALTH = "own_health"
    OWN_NON_HEALTH = "own_non_health"
    THIRD_PARTY = "third_party"


class Remuneration(StrEnum):
    """What the organization gets for sending it (45 CFR 164.501 "marketing", paragraph (2))."""

    NONE = "none"
    IN_KIND = "in_kind"
    COST_ONLY = "cost_only"
    ABOVE_COST = "above_cost"


class AddressSource(StrEnum):
    """Where an address came from; the gate needs it for every address."""

    CLINICAL_ENCOUNTER = "clinical_encounter"
    PLAN_ENROLLMENT = "plan_enrollment"
    WEBSITE_SIGNUP = "website_signup"
    EVENT_OR_SCREENING = "event_or_screening"
    REFERRAL = "referral"
    PURCHASED = "purchased"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """What a person is to the organization."""

    PATIENT = "patient"
    ENROLLED = "enrolled"
    FORMER = "former"
    PROSPECT = "prospect"
    TREATING_PROVIDER = "treating_provider"


class SenderRole(StrEnum):
    """What the organization is under HIPAA (45 CFR 160.103)."""

    PROVIDER = "provider"
    PLAN = "plan"
    PART2_PROGRAM = "part2_program"
    BUSINESS_ASSOCIATE = "business_associate"
    SUPPLIER = "supplier"


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    PORTAL = "portal"
    SMS = "sms"


class Protection(IntEnum):
    """How well a message is protected on its way; a floor is met by every higher level.

    `NAMED`: TLS >= 1.2, the MX's own WebPKI certificate. `VERIFIED`: DANE, MTA-STS enforce or a
    pinned partner policy. `KEY`: S/MIME or OpenPGP to the reader's own key. `PORTAL`: it never
    leaves; the reader proves who they are. There is no word for "in clear".
    """

    NAMED = 1
    VERIFIED = 2
    KEY = 3
    PORTAL = 4


class Profile(StrEnum):
    """Which set of rules applies: the product's default, or the law's floor alone."""

    STRICT = "strict"
    FEDERAL_FLOOR = "federal_floor"


class Gate(StrEnum):
    """A condition that must be satisfied by evidence before a message may go (`law.md` 1.2)."""

    OPT_IN = "OPT_IN"
    AUTH = "AUTH"
    AUTH_REMUN = "AUTH+REMUN"
    FUND = "FUND"
    PART2 = "PART2"
    SPECIAL_AUTH = "SPECIAL_AUTH"
    E_NOTICE = "E_NOTICE"
    RESTRICTION_OK = "RESTRICTION_OK"
    CONFIDENTIAL_ADDR = "CONFIDENTIAL_ADDR"
    SUPPRESSION_OK = "SUPPRESSION_OK"
    NOT_OPTED_OUT = "NOT_OPTED_OUT"
    WAIVER_ID = "WAIVER_ID"
    SAFETY_FLAG = "SAFETY_FLAG"
    CLINICIAN_SIGN_OFF = "CLINICIAN_SIGN_OFF"
    COMPLIANCE_APPROVAL = "COMPLIANCE_APPROVAL"
    REPRESENTATIVE = "REPRESENTATIVE"
    BAA_OK = "BAA_OK"
    ENCRYPT = "ENCRYPT"
    BLOCK = "BLOCK"


class Footer(StrEnum):
    """Which closing elements a message needs (`law.md` 1.4)."""

    NONE = "none"
    TRANSACTIONAL = "TX"
    TRANSACTIONAL_OPT_OUT = "TX+opt-out"
    COMMERCIAL = "CS"
    FUNDRAISING = "FR"
    RESEARCH = "IRB text"
    BREACH = "164.404(c)"
