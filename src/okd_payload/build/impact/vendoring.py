# SPDX-License-Identifier: Apache-2.0
"""What to change in a component's source, so that it is built with a changed module.

Where copies are vendored, the files of the packages that the list names take the place of the
old ones, packages that these import now are added, and the version of the change stands in
``go.mod`` and ``vendor/modules.txt`` as a replacement, in exactly the words that the go command
holds against each other. Where nothing is vendored, the whole module goes into the source and
replaces itself. Nothing is fetched: a package that neither the component nor a change has is a
conflict, and so is a package that is gone.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec

from okd_payload.build.impact.changed import ChangedModule
from okd_payload.build.impact.reach import Use
from okd_payload.catalog.go_modules.dependence import MainModule
from okd_payload.catalog.go_modules.go_file import is_built, is_standard, read_go_file
from okd_payload.catalog.go_modules.go_mod import ModuleVersion
from okd_payload.catalog.go_modules.module_text import replace_module, require_modules
from okd_payload.catalog.go_modules.vendor_list import (
    VendoredModule,
    VendorList,
    with_replacement,
    write_vendor_list,
)
from okd_payload.catalog.go_modules.versions import is_older
from okd_payload.errors import BuildError
from okd_payload.source.alteration import NewFile
from okd_payload.source.content import list_files
from okd_payload.source.git_objects import Mode

FOLDER = "okd-payload-changes"
"""Where whole modules go in sources that vendor nothing."""
_METADATA = re.compile(
    r"(?:AUTHORS|CONTRIBUTORS|COPYLEFT|COPYING|COPYRIGHT|LEGAL|LICENSE|NOTICE|PATENTS)"
)


class ModuleConflict(BuildError):
    """A component that cannot be built with a changed module, and why."""


class Vendoring(msgspec.Struct, frozen=True, kw_only=True):
    """What to change for one main module."""

    emptied: tuple[str, ...] = ()
    files: tuple[NewFile, ...] = ()
    notes: tuple[str, ...] = ()
    """What is not as it would be after a real update of the module."""


class Texts(msgspec.Struct, frozen=True, kw_only=True):
    """The files about modules that a component has now."""

    go_mod: bytes
    go_sum: bytes | None


def vendor_changes(main: MainModule, uses: Sequence[Use], texts: Texts) -> Vendoring:
    """What to change in the source of ``main`` for all of ``uses``. Raises ModuleConflict.

    Blocks: the files of changed modules are read.
    """
    if main.vendored is None:
        return _put_beside(main, uses, texts)
    copies = _Copies(main, main.vendored, uses)
    copies.complete()
    files = copies.files()
    listed = [_list(module, copies.packages, uses) for module in main.vendored.modules]
    text = texts.go_mod
    if not main.vendored.is_workspace:  # its requirements are those of many, and stay as they are
        for use in uses:
            text, old = replace_module(text, use.dependence.imported, _version_of(use.module))
            if not old.version:
                listed = with_replacement(listed, old, _version_of(use.module))
        files.append(NewFile(main.go_mod_path, text))
    changed_list = VendorList(tuple(listed), main.vendored.is_workspace)
    files.append(NewFile(main.list_path, write_vendor_list(changed_list)))
    return Vendoring(
        emptied=tuple(
            posixpath.join(main.vendor_folder, "vendor", package)
            for use in uses
            for package in use.dependence.packages
        ),
        files=tuple({file.path: file for file in files}.values()),
        notes=tuple(_lagging(main.vendored, copies, uses)),
    )


def _list(
    listed: VendoredModule, packages: dict[str, set[str]], uses: Sequence[Use]
) -> VendoredModule:
    """``listed`` as it stands after the change."""
    for use in uses:
        if listed.module == use.dependence.imported and listed.packages:
            return msgspec.structs.replace(
                listed,
                replacement=_version_of(use.module),
                go=use.module.go_mod.go if listed.go else "",
                packages=tuple(sorted(packages[listed.module.path])),
            )
    return listed


def _version_of(module: ChangedModule) -> ModuleVersion:
    return ModuleVersion(module.path, module.version)


class _Copies:
    """The packages of changed modules that a component needs, and their files."""

    def __init__(self, main: MainModule, listed: VendorList, uses: Sequence[Use]) -> None:
        self._main = main
        self._listed = listed
        self._modules = {use.dependence.imported.path: use.module for use in uses}
        self.packages: dict[str, set[str]] = defaultdict(set)
        """By the path that the module is imported by."""
        self.imported: set[str] = set()
        """Packages of other modules that the copies import."""
        for use in uses:
            self.packages[use.dependence.imported.path] |= set(use.dependence.packages)

    def complete(self) -> None:
        """Add what the packages import of changed modules. Raises ModuleConflict."""
        ahead = [(package, "") for packages in self.packages.values() for package in packages]
        seen: set[str] = set()
        while ahead:
            package, importer = ahead.pop()
            if package in seen:
                continue
            seen.add(package)
            self.packages[self._module_of(package)].add(package)
            for wanted in sorted(self._imports(package, importer)):
                if self._module_of(wanted):
                    ahead.append((wanted, package))
                else:
                    self._check(wanted, package)

    def _imports(self, package: str, importer: str) -> set[str]:
        """What the files of ``package`` import, which has to be there."""
        found: set[str] = set()
        files = [path for path in self._own_files(package) if path.suffix == ".go"]
        if not files:
            reason = f", which {importer} imports now" if importer else ""
            raise ModuleConflict(
                f"the package {package} is gone{reason}",
                hint="the component has to stop importing it before it takes the change",
            )
        for path in files:
            found |= set(read_go_file(path.read_bytes()).imports)
        return found

    def _check(self, wanted: str, package: str) -> None:
        """Refuse a package that nobody has a copy of."""
        self.imported.add(wanted)
        modules = (self._main.go_mod.module, *self._main.siblings)
        own = any(f"{wanted}/".startswith(f"{module}/") for module in modules)
        if own or is_standard(wanted) or wanted in self._listed.packages:
            return
        raise ModuleConflict(
            f"{package} imports {wanted} now, and the component has no copy of that",
            hint="update the component by hand (go get, go mod tidy, go mod vendor) and build "
            "with --component",
        )

    def _module_of(self, package: str) -> str:
        """The changed module that ``package`` is of: the longest path that it begins with."""
        fitting = [path for path in self._modules if f"{package}/".startswith(f"{path}/")]
        other = [
            module.module.path
            for module in self._listed.modules
            if f"{package}/".startswith(f"{module.module.path}/")
        ]
        best = max(fitting, key=len, default="")
        return best if len(best) >= max(map(len, other), default=0) else ""

    def _folder_of(self, package: str) -> Path:
        module = self._module_of(package)
        return self._modules[module].folder / package.removeprefix(module).lstrip("/")

    def _own_files(self, package: str) -> list[Path]:
        """The files of the folder of ``package`` that belong to a copy of it."""
        module = self._modules[self._module_of(package)]
        folder = self._folder_of(package)
        if not folder.is_dir() or not _is_real(module.folder, folder):
            return []
        plain = (path for path in sorted(folder.iterdir()) if not path.is_symlink())
        return [
            path
            for path in plain
            if path.is_file()
            and is_built(path.name, path.read_bytes() if path.suffix == ".go" else b"")
        ]

    def files(self) -> list[NewFile]:
        """All files of the copies, as the component has them."""
        found: dict[str, NewFile] = {}
        for module, packages in self.packages.items():
            root = self._modules[module].folder
            for package in sorted(packages):
                folder = self._folder_of(package)
                paths = self._own_files(package)
                for go in [path for path in paths if path.suffix == ".go"]:
                    paths += _embedded(folder, read_go_file(go.read_bytes()).embeds)
                for path in [*paths, *_metadata(folder, root)]:
                    within = path.relative_to(root).as_posix()
                    target = posixpath.join(self._main.vendor_folder, "vendor", module, within)
                    found[target] = _new_file(target, path)
        return list(found.values())


def _embedded(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files below ``folder`` that the patterns of ``go:embed`` mean."""
    found: list[Path] = []
    for pattern in patterns:
        everything = pattern.startswith("all:")
        for path in sorted(folder.glob(pattern.removeprefix("all:"))):
            if ".." in pattern or not _is_real(folder, path):
                continue
            if path.is_file():
                found.append(path)
                continue
            below = (path / name for name in list_files(path))
            found += [
                file
                for file in below
                if not file.is_symlink() and (everything or not _hidden(file.relative_to(path)))
            ]
    return found


