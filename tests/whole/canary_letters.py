"""The way of a letter with a file, and of what its reader writes back with another: pages, doors, downloads."""

from __future__ import annotations

from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile

from salus.files import api as files
from salus.inbox import api as inbox
from salus.kernel.ids import new_id
from salus.platform.tenancy import acting_for

from .canary_roads import CLOCK, Place


def write_a_letter(place: Place, contact_id: UUID) -> None:
    """Write to the person as a coordinator, hear their answer, and give both files out."""
    c, coordinator = place.canaries, place.road("care_coordinator")
    sheet = SimpleUploadedFile(f"{c['filename']}.txt", f"Take {c['filetext']}\n".encode(), "text/plain")
    form = {"subject": f"About {c['subject']}", "text": f"Take {c['letter']}", "files": sheet}
    sent = coordinator.post(f"/letters/new/{contact_id}/", form)
    assert sent.status_code == 302, sent.content_read  # type: ignore[attr-defined]  # set by Road
    with acting_for(place.id):
        [talk] = inbox.conversations(waiting=False)
        draft = new_id()
        photo = files.take(
            contact_id,
            f"{c['photoname']}.png",
            [b"\x89PNG\r\n\x1a\n", c["photo"].encode() * 9],
            draft_id=draft,
            actor=place.actor,
            at=CLOCK.now(),
        )
        inbox.hear(
            contact_id,
            talk.message_id,
            f"And {c['answer']}",
            file_ids=[photo.id],
            draft_id=draft,
            actor=place.actor,
            at=CLOCK.now(),
        )
        said = inbox.conversation(talk.id, actor=place.actor).said
    shown = coordinator.get(f"/conversations/{talk.id}/").content_read  # type: ignore[attr-defined]
    for each in ("subject", "letter", "answer", "filename", "photoname"):
        assert c[each].encode() in shown
    for word, entry in (("filetext", said[0]), ("photo", said[1])):
        given = coordinator.get(f"/conversations/{talk.id}/files/{entry.files[0].id}")
        assert c[word].encode() in given.content_read  # type: ignore[attr-defined]
    bad = SimpleUploadedFile(f"{c['filename']}.exe", b"MZ" + c["filetext"].encode() * 9)
    coordinator.post(f"/conversations/{talk.id}/answer", {**form, "files": bad})
    coordinator.get("/conversations/?all=1")
