# SPDX-License-Identifier: Apache-2.0
"""JUnit results are read as foreign, and what we write can be read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.controller.verification import junit
from okd_payload.controller.verification.junit import (
    CaseOutcome,
    TestCase,
    parse_junit,
    read_junit,
    write_junit,
)
from okd_payload.controller.verification.run_files import LogEnds
from okd_payload.errors import ContentError, TooLarge


def test_results_of_other_programs_are_read() -> None:
    """Suites in suites, failures with and without text, times with commas."""
    found = parse_junit(
        b"""<?xml version="1.0"?>
        <testsuites><testsuite name="outer"><testsuite name="inner">
          <properties><property name="p" value="v"/></properties>
          <testcase name="a" time="1,234.5"/>
          <testcase name="b" classname="c"><failure message="m">deep &amp; text</failure>
            <system-out>not this</system-out></testcase>
          <testcase name="s"><skipped/></testcase></testsuite>
          <testcase name="e"><error>e</error><failure message="second"/></testcase>
        </testsuite></testsuites>"""
    )
    assert found.cases == (
        TestCase(name="a", suite="inner", seconds=1234.5),
        TestCase(name="b", suite="c", outcome=CaseOutcome.FAILED, message="m", text="deep & text"),
        TestCase(name="s", suite="inner", outcome=CaseOutcome.SKIPPED),
        TestCase(name="e", suite="outer", outcome=CaseOutcome.ERROR, text="e"),
    )
    assert [case.name for case in found.failures] == ["b", "e"]
    assert found.count(CaseOutcome.PASSED) == 1


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><testsuite><testcase name="&x;"/></testsuite>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>',
        b"<testsuite><testcase></testsuite>",
        b'<?xml version="1.0" encoding="no-such"?><testsuite/>',
        b'<?xml version="1.0" encoding="big5"?><testsuite/>',
        b'<?xml version="1.0" encoding="idna"?><testsuite/>',
        b'<?xml version="1.0" encoding="rot13"?><testsuite/>',
        b"\x00\x01",
        b"",
    ],
)
def test_what_could_fetch_or_grow_is_refused(content: bytes) -> None:
    """Declarations, and with them entities; encodings of nobody's; and what is no XML."""
    with pytest.raises(ContentError):
        parse_junit(content)


def test_a_file_that_broke_off_still_has_failures() -> None:
    """What was read before stands, and what is wrong is said; no entity is ever expanded."""
    found = read_junit(b'<a><testcase name="n"><failure message="m"/></testcase><testcase')
    assert [case.name for case in found.failures] == ["n"]
    assert "cannot be read" in found.trouble
    exploding = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testcase name="&b;"/>'
    assert "document type" in read_junit(exploding).trouble
    assert read_junit(b"<a/>").trouble == ""


def test_bounds_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size and depth are refused; more cases, longer names and texts are cut."""
    with pytest.raises(TooLarge):
        parse_junit(b"<a>" * 40 + b"</a>" * 40)
    monkeypatch.setattr(junit, "MAX_CASES", 2)
    many = b"<testsuite>" + b'<testcase name="n"/>' * 5 + b"</testsuite>"
    assert (len(parse_junit(many).cases), parse_junit(many).left_out) == (2, 3)
    long = f'<testcase name="{"n" * 5000}"><failure>{"t" * 100_000}</failure></testcase>'
    (case,) = parse_junit(long.encode()).cases
    assert (len(case.name), len(case.text)) == (1024, 16 * 1024)
    monkeypatch.setattr(junit, "MAX_BYTES", 10)
    with pytest.raises(TooLarge):
        parse_junit(many)


TEXT = st.text(max_size=40)
CASES = st.builds(
    TestCase,
    name=TEXT,
    suite=TEXT,
    outcome=st.sampled_from(CaseOutcome),
    message=TEXT,
    text=TEXT,
)


@given(suite=TEXT, cases=st.lists(CASES, max_size=5))
def test_what_is_written_can_be_read(suite: str, cases: list[TestCase]) -> None:
    """Whatever the texts hold: control characters, quotes, halves of pairs."""
    found = parse_junit(write_junit(suite, cases))
    assert [case.outcome for case in found.cases] == [case.outcome for case in cases]
    for read, written in zip(found.cases, cases, strict=True):
        if written.name.isprintable():
            assert read.name == written.name


@given(content=st.binary(max_size=200))
def test_any_bytes_are_results_or_an_error(content: bytes) -> None:
    """Nothing else comes out of reading foreign bytes."""
    with contextlib.suppress(ContentError):
        parse_junit(content)
    read_junit(content)


@given(pieces=st.lists(st.binary(max_size=9), max_size=9))
def test_of_a_long_log_both_ends_are_kept(pieces: list[bytes]) -> None:
    """However it comes; a short one stays as it is."""
    ends = LogEnds(5)
    for piece in pieces:
        ends.take(piece)
    whole = b"".join(pieces)
    if len(whole) <= 10:
        assert ends.content() == whole
    else:
        line = b"\n[... %d bytes left out here ...]\n" % (len(whole) - 10)
        assert ends.content() == whole[:5] + line + whole[-5:]
