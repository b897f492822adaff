# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: records, the lock, and a report of it all."""

from __future__ import annotations

from pathlib import Path

from releases import make_catalog, put_sources, release
from streams import inline, write_stream
from workshop import Workshop, record

from okd_payload.build.job import LOCK_FILE, make_report
from okd_payload.build.records import read_durations, read_runs
from okd_payload.build.report import write_report
from okd_payload.errors import BuildError
from okd_payload.source.lock import read_lock


async def test_a_run_leaves_its_record_and_its_lock(workshop: Workshop, tmp_path: Path):
    """Both are in the folder of the run, and the lock reads back as it was."""
    put_sources(workshop)
    outcome = await workshop.run(make_catalog(tmp_path))
    assert outcome.record.finished is not None
    assert read_runs(tmp_path / "runs") == [outcome.record]
    assert read_lock(outcome.folder / LOCK_FILE) == outcome.lock


async def test_durations_are_by_tag(workshop: Workshop, tmp_path: Path):
    """The weights of the next plan go by its nodes, which may differ from components' names."""
    catalog = write_stream(
        tmp_path,
        {"base": inline("FROM scratch"), "tools": inline("FROM base", more="tag: tools-rhel9\n")},
    )
    outcome = await workshop.run(catalog)
    assert record(outcome, "tools").tag == "tools-rhel9"
    assert "tools-rhel9" in read_durations([outcome.record])


async def test_a_report_tells_all_of_a_run(workshop: Workshop, tmp_path: Path):
    """Graph, waves, components, release and the lock as it would stand beside the stream."""
    put_sources(workshop)
    catalog = make_catalog(tmp_path)
    frozen = await workshop.freeze(catalog)
    outcome = await workshop.carry_out(frozen, workshop.maker(catalog))
    made = await release(workshop, catalog, outcome)
    report = make_report(
        outcome,
        frozen,
        stream_folder=tmp_path,
        release=made.result,
        issues=made.issues,
        reproduce=("okd-payload build",),
    )
    assert report.waves[0] == ("base",)
    assert report.critical_path[0] == "base"
    assert report.edges["etcd"] == ("base",)
    assert report.release == made.result
    assert {log.component for log in report.logs} == {
        *("base", "cluster-version-operator", "etcd", "etcd-operator", "tools")
    }
    (tmp_path / "again.lock").write_text(report.lock)
    assert read_lock(tmp_path / "again.lock") == outcome.lock
    write_report(report, tmp_path / "report")
    assert made.result is not None
    assert made.result.name in (tmp_path / "report" / "report.html").read_text()


async def test_a_report_of_a_failure_says_what_to_do(workshop: Workshop, tmp_path: Path):
    """The failed build comes with its log and its hint."""
    put_sources(workshop)
    catalog = make_catalog(tmp_path)
    workshop.engine.fail("etcd", BuildError("no rule to make", hint="look into the Makefile"))
    frozen = await workshop.freeze(catalog)
    outcome = await workshop.carry_out(frozen, workshop.maker(catalog))
    report = make_report(
        outcome, frozen, stream_folder=tmp_path, release=None, issues=(), reproduce=()
    )
    assert report.logs[0].failed
    assert "no rule to make" in report.logs[0].tail
    write_report(report, tmp_path / "report")
    html = (tmp_path / "report" / "report.html").read_text()
    assert "look into the Makefile" in html
