"""What has a time of its own: how each package counts and empties what it kept for long enough."""

from __future__ import annotations

from salus.delivery import api as delivery
from salus.domains import api as domains
from salus.inbox import api as inbox
from salus.intake import api as intake
from salus.privacy import api as privacy
from salus.retention.contracts import Kind, Step

STEPS = (
    Step(Kind.MESSAGES, delivery.count_messages, delivery.empty_messages),
    Step(Kind.CONVERSATIONS, inbox.count_conversations, inbox.empty_conversations),
    Step(Kind.TASKS, inbox.count_tasks, inbox.empty_tasks),
    Step(Kind.REJECTS, intake.count_rejects, intake.empty_rejects),
    Step(Kind.COPIES, privacy.count_copies, privacy.empty_copies),
    Step(Kind.MAIL_REPORTS, domains.count_reports, domains.empty_reports),
    Step(Kind.DOCUMENTS, privacy.count_documents, privacy.empty_documents),
)
"""Words that wait in the portal have the portal's rule; events, diaries and the ledger stay with their person."""
