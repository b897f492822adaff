# SPDX-License-Identifier: Apache-2.0
"""The component that builds a chosen builder: the definition, with the versions filled in."""

from __future__ import annotations

import msgspec

from okd_payload.catalog.builders.choice import BuilderChoice
from okd_payload.catalog.builders.patterns import fill_versions
from okd_payload.catalog.component import Argument, Component


def generate_builder(choice: BuilderChoice, definition: Component) -> Component:
    """``definition`` under the name of ``choice``, built with its versions.

    Build arguments of the matrix win over those of the definition, and its base over theirs.
    """
    versions = {version.kind: version.given for version in choice.versions}
    given = {
        name: fill_versions(value, versions) for name, value in choice.image.build_arguments.items()
    }
    kept = tuple(each for each in definition.build_arguments if each.name not in given)
    return msgspec.structs.replace(
        definition,
        name=choice.tag,
        tag=choice.tag,
        base=fill_versions(choice.image.base, versions) or definition.base,
        build_arguments=kept + tuple(Argument(name, value) for name, value in given.items()),
    )
