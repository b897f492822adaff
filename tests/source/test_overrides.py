# SPDX-License-Identifier: Apache-2.0
"""Overrides as people type them."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource
from okd_payload.source.overrides import parse_override, parse_overrides


@pytest.mark.parametrize(
    ("value", "url", "ref"),
    [
        ("https://host/org/etcd", "https://host/org/etcd", ""),
        ("https://host/org/etcd@main", "https://host/org/etcd", "main"),
        ("https://host/org/etcd.git@feature/a-b", "https://host/org/etcd.git", "feature/a-b"),
        ("https://me@host/etcd", "https://me@host/etcd", ""),
        ("https://me:pw@host/etcd@v1", "https://me:pw@host/etcd", "v1"),
        ("https://host/etcd@pull/7/head", "https://host/etcd", "pull/7/head"),
        ("git@host:org/etcd", "git@host:org/etcd", ""),
        ("git@host:org/etcd@main", "git@host:org/etcd", "main"),
        ("host:etcd@main", "host:etcd", "main"),
        ("ssh://git@host:22/etcd@main", "ssh://git@host:22/etcd", "main"),
        ("file:///srv/etcd@v1", "file:///srv/etcd", "v1"),
    ],
)
def test_urls(value: str, url: str, ref: str, tmp_path: Path) -> None:
    """A URL may end in a ref after the last @ of its path."""
    name, source = parse_override(f"etcd={value}", directory=tmp_path)
    assert (name, source) == ("etcd", GitSource(url=url, ref=ref))


@pytest.mark.parametrize("path", [".", "./etcd", "etcd", "a=b", "with@sign", "./co:lon", "../x/y"])
def test_folders(path: str, tmp_path: Path) -> None:
    """Everything else is the path of a folder, and = and @ in it mean nothing."""
    directory = tmp_path / "work"
    (directory / path).mkdir(parents=True, exist_ok=True)
    _, source = parse_override(f"etcd={path}", directory=directory)
    assert source == FolderSource(path=str((directory / path).resolve()))


def test_absolute_and_home_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute paths and ~ are understood wherever the command runs."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "etcd").mkdir()
    expected = FolderSource(path=str(tmp_path / "etcd"))
    for path in (f"{tmp_path}/etcd", "~/etcd"):
        assert parse_override(f"etcd={path}", directory=Path("/"))[1] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("etcd", "does not name a component and a source"),
        ("=./etcd", "does not name a component and a source"),
        ("etcd=", "does not name a component and a source"),
        ("et cd=./etcd", "does not name a component and a source"),
        ("https://me:pw@host/a", "https://host/a"),
        ("etcd=./absent", "the source of etcd does not exist"),
        ("etcd=./file", "the source of etcd is not a folder"),
        ("etcd=~surely-nobody", "the source of etcd cannot be read"),
        ("etcd=" + "x" * 300, "the source of etcd cannot be read: [Errno 36] File name too long"),
        ("etcd=https://host/a@", "cannot be a git branch"),
        ("etcd=https://host/a@-x", "cannot be a git branch"),
        ("etcd=https://host/a@a..b", "cannot be a git branch"),
        ("etcd=ext::sh://x", "is not a git URL"),
        ("etcd=ftp://host/a", "is not a git URL"),
    ],
)
def test_mistakes(text: str, words: str, tmp_path: Path) -> None:
    """A mistake is named with what was given, and a way to say it right."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as refused:
        parse_override(text, directory=tmp_path)
    assert words in refused.value.message
    assert refused.value.hint
    assert "pw" not in refused.value.message


def test_each_component_once(tmp_path: Path) -> None:
    """Several overrides are a mapping; a component that is given twice is a mistake."""
    found = parse_overrides(["a=https://h/a", "b=."], directory=tmp_path)
    assert found == {"a": GitSource(url="https://h/a"), "b": FolderSource(path=str(tmp_path))}
    with pytest.raises(InputError, match="a is given twice: https://h/a and https://h/b"):
        parse_overrides(["a=https://h/a", "a=https://h/b"], directory=tmp_path)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_an_override_or_a_mistake(text: str) -> None:
    """No text makes the parser fail in another way."""
    with contextlib.suppress(InputError):
        name, _ = parse_override(f"etcd={text}", directory=Path("/nowhere"))
        assert name == "etcd"
