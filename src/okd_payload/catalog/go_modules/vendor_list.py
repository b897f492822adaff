# SPDX-License-Identifier: Apache-2.0
"""``vendor/modules.txt``: which packages of which modules a repository has copies of.

The go command writes it with ``go mod vendor`` and, before it builds from the copies, holds it
against ``go.mod``: what is required there is ``explicit`` here, and every replacement stands in
both (cmd/go/internal/modload/vendor.go). Lines of unknown form are passed over, as it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from okd_payload.catalog.go_modules.go_mod import ModuleVersion

PATH = "vendor/modules.txt"
_VERSION = re.compile(r"v\d+(?:\.\d+){0,2}(?:[-+][0-9A-Za-z.+-]+)?")


class VendoredModule(msgspec.Struct, frozen=True, kw_only=True):
    """One module of the list; with neither version nor packages, a replacement for any version."""

    module: ModuleVersion
    replacement: ModuleVersion | None = None
    explicit: bool = False
    """Whether ``go.mod`` requires it by name."""
    go: str = ""
    """The version of the language that its packages are written in."""
    packages: tuple[str, ...] = ()
    line: int = 0

    @property
    def content(self) -> ModuleVersion:
        """The module whose files the copies are."""
        return self.replacement or self.module


class VendorList(msgspec.Struct, frozen=True):
    """The whole list, in its order; ``is_workspace`` when several modules share the copies."""

    modules: tuple[VendoredModule, ...] = ()
    is_workspace: bool = False

    @property
    def packages(self) -> frozenset[str]:
        """The import paths of all copies."""
        return frozenset(package for module in self.modules for package in module.packages)

    def module(self, path: str) -> VendoredModule | None:
        """The module called ``path``, at the version that is built."""
        return next(
            (it for it in self.modules if it.module.path == path and it.module.version), None
        )


def read_vendor_list(content: bytes) -> VendorList:
    """The list with this ``content``; a list of nothing when it is none."""
    modules: list[VendoredModule] = []
    open_module = False
    is_workspace = False
    for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
        words = line.split()
        if line.startswith("# "):
            found = _read_module(words[1:], number)
            open_module = found is not None
            modules += [found] if found is not None else []
        elif line.startswith("## ") and not open_module:
            is_workspace = is_workspace or "workspace" in words
        elif line.startswith("## "):
            modules[-1] = _annotate(modules[-1], line[3:])
        elif open_module and len(words) == 1:
            packages = (*modules[-1].packages, words[0])
            modules[-1] = msgspec.structs.replace(modules[-1], packages=packages)
    return VendorList(tuple(modules), is_workspace)


def write_vendor_list(listed: VendorList) -> bytes:
    """``listed`` as the go command writes it."""
    lines = ["## workspace"] if listed.is_workspace else []
    for module in listed.modules:
        arrow = f" => {module.replacement}" if module.replacement else ""
        lines.append(f"# {module.module}{arrow}")
        notes = ["explicit"] if module.explicit else []
        notes += [f"go {module.go}"] if module.go else []
        lines += [f"## {'; '.join(notes)}"] if notes else []
        lines += module.packages
    return "".join(f"{line}\n" for line in lines).encode()


def with_replacement(
    modules: Iterable[VendoredModule], old: ModuleVersion, new: ModuleVersion
) -> list[VendoredModule]:
    """``modules`` with the replacement of any version of a module written at the end, once."""
    kept = [module for module in modules if module.module != old or module.packages]
    return [*kept, VendoredModule(module=old, replacement=new)]


def _read_module(words: list[str], line: int) -> VendoredModule | None:
    if len(words) < 2:
        return None
    if _VERSION.fullmatch(words[1]):
        module, rest = ModuleVersion(words[0], words[1]), words[2:]
    elif words[1] == "=>":
        module, rest = ModuleVersion(words[0]), words[1:]
    else:
        return None
    replacement = None
    if len(rest) in (2, 3) and rest[0] == "=>":
        replacement = ModuleVersion(*rest[1:])
    return VendoredModule(module=module, replacement=replacement, line=line)


def _annotate(module: VendoredModule, text: str) -> VendoredModule:
    for note in text.split(";"):
        words = note.split()
        if words == ["explicit"]:
            module = msgspec.structs.replace(module, explicit=True)
        elif len(words) == 2 and words[0] == "go":
            module = msgspec.structs.replace(module, go=words[1])
    return module
