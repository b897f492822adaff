# SPDX-License-Identifier: Apache-2.0
"""What refusals of a real API server become, by its recorded answers."""

from __future__ import annotations

import json

import pytest
from recorded import answer_of, request_of

from okd_payload.cluster import kinds
from okd_payload.cluster.judgement import judge
from okd_payload.cluster.refusal import parse_refusal, read_refusal
from okd_payload.cluster.request import Answer, Subject, request_about

ERRORS = {
    "already-exists": ["AlreadyThere"],
    "bad-requests": [
        *(["Refused"] * 3 + ["ClusterError"] * 2 + ["Refused"] * 2 + ["ClusterError"] * 6),
        *("ClusterUnavailable", "ClusterError", "ClusterError", "ClusterError"),
        *("Refused", "Refused"),
    ],
    "conflict-resource-version": ["Conflict", "Refused", *["Conflict"] * 4],
    "delete": ["NoSuchObject", "NoSuchObject", "Refused"],
    "field-validation": ["Refused"] * 5,
    "limitrange-denied": ["Refused"] * 2,
    "logs": ["NoSuchObject", *["ClusterError"] * 5],
    "namespace-terminating": ["Refused"],
    "not-found": [*["NoSuchObject"] * 3, *["NoSuchKind"] * 2],
    "pagination-expired": ["ClusterError"] * 2,
    "pagination": ["ClusterError"] * 2,
    "pod-invalid": ["Refused"] * 7,
    "pod-security-denied": ["Refused"] * 3,
    "quota-denied": ["Refused", *["QuotaExceeded"] * 3],
    "rbac-denied": ["NotPermitted"] * 9,
    "server-side-apply": ["Refused", *["Conflict"] * 4, "Refused", "Refused"],
    "size-limits": ["Refused"] * 6,
    "watch": ["ClusterUnavailable", "ClusterError"],
    "webhook-down": ["ClusterUnavailable"],
}
"""For each transcript, the errors for its refusals in order."""

WORDS = {
    "namespace-terminating": ["namespace is being deleted"],
    "limitrange-denied": ["maximum memory usage per Container is 100Mi", "10Mi, but request"],
    "rbac-denied": [
        "limited lacks the right to create taskruns.tekton.dev in namespace builds",
        "lacks the right to list taskruns.tekton.dev in the whole cluster",
        "lacks the right to watch taskruns.tekton.dev in namespace builds",
        "lacks the right to get secrets in namespace builds",
        "limited lacks the right to get pods/log in namespace builds",
        "lacks the right to delete taskruns.tekton.dev in namespace builds",
        "lacks the right to list taskruns.tekton.dev in namespace nosuch",
        "nobody is logged in",
        "does not know us",
    ],
    "server-side-apply": ["fieldManager: Required", "engine looks after .metadata.labels.owner"],
    "quota-denied": ["must specify limits.memory for: c", "requested: limits.memory=2Gi"],
    "size-limits": ["may not be more than 1048576 bytes", "too large: etcdserver"],
}
"""What some of them must say."""

CLASS_OF_REASON = {
    "BadRequest": "Refused",
    "Invalid": "Refused",
    "AlreadyExists": "AlreadyThere",
    "NotFound": "NoSuchObject",
    "": "NoSuchKind",
}


def judged(exchange):
    """The error for a recorded exchange."""
    return judge(request_of(exchange), read_refusal(answer_of(exchange)), "https://c.test")


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_what_a_real_server_refuses(name, shared_data):
    """Each refusal becomes the error that says what it means, on which object, and what to do."""
    path = shared_data / "tekton-admission" / "api" / f"{name}.json"
    if not path.is_file():
        pytest.skip("this transcript is not there")
    exchanges = json.loads(path.read_text())["exchanges"]
    refused = [exchange for exchange in exchanges if exchange["http"] >= 400]
    errors = [judged(exchange) for exchange in refused]
    assert [type(error).__name__ for error in errors] == ERRORS[name]
    for error, words in zip(errors, WORDS.get(name, []), strict=False):
        assert words in error.message
    for exchange, error in zip(refused, errors, strict=True):
        assert str(request_of(exchange).about) in error.message
        assert error.hint or type(error).__name__ == "ClusterError"


