# SPDX-License-Identifier: Apache-2.0
"""Everything in which we differ from the recorded controller on purpose, and why.

``RULES`` change what was recorded to what we answer, whole classes of answers at once; what no
rule explains is of one of the ``KINDS``. A case that differs in any other way fails, and so does
a kind that explains nothing.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from okd_payload.release.semver import is_version

_ARCHIVED = '"/release-openshift'
_WHOLE = '"https://prow.ci.openshift.org/view/gs/test-platform-results/logs/release-openshift'
_COPY = "quay.example.org/okd/scos-mirror@sha256:"
_WITHOUT_PAYLOAD_OBJECT = "4.20.0-0.okd-scos-2026-03-13-120000"
_SECOND_TICKET = re.compile(r"((?:OCPBUGS|OKD)-[0-9]+): (.*)")
_MARKDOWN_TICKETS = re.compile(r"^(\* \[[A-Z]+-[0-9]+\]\([^)]+\)): ([A-Z]+-[0-9]+): ", re.MULTILINE)


def every(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in ``value``."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from every(item)


def whole_addresses(value: Any) -> Any:
    """Runs from the stored graph have their whole address, which can be followed."""
    text = msgspec.json.encode(value).decode()
    return msgspec.json.decode(text.replace(_ARCHIVED, _WHOLE))


def pullable_payloads(value: Any) -> Any:
    """A payload that nobody could pull is empty in a graph, not ``@sha256:...``."""
    for item in every(value):
        if str(item.get("payload", "")).startswith("@"):
            item["payload"] = ""
    return value


def versions_only(value: Any) -> Any:
    """What is called by no version is in no graph: clusters read none of one that has it."""
    for item in every(value):
        if "pairs" in item:
            item["versions"] = [
                node for node in item["versions"] if is_version(str(node["version"]))
            ]
    return value


def one_truth(value: Any) -> Any:
    """A release has one phase everywhere: without a ReleasePayload, what its tag says."""
    for item in every(value):
        if item.get("phase") == "Unknown":
            item["phase"] = "Accepted"
            if "changeLogJson" in item:
                item["results"] = {}
    return value


def one_pull_spec(value: Any) -> Any:
    """A release has one pull spec in all answers; copies are told as publications."""
    for item in every(value):
        if str(item.get("pullSpec", "")).startswith(_COPY):
            item["pullSpec"] = f"registry.ci.example.org/origin/release-scos:{item['name']}"
    return value


def no_internal_links(value: Any) -> Any:
    """Versions of an operating system are no links to a host inside Red Hat."""
    for item in every(value):
        for key in ("versionUrl", "fromUrl", "diffUrl"):
            item.pop(key, None)
    return value


def plain_subjects(value: Any) -> Any:
    """In JSON a title is what its author wrote; it is escaped where it is shown."""
    for item in every(value):
        if "pullURL" in item:
            item["subject"] = html.unescape(item["subject"])
    return value


def all_tickets(value: Any) -> Any:
    """A change that names two tickets is about both."""
    if isinstance(value, str):
        return _MARKDOWN_TICKETS.sub(r"\1, [\2](https://issues.redhat.com/browse/\2): ", value)
    for item in every(value):
        second = _SECOND_TICKET.fullmatch(item.get("subject", "")) if "pullURL" in item else None
        if second:
            item["subject"] = second[2]
            item["issues"][second[1]] = f"https://issues.redhat.com/browse/{second[1]}"
    return value


def own_html(value: Any) -> Any:
    """The changelog in HTML inside of JSON is our own: only that there is one is compared."""
    for item in every(value):
        if item.get("changeLog"):
            assert base64.b64decode(item["changeLog"]).startswith(b"<h2>Changes from ")
            item["changeLog"] = "HTML"
    return value


def no_package_lists(value: Any) -> Any:
    """Packages of operating systems are not compared: none of ours has such lists."""
    for item in every(value):
        item.pop("nodeImageStreams", None)
    return value


def only_jobs_that_ran(value: Any) -> Any:
    """A job that was never run of a decided release is not listed as if it still would."""
    for item in every(value):
        if item.get("phase") in {"Accepted", "Rejected", "Failed"} and "results" in item:
            for jobs in item["results"].values():
                for name in [name for name, job in jobs.items() if not job["url"]]:
                    del jobs[name]
            item["results"] = {kind: jobs for kind, jobs in item["results"].items() if jobs}
    return value


def tags_of_records(value: Any) -> Any:
    """A candidate's tag has what a release of ours has: no fields of an image stream."""
    for item in every(value):
        if "fromTag" in item and "tag" in item:
            tag = item["tag"]
            for key in ("generation", "importPolicy", "referencePolicy"):
                tag.pop(key, None)
            tag["annotations"].pop("release.openshift.io/source", None)
            tag["annotations"]["release.openshift.io/phase"] = "Accepted"
    return value


