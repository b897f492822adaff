# SPDX-License-Identifier: Apache-2.0
"""``go.mod`` and ``go.work``: what a main module asks for (https://go.dev/ref/mod#go-mod-file).

Directives that decide nothing about which modules are built (``toolchain``, ``godebug``,
``tool``, ``ignore`` and those of later versions) are passed over, as the go command does for
modules other than the main one.
"""

from __future__ import annotations

import re

import msgspec

from okd_payload.catalog.go_modules.words import FORMAT_HINT, Directive, read_directives
from okd_payload.errors import InvalidDocument

_GO_VERSION = re.compile(r"[1-9]\d*(?:\.\d+){0,2}(?:(?:rc|beta)\d+)?")


class ModuleVersion(msgspec.Struct, frozen=True):
    """A module at a version; without one, every version of it, or a folder of the repository."""

    path: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.version}" if self.version else self.path

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder beside the main module."""
        return self.path.startswith(("./", "../", "/")) or self.path in (".", "..")


class Requirement(msgspec.Struct, frozen=True):
    """A module that has to be there, at least at this version."""

    module: ModuleVersion
    indirect: bool
    """Whether only other modules import it."""
    line: int


class Replacement(msgspec.Struct, frozen=True):
    """A module, at a version or any, whose content comes from another one."""

    old: ModuleVersion
    new: ModuleVersion
    line: int


class GoMod(msgspec.Struct, frozen=True, kw_only=True):
    """What a ``go.mod`` says."""

    module: str
    go: str = ""
    """The version of the language; empty means 1.16."""
    requires: tuple[Requirement, ...] = ()
    replaces: tuple[Replacement, ...] = ()
    excludes: tuple[ModuleVersion, ...] = ()
    retracts: tuple[str, ...] = ()
    """Versions, or ranges of them as they are written."""

    def requirement(self, path: str) -> Requirement | None:
        """What it says about the module ``path``."""
        return next((item for item in self.requires if item.module.path == path), None)

    def replacement(self, module: ModuleVersion) -> Replacement | None:
        """What takes the place of ``module``: a rule for its version wins over one for any."""
        return find_replacement(self.replaces, module)


class GoWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a ``go.work`` says: the folders of its main modules, and replacements for all."""

    uses: tuple[str, ...] = ()
    replaces: tuple[Replacement, ...] = ()


def find_replacement(
    replaces: tuple[Replacement, ...], module: ModuleVersion
) -> Replacement | None:
    """The one of ``replaces`` that counts for ``module``."""
    fitting = [item for item in replaces if item.old in (module, ModuleVersion(module.path))]
    return max(fitting, key=lambda item: bool(item.old.version), default=None)


def read_go_mod(content: bytes, *, path: str) -> GoMod:
    """The ``go.mod`` with this ``content``. Raises InvalidDocument."""
    module, go = "", ""
    requires, replaces, excludes, retracts = [], [], [], []
    for directive in read_directives(content, path=path):
        words = directive.words
        if directive.verb == "module":
            _expect(directive, len(words) == 1 and not module, "one module path", path)
            module = words[0]
        elif directive.verb == "go":
            _expect(
                directive, len(words) == 1 and bool(_GO_VERSION.fullmatch(words[0])), "1.N", path
            )
            go = words[0]
        elif directive.verb == "require":
            _expect(directive, len(words) == 2, "a module and its version", path)
            indirect = re.match(r"indirect(?:$|[;\s])", directive.comment) is not None
            requires.append(Requirement(ModuleVersion(*words), indirect, directive.line))
        elif directive.verb == "replace":
            replaces.append(_read_replacement(directive, path))
        elif directive.verb == "exclude":
            _expect(directive, len(words) == 2, "a module and its version", path)
            excludes.append(ModuleVersion(*words))
        elif directive.verb == "retract":
            retracts.append(" ".join(words))
    if not module:
        raise InvalidDocument("it has no module directive", path=path, hint=FORMAT_HINT)
    return GoMod(
        module=module,
        go=go,
        requires=tuple(requires),
        replaces=tuple(replaces),
        excludes=tuple(excludes),
        retracts=tuple(retracts),
    )


def read_go_work(content: bytes, *, path: str) -> GoWork:
    """The ``go.work`` with this ``content``. Raises InvalidDocument."""
    uses, replaces = [], []
    for directive in read_directives(content, path=path):
        if directive.verb == "use":
            _expect(directive, len(directive.words) == 1, "a folder", path)
            uses.append(directive.words[0])
        elif directive.verb == "replace":
            replaces.append(_read_replacement(directive, path))
    return GoWork(uses=tuple(uses), replaces=tuple(replaces))


def _read_replacement(directive: Directive, path: str) -> Replacement:
    words = directive.words
    arrow = words.index("=>") if "=>" in words else 0
    old, new = words[:arrow], words[arrow + 1 :]
    sound = len(old) in (1, 2) and len(new) in (1, 2)
    _expect(directive, sound, "OLD [VERSION] => NEW [VERSION]", path)
    return Replacement(ModuleVersion(*old), ModuleVersion(*new), directive.line)


def _expect(directive: Directive, sound: bool, what: str, path: str) -> None:  # noqa: FBT001 - read as `expect that`
    if not sound:
        raise InvalidDocument(
            f"{directive.verb} {' '.join(directive.words)}: {what} is needed",
            path=path,
            line=directive.line,
            hint=FORMAT_HINT,
        )
