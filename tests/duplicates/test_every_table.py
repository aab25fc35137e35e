"""Every table that holds something of a contact has a way through a merge: whoever adds one says which."""

from __future__ import annotations

from django.apps import apps

from salus.platform.tenancy import TenantModel

READ_WHOLE = "rows stay under their id; readers ask for the whole person"
MOVED = "rows go on under the kept id, and back by a split"
OWN = "each record's own; what is stricter is set for both, or it is not used for the other"
WAYS = {
    "contacts_blind": "made anew for the one that goes on",
    "delivery_message": READ_WHOLE,
    "delivery_deposit": READ_WHOLE,
    "delivery_call": READ_WHOLE,
    "delivery_return": READ_WHOLE,
    "delivery_written": MOVED,
    "files_file": READ_WHOLE,
    "inbox_task": MOVED,
    "inbox_conversation": MOVED,
    "inbox_entry": MOVED,
    "journeys_enrolment": MOVED,
    "journeys_written": OWN,
    "patients_access": OWN,
    "patients_session": "ended for both",
    "patients_passkey": OWN,
    "permissions_entry": READ_WHOLE,
    "permissions_standing": "summed up anew for the one that goes on",
    "privacy_copy": READ_WHOLE,
    "privacy_disclosure": READ_WHOLE,
    "privacy_request": READ_WHOLE,
    "retention_held": "a hold on either covers both, after a split too",
    "safeguards_wish": OWN,
    "sealedmail_key": MOVED,
    "sealedmail_look": "forgotten for the one that is gone; whoever wants to know asks anew",
    "timeline_event": READ_WHOLE,
}


def test_every_table_of_a_contact_has_a_way_through_a_merge() -> None:
    found = {
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, TenantModel)
        and any(field.name == "contact_id" for field in model._meta.get_fields())
    }
    assert found, "nothing was looked at"
    assert found - WAYS.keys() == set(), "say what a merge and a split do with it, in docs/adr/0134 and here"
