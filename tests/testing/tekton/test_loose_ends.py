# SPDX-License-Identifier: Apache-2.0
"""Variables and bindings that mean nothing: admission takes them, an engine must not write them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from okd_payload.testing.tekton.admission import Refusal, admit, check_variables

_STEP = {"name": "s", "image": "quay.test/tool:1"}


def _document(kind: str, spec: dict[str, Any], name: str = "x") -> bytes:
    return msgspec.json.encode(
        {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    )


def _task(script: str, **spec: Any) -> dict[str, Any]:
    return {"steps": [_STEP | {"script": script}], **spec}


def _pipeline(*tasks: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"tasks": list(tasks), **spec}


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("cd $(workspaces.w.path)", "$(workspaces.w.path): no workspace w is declared"),
        ("cd $(workspaces.known.pth)", "$(workspaces.known.pth): nothing has this name"),
        ("echo $(foo.bar)", "$(foo.bar): nothing has this name"),
        ("echo $(context.step.name)", "$(context.step.name): nothing has this name"),
        ("cat $(steps.gone.exitCode.path)", "there is no step gone"),
    ],
)
def test_variables_that_stay_as_text_are_found(script, problem):
    """Each of these is accepted, and runs as a command of the shell."""
    document = _document("Task", _task(script, workspaces=[{"name": "known"}]))
    assert not isinstance(admit(document), Refusal)
    [end] = check_variables(document)
    assert end.place == "Task x: steps[0].script"
    assert problem in end.problem


def test_commands_of_the_shell_are_left_alone():
    """Spaces, plain words and nested substitutions are no variables."""
    script = "a=$(date +%s); b=$(pwd); c=$(cat /etc/os-release | head -1); d=$((1 + 2))"
    assert check_variables(_document("Task", _task(script))) == ()


def test_everything_that_tekton_knows_is_fine():
    """Parameters of all types, workspaces, results, contexts, and results of steps."""
    script = (
        "echo $(params.a) $(params['b.c']) $(params.l[0]) $(params.o.k) $(workspaces.w.path) "
        "$(workspaces.w.bound) $(context.taskRun.name) $(context.task.retry-count) > "
        "$(results.r.path); cat $(steps.step-s.exitCode.path)"
    )
    params = [
        {"name": "a"},
        {"name": "b.c"},
        {"name": "l", "type": "array"},
        {"name": "o", "type": "object", "properties": {"k": {}}},
    ]
    spec = _task(script, params=params, workspaces=[{"name": "w"}], results=[{"name": "r"}])
    assert check_variables(_document("Task", spec)) == ()


def test_results_of_other_tasks_must_be_declared():
    """Misspelt results, results that no task declares, and keys that they lack."""
    made = {"name": "b", "taskSpec": _task("true", results=[{"name": "r"}])}
    wrong = ("$(tasks.b.result.r)", "$(tasks.b.results.s)", "$(tasks.b.results.r.k)")
    for value in wrong:
        task = {
            "name": "a",
            "params": [{"name": "p", "value": value}],
            "taskSpec": _task("true", params=[{"name": "p"}]),
        }
        pipeline = _document("Pipeline", _pipeline(made, task))
        assert [it.place for it in check_variables(pipeline)] == ["Pipeline x: tasks[1].params[p]"]


def test_a_reference_is_checked_against_its_task():
    """Parameters, workspaces and results of a Task that is given along."""
    build = _document(
        "Task",
        _task(
            "true",
            params=[{"name": "commit"}],
            workspaces=[{"name": "source"}],
            results=[{"name": "digest"}],
        ),
        name="build",
    )
    first = {
        "name": "first",
        "taskRef": {"name": "build"},
        "params": [{"name": "comit", "value": "x"}],
    }
    result = [{"name": "d", "value": "$(tasks.first.results.digst)"}]
    pipeline = _document("Pipeline", _pipeline(first, results=result))
    assert [it.problem for it in check_variables(build, pipeline)] == [
        "$(tasks.first.results.digst): task first has no result digst",
        "parameter comit is given, and nobody declares it",
        "parameter commit is not given",
        "workspace source is not bound",
    ]


def test_what_a_run_must_give_is_given():
    """Runs bind the workspaces and give the parameters of what they embed."""
    spec = _task("true", params=[{"name": "p"}], workspaces=[{"name": "w"}])
    ends = check_variables(_document("TaskRun", {"taskSpec": spec}))
    assert [it.problem for it in ends] == ["parameter p is not given", "workspace w is not bound"]
    given = {
        "taskSpec": spec,
        "params": [{"name": "p", "value": "x"}],
        "workspaces": [{"name": "w", "emptyDir": {}}],
    }
    assert check_variables(_document("TaskRun", given)) == ()


def test_states_of_tasks_are_for_final_tasks():
    """``$(tasks.a.status)`` is known at the end only."""
    task = {"name": "a", "taskSpec": _task("true")}
    report = {
        "name": "report",
        "params": [{"name": "s", "value": "$(tasks.a.status) $(tasks.status)"}],
        "taskSpec": _task("true", params=[{"name": "s"}]),
    }
    fine = _document("PipelineRun", {"pipelineSpec": _pipeline(task, **{"finally": [report]})})
    assert check_variables(fine) == ()
    early = _document("PipelineRun", {"pipelineSpec": _pipeline(task, report)})
    assert len(check_variables(early)) == 2
