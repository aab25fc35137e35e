"""Ways through the whole product on which a canary is sent, in one process: pages, doors, what a sender does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from salus.audiences import api as audiences
from salus.campaigns import api as campaigns
from salus.contacts import api as contacts
from salus.content import api as content
from salus.content.contracts import Classification
from salus.delivery import api as delivery
from salus.delivery import call_turns, leasing, outcomes, preparing
from salus.delivery.call_turns import Made
from salus.delivery.contracts import PORTAL_LINK, CallSpec, NewCall, Origin, State
from salus.delivery.outcomes import Outcome
from salus.identity import api as identity
from salus.identity.contracts import Organization, Permission, Role
from salus.inbox import api as inbox
from salus.inbox.contracts import NewTask
from salus.intake import api as intake
from salus.intake.contracts import Declaration
from salus.intake.models import Import
from salus.journeys import api as journeys
from salus.kernel.acting import Actor, system
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock, SystemClock
from salus.kernel.vocabulary import AddressSource, Channel, Promotes, Protection, Purpose, Remuneration
from salus.keys import api as keys
from salus.permissions import api as permissions
from salus.permissions.contracts import EntryKind, NewEntry
from salus.platform.tenancy import acting_for
from salus.timeline import api as timeline
from salus.vendors import api as vendors
from salus.vendors.contracts import Control, Duty
from salus.wiring.reminding import remind_of_vendors
from tests.browser import Console
from tests.delivery import office

from .searching import Canaries

CLOCK = SystemClock()
_DAY = timedelta(days=1)


@dataclass
class Road:
    """A signed-in client whose every request and answer is looked at: addresses, headers, titles."""

    client: Client
    seen: list[str]

    def get(self, address: str, **more: Any) -> HttpResponse:
        """Ask for a page."""
        return self._keep(address, self.client.get(address, **more))

    def post(self, address: str, data: dict[str, Any] | None = None) -> HttpResponse:
        """Send a form."""
        return self._keep(address, self.client.post(address, data or {}))

    def _keep(self, address: str, answer: Any) -> HttpResponse:
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code < 500, address
        titles = re.findall(rb"<title>.*?</title>", body, re.DOTALL)
        links = re.findall(rb"(?:href|action|src)=\"[^\"]*\"", body)
        self.seen += [address, *map(str, answer.headers.items()), *map(repr, answer.cookies.values())]
        self.seen += [each.decode() for each in titles + links]
        assert "no-store" in answer.headers["Cache-Control"], address
        answer.content_read = body
        found: HttpResponse = answer
        return found


@dataclass
class Place:
    """The clinic of this test, and the ways into it."""

    organization: Organization
    canaries: Canaries
    console: Console
    seen: list[str] = field(default_factory=list)

    @property
    def id(self) -> UUID:
        """Return the organization's id."""
        return self.organization.id

    @property
    def actor(self) -> Actor:
        """Return the system acting."""
        return system(self.id, "test")

    def road(self, role: str) -> Road:
        """Return a way in as somebody with this role."""
        return Road(self.console.client(role), self.seen)


def import_people(place: Place) -> UUID:
    """Bring one person in by the pages, with a row that is refused, and return their id."""
    c, marketer = place.canaries, place.road("marketer")
    text = (
        f"Record number,E-mail,Phone,First name,Last name,Birth date,{c['heading']}\n"
        f"{c['record']},{c.email},{c.phone},{c['given']},{c['family']},{c.born},{c['cell']}\n"
        f"X-1,not an address {c['reject']},,{c['given']},{c['family']},{c.born},\n"
    )
    file = SimpleUploadedFile(f"{c['file']}.csv", text.encode())
    answer = marketer.post("/imports/upload?kind=contacts_csv", {"file": file})
    assert answer.status_code == 302
    targets = ["identifier:mrn", "address:email", "address:phone", "attribute:given_name"]
    targets += ["attribute:family_name", "attribute:birth_date", ""]
    declared = {
        "source": "clinical_encounter",
        "evidence": f"form {c['evidence']}",
        "obtained": "2026-01-02",
        "save_as": c["mapping"],
        "date": "",
    }
    where = answer.headers["Location"]
    marketer.get(where)
    answer = marketer.post(where, declared | {f"column_{n}": target for n, target in enumerate(targets)})
    assert answer.status_code == 302, answer.content.decode()
    marketer.get(answer.headers["Location"])
    with acting_for(place.id):
        import_id = Import.objects.get().id
    marketer.post(f"/imports/{import_id}/run")
    facts = intake.run(place.id, import_id, actor=place.actor)
    assert (facts.counts.created, facts.counts.rejected) == (1, 1)
    marketer.get(f"/imports/{import_id}")
    rejects = place.road("care_coordinator").post(f"/imports/{import_id}/rejects")
    assert c["reject"].encode() in rejects.content_read  # type: ignore[attr-defined]  # set by Road
    with acting_for(place.id):
        found = contacts.find_by_identifier("mrn", c["record"])
        assert found is not None
        return found


