"""X1 to X16: where the brief and the law differ, or the brief contradicts itself, and what is done (`law.md` 1.6)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ruling:
    """One contradiction and how it is decided; `send_time` is False where no rule of the gate acts on it."""

    id: str
    brief: str
    law: str
    decision: str
    citation: str
    send_time: bool = True


RULINGS = (
    Ruling("X1", "diabetes tips may not go to patients with diabetes; elsewhere: they may, to those in care.",
           "education without product or pay is not marketing.",
           "allowed to who was treated here for it in the last 12 months, nothing promoted, unpaid, nothing special; "
           "else an authorization (D08, D09, D12, D35).", "45 CFR 164.501 marketing (2)(ii)"),
    Ruling("X2", "promoting own cosmetic, weight-loss or wellness services to patients needs authorization.",
           "own health-related services, unpaid, are carved out.",
           "the brief is kept in the strict profile; the federal floor relaxes it (D13, D15, D16).",
           "45 CFR 164.501 marketing (2)(ii)(B)"),
    Ruling("X3", "some care coordination needs authorization.", "it does not, but for psychotherapy notes and Part 2.",
           "no authorization, always protected (D05, D06; S1 and S2 still apply).", "45 CFR 164.506(c)"),
    Ruling("X4", "explicit consent before any e-mail with PHI; elsewhere: reminders without consent.",
           "consent is optional for treatment, payment and operations.",
           "care messages need no consent, but obey a confidential address, a suppression, an opt-out of their own topic "
           "and the consent for text messages (D01, D02, D05, D07, A1, A2, T1).", "45 CFR 164.506(b)"),
    Ruling("X5", "a third party's product always needs authorization; elsewhere: new medication may be offered.",
           "authorization, unless a treating provider recommends it unpaid.",
           "authorization, or a clinician's sign-off for one patient, unpaid (D17, D18, D19).",
           "45 CFR 164.508(a)(3); 164.501"),
    Ruling("X6", "fundraising by condition, treatment or use of services needs authorization.",
           "department, physician and outcome are allowed; diagnosis is not.",
           "department, physician and outcome need authorization in the strict profile only (D22, D23, D24).",
           "45 CFR 164.514(f)(1)"),
    Ruling("X7", "a breach is assessed within 60 days.", "60 days is the outer limit for the notice.",
           "nothing: it is a matter of the incident's clock.", "45 CFR 164.404(b)", send_time=False),
    Ruling("X8", "the clock starts when the business associate discovers.", "only where it is the entity's agent.",
           "nothing: it is a matter of the incident's clock.", "45 CFR 164.404(a)(2)", send_time=False),
    Ruling("X9", "both notify HHS.", "the covered entity does; the duty runs from the associate to it.",
           "nothing: it is a matter of the incident.", "45 CFR 164.410", send_time=False),
    Ruling("X10", "end-to-end encryption, in transit and at rest.", "transmission encryption is addressable.",
           "every message is protected, at a level that its content sets; nothing goes in clear (A5).",
           "45 CFR 164.312(e)"),
    Ruling("X11", "an address alone may not count as PHI.", "an address held because of care is PHI.",
           "an address from care, enrolment or referral counts as PHI (D13, D37, A5).", "45 CFR 160.103"),
    Ruling("X12", "audit logs are kept six years.", "six years applies to documentation; logs are not named.",
           "nothing: the log is kept anyway.", "45 CFR 164.316(b)(2)(i)", send_time=False),
    Ruling("X13", "a business associate reports at once.", "without unreasonable delay, at most 60 days.",
           "nothing: it is a matter of the agreement.", "45 CFR 164.410", send_time=False),
    Ruling("X14", "an opt-out in all marketing mail.", "CAN-SPAM asks for it in commercial mail, HIPAA in fundraising.",
           "always there, and honored at once (A2).", "15 USC 7704(a); 45 CFR 164.514(f)(2)"),
    Ruling("X15", "a named vendor signs no agreement.", "sources differ and change.",
           "no fact about a vendor is built in: only the organization's own signed agreement opens the gate (A4).",
           "45 CFR 164.504(e)"),
    Ruling("X16", "multi-factor sign-in when the new rule comes.", "it is still proposed.",
           "nothing: it is mandatory in the product.", "90 FR 898", send_time=False),
)  # fmt: skip
