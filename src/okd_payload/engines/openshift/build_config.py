# SPDX-License-Identifier: Apache-2.0
"""A build step as a BuildConfig, and as the request that starts one build of it.

The step has been decided to the last digest, so nothing is left to the cluster: the Dockerfile is
the rewritten one, images are named by digest, the build key is a label of the image, and the
image goes to the tag of its key. So whoever comes next finds it by key, whatever became of us.
"""

from __future__ import annotations

import msgspec

from okd_payload.build.engine import BuildStep
from okd_payload.build.key import key_tag
from okd_payload.catalog.component import Resources
from okd_payload.catalog.openshift_names import IMAGE_STREAM_TAG
from okd_payload.cluster import kinds
from okd_payload.engines.openshift.definition import DOCKER, POLICIES, variables
from okd_payload.engines.openshift.objects import (
    BuildConfig,
    BuildRequest,
    BuildSpecification,
    CopiedPath,
    DockerStrategy,
    DockerStrategyOptions,
    Git,
    GitRevision,
    ImageSource,
    Metadata,
    ObjectReference,
    Output,
    ResourceRequirements,
    Revision,
    SecretName,
    Source,
    Strategy,
    docker_image,
    new_build_config,
)
from okd_payload.engines.openshift.pinning import pin_images
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.labels import build_annotations, build_labels, label_value
from okd_payload.engines.pod.nodes import ARCHITECTURE_LABEL
from okd_payload.engines.pod.resources import DEFAULT_RESOURCES, requirements_of
from okd_payload.errors import BuildError
from okd_payload.source.model import Commit, GitSource


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where builds of a cluster pull parents from and push images to."""

    pull_name: str
    """The repository with the images of the stream, as pods of the cluster reach it."""
    image_stream: str = ""
    """The image stream of the project that is this repository; empty for any other registry."""
    push_secret: str = ""
    """A secret of the namespace for that registry; an image stream needs none."""
    source_secret: str = ""
    """A secret of the namespace for private git repositories, as OpenShift takes it."""

    def output(self, tag: str) -> ObjectReference:
        """The object that a build which makes ``tag`` names."""
        if self.image_stream:
            return ObjectReference(kind=IMAGE_STREAM_TAG, name=f"{self.image_stream}:{tag}")
        return docker_image(f"{self.pull_name}:{tag}")


class BuildSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How builds run here."""

    stream: str
    run: str
    jobs: int = 2
    """Builds at a time, those of an interrupted run included."""
    service_account: str = ""
    """Empty for the one that OpenShift has for builds (``builder``)."""
    defaults: Resources = DEFAULT_RESOURCES
    """Of components that do not say what they need."""
    timeout: float = 4 * 3600.0
    """Seconds that one build may take."""
    log_seconds: float = 30.0
    """For the last lines of a log after its build ended, or was cancelled."""


def build_config_of(
    step: BuildStep, target: Target, settings: BuildSettings, *, enlarged: int = 0
) -> BuildConfig:
    """The BuildConfig that builds ``step`` and nothing else. Raises BuildError.

    ``enlarged`` says how often the same build ran out of memory before.
    """
    key = key_of_step(step)
    secret = SecretName(name=target.push_secret) if target.push_secret else None
    spec = BuildSpecification(
        source=_source_of(step, target),
        strategy=Strategy(
            type=DOCKER,
            docker_strategy=DockerStrategy(
                image_optimization_policy=POLICIES[step.layering],
                build_args=variables(step.build_arguments),
                pull_secret=secret,
            ),
        ),
        output=Output(
            to=target.output(key_tag(key)), image_labels=variables(step.labels), push_secret=secret
        ),
        resources=_requirements_of(step, settings, enlarged),
        node_selector={ARCHITECTURE_LABEL: step.platform.architecture},
        service_account=settings.service_account,
        completion_deadline_seconds=round(settings.timeout),
        run_policy="Parallel",
        successful_builds_history_limit=1,
        failed_builds_history_limit=2,
    )
    return new_build_config(_metadata_of(step, settings), spec)


def request_of(
    step: BuildStep, name: str, settings: BuildSettings, *, arguments: bool = False
) -> BuildRequest:
    """What starts a build of ``step`` by the BuildConfig called ``name``.

    With ``arguments``, the build arguments are given too: a definition that is not ours may have
    others.
    """
    commit = step.commit
    marks = _metadata_of(step, settings)
    return BuildRequest(
        api_version=kinds.BUILD_CONFIG.api_version,
        kind="BuildRequest",
        metadata=msgspec.structs.replace(marks, name=name),
        revision=Revision(type="Git", git=GitRevision(commit=commit.id)) if commit else None,
        docker_strategy_options=(
            DockerStrategyOptions(build_args=variables(step.build_arguments)) if arguments else None
        ),
    )


def object_name(component: str) -> str:
    """The name of the BuildConfig of ``component``: as lower-case as the API wants it."""
    return label_value(component).lower().replace("_", "-")


def _metadata_of(step: BuildStep, settings: BuildSettings) -> Metadata:
    key = key_of_step(step)
    return Metadata(
        name=object_name(step.component),
        labels=build_labels(
            stream=settings.stream, run=settings.run, component=step.component, key=key
        ),
        annotations=build_annotations(component=step.component, key=key, commit=step.commit),
    )


def _source_of(step: BuildStep, target: Target) -> Source:
    git = _git_of(step, step.commit) if step.commit is not None else None
    images = tuple(
        ImageSource(
            image=docker_image(f"{target.pull_name}@{files.image}"),
            paths=tuple(
                CopiedPath(source_path=copy.source, destination_dir=copy.destination)
                for copy in files.copies
            ),
        )
        for files in step.copied_files
    )
    return Source(
        type="Git" if git else "Dockerfile",
        git=git,
        source_secret=(
            SecretName(name=target.source_secret) if git and target.source_secret else None
        ),
        context_dir=step.context_directory,
        dockerfile=pin_images(step, target.pull_name),
        images=images,
    )


def _git_of(step: BuildStep, commit: Commit) -> Git:
    """Where the cluster gets the commit. Raises BuildError when no repository has it."""
    source = step.source
    url = source.url if isinstance(source, GitSource) else commit.location
    if commit.dirty or not url:
        raise BuildError(
            f"{step.component} is built from changes that no git repository has, and OpenShift "
            "Builds take their source from git",
            hint="push the change and name it as URL@REF, or build with another engine",
        )
    return Git(uri=url, ref=source.ref if isinstance(source, GitSource) else "")


def _requirements_of(
    step: BuildStep, settings: BuildSettings, enlarged: int
) -> ResourceRequirements:
    needed = requirements_of(step.resources, defaults=settings.defaults, enlarged=enlarged)
    return ResourceRequirements(
        requests={"cpu": needed.requests.cpu, "memory": needed.requests.memory},
        limits={"cpu": needed.limits.cpu, "memory": needed.limits.memory},
    )
