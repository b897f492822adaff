# SPDX-License-Identifier: Apache-2.0
"""What Tekton's webhooks accept, refuse and write into objects: a pure function.

    from okd_payload.testing.tekton.admission import Refusal, admit

    admitted = admit(content)          # the JSON of a Task, TaskRun, Pipeline, PipelineRun, ...
    assert not isinstance(admitted, Refusal), admitted.message

``check_variables`` finds what they let through and an engine must not write: variables and
bindings that mean nothing.

Tekton Pipelines 1.15 with feature flags as released. Objects of other kinds pass unchanged.
``v1beta1`` is read by the server alone, which converts it (``legacy``, ``plugin``). Not
imitated: ``CustomRun``, ``VerificationPolicy``, features that are off, and what only the
controller finds out (a Task that does not exist, parameters that are missing, workspaces that are
not bound).
"""

from okd_payload.testing.tekton.admission.admit import admit, admit_document
from okd_payload.testing.tekton.admission.loose_ends import LooseEnd, check_variables
from okd_payload.testing.tekton.admission.refusals import Refusal

__all__ = ["LooseEnd", "Refusal", "admit", "admit_document", "check_variables"]
