# SPDX-License-Identifier: Apache-2.0
"""What security contexts come to."""

from __future__ import annotations

import pytest

from okd_payload.errors import InputError
from okd_payload.testing.task_runner.model import CapabilityChanges, Seccomp, Security
from okd_payload.testing.task_runner.rights import combine, rights_of

PASSWD = "root:x:0:0::/root:/bin/sh\nbuild:x:1000:100:::\n"
SETGID, SETUID, SYS_ADMIN = 6, 7, 21


def test_nothing_said_is_what_containerd_gives() -> None:
    """The image's user, fourteen capabilities, no filter."""
    rights = rights_of(Security(), image_user="build", passwd=PASSWD)
    assert (rights.user, rights.group, rights.groups) == (1000, 100, (100,))
    assert len(rights.capabilities) == 14
    assert SYS_ADMIN not in rights.capabilities
    assert not rights.seccomp
    assert not rights.no_new_privileges


def test_all_is_dropped_before_some_are_added() -> None:
    """As the tool's build pods ask for it."""
    changes = CapabilityChanges(add=("SETUID", "CAP_SETGID"), drop=("ALL",))
    rights = rights_of(Security(capabilities=changes), image_user="")
    assert rights.capabilities == (SETGID, SETUID)
    assert rights.user == 0


def test_later_contexts_win_where_they_say_something() -> None:
    """Pod, template, step."""
    security = combine(
        Security(run_as_user=1, fs_group=5, seccomp_profile=Seccomp(type="RuntimeDefault")),
        None,
        Security(run_as_user=2, allow_privilege_escalation=False),
    )
    rights = rights_of(security, image_user="root", passwd=PASSWD)
    assert (rights.user, rights.group, rights.groups) == (2, 0, (0, 5))
    assert rights.seccomp
    assert rights.no_new_privileges


def test_privileged_is_everything() -> None:
    """No filter, nothing masked, all capabilities."""
    seccomp = Seccomp(type="RuntimeDefault")
    rights = rights_of(Security(privileged=True, seccomp_profile=seccomp), image_user="")
    assert SYS_ADMIN in rights.capabilities
    assert (rights.unmasked, rights.seccomp) == (True, False)


@pytest.mark.parametrize(
    ("security", "user", "message"),
    [
        (Security(run_as_non_root=True), "root", "will run as root"),
        (Security(), "nobody-knows", "no user nobody-knows"),
        (Security(capabilities=CapabilityChanges(add=("FLY",))), "", "unknown capabilities FLY"),
    ],
)
def test_what_no_container_can_be_made_of_is_refused(
    security: Security, user: str, message: str
) -> None:
    """As a kubelet refuses it."""
    with pytest.raises(InputError, match=message):
        rights_of(security, image_user=user, passwd=PASSWD)
