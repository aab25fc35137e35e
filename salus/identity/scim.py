"""SCIM 2.0 (RFC 7643, 7644): the organization's directory brings staff in, gives them roles, takes access away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from salus.audit import api as audit
from salus.audit.contracts import Action
from salus.identity import scim_patch, second_factor, staff
from salus.identity import scim_schema as schema
from salus.identity.contracts import Role
from salus.identity.models import RoleRow, Staff
from salus.identity.ports import now
from salus.identity.scim_filter import Compare, Filter
from salus.identity.scim_patch import Refused
from salus.identity.sign_in import normalize
from salus.kernel.acting import Actor
from salus.kernel.errors import Conflict, NotFound
from salus.platform.web.given import id_given

Document = dict[str, Any]
_COLUMNS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "username": lambda value: {"user__email": normalize(value)},
    "externalid": lambda value: {"external_id": value},
    "id": lambda value: {"pk": id_given(value)},
}
"""What directories ask for one person by, answered by the database."""


def users(wanted: Filter | None, *, base: str) -> list[Document]:
    """Return the staff that `wanted` lets through, in the order in which they came."""
    rows = Staff.objects.select_related("user").filter(removed_at=None).order_by("created_at", "pk")
    if isinstance(wanted, Compare) and wanted.operator == "eq" and isinstance(wanted.value, str):
        column = _COLUMNS.get(wanted.path.casefold())
        rows = rows.filter(**column(wanted.value)) if column else rows
    own = _own_roles()
    found = [_user(row, own, base) for row in rows]
    return [each for each in found if wanted is None or wanted.fits(each)]


def user(staff_id: str, *, base: str) -> Document:
    """Return one person; raises `NotFound`, also for somebody whom the directory removed."""
    return _user(_row(staff_id), _own_roles(), base)


def create_user(given: Mapping[str, Any], *, actor: Actor, base: str) -> Document:
    """Bring somebody in, without password: they come by single sign-on or by an invitation.

    Somebody whom the directory removed before is the same person again, with nothing of what they had.
    Raises `Refused`, `BadInput`, and `Conflict` for an address that is taken.
    """
    email = _text(given, "userName")
    if not email:
        raise Refused("invalidValue", "A user needs a userName, which is their e-mail address.")
    row = Staff.objects.select_related("user").select_for_update(of=("self",)).filter(
        user__email=normalize(email)
    ).exclude(removed_at=None).first()  # fmt: skip
    if row is None:
        name = _name_after({}, given) or email
        member = staff.bring_in(name=name, email=email, roles=[], actor=actor)
        row = _row(str(member.id))
    else:
        _begin_anew(row, actor)
    _write(row, {}, {"active": True, **given}, actor)
    return _user(row, _own_roles(), base)


def replace_user(staff_id: str, given: Mapping[str, Any], *, actor: Actor, base: str) -> Document:
    """Make somebody what `given` says; what it does not name is taken away (RFC 7644 section 3.5.1).

    Access and roles stay when it does not speak of them: directories tell of those in other ways too.
    """
    row = _row(staff_id, lock=True)
    before = _user(row, _own_roles(), base)
    missing = {"userName": before["userName"], "active": before["active"], "roles": before["roles"]}
    _write(row, before, {**missing, **given}, actor)
    return _user(row, _own_roles(), base)


def patch_user(staff_id: str, operations: object, *, actor: Actor, base: str) -> Document:
    """Change somebody by the operations of a PATCH."""
    row = _row(staff_id, lock=True)
    before = _user(row, _own_roles(), base)
    after = scim_patch.apply(before, operations, known=schema.USER_KNOWN, fixed=schema.USER_FIXED)
    _write(row, before, after, actor)
    return _user(row, _own_roles(), base)


def remove_user(staff_id: str, *, actor: Actor) -> None:
    """Take somebody's access away for good: sessions and the API keys they made end with it.

    45 CFR 164.308(a)(3)(ii)(C). Their name stays, because the log speaks of them. Raises `Conflict` for
    the last administrator.
    """
    row = _row(staff_id, lock=True)
    staff.change(row.pk, actor=actor, active=False)
    row.refresh_from_db()
    staff.give(row, [], [], actor=actor)
    row.removed_at, row.external_id = now(), ""
    row.save()


def groups(wanted: Filter | None, *, base: str) -> list[Document]:
    """Return the roles, built in and own, with who has each."""
    found = [_group(key, label, base) for key, label in _roles().items()]
    return [each for each in found if wanted is None or wanted.fits(each)]


def group(key: str, *, base: str) -> Document:
    """Return one role; raises `NotFound`."""
    label = _roles().get(key)
    if label is None:
        raise NotFound
    return _group(key, label, base)


def patch_group(key: str, operations: object, *, actor: Actor, base: str) -> Document:
    """Give a role to people, or take it from them, by the operations of a PATCH."""
    before = group(key, base=base)
    after = scim_patch.apply(before, operations, known=schema.GROUP_KNOWN, fixed=schema.GROUP_FIXED)
    return _keep_members(key, before, after.get("members", []), actor, base)


def replace_group(key: str, given: Mapping[str, Any], *, actor: Actor, base: str) -> Document:
    """Let exactly these people have a role."""
    return _keep_members(key, group(key, base=base), given.get("members", []), actor, base)


def refuse_group(given: Mapping[str, Any]) -> None:
    """Say why a role is not made from outside: raises `Conflict` for one that is there, else `Refused`."""
    name = str(given.get("displayName", "")).casefold()
    if name in {label.casefold() for label in _roles().values()} | set(_roles()):
        raise Conflict("This role is there already.", place="displayName", next_step="Link to it.")
    raise Refused("invalidValue", "Groups are the roles of the organization; make them in Salus.")


def version_of(document: Mapping[str, Any]) -> str:
    """Return the ETag of a resource: it changes whenever what is shown changes."""
    said = json.dumps(document, sort_keys=True, default=str).encode()
    return f'W/"{hashlib.sha256(said).hexdigest()[:24]}"'


def _keep_members(key: str, before: Document, members: object, actor: Actor, base: str) -> Document:
    if not isinstance(members, list):
        raise Refused("invalidValue", "members is a list.")
    had = {each["value"] for each in before["members"]}
    has = {str(each.get("value")) if isinstance(each, Mapping) else str(each) for each in members}
    for staff_id in sorted(had ^ has):
        try:
            row = _row(staff_id, lock=True)
        except NotFound:
            raise Refused("invalidValue", "One of the members is not there.") from None
        roles = [each for each in _keys_of(row) if each != key]
        _give(row, [*roles, key] if staff_id in has else roles, actor)
        row.changed_at = now()
        row.save()
    return group(key, base=base)


def _write(row: Staff, before: Mapping[str, Any], given: Mapping[str, Any], actor: Actor) -> None:
    """Bring a person to what `given` says; `before` is what was shown of them."""
    name = given.get("name") if isinstance(given.get("name"), Mapping) else {}
    row.name = (_name_after(before, given) or row.name)[:120]
    row.given_name, row.family_name = _text(name, "givenName")[:120], _text(name, "familyName")[:120]
    row.external_id = _text(given, "externalId")[:200]
    _change_address(row, _text(given, "userName"))
    if "roles" in given:
        _give(row, _asked_roles(given["roles"]), actor)
    row.changed_at = now()
    row.save()
    active = _flag(given.get("active", before.get("active", True)))
    if active != row.user.is_active:
        staff.change(row.pk, actor=actor, active=active)
        row.refresh_from_db()
    if before:
        audit.record(
            Action.STAFF_CHANGE,
            actor=actor,
            object_kind="staff",
            object_id=row.pk,
            fields=_changed(before, given),
        )


def _changed(before: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(name for name in schema.USER_KNOWN if before.get(name) != given.get(name, before.get(name)))


def _change_address(row: Staff, email: str) -> None:
    address = staff.checked_email(email)
    if address == row.user.email:
        return
    row.user.email = address
    try:
        with transaction.atomic():
            row.user.save(update_fields=["email"])
    except IntegrityError:
        raise Conflict("This e-mail address cannot be used.", place="userName") from None


def _begin_anew(row: Staff, actor: Actor) -> None:
    """Let a removed person be there again: their old password, second factor and roles are gone."""
    row.user.set_unusable_password()
    row.user.save(update_fields=["password"])
    second_factor.remove(row.user)
    row.removed_at = None
    row.save()
    audit.record(
        Action.STAFF_CREATE, actor=actor, object_kind="staff", object_id=row.pk, details={"roles": ""}
    )


def _give(row: Staff, keys: Iterable[str], actor: Actor) -> None:
    chosen = set(keys)
    roles = [role for role in Role if role.value in chosen]
    own = [UUID(each) for each in chosen - {role.value for role in roles}]
    staff.give(row, roles, own, actor=actor)


def _asked_roles(given: object) -> list[str]:
    """Return the roles that a list names, by value, label or id; raises `Refused` for one that is not there."""
    known = {spelling.casefold(): key for key, label in _roles().items() for spelling in (key, label)}
    if not isinstance(given, list):
        raise Refused("invalidValue", "roles is a list.")
    found = []
    for each in given:
        said = str(each.get("value", "") if isinstance(each, Mapping) else each)
        if said.casefold() not in known:
            raise Refused("invalidValue", "There is no such role.")
        found.append(known[said.casefold()])
    return found


def _name_after(before: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """Return the name that `given` says: of the three ways to say one, the first that is not as before."""
    old, new = _names(before), _names(given)
    said = [each for each, was in zip(new, old, strict=True) if each and each != was]
    return said[0] if said else ""


def _names(document: Mapping[str, Any]) -> Sequence[str]:
    name = document.get("name")
    parts = name if isinstance(name, Mapping) else {}
    whole = " ".join(part for part in (_text(parts, "givenName"), _text(parts, "familyName")) if part)
    return _text(document, "displayName"), _text(parts, "formatted"), whole


def _text(document: Any, name: str) -> str:
    value = document.get(name) if isinstance(document, Mapping) else None
    if value is not None and not isinstance(value, str):
        raise Refused("invalidValue", f"{name} is a text.")
    return (value or "").replace("\0", "").strip()


def _flag(value: object) -> bool:
    said = str(value).lower()  # some directories send "True"
    if said not in {"true", "false"}:
        raise Refused("invalidValue", "active is true or false.")
    return said == "true"


def _row(staff_id: str, *, lock: bool = False) -> Staff:
    rows = Staff.objects.select_related("user").filter(removed_at=None)
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=id_given(staff_id)).first()
    if found is None:
        raise NotFound
    return found


def _own_roles() -> dict[str, str]:
    return {str(row.pk): row.name for row in RoleRow.objects.order_by("name")}


def _roles() -> dict[str, str]:
    return {**{role.value: role.words for role in Role}, **_own_roles()}


def _keys_of(row: Staff) -> list[str]:
    return [*row.roles, *(str(each) for each in row.own_roles)]


def _user(row: Staff, own: Mapping[str, str], base: str) -> Document:
    labels = {key: own.get(key) or Role(key).words for key in _keys_of(row)}
    name = {"formatted": row.name, "givenName": row.given_name, "familyName": row.family_name}
    shown: Document = {
        "schemas": [schema.USER],
        "id": str(row.pk),
        "userName": row.user.email,
        "name": {key: value for key, value in name.items() if value},
        "displayName": row.name,
        "active": row.user.is_active,
        "emails": [{"value": row.user.email, "type": "work", "primary": True}],
        "roles": [{"value": key, "display": label} for key, label in labels.items()],
        "groups": [
            {"value": key, "display": label, "type": "direct", "$ref": f"{base}/Groups/{key}"}
            for key, label in labels.items()
        ],
        "meta": {
            "resourceType": "User",
            "created": _moment(row.created_at),
            "lastModified": _moment(row.changed_at or row.created_at),
            "location": f"{base}/Users/{row.pk}",
        },
    }
    return {**shown, "externalId": row.external_id} if row.external_id else shown


def _group(key: str, label: str, base: str) -> Document:
    rows = Staff.objects.filter(removed_at=None).order_by("pk")
    rows = (
        rows.filter(roles__contains=[key])
        if key in set(Role)
        else rows.filter(own_roles__contains=[UUID(key)])
    )
    return {
        "schemas": [schema.GROUP],
        "id": key,
        "displayName": label,
        "members": [
            {"value": str(id), "type": "User", "$ref": f"{base}/Users/{id}"}
            for id in rows.values_list("pk", flat=True)
        ],
        "meta": {"resourceType": "Group", "location": f"{base}/Groups/{key}"},
    }


def _moment(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
