"""Who may open which page: permission by permission, the outsider, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity import staff
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import OrganizationRow, Staff, User
from salus.identity.rules import ROLES
from salus.kernel.acting import Actor, system
from salus.kernel.errors import BadInput, Conflict, NotFound
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for
from salus.wiring.rest import api as programs
from tests.browser import Console

PUBLIC = {
    "static": "style sheets and scripts",
    "parts": "the page of all parts, on loopback only",
    "healthz": "whether this process works; tells nothing else",
    "metrics": "asks for a token, or for this machine",
    "sign_in": "",
    "code": "the password was right: the session says so",
    "set_up": "the same",
    "passkey": "the passkey itself",
    "ask_passkey": "a challenge, and no names",
    "set_up_passkey": "the password was right: the session says so",
    "ask_set_up_passkey": "the same",
    "sign_on": "which organization",
    "sign_on_start": "leads to its provider",
    "sign_on_oidc": "what the provider signed",
    "sign_on_saml": "what the provider signed",
    "sign_on_metadata": "who we are to a provider; no secret",
    "sign_on_out": "leads to the provider's end of a session",
    "sign_on_ended": "what the provider signed",
    "join": "the invitation in the address says who",
    "sign_out": "",
    "enter": "the word that the terminal printed; nothing there once an organization exists",
    "section": "the browser that came in by that word; nothing there once an organization exists",
    "alive": "204 or 401",
    "opened": "the sealed token of a message; a picture, whatever it is worth",
    "clicked": "the sealed token of a message; leads where its template leads",
    "openapi-json": "what programs may ask, not an answer",
    "api-root": "404",
}
"""Every page of the product that needs nobody to be signed in, and why."""


def patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from patterns(each)
        else:
            yield each


def test_every_page_asks_who_is_there_unless_it_is_listed_here() -> None:
    """Staff by `requires`, patients and bearers of links by the portal's gates, programs by their key."""
    pages = list(patterns(get_resolver()))
    assert len(pages) > 80
    openly = set()
    for page in pages:
        asks = hasattr(page.callback, "required_permission") or is_gated(page.callback)
        if not asks and page.name not in by_key():
            openly.add(page.name)
    assert openly == set(PUBLIC)


def is_gated(view: Any) -> bool:
    """Return whether a gate of the portal stands before a view, or before what is wrapped around it."""
    while view is not None:
        code = getattr(view, "__code__", None)
        if code is not None and code.co_filename.endswith("portal/web/gates.py"):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


def by_key() -> set[str]:
    """Return the names of addresses for programs, each of whose operations asks for a key."""
    names = set()
    for prefix, router in programs._routers:
        for view in router.path_operations.values():
            for operation in view.operations:
                assert operation.auth_callbacks, (prefix, operation.path)
                name = view.url_name or programs.get_operation_url_name(operation, router)
                names.add(name)
    assert len(names) > 10
    return names


def test_a_page_opens_exactly_for_the_roles_that_hold_its_permission(console: Console) -> None:
    pages = {"/staff": Permission.IDENTITY_STAFF_MANAGE, "/keys": Permission.IDENTITY_APIKEY_MANAGE}
    for role in Role:
        client = console.client(role)
        for path, permission in pages.items():
            expected = 200 if permission in ROLES[role] else 404
            assert client.get(path).status_code == expected, (role, path)


def test_forbidden_reads_like_absent_and_is_recorded(console: Console) -> None:
    client = console.client("marketer")
    refused, absent = client.get("/staff"), client.get("/no-such-page")
    assert (refused.status_code, refused.content) == (absent.status_code, absent.content)
    with acting_for(console.organization.id):
        entry = audit.entries(Filters(action=Action.PERMISSION_REFUSE))[0]
    assert (entry.outcome, entry.reason, entry.role) == ("refused", "identity:staff:manage", "marketer")


def test_an_outsider_finds_nobody_of_another_organization(
    console: Console, make_clinic: Callable[..., Organization]
) -> None:
    other = make_clinic("Elsewhere")
    with acting_for(other.id):
        theirs = Staff.objects.first()
    assert theirs is not None
    client = console.client("administrator")
    assert client.get(f"/staff/{theirs.pk}").status_code == 404
    assert client.post(f"/staff/{theirs.pk}/invite").status_code == 404
    assert str(theirs.pk) not in client.get("/staff").content.decode()
    with acting_for(console.organization.id):
        assert not User.objects.filter(pk=theirs.pk).exists()
        assert not OrganizationRow.objects.filter(pk=other.id).exists()
        assert identity.staff_names([theirs.pk]) == {}


def test_a_changed_role_holds_from_the_next_page_on_and_lost_access_ends_the_session(
    console: Console,
) -> None:
    client, organization = console.client("developer"), console.organization
    actor = system(organization.id, "test")
    with acting_for(organization.id):
        person = Staff.objects.get(roles=["developer"])
    assert client.get("/keys").status_code == 200
    with acting_for(organization.id):
        staff.change(person.pk, actor=actor, roles=[Role.AUTHOR])
    assert client.get("/keys").status_code == 404
    with acting_for(organization.id):
        staff.change(person.pk, actor=actor, active=False)
    assert client.get("/account").status_code == 302


