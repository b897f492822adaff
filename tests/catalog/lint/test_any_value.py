# SPDX-License-Identifier: Apache-2.0
"""Whatever stands in the files of a catalog, checking it ends with issues and not with a crash."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.lint.check import lint_catalog
from okd_payload.catalog.lint.reading import read_subject

_SOUND = yaml.safe_load((Path(__file__).with_name("broken") / "sound.yaml").read_text())
_SOUND["pipelines/trigger.yaml"] = """\
apiVersion: triggers.tekton.dev/v1beta1
kind: TriggerTemplate
metadata: {name: daily}
spec:
  resourcetemplates:
    - apiVersion: tekton.dev/v1
      kind: PipelineRun
      metadata: {generateName: daily-}
      spec: {pipelineRef: {name: all}, timeout: 3h}
---
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: more}
spec:
  tasks:
    - name: tell
      taskSpec: {params: [{name: text}], steps: [{script: oc start-build $(params.text) -w}]}
      params: [{name: text, value: base}]
"""
_DOCUMENTS = [
    (name, number, document)
    for name, text in _SOUND.items()
    for number, document in enumerate(yaml.safe_load_all(text))
]
_SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "a:b", "$("])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["name", "kind", "value", "params"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def _places(value, place=()):
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items if isinstance(value, dict | list) else ():
        yield from _places(item, (*place, key))


def _with_value(value, place, new):
    if not place:
        return new
    changed = copy.copy(value)
    changed[place[0]] = _with_value(value[place[0]], place[1:], new)
    return changed


_EVERYWHERE = [
    (name, number, place) for name, number, document in _DOCUMENTS for place in _places(document)
]


def _lint(name, number, place, new):
    with tempfile.TemporaryDirectory() as folder:
        for other, text in _SOUND.items():
            path = Path(folder, other)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        documents = list(yaml.safe_load_all(_SOUND[name]))
        documents[number] = _with_value(documents[number], place, new)
        Path(folder, name).write_text(yaml.safe_dump_all(documents))
        return lint_catalog(read_subject([Path(folder)]))


@given(place=st.sampled_from(_EVERYWHERE), value=_VALUES)
def test_any_value_anywhere(place, value):
    """One value of a catalog is something else; all that comes of it are issues."""
    for issue in _lint(*place, value):
        assert issue.code
        assert issue.message
