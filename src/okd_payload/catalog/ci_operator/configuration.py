# SPDX-License-Identifier: Apache-2.0
"""One configuration as components: names of the pipeline become names of the stream.

What only OpenShift CI can make (``src``, ``bin``, ``rpms``: sources compiled in its own build
root) has no meaning outside of it. An image that needs such a thing is left out, and so is what
is built on it; each is reported once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection

from okd_payload.catalog.ci_operator import codes
from okd_payload.catalog.ci_operator.model import (
    BuiltImage,
    CentralImage,
    CommandImage,
    ExternalImage,
    InjectedImage,
)
from okd_payload.catalog.ci_operator.promotion import version_of
from okd_payload.catalog.ci_operator.selection import Choice
from okd_payload.catalog.component import Component, ImageInput, Origin
from okd_payload.catalog.definition import (
    Definition,
    Definitions,
    Import,
    OtherTag,
    PulledImage,
)
from okd_payload.issues import Issue, IssueCode
from okd_payload.source.model import GitSource

RELEASE_NAMESPACES = frozenset({"ocp", "ocp-priv", "origin"})
"""Whose image streams with a version for a name hold the images of releases."""

_MADE_BY_CI = re.compile(
    r"(?:root|src|bin|test-bin|rpms|src-bundle|ci-bundle.*|ci-index.*)(?:-[\w.-]+)?"
)


class _LeftOut(Exception):
    """An image cannot be had; this has been reported, or is for the first who asks to report."""


class Translation:
    """Makes the components of one configuration."""

    def __init__(
        self,
        choice: Choice,
        tags: dict[str, str],
        *,
        stream_tags: Collection[str],
        taken: Collection[str],
    ) -> None:
        """``tags`` of the stream are images of this configuration; names ``taken`` are others'."""
        self._choice = choice
        self._configuration = choice.configuration
        self._tags = tags
        self._stream_tags = stream_tags
        self._taken = taken
        self._built = {image.name: image for image in choice.configuration.built}
        self._names: dict[str, str] = {}
        for tag, image in sorted(tags.items(), key=lambda item: item[0] != item[1]):
            self._names.setdefault(image, tag)
        self._made: dict[str, Component | None] = {}
        self._open: set[str] = set()
        """Those that are being made."""
        self._injecting: set[str] = set()
        """Injected images that are being followed to what they are made of."""
        self._imports: list[Import] = []
        self._issues: list[Issue] = []

    def translate(self) -> Definitions:
        """The components of the tags, and of what they are built on inside the configuration."""
        for tag, image in self._tags.items():
            self._make_tag(tag, image)
        found = [Definition(each) for each in self._made.values() if each is not None]
        return Definitions(tuple(found), tuple(self._imports), tuple(self._issues))

    def _make_tag(self, tag: str, image: str) -> None:
        """Make what gives ``tag``: a component, or where nothing is built an import."""
        line = self._configuration.origin.line
        known = self._built.get(image)
        try:
            if isinstance(known, BuiltImage) and self._names[image] != tag:
                self._made[tag] = self._component(known, tag)  # one image under two tags
                return
            name = self._name_of(image, line=line, user=tag)
        except _LeftOut:
            return
        if tag in self._made:
            return
        imported = self._configuration.imported.get(image)
        content: PulledImage | OtherTag = OtherTag(name)
        if isinstance(imported, CentralImage | ExternalImage):
            content = PulledImage(imported.pull_spec)
        elif name not in self._stream_tags and name not in self._made:
            content = PulledImage(name)  # of an import, through a step that changes nothing here
        origin = Origin(self._configuration.origin.file, line)
        self._imports.append(Import(name=tag, content=content, origin=origin))

    def _name_of(self, image: str, *, line: int, user: str) -> str:
        """What the stream calls ``image``, which ``user`` needs. Raises _LeftOut."""
        built = self._built.get(image)
        if built is not None:
            return self._make(built)
        imported = self._configuration.imported.get(image)
        if isinstance(imported, CentralImage):
            return self._central_name(imported)
        if isinstance(imported, ExternalImage):
            return imported.pull_spec
        name = self._configuration.name.repository
        if _MADE_BY_CI.fullmatch(image):
            self._report(
                codes.CI_ONLY_IMAGE,
                f"it is made of {image!r}, which only OpenShift CI has",
                component=user,
                line=line,
            )
        else:
            self._report(
                codes.UNDEFINED_CI_IMAGE,
                f"{image!r} is neither an imported nor a built image of {name}",
                component=user,
                line=line,
            )
        raise _LeftOut

    def _central_name(self, image: CentralImage) -> str:
        """A tag of the stream where ``image`` is that of another release, else its pull spec."""
        of_release = image.namespace in RELEASE_NAMESPACES and version_of(image.name)
        if of_release and image.tag in self._stream_tags:
            return image.tag
        return image.pull_spec

    def _make(self, image: BuiltImage | CommandImage | InjectedImage) -> str:
        """Make the component of ``image`` unless it was made; its tag. Raises _LeftOut."""
        if isinstance(image, InjectedImage):
            return self._injected(image)
        name = self._own_name(image.name)
        if name in self._open:
            return name  # a circle, of which the plan will tell
        if name not in self._made:
            self._made[name] = None  # for ever, where it is left out
            self._open.add(name)
            try:
                self._made[name] = self._component_of(image, name)
            finally:
                self._open.remove(name)
        if self._made[name] is None:
            raise _LeftOut
        return name

    def _injected(self, image: InjectedImage) -> str:
        """The tag of what ``image`` is made of, for it adds nothing here. Raises _LeftOut."""
        self._report(
            codes.IGNORED_CI_STEP,
            f"{image.name} is {image.base} without the packages that OpenShift CI has built",
            component=image.name,
            line=image.line,
        )
        if image.name in self._injecting:
            self._report(
                codes.UNDEFINED_CI_IMAGE,
                f"{image.name!r} is made of nothing but itself",
                component=image.name,
                line=image.line,
            )
            raise _LeftOut
        self._injecting.add(image.name)
        try:
            return self._name_of(image.base, line=image.line, user=image.name)
        finally:
            self._injecting.remove(image.name)

    def _own_name(self, image: str) -> str:
        """The tag of an image of ours; those that are not promoted give way to all others."""
        if image not in self._names:
            clash = image in self._stream_tags or image in self._taken
            self._names[image] = f"{self._configuration.name.repo}-{image}" if clash else image
        return self._names[image]

    def _component_of(self, image: BuiltImage | CommandImage, name: str) -> Component:
        if isinstance(image, BuiltImage):
            return self._component(image, name)
        return self._commanded(image, name)

    def _component(self, image: BuiltImage, name: str) -> Component:
        url = f"https://github.com/{self._configuration.name.repository}"
        inputs = tuple(
            ImageInput(
                image=self._name_of(item.image, line=image.line, user=name),
                aliases=item.aliases,
                copies=item.copies,
            )
            for item in image.inputs
        )
        base = self._name_of(image.base, line=image.line, user=name) if image.base else ""
        return Component(
            name=name,
            tag=name,
            origin=Origin(self._configuration.origin.file, image.line),
            source=GitSource(url=url, ref=self._choice.ref),
            context_directory=image.context_directory,
            dockerfile_path=image.dockerfile_path,
            dockerfile=image.dockerfile,
            base=base,
            inputs=inputs,
            build_arguments=image.build_arguments,
            resources=image.resources,
            sharing=self._choice.sharing,
            sharing_reason=self._choice.evidence if self._choice.sharing else "",
        )

    def _commanded(self, image: CommandImage, name: str) -> Component:
        """``image`` as ci-operator makes it: commands that stop at the first error."""
        base = self._name_of(image.base, line=image.line, user=name)
        script = f"set -o errexit; umask 0002; {image.commands}"
        command = json.dumps(["/bin/bash", "-c", script])
        return Component(
            name=name,
            tag=name,
            origin=Origin(self._configuration.origin.file, image.line),
            dockerfile=f"FROM {base}\nRUN {command}\n",
            resources=image.resources,
            sharing=self._choice.sharing,
            sharing_reason=self._choice.evidence if self._choice.sharing else "",
        )

    def _report(self, code: IssueCode, message: str, *, component: str, line: int) -> None:
        file = self._configuration.origin.file
        issue = code.issue(message, component=component, file=file, line=line)
        if issue not in self._issues:
            self._issues.append(issue)
