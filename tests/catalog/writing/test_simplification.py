# SPDX-License-Identifier: Apache-2.0
"""Lists of aliases become patterns, and never mean another image than before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.component import Component, Copy, ImageInput, Origin
from okd_payload.catalog.definition import Definition
from okd_payload.catalog.substitution import Substitution, substitute
from okd_payload.catalog.writing.simplification import drop_computed, find_patterns

CI = "registry.ci.openshift.org"


def using(name: str, *inputs: ImageInput) -> Definition:
    """A component with ``inputs``."""
    return Definition(Component(name=name, tag=name, origin=Origin(""), inputs=inputs))


def called(image: str, *aliases: str, copies: tuple[Copy, ...] = ()) -> ImageInput:
    """An image under other names."""
    return ImageInput(image=image, aliases=aliases, copies=copies)


def patterns(*definitions: Definition) -> list[tuple[str, str]]:
    """What is found, as pairs."""
    return [(rule.pattern, rule.image) for rule in find_patterns(definitions)]


def test_versions_and_tags_become_stars() -> None:
    """A folder that is a version stands for any, and so does a tag where all mean one image."""
    inputs = (
        called("cli", f"{CI}/ocp/4.14:cli", f"{CI}/ocp/4.15:cli"),
        called("builder", f"{CI}/ocp/builder:golang-1.19", f"{CI}/ocp/builder:golang-1.20"),
        called("only", f"{CI}/ocp/4.15:only"),
    )
    assert patterns(using("a", *inputs), using("b", *inputs)) == [
        (f"{CI}/ocp/4.15:only", "only"),
        (f"{CI}/ocp/*:cli", "cli"),
        (f"{CI}/ocp/builder:*", "builder"),
    ]


def test_what_means_two_images_is_not_generalised() -> None:
    """Two images under tags of one repository stay two rules."""
    inputs = (
        called("go", f"{CI}/ocp/builder:golang-1.19", f"{CI}/ocp/builder:golang-1.20"),
        called("node", f"{CI}/ocp/builder:nodejs"),
    )
    assert patterns(using("a", *inputs), using("b", *inputs)) == [
        (f"{CI}/ocp/builder:golang-1.19", "go"),
        (f"{CI}/ocp/builder:golang-1.20", "go"),
        (f"{CI}/ocp/builder:nodejs", "node"),
    ]


def test_one_components_own_affair_stays_there() -> None:
    """One user, two meanings, or a name without registry: no rule for the whole stream."""
    assert patterns(using("a", called("x", "q.test/a:1", "q.test/a:2")), using("b")) == []
    assert (
        patterns(using("a", called("x", "q.test/a:1")), using("b", called("y", "q.test/a:1"))) == []
    )
    assert patterns(using("a", called("x", "builder")), using("b", called("x", "builder"))) == []


def test_computed_aliases_go() -> None:
    """With the short name beside them; copies stay, and so does what means something else."""
    rules = (Substitution(glob=f"{CI}/ocp/*:cli", image="cli"),)
    copies = (Copy("/a", "b"),)
    definition = using(
        "a",
        called("cli", "stage", f"{CI}/ocp/4.15:cli"),
        called("cli", f"{CI}/ocp/4.15:cli", copies=copies),
        called("cli", f"{CI}/ocp/4.15:cli", f"{CI}/ocp/4.15:oc"),
        called("other", "stage", f"{CI}/ocp/4.15:cli"),
        called("plain", "stage"),
        called("empty"),
        called(f"{CI}/ocp/builder:1", "builder", f"{CI}/ocp/builder:1"),
        called(f"{CI}/ocp/builder:2", "builder", f"{CI}/ocp/builder:1"),
    )
    (simple,) = drop_computed([definition], rules, tags={"cli", "other", "plain"})
    assert simple.component.inputs == (
        called("cli", copies=copies),
        called("cli", f"{CI}/ocp/4.15:oc"),
        called("other", "stage", f"{CI}/ocp/4.15:cli"),
        called("plain", "stage"),
        called("empty"),
        called(f"{CI}/ocp/builder:2", "builder", f"{CI}/ocp/builder:1"),
    )


ALIASES = st.builds(
    "{}/{}:{}".format,
    st.sampled_from([CI, "quay.test"]),
    st.sampled_from(["ocp/4.14", "ocp/4.15", "ocp/builder", "a"]),
    st.sampled_from(["cli", "go-1.19", "go-1.20"]),
)
INPUTS = st.lists(
    st.builds(
        ImageInput,
        image=st.sampled_from(["cli", "builder"]),
        aliases=st.lists(ALIASES | st.just("stage"), max_size=4, unique=True).map(tuple),
    ),
    max_size=2,
).map(tuple)


@given(st.lists(INPUTS, max_size=4))
def test_no_alias_changes_its_meaning(inputs: list[tuple[ImageInput, ...]]) -> None:
    """What is dropped from a component is what the patterns say anyway."""
    definitions = [using(f"c{number}", *each) for number, each in enumerate(inputs)]
    rules = find_patterns(definitions)
    simple = drop_computed(definitions, rules, tags={"cli", "builder"})
    for before, after in zip(definitions, simple, strict=True):
        kept = {(item.image, alias) for item in after.component.inputs for alias in item.aliases}
        for item in before.component.inputs:
            for alias in item.aliases:
                if (item.image, alias) not in kept and alias != "stage":
                    found = substitute(alias, rules)
                    assert found is not None
                    assert found.image == item.image
