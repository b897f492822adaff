# SPDX-License-Identifier: Apache-2.0
"""Which images of a plan are work of their own, and what each waits for."""

from __future__ import annotations

from pathlib import Path

from streams import inline, plan_of, write_stream

from okd_payload.build.declared_plan import declared_plan
from okd_payload.build.work_graph import COPIED, work_graph
from okd_payload.oci.manifest import Platform

AMD64 = Platform(architecture="amd64")
COMPONENTS = {
    "base": inline("FROM root"),
    "etcd": inline("FROM other\nCOPY --from=quay.io/far/tool:1 /a /b"),
    "pulled": inline("FROM brought"),
}
STREAM = """\
imports:
  root: {command: [./root.sh]}
  other: {tag: base}
  brought: {image: "quay.io/far/brought:1"}
"""


async def test_aliases_are_what_they_mean_and_copies_are_one(tmp_path: Path) -> None:
    """Commands are work, images of elsewhere are copied all at once."""
    work = work_graph(await plan_of(write_stream(tmp_path, COMPONENTS, stream=STREAM)))
    assert work.copies
    assert work.waits == {
        "base": ("root",),
        "etcd": (COPIED, "base"),
        "pulled": (COPIED,),
        "root": (),
    }
    assert work.graph.parents_of("etcd") == ("base",)


async def test_equal_graphs_have_equal_names(tmp_path: Path) -> None:
    """A new edge gives another name, a new Dockerfile with the same edges does not."""
    names = []
    for number, dockerfile in enumerate(
        ("FROM base", "FROM base\nENV A=1", "FROM base\nCOPY --from=root /a /b")
    ):
        components = {"base": inline("FROM root"), "etcd": inline(dockerfile)}
        catalog = write_stream(tmp_path / str(number), components, stream=STREAM)
        names.append(work_graph(await plan_of(catalog)).digest)
    assert names[0] == names[1] != names[2]


def test_declared_edges_are_bases_and_inputs(tmp_path: Path) -> None:
    """What stands in a definition is read, and how much was not is told once."""
    components = {
        "base": inline("FROM root"),
        "far": "source: {git: https://example.com/far, ref: main}\nbase: base\n"
        "inputs: [{image: etcd, aliases: [tool]}]\n",
        "etcd": inline("FROM base"),
    }
    catalog = write_stream(tmp_path, components, stream=STREAM)
    plan = declared_plan(catalog, platform=AMD64)
    assert work_graph(plan).waits["far"] == ("base", "etcd")
    (issue,) = (each for each in plan.issues if each.code == "declared-edges")
    assert "1 components" in issue.message
    assert not issue.blocks
