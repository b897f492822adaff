# SPDX-License-Identifier: Apache-2.0
"""How Tekton's webhooks say no: the answer of the API, and errors about fields.

A rule yields ``FieldError`` values with paths relative to what it looked at; whoever called it
puts its own place in front with ``within``. The text of an answer groups them as the webhook does:
one line per message, all paths of it in order. Paths are nowhere but in this text, which is why
it is imitated to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

_MUTATING = 'admission webhook "webhook.pipeline.tekton.dev" denied the request: mutation failed: '
_VALIDATING = (
    'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: '
    "validation failed: "
)


class Refusal(msgspec.Struct, frozen=True):
    """The answer to an object that is not taken."""

    http: int
    reason: str
    """As in the Status object: ``BadRequest`` or ``Invalid``."""
    message: str


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong, and with which fields."""

    message: str
    paths: tuple[str, ...] = ()
    """Relative to what was looked at; an error without a path never gets one."""
    details: str = ""


class Undecodable(Exception):
    """The object cannot be read as what it should be; the text is the webhook's."""


def invalid_value(what: object, path: str, details: str = "") -> FieldError:
    """The value of one field is wrong."""
    return FieldError(f"invalid value: {what}", (path,), details)


def missing(path: str) -> FieldError:
    """A field that must be there is not."""
    return FieldError("missing field(s)", (path,))


def neither(*paths: str) -> FieldError:
    """One of several fields must be there, and none is."""
    return FieldError("expected exactly one, got neither", paths)


def both(*paths: str) -> FieldError:
    """Only one of several may be there; also what a duplicate name is called."""
    return FieldError("expected exactly one, got both", paths)


def needs_alpha(feature: str) -> FieldError:
    """A feature that is off in a cluster as released; the webhook does not say where it is."""
    return FieldError(
        f'{feature} requires "enable-api-fields" feature gate to be "alpha" but it is "beta"'
    )


def needs_flag(flag: str, use: str, path: str) -> FieldError:
    """A feature with a flag of its own that is off in a cluster as released."""
    return FieldError(f"feature flag {flag} should be set to true to {use}", (path,))


def within(place: str, errors: Iterable[FieldError]) -> Iterator[FieldError]:
    """The errors, seen from further outside."""
    for error in errors:
        paths = tuple(join(place, path) for path in error.paths)
        yield msgspec.structs.replace(error, paths=paths)


def join(place: str, path: str) -> str:
    """A path below a place; an index or key follows without a dot."""
    if not place or not path or path.startswith("["):
        return place + path
    return f"{place}.{path}"


def undecodable(problem: str) -> Refusal:
    """What the mutating webhook answers to an object that it cannot read."""
    return Refusal(400, "BadRequest", f"{_MUTATING}cannot decode incoming new object: {problem}")


def unmarshalable(problem: str) -> Refusal:
    """What the mutating webhook answers to an object that it read and cannot write again."""
    text = f"cannot create patch for round tripped newBytes: cannot marshal interface: {problem}"
    return Refusal(400, "BadRequest", _MUTATING + text)


def not_valid(errors: Iterable[FieldError]) -> Refusal | None:
    """What the validating webhook answers, if there is an error at all."""
    paths: dict[tuple[str, str], set[str]] = {}
    for error in errors:
        paths.setdefault((error.message, error.details), set()).update(error.paths)
    lines = [
        f"{message}: {', '.join(sorted(found))}" + (f"\n{details}" if details else "")
        for (message, details), found in sorted(paths.items())
    ]
    return Refusal(400, "BadRequest", _VALIDATING + "\n".join(lines)) if lines else None
