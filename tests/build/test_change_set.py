# SPDX-License-Identifier: Apache-2.0
"""Change sets: as written on a command line, and as they change a catalog."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import inline, write_stream
from workshop import from_git

from okd_payload.build.change_set import ChangeSet, apply_change_set, read_change_set
from okd_payload.catalog.substitution import Substitution
from okd_payload.errors import InputError, UnknownName
from okd_payload.source.model import FolderSource, GitSource


def read(directory: Path, *components: str, **others: list[str]) -> ChangeSet:
    """The change set of these words."""
    words = {"dockerfiles": [], "substitutions": [], **others}
    return read_change_set(components=components, directory=directory, **words)


def test_nothing_is_overridden_by_default(tmp_path: Path):
    """Without words there is no change."""
    assert read(tmp_path) == ChangeSet()


def test_sources_are_folders_or_repositories(tmp_path: Path):
    """Folders are made absolute, URLs keep their ref."""
    (tmp_path / "etcd").mkdir()
    change = read(tmp_path, "etcd=etcd", "oc=https://example.com/oc@main")
    assert change.sources == {
        "etcd": FolderSource(path=str(tmp_path / "etcd")),
        "oc": GitSource(url="https://example.com/oc", ref="main"),
    }


def test_a_dockerfile_is_for_all_or_for_one(tmp_path: Path):
    """A path alone is for every component, NAME=PATH for that one; the later word wins."""
    sources = ("a=https://example.com/a", "b=https://example.com/b")
    change = read(tmp_path, *sources, dockerfiles=["Dockerfile.okd", "b=images/Dockerfile"])
    assert change.dockerfiles == {"a": "Dockerfile.okd", "b": "images/Dockerfile"}
    odd = read(tmp_path, *sources, dockerfiles=["c=d/Dockerfile"])
    assert set(odd.dockerfiles.values()) == {"c=d/Dockerfile"}


def test_a_dockerfile_without_component_is_a_mistake(tmp_path: Path):
    """Nothing would be built from it."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, dockerfiles=["Dockerfile.okd"])
    assert "--component" in caught.value.hint


def test_substitutions_are_globs(tmp_path: Path):
    """PATTERN=IMAGE, split at the first equals sign."""
    change = read(tmp_path, substitutions=["fedora:*=quay.io/fedora/fedora:{1}"])
    (rule,) = change.substitutions
    assert rule == Substitution(glob="fedora:*", image="quay.io/fedora/fedora:{1}")


@pytest.mark.parametrize("text", ["fedora:*", "=quay.io/x", "fedora=", "fedora={2}"])
def test_substitutions_that_can_never_work_are_refused(tmp_path: Path, text: str):
    """The word is quoted, and the hint shows one that works."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, substitutions=[text])
    assert repr(text) in caught.value.message
    assert "PATTERN=IMAGE" in caught.value.hint


def test_a_change_set_changes_components_by_name_or_tag(tmp_path: Path):
    """Source and Dockerfile are replaced, an inline one too; all others stay."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch", more="tag: base-rhel9\n"),
            "etcd": from_git("etcd"),
        },
        stream="substitutions: [{glob: 'a:*', image: base-rhel9}]\n",
    )
    source = GitSource(url="https://example.com/mine")
    rule = Substitution(glob="b:*", image="etcd")
    change = ChangeSet(
        sources={"base-rhel9": source},
        dockerfiles={"base-rhel9": "Dockerfile.okd"},
        substitutions=(rule,),
    )
    changed = apply_change_set(change, catalog)
    base, etcd = changed.components
    assert (base.source, base.dockerfile_path, base.dockerfile) == (source, "Dockerfile.okd", None)
    assert etcd == catalog.component("etcd")
    assert [item.glob for item in changed.stream.substitutions] == ["b:*", "a:*"]


def test_an_inline_dockerfile_stays_with_another_source(tmp_path: Path):
    """Only naming a Dockerfile replaces it."""
    catalog = write_stream(tmp_path, {"base": inline("FROM scratch")})
    change = ChangeSet(sources={"base": GitSource(url="https://example.com/mine")})
    (base,) = apply_change_set(change, catalog).components
    assert base.dockerfile == "FROM scratch\n"


def test_an_unknown_component_gets_the_nearest_names(tmp_path: Path):
    """A slip of the finger is answered with what was meant."""
    catalog = write_stream(tmp_path, {"etcd": inline("FROM scratch")})
    with pytest.raises(UnknownName) as caught:
        apply_change_set(ChangeSet(sources={"etdc": GitSource(url="https://x.example/x")}), catalog)
    assert caught.value.hint == "did you mean etcd?"


def test_an_overridden_folder_need_not_be_there(tmp_path: Path):
    """What the stream says about a source does not matter once it is another one."""
    catalog = write_stream(
        tmp_path,
        {"etcd": "source: {folder: ./gone}\n", "oc": "source: {folder: ./gone-too}\n"},
    )
    change = ChangeSet(sources={"etcd": GitSource(url="https://example.com/etcd")})
    left = [(it.code, it.component) for it in apply_change_set(change, catalog).issues]
    assert left == [("missing-folder", "oc")]
