# SPDX-License-Identifier: Apache-2.0
"""What every job is told of its run: the environment that test jobs of OpenShift know.

``RELEASE_IMAGE_LATEST`` is the release under test and ``RELEASE_IMAGE_INITIAL`` the one that an
update starts from; without an update both are the release under test, because the tooling of
such jobs imports both. Where the release is not for amd64 the names carry the architecture, as
in ``RELEASE_IMAGE_ARM64_LATEST``. ``IMAGE_<NAME>`` is an image of the release, by digest.
``IMAGE_FORMAT`` names images by tag, so it can only mean the images that are watched, and those
may have moved on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from okd_payload.controller.configuration.model import StreamConfiguration
from okd_payload.controller.model import FrozenInput
from okd_payload.controller.verification.runner import RunContext

LATEST, INITIAL = "RELEASE_IMAGE_LATEST", "RELEASE_IMAGE_INITIAL"
_PLAIN = "amd64"
_MULTI = "multi"


def architecture_of(configuration: StreamConfiguration) -> str:
    """What the releases of the stream are for: an architecture, or ``multi``."""
    known = configuration.architectures
    return known[0] if len(known) == 1 else _MULTI if known else _PLAIN


def release_variables(context: RunContext) -> dict[str, str]:
    """The two releases of the run, by the names for their architecture.

    A run that is about one of several finds them by the name for that one, too.
    """
    latest = context.release.pull_spec
    initial = context.run.from_pull_spec or latest
    architecture = architecture_of(context.configuration)
    found: dict[str, str] = {}
    if architecture in (_PLAIN, _MULTI):
        found |= {LATEST: latest, INITIAL: initial}
    for named in {architecture, context.verification.architecture} - {_PLAIN, ""}:
        spelled = named.upper()
        found |= {
            f"RELEASE_IMAGE_{spelled}_LATEST": latest,
            f"RELEASE_IMAGE_{spelled}_INITIAL": initial,
        }
    return found


def make_contract(context: RunContext, images: Iterable[FrozenInput]) -> dict[str, str]:
    """Everything that the run is told, what its stream sets last and so above all."""
    run, configuration = context.run, context.configuration
    profile = context.verification.runner.settings.get("clusterProfile") or run.platform
    latest = context.release.pull_spec
    found = {
        LATEST: latest,
        INITIAL: run.from_pull_spec or latest,
        **release_variables(context),
        **image_variables(images),
        "OPENSHIFT_INSTALL_AWS_PUBLIC_ONLY": "false",
        "RELEASE_NAME": run.release,
        "RELEASE_STREAM": configuration.name,
        "RELEASE_ARCHITECTURE": context.verification.architecture or architecture_of(configuration),
        "JOB_NAME": run.verification,
        "BUILD_ID": run.id,
    }
    optional = {
        "RELEASE_INITIAL_NAME": run.from_release,
        "PLATFORM": run.platform,
        "CLUSTER_TYPE": run.platform,
        "CLUSTER_PROFILE": profile,
        "IMAGE_FORMAT": image_format(configuration),
    }
    found |= {name: value for name, value in optional.items() if value}
    return found | context.verification.runner.environment


def image_variables(images: Iterable[FrozenInput]) -> dict[str, str]:
    """Each image of the release: ``machine-api`` is ``IMAGE_MACHINE_API``."""
    return {image_variable(image.tag): image.reference for image in images}


def image_variable(tag: str) -> str:
    """What the image ``tag`` is called in the environment."""
    return "IMAGE_" + tag.upper().replace("-", "_").replace(".", "_")


def image_format(configuration: StreamConfiguration) -> str:
    """The watched images by tag, where they are in a registry; else empty."""
    watched = configuration.input.repository
    return f"{watched}:${{component}}" if watched and not watched.startswith("oci:") else ""


def as_parameters(variables: Mapping[str, str]) -> dict[str, str]:
    """``variables`` as pipelines spell parameters: ``release-image-latest``."""
    return {name.lower().replace("_", "-"): value for name, value in variables.items()}
