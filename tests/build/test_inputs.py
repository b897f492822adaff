# SPDX-License-Identifier: Apache-2.0
"""Freezing sources: commits and Dockerfiles of all components, all failures at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from streams import inline, write_stream
from workshop import Workshop, from_git, source_of

from okd_payload.build.inputs import read_inputs
from okd_payload.catalog.catalog import Catalog
from okd_payload.errors import MissingTool, SourceError
from okd_payload.source.lock import Lock, LockedSource


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    """Two components with sources, one with an inline Dockerfile and a source, one without."""
    return write_stream(
        tmp_path,
        {
            "base": inline("FROM scratch"),
            "etcd": from_git("etcd", more="context: images\ndockerfile: ./Dockerfile.okd\n"),
            "mixed": from_git("mixed", more=inline("FROM base")),
            "tools": from_git("tools"),
        },
    )


async def test_every_component_gets_its_commit_and_dockerfile(workshop: Workshop, catalog: Catalog):
    """Dockerfiles are found below the context; inline ones need no source to be read."""
    etcd = workshop.sources.put(source_of("etcd"), {"images/Dockerfile.okd": "FROM base\n"})
    mixed = workshop.put("mixed", "FROM never\n")
    workshop.sources.put(source_of("tools"), {"README": "no Dockerfile"})
    inputs = await read_inputs(catalog.components, workshop.sources, lock=Lock())
    assert inputs.issues == ()
    assert sorted(inputs.commits) == ["etcd", "mixed", "tools"]
    assert (inputs.commits["etcd"], inputs.commits["mixed"]) == (etcd, mixed)
    assert inputs.dockerfiles == {
        "base": b"FROM scratch\n",
        "etcd": b"FROM base\n",
        "mixed": b"FROM base\n",
    }


async def test_what_the_lock_knows_is_not_asked_for(workshop: Workshop, catalog: Catalog):
    """A locked commit is read even when the branch has moved on."""
    locked = workshop.put("tools", "FROM base\n")
    workshop.put("tools", "FROM moved\n")
    lock = Lock(sources={"tools": LockedSource(source_of("tools"), locked)})
    (component,) = (item for item in catalog.components if item.name == "tools")
    inputs = await read_inputs([component], workshop.sources, lock=lock)
    assert inputs.commits == {"tools": locked}
    assert inputs.dockerfiles == {"tools": b"FROM base\n"}
    assert [verb for verb, _ in workshop.sources.operations] == ["read_file"]


async def test_a_source_that_fails_is_an_issue_with_its_place(workshop: Workshop, catalog: Catalog):
    """The other components are read all the same; a failed one has no commit."""
    workshop.put("etcd", "FROM base\n")
    workshop.put("mixed", "FROM base\n")
    workshop.sources.fail(source_of("tools"), SourceError("no such branch", hint="look there"))
    inputs = await read_inputs(catalog.components, workshop.sources, lock=Lock())
    (issue,) = inputs.issues
    assert (issue.code, issue.component, issue.message, issue.hint) == (
        "source-unavailable",
        "tools",
        "no such branch",
        "look there",
    )
    assert issue.file.endswith("tools.yaml")
    assert sorted(inputs.commits) == ["etcd", "mixed"]


async def test_what_fails_for_all_is_raised_once(workshop: Workshop, catalog: Catalog):
    """Without git there is one error, and no list of issues that all say the same."""
    for name in ("etcd", "mixed", "tools"):
        workshop.sources.fail(source_of(name), MissingTool("there is no git"))
    with pytest.raises(MissingTool, match="there is no git"):
        await read_inputs(catalog.components, workshop.sources, lock=Lock())
