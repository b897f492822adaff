# SPDX-License-Identifier: Apache-2.0
"""The real catalog's repositories, made again from recorded facts of their Dockerfiles.

The recordings have no text, only what Dockerfiles refer to; what is generated from them refers
to the same things in the same stages. Components whose Dockerfile is replaced have none in their
own repository here: the replacement is where the image that carries it takes it from.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from okd_payload.source.model import GitSource
from okd_payload.testing.memory_sources import MemorySourceTree

Trees = dict[tuple[str, str], dict[str, str]]
"""Files by path, by URL and branch of their repository."""

_PIPELINE = ("https://github.com/okd-project/okd-payload-pipeline", "main")
_CARRIER = "FROM scratch\nWORKDIR /code\nCOPY . .\n"


def read_trees(data: Path) -> Trees:
    """The files of every repository of the catalog, from the recordings below ``data``."""
    references = json.loads((data / "component-dockerfiles" / "references.json").read_bytes())
    forks = json.loads((data / "okd-payload-pipeline" / "forks-references.json").read_bytes())
    trees: Trees = defaultdict(dict)
    for facts in references.values():
        repository = (facts["defined_repository"] or "", facts["defined_ref"] or "")
        if not repository[0]:
            continue
        files = trees[repository]
        files["README.md"] = "Made from facts.\n"
        if facts["found"] and not facts["replaced_by_fork"]:
            files[facts["defined_path"]] = write_dockerfile(facts)
    for path, instructions in forks.items():
        trees[_PIPELINE][path] = write_fork(instructions)
    trees[_PIPELINE]["forks/Dockerfile"] = _CARRIER
    return dict(trees)


def serve(trees: Trees) -> MemorySourceTree:
    """A source tree with all of ``trees``."""
    sources = MemorySourceTree()
    for (url, ref), files in trees.items():
        sources.put(GitSource(url=url, ref=ref), files)
    return sources


def write_dockerfile(facts: dict[str, Any]) -> str:
    """A Dockerfile that refers to what ``facts`` say."""
    lines = []
    for index, stage in enumerate(facts["stages"]):
        name = f" AS {stage['alias']}" if stage["alias"] else ""
        platform = f"--platform={stage['platform']} " if stage["platform"] else ""
        lines.append(f"FROM {platform}{stage['from']}{name}")
        for argument, default in facts["args"].items():
            lines.append(f"ARG {argument}" + ("" if default is None else f'="{default}"'))
        lines += [
            f"COPY --from={copy['from']} /copied /copied"
            for copy in facts["copies_from"]
            if copy["stage"] == index
        ]
    lines += [f'LABEL {name}="{value}"' for name, value in facts["labels"].items()]
    lines += [f"USER {user}" for user in facts["user"]]
    return "\n".join(lines) + "\n"


def write_fork(instructions: list[dict[str, str]]) -> str:
    """A replacement Dockerfile with these instructions."""
    lines = []
    for each in instructions:
        name = each["instruction"]
        if name == "COPY":
            lines.append(f"COPY --from={each['from']} /copied /copied")
        elif name == "ARG":
            lines.append(f"ARG {each['name']}")
        else:
            lines.append(f"{name} {each['value']}")
    return "\n".join(lines) + "\n"
