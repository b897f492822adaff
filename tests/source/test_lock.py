# SPDX-License-Identifier: Apache-2.0
"""The lock file: what is written is read back, and nothing else is taken for a lock."""

from __future__ import annotations

import string
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument, StorageError
from okd_payload.oci.digest import digest_of
from okd_payload.source.lock import (
    Lock,
    LockedImage,
    LockedSource,
    format_lock,
    read_lock,
    write_lock,
)
from okd_payload.source.model import Commit, FolderSource, GitSource

COMMIT = Commit(
    id="1" * 40,
    tree="e" * 40,
    time=1_714_972_089,
    location="https://github.com/openshift/etcd",
    ref="openshift-4.20",
    author="A. Person <person@example.com>",
    date="Mon May 6 07:08:09 2024 +0200",
    message='Merge "this": and #that',
)
ETCD = GitSource(url="https://github.com/openshift/etcd", ref="openshift-4.20")
IMAGE = LockedImage(digest_of(b""), "application/vnd.oci.image.index.v1+json", 1234)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
IDS = st.text("0123456789abcdef", min_size=40, max_size=40)
NAMES = st.one_of(st.sampled_from(["y", "1.10", "null", "a: b"]), TEXT).filter(bool)
LINES = TEXT.map(lambda text: "".join(text.splitlines()))


@st.composite
def locked_sources(draw: st.DrawFn) -> LockedSource:
    """Any source and commit that resolving could give."""
    host = draw(st.text(string.ascii_lowercase, min_size=1, max_size=5))
    is_git = draw(st.booleans())
    git = GitSource(url=f"https://{host}/a", ref=draw(LINES) if is_git else "")
    folder = FolderSource(path=f"/{host}")
    commit = Commit(
        id=draw(IDS),
        tree=draw(IDS),
        time=draw(st.integers(0, 2**40)),
        location=git.url if is_git else draw(LINES),
        ref=git.ref,
        author=draw(LINES),
        date=draw(LINES),
        message=draw(LINES),
        dirty=draw(st.booleans()),
    )
    return LockedSource(git if is_git else folder, commit)


LOCKS = st.builds(
    Lock,
    sources=st.dictionaries(NAMES, locked_sources(), max_size=3),
    images=st.dictionaries(NAMES, st.just(IMAGE), max_size=2),
    imports=st.dictionaries(NAMES, st.just(IMAGE), max_size=2),
)


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lock=LOCKS)
def test_what_is_written_is_read_back(lock: Lock, tmp_path: Path) -> None:
    """Any lock comes back from its file as it was, and nothing else is left in the folder."""
    path = tmp_path / "locks" / "stream.lock"
    write_lock(lock, path)
    assert read_lock(path) == lock
    assert [file.name for file in path.parent.iterdir()] == ["stream.lock"]


def test_a_lock_is_pleasant_to_read(tmp_path: Path) -> None:
    """The file has one fact a line, in a fixed order, and says only what there is to say."""
    folder = Commit(id="2" * 40, tree="a" * 40, time=315_532_800, location="", dirty=True)
    lock = Lock(
        sources={
            "mco": LockedSource(FolderSource(path=str(tmp_path / "mco")), folder),
            "etcd": LockedSource(ETCD, COMMIT),
        },
        images={"quay.io/centos/centos:stream9": IMAGE},
        imports={"base": IMAGE},
    )
    assert format_lock(lock, directory=tmp_path) == (
        "# Every input of the stream, pinned. "
        "Written by okd-payload: change the stream, not this file.\n"
        "version: 1\n"
        "sources:\n"
        "  etcd:\n"
        "    git: https://github.com/openshift/etcd\n"
        "    ref: openshift-4.20\n"
        f'    commit: "{"1" * 40}"\n'
        f"    tree: {'e' * 40}\n"
        "    time: 1714972089\n"
        '    author: "A. Person <person@example.com>"\n'
        '    date: "Mon May 6 07:08:09 2024 +0200"\n'
        '    message: "Merge \\"this\\": and #that"\n'
        "  mco:\n"
        "    folder: ./mco\n"
        f'    commit: "{"2" * 40}"\n'
        f"    tree: {'a' * 40}\n"
        "    time: 315532800\n"
        "    dirty: true\n"
        "images:\n"
        "  quay.io/centos/centos:stream9:\n"
        f"    digest: {IMAGE.digest}\n"
        "    mediaType: application/vnd.oci.image.index.v1+json\n"
        "    size: 1234\n"
        "imports:\n"
        "  base:\n"
        f"    digest: {IMAGE.digest}\n"
        "    mediaType: application/vnd.oci.image.index.v1+json\n"
        "    size: 1234\n"
    )


