# SPDX-License-Identifier: Apache-2.0
"""Builder images by rule: a matrix of versions instead of a list of references.

Dockerfiles name the builders of OpenShift's CI by Go, Node and RHEL version, a new name for each
release. A stream says which builders *it* has, and by which rules one of another version may
stand in: ``policy`` is what is written, ``known`` the references that need not be written,
``choice`` decides, ``generation`` makes the component that builds what was chosen. Every choice
is a value that says what was asked for and what was given, so that plans and reports can list it.
"""

from okd_payload.catalog.builders.choice import (
    BuilderChoice,
    ChosenVersion,
    Closeness,
    NoBuilder,
    choose_builder,
)
from okd_payload.catalog.builders.generation import generate_builder
from okd_payload.catalog.builders.policy import (
    BuilderImage,
    BuilderReference,
    Builders,
    Nearest,
    VersionRule,
)

__all__ = [
    "BuilderChoice",
    "BuilderImage",
    "BuilderReference",
    "Builders",
    "ChosenVersion",
    "Closeness",
    "Nearest",
    "NoBuilder",
    "VersionRule",
    "choose_builder",
    "generate_builder",
]
