# SPDX-License-Identifier: Apache-2.0
"""Rendered YAML means the same to every reader, and is the same bytes again."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.engines.manifests import Manifest, Metadata, write_documents

_TEXTS = st.text(max_size=40) | st.sampled_from(
    ["y", "No", "on", "1e3", "0o7", "1:30", "2025-01-01", "~", "null", "<<", "=", "", " a", "a: b"]
)
_PLAIN_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=20,
)


class Config(Manifest, frozen=True, kw_only=True):
    """Any object at all."""

    data: Any = None


def config(data: Any, name: str = "one") -> Config:
    """An object that holds ``data``."""
    return Config(
        api_version="v1",
        kind="ConfigMap",
        metadata=Metadata(name=name, labels={"b": "2", "a": "1"}),
        data=data,
    )


@given(_PLAIN_VALUES)
def test_what_is_written_is_read_back_exactly(data: Any) -> None:
    """A YAML 1.1 reader gives back every value of every type, whatever is in it."""
    text = write_documents([config(data)])
    read = yaml.safe_load(text)
    assert read["metadata"] == {"name": "one", "labels": {"a": "1", "b": "2"}}
    assert read.get("data") == data


@pytest.mark.parametrize(
    "word", ["yes", "Off", "true", "0x1F", "1_000", "12:30:45", ".inf", "2025-01-01", "!x", "&a"]
)
def test_what_a_reader_may_take_for_something_else_is_quoted(word: str) -> None:
    """YAML 1.1 and 1.2 disagree on these words; in quotes they are text to both."""
    assert f'data: "{word}"\n' in write_documents([config(word)])


def test_scripts_are_blocks_and_variables_stand_plain() -> None:
    """People read scripts as they are written, and see Tekton's variables without noise."""
    text = write_documents(
        [config({"script": "#!/bin/sh\n\techo a\n\nexit 0\n", "x": "$(p.a[*])"})]
    )
    assert "  script: |\n    #!/bin/sh\n    \techo a\n\n    exit 0\n" in text
    assert "  x: $(p.a[*])\n" in text


def test_documents_follow_each_other_in_their_order() -> None:
    """Names in mappings are sorted, fields keep the order of their struct."""
    text = write_documents(
        [config({"b": 1, "a": []}, "x"), config({}, "y")], comment=["made by", ""]
    )
    assert text.startswith("# made by\n#\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n")
    assert "data:\n  a: []\n  b: 1\n---\napiVersion" in text
    assert len(list(yaml.safe_load_all(text))) == 2
