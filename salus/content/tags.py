"""Cuts a template source into plain text and tags, and tags into nested blocks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from salus.content.contracts import Problem
from salus.content.expressions import Const, Expr, Fault, Path, Reader

MAX_TAGS = 2_000
MAX_NESTING = 12

_OPENING = re.compile(r"\{\{|\{%|\{#")
_INSIDE = re.compile(r"""[^"'}%]+|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[}%"']""")
_FORBIDDEN = {
    "macro": "Macros",
    "call": "Macros",
    "include": "Includes",
    "import": "Imports",
    "from": "Imports",
    "extends": "Inheritance",
    "block": "Inheritance",
    "filter": "Filter blocks",
    "autoescape": "Changes of escaping",
    "with": "With blocks",
    "raw": "Raw blocks",
    "do": "Do statements",
    "break": "Breaks",
    "continue": "Continues",
}


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that is no tag, from `line` on."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Output:
    """`{{ expr }}`; `index` numbers the tag in its source."""

    index: int
    line: int
    expr: Expr


@dataclass(frozen=True, slots=True)
class Assign:
    """`{% set name = expr %}`."""

    index: int
    line: int
    name: str
    expr: Expr


@dataclass(slots=True)
class Branch:
    """One arm of an if: its test (None for else) and what it shows."""

    index: int
    line: int
    test: Expr | None
    body: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class If:
    """`{% if %}`, its arms in order, and the tag that ends it."""

    branches: list[Branch]
    end: int = -1


@dataclass(slots=True)
class For:
    """`{% for var in source if keep %}` with its body, its else, and the tag that ends it."""

    index: int
    line: int
    var: str
    source: Path
    keep: Expr | None
    body: list[Node] = field(default_factory=list)
    otherwise: Branch | None = None
    end: int = -1


Node = Literal | Output | Assign | If | For


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as it stands in the source: kind "output" or "statement", inside text, line."""

    index: int
    kind: str
    inside: str
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source cut up: pieces in order (comments are gone), and what could not be read."""

    part: str
    pieces: tuple[Literal | Tag, ...]
    problems: tuple[Problem, ...]

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The tags in order; `tags[n].index == n`."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Tag))


def place(part: str, line: int) -> str:
    """Return how a place is written: "line 4" in the design, "text, line 4", "subject"."""
    if part == "mjml":
        return f"line {line}"
    return f"text, line {line}" if part == "text" else part


def cut(source: str, part: str) -> Source:
    """Cut `source` at its tags; `part` ("mjml", "text", "subject"...) goes into places.

    White-space control (`{%-`, `-%}`) is carried out here, on the text beside the tag.
    """
    pieces: list[Literal | Tag] = []
    problems: list[Problem] = []
    at, line, tags, trim_next = 0, 1, 0, False

    def text(piece: str) -> None:
        nonlocal line
        shown = piece.lstrip() if trim_next else piece
        if shown:
            pieces.append(Literal(shown, line + piece[: len(piece) - len(shown)].count("\n")))
        line += piece.count("\n")

    while True:
        opening = _OPENING.search(source, at)
        if opening is None:
            text(source[at:])
            break
        text(source[at : opening.start()])
        closing = {"{{": "}}", "{%": "%}", "{#": "#}"}[opening[0]]
        end = _closing(source, opening.end(), closing)
        if end < 0:
            problems.append(
                Problem(
                    place(part, line),
                    f"A tag begins with {opening[0]} and never ends.",
                    f"Close it with {closing}, or put a space into {opening[0]}.",
                )
            )
            break
        inside = source[opening.end() : end]
        trim_next = inside.endswith("-")
        if inside.startswith("-"):
            inside = inside[1:]
            _trim_last(pieces)
        inside = inside.removesuffix("-") if trim_next else inside
        if opening[0] != "{#":
            kind = "output" if opening[0] == "{{" else "statement"
            pieces.append(Tag(tags, kind, inside, line))
            tags += 1
        line += source.count("\n", opening.start(), end + 2)
        at = end + 2
    if tags > MAX_TAGS:
        problems.append(Problem(part, f"There are more than {MAX_TAGS} tags.", "Make it simpler."))
    return Source(part, tuple(pieces), tuple(problems))


def _closing(source: str, at: int, closing: str) -> int:
    """Return where `closing` stands, quotes respected, or -1."""
    if closing == "#}":
        return source.find(closing, at)
    while at < len(source):
        if source.startswith(closing, at):
            return at
        match = _INSIDE.match(source, at)
        if match is None:
            return -1
        at = match.end()
    return -1


def _trim_last(pieces: list[Literal | Tag]) -> None:
    if pieces and isinstance(last := pieces[-1], Literal):
        pieces[-1] = Literal(last.text.rstrip(), last.line)


class _Nesting:
    """Builds the blocks from the pieces; what does not fit becomes a problem and is left out."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.root: list[Node] = []
        self.problems: list[Problem] = []
        self._bodies: list[list[Node]] = [self.root]
        self._open: list[If | For] = []

    def add(self, piece: Literal | Tag) -> None:
        """Take the next piece."""
        if isinstance(piece, Literal):
            self._bodies[-1].append(piece)
            return
        try:
            if piece.kind == "output":
                reader = Reader(piece.inside)
                expr = reader.expression()
                reader.finish()
                self._bodies[-1].append(Output(piece.index, piece.line, expr))
            else:
                self._statement(piece)
        except Fault as fault:
            self.problems.append(Problem(place(self.part, piece.line), fault.what, fault.next_step))

    def _statement(self, tag: Tag) -> None:
        reader = Reader(tag.inside)
        kind, word = reader.peek()
        handle = {
            "if": self._if,
            "elif": self._elif,
            "else": self._else,
            "endif": self._end_if,
            "for": self._for,
            "endfor": self._end_for,
            "set": self._set,
        }.get(word if kind == "name" else "")
        if handle is None:
            what = _FORBIDDEN.get(word.removeprefix("end"))
            raise Fault(
                f"{what} are not part of a template." if what else f"There is no tag {word!r}.",
                "Use {{ }}, {% if %}, {% for %} or {% set %}.",
            )
        reader.take(word)
        handle(reader, tag)
        if len(self._open) > MAX_NESTING:
            raise Fault("These blocks are nested too deeply.")

    def _if(self, reader: Reader, tag: Tag) -> None:
        block = If([Branch(tag.index, tag.line, Const(True))])
        self._bodies[-1].append(block)
        self._open.append(block)
        self._bodies.append(block.branches[-1].body)
        block.branches[-1].test = reader.expression()
        reader.finish()

    def _elif(self, reader: Reader, tag: Tag) -> None:
        block = self._open[-1] if self._open else None
        if not isinstance(block, If) or block.branches[-1].test is None:
            raise Fault("An elif stands outside an if.")
        block.branches.append(Branch(tag.index, tag.line, reader.expression()))
        reader.finish()
        self._bodies[-1] = block.branches[-1].body

    def _else(self, reader: Reader, tag: Tag) -> None:
        reader.finish()
        block = self._open[-1] if self._open else None
        branch = Branch(tag.index, tag.line, None)
        if isinstance(block, If) and block.branches[-1].test is not None:
            block.branches.append(branch)
        elif isinstance(block, For) and block.otherwise is None:
            block.otherwise = branch
        else:
            raise Fault("An else stands where no if or for is open.")
        self._bodies[-1] = branch.body

    def _end_if(self, reader: Reader, tag: Tag) -> None:
        reader.finish()
        if not self._open or not isinstance(self._open[-1], If):
            raise Fault("An endif stands where no if is open.")
        self._open.pop().end = tag.index
        self._bodies.pop()

    def _for(self, reader: Reader, tag: Tag) -> None:
        block = For(tag.index, tag.line, "", Path(("",)), None)
        self._bodies[-1].append(block)
        self._open.append(block)
        self._bodies.append(block.body)
        block.var = reader.name()
        reader.expect("in")
        block.source = reader.path()
        if reader.take("if"):
            block.keep = reader.expression()
        reader.finish()

    def _end_for(self, reader: Reader, tag: Tag) -> None:
        reader.finish()
        if not self._open or not isinstance(self._open[-1], For):
            raise Fault("An endfor stands where no for is open.")
        self._open.pop().end = tag.index
        self._bodies.pop()

    def _set(self, reader: Reader, tag: Tag) -> None:
        name = reader.name()
        if not reader.take("="):
            raise Fault("A set gives one name to one value.", "Write {% set name = value %}.")
        expr = reader.expression()
        reader.finish()
        self._bodies[-1].append(Assign(tag.index, tag.line, name, expr))

    def close(self) -> None:
        """Name every block that is still open."""
        for block in self._open:
            word, line = ("for", block.line) if isinstance(block, For) else ("if", block.branches[0].line)
            self.problems.append(
                Problem(place(self.part, line), f"This {word} is never closed.", "Add {% end" + word + " %}.")
            )


def nest(source: Source) -> tuple[list[Node], tuple[Problem, ...]]:
    """Return the nested blocks of `source`, and every tag that is not part of the language."""
    nesting = _Nesting(source.part)
    for piece in source.pieces:
        nesting.add(piece)
    nesting.close()
    return nesting.root, source.problems + tuple(nesting.problems)
