# SPDX-License-Identifier: Apache-2.0
"""Tekton's rules beyond the recorded cases: the same kinds of mistakes in other places."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.testing.tekton.admission import Refusal, admit
from okd_payload.testing.tekton.admission.refusals import Undecodable
from okd_payload.testing.tekton.admission.values import (
    SECOND,
    canonical_quantity,
    duration_text,
    nanoseconds,
)

_DNS = (
    "Task step name must be a valid DNS Label, For more info refer to "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names"
)
_STEP = {"name": "s", "image": "quay.test/tool:1", "script": "true"}


def _admit(kind: str, spec: dict[str, Any], **metadata: Any) -> bytes | Refusal:
    version = "v1beta1" if kind == "StepAction" else "v1"
    document = {
        "apiVersion": f"tekton.dev/{version}",
        "kind": kind,
        "metadata": {"name": "x", **metadata},
        "spec": spec,
    }
    return admit(msgspec.json.encode(document))


def _message(admitted: bytes | Refusal) -> str:
    assert isinstance(admitted, Refusal), "it was accepted"
    return (
        admitted.message.partition("validation failed: ")[2]
        or admitted.message.partition("cannot decode incoming new object: ")[2]
    )


def _spec(admitted: bytes | Refusal) -> dict[str, Any]:
    assert not isinstance(admitted, Refusal), admitted.message
    spec: dict[str, Any] = msgspec.json.decode(admitted)["spec"]
    return spec


def _pipeline(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "pipelineSpec": {"tasks": [{"taskSpec": {"steps": [_STEP]}} | it for it in tasks], **more}
    }


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"script": 5}, "cannot unmarshal number into Go struct field Step.spec.taskSpec.steps"),
        ({"command": "x"}, "Step.spec.taskSpec.steps.command of type []string"),
        ({"env": [{"name": "A", "nosuch": 1}]}, 'json: unknown field "nosuch"'),
        ({"securityContext": {"privilged": True}}, 'json: unknown field "privilged"'),
        ({"timeout": "90"}, 'time: missing unit in duration "90"'),
        ({"computeResources": {"requests": {"cpu": "1Q"}}}, "quantities must match"),
    ],
)
def test_what_cannot_be_read_is_refused_in_go_s_words(step, message):
    """Types, unknown fields, durations and quantities below an embedded specification."""
    assert message in _message(_admit("TaskRun", {"taskSpec": {"steps": [_STEP | step]}}))


def test_fields_of_embedded_specifications_fit_in_any_case():
    """Go reads ``Script`` as ``script`` where the schema lets it through."""
    steps = [{"name": "s", "Image": "quay.test/tool:1", "SCRIPT": "true"}]
    spec = _spec(_admit("TaskRun", {"taskSpec": {"steps": steps}}))
    assert spec["taskSpec"]["steps"][0] == _STEP | {"computeResources": {}}


def test_unknown_fields_of_a_task_are_dropped():
    """The schema of the kind knows a Task to its last field."""
    spec = _spec(_admit("Task", {"steps": [_STEP | {"resources": {"limits": {"cpu": 1}}}]}))
    assert "resources" not in spec["steps"][0]


def test_quantities_and_durations_are_written_anew():
    """What is stored is what Go writes, not what was sent."""
    resources = {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"cpu": 1.5}}
    step = _STEP | {"computeResources": resources, "timeout": "90s"}
    spec = _spec(_admit("TaskRun", {"taskSpec": {"steps": [step]}, "timeout": "3600s"}))
    assert spec["timeout"] == "1h0m0s"
    assert spec["taskSpec"]["steps"][0]["timeout"] == "1m30s"
    assert spec["taskSpec"]["steps"][0]["computeResources"] == {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "1500m"},
    }


@pytest.mark.parametrize(
    ("tasks", "more", "message"),
    [
        (
            [{"name": "a", "runAfter": ["b"]}, {"name": "b", "runAfter": ["a"]}],
            {},
            'invalid value: cycle detected; task "a" depends on "b": spec.pipelineSpec.tasks',
        ),
        (
            [{"name": "a", "runAfter": ["gone"]}],
            {},
            "couldn't add link between a and gone",
        ),
        (
            [{"name": "a", "when": [{"input": "x", "operator": "eq", "values": ["x"]}]}],
            {},
            'operator "eq" is not recognized. valid operators: in,notin',
        ),
        (
            [{"name": "a"}],
            {"finally": [{"name": "a", "taskSpec": {"steps": [_STEP]}}]},
            "expected exactly one, got both: spec.pipelineSpec.finally[0].name",
        ),
        (
            [{"name": "a"}],
            {"results": [{"name": "r", "value": "$(tasks.b.results.x)"}]},
            "referencing a nonexistent task: spec.pipelineSpec.results[0].value",
        ),
        (
            [{"name": "a"}],
            {"workspaces": [{"name": "w"}, {"name": "w"}]},
            'workspace with name "w" appears more than once',
        ),
        (
            [
                {
                    "name": "a",
                    "matrix": {"params": [{"name": "p", "value": [str(it) for it in range(257)]}]},
                }
            ],
            {},
            "expected 0 <= 257 <= 256: spec.pipelineSpec.tasks[0].matrix",
        ),
        (
            [{"name": "a", "taskSpec": None, "taskRef": {"kind": "Other", "name": "t"}}],
            {},
            "custom task ref must specify apiVersion: spec.pipelineSpec.tasks[0].taskRef",
        ),
    ],
)
def test_pipelines_must_make_sense(tasks, more, message):
    """Graphs, names, conditions, results, workspaces and matrices."""
    assert message in _message(_admit("PipelineRun", _pipeline(*tasks, **more)))


def test_all_mistakes_are_told_at_once_in_order():
    """One line per message, with all places; lines and places are sorted."""
    step = {"name": "Bad", "script": "true"}
    message = _message(_admit("TaskRun", {"taskSpec": {"steps": [step, step]}, "retries": -1}))
    assert message.splitlines() == [
        "expected exactly one, got both: spec.taskSpec.steps[1].name",
        'invalid value "Bad": spec.taskSpec.steps[0].name, spec.taskSpec.steps[1].name',
        _DNS,
        "invalid value: -1 should be >= 0: spec.retries",
        "missing field(s): spec.taskSpec.steps[0].Image, spec.taskSpec.steps[1].Image",
    ]


def test_a_pipeline_may_not_use_what_only_a_run_gives():
    """In a Pipeline object parameters and workspaces must be declared."""
    task = {
        "name": "a",
        "params": [{"name": "p", "value": "$(params.x)"}],
        "workspaces": [{"name": "w"}],
        "taskSpec": {"params": [{"name": "p"}], "workspaces": [{"name": "w"}], "steps": [_STEP]},
    }
    message = _message(_admit("Pipeline", {"tasks": [task]}))
    assert 'non-existent variable in "$(params.x)": spec.tasks[0].params[p]' in message
    assert 'expects workspace with name "w" but none exists in pipeline spec' in message


def test_objects_are_used_by_their_keys():
    """A key that is declared may be used, another one and the whole may not."""
    params = [{"name": "o", "type": "object", "properties": {"k": {}}}]
    step = _STEP | {"script": "echo $(params.o.k)"}
    _spec(_admit("Task", {"params": params, "steps": [step]}))
    for wrong in ("$(params.o.other)", "$(params.o)", "$(params.o[*])"):
        step = _STEP | {"script": f"echo {wrong}"}
        assert "spec.steps[0].script" in _message(
            _admit("Task", {"params": params, "steps": [step]})
        )


def test_lists_stand_alone_in_arguments():
    """A whole list is one entry of the arguments, or nothing."""
    params = [{"name": "a", "type": "array"}]
    step = {"name": "s", "image": "i", "command": ["x"], "args": ["$(params.a[*])"]}
    _spec(_admit("Task", {"params": params, "steps": [step]}))
    message = _message(
        _admit("Task", {"params": params, "steps": [step | {"args": ["-a=$(params.a[*])"]}]})
    )
    assert message == (
        'variable is not properly isolated in "-a=$(params.a[*])": spec.steps[0].args[0]'
    )


def test_a_step_that_refers_to_an_action_says_nothing_else():
    """Beside a reference there is no image and no script."""
    step = {"name": "s", "ref": {"name": "fetch"}, "image": "i", "script": "true"}
    message = _message(_admit("Task", {"steps": [step]}))
    assert "image cannot be used with Ref: spec.steps[0].image" in message
    assert "script cannot be used with Ref: spec.steps[0].script" in message


def test_a_step_action_is_one_step():
    """It needs an image, and its parameters have types."""
    spec = _spec(_admit("StepAction", {"image": "i", "params": [{"name": "p", "default": ["x"]}]}))
    assert spec["params"][0]["type"] == "array"
    assert _message(_admit("StepAction", {"script": "true"})) == "missing field(s): spec.Image"
    used = {"image": "i", "script": "echo $(params.x)"}
    assert "spec.script" in _message(_admit("StepAction", used))


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            {"script": "#!win powershell"},
            (
                'windows script support requires "enable-api-fields" feature gate to be "alpha" '
                'but it is "beta": '
            ),
        ),
        (
            {"script": "cat $(step.artifacts.path)"},
            (
                "feature flag enable-artifacts should be set to true to use artifacts feature.: "
                "spec.taskSpec.steps[0]"
            ),
        ),
        (
            {"envFrom": [{"prefix": "$(steps.a.results.r)"}]},
            (
                "stepResult substitutions are only allowed in env, command and args. "
                "Found usage in: spec.taskSpec.steps[0].envFrom.prefix"
            ),
        ),
        (
            {"workspaces": [{"name": "w", "mountPath": "/w"}]},
            'undefined workspace "w": spec.taskSpec.steps[0].workspaces[0].name',
        ),
    ],
)
def test_features_that_are_off_are_refused(step, message):
    """Some say where, and some do not, as the webhook."""
    assert _message(_admit("TaskRun", {"taskSpec": {"steps": [_STEP | step]}})) == message


def test_a_variable_may_use_what_any_task_is_given():
    """In an embedded pipeline the parameters of all tasks are known to all."""
    task = {
        "name": "a",
        "params": [{"name": "p", "value": "x"}, {"name": "q", "value": "$(params.p)"}],
        "taskSpec": {"params": [{"name": "p"}, {"name": "q"}], "steps": [_STEP]},
    }
    _spec(_admit("PipelineRun", {"pipelineSpec": {"tasks": [task]}}))


def test_kinds_of_others_pass_unchanged():
    """Whatever Tekton's webhooks are not asked about stays as it is."""
    content = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"X_"},"data":{"a":"b"}}'
    admitted = admit(content)
    assert isinstance(admitted, bytes)
    assert msgspec.json.decode(admitted) == msgspec.json.decode(content)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_durations_read_what_they_wrote(length):
    """Text and length are two forms of one thing."""
    assert nanoseconds(duration_text(length)) == length


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("10E", "10E"),
        ("1234567890123456789012E", "1234567890123456789012E"),
        ("1e30", "1000000000000e18"),
    ],
)
def test_quantities_may_be_large(text, written):
    """No digit of them is lost, and none is too much."""
    assert canonical_quantity(text) == written


@given(
    st.text(max_size=12)
    | st.from_regex(r"[+-]?[0-9.]{1,20}([eE][+-]?[0-9]{1,10}|[a-zA-Z]{0,2})", fullmatch=True)
)
def test_no_text_breaks_the_reading_of_values(text):
    """Any text is a duration or quantity, or is refused as one."""
    for read in (nanoseconds, canonical_quantity):
        try:
            read(text)
        except Undecodable as error:
            assert str(error)  # noqa: PT017 (both outcomes are right)


@given(st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,3})?(|m|k|M|G|Ki|Mi|Gi)", fullmatch=True))
def test_quantities_are_canonical_once(text):
    """What was written anew is not changed again."""
    once = canonical_quantity(text)
    assert canonical_quantity(once) == once


def test_the_longest_units_are_read():
    """Hours, minutes, fractions and signs."""
    assert nanoseconds("-1h1m1.5s") == -int(3661.5 * SECOND)
    assert duration_text(1_500_000) == "1.5ms"
    assert canonical_quantity("1e3") == "1e3"
    assert canonical_quantity("0.1") == "100m"
    assert canonical_quantity("1536Mi") == "1536Mi"
