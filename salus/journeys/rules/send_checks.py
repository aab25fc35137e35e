"""Checks a send step: there is a message, it says what it is for, somebody confirmed that, and it may go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from salus.content.contracts import Classification, TemplateVersion
from salus.journeys.contracts import Finding, Send
from salus.journeys.rules.findings import error, warning
from salus.journeys.rules.known import Known
from salus.kernel.vocabulary import Channel

LANGUAGES = {"en": "English", "es": "Spanish"}
_NOT_SET_UP = {
    Channel.EMAIL: "E-mail is not set up here.",
    Channel.SMS: "Text messages are not set up here.",
    Channel.PORTAL: "The patient portal is not set up here.",
}


def check_send(key: str, does: Send, known: Known) -> Iterator[Finding]:
    """Yield what is wrong with a send step."""
    if does.channel not in known.channels:
        yield error("channel_missing", key, _NOT_SET_UP[does.channel], "Choose another way to write.")
    if not does.versions:
        yield error("no_template", key, "There is no message.", "Choose a template.")
        return
    found = []
    for language, version_id in does.versions.items():
        version = known.letters.get(version_id)
        if version is None:
            what = f"The message in {LANGUAGES.get(language, language)} is not there."
            yield error("no_such_template", key, what, "Choose another version.")
        else:
            found.append(version)
            yield from _letter(key, language, version, known)
    for language, words in LANGUAGES.items():
        if language not in does.versions:
            what = f"There is no message in {words}: whoever reads {words} gets another language."
            yield warning("language_missing", key, what, f"Write it in {words} too.")
    yield from _together(key, found)
    if key in known.never and not any(one.classification is None for one in found):
        verdict = known.never[key]
        yield error(verdict.code, key, verdict.what, verdict.mend)


def _letter(key: str, language: str, version: TemplateVersion, known: Known) -> Iterator[Finding]:
    words = LANGUAGES.get(language, language)
    if version.language != language:
        what = f"The version for {words} is written in another language."
        yield error("language_differs", key, what, f"Choose the version in {words}.")
    for problem in version.analysis.problems:
        what = f"The message in {words} has a problem: {problem.what}"
        yield error("template_problem", key, what, problem.next_step or "Mend the template.")
    for field in dict.fromkeys(read.field for read in version.analysis.reads):
        if field not in known.readable:
            what = f"The message in {words} prints “{field}”, which is not known of anybody."
            yield error("no_such_attribute", key, what, "Save the template anew without it.")
    if version.classification is None:
        what = f"Nobody said what the message in {words} is for."
        yield error("not_classified", key, what, "Propose a classification for it.")
    elif version.classification.confirmed_by is None:
        what = f"Nobody confirmed what the message in {words} is for."
        yield error("not_confirmed", key, what, "Ask somebody else to confirm its classification.")


def _together(key: str, versions: Sequence[TemplateVersion]) -> Iterator[Finding]:
    meant = {_meaning(one.classification) for one in versions if one.classification is not None}
    if len(meant) > 1:
        what = "The languages of the message are classified differently."
        yield error("classified_differently", key, what, "Classify them alike.")


def _meaning(classification: Classification) -> Classification:
    return replace(classification, authored_by=None, confirmed_by=None)
