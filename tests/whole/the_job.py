"""The whole job by hand, step by step at the browsers of those whose job it is: from a file to the proof."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from .by_hand import (
    TOPIC,
    Clinic,
    House,
    contacts_csv,
    csv_file,
    permissions_csv,
    wait,
)

SEGMENT, TEMPLATE, CAMPAIGN = "People with diabetes", "Three things that help", "Care tips for November"
LETTER = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Dear {{ contact.given_name or "friend" }},</mj-text>
<mj-text>Three things help most people with diabetes: walk after meals, check your feet every evening,
and see us twice a year.</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
SENTENCE = "Three things help most people with diabetes"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Job:
    """What was done, and the addresses that it left behind."""

    house: House
    clinic: Clinic
    marketer: Page
    author: Page
    officer: Page
    ids: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """What pages said at the moments that matter."""
    messages: list[tuple[str, str]] = field(default_factory=list)
    """(what became of it, its id) of every message."""

    def of_kind(self, became: str) -> list[str]:
        """Return the ids of the messages of which this became."""
        return [message_id for kind, message_id in self.messages if kind == became]

    @property
    def receipts(self) -> dict[str, str]:
        """Return one message of each kind."""
        return dict(reversed(self.messages))


def do_the_job(house: House, clinic: Clinic) -> Job:
    """Do all of it, up to the report and the receipts."""
    job = Job(
        house,
        clinic,
        house.signed_in(clinic, "marketer"),
        house.signed_in(clinic, "author"),
        house.signed_in(clinic, "privacy_officer"),
    )
    import_people(job)
    import_permissions(job)
    build_segment(job)
    write_template(job)
    classify(job)
    confirm(job)
    plan(job)
    approve(job)
    launch(job)
    read_report(job)
    find_receipts(job)
    return job


def import_people(job: Job) -> None:
    """Bring in the people: file, columns and source, check, run."""
    page = job.marketer
    upload(page, job.house.url, 0, "contacts.csv", contacts_csv(), "Take this list")
    for heading, target in {
        "Record number": "identifier:mrn",
        "First name": "attribute:given_name",
        "Last name": "attribute:family_name",
        "Born": "attribute:birth_date",
        "Mail": "address:email",
        "State": "attribute:state",
        "Relation": "attribute:relation",
        "Problems": "record:conditions:icd10",
    }.items():
        page.get_by_label(heading, exact=True).select_option(target)
    page.get_by_label("How are dates written").select_option("MM/DD/YYYY")
    page.get_by_label("Keep these columns under a name").fill("Front desk")
    assert "Quillfeather" not in page.content(), "the sample rows are masked"
    job.said["people_check"] = declare_and_check(page, "registration desk, form R-2", "2026-01-05")
    page.get_by_role("button", name="Import 13 rows").click()
    job.ids["import_id"] = ids_in(page.url)[0]
    page.get_by_role("link", name="See the people").wait_for()
    job.said["people"] = page.locator("main").inner_text()
    page.get_by_role("link", name="See the people").click()
    rows = page.get_by_role("link", name=re.compile("^C-000"))
    expect(rows).to_have_count(13)
    job.ids["contact_id"] = ids_in(rows.first.get_attribute("href") or "")[0]
    assert "Quillfeather" not in page.content()


def import_permissions(job: Job) -> None:
    """Bring in what people signed and refused."""
    page = job.marketer
    upload(
        page, job.house.url, 2, "permissions.csv", permissions_csv(datetime.now(UTC)), "Take these entries"
    )
    job.said["permissions_check"] = declare_and_check(page, "paper forms in the cabinet", "2026-03-01")
    page.get_by_role("button", name="Import 13 rows").click()
    page.get_by_text("Done", exact=True).wait_for()
    job.said["permissions"] = page.locator("main").inner_text()


def upload(page: Page, url: str, which: int, name: str, text: str, button: str) -> None:
    """Choose a file on the page of imports."""
    page.goto(f"{url}/imports/")
    go_to(page, "Import")
    page.locator("main").get_by_role("link", name="New import").click()
    page.locator("input[type=file]").nth(which).set_input_files(csv_file(name, text))
    page.get_by_role("button", name=button).click()


def declare_and_check(page: Page, evidence: str, obtained: str) -> str:
    """Say where it comes from, go on to the check, and return what that says."""
    page.get_by_label("Where do these addresses come from?").select_option("clinical_encounter")
    page.get_by_label("How do you know?").fill(evidence)
    page.get_by_label("Since when?").fill(obtained)
    page.get_by_role("button", name="Check before importing").click()
    page.get_by_text("Nothing is written yet.").wait_for()
    return page.locator("main").inner_text()


def build_segment(job: Job) -> None:
    """Say in rules who is meant, and watch the number while the rule is typed."""
    page = job.marketer
    go_to(page, "Segments")
    page.get_by_role("link", name="New segment").click()
    wait("the engine has read everybody", lambda: everybody_is_counted(page))
    page.get_by_label("Name", exact=True).fill(SEGMENT)
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("About").select_option("record:conditions")
    page.get_by_label("Codes").fill("vs:diabetes")
    expect(page.locator("#result .figure")).to_have_text("12")
    job.said["segment"] = page.locator("#result").inner_text()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Save segment").click()
    page.get_by_text("The segment is saved").wait_for()
    job.ids["segment_id"] = ids_in(page.url)[0]


def everybody_is_counted(page: Page) -> bool:
    """Look again whether the count of everybody is that of the import."""
    page.reload()
    figure = page.locator("#result .figure")
    return figure.count() == 1 and figure.inner_text() == "13"


def write_template(job: Job) -> None:
    """Write the message; a subject that tells too much is stopped while it is typed."""
    page = job.author
    go_to(page, "Templates")
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Name").fill(TEMPLATE)
    page.get_by_role("button", name="Make the template").click()
    job.ids["template_id"] = ids_in(page.url)[0]
    page.get_by_label("MJML").fill(LETTER)
    page.get_by_label("Subject").fill("Your diabetes")
    page.get_by_text("“diabetes” tells a condition.").wait_for()
    page.frame_locator("iframe").get_by_text("One problem is in the way").wait_for()
    page.get_by_label("Subject").fill("A note from {{ org.name }}")
    page.get_by_text("Nothing is wrong.").wait_for()
    page.frame_locator("iframe").get_by_text(SENTENCE).wait_for()
    job.said["phi"] = page.locator("#panel").inner_text()
    page.get_by_role("button", name="Save as version 1").click()
    page.get_by_text("Saved as version 1.").wait_for()
    job.ids["version_id"] = ids_in(page.url)[0]


def classify(job: Job) -> None:
    """Say what the message is for; the author cannot confirm it."""
    page = job.author
    page.get_by_label("What is it for?").select_option("condition_education")
    page.get_by_label("Topic").fill(TOPIC)
    page.get_by_label("Conditions it is about").fill("vs:diabetes")
    page.get_by_role("button", name="Propose it").click()
    page.get_by_text("You wrote this, so somebody else approves it.").wait_for()
    expect(page.get_by_role("button", name="Confirm what it is for")).to_have_count(0)


def confirm(job: Job) -> None:
    """Confirm it, as somebody else."""
    page = job.officer
    go_to(page, "Templates")
    page.get_by_role("link", name=TEMPLATE).click()
    page.frame_locator("iframe").get_by_text(SENTENCE).wait_for()
    page.get_by_role("button", name="Confirm what it is for").click()
    page.get_by_text("Confirmed by").wait_for()


def plan(job: Job) -> None:
    """Make the campaign and ask the gate about everybody."""
    job.said["plan"] = ask_the_gate(job, CAMPAIGN)
    job.ids["campaign_id"] = ids_in(job.marketer.url)[0]
    expect(job.marketer.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)


def ask_the_gate(job: Job, name: str) -> str:
    """Make a campaign of the segment and the message, have it planned, and return what its page says."""
    page = job.marketer
    go_to(page, "Campaigns")
    page.locator("main").get_by_role("link", name="New campaign").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Who gets it").select_option(label=SEGMENT)
    page.get_by_label("Template in English").select_option(index=1)
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("button", name="Ask the gate about everybody").click()
    page.get_by_text("may receive it", exact=True).wait_for()
    return page.locator("main").inner_text()


def approve(job: Job) -> None:
    """Read the plan as the privacy officer, look who may not, and approve."""
    page = job.officer
    go_to(page, "Campaigns")
    page.get_by_role("link", name=CAMPAIGN).click()
    page.locator(".legend").get_by_role("link", name="4").click()
    job.said["refused"] = page.locator("main").inner_text()
    page.get_by_role("link", name=CAMPAIGN).click()
    job.ids["plan_id"] = page.locator("input[name=plan]").input_value()
    page.get_by_role("button", name="Approve for 8 people").click()
    page.get_by_text("Please read the plan first").wait_for()
    page.get_by_label("I have read who receives it").check()
    page.get_by_role("button", name="Approve for 8 people").click()
    page.get_by_text("Approved for 8 people.").wait_for()


def launch(job: Job) -> None:
    """Launch it as the marketer and watch until everybody is accounted for."""
    page = job.marketer
    page.reload()
    page.get_by_role("button", name="Launch for 8 people").click()
    page.get_by_text("It goes out now.").wait_for()
    page.get_by_role("heading", name="It is done").wait_for()
    job.said["sent"] = page.locator("#now").inner_text()


def read_report(job: Job) -> None:
    """Read what became of everybody."""
    page = job.officer
    go_to(page, "Reports")
    page.get_by_role("link", name=CAMPAIGN).click()
    page.get_by_role("heading", name="What became of everybody").wait_for()
    job.said["report"] = page.locator("main").inner_text()


def find_receipts(job: Job) -> None:
    """Look who exactly, and note one message of each kind."""
    page = job.officer
    page.get_by_role("link", name="Who exactly").click()
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(12)
    for row in rows.all():
        became = row.locator(".tag").last.inner_text()
        link = row.get_by_role("link", name="Receipt").get_attribute("href")
        job.messages.append((became, ids_in(link)[0]))
    job.ids["message_id"] = job.receipts["Sent"]


def go_to(page: Page, room: str) -> None:
    """Open a room by the navigation."""
    page.get_by_role("navigation", name="Console").get_by_role("link", name=room, exact=True).click()


def ids_in(address: str | None) -> list[str]:
    """Return the ids in an address."""
    return ID.findall(address or "")


def facts(text: str) -> str:
    """Return text with every run of blanks as one, to look for sentences in it."""
    return " ".join(text.split())
