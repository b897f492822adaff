# SPDX-License-Identifier: Apache-2.0
"""The preview of a run, held against the run."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from streams import inline, write_stream
from workshop import Workshop, actions, from_git, record

from okd_payload.build.preview import Intent, preview
from okd_payload.build.records import Action
from okd_payload.catalog.catalog import Catalog
from okd_payload.testing.images import push_image

STREAM = """
imports:
  os: {image: "quay.io/okd/os:1"}
  stub: {image: "quay.io/okd/os:1", stub: nobody builds it}
  again: {tag: c1, stub: the same}
  same: {tag: os}
"""


def parents_of(dockerfile: Sequence[str]) -> str:
    """A Dockerfile that copies from all of ``dockerfile`` and stands on the last."""
    copies = [f"COPY --from={name} /a /b" for name in dockerfile[:-1]]
    return "\n".join([f"FROM {dockerfile[-1]}", *copies]) + "\n"


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Dockerfiles by component, each on earlier ones, and what happens between runs."""
    names = [f"c{number}" for number in range(1, draw(st.integers(2, 6)))]
    dockerfiles = {}
    for place, name in enumerate(names):
        known = ["os", "stub", "same", *names[:place], *(["again"] if place else [])]
        parents = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        dockerfiles[name] = parents_of(parents)
    verbs = st.sampled_from(["change", "touch", "force", "move", "forget", "wait"])
    events = draw(st.lists(st.tuples(verbs, st.sampled_from(names)), min_size=1, max_size=4))
    return dockerfiles, events


@settings(max_examples=40, deadline=None)
@given(histories())
def test_a_run_does_what_the_preview_says(history: tuple[dict[str, str], list[tuple[str, str]]]):
    """After any change: what is to be reused is reused, imported imported, and built built.

    One kind of surprise is left, a good one: what would be built only because its parent is made
    again is reused when the parent comes out the same.
    """
    dockerfiles, events = history
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_live(Path(folder), dockerfiles, [("wait", "c1"), *events]))


async def _live(folder: Path, dockerfiles: dict[str, str], events: list[tuple[str, str]]) -> None:
    workshop = Workshop(folder)
    await push_image(workshop.registry("quay.io/okd/os"), tag="1")
    for name, text in dockerfiles.items():
        workshop.put(name, text)
    catalog = write_stream(folder, {name: from_git(name) for name in dockerfiles}, stream=STREAM)
    for number, (verb, name) in enumerate(events):
        forced = {name} if verb == "force" else set()
        if verb == "change":
            workshop.put(name, dockerfiles[name] + f"# change {number}\n")
        elif verb == "touch":
            workshop.put(name, dockerfiles[name], {"file": str(number)}, message="Touch")
        elif verb == "move":
            layers = [f"os {number}".encode()]
            await push_image(workshop.registry("quay.io/okd/os"), tag="1", layers=layers)
        elif verb == "forget":
            workshop.content.manifests.tagged = {
                tag: digest
                for tag, digest in workshop.content.manifests.tagged.items()
                if digest != workshop.content.manifests.tagged[name]
            }
        await _compare(workshop, catalog, forced)


async def _compare(workshop: Workshop, catalog: Catalog, forced: set[str]) -> None:
    maker = workshop.maker(catalog, forced=forced)
    frozen = await workshop.freeze(catalog)
    decisions = await preview(frozen.plan, maker)
    outcome = await workshop.carry_out(frozen, maker)
    assert set(decisions) == set(actions(outcome))
    for tag, decision in decisions.items():
        found = record(outcome, tag)
        if decision.intent is Intent.REUSE:
            assert found.action in (Action.REUSED, Action.STUB)
            assert decision.image is None or found.digest == decision.image.digest
        elif decision.intent is Intent.IMPORT:
            assert found.action in (Action.IMPORTED, Action.STUB)
        elif "is made again" in decision.reason:
            assert found.action in (Action.BUILT, Action.REUSED)
        else:
            assert found.action is Action.BUILT
            assert found.reason == decision.reason


async def test_a_fresh_stream_is_built_from_top_to_bottom(workshop: Workshop, tmp_path: Path):
    """Each image says what happens to it and why; another name for one is never built."""
    await push_image(workshop.registry("quay.io/okd/os"), tag="1")
    catalog = write_stream(
        tmp_path,
        {"c1": inline("FROM os"), "c2": inline("FROM c1\nCOPY --from=again /a /b")},
        stream=STREAM,
    )
    frozen = await workshop.freeze(catalog)
    decisions = await preview(frozen.plan, workshop.maker(catalog))
    assert {tag: (it.intent.value, it.reason) for tag, it in decisions.items()} == {
        "os": ("import", "not imported yet"),
        "stub": ("import", "nobody builds it"),
        "c1": ("build", "parent os is made again"),
        "c2": ("build", "parent again is made again"),
        "again": ("reuse", "the same"),
        "same": ("reuse", "is os"),
    }
    assert workshop.built == []


async def test_what_must_fail_is_known_before(workshop: Workshop, tmp_path: Path):
    """A permitted mistake fails its build in the preview as in the run, and all else goes on."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "lost": inline("FROM scratch AS a\nFROM nowhere"),
            "above": inline("FROM lost"),
            "beside": inline("FROM base"),
        },
        stream="imports: {name: {tag: above, stub: nobody}}\n"
        "permits: [{code: dangling-reference, reason: later}]\n",
    )
    maker = workshop.maker(catalog)
    frozen = await workshop.freeze(catalog)
    decisions = await preview(frozen.plan, maker)
    assert {tag: decision.intent.value for tag, decision in decisions.items()} == {
        "base": "build",
        "lost": "fail",
        "above": "skip",
        "name": "skip",
        "beside": "build",
    }
    assert decisions["above"].reason == "lost fails"
    outcome = await workshop.carry_out(frozen, maker)
    assert actions(outcome) == {
        "base": "built",
        "lost": "failed",
        "above": "skipped",
        "name": "skipped",
        "beside": "built",
    }
    assert record(outcome, "lost").reason == decisions["lost"].reason