def import_record(place: Place, folder: Path) -> None:
    """Bring a health record in whose first line is broken and whose second tells of a condition."""
    c = place.canaries
    system_of_ours = "http://hospital.example.org/mrn"
    patient = (
        f'{{"resourceType":"Patient","id":"p1","identifier":[{{"system":"{system_of_ours}","type":{{"coding":'
        f'[{{"code":"MR"}}]}},"value":"{c["record"]}"}}],"name":[{{"given":["{c["given"]}"],'
        f'"family":"{c["family"]}"}}],"birthDate":"{c.born}","address":[{{"state":"WA"}}]}}\n'
    )
    condition = (
        '{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/p1"},"code":{"coding":[{"system":'
        '"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"}],"text":"' + c["condition"] + '"},'
        '"recordedDate":"2026-10-01"}\n'
    )
    folder.mkdir()
    (folder / "Patient.ndjson").write_text(patient)
    (folder / "Condition.ndjson").write_text(
        '{"resourceType":"Condition","id":"' + c["broken"] + "\n" + condition
    )
    declared = Declaration(AddressSource.CLINICAL_ENCOUNTER, c["source"], CLOCK.now().date())
    with acting_for(place.id):
        started = intake.start_fhir([folder], declaration=declared, actor=place.actor, queue=False)
    facts = intake.run(place.id, started, actor=place.actor)
    assert facts.counts.read >= 2
    assert facts.counts.rejected >= 1


def say_in_the_ledger(place: Place, contact_id: UUID) -> None:
    """Put free text and an address of theirs into the ledger of a person."""
    c, at = place.canaries, CLOCK.now()
    with acting_for(place.id):
        for kind, more in (
            (EntryKind.OPT_IN, {"topic": "visits", "channel": Channel.EMAIL}),
            (EntryKind.OPT_OUT, {"topic": c["topic"].lower(), "channel": Channel.EMAIL}),
            (
                EntryKind.SUPPRESSION,
                {"channel": Channel.SMS, "details": {"reason": "complaint", "address": f"+1{c.phone}"}},
            ),
        ):
            entry = NewEntry(contact_id, kind, at - _DAY, f"said {c['ledger']}", **more)
            permissions.append([entry], actor=place.actor)


def write_template(place: Place) -> UUID:
    """Write a template whose name, text, topic and review notes are canaries; return its version."""
    c = place.canaries
    mjml = office.LETTER.replace("Please call us.", f"Please call us about {c['text']}.")
    meant = Classification(
        Purpose.APPOINTMENT, Promotes.NOTHING, Remuneration.NONE, c["subjecttopic"].lower()
    )
    with acting_for(place.id):
        author = office.staff(place.organization, Role.AUTHOR)
        reviewer = office.staff(place.organization, Role.PRIVACY_OFFICER)
        template_id = content.create_template(f"Letter {c['template']}", actor=author)
        version = content.save_version(
            template_id, language="en", subject="A visit is due", mjml=mjml, actor=author
        )
        content.classify(version.id, meant, actor=author)
        content.decline_classification(version.id, note=f"Not {c['decline']}", actor=reviewer)
        content.classify(version.id, meant, actor=author)
        content.confirm_classification(version.id, actor=reviewer)
    return version.id


