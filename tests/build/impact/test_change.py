# SPDX-License-Identifier: Apache-2.0
"""What is changed, as people write it, and where the stream would get it from."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import inline, write_stream

from okd_payload.build.impact.change import find_url, read_changes, repository_name
from okd_payload.build.impact.changed import pseudo_version
from okd_payload.build.impact.first_error import find_first_error, first_error
from okd_payload.catalog.catalog import Catalog
from okd_payload.errors import InputError
from okd_payload.source.model import Commit, FolderSource, GitSource


def catalog_of(folder: Path, *urls: str) -> Catalog:
    """A catalog whose components come from ``urls``."""
    texts = {f"c{number}": f'source: {{git: "{url}"}}\n' for number, url in enumerate(urls)}
    return write_stream(folder, {"base": inline("FROM scratch"), **texts})


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/openshift/api", "openshift/api"),
        ("https://github.com/openshift/api.git", "openshift/api"),
        ("https://github.com/openshift/api/", "openshift/api"),
        ("git@github.com:openshift/api.git", "openshift/api"),
        ("ssh://git@forge.test:2222/group/sub/api", "sub/api"),
        ("file:///srv/git/openshift/api", "openshift/api"),
        ("/srv/git/openshift/api", "openshift/api"),
        ("https://github.com/alone", ""),
    ],
)
def test_repositories_are_known_by_their_last_two_names(url: str, name: str):
    """Wherever they are hosted, and however they are reached."""
    assert repository_name(url) == name


def test_a_name_is_looked_for_where_the_stream_gets_its_sources(tmp_path: Path):
    """A component's own URL first, then the forge of its organisation, then GitHub."""
    mirror = "https://mirror.test/git"
    catalog = catalog_of(
        tmp_path,
        f"{mirror}/openshift/oc.git",
        "https://github.com/coredns/coredns",
        "https://github.com/kubernetes/kubernetes",
        "ssh://git@other.test/openshift-ish/api2",
    )
    assert find_url(catalog, "openshift/oc") == f"{mirror}/openshift/oc.git"
    assert find_url(catalog, "openshift/api") == f"{mirror}/openshift/api"
    assert find_url(catalog, "kubernetes/klog") == "https://github.com/kubernetes/klog"
    assert find_url(catalog, "nobody/else") == "https://github.com/nobody/else"
    scp_like = catalog_of(tmp_path / "scp", "git@forge.test:openshift/oc")
    assert find_url(scp_like, "openshift/api") == "https://github.com/openshift/api"


def test_changes_are_references_folders_and_urls(tmp_path: Path):
    """Each with the hosts under which its modules are imported."""
    (tmp_path / "mine").mkdir()
    texts = [
        "openshift/api@refs/pull/123/head",
        "openshift/oc=mine",
        "openshift/router=https://github.com/me/router@fix",
        "https://forge.test/team/lib@main",
    ]
    changes = read_changes(texts, catalog=catalog_of(tmp_path), directory=tmp_path)
    assert [(it.repository, it.source) for it in changes] == [
        (
            "openshift/api",
            GitSource(url="https://github.com/openshift/api", ref="refs/pull/123/head"),
        ),
        ("openshift/oc", FolderSource(path=str(tmp_path / "mine"))),
        ("openshift/router", GitSource(url="https://github.com/me/router", ref="fix")),
        ("team/lib", GitSource(url="https://forge.test/team/lib", ref="main")),
    ]
    assert [it.module_hosts for it in changes] == [
        ("github.com",),
        ("github.com",),
        ("github.com",),
        ("forge.test",),
    ]


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["openshift/api@a", "openshift/api@b"], "openshift/api is changed twice"),
        (["https://secret:token@forge.test/x@main"], "does not name a repository"),
        (["."], "does not name a repository"),
        (["nonsense"], "does not name a repository"),
        (["openshift/api=./nowhere"], "does not exist"),
        (["openshift/api@bad..ref"], "bad..ref"),
    ],
)
def test_what_is_no_change_is_refused(tmp_path: Path, texts: list[str], says: str):
    """With the ways to write one, and never with a password."""
    with pytest.raises(InputError) as caught:
        read_changes(texts, catalog=catalog_of(tmp_path), directory=tmp_path)
    assert says in caught.value.message
    assert "token" not in caught.value.message


@pytest.mark.parametrize(
    ("path", "major"),
    [("k8s.io/api", "v0"), ("k8s.io/klog/v2", "v2"), ("gopkg.in/yaml.v3", "v3")],
)
def test_a_version_has_the_time_and_the_commit(path: str, major: str):
    """As the go command names commits, with the major version of the path."""
    commit = Commit(id="a1b2c3" + "0" * 34, tree="", time=1_700_000_000, location="")
    assert pseudo_version(path, commit) == f"{major}.0.0-20231114221320-a1b2c3000000"


ENGINE = """\
# build error-page for linux/amd64, source https://example.org/errors@0
$ buildah build --tag=error
time="2026-11-27T02:37:23Z" level=error msg="no driver"
[1/2] STEP 2/2: RUN ! grep error /x.log
"""
"""What is in a log before anything that a build says."""


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (
            "STEP 1: RUN go build\n# m\n./main.go:6:2: undefined: x\n./b.go:1:1: y\n",
            "./main.go:6:2: undefined: x",
        ),
        ("go: inconsistent vendoring in /src:\n\ta: b\n", "go: inconsistent vendoring in /src:"),
        ("cc -c a.c\na.c:3:1: error: unknown type\n", "a.c:3:1: error: unknown type"),
        ("make\nsh: foo: not found\nError: exit status 1\n", "sh: foo: not found"),
        ("\x1b[31mfatal:\x1b[0m no\n", "fatal: no"),
        ("all went well\n", ""),
        (
            f'{ENGINE}Error: building at STEP "RUN": exit 1\n',
            'Error: building at STEP "RUN": exit 1',
        ),
    ],
)
def test_the_first_error_is_what_one_looks_for(log: str, error: str):
    """A compiler's place, else the first line that complains."""
    assert first_error(log) == error


def test_a_log_that_is_not_there_has_no_error(tmp_path: Path):
    """The record of the run says then why."""
    assert find_first_error(tmp_path / "none.log") == ""
    (tmp_path / "a.log").write_bytes(b"\xff\nx.go:1:1: bad\n")
    assert find_first_error(tmp_path / "a.log") == "x.go:1:1: bad"
