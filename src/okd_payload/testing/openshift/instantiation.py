# SPDX-License-Identifier: Apache-2.0
"""From a BuildConfig and a request to a Build, as OpenShift makes one.

References to image streams are replaced by what they mean at this moment. One that means nothing
does not stop the Build from being made: it stays ``New``, and says why.
"""

from __future__ import annotations

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import JsonObject, SimulatedCluster
from okd_payload.testing.kubernetes.documents import (
    clone,
    labels_of,
    list_at,
    name_of,
    object_at,
    text_at,
    uid_of,
)
from okd_payload.testing.kubernetes.simulated_cluster import ActionRequest
from okd_payload.testing.kubernetes.statuses import bad_request, not_found
from okd_payload.testing.openshift.image_streams import ImageStreams

_ONLY_OF_CONFIGS = (
    "runPolicy",
    "triggers",
    "successfulBuildsHistoryLimit",
    "failedBuildsHistoryLimit",
)


class Instantiation:
    """Answers ``buildconfigs/NAME/instantiate``."""

    def __init__(self, cluster: SimulatedCluster, streams: ImageStreams) -> None:
        self._cluster = cluster
        self._streams = streams
        cluster.actions[kinds.BUILD_CONFIG.resource, "instantiate"] = self._instantiate

    def _instantiate(self, request: ActionRequest) -> JsonObject:
        namespace, name = request.target.namespace, request.target.name
        config = self._cluster.find(kinds.BUILD_CONFIG, name, namespace=namespace)
        if config is None:
            raise not_found(request.target.resource, name)
        if name_of(request.document) != name:
            raise bad_request(f"the name of the request is not {name}")
        last = int(object_at(config, "status").get("lastVersion") or 0)
        wanted = request.document.get("lastVersion")
        if wanted is not None and wanted != last:
            raise bad_request(f"the LastVersion({last}) on build config {name} does not match")
        number = last + 1
        self._cluster.put(kinds.BUILD_CONFIG, {**config, "status": {"lastVersion": number}})
        return self._cluster.put(
            kinds.OPENSHIFT_BUILD, self._build(config, request.document, namespace, number)
        )

    def _build(
        self, config: JsonObject, asked: JsonObject, namespace: str, number: int
    ) -> JsonObject:
        spec = {
            key: value
            for key, value in clone(config["spec"]).items()
            if key not in _ONLY_OF_CONFIGS
        }
        if "revision" in asked:
            spec["revision"] = asked["revision"]
        strategy = object_at(spec, "strategy", "dockerStrategy")
        arguments = list_at(asked, "dockerStrategyOptions", "buildArgs")
        if arguments:
            strategy["buildArgs"] = [*strategy.get("buildArgs", []), *arguments]
        if asked.get("env"):
            strategy["env"] = [*strategy.get("env", []), *asked["env"]]
        reason = self.resolve(spec, namespace)
        return {
            "apiVersion": kinds.OPENSHIFT_BUILD.api_version,
            "kind": kinds.OPENSHIFT_BUILD.kind,
            "metadata": self._metadata(config, asked, namespace, number),
            "spec": spec,
            "status": {
                "phase": "New",
                "config": {
                    "kind": "BuildConfig",
                    "namespace": namespace,
                    "name": name_of(config),
                },
                "output": {},
                **reason,
            },
        }

    def _metadata(
        self, config: JsonObject, asked: JsonObject, namespace: str, number: int
    ) -> JsonObject:
        name, state = name_of(config), self._cluster.state
        return {
            "name": f"{name}-{number}",
            "namespace": namespace,
            "uid": state.new_uid(),
            "creationTimestamp": state.stamp(),
            "labels": {
                **labels_of(asked),
                **labels_of(config),
                "buildconfig": name,
                "openshift.io/build-config.name": name,
                "openshift.io/build.start-policy": "Parallel",
            },
            "annotations": {
                **object_at(asked, "metadata", "annotations"),
                "openshift.io/build-config.name": name,
                "openshift.io/build.number": str(number),
            },
            "ownerReferences": [
                {
                    "apiVersion": kinds.BUILD_CONFIG.api_version,
                    "kind": kinds.BUILD_CONFIG.kind,
                    "name": name,
                    "uid": uid_of(config),
                    "controller": True,
                }
            ],
        }

    def resolve(self, spec: JsonObject, namespace: str) -> JsonObject:
        """Replace the references in ``spec``; what to say in the status about those left."""
        strategy = object_at(spec, "strategy", "dockerStrategy")
        holders = [strategy, *list_at(spec, "source", "images")]
        for holder in holders:
            reference = holder.get("from")
            if not reference:
                continue
            meant = self._streams.resolve(namespace, reference)
            if not meant:
                return {
                    "reason": "InvalidImageReference",
                    "message": "Referenced image could not be resolved.",
                }
            holder["from"] = {"kind": "DockerImage", "name": meant}
        target = object_at(spec, "output", "to")
        if target.get("kind") == "ImageStreamTag":
            stream, _, tag = text_at(target, "name").partition(":")
            repository = self._streams.repository(namespace, stream)
            if not repository:
                return {
                    "reason": "InvalidOutputReference",
                    "message": "Output image could not be resolved.",
                }
            return {"outputDockerImageReference": f"{repository}:{tag}"}
        return {"outputDockerImageReference": text_at(target, "name")}