def make_campaign(place: Place, version_id: UUID) -> UUID:
    """Make a campaign with a name and a note, send it back once, approve and launch it."""
    c = place.canaries
    tree = {"version": 1, "where": {"all": [{"field": "family_name", "equal": c["family"]}]}}
    with acting_for(place.id):
        marketer = office.staff(place.organization, Role.MARKETER)
        officer = office.staff(place.organization, Role.PRIVACY_OFFICER)
        segment = audiences.save_segment(f"People {c['segment']}", tree, marketer)
        made = campaigns.create(
            name=f"Campaign {c['campaign']}",
            segment_id=segment.id,
            versions={"en": version_id},
            actor=marketer,
            at=CLOCK.now(),
        )
    for again in (True, False):
        with acting_for(place.id):
            assert campaigns.plan(made.id, actor=marketer, clock=CLOCK).planned_people == 1
        campaigns.make_plan(place.id, made.id)
        with acting_for(place.id):
            if again:
                campaigns.send_back(made.id, f"Please mind {c['note']}", actor=officer, at=CLOCK.now())
            else:
                campaigns.approve(made.id, actor=officer, at=CLOCK.now())
                campaigns.launch(made.id, actor=marketer, at=CLOCK.now())
    return made.id


def deliver(place: Place) -> UUID:
    """Do what a sender does: prepare the message, and put it into the portal; return its id."""
    c, at = place.canaries, CLOCK.now() + timedelta(seconds=1)
    with acting_for(place.id):
        batch = preparing.prepare(leasing.lease(10, at), actor=place.actor, at=at)
        [prepared] = batch.prepared
        assert prepared.content.to == c.email
        assert c["text"] in prepared.parts.text
        assert c["given"] not in repr(prepared) + repr(prepared.content)
        outcome = Outcome(prepared, State.PORTAL, at, Protection.PORTAL, reason="no_starttls")
        outcomes.record([outcome], batch.stopped, actor=place.actor, at=at)
    return prepared.lease.message_id


def read_in_the_portal(place: Place, message_id: UUID) -> None:
    """Be the patient: mistype, get a code from staff, read, choose, look back."""
    c = place.canaries
    coordinator = place.road("care_coordinator")
    coordinator.post("/patients/code", {"record_number": c["record"]})
    with acting_for(place.id):
        contact_id = contacts.find_by_identifier("mrn", c["record"])
        link = keys.seal_token(PORTAL_LINK, message_id.bytes, lifetime=_DAY)
    issued = coordinator.post("/patients/code/issue", {"contact_id": str(contact_id), "checked": "on"})
    [code] = re.findall(r"\b\d{6}\b", issued.content.decode())
    patient = Road(Client(headers={"host": "localhost"}), place.seen)
    year, month, day = c.born.split("-")
    facts = {"y": year, "m": str(int(month)), "d": day}
    assert patient.post(f"/p/m/{link}", {"code": c["typed"], **facts}).status_code == 422
    assert patient.post(f"/p/m/{link}", {"code": code, **facts}).status_code == 303
    assert c["text"] in patient.get(f"/p/messages/{message_id}").content.decode()
    patient.get(f"/p/messages/{message_id}/body")
    patient.get("/p/choices")
    answer = patient.post("/p/choices", {"box": [f"email:{c['topic'].lower()}"], "fundraising": "yes"})
    assert answer.status_code == 200
    patient.get("/p/history")
    patient.get("/p/messages")
    patient.post("/p/sign-out")


