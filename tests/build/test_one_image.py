# SPDX-License-Identifier: Apache-2.0
"""One image of a plan whose parents somebody else made, and what a run of such came to."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import inline, write_stream
from workshop import Workshop, from_git

from okd_payload.build.collecting import collect_outcome, unmet
from okd_payload.build.freeze import FrozenPlan, select
from okd_payload.build.one_image import (
    bring_imports,
    find_images,
    find_node,
    foreign_images,
    make_one,
)
from okd_payload.build.records import Action
from okd_payload.errors import BuildError, UnknownName
from okd_payload.testing.images import push_image

COMPONENTS = {
    "base": inline("FROM scratch"),
    "builder": inline("FROM base"),
    "etcd": inline("FROM alias\nCOPY --from=builder /a /b"),
    "other": inline("FROM base\nRUN other"),
}
ALIAS = "imports: {alias: {tag: base}}\n"


async def frozen(workshop: Workshop, path: Path) -> FrozenPlan:
    """The stream of this module."""
    return await workshop.freeze(write_stream(path, COMPONENTS, stream=ALIAS))


async def make(workshop: Workshop, plan: FrozenPlan, name: str) -> Action:
    """Make one image as a pod of its own would."""
    node = find_node(plan.plan, name)
    maker = workshop.maker(plan.catalog)
    log = workshop.path / "log"
    made = await make_one(select(plan.plan, [node.name]), node, maker=maker, log=log)
    return made.record.action


async def test_an_image_is_made_on_parents_that_are_there(
    workshop: Workshop, tmp_path: Path
) -> None:
    """Each once, in the order of need, and never a parent in place of its own pod."""
    plan = await frozen(workshop, tmp_path)
    with pytest.raises(BuildError, match="etcd stands on base, which is not built") as caught:
        await make(workshop, plan, "etcd")
    assert "select it too" in caught.value.hint
    assert workshop.built == []
    for name in ("base", "builder", "etcd"):
        assert await make(workshop, plan, name) is Action.BUILT
    assert workshop.built == ["base", "builder", "etcd"]
    assert await make(workshop, plan, "etcd") is Action.REUSED


async def test_images_of_elsewhere_are_brought_once(workshop: Workshop, tmp_path: Path) -> None:
    """By their own step for all, or by the component that misses one."""
    far = workshop.registry("registry.test/far")
    await push_image(far, tag="1")
    components = {"base": inline("FROM registry.test/far:1"), "etcd": inline("FROM base")}
    plan = await workshop.freeze(write_stream(tmp_path, components))
    assert [node.name for node in foreign_images(plan.plan)] == ["registry.test/far:1"]
    maker = workshop.maker(plan.catalog)
    (made,) = await bring_imports(plan.plan, maker=maker, folder=tmp_path / "l", at_once=2)
    assert made.record.action is Action.IMPORTED
    (again,) = await bring_imports(plan.plan, maker=maker, folder=tmp_path / "l", at_once=2)
    assert again.record.action is Action.REUSED
    assert await make(workshop, plan, "base") is Action.BUILT


async def test_components_are_found_by_tag_and_by_name(workshop: Workshop, tmp_path: Path) -> None:
    """And what nobody knows is told with what is near."""
    catalog = write_stream(tmp_path, {"base": inline("FROM scratch", more="tag: the-base\n")})
    plan = (await workshop.freeze(catalog)).plan
    assert find_node(plan, "base") is find_node(plan, "the-base")
    with pytest.raises(UnknownName, match="bsae"):
        find_node(plan, "bsae")


async def test_a_run_is_told_from_the_repository(workshop: Workshop, tmp_path: Path) -> None:
    """What is there is there, whoever made it; of the rest the engine says how it ended."""
    plan = await frozen(workshop, tmp_path)
    await make(workshop, plan, "base")
    await make(workshop, plan, "builder")
    found = await find_images(plan.plan, workshop.maker(plan.catalog))
    statuses = {"base": "Succeeded", "builder": "None", "etcd": "Failed"}
    outcome = collect_outcome(plan, found, run="r", moment=5.0, statuses=statuses)
    told = {item.name: (item.action, item.reason) for item in outcome.record.components}
    assert told == {
        "alias": (Action.REUSED, "was there by its key"),
        "base": (Action.BUILT, "its task succeeded"),
        "builder": (Action.REUSED, "was there by its key"),
        "etcd": (Action.FAILED, "its task failed"),
        "other": (Action.SKIPPED, "not built yet"),
    }
    assert not outcome.is_complete
    assert {each.node for each in unmet(found, plan, [])} == {"etcd", "other"}
    assert [each.node for each in unmet(found, plan, ["other", "base"])] == ["other"]


async def test_what_cannot_be_looked_up_is_told_as_failed(
    workshop: Workshop, tmp_path: Path
) -> None:
    """A stream may permit a source that is not there; the component fails all the same."""
    workshop.put("etcd", "FROM base\n")
    components = {"base": inline("FROM scratch"), "gone": from_git("gone")}
    stream = "permits: [{code: source-unavailable, reason: known}]\n"
    plan = await workshop.freeze(write_stream(tmp_path, components, stream=stream))
    found = await find_images(plan.plan, workshop.maker(plan.catalog))
    outcome = collect_outcome(plan, found, run="r", moment=1.0)
    (gone,) = (item for item in outcome.record.components if item.name == "gone")
    assert gone.action is Action.FAILED
    assert "nothing to build" in gone.reason
