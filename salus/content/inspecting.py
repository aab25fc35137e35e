"""Looks at a source from every side: tags, tree, addresses, words. Says what it reads and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from salus.contacts.contracts import Attribute, Read
from salus.content import addresses, guard, markup, plain, reading
from salus.content.contracts import Analysis, Draft, House, Need, Problem
from salus.content.expressions import Fault
from salus.content.fields import SpecialOf
from salus.content.markup import Element, Slot
from salus.content.reading import Gathered, Meaning
from salus.content.tags import For, If, Literal, Node, Output, Source, cut, nest
from salus.content.wording import listed
from salus.content.words import telling

LANGUAGES = ("en", "es")
MAX_MJML = 200_000
MAX_TEXT = 100_000
MAX_SUBJECT = 150
MAX_SENDER = 70


@dataclass(slots=True)
class Part:
    """One source of a draft, cut up and read."""

    source: Source
    meaning: Meaning
    roles: dict[int, str] = field(default_factory=dict)
    """Statement tags: "open", "middle", "close" or "none"."""


@dataclass(slots=True)
class Inspected:
    """Everything that is known of a draft; compile it only when `analysis.problems` is empty."""

    draft: Draft
    analysis: Analysis
    parts: dict[str, Part]
    tree: Element
    text_signs: str
    """The text part with a sign for every tag; its tags are those of `text_part`."""
    text_part: str
    needs: dict[str, Need]


def inspect(
    draft: Draft, house: House, attributes: Mapping[str, Attribute], special_of: SpecialOf
) -> Inspected:
    """Return what `draft` reads and what keeps it from being used. Pure: no I/O, never raises."""
    draft = _normal(draft)
    parts: dict[str, Part] = {}
    problems = list(_sizes(draft))
    for name in ("subject", "preheader", "mjml", "text"):
        source = cut(getattr(draft, name), name)
        nodes, found = nest(source)
        meaning = reading.read(nodes, name, attributes, special_of)
        parts[name] = Part(source, meaning, _roles(nodes))
        problems += (*found, *meaning.problems)
    for name in ("subject", "preheader"):
        problems += _in_the_open(getattr(draft, name), parts[name], house, name)
    tree, found = markup.parse(parts["mjml"].source)
    problems += found
    problems += _structure(tree, parts["mjml"], house)
    signs, text_part = _text(draft, parts, tree, broken=bool(problems))
    problems += _written(signs, parts[text_part], house, text_part)
    reads: dict[Read, None] = {}
    needs: dict[str, Gathered] = {}
    for part in parts.values():
        reads.update(dict.fromkeys(part.meaning.reads))
        for key, need in part.meaning.needs.items():
            needs.setdefault(key, Gathered()).join(need)
    analysis = Analysis(tuple(reads), tuple(dict.fromkeys(problems)), tuple(_notes(tree, parts["text"])))
    return Inspected(draft, analysis, parts, tree, signs, text_part, _frozen(needs))


def _frozen(needs: dict[str, Gathered]) -> dict[str, Need]:
    return {key: gathered.need() for key, gathered in sorted(needs.items())}


def neutral_words(text: str, place: str) -> tuple[Problem, ...]:
    """Return a problem for every word in `text` that tells a condition (console words 4)."""
    return tuple(
        Problem(
            place,
            f"\u201c{word.shown}\u201d tells {_article(word.tells)}.",
            f"A {place} travels in the open: say \u201c{word.instead}\u201d.",
        )
        for word in telling(text)
    )


def sender_name(name: str) -> tuple[Problem, ...]:
    """Return what keeps `name` from being shown as the sender of a message."""
    found = []
    if not name.strip() or len(name) > MAX_SENDER:
        found.append(Problem("sender name", f"A sender name has 1 to {MAX_SENDER} characters."))
    if any(char in name for char in "{}<>\n\r\t") or markup.bad_sign(name):
        found.append(Problem("sender name", "A sender name is plain words, the same for everybody."))
    return (*found, *neutral_words(name, "sender name"))


def _article(tells: str) -> str:
    return "a condition" if tells in {"a condition", "diabetes"} else tells


def _normal(draft: Draft) -> Draft:
    def lines(text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")

    return Draft(
        draft.language,
        draft.subject.strip(),
        draft.preheader.strip(),
        lines(draft.mjml),
        lines(draft.text) if draft.text.strip() else "",
    )


def _sizes(draft: Draft) -> list[Problem]:
    found = []
    if draft.language not in LANGUAGES:
        found.append(Problem("language", "Salus writes English (en) and Spanish (es)."))
    if not draft.subject:
        found.append(Problem("subject", "The subject is empty.", "Write a neutral one."))
    for name, limit in (
        ("subject", MAX_SUBJECT),
        ("preheader", MAX_SUBJECT),
        ("mjml", MAX_MJML),
        ("text", MAX_TEXT),
    ):
        if len(getattr(draft, name)) > limit:
            found.append(Problem(name, f"It is longer than {limit:,} characters.", "Shorten it."))
    return found


def _roles(nodes: list[Node]) -> dict[int, str]:
    roles: dict[int, str] = {}
    for node in nodes:
        match node:
            case Literal() | Output():
                continue
            case If():
                for number, branch in enumerate(node.branches):
                    roles[branch.index] = "middle" if number else "open"
                    roles |= _roles(branch.body)
                roles[node.end] = "close"
            case For():
                roles[node.index] = "open"
                roles |= _roles(node.body)
                if node.otherwise is not None:
                    roles[node.otherwise.index] = "middle"
                    roles |= _roles(node.otherwise.body)
                roles[node.end] = "close"
            case _:
                roles[node.index] = "none"
    return roles


def _in_the_open(text: str, part: Part, house: House, name: str) -> list[Problem]:
    """Judge a line that every server on the way can read (`law.md` 1.4: no PHI in subject or preheader)."""
    found = []
    if any(char in text for char in "\n\t") or markup.bad_sign(text):
        found.append(Problem(name, f"A {name} is one line without hidden characters."))
    shown_text = []
    for piece in part.source.pieces:
        if isinstance(piece, Literal):
            shown_text.append(piece.text)
            continue
        shown = part.meaning.shown.get(piece.index)
        if piece.kind == "statement":
            found.append(Problem(name, f"A {name} has no conditions and no loops."))
        elif shown is not None and not shown.org:
            found.append(
                Problem(
                    name,
                    f"Something of a person, or a link, stands in the {name}, which travels in the open.",
                    "Only {{ org.name }} and the like may stand here; put the field into the text.",
                )
            )
        elif shown is not None:
            shown_text.append(house.org.get(shown.org, ""))
    return [*found, *neutral_words("".join(shown_text), name)]


def _structure(tree: Element, part: Part, house: House) -> list[Problem]:
    judge = guard.Guard("mjml", house.domains, part.meaning.shown, part.source.tags, part.roles)
    judge.check(tree)
    return judge.problems


def _text(draft: Draft, parts: Mapping[str, Part], tree: Element, *, broken: bool) -> tuple[str, str]:
    if draft.text:
        source = parts["text"].source
        signs = "".join(
            piece.text if isinstance(piece, Literal) else markup.sign(piece.index) for piece in source.pieces
        )
        return signs, "text"
    if broken:
        return "", "mjml"
    return plain.derive(tree, parts["mjml"].roles), "mjml"


def _written(signs: str, part: Part, house: House, name: str) -> list[Problem]:
    found = []
    if name == "text" and (
        char := markup.bad_sign("".join(p for p in markup.split_signs(signs) if isinstance(p, str)))
    ):
        found.append(Problem("text", f"There is a hidden character here (U+{ord(char):04X}).", "Remove it."))
    links = {markup.sign(index) for index, shown in part.meaning.shown.items() if shown.link}
    for number, line in enumerate(signs.split("\n"), 1):
        try:
            addresses.check_written(line, house.domains, links)
        except Fault as fault:
            place = f"text, line {number}" if name == "text" else "text made from the MJML"
            found.append(Problem(place, fault.what, fault.next_step))
    return found


def _notes(tree: Element, text: Part) -> list[Problem]:
    """Name the words of the body that tell a condition: no fault, but its reader should be chosen well."""
    found: dict[str, dict[str, str]] = {}
    for element in tree.walk():
        for child in element.children:
            if isinstance(child, str) and element.name != "mj-style":
                for word in telling(child):
                    found.setdefault(word.tells, {}).setdefault(word.shown, f"line {element.line}")
    for piece in text.source.pieces:
        if isinstance(piece, Literal):
            for word in telling(piece.text):
                found.setdefault(word.tells, {}).setdefault(word.shown, f"text, line {piece.line}")
    return [
        Problem(
            ", ".join(dict.fromkeys(words.values())), f"The text says {_quoted(words)}, which tells {tells}."
        )
        for tells, words in found.items()
    ]


def _quoted(words: Iterable[str]) -> str:
    return listed([f"\u201c{word}\u201d" for word in words], "en")


__all__ = ["Inspected", "Part", "Slot", "inspect", "neutral_words"]
