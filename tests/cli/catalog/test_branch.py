# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog branch`` on real repositories behind a real git daemon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from git_service import GitService, silent_server

pytestmark = pytest.mark.integration


def write_stream(folder: Path, components: dict[str, str], *, git: str) -> Path:
    """A stream of components at these URLs."""
    (folder / "components").mkdir(parents=True, exist_ok=True)
    for name, url in components.items():
        (folder / "components" / f"{name}.yaml").write_text(f"source: {{git: '{url}'}}\n")
    base = next(iter(components))
    path = folder / "stream.yaml"
    path.write_text(
        f"name: okd\n# what is built\ncatalog: [{{components: components}}]\n{git}"
        f"release: {{base: {base}}}\n"
    )
    return path


@pytest.fixture
def stream(tmp_path: Path, git_service: GitService) -> Path:
    """Three repositories: one has the new branch, one has its own, one has nothing new."""
    urls = {
        "api": git_service.make("api", "release-4.15", "release-4.16"),
        "etcd": git_service.make("etcd", "openshift-4.15", "openshift-4.16"),
        "tools": git_service.make("tools", "main"),
    }
    return write_stream(tmp_path / "okd", urls, git="git: {branch: release-4.15}\n")


def test_who_lacks_the_branch_is_told_and_written(run_cli, stream):
    """A table of those that lack it; the file has the branch once, exceptions and comments."""
    ended = run_cli("catalog", "branch", "release-4.16", stream)
    assert ended.code == 0, ended.err
    assert "release-4.16: 3 components, 1 have it, 2 fall back" in ended.out
    assert "openshift-4.16" in ended.out
    assert "release-4.15" in stream.read_text()
    ended = run_cli("catalog", "branch", "release-4.16", stream, "--write", "-o", "yaml")
    assert ended.code == 0
    assert f"{stream}: written" in ended.err
    assert "repository: git://127.0.0.1:" in ended.out
    written = stream.read_text()
    assert written.count("release-4.16") == 1
    assert "# what is built" in written
    ended = run_cli("catalog", "branch", "release-4.16", stream, "--write")
    assert f"{stream}: as it was" in ended.err
    assert stream.read_text() == written


def test_the_next_branch_comes_from_the_repositories(run_cli, stream, git_service):
    """No arithmetic: 5.0 follows 4.15 when that is what there is."""
    git_service.git("api", "branch", "-m", "release-4.16", "release-5.0")
    git_service.git("etcd", "branch", "-m", "openshift-4.16", "openshift-5.0")
    ended = run_cli("catalog", "branch", "--next", stream, "-o", "json")
    found = json.loads(ended.out)
    assert (found["branch"], found["after"]) == ("release-5.0", "release-4.15")
    refs = {each["component"]: each["ref"] for each in found["components"]}
    assert refs == {"api": "release-5.0", "etcd": "openshift-5.0", "tools": "main"}


def test_slow_refusing_and_empty_repositories_are_told_each(run_cli, tmp_path, git_service):
    """The rest goes on, the command ends with 3, and a second run asks only what is left."""
    with silent_server() as slow:
        urls = {
            "api": git_service.make("api", "release-4.16"),
            "slow": slow,
            "absent": git_service.url("absent"),
            "odd": git_service.make("odd", "trunk"),
        }
        stream = write_stream(tmp_path / "okd", urls, git="")
        ended = run_cli("catalog", "branch", "release-4.16", stream, "--patience", "5")
    assert ended.code == 3
    assert "1 have it, 1 missing, 2 unanswered" in ended.out
    assert "not done after 5 seconds" in ended.out
    assert "2 components of unanswered repositories: absent, slow" in ended.err
    (git_service.root / "api" / ".git").rename(git_service.root / "gone")
    git_service.make("absent", "release-4.16")
    with silent_server() as slow:
        again = run_cli("catalog", "branch", "release-4.16", stream, "--patience", "5")
    assert again.code == 3
    assert "2 have it, 1 missing, 1 unanswered" in again.out
    (stream.parent / "components" / "slow.yaml").unlink()
    last = run_cli("catalog", "branch", "release-4.16", stream)
    assert last.code == 1
    assert "1 component without any branch to build from: odd" in last.err
    assert "under `git.exceptions`" in last.err


def test_a_rewritten_branch_is_told(run_cli, stream, git_service, tmp_path):
    """What the lock has and the branch has not any more is found in the real history."""
    stream.write_text(stream.read_text().replace("4.15}", "4.16}"))
    git_service.git("api", "checkout", "--quiet", "release-4.16")
    git_service.commit("api", {"Dockerfile": "FROM scratch\n"})
    for name in ("etcd", "tools"):
        (stream.parent / "components" / f"{name}.yaml").unlink()
    assert run_cli("lock", stream).code == 0
    lock = stream.parent / "stream.lock"
    git_service.git("api", "reset", "--quiet", "--hard", "HEAD^")
    git_service.commit("api", {"Dockerfile": "FROM other\n"})
    ended = run_cli("catalog", "branch", "release-4.16", stream, "--lock", lock)
    assert ended.code == 0, ended.err
    assert "was rewritten since the lock: commits left behind: 1" in ended.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--next", "a", "b"], "--next finds the branch itself"),
        ([], "no branch was named"),
        (["re lease"], "cannot be a git branch"),
        (["release-4.16", "nowhere"], "there is no nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused(run_cli, monkeypatch, tmp_path, arguments, told):
    """Wrong arguments end with 2, and say what would be right."""
    monkeypatch.chdir(tmp_path)
    ended = run_cli("catalog", "branch", *arguments)
    assert ended.code == 2
    assert told in ended.err