def tell_a_vendor(place: Place, contact_id: UUID) -> None:
    """Register a vendor by the pages, and tell its service about a person, who cannot be reached."""
    c, officer = place.canaries, place.road("privacy_officer")
    where = officer.post(
        "/vendors/new",
        {"name": f"Post {c['vendor']}", "note": f"Ask {c['vendornote']}", "relation": "associate"},
    )
    vendor = where.headers["Location"]
    officer.post(
        f"{vendor}/agreements/new",
        {
            "signed_on": "2026-01-02",
            "agent": "yes",
            "report_hours": "24",
            "required": [clause.value for clause in vendors.REQUIRED],
            "note": f"In {c['agreement']}",
        },
    )
    service = {
        "kind": "webhook",
        "name": f"Letters {c['service']}",
        "address": f"https://hooks.harbor.example/{c['address']}",
        "classes": ["contact", "demographic"],
    }
    answer = officer.post(f"{vendor}/services/new", {**service, "address": f"http://{c['badaddress']}"})
    assert answer.status_code == 400
    where = officer.post(f"{vendor}/services/new", service)
    service_id = UUID(where.headers["Location"].rpartition("/")[2])
    seen = {"by": f"Rosa {c['attester']}", "evidence": f"Report {c['evidence']}"}
    days = (CLOCK.now().date() - timedelta(days=2), CLOCK.now().date() + timedelta(days=90))
    attested = {"controls": [*Control], "attested_on": days[0], "expires_on": days[1]}
    assert officer.post(f"{where.headers['Location']}/attest", {**seen, **attested}).status_code == 302
    keep_its_word(place, vendor, seen, days)
    officer.get(vendor)
    officer.post(f"{where.headers['Location']}/secret")
    spec = CallSpec(Origin("journey", new_id()), service_id, "journey.step", ("family_name", "email"))
    with acting_for(place.id):
        assert delivery.call(spec, [NewCall(contact_id)], actor=place.actor, at=CLOCK.now())
        [turn] = call_turns.lease(9, 9, CLOCK.now(), lambda id: id == service_id)
        [ready] = call_turns.prepare(turn, actor=place.actor, at=CLOCK.now()) or []
        assert c["family"] in ready.content.body
        assert c["family"] not in repr(ready)
        made = Made(ready, None, "unreachable")
        call_turns.record(turn, [made], actor=place.actor, at=CLOCK.now())


def keep_its_word(place: Place, vendor: str, seen: dict[str, str], days: tuple[date, date]) -> None:
    """Write what is known of a vendor's subcontractors and duties; choose a relay with a login, and leave it."""
    c, officer = place.canaries, place.road("privacy_officer")
    verified = {"verified_on": days[0], "next_on": days[1]}
    assert officer.post(f"{vendor}/verify", {**seen, **verified}).status_code == 302
    below = {"name": f"Tern {c['below']}", "does": f"Keeps {c['belowdoes']}", "proof": f"Paper {c['proof']}"}
    looked = {"seen_on": days[0], "next_on": days[1]}
    assert officer.post(f"{vendor}/subcontractors/new", {**below, **looked}).status_code == 302
    owners = {f"{duty}_owner": "we" for duty in Duty} | {f"{duty}_who": f"Ida {c['duty']}" for duty in Duty}
    assert officer.post(f"{vendor}/who-does-what", owners).status_code == 302
    relay = {"kind": "smtp_route", "name": "Relay", "address": f"smtp://{c['relay']}.harbor.example"}
    where = officer.post(f"{vendor}/services/new", relay)
    way = {
        "way": where.headers["Location"].rpartition("/")[2],
        "user": c["relayuser"],
        "password": c["relaypass"],
    }
    administrator = place.road("administrator")
    for chosen in (way, {"way": "direct"}):
        assert administrator.post("/settings/mail-route/", chosen).status_code == 302
    for page in ("/vendors/calendar", "/vendors/who-does-what", "/vendors/"):
        officer.get(page)
    with acting_for(place.id):
        remind_of_vendors(actor=place.actor, at=CLOCK.now())


def do_a_task(place: Place, contact_id: UUID) -> None:
    """Ask the care coordinators for something, and be one of them who does it."""
    c, coordinator = place.canaries, place.road("care_coordinator")
    task = NewTask(
        "canary",
        contact_id,
        Role.CARE_COORDINATOR,
        f"Call {c['task']}",
        CLOCK.now() + _DAY,
        instructions=f"Ask {c['instructions']}",
    )
    with acting_for(place.id):
        task_id = inbox.create_tasks([task], actor=place.actor, at=CLOCK.now())["canary"]
    assert c["task"].encode() in coordinator.get("/tasks/").content_read  # type: ignore[attr-defined]  # set by Road
    coordinator.get(f"/tasks/{task_id}")
    coordinator.post(f"/tasks/{task_id}/take")
    coordinator.post(f"/tasks/{task_id}/end", {"outcome": "done", "note": f"Said {c['tasknote']}"})
    coordinator.get("/tasks/?ended=1")


