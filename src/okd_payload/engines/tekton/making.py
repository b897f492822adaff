# SPDX-License-Identifier: Apache-2.0
"""From a build step to the TaskRun that builds it, and back to an attempt at its image.

The name says component, key and attempt: two who want the same image at the same time ask for the
same object, and the server lets one of them make it. Functions without a cluster; ``engine`` asks.
"""

from __future__ import annotations

from okd_payload.build.engine import BuildStep
from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import labels, outcome
from okd_payload.engines.pod.building import key_of_step
from okd_payload.engines.pod.choosing import ENLARGED, Attempt, Make
from okd_payload.engines.pod.judging import judge
from okd_payload.engines.pod.step_document import encode_step, portable
from okd_payload.engines.pod.tool import build_pod, registry_words
from okd_payload.engines.tekton.naming import task_run_name
from okd_payload.engines.tekton.objects import Given, WrittenTaskRun, make_task_run, owned_by
from okd_payload.engines.tekton.settings import Errand, TektonSettings
from okd_payload.engines.tekton.task_run import TaskRun, observe

STEP = "build"
_STEP_PARAMETER = "step"


def attempt_from(task_run: TaskRun) -> Attempt:
    """``task_run`` as an attempt at its image."""
    return Attempt(
        name=task_run.name,
        is_over=task_run.is_over,
        is_ending=bool(task_run.spec.status),
        is_deleted=bool(task_run.metadata.deletion_timestamp),
        reaction=judge(observe(task_run)).rule.reaction,
        annotations=task_run.metadata.annotations,
    )


def make_build(
    step: BuildStep,
    make: Make,
    *,
    repository: str,
    errand: Errand,
    settings: TektonSettings,
    afresh: bool = False,
) -> WrittenTaskRun:
    """The TaskRun that builds ``step`` into ``repository``. Raises BuildError and InputError."""
    key = key_of_step(step)
    component = step.component
    annotations = labels.build_annotations(component=component, key=key, commit=step.commit)
    if make.enlarged:
        annotations[ENLARGED] = str(make.enlarged)
    arguments = (
        *("step", "build", "--step", f"$(params.{_STEP_PARAMETER})"),
        *("--repository", repository, "--network", settings.network),
        *(("--snapshot", settings.snapshot) if settings.snapshot else ()),
        *(("--again",) if afresh else ()),
        *registry_words(settings.tool),
        *(
            word
            for name in outcome.RESULTS
            for word in (f"--result-{name}", f"$(results.{name}.path)")
        ),
    )
    return make_task_run(
        Metadata(
            name=task_run_name(component, key, make.attempt),
            labels=labels.build_labels(
                stream=errand.stream, run=errand.run, component=component, key=key
            ),
            annotations=annotations,
            owner_references=owned_by(errand.owner),
        ),
        build_pod(arguments, settings.tool, resources=step.resources, enlarged=make.enlarged),
        step=STEP,
        timeout=settings.timeout,
        architecture=step.platform.architecture,
        service_account=settings.service_account,
        parameters=(Given(name=_STEP_PARAMETER, value=encode_step(portable(step))),),
        results=outcome.RESULTS,
    )
