# SPDX-License-Identifier: Apache-2.0
"""What the levels of pod security forbid, in the words of the API server."""

from __future__ import annotations

import pytest

from okd_payload.testing.kubernetes.standard.pod_security import violations

_GOOD = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _pod(*contexts, **spec):
    names = ("a", "b")
    containers = [
        {"name": name, "image": "x", "securityContext": context}
        for name, context in zip(names, contexts, strict=False)
    ]
    return {"containers": containers or [{"name": "a", "image": "x"}], **spec}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (_pod(hostPID=True, hostIPC=True), "host namespaces (hostPID=true, hostIPC=true)"),
        (
            _pod({"privileged": True}, {"privileged": True}),
            'privileged (containers "a", "b" must not set securityContext.privileged=true)',
        ),
        (
            _pod(volumes=[{"name": "h", "hostPath": {"path": "/"}}]),
            'hostPath volumes (volume "h")',
        ),
        (
            _pod({"capabilities": {"add": ["SYS_ADMIN", "CHOWN"]}}),
            (
                'non-default capabilities (container "a" must not include "SYS_ADMIN" in '
                "securityContext.capabilities.add)"
            ),
        ),
        (
            _pod({"seccompProfile": {"type": "Unconfined"}}),
            (
                'seccompProfile (container "a" must not set securityContext.seccompProfile.type to '
                '"Unconfined")'
            ),
        ),
        (
            _pod({"procMount": "Unmasked"}),
            'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
        ),
        (
            _pod(securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}),
            "forbidden sysctls (kernel.msgmax)",
        ),
        (
            _pod({"seLinuxOptions": {"type": "spc_t"}}),
            (
                'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: '
                'type "spc_t")'
            ),
        ),
        (
            {"containers": [{"name": "a", "ports": [{"hostPort": 80}]}]},
            'hostPort (container "a" uses hostPort 80)',
        ),
    ],
)
def test_the_baseline_forbids(spec, told):
    """One thing at a time."""
    assert violations(spec, "baseline") == [told]
    assert violations(spec, "privileged") == []


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            _pod({**_GOOD, "runAsUser": 0}),
            'runAsUser=0 (container "a" must not set runAsUser=0)',
        ),
        (
            _pod({**_GOOD, "runAsNonRoot": False}),
            'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
        ),
        (
            _pod({**_GOOD, "capabilities": {"drop": ["ALL"], "add": ["SETUID"]}}),
            (
                'unrestricted capabilities (container "a" must not include "SETUID" in '
                "securityContext.capabilities.add)"
            ),
        ),
        (
            _pod(_GOOD, volumes=[{"name": "h", "hostPath": {"path": "/"}}]),
            'restricted volume types (volume "h" uses restricted volume type "hostPath")',
        ),
        (
            _pod({**_GOOD, "allowPrivilegeEscalation": True}),
            (
                'allowPrivilegeEscalation != false (container "a" must set '
                "securityContext.allowPrivilegeEscalation=false)"
            ),
        ),
    ],
)
def test_the_restricted_level_forbids(spec, told):
    """One thing at a time, beside what is right."""
    assert violations(spec, "restricted") == [told]
    assert violations(_pod(_GOOD), "restricted") == []


def test_a_user_namespace_may_have_its_own_proc():
    """Without users of the host, an unmasked /proc is allowed."""
    spec = _pod({"procMount": "Unmasked"}, hostUsers=False)
    assert violations(spec, "baseline") == []
