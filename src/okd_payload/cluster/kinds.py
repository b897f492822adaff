# SPDX-License-Identifier: Apache-2.0
"""The kinds of objects that are spoken of here, by the names that the API has for them.

Names only: what a kind means stands with those who use it. A version is the one that is asked
for, not the newest there is: Tekton Pipelines v1, Tekton Triggers v1beta1, Shipwright v1beta1.
"""

from __future__ import annotations

from okd_payload.cluster.protocol import ObjectKind

NAMESPACE = ObjectKind("v1", "Namespace", "namespaces", namespaced=False)
NODE = ObjectKind("v1", "Node", "nodes", namespaced=False)
POD = ObjectKind("v1", "Pod", "pods")
CONFIG_MAP = ObjectKind("v1", "ConfigMap", "configmaps")
SECRET = ObjectKind("v1", "Secret", "secrets")
SERVICE_ACCOUNT = ObjectKind("v1", "ServiceAccount", "serviceaccounts")
PERSISTENT_VOLUME_CLAIM = ObjectKind("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
EVENT = ObjectKind("v1", "Event", "events")
RESOURCE_QUOTA = ObjectKind("v1", "ResourceQuota", "resourcequotas")
LIMIT_RANGE = ObjectKind("v1", "LimitRange", "limitranges")

DEPLOYMENT = ObjectKind("apps/v1", "Deployment", "deployments")
JOB = ObjectKind("batch/v1", "Job", "jobs")
CRON_JOB = ObjectKind("batch/v1", "CronJob", "cronjobs")
LEASE = ObjectKind("coordination.k8s.io/v1", "Lease", "leases")
NETWORK_POLICY = ObjectKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
STORAGE_CLASS = ObjectKind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False)

ROLE = ObjectKind("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDING = ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
CLUSTER_ROLE = ObjectKind(
    "rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False
)
CLUSTER_ROLE_BINDING = ObjectKind(
    "rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
SELF_SUBJECT_ACCESS_REVIEW = ObjectKind(
    "authorization.k8s.io/v1",
    "SelfSubjectAccessReview",
    "selfsubjectaccessreviews",
    namespaced=False,
)
CUSTOM_RESOURCE_DEFINITION = ObjectKind(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    namespaced=False,
)

TASK = ObjectKind("tekton.dev/v1", "Task", "tasks")
TASK_RUN = ObjectKind("tekton.dev/v1", "TaskRun", "taskruns")
PIPELINE = ObjectKind("tekton.dev/v1", "Pipeline", "pipelines")
PIPELINE_RUN = ObjectKind("tekton.dev/v1", "PipelineRun", "pipelineruns")

EVENT_LISTENER = ObjectKind("triggers.tekton.dev/v1beta1", "EventListener", "eventlisteners")
TRIGGER = ObjectKind("triggers.tekton.dev/v1beta1", "Trigger", "triggers")
TRIGGER_BINDING = ObjectKind("triggers.tekton.dev/v1beta1", "TriggerBinding", "triggerbindings")
TRIGGER_TEMPLATE = ObjectKind("triggers.tekton.dev/v1beta1", "TriggerTemplate", "triggertemplates")
CLUSTER_TRIGGER_BINDING = ObjectKind(
    "triggers.tekton.dev/v1beta1",
    "ClusterTriggerBinding",
    "clustertriggerbindings",
    namespaced=False,
)
INTERCEPTOR = ObjectKind("triggers.tekton.dev/v1alpha1", "Interceptor", "interceptors")
CLUSTER_INTERCEPTOR = ObjectKind(
    "triggers.tekton.dev/v1alpha1", "ClusterInterceptor", "clusterinterceptors", namespaced=False
)
"""Triggers has this kind and the one before it in v1alpha1 only."""

BUILD_STRATEGY = ObjectKind("shipwright.io/v1beta1", "BuildStrategy", "buildstrategies")
CLUSTER_BUILD_STRATEGY = ObjectKind(
    "shipwright.io/v1beta1", "ClusterBuildStrategy", "clusterbuildstrategies", namespaced=False
)
SHIPWRIGHT_BUILD = ObjectKind("shipwright.io/v1beta1", "Build", "builds")
SHIPWRIGHT_BUILD_RUN = ObjectKind("shipwright.io/v1beta1", "BuildRun", "buildruns")

BUILD_CONFIG = ObjectKind("build.openshift.io/v1", "BuildConfig", "buildconfigs")
OPENSHIFT_BUILD = ObjectKind("build.openshift.io/v1", "Build", "builds")
IMAGE_STREAM = ObjectKind("image.openshift.io/v1", "ImageStream", "imagestreams")
IMAGE_STREAM_TAG = ObjectKind("image.openshift.io/v1", "ImageStreamTag", "imagestreamtags")
SECURITY_CONTEXT_CONSTRAINTS = ObjectKind(
    "security.openshift.io/v1",
    "SecurityContextConstraints",
    "securitycontextconstraints",
    namespaced=False,
)
CLUSTER_VERSION = ObjectKind(
    "config.openshift.io/v1", "ClusterVersion", "clusterversions", namespaced=False
)

PROW_JOB = ObjectKind("prow.k8s.io/v1", "ProwJob", "prowjobs")

APPLICATION = ObjectKind("argoproj.io/v1alpha1", "Application", "applications")
FLUX_GIT_REPOSITORY = ObjectKind("source.toolkit.fluxcd.io/v1", "GitRepository", "gitrepositories")
FLUX_KUSTOMIZATION = ObjectKind("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations")


def instantiation(build_config: str) -> ObjectKind:
    """What is created to start a build of ``build_config``, as OpenShift has it.

    The server names the build, so asking twice makes two: such a creation is not repeated when
    its outcome is unknown.
    """
    return ObjectKind(
        BUILD_CONFIG.api_version, "BuildRequest", f"buildconfigs/{build_config}/instantiate"
    )
