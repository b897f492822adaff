# SPDX-License-Identifier: Apache-2.0
"""The report of a run: evidence that can be attached to a pull request.

Two files with the same content: ``report.json`` for programs and ``report.html``, one page
that needs nothing beside itself. Everything foreign in it (logs, names, messages) is escaped.
The report is also written when the run failed, because then it is needed most.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import msgspec

from okd_payload.build.edges import Replacement
from okd_payload.build.graph import Graph
from okd_payload.build.impact.report import Impact
from okd_payload.build.log_text import clean_text
from okd_payload.build.records import Action, ComponentRecord, RunRecord
from okd_payload.errors import StorageError
from okd_payload.issues import Issue
from okd_payload.oci.digest import Digest

TAIL_LINES = 40
_TAIL_BYTES = 64 * 1024


class PayloadImage(msgspec.Struct, frozen=True):
    """One image of the payload."""

    name: str
    reference: str


class ReleaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The release that a run made; the first three fields are a published interface."""

    name: str
    digest: Digest
    reference: str
    images: tuple[PayloadImage, ...] = ()


class LogTail(msgspec.Struct, frozen=True):
    """The last lines of one build's log, control characters taken out."""

    component: str
    tail: str
    failed: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything worth telling about one run."""

    stream: str
    run: str
    started: float
    seconds: float
    release: ReleaseResult | None
    components: tuple[ComponentRecord, ...]
    issues: tuple[Issue, ...]
    waves: tuple[tuple[str, ...], ...]
    critical_path: tuple[str, ...]
    edges: dict[str, tuple[str, ...]]
    """Parents by node."""
    replacements: tuple[Replacement, ...]
    """References of Dockerfiles that got another meaning."""
    lock: str
    logs: tuple[LogTail, ...]
    reproduce: tuple[str, ...]
    impact: Impact | None = None
    """What a change reached; None when no change was asked for."""


def read_log_tails(folder: Path, record: RunRecord) -> tuple[LogTail, ...]:
    """The tails of the logs that ``record`` names, failed builds first."""
    tails = [
        LogTail(item.name, _read_tail(folder / item.log), item.action is Action.FAILED)
        for item in record.components
        if item.log
    ]
    return tuple(sorted(tails, key=lambda tail: (not tail.failed, tail.component)))


def write_report(report: Report, directory: Path) -> None:
    """Write ``report.json`` and ``report.html`` into ``directory``. Raises StorageError."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        content = msgspec.json.format(msgspec.json.encode(report))
        (directory / "report.json").write_bytes(content + b"\n")
        (directory / "report.html").write_text(render_html(report), encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write the report in {directory}: {error.strerror}",
            hint="choose another folder with --report",
        ) from error


def render_html(report: Report) -> str:
    """``report`` as one self-contained page."""
    import jinja2

    from okd_payload.build.drawing import draw_svg

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("okd_payload.build", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = _format_moment
    environment.filters["duration"] = format_duration
    counts = Counter(component.action.value for component in report.components)
    actions = {item.tag or item.name: item.action.value for item in report.components}
    return environment.get_template("report.html").render(
        report=report,
        counts=[(action.value, counts[action.value]) for action in Action if counts[action.value]],
        graph=draw_svg(Graph(report.edges), actions),
    )


def format_duration(seconds: float) -> str:
    """``seconds`` as people say it: 0.8 s, 12 s, 3 min 05 s, 1 h 02 min."""
    whole = round(seconds)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _read_tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            content = file.read(_TAIL_BYTES)
    except OSError:
        return ""
    lines = clean_text(content.decode(errors="replace")).splitlines()
    return "\n".join(lines[-TAIL_LINES:])


def _format_moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
