# SPDX-License-Identifier: Apache-2.0
"""A plan as Tasks and a Pipeline of Tekton, for those who run pipelines and not this program.

    files = render_folder((Variant(name="scos", plan=plan, ...),), settings)

Every task of the Pipeline is a Task that is referred to by name and runs one ``step`` command;
no object holds a script or a secret, and everything that a run may choose is a parameter.
"""

from okd_payload.engines.tekton.rendering.folder import render_folder
from okd_payload.engines.tekton.rendering.model import RenderSettings, Variant
from okd_payload.engines.tekton.rendering.pipeline import render_pipeline
from okd_payload.engines.tekton.rendering.run import render_run
from okd_payload.engines.tekton.rendering.tasks import render_tasks

__all__ = [
    "RenderSettings",
    "Variant",
    "render_folder",
    "render_pipeline",
    "render_run",
    "render_tasks",
]
