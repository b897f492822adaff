# SPDX-License-Identifier: Apache-2.0
"""The name of a release, out of a pattern of the stream file.

The name is the version that clusters see and the tag of the release image, so it has to be a
semantic version and a tag. It is derived from the inputs, never from the clock: equal inputs
give an equal name. Fields of a pattern:

    {stream}                    the name of the stream
    {version}                   ``release.version`` of the stream file
    {time:%Y-%m-%d-%H%M%S}      when the newest input was committed (UTC); the format is optional
    {inputs}                    the first ten digits of the hash over all inputs
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import semver

from okd_payload.errors import InputError
from okd_payload.oci.reference import is_tag

TIME_FORMAT = "%Y-%m-%d-%H%M%S"
DEFAULT_PATTERN = "{version}-0.{stream}-{time}-{inputs}"
_INPUTS_LENGTH = 10
_FIELD = re.compile(r"\{(?P<name>[^{}:]*)(?::(?P<format>[^{}]*))?\}")


def release_name(pattern: str, *, stream: str, version: str, time: int, inputs: str) -> str:
    """The name that ``pattern`` gives; ``inputs`` is a hexadecimal hash. Raises InputError."""
    moment = datetime.fromtimestamp(time, UTC)
    values = {"stream": stream, "version": version, "inputs": inputs[:_INPUTS_LENGTH]}

    def value_of(field: re.Match[str]) -> str:
        if field["name"] == "time":
            return moment.strftime(field["format"] or TIME_FORMAT)
        if field["name"] not in values or field["format"] is not None:
            raise _invalid(pattern, f"there is no field {field[0]}", "the fields are {stream}, ")
        return values[field["name"]]

    name = _FIELD.sub(value_of, pattern)
    if not semver.Version.is_valid(name) or not is_tag(name):
        raise _invalid(pattern, f"{name!r} is not a semantic version that can be a tag", "")
    return name


def check_pattern(pattern: str, *, stream: str, version: str) -> None:
    """Raise InputError unless ``pattern`` gives good names for all times and inputs.

    Numbers of a semantic version may not begin with 0, so zeros are what to try.
    """
    release_name(pattern, stream=stream, version=version, time=0, inputs="0" * _INPUTS_LENGTH)


def _invalid(pattern: str, problem: str, hint: str) -> InputError:
    fields = "{version}, {time:%Y-%m-%d} and {inputs}"
    advice = hint + fields if hint else f"a pattern that works: {DEFAULT_PATTERN}"
    return InputError(f"release name pattern {pattern!r}: {problem}", hint=advice)
