"""Numbers, checks and diaries as plain values, for programs: the REST addresses, the command line, exports."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from salus.journeys.contracts import Counts, Diary, Proof, Visit

HOUR = timedelta(hours=1)


def counts_facts(counts: Counts) -> dict[str, Any]:
    """Return the numbers of a journey as JSON values."""
    return {
        "entered": counts.entered,
        "waiting": counts.waiting,
        "completed": counts.completed,
        "exited": counts.exited,
        "refused": counts.refused,
        "reasons": dict(counts.reasons),
        "steps": {
            key: {
                "arrived": each.arrived,
                "here": each.here,
                "left": dict(each.left),
                "outcomes": [
                    {"outcome": outcome, "reason": reason, "people": people}
                    for (outcome, reason), people in each.outcomes.items()
                ],
                "hours": each.hours,
                "opened": each.opened,
                "clicked": each.clicked,
            }
            for key, each in counts.steps.items()
        },
    }


def proof_facts(proof: Proof) -> dict[str, Any]:
    """Return what the check says as JSON values."""
    return {
        "holds": proof.holds,
        "promises": list(proof.promises),
        "longest_hours": proof.longest / HOUR if proof.longest is not None else None,
        "most_messages": proof.most_messages,
        "findings": [
            {
                "code": each.code,
                "severity": each.severity.value,
                "step": each.step,
                "port": each.port,
                "what": each.what,
                "mend": each.mend,
            }
            for each in proof.findings
        ],
    }


def diary_facts(diary: Diary) -> dict[str, Any]:
    """Return a diary as plain values: ids, codes and times."""
    return {
        "enrolment_id": diary.enrolment_id,
        "journey_id": diary.journey_id,
        "version_id": diary.version_id,
        "fate": diary.fate.value,
        "reason": diary.reason,
        "entered_at": diary.entered_at,
        "ended_at": diary.ended_at,
        "step": diary.step,
        "due_at": diary.due_at,
        "visits": [visit_facts(each) for each in diary.visits],
    }


def visit_facts(visit: Visit) -> dict[str, Any]:
    """Return one step of a diary as plain values."""
    return {
        "step": visit.step,
        "arrived_at": visit.arrived_at,
        "left_at": visit.left_at,
        "port": visit.port,
        "outcome": visit.outcome,
        "reason": visit.reason,
        "message_id": visit.message_id,
    }
