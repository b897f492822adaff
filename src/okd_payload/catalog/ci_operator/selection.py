# SPDX-License-Identifier: Apache-2.0
"""Which configuration counts for each repository, when a stream of some branch is wanted.

A configuration of the wanted variant comes before one without variant, because whoever wrote it
knew what the variant needs. Among equals, in this order: the wanted branch; ``openshift-X.Y`` for
``release-X.Y``, which forks of other projects use; the branch whose images are promoted to the
version that is wanted, which is what makes a branch the development branch of a release; main;
master. What was chosen, and why, is part of the answer.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.ci_operator.model import Configuration
from okd_payload.catalog.ci_operator.promotion import likely_stream, version_of
from okd_payload.catalog.component import Sharing
from okd_payload.errors import InputError, UnknownName

FALLBACK_BRANCHES = ("main", "master")


class Match(enum.IntEnum):
    """Why a branch counts, the best reason first."""

    SAME = 0
    FORK = 1
    PROMOTES = 2
    MAIN = 3
    MASTER = 4


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is made of."""

    branch: str
    variant: str = ""
    """Empty for OpenShift itself."""
    stream: str
    """``NAMESPACE/NAME`` of the image stream that the images are promoted to."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration that counts for a repository."""

    configuration: Configuration
    match: Match
    ref: str
    """The branch to build: the wanted one where any configuration shows that it exists."""
    sharing: Sharing | None
    evidence: str
    """Why this one, for people."""


def want(
    configurations: Iterable[Configuration], *, branch: str, variant: str = "", stream: str = ""
) -> Wanted:
    """What is wanted, completed by what the configurations of ``branch`` promote to.

    Raises UnknownName for a variant that nobody has, InputError when nothing tells the stream.
    """
    known = list(configurations)
    variants = {each.name.variant for each in known} - {""}
    if variant and variant not in variants:
        raise UnknownName(
            "variant", variant, known=variants, hint=f"known: {', '.join(sorted(variants))}"
        )
    own = [each for each in known if each.name.variant == variant]
    if not stream:
        stream = likely_stream(each for each in own if each.name.branch == branch)
    if not stream and version_of(branch):
        stream = likely_stream(own, version=version_of(branch))
    if not stream:
        branches = sorted({each.name.branch for each in own})
        raise InputError(
            f"no configuration of branch {branch} tells to which image stream it promotes",
            hint="name it with --promotes-to, as in --promotes-to origin/scos-4.20; "
            f"branches with configurations: {', '.join(branches)}",
        )
    return Wanted(branch=branch, variant=variant, stream=stream)


def choose(configurations: Iterable[Configuration], wanted: Wanted) -> list[Choice]:
    """The configuration that counts for each repository that has one, by their names."""
    by_repository = defaultdict(list)
    for configuration in configurations:
        by_repository[configuration.name.repository].append(configuration)
    found = (_choose(by_repository[name], wanted) for name in sorted(by_repository))
    return [choice for choice in found if choice is not None]


def overlooked(
    configurations: Iterable[Configuration], wanted: Wanted, choices: Iterable[Choice]
) -> list[Configuration]:
    """Of each repository that promotes, but from none of the branches that count, the newest."""
    chosen = {choice.configuration.name.repository for choice in choices}
    left = {
        each.name.repository: each
        for each in sorted(configurations, key=lambda each: each.name)
        if each.name.repository not in chosen
        and each.name.variant in (wanted.variant, "")
        and any(version_of(target.stream) for target in each.targets)
    }
    return list(left.values())


def _choose(configurations: list[Configuration], wanted: Wanted) -> Choice | None:
    ranked = []
    for configuration in configurations:
        match = _match(configuration, wanted)
        variant = configuration.name.variant
        if match is not None and variant in (wanted.variant, ""):
            ranked.append((variant != wanted.variant, match, configuration))
    if not ranked:
        return None
    other_variant, match, chosen = min(ranked, key=lambda each: (*each[:2], each[2].name))
    branches = {each.name.branch for each in configurations}
    ref = wanted.branch if wanted.branch in branches else chosen.name.branch
    sharing = None
    if wanted.variant:
        sharing = Sharing.SHARED if other_variant else Sharing.SPECIFIC
    return Choice(
        configuration=chosen,
        match=match,
        ref=ref,
        sharing=sharing,
        evidence=_explain(chosen, match, wanted, ref=ref),
    )


def _match(configuration: Configuration, wanted: Wanted) -> Match | None:
    branch = configuration.name.branch
    if branch == wanted.branch:
        return Match.SAME
    version = version_of(wanted.branch)
    if version and branch == f"openshift-{version}":
        return Match.FORK
    promoted = {
        version_of(target.stream) for target in configuration.targets if not target.disabled
    }
    if version_of(wanted.stream) in promoted - {""}:
        return Match.PROMOTES
    fallbacks = dict(zip(FALLBACK_BRANCHES, (Match.MAIN, Match.MASTER), strict=True))
    return fallbacks.get(branch)


def _explain(configuration: Configuration, match: Match, wanted: Wanted, *, ref: str) -> str:
    name = configuration.name
    whose = f"for {wanted.variant}" if name.variant else "for OpenShift"
    if wanted.variant and not name.variant:
        whose = f"for OpenShift, as there is none for {wanted.variant}"
    reason = f"the configuration of {name.branch} {whose}"
    if match is Match.SAME:
        return reason
    reason += f", as there is none of {wanted.branch}"
    if match is Match.PROMOTES:
        reason += f" and this one promotes to {version_of(wanted.stream)}"
    elif match is not Match.FORK:
        streams = sorted({each.stream for each in configuration.targets if each.stream})
        reason += f"; it promotes to {', '.join(streams) or 'no stream'}"
    if ref != name.branch:
        reason += f"; {ref} is built, for which others configure the repository"
    return reason
