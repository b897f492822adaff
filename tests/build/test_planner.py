# SPDX-License-Identifier: Apache-2.0
"""Planning: edges from what Dockerfiles say, and every problem before the first build."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from streams import inline, plan_of, write_stream

from okd_payload.build.graph import waves
from okd_payload.build.plan import AliasNode, ComponentNode, ExternalNode, Plan, Relation
from okd_payload.catalog.component import Argument
from okd_payload.catalog.load import load_catalog
from okd_payload.errors import SourceError
from okd_payload.issues import Severity
from okd_payload.source.model import GitSource
from okd_payload.testing.memory_sources import MemorySourceTree

SUBSTITUTIONS = """
substitutions:
  - {glob: "private.ci/builder:*", image: builder}
  - {glob: "private.ci/*:*", image: "{2}"}
"""


def _dependencies(plan: Plan, name: str) -> list[tuple[str, Relation]]:
    node = plan.nodes[name]
    assert isinstance(node, ComponentNode)
    return [(item.node, item.relation) for item in node.dependencies]


def _codes(plan: Plan) -> list[tuple[str, str]]:
    return [(issue.code, issue.component) for issue in plan.issues]


async def test_every_operand_becomes_an_edge_with_its_reason(tmp_path: Path):
    """FROM, COPY --from and RUN --mount are followed through patterns, aliases and names."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "builder": inline("FROM base"),
            "cli": inline("FROM base"),
            "tools": inline("FROM base"),
            "app": inline(
                "ARG BASE=private.ci/4.20:base\n"
                "FROM private.ci/builder:go AS build\n"
                "RUN --mount=type=bind,from=tools,target=/t make\n"
                "FROM ${BASE}\n"
                "COPY --from=build /a /a\n"
                "COPY --from=the/cli:1 /b /b",
                more="inputs: [{image: cli, aliases: ['the/cli:1']}]\n",
            ),
        },
        stream=SUBSTITUTIONS,
    )
    plan = await plan_of(catalog)
    assert plan.issues == ()
    assert _dependencies(plan, "app") == [
        ("builder", Relation.FROM),
        ("tools", Relation.MOUNT),
        ("base", Relation.FROM),
        ("cli", Relation.COPY),
    ]
    assert waves(plan.graph) == (("base",), ("builder", "cli", "tools"), ("app",))


