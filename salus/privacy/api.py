"""The door of the privacy office. Call it inside the organization's context; whoever calls asked for the permission."""

from __future__ import annotations

from salus.privacy.posture_port import posture, use_facts
from salus.privacy.posture_rules import CHECKS, judge

__all__ = ["CHECKS", "judge", "posture", "use_facts"]