def test_a_lock_moves_with_its_folder(tmp_path: Path) -> None:
    """Folders below the lock are relative to it, so another clone of both can use it."""
    here, there = tmp_path / "here", tmp_path / "there"
    lock = Lock(sources={"a": LockedSource(FolderSource(path=f"{here}/src/a"), COMMIT)})
    write_lock(lock, here / "stream.lock")
    here.rename(there)
    found = read_lock(there / "stream.lock").sources["a"].source
    assert found == FolderSource(path=f"{there}/src/a")


def test_folders_elsewhere_stay_where_they_are(tmp_path: Path) -> None:
    """A folder outside the lock's own is written with its whole path."""
    lock = Lock(sources={"a": LockedSource(FolderSource(path="/srv/a"), COMMIT)})
    assert "    folder: /srv/a\n" in format_lock(lock, directory=tmp_path)


def test_passwords_are_not_written(tmp_path: Path) -> None:
    """A password of a URL does not reach the file, and the lock still fits its source."""
    private = GitSource(url="https://me:secret@host/a", ref="main")
    commit = msgspec.structs.replace(COMMIT, location="https://host/a", ref="main")
    write_lock(Lock(sources={"a": LockedSource(private, commit)}), tmp_path / "lock")
    assert "secret" not in (tmp_path / "lock").read_text()
    assert read_lock(tmp_path / "lock").commit_of("a", private) == commit


def test_a_lock_answers_only_for_what_was_locked() -> None:
    """Another ref, another repository or an unknown component has no locked commit."""
    lock = Lock(sources={"etcd": LockedSource(ETCD, COMMIT)})
    assert lock.commit_of("etcd", ETCD) == COMMIT
    assert lock.commit_of("etcd", GitSource(url=ETCD.url, ref="main")) is None
    assert lock.commit_of("etcd", FolderSource(path="/etcd")) is None
    assert lock.commit_of("oc", ETCD) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not one YAML document"),
        ("version: 1\n---\nversion: 1\n", "not one YAML document"),
        ("sources: {}\n", "version"),
        ("version: 2\n", ":1: version: this okd-payload reads version 1, not 2"),
        ("version: 1\nsource: {}\n", "source"),
        ("version: 1\nimages: {a: {digest: x, mediaType: y}}\n", "images.a.digest"),
        ("version: 1\nsources:\n  a:\n    git: x\n    commit: abc\n", ":5: sources.a.commit"),
        (f"version: 1\nsources: {{a: {{commit: '{'1' * 40}', tree: '{'1' * 40}'}}}}\n", "git"),
    ],
)
def test_what_is_no_lock_is_refused(text: str, words: str, tmp_path: Path) -> None:
    """Anything else is refused with file, line and field."""
    (tmp_path / "lock").write_text(text)
    with pytest.raises(InvalidDocument) as refused:
        read_lock(tmp_path / "lock")
    assert str(refused.value).startswith(str(tmp_path / "lock"))
    assert words in str(refused.value)


def test_an_absent_lock_is_named(tmp_path: Path) -> None:
    """A lock that is not there is an error of the document."""
    with pytest.raises(InvalidDocument, match="lock: No such file"):
        read_lock(tmp_path / "lock")


def test_a_lock_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that takes no files is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write the lock"):
        write_lock(Lock(), tmp_path / "file" / "lock")


@settings(deadline=None)
@given(TEXT)
def test_scalars_are_what_yaml_reads(text: str) -> None:
    """Any reference is a key that every YAML reader reads back as the same text."""
    lock = Lock(images={text: IMAGE})
    read = yaml.safe_load(format_lock(lock, directory=Path("/")))
    assert list(read["images"]) == [text]
