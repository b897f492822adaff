# SPDX-License-Identifier: Apache-2.0
"""The commands that tell what happened between two releases, with real repositories."""

from __future__ import annotations

import json
import subprocess

import pytest

from okd_payload.imagestream.openshift import encode_image_stream
from okd_payload.release import labels
from okd_payload.release.metadata import ReleaseMetadata, encode_metadata, make_references
from okd_payload.release.times import EPOCH


@pytest.fixture(autouse=True)
def own_git(monkeypatch, tmp_path):
    """A git that no configuration of this machine reaches, and folders of the test's own."""
    configuration = tmp_path / "gitconfig"
    configuration.write_text(
        "[uploadpack]\nallowFilter = true\n[user]\nname = A. Person\nemail = person@example.com\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(configuration))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("OKD_PAYLOAD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OKD_PAYLOAD_STATE", str(tmp_path / "state"))


@pytest.fixture
def two_releases(tmp_path, tag):
    """Folders of two releases; the component of the second has two more changes."""
    source = tmp_path / "source"
    source.mkdir()

    def git(*arguments):
        done = subprocess.run(
            ["git", *arguments], cwd=source, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(message):
        git("commit", "--quiet", "--allow-empty", "-m", message)
        return git("rev-parse", "HEAD")

    git("init", "--quiet", "--initial-branch=main")
    before = commit("start")
    commit("OCPBUGS-1: Mend it (#2)")
    after = commit("MCO-3: Add it (#4)")

    def write(name, number, change, manifest):
        folder = tmp_path / name
        folder.mkdir()
        image = tag("op", number, source=f"file://{source}", commit=change)
        references = make_references(name, created=EPOCH, tags=(image,), annotations={})
        (folder / labels.IMAGE_REFERENCES).write_bytes(encode_image_stream(references))
        metadata = encode_metadata(ReleaseMetadata(version=name))
        (folder / labels.RELEASE_METADATA).write_bytes(metadata)
        (folder / "0000_50_op.yaml").write_text(manifest)
        return folder

    return write("1.0.0", 1, before, "a: 1\n"), write("1.0.1", 2, after, "a: 2\n")


def test_a_changelog_is_read_from_the_sources(run, two_releases):
    """Two folders are enough: the histories come from where the images say."""
    code, out, err = run("changelog", *two_releases, "-o", "text")
    assert (code, "op:\n" in out) == (0, True), err
    assert "  #4 MCO-3: Add it\n  #2 OCPBUGS-1: Mend it\n" in out


def test_a_changelog_is_a_page_by_default(run, two_releases):
    """What people paste into an announcement is what comes without options."""
    _, out, _ = run("changelog", *two_releases)
    assert out.startswith("# 1.0.1\n")
    assert "* [MCO-3](https://issues.redhat.com/browse/MCO-3): Add it" in out


def test_info_tells_the_same(run, two_releases, tmp_path):
    """The flags that fingers know give the same page, and keep histories where they are told."""
    old, new = two_releases
    page = run("changelog", old, new)[1]
    histories = tmp_path / "histories"
    assert run("info", new, f"--changes-from={old}", f"--changelog={histories}")[1] == page
    assert any(histories.iterdir())
    code, out, _ = run("info", old, new, f"--changelog={histories}", "-o", "json")
    assert (code, json.loads(out)["updatedImages"][0]["name"]) == (0, "op")


def test_tickets_are_listed(run, two_releases, tmp_path):
    """All tickets, or, as info does it, those about faults."""
    code, out, _ = run(*("changelog", *two_releases, "--tickets", "--skip-bug-check", "-o", "json"))
    assert (code, [item["id"] for item in json.loads(out)]) == (0, ["MCO-3", "OCPBUGS-1"])
    flags = (f"--bugs={tmp_path / 'histories'}", "--skip-bug-check", "-o", "name")
    assert run("info", *two_releases, *flags)[:2] == (0, "OCPBUGS-1\n")


def test_a_source_that_cannot_be_read_is_told(run, two_releases, tmp_path):
    """The rest is printed all the same, and the exit code says that something is missing."""
    (tmp_path / "source").rename(tmp_path / "elsewhere")
    code, out, _ = run("changelog", *two_releases, "-o", "text")
    assert (code, "Its history could not be read" in out) == (3, True)


@pytest.mark.parametrize(
    "flags", [("--changelog=x",), ("--bugs=x",), ("--changes-from=a", "b"), ("--bugs=x", "a", "b")]
)
def test_two_releases_are_needed(run, two_releases, flags):
    """What lies between releases is asked of two."""
    code, _, err = run("info", two_releases[0], *flags)
    assert (code, "--changes-from" in err) == (2, True)


def test_two_releases_are_compared(run, two_releases):
    """What differs is shown, as text and as a document."""
    code, out, _ = run("diff", *two_releases)
    assert code == 0
    assert "  0000_50_op.yaml +1 -1\n" in out
    assert "images changed:\n  op sha256:" in out
    code, out, _ = run("diff", *two_releases, "--unified", "--exit-code")
    assert (code, "-a: 1\n+a: 2\n" in out) == (1, True)
    document = json.loads(run("diff", *two_releases, "-o", "json")[1])
    assert document["images"][0]["fate"] == "changed"
    assert document["manifests"][0]["diff"].endswith("-a: 1\n+a: 2\n")


def test_a_release_does_not_differ_from_itself(run, two_releases):
    """Nothing differs, and the exit code says so."""
    code, out, _ = run("diff", two_releases[0], two_releases[0], "--exit-code")
    assert (code, "nothing differs" in out) == (0, True)
