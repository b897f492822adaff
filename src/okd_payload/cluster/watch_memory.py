# SPDX-License-Identifier: Apache-2.0
"""What a watch has told so far, so that it can go on when the server has forgotten.

Pure bookkeeping: what the server says goes in, what the listener has to hear comes out. After any
sequence of events, cuts and new lists the listener knows what the server has: each object that
is there in its last state, and an end for each that went, whether somebody saw it go or not.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from okd_payload.cluster.objects import Identity, identify
from okd_payload.cluster.protocol import Change, WatchEvent


class _Known(msgspec.Struct, frozen=True):
    """An object as the listener knows it."""

    identity: Identity
    content: bytes
    told: bool = True
    """Whether it was told; else the listener knew it before the watch began."""

    def shows(self, identity: Identity) -> bool:
        """Whether the listener was told just this state."""
        return self.told and self.identity == identity and bool(identity.resource_version)


class WatchMemory:
    """The objects that the listener knows, by namespace and name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Known] = {}

    def expect(self, objects: Iterable[bytes]) -> None:
        """Take ``objects`` as known to the listener from elsewhere."""
        for content in objects:
            identity = identify(content)
            self._known[identity.place] = _Known(identity, content, told=False)

    def relist(self, objects: Iterable[bytes]) -> list[WatchEvent]:
        """What has to be told when ``objects`` are all that there is now."""
        present = {identify(content).place: content for content in objects}
        gone = [place for place in self._known if place not in present]
        events = [WatchEvent(Change.DELETED, self._known.pop(place).content) for place in gone]
        for content in present.values():
            events += self.note_present(identify(content), content)
        return events

    def note_present(self, identity: Identity, content: bytes) -> list[WatchEvent]:
        """What has to be told when the object is there in this state."""
        known = self._known.get(identity.place)
        if known is not None and known.shows(identity):
            return []
        self._known[identity.place] = _Known(identity, content)
        if known is None:
            return [WatchEvent(Change.ADDED, content)]
        if known.identity.uid != identity.uid:  # deleted and made anew, unseen
            return [WatchEvent(Change.DELETED, known.content), WatchEvent(Change.ADDED, content)]
        return [WatchEvent(Change.MODIFIED, content)]

    def note_gone(self, identity: Identity, content: bytes) -> list[WatchEvent]:
        """What has to be told when the object went, and was like this at last."""
        self._known.pop(identity.place, None)
        return [WatchEvent(Change.DELETED, content)]
