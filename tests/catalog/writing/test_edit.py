# SPDX-License-Identifier: Apache-2.0
"""Edits of files that people write: what is changed, and that nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.writing.edit import Edit, differences, edit_yaml
from okd_payload.catalog.writing.yaml_text import write_yaml
from okd_payload.documents import parse_documents
from okd_payload.errors import InvalidDocument

FILE = """\
# The head of the file.
name:   demo      # ours
git:              # all of them
    branch: release-4.15   # the newest
    # etcd has its own
    exceptions: {etcd: openshift-4.15, b: ~}

# Two rules.
list:
- x   # one
- y

# What is made on the way.
text: |
  a

  b

# The end of it.
version: "4.20"
"""
GIT = FILE[FILE.index("git:") : FILE.index("\n# Two")]


def edited(*edits: Edit, text: str = FILE) -> str:
    """``text`` after ``edits``."""
    return edit_yaml(text, edits, path="stream.yaml")


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Edit(("name",), "x"), "name:   demo      # ours\n", "name: x      # ours\n"),
        (Edit(("name",), "4.20"), "name:   demo  ", "name: '4.20'  "),
        (Edit(("name",), ["a"]), "name:   demo      # ours\n", "name:      # ours\n  - a\n"),
        (Edit(("git", "branch"), "main"), "branch: release-4.15   #", "branch: main   #"),
        (Edit(("git", "exceptions", "etcd"), "main"), "{etcd: openshift-4.15,", "{etcd: main,"),
        (Edit(("git", "exceptions", "b")), ", b: ~}", "}"),
        (
            Edit(("git", "more", "deep"), 1),
            "b: ~}\n",
            "b: ~}\n    more:\n      deep: 1\n",
        ),
        (Edit(("git",), "x"), GIT, "git: x              # all of them\n"),
        (Edit(("list",), ["z"]), "list:\n- x   # one\n- y\n", "list:\n  - z\n"),
        (Edit(("list",), []), "list:\n- x   # one\n- y\n", "list: []\n"),
        (Edit(("list",)), "list:\n- x   # one\n- y\n", ""),
        (Edit(("text",), "c\nd\n"), "text: |\n  a\n\n  b\n", "text: |\n  c\n  d\n"),
        (Edit(("text",), "short"), "text: |\n  a\n\n  b\n", "text: short\n"),
        (Edit(("version",), "a\nb\n"), 'version: "4.20"\n', "version: |\n  a\n  b\n"),
        (Edit(("new",), {"a": [1]}), 'version: "4.20"\n', 'version: "4.20"\nnew:\n  a:\n    - 1\n'),
        (Edit(("version", "major"), 4), 'version: "4.20"\n', "version:\n  major: 4\n"),
        (Edit(("nothing", "there")), "", ""),
        (Edit(("name", "there")), "", ""),
    ],
)  # fmt: skip
def test_only_what_is_meant_is_changed(edit: Edit, old: str, new: str) -> None:
    """Comments, blanks and quotes around a change stay as they are."""
    assert edited(edit) == FILE.replace(old, new, 1)


def test_what_becomes_empty_goes() -> None:
    """The last field of a mapping takes the mapping with it; of the file, braces stay."""
    text = "# head\na:\n  b:\n    c: 1\n# end\n"
    assert edited(Edit(("a", "b", "c")), text=text + "d: 1\n") == "# head\n# end\nd: 1\n"
    assert edited(Edit(("a", "b", "c")), text=text) == "# head\n{}\n# end\n"
    assert edited(Edit(("a",), 1), text="# head\n{}\n") == "# head\na: 1\n"
    assert edited(Edit(("a",), 1), text="# head\n") == "# head\na: 1\n"
    assert edited(Edit(("a",), 1), text="") == "a: 1\n"


def test_several_edits_are_made_in_order() -> None:
    """Later ones see what earlier ones did."""
    made = edited(Edit(("a", "b"), 1), Edit(("a", "c"), 2), Edit(("a", "b")), text="x: 1\n")
    assert made == "x: 1\na:\n  c: 2\n"


@pytest.mark.parametrize("text", ["- a\n", "a: 1\n---\nb: 2\n", "a: &x {b: 1}\nc: *x\n"])
def test_what_cannot_be_edited_is_refused(text: str) -> None:
    """Lists, several documents, and anchors: better no change than a wrong one."""
    with pytest.raises(InvalidDocument):
        edited(Edit(("a", "b"), 2), Edit(("a", "b", "c"), 2), Edit(("a",)), text=text)


KEYS = st.sampled_from(["a", "b-c", "D", "4.2", "on", "x y"])
LEAVES = st.text(max_size=6) | st.integers() | st.booleans() | st.none()
LEAVES |= st.lists(st.text(max_size=3), max_size=2)
VALUES = st.recursive(LEAVES, lambda below: st.dictionaries(KEYS, below, max_size=3), max_leaves=8)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(old=MAPPINGS, new=MAPPINGS)
def test_differences_make_the_new_value(old: dict, new: dict) -> None:
    """Whatever the values are, the edits between them give the new one when read."""
    edits = differences(old, new)
    text = edit_yaml(write_yaml(old), edits, path="x")
    documents = parse_documents(text.encode(), path="x")
    assert (documents[0].value if documents else {}) == new


@given(old=MAPPINGS, new=MAPPINGS)
def test_comments_survive(old: dict, new: dict) -> None:
    """Comment lines between the fields of the file are all there afterwards."""
    parts = [
        write_yaml({key: value}) + f"# behind {n}\n" for n, (key, value) in enumerate(old.items())
    ]
    text = edit_yaml("".join(parts), differences(old, new), path="x")
    assert [line for line in text.split("\n") if line.startswith("# behind")] == [
        f"# behind {n}" for n in range(len(old))
    ]
