# SPDX-License-Identifier: Apache-2.0
"""Streams in files: short to write, strict to read, and followed while they change."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from okd_payload.controller.configuration.durations import format_duration, parse_duration
from okd_payload.controller.configuration.folder import StreamFolder, load_streams, read_stream
from okd_payload.controller.configuration.model import (
    Gate,
    Input,
    PublishAction,
    Retention,
    Runner,
    Schedule,
    StreamConfiguration,
    UpgradeOrigin,
    Verification,
)
from okd_payload.controller.configuration.schema import SCHEMA_FILE, make_schema
from okd_payload.documents import parse_documents
from okd_payload.errors import InputError, InvalidDocument

REFERENCE = Path(__file__).resolve().parents[3] / "docs/reference"
SHORT = """\
apiVersion: okd-payload.io/v1
name: 4.20.0-0.mine
input: {repository: quay.io/me/okd}
content: quay.io/me/okd
releases: quay.io/me/okd-release
"""
LONG = """\
apiVersion: okd-payload.io/v1
kind: ReleaseStream
name: 4.20.0-0.mine
title: Mine
input:
  imageStream: okd/scos-4.20
  mirror: {from: ocp/4.20, exclude: [installer]}
  include: ["*"]
  poll: 30s
  settle: 5m
content: quay.io/me/okd
releases: quay.io/me/okd-release
minInterval: 12h
maxUnready: 2
verify:
  lint: {}
  install:
    runner: command
    command: [./install.sh, --fast]
    environment: {REGION: eu}
    platform: libvirt
    retries: 2
    timeout: 90m
    after: [lint]
    upgradeFrom: {}
  often: {runner: tekton, settings: {pipeline: e2e}, optional: true, runs: 5, required: 3}
publish:
  tag: {tag: scos-4.20, gate: {signed: true, approvals: 2, soak: 1d}}
  mirrors: {copyTo: [quay.io/a/b, ghcr.io/a/b]}
schedules:
  nightly: {cron: "0 3 * * *", zone: Europe/Prague, build: streams/scos.yaml}
  sprint: {every: 504h, promoteTo: 4-scos-stable}
