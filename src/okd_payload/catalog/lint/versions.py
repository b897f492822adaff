# SPDX-License-Identifier: Apache-2.0
"""Whether everything is of one OpenShift version: the one that most definitions build.

Versions stand in branches, in tags of imported images, in arguments, in defaults of pipelines
and in Dockerfiles. Somebody has to raise all of them for each release, and nothing tells when
one was forgotten.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from okd_payload.catalog.component import Argument
from okd_payload.catalog.definition import PulledImage
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.dockerfiles import declared_values, parse, run_lines
from okd_payload.catalog.lint.subject import Definition, Subject, View, each_view
from okd_payload.issues import Issue
from okd_payload.source.model import GitSource

_OF_REF = re.compile(r"(?:release|openshift)-(\d+\.\d+)")
_OF_TAG = re.compile(r"(?:[a-z]+-)*([45]\.\d+)(?:[.-].*)?")
_OF_DEFAULT = re.compile(r"(?:.*[:-])?([45]\.\d+)\.\d+(?:-.*)?")
_NAMED_FOR_OPENSHIFT = re.compile(r"(?:OCP|OKD|OPENSHIFT)_(?:VERSION|RELEASE)", re.IGNORECASE)
_VERSION = re.compile(r"v?([45]\.\d+)(?:\.\d+)?")
_KUBERNETES = re.compile(r"\bkubernetes=1\.(\d+)(?:\.\d+)?\b")
_REPOSITORY = re.compile(r"\bcentos-release-(?:okd|openshift)-?([45]\.\d+)\b")
_KUBERNETES_OFFSET = 13
"""OpenShift 4.N is Kubernetes 1.(N+13)."""
_ENOUGH = 3


@each_view
def check_versions(subject: Subject, view: View) -> Iterator[Issue]:
    """Branches, images, arguments, defaults and Dockerfiles of another version."""
    version = _main_version(view)
    if not version:
        return
    for definition in view.definitions:
        yield from _of_definition(definition, version)
        yield from _of_dockerfile(definition, version, subject)
    for entry in view.imports:
        if isinstance(entry.content, PulledImage):
            spec = entry.content.pull_spec
            match = _OF_TAG.fullmatch(spec.rpartition(":")[2])
            if match and match[1] != version:
                yield codes.VERSION_SKEW.issue(
                    f"{entry.name} is {spec}, of {match[1]}, and most sources are of {version}",
                    component=entry.name.rpartition(":")[2],
                    file=entry.origin.file,
                    line=entry.origin.line,
                    hint=f"import the image of {version}",
                )
    for pipeline in view.pipelines:
        found = {}
        for number, parameter in enumerate(pipeline.fields.params):
            match = _OF_DEFAULT.fullmatch(str(parameter.default))
            if match and match[1] != version:
                found[parameter.name] = (match[1], pipeline.line_of("params", number, "default"))
        if found:
            old, line = next(iter(found.values()))
            yield codes.VERSION_SKEW.issue(
                f"{pipeline.name} names {old} by default in {', '.join(found)}, and most sources "
                f"are of {version}",
                file=pipeline.document.path,
                line=line,
                hint=f"name {version}, or let these parameters have no default",
            )


def _main_version(view: View) -> str:
    """The version of more than half of the branches; empty when there is none."""
    versions = [version for each in view.definitions if (version := _version_of(each))]
    counted = Counter(versions).most_common(1)
    if len(versions) < _ENOUGH or counted[0][1] * 2 <= len(versions):
        return ""
    return counted[0][0]


def _version_of(definition: Definition) -> str:
    source = definition.component.source
    match = _OF_REF.fullmatch(source.ref) if isinstance(source, GitSource) else None
    return match[1] if match else ""


def _of_definition(definition: Definition, version: str) -> Iterator[Issue]:
    own = _version_of(definition)
    if own and own != version:
        source = definition.component.source
        ref = source.ref if isinstance(source, GitSource) else ""
        yield definition.issue(
            codes.VERSION_SKEW,
            f"it builds {ref}, and most definitions build {version}",
            ("spec", "source", "git", "ref"),
            hint=f"build the branch of {version}, or tell why this one stays behind",
        )
    for number, argument in enumerate(definition.written.build_arguments):
        told = _told_by(argument)
        if told and told != version:
            yield definition.issue(
                codes.VERSION_SKEW,
                f"{argument.name} is {argument.value}, of OpenShift {told}, and most sources are "
                f"of {version}",
                ("spec", "strategy", "dockerStrategy", "buildArgs", number),
                hint=f"give the value of {version}",
            )


def _of_dockerfile(definition: Definition, version: str, subject: Subject) -> Iterator[Issue]:
    dockerfile = parse(definition, subject)
    if dockerfile is None:
        return
    found = [
        (f"{argument.name} is {argument.value} by default", told, line)
        for argument, line in declared_values(dockerfile, definition.component)
        if (told := _told_by(argument))
    ]
    found += [
        (f"it installs {match[0]}", match[1], line)
        for text, line in run_lines(dockerfile)
        for match in _REPOSITORY.finditer(text)
    ]
    for what, told, line in found:
        if told != version:
            yield codes.VERSION_SKEW.issue(
                f"{what}, and most sources are of {version}",
                component=definition.name,
                file=dockerfile.path,
                line=line,
                hint=f"give the value of {version} as a build argument, or mend the Dockerfile",
            )


def _told_by(argument: Argument) -> str:
    """The OpenShift version that the value of ``argument`` is of; empty when it is of none."""
    if _NAMED_FOR_OPENSHIFT.fullmatch(argument.name):
        match = _VERSION.fullmatch(argument.value)
        return match[1] if match else ""
    match = _KUBERNETES.search(argument.value)
    minor = int(match[1]) - _KUBERNETES_OFFSET if match else 0
    return f"4.{minor}" if minor > 0 else ""
