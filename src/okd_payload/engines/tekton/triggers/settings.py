# SPDX-License-Identifier: Apache-2.0
"""What whoever lets builds start by themselves may choose."""

from __future__ import annotations

import re

import msgspec

from okd_payload.engines.pod.accounts import WEBHOOK_SECRET, WEBHOOK_SECRET_KEY
from okd_payload.engines.tekton.triggers.forges import Forge
from okd_payload.errors import InputError
from okd_payload.source.references import check_ref, is_commit

_FIELD = r"(?:\*|[0-9A-Za-z,-]+)(?:/[0-9]+)?"
_SCHEDULE = re.compile(rf"@(?:hourly|daily|weekly|monthly)|{_FIELD}(?: +{_FIELD}){{4}}")
_ZONE = re.compile(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9]+)*")
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class StreamSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where pods get the stream from: a git repository that they may read."""

    url: str
    ref: str = ""
    """A branch or a tag; empty for the default branch."""
    folder: str = ""
    """The folder of the stream file in it; empty for its top."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When something is done again and again."""

    schedule: str
    """As cron has it: minute, hour, day of the month, month, day of the week."""
    time_zone: str


class ListenerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which forge is listened to, and what becomes of what is proposed there."""

    forge: Forge
    secret: str = WEBHOOK_SECRET
    key: str = WEBHOOK_SECRET_KEY
    base_release: str = ""
    """The release on top of which proposals are tried; empty to leave proposals alone."""
    depth: int = 0
    """How far from a proposal is built: by default the components of its repository only."""


def read_source(text: str, *, folder: str = "") -> StreamSource:
    """The stream's repository as people write it, ``URL`` or ``URL@REF``. Raises InputError."""
    scheme, separator, rest = text.partition("://")
    host, _, path = rest.partition("/")
    path, _, ref = path.partition("@")
    url = f"{scheme}://{host}/{path}"
    if not separator or scheme not in ("http", "https", "git"):
        raise InputError(
            f"{text!r} is no address that pods could fetch from",
            hint="write https://HOST/ORG/REPO@BRANCH; pods have no keys for ssh",
        )
    if "@" in host:
        raise InputError(
            "an address with a password in it would be seen by everybody on the cluster",
            hint="leave it away, and let pods have it as --git-credentials",
        )
    if is_commit(ref):
        raise InputError(
            f"{text!r} names a commit, which never changes", hint="name a branch or a tag"
        )
    if folder and not _FOLDER.fullmatch(folder):
        raise InputError(
            f"{folder!r} is no folder of a repository", hint="write it as in streams/scos"
        )
    return StreamSource(url=url, ref=check_ref(ref) if ref else "", folder=folder)


def read_schedule(text: str, *, time_zone: str) -> Schedule:
    """The times that ``text`` names, by the clocks of ``time_zone``. Raises InputError."""
    if not _SCHEDULE.fullmatch(text):
        raise InputError(
            f"{text!r} is no schedule",
            hint="write five fields as cron has them, as in '0 3 * * *' for three at night",
        )
    if not _ZONE.fullmatch(time_zone):
        raise InputError(
            f"{time_zone!r} is no time zone", hint="write it as in Etc/UTC or Europe/Prague"
        )
    return Schedule(schedule=text, time_zone=time_zone)
