# SPDX-License-Identifier: Apache-2.0
"""What of an OpenShift configuration is not honoured here, each with its reason.

Whoever takes a file over reads it once; nothing of it may be lost without a word.
"""

from __future__ import annotations

from collections.abc import Iterator

from okd_payload.controller.configuration import codes
from okd_payload.controller.configuration.openshift_fields import (
    OriginFields,
    PublishFields,
    StreamFields,
)
from okd_payload.documents import Document, FieldPath, unknown_fields
from okd_payload.issues import Issue

_KINDS = ("", "Integration", "Stable")
_WITHOUT_MEANING = {
    "overrideCLIImage": "payloads are made without a client image",
    "pullSecretName": "credentials are those of the controller",
    "mirrorPrefix": "inputs are frozen in the content repository",
    "disableManifestListMode": "lists of manifests are kept where there are any",
    "referenceMode": "references are those of the content repository",
    "referenceRelease": "releases are in the repository that the stream names, wherever that is",
    "alternateImageRepositorySecretName": "credentials are those of the controller",
    "upgrade": "updates are tested by verifications; those that nobody tested are told",
}

_Told = tuple[FieldPath, str]


def tell_differences(document: Document, fields: StreamFields) -> Iterator[Issue]:
    """What of ``document``, read as ``fields``, is unknown or means nothing here."""
    for field in unknown_fields(document, StreamFields):
        name = ".".join(str(step) for step in field)
        yield codes.UNKNOWN_STREAM_FIELD.issue(
            f"{fields.name} has the field {name}, which is not known",
            file=document.path,
            line=document.line_of(field),
            hint="check its spelling; it changes nothing here",
        )
    if fields.kind not in _KINDS:
        yield codes.UNKNOWN_STREAM_FIELD.issue(
            f"{fields.name} is {fields.kind!r}, which is not known: it counts as Integration",
            file=document.path,
            line=document.line_of(("as",)),
            hint="leave it out, or write Stable",
        )
    for where, text in _ignored(document, fields):
        yield codes.IGNORED_STREAM_FIELD.issue(
            text, file=document.path, line=document.line_of(where)
        )


def _ignored(document: Document, fields: StreamFields) -> Iterator[_Told]:
    for name, reason in _WITHOUT_MEANING.items():
        if document.value.get(name):
            yield (name,), f"{name} of {fields.name} has no meaning here: {reason}"
    for name, publication in (fields.publish or {}).items():
        if _is_about_issues(publication):
            yield (
                ("publish", name),
                f"{fields.name} publishes {name} to a tracker of issues, which is not done here",
            )
    for name, each in (fields.verify or {}).items():
        if each.qualifiers:
            place = f"verify.{name}.qualifiers of {fields.name}"
            yield ("verify", name), f"{place} have no meaning here: nobody awards badges"
        if each.upgrade_from_release is not None:
            yield from _of_origin(("verify", name), fields.name, each.upgrade_from_release)
    for name, periodic in (fields.periodic or {}).items():
        if periodic.upgrade_from_release is not None:
            yield from _of_origin(("periodic", name), fields.name, periodic.upgrade_from_release)


def _of_origin(where: tuple[str, str], stream: str, origin: OriginFields) -> Iterator[_Told]:
    place = f"{'.'.join(where)}.upgradeFromRelease of {stream}"
    if origin.candidate is not None and origin.candidate.relative > 1:
        yield where, f"{place} goes back by one release only, however far relative goes"
    if origin.release is not None and (origin.release.channel or origin.release.architecture):
        yield where, f"{place} is looked for among the stable releases known here, in any channel"


def _is_about_issues(fields: PublishFields) -> bool:
    return fields.verify_issues is not None or fields.verify_bugs is not None
