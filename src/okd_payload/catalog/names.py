# SPDX-License-Identifier: Apache-2.0
"""What the name of an image means in a stream.

A name is, in this order: a tag of the stream, a tag of another image stream that is imported, a
reference that a substitution gives a meaning, a builder that one of the stream's stands in for,
an image elsewhere whose host is written out.
Names without host are never completed: what is not known here is a mistake more often than an
image of docker.io.
"""

from __future__ import annotations

import functools

import msgspec

from okd_payload.catalog import codes
from okd_payload.catalog.builders.choice import BuilderChoice, NoBuilder, choose_builder
from okd_payload.catalog.builders.codes import NO_BUILDER
from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.definition import OtherTag, PulledImage
from okd_payload.catalog.substitution import is_private, substitute
from okd_payload.errors import InvalidReference, nearest_names
from okd_payload.issues import Issue, IssueCode
from okd_payload.oci.reference import parse_reference


class Problem(msgspec.Struct, frozen=True):
    """Why a name cannot be used, before it is known who uses it."""

    code: IssueCode
    message: str
    hint: str = ""

    def issue(self, *, component: str = "", file: str = "", line: int = 0) -> Issue:
        """The issue that the name at this place is a problem."""
        return self.code.issue(
            self.message, component=component, file=file, line=line, hint=self.hint
        )


class TagImage(msgspec.Struct, frozen=True):
    """The image of a tag of the stream; ``rule`` is the pattern that led there, if one did.

    With ``builder`` it is a builder that was chosen; if nothing else makes its tag, it is to be
    built like its definition.
    """

    tag: str
    rule: str = ""
    builder: BuilderChoice | None = None


class ExternalImage(msgspec.Struct, frozen=True):
    """An image elsewhere; ``problem`` when not everybody can pull it."""

    pull_spec: str
    rule: str = ""
    problem: Problem | None = None


class Unresolved(msgspec.Struct, frozen=True):
    """A name that means nothing, and why."""

    name: str
    problem: Problem


def node_of(image: TagImage | ExternalImage) -> str:
    """The name by which plans know ``image``: its tag, or the pull spec of one elsewhere."""
    return image.tag if isinstance(image, TagImage) else image.pull_spec


def resolve_image(name: str, catalog: Catalog) -> TagImage | ExternalImage | Unresolved:
    """The image that ``name`` means in ``catalog``."""
    known = _look_up(name, catalog)
    if known is not None:
        return known
    found = substitute(name, catalog.stream.substitutions)
    if found is None:
        return choose_image(name, catalog) or _read_pull_spec(name, catalog)
    pattern = found.rule.pattern
    image = _look_up(found.image, catalog) or _read_pull_spec(found.image, catalog)
    if isinstance(image, Unresolved):
        problem = image.problem
        message = f"{problem.message}, which the substitution {pattern!r} gives for {name}"
        hint = _advise_builder(name, catalog) or problem.hint
        return Unresolved(name, msgspec.structs.replace(problem, message=message, hint=hint))
    return msgspec.structs.replace(image, rule=pattern)


def resolve_operand(
    operand: str, meaning: str, catalog: Catalog
) -> TagImage | ExternalImage | Unresolved:
    """The image that ``operand`` of a Dockerfile means, for which an alias says ``meaning``.

    An alias for what the stream's builders replace does not count where they have an answer.
    """
    if operand != meaning and meaning in catalog.stream.builders.replaces:
        chosen = choose_image(operand, catalog)
        if chosen is not None:
            return chosen
    return resolve_image(meaning, catalog)


def choose_image(reference: str, catalog: Catalog) -> TagImage | Unresolved | None:
    """The builder that stands in for ``reference``; None when it is none of a builder."""
    choice = choose_builder(reference, catalog.stream.builders)
    if choice is None:
        return None
    if isinstance(choice, NoBuilder):
        return Unresolved(reference, Problem(NO_BUILDER, choice.message, choice.hint))
    if choice.tag not in catalog.tags and choice.definition not in catalog.by_name:
        return Unresolved(reference, _undefined(choice.definition, catalog))
    return TagImage(choice.tag, choice.pattern, choice)


