# SPDX-License-Identifier: Apache-2.0
"""Dockerfiles that another image carries, read before that image is built."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import AMD64, inline, write_stream

from okd_payload.build.foreseeing import origins_of
from okd_payload.build.freeze import read_plan
from okd_payload.build.plan import ComponentNode, NamedBy, Plan, Relation
from okd_payload.catalog.dockerfile import parse_dockerfile
from okd_payload.source.lock import Lock
from okd_payload.source.model import GitSource
from okd_payload.testing.memory_sources import MemorySourceTree

FORKS = GitSource(url="https://example.com/forks", ref="main")
APP = GitSource(url="https://example.com/app", ref="main")


@pytest.mark.parametrize(
    ("instructions", "path", "expected"),
    [
        ("WORKDIR /code\nCOPY . .", "/code/pod/Dockerfile", ("pod/Dockerfile",)),
        ("COPY forks /code", "/code/pod/Dockerfile", ("forks/pod/Dockerfile",)),
        ("COPY a/Dockerfile /", "/Dockerfile", ("a/Dockerfile/Dockerfile", "a/Dockerfile")),
        ("COPY a /x\nCOPY b /x", "/x/y", ("b/y",)),
        ("COPY a /x", "/elsewhere", ()),
        ("COPY . /code\nRUN sed -i s/a/b/ /code/*", "/code/x", ()),
        ("COPY a* /code", "/code/x", ()),
        ("COPY --from=other /code /code", "/code/x", ()),
        ("ADD a.tar /code", "/code/x", ()),
        ("COPY . $HOME", "/root/x", ()),
        ("COPY a b /code/", "/code/a", ()),
    ],
)
def test_what_a_copy_brings_is_known_where_nothing_is_guessed(instructions, path, expected) -> None:
    """Plain copies are followed to the context; whatever might do more is not."""
    dockerfile = parse_dockerfile(f"FROM scratch\nLABEL a=b\n{instructions}\n", path="Dockerfile")
    assert origins_of(dockerfile, path) == expected


async def plan(tmp_path: Path, carrier: str) -> Plan:
    """The plan of an application whose Dockerfile is carried by an image built so."""
    sources = MemorySourceTree()
    sources.put(APP, {"main.go": "package main"})
    sources.put(
        FORKS, {"forks/Dockerfile": carrier, "forks/app/Dockerfile.new": "FROM tools\nFROM old"}
    )
    catalog = write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "tools": inline("FROM base"),
            "unused": inline("FROM base"),
            "forks": f"source: {{git: '{FORKS.url}', ref: main}}\ncontext: forks\n",
            "app": (
                f"source: {{git: '{APP.url}', ref: main}}\nbase: base\n"
                "context: images/app\ndockerfile: Dockerfile.new\n"
                "inputs:\n"
                "  - {image: forks, copies: [{from: /code/app/Dockerfile.new, to: images/app}]}\n"
                "  - {image: unused, aliases: ['x:1']}\n"
            ),
        },
    )
    return await read_plan(
        catalog, catalog.wanted_tags, sources=sources, platform=AMD64, lock=Lock()
    )


async def test_a_carried_dockerfile_is_planned_like_any_other(tmp_path: Path) -> None:
    """Its operands become edges with their reasons; the build still reads it from the image."""
    found = await plan(tmp_path, "FROM scratch\nWORKDIR /code\nCOPY . .\n")
    node = found.nodes["app"]
    assert isinstance(node, ComponentNode)
    assert (node.dockerfile, node.foreseen) == (None, True)
    assert [(each.node, each.relation, each.declared) for each in node.dependencies] == [
        ("tools", Relation.FROM, False),
        ("base", Relation.BASE, True),
        ("forks", Relation.FILES, True),
    ]
    base = node.dependencies[1]
    assert (base.named_by, base.operand, base.reference) == (NamedBy.BASE, "base", "old")
    assert [issue.code for issue in found.issues] == ["unused-input"]


async def test_what_cannot_be_foreseen_follows_the_declarations(tmp_path: Path) -> None:
    """Where the carrier does more than copying, all declared inputs come first."""
    found = await plan(tmp_path, "FROM base\nCOPY . /code\nRUN make\n")
    node = found.nodes["app"]
    assert isinstance(node, ComponentNode)
    assert not node.foreseen
    assert {(each.node, each.relation) for each in node.dependencies} == {
        ("unused", Relation.INPUT),
        ("base", Relation.BASE),
        ("forks", Relation.FILES),
    }
