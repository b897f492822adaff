# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from okd_payload.release import codes as release_codes
from okd_payload.release.labels import OPERATOR
from okd_payload.release.lint import codes
from okd_payload.release.lint.operators import lint_operators
from okd_payload.release.load import read_release
from okd_payload.release.new.publish import publish_release
from okd_payload.testing.images import push_image


def _load_make_layer():
    path = Path(__file__).parents[1] / "conftest.py"
    spec = importlib.util.spec_from_file_location("release_world", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_layer


make_layer = _load_make_layer()


async def _lint(world, *, included=()):
    release = await world.release(included=frozenset(included))
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    content = await read_release(world.target, "x")
    return await lint_operators(content, world.repository_of)


@pytest.fixture
async def base(world):
    """A world with the image that releases are put on."""
    await world.add_base()
    return world


async def test_sound_operator(base, manifest, listing):
    """An operator that uses all it lists, in places where it is replaced, is sound."""
    await base.add("operand")
    files = {
        "a.yaml": manifest("a", image="r/operand"),
        "image-references": listing(operand="r/operand"),
    }
    await base.add("op", files)
    assert await _lint(base) == []


async def test_manifests_below(base, manifest):
    """Of an operator without manifests in its last layer it is told in which one they are."""
    layers = [
        make_layer({"usr/bin/op": "op"}),
        make_layer({"manifests/a.yaml": manifest("a")}),
        make_layer({"etc/motd": "x"}),
    ]
    image = await push_image(base.repository, layers=layers, labels={OPERATOR: "true"}, tag="op")
    base.tags["op"] = image.digest
    (issue,) = [issue for issue in await _lint(base, included=["op"]) if issue.component == "op"]
    assert issue.code == release_codes.OPERATOR_WITHOUT_MANIFESTS.code
    assert "manifests/ is in layer 2 of 3" in issue.message
    assert issue.file == "manifests/a.yaml"


async def test_operator_without_any_manifests(base):
    """An operator that has none at all is told as one."""
    image = await push_image(
        base.repository, layers=[make_layer({"x": "y"})], labels={OPERATOR: "true"}, tag="op"
    )
    base.tags["op"] = image.digest
    (issue,) = [issue for issue in await _lint(base, included=["op"]) if issue.component == "op"]
    assert issue.code == release_codes.OPERATOR_WITHOUT_MANIFESTS.code
    assert "layer 1" not in issue.message


async def test_unlabelled_operator(base, manifest):
    """Manifests in an image without the label are told, because nobody reads them."""
    await base.add("op", {"a.yaml": manifest("a")}, labels={OPERATOR: ""})
    issues = await _lint(base, included=["op"])
    assert (release_codes.UNLABELLED_OPERATOR.code, "op") in [
        (issue.code, issue.component) for issue in issues
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[r/operand:1]",
        "'r/operand,r/operand'",
        "x=r/operand,y",
        "'r/operand r/operand'",
        "(r/operand)",
    ],
)
async def test_missed_placeholders(base, manifest, listing, text):
    """A placeholder before a comma or bracket, and the second of two, are told with their line."""
    await base.add("operand")
    files = {
        "a.yaml": manifest("a", image="r/operand", text=text),
        "image-references": listing(operand="r/operand"),
    }
    await base.add("op", files)
    (issue,) = await _lint(base)
    assert (issue.code, issue.component) == (codes.MISSED_PLACEHOLDER.code, "op")
    assert (issue.file, issue.line) == ("manifests/a.yaml", 10)


@pytest.mark.parametrize("text", ["https://r/operand/x", "r/operand-other:1", "a.r/operand"])
async def test_other_things_are_no_placeholders(base, manifest, listing, text):
    """What only begins or ends like a placeholder means something else."""
    await base.add("operand")
    files = {
        "a.yaml": manifest("a", image="r/operand", text=text),
        "image-references": listing(operand="r/operand"),
    }
    await base.add("op", files)
    assert await _lint(base) == []


async def test_unused(base, manifest, listing):
    """A listed image that the operator does not use is told, and one that nobody lists."""
    for name in ("operand", "extra"):
        await base.add(name)
    await base.add(
        "op", {"a.yaml": manifest("a"), "image-references": listing(operand="r/operand")}
    )
    issues = await _lint(base, included=["extra"])
    assert [(issue.code, issue.component) for issue in issues] == [
        (codes.UNUSED_PLACEHOLDER.code, "op"),
        (codes.UNUSED_IMAGE.code, "extra"),
    ]


async def test_missing_image(base, manifest):
    """What cannot be had is told, and nothing is guessed about what it would have named."""
    await base.add("op", {"a.yaml": manifest("a")})
    release = await base.release()
    await publish_release(release, base.target, tag="x", repository_of=base.repository_of)
    content = await read_release(base.target, "x")
    del base.repository.manifests.images[base.tags["op"]]
    (issue,) = await lint_operators(content, base.repository_of)
    assert (issue.code, issue.component) == (release_codes.MISSING_IMAGE.code, "op")
    assert "make it again" in issue.hint
