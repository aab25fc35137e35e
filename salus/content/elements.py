"""Which elements and attributes a message may have, and what may stand in what."""

from __future__ import annotations

import re
from collections.abc import Mapping


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


INLINE = _names("a abbr b br code em i img s small span strong sub sup u")
BLOCKS = _names("blockquote div h1 h2 h3 h4 h5 h6 hr ol p pre table ul")
FLOW = INLINE | BLOCKS
ROWS = frozenset({"tr", "thead", "tbody", "tfoot"})
PARTS = _names("mj-text mj-button mj-image mj-divider mj-spacer mj-table")
DEFAULTS = PARTS | {
    "mj-all",
    "mj-body",
    "mj-class",
    "mj-column",
    "mj-group",
    "mj-hero",
    "mj-section",
    "mj-wrapper",
}

CHILDREN: Mapping[str, frozenset[str]] = {
    "": frozenset({"mjml"}),
    "mjml": frozenset({"mj-head", "mj-body"}),
    "mj-head": frozenset({"mj-attributes", "mj-style", "mj-breakpoint"}),
    "mj-attributes": DEFAULTS,
    "mj-body": frozenset({"mj-section", "mj-wrapper", "mj-hero", "mj-raw"}),
    "mj-wrapper": frozenset({"mj-section", "mj-hero"}),
    "mj-section": frozenset({"mj-column", "mj-group"}),
    "mj-group": frozenset({"mj-column"}),
    "mj-column": PARTS,
    "mj-hero": frozenset({"mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"}),
    "mj-text": FLOW,
    "mj-button": INLINE - {"a", "img"},
    "mj-table": ROWS,
    "mj-raw": FLOW,
    "table": ROWS | {"caption"},
    "thead": frozenset({"tr"}),
    "tbody": frozenset({"tr"}),
    "tfoot": frozenset({"tr"}),
    "tr": frozenset({"td", "th"}),
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "a": INLINE - {"a"},
    "p": INLINE,
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), INLINE),
    **dict.fromkeys(("td", "th", "li", "div", "blockquote", "caption"), FLOW),
    **dict.fromkeys(
        ("abbr", "b", "code", "em", "i", "pre", "s", "small", "span", "strong", "sub", "sup", "u"), INLINE
    ),
}
"""Element -> what may stand in it. An element that is no key holds nothing."""

TEXT_IN = (
    frozenset(CHILDREN)
    - _names(
        """mjml mj-head mj-attributes mj-body mj-wrapper mj-section mj-group mj-column mj-hero mj-table table
    thead tbody tfoot tr ul ol"""
    )
    - {""}
)
STATEMENTS_IN = TEXT_IN | _names("mj-body mj-column mj-table table thead tbody tfoot tr ul ol")

INSTEAD = {
    "mj-preview": "Write the preheader in its own field.",
    "mj-title": "The subject is the title.",
    "mj-font": "Name a font that readers have, such as Helvetica or Georgia.",
    "mj-include": "Put the text in here.",
    "mj-social": "Use links.",
    "mj-navbar": "Use links.",
    "form": "Link to a form in the portal.",
    "input": "Link to a form in the portal.",
    "script": "Mail programs do not run scripts, and Salus sends none.",
    "style": "Use mj-style.",
    "iframe": "Link to the page.",
    "svg": "Use a PNG or JPEG picture of your own site.",
}

HTML_ATTRIBUTES = _names(
    """align bgcolor border cellpadding cellspacing class colspan dir height lang role rowspan scope
    start style title valign width"""
)
MJ_ATTRIBUTES = _names(
    """align background-color border border-bottom border-color border-left border-radius border-right
    border-style border-top border-width cellpadding cellspacing color container-background-color css-class
    direction fluid-on-mobile font-family font-size font-style font-weight full-width height inner-padding
    inner-background-color inner-border inner-border-radius letter-spacing line-height max-width mj-class mode
    name padding padding-bottom padding-left padding-right padding-top role table-layout text-align
    text-decoration text-padding text-transform title vertical-align width"""
)
ROOT_ATTRIBUTES = frozenset({"lang", "dir"})
WORD_ATTRIBUTES = frozenset({"alt", "title", "aria-label"})
VALUE = re.compile(r"[\w\s#%.,()'+!/-]*")
BAD_CSS = re.compile(
    r"url\s*\(|image\s*\(|image-set|@import|@font-face|@charset|@namespace|expression|behavior|-moz-binding"
    r"|javascript|attr\s*\(|element\s*\(|\\|<|position\s*:\s*(?:fixed|absolute|sticky)",
    re.IGNORECASE,
)
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0?\.?0*(?![.\d])", re.IGNORECASE
)
PICTURES = frozenset({"img", "mj-image"})
TINY = 3
"""Pixels: a picture not larger than this shows nothing, it only reports that it was loaded."""
