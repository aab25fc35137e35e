"""The web shell: headers, errors in plain words, static files, rooms, parts of a page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import clear_url_caches, include, path
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from salus.kernel.errors import BadInput, Conflict, NotFound, Unavailable
from salus.kernel.phi import Phi
from salus.platform.web.foreign import foreign_html
from salus.platform.web.headers import CONTENT_SECURITY_POLICY
from salus.platform.web.shell import Room, Who, open_rooms

FAILURES = {
    "input": BadInput(
        "The third column is empty.", place="line 3", kept="Nothing was stored.", next_step="Fix it."
    ),
    "absent": NotFound(),
    "conflict": Conflict("It was approved already."),
    "away": Unavailable("The audience engine does not answer.", next_step="Try again in a minute."),
    "bug": RuntimeError("Rosa Diaz has E11.9"),
}


def fail(request: HttpRequest, how: str) -> HttpResponse:
    raise FAILURES[how]


def letter(request: HttpRequest) -> HttpResponse:
    return foreign_html(
        "<p style='color:red'>Dear patient</p><script>alert(1)</script>", links="links" in request.GET
    )


urlpatterns = [
    path("", include("salus.platform.web.urls")),
    path("fail/<str:how>", fail),
    path("letter", letter),
]
handler400 = "salus.platform.web.errors.bad_request"
handler403 = handler404 = "salus.platform.web.errors.absent"
handler500 = "salus.platform.web.errors.broken"


@pytest.fixture
def client(database: Any, settings: Any) -> Iterator[Client]:
    """A browser that sees this module's addresses."""
    settings.ROOT_URLCONF = sys.modules[__name__]
    clear_url_caches()
    yield Client(headers={"host": "localhost"}, raise_request_exception=False)
    clear_url_caches()


@pytest.mark.parametrize(
    "address", ["/-/parts", "/no-such-page", "/fail/input", "/fail/bug", "/static/salus/salus.css"]
)
def test_every_answer_has_the_security_headers(client: Client, address: str) -> None:
    headers = client.get(address).headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_no_page_of_ours_has_inline_style_or_script(client: Client) -> None:
    for address in ("/-/parts", "/no-such-page", "/fail/bug"):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_pages_are_not_kept_by_browsers(client: Client) -> None:
    assert client.get("/-/parts").headers["Cache-Control"] == "no-store"


def test_plain_http_is_refused_when_others_can_reach_us(client: Client, settings: Any) -> None:
    settings.SALUS_LOOPBACK = False
    refused = client.get("/-/parts")
    assert (refused.status_code, "https" in refused.content.decode()) == (403, True)
    secure = client.get("/no-such-page", secure=True)
    assert secure.status_code == 404
    assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert client.get("/-/parts", secure=True).status_code == 404, "the page of parts is for loopback"


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("input", 400, ["line 3: The third column is empty.", "Nothing was stored.", "Fix it."]),
        ("absent", 404, ["There is nothing here, or it is not for you."]),
        ("conflict", 409, ["It was approved already."]),
        ("away", 503, ["does not answer", "Try again in a minute."]),
    ],
)
def test_an_error_of_ours_becomes_a_page_in_plain_words(
    client: Client, how: str, status: int, said: list[str]
) -> None:
    answer = client.get(f"/fail/{how}")
    assert answer.status_code == status
    for sentence in said:
        assert sentence in answer.content.decode()


def test_a_mistake_of_ours_shows_a_reference_and_nothing_else(client: Client) -> None:
    answer = client.get("/fail/bug")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "Something broke here" in page
    assert "Rosa" not in page
    assert "E11" not in page


