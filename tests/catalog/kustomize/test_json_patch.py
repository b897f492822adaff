# SPDX-License-Identifier: Apache-2.0
"""JSON patches: what each operation does, and when it refuses to."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.kustomize.json_patch import Operation, PatchFailed, apply_operations

_VALUE = {"list": [1, 2, 3], "map": {"a/b": 1, "c~d": 2, "": 3}}


def _apply(value: Any, *operations: dict[str, Any]) -> Any:
    return apply_operations(value, msgspec.convert(operations, tuple[Operation, ...]))


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/list/-", "value": 9}, [1, 2, 3, 9]),
        ({"op": "add", "path": "/list/0", "value": 9}, [9, 1, 2, 3]),
        ({"op": "add", "path": "/list/3", "value": 9}, [1, 2, 3, 9]),
        ({"op": "add", "path": "/list/-1", "value": 9}, [1, 2, 3, 9]),
        ({"op": "add", "path": "/list/-", "value": [9]}, [1, 2, 3, [9]]),
        ({"op": "remove", "path": "/list/1"}, [1, 3]),
        ({"op": "remove", "path": "/list/-1"}, [1, 2]),
        ({"op": "replace", "path": "/list/1", "value": None}, [1, None, 3]),
        ({"op": "move", "from": "/list/0", "path": "/list/2"}, [2, 3, 1]),
        ({"op": "copy", "from": "/list/0", "path": "/list/-"}, [1, 2, 3, 1]),
        ({"op": "test", "path": "/list", "value": [1, 2, 3]}, [1, 2, 3]),
        ({"op": "test", "path": "/absent", "value": None}, [1, 2, 3]),
    ],
)
def test_operations_on_lists(operation: dict[str, Any], expected: list[Any]) -> None:
    """Each operation of RFC 6902 does to a list what the RFC says, negative indices besides."""
    assert _apply(_VALUE, operation)["list"] == expected


@pytest.mark.parametrize(
    ("path", "member"), [("/map/a~1b", "a/b"), ("/map/c~0d", "c~d"), ("/map/", ""), ("/map/n", "n")]
)
def test_names_of_members(path: str, member: str) -> None:
    """Slashes and tildes are escaped, an empty name is a name, and replace makes a member."""
    assert _apply(_VALUE, {"op": "replace", "path": path, "value": 9})["map"][member] == 9


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        ({"op": "add", "path": "/list/4", "value": 9}, "index 4 is outside the list"),
        ({"op": "add", "path": "/list/x", "value": 9}, "'x' is no index"),
        ({"op": "add", "path": "/absent/x", "value": 9}, "there is no absent"),
        ({"op": "add", "path": "/list/0/x", "value": 9}, "neither a mapping nor a list"),
        ({"op": "remove", "path": "/map/absent"}, "there is no absent"),
        ({"op": "remove", "path": "/list/-"}, "outside the list"),
        ({"op": "replace", "path": "/list/3", "value": 9}, "outside the list"),
        ({"op": "move", "from": "/map", "path": "/map/x"}, "cannot move into itself"),
        ({"op": "move", "from": "/absent", "path": "/map/x"}, "there is no absent"),
        ({"op": "copy", "from": "/absent", "path": "/map/x"}, "there is no absent"),
        ({"op": "test", "path": "/list/0", "value": True}, "another one"),
        ({"op": "test", "path": "/map", "value": {}}, "another one"),
    ],
)
def test_operations_that_do_not_apply(operation: dict[str, Any], reason: str) -> None:
    """What cannot be done is told with operation, path and reason."""
    with pytest.raises(PatchFailed, match=reason) as caught:
        _apply(_VALUE, operation)
    assert str(caught.value).startswith(f"{operation['op']} {operation['path']}: ")


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "frob", "path": "/a"},
        {"op": "add", "path": "/a"},
        {"op": "add", "path": "a", "value": 1},
        {"op": "add", "path": "", "value": 1},
        {"op": "move", "path": "/a"},
    ],
)
def test_operations_that_are_none(operation: dict[str, Any]) -> None:
    """An unknown operation, a missing member and a bad pointer are refused."""
    with pytest.raises(msgspec.ValidationError):
        _apply(_VALUE, operation)


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), _PLAIN), st.text(max_size=3), _PLAIN)
def test_what_was_added_is_found_and_nothing_else_changed(
    value: dict[str, Any], name: str, item: Any
) -> None:
    """After adding a member a test finds it, removing it undoes that, the original stays."""
    before = copy.deepcopy(value)
    path = "/" + name.replace("~", "~0").replace("/", "~1")
    added = _apply(value, {"op": "add", "path": path, "value": item})
    _apply(added, {"op": "test", "path": path, "value": item})
    removed = _apply(added, {"op": "remove", "path": path})
    assert removed == {key: each for key, each in before.items() if key != name}
    assert value == before
