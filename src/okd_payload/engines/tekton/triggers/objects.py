# SPDX-License-Identifier: Apache-2.0
"""The objects of Tekton Triggers (v1beta1), as Triggers names their fields.

The schemas that Triggers installs take any field, and its webhook drops what it does not know,
so a misspelt name would do nothing in silence: it is these structs that keep the names right.
"""

from __future__ import annotations

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Manifest, Part
from okd_payload.engines.pod.objects import ContainerSecurity, PodSecurity, Requirements

API_VERSION = kinds.EVENT_LISTENER.api_version


class InterceptorReference(Part, frozen=True, kw_only=True):
    """Which interceptor is asked."""

    name: str
    kind: str


class SecretReference(Part, frozen=True, kw_only=True):
    """An entry of a Secret."""

    secret_name: str
    secret_key: str


class OverlayValue(Part, frozen=True, kw_only=True):
    """A value that is added to an event."""

    key: str
    expression: str


class InterceptorParameter(Part, frozen=True, kw_only=True):
    """What an interceptor is told."""

    name: str
    value: str | SecretReference | tuple[str, ...] | tuple[OverlayValue, ...]


class Interceptor(Part, frozen=True, kw_only=True):
    """Somebody who looks at an event before anything is made of it."""

    name: str = ""
    ref: InterceptorReference
    params: tuple[InterceptorParameter, ...] = ()


class Reference(Part, frozen=True, kw_only=True):
    """An object of the same namespace."""

    ref: str


class Trigger(Part, frozen=True, kw_only=True):
    """What becomes of one kind of event."""

    name: str
    interceptors: tuple[Interceptor, ...]
    bindings: tuple[Reference, ...]
    template: Reference


class ListenerContainer(Part, frozen=True, kw_only=True):
    """The container of the listener, of which Triggers lets us set some fields."""

    resources: Requirements
    security_context: ContainerSecurity


class ListenerPod(Part, frozen=True, kw_only=True):
    """The pod of the listener."""

    security_context: PodSecurity
    containers: tuple[ListenerContainer, ...]


class ListenerTemplate(Part, frozen=True, kw_only=True):
    """What the deployment of the listener makes pods from."""

    spec: ListenerPod


class ListenerDeploymentSpecification(Part, frozen=True, kw_only=True):
    """The deployment of the listener."""

    template: ListenerTemplate


class ListenerDeployment(Part, frozen=True, kw_only=True):
    """What the listener runs as."""

    replicas: int | None = None
    spec: ListenerDeploymentSpecification


class ListenerResources(Part, frozen=True, kw_only=True):
    """What the listener runs as, by kind of platform."""

    kubernetes_resource: ListenerDeployment


class ListenerSpecification(Part, frozen=True, kw_only=True):
    """Who listens, and for what."""

    service_account_name: str
    triggers: tuple[Trigger, ...]
    resources: ListenerResources


class EventListener(Manifest, frozen=True, kw_only=True):
    """A service that takes events."""

    spec: ListenerSpecification


class BindingParameter(Part, frozen=True, kw_only=True):
    """A value out of an event, and its name."""

    name: str
    value: str


class BindingSpecification(Part, frozen=True, kw_only=True):
    """The values that are taken out of an event."""

    params: tuple[BindingParameter, ...]


class TriggerBinding(Manifest, frozen=True, kw_only=True):
    """What is taken out of an event."""

    spec: BindingSpecification


class TemplateParameter(Part, frozen=True, kw_only=True):
    """A value that a template needs."""

    name: str
    description: str = ""


class TemplateSpecification(Part, frozen=True, kw_only=True):
    """The objects that are created, with ``$(tt.params.NAME)`` where values go."""

    params: tuple[TemplateParameter, ...]
    resourcetemplates: tuple[Manifest, ...]


class TriggerTemplate(Manifest, frozen=True, kw_only=True):
    """What is created for an event."""

    spec: TemplateSpecification