def test_an_administrator_changes_others_and_never_their_own_roles(console: Console) -> None:
    client = console.client("administrator")
    with acting_for(console.organization.id):
        me = Staff.objects.get(roles=["administrator"])
        author = Staff.objects.get(roles=["author"])
    page = client.post(f"/staff/{me.pk}", {"name": me.name, "roles": ["privacy_officer"], "active": "on"})
    assert "Somebody else changes your roles" in page.content.decode()
    done = client.post(
        f"/staff/{author.pk}", {"name": "Priya R.", "roles": ["author", "analyst"], "active": "on"}
    )
    assert done.status_code == 302
    with acting_for(console.organization.id):
        assert Staff.objects.get(pk=me.pk).roles == ["administrator"]
        assert Staff.objects.get(pk=author.pk).roles == ["author", "analyst"]
        granted = audit.entries(Filters(action=Action.ROLE_GRANT))[0]
    assert (granted.object_id, granted.details) == (author.pk, {"roles": "analyst"})


def test_staff_are_added_with_an_invitation_that_is_shown_once(console: Console) -> None:
    client = console.client("administrator")
    email = f"nora@{console.organization.slug}.example.org"
    page = client.post("/staff", {"name": "Nora Quist", "email": email, "roles": ["analyst"]})
    assert "/join/" in page.content.decode()
    assert "/join/" not in client.get("/staff").content.decode()
    again = client.post("/staff", {"name": "Nora Quist", "email": email.upper(), "roles": ["analyst"]})
    assert "cannot be used" in again.content.decode()
    assert "Nora Quist" in again.content.decode(), "nothing typed is lost"


@pytest.mark.parametrize(
    ("name", "email", "roles", "place"),
    [
        ("", "a@b.example.org", [Role.AUTHOR], "name"),
        ("A", "not an address", [Role.AUTHOR], "email"),
        ("A", "a@b.example.org", [], "roles"),
        ("A", "a@b.example.org", ["emperor"], "roles"),
    ],
)
def test_somebody_who_will_not_do_is_refused_with_the_place(
    console: Console, name: str, email: str, roles: list[Role], place: str
) -> None:
    actor = system(console.organization.id, "test")
    with acting_for(console.organization.id), pytest.raises(BadInput) as refused:
        identity.create_staff(name=name, email=email, roles=roles, actor=actor)
    assert refused.value.place == place


class TestTheDecorator:
    """`requires`, on views made here."""

    def call(
        self, console: Console, view: Callable[[HttpRequest], HttpResponse], role: str = "marketer"
    ) -> HttpResponse:
        """Guard `view` and call it with a request that went through the middleware."""
        request = console.client(role).get("/account").wsgi_request
        return identity.requires(Permission.SEGMENTS_SEGMENT_READ)(view)(request)

    def test_the_view_runs_as_the_person_in_their_organization_and_time_zone(self, console: Console) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            actor: Actor = request.actor  # type: ignore[attr-defined]
            zone = timezone.get_current_timezone_name()
            return HttpResponse(
                f"{actor.organization_id} {','.join(actor.roles)} {Staff.objects.count()} {zone}"
            )

        said = self.call(console, view).content.decode()
        assert said == f"{console.organization.id} marketer {len(Role)} America/Los_Angeles"

    def test_an_error_undoes_what_the_view_did(self, console: Console) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            Staff.objects.update(name="Changed")
            raise Conflict("No.")

        with pytest.raises(Conflict):
            self.call(console, view)
        with acting_for(console.organization.id):
            assert not Staff.objects.filter(name="Changed").exists()

    def test_a_lazy_response_is_made_inside_the_transaction(self, console: Console) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            return TemplateResponse(
                request, "identity/recovery_codes.html", {"codes": Staff.objects.values_list("name")}
            )

        assert self.call(console, view).is_rendered  # type: ignore[attr-defined]

    def test_whoever_may_not_gets_not_found_and_the_view_never_runs(self, console: Console) -> None:
        def view(request: HttpRequest) -> HttpResponse:
            raise AssertionError("it ran")

        with pytest.raises(NotFound):
            self.call(console, view, role="administrator")


def test_a_page_for_the_signed_in_shows_their_rooms_and_name(console: Console) -> None:
    page = console.client("administrator").get("/account").content.decode()
    assert "Wendell Okafor" in page
    assert 'href="/staff"' in page
    assert 'href="/staff"' not in console.client("author").get("/account").content.decode()


def test_require_raises_not_found() -> None:
    nobody = system(new_id(), "test")
    with pytest.raises(NotFound):
        identity.require(nobody, Permission.AUDIT_LOG_READ)
    somebody = replace(nobody, permissions=frozenset({Permission.AUDIT_LOG_READ.value}))
    identity.require(somebody, Permission.AUDIT_LOG_READ)


def test_row_level_security_alone_hides_everything_of_another_organization(
    console: Console, make_clinic: Callable[..., Organization]
) -> None:
    other = make_clinic("Elsewhere")
    tables = (
        "identity_staff",
        "identity_apikey",
        "identity_user",
        "identity_organization",
        "mfa_authenticator",
    )
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,), f"{table} without a tenant"
    with acting_for(console.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(DISTINCT organization_id) FROM identity_user")
        assert cursor.fetchone() == (len(Role), 1)
        cursor.execute("UPDATE identity_user SET is_active = false WHERE organization_id = %s", [other.id])
        assert cursor.rowcount == 0


def test_the_page_says_what_a_keys_messages_are(console: Console) -> None:
    organization = console.organization
    with acting_for(organization.id):
        actor = system(organization.id, "test")
        identity.create_api_key(
            "Scheduling", [Permission.CONTACTS_IMPORT_RUN], actor=actor, allowed=Permission
        )
        [key] = [each for each in identity.api_keys_of_organization() if each.name == "Scheduling"]
        identity.set_key_words(key.id, {"topic": "<visits>", "promotes": "nothing"}, actor=actor)
    page = console.client("administrator").get("/keys").content.decode()
    assert "topic: &lt;visits&gt;; promotes: nothing, unless a header says otherwise." in page
