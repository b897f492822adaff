# SPDX-License-Identifier: Apache-2.0
"""What a listener is told comes to what the server has, by any way."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.cluster import Change
from okd_payload.cluster.objects import identify
from okd_payload.cluster.watch_memory import WatchMemory


def thing(name, uid="u", version="1"):
    """An object in one state."""
    metadata = {"name": name, "uid": uid, "resourceVersion": version}
    return json.dumps({"metadata": metadata}).encode()


def told(events):
    """Events as short words."""
    return [f"{event.change.value} {identify(event.content).name}" for event in events]


def test_a_first_list():
    """What is there is told as added, once."""
    memory = WatchMemory()
    assert told(memory.relist([thing("a"), thing("b")])) == ["ADDED a", "ADDED b"]
    assert memory.relist([thing("a"), thing("b")]) == []


def test_what_changed_while_nobody_listened():
    """A new list tells ends first, then what is other or new."""
    memory = WatchMemory()
    memory.relist([thing("a"), thing("b"), thing("c")])
    events = memory.relist([thing("b", version="2"), thing("c"), thing("d")])
    assert told(events) == ["DELETED a", "MODIFIED b", "ADDED d"]
    assert events[0].content == thing("a")


def test_an_object_that_was_made_anew():
    """Another object under the same name is an end and a beginning."""
    memory = WatchMemory()
    memory.relist([thing("a", uid="1")])
    events = memory.relist([thing("a", uid="2", version="5")])
    assert told(events) == ["DELETED a", "ADDED a"]
    assert identify(events[0].content).uid == "1"


def test_what_the_listener_knew_before():
    """Objects known from elsewhere have an end, and each state of them is told."""
    memory = WatchMemory()
    memory.expect([thing("a"), thing("b")])
    assert told(memory.relist([thing("b")])) == ["DELETED a", "MODIFIED b"]


STATES = st.dictionaries(
    st.sampled_from("abcd"), st.tuples(st.sampled_from("12"), st.sampled_from("123")), max_size=4
)


@given(st.lists(STATES, max_size=8))
def test_any_states_in_a_row(states):
    """After each list the listener knows exactly what is there, and each event fits the last."""
    memory = WatchMemory()
    known = {}
    for state in states:
        present = [thing(name, uid, version) for name, (uid, version) in state.items()]
        for event in memory.relist(present):
            name = identify(event.content).name
            if event.change is Change.DELETED:
                assert known.pop(name) == event.content
            else:
                assert (event.change is Change.MODIFIED) == (name in known)
                known[name] = event.content
        assert sorted(known.values()) == sorted(present)
