# SPDX-License-Identifier: Apache-2.0
"""What names and labels promise: files called as what they define, labels that somebody reads."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from okd_payload.catalog.definition import Import, PulledImage
from okd_payload.catalog.lint import codes
from okd_payload.catalog.lint.subject import Subject, View, each_view
from okd_payload.errors import InvalidReference
from okd_payload.issues import Issue
from okd_payload.oci.reference import parse_reference

_ORDER = re.compile(r"^(?:[a-z]+-)?\d+-")
_SYSTEMS = re.compile(
    r"(?:ubi|rhel|centos|fedora|alma|rocky)[a-z0-9-]*|busybox|alpine|debian|ubuntu|scratch|pause"
)


@each_view
def check_labels(subject: Subject, view: View) -> Iterator[Issue]:
    """Labels that no selector reads, where selectors read others."""
    for definition in view.definitions if view.selected_labels else ():
        file = definition.component.origin.file
        read = {
            label
            for other in subject.views
            if file in other.files
            for label in other.selected_labels
        }
        for label in definition.written.selector_labels:
            if label.name not in read and "/" not in label.name:
                yield definition.issue(
                    codes.UNREAD_LABEL,
                    f"no overlay selects by the label {label.name}",
                    ("metadata", "labels", label.name),
                    hint="remove it, or bring back the overlay that it was for",
                )


def check_file_names(subject: Subject) -> Iterator[Issue]:
    """Files called otherwise than their definition, in folders where the others agree."""
    files = Counter(each.component.origin.file for each in subject.definitions)
    folders = defaultdict(list)
    for definition in subject.definitions:
        file = definition.component.origin.file
        if definition.document is not None and files[file] == 1:
            folders[Path(file).parent].append(definition)
    for definitions in folders.values():
        wrong = [each for each in definitions if each.name != _called(each.component.origin.file)]
        if len(wrong) * 2 >= len(definitions):
            continue
        for definition in wrong:
            called = _called(definition.component.origin.file)
            yield definition.issue(
                codes.MISNAMED_FILE,
                f"the file is called {called}",
                ("metadata", "name"),
                hint=f"call it as the other files, after {definition.name}",
            )


@each_view
def check_stubs(subject: Subject, view: View) -> Iterator[Issue]:
    """Tags of the stream of releases that are bare operating systems, without a reason."""
    del subject
    main = _main_stream(view)
    used = {each.qualified(image) for each in view.definitions for image, _ in each.uses()}
    for entry in view.imports:
        stream, _, tag = entry.name.rpartition(":")
        if stream != main or entry.stub or entry.name in used:
            continue
        system = _system(entry)
        if system and not tag.startswith(system.partition("-")[0]):
            built = view.by_tag.get(entry.name)
            more = f", and {built.component.origin.file} builds the same tag" if built else ""
            yield codes.STUB_IMAGE.issue(
                f"{entry.name} is only {_pull_spec(entry)}{more}",
                component=built.name if built else tag,
                file=entry.origin.file,
                line=entry.origin.line,
                hint="build it, or say in a stream file why it is a `stub`",
            )


def _main_stream(view: View) -> str | None:
    """The image stream that most definitions make tags of; None without one."""
    streams = Counter(each.stream for each in view.definitions).most_common(1)
    return next((name for name, count in streams if count * 2 > len(view.definitions)), None)


def _system(entry: Import) -> str:
    """The operating system that is all of the image of ``entry``; empty when it is more."""
    try:
        repository = parse_reference(_pull_spec(entry)).repository
    except InvalidReference:
        return ""
    name = repository.rpartition("/")[2]
    is_openshift = "openshift" in repository or "coreos" in repository
    return name if _SYSTEMS.fullmatch(name) and not is_openshift else ""


def _pull_spec(entry: Import) -> str:
    return entry.content.pull_spec if isinstance(entry.content, PulledImage) else ""


def _called(file: str) -> str:
    return _ORDER.sub("", Path(file).stem)
