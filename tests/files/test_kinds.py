"""A file's kind is told by its bytes; what runs or is locked is not taken; names are made harmless."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salus.files import rules
from salus.files.contracts import FileRefused, Why
from salus.files.kinds import kind_named, kinds
from salus.files.looking import look_of

from .samples import HEIC, JPEG, PDF, PNG, TEXT, WEBP, packed, pdf

SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"


def seen(name: str, data: bytes, step: int = 0) -> None:
    look = look_of(name)
    for start in range(0, len(data), step or len(data)):
        look.feed(data[start : start + (step or len(data))])
    look.end()


@pytest.mark.parametrize(
    ("data", "code"),
    [(PDF, "pdf"), (PNG, "png"), (JPEG, "jpeg"), (WEBP, "webp"), (HEIC, "heic"), (TEXT, "text")],
)
def test_the_first_bytes_tell_the_kind(data: bytes, code: str) -> None:
    kind = rules.kind_of(data[: rules.HEAD], kinds())
    assert kind is not None
    assert kind.code == code


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\x00\x03",
        b"PK\x03\x04\x14\x00",
        b"\x7fELF\x02",
        b"GIF89a\x01\x00",
        b"\xd0\xcf\x11\xe0\xa1\xb1",
    ],
)
def test_programs_archives_and_office_files_are_not_text_either(data: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        seen("text", data + bytes(40))
    assert refused.value.why is Why.KIND


@pytest.mark.parametrize("page", [b"<html><script>1</script>", b" \xef\xbb\xbf\n<svg onload=x>", b"<?xml ?>"])
def test_markup_is_no_plain_text(page: bytes) -> None:
    with pytest.raises(FileRefused):
        seen("text", page)


@pytest.mark.parametrize("step", [0, 1, 3])
def test_text_is_looked_at_across_pieces(step: int) -> None:
    seen("text", TEXT, step)
    with pytest.raises(FileRefused):
        seen("text", TEXT + "ñ".encode()[:1], step)


@pytest.mark.parametrize(
    "data",
    [
        pdf(SCRIPT),
        pdf(b"<< /S /J#61vaScript >>"),
        pdf(b"<</S/Launch/F(cmd)>>"),
        pdf(b"<< /EmbeddedFiles 3 0 R >>"),
        pdf(b"<< /AcroForm << /XFA [] >> >>"),
        packed(SCRIPT),
        packed(SCRIPT, b"/Type /Obj#53tm /Filter [ /FlateDecode ]"),
        packed(b"<< >>", b"/Type /ObjStm /Filter /LZWDecode"),
        packed(b"<< >>", b"/Type /ObjStm /Filter /FlateDecode /DecodeParms << /Predictor 12 >>"),
        packed(b"<< >>", b"/Type /ObjStm /Filter 9 0 R"),
    ],
)
@pytest.mark.parametrize("step", [0, 1, 7])
def test_a_pdf_with_something_active_is_refused(data: bytes, step: int) -> None:
    with pytest.raises(FileRefused) as refused:
        seen("pdf", data, step)
    assert refused.value.why is Why.ACTIVE


def test_a_stream_hidden_in_a_stream_is_unpacked_too() -> None:
    hidden = packed(SCRIPT)
    stored = (
        b"\x78\x01\x01" + len(hidden).to_bytes(2, "little") + (len(hidden) ^ 0xFFFF).to_bytes(2, "little")
    )
    with pytest.raises(FileRefused):
        seen("pdf", pdf(b"1 0 obj\n<< >>\nstream\n" + stored + hidden))


def test_a_pdf_under_a_password_is_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        seen("pdf", pdf(b"trailer << /Encrypt 5 0 R >>"))
    assert refused.value.why is Why.LOCKED


@pytest.mark.parametrize("data", [PDF, packed(b"<< /Type /Page >> << /A << /S /URI /URI (https://x) >> >>")])
@pytest.mark.parametrize("step", [0, 1])
def test_an_ordinary_pdf_passes(data: bytes, step: int) -> None:
    seen("pdf", data, step)


def test_a_compressed_bomb_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("salus.files.looking.MOST_UNPACKED", 1 << 20)
    with pytest.raises(FileRefused):
        seen("pdf", packed(bytes(8 << 20)))


def test_pictures_of_noise_in_a_pdf_pass() -> None:
    noise = random.Random(7).randbytes(2 << 20)
    seen("pdf", pdf(b"3 0 obj\n<< /Filter /DCTDecode >>\nstream\n" + noise + b"\nendstream"), 65536)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("lab report.PDF", "lab report.pdf"),
        ("C:\\fakepath\\a.exe", "a.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ("", "file.pdf"),
        ("...", "file.pdf"),
        (".pdf", "pdf.pdf"),
    ],
)
def test_names_are_made_harmless(given: str, name: str) -> None:
    assert rules.name_of(given, kind_named("pdf")) == name


@given(st.text(max_size=300))
def test_every_name_is_one_line_of_bounded_length_with_the_ending_of_its_kind(given_name: str) -> None:
    name = rules.name_of(given_name, kind_named("png"))
    assert name.endswith(".png")
    assert len(name) <= rules.LONGEST_NAME
    assert name.isprintable() or " " in name
    assert not set(name) & set('/\\\r\n\0"\u202e') - {'"'}
