# SPDX-License-Identifier: Apache-2.0
"""A forge with a shared library, and the stream of what is built from it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from okd_payload.build.impact.change import read_changes
from okd_payload.build.impact.prepare import Prepared, prepare_changes
from okd_payload.build.impact.reach import Selection
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.load import load_catalog
from okd_payload.locations import Locations
from okd_payload.oci.manifest import Platform
from okd_payload.source.lock import Lock
from okd_payload.source.tree import Sources
from okd_payload.testing.clock import ManualClock
from okd_payload.testing.go_forge import Forge, ForgeRepository, Vendored

API = "github.com/openshift/api"
VERSION = "v0.0.0-20240101000000-aaaaaaaaaaaa"
CONFIG = 'package config\n\n// Name is asked for.\nfunc Name() string { return "config" }\n'
ROUTE = 'package route\n\n// Host is asked for.\nfunc Host() string { return "route" }\n'
BUILDER = "FROM registry.ci.openshift.org/ocp/builder:golang AS builder\n"
DOCKERFILE = BUILDER + "FROM scratch\nCOPY --from=builder /main /main\n"
STREAM = """\
name: small
catalog: [{components: components}]
imports: {builder: {image: quay.io/test/builder:1}}
substitutions: [{glob: "registry.ci.openshift.org/ocp/*:golang", image: builder}]
"""


def program(*packages: str, call: str) -> str:
    """A main package that imports ``packages`` and evaluates ``call``."""
    imports = "".join(f'\t"{package}"\n' for package in packages)
    return f"package main\n\nimport (\n{imports})\n\nfunc main() {{ println({call}) }}\n"


class Rig:
    """The forge, and the stream of what is in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.forge = Forge(folder / "forge")
        self.more = ""
        """Further lines of the stream file."""
        self.sources = Sources(
            Locations(cache=folder / "cache", state=folder / "state"), clock=ManualClock()
        )

    def add(self, name: str, files: dict[str, str], *, dockerfile: str = DOCKERFILE) -> None:
        """A component ``name`` from the repository ``openshift/NAME``, with these files."""
        repository = self.forge.repository(f"openshift/{name}")
        repository.commit({"Dockerfile": dockerfile, **files})
        components = self.folder / "stream" / "components"
        components.mkdir(parents=True, exist_ok=True)
        (components / f"{name}.yaml").write_text(
            f'source: {{git: "{repository.url}", ref: main}}\n'
        )

    def vendoring(self, *packages: str, **facts: str | bool) -> Vendored:
        """Copies of packages of the library."""
        return msgspec.structs.replace(
            Vendored(library=self.api, module=API, version=VERSION, packages=packages), **facts
        )

    @property
    def api(self) -> ForgeRepository:
        """The library."""
        return self.forge.repository("openshift/api")

    @property
    def catalog(self) -> Catalog:
        """The catalog of the stream."""
        (self.folder / "stream" / "stream.yaml").write_text(STREAM + self.more)
        return load_catalog(self.folder / "stream")

    async def prepare(self, *changes: str, **selection: object) -> Prepared:
        """What ``changes`` reach, prepared."""
        catalog = self.catalog
        return await prepare_changes(
            catalog,
            read_changes(changes, catalog=catalog, directory=self.folder),
            selection=msgspec.convert(selection, Selection),
            sources=self.sources,
            platform=Platform(architecture="amd64"),
            lock=Lock(),
        )
