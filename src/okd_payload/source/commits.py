# SPDX-License-Identifier: Apache-2.0
"""What git says about commits, and how it says it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from okd_payload.errors import SourceError
from okd_payload.source.model import Commit

LOG_FORMAT = (
    "--no-patch",
    "--no-show-signature",
    "--encoding=UTF-8",
    "--date=default",
    "--format=%H%x00%T%x00%ct%x00%an <%ae>%x00%ad%x00%s",
)
"""Arguments for ``git log -1`` whose output ``parse_log`` understands."""

_LAST_TIME = 253_402_300_799
"""9999-12-31T23:59:59Z: no image and no release can say a later one."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_log(output: bytes, *, location: str, ref: str = "") -> Commit:
    """The commit that ``git log -1`` printed, found at ``location`` under the name ``ref``.

    Raises SourceError, also for a commit of a year that calendars do not have.
    """
    fields = output.decode(errors="replace").rstrip("\n").split("\0")
    if len(fields) != 6:
        raise SourceError(f"git log printed {len(fields)} fields of a commit instead of 6")
    time = int(fields[2])
    if time > _LAST_TIME:
        raise SourceError(
            f"commit {fields[0]} is dated {time} seconds after 1970, in no year that there is",
            hint="build another commit, or make this one again with a true date",
        )
    author, date, message = (_UNPRINTABLE.sub(" ", field) for field in fields[3:])
    return Commit(
        id=fields[0],
        tree=fields[1],
        time=time,
        location=location,
        ref=ref,
        author=author,
        date=date,
        message=message,
    )


def date_of(time: int) -> str:
    """``time`` as git prints the date of a commit made in UTC."""
    moment = datetime.fromtimestamp(time, UTC)
    return f"{moment:%a %b} {moment.day} {moment:%H:%M:%S %Y} +0000"
