"""What every road to the outside speaks of: kinds of services, what they may be told, why one may not be used."""

from __future__ import annotations

from enum import StrEnum

from salus.kernel.errors import Conflict
from salus.kernel.vocabulary import PhiClass, Special

Label = PhiClass | Special
"""What a piece of data tells, as far as an agreement has to cover it."""


class ServiceKind(StrEnum):
    """What a service outside does for us; each has a way out of its own."""

    WEBHOOK = "webhook"
    SMTP_ROUTE = "smtp_route"
    SMS = "sms"
    KMS = "kms"
    BACKUP = "backup"
    IDENTITY_PROVIDER = "identity_provider"
    SYSLOG = "syslog"
    WITNESS = "witness"
    """Somebody who keeps the roots of our log: they tell nothing of anybody."""
    TLS_REPORTS = "tls_reports"
    """Mail operators who asked how TLS to them went: they are told of nobody."""


TLS_REPORTS = "tls-reports://any"
"""The one address of that kind: where each domain says in DNS that its reports go."""


class Why(StrEnum):
    """Why a service may not be used, or not for this."""

    UNKNOWN = "unknown_service"
    SWITCHED_OFF = "service_switched_off"
    NO_AGREEMENT = "no_agreement"
    NOT_SIGNED = "agreement_not_signed"
    INCOMPLETE = "agreement_incomplete"
    EXPIRED = "agreement_expired"
    ENDED = "agreement_ended"
    NOT_ATTESTED = "not_attested"
    CLASS = "class_out_of_scope"
    PART2 = "part2_not_agreed"


class OutOfScope(Conflict):
    """A service may not be used for this now; `why` is the code, the text says it to staff without PHI."""

    def __init__(self, why: Why, what: str, *, next_step: str = "") -> None:
        self.why = why
        super().__init__(what, kept="Nothing was sent.", next_step=next_step)