retention: {expires: 72h, keepAccepted: 3}
channels: [stable-scos-4]
"""


def read(text: str) -> StreamConfiguration:
    """The one stream of ``text``."""
    (document,) = parse_documents(text.encode(), path="stream.yaml")
    return read_stream(document)[0]


def test_a_short_file_is_a_stream() -> None:
    """Five lines are enough: all else has a sensible default."""
    assert read(SHORT) == StreamConfiguration(
        name="4.20.0-0.mine",
        input=Input(repository="quay.io/me/okd"),
        content="quay.io/me/okd",
        releases="quay.io/me/okd-release",
        content_name="quay.io/me/okd",
        releases_name="quay.io/me/okd-release",
        max_unready=1,
    )


def test_layouts_are_called_what_they_will_be_published_as() -> None:
    """A payload names repositories that clusters pull from, wherever its images are now."""
    text = SHORT.replace("content: quay.io/me/okd", "content: oci:images").replace(
        "releases: quay.io/me/okd-release", "releases: oci:releases"
    )
    unpublished = read(text)
    assert unpublished.content_name == unpublished.releases_name == "localhost/4.20.0-0.mine"
    named = read(text + "publishedAs: {content: quay.io/a/b, releases: quay.io/a/c}\n")
    assert (named.content, named.content_name) == ("oci:images", "quay.io/a/b")
    assert named.releases_name == "quay.io/a/c"


def test_every_field_is_read() -> None:
    """A file that says everything means what it says."""
    stream = read(LONG)
    assert stream.input == Input(
        image_stream="okd/scos-4.20",
        include=("*",),
        mirror_from="ocp/4.20",
        mirror_exclude=("installer",),
        poll=30.0,
        settle=300.0,
    )
    assert (stream.min_interval, stream.max_unready) == (43200.0, 2)
    lint, install, often = stream.verifications
    assert lint == Verification(name="lint", runner=Runner(kind="builtin"))
    assert install.runner == Runner(
        kind="command", arguments=("./install.sh", "--fast"), environment={"REGION": "eu"}
    )
    assert (install.timeout, install.after) == (5400.0, ("lint",))
    assert install.upgrade == UpgradeOrigin(rule="Previous")
    assert (often.runs, often.required) == (5, 3)
    assert stream.publications == (
        PublishAction(
            name="tag",
            kind="tag",
            targets=("scos-4.20",),
            gate=Gate(signed=True, approvals=2, soak=86400.0),
        ),
        PublishAction(name="mirrors", kind="copy", targets=("quay.io/a/b", "ghcr.io/a/b")),
    )
    assert stream.schedules[0] == Schedule(
        name="nightly",
        kind="build",
        cron="0 3 * * *",
        zone="Europe/Prague",
        stream_file="streams/scos.yaml",
    )
    assert (stream.schedules[1].kind, stream.schedules[1].interval) == ("promote", 504 * 3600.0)
    assert stream.retention == Retention(expires=72 * 3600.0, keep_accepted=3)
    assert stream.channels == ("stable-scos-4",)


def test_the_published_schema_is_that_of_the_type() -> None:
    """Editors know what reading knows, and take what it takes."""
    assert (REFERENCE / SCHEMA_FILE).read_text() == make_schema()
    schema = json.loads(make_schema())
    for text in (SHORT, LONG):
        jsonschema.Draft202012Validator(schema).validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("inpt: {}", "no such field"),
        ("name: '-x'", "'-x' is not accepted here"),
        ("minInterval: soon", "'soon' is not accepted here"),
        ("verify: {a: {runner: jenkins}}", "'jenkins' is not accepted here"),
        ("publish: {a: {}}", "one of tag, copyTo"),
        ("publish: {a: {tag: x, copyTo: [y]}}", "one of tag, copyTo"),
        ("schedules: {a: {build: x}}", "one of cron and every"),
        ("input: {repository: a, file: b}", "only one of repository"),
        ("verify: {a: {upgradeFrom: {release: x, stream: y}}}", "in one way"),
        ("verify: {a: {upgradeFrom: {atLeast: 4.19.0, rule: Previous}}}", "in one way"),
        ("verify: {a: {upgradeFrom: {stream: x, rule: PreviousMinor}}}", "in one way"),
        ("schedules: {a: {every: 1h, verify: {runs: 5, retries: 1}}}", "once each time: .*retries"),
        ("schedules: {a: {every: 1h, verify: {disabled: true}}}", "once each time: disabled"),
        ("apiVersion: okd-payload.io/v9", "not accepted here"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, words: str) -> None:
    """A mistake is refused before anything runs, with the place and what would be right."""
    name = line.partition(":")[0]
    kept = [each for each in SHORT.splitlines() if not each.startswith(f"{name}:")]
    with pytest.raises(InvalidDocument, match=words) as caught:
        read("\n".join([*kept, line]) + "\n")
    assert caught.value.line > 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("verify: {a: {after: [b]}}", "waits for b"),
        ("verify: {a: {after: [b]}, b: {after: [a]}}", "wait for each other"),
        ("verify: {a: {asynchronous: true}}", "must be optional"),
        ("verify: {a: {runs: 2, required: 3}}", "needs 3 successes of 2"),
        ("verify: {a-2: {}}", "dash and a number"),
        ("verify: {a: {runner: command}}", "has no command"),
        ("verify: {a: {upgradeFrom: {below: soon}}}", "starts an update at soon, which is no"),
        ("verify: {a: {}}\nschedules: {a: {every: 1h, verify: {}}}", "called as a verification is"),
        ("schedules: {a: {cron: whenever, build: x}}", "cannot be read"),
        ("schedules: {a: {every: 1h, zone: Mars, build: x}}", "Mars"),
        ("content: ''", "content names no repository"),
        ("releases: ''", "releases names no repository"),
        ("input: {}", "nothing to watch"),
        ("content: 'oci:here'\ninJob: true", "content is on a disk of this machine"),
        ("input: {release: 'quay.io/a/b:1', mirror: {from: quay.io/c/d}}", "input.mirror copies"),
        ("releases: 'oci:here'\nstable: true\ninJob: true", "releases is on a disk of this"),
        ("channels: [a/b]", "no cluster can ask for the channel a/b"),
        ("publish: {a: {copyTo: ['http://foo']}}", "copies to http://foo, which is no"),
        ("publish: {a: {imageStream: a/b/c}}", "a/b/c, which is no NAMESPACE/NAME"),
        ("publish: {a: {signWith: key}}", "says no signatureStores"),
        ("publish: {a: {tag: x, gate: {signed: true}}}", "nothing signs here by signWith"),
        ("publish: {a: {tag: x, gate: {signed: true, keys: [k]}}}", "not name both keys and"),
    ],
)
def test_what_contradicts_itself_is_an_issue(tmp_path: Path, line: str, words: str) -> None:
    """A stream with an error is left out, and the others stay."""
    name = line.partition(":")[0]
    kept = [each for each in SHORT.splitlines() if not each.startswith(f"{name}:")]
    (tmp_path / "a.yaml").write_text("\n".join([*kept, line]) + "\n")
    (tmp_path / "b.yaml").write_text(SHORT.replace("0.mine", "0.other"))
    loaded = load_streams(tmp_path)
    assert set(loaded.streams) == {"4.20.0-0.other"}
    assert any(words in issue.message for issue in loaded.issues)


def test_streams_that_are_named_must_be_there(tmp_path: Path) -> None:
    """A stream to compare with, to update from or to promote to is asked for by name."""
    extra = "compareWith: [a]\nverify: {u: {upgradeFrom: {stream: b}}}\n"
    extra += "schedules: {s: {every: 1h, promoteTo: c}}\n"
    (tmp_path / "a.yaml").write_text(SHORT + extra)
    issues = load_streams(tmp_path).issues
    assert [issue.code for issue in issues] == ["unknown-release-stream"] * 3


def risk(message: str) -> str:
    """An update that carries the risk Slow."""
    fields = f"name: Slow, message: {message}, url: 'https://x.test/a?b=%20'"
    return f"edges: [{{from: '*', to: '*', risk: {{{fields}}}}}]\n"


@pytest.mark.parametrize(("other", "found"), [("it waits", 0), ("it hangs", 1)])
def test_a_risk_has_one_meaning(tmp_path: Path, other: str, found: int) -> None:
    """Over all streams: their releases meet in one graph."""
    (tmp_path / "a.yaml").write_text(SHORT + risk("it waits"))
    (tmp_path / "b.yaml").write_text(SHORT.replace("0.mine", "0.other") + risk(other))
    loaded = load_streams(tmp_path)
    assert [issue.code for issue in loaded.issues] == ["ambiguous-risk"] * found
    assert len(loaded.streams) == 2


@pytest.mark.parametrize("url", ["https://x.test/%zz", "http://[::1", "https://a b", "x.test"])
def test_an_address_that_no_cluster_can_parse_is_refused(tmp_path: Path, url: str) -> None:
    """It would cost clusters the status of their version."""
    text = risk("it waits").replace("https://x.test/a?b=%20", url)
    (tmp_path / "a.yaml").write_text(SHORT + text)
    (issue,) = load_streams(tmp_path).issues
    assert "url" in issue.message


def test_two_files_of_one_stream_are_told(tmp_path: Path) -> None:
    """The first counts; several streams in one file are fine."""
    (tmp_path / "a.yaml").write_text(SHORT + "---\n" + SHORT.replace("0.mine", "0.other"))
    (tmp_path / "b.json").write_text(json.dumps({"name": "4.20.0-0.mine", "to": "release"}))
    loaded = load_streams(tmp_path)
    assert set(loaded.streams) == {"4.20.0-0.mine", "4.20.0-0.other"}
    assert loaded.streams["4.20.0-0.mine"].content
    assert [issue.code for issue in loaded.issues] == ["duplicate-release-stream"]
    with pytest.raises(InputError, match="no folder"):
        load_streams(tmp_path / "nowhere")


def test_a_folder_is_followed_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    """What was right stays until it is right again; what is taken away goes."""
    path = tmp_path / "a.yaml"
    path.write_text(SHORT)
    (tmp_path / "b.yaml").write_text(SHORT.replace("0.mine", "0.other"))
    folder = StreamFolder(tmp_path)
    assert set(folder()) == {"4.20.0-0.mine", "4.20.0-0.other"}
    path.write_text(SHORT + "nonsense: true\n")
    assert set(folder()) == {"4.20.0-0.mine", "4.20.0-0.other"}
    assert [issue.code for issue in folder.issues] == ["invalid-stream-configuration"]
    assert folder() is folder()
    path.write_text(SHORT + "maxUnready: 7\n")
    os.utime(path, ns=(1, 1))
    assert folder()["4.20.0-0.mine"].max_unready == 7
    path.unlink()
    assert set(folder()) == {"4.20.0-0.other"}


def test_what_editors_and_clusters_leave_is_no_stream(tmp_path: Path) -> None:
    """Locks that lead nowhere, copies, and the folders in which a cluster changes ConfigMaps."""
    folder = tmp_path / "streams"
    data = folder / "..2026_11_26"
    data.mkdir(parents=True)
    (data / "a.yaml").write_text(SHORT)
    (folder / "..data").symlink_to(data.name)
    (folder / "a.yaml").symlink_to("..data/a.yaml")
    found = StreamFolder(folder)
    assert set(found()) == {"4.20.0-0.mine"}
    (folder / ".#a.yaml").symlink_to("somebody@machine.1234")
    (folder / ".a.yaml").write_text("half of")
    assert set(found()) == {"4.20.0-0.mine"}
    assert found.issues == ()
    after = folder / "..2026_11_27"
    after.mkdir()
    (after / "a.yaml").write_text(SHORT.replace("0.mine", "0.other"))
    (folder / "..data.new").symlink_to(after.name)
    (folder / "..data.new").rename(folder / "..data")
    assert set(found()) == {"4.20.0-0.other"}


def test_a_folder_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    """It is told, and what is there when it comes back counts again."""
    folder = tmp_path / "streams"
    folder.mkdir()
    (folder / "a.yaml").write_text(SHORT)
    (folder / "b.yaml").symlink_to("nowhere")
    found = StreamFolder(folder)
    assert [issue.code for issue in found.issues] == ["invalid-stream-configuration"]
    folder.rename(tmp_path / "away")
    assert set(found()) == {"4.20.0-0.mine"}
    assert "no folder" in found.issues[0].message
    (tmp_path / "away" / "b.yaml").unlink()
    (tmp_path / "away").rename(folder)
    assert set(found()) == {"4.20.0-0.mine"}
    assert found.issues == ()


def test_durations_are_read_as_go_writes_them() -> None:
    """Hours, minutes, fractions and days; nothing else."""
    for text, seconds in (
        ("72h", 259200),
        ("1h30m", 5400),
        ("0", 0),
        ("1.5s", 1.5),
        ("2d", 172800),
    ):
        assert parse_duration(text) == seconds
    for text in ("3 days", "", "h", "-1h", "1", "1h 2m"):
        with pytest.raises(ValueError, match="no duration"):
            parse_duration(text)
    for seconds, text in ((0, "0s"), (59, "59s"), (3661, "1h 1m"), (90061, "1d 1h")):
        assert format_duration(seconds) == text
