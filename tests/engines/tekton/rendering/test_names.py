# SPDX-License-Identifier: Apache-2.0
"""Names of images as names of tasks."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.engines.tekton.rendering.names import RESERVED, name_tasks

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_NAMES = st.sets(
    st.text(max_size=80)
    | st.from_regex(r"[a-zA-Z0-9_./-]{1,80}", fullmatch=True)
    | st.sampled_from(sorted(RESERVED)),
    max_size=30,
)


@given(_NAMES)
def test_every_name_becomes_a_label_of_its_own(names: set[str]) -> None:
    """At most 63 characters, no two equal, and none that means something else."""
    tasks = name_tasks(names)
    assert len(set(tasks.values())) == len(names)
    for task in tasks.values():
        assert _LABEL.fullmatch(task)
        assert len(task) <= 63
        assert task not in RESERVED


@given(_NAMES, _NAMES)
def test_a_name_does_not_depend_on_the_others(some: set[str], more: set[str]) -> None:
    """So a component that is added renames no other."""
    both = name_tasks(some | more)
    assert all(both[name] == task for name, task in name_tasks(some).items())


def test_a_made_up_name_is_never_a_real_one() -> None:
    """Whoever calls a component like the mark of another gets a mark, too."""
    marked = name_tasks(["Etcd"])["Etcd"]
    assert name_tasks(["etcd", "Etcd", marked]).keys() == {"etcd", "Etcd", marked}
    assert len({*name_tasks(["etcd", "Etcd", marked]).values()}) == 3


def test_ordinary_names_stay() -> None:
    """People find their components."""
    names = ["etcd", "ovn-kubernetes-rhel-9", "builder-go1-el9", "3scale"]
    assert name_tasks(names) == {name: name for name in names}
