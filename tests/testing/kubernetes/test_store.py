# SPDX-License-Identifier: Apache-2.0
"""Objects, revisions and history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster import Change
from okd_payload.testing.kubernetes.store import Compacted, Key, Store


def _key(name, namespace="builds"):
    return Key("things", namespace, name)


def _names(found):
    return [stored.key.name for stored in found]


def test_every_change_has_a_revision_of_its_own():
    """What is stored carries the counter, and the history tells the changes in order."""
    store = Store()
    start = store.revision
    first = store.put(_key("a"), {"spec": 1})
    second = store.put(_key("a"), {"spec": 2})
    gone = store.remove(_key("a"))
    assert [each.revision for each in (first, second, gone)] == [start + 1, start + 2, start + 3]
    assert second.document["metadata"]["resourceVersion"] == str(start + 2)
    told = [(record.change, record.stored.document["spec"]) for record in store.since(start)]
    assert told == [(Change.ADDED, 1), (Change.MODIFIED, 2), (Change.DELETED, 2)]


def test_the_past_is_seen_until_it_is_forgotten():
    """A revision shows what was there then; after compaction nobody sees it."""
    store = Store()
    store.put(_key("a"), {})
    store.put(_key("b"), {})
    then = store.revision
    store.remove(_key("a"))
    store.put(_key("c"), {})
    assert _names(store.as_of(then, "things")) == ["a", "b"]
    assert _names(store.select("things")) == ["b", "c"]
    store.compact()
    with pytest.raises(Compacted):
        store.as_of(then, "things")
    assert store.since(store.revision) == []
    assert store.since(store.revision + 5) == []


def test_objects_are_chosen_by_namespace_and_in_order():
    """Namespace first, then name."""
    store = Store()
    for namespace, name in (("b", "x"), ("a", "z"), ("a", "y")):
        store.put(_key(name, namespace), {})
    assert _names(store.select("things")) == ["y", "z", "x"]
    assert _names(store.select("things", "a")) == ["y", "z"]
    assert (store.count("things"), store.count("things", "b")) == (3, 1)


def test_listeners_hear_until_they_are_done():
    """What is returned by ``listen`` ends it."""
    store = Store()
    heard = []
    stop = store.listen(lambda record: heard.append(record.stored.key.name))
    store.put(_key("a"), {})
    stop()
    store.put(_key("b"), {})
    assert heard == ["a"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30))
def test_any_past_is_what_was_selected_then(steps):
    """However objects come and go, ``as_of`` gives what ``select`` gave."""
    store = Store()
    seen = {store.revision: []}
    for name, wanted in steps:
        key = _key(name)
        if wanted:
            store.put(key, {"n": len(seen)})
        elif store.find(key):
            store.remove(key)
        seen[store.revision] = store.select("things")
    for revision, found in seen.items():
        assert store.as_of(revision, "things") == found
