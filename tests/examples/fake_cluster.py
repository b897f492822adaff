# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server in this process, as far as kubectl and the example's operators need it.

It has discovery, objects that can be read, created and applied, custom resources from the moment
on in which their definition is created, and it refuses what is in a namespace that does not exist.
``writes`` is what was created or changed, in order. ``fail`` makes it refuse the next writes of one
object, as a busy server does.
"""

from __future__ import annotations

import json
import posixpath
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

BUILT_IN = {
    "v1": {
        "namespaces": ("Namespace", False),
        "configmaps": ("ConfigMap", True),
        "serviceaccounts": ("ServiceAccount", True),
        "services": ("Service", True),
    },
    "apps/v1": {
        "deployments": ("Deployment", True),
        "daemonsets": ("DaemonSet", True),
        "statefulsets": ("StatefulSet", True),
    },
    "batch/v1": {"cronjobs": ("CronJob", True)},
    "rbac.authorization.k8s.io/v1": {
        "roles": ("Role", True),
        "rolebindings": ("RoleBinding", True),
        "clusterrolebindings": ("ClusterRoleBinding", False),
    },
    "apiextensions.k8s.io/v1": {
        "customresourcedefinitions": ("CustomResourceDefinition", False),
    },
}
VERBS = ["create", "get", "patch"]
_NAMESPACED = re.compile(r"/namespaces/([^/]+)/")
_CREATED, _APPLIED = 201, 200

Object = dict[str, Any]


class Refused(Exception):
    """What the server answers instead of doing it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class Write(msgspec.Struct, frozen=True):
    """One object that was created or changed."""

    method: str
    path: str
    body: Object


class FakeCluster:
    """The server's memory; ``serve`` makes it reachable at ``url``."""

    def __init__(self) -> None:
        self.url = ""
        self.objects: dict[str, Object] = {}
        """By path."""
        self.writes: list[Write] = []
        self.refusals: list[str] = []
        """Paths of writes that ``fail`` refused."""
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()

    def fail(self, path: str, times: int) -> None:
        """Answer the next ``times`` writes of ``path`` with 503."""
        self._failures[path] += times

    def of_kind(self, *kinds: str) -> list[Object]:
        """All objects of these kinds."""
        return [it for it in self.objects.values() if it["kind"] in kinds]

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Object]:
        """Status and content of the answer to one request."""
        with self._lock:
            try:
                if method == "GET":
                    return 200, self._discover(path) or self._get(path)
                if method == "POST":
                    return self._create(path, json.loads(body))
                return self._apply(path, yaml.safe_load(body))
            except Refused as refused:
                return refused.code, {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "code": refused.code,
                    "reason": refused.reason,
                    "message": str(refused),
                }

    def _resources(self) -> dict[str, dict[str, tuple[str, bool]]]:
        """Kinds by group and version, and by the word that paths have for them."""
        found = {version: dict(kinds) for version, kinds in BUILT_IN.items()}
        for it in self.of_kind("CustomResourceDefinition"):
            spec = it["spec"]
            for version in spec["versions"]:
                kinds = found.setdefault(f"{spec['group']}/{version['name']}", {})
                kinds[spec["names"]["plural"]] = (spec["names"]["kind"], spec["scope"] != "Cluster")
        return found

    def _discover(self, path: str) -> Object | None:
        resources = self._resources()
        if path == "/api":
            return {"kind": "APIVersions", "versions": ["v1"]}
        if path == "/apis":
            groups = [version.split("/") for version in resources if "/" in version]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [*map(_group, groups)]}
        version = path.removeprefix("/apis/").removeprefix("/api/")
        if version not in resources:
            return None
        return {
            "kind": "APIResourceList",
            "groupVersion": version,
            "resources": [
                {
                    "name": name,
                    "singularName": "",
                    "kind": kind,
                    "namespaced": scoped,
                    "verbs": VERBS,
                }
                for name, (kind, scoped) in resources[version].items()
            ],
        }

    def _get(self, path: str) -> Object:
        if path not in self.objects:
            raise Refused(404, "NotFound", f"{path} not found")
        return self.objects[path]

    def _create(self, collection: str, body: Object) -> tuple[int, Object]:
        path = posixpath.join(collection, body["metadata"]["name"])
        self._admit(path, body)
        if path in self.objects:
            raise Refused(409, "AlreadyExists", f"{path} already exists")
        self.objects[path] = body
        self.writes.append(Write("POST", path, body))
        return _CREATED, body

    def _apply(self, path: str, body: Object) -> tuple[int, Object]:
        target = path.removesuffix("/status")
        self._admit(target, body)
        before = self.objects.get(target, {})
        if target != path:
            if not before:
                raise Refused(404, "NotFound", f"{target} not found")
            body = {"status": body["status"]}
        self.objects[target] = _merged(before, body)
        self.writes.append(Write("PATCH", path, body))
        return _APPLIED if before else _CREATED, self.objects[target]

    def _admit(self, path: str, body: Object) -> None:
        """Refuse what a real server would, and what ``fail`` asked for."""
        if self._failures[path]:
            self._failures[path] -= 1
            self.refusals.append(path)
            raise Refused(503, "ServiceUnavailable", "the server is busy")
        kinds = self._resources().get(body["apiVersion"], {})
        _, resource, name = path.rsplit("/", 2)
        found = _NAMESPACED.search(path)
        namespace = found[1] if found else ""
        if kinds.get(resource) != (body["kind"], bool(namespace)):
            raise Refused(404, "NotFound", f"the server does not know {path}")
        if namespace and f"/api/v1/namespaces/{namespace}" not in self.objects:
            raise Refused(404, "NotFound", f"namespaces {namespace!r} not found")
        if (body["metadata"]["name"], body["metadata"].get("namespace", "")) != (name, namespace):
            raise Refused(400, "BadRequest", f"the object is not the one of {path}")


def _group(parts: list[str]) -> Object:
    name, version = parts
    known = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [known], "preferredVersion": known}


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _merged(old.get(key), value) for key, value in new.items()}
    return new


@contextmanager
def serve(cluster: FakeCluster) -> Iterator[None]:
    """Answer requests at ``cluster.url``, a free loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = cluster.answer(self.command, urlsplit(self.path).path, body)
            text = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = handle_request  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called
            """Nothing is logged: tests read ``writes``."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        cluster.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