def _is_real(root: Path, path: Path) -> bool:
    """Whether ``path`` is there, and no link leads to it: a change may come from anybody."""
    return path.exists() and path.resolve() == root.resolve() / path.relative_to(root)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _metadata(folder: Path, root: Path) -> list[Path]:
    """Licenses and their like in ``folder`` and in those above it, up to ``root``."""
    above = [root, *(root / parent for parent in folder.relative_to(root).parents)]
    return [
        path
        for place in dict.fromkeys((folder, *above))
        for path in sorted(place.iterdir())
        if _METADATA.match(path.name) and path.is_file() and not path.is_symlink()
    ]


def _new_file(target: str, path: Path) -> NewFile:
    mode = Mode.EXECUTABLE if path.stat().st_mode & 0o100 else Mode.FILE
    return NewFile(target, path.read_bytes(), mode)


def _lagging(listed: VendorList, copies: _Copies, uses: Sequence[Use]) -> list[str]:
    """What the changed modules want newer than the component has it, and what is imported of it."""
    found = []
    for use in uses:
        for wanted in use.module.go_mod.requires:
            has = listed.module(wanted.module.path)
            imported = has is not None and set(has.packages) & copies.imported
            if has is None or not imported or has.replacement is not None:
                continue
            if is_older(has.module.version, wanted.module.version):
                found.append(
                    f"{use.module.path} wants {wanted.module}, and is built with the "
                    f"{has.module.version} that the component has"
                )
    return list(dict.fromkeys(found))


def _put_beside(main: MainModule, uses: Sequence[Use], texts: Texts) -> Vendoring:
    """The changed modules as folders of the source, which replace themselves."""
    text, files, sums = texts.go_mod, [], (texts.go_sum or b"").splitlines()
    for use in uses:
        module = use.module
        place = posixpath.join(FOLDER, module.path)
        text, _ = replace_module(text, use.dependence.imported, ModuleVersion(f"./{place}"))
        text = require_modules(text, module.go_mod)
        files += [
            _new_file(posixpath.join(main.folder, place, name), module.folder / name)
            for name in _module_files(module.folder)
        ]
        more = module.folder / "go.sum"
        sums += more.read_bytes().splitlines() if _is_real(module.folder, more) else []
    files.append(NewFile(main.go_mod_path, text))
    if sums:
        content = b"".join(line + b"\n" for line in dict.fromkeys(sums))
        files.append(NewFile(posixpath.join(main.folder, "go.sum"), content))
    return Vendoring(files=tuple(files))


def _module_files(folder: Path) -> list[str]:
    """The files of the module in ``folder``: no links, and nothing of modules within."""
    nested = [path.parent for path in folder.rglob("go.mod") if path.parent != folder]
    return [
        name
        for name in list_files(folder)
        if not (folder / name).is_symlink()
        and not any((folder / name).is_relative_to(other) for other in nested)
    ]
