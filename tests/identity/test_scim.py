"""SCIM: a directory brings people in, gives them roles, and takes access away so that open sessions end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity import roles, second_factor
from salus.identity.contracts import Organization, Permission, Role
from salus.identity.models import ApiKey, Session, Staff
from salus.kernel.acting import Actor, ActorKind, system
from salus.platform.tenancy import acting_for
from tests.browser import Console

SCIM = Permission.IDENTITY_SCIM_PROVISION
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Directory:
    """An organization's directory, with its key."""

    def __init__(self, organization: Organization, scope: Permission = SCIM) -> None:
        self.organization = organization
        with acting_for(organization.id):
            actor = system(organization.id, "cli")
            key = identity.create_api_key("Directory", [scope], actor=actor, allowed=list(Permission))
        self.client = Client(headers={"host": "localhost", "Authorization": f"Bearer {key}"})

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        response = self.client.generic(
            method,
            f"/scim/v2/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/scim+json",
            headers=headers,
        )
        said = json.loads(response.content) if response.content else None
        return response.status_code, said, response.headers

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def bring_in(self, local: str = "nora.quist", **facts: Any) -> Any:
        email = f"{local}@{self.organization.slug}.example.org"
        return self("POST", "Users", {"userName": email, "displayName": "Nora Quist", **facts})


@pytest.fixture
def directory(console: Console) -> Directory:
    return Directory(console.organization)


def acting_as(person: Staff) -> Actor:
    held = frozenset(word.value for word in roles.lasting(person.pk))
    return Actor(ActorKind.STAFF, person.organization_id, person.pk, permissions=held)


def staff_of(console: Console, role: Role) -> Staff:
    with acting_for(console.organization.id):
        return Staff.objects.get(roles=[role])


def test_a_person_is_brought_in_found_changed_and_removed(directory: Directory) -> None:
    status, made, headers = directory.bring_in(
        externalId="00u1", name={"givenName": "Nora", "familyName": "Quist"}, roles=[{"value": "Author"}]
    )
    assert status == 201, made
    assert (status, made["active"], made["externalId"]) == (201, True, "00u1")
    assert [each["value"] for each in made["groups"]] == ["author"]
    assert headers["Location"] == made["meta"]["location"]
    found = directory("GET", f'Users?filter=userName eq "{made["userName"].upper()}"')[1]
    assert (found["totalResults"], found["Resources"][0]["id"]) == (1, made["id"])
    assert directory("GET", 'Users?filter=externalId eq "00u1"')[1]["totalResults"] == 1
    status, changed, _ = directory.patch(
        f"Users/{made['id']}",
        {"op": "Replace", "path": "name.familyName", "value": "Lindahl"},
        {"op": "Add", "path": "roles", "value": [{"value": "analyst"}]},
    )
    assert (status, changed["displayName"]) == (200, "Nora Lindahl")
    assert {each["value"] for each in changed["roles"]} == {"author", "analyst"}
    assert changed["meta"]["version"] != made["meta"]["version"]
    assert directory("DELETE", f"Users/{made['id']}")[0] == 204
    assert directory("GET", f"Users/{made['id']}")[0] == 404
    assert directory("GET", 'Users?filter=displayName co "Lindahl"')[1]["totalResults"] == 0
    with acting_for(directory.organization.id):
        words = {each.action for each in audit.entries(Filters(action="identity:"), limit=50)}
    assert {Action.STAFF_CREATE, Action.STAFF_CHANGE, Action.ROLE_GRANT, Action.STAFF_DEACTIVATE} <= words


def test_who_is_brought_in_again_is_the_same_person_with_nothing_of_what_they_had(
    directory: Directory,
) -> None:
    made = directory.bring_in(roles=["author"])[1]
    with acting_for(directory.organization.id):
        row = Staff.objects.select_related("user").get(pk=made["id"])
        second_factor.set_up(row.user, second_factor.new_secret())
    directory("DELETE", f"Users/{made['id']}")
    status, again, _ = directory.bring_in()
    assert (status, again["id"], again["roles"], again["active"]) == (201, made["id"], [], True)
    with acting_for(directory.organization.id):
        row = Staff.objects.select_related("user").get(pk=made["id"])
        assert not second_factor.is_set_up(row.user)
        assert not row.user.has_usable_password()


