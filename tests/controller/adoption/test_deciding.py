# SPDX-License-Identifier: Apache-2.0
"""Which tags of a stable stream become releases, and what ``next`` becomes."""

from __future__ import annotations

from okd_payload.controller.adoption.deciding import AdoptionPlan, SeenTag, plan_adoption
from okd_payload.controller.model import Release
from okd_payload.oci.digest import Digest, digest_of

STABLE = "4-stable"


def digest(text: str) -> Digest:
    """A digest that belongs to ``text``."""
    return digest_of(text.encode())


def plan(
    tags: dict[str, str],
    *,
    known: dict[str, str] | None = None,
    removed: dict[str, str] | None = None,
    reserved: tuple[str, ...] = (),
) -> AdoptionPlan:
    """What becomes of ``tags``, by name and content."""
    releases = {
        name: Release(
            name=name, stream=STABLE, created=1, changed=1, input_hash=digest(text), adopted=True
        )
        for name, text in (known or {}).items()
    }
    seen = [
        SeenTag(name=name, digest=digest(text), pull_spec=f"quay.test/r@{digest(text)}")
        for name, text in tags.items()
    ]
    gone = {name: digest(text) for name, text in (removed or {}).items()}
    return plan_adoption(seen, releases, stream=STABLE, removed=gone, reserved=reserved)


def test_tags_that_are_strict_versions_become_releases() -> None:
    """Whatever else is in the repository belongs to somebody else."""
    found = plan(
        {"4.19.0-okd-scos.0": "a", "4.19": "a", "v4.19.0": "b", "latest": "c", "4.19.01": "d"}
    )
    assert [tag.name for tag in found.adopted] == ["4.19.0-okd-scos.0"]
    assert (found.renaming, found.trouble) == (None, "")


def test_known_removed_and_reserved_names_are_left_alone() -> None:
    """A removed release comes back only as something else."""
    tags = {"4.19.0": "a", "4.19.1": "b", "4.19.2": "c"}
    found = plan(
        tags, known={"4.19.0": "a"}, removed={"4.19.1": "b", "4.19.2": "x"}, reserved=("4.19.0",)
    )
    assert [tag.name for tag in found.adopted] == ["4.19.2"]


def test_a_tag_that_is_pushed_again_is_told_and_changes_nothing() -> None:
    """A release is what it was when it was seen first."""
    found = plan({"4.19.0": "another"}, known={"4.19.0": "a"})
    assert found.adopted == ()
    assert found.trouble.startswith("4.19.0 was pushed again as sha256:")


def test_next_becomes_the_successor_of_the_highest() -> None:
    """Of tags and of releases whose tags are gone."""
    found = plan({"next": "n", "4.19.0-okd-scos.3": "a"}, known={"4.19.0-okd-scos.4": "b"})
    assert found.renaming is not None
    assert found.renaming.name == "4.19.0-okd-scos.5"


def test_next_is_renamed_once() -> None:
    """A kill after its new tag, or a registry that keeps the old one, makes no second release."""
    for found in (
        plan({"next": "n", "4.19.1": "n"}),
        plan({"next": "n", "4.19.1": "rewritten"}, known={"4.19.1": "n"}),
    ):
        assert found.renaming is not None
        assert found.renaming.name == ""


def test_next_without_anything_before_it_says_what_to_do() -> None:
    """The first release has to be named by somebody."""
    assert plan({"next": "n"}).trouble.startswith("next has no version before it")
