# SPDX-License-Identifier: Apache-2.0
"""Events of forges become runs of the right components, and strangers' text does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Component, Origin
from okd_payload.catalog.stream import CatalogSource, Stream
from okd_payload.engines.manifests import Manifest, Metadata
from okd_payload.engines.tekton.triggers.forges import FORGES, GITHUB, GITLAB
from okd_payload.engines.tekton.triggers.listener import EventRuns, Signature, make_listener
from okd_payload.engines.tekton.triggers.repositories import watched_repositories
from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from expressions import Missing, evaluate  # noqa: E402 - found by the line above

SOURCES = {
    "etcd": GitSource(url="https://github.com/openshift/etcd.git", ref="release-4.20"),
    "etcd-tools": GitSource(url="git@github.com:openshift/etcd", ref="release-4.20"),
    "api": GitSource(url="https://user:secret@github.com/openshift/api", ref=""),
    "pinned": GitSource(url="https://github.com/openshift/pinned", ref="7" * 40),
    "it's": GitSource(url="https://github.com/openshift/quoted", ref="it's-a-branch"),
    "network": GitSource(url="https://gitlab.example.com/group/okd/network.git", ref=""),
    "local": FolderSource(path="/sources/local"),
}


class Run(Manifest, frozen=True, kw_only=True):
    """What is created, with the values of the event."""

    spec: dict[str, str]


def a_run(kind: str) -> Run:
    """An object that shows every value that it gets."""
    names = ("components", "repository", "commit")
    return Run(
        api_version="tekton.dev/v1",
        kind=kind,
        metadata=Metadata(generate_name="run-"),
        spec={name: f"$(tt.params.{name})" for name in names},
    )


def a_catalog(**sources) -> Catalog:
    """A catalog with one component for each of ``sources``."""
    return Catalog(
        path="stream.yaml",
        stream=Stream(name="small", catalog=(CatalogSource(components="components"),)),
        components=tuple(
            Component(name=name, tag=name, origin=Origin("x"), source=source)
            for name, source in sources.items()
        ),
    )


def listen(forge=GITHUB, sources=SOURCES) -> dict[str, Any]:
    """The objects that listen, as an API server gets them, by kind and name."""
    objects = make_listener(
        forge,
        watched_repositories(a_catalog(**sources), forge),
        EventRuns(push=a_run("PipelineRun"), proposal=a_run("TaskRun")),
        signature=Signature(secret="webhook-secret", key="token"),
        metadata=Metadata(namespace="okd", labels={"x": "y"}),
    )
    plain = [json.loads(msgspec.json.encode(each)) for each in objects]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in plain}


def event(name: str, **changes: Any) -> dict[str, Any]:
    """An event as the forge sends it; ``changes`` are of fields at its top."""
    return json.loads((HERE / "events" / f"{name}.json").read_text()) | changes


def receive(objects: dict[str, Any], kind: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """What the listener creates for an event of ``kind`` that is signed as it should be."""
    created = []
    for trigger in objects["EventListener/okd-payload"]["spec"]["triggers"]:
        signature, selection = trigger["interceptors"]
        told = {item["name"]: item["value"] for item in signature["params"]}
        assert told["secretRef"] == {"secretName": "webhook-secret", "secretKey": "token"}
        if kind not in told["eventTypes"]:
            continue
        told = {item["name"]: item["value"] for item in selection["params"]}
        try:
            if not evaluate(told["filter"], body):
                continue
            added = {each["key"]: evaluate(each["expression"], body) for each in told["overlays"]}
        except Missing:
            continue
        binding = objects[f"TriggerBinding/{trigger['bindings'][0]['ref']}"]
        template = objects[f"TriggerTemplate/{trigger['template']['ref']}"]
        text = json.dumps(template["spec"]["resourcetemplates"][0])
        declared = {item["name"] for item in template["spec"]["params"]}
        for parameter in binding["spec"]["params"]:
            path = parameter["value"].removeprefix("$(").removesuffix(")").split(".")
            value = {"body": body, "extensions": added}
            for part in path:
                value = value[part]
            assert parameter["name"] in declared
            # Triggers escapes quotes and nothing else.
            escaped = value.replace('"', '\\"')
            text = text.replace(f"$(tt.params.{parameter['name']})", escaped)
        created.append(json.loads(text))
    return created


def test_a_push_builds_what_comes_from_the_repository():
    """The branch of the stream was pushed to: its components are built from it."""
    (created,) = receive(listen(), "push", event("github-push"))
    assert created["kind"] == "PipelineRun"
    assert created["spec"] == {
        "components": "etcd,etcd-tools",
        "repository": "openshift/etcd",
        "commit": "2" * 40,
    }


def test_a_pull_request_is_tried_by_a_run_of_its_own():
    """What is proposed is built beside the stream, at the commit that was proposed."""
    (created,) = receive(listen(), "pull_request", event("github-pull-request"))
    assert created["kind"] == "TaskRun"
    assert created["spec"]["repository"] == "openshift/etcd"
    assert created["spec"]["commit"] == "3" * 40


@pytest.mark.parametrize(
    ("name", "kind", "run", "commit"),
    [
        ("gitlab-push", "Push Hook", "PipelineRun", "4" * 40),
        ("gitlab-merge-request", "Merge Request Hook", "TaskRun", "6" * 40),
    ],
)
def test_gitlab_says_it_in_other_words(name, kind, run, commit):
    """Groups in groups, its own names for fields, and a component on the default branch."""
    (created,) = receive(listen(GITLAB), kind, event(name))
    assert created["kind"] == run
    assert created["spec"] == {
        "components": "network",
        "repository": "okd/network",
        "commit": commit,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"ref": "refs/heads/release-4.19"},
        {"ref": "refs/tags/release-4.20"},
        {"deleted": True},
        {"after": "0000"},
        {"after": "2" * 40 + '","x":"'},
        {"repository": {"full_name": "stranger/etcd", "default_branch": "main"}},
        {"repository": {}},
    ],
)
def test_what_is_not_of_the_stream_starts_nothing(changes):
    """Other branches, tags, removed branches, forks, and events that say something odd."""
    assert receive(listen(), "push", event("github-push", **changes)) == []


@pytest.mark.parametrize("action", ["closed", "labeled", "edited", "review_requested"])
def test_a_pull_request_without_new_code_starts_nothing(action):
    """Only what was proposed anew is built."""
    body = event("github-pull-request", action=action)
    assert receive(listen(), "pull_request", body) == []


def test_a_merge_request_whose_title_changed_starts_nothing():
    """GitLab sends the same action for that, but no older revision."""
    body = event("gitlab-merge-request")
    del body["object_attributes"]["oldrev"]
    assert receive(listen(GITLAB), "Merge Request Hook", body) == []


def test_the_default_branch_is_known_by_the_event():
    """A component that names no branch follows the default one, whichever that is."""
    repository = {"full_name": "openshift/api", "default_branch": "master"}
    pushed = event("github-push", ref="refs/heads/master", repository=repository)
    (created,) = receive(listen(), "push", pushed)
    assert created["spec"]["components"] == "api"
    other = event("github-push", ref="refs/heads/main", repository=repository)
    assert receive(listen(), "push", other) == []


def test_names_with_quotes_stay_names():
    """A branch may hold a quote, and is no expression for that."""
    repository = {"full_name": "openshift/quoted", "default_branch": "main"}
    pushed = event("github-push", ref="refs/heads/it's-a-branch", repository=repository)
    (created,) = receive(listen(), "push", pushed)
    assert created["spec"]["components"] == "it's"


def test_no_text_of_an_event_reaches_a_run():
    """Whatever a stranger writes, a run gets names of the stream and a commit."""
    for name, kind in (("github-push", "push"), ("github-pull-request", "pull_request")):
        (created,) = receive(listen(), kind, event(name))
        told = set(created["spec"].values())
        assert told <= {"etcd,etcd-tools", "openshift/etcd", "2" * 40, "3" * 40}


def test_only_branches_that_can_be_pushed_to_are_watched():
    """Pinned commits, folders and other forges are nobody's event."""
    watched = watched_repositories(a_catalog(**SOURCES), GITHUB)
    assert [(each.path, each.branch) for each in watched] == [
        ("openshift/api", ""),
        ("openshift/etcd", "release-4.20"),
        ("openshift/quoted", "it's-a-branch"),
    ]
    assert all("secret" not in repr(each) for each in watched)


def test_a_stream_with_nothing_on_the_forge_is_told():
    """A listener that can never hear anything is a mistake."""
    with pytest.raises(InputError, match="no component is built from a branch"):
        listen(GITLAB, {"etcd": SOURCES["etcd"]})


@pytest.mark.parametrize("forge", FORGES.values(), ids=FORGES)
def test_objects_fit_the_schemas_of_triggers(forge, shared_data):
    """What is installed with Triggers takes them."""
    for object_ in listen(forge).values():
        path = shared_data / "crds" / "tekton-triggers" / f"300-{object_['kind'].lower()}.yaml"
        definition = yaml.safe_load(path.read_text())
        version = object_["apiVersion"].rpartition("/")[2]
        (schema,) = (
            each["schema"]["openAPIV3Schema"]
            for each in definition["spec"]["versions"]
            if each["name"] == version
        )
        assert definition["spec"]["names"]["kind"] == object_["kind"]
        Draft202012Validator(schema).validate(object_)


def test_the_listener_is_limited_and_has_no_privilege():
    """It faces the internet, so it runs as nobody with little."""
    deployment = listen()["EventListener/okd-payload"]["spec"]["resources"]["kubernetesResource"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} <= set(container["resources"])
