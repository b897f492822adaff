# SPDX-License-Identifier: Apache-2.0
"""The kinds of issues that only checking a finished payload can find.

None of them is an error: an error is what bars a release from a cluster, and clusters take these.
A warning is what they then stop at, or do otherwise than was meant; a notice may well be meant
and is worth knowing. A real release has few of the first.
"""

from __future__ import annotations

from okd_payload.issues import IssueCode, Severity

BYTE_ORDER_MARK = IssueCode(
    "byte-order-mark", Severity.WARNING, "A manifest begins with a byte order mark."
)
EMPTY_MANIFEST = IssueCode("empty-manifest", Severity.NOTICE, "A manifest file has no object.")
IGNORED_FILE = IssueCode(
    "ignored-file", Severity.NOTICE, "A file of the payload is none that the cluster reads."
)
UNEXPANDED_LIST = IssueCode(
    "unexpanded-list", Severity.WARNING, "A list of objects, of which the cluster applies none."
)
MISSING_API_VERSION = IssueCode(
    "missing-api-version", Severity.WARNING, "An object has no apiVersion, so it cannot be applied."
)
SKIPPED_TEMPLATE = IssueCode(
    "skipped-template", Severity.WARNING, "A template of the operator itself cannot be filled in."
)
OVERSIZED_OBJECT = IssueCode(
    "oversized-object", Severity.WARNING, "An object is larger than a cluster stores."
)
OVERSIZED_ANNOTATIONS = IssueCode(
    "oversized-annotations",
    Severity.WARNING,
    "An object has more annotations than a cluster takes.",
)

UNPARSABLE_FILE_NAME = IssueCode(
    "unparsable-file-name", Severity.WARNING, "A file's name gives no run level and component."
)
UNSORTED_RUN_LEVEL = IssueCode(
    "unsorted-run-level", Severity.WARNING, "A run level has not two digits, so it sorts elsewhere."
)
UNASSIGNED_RUN_LEVEL = IssueCode(
    "unassigned-run-level", Severity.NOTICE, "A run level is in no range that was assigned."
)
CUT_COMPONENT_NAME = IssueCode(
    "cut-component-name", Severity.NOTICE, "The cluster reads only a part of a component's name."
)

UNREADABLE_ANNOTATIONS = IssueCode(
    "unreadable-annotations",
    Severity.WARNING,
    "An annotation that is no text hides all annotations of its object.",
)
NEVER_APPLIED = IssueCode(
    "never-applied", Severity.WARNING, "An object is in no cluster profile, so nothing applies it."
)
UNKNOWN_PROFILE = IssueCode(
    "unknown-profile", Severity.WARNING, "An object is for a cluster profile that nobody knows."
)
INVALID_INCLUDE_VALUE = IssueCode(
    "invalid-include-value", Severity.WARNING, "An include annotation has not the value `true`."
)
INVALID_EXCLUDE_VALUE = IssueCode(
    "invalid-exclude-value", Severity.WARNING, "An exclude annotation has not the value `true`."
)
UNKNOWN_FEATURE_SET = IssueCode(
    "unknown-feature-set", Severity.WARNING, "A feature set is unknown, so nothing is applied."
)
FEATURE_SET_AND_GATE = IssueCode(
    "feature-set-and-gate", Severity.WARNING, "An object names feature sets and feature gates."
)
INVALID_FEATURE_GATE = IssueCode(
    "invalid-feature-gate", Severity.WARNING, "What an object says of feature gates cannot hold."
)
UNKNOWN_FEATURE_GATE = IssueCode(
    "unknown-feature-gate", Severity.WARNING, "A feature gate is none that the payload declares."
)
UNKNOWN_CAPABILITY = IssueCode(
    "unknown-capability", Severity.WARNING, "An object needs a capability that no cluster has."
)
MISPLACED_MAJOR_VERSION = IssueCode(
    "misplaced-major-version",
    Severity.WARNING,
    "A major version is asked for where the cluster never applies what asks for it.",
)
INVALID_MAJOR_VERSION = IssueCode(
    "invalid-major-version", Severity.WARNING, "What an object says of major versions cannot hold."
)
INVALID_DELETE_VALUE = IssueCode(
    "invalid-delete-value",
    Severity.WARNING,
    "A delete annotation has a value that stops the update.",
)
INVALID_CREATE_ONLY_VALUE = IssueCode(
    "invalid-create-only-value", Severity.WARNING, "A create-only annotation has no effect."
)
UNKNOWN_RELEASE_ANNOTATION = IssueCode(
    "unknown-release-annotation", Severity.NOTICE, "No program is known to read an annotation."
)