@pytest.mark.parametrize("way", ["deactivate", "delete", "as a word"])
def test_removal_ends_open_sessions_and_keys_with_the_next_request(
    console: Console, directory: Directory, way: str
) -> None:
    """45 CFR 164.308(a)(3)(ii)(C): effective at once, so within a minute too."""
    person = staff_of(console, Role.DEVELOPER)
    client, other = console.client("developer"), console.client("developer")
    assert client.get("/keys").status_code == 200
    with acting_for(console.organization.id):
        mine = system(console.organization.id, "test")
        key = identity.create_api_key(
            "Theirs", [Permission.GATE_DECIDE_RUN], actor=mine, allowed=list(Permission)
        )
        ApiKey.objects.filter(name="Theirs").update(created_by=person.pk)
    program = Client(headers={"host": "localhost", "Authorization": f"Bearer {key}"})
    if way == "delete":
        assert directory("DELETE", f"Users/{person.pk}")[0] == 204
    else:
        value = "False" if way == "as a word" else False
        change = {"op": "Replace", "path": "active", "value": value}
        status, said, _ = directory.patch(f"Users/{person.pk}", change)
        assert (status, said["active"]) == (200, False)
    for each in (client, other):
        answer = each.get("/keys")
        assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")
    assert not Session.objects.filter(user_id=person.pk).exists()
    assert program.get("/api/v1/campaigns").status_code == 401
    with acting_for(console.organization.id):
        assert ApiKey.objects.get(name="Theirs").revoked_at is not None


def test_what_says_nothing_of_access_gives_none_back(directory: Directory) -> None:
    made = directory.bring_in(active=False, roles=["author"])[1]
    here = f"Users/{made['id']}"
    assert made["active"] is False
    assert directory.patch(here, {"op": "remove", "path": "active"})[1]["active"] is False
    said = directory("PUT", here, {"userName": made["userName"], "displayName": "Elin"})[1]
    assert (said["active"], said["displayName"]) == (False, "Elin")
    assert [each["value"] for each in said["roles"]] == ["author"]


def test_the_last_administrator_stays(console: Console, directory: Directory) -> None:
    one = staff_of(console, Role.ADMINISTRATOR)
    inactive = {"op": "replace", "path": "active", "value": False}
    for answer in (
        directory.patch(f"Users/{one.pk}", inactive),
        directory("DELETE", f"Users/{one.pk}"),
        directory.patch("Groups/administrator", {"op": "remove", "path": f'members[value eq "{one.pk}"]'}),
        directory.patch(f"Users/{one.pk}", {"op": "replace", "path": "roles", "value": ["auditor"]}),
    ):
        assert answer[0] == 409
        assert "last administrator" in answer[1]["detail"]
    assert console.client("administrator").get("/staff").status_code == 200
    author = staff_of(console, Role.AUTHOR)
    directory.patch(
        "Groups/administrator", {"op": "add", "path": "members", "value": [{"value": str(author.pk)}]}
    )
    assert directory.patch(f"Users/{one.pk}", inactive)[0] == 200


