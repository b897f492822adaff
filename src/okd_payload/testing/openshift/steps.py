# SPDX-License-Identifier: Apache-2.0
"""What a Build says to its builder, read back as a build step.

So a test can have it built by any engine, and sees that nothing but the Build was needed: the
Dockerfile, inline or out of the source, rewritten as OpenShift's builder does it, the images that
it names, what is copied, arguments, labels, and the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from posixpath import join, normpath

from okd_payload.build.engine import BuildStep, CopiedFiles
from okd_payload.catalog.component import Argument, Component, Copy, ImageInput, Layering, Origin
from okd_payload.catalog.dockerfile import evaluate, parse_dockerfile, rewrite
from okd_payload.oci.digest import Digest
from okd_payload.oci.manifest import Platform
from okd_payload.source.model import Commit, GitSource, SourceTree
from okd_payload.testing.kubernetes import JsonObject
from okd_payload.testing.kubernetes.documents import list_at, object_at, text_at


class BuildReader:
    """Reads Builds whose sources are in ``sources``."""

    def __init__(self, sources: SourceTree, commit_of: Callable[[str], Commit]) -> None:
        self._sources = sources
        self._commit_of = commit_of

    async def read(self, build: JsonObject, *, platform: Platform) -> BuildStep:
        """The step that ``build`` describes."""
        source = object_at(build, "spec", "source")
        strategy = object_at(build, "spec", "strategy", "dockerStrategy")
        commit_id = text_at(build, "spec", "revision", "git", "commit")
        commit = self._commit_of(commit_id) if commit_id else None
        git = object_at(source, "git")
        found = GitSource(url=text_at(git, "uri"), ref=text_at(git, "ref")) if git else None
        component = _component_of(build)
        text = component.dockerfile
        if text is None and found is not None and commit is not None:
            path = normpath(join(component.context_directory, component.dockerfile_path))
            content = await self._sources.read_file(found, commit, path)
            text = (content or b"").decode()
        written = parse_dockerfile(text or "", path="Dockerfile")
        rewritten = rewrite(written, component)
        arguments = component.build_arguments
        evaluation = evaluate(
            parse_dockerfile(rewritten.text, path="Dockerfile"),
            arguments=arguments,
            platform=platform,
        )
        policy = text_at(strategy, "imageOptimizationPolicy")
        return BuildStep(
            component=component.name,
            tag="",
            source=found,
            commit=commit,
            context_directory=component.context_directory,
            dockerfile=rewritten.text,
            images={each.name: _digest_of(rewritten.meaning(each)) for each in evaluation.images},
            copied_files=tuple(
                CopiedFiles(_digest_of(item.image), item.copies)
                for item in component.inputs
                if item.copies
            ),
            build_arguments=arguments,
            labels=component.labels,
            layering=Layering.ONE if policy == "SkipLayers" else Layering.EACH,
            platform=platform,
            timestamp=0,
        )


def _component_of(build: JsonObject) -> Component:
    """The parts of ``build`` that its Dockerfile is rewritten by; images by pull spec."""
    source = object_at(build, "spec", "source")
    strategy = object_at(build, "spec", "strategy", "dockerStrategy")
    return Component(
        name=text_at(build, "metadata", "annotations", "okd-payload.io/component-name"),
        tag="",
        origin=Origin("build"),
        context_directory=text_at(source, "contextDir") or ".",
        dockerfile_path=text_at(strategy, "dockerfilePath") or "Dockerfile",
        dockerfile=text_at(source, "dockerfile") or None,
        base=text_at(strategy, "from", "name"),
        inputs=tuple(_input_of(each) for each in list_at(source, "images")),
        build_arguments=_arguments(strategy, "buildArgs"),
        environment=_arguments(strategy, "env"),
        labels=_arguments(object_at(build, "spec", "output"), "imageLabels"),
    )


def _input_of(image: JsonObject) -> ImageInput:
    return ImageInput(
        image=text_at(image, "from", "name"),
        aliases=tuple(list_at(image, "as")),
        copies=tuple(
            Copy(each["sourcePath"], each["destinationDir"]) for each in list_at(image, "paths")
        ),
    )


def _arguments(document: Mapping[str, object], name: str) -> tuple[Argument, ...]:
    return tuple(
        Argument(each["name"], each.get("value", "")) for each in list_at(dict(document), name)
    )


def _digest_of(pull_spec: str) -> Digest:
    return Digest(pull_spec.partition("@")[2])
