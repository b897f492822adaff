# SPDX-License-Identifier: Apache-2.0
"""Go modules as OpenShift's repositories have them: everything they need lies in their vendor/."""

from __future__ import annotations

from typing import NamedTuple

GO = "1.19"


class Module(NamedTuple):
    """A library at one version."""

    path: str
    version: str
    files: dict[str, str]
    """All its files, by path in the module."""
    needs: tuple[Module, ...] = ()
    """What it needs itself."""

    def packages(self) -> list[str]:
        """The import paths of its packages."""
        folders = {name.rpartition("/")[0] for name in self.files if name.endswith(".go")}
        return [f"{self.path}/{folder}" for folder in sorted(folders)]


def with_modules(
    path: str,
    files: dict[str, str],
    *,
    direct: tuple[Module, ...] = (),
    indirect: tuple[Module, ...] = (),
    replaced: dict[str, Module] | None = None,
) -> dict[str, str]:
    """``files`` as a Go module called ``path``, with go.mod and vendor/.

    ``replaced`` says what go.mod puts in the place of some modules, by their paths.
    """
    replaced = replaced or {}
    vendored: dict[str, str] = {}
    listed: list[str] = []
    for module in sorted((*direct, *indirect)):
        used = replaced.get(module.path, module)
        arrow = f" => {used.path} {used.version}" if module.path in replaced else ""
        packages = [name.replace(used.path, module.path, 1) for name in used.packages()]
        listed += [f"# {module.path} {module.version}{arrow}", f"## explicit; go {GO}", *packages]
        vendored |= {
            f"vendor/{module.path}/{name}": content
            for name, content in used.files.items()
            if "/" in name and not name.startswith("vendor/")
        }
    # With replacements modules.txt repeats them at its end, as `go mod vendor` writes it.
    for name, module in sorted(replaced.items()):
        listed.append(f"# {name} => {module.path} {module.version}")
    return {
        **files,
        **vendored,
        "go.mod": go_mod(path, direct=direct, indirect=indirect, replaced=replaced),
        **({"vendor/modules.txt": "\n".join(listed) + "\n"} if listed else {}),
    }


def go_mod(
    path: str,
    *,
    direct: tuple[Module, ...] = (),
    indirect: tuple[Module, ...] = (),
    replaced: dict[str, Module] | None = None,
) -> str:
    """The text of a go.mod."""
    text = f"module {path}\n\ngo {GO}\n"
    for modules, mark in ((direct, ""), (indirect, " // indirect")):
        if modules:
            lines = [f"\t{it.path} {it.version}{mark}\n" for it in sorted(modules)]
            text += f"\nrequire (\n{''.join(lines)})\n"
    for name, module in (replaced or {}).items():
        text += f"\nreplace {name} => {module.path} {module.version}\n"
    return text
