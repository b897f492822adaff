# SPDX-License-Identifier: Apache-2.0
"""The image streams of a simulated cluster: tags that builds push and that people set.

An ImageStreamTag is a view of its stream. Here both are kept, always together: a push or a tag
adds the image to the history of the stream, and only images of the history can be tagged.
"""

from __future__ import annotations

from okd_payload.cluster import kinds
from okd_payload.testing.kubernetes import JsonObject, Refusal, SimulatedCluster
from okd_payload.testing.kubernetes.admission import AdmissionRequest, Operation
from okd_payload.testing.kubernetes.documents import clone, list_at, name_of, text_at
from okd_payload.testing.kubernetes.simulated_cluster import ActionRequest
from okd_payload.testing.kubernetes.statuses import already_exists, bad_request

_REGISTRY = "image-registry.openshift-image-registry.svc:5000"
_TAG_RESOURCE = kinds.IMAGE_STREAM_TAG.resource


class ImageStreams:
    """Makes and changes the image streams of one cluster."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        cluster.actions[_TAG_RESOURCE, ""] = self._create_tag
        cluster.mutating.append(self._change_tag)

    def add(self, namespace: str, name: str, *, public: str = "") -> JsonObject:
        """Make a stream; ``public`` is its repository outside of the cluster, if it has one."""
        document: JsonObject = {
            "apiVersion": kinds.IMAGE_STREAM.api_version,
            "kind": kinds.IMAGE_STREAM.kind,
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": self._cluster.state.new_uid(),
                "creationTimestamp": self._cluster.state.stamp(),
            },
            "spec": {"lookupPolicy": {"local": True}},
            "status": {
                "dockerImageRepository": f"{_REGISTRY}/{namespace}/{name}",
                **({"publicDockerImageRepository": public} if public else {}),
            },
        }
        return self._cluster.put(kinds.IMAGE_STREAM, document)

    def repository(self, namespace: str, name: str) -> str:
        """The repository of a stream inside of the cluster; empty when there is no stream."""
        found = self._cluster.find(kinds.IMAGE_STREAM, name, namespace=namespace)
        return text_at(found, "status", "dockerImageRepository") if found else ""

    def push(self, namespace: str, name: str, tag: str, digest: str) -> None:
        """Let ``tag`` be ``digest``, as after a push. Raises LookupError without a stream."""
        found = self._cluster.find(kinds.IMAGE_STREAM, name, namespace=namespace)
        if found is None:
            raise LookupError(f"there is no image stream {name}")
        stream = clone(found)
        repository = text_at(stream, "status", "dockerImageRepository")
        item = {
            "created": self._cluster.state.stamp(),
            "dockerImageReference": f"{repository}@{digest}",
            "image": digest,
            "generation": 1,
        }
        tags = stream["status"].setdefault("tags", [])
        history = next((each for each in tags if each["tag"] == tag), None)
        if history is None:
            history = {"tag": tag, "items": []}
            tags.append(history)
        history["items"].insert(0, item)
        self._cluster.put(kinds.IMAGE_STREAM, stream)
        self._cluster.put(
            kinds.IMAGE_STREAM_TAG,
            {
                "apiVersion": kinds.IMAGE_STREAM_TAG.api_version,
                "kind": kinds.IMAGE_STREAM_TAG.kind,
                "metadata": {
                    "name": f"{name}:{tag}",
                    "namespace": namespace,
                    "uid": self._cluster.state.new_uid(),
                    "creationTimestamp": self._cluster.state.stamp(),
                },
                "tag": None,
                "generation": 1,
                "lookupPolicy": {"local": True},
                "image": {
                    "metadata": {"name": digest},
                    "dockerImageReference": item["dockerImageReference"],
                },
            },
        )

    def resolve(self, namespace: str, reference: JsonObject) -> str:
        """The pull spec by digest that an object reference means now; empty when none."""
        place = reference.get("namespace") or namespace
        kind, name = reference.get("kind"), str(reference.get("name", ""))
        if kind == "DockerImage":
            return name
        if kind == "ImageStreamImage":
            stream, _, digest = name.partition("@")
            return f"{self.repository(place, stream)}@{digest}" if self._has(place, name) else ""
        found = self._cluster.find(kinds.IMAGE_STREAM_TAG, name, namespace=place)
        return text_at(found, "image", "dockerImageReference") if found else ""

    def _has(self, namespace: str, image: str) -> bool:
        """Whether an image is in the history of its stream: ``NAME@DIGEST``."""
        name, _, digest = image.partition("@")
        stream = self._cluster.find(kinds.IMAGE_STREAM, name, namespace=namespace) or {}
        return any(
            item["image"] == digest
            for history in list_at(stream, "status", "tags")
            for item in history["items"]
        )

    def _create_tag(self, request: ActionRequest) -> JsonObject:
        """``oc tag`` for a tag that is not there yet."""
        name = name_of(request.document)
        namespace = request.target.namespace
        if self._cluster.find(kinds.IMAGE_STREAM_TAG, name, namespace=namespace) is not None:
            raise already_exists(request.target.resource, name)
        self._point(namespace, name, text_at(request.document, "tag", "from", "name"))
        found = self._cluster.find(kinds.IMAGE_STREAM_TAG, name, namespace=namespace)
        return found or {}

    def _change_tag(self, document: JsonObject, request: AdmissionRequest) -> JsonObject:
        """``oc tag`` for a tag that is there."""
        if request.resource.name != _TAG_RESOURCE or request.operation is not Operation.UPDATE:
            return document
        wanted = text_at(document, "tag", "from", "name")
        if not wanted:
            return document
        self._point(request.namespace, request.name, wanted)
        found = self._cluster.find(
            kinds.IMAGE_STREAM_TAG, request.name, namespace=request.namespace
        )
        return {**(found or document), "metadata": document["metadata"]}

    def _point(self, namespace: str, name: str, image: str) -> None:
        stream, _, tag = name.partition(":")
        if not tag or not image.startswith(f"{stream}@"):
            raise bad_request(f"{name} cannot follow {image or 'nothing'}")
        if not self._has(namespace, image):
            raise Refusal(422, "Invalid", f'ImageStreamTag "{name}" is invalid: no {image}')
        self.push(namespace, stream, tag, image.partition("@")[2])
