# SPDX-License-Identifier: Apache-2.0
"""What a release stream must say to be of use, whatever form it was written in.

One stream is judged alone first, then all together. Everything is told at once; a stream with an
error is not acted on, and the others are.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from okd_payload.controller.configuration import codes
from okd_payload.controller.configuration.cron import expand_cron
from okd_payload.controller.configuration.model import (
    EdgeRule,
    PublishAction,
    Schedule,
    StreamConfiguration,
    StreamKind,
    Verification,
)
from okd_payload.controller.graph.channels import CHANNEL
from okd_payload.controller.verification.origins import parse_bound
from okd_payload.controller.verification.settings import check_runner
from okd_payload.errors import InputError, InvalidReference
from okd_payload.issues import Issue, IssueCode
from okd_payload.release.mirror.targets import parse_target

_ON_DISK = ("oci:", "file:")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""What a tag and a folder can be called: those of a run have the name of its verification."""
_RETRY_SUFFIX = re.compile(r"-[0-9]+$")


def check_stream(stream: StreamConfiguration, *, file: str = "") -> tuple[Issue, ...]:
    """What is wrong with ``stream`` alone."""
    found = [
        *((codes.UNUSABLE_STREAM, text) for text in _names(stream)),
        *((codes.UNUSABLE_STREAM, text) for text in _places(stream)),
        *((codes.UNUSABLE_STREAM, text) for text in _channels(stream)),
        *((codes.UNUSABLE_VERIFICATION, text) for text in _verifications(stream)),
        *((codes.UNUSABLE_PUBLICATION, text) for text in _publications(stream)),
        *((codes.UNUSABLE_SCHEDULE, text) for text in _schedules(stream)),
    ]
    return tuple(_issue(stream, code, text, file) for code, text in found)


def check_together(streams: Mapping[str, StreamConfiguration]) -> tuple[Issue, ...]:
    """What is wrong between streams: names that nobody configured, or that mean two things."""
    found = [*_risks(streams), *_shared_jobs(streams)]
    for stream in streams.values():
        named = [(check.parent, "compares its images with") for check in stream.checks]
        named += [
            (each.upgrade.stream, f"tests {each.name} with updates from")
            for each in stream.verifications
            if each.upgrade and each.upgrade.stream
        ]
        named += [
            (each.promote_to, "promotes into") for each in stream.schedules if each.promote_to
        ]
        for name, doing in named:
            if name not in streams:
                text = f"it {doing} {name}, which is not configured here"
                found.append(_issue(stream, codes.UNKNOWN_RELEASE_STREAM, text, ""))
    return tuple(found)


def _shared_jobs(streams: Mapping[str, StreamConfiguration]) -> Iterator[Issue]:
    """Jobs of Prow that OpenShift's files run by more than one schedule."""
    seen: dict[str, str] = {}
    for stream in streams.values():
        for each in stream.schedules if stream.imported else ():
            job = each.verification.runner.settings.get("job", "") if each.verification else ""
            if job and job in seen:
                text = f"its schedule {each.name} runs {job}, and so does {seen[job]}"
                yield _issue(stream, codes.SHARED_PERIODIC_JOB, text, "")
            seen.setdefault(job, f"{each.name} of {stream.name}")


def _risks(streams: Mapping[str, StreamConfiguration]) -> Iterator[Issue]:
    """Risks that clusters, who know them by their names, take for one another."""
    known: dict[str, EdgeRule] = {}
    for stream in streams.values():
        told = set()
        for rule in filter(lambda each: each.name, stream.edges):
            plain = msgspec.structs.replace(rule, source="", target="")
            if known.setdefault(rule.name, plain) != plain and rule.name not in told:
                told.add(rule.name)
                text = f"the risk {rule.name} says something else than another of that name"
                yield _issue(stream, codes.AMBIGUOUS_RISK, text, "")


def check_surroundings(
    streams: Mapping[str, StreamConfiguration], *, has_cluster: bool
) -> tuple[Issue, ...]:
    """What is wrong with streams where the server is: nothing can be made for them there."""
    return tuple(
        _issue(stream, code, text, "")
        for stream in streams.values()
        for code, text in _obstacles(stream, has_cluster=has_cluster)
    )


def obstacle_of(stream: StreamConfiguration, *, has_cluster: bool) -> str:
    """Why nothing can be made for ``stream`` here; empty when it can."""
    return "; ".join(text for _, text in _obstacles(stream, has_cluster=has_cluster))


def _obstacles(
    stream: StreamConfiguration, *, has_cluster: bool
) -> Iterator[tuple[IssueCode, str]]:
    if stream.end_of_life:
        return
    if stream.is_placeless:
        text = "a file of OpenShift's does not say where images are: the image stream that it is"
        yield codes.PLACELESS_STREAM, f"{text} for does, see serve --annotated"
    if stream.in_job and not has_cluster:
        text = "payloads are to be made in Jobs of a cluster, and none is known here"
        yield codes.CLUSTER_NEEDED, text


def _issue(stream: StreamConfiguration, code: IssueCode, text: str, file: str) -> Issue:
    return code.issue(f"{stream.name}: {text}", component=stream.name, file=file)


def _names(stream: StreamConfiguration) -> Iterator[str]:
    """Names that are none: a file of OpenShift's, or an annotation, may say anything."""
    parts: tuple[Verification | Schedule | PublishAction, ...] = (
        *stream.verifications,
        *stream.schedules,
        *stream.publications,
    )
    for name in (stream.name, *(each.name for each in parts)):
        if not _NAME.fullmatch(name):
            yield f"{name[:100]!r} is no name: letters, digits, ., _ and - are, 100 at most"


