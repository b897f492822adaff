# SPDX-License-Identifier: Apache-2.0
"""The report of a run, as it would be attached to a pull request."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytestmark = pytest.mark.integration

LOADING = {"src", "srcset", "data", "poster", "background", "action", "formaction"}
VOID = {"meta", "br", "hr", "img", "input", "link", "col", "wbr"}


class Page(HTMLParser):
    """What a browser would make of a page: its text, its tags, and what it would fetch."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.handlers: list[str] = []
        self._open: list[str] = []
        content = path.read_text(encoding="utf-8")
        self.feed(content)
        self.close()
        assert self._open == []
        self.fetched += re.findall(r"@import|url\((?!['\"]?(?:#|data:))[^)]*\)", content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self._open.append(tag)
        for name, value in attributes:
            if name in LOADING or (name.endswith("href") and tag in ("link", "use", "image")):
                self.fetched.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(folder: Path) -> tuple[dict[str, Any], Page]:
    """The two files of a report."""
    assert {path.name for path in folder.iterdir()} == {"report.json", "report.html"}
    return msgspec.json.decode((folder / "report.json").read_bytes()), Page(folder / "report.html")


def test_a_report_tells_everything_about_a_success(built) -> None:
    """Components, commits, digests, the lock, the images of the payload, and how to do it again."""
    report, page = read(built.stream.parent / "report")

    assert report["release"] == built.printed["release"]
    assert report["components"] == built.printed["components"]
    for component in report["components"]:
        assert component["name"] in page.text
        assert component["digest"].removeprefix("sha256:")[:12] in page.text
        if component["action"] == "built":
            assert component["commit"][:10] in page.text
            assert component["seconds"] > 0
    for image in report["release"]["images"]:
        assert image["reference"] in page.text
    assert built.digests["release"] in page.text
    assert {log["component"] for log in report["logs"]} >= {"coredns", "base"}
    assert "okd-payload build" in page.text
    assert "sources/coredns" in report["lock"]
    assert "debugging tools need more than busybox" in page.text


def test_a_report_needs_nothing_beside_itself(built) -> None:
    """One well-formed page that fetches nothing and runs nothing of others."""
    _, page = read(built.stream.parent / "report")

    assert page.fetched == []
    assert page.handlers == []
    assert "svg" in page.tags
    assert page.tags.isdisjoint({"link", "iframe", "object", "embed", "base"})


def test_a_report_tells_why_a_build_failed(resumed, quickstart, tmp_path) -> None:
    """The end of the log is in it, whatever is in the log; no release is."""
    dockerfile = quickstart / "sources" / "coredns" / "Dockerfile"
    text = dockerfile.read_text()
    said = r"printf '<script>alert(1)</script>\033[31m%s\n' broken; exit 3;"
    dockerfile.write_text(text.replace("RUN bundle", f"RUN {said} bundle"))

    ended = resumed.run("build", quickstart, "--report", tmp_path / "report")

    report, page = read(tmp_path / "report")
    assert ended.code == 1
    assert report["release"] is None
    actions = {item["name"]: item["action"] for item in report["components"]}
    assert actions["coredns"] == "failed"
    assert report["logs"][0]["component"] == "coredns"
    assert report["logs"][0]["failed"] is True
    assert "<script>alert(1)</script>broken" in page.text
    assert "script" not in page.tags
    assert "\x1b" not in page.text


def test_a_report_tells_what_blocked_a_release(resumed, quickstart, tmp_path) -> None:
    """Issues of the payload are in it, with their codes."""
    references = quickstart / "sources/cluster-dns-operator/manifests/image-references"
    references.write_text(references.read_text().replace("name: coredns", "name: coredsn"))

    ended = resumed.run("build", quickstart, "--report", tmp_path / "report")

    report, page = read(tmp_path / "report")
    assert ended.code == 1
    assert report["release"] is None
    assert [issue["code"] for issue in report["issues"]] == ["missing-operand"]
    assert "missing-operand" in page.text
    assert "coredsn" in page.text


def test_a_report_that_cannot_be_written_is_told(resumed, built, tmp_path) -> None:
    """A file in the way is said, although everything else went well."""
    (tmp_path / "file").write_text("")

    ended = resumed.run("build", built.stream, "--report", tmp_path / "file" / "report")

    assert ended.code == 1
    assert f"cannot write the report in {tmp_path}/file/report" in ended.err
    assert "--report" in ended.err
