# SPDX-License-Identifier: Apache-2.0
"""What the commits of the field say about themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.release.changelog.messages import describe_commit, digest_commits, split_title
from okd_payload.source.history import LoggedCommit


def commit(subject, body="", *, parents=("p",)):
    """A commit that says this."""
    return LoggedCommit(id="c" * 40, parents=parents, time=1, subject=subject, body=body)


@pytest.mark.parametrize(
    ("title", "tickets", "subject"),
    [
        ("Add a thing", [], "Add a thing"),
        ("OCPBUGS-12: mend it", ["OCPBUGS-12"], "mend it"),
        ("OCPBUGS-12, MCO-3: mend it", ["OCPBUGS-12", "MCO-3"], "mend it"),
        ("[release-4.20] OCPBUGS-12: mend it", ["OCPBUGS-12"], "mend it"),
        ("OCPBUGS-12: [release-4.20] mend it", ["OCPBUGS-12"], "mend it"),
        ("[a] [b]mend it", [], "mend it"),
        ("Bug 1234567: mend it", ["1234567"], "mend it"),
        ("bugs 12, 34: mend it", ["12", "34"], "mend it"),
        ("OCPBUGS-12: OCPBUGS-12: twice", ["OCPBUGS-12"], "twice"),
        ("NO-JIRA: tidy", [], "NO-JIRA: tidy"),
        ("UTF-8 is good", [], "UTF-8 is good"),
        ("fix: OCPBUGS-12 in the middle", [], "fix: OCPBUGS-12 in the middle"),
        ("[release-4.20]", [], "[release-4.20]"),
        ("OCPBUGS-12:", [], "OCPBUGS-12:"),
    ],
)
def test_tickets_stand_before_the_title(title, tickets, subject):
    """Marks and tickets are taken off the front, and nothing else is."""
    found, rest = split_title(title)
    assert ([ticket.key for ticket in found], rest) == (tickets, subject)


def test_a_merge_says_its_title_in_the_body():
    """GitHub's merges have the number in the first line and the title below."""
    merge = commit("Merge pull request #7 from me/x", "\nOCPBUGS-1: mend\nmore", parents=("a", "b"))
    change = describe_commit(merge)
    assert (change.request, change.subject, change.tickets[0].key) == (7, "mend", "OCPBUGS-1")


def test_a_merge_request_is_found_in_the_body():
    """GitLab's merges refer to the request at their end."""
    body = "Mend it\n\nSee merge request group/sub/project!34"
    change = describe_commit(commit("Merge branch 'x' into 'main'", body, parents=("a", "b")))
    assert (change.request, change.subject) == (34, "Mend it")


def test_a_squashed_commit_has_the_number_behind_its_title():
    """Squashed requests are changes like merged ones."""
    change = describe_commit(commit("[a] Mend it (#12)"))
    assert (change.request, change.subject) == (12, "Mend it")


def test_commits_without_a_request_are_counted():
    """What came without a request has no line, and is not forgotten."""
    digested = digest_commits(
        [commit("Merge branch 'main'", parents=("a", "b")), commit("typo"), commit("Mend (#1)")]
    )
    assert ([change.request for change in digested.changes], digested.elided) == ([1], 2)


@given(st.text(max_size=80))
def test_no_title_loses_its_words(title):
    """Whatever a title is, it is split without an error, and its subject is the end of it."""
    tickets, subject = split_title(title)
    assert title.strip().endswith(subject)
    assert all(ticket.key in title for ticket in tickets)
