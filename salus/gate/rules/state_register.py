"""The rows of `state_rules.csv` that do not act when a message is sent, and why not: none is forgotten."""

from __future__ import annotations

from types import MappingProxyType

NOT_SEND_TIME = MappingProxyType(
    {
        row: why
        for why, rows in {
            "breach clock: starts with an incident, not with a message": (
                "CA:breach_individual", "CA:breach_ag", "CA:breach_health_facility", "TX:breach_individual",
                "TX:breach_ag", "WA:breach_individual", "NY:breach_individual", "NY:breach_private_info",
                "NY:breach_regulators", "NY:breach_hipaa_copy", "FL:breach_individual", "FL:breach_regulator",
                "CO:breach_individual", "CO:breach_ag", "CT:breach_individual", "*:breach_individual",
            ),
            "where data is kept, checked when the system is set up": ("TX:data_location", "FL:offshore_storage"),
            "staff training": ("TX:training",),
            "a patient's request for records": ("TX:access_ehr",),
            "paper mail, which this system does not send": ("TX:marketing_mail",),
            "a page on the organization's website": ("WA:health_privacy_policy",),
            "no segment or trigger can be a fence around a place of care": (
                "WA:geofence", "CT:geofence", "NV:geofence",
            ),
            "not law at the last information: watched": ("NY:health_information_privacy_act",),
            "how layers merge: every rule of every layer applies, the strictest wins": ("*:preemption",),
        }.items()
        for row in rows
    }
)  # fmt: skip
"""State and topic -> why it is not a rule of the gate."""