def _places(stream: StreamConfiguration) -> Iterator[str]:
    if stream.imported:
        return  # whose places are those of its cluster
    watched = stream.input.repository or stream.input.image_stream or stream.input.file
    if stream.kind is StreamKind.INTEGRATION and not (watched or stream.input.release):
        yield "input names nothing to watch: a repository, an imageStream, a file or a release"
    if not stream.releases:
        yield "releases names no repository that its releases would be in"
    if stream.kind is StreamKind.INTEGRATION and not stream.content:
        yield "content names no repository that its images would be kept in"
    if stream.input.mirror_from and not (stream.input.repository or stream.input.image_stream):
        yield "input.mirror copies into a repository or imageStream, and input names none"
    if stream.in_job:
        yield from _in_job(stream)


def _channels(stream: StreamConfiguration) -> Iterator[str]:
    for each in stream.channels:
        if not CHANNEL.fullmatch(each):
            yield f"no cluster can ask for the channel {each}: letters, digits, - and . are allowed"


def _in_job(stream: StreamConfiguration) -> Iterator[str]:
    """What keeps a pod from making its payloads."""
    places = {
        "input.repository": stream.input.repository,
        "content": stream.content,
        "releases": stream.releases,
    }
    for field, place in places.items():
        if place.startswith(_ON_DISK):
            yield f"{field} is on a disk of this machine, which the pods of inJob do not see"


def _verifications(stream: StreamConfiguration) -> Iterator[str]:
    known = {each.name for each in stream.verifications}
    for each in stream.verifications:
        for text in _verification(each, known):
            yield f"verification {each.name} {text}"
        if each.architecture and each.architecture not in stream.architectures:
            known_here = ", ".join(stream.architectures)
            yield (
                f"verification {each.name} is about {each.architecture}, "
                f"which is none of {known_here}"
            )
    after = {each.name: set(each.after) & known for each in stream.verifications}
    while ready := [name for name, before in after.items() if not before]:
        after = {name: before - set(ready) for name, before in after.items() if name not in ready}
    if after:
        yield f"the verifications {', '.join(sorted(after))} wait for each other"


def _verification(each: Verification, known: set[str]) -> Iterator[str]:
    if each.asynchronous and not each.optional:
        yield "is asynchronous, so it must be optional"
    if each.asynchronous and each.max_retries:
        yield "is asynchronous and has retries, which nobody would wait for"
    if each.optional and each.runs > 1 and each.runner.kind == "prowjob":
        yield "cannot be both optional and judged over many runs"
    if each.required > each.runs:
        yield f"needs {each.required} successes of {each.runs} runs"
    if _RETRY_SUFFIX.search(each.name):
        yield "must not end with a dash and a number, as the names of retries do"
    for name in each.after:
        if name not in known:
            yield f"waits for {name}, which is not there"
    yield from _run(each)


def _run(each: Verification) -> Iterator[str]:
    """What keeps its runs from being begun."""
    for bound in (each.upgrade.lower, each.upgrade.upper) if each.upgrade else ():
        if bound and parse_bound(bound) is None:
            yield f"starts an update at {bound}, which is no version"
    yield from check_runner(each.runner)
    if each.runner.kind == "command" and not each.runner.arguments:
        yield "has no command"


def _publications(stream: StreamConfiguration) -> Iterator[str]:
    signing = {each.name for each in stream.publications if each.kind == "sign"}
    for each in stream.publications:
        for text in _publication(each):
            yield f"publication {each.name} {text}"
        looked_for = each.gate.keys and each.gate.stores
        if each.gate.signed and not looked_for and not signing - {each.name}:
            yield (
                f"publication {each.name} waits for a signature: nothing signs here by signWith,"
                " and its gate does not name both keys and signatureStores"
            )


def _publication(each: PublishAction) -> Iterator[str]:
    if each.kind in ("tag", "copy", "image-stream") and not all((each.targets, *each.targets)):
        yield "says nothing to publish to"
    if each.kind == "sign" and not each.key:
        yield "says no key to sign with"
    if each.kind == "sign" and not each.targets:
        yield "says no signatureStores to put its signatures into"
    if each.kind == "image-stream":
        for target in each.targets:
            if target.count("/") > 1 or not all(target.split("/")):
                yield f"publishes to {target}, which is no NAMESPACE/NAME of an image stream"
    if each.kind == "copy":
        yield from _copies(each)
    if each.kind == "command" and not each.command:
        yield "has no command"


def _copies(each: PublishAction) -> Iterator[str]:
    for target in filter(None, each.targets):
        try:
            parse_target(target, folder=Path())
        except (InputError, InvalidReference):
            yield f"copies to {target}, which is no repository that images could be copied to"


def _schedules(stream: StreamConfiguration) -> Iterator[str]:
    known = {each.name for each in stream.verifications}
    for each in stream.schedules:
        if each.verification is not None and each.verification.name in known:
            yield f"schedule {each.name} is called as a verification is, and so would be its runs"
        for text in _schedule(each):
            yield f"schedule {each.name} {text}"


def _schedule(each: Schedule) -> Iterator[str]:
    if bool(each.cron) == bool(each.interval):
        yield "needs one of cron and an interval"
    if each.cron:
        try:
            CronSim(expand_cron(each.cron), dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        except CronSimError as error:
            yield f"has a cron expression that cannot be read: {error}"
    try:
        ZoneInfo(each.zone)
    except (ValueError, OSError, KeyError):
        yield f"is in the time zone {each.zone}, which is not known"
    if each.kind == "verify" and each.verification is not None:
        yield from _verification(each.verification, set())
