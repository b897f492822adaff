# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in a manifest, lint gets to its end and gives issues."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.issues import Issue
from okd_payload.release import labels
from okd_payload.release.lint.check import lint_release
from okd_payload.release.load import ReleaseContent

_SOUND = yaml.safe_load((Path(__file__).with_name("broken") / "sound.yaml").read_text())
_INCLUDE = 'include.release.openshift.io/self-managed-high-availability: "true"'
_FILLED = {
    name: text.replace("$INCLUDE", _INCLUDE).replace("$DIGEST", "sha256:" + "a" * 64)
    for name, text in _SOUND.items()
}
_OBJECTS = {
    name: yaml.safe_load(text) for name, text in _FILLED.items() if name != labels.RELEASE_METADATA
}
_WORDS = sorted(
    {
        word
        for text in _FILLED.values()
        for word in text.replace(":", " ").replace(",", " ").replace("{", " ").split()
        if len(word) < 30
    }
)
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.just(1.5), st.sampled_from(_WORDS)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3),
    ),
    max_leaves=6,
)


def _places(value, path=()):
    """Every place in ``value``, by the keys that lead there."""
    yield path
    if isinstance(value, dict | list):
        for key, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(member, (*path, key))


_PLACES = [(name, path) for name, value in _OBJECTS.items() for path in _places(value) if path]


@given(st.lists(st.tuples(st.sampled_from(_PLACES), _VALUES), min_size=1, max_size=3))
def test_any_value_anywhere(changes):
    """With any values in any places of a sound payload lint gives issues, and no error."""
    objects = copy.deepcopy(_OBJECTS)
    for (name, path), value in changes:
        target = objects[name]
        try:
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    files = {name: json.dumps(value).encode() for name, value in objects.items()}
    files[labels.RELEASE_METADATA] = _FILLED[labels.RELEASE_METADATA].encode()
    issues = lint_release(ReleaseContent(origin="any", files=files))
    assert all(isinstance(issue, Issue) for issue in issues)


@given(st.dictionaries(st.sampled_from(sorted(_FILLED)), st.binary(max_size=60), max_size=4))
def test_any_bytes(files):
    """Files of any bytes give issues too."""
    content = {name: text.encode() for name, text in _FILLED.items()} | files
    issues = lint_release(ReleaseContent(origin="any", files=content))
    assert all(isinstance(issue, Issue) for issue in issues)
