# SPDX-License-Identifier: Apache-2.0
"""The rules of built-in kinds, and objects that are judged without a server."""

from __future__ import annotations

import pytest

from okd_payload.testing.kubernetes import SimulatedCluster
from okd_payload.testing.kubernetes.statuses import denied_by_webhook
from okd_payload.testing.kubernetes.validation import Judge, validate

_RBAC = "rbac.authorization.k8s.io/v1"


def _object(api_version, kind, name="x", **rest):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **rest}


def _pod(container=None, **spec):
    return _object(
        "v1",
        "Pod",
        spec={"containers": [{"name": "c", "image": "quay.test/x", **(container or {})}], **spec},
    )


def _cron_job(schedule="@daily", policy="Never", **rest):
    spec = {"containers": [{"name": "c", "image": "quay.test/x"}], "restartPolicy": policy}
    job = {"spec": {"template": {"spec": spec}}}
    return _object("batch/v1", "CronJob", spec={"schedule": schedule, "jobTemplate": job, **rest})


@pytest.mark.parametrize(
    "document",
    [
        _pod(),
        _pod({"resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "512Mi"}}}),
        _cron_job("0 3 * * *"),
        _object("v1", "ConfigMap", data={"a.b": "c"}),
        _object(_RBAC, "Role", name="a:b", rules=[
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
        ]),
        _object(_RBAC, "RoleBinding", roleRef={
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"
        }, subjects=[{"kind": "ServiceAccount", "name": "s", "namespace": "n"}]),
        _object("v1", "Secret", type="kubernetes.io/dockerconfigjson",
                stringData={".dockerconfigjson": "{}"}),
        _object("v1", "PersistentVolumeClaim", spec={
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}
        }),
        _object("networking.k8s.io/v1", "NetworkPolicy", spec={"podSelector": {}}),
    ],
)  # fmt: skip
def test_what_is_right(document):
    """Nothing is told."""
    assert validate(document) == []


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (_object("v1", "Nosuch"), 'no matches for kind "Nosuch" in version "v1"'),
        (
            _object("v1", "ConfigMap", name=""),
            "metadata.name: Required value: name or generateName",
        ),
        (_object("v1", "ConfigMap", nosuch=1), 'strict decoding error: unknown field "nosuch"'),
        (_object("v1", "ConfigMap", data={"a": 1}), "json: cannot unmarshal"),
        (_object("v1", "ConfigMap", data={"a b": "c"}), "data[a b]: Invalid value"),
        (_object("v1", "ConfigMap", data={"a": "x" * 1_048_577}), "may not be more than 1048576"),
        (_object("v1", "Secret", data={"a": "no base64!"}), "must be of type byte"),
        (_object("v1", "Secret", type="kubernetes.io/tls"), "data[tls.crt]: Required value"),
        (_object("v1", "Namespace", name="a.b"), "a lowercase RFC 1123 label must consist of"),
        (_pod(imagePullPolicy="x"), 'unknown field "spec.imagePullPolicy"'),
        (_pod({"image": ""}), "spec.containers[0].image: Required value"),
        (_pod({"imagePullPolicy": "Often"}), 'supported values: "Always", "IfNotPresent", "Never"'),
        (_pod({"name": "A"}), "spec.containers[0].name: Invalid value"),
        (_pod({"resources": {"limits": {"cpu": "much"}}}), "quantities must match"),
        (_pod({"resources": {"limits": {"memory": "-1Gi"}}}), "must be greater than or equal to 0"),
        (
            _pod({"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1"}}}),
            "must be less than or equal to cpu limit of 1",
        ),
        (_pod({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}), 'Not found: "v"'),
        (_pod({"env": [{"name": ""}]}), "spec.containers[0].env[0].name: Required value"),
        (
            _pod({"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}),
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
        ),
        (_pod(volumes=[{"name": "v"}]), "spec.volumes[0]: Required value: must specify a volume"),
        (
            _pod(volumes=[{"name": "v", "emptyDir": {}, "secret": {"secretName": "s"}}]),
            "may not specify more than 1 volume type",
        ),
        (
            _pod(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]),
            'spec.volumes[1].name: Duplicate value: "v"',
        ),
        (_pod(restartPolicy="Maybe"), "spec.restartPolicy: Unsupported value"),
        (_pod(initContainers=[{"name": "c", "image": "x"}]), 'Duplicate value: "c"'),
        (_pod(securityContext={"runAsUser": -1}), "must be between 0 and 2147483647"),
        (_cron_job("whenever"), "spec.schedule: Invalid value"),
        (_cron_job(policy="Always"), "template.spec.restartPolicy: Unsupported value"),
        (_cron_job(concurrencyPolicy="Never"), "spec.concurrencyPolicy: Unsupported value"),
        (
            _object(_RBAC, "Role", rules=[{"resources": ["pods"], "verbs": ["get"]}]),
            "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
        ),
        (
            _object(_RBAC, "Role", rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": []}]),
            "rules[0].verbs: Required value",
        ),
        (
            _object(_RBAC, "RoleBinding", roleRef={"kind": "Rule", "name": "r"}),
            'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"',
        ),
        (
            _object(
                _RBAC,
                "RoleBinding",
                roleRef={"kind": "Role", "name": "r"},
                subjects=[{"kind": "ServiceAccount", "name": "s"}],
            ),
            "subjects[0].namespace: Required value",
        ),
        (
            _object(
                "apps/v1",
                "Deployment",
                spec={
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {"spec": {"containers": [{"name": "c", "image": "x"}]}},
                },
            ),
            "`selector` does not match template `labels`",
        ),
        (_object("v1", "PersistentVolumeClaim", spec={}), "at least 1 access mode is required"),
    ],
)
def test_what_is_wrong(document, told):
    """In the words of the API server."""
    assert told in " | ".join(validate(document))


def test_tekton_objects_are_judged_by_their_definitions(definitions):
    """Fields that nobody knows, at the place where they stand."""
    task = _object("tekton.dev/v1", "Task", spec={"steps": [{"name": "s", "nosuch": 1}]})
    told = validate(task, *definitions)
    assert len(told) == 1
    assert 'unknown field "spec.steps[0].nosuch"' in told[0]


def test_admission_of_the_cluster_judges_too():
    """What it refuses is a problem among the others."""
    cluster = SimulatedCluster()

    def refuse(document, request):
        raise denied_by_webhook("w.example.com", f"not {document['metadata']['name']}")

    cluster.validating.append(refuse)
    told = Judge(cluster).problems(_object("v1", "ConfigMap", data={"a b": ""}))
    assert len(told) == 2
    assert told[1] == 'admission webhook "w.example.com" denied the request: not x'


def test_names_may_be_left_to_the_server():
    """With generateName, and in any namespace; not in one where the kind has none."""
    document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "x-"}}
    assert validate(document) == []
    document = _object("v1", "Namespace")
    document["metadata"]["namespace"] = "n"
    assert validate(document) == ["metadata.namespace: Namespace is in no namespace"]
