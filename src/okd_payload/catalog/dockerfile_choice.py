# SPDX-License-Identifier: Apache-2.0
"""Which Dockerfile of a repository makes a component, when no definition says so.

OpenShift's repositories have several: for the project's own images, for OpenShift, for tests, one
for each image. Their names follow habits and no rule, so the choice is a guess by words, and it
comes with what it was chosen from. Words of the path that the component's name has too speak for
it, above all those that the repository's name does not have; words that it lacks speak against
it; then the order of suffixes counts, and the shorter path.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

import msgspec

DOCKERFILES = (
    "Dockerfile.okd",
    "Dockerfile.ocp",
    "Dockerfile.openshift",
    "Dockerfile.rhel",
    "Dockerfile",
)
"""Where OpenShift's repositories have their Dockerfiles, the first that is there counts."""

_SUFFIXES = ("okd", "scos", "ocp", "openshift", "rhel9", "rhel", "rhel8", "rhel7", "ci")
_FILE = re.compile(
    r"(?:.*/)?(?:(?:Docker|Container)file(?:[.-][^/]*)?|[^/]+\.Dockerfile)", re.ASCII
)
_FOREIGN = re.compile(r"(?:^|/)(?:vendor|node_modules|third_party|\.[^/]*)/")
_WORD = re.compile(r"[a-z]+[0-9]*|[0-9]+")
_SAYS_NOTHING = frozenset(
    {"dockerfile", "containerfile", "images", "image", "hack", "build", "docker", "art"}
)


class DockerfileChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen, from what, and why."""

    path: str
    """Relative to the root of the source; empty when none fits."""
    candidates: tuple[str, ...]
    """All that the source has, the best first."""
    reason: str

    @property
    def evidence(self) -> str:
        """The choice in a sentence, and the next best ones in another."""
        others = [path for path in self.candidates if path != self.path][:4]
        beside = f"There are also {', '.join(others)}." if others else "There is no other."
        return f"{self.path}: {self.reason}. {beside}" if self.path else f"{self.reason}."


class _Fit(msgspec.Struct, frozen=True, order=True):
    """How well a path fits, the better the smaller."""

    against: int
    telling: int
    """Negative: words in favour that the repository's name does not have."""
    matching: int
    """Negative: all words in favour."""
    suffix: int
    depth: int
    path: str


def choose_dockerfile(files: Iterable[str], *, component: str, repository: str) -> DockerfileChoice:
    """The Dockerfile among ``files`` of ``repository`` that makes ``component``."""
    found = (path for path in files if _FILE.fullmatch(path) and not _FOREIGN.search(path))
    fits = sorted(_fit(path, component, repository) for path in found)
    candidates = tuple(fit.path for fit in fits)
    if not fits:
        return DockerfileChoice(path="", candidates=(), reason="the source has no Dockerfile")
    best = fits[0]
    if best.against and not best.telling:
        reason = f"no Dockerfile looks like that of {component}; nearest: {best.path}"
        return DockerfileChoice(path="", candidates=candidates, reason=reason)
    return DockerfileChoice(path=best.path, candidates=candidates, reason=_explain(best))


def _fit(path: str, component: str, repository: str) -> _Fit:
    wanted, known = _words(component), _words(repository)
    said = _words(path) - _SAYS_NOTHING - {*_SUFFIXES}
    name = posixpath.basename(path).lower()
    suffixes = [number for number, word in enumerate(_SUFFIXES) if word in _words(name)]
    return _Fit(
        against=len(said - wanted - known),
        telling=-len((said & wanted) - known),
        matching=-len(said & wanted),
        suffix=min(suffixes, default=len(_SUFFIXES)),
        depth=path.count("/"),
        path=path,
    )


def _explain(fit: _Fit) -> str:
    if fit.telling:
        return "its path names the component"
    if fit.suffix < len(_SUFFIXES):
        return f"made for {_SUFFIXES[fit.suffix]}"
    return "the usual name"


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
