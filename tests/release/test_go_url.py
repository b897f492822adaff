# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.go_url import problem_of_url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://a.example/x?y=%zz#f",
        "mailto:a@example.com",
        "//a.example:443/x",
        "/a:b",
        "https://[::1]:8443/",
        "https://u:p@a.example/%41",
        "https:",
        "a/b:c",
        "https://a%25b/",
    ],
)
def test_addresses(text):
    """What Go takes for an address is one."""
    assert problem_of_url(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("https://x/%zz", 'invalid URL escape "%zz"'),
        ("https://x/%z", 'invalid URL escape "%z"'),
        ("https://x/#%", 'invalid URL escape "%"'),
        ("https://x/\n", "net/url: invalid control character in URL"),
        (":x", "missing protocol scheme"),
        ("1a:b", "first path segment in URL cannot contain colon"),
        ("https://a:b/", 'invalid port ":b" after host'),
        ("https://[::1/", "missing ']' in host"),
        ("https://a b/", 'invalid character " " in host name'),
        ("https://%41/", 'invalid URL escape "%41"'),
        ("https://u s@a/", "net/url: invalid userinfo"),
    ],
)
def test_problems(text, problem):
    """What Go does not take it refuses in these words."""
    assert problem_of_url(text).endswith(f": {problem}")


@given(st.text(alphabet="ab:/%@[]#?1z \n", max_size=20))
def test_any_text(text):
    """Any text is an address or has a problem, which begins with the text."""
    problem = problem_of_url(text)
    assert not problem or problem.startswith('parse "')
