# SPDX-License-Identifier: Apache-2.0
"""Whether a main module is built with another module, and how that is known.

Where copies are vendored they are what is built, so the list of copies decides. Elsewhere
``go.mod`` does. A module that is replaced by another one is not built, and what takes its place
is: a change reaches whoever has the changed content, by whatever name it is imported.
"""

from __future__ import annotations

import enum
import posixpath
from collections.abc import Collection

import msgspec

from okd_payload.catalog.go_modules import vendor_list
from okd_payload.catalog.go_modules.go_mod import GoMod, ModuleVersion
from okd_payload.catalog.go_modules.vendor_list import VendorList

GO_MOD = "go.mod"


class Link(enum.Enum):
    """How a main module comes to another module."""

    DIRECT = "direct"
    INDIRECT = "indirect"
    """Only through modules that it imports."""


class MainModule(msgspec.Struct, frozen=True, kw_only=True):
    """A module of a component's repository, and the copies that it is built with."""

    folder: str
    """Where its ``go.mod`` is; empty for the root of the repository."""
    go_mod: GoMod
    vendored: VendorList | None = None
    """None when it is built from modules that are fetched."""
    vendor_folder: str = ""
    """Where ``vendor`` is: that of a workspace is beside its ``go.work``."""
    siblings: tuple[str, ...] = ()
    """The paths of the other modules of its workspace, which are there without copies."""

    @property
    def go_mod_path(self) -> str:
        """Its ``go.mod``, from the root of the repository."""
        return posixpath.join(self.folder, GO_MOD)

    @property
    def list_path(self) -> str:
        """The list of its copies, from the root of the repository."""
        return posixpath.join(self.vendor_folder, vendor_list.PATH)


class Dependence(msgspec.Struct, frozen=True, kw_only=True):
    """That a main module is built with a module, and where that stands."""

    imported: ModuleVersion
    """The module by the name it is imported by, at the version that is asked for."""
    content: ModuleVersion
    """What is built: the same, or what replaces it."""
    link: Link
    packages: tuple[str, ...] = ()
    """The vendored ones; empty where nothing is vendored."""
    file: str
    line: int

    @property
    def is_replaced(self) -> bool:
        """Whether another module takes its place."""
        return self.imported.path != self.content.path


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """That a module is named and its change makes no difference, and why."""

    reason: str
    file: str
    line: int


def find_dependence(main: MainModule, names: Collection[str]) -> Dependence | Miss | None:
    """How ``main`` depends on the module that is called by any of ``names``; None if it does not.

    ``names`` are module paths: the one it declares, and that of the repository it is in.
    """
    found = _find_copies(main, names) if main.vendored else _find_required(main, names)
    if found is None:
        return None
    if found.content.path not in names:
        reason = f"{found.imported.path} is replaced by {found.content}"
        return Miss(reason=reason, file=found.file, line=found.line)
    if main.vendored and not found.packages:
        reason = f"{found.imported.path} is required, and none of its packages is used"
        return Miss(reason=reason, file=found.file, line=found.line)
    return found


def _find_copies(main: MainModule, names: Collection[str]) -> Dependence | None:
    listed = main.vendored.modules if main.vendored else ()
    found = []
    for module in listed:
        if not module.module.version or not {module.module.path, module.content.path} & set(names):
            continue
        required = main.go_mod.requirement(module.module.path)
        replaced = main.go_mod.replacement(module.module) if module.replacement else None
        file, line = main.list_path, module.line
        if required is not None or replaced is not None:
            line = replaced.line if replaced is not None else required.line if required else 0
            file = main.go_mod_path
        found.append(
            Dependence(
                imported=module.module,
                content=module.content,
                link=Link.DIRECT if required and not required.indirect else Link.INDIRECT,
                packages=module.packages,
                file=file,
                line=line,
            )
        )
    return _best(found, names)


def _find_required(main: MainModule, names: Collection[str]) -> Dependence | None:
    found = []
    for required in main.go_mod.requires:
        replaced = main.go_mod.replacement(required.module)
        content = replaced.new if replaced else required.module
        if {required.module.path, content.path} & set(names):
            found.append(
                Dependence(
                    imported=required.module,
                    content=content,
                    link=Link.INDIRECT if required.indirect else Link.DIRECT,
                    file=main.go_mod_path,
                    line=replaced.line if replaced else required.line,
                )
            )
    return _best(found, names)


def _best(found: list[Dependence], names: Collection[str]) -> Dependence | None:
    """The one that is really built from the module, if any is."""
    return min(found, key=lambda item: item.content.path not in names, default=None)
