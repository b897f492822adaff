# SPDX-License-Identifier: Apache-2.0
"""What the log of one way of publishing says: what stands there, what stood there, what was asked.

The log is only ever added to. A roll-back is a line too (``Undone``), from which follows that the
release before has to be put there again; a person who asks for a release writes it as waiting.
So a kill between any two lines leaves a log from which the next pass goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from okd_payload.controller.model import CONTROLLER, Publication, PublicationState


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one way of publishing stands."""

    current: str = ""
    """The release that is published; empty before the first, and while a roll-back is under way."""
    replaced: str = ""
    """The release that stood there before the current one."""
    restoring: str = ""
    """The release that a roll-back has to put there again."""
    asked: Publication | None = None
    """That a person wants a release to be published, and it is not yet."""
    latest: Mapping[str, Publication] = {}
    """The newest line of each release, by name."""
    published: Mapping[str, Publication] = {}
    """The newest ``Done`` of each release that was ever published, undone or not."""
    before: Mapping[str, str] = {}
    """What each of them replaced."""
    failures: Mapping[str, int] = {}
    """How often in a row publishing a release failed."""

    def is_done(self, release: str) -> bool:
        """Whether ``release`` was published this way and that was not undone."""
        state = self.latest[release].state if release in self.latest else None
        return release in self.published and state is not PublicationState.UNDONE


def stand(log: Iterable[Publication]) -> Standing:
    """How things stand after ``log``, all of one way of publishing, the oldest line first."""
    current = replaced = restoring = ""
    asked: Publication | None = None
    latest: dict[str, Publication] = {}
    published: dict[str, Publication] = {}
    before: dict[str, str] = {}
    failures: dict[str, int] = {}
    for line in log:
        latest[line.release] = line
        match line.state:
            case PublicationState.WAITING if line.actor != CONTROLLER:
                asked = line
                failures.pop(line.release, None)
            case PublicationState.DONE:
                if line.release not in before:
                    before[line.release] = line.replaced
                current, replaced, restoring = line.release, line.replaced, ""
                published[line.release] = line
                failures.pop(line.release, None)
                asked = None
            case PublicationState.FAILED:
                failures[line.release] = failures.get(line.release, 0) + 1
            case PublicationState.UNDONE:
                if asked is not None and asked.release == line.release:
                    asked = None
                if current == line.release:
                    current, replaced, restoring = "", "", line.replaced
            case _:
                pass
    return Standing(
        current=current,
        replaced=replaced,
        restoring=restoring,
        asked=asked,
        latest=latest,
        published=published,
        before=before,
        failures=failures,
    )
