# SPDX-License-Identifier: Apache-2.0
"""What a pod says of itself, as far as anybody here reads it: how it is, and its containers.

Kubelets write it, and leave out what is empty: there may be no status, and a status without a
container. Reading only: what follows for a build, a log or a verification is decided by whoever
asked, but which reasons for waiting are final is known here, because it is the same for all.
"""

from __future__ import annotations

import msgspec

from okd_payload.cluster.kinds import POD
from okd_payload.cluster.objects import decode_object

_PULLED_AGAIN = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})
"""The image could not be pulled; the kubelet tries again, for registries come back."""
_NEVER_PULLED = frozenset({"ErrImageNeverPull", "ImageInspectError", "InvalidImageName"})
_NEVER_MADE = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
_ENDED = frozenset({"Succeeded", "Failed"})


class _Read(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of all: fields that nobody here needs are left out."""


class Waiting(_Read, frozen=True, kw_only=True):
    """Why a container has not started."""

    reason: str = ""
    message: str = ""

    @property
    def lacks_image(self) -> bool:
        """Whether it waits for an image that cannot be pulled, for now or for ever."""
        return self.reason in _PULLED_AGAIN | _NEVER_PULLED

    @property
    def is_final(self) -> bool:
        """Whether it will not start by waiting."""
        return self.reason in _NEVER_PULLED | _NEVER_MADE


class Running(_Read, frozen=True, kw_only=True):
    """That a container was started."""

    started_at: str = ""


class Terminated(_Read, frozen=True, kw_only=True):
    """How a container ended."""

    exit_code: int = 0
    reason: str = ""
    message: str = ""


class ContainerState(_Read, frozen=True, kw_only=True):
    """How a container is; at most one of the three is set."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None

    @property
    def has_begun(self) -> bool:
        """Whether it was started, so that it has a log."""
        return self.running is not None or self.terminated is not None


class ContainerStatus(_Read, frozen=True, kw_only=True):
    """One container of a pod."""

    name: str = ""
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()
    """How it was before it was started again."""


class Condition(_Read, frozen=True, kw_only=True):
    """One thing that is so or not, in one word and in a sentence."""

    type: str
    status: str = ""
    reason: str = ""
    message: str = ""


class PodStatus(_Read, frozen=True, kw_only=True):
    """How a pod is."""

    phase: str = ""
    reason: str = ""
    """Why it failed from outside: it was evicted, its node went; empty for an end of its own."""
    message: str = ""
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it will run any more."""
        return self.phase in _ENDED

    @property
    def containers(self) -> tuple[ContainerStatus, ...]:
        """Its containers, as far as the kubelet has said anything of them."""
        return self.container_statuses or ()

    @property
    def waiting(self) -> Waiting:
        """Why its first container that has not started has not; without words when all have."""
        found = (each.state.waiting for each in self.containers)
        return next((waiting for waiting in found if waiting and waiting.reason), Waiting())

    @property
    def terminated(self) -> Terminated | None:
        """How the first of its containers ended that did; None while none has."""
        found = (each.state.terminated for each in self.containers)
        return next((ended for ended in found if ended is not None), None)

    def container(self, name: str) -> ContainerState:
        """How the container ``name`` is; without anything before the kubelet said so."""
        found = (each.state for each in self.containers if each.name == name)
        return next(found, ContainerState())

    @property
    def unscheduled(self) -> str:
        """Why no node takes it; empty when one does."""
        found = (each for each in self.conditions or () if each.type == "PodScheduled")
        return next((each.message for each in found if each.status == "False"), "")


class PodMetadata(_Read, frozen=True, kw_only=True):
    """Which pod it is."""

    name: str = ""
    creation_timestamp: str = ""


class Pod(_Read, frozen=True, kw_only=True):
    """A pod as the cluster shows it."""

    metadata: PodMetadata = PodMetadata()
    status: PodStatus = PodStatus()


def decode_pod(content: bytes) -> Pod:
    """The pod in ``content``. Raises ClusterError for what is none."""
    return decode_object(content, Pod, POD)
