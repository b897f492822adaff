# SPDX-License-Identifier: Apache-2.0
"""A PipelineRun to begin with: what a run has to say, and what its default would get wrong.

Without ``timeouts`` a run ends after one hour, and without the pod template builds have no user
namespace. It has a generated name, so it is created and not applied, and is no part of a
kustomization.
"""

from __future__ import annotations

from okd_payload.engines.manifests import Metadata
from okd_payload.engines.pod import accounts, labels
from okd_payload.engines.pod.objects import KeyToPath
from okd_payload.engines.pod.security import build_rights
from okd_payload.engines.tekton.objects import API_VERSION, Given, PodTemplate
from okd_payload.engines.tekton.rendering.kinds import CREDENTIALS
from okd_payload.engines.tekton.rendering.model import RenderSettings, Variant
from okd_payload.engines.tekton.rendering.objects import (
    Binding,
    PipelineRun,
    PipelineRunSpec,
    RunTemplate,
    SecretWorkspace,
    TaskReference,
    Timeouts,
)
from okd_payload.engines.tekton.rendering.pipeline import pipeline_name

_ALL, _TASKS, _FINALLY = "24h0m0s", "23h30m0s", "30m0s"


def render_run(
    variant: Variant,
    settings: RenderSettings,
    *,
    components: tuple[str, ...] = (),
    name: str = "",
) -> PipelineRun:
    """A run of the Pipeline of ``variant``, of all ``components`` when none are named."""
    pipeline = pipeline_name(variant.name)
    given = (Given(name="components", value=components),) if components else ()
    return PipelineRun(
        api_version=API_VERSION,
        kind="PipelineRun",
        metadata=Metadata(
            name=name,
            generate_name="" if name else f"{pipeline[:50]}-",
            labels={labels.STREAM: labels.label_value(variant.plan.stream)},
        ),
        spec=PipelineRunSpec(
            pipeline_ref=TaskReference(name=pipeline),
            params=given,
            workspaces=(
                Binding(
                    name=CREDENTIALS,
                    secret=SecretWorkspace(
                        secret_name=accounts.REGISTRY_CREDENTIALS,
                        items=(KeyToPath(key=".dockerconfigjson", path="config.json"),),
                    ),
                ),
            ),
            timeouts=Timeouts(pipeline=_ALL, tasks=_TASKS, finally_=_FINALLY),
            task_run_template=RunTemplate(
                service_account_name=accounts.BUILDER,
                pod_template=PodTemplate(
                    host_users=build_rights(settings.tool.profile).host_users,
                    automount_service_account_token=False,
                    enable_service_links=False,
                ),
            ),
        ),
    )