def test_a_static_file_with_its_hash_may_be_kept_for_ever(client: Client) -> None:
    address = Template("{% load static %}{% static 'salus/salus.css' %}").render(Context())
    assert "?v=" in address
    kept = client.get(address)
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert kept.headers["Content-Type"] == "text/css; charset=utf-8"
    assert client.get("/static/salus/salus.css?v=0").headers["Cache-Control"] == "no-cache"
    again = client.get(address, headers={"If-None-Match": kept.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_static_file_is_sent_compressed_to_who_takes_it(client: Client) -> None:
    import gzip

    packed = client.get("/static/salus/salus.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.content) == client.get("/static/salus/salus.css").content


@pytest.mark.parametrize(
    "name",
    ["../settings.py", "%2e%2e/settings.py", "/etc/passwd", "salus", "nothing.css", "salus/../../apps.py"],
)
def test_no_other_file_comes_out_through_static(client: Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_foreign_html_can_do_nothing_to_us(client: Client) -> None:
    preview, read = client.get("/letter"), client.get("/letter?links")
    policy = preview.headers["Content-Security-Policy"]
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "allow-scripts" not in read.headers["Content-Security-Policy"]
    assert "allow-same-origin" not in read.headers["Content-Security-Policy"]
    assert "allow-popups" in read.headers["Content-Security-Policy"]


ROOMS = (
    Room("Parts", "web:parts", "home"),
    Room("Secret", "web:parts", "lock", "a:b:c", "Office"),
    Room("Not built", "nowhere:list", "lock"),
)


def test_rooms_are_shown_to_who_may_open_them_and_only_when_they_exist(client: Client) -> None:
    def labels(*permissions: str) -> list[str]:
        return [
            door.label for group in open_rooms(ROOMS, frozenset(permissions), "/") for door in group.rooms
        ]

    assert labels() == ["Parts"]
    assert labels("a:b:c") == ["Parts", "Secret"]


def test_the_room_one_stands_in_is_marked(client: Client) -> None:
    def current(path_: str) -> list[bool]:
        return [door.current for group in open_rooms(ROOMS[:1], frozenset(), path_) for door in group.rooms]

    assert current("/-/parts") == [True]
    assert current("/-/parts/of/it") == [True]
    assert current("/elsewhere") == [False]


@pytest.mark.parametrize(
    ("name", "initials"), [("Marisol Ibarra", "MI"), ("Dana", "D"), ("Ana de la Cruz", "AC"), ("", "")]
)
def test_initials_come_from_the_first_and_the_last_word(name: str, initials: str) -> None:
    assert Who("Clinic", name, "Marketer").initials == initials


def rendered(source: str, **context: Any) -> str:
    """Return what a template writes with our tags."""
    return str(Template("{% load salus %}" + source).render(Context(context)))


class Form(forms.Form):
    """Three fields, of which the second and third are wrong."""

    name = forms.CharField(label="Name", help_text="Staff see it.")
    subject = forms.CharField(label="Subject")
    topic = forms.CharField(label="Topic", required=False)

    def clean_topic(self) -> str:
        """Refuse it."""
        raise forms.ValidationError("<b>No</b>")


def test_the_first_field_in_error_takes_the_focus_and_names_its_error() -> None:
    form = Form({"name": "x", "subject": "", "topic": "y"})
    form.is_valid()
    name, subject, topic = (
        rendered("{% field field %}", field=form[each]) for each in ("name", "subject", "topic")
    )
    assert 'aria-describedby="id_name_help"' in name
    assert "autofocus" not in name
    assert "autofocus" in subject
    assert 'aria-invalid="true"' in subject
    assert 'aria-describedby="id_subject_error"' in subject
    assert 'id="id_subject_error"' in subject
    assert "autofocus" not in topic
    assert "&lt;b&gt;No&lt;/b&gt;" in topic
    assert "optional" in topic


def test_only_opened_phi_is_shown_and_only_by_its_own_tag() -> None:
    value = Phi("Rosa <Diaz>")
    assert "Rosa" not in rendered("{{ value }} {% mask %}", value=value)
    assert "Rosa &lt;Diaz&gt;" in rendered("{% opened value %}", value=value)
    with pytest.raises(TypeError):
        rendered("{% opened value %}", value="plain")


@pytest.mark.parametrize(
    "source",
    [
        "{% tag 'refuse' evil %}",
        "{% law evil %}",
        "{% law 'x' evil %}",
        "{% note 'wait' %}{{ evil }}{% endnote %}",
        "{% bar 1 2 label=evil %}",
        "{% icon evil %}",
        "{% phi_tag evil %}",
        "{% clinic_mark evil %}",
        "{{ evil|words }}",
    ],
)
def test_no_tag_lets_markup_through(source: str) -> None:
    assert "<script" not in rendered(source, evil='"><script>alert(1)</script>')


@given(
    st.lists(st.tuples(st.sampled_from(["clear", "portal", "refuse"]), st.integers(0, 10_000)), max_size=6)
)
def test_the_pieces_of_a_bar_fill_it_and_never_more(parts: list[tuple[str, int]]) -> None:
    import re

    widths = [
        float(w)
        for w in re.findall(r' width="([0-9.]+)%"', rendered("{% stacked_bar parts 'x' %}", parts=parts))
    ]
    total = sum(widths)
    assert total <= 100.5
    assert total >= 99.5 or not any(value for _, value in parts) or any(width < 0.05 for width in widths)


@pytest.mark.parametrize(
    ("past", "said"),
    [(5, "just now"), (125, "2 min ago"), (3700, "1 hour ago"), (7300, "2 hours ago"), (90_000, "1 day ago")],
)
def test_times_are_said_as_people_say_them(past: int, said: str) -> None:
    assert rendered("{{ at|ago }}", at=timezone.now() - timedelta(seconds=past)) == said


def test_numbers_and_shares_read_well() -> None:
    assert (
        rendered("{{ 1406|number }} {{ 3|share:2000 }} {{ 0|share:5 }} {{ 15|share:100 }}")
        == "1,406 under 1% 0% 15%"
    )
    assert rendered("{{ none|moment }} {{ none|ago }}", none=None) == "never never"


def test_no_page_but_the_import_puts_an_upload_on_the_disk(tmp_path: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    large = SimpleUploadedFile("rosa-diaz.csv", b"Rosa Diaz," * 400_000)  # more than Django keeps in memory
    request = RequestFactory().post("/x", {"file": large, "q": "kept"})
    assert request.POST["q"] == "kept"
    assert not request.FILES
    assert list(tmp_path.iterdir()) == []


def test_browsers_keep_nothing_that_was_typed_unless_a_field_says_so() -> None:
    class Note(forms.Form):
        note = forms.CharField()
        long = forms.CharField(widget=forms.Textarea)
        code = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "one-time-code"}))

    page = Template("{% load salus %}{% field form.note %}{% field form.long %}{% field form.code %}")
    said = page.render(Context({"form": Note()}))
    assert said.count('autocomplete="off"') == 2
    assert said.count('autocomplete="one-time-code"') == 1
