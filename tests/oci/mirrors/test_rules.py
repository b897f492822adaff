# SPDX-License-Identifier: Apache-2.0
"""Which places are asked for a repository, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidReference
from okd_payload.oci.mirrors.rules import (
    Mirror,
    MirrorRule,
    MirrorRules,
    Pulls,
    check_location,
    check_prefix,
    join_rules,
)
from okd_payload.oci.reference import parse_reference


def places(text, *rules):
    """The repositories that are asked for ``text``."""
    found = MirrorRules(rules=rules).places(parse_reference(text))
    return [place.reference.repository for place in found]


def rule(prefix, *mirrors, **options):
    """A rule with mirrors."""
    return MirrorRule(prefix=prefix, mirrors=tuple(map(Mirror, mirrors)), **options)


def test_without_a_rule_the_source_is_asked():
    """What no rule is about is read where its name says."""
    assert places("quay.test/okd/etcd", rule("other.test", "m.test")) == ["quay.test/okd/etcd"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("quay.test", "m.test/x/okd/content"),
        ("quay.test/okd", "m.test/x/content"),
        ("quay.test/okd/content", "m.test/x"),
        ("*.test", "m.test/x/okd/content"),
        ("*.test/okd", "m.test/x/content"),
    ],
)
def test_mirrors_come_first_and_keep_the_path_below_the_prefix(prefix, expected):
    """The prefix is replaced, what is below it stays, and the source is asked last."""
    found = places("quay.test/okd/content", rule(prefix, "m.test/x"))
    assert found == [expected, "quay.test/okd/content"]


@pytest.mark.parametrize(
    "prefix", ["quay.test/ok", "quay.tes", "uay.test", "*.quay.test", "*.test/other", "a.quay.test"]
)
def test_parts_of_names_are_no_prefix(prefix):
    """A prefix ends where a part of the name ends, and a wildcard is about hosts below a domain."""
    assert places("quay.test/okd/content", rule(prefix, "m.test")) == ["quay.test/okd/content"]


def test_another_port_is_another_host():
    """A mirror for a host is none for another registry on the same machine."""
    assert places("quay.test:5000/a", rule("quay.test", "m.test"), rule("*.test", "m.test")) == [
        "quay.test:5000/a"
    ]
    assert places("quay.test:5000/a", rule("quay.test:5000", "m.test"))[0] == "m.test/a"


def test_the_longest_match_counts_alone():
    """Of several rules only the nearest one is followed, a name before a wildcard."""
    rules = [
        rule("quay.test", "host.test"),
        rule("quay.test/okd", "path.test"),
        rule("*.test", "w.test"),
    ]
    assert places("quay.test/okd/a", *rules) == ["path.test/a", "quay.test/okd/a"]
    assert places("quay.test/b", *rules) == ["host.test/b", "quay.test/b"]
    assert places("other.test/b", *rules) == ["w.test/b", "other.test/b"]


def test_the_order_of_mirrors_is_kept():
    """Administrators put the best mirror first."""
    assert places("q.test/a", rule("q.test", "b.test", "a.test")) == [
        *("b.test/a", "a.test/a", "q.test/a")
    ]


def test_a_blocked_source_is_never_contacted():
    """Mirrors alone are asked, or nobody."""
    assert places("q.test/a", rule("q.test", "m.test", blocked=True)) == ["m.test/a"]
    assert places("q.test/a", rule("q.test", blocked=True)) == []


def test_a_mirror_may_be_blocked_too():
    """What may not be contacted may not be contacted as somebody's mirror either."""
    rules = [rule("q.test", "m.test", "n.test"), rule("m.test", blocked=True)]
    assert places("q.test/a", *rules) == ["n.test/a", "q.test/a"]


def test_a_source_may_be_elsewhere():
    """The location stands for the prefix, the last place as before."""
    moved = rule("q.test/okd", "m.test", location="real.test/x")
    assert places("q.test/okd/a", moved) == ["m.test/a", "real.test/x/a"]


def test_hosts_of_mirrors():
    """Which hosts are mirrors decides how long they are waited for."""
    rules = MirrorRules(rules=(rule("q.test", "a.test:5000/x", "b.test"), rule("r.test", "b.test")))
    assert rules.mirror_hosts == {"a.test:5000", "b.test"}


def test_digests_and_tags():
    """A mirror may be for one of them only."""
    assert [pulls.allows(by_digest=True) for pulls in Pulls] == [True, True, False]
    assert [pulls.allows(by_digest=False) for pulls in Pulls] == [True, False, True]


def test_of_two_sources_of_rules_the_first_counts():
    """What is given on the command line beats the machine's configuration, prefix by prefix."""
    first = MirrorRules(rules=(rule("q.test", "a.test"),), lenient_hosts=frozenset({"a.test"}))
    second = MirrorRules(rules=(rule("q.test", "b.test"), rule("r.test", "b.test")))
    joined = join_rules([first, second])
    assert [each.mirrors[0].location for each in joined.rules] == ["a.test", "b.test"]
    assert joined.lenient_hosts == {"a.test"}


@pytest.mark.parametrize(
    "text", ["q.test", "q.test:5000", "q.test/a/b", "localhost", "[::1]:5000/a"]
)
def test_locations(text):
    """Hosts and paths of hosts are places."""
    assert check_location(text) == check_prefix(text) == text


@pytest.mark.parametrize("text", ["", "q", "q.test/", "q.test/a:tag", "q.test/A", "https://q.test"])
def test_what_is_no_place(text):
    """Anything else is refused."""
    with pytest.raises(InvalidReference):
        check_location(text)


def test_wildcards_are_for_prefixes():
    """A source may be a domain, a mirror is one place."""
    assert check_prefix("*.q.test") == "*.q.test"
    with pytest.raises(InvalidReference):
        check_location("*.q.test")


_NAMES = st.from_regex(r"[a-c]{1,2}\.test(/[a-c]{1,2}){0,3}", fullmatch=True)


@given(repository=_NAMES, prefix=_NAMES)
def test_a_prefix_matches_itself_and_what_is_below(repository, prefix):
    """The rule for matching, said in another way: whole steps of the path."""
    steps, wanted = repository.split("/"), prefix.split("/")
    expected = len(prefix) if steps[: len(wanted)] == wanted else 0
    assert MirrorRule(prefix=prefix).match(repository) == expected
