# SPDX-License-Identifier: Apache-2.0
"""The listener of a stream: what it takes from a forge, and what it makes of it.

The listener itself reads no Secret: signatures are checked by the interceptors that come with
Triggers, which have rights of their own. It may create runs, and read what describes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from okd_payload.cluster import kinds
from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.pod.accounts import LISTENER
from okd_payload.engines.pod.objects import Quantities, Requirements
from okd_payload.engines.pod.rights import Right
from okd_payload.engines.pod.security import plain_rights
from okd_payload.engines.tekton.triggers.filtering import Filtering, make_filtering
from okd_payload.engines.tekton.triggers.forges import EventShape, Forge
from okd_payload.engines.tekton.triggers.objects import (
    API_VERSION,
    BindingParameter,
    BindingSpecification,
    EventListener,
    Interceptor,
    InterceptorParameter,
    InterceptorReference,
    ListenerContainer,
    ListenerDeployment,
    ListenerDeploymentSpecification,
    ListenerPod,
    ListenerResources,
    ListenerSpecification,
    ListenerTemplate,
    OverlayValue,
    Reference,
    SecretReference,
    TemplateParameter,
    TemplateSpecification,
    Trigger,
    TriggerBinding,
    TriggerTemplate,
)
from okd_payload.engines.tekton.triggers.repositories import WatchedRepository, branches_of
from okd_payload.errors import InputError

LISTENER_NAME = "okd-payload"
"""The listener; Triggers calls its service ``el-okd-payload``."""

LISTENER_RIGHTS = (
    *(
        Right(kind=kind, verbs=("get", "list", "watch"), reason="know what to do with an event")
        for kind in (
            kinds.EVENT_LISTENER,
            kinds.TRIGGER,
            kinds.TRIGGER_BINDING,
            kinds.TRIGGER_TEMPLATE,
            kinds.INTERCEPTOR,
        )
    ),
    Right(
        kind=kinds.CONFIG_MAP,
        verbs=("get", "list", "watch"),
        reason="follow the settings of its logging, without which the listener does not start",
    ),
    Right(kind=kinds.PIPELINE_RUN, verbs=("create",), reason="start the build of a push"),
    Right(kind=kinds.TASK_RUN, verbs=("create",), reason="start the build of a proposed change"),
)
LISTENER_CLUSTER_RIGHTS = (
    *(
        Right(
            kind=kind,
            verbs=("get", "list", "watch"),
            reason="find the interceptors that check signatures, which belong to the cluster",
        )
        for kind in (kinds.CLUSTER_INTERCEPTOR, kinds.CLUSTER_TRIGGER_BINDING)
    ),
)

_VALUES = {
    "components": "what is built from the repository, separated by commas",
    "repository": "the repository, as in openshift/etcd",
    "commit": "the commit",
}
_LISTENER_RESOURCES = Requirements(
    requests=Quantities(cpu="50m", memory="64Mi"), limits=Quantities(cpu="500m", memory="256Mi")
)


class EventRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What is created for each kind of event, with ``$(tt.params.NAME)`` for its values."""

    push: Manifest
    proposal: Manifest | None = None
    """None leaves proposals alone."""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """By which Secret the events of a forge are told from forgeries."""

    secret: str
    key: str


def make_listener(
    forge: Forge,
    repositories: Sequence[WatchedRepository],
    runs: EventRuns,
    *,
    signature: Signature,
    metadata: Metadata,
) -> tuple[Manifest, ...]:
    """Everything that listens to ``forge``. Raises InputError when it has none of ``repositories``.

    ``metadata`` has the namespace and the labels of all objects.
    """
    if not repositories:
        raise InputError(
            f"no component is built from a branch of a repository on {forge.name}",
            hint="leave --listen away, or name the forge that the components come from",
        )
    made = [(forge.push, runs.push)]
    if runs.proposal is not None:
        made.append((forge.proposal, runs.proposal))
    triggers = tuple(
        trigger for shape, _ in made for trigger in _triggers(forge, shape, repositories, signature)
    )
    return (
        _binding(metadata),
        *(_template(metadata, shape, run) for shape, run in made),
        EventListener(
            api_version=API_VERSION,
            kind="EventListener",
            metadata=_named(metadata, LISTENER_NAME),
            spec=ListenerSpecification(
                service_account_name=LISTENER,
                triggers=triggers,
                resources=ListenerResources(kubernetes_resource=_deployment()),
            ),
        ),
    )


def _triggers(
    forge: Forge,
    shape: EventShape,
    repositories: Iterable[WatchedRepository],
    signature: Signature,
) -> Iterator[Trigger]:
    watched = tuple(repositories)
    for suffix, by_default in (("", False), ("-default-branch", True)):
        of_kind = branches_of(watched, default=by_default)
        if of_kind:
            yield Trigger(
                name=f"{forge.name}-{shape.name}{suffix}",
                interceptors=(
                    _verification(forge, shape, signature),
                    _selection(make_filtering(shape, of_kind)),
                ),
                bindings=(Reference(ref=LISTENER_NAME),),
                template=Reference(ref=f"{LISTENER_NAME}-{shape.name}"),
            )


def _verification(forge: Forge, shape: EventShape, signature: Signature) -> Interceptor:
    secret = SecretReference(secret_name=signature.secret, secret_key=signature.key)
    return Interceptor(
        name="signature",
        ref=InterceptorReference(name=forge.interceptor, kind="ClusterInterceptor"),
        params=(
            InterceptorParameter(name="secretRef", value=secret),
            InterceptorParameter(name="eventTypes", value=shape.types),
        ),
    )


def _selection(filtering: Filtering) -> Interceptor:
    overlays = tuple(
        OverlayValue(key=each.key, expression=each.expression) for each in filtering.overlays
    )
    return Interceptor(
        name="selection",
        ref=InterceptorReference(name="cel", kind="ClusterInterceptor"),
        params=(
            InterceptorParameter(name="filter", value=filtering.filter),
            InterceptorParameter(name="overlays", value=overlays),
        ),
    )


def _binding(metadata: Metadata) -> TriggerBinding:
    params = tuple(BindingParameter(name=name, value=f"$(extensions.{name})") for name in _VALUES)
    return TriggerBinding(
        api_version=API_VERSION,
        kind="TriggerBinding",
        metadata=_named(metadata, LISTENER_NAME),
        spec=BindingSpecification(params=params),
    )


def _template(metadata: Metadata, shape: EventShape, run: Manifest) -> TriggerTemplate:
    params = tuple(
        TemplateParameter(name=name, description=meaning) for name, meaning in _VALUES.items()
    )
    return TriggerTemplate(
        api_version=API_VERSION,
        kind="TriggerTemplate",
        metadata=_named(metadata, f"{LISTENER_NAME}-{shape.name}"),
        spec=TemplateSpecification(params=params, resourcetemplates=(run,)),
    )


def _deployment() -> ListenerDeployment:
    rights = plain_rights()
    # The image of the listener brings its own user, which need not be the tool's.
    pod = msgspec.structs.replace(rights.pod, run_as_user=None, run_as_group=None, fs_group=None)
    container = ListenerContainer(resources=_LISTENER_RESOURCES, security_context=rights.container)
    return ListenerDeployment(
        replicas=1,
        spec=ListenerDeploymentSpecification(
            template=ListenerTemplate(
                spec=ListenerPod(security_context=pod, containers=(container,))
            )
        ),
    )


def _named(metadata: Metadata, name: str) -> Metadata:
    return msgspec.structs.replace(metadata, name=name)
