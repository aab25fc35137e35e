"""Sign-in: two steps, one message, pauses, codes that work once, and everything in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth import hashers
from django.db import connection, connections
from django.http.response import HttpResponseBase
from django.test import Client

from salus.audit import api as audit
from salus.audit.contracts import Action, Filters
from salus.identity import api as identity
from salus.identity import guard, rules, second_factor, sign_in, staff
from salus.identity.contracts import DemoSignIn, Organization, Role
from salus.identity.models import Session, User
from salus.kernel.acting import system
from salus.kernel.errors import NotFound
from salus.kernel.ids import new_id
from salus.kernel.time import FakeClock
from salus.platform.tenancy import acting_for

PASSWORD = "umbrella quartz seven lanterns"


@pytest.fixture
def clinic(make_clinic: Callable[..., Organization], clock: FakeClock) -> Organization:
    """A demo organization with one person a role."""
    return make_clinic()


@pytest.fixture
def network() -> str:
    """A network address of this test's own, so that counts of other tests do not matter."""
    return f"10.{new_id().int % 250}.{new_id().int % 251}.{new_id().int % 252}"


def ready(clinic: Organization, role: Role = Role.MARKETER) -> DemoSignIn:
    """Return the ready sign-in of a role, with the code of this moment."""
    return next(each for each in identity.demo_sign_ins(clinic) if each.role is role)


def browser(network: str) -> Client:
    """Return a browser at a network address."""
    return Client(REMOTE_ADDR=network, headers={"host": "localhost", "user-agent": "Firefox Windows"})


def where(answer: HttpResponseBase) -> str:
    """Return the address that an answer leads to, "" for a page."""
    return answer.headers.get("Location", "")


