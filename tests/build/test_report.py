# SPDX-License-Identifier: Apache-2.0
"""The report: complete, self-contained, harmless."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from okd_payload.build.edges import Replacement
from okd_payload.build.log_text import clean_text
from okd_payload.build.plan import NamedBy
from okd_payload.build.records import Action, ComponentRecord, RunRecord
from okd_payload.build.report import (
    LogTail,
    PayloadImage,
    ReleaseResult,
    Report,
    format_duration,
    read_log_tails,
    render_html,
    write_report,
)
from okd_payload.catalog.builders.choice import ChosenVersion, Closeness
from okd_payload.errors import StorageError
from okd_payload.issues import Issue, Severity
from okd_payload.oci.digest import digest_of

DIGEST = digest_of(b"release")
REPORT = Report(
    stream="quickstart",
    run="20260102T030405-1",
    started=1767323045.0,
    seconds=75.2,
    release=ReleaseResult(
        name="4.20.0",
        digest=DIGEST,
        reference=f"registry.example.org/release@{DIGEST}",
        images=(PayloadImage("etcd", f"registry.example.org/content@{DIGEST}"),),
    ),
    components=(
        ComponentRecord(name="base", action=Action.BUILT, digest=DIGEST, commit="c" * 40),
        ComponentRecord(name="etcd", action=Action.FAILED, reason="<script>alert(1)</script>"),
    ),
    issues=(
        Issue(code="private-reference", severity=Severity.ERROR, message="no", permitted="because"),
    ),
    waves=(("base",), ("etcd",)),
    critical_path=("base", "etcd"),
    edges={"base": (), "etcd": ("base",)},
    replacements=(
        Replacement(
            reference="ci.example.com/builder:go-1.20",
            means="builder-go1.21",
            named_by=NamedBy.BUILDER,
            rule="ci.example.com/builder:go-{go}",
            versions=(
                ChosenVersion(kind="go", asked="1.20", given="1.21", closeness=Closeness.HIGHER),
            ),
            images=("etcd",),
        ),
    ),
    lock="components: {}\n",
    logs=(LogTail("etcd", "boom", failed=True),),
    reproduce=("okd-payload build stream.yaml --lock stream.lock",),
)


class LinkCollector(HTMLParser):
    """Collects what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_beside_itself():
    """No script, no style sheet, no picture comes from elsewhere, whatever a build printed."""
    page = LinkCollector()
    page.feed(render_html(REPORT))
    assert page.loaded == []
    assert page.scripts == 0


def test_the_page_tells_what_a_reviewer_asks():
    """Release, digest, commits, failures, permits, the log and how to repeat it are there."""
    html = render_html(REPORT)
    for expected in ["4.20.0", DIGEST, "cccccccccc", "because", "boom", "--lock", "1 min 15 s"]:
        assert expected in html
    assert "&lt;script&gt;alert(1)" in html


def test_builders_that_only_stand_in_are_marked():
    """What was replaced is on the page with the reason, and a near miss is seen at a glance."""
    html = render_html(REPORT)
    assert "ci.example.com/builder:go-1.20" in html
    assert 'class="warning">builder: go 1.20 as 1.21</td>' in html
    assert "<p>None.</p>" in render_html(msgspec.structs.replace(REPORT, replacements=()))


def test_a_run_without_a_release_is_reported_too():
    """The page says that no release was made."""
    assert "none was made" in render_html(msgspec.structs.replace(REPORT, release=None))


def test_both_files_are_written_and_the_json_reads_back(tmp_path: Path):
    """report.json holds the same values as the report."""
    write_report(REPORT, tmp_path / "new")
    assert msgspec.json.decode((tmp_path / "new/report.json").read_bytes(), type=Report) == REPORT
    assert (tmp_path / "new/report.html").read_text().startswith("<!doctype html>")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    """A file in the way gives a StorageError."""
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError):
        write_report(REPORT, tmp_path / "taken")


def test_log_tails_are_short_clean_and_failures_first(tmp_path: Path):
    """Terminal sequences go, only the last lines stay, a failed build comes first."""
    (tmp_path / "a.log").write_bytes(b"\n".join(b"%d" % n for n in range(500)))
    (tmp_path / "b.log").write_bytes(b"\x1b[31mred\x1b[0m\x00 bad \xff\r\nend")
    record = RunRecord(
        id="1",
        stream="s",
        started=0.0,
        components=(
            ComponentRecord(name="a", action=Action.BUILT, log="a.log"),
            ComponentRecord(name="b", action=Action.FAILED, log="b.log"),
            ComponentRecord(name="c", action=Action.FAILED, log="absent.log"),
            ComponentRecord(name="d", action=Action.REUSED),
        ),
    )
    tails = read_log_tails(tmp_path, record)
    assert [tail.component for tail in tails] == ["b", "c", "a"]
    assert tails[0].tail == "red bad \ufffd\nend"
    assert tails[2].tail.splitlines()[0] == "460"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.84, "0.8 s"), (12.4, "12 s"), (185.0, "3 min 05 s"), (3720.0, "1 h 02 min")],
)
def test_durations_read_as_people_say_them(seconds: float, text: str):
    """Seconds become the units people use."""
    assert format_duration(seconds) == text


def test_clean_text_keeps_lines():
    """Line ends of all systems become one, other control characters vanish."""
    assert clean_text("a\r\nb\rc\x07\td") == "a\nb\nc\td"