def made_anew(value: Any) -> Any:
    """No difference of the interface: the payloads of these tests have layers of their own."""
    for item in every(value):
        if "container_config" in item and "rootfs" in item:
            item["rootfs"] = item["size"] = None
    return value


RULES: tuple[Callable[[Any], Any], ...] = (
    whole_addresses,
    pullable_payloads,
    versions_only,
    one_truth,
    one_pull_spec,
    no_internal_links,
    plain_subjects,
    all_tickets,
    own_html,
    no_package_lists,
    only_jobs_that_ran,
    tags_of_records,
    made_anew,
)
BOTH = (own_html, made_anew)
"""Rules that change our answers as well."""


class Difference(msgspec.Struct, frozen=True):
    """An answer of ours beside the recorded one."""

    method: str
    path: str
    parameters: Mapping[str, str]
    family: str
    recorded_status: int
    recorded: Any
    status: int
    found: Any

    def says(self, *words: str) -> bool:
        """Whether the recorded text has one of ``words``."""
        return isinstance(self.recorded, str) and any(word in self.recorded for word in words)


def _is_other_truth(case: Difference) -> bool:
    """The release without an object of its own is in one of the two answers only."""
    texts = [msgspec.json.encode(each).decode() for each in (case.recorded, case.found)]
    return case.family in {"tags", "streams"} and _WITHOUT_PAYLOAD_OBJECT in "".join(texts)


def _is_without_disabled(case: Difference) -> bool:
    if case.family != "config" or case.parameters.get("jobType") not in {"blocking", "informing"}:
        return False
    enabled = {name: job for name, job in case.recorded.items() if not job["disabled"]}
    return bool(enabled == case.found)


def _has_no_base(case: Difference) -> bool:
    if case.family != "release" or "from" in case.parameters or case.status != 200:
        return False
    return not case.found["changeLogJson"]["from"]["name"]


def _goes_back(case: Difference) -> bool:
    """What changed from a newer release to an older one."""
    if case.family != "release" or case.status != 200:
        return False
    changed = case.found["changeLogJson"]
    return bool(changed["from"]["created"] > changed["to"]["created"])


KINDS: dict[str, Callable[[Difference], bool]] = {
    "only GET and HEAD read; others are refused with 405, or 204 for OPTIONS": (
        lambda case: case.method not in {"GET", "HEAD"}
    ),
    "what is no address is told in our own words, below /api as a problem in JSON": (
        lambda case: case.says("404 page not found") and case.status == 404
    ),
    "an address with two slashes is another one": lambda case: case.path.startswith("//"),
    "probes say ok, and /healthz is one": lambda case: case.path in {"/healthz", "/readyz"},
    "the words say what is missing: the payload, not the registry": (
        lambda case: (
            case.status == 400
            and case.says("does not have a configured registry", "could not find pull spec")
        )
    ),
    "asking for what changed from a release to itself is a mistake of the client": (
        lambda case: case.says("releases are identical") and case.status == 400
    ),
    "nobody configures qualifiers: the public list of them is empty": (
        lambda case: case.family == "qualifiers"
    ),
    "a stable release that does not say where it is from is passed over": (
        lambda case: case.family == "candidate" and case.recorded == {"candidate": None}
    ),
    "an unknown jobType is refused for every stream": (
        lambda case: case.family == "config" and case.recorded == {} and case.status == 400
    ),
    "a stream without jobs has a configuration, too": (
        lambda case: (
            case.family == "config" and case.recorded == {} and not case.parameters.get("jobType")
        )
    ),
    "a disabled job neither blocks nor informs": _is_without_disabled,
    "a cluster is offered releases of its own architecture only": (
        lambda case: case.family == "graph" and "arch" in case.parameters
    ),
    "the release that is unknown is the one that is named": (
        lambda case: case.family == "release" and case.status == 404 and "from" in case.parameters
    ),
    "the oldest release is compared with nothing, not with the newest": _has_no_base,
    "going back, the repositories that moved are listed, too": _goes_back,
    "a release without a ReleasePayload counts as what its tag says": _is_other_truth,
    "pages for people are refused by pages": (
        lambda case: (
            case.family == "pages"
            and case.status == case.recorded_status == 404
            and "</html>" in case.found
        )
    ),
    "a stream that is unknown has no page": (
        lambda case: case.family == "pages" and case.recorded == "" and case.status == 404
    ),
    "what has become another page leads there": (
        lambda case: (
            case.family == "pages"
            and case.status == 302
            and (case.recorded_status == 200 or "from" in case.parameters)
        )
    ),
    "a name without a dot cuts no page off": (
        lambda case: case.family == "pages" and case.recorded_status == 0 and case.status == 200
    ),
}
