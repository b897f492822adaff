# SPDX-License-Identifier: Apache-2.0
"""Whether the manifests of the update can be loaded and applied, and what becomes of the old ones.

An update is loaded with the settings of the cluster as it runs, and without looking at
capabilities; those come in when objects are applied, together with what the update enables by
itself so that nothing that is managed goes out of management.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import msgspec

from okd_payload.errors import ReleaseError
from okd_payload.issues import Issue
from okd_payload.release.accept import codes
from okd_payload.release.accept.model import Check, ClusterChoice, Side, conclude
from okd_payload.release.accept.signature import find_keys
from okd_payload.release.cluster.apply import Action, decide_action
from okd_payload.release.cluster.capabilities import (
    find_implicitly_enabled,
    resolve_capabilities,
)
from okd_payload.release.cluster.features import (
    gates_of,
    objects_about_clusters,
    tables_of,
)
from okd_payload.release.cluster.payload import LoadedPayload, ReadObjects, load_payload
from okd_payload.release.cluster.refusal import Refusal
from okd_payload.release.cluster.settings import CapabilityStatus, ClusterSettings
from okd_payload.release.objects import read_objects
from okd_payload.signing.configuration import UnusableConfiguration

_UNLOADABLE_HINT = "okd-payload release lint tells of everything that is wrong with it"


class RunningRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The release that the cluster runs, as its operator holds it."""

    payload: LoadedPayload
    settings: ClusterSettings
    """With which objects are loaded; capabilities do not count."""
    capabilities: CapabilityStatus
    choice: ClusterChoice
    read: ReadObjects
    """Remembers what it read, because two releases have most of their files in common."""


def load_running(old: Side, choice: ClusterChoice) -> RunningRelease:
    """The release ``old`` in a cluster. Raises ReleaseError when no cluster could run it."""
    read = functools.cache(read_objects)
    about = objects_about_clusters(old.tree.release.files if old.tree.release else {})
    settings = ClusterSettings(
        profile=choice.profile,
        feature_set=choice.feature_set,
        exclude_identifier=choice.exclude_identifier,
        enabled_gates=frozenset(),
    )
    gates = choice.gates
    if gates is None:
        gates = frozenset(gates_of(about, settings, "") or ())
    settings = msgspec.structs.replace(settings, enabled_gates=gates)
    capabilities = resolve_capabilities(
        choice.capabilities, enabled_gates=gates, tables=tables_of(about)
    )
    known = CapabilityStatus(known=capabilities.known, enabled=capabilities.known)
    payload = load_payload(
        old.tree,
        msgspec.structs.replace(settings, capabilities=known),
        release_image=old.pull_spec or old.name,
        folder=old.folder,
        read=read,
    )
    if isinstance(payload, Refusal):
        raise ReleaseError(f"no cluster runs {old.name}: {payload.message}", hint=_UNLOADABLE_HINT)
    return RunningRelease(
        payload=payload, settings=settings, capabilities=capabilities, choice=choice, read=read
    )


def load_wanted(new: Side, running: RunningRelease) -> LoadedPayload | Refusal:
    """What the cluster's operator makes of the update."""
    return load_payload(
        new.tree,
        running.settings,
        release_image=new.pull_spec or new.name,
        folder=new.folder,
        read=running.read,
    )


def check_loading(wanted: LoadedPayload | Refusal) -> Check:
    """Whether the operator loads the update."""
    issues = [codes.LOADED_WITH_WARNING.issue(text) for text in wanted.warnings]
    if isinstance(wanted, Refusal):
        told = f"{wanted.reason}: {wanted.message}" if wanted.reason else wanted.message
        issues.append(codes.UNLOADABLE_UPDATE.issue(told, hint=_UNLOADABLE_HINT))
        return conclude("payload", issues, reason=wanted.reason, message=wanted.message)
    count = len(wanted.manifests)
    return conclude("payload", issues, detail=f"{count} objects for this cluster")


def check_objects(running: RunningRelease, wanted: LoadedPayload) -> Check:
    """What applying the update does beyond what everybody expects."""
    enabled = _find_enabled(running, wanted)
    capabilities = resolve_capabilities(
        running.choice.capabilities,
        enabled_gates=running.settings.enabled_gates or frozenset(),
        implicitly_enabled=enabled,
        tables=tables_of(manifest.item for manifest in wanted.manifests),
    )
    issues = [
        *_tell_keys(wanted),
        *_tell_failing(wanted, capabilities),
        *(
            codes.ENABLED_CAPABILITY.issue(
                f"the update enables the capability {name}",
                hint="objects of the cluster move into it; it cannot be disabled again",
            )
            for name in sorted(enabled)
        ),
        *_tell_orphans(running, wanted),
    ]
    return conclude("objects", issues)


def _find_enabled(running: RunningRelease, wanted: LoadedPayload) -> frozenset[str]:
    settings = ClusterSettings(
        profile=None,
        feature_set=None,
        exclude_identifier=None,
        enabled_gates=running.settings.enabled_gates,
        capabilities=running.capabilities,
    )
    return find_implicitly_enabled(
        (manifest.item for manifest in running.payload.manifests),
        (manifest.item for manifest in wanted.manifests),
        old_settings=msgspec.structs.replace(
            settings, major_version=running.payload.facts.version.major
        ),
        new_settings=msgspec.structs.replace(settings, major_version=wanted.facts.version.major),
    )


def _tell_keys(wanted: LoadedPayload) -> Iterator[Issue]:
    """What will be wrong with the update after next."""
    try:
        keys = find_keys(wanted)
    except UnusableConfiguration as error:
        yield codes.UNUSABLE_UPDATE_KEYS.issue(
            f"{wanted.version}: {error.message}",
            hint="the operator of the update will not start with these keys",
        )
        return
    if keys is None:
        yield codes.NO_LATER_KEYS.issue(
            f"{wanted.version} carries no keys: no update of it can be verified",
            hint="make it with a cluster-update-keys image, or later updates have to be forced",
        )


def _tell_failing(wanted: LoadedPayload, capabilities: CapabilityStatus) -> Iterator[Issue]:
    for manifest in wanted.manifests:
        turn = decide_action(manifest.item, capabilities)
        if turn.action is Action.FAIL:
            yield codes.FAILING_OBJECT.issue(
                f"{manifest.item.key}: {turn.reason}",
                file=manifest.file,
                line=manifest.item.line,
                hint='write "true", or leave the annotation away; the update stops here',
            )


def _tell_orphans(running: RunningRelease, wanted: LoadedPayload) -> Iterator[Issue]:
    kept = {manifest.item.key for manifest in wanted.manifests}
    for manifest in running.payload.manifests:
        item = manifest.item
        turn = decide_action(item, running.capabilities)
        if item.key not in kept and turn.action in (Action.APPLY, Action.CREATE_ONLY):
            yield codes.ORPHANED_OBJECT.issue(
                f"{item.key} stays in the cluster: {wanted.version} neither has nor deletes it",
                file=manifest.file,
                hint='keep it for one release with release.openshift.io/delete: "true"',
            )