def tell_of_events(place: Place, contact_id: UUID) -> None:
    """Be a program that tells of an appointment, of a form, and badly of others."""
    c = place.canaries
    with acting_for(place.id):
        key = identity.create_api_key(
            "a program", [Permission.TIMELINE_EVENT_WRITE], actor=place.actor, allowed=Permission
        )
    program = Client(headers={"host": "localhost", "authorization": f"Bearer {key}"})
    at, named = (CLOCK.now() - _DAY).isoformat(), {"system": "mrn", "value": c["record"]}
    good = [
        {
            "kind": "appointment_booked",
            "identifier": named,
            "at": at,
            "key": c["eventkey"],
            "details": {"id": c["appointment"], "starts_at": at, "text": c["visit"], "place": c["room"]},
        },
        {
            "kind": "form_completed",
            "email": c.email,
            "at": at,
            "key": "2",
            "details": {"form": c["form"], "fields": {"answer": c["answer"]}},
        },
    ]
    bad = [
        {**good[0], "identifier": {"system": "mrn", "value": c["stranger"]}},
        {**good[0], "kind": c["badkind"]},
        {**good[0], "at": c["badtime"]},
        {**good[0], "details": {c["badpart"]: c["badvalue"]}},
        c["noevent"],
    ]
    for body in ({"events": [*good, *bad]}, *bad):
        answer = program.post(
            "/api/v1/events",
            body,
            content_type="application/json",
            headers={"Idempotency-Key": c["call"]},
        )
        place.seen += [answer.content.decode(), *map(str, answer.headers.items())]
        assert answer.status_code in {207, 400, 404}
    with acting_for(place.id):
        booked, form = timeline.of_contact(contact_id, 2)[::-1]
        assert (booked.details["text"], form.details["form"]) == (c["visit"], c["form"])


def keep_a_list(place: Place) -> None:
    """Make a list by the pages and put the person in, with a line that leads to nobody."""
    c, coordinator = place.canaries, place.road("care_coordinator")
    made = coordinator.post("/segments/new-list", {"name": f"Friends {c['list']}", "tells": ["diagnosis"]})
    page = made.headers["Location"]
    coordinator.post(f"{page}/people", {"act": "add", "numbers": f"{c['record']}\n{c['badline']}"})
    coordinator.post(f"{page}/people", {"act": "add", "numbers": c["record"]})
    coordinator.post(f"{page}/rename", {"name": f"Others {c['rename']}", "version": "1"})
    assert c["rename"].encode() in coordinator.get(page).content_read  # type: ignore[attr-defined]  # set by Road
    with acting_for(place.id):
        assert len(audiences.static_members(UUID(page.rpartition("/")[2]))) == 1


