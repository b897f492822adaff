# SPDX-License-Identifier: Apache-2.0
"""What is going on, as events that anybody may listen to.

Work reports; it never prints. The command line draws the events, tests collect them, the web
pages stream them. A listener must not raise and must return quickly.
"""

from __future__ import annotations

from typing import Protocol

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", omit_defaults=True):
    """Base of all events; ``subject`` is the component, image or blob it is about."""

    subject: str


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """Work on the subject began; ``activity`` is a verb for people, as in "build"."""

    activity: str
    detail: str = ""


class Advanced(Event, frozen=True, kw_only=True, tag="advanced"):
    """``done`` of ``total`` units are through; bytes for transfers."""

    done: int
    total: int


class Finished(Event, frozen=True, kw_only=True, tag="finished"):
    """Work ended well; ``outcome`` says how: built, reused, copied, present."""

    outcome: str
    detail: str = ""
    seconds: float = 0.0


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """Work ended badly, and why."""

    reason: str
    seconds: float = 0.0


class Delayed(Event, frozen=True, kw_only=True, tag="delayed"):
    """Somebody else is in the way, and the work waits to try again; the subject is who."""

    reason: str


class Noticed(Event, frozen=True, kw_only=True, tag="noticed"):
    """Something worth saying that is neither a beginning nor an end."""

    message: str


class Progress(Protocol):
    """A listener: anything that takes events one by one."""

    def __call__(self, event: Event) -> None:
        """Take one event."""
        ...


def ignore_progress(event: Event) -> None:
    """A listener for those who do not care."""
