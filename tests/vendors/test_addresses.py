"""Where services are: which addresses are taken, and that one place is found however it is written."""

from __future__ import annotations

import pytest

from salus.kernel.errors import BadInput
from salus.kernel.ids import new_id
from salus.vendors.addresses import SCHEMES, canonical, check_address, place
from salus.vendors.contracts import Kind


@pytest.mark.parametrize(
    "text",
    ["https://hooks.harbor.example/salus", "https://hooks.harbor.example:8443/a?b=c", " https://a.example "],
)
def test_an_https_address_of_the_internet_is_taken(text: str) -> None:
    assert check_address(Kind.WEBHOOK, text, laboratory=False) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hooks.harbor.example",
        "http://hooks.harbor.example/",
        "ftp://hooks.harbor.example/",
        "https://",
        "https:///path",
        "https://user:secret@hooks.harbor.example/",
        "https://@hooks.harbor.example/",
        "https://hooks.harbor.example/#part",
        "https://hooks.harbor.example/a b",
        "https://hooks.harbor.example/\r\nHost: x",
        "https://hooks.harbor.example/\x00",
        "https://höoks.example/",
        "https://hooks.harbor.example:0/",
        "https://hooks.harbor.example:99999/",
        "https://[::1/",
        "https://localhost/",
        "https://intranet/",
        "https://ehr.local/",
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "https://169.254.169.254/latest",
        "https://" + "a" * 500 + ".example/",
    ],
)
def test_any_other_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_address(Kind.WEBHOOK, text, laboratory=False)
    assert refused.value.place == "address"
    assert len(str(refused.value)) < 100


def test_in_a_laboratory_http_is_for_loopback_alone() -> None:
    for text in ("http://localhost:8080/x", "http://127.0.0.1:9/", "http://[::1]:9/", "https://10.0.0.1/"):
        assert check_address(Kind.WEBHOOK, text, laboratory=True) == text
    with pytest.raises(BadInput):
        check_address(Kind.WEBHOOK, "http://hooks.harbor.example/", laboratory=True)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.SMTP_ROUTE, "smtp://relay.harbor.example"),
        (Kind.SMTP_ROUTE, "smtps://10.0.0.7:1465"),
        (Kind.SMS, "https://sms.harbor.example/v1"),
        (Kind.KMS, "https://kms.us-east-1.example.com"),
        (Kind.BACKUP, "s3://cedar-row-backup/salus"),
        (Kind.BACKUP, "sftp://vault.harbor.example/srv"),
        (Kind.IDENTITY_PROVIDER, "https://sso.internal/realms/clinic"),
        (Kind.SYSLOG, "syslog+tls://logs.internal:6514"),
        (Kind.WITNESS, "mailto:witness@harbor.example"),
        (Kind.TLS_REPORTS, "tls-reports://any"),
    ],
)
def test_each_kind_has_its_schemes(kind: Kind, text: str) -> None:
    assert check_address(kind, text, laboratory=False) == text
    for other in Kind:
        if text.partition(":")[0] not in SCHEMES[other]:
            with pytest.raises(BadInput, match="The address must begin with"):
                check_address(other, text, laboratory=False)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.SMTP_ROUTE, "smtp://"),
        (Kind.SMTP_ROUTE, "smtp://relay.harbor.example/queue"),
        (Kind.SMTP_ROUTE, "smtp://clinic:secret@relay.harbor.example"),
        (Kind.SYSLOG, "udp://logs.internal"),
        (Kind.WITNESS, "mailto:"),
        (Kind.WITNESS, "mailto:nobody"),
        (Kind.WITNESS, "mailto:a@harbor.example?bcc=b@x.example"),
        (Kind.WITNESS, "mailto:a@harbor.example,b@x.example"),
        (Kind.KMS, "http://kms.harbor.example"),
    ],
)
def test_what_no_road_of_that_kind_could_take_is_refused(kind: Kind, text: str) -> None:
    for laboratory in (False, True):
        with pytest.raises(BadInput) as refused:
            check_address(kind, text, laboratory=laboratory)
        assert refused.value.place == "address"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://SSO.Harbor.example/", "https://sso.harbor.example:443"),
        ("smtp://relay.harbor.example", "SMTP://relay.harbor.example.:587/"),
        ("syslog+tls://logs.internal", "syslog+tls://logs.internal:6514"),
        ("mailto:Witness@Harbor.example", "mailto:Witness@harbor.example"),
    ],
)
def test_one_place_is_found_however_it_is_written(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("smtp://relay.harbor.example", "smtps://relay.harbor.example"),
        ("smtp://relay.harbor.example", "smtp://relay.harbor.example:25"),
        ("s3://one/a", "s3://one/b"),
        ("https://a.example/?x=1", "https://a.example/?x=2"),
        ("mailto:a@harbor.example", "mailto:A@harbor.example"),
    ],
)
def test_what_leads_elsewhere_is_another_place(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


def test_a_place_is_the_organizations_own() -> None:
    clinic, other = new_id(), new_id()
    address = "https://kms.harbor.example"
    assert place(clinic, Kind.KMS, address) == place(clinic, Kind.KMS, address + ":443/")
    assert (
        len(
            {
                place(clinic, Kind.KMS, address),
                place(other, Kind.KMS, address),
                place(clinic, Kind.SMS, address),
            }
        )
        == 3
    )