def go_on_a_journey(place: Place, contact_id: UUID, version_id: UUID) -> None:
    """Draw a journey, send it back once, approve and start it, put the person in, and look at every page of it."""
    c = place.canaries
    marketer, officer = place.road("marketer"), place.road("privacy_officer")
    marketer.post("/journeys/new", {"name": f"Way {c['journey']}"})
    with acting_for(place.id):
        [journey] = journeys.journeys()
        draft = journeys.version(journey.draft)  # type: ignore[arg-type]  # it has just been begun
        drawn = {
            "schema": 1,
            "name": f"Way {c['journey']}",
            "enter": [{"kind": "by_hand"}],
            "start": "letter",
            "steps": {
                "letter": {
                    "kind": "send",
                    "title": f"Letter {c['step']}",
                    "channel": "email",
                    "versions": {"en": str(version_id)},
                    "ports": {"next": "call"},
                },
                "call": {
                    "kind": "task",
                    "title": f"Call {c['call']}",
                    "role": "care_coordinator",
                    "at_most": {"days": 2},
                    "instructions": f"Say {c['say']}",
                    "ports": {"done": "end", "not_done": "end"},
                },
                "end": {"kind": "exit", "title": f"End {c['end']}", "ports": {}},
            },
            "note": f"Mind {c['mind']}",
        }
        author = office.staff(place.organization, Role.MARKETER)
        journeys.save_draft(
            draft.id, journeys.read(drawn), seen=draft.changed_at, actor=author, at=CLOCK.now()
        )
    page, version = f"/journeys/{journey.id}", f"/journeys/versions/{draft.id}"
    marketer.post(f"{version}/submit")
    officer.post(f"{version}/send-back", {"note": f"Longer {c['longer']}"})
    assert c["longer"].encode() in marketer.get(f"{page}/versions").content_read  # type: ignore[attr-defined]  # set by Road
    marketer.post(f"{version}/submit")
    with acting_for(place.id):
        seen = journeys.version(draft.id).changed_at
    officer.post(f"{version}/approve", {"seen": seen.isoformat(), "read": "on"})
    marketer.post(f"{version}/start")
    numbers = f"{c['record']}\n{c['strange']}"
    assert b"1 person is in" in marketer.post(f"{page}/enrol", {"numbers": numbers}).content_read  # type: ignore[attr-defined]  # set by Road
    journeys.move(place.id, journey.id)
    with acting_for(place.id):
        [diary] = journeys.diaries_of(contact_id, actor=place.actor)
        assert journeys.export_person(contact_id, purpose="access_request", actor=place.actor)
    for address in ("", "/list", "/canvas", "/versions", "/who?step=letter", f"/diary/{diary.enrolment_id}"):
        assert officer.get(page + address).status_code == 200
    officer.get("/journeys/")
    officer.get(f"{version}/canvas/draft")
    officer.get(f"/contacts/{contact_id}")
    for act in ("pause", "resume", "stop"):
        marketer.post(f"{page}/{act}")


def rotate_keys(place: Place) -> set[str]:
    """Bring everything that there is to new keys, destroy the old data key, and return what was brought."""
    with acting_for(place.id):
        keys.rotate("data", actor=place.actor)
        keys.rotate("blind", actor=place.actor)
    keys.reseal(place.id, actor=place.actor)
    with acting_for(place.id):
        assert (
            keys.destroy_retired("data", actor=place.actor, clock=FakeClock(CLOCK.now() + timedelta(2))) == 1
        )
        brought = {each.name for each in keys.progress() if each.done}
    keys.forget_cached()
    return brought


def look_around(
    place: Place, contact_id: UUID, campaign_id: UUID, message_id: UUID, version_id: UUID
) -> None:
    """Be staff: search, reveal, read reports, export, preview, mistype a sign-in, ask for what is not there."""
    c = place.canaries
    coordinator, officer = place.road("care_coordinator"), place.road("privacy_officer")
    for text in (c.email, c.phone, c["record"], c["family"], c.born):
        coordinator.post("/contacts/search", {"q": text})
    coordinator.post(
        f"/contacts/{contact_id}/reveal", {"groups": ["who", "reach", "care"], "purpose": "treatment"}
    )
    assert c["family"] in coordinator.get(f"/contacts/{contact_id}").content.decode()
    for address in (
        "/segments/",
        "/templates/",
        "/campaigns/",
        f"/campaigns/{campaign_id}",
        "/reports/",
        f"/reports/campaigns/{campaign_id}/",
        f"/messages/{message_id}/receipt/",
        f"/messages/{message_id}/receipt/proof.json",
        f"/templates/version/{version_id}/",
        "/log/",
    ):
        officer.get(address)
    officer.post(f"/reports/campaigns/{campaign_id}/who/?figure=all", {"purpose": "treatment"})
    export = {"figure": "all", "names": "on", "purpose": "treatment"}
    file = officer.post(f"/reports/campaigns/{campaign_id}/export/", export)
    assert c.email.encode() in file.content_read  # type: ignore[attr-defined]  # set by Road
    place.road("author").post(f"/templates/version/{version_id}/preview-as/", {"who": c["record"]})
    stranger = Client(headers={"host": "localhost"})
    stranger.post("/sign-in", {"email": c.email, "password": c["password"]})
    stranger.post("/nothing/here", {"q": c["family"]})
    stranger.get("/log/", headers={"authorization": f"Bearer {c['bearer']}", "user-agent": c["agent"]})
    stranger.post("/p/m/no-link", {"code": c["typed"]})
