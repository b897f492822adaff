# SPDX-License-Identifier: Apache-2.0
"""What an API server would say to objects that nobody has sent to one yet.

For tests of what is rendered into files: each object is judged alone, by its schema, the rules
of its kind, the rules of names, its size, and by the admission of the cluster that is given.
Unknown fields count as problems, as with ``fieldValidation=Strict``. Nothing is stored, and
neither the namespace nor anything that the object refers to has to be there.
"""

from __future__ import annotations

from pathlib import Path

from okd_payload.testing.kubernetes.admission import Operation
from okd_payload.testing.kubernetes.documents import (
    JsonObject,
    metadata_of,
    name_of,
    namespace_of,
    with_metadata,
)
from okd_payload.testing.kubernetes.preparation import (
    admission_request,
    check_size,
    decode,
    object_problems,
)
from okd_payload.testing.kubernetes.requests import FieldValidation, Target, WriteOptions
from okd_payload.testing.kubernetes.simulated_cluster import SimulatedCluster
from okd_payload.testing.kubernetes.statuses import Refusal

_STRICT = WriteOptions(field_validation=FieldValidation.STRICT)
_NAMESPACE = "default"


def validate(document: JsonObject, *definitions: Path) -> list[str]:
    """Everything that is wrong with ``document``; ``definitions`` are those of its kind.

    They are files or folders as ``SimulatedCluster.install`` takes them; built-in kinds need
    none. Who judges many objects makes one ``Judge``.
    """
    cluster = SimulatedCluster()
    cluster.install(*definitions)
    return Judge(cluster).problems(document)


class Judge:
    """Judges objects as ``cluster`` would: by its kinds and by its admission."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster

    def problems(self, document: JsonObject) -> list[str]:
        """Everything that is wrong with ``document``, in the words of the API server."""
        state = self._cluster.state
        api_version, kind = str(document.get("apiVersion")), str(document.get("kind"))
        resource = state.resources.of_kind(api_version, kind)
        if resource is None:
            return [f'no matches for kind "{kind}" in version "{api_version}"']
        namespace = namespace_of(document)
        if namespace and not resource.namespaced:
            return [f"metadata.namespace: {kind} is in no namespace"]
        target = Target(
            resource=resource,
            version=api_version.rpartition("/")[2],
            namespace=(namespace or _NAMESPACE) if resource.namespaced else "",
        )
        try:
            document = decode(state, target, document, _STRICT, warnings=[])
            document = with_metadata(document, namespace=target.namespace or None)
            return self._judge(target, document)
        except Refusal as refusal:
            return [refusal.message]

    def _judge(self, target: Target, document: JsonObject) -> list[str]:
        """What is wrong with an object that could be decoded. Raises Refusal."""
        state = self._cluster.state
        request = admission_request(
            state,
            target,
            Operation.CREATE,
            _STRICT,
            name=name_of(document),
            old=None,
            warnings=[],
        )
        for mutating in state.mutating:
            document = mutating(document, request)
        if not name_of(document):
            base = metadata_of(document).get("generateName")
            document = with_metadata(document, name=f"{base}{state.new_suffix()}" if base else None)
        problems = [cause.line for cause in object_problems(state, target, document)]
        for validating in state.validating:
            try:
                validating(document, request)
            except Refusal as refusal:
                problems.append(refusal.message)
        check_size(document)
        return problems
