"""The main job done by hand in real browsers on real processes; and nobody of another organization sees any of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect
from psycopg import sql

from salus.wiring.home import django_database
from tests.browser import NARROW, WIDE

from . import outsiders, the_patient, walking
from .by_hand import MAILED, PATIENT, PEOPLE, SECRETS, Clinic, House, running_house, wait
from .the_job import CAMPAIGN, SEGMENT, SENTENCE, TEMPLATE, Job, ask_the_gate, do_the_job, facts, ids_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(chromium: Browser) -> Iterator[House]:
    """A running installation with nobody in it."""
    with running_house(chromium) as house:
        yield house


@pytest.fixture(scope="module")
def job(house: House) -> Job:
    """The job, done."""
    return do_the_job(house, house.clinic("Willow Bank Clinic", "willow-bank"))


@pytest.fixture(scope="module")
def elsewhere(house: House) -> Clinic:
    """Another organization of the same installation."""
    return house.clinic("Harbor Street Clinic", "harbor-street")


def test_what_comes_in_is_checked_first_and_what_cannot_is_said(job: Job) -> None:
    check, people = facts(job.said["people_check"]), facts(job.said["people"])
    assert "rows come in 13 do not 1" in check
    assert "Birth date is not a day of the calendar 1" in check
    assert "rows are in 13 are not 1" in people
    assert "New people 13" in people
    assert "Permissions 13" in facts(job.said["permissions"])


def test_who_is_meant_and_what_it_tells_is_seen_before_anything_is_sent(job: Job) -> None:
    segment, phi = facts(job.said["segment"]), facts(job.said["phi"])
    assert "12" in segment.split()
    assert "PHI this reads Diagnosis" in segment
    assert "Contact Given name" in phi
    assert "which tells diabetes" in phi


def test_the_plan_says_for_whom_the_law_allows_it_and_for_whom_not_and_why(job: Job) -> None:
    plan, refused = facts(job.said["plan"]), facts(job.said["refused"])
    assert "may receive it 8 may not 4" in plan
    assert "= 12 people, all accounted for" in plan
    assert "45 CFR 164.508(a)(3)" in plan
    assert "You wrote this, so somebody else approves it." in plan
    for number, reason in (
        (8, "No authorization"),
        (9, "Opted out"),
        (10, "Restriction agreed"),
        (11, "No address"),
    ):
        assert re.search(rf"C-000 {number:03} \S+ {reason} Not allowed", refused), reason


def test_everybody_is_accounted_for_in_the_report(job: Job) -> None:
    sent, report = facts(job.said["sent"]), facts(job.said["report"])
    assert "7 of 8 have it" in sent
    assert "12 planned = 8 allowed + 4 not allowed." in report
    for words in ("Sent over TLS 4", "Portal 2", "Portal, not told 1", "Bounced 1", "Not allowed 4"):
        assert words in report
    assert "= 12 people, all accounted for" in report


def test_the_mail_that_was_caught_is_what_the_report_says(job: Job) -> None:
    caught = {to: mail for mail in job.house.mails() for to in mail["to"]}
    assert set(caught) == set(MAILED), (
        "four letters and two notices; nothing went where it cannot be protected"
    )
    assert all(mail["tls"] in {"TLSv1.2", "TLSv1.3"} for mail in caught.values())
    for to, mail in caught.items():
        letter = to.endswith(("@partner.example.test", "@pinned.example.test"))
        assert (
            mail["subject"]
            == ("A note from" if letter else "You have a new message from") + " Willow Bank Clinic"
        )
        assert (SENTENCE in the_patient.text_of(the_patient.newest_mail(job.house, to))) is letter


def test_the_patient_reads_chooses_and_sees_who_wrote(job: Job) -> None:
    house = job.house
    link = the_patient.link_in(the_patient.newest_mail(house, PATIENT[4]))
    page = house.page(390)
    the_patient.sign_in(page, link, the_patient.code_from_staff(job))
    assert SENTENCE.encode() in the_patient.read(page)
    read = the_patient.message_of(page)
    assert read in job.of_kind("In the portal")
    for others in (set(job.of_kind("In the portal")) - {read}).pop(), job.receipts["Sent"]:
        assert page.context.request.get(f"{house.url}/p/messages/{others}").status == 404
    told = the_patient.history(page)
    assert "Willow Bank Clinic" in told
    assert "You signed a permission for it on" in told
    assert "You read it here" in told
    assert "Saved." in the_patient.opt_out(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out").wait_for()
    assert page.context.request.get(f"{house.url}/p/messages/{read}").status == 403


def test_one_click_unsubscribes_without_a_cookie_and_the_next_plan_knows(job: Job) -> None:
    letter = the_patient.newest_mail(job.house, PEOPLE[2][4])
    status, answer = the_patient.unsubscribe_in_one_click(letter)
    assert status == 200
    assert "You will not get these messages any more." in answer
    ask_the_gate(job, "Care tips for December")
    campaign_id = ids_in(job.marketer.url)[0]
    job.officer.goto(f"{job.house.url}/campaigns/{campaign_id}/people?refused=1")
    assert re.search(r"C-000 003 \S+ Opted out Not allowed", facts(job.officer.locator("main").inner_text()))


@pytest.fixture(scope="module")
def reached(house: House, job: Job) -> dict[str, list[str]]:
    """What each role reached, looked at on a wide screen in the light."""
    seen: set[tuple[str, ...]] = set()
    found: dict[str, list[str]] = {}
    for role in walking.ROLES:
        page = house.signed_in(job.clinic, role, WIDE)
        found[role] = []
        for address in walking.walk(page, seen):
            walking.look(page, address)
            found[role].append(address)
        page.context.close()
    return found


def test_every_page_is_good_on_a_wide_screen(reached: dict[str, list[str]], house: House) -> None:
    kinds = {walking.kind_of(address)[0] for addresses in reached.values() for address in addresses}
    assert len(kinds) >= 28
    for needed in (
        "/campaigns/ID",
        "/reports/campaigns/ID/",
        "/messages/ID/receipt/",
        "/log/entries/ID/",
        "/staff/ID",
    ):
        assert needed in kinds
    assert house.complaints == []


def test_every_page_is_good_on_a_phone_in_the_dark(
    reached: dict[str, list[str]], house: House, job: Job
) -> None:
    for role, addresses in reached.items():
        page = house.signed_in(job.clinic, role, NARROW)
        page.emulate_media(color_scheme="dark")
        for address in addresses:
            page.goto(address)
            walking.look(page, address)
        page.context.close()


def test_the_receipt_is_the_whole_proof(job: Job) -> None:
    page = job.officer
    address = f"{job.house.url}/messages/{job.receipts['Sent']}/receipt/"

    def sealed() -> bool:
        page.goto(address)
        return page.get_by_role("heading", name="In the log, unchanged").is_visible()

    wait("a signed checkpoint covers the message", sealed)
    told = facts(page.locator("main").inner_text())
    assert "45 CFR 164.501" in told
    assert "TLS, peer verified" in told
    assert re.search(r"Handed to mx\.(partner|pinned)\.example\.test", told)
    assert "DKIM, RSA-2048 and Ed25519" in told
    assert "Contact Diagnosis" in told
    page.goto(f"{job.house.url}/messages/{job.receipts['Not allowed']}/receipt/")
    assert "Why it was not allowed" in page.locator("main").inner_text()


def test_the_log_is_verified_from_its_first_entry(job: Job) -> None:
    page = job.officer
    page.goto(f"{job.house.url}/log/")
    page.get_by_role("button", name="Verify the log now").click()
    page.get_by_role("heading", name="Verified, none changed").wait_for()


def test_no_address_title_or_subject_tells_who_or_what(job: Job) -> None:
    said = [word for address, title in job.house.seen for word in (address, title)]
    said += [mail["subject"] for mail in job.house.mails()]
    assert len(said) > 60
    for text in said:
        assert not [word for word in (*SECRETS, "diabetes") if word in text.lower()], text
    assert job.house.complaints == []


@pytest.fixture(scope="module")
def strangers(house: House, elsewhere: Clinic) -> dict[str, Page]:
    """People of the other organization at their browsers, by role."""
    return {role.value: house.signed_in(elsewhere, role) for role in outsiders.ANSWERERS}


@pytest.fixture(scope="module")
def ids(job: Job) -> dict[str, str]:
    """One id of everything that has a page in the first organization."""
    return job.ids | more_ids(job)


def more_ids(job: Job) -> dict[str, str]:
    """Look up the ids that the job did not come across."""
    found = {}
    job.house.backstage("key", job.clinic.id)
    administrator = job.house.signed_in(job.clinic, "administrator")
    administrator.goto(f"{job.house.url}/staff")
    found["staff_id"] = ids_in(administrator.locator("main a[href*='/staff/']").first.get_attribute("href"))[
        0
    ]
    administrator.goto(f"{job.house.url}/keys")
    found["key_id"] = ids_in(administrator.locator("form[action*='/revoke']").first.get_attribute("action"))[
        0
    ]
    administrator.goto(f"{job.house.url}/log/")
    found["entry_id"] = ids_in(administrator.locator("tbody th a").first.get_attribute("href"))[0]
    administrator.context.close()
    found["plan_id"] = job.ids["plan_id"]
    outside: dict[str, str] = job.house.backstage("outside", job.clinic.id)
    return found | outside


def test_a_stranger_finds_nothing_at_any_address(
    house: House, ids: dict[str, str], strangers: dict[str, Page]
) -> None:
    tried = 0
    for address in outsiders.console_addresses():
        if not set(address.parameters) - set(outsiders.WORDS):
            continue
        assert set(address.parameters) <= {*ids, *outsiders.WORDS}, f"{address.route}: no id to try"
        page = strangers[outsiders.who_may(address.permission).value]
        statuses = set()
        for method in ("GET", "POST"):
            theirs = outsiders.ask(page, house.url + address.with_ids(ids), method)
            nobodys = outsiders.ask(page, house.url + address.with_ids({}), method)
            assert theirs.status == nobodys.status, (method, address.route)
            assert outsiders.shown(theirs) == outsiders.shown(nobodys), (method, address.route)
            statuses.add(theirs.status)
            tried += 1
        assert 404 in statuses, address.route
        assert statuses <= {404, 405}, address.route
    assert tried > 60


def test_a_stranger_finds_nothing_in_any_list(
    house: House, job: Job, ids: dict[str, str], strangers: dict[str, Page]
) -> None:
    theirs = [*ids.values(), job.clinic.name, CAMPAIGN, SEGMENT, TEMPLATE, *(each[0] for each in PEOPLE)]
    for address in outsiders.console_addresses():
        if address.parameters or address.route == "session/alive":
            continue
        page = strangers[outsiders.who_may(address.permission).value]
        text = outsiders.ask(page, f"{house.url}/{address.route}", "GET").text()
        assert not [word for word in theirs if word in text], address.route
    officer = strangers["privacy_officer"]
    officer.goto(f"{house.url}/patients/code")
    officer.get_by_label("Record number").fill(PATIENT[0])
    officer.get_by_role("button", name="Find this person").click()
    officer.get_by_text("Nobody here has this record number.").wait_for()
    officer.goto(f"{house.url}/contacts/")
    expect(officer.get_by_role("link", name=re.compile("^C-000"))).to_have_count(0)
    officer.goto(f"{house.url}/log/")
    officer.get_by_role("button", name="Verify the log now").click()
    officer.get_by_role("heading", name="Verified, none changed").wait_for()


def test_a_strangers_program_finds_nothing(
    house: House, elsewhere: Clinic, ids: dict[str, str], chromium: Browser
) -> None:
    key, context = house.backstage("key", elsewhere.id), chromium.new_context()
    calls = outsiders.calls_with_ids(context.request, house.url, key)
    assert len(calls) > 6
    for method, path in calls:
        theirs = outsiders.call(context.request, house.url, key, method, path, ids)
        assert theirs == outsiders.call(context.request, house.url, key, method, path, {}), (method, path)
        assert theirs[0] == 404, (method, path)
    context.close()


def test_past_every_check_of_the_application_the_database_still_shows_nothing(
    house: House, job: Job, elsewhere: Clinic
) -> None:
    ours = house.backstage("unchecked", job.clinic.id, job.clinic.id)
    seen = house.backstage("unchecked", elsewhere.id, job.clinic.id)
    assert len(ours) > 30
    assert sum(1 for every, _ in ours.values() if every) > 25, (
        "there is something to see for those whose it is"
    )
    assert all(mine == every for every, mine in ours.values()), "and nothing of anybody else"
    assert {table: of_theirs for table, (_, of_theirs) in seen.items() if of_theirs} == {}


@pytest.mark.parametrize("context", ["of another organization", "of none"])
def test_raw_statements_in_a_context_find_and_touch_nothing(
    house: House, job: Job, elsewhere: Clinic, context: str
) -> None:
    settings = django_database(house.installation.home, None, "app")
    with psycopg.connect(
        host=settings["HOST"], user=settings["USER"], password=settings["PASSWORD"], dbname=settings["NAME"]
    ) as connection:
        tables = [
            table
            for (table,) in connection.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
                "WHERE a.attname = 'organization_id' AND c.relkind IN ('r', 'p') "
                "AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
            ).fetchall()
        ]
        assert len(tables) > 30
        if context == "of another organization":
            connection.execute("SELECT set_config('salus.organization', %s, true)", [elsewhere.id])
            looked_up_before = set()
        else:
            looked_up_before = {"identity_user"}  # at sign-in nobody knows yet whose organization it is
        found: dict[str, list[tuple[str, int]]] = {}
        for table in tables:
            for statement in (
                "SELECT FROM {} WHERE organization_id = %s",
                "DELETE FROM {} WHERE organization_id = %s",
            ):
                with connection.transaction(force_rollback=True):
                    done = connection.execute(
                        sql.SQL(statement).format(sql.Identifier(table)), [job.clinic.id]
                    )
                    rows = done.rowcount
                if rows:
                    found.setdefault(table, []).append((statement[:6], rows))
    assert set(found) <= looked_up_before
    assert all(verb == "SELECT" for done in found.values() for verb, _ in done)
