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
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from okd_payload.build.impact.changed import ChangedModule
from okd_payload.build.impact.packages import Package, Packages, is_real, read_module
from okd_payload.build.impact.reach import Use
from okd_payload.catalog.go_modules.dependence import MainModule
from okd_payload.catalog.go_modules.go_file import is_standard
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

FOLDER = "okd-payload-changes"
"""Where whole modules go in sources that vendor nothing."""


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


def vendor_changes(
    main: MainModule, uses: Sequence[Use], texts: Texts, packages: Packages
) -> Vendoring:
    """What to change in the source of ``main`` for all of ``uses``. Raises ModuleConflict.

    Blocks: what ``packages`` does not know yet is read.
    """
    if main.vendored is None:
        return _put_beside(main, uses, texts)
    copies = _Copies(main, main.vendored, uses, packages)
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

    def __init__(
        self, main: MainModule, listed: VendorList, uses: Sequence[Use], known: Packages
    ) -> None:
        self._main = main
        self._known = known
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

    def _imports(self, package: str, importer: str) -> frozenset[str]:
        """What the files of ``package`` import, which has to be there."""
        found = self._read(package)
        if not found.files:
            reason = f", which {importer} imports now" if importer else ""
            raise ModuleConflict(
                f"the package {package} is gone{reason}",
                hint="the component has to stop importing it before it takes the change",
            )
        return found.imports

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

    def _read(self, package: str) -> Package:
        module = self._module_of(package)
        within = package.removeprefix(module).lstrip("/")
        return self._known.read(self._modules[module].folder, within)

    def files(self) -> list[NewFile]:
        """All files of the copies, as the component has them."""
        found: dict[str, NewFile] = {}
        for module, packages in self.packages.items():
            place = posixpath.join(self._main.vendor_folder, "vendor", module)
            for package in sorted(packages):
                for file in self._read(package).files:
                    target = f"{place}/{file.path}"
                    found[target] = NewFile(target, file.content, file.mode)
        return list(found.values())


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
            NewFile(posixpath.join(main.folder, place, file.path), file.content, file.mode)
            for file in read_module(module.folder)
        ]
        more = module.folder / "go.sum"
        sums += more.read_bytes().splitlines() if is_real(module.folder, more) else []
    files.append(NewFile(main.go_mod_path, text))
    if sums:
        content = b"".join(line + b"\n" for line in dict.fromkeys(sums))
        files.append(NewFile(posixpath.join(main.folder, "go.sum"), content))
    return Vendoring(files=tuple(files))