def test_groups_are_the_roles_built_in_and_own(console: Console, directory: Directory) -> None:
    with acting_for(console.organization.id):
        marketer = Staff.objects.get(roles=[Role.MARKETER])
        me = acting_as(marketer)
        own = roles.create("Front desk", [Permission.CONTACTS_RECORD_READ], actor=me)
    names = {
        each["displayName"] for each in directory("GET", "Groups?excludedAttributes=members")[1]["Resources"]
    }
    assert names == {role.words for role in Role} | {"Front desk"}
    made = directory.bring_in()[1]
    status, said, _ = directory.patch(
        f"Groups/{own.id}", {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
    )
    assert (status, [each["value"] for each in said["members"]]) == (200, [made["id"]])
    assert directory("GET", f"Users/{made['id']}")[1]["roles"] == [
        {"value": str(own.id), "display": "Front desk"}
    ]
    entra = {"op": "Remove", "path": "members", "value": [{"value": made["id"]}]}
    assert directory.patch(f"Groups/{own.id}", entra)[1]["members"] == []
    put = directory("PUT", "Groups/auditor", {"displayName": "Auditor", "members": [{"value": made["id"]}]})
    assert [each["value"] for each in put[1]["members"]] == [made["id"]]
    assert directory("POST", "Groups", {"displayName": "auditor"})[:2][0] == 409
    assert (
        directory("POST", "Groups", {"displayName": "Owners of everything"})[1]["scimType"] == "invalidValue"
    )
    unknown = {"op": "add", "path": "members", "value": [{"value": "nobody"}]}
    assert directory.patch("Groups/auditor", unknown)[0] == 400
    assert directory.patch("Groups/auditor", {"op": "replace", "path": "displayName", "value": "X"})[0] == 400


def test_pages_are_counted_from_one_and_attributes_chosen(directory: Directory) -> None:
    everybody = directory("GET", "Users")[1]
    assert everybody["totalResults"] == len(Role)
    page = directory("GET", "Users?startIndex=3&count=2&attributes=userName")[1]
    assert (page["startIndex"], page["itemsPerPage"], page["totalResults"]) == (3, 2, len(Role))
    assert [each["id"] for each in page["Resources"]] == [each["id"] for each in everybody["Resources"][2:4]]
    assert set(page["Resources"][0]) == {"schemas", "id", "userName"}
    assert directory("GET", "Users?startIndex=-4&count=-1")[1]["Resources"] == []
    assert directory("GET", "Users?count=many")[0] == 400
    assert directory("GET", "Users?startIndex=" + "9" * 30)[0] == 400


def test_a_version_tells_of_changes(directory: Directory) -> None:
    made = directory.bring_in()[1]
    here, version = f"Users/{made['id']}", made["meta"]["version"]
    assert directory("GET", here, **{"If-None-Match": version})[0] == 304
    change = {"op": "replace", "path": "displayName", "value": "Elin"}
    assert directory.patch(here, change, **{"If-Match": version})[0] == 200
    assert directory.patch(here, change, **{"If-Match": version})[0] == 412
    assert directory("DELETE", here, **{"If-Match": version})[0] == 412
    assert directory("GET", here, **{"If-None-Match": version})[0] == 200


def test_it_says_what_it_can_do(directory: Directory) -> None:
    assert directory("GET", "ServiceProviderConfig")[1]["patch"]["supported"] is True
    kinds = directory("GET", "ResourceTypes")[1]["Resources"]
    assert [each["id"] for each in kinds] == ["User", "Group"]
    for kind in kinds:
        assert directory("GET", f"ResourceTypes/{kind['id']}")[0] == 200
        schema = directory("GET", f"Schemas/{kind['schema']}")[1]["attributes"]
        named = {each["name"]: each.get("subAttributes", []) for each in schema}
        shown = directory("GET", kind["endpoint"].strip("/"))[1]["Resources"][0]
        assert set(shown) - {"schemas", "id", "meta", "externalId"} <= set(named)
        for name, inner in named.items():
            for each in shown[name] if isinstance(shown[name], list) else ():
                assert set(each) <= {sub["name"] for sub in inner}, name
    for absent in ("Schemas/urn:x", "Bulk", "Me", "no/such/place"):
        status, said, _ = directory("GET", absent)
        assert (status, said["status"]) == (404, "404")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 400),
        ({"userName": 3}, 400),
        ({"userName": "no address"}, 400),
        ({"userName": "a@b.example.org", "active": "perhaps"}, 400),
        ({"userName": "a@b.example.org", "roles": [{"value": "owner"}]}, 400),
        ({"userName": "a@b.example.org", "roles": "author"}, 400),
        ({"userName": "a@b.example.org", "displayName": ["x"]}, 400),
    ],
)
def test_a_user_that_will_not_do_is_refused_whole(directory: Directory, body: object, status: int) -> None:
    found, said, headers = directory("POST", "Users", body)
    assert (found, said["status"], headers["Content-Type"]) == (status, str(status), "application/scim+json")
    assert directory("GET", 'Users?filter=userName eq "a@b.example.org"')[1]["totalResults"] == 0


def test_an_address_that_is_taken_is_a_conflict(directory: Directory) -> None:
    directory.bring_in()
    status, said, _ = directory.bring_in()
    assert (status, said["scimType"]) == (409, "uniqueness")
    other = directory.bring_in("elin")[1]
    email = f"nora.quist@{directory.organization.slug}.example.org"
    taken = directory.patch(f"Users/{other['id']}", {"op": "replace", "path": "userName", "value": email})
    assert taken[0] == 409


@pytest.mark.parametrize(
    "text",
    ["userName eq", 'id eq "\\ud800"', 'externalId eq "\\u0000"'],
)
def test_a_filter_that_is_none_is_refused(directory: Directory, text: str) -> None:
    status, said, _ = directory("GET", f"Users?filter={text}")
    assert (status, said["scimType"]) == (400, "invalidFilter")


def test_nobody_comes_in_without_a_key_of_this_scope(console: Console, directory: Directory) -> None:
    bare = Client(headers={"host": "localhost"})
    answer = bare.get("/scim/v2/Users")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="salus"')
    assert console.client("administrator").get("/scim/v2/Users").status_code == 401
    assert Directory(console.organization, Permission.GATE_DECIDE_RUN)("GET", "Users")[0] == 404
    assert directory("PUT", "Users", {})[0] == 405
    assert directory.client.post("/scim/v2/Users", "{", content_type="application/json").status_code == 400


def test_another_organization_is_not_there(
    directory: Directory, make_clinic: Callable[..., Organization]
) -> None:
    other = Directory(make_clinic("Elsewhere"))
    theirs = other.bring_in()[1]["id"]
    for answer in (
        directory("GET", f"Users/{theirs}"),
        directory.patch(f"Users/{theirs}", {"op": "replace", "path": "active", "value": False}),
        directory("DELETE", f"Users/{theirs}"),
    ):
        assert answer[0] == 404
    add = {"op": "add", "path": "members", "value": [{"value": theirs}]}
    assert directory.patch("Groups/auditor", add)[0] == 400
    assert directory("GET", f'Users?filter=id eq "{theirs}"')[1]["totalResults"] == 0
    assert other("GET", f"Users/{theirs}")[1]["active"] is True
