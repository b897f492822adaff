# SPDX-License-Identifier: Apache-2.0
"""Repository URLs: what is taken, what is refused, and that secrets stay inside."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from okd_payload.errors import InputError
from okd_payload.source.model import GitSource
from okd_payload.source.remote import Remote, location_of, parse_remote, redacted


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/openshift/etcd",
        "https://github.com:8443/openshift/etcd.git",
        "http://[::1]:8080/a",
        "ssh://git@github.com:22/openshift/etcd",
        "git@github.com:openshift/etcd",
        "github.com:openshift/etcd",
        "git://127.0.0.1:9418/etcd",
        "file:///srv/git/etcd",
        "/srv/git/etcd",
    ],
)
def test_urls_without_secrets_stay_as_they_are(url: str) -> None:
    """What git understands is taken as it was written."""
    assert parse_remote(url) == Remote(url)


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("https://me:se%40cret@host/a", Remote("https://host/a", "me", "se@cret")),
        ("https://token@host/a", Remote("https://host/a", "token", "")),
        ("http://me:secret@[::1]:80/a", Remote("http://[::1]:80/a", "me", "secret")),
        ("ssh://me:secret@host/a", Remote("ssh://me@host/a")),
    ],
)
def test_secrets_are_taken_out(url: str, remote: Remote) -> None:
    """User and password are kept apart from the URL, which has neither any more."""
    assert parse_remote(url) == remote
    assert "secret" not in repr(parse_remote(url))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "etcd",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "ext::sh",
        "ftp://host/a",
        "https://host",
        "https:///a",
        "https://host:port/a",
        "ssh://-oProxyCommand=x/a",
        "-oProxyCommand=x:a",
        "https://host/a b",
        "https://host/a\nb",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """What is no URL of a repository is refused, above all what git would run."""
    with pytest.raises(InputError) as refused:
        parse_remote(url)
    assert refused.value.hint


@settings(deadline=None)
@given(st.text(max_size=40))
@example("/")
def test_any_text_is_a_remote_or_refused(text: str) -> None:
    """No text makes the parser fail in another way, and no folder name is unsafe."""
    try:
        remote = parse_remote(text)
    except InputError:
        return
    assert "/" not in remote.folder_name
    assert not remote.folder_name.startswith((".", "-"))


def test_refusals_hide_secrets() -> None:
    """A refused URL is shown without its password."""
    with pytest.raises(InputError) as refused:
        parse_remote("https://me:secret@host:port/a")
    assert "secret" not in str(refused.value)


def test_folder_names_are_readable_and_apart() -> None:
    """Each URL has a folder of its own that people recognise; a password makes no difference."""
    name = parse_remote("https://github.com/openshift/etcd.git").folder_name
    assert name.startswith("github.com-openshift-etcd-")
    assert name != parse_remote("https://github.com/openshift/etcd").folder_name
    assert name == parse_remote("https://me:pw@github.com/openshift/etcd.git").folder_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fatal: https://me:pw@host/a failed", "fatal: https://host/a failed"),
        ("https://me:p@w@host/a https://x@y/z", "https://host/a https://y/z"),
        ("ssh://git@host/a ssh://git:pw@host/a", "ssh://git@host/a ssh://git@host/a"),
        ("git@github.com:a/b@main", "git@github.com:a/b@main"),
    ],
)
def test_redacting(text: str, shown: str) -> None:
    """Users and passwords vanish from every URL in a text; ssh keeps the user it needs."""
    assert redacted(text) == shown


def test_sources_are_shown_without_secrets() -> None:
    """Printing a source never shows its password."""
    assert str(GitSource(url="https://me:pw@host/a", ref="main")) == "https://host/a@main"


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://me:pw@host/a", "https://host/a"),
        ("git@host:a", "git@host:a"),
        ("/srv/git/a", ""),
        ("file:///srv/git/a", ""),
        ("../a", ""),
        ("", ""),
    ],
)
def test_location_is_where_others_find_it(url: str, location: str) -> None:
    """A location is a URL that works elsewhere too, or nothing."""
    assert location_of(url) == location