def post_password(client: Client, email: str, password: str, next_: str = "") -> str:
    """Send the first form; return where it leads."""
    return where(client.post("/sign-in", {"email": email, "password": password, "next": next_}))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every hash that a password is compared with."""
    done: list[str] = []
    verify = hashers.Argon2PasswordHasher.verify

    def noting(self: hashers.Argon2PasswordHasher, password: str, encoded: str) -> bool:
        done.append(encoded)
        return verify(self, password, encoded)

    sign_in._nobody()
    monkeypatch.setattr(hashers.Argon2PasswordHasher, "verify", noting)
    return done


def log_of(organization_id: UUID) -> list[tuple[str, str, str]]:
    """Return what the log says about signing in, oldest first."""
    with acting_for(organization_id):
        found = audit.entries(Filters(action="identity:staff:"), limit=500)
    wanted = {Action.STAFF_SIGN_IN, Action.STAFF_SIGN_OUT, Action.STAFF_LOCK_OUT, Action.STAFF_CREDENTIAL}
    entries = sorted((entry.at, entry.id, entry) for entry in found if entry.action in wanted)
    return [(entry.action, entry.outcome, entry.reason) for _, _, entry in entries]


def test_password_then_code_opens_a_session_of_that_organization(clinic: Organization, network: str) -> None:
    person, client = ready(clinic), browser(network)
    assert where(client.get("/account")).startswith("/sign-in")
    assert post_password(client, person.email, person.password, "/account") == "/sign-in/code"
    assert client.get("/account").status_code == 302, "the password alone opens nothing"
    answer = client.post("/sign-in/code", {"code": person.code})
    assert where(answer) == "/account"
    page = client.get("/account")
    assert person.name in page.content.decode()
    assert log_of(clinic.id)[-1] == (Action.STAFF_SIGN_IN, "ok", "totp")


def test_every_failure_says_the_same(clinic: Organization, network: str, settings: object) -> None:
    person = ready(clinic)
    with acting_for(clinic.id):
        gone = staff.create(
            name="Gone",
            email=f"gone@{clinic.slug}.example.org",
            roles=[Role.AUTHOR],
            actor=system(clinic.id, "test"),
            password=PASSWORD,
        )
        staff.change(gone.id, actor=system(clinic.id, "test"), active=False)
        invited = staff.create(
            name="Invited",
            email=f"invited@{clinic.slug}.example.org",
            roles=[Role.AUTHOR],
            actor=system(clinic.id, "test"),
        )
    tries = [
        ("nobody@nowhere.example.org", "x"),
        (person.email, "wrong"),
        (gone.email, PASSWORD),
        (invited.email, ""),
        (invited.email, "!"),
        ("not an address", "x"),
    ]
    said = set()
    for email, password in tries:
        client = browser(network)
        page = client.post("/sign-in", {"email": email, "password": password or "-"})
        assert page.status_code == 200
        said.add(sign_in.REFUSED in page.content.decode())
    assert said == {True}


def test_an_unknown_person_costs_as_much_work_as_a_known_one(
    clinic: Organization, network: str, clock: FakeClock, work: list[str]
) -> None:
    for email in (ready(clinic).email, "nobody@nowhere.example.org"):
        work.clear()
        assert sign_in.password_step(email, "wrong", ip=network, now=clock.now()) is None
        assert len(work) == 1, email
        assert work[0].split("$")[3] == sign_in._nobody().split("$")[3], "with the same parameters"


def test_a_paused_account_costs_the_same_work_too(
    clinic: Organization, network: str, clock: FakeClock, work: list[str]
) -> None:
    person = ready(clinic)
    for _ in range(5):
        sign_in.password_step(person.email, "wrong", ip=network, now=clock.now())
    work.clear()
    assert sign_in.password_step(person.email, person.password, ip=network, now=clock.now()) is None
    assert len(work) == 1


def test_five_failures_pause_the_account_from_everywhere_and_the_pause_ends(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    person = ready(clinic)
    for _ in range(5):
        assert sign_in.password_step(person.email, "wrong", ip=network, now=clock.now()) is None
    assert sign_in.password_step(person.email, person.password, ip="192.0.2.7", now=clock.now()) is None
    clock.advance(timedelta(minutes=14, seconds=59))
    assert sign_in.password_step(person.email, person.password, ip="192.0.2.7", now=clock.now()) is None
    clock.advance(timedelta(seconds=1))
    assert sign_in.password_step(person.email, person.password, ip="192.0.2.7", now=clock.now()) is not None
    said = log_of(clinic.id)
    assert (Action.STAFF_LOCK_OUT, "refused", "too_many_failures") in said
    assert said.count((Action.STAFF_SIGN_IN, "refused", "password")) == 5
    assert said.count((Action.STAFF_SIGN_IN, "refused", "paused")) == 2


def test_a_network_that_guesses_is_paused_without_pausing_the_accounts(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    for number in range(rules.TRIES[rules.GuardKind.NETWORK]):
        sign_in.password_step(
            f"guess-{number}-{network}@nowhere.example.org", "x", ip=network, now=clock.now()
        )
    person = ready(clinic)
    assert sign_in.password_step(person.email, person.password, ip=network, now=clock.now()) is None
    assert sign_in.password_step(person.email, person.password, ip="192.0.2.8", now=clock.now()) is not None


def test_wrong_codes_count_even_for_who_knows_the_password(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    person = ready(clinic)
    for _ in range(rules.TRIES[rules.GuardKind.ACCOUNT]):
        half = sign_in.password_step(person.email, person.password, ip=network, now=clock.now())
        assert half is not None
        assert sign_in.code_step(half, "000000", ip=network, now=clock.now()) is None
    assert half is not None
    assert sign_in.code_step(half, ready(clinic).code, ip=network, now=clock.now()) is None
    assert sign_in.password_step(person.email, person.password, ip=network, now=clock.now()) is None


def test_many_guesses_at_once_are_counted_one_by_one(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    person = ready(clinic)

    def guess(number: int) -> str:
        try:
            guard.reserve(rules.GuardKind.ACCOUNT, person.email, clock.now())
        except guard.Paused:
            return "paused"
        finally:
            connections.close_all()
        return "tried"

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(guess, range(24)))
    assert said.count("tried") == 5


def test_a_code_works_once(clinic: Organization, network: str, clock: FakeClock) -> None:
    person = ready(clinic)
    for expected in (True, False):
        half = sign_in.password_step(person.email, person.password, ip=network, now=clock.now())
        assert half is not None
        assert (sign_in.code_step(half, person.code, ip=network, now=clock.now()) is not None) is expected
    clock.advance(timedelta(seconds=30))
    half = sign_in.password_step(person.email, person.password, ip=network, now=clock.now())
    assert half is not None
    assert sign_in.code_step(half, ready(clinic).code, ip=network, now=clock.now()) is not None


def test_a_code_of_two_minutes_ago_does_not_work(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    person = ready(clinic)
    clock.advance(timedelta(minutes=2))
    half = sign_in.password_step(person.email, person.password, ip=network, now=clock.now())
    assert half is not None
    assert sign_in.code_step(half, person.code, ip=network, now=clock.now()) is None


def test_a_recovery_code_works_once(clinic: Organization, network: str, clock: FakeClock) -> None:
    person = ready(clinic)
    half = sign_in.password_step(person.email, person.password, ip=network, now=clock.now())
    assert half is not None
    with acting_for(clinic.id):
        codes = second_factor.renew_recovery_codes(User.objects.get(pk=half.user_id))
    found = sign_in.code_step(half, codes[3], ip=network, now=clock.now())
    assert found is not None
    assert found[1] == "recovery_code"
    assert sign_in.code_step(half, codes[3], ip=network, now=clock.now()) is None


def test_somebody_without_a_second_factor_can_only_set_one_up(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    email = f"new@{clinic.slug}.example.org"
    with acting_for(clinic.id):
        staff.create(
            name="New",
            email=email,
            roles=[Role.PRIVACY_OFFICER],
            actor=system(clinic.id, "test"),
            password=PASSWORD,
        )
    client = browser(network)
    assert post_password(client, email, PASSWORD) == "/sign-in/set-up"
    assert client.get("/account").status_code == 302
    assert where(client.get("/sign-in/code")) == "/sign-in"
    first = client.get("/sign-in/set-up").context["uri"]
    assert client.get("/sign-in/set-up").context["uri"] == first, "reloading keeps the secret"
    secret = first.partition("secret=")[2].partition("&")[0]
    wrong = client.post("/sign-in/set-up", {"code": "000000"})
    assert "not the code" in wrong.content.decode()
    done = client.post("/sign-in/set-up", {"code": second_factor.code_now(secret, clock.now())})
    assert len(done.context["codes"]) == 10
    assert client.get("/account").status_code == 200
    assert (Action.STAFF_CREDENTIAL, "ok", "") in log_of(clinic.id)


def test_taking_the_second_factor_away_ends_open_sessions(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    client = signed_in(clinic, network)
    with acting_for(clinic.id):
        second_factor.remove(User.objects.get(email=ready(clinic).email))
    assert where(client.get("/account")).startswith("/sign-in")


def test_secrets_of_second_factors_are_sealed_in_the_database(clinic: Organization) -> None:
    secret = ready(clinic).otpauth.partition("secret=")[2].partition("&")[0]
    with acting_for(clinic.id), connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert len(stored) > 1000
    assert secret not in stored


def test_a_demo_sign_in_is_refused_when_the_server_listens_to_others(
    clinic: Organization, network: str, clock: FakeClock, settings: object
) -> None:
    person = ready(clinic)
    settings.SALUS_LOOPBACK = False  # type: ignore[attr-defined]
    assert sign_in.password_step(person.email, person.password, ip=network, now=clock.now()) is None
    assert log_of(clinic.id)[-1] == (Action.STAFF_SIGN_IN, "refused", "demo_off_loopback")


def test_ready_sign_ins_exist_in_a_demo_only(make_clinic: Callable[..., Organization]) -> None:
    real = make_clinic(demo=False)
    assert identity.demo_sign_ins(real) == ()
    with pytest.raises(Exception, match="demo organization only"):
        identity.create_demo_staff(real)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example.org/",
        "//evil.example.org",
        "/\\evil.example.org",
        "javascript:alert(1)",
        "account",
        "\t//evil.example.org",
    ],
)
def test_sign_in_sends_nobody_to_another_site(clinic: Organization, network: str, elsewhere: str) -> None:
    person, client = ready(clinic), browser(network)
    post_password(client, person.email, person.password, elsewhere)
    assert where(client.post("/sign-in/code", {"code": person.code})) == "/"


def signed_in(clinic: Organization, network: str) -> Client:
    """Return a browser in which the marketer has signed in by hand."""
    person, client = ready(clinic), browser(network)
    post_password(client, person.email, person.password)
    assert client.post("/sign-in/code", {"code": person.code}).status_code == 302
    return client


def test_a_session_key_that_somebody_else_planted_is_worth_nothing(
    clinic: Organization, network: str
) -> None:
    person, client = ready(clinic), browser(network)
    planted = "plantedbysomebodyelse12345678901"
    client.cookies["salus_session"] = planted
    post_password(client, person.email, person.password)
    half = client.cookies["salus_session"].value
    client.post("/sign-in/code", {"code": person.code})
    whole = client.cookies["salus_session"].value
    assert len({planted, half, whole}) == 3, "each step gives a fresh key"
    assert client.get("/account").status_code == 200
    for old in (planted, half):
        thief = browser(network)
        thief.cookies["salus_session"] = old
        assert thief.get("/account").status_code == 302


def test_fifteen_quiet_minutes_end_the_session_for_good(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    client = signed_in(clinic, network)
    clock.advance(timedelta(minutes=14))
    assert client.get("/account").status_code == 200
    clock.advance(timedelta(minutes=15))
    away = client.get("/account")
    assert "ended=idle" in where(away)
    assert "away for 15 minutes" in client.get(where(away)).content.decode()
    assert client.get("/account").status_code == 302
    assert log_of(clinic.id)[-1] == (Action.STAFF_SIGN_OUT, "ok", "idle")


def test_a_poll_does_not_keep_a_session_alive_and_a_sign_of_life_does(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    client = signed_in(clinic, network)
    for _ in range(3):
        clock.advance(timedelta(minutes=5))
        answer = client.get("/account", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"].startswith("/sign-in?ended=idle")
    clock.advance(timedelta(seconds=30))
    client = signed_in(clinic, network)
    for _ in range(3):
        clock.advance(timedelta(minutes=10))
        assert client.post("/session/alive").status_code == 204
    assert client.get("/account").status_code == 200


def test_twelve_hours_end_even_a_busy_session(clinic: Organization, network: str, clock: FakeClock) -> None:
    client = signed_in(clinic, network)
    for _ in range(71):
        clock.advance(timedelta(minutes=10))
        assert client.post("/session/alive").status_code == 204
    clock.advance(timedelta(minutes=10))
    assert "ended=absolute" in where(client.get("/account"))


def test_signing_out_ends_the_session_in_the_database(clinic: Organization, network: str) -> None:
    client = signed_in(clinic, network)
    key = client.cookies["salus_session"].value
    client.post("/sign-out")
    again = browser(network)
    again.cookies["salus_session"] = key
    assert again.get("/account").status_code == 302
    assert log_of(clinic.id)[-1] == (Action.STAFF_SIGN_OUT, "ok", "asked")


def test_whoever_reads_the_session_table_cannot_enter_with_it(clinic: Organization, network: str) -> None:
    client = signed_in(clinic, network)
    key = client.cookies["salus_session"].value
    assert not Session.objects.filter(session_key=key).exists()
    for stored in Session.objects.values_list("session_key", flat=True):
        thief = browser(network)
        thief.cookies["salus_session"] = stored
        assert thief.get("/account").status_code == 302


def test_a_new_password_ends_the_other_sessions_and_not_this_one(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    other = signed_in(clinic, network)
    clock.advance(timedelta(seconds=30))
    client = signed_in(clinic, network)
    answer = client.post("/account/password", {"old": ready(clinic).password, "new": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"old": "wrong", "new": PASSWORD}, "not your present password"),
        ({"old": None, "new": "short"}, "at least 12 characters"),
        ({"old": None, "new": "password1234"}, "too common"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    clinic: Organization, network: str, given: dict[str, str | None], said: str
) -> None:
    client = signed_in(clinic, network)
    page = client.post(
        "/account/password", {"old": given["old"] or ready(clinic).password, "new": given["new"]}
    )
    assert said in page.content.decode()
    with acting_for(clinic.id):
        assert User.objects.get(email=ready(clinic).email).check_password(ready(clinic).password)


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-out", "/session/alive", "/account/password", "/account/theme"]
)
def test_a_form_from_another_site_is_refused(clinic: Organization, network: str, path: str) -> None:
    client = signed_in(clinic, network)
    client.handler.enforce_csrf_checks = True
    answer = client.post(path, {"theme": "dark"})
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert client.get("/account").status_code == 200


def test_an_invitation_works_once_and_ends_what_was_before(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    client = signed_in(clinic, network)
    actor = system(clinic.id, "test")
    with acting_for(clinic.id):
        person = User.objects.get(email=ready(clinic).email)
        first = identity.invite_staff(person.pk, actor=actor)
        clock.advance(timedelta(seconds=1))
        second = identity.invite_staff(person.pk, actor=actor)
    assert client.get("/account").status_code == 302
    guest = browser(network)
    assert guest.get(first).status_code == 404, "a newer invitation replaces an older one"
    assert where(guest.post(second, {"password": PASSWORD, "again": PASSWORD})) == "/sign-in/set-up"
    assert browser(network).get(second).status_code == 404
    assert browser(network).get(second[:-4] + "AAAA").status_code == 404


def test_an_invitation_is_over_after_three_days(clinic: Organization, network: str, clock: FakeClock) -> None:
    with acting_for(clinic.id):
        person = User.objects.get(email=ready(clinic).email)
        path = identity.invite_staff(person.pk, actor=system(clinic.id, "test"))
    clock.advance(rules.INVITATION - timedelta(minutes=1))
    assert browser(network).get(path).status_code == 200
    clock.advance(timedelta(minutes=2))
    assert browser(network).get(path).status_code == 404


def test_a_password_step_waits_ten_minutes_for_the_code(
    clinic: Organization, network: str, clock: FakeClock
) -> None:
    person, client = ready(clinic), browser(network)
    post_password(client, person.email, person.password)
    clock.advance(timedelta(minutes=11))
    assert where(client.post("/sign-in/code", {"code": ready(clinic).code})) == "/sign-in"


def test_nobody_is_found_outside_the_doorway(clinic: Organization) -> None:
    assert User.objects.count() == 0
    with acting_for(clinic.id):
        assert User.objects.count() == len(Role)
        with pytest.raises(NotFound):
            staff.get(new_id())


def test_old_sessions_and_counts_are_forgotten(clinic: Organization, network: str, clock: FakeClock) -> None:
    signed_in(clinic, network)
    sign_in.password_step(f"x{network}@nowhere.example.org", "x", ip=network, now=clock.now())
    assert identity.forget_old(clock.now() + timedelta(days=2)) >= 2


@pytest.fixture(autouse=True)
def quick(fast_passwords: None) -> Iterator[None]:
    """Hash passwords quickly, and compare with a nobody hashed as quickly."""
    sign_in._nobody.cache_clear()
    yield
    sign_in._nobody.cache_clear()
