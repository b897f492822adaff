# SPDX-License-Identifier: Apache-2.0
"""Results of a step as small files, where whoever runs the pod collects them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from okd_payload.oci.layout.files import storage_errors

Function = TypeVar("Function", bound=Callable[..., Any])
_PREFIX = "result_"


def result_options(told: Mapping[str, str]) -> Callable[[Function], Function]:
    """An option ``--result-NAME FILE`` for each result in ``told``, which says what it is."""

    def decorate(function: Function) -> Function:
        for name, meaning in reversed(list(told.items())):
            option = click.option(
                f"--result-{name}",
                _PREFIX + name.replace("-", "_"),
                type=click.Path(dir_okay=False, path_type=Path),
                metavar="FILE",
                help=f"Write there: {meaning[0].lower()}{meaning[1:]}",
            )
            function = option(function)
        return function

    return decorate


def take_results(options: dict[str, Any]) -> dict[str, Path]:
    """Take the files of ``result_options`` out of ``options``: those that were asked for."""
    names = [name for name in options if name.startswith(_PREFIX)]
    files = {name.removeprefix(_PREFIX).replace("_", "-"): options.pop(name) for name in names}
    return {name: path for name, path in files.items() if path is not None}


def write_result(files: Mapping[str, Path], name: str, value: str) -> None:
    """Write the result ``name`` where it was asked for. Raises StorageError."""
    if name in files:
        with storage_errors("write the result to", files[name]):
            files[name].write_text(value, encoding="utf-8")
