# SPDX-License-Identifier: Apache-2.0
"""What mirrors stand for which repositories, and in which order places are asked.

A rule is about everything below a prefix: a host, a path of it, or ``*.DOMAIN`` for all hosts
below a domain. Of several rules the one with the longest match counts alone. A host with another
port is another host: a mirror for ``example.com`` is none for ``example.com:5000``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from okd_payload.errors import InvalidReference
from okd_payload.oci.reference import Reference, parse_reference

_WILDCARD = "*."


class Pulls(enum.Enum):
    """For which references a mirror may be asked."""

    ALL = "all"
    BY_DIGEST = "digest-only"
    BY_TAG = "tag-only"

    def allows(self, *, by_digest: bool) -> bool:
        """Whether a reference by digest, or by tag, may be asked of the mirror."""
        return self is Pulls.ALL or (self is Pulls.BY_DIGEST) == by_digest


class Mirror(msgspec.Struct, frozen=True):
    """A place that may have the same images as the source."""

    location: str
    """What stands there instead of the prefix."""
    pulls: Pulls = Pulls.ALL


class MirrorRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything below ``prefix`` may be read."""

    prefix: str
    location: str = ""
    """Where the source really is; empty when it is where its name says."""
    mirrors: tuple[Mirror, ...] = ()
    blocked: bool = False
    """Whether nobody may contact the source."""

    def match(self, repository: str) -> int:
        """How much of ``repository`` the prefix stands for; 0 when the rule is not about it."""
        if self.prefix.startswith(_WILDCARD):
            domain, slash, path = self.prefix[1:].partition("/")
            host, _, rest = repository.partition("/")
            if not host.endswith(domain) or len(host) == len(domain):
                return 0
            if not slash:
                return len(host)
            below = _match_path(rest, path)
            return len(host) + 1 + below if below else 0
        return _match_path(repository, self.prefix)


class Place(msgspec.Struct, frozen=True):
    """One repository to ask, for the references that ``pulls`` allows."""

    reference: Reference
    pulls: Pulls = Pulls.ALL
    is_mirror: bool = True


class MirrorRules(msgspec.Struct, frozen=True, kw_only=True):
    """All rules, and the hosts that were called insecure where they were written."""

    rules: tuple[MirrorRule, ...] = ()
    lenient_hosts: frozenset[str] = frozenset()

    @property
    def mirror_hosts(self) -> frozenset[str]:
        """The hosts of all mirrors."""
        locations = (mirror.location for rule in self.rules for mirror in rule.mirrors)
        return frozenset(location.partition("/")[0] for location in locations)

    def find(self, repository: str) -> MirrorRule | None:
        """The rule about ``repository``: the longest match, and no wildcard before a name."""
        matching = [(rule.match(repository), rule) for rule in self.rules]
        found = [item for item in matching if item[0]]
        if not found:
            return None
        return max(found, key=lambda item: (item[0], not item[1].prefix.startswith(_WILDCARD)))[1]

    def places(self, reference: Reference) -> list[Place]:
        """Where the repository of ``reference`` may be read, in the order to ask.

        Places that are blocked are left out, so there may be none.
        """
        rule = self.find(reference.repository)
        if rule is None:
            return [Place(reference, is_mirror=False)]
        rest = reference.repository[rule.match(reference.repository) :]
        places = [
            Place(parse_reference(mirror.location + rest), mirror.pulls) for mirror in rule.mirrors
        ]
        source = parse_reference(rule.location + rest) if rule.location else reference
        places.append(Place(source, is_mirror=False))
        return [place for place in places if not self._blocks(place.reference)]

    def _blocks(self, reference: Reference) -> bool:
        rule = self.find(reference.repository)
        return rule is not None and rule.blocked


def join_rules(several: Iterable[MirrorRules]) -> MirrorRules:
    """All rules of ``several``; of rules about the same prefix the first counts."""
    by_prefix: dict[str, MirrorRule] = {}
    lenient: set[str] = set()
    for each in several:
        lenient |= each.lenient_hosts
        for rule in each.rules:
            by_prefix.setdefault(rule.prefix, rule)
    return MirrorRules(rules=tuple(by_prefix.values()), lenient_hosts=frozenset(lenient))


def check_location(text: str) -> str:
    """``text``, if repositories may lie below it. Raises InvalidReference."""
    below = f"{text}/a/b"
    try:
        fits = parse_reference(below).repository == below
    except InvalidReference:
        fits = False
    if not fits:
        raise InvalidReference(
            f"{text[:200]!r} is no place of repositories", hint="write HOST[:PORT][/PATH]"
        )
    return text


def check_prefix(text: str) -> str:
    """``text``, if a rule may be about it. Raises InvalidReference."""
    check_location(text.removeprefix(_WILDCARD))
    return text


def _match_path(text: str, prefix: str) -> int:
    """The length of ``prefix`` when ``text`` is it or lies below it."""
    return len(prefix) if text == prefix or text.startswith(f"{prefix}/") else 0
