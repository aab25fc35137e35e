"""Plans of shaping: read from files with every fault in its place, laid over each other, matched by mail hosts."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from salus.delivery import site
from salus.kernel.errors import BadInput
from salus.shaping import api, layers, patterns, rules
from salus.shaping.contracts import Act, Mail, Plan, Rate, Whose
from salus.shaping.document import read
from salus.shaping.files import NAME, ours

RULE = '[[default.on]]\nid = "x"\nmatch = "x"\ndo = "suspend"\nfor = "1 h"\n'
POOL = '[pool.main]\n[[pool.main.source]]\nname = "mta1.clinic.example"\naddresses = ["203.0.113.9"]\n'


def planned(*texts: str, organization: str = "") -> Plan:
    documents = [ours(), *(read(text, f"{number}.toml") for number, text in enumerate(texts))]
    return layers.plan(documents, organization)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"), "google"),
        (("mta5.am0.yahoodns.net",), "yahoo"),
        (("clinic-org.mail.protection.outlook.com",), "microsoft"),
        (("mx00.mail.com", "mx01.gmx.net"), "gmx"),
        (("smtp-in.orange.fr",), "orange"),
        (("mx1.clinic.example",), "default"),
        (("mx00.gmx.net", "mx.clinic.example"), "default"),
        (("evilgmx.net",), "default"),
    ],
)
def test_a_destination_is_found_by_its_mail_hosts(hosts: tuple[str, ...], expected: str) -> None:
    found, is_named = rules.destination(planned(), site.of_hosts(hosts), hosts)
    assert (found.name, is_named) == (expected, expected != "default")


def test_what_is_shipped_is_stricter_for_the_large_providers_and_has_no_rate_for_others() -> None:
    plan = planned()
    assert plan.default.limits.message_rate is None
    for name in ("google", "microsoft", "apple"):
        assert plan.sites[name].limits.connections <= 5
        assert plan.sites[name].rules, name
    assert {"month"} <= set(plan.curves)


@pytest.mark.parametrize(
    ("provider", "code", "enhanced", "text", "act", "whose"),
    [
        (
            "google",
            421,
            "4.7.28",
            "Gmail has detected an unusual rate of mail originating from your IP address",
            Act.THROTTLE,
            Whose.EVERYBODY,
        ),
        (
            "yahoo",
            421,
            "4.7.0",
            "[TSS04] Messages from 203.0.113.9 temporarily deferred due to user complaints",
            Act.SUSPEND,
            Whose.EVERYBODY,
        ),
        (
            "microsoft",
            550,
            "5.7.1",
            "Unfortunately, messages from [203.0.113.9] weren't sent, since part of their network is on our block list (S3140)",
            Act.SUSPEND,
            Whose.EVERYBODY,
        ),
        ("apple", 421, "", "[HCM1] Your mail from 203.0.113.9 was deferred", Act.SUSPEND, Whose.EVERYBODY),
        ("comcast", 421, "4.1.0", "Throttled - see RL000010", Act.SUSPEND, Whose.ORGANIZATION),
        ("default", 421, "4.7.0", "Too many connections from your host", Act.THROTTLE, Whose.ORGANIZATION),
        ("default", 451, "", "sending limit exceeded", Act.THROTTLE, Whose.ORGANIZATION),
    ],
)
def test_what_providers_are_known_to_say_sets_something_off(
    provider: str, code: int, enhanced: str, text: str, act: Act, whose: Whose
) -> None:
    plan = planned()
    found = rules.rule_for(plan.sites.get(provider, plan.default).rules, code, enhanced, text)
    assert found
    assert (found.act, found.whose) == (act, whose)


def test_a_refusal_of_one_address_sets_nothing_off() -> None:
    plan = planned()
    for each in (plan.default, *plan.sites.values()):
        assert not rules.rule_for(
            each.rules, 550, "5.1.1", "The email account that you tried to reach does not exist"
        )
        assert not rules.rule_for(each.rules, 452, "4.2.2", "The recipient's mailbox is over quota")


def test_later_files_win_setting_by_setting_and_an_organization_over_all() -> None:
    everybody = '[site.google]\nconnections = 3\nmessage_rate = "20/s"\n'
    own = '[organization.cedar-row.site.google]\nmessage_rate = "none"\nconnections = 2\n'
    plan = planned(everybody, own)
    google = plan.sites["google"].limits
    assert (google.connections, google.messages_per_connection) == (3, 50)
    assert google.message_rate == Rate(20, 1.0)
    theirs = planned(everybody, own, organization="cedar-row").sites["google"]
    assert (theirs.limits.connections, theirs.limits.message_rate) == (2, None)
    assert theirs.has_own_limits
    assert not plan.sites["google"].has_own_limits


def test_a_rule_takes_the_place_of_another_or_switches_it_off() -> None:
    text = "unusual rate of mail"
    assert rules.rule_for(planned().sites["google"].rules, 421, "4.7.28", text)
    off = '[[site.google.on]]\nid = "google-unusual-rate"\ndo = "nothing"\n'
    assert not any(each.id == "google-unusual-rate" for each in planned(off).sites["google"].rules)
    other = off.replace('"nothing"', '"suspend"\nmatch = "unusual"\nfor = "5 min"')
    found = rules.rule_for(planned(other).sites["google"].rules, 421, "4.7.28", text)
    assert found
    assert (found.act, found.lasts) == (Act.SUSPEND, timedelta(minutes=5))


def test_what_is_said_of_a_destination_wins_over_what_is_said_of_all_whichever_file_says_it() -> None:
    plan = planned("[default]\nmessages_per_connection = 7\nconnections = 2\n")
    assert plan.sites["google"].limits.messages_per_connection == 50
    assert plan.default.limits.messages_per_connection == 7
    assert plan.default.limits.connections_at_first == 2, "never more at first than at most"


def test_the_first_pool_that_fits_is_taken() -> None:
    one = POOL + 'for = ["transactional"]\n'
    # TOML wants a table's own words before its tables of tables.
    one = one.replace(
        "[pool.main]\n", '[pool.main]\nfor = ["transactional"]\norganizations = ["cedar-row"]\n', 1
    )
    one = one.removesuffix('for = ["transactional"]\n')
    every = POOL.replace("main", "all").replace("mta1", "mta2").replace(".9", ".10")
    plan = planned(one, every)
    named = {
        (slug, mail): found.name if (found := api.pool_for(plan, slug, mail)) else ""
        for slug in ("cedar-row", "hill")
        for mail in Mail
    }
    assert named == {
        ("cedar-row", Mail.TRANSACTIONAL): "main",
        ("cedar-row", Mail.CAMPAIGN): "all",
        ("hill", Mail.TRANSACTIONAL): "all",
        ("hill", Mail.CAMPAIGN): "all",
    }


BAD = {
    "syntax": ("connections = \nx = 1", "x.toml", "line 1"),
    "word": ("[default]\nconections = 4\n", "x.toml: default.conections", "Nobody knows"),
    "table": ("default = 4\n", "x.toml: default", "table"),
    "number": ("[default]\nconnections = 0\n", "x.toml: default.connections", "1 to"),
    "bool": ("[default]\nconnections = true\n", "x.toml: default.connections", "whole number"),
    "first": ("[default]\nconnections = 2\nconnections_at_first = 3\n", "x.toml: default", "at first"),
    "rate": ('[default]\nmessage_rate = "fast"\n', "x.toml: default.message_rate", "100/s"),
    "zero rate": ('[default]\nmessage_rate = "0/s"\n', "x.toml: default.message_rate", "100/s"),
    "time": (RULE.replace("1 h", "soon"), "x.toml: default.on[1].for", "30 min"),
    "long": (RULE.replace("1 h", "90 days"), "x.toml: default.on[1].for", "31 days"),
    "act": (RULE.replace("suspend", "explode"), "x.toml: default.on[1].do", "throttle"),
    "pattern": (RULE.replace('match = "x"', 'match = "(x"'), "x.toml: default.on[1].match", "RE2"),
    "look-around": (RULE.replace('match = "x"', "match = '(?=x)'"), "x.toml: default.on[1].match", "RE2"),
    "back-reference": (RULE.replace('match = "x"', "match = '(x)\\1'"), "x.toml: default.on[1].match", "RE2"),
    "no pattern": (RULE.replace('match = "x"\n', ""), "x.toml: default.on[1].match", "pattern"),
    "throttle": (RULE.replace("suspend", "throttle"), "x.toml: default.on[1]", "throttle"),
    "switch": (RULE.replace("suspend", "switch"), "x.toml: default.on[1]", "switch"),
    "no relay": (
        RULE.replace("suspend", "switch") + 'to = "relay:"\n',
        "x.toml: default.on[1].to",
        "small letters",
    ),
    "relay": (
        RULE.replace("suspend", "switch") + 'to = "relay:A b"\n',
        "x.toml: default.on[1].to",
        "small letters",
    ),
    "code": (RULE + "code = [250]\n", "x.toml: default.on[1].code[1]", "400"),
    "status": (RULE + 'enhanced = "2.0.0"\n', "x.toml: default.on[1].enhanced", "4.7.28"),
    "twice": (RULE + RULE, "x.toml: default.on", "one id"),
    "hosts": ('[default]\nhosts = ["a.example"]\n', "x.toml: default.hosts", "name"),
    "host": ('[site.a]\nhosts = ["nodots"]\n', "x.toml: site.a.hosts[1]", "dot"),
    "name": ('[site."A b"]\n', "x.toml: site.A b", "small letters"),
    "address": (POOL.replace("203.0.113.9", "nowhere"), "x.toml: pool.main.source[1].addresses[1]", "IPv4"),
    "two of a kind": (
        POOL.replace('"]', '", "203.0.113.10"]'),
        "x.toml: pool.main.source[1].addresses",
        "one of IPv6",
    ),
    "multicast": (POOL.replace("203.0.113.9", "224.0.0.1"), "x.toml: pool.main.source[1].addresses[1]", "sent"),
    "no day": (POOL + 'warm_up = "month"\n', "x.toml: pool.main.source[1].since", "day"),
    "empty pool": ("[pool.main]\n", "x.toml: pool.main.source", "source"),
    "mail": ('[pool.a]\nfor = ["spam"]\n[[pool.a.source]]\nname = "a.example"\naddresses = ["203.0.113.1"]\n',
             "x.toml: pool.a.for[1]", "transactional"),
    "curve": ("[curve.fast]\ngoogle = [1]\n", "x.toml: curve.fast", "other"),
    "empty day": ("[curve.fast]\nother = []\n", "x.toml: curve.fast.other", "at least one"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "reason"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_place_and_the_reason(text: str, place: str, reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(text, "x.toml")
    assert refused.value.place == place
    assert reason in refused.value.what


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (POOL + 'warm_up = "never"\nsince = 2026-11-01\n', 'no curve "never"'),
        (RULE.replace("suspend", "switch") + 'to = "nowhere"\n', 'no pool "nowhere"'),
        (POOL + POOL.replace("main", "b").replace("mta1", "mta2"), "203.0.113.9 is used twice"),
        (POOL + POOL.replace("main", "b").replace(".9", ".8"), "mta1.clinic.example is used twice"),
    ],
)
def test_what_is_named_has_to_be_there_once(text: str, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        planned(text)


def test_a_file_of_the_home_folder_is_read_with_its_path(tmp_path: Path) -> None:
    assert len(api.documents(tmp_path)) == 1
    (tmp_path / NAME).write_text("[site.google]\nconnections = 2\n")
    assert api.plan(api.documents(tmp_path)).sites["google"].limits.connections == 2
    (tmp_path / NAME).write_text("[organization.hill.site.google]\nconnections = -2\n")
    with pytest.raises(BadInput) as refused:
        api.documents(tmp_path)
    assert refused.value.place == f"{tmp_path / NAME}: organization.hill.site.google.connections"
    (tmp_path / NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="UTF-8"):
        api.documents(tmp_path)


def test_no_pattern_takes_more_than_linear_time() -> None:
    hostile = "a" * 999 + "!"
    began = time.process_time()
    for pattern in ("(a+)+$", "^(a|a)*$", "(.*)*x", "(a*)*(a*)*(a*)*b"):
        patterns.check(pattern, "x")
        assert not patterns.fits(pattern, hostile)
    assert time.process_time() - began < 0.5


def test_of_a_long_reply_the_beginning_is_looked_at() -> None:
    assert patterns.fits("END", "x" * 900 + "end")
    assert not patterns.fits("END", "x" * 1000 + "end")


def test_the_relays_that_rules_switch_to_are_known_by_name() -> None:
    rule = RULE.replace("suspend", "switch") + 'to = "relay:spare"\n'
    other = rule.replace("default", "site.google").replace("spare", "other").replace('id = "', 'id = "g-')
    document = read(rule + other + POOL, "x.toml")
    assert layers.relays(layers.plan([document])) == {"spare", "other"}
