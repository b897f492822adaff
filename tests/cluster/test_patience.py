# SPDX-License-Identifier: Apache-2.0
"""What is asked again, how often, and with which pauses."""

from __future__ import annotations

import json

import pytest
from recorded import answer_of, request_of

from okd_payload.cluster import kinds
from okd_payload.cluster.patience import DOUBTFUL_TRIES, Patience, Trouble, trouble_of
from okd_payload.cluster.request import Answer, Subject, Unreached, request_about
from okd_payload.testing.clock import ManualClock

SUBJECT = Subject(kind=kinds.TASK_RUN, namespace="builds", name="x")
CREATE = request_about(SUBJECT, "create", body=b'{"metadata":{}}')


def answer(code, message="", reason="", **details):
    """A refusal as a server says it."""
    body = {"kind": "Status", "message": message, "reason": reason, "details": details}
    return Answer(status=code, body=json.dumps(body).encode())


PASSING = {
    "too many": answer(429, "too many requests", "TooManyRequests"),
    "webhook": answer(500, 'failed calling webhook "a": connection refused', "InternalError"),
    "quota": answer(403, 'pods "p" is forbidden: status unknown for quota: q', "Forbidden"),
    "overtaken": answer(409, "Operation cannot be fulfilled on resourcequotas", "Conflict"),
    "not sent": Unreached(words="connection refused", sent=False),
}
UNSURE = {
    "leader": answer(500, "etcdserver: leader changed"),
    "unknown": answer(500, "who knows", "InternalError"),
    "gateway": Answer(status=502, body=b"<html>"),
    "away": Answer(status=503),
    "slow": answer(504, "Timeout: request did not complete", "Timeout"),
    "cut": Unreached(words="connection reset"),
}
FINAL = {
    "too large": answer(500, "etcdserver: request is too large"),
    "too large for a message": answer(500, "trying to send message larger than max"),
    "bad": answer(400, "bad", "BadRequest"),
    "not there": answer(404, "not found", "NotFound"),
    "there": answer(409, "already exists", "AlreadyExists"),
    "owned": answer(409, "Apply failed with 1 conflict", "Conflict"),
    "good": Answer(status=201),
    "forbidden": answer(403, "no", "Forbidden"),
    "no trust": Unreached(words="certificate", sent=False, mendable=False),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_was_certainly_not_done(name):
    """Overload, webhooks that are away and quotas that are not counted pass; nothing was done."""
    trouble = trouble_of(PASSING[name], CREATE)
    assert trouble is not None
    assert trouble.undone


@pytest.mark.parametrize("name", UNSURE)
def test_what_may_have_been_done(name):
    """After a failure of the server or the way nobody knows what was done."""
    trouble = trouble_of(UNSURE[name], CREATE)
    assert trouble is not None
    assert not trouble.undone
    assert trouble.doubtful == (name == "unknown")


@pytest.mark.parametrize("name", FINAL)
def test_what_asking_again_cannot_change(name):
    """A refusal stays, and so does a 500 that is about the size of the object."""
    assert trouble_of(FINAL[name], CREATE) is None


def test_a_stated_version_is_not_overtaken():
    """Who asks for a change of one version wants to hear that it is the old one."""
    request = request_about(SUBJECT, "patch", body=b'{"metadata":{"resourceVersion":"5"}}')
    said = answer(409, "the object has been modified", "Conflict")
    assert trouble_of(said, request) is None


def test_recorded_failures(shared_data):
    """Of the recorded failures those are asked again that a server explains by itself."""
    folder = shared_data / "tekton-admission" / "api"
    again = set()
    for path in sorted(folder.glob("*.json")):
        for number, exchange in enumerate(json.loads(path.read_text())["exchanges"]):
            outcome = answer_of(exchange)
            if trouble_of(outcome, request_of(exchange)):
                again.add((path.stem, number))
    assert again == {("bad-requests", 14), ("watch", 6), ("webhook-down", 0)}


async def test_pauses_grow_and_end_at_the_deadline():
    """Pauses double, with jitter, and the deadline counts from the first failure."""
    clock = ManualClock()
    patience = Patience(clock, 10)
    while await patience.endure(Trouble(words="x"), "it"):
        pass
    assert 4 <= len(clock.waits) <= 7
    assert sum(clock.waits) <= 10
    for number, pause in enumerate(clock.waits):
        assert 0.125 * 2**number <= pause <= 0.25 * 2**number


async def test_progress_begins_anew():
    """After a success failures count from the beginning."""
    clock = ManualClock()
    patience = Patience(clock, 1)
    for _ in range(20):
        assert await patience.endure(Trouble(words="x"), "it")
        patience.note_progress()
        clock.advance(100)
    assert max(clock.waits) <= 0.25


async def test_the_server_says_how_long():
    """Retry-After is kept to, but not for ever."""
    clock = ManualClock()
    patience = Patience(clock, 1000)
    await patience.endure(Trouble(words="x", retry_after=7), "it")
    await patience.endure(Trouble(words="x", retry_after=86400), "it")
    assert clock.waits == [7, 120]


async def test_doubts_are_few():
    """A failure that nobody explains is tried a few times only."""
    patience = Patience(ManualClock(), 1000)
    tries = 1
    while await patience.endure(Trouble(words="x", doubtful=True), "it"):
        tries += 1
    assert tries == DOUBTFUL_TRIES