def _advise_builder(reference: str, catalog: Catalog) -> str:
    """What to do about a substitution that catches a builder; empty when it is none."""
    image = choose_image(reference, catalog)
    if not isinstance(image, TagImage):
        return ""
    return (
        f"the substitution comes before `builders`, which have {image.tag} for it: "
        "let its pattern not fit builders"
    )


def _undefined(definition: str, catalog: Catalog) -> Problem:
    """That there is no component to build builders like."""
    reason = next((each.reason for each in catalog.skipped if each.name == definition), "")
    return Problem(
        codes.UNKNOWN_COMPONENT,
        f"there is no component {definition!r} to build builders like"
        + (f": the stream leaves it out ({reason})" if reason else ""),
        "a definition is no image of the stream by itself, so there is no need to skip it"
        if reason
        else "correct `definition` of `builders.images`",
    )


def external_image(pull_spec: str, catalog: Catalog) -> ExternalImage:
    """The image that ``pull_spec`` names, as it is: no substitution applies."""
    if not is_private(pull_spec):
        return ExternalImage(pull_spec)
    tag = parse_reference(pull_spec).tag
    meaning = tag if tag in catalog.tags else "TAG"
    problem = Problem(
        codes.PRIVATE_REFERENCE,
        f"{pull_spec} is in a registry that not everybody can pull from",
        _advise(pull_spec, meaning, catalog),
    )
    return ExternalImage(pull_spec, problem=problem)


def _advise(reference: str, meaning: str, catalog: Catalog) -> str:
    """How to give ``reference`` the meaning ``meaning``: in the stream file, if there is one."""
    if catalog.path:
        return f"add to substitutions: {{glob: '{reference}', image: {meaning}}}"
    return f"say what it means with --substitute '{reference}={meaning}'"


def _look_up(name: str, catalog: Catalog) -> TagImage | ExternalImage | None:
    """The image of a tag, ours or another image stream's; None when nobody has it."""
    seen = set()
    while name not in catalog.tags:
        entry = catalog.foreign_tags.get(name)
        if entry is None or name in seen:
            return None
        seen.add(name)
        if isinstance(entry.content, PulledImage):
            return external_image(entry.content.pull_spec, catalog)
        name = entry.content.tag if isinstance(entry.content, OtherTag) else ""
    return TagImage(name)


def _read_pull_spec(name: str, catalog: Catalog) -> ExternalImage | Unresolved:
    try:
        reference = parse_reference(name)
    except InvalidReference as error:
        return Unresolved(name, Problem(codes.DANGLING_REFERENCE, error.message, error.hint))
    if name.startswith(f"{reference.host}/"):
        return external_image(name, catalog)
    return Unresolved(name, _dangling(name, str(reference), catalog))


def _dangling(name: str, completed: str, catalog: Catalog) -> Problem:
    for skipped in catalog.skipped:
        if skipped.tag == name:
            return Problem(
                codes.DANGLING_REFERENCE,
                f"{name} is left out of the stream: {skipped.reason}",
                "import an image under this tag, with `stub` and the reason",
            )
    near = _nearest(name, frozenset((*catalog.tags, *catalog.foreign_tags)))
    offer = f"did you mean {' or '.join(near)}? " if near else ""
    if catalog.path:
        advice = f"For the image elsewhere, write {completed} or add a substitution"
    else:
        advice = f"If not, {_advise(name, completed, catalog)}"
    return Problem(
        codes.DANGLING_REFERENCE,
        f"{name} is neither a tag of the stream nor an image elsewhere",
        f"{offer}{advice}",
    )


@functools.lru_cache(maxsize=256)
def _nearest(name: str, known: frozenset[str]) -> tuple[str, ...]:
    """The names of ``known`` most like ``name``: 190 comparisons that take as long as a plan."""
    return tuple(nearest_names(name, sorted(known)))
