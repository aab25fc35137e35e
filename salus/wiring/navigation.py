"""The rooms of the console and who may open each; and what the foot of the navigation says about the log."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from salus.identity import api as identity
from salus.identity.contracts import Permission
from salus.inbox import api as inbox
from salus.platform.tenancy import NoTenant
from salus.platform.web.shell import Pulse, Room
from salus.platform.web.templatetags.salus import ago, number
from salus.reports import api as reports

LOG = "reports:log"
PEOPLE, MESSAGES, PRIVACY, SETTINGS = "People", "Messages", "Privacy office", "Settings"


def open_tasks(request: HttpRequest) -> str:
    """Return how many tasks wait for the person who is signed in, "99+" for many."""
    try:
        count = inbox.count_open(request.actor)  # type: ignore[attr-defined]
    except NoTenant:  # an error page is made after the page's transaction is over
        return ""
    return "99+" if count >= inbox.MANY else str(count or "")


def unanswered(request: HttpRequest) -> str:
    """Return how many patients wait for an answer, "99+" for many."""
    try:
        count = inbox.count_waiting()
    except NoTenant:
        return ""
    return "99+" if count >= inbox.MANY else str(count or "")


def to_review(request: HttpRequest) -> str:
    """Return how many emergency accesses wait for a review."""
    try:
        return str(identity.emergency_accesses_to_review() or "")
    except NoTenant:
        return ""


ROOMS = (
    Room("Home", "reports:home", "home"),
    Room("Tasks", "inbox:list", "inbox", "inbox:task:read", "", open_tasks),
    Room("Conversations", "inbox:conversations", "reply", "inbox:conversation:read", "", unanswered),
    Room("Contacts", "contacts:list", "people", "contacts:record:read", PEOPLE),
    Room("Duplicates", "duplicates:list", "copy", "contacts:record:merge", PEOPLE),
    Room("Stopped addresses", "delivery:stopped", "hide", "permissions:entry:read", PEOPLE),
    Room("Sign-in codes", "patients:code", "phone", "patients:code:issue", PEOPLE),
    Room("Import", "intake:list", "down", "contacts:import:run", PEOPLE),
    Room("Segments", "audiences:list", "segment", "segments:segment:read", PEOPLE),
    Room("Campaigns", "campaigns:list", "send", "campaigns:campaign:read", MESSAGES),
    Room("Journeys", "journeys:list", "journey", "journeys:journey:read", MESSAGES),
    Room("Templates", "content:list", "page", "content:template:read", MESSAGES),
    Room("Reports", "reports:list", "chart", "campaigns:report:read", MESSAGES),
    Room("Requests", "privacy:requests", "sign", "privacy:request:do", PRIVACY),
    Room("Retention", "retention:rules", "clock", "organization:settings:read", PRIVACY),
    Room("Legal holds", "retention:holds", "lock", "privacy:request:do", PRIVACY),
    Room("Receipts and log", LOG, "seal", "audit:log:read", PRIVACY),
    Room("Posture", "privacy:posture", "flag", "organization:settings:read", PRIVACY),
    Room("Vendors", "vendors:list", "vendor", "vendors:vendor:read", PRIVACY),
    Room("Backups", "recovery:list", "copy", "organization:settings:read", PRIVACY),
    Room("Way of mail", "delivery:route", "send", "organization:settings:read", SETTINGS),
    Room("Destinations", "shaping:destinations", "chart", "organization:settings:read", SETTINGS),
    Room("Sending domain", "domains:domain", "globe", "organization:settings:read", SETTINGS),
    Room("Access review", "reports:access", "eye", "audit:access:review", PRIVACY),
    Room("Emergency access", "identity:glass", "bolt", "identity:glass:break", PRIVACY),
    Room("Emergency reviews", "identity:glass_reviews", "bolt", "audit:access:review", PRIVACY, to_review),
    Room("Protection", "safeguards:policy", "lock", "organization:settings:read", SETTINGS),
    Room("How often", "delivery:cap", "clock", "organization:settings:read", SETTINGS),
    Room("Mail keys", "sealedmail:overview", "key", "sealedmail:key:read", SETTINGS),
    Room("Portal", "delivery:portal", "lock", "organization:settings:read", SETTINGS),
    Room("Staff", "identity:staff", "people", "identity:staff:manage", SETTINGS),
    Room("Roles", "identity:roles", "sign", "identity:role:grant", SETTINGS),
    Room("Sign-on", "identity:providers", "lock", "identity:staff:manage", SETTINGS),
    Room("Signed in", "identity:sessions", "lock", "identity:session:end", SETTINGS),
    Room("API keys", "identity:keys", "key", "identity:apikey:manage", SETTINGS),
)


def pulse(request: HttpRequest) -> Pulse | None:
    """Return the line about the log for those who may read it: how the last real verification found it."""
    who = getattr(request, "who", None)
    if who is None or Permission.AUDIT_LOG_READ not in who.permissions:
        return None
    try:
        address = reverse(LOG)
    except NoReverseMatch:
        return None
    try:
        health = reports.log_health()
    except NoTenant:  # an error page is made after the page's transaction is over
        return None
    if health.verified_at is None:
        return None
    when = ago(health.verified_at)
    if health.verified:
        return Pulse("Log verified", when, f"{number(health.entries)} entries, none changed", address)
    place = "" if health.first_fault is None else f"at entry {number(health.first_fault)}, "
    return Pulse("The log does not match", when, f"{place}tell your security officer", address, sound=False)
