"""A clinic whose key file is lost gets it back from paper; fewer shares than are needed say nothing."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salus.audit import api as audit
from salus.audit.contracts import Filters
from salus.identity import api as identity
from salus.identity.contracts import Organization
from salus.kernel.errors import BadInput, Conflict, Unavailable
from salus.kernel.ids import new_id
from salus.kernel.vocabulary import SenderRole
from salus.keys import api as keys
from salus.keys import local, sharing
from salus.keys.provider import KEY_FILE, file_provider
from salus.keys.shares import Reader, Share, lines
from salus.platform.tenancy import acting_for
from salus.wiring.assembly import assemble
from salus.wiring.cli import main
from salus.wiring.home import Home

SECRET = b"canary-90ad"
Salus = Callable[..., tuple[int, str, str]]


@given(st.data(), st.binary(min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_threshold_of_the_shares_give_the_secret(data: st.DataObject, secret: bytes) -> None:
    count = data.draw(st.integers(2, 12))
    threshold = data.draw(st.integers(2, count))
    shares = sharing.split(secret, count, threshold)
    places = data.draw(st.permutations(sorted(shares)))[:threshold]
    assert sharing.combine({place: shares[place] for place in places}) == secret
    assert sharing.combine({place: shares[place] for place in shares}) == secret


@given(st.data(), st.binary(min_size=1, max_size=40))
@settings(max_examples=100, deadline=None)
def test_fewer_shares_fit_every_secret_equally_well(data: st.DataObject, secret: bytes) -> None:
    """For any k-1 shares and any other secret there is a k-th share that would give that one instead."""
    count = data.draw(st.integers(2, 10))
    threshold = data.draw(st.integers(2, count))
    shares = sharing.split(secret, count, threshold)
    places = data.draw(st.permutations(sorted(shares)))[:threshold]
    known = {place: shares[place] for place in places[:-1]}
    other = data.draw(st.binary(min_size=len(secret), max_size=len(secret)))
    invented = sharing.combine({0: other, **known}, at=places[-1])
    assert sharing.combine({**known, places[-1]: invented}) == other


@pytest.mark.parametrize("secret", [0, 1, 173, 255])
def test_one_share_of_two_takes_every_value_equally_often_whatever_the_secret(secret: int) -> None:
    for place in (1, 2):
        seen = {
            sharing.split(bytes([secret]), 2, 2, lambda _, drawn=drawn: bytes([drawn]))[place]  # type: ignore[misc]
            for drawn in range(256)
        }
        assert len(seen) == 256


def test_the_field_is_that_of_aes() -> None:
    assert sharing._times(0x57, 0x83) == 0xC1  # FIPS 197, section 4.2
    assert sharing._times(0x57, 0x13) == 0xFE
    for value in range(1, 256):
        assert sharing._times(value, sharing._over(1, value)) == 1


@pytest.mark.parametrize(("shares", "threshold"), [(1, 1), (3, 1), (3, 4), (256, 2), (2, 0)])
def test_numbers_that_make_no_sharing_are_refused(shares: int, threshold: int) -> None:
    with pytest.raises(ValueError):
        sharing.split(b"x", shares, threshold)


@given(st.binary(min_size=4, max_size=4), st.integers(2, 9), st.integers(1, 20), st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_a_share_reads_as_it_was_printed(kit: bytes, threshold: int, number: int, body: bytes) -> None:
    share = Share(kit, threshold, number, body)
    reader = Reader()
    found = [each for line in lines(share) if (each := reader.line(line.lower()))]
    assert found == [share]
    assert not reader.is_within


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_letter_typed_wrong_is_told_with_its_line(data: st.DataObject) -> None:
    share = Share(b"kit1", 3, 2, bytes(range(42)))
    printed = lines(share)
    row = data.draw(st.integers(0, len(printed) - 1))
    line = printed[row]
    places = [place for place, letter in enumerate(line) if place > 2 and letter.isupper()]
    place = data.draw(st.sampled_from(places))
    letter = data.draw(
        st.sampled_from([one for one in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" if one != line[place]])
    )
    reader = Reader()
    for before in printed[:row]:
        assert reader.line(before) is None
    with pytest.raises(BadInput) as refusal:
        reader.line(line[:place] + letter + line[place + 1 :])
    assert refusal.value.place == f"line {row + 1}"
    rest = [reader.line(each) for each in printed[row:]]  # typed again, it goes on
    assert rest[-1] == share


def test_lines_of_two_shares_do_not_mix_and_none_may_be_left_out() -> None:
    one, other = (lines(Share(b"kit1", 3, number, bytes(range(42)))) for number in (1, 2))
    reader = Reader()
    reader.line(one[0])
    with pytest.raises(BadInput):
        reader.line(other[1])
    with pytest.raises(BadInput, match="Line 2 comes next"):
        reader.line(one[2])
    assert reader.line("Salus recovery share 1 of 5") is None


@pytest.fixture
def house(database: Any, tmp_path: Path, settings: Any) -> Iterator[Home]:
    """A home of its own on the common database: its key file can be lost."""
    home = Home(tmp_path / "house")
    settings.HOME = home
    assemble(home)
    keys.forget_cached()
    yield home
    settings.HOME = database.home
    assemble(database.home)
    keys.forget_cached()


@pytest.fixture
def salus(house: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Salus:
    monkeypatch.setenv("SALUS_HOME", str(house.path))

    def run(*words: str) -> tuple[int, str, str]:
        return (main(words), *capsys.readouterr())

    return run


@pytest.fixture
def clinic(house: Home) -> Organization:
    return identity.create_organization(
        name="Lost Key Clinic",
        slug=f"lost-{new_id().hex[-12:]}",
        sender_role=SenderRole.PROVIDER,
        postal_address="1 Main Street, Springfield, IL 62701",
        phone="+12175550100",
        sending_domain="lost.example",
    )


def sealed_by(organization: UUID) -> bytes:
    with acting_for(organization):
        return keys.sealer().seal(SECRET, b"place")


def start_again(house: Home) -> None:
    """Be a process that starts on this home."""
    local.configure(file_provider(house.keys), house.keys)
    keys.forget_cached()


def test_a_clinic_whose_key_file_was_lost_is_recovered(
    salus: Salus, house: Home, clinic: Organization, tmp_path: Path
) -> None:
    name, sealed = file_provider(house.keys).name(), sealed_by(clinic.id)
    assert "recovery kit" in salus("keys", "list", "--organization", clinic.slug)[2]
    code, out, _ = salus(
        "keys", "recovery-kit", "--shares", "5", "--threshold", "3", "--directory", str(tmp_path / "kit")
    )
    assert (code, "10 files" in out) == (0, True)
    assert salus("keys", "list", "--organization", clinic.slug)[2] == ""
    with acting_for(clinic.id):
        (entry,) = audit.entries(Filters(action="keys:kit:create"))
        assert entry.details == {"shares": 5, "threshold": 3, "key": name}

    shutil.rmtree(house.keys)
    start_again(house)  # makes a key file of its own, which opens nothing here
    with acting_for(clinic.id), pytest.raises(Unavailable, match="Bring the key file"):
        keys.sealer()
    files = [str(tmp_path / "kit" / f"share-{number}-of-5.txt") for number in (5, 1, 4)]
    code, _, err = salus("keys", "recover", *files[:2])
    assert (code, "2 different shares of 3" in err) == (2, True)
    code, out, _ = salus("keys", "recover", *files)
    assert (code, name in out) == (0, True)
    start_again(house)
    with acting_for(clinic.id):
        assert keys.sealer().open(sealed, b"place") == SECRET
    assert (house.keys / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert "recovery kit" in salus("keys", "list", "--organization", clinic.slug)[2]


def test_what_a_new_key_file_has_wrapped_meanwhile_opens_after_the_recovery_too(
    salus: Salus, house: Home, clinic: Organization, tmp_path: Path
) -> None:
    salus("keys", "recovery-kit", "--directory", str(tmp_path / "kit"))
    shutil.rmtree(house.keys)
    start_again(house)
    secret, other = local.local_secret("engine"), new_id()
    with acting_for(other):
        keys.create_organization_keys(other)
    sealed = sealed_by(other)
    files = [str(tmp_path / "kit" / f"share-{number}-of-5.txt") for number in (1, 2, 3)]
    assert salus("keys", "recover", *files)[0] == 0
    start_again(house)
    assert local.local_secret("engine") == secret
    with acting_for(other):
        assert keys.sealer().open(sealed, b"place") == SECRET


def test_shares_are_typed_line_by_line_and_a_slip_is_asked_for_again(
    salus: Salus, house: Home, clinic: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = file_provider(house.keys).name()
    code, out, _ = salus("keys", "recovery-kit", "--shares", "3", "--threshold", "2")
    assert code == 0
    first, second, _ = (sheet.splitlines() for sheet in out.split("\f") if sheet.strip())
    numbered = [line for line in [*first, *second] if line.strip()[:1].isdigit()]
    slip = numbered[1].replace(numbered[1].split()[1], "AAAA", 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join([numbered[0], slip, *numbered[1:]]) + "\n"))
    (house.keys / KEY_FILE).unlink()
    code, out, err = salus("keys", "recover")
    assert (code, name in out) == (0, True)
    assert "Type that line again" in err
    assert "2 of 2" in err


def test_every_choice_of_shares_recovers_and_shares_of_two_kits_do_not(house: Home, tmp_path: Path) -> None:
    _, shares = keys.make_recovery_kit(shares=4, threshold=3)
    _, others = keys.make_recovery_kit(shares=4, threshold=3)
    name = file_provider(house.keys).name()
    for number, chosen in enumerate(combinations(shares, 3)):
        assert keys.recover_key_file(chosen, tmp_path / str(number)) == name
    for wrong in ((*shares[:2], others[2]), shares[:2], (shares[0],) * 3, ()):
        with pytest.raises(BadInput):
            keys.recover_key_file(wrong, tmp_path / "wrong")
    bent = Share(shares[0].kit, 3, 1, bytes([shares[0].body[0] ^ 1]) + shares[0].body[1:])
    with pytest.raises(BadInput, match="do not give a key"):
        keys.recover_key_file((bent, *shares[1:3]), tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (5, 1), (3, 4), (21, 3)])
def test_numbers_that_make_no_kit_are_refused(house: Home, count: int, threshold: int) -> None:
    with pytest.raises(BadInput):
        keys.make_recovery_kit(shares=count, threshold=threshold)
    assert keys.recovery_kit() is None


def test_a_kit_of_a_key_that_was_replaced_is_none(house: Home) -> None:
    kit, _ = keys.make_recovery_kit(shares=2, threshold=2)
    assert keys.recovery_kit() is None, "nobody has its shares yet"
    keys.keep_kit(kit)
    assert keys.recovery_kit() == kit
    (house.keys / KEY_FILE).unlink()
    for sealed in house.keys.glob("*.sealed"):
        sealed.unlink()
    start_again(house)
    assert keys.recovery_kit() is None


def test_a_key_file_with_two_keys_is_recovered_whole(house: Home, tmp_path: Path) -> None:
    _, first = keys.make_recovery_kit(shares=2, threshold=2)
    file_provider(tmp_path / "new")
    keys.recover_key_file(first, tmp_path / "new")  # beside the key that is there
    both = file_provider(tmp_path / "new")
    local.configure(both, tmp_path / "new")
    _, shares = keys.make_recovery_kit(shares=2, threshold=2)
    assert keys.recover_key_file(shares, tmp_path / "again") == both.name()
    again = file_provider(tmp_path / "again")
    assert again.unwrap(both.wrap(SECRET, b""), b"") == SECRET


def test_a_damaged_key_file_is_not_written_over(house: Home, tmp_path: Path) -> None:
    _, shares = keys.make_recovery_kit(shares=2, threshold=2)
    (house.keys / KEY_FILE).write_bytes(b"damaged")
    with pytest.raises(Unavailable, match="Move it away"):
        keys.recover_key_file(shares, house.keys)
    assert (house.keys / KEY_FILE).read_bytes() == b"damaged"


def test_a_kit_of_another_provider_is_refused(house: Home) -> None:
    class Elsewhere:
        def name(self) -> str:
            return "kms:1"

        def wrap(self, plaintext: bytes, associated_data: bytes) -> bytes:
            return plaintext

        def unwrap(self, ciphertext: bytes, associated_data: bytes) -> bytes:
            return ciphertext

    local.configure(Elsewhere(), house.keys)
    with pytest.raises(Conflict, match="kms:1"):
        keys.make_recovery_kit(shares=3, threshold=2)


def test_sheets_are_not_written_over_and_a_page_loads_nothing(
    salus: Salus, house: Home, tmp_path: Path, clinic: Organization
) -> None:
    folder = tmp_path / "kit"
    assert (
        salus("keys", "recovery-kit", "--shares", "2", "--threshold", "2", "--directory", str(folder))[0] == 0
    )
    assert salus("keys", "recovery-kit", "--directory", str(folder))[0] == 2
    page = (folder / "share-1-of-2.html").read_text()
    assert all(word not in page for word in ("http", "src=", "href=", "<script"))
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    sheet = (folder / "share-1-of-2.txt").read_text()
    assert all(line.strip() in page for line in sheet.splitlines() if line.startswith("  "))
