# SPDX-License-Identifier: Apache-2.0
"""Edits of a ``go.mod`` as text, so that comments and order stay as somebody wrote them."""

from __future__ import annotations

from okd_payload.catalog.go_modules.go_mod import GoMod, ModuleVersion, read_go_mod
from okd_payload.catalog.go_modules.versions import is_older


def replace_module(
    content: bytes, module: ModuleVersion, new: ModuleVersion
) -> tuple[bytes, ModuleVersion]:
    """``content`` with ``module`` replaced by ``new``, and the left side of that replacement.

    A replacement that counts for ``module`` already is turned to ``new``; else one for every
    version is added at the end. Raises InvalidDocument.
    """
    known = read_go_mod(content, path="go.mod").replacement(module)
    lines = content.decode().split("\n")
    if known is None:
        old = ModuleVersion(module.path)
        text = "\n".join(lines).rstrip("\n")
        return f"{text}\n\nreplace {old} => {new}\n".encode(), old
    written = lines[known.line - 1]
    indent = written[: len(written) - len(written.lstrip())]
    verb = "replace " if written.split()[0] == "replace" else ""
    lines[known.line - 1] = f"{indent}{verb}{known.old} => {new}"
    return "\n".join(lines).encode(), known.old


def require_modules(content: bytes, wanted: GoMod) -> bytes:
    """``content`` with what ``wanted`` requires, at least at the versions that it requires.

    What is not there yet is added as indirect, because only ``wanted`` imports it. Raises
    InvalidDocument.
    """
    go_mod = read_go_mod(content, path="go.mod")
    lines = content.decode().split("\n")
    added = []
    for requirement in wanted.requires:
        module = requirement.module
        has = go_mod.requirement(module.path)
        if has is not None and is_older(has.module.version, module.version):
            line = lines[has.line - 1]
            lines[has.line - 1] = line.replace(has.module.version, module.version, 1)
        elif has is None and module.path != go_mod.module:
            added.append(f"\t{module} // indirect\n")
    text = "\n".join(lines).rstrip("\n") + "\n"
    block = f"\nrequire (\n{''.join(added)})\n" if added else ""
    return (text + block).encode()