def test_every_rejected_case(shared_data):
    """What admission and validation say no to is Refused, whoever says it, in their words."""
    cases = sorted((shared_data / "tekton-admission" / "cases").glob("*.json"))
    rejected = [case for case in map(json.loads, map(read, cases)) if case["http"] >= 400]
    assert len(rejected) > 100
    for case in rejected:
        reply = case["status"]
        reason = reply.get("reason", "") if isinstance(reply, dict) else ""
        error = judged(case)
        assert type(error).__name__ == CLASS_OF_REASON[reason], case["id"]
        if type(error).__name__ == "Refused":
            assert error.message.rstrip(".")[-10:] in " ".join(reply["message"].split()) + " "


def read(path):
    """The text of a file."""
    return path.read_text()


TASK_RUN = Subject(kind=kinds.TASK_RUN, namespace="builds", name="x")


def error_for(code, message, reason="", *, verb="create", **details):
    """The error for a refusal of a TaskRun."""
    body = {"kind": "Status", "reason": reason, "message": message, "details": details}
    refusal = read_refusal(Answer(status=code, body=json.dumps(body).encode()))
    return judge(request_about(TASK_RUN, verb), refusal, "https://c.test")


@pytest.mark.parametrize(
    ("message", "name", "hint"),
    [
        (
            'pods "p" is forbidden: unable to validate against any security context constraint: []',
            "Refused",
            "add-scc-to-user",
        ),
        (
            'admission webhook "validate.policy.test" denied the request: no privileged pods',
            "Refused",
            "change the object",
        ),
        ('taskruns "x" is forbidden: something new', "Refused", "change the object"),
        (
            (
                'x is forbidden: User "jane" cannot create resource "taskruns" in API group '
                '"tekton.dev" in the namespace "builds": RBAC: role "a" not found'
            ),
            "NotPermitted",
            "`kubectl auth can-i create taskruns.tekton.dev --namespace builds`",
        ),
        ('forbidden: User "jane" cannot get path "/version"', "NotPermitted", "can-i get /version"),
    ],
)
def test_kinds_of_403(message, name, hint):
    """What else is forbidden is told apart by its words, and said with a way out."""
    error = error_for(403, message, "Forbidden")
    assert type(error).__name__ == name
    assert hint in error.hint


def test_who_refuses_is_said():
    """A webhook's refusal names the webhook, and each of its complaints."""
    said = 'admission webhook "v.tekton.dev" denied the request: validation failed: a\nb: c'
    error = error_for(400, said, "BadRequest")
    assert "v.tekton.dev refuses it: a; b: c" in error.message


def test_what_reading_refuses_is_no_fault_of_an_object():
    """Only writes are refused for good; a refused question is a plain error."""
    assert type(error_for(400, "bad", "BadRequest", verb="get")).__name__ == "ClusterError"


def test_a_kind_without_its_definition():
    """A group that is there without this kind is told as the missing kind, with what brings it."""
    error = error_for(404, "the server could not find the requested resource", "NotFound")
    assert type(error).__name__ == "NoSuchKind"
    assert "install Tekton Pipelines" in error.hint


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"kind": 1}', b"\xff", b'{"a":'])
def test_words_of_others(body):
    """What is no Status is kept as words, whatever it is."""
    refusal = parse_refusal(body, code=502)
    assert (refusal.code, refusal.structured, refusal.reason) == (502, False, "")


def test_long_words_are_cut():
    """A server that repeats a huge value does not fill the screen."""
    assert len(error_for(422, "x" * 300_000, "Invalid").message) < 3000