NO_NAMESPACE = IssueCode(
    "no-namespace", Severity.WARNING, "An object that belongs in a namespace names none."
)
MISSING_NAMESPACE = IssueCode(
    "missing-namespace", Severity.NOTICE, "Nothing in the payload makes a namespace that it uses."
)
MISSING_SERVICE_ACCOUNT = IssueCode(
    "missing-service-account",
    Severity.WARNING,
    "A workload runs as a service account that nothing in the payload makes.",
)
NO_CLUSTER_OPERATOR = IssueCode(
    "no-cluster-operator", Severity.NOTICE, "A component runs workloads and reports no status."
)
NO_OPERATOR_VERSIONS = IssueCode(
    "no-operator-versions", Severity.WARNING, "A ClusterOperator declares no versions to wait for."
)
OPERATOR_VERSION_DIFFERS = IssueCode(
    "operator-version-differs",
    Severity.WARNING,
    "A ClusterOperator waits for another version than that of the release.",
)
NO_VERIFICATION_KEYS = IssueCode(
    "no-verification-keys", Severity.WARNING, "Clusters could not verify what comes after this."
)
INVALID_VERIFICATION_KEYS = IssueCode(
    "invalid-verification-keys", Severity.WARNING, "The keys for later releases cannot be used."
)
UNREAD_VERIFICATION_KEYS = IssueCode(
    "unread-verification-keys", Severity.WARNING, "Clusters pass a ConfigMap with keys over."
)
DEPRECATED_API = IssueCode(
    "deprecated-api", Severity.WARNING, "An object uses an API that Kubernetes gives up."
)
REMOVED_API = IssueCode(
    "removed-api", Severity.WARNING, "An object uses an API that the release's Kubernetes lacks."
)
BOOT_IMAGE_DIFFERS = IssueCode(
    "boot-image-differs", Severity.WARNING, "Nodes boot from another stream than they then run."
)

INVALID_CRD = IssueCode(
    "invalid-crd", Severity.WARNING, "A custom resource definition is one that clusters refuse."
)
INVALID_CRD_SCHEMA = IssueCode(
    "invalid-crd-schema", Severity.WARNING, "The schema of a custom resource is not structural."
)
UNKNOWN_SCHEMA_KEYWORD = IssueCode(
    "unknown-schema-keyword",
    Severity.WARNING,
    "The schema of a custom resource has a word unknown.",
)
INVALID_CRD_DEFAULT = IssueCode(
    "invalid-crd-default", Severity.WARNING, "A default value is not valid by its own schema."
)
INVALID_PRINTER_COLUMN = IssueCode(
    "invalid-printer-column", Severity.WARNING, "A column of a custom resource cannot be printed."
)
INVALID_CRD_CONVERSION = IssueCode(
    "invalid-crd-conversion", Severity.WARNING, "A custom resource cannot be converted as is said."
)

REPEATED_TAG = IssueCode(
    "repeated-tag", Severity.WARNING, "The release lists a name twice, with different images."
)
LOGIN_REQUIRED = IssueCode(
    "login-required", Severity.WARNING, "An image is where only registered users can pull from."
)
UNUSED_IMAGE = IssueCode(
    "unused-image", Severity.NOTICE, "No operator and no manifest names an image of the release."
)
UNUSED_PLACEHOLDER = IssueCode(
    "unused-placeholder", Severity.NOTICE, "An operator lists an image that it does not use."
)
MISSED_PLACEHOLDER = IssueCode(
    "missed-placeholder",
    Severity.WARNING,
    "A placeholder that the operator lists is still in its manifests.",
)

ALL_CODES = tuple(value for value in dict(globals()).values() if isinstance(value, IssueCode))
