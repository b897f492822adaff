# SPDX-License-Identifier: Apache-2.0
"""Error answers as errors."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import NotFound, RegistryRefused, Unauthorized
from okd_payload.oci.registry.responses import Problem, read_problem, refusal


def _body(code, message="", detail=None):
    return json.dumps({"errors": [{"code": code, "message": message, "detail": detail}]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "UNAUTHORIZED", Unauthorized),
        (403, "DENIED", Unauthorized),
        (404, "NAME_UNKNOWN", NotFound),
        (404, "", NotFound),
        (400, "MANIFEST_BLOB_UNKNOWN", NotFound),
        (400, "MANIFEST_INVALID", RegistryRefused),
        (405, "UNSUPPORTED", RegistryRefused),
        (413, "", RegistryRefused),
        (200, "", RegistryRefused),
    ],
)
def test_each_answer_has_its_error(status, code, error):
    """Status and code decide about the kind of error; its message says what and why."""
    problem = read_problem(status, _body(code, "as it is"))
    found = refusal(problem, what="reading x", login_hint="log in")
    assert type(found) is error
    assert str(found).startswith("reading x: the registry answers ")
    assert str(found).endswith("as it is")
    assert found.hint
    assert (found.hint == "log in") == (error is Unauthorized)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_body("DENIED", "requested access is denied"), "requested access is denied"),
        (_body("NAME_UNKNOWN"), "name unknown"),
        (_body("X", "bad", "tag v1"), "bad (tag v1)"),
        (_body("X", "bad", {"Tag": "v1"}), "bad"),
        (b'{"errors": [{"code": "A"}, {"code": "B", "message": "two"}]}', "a; two"),
        (b'{"details": "incorrect username or password"}', "incorrect username or password"),
        (b'{"error": "invalid_grant", "error_description": "expired"}', "expired"),
        (b'{"message": "page not found"}', "page not found"),
        (b'{"errors": null}', ""),
        (b"<html>502</html>", ""),
        (b"", ""),
    ],
)
def test_the_registry_s_own_words_are_found(content, words):
    """The forms that registries, token servers and proxies use are all read."""
    assert read_problem(400, content).words == words


def test_foreign_words_are_tamed():
    """Control characters never reach a terminal, and a long text is cut."""
    problem = read_problem(400, _body("X", "a\x1b[2J\n b" + "c" * 1000))
    assert str(problem).startswith("400 Bad Request: a [2J bccc")
    assert len(str(problem)) < 350


@pytest.mark.parametrize(
    ("problem", "transient"),
    [
        (Problem(429), True),
        (Problem(503), True),
        (Problem(500), True),
        (Problem(408), True),
        (Problem(403, ("TOOMANYREQUESTS",)), True),
        (Problem(403), False),
        (Problem(501), False),
        (Problem(404), False),
    ],
)
def test_what_may_pass_is_told_from_what_stays(problem, transient):
    """Overload may pass, refusals stay."""
    assert problem.is_transient is transient


def test_unknown_statuses_have_no_phrase():
    """A status nobody defined is shown as its number."""
    assert str(Problem(599)) == "599"


@given(st.integers(200, 599), st.binary(max_size=200))
def test_any_answer_becomes_one_error(status, content):
    """Whatever the body, there is one printable message."""
    problem = read_problem(status, content)
    assert str(refusal(problem, what="x", login_hint="")).isprintable()
