# SPDX-License-Identifier: Apache-2.0
"""The tree of errors, as it is told and as it is."""

from __future__ import annotations

import re

from okd_payload import errors
from okd_payload.errors import OkdPayloadError

_BRANCH = re.compile(r"^(?P<indent>[│ ]*)[├└]── (?P<name>\w+)", re.MULTILINE)


def test_the_tree_that_is_told_is_the_tree_that_there_is() -> None:
    """Every error stands in the head of the module, below the one that it is a kind of."""
    above = [OkdPayloadError.__name__]
    told = {}
    for line in _BRANCH.finditer(errors.__doc__ or ""):
        depth = len(line["indent"]) // len("│   ")
        above[depth:] = [line["name"]]
        told[line["name"]] = above[depth - 1]
    classes = (each for each in vars(errors).values() if isinstance(each, type))
    defined = [each for each in classes if issubclass(each, OkdPayloadError)]
    assert told == {
        each.__name__: each.__base__.__name__ for each in defined if each is not OkdPayloadError
    }
