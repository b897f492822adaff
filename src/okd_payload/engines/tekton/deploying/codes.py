# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that stand in the way of a deployment, or of what it is to do."""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

NO_TEKTON = IssueCode(
    "deploy-no-tekton", Severity.ERROR, "The cluster has no Tekton Pipelines, or one too old."
)
NO_TRIGGERS = IssueCode(
    "deploy-no-triggers", Severity.ERROR, "The cluster has no Tekton Triggers, or one too old."
)
KIND_MISSING = IssueCode(
    "deploy-kind-missing", Severity.ERROR, "The cluster does not know a kind of objects."
)
RIGHT_MISSING = IssueCode(
    "deploy-right-missing", Severity.ERROR, "We may not make, change or remove what is needed."
)
FOREIGN_OBJECT = IssueCode(
    "deploy-foreign-object",
    Severity.ERROR,
    "An object of that name is there, and somebody else made it.",
)
FIELD_CONFLICT = IssueCode(
    "deploy-field-conflict",
    Severity.ERROR,
    "Somebody else has changed an object of the deployment.",
)
OBJECT_REFUSED = IssueCode(
    "deploy-object-refused", Severity.ERROR, "The cluster does not accept an object."
)
POD_SECURITY = IssueCode(
    "deploy-pod-security",
    Severity.ERROR,
    "The namespace does not let pods run that can build images.",
)
CREDENTIALS_MISSING = IssueCode(
    "deploy-credentials-missing",
    Severity.WARNING,
    "The Secret with the credentials for registries is not there.",
)
CREDENTIALS_WRONG = IssueCode(
    "deploy-credentials-wrong",
    Severity.ERROR,
    "The Secret that is named cannot be used as credentials for registries.",
)
CREDENTIALS_INCOMPLETE = IssueCode(
    "deploy-credentials-incomplete",
    Severity.WARNING,
    "The credentials know nothing of a registry that the stream is pushed to.",
)
CREDENTIALS_UNSEEN = IssueCode(
    "deploy-credentials-unseen",
    Severity.NOTICE,
    "We may not read the credentials, so nothing is known of them.",
)
WEBHOOK_SECRET = IssueCode(
    "deploy-webhook-secret",
    Severity.WARNING,
    "The Secret by which events are told from forgeries is missing or has no such key.",
)
