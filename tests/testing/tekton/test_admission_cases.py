# SPDX-License-Identifier: Apache-2.0
"""Tekton's rules against what a real API server and Tekton's webhooks said of 180 manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.tekton.admission import Refusal, admit, check_variables

_CASES = Path(__file__).resolve().parents[4] / "shared" / "data" / "tekton-admission" / "cases"
_BY_THE_SERVER = {
    *("already-exists", "field-unknown-metadata", "kind-unknown"),
    *("namespace-absent", "namespace-mismatch", "resource-unknown", "version-mismatch"),
    "version-unknown",
}
"""What the API server decides before Tekton is asked: tested where the server is."""

_CONVERTED = {"v1beta1-pipelinerun", "v1beta1-taskref-bundle", "v1beta1-taskrun"}
"""Old versions are converted by the server before and after: tested where the server is."""


def _case_names() -> list[str]:
    names = {path.stem for path in _CASES.glob("*.json") if not path.stem.startswith("sw-")}
    return sorted(names - _BY_THE_SERVER - _CONVERTED)


def _accepted_names() -> list[str]:
    return [it for it in _case_names() if _read_answer(it)["verdict"] == "accepted"]


def _read_case(name: str) -> tuple[bytes, dict[str, Any]]:
    text = (_CASES / f"{name}.yaml").read_text().replace("@BIG300K@", "x" * 300 * 1024)
    return msgspec.json.encode(yaml.safe_load(text)), _read_answer(name)


def _read_answer(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode((_CASES / f"{name}.json").read_bytes())
    return answer


@pytest.mark.parametrize("name", _case_names())
def test_the_verdict_is_that_of_a_real_cluster(name):
    """Refusals have the same code and the same text; what is accepted has the same defaults."""
    content, expected = _read_case(name)
    admitted = admit(content)
    if expected["verdict"] == "rejected":
        assert isinstance(admitted, Refusal)
        assert (admitted.http, admitted.message) == (expected["http"], expected["message"])
        if isinstance(expected["status"], dict):
            assert admitted.reason == expected["status"]["reason"]
        return
    assert not isinstance(admitted, Refusal), admitted.message
    document, recorded = msgspec.json.decode(admitted), expected["object"]
    assert document["spec"] == recorded["spec"]
    assert document["metadata"].get("labels") == recorded["metadata"].get("labels")


def test_all_recorded_cases_are_looked_at():
    """No case of Tekton's own is left out without a reason."""
    if not _CASES.is_dir():
        pytest.skip("the recordings of a real cluster are not here")
    assert len(_case_names()) >= 181


@pytest.mark.parametrize("name", _accepted_names())
def test_what_was_admitted_is_admitted_again_unchanged(name):
    """Reading an object and writing it back changes nothing."""
    content, _ = _read_case(name)
    once = admit(content)
    assert isinstance(once, bytes)
    assert admit(once) == once


_ODD: tuple[Any, ...] = (
    *(None, 5, True, 1.5, "", "9x", "$(", "$(params.x)", "$(tasks.a.results.r)"),
    *("$(params.x[*])", [], {}, ["a"], {"a": "b"}, [1], {"a": [1]}),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = list(value.items()) if isinstance(value, dict) else []
    items += list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(place for key, it in items for place in _places(it, (*path, key)))]


@given(st.randoms(use_true_random=False))
def test_whatever_stands_in_an_object_it_is_accepted_or_refused(random):
    """Odd values in any place break nothing, and what is accepted is complete at once."""
    names = _case_names()
    if not names:
        pytest.skip("the recordings of a real cluster are not here")
    document = msgspec.json.decode(_read_case(random.choice(names))[0])
    places = [it for it in _places(document) if it[:1] == ("spec",)]
    if places:
        *outer, last = random.choice(places)
        target = document
        for key in outer:
            target = target[key]
        target[last] = random.choice(_ODD)
    admitted = admit(msgspec.json.encode(document))
    if not isinstance(admitted, Refusal):
        assert admit(admitted) == admitted
        assert isinstance(check_variables(admitted), tuple)
