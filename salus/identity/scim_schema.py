"""What SCIM says about itself here: the resources that exist and the attributes that each has (RFC 7643)."""

from __future__ import annotations

from typing import Any

CORE = "urn:ietf:params:scim:schemas:core:2.0:"
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
USER, GROUP = f"{CORE}User", f"{CORE}Group"
ERROR, LIST, PATCH = f"{MESSAGES}Error", f"{MESSAGES}ListResponse", f"{MESSAGES}PatchOp"
MOST = 200
"""Resources on a page."""

USER_KNOWN = (
    "userName",
    "displayName",
    "name",
    "active",
    "externalId",
    "roles",
    "emails",
    "id",
    "meta",
    "groups",
)
USER_FIXED = ("id", "meta", "groups", "emails")
GROUP_KNOWN = ("displayName", "members", "id", "meta")
GROUP_FIXED = ("id", "meta", "displayName")


def configuration(base: str) -> dict[str, Any]:
    """Return what this server can do."""
    return {
        "schemas": [f"{CORE}ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "API key",
                "description": "An API key of the organization with the scope identity:scim:provision.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """Return the kinds of resources."""
    return [
        {
            "schemas": [f"{CORE}ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "description": said,
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema, said in (
            ("User", USER, "A person who works here"),
            ("Group", GROUP, "A role, and who has it"),
        )
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    """Return the attributes of each kind of resource."""
    name = [_text("formatted"), _text("givenName"), _text("familyName")]
    email = [
        _text("value", mutable="readOnly"),
        _text("type", mutable="readOnly"),
        _flag("primary", "readOnly"),
    ]
    role = [
        _text("value", said="A built-in role, or the id of one of the organization's own"),
        _text("display", mutable="readOnly"),
    ]
    group = [*(_text(each, mutable="readOnly") for each in ("value", "display", "type")), _link("readOnly")]
    user = [
        _text("userName", required=True, unique="server", said="The e-mail address that they sign in with"),
        _text("displayName"),
        _complex("name", name),
        _flag("active"),
        _complex("emails", email, many=True, mutable="readOnly"),
        _complex("roles", role, many=True),
        _complex("groups", group, many=True, mutable="readOnly"),
    ]
    members = [_text("value", mutable="immutable"), _text("type", mutable="immutable"), _link("immutable")]
    groups = [_text("displayName", mutable="readOnly"), _complex("members", members, many=True)]
    return [
        {
            "schemas": [f"{CORE}Schema"],
            "id": id,
            "name": id.rpartition(":")[2],
            "description": said,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{id}"},
        }
        for id, said, attributes in ((USER, "Staff", user), (GROUP, "Roles", groups))
    ]


def _text(
    name: str, *, mutable: str = "readWrite", required: bool = False, unique: str = "none", said: str = ""
) -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "description": said,
        "required": required,
        "caseExact": False,
        "mutability": mutable,
        "returned": "default",
        "uniqueness": unique,
    }


def _flag(name: str, mutable: str = "readWrite") -> dict[str, Any]:
    return {
        "name": name,
        "type": "boolean",
        "multiValued": False,
        "description": "",
        "required": False,
        "mutability": mutable,
        "returned": "default",
    }


def _link(mutable: str) -> dict[str, Any]:
    kinds = ["User", "Group"]
    return {**_text("$ref", mutable=mutable), "type": "reference", "referenceTypes": kinds, "caseExact": True}


def _complex(
    name: str, inner: list[dict[str, Any]], *, many: bool = False, mutable: str = "readWrite"
) -> dict[str, Any]:
    return {**_flag(name, mutable), "type": "complex", "multiValued": many, "subAttributes": inner}