async def test_base_replaces_the_last_from_only(tmp_path: Path):
    """With ``base``, what the last FROM named before is neither an edge nor an issue."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "app": inline("FROM base AS b\nFROM nowhere:1\n", more="base: base\n"),
        },
    )
    plan = await plan_of(catalog)
    assert _codes(plan) == []
    assert _dependencies(plan, "app") == [("base", Relation.FROM), ("base", Relation.BASE)]


async def test_all_problems_are_reported_at_once(tmp_path: Path):
    """A private image, a dangling tag, a cycle and useless declarations come together."""
    catalog = write_stream(
        tmp_path,
        {
            "private": inline("FROM registry.ci.openshift.org/ocp/4.20:base"),
            "dangling": inline("FROM private-tag"),
            "left": inline("FROM right"),
            "right": inline("FROM left"),
            "useless": inline(
                "FROM scratch",
                more="buildArguments: {TGAS: x}\ninputs: [{image: left, aliases: [unused:1]}]\n",
            ),
            "broken": inline("FRMO scratch"),
        },
    )
    plan = await plan_of(catalog)
    assert sorted(_codes(plan)) == [
        ("dangling-reference", "dangling"),
        ("dependency-cycle", "left"),
        ("invalid-dockerfile", "broken"),
        ("private-reference", "private"),
        ("unconsumed-argument", "useless"),
        ("unused-input", "useless"),
    ]
    found = {issue.code: issue for issue in plan.issues}
    assert "left -> right -> left" in found["dependency-cycle"].message
    assert found["unused-input"].severity is Severity.NOTICE
    assert "private" in found["dangling-reference"].hint
    assert found["private-reference"].file.endswith("private.yaml")


async def test_an_unused_input_makes_no_edge(tmp_path: Path):
    """What a definition declares and its Dockerfile does not use makes nobody wait."""
    catalog = write_stream(
        tmp_path,
        {
            "cli": inline("FROM scratch"),
            "app": inline("FROM scratch", more="inputs: [{image: cli, aliases: [x/cli:1]}]\n"),
        },
    )
    plan = await plan_of(catalog)
    assert waves(plan.graph) == (("app", "cli"),)


async def test_a_missing_dockerfile_is_an_issue_with_its_place(tmp_path: Path):
    """The path that was looked for is named."""
    sources = MemorySourceTree()
    sources.put(GitSource(url="https://example.com/app", ref="main"), {"README": "hello"})
    text = "source: {git: https://example.com/app, ref: main}\ncontext: sub\n"
    plan = await plan_of(write_stream(tmp_path, {"app": text}), sources)
    assert _codes(plan) == [("missing-dockerfile", "app")]
    assert "sub/Dockerfile" in plan.issues[0].message


async def test_a_copied_dockerfile_is_read_later(tmp_path: Path):
    """When an input brings the Dockerfile, its declared inputs and base are the edges."""
    sources = MemorySourceTree()
    sources.put(GitSource(url="https://example.com/app"), {"README": "hello"})
    copies = "copies: [{from: /code/Dockerfile.okd, to: build}]"
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "forks": inline("FROM scratch"),
            "app": "source: {git: https://example.com/app}\n"
            "context: build\ndockerfile: Dockerfile.okd\nbase: base\n"
            f"inputs: [{{image: forks, {copies}}}]\n",
        },
    )
    plan = await plan_of(catalog, sources)
    assert plan.issues == ()
    assert _dependencies(plan, "app") == [("base", Relation.BASE), ("forks", Relation.FILES)]


async def test_unreadable_sources_are_all_reported(tmp_path: Path):
    """One server that does not answer hides nothing of the other."""
    sources = MemorySourceTree()
    for name in ("one", "two"):
        source = GitSource(url=f"https://example.com/{name}")
        sources.fail(source, SourceError(f"cannot reach {name}", hint="look at the URL"))
    catalog = write_stream(
        tmp_path,
        {name: f"source: {{git: https://example.com/{name}}}\n" for name in ("one", "two")},
    )
    plan = await plan_of(catalog, sources)
    assert _codes(plan) == [("source-unavailable", "one"), ("source-unavailable", "two")]
    assert plan.issues[0].hint == "look at the URL"


async def test_imports_become_nodes_of_their_kind(tmp_path: Path):
    """A pull spec, another tag and a command are brought in each in its own way."""
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM root"),
            "app": inline("FROM quay.io/centos/centos:stream9"),
        },
        stream="imports:\n"
        "  root: {command: [./root.sh]}\n"
        "  os: {image: quay.io/okd/os:1}\n"
        "  kuryr: {tag: base, stub: not built here}\n",
    )
    plan = await plan_of(catalog)
    assert plan.issues == ()
    assert plan.nodes["kuryr"] == AliasNode(name="kuryr", target="base", stub="not built here")
    external = plan.nodes["quay.io/centos/centos:stream9"]
    assert isinstance(external, ExternalNode)
    assert _dependencies(plan, "base") == [("root", Relation.FROM)]
    assert plan.graph.parents["kuryr"] == ("base",)


async def test_the_real_catalog_plans_without_reading_a_source(shared_data: Path, tmp_path: Path):
    """All 189 definitions plan at once; what cannot be fetched is an issue each, not a crash."""
    (tmp_path / "stream.yaml").write_text(
        f"name: okd\ncatalog: [{{buildConfigs: {shared_data}/okd-payload-pipeline/buildconfigs}}]\n"
    )
    plan = await plan_of(load_catalog(tmp_path / "stream.yaml"))
    assert len(plan.components) >= 183
    assert {issue.code for issue in plan.issues} >= {"source-unavailable"}


@pytest.mark.parametrize(
    ("copied", "destination", "dockerfile", "brings"),
    [
        ("/code/Dockerfile.okd", ".", "Dockerfile.okd", True),
        ("/code/Dockerfile.okd", "./build/pause", "build/pause/Dockerfile.okd", True),
        ("/code/.", "build", "build/Dockerfile.okd", True),
        ("/code/Dockerfile.other", ".", "Dockerfile.okd", False),
        ("/code/.", "other", "build/Dockerfile.okd", False),
    ],
)
async def test_which_copies_bring_the_dockerfile(
    tmp_path: Path, copied: str, destination: str, dockerfile: str, *, brings: bool
):
    """A file lands under its name in the destination, a folder with all that is in it."""
    sources = MemorySourceTree()
    sources.put(GitSource(url="https://example.com/app"), {"README": "hello"})
    copies = f"copies: [{{from: {copied}, to: {destination}}}]"
    catalog = write_stream(
        tmp_path,
        {
            "forks": inline("FROM scratch"),
            "app": f"source: {{git: https://example.com/app}}\ndockerfile: {dockerfile}\n"
            f"inputs: [{{image: forks, {copies}}}]\n",
        },
    )
    plan = await plan_of(catalog, sources)
    assert ("missing-dockerfile" in {issue.code for issue in plan.issues}) is not brings


async def test_a_broken_dockerfile_is_reported_with_its_line(tmp_path: Path):
    """The place stands apart from the message, so that whoever shows it shows it once."""
    sources = MemorySourceTree()
    source = GitSource(url="https://example.com/app")
    sources.put(source, {"Dockerfile": "FROM base\n\nRUM make\n"})
    catalog = write_stream(tmp_path, {"app": "source: {git: https://example.com/app}\n"})
    (issue,) = (await plan_of(catalog, sources)).issues
    assert (issue.code, issue.component) == ("invalid-dockerfile", "app")
    assert (issue.file, issue.line) == ("Dockerfile of https://example.com/app", 3)
    assert "Dockerfile" not in issue.message
    assert "RUN" in issue.hint


async def test_a_dockerfile_of_another_encoding_is_reported(tmp_path: Path):
    """Bytes that are no text would become another image silently."""
    sources = MemorySourceTree()
    sources.put(GitSource(url="https://example.com/app"), {"Dockerfile": b"FROM base\n# \xff\n"})
    catalog = write_stream(tmp_path, {"app": "source: {git: https://example.com/app}\n"})
    (issue,) = (await plan_of(catalog, sources)).issues
    assert (issue.code, issue.line) == ("invalid-dockerfile", 2)


async def test_a_value_that_no_dockerfile_can_hold_is_reported(tmp_path: Path):
    """The definition is at fault, so the issue leads there."""
    catalog = write_stream(tmp_path, {"app": inline("FROM scratch")})
    (component,) = catalog.components
    component = msgspec.structs.replace(component, environment=(Argument("A", "two\nlines"),))
    catalog = msgspec.structs.replace(catalog, components=(component,))
    (issue,) = (await plan_of(catalog)).issues
    assert (issue.code, issue.file) == ("invalid-dockerfile", component.origin.file)


async def test_a_component_of_nothing_is_reported(tmp_path: Path):
    """Neither a source nor a Dockerfile nor an input that brings one."""
    (issue,) = (await plan_of(write_stream(tmp_path, {"app": "{}\n"}))).issues
    assert issue.message == "there is no Dockerfile, and no source"


async def test_an_alias_that_is_the_name_of_a_stage_is_used(tmp_path: Path):
    """FROM builder AS builder means the input in the first place, and that is no mistake."""
    catalog = write_stream(
        tmp_path,
        {
            "go": inline("FROM scratch"),
            "app": inline(
                "FROM builder AS builder\nFROM scratch\nCOPY --from=builder /a /a",
                more="inputs: [{image: go, aliases: [builder]}]\n",
            ),
        },
    )
    plan = await plan_of(catalog)
    assert plan.issues == ()
    assert _dependencies(plan, "app") == [("go", Relation.FROM)]


async def test_an_import_that_means_nothing_is_told_once(tmp_path: Path):
    """The catalog knows about it, and planning does not repeat it."""
    catalog = write_stream(
        tmp_path, {"app": inline("FROM lost")}, stream="imports: {lost: {tag: nowhere}}\n"
    )
    assert _codes(await plan_of(catalog)) == [("dangling-reference", "")]


async def test_a_folder_that_is_copied_may_hold_the_dockerfile(tmp_path: Path):
    """A folder lands under its own name."""
    sources = MemorySourceTree()
    sources.put(GitSource(url="https://example.com/app"), {"README": "hello"})
    catalog = write_stream(
        tmp_path,
        {
            "forks": inline("FROM scratch"),
            "app": "source: {git: https://example.com/app}\ncontext: code\n"
            "inputs: [{image: forks, copies: [{from: /code/, to: .}]}]\n",
        },
    )
    assert (await plan_of(catalog, sources)).issues == ()
