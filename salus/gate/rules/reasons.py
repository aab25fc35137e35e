"""Every reason for a refusal in plain English, with its citation and what to do next; and their order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from salus.gate.contracts import Explained, Reason

R = Reason

_ROWS: tuple[tuple[Reason, str, tuple[str, ...], str], ...] = (
    (R.UNCLASSIFIED, "Nobody has said what this message is for, and that is never guessed.",
     ("our policy (D40)", "45 CFR 164.501"), "Classify the template, and let a second person confirm it."),
    (R.NOT_CONFIRMED, "What this message is for has not been confirmed by a second person.",
     ("our policy (A6)",), "Ask a reviewer to confirm the classification."),
    (R.SERVICE_OUT_OF_SCOPE, "The service that would carry it has no signed agreement that covers this kind of data.",
     ("45 CFR 164.502(e)", "45 CFR 164.504(e)", "45 CFR 164.314(a)"),
     "Record the signed agreement with this service in its scope, or use another service."),
    (R.DECEASED, "This person has died. Their data stays protected for 50 years, and nothing is sent.",
     ("45 CFR 164.502(f)",), "If the record is wrong, correct it with its evidence."),
    (R.UNKNOWN_FACT, "A fact that the rules need is missing or out of date, and what is missing blocks.",
     ("our policy (U1-U6)", "45 CFR 164.502(a)"),
     "Complete the record: relation, birth date, state; for text messages the time zone; for paid messages the payer."),
    (R.NEVER_IN_MESSAGES, "The message reads psychotherapy notes. These are never used in a message.",
     ("45 CFR 164.508(a)(2), (b)(3)(ii)",), "Take the field out of the segment and the template."),
    (R.CONFIDENTIAL_MEANS, "The person asked to be reached only in another way, or at another address.",
     ("45 CFR 164.522(b)",), "Use the address or means that they named; on paper if they asked for paper."),
    (R.MINOR_WITHOUT_REPRESENTATIVE, "The person is a minor, and the address is not that of their representative, nor "
     "their own confidential one.", ("45 CFR 164.502(g)(3)",),
     "Record the representative with their address, or the minor's own channel where the minor consented alone."),
    (R.RESTRICTED, "You agreed to a restriction that covers this message.", ("45 CFR 164.522(a)",),
     "Keep to it. It ends only as 164.522(a)(2) says."),
    (R.SUPPRESSED, "The address or channel bounced, was reported, or was closed.",
     ("15 USC 7704(a)(4)", "Gmail and Yahoo sender rules"),
     "Ask the person for a working address at their next contact, or lift the suppression with its reason."),
    (R.NO_ADDRESS, "There is no address for this channel.", ("our policy (A7)",),
     "Ask the person for one at their next contact."),
    (R.ADDRESS_SOURCE, "The address was bought or scraped, or nobody recorded where it came from.",
     ("Gmail and Yahoo sender rules", "45 CFR 164.530(c)"), "Record the source with its evidence, if there is one."),
    (R.STATE_LAW, "The law of a state where the person lives, or gets care, forbids it or asks for a form that is missing.",
     ("45 CFR 160.203(b)", "the state rule named beside it"), "Look at the rule named beside it: it says what is missing."),
    (R.BLOCKED_BY_RULE, "A rule forbids this message, and nothing can open it.",
     ("the rule named beside it",), "Leave this person out, or write a message that does not tell what the rule protects."),
    (R.NO_RULE, "No rule allows this message to this person: its purpose, what it promotes, what it reads and what the "
     "person is to you do not fit together.", ("our policy: what no rule allows is not sent", "45 CFR 164.502(a)(1)"),
     "Check the purpose and what the message promotes; choose people for whom the purpose is meant."),
    (R.NO_PART2_CONSENT, "The message would tell of substance use treatment, and there is no Part 2 consent for this use.",
     ("42 CFR 2.31", "42 CFR 2.33"), "Ask the patient for a Part 2 consent that names this use, or leave them out."),
    (R.NO_SPECIAL_AUTHORIZATION, "The message tells of a specially protected matter, and no authorization names it.",
     ("45 CFR 164.508", "the state rule named beside it"), "Ask the person to sign an authorization that names it."),
    (R.NO_AUTHORIZATION_REMUNERATION, "Somebody pays for this message, and no authorization says so.",
     ("45 CFR 164.501 marketing (2)(ii)", "45 CFR 164.508(a)(3)(ii)"),
     "Ask the person to sign an authorization that states the remuneration."),
    (R.NO_AUTHORIZATION, "This use needs a signed authorization, and there is none that is valid and covers it.",
     ("45 CFR 164.508(a)(3), (c)", "45 CFR 164.501 marketing"), "Ask the person to sign."),
    (R.NO_WAIVER, "Recruiting for research needs an authorization or a waiver of an IRB or privacy board.",
     ("45 CFR 164.508", "45 CFR 164.512(i)"), "Record the waiver's id, or ask the person to sign."),
    (R.NO_E_NOTICE, "A breach notice goes by e-mail only to people who agreed to electronic notice.",
     ("45 CFR 164.404(d)(1)(i)",), "Send it by first-class mail."),
    (R.NO_COMPLIANCE_APPROVAL, "The message reads ethnicity, religion, income, marital or family status, and nobody in "
     "compliance has approved that.", ("ACA section 1557", "45 CFR 92"),
     "Ask the compliance officer to approve it with its purpose. Never leave people out of a health opportunity by it."),
    (R.FUNDRAISING_OPTED_OUT, "The person asked for no more fundraising.", ("45 CFR 164.514(f)(2)",),
     "Leave them out, until they opt in again."),
    (R.OPTED_OUT, "The person opted out of this.", ("15 USC 7704(a)(4)", "16 CFR 316.5", "47 CFR 64.1200(a)(10)"),
     "Leave them out, until they opt in again."),
    (R.NO_OPT_IN, "This needs the person's opt-in, and there is none that stands (or it was not confirmed).",
     ("15 USC 7704", "47 CFR 64.1200(a)", "our policy"), "Invite them to opt in; a confirmation message completes it."),
    (R.NOT_ENCRYPTED, "A text message travels in clear, and the person has not accepted that risk for this purpose.",
     ("45 CFR 164.312(e)", "78 FR 5634"), "Use e-mail or the portal, or record the warning and the person's choice."),
    (R.QUIET_HOURS, "It is too early or too late where the person is.",
     ("47 CFR 64.1200(c)(1)", "the state rule named beside it"), "Send it in the hours that the rules allow."),
)  # fmt: skip

REASONS: Mapping[Reason, Explained] = MappingProxyType(
    {
        reason: Explained(reason.value, sentence, citations, next_step)
        for reason, sentence, citations, next_step in _ROWS
    }
)
RANK: Mapping[Reason, int] = MappingProxyType({reason: rank for rank, (reason, *_) in enumerate(_ROWS)})
"""When several gates are shut, the reason that comes first here is the one that is given."""

assert set(REASONS) == set(Reason)


def first(reason: Reason | None, other: Reason) -> Reason:
    """Return which of two reasons is given when both hold."""
    return other if reason is None or RANK[other] < RANK[reason] else reason
