# SPDX-License-Identifier: Apache-2.0
"""What changed between two releases, and how it is written."""

from __future__ import annotations

import json

from okd_payload.imagestream import go_json
from okd_payload.release import labels
from okd_payload.release.changelog.collect import make_changelog
from okd_payload.release.changelog.document import print_changelog
from okd_payload.release.changelog.markdown import write_markdown
from okd_payload.release.changelog.text import write_text
from okd_payload.source.history import CommitRange

OLD, NEW = "a" * 40, "b" * 40

_GATE = """\
apiVersion: config.openshift.io/v1
kind: FeatureGate
metadata:
  name: cluster
  annotations:
    include.release.openshift.io/{profile}: false-except-for-the-config-operator
    release.openshift.io/feature-set: {features}
status:
  featureGates:
  - version: ""
    enabled: [{enabled}]
    disabled: [{disabled}]
"""


def gate(*, profile="self-managed-high-availability", features="Default", on=(), off=()):
    """A FeatureGate manifest."""
    names = [", ".join(f"{{name: {name}}}" for name in group) for group in (on, off)]
    return _GATE.format(profile=profile, features=features, enabled=names[0], disabled=names[1])


async def test_images_of_one_move_stand_together(tag, release, history, line):
    """A repository that several images are built of is read once and told once."""
    old = release("1.0.0", tag("a", 1), tag("b", 2))
    new = release("1.0.1", tag("a", 3, commit=NEW), tag("b", 4, commit=NEW))
    written = history(r=line("Mend (#2)", "Add (#1)"))
    changelog = await make_changelog(old, new, history=written)
    (updated,) = changelog.updated
    assert updated.source.images == ("a", "b")
    assert [change.request for change in updated.changes] == [2, 1]
    assert written.asked == [("https://github.com/o/r", OLD, NEW)]


async def test_images_are_told_apart_by_what_happened(tag, release, history, line):
    """New, gone, rebuilt and changed images are in lists of their own."""
    old = release("1.0.0", tag("gone", 1), tag("same", 2), tag("rebuilt", 3), tag("changed", 4))
    new = release(
        "1.0.1", tag("new", 5), tag("same", 2), tag("rebuilt", 6), tag("changed", 7, commit=NEW)
    )
    changelog = await make_changelog(old, new, history=history(r=line()))
    assert [image.name for image in changelog.added] == ["new"]
    assert [image.name for image in changelog.removed] == ["gone"]
    assert [image.name for image in changelog.rebuilt] == ["rebuilt"]
    assert [item.source.images for item in changelog.updated] == [("changed",)]


async def test_one_history_that_fails_leaves_the_others(tag, release, history, line):
    """A repository that cannot be read is a remark in the changelog, and nothing worse."""
    bad = "https://github.com/o/bad"
    old = release("1.0.0", tag("a", 1), tag("b", 2, source=bad), tag("c", 3, source=""))
    new = release(
        *("1.0.1", tag("a", 4, commit=NEW), tag("b", 5, commit=NEW, source=bad)),
        tag("c", 6, commit=NEW, source=""),
    )
    told = []
    written = history(r=line("Add (#1)"))
    changelog = await make_changelog(old, new, history=written, progress=told.append)
    assert {event.subject for event in told} == {"https://github.com/o/r", bad, "c"}
    a, b, c = changelog.updated
    assert a.changes
    assert b.problem == f"cannot reach {bad}"
    assert c.problem == "the image does not say where its source is"
    assert f"could not be read: cannot reach {bad}" in write_markdown(changelog)
    assert f"* From {OLD} to {NEW}\n" in write_markdown(changelog)
    assert f"could not be read: cannot reach {bad}" in write_text(changelog)


async def test_rewritten_histories_are_told(tag, release, history):
    """A commit that is gone, and commits that were left behind, are in the changelog."""
    old = release("1.0.0", tag("a", 1), tag("b", 2, source="https://github.com/o/s"))
    new = release(
        *("1.0.1", tag("a", 3, commit=NEW)),
        tag("b", 4, commit=NEW, source="https://github.com/o/s"),
    )
    written = history(r=CommitRange(gone=OLD), s=CommitRange(left_behind=1))
    text = write_text(await make_changelog(old, new, history=written))
    assert f"the commit {OLD} is not there any more" in text
    assert "1 commit of the older release did not come along" in text


async def test_versions_are_compared(tag, release, history):
    """Components whose version changed are named as people call them."""
    old = release("1.0.0", tag("cli", 1, **{labels.VERSIONS: "kubectl=1.33.0,kernel=5.14.0"}))
    new = release(
        "1.0.1",
        tag(
            *("cli", 2),
            **{
                labels.VERSIONS: "kubectl=1.33.1,crio=1.0.0",
                labels.DISPLAY_NAMES: "crio=The Runtime",
            },
        ),
    )
    text = write_text(await make_changelog(old, new, history=history()))
    assert "  The Runtime 1.0.0 was added\n" in text
    assert "  kernel 5.14.0 is no longer reported\n" in text
    assert "  kubectl went from 1.33.0 to 1.33.1\n" in text


async def test_feature_gates_are_compared_for_each_kind_of_cluster(release, history):
    """Gates that changed have a state for each profile and feature set; others have no line."""
    hosted = "ibm-cloud-managed"
    old = release(
        "1.0.0",
        manifests={
            "0000_50_featureGate-a.yaml": gate(on=["Same", "Done"], off=["Switched"]),
            "0000_50_featureGate-b.yaml": gate(profile=hosted, on=["Same", "Done"]),
        },
    )
    new = release(
        "1.0.1",
        manifests={
            "0000_50_featureGate-a.yaml": gate(on=["Same", "Switched"], off=["Fresh"]),
            "0000_50_featureGate-b.yaml": gate(profile=hosted, on=["Same"]),
        },
    )
    table = (await make_changelog(old, new, history=history())).gates
    assert table.columns == ("Default on Hypershift", "Default on SelfManagedHA")
    assert {item.name: item.states for item in table.gates} == {
        "Done": ("Unconditionally Enabled", "Unconditionally Enabled"),
        "Fresh": ("Not Available", "Disabled (New)"),
        "Switched": ("Not Available", "Enabled (Changed)"),
    }


async def test_the_page_links_what_people_click(tag, release, history, line):
    """Changes, images, tickets and histories are links, and titles cannot break out of them."""
    old = release("1.0.0", tag("a", 1), tag("gone", 9))
    new = release("1.0.1", tag("a", 2, commit=NEW), tag("new", 3, commit=NEW))
    written = history(r=line("OCPBUGS-7: [x] Mend <b>*it*</b> (#12)", "typo"))
    page = write_markdown(await make_changelog(old, new, history=written))
    assert page == (
        "# 1.0.1\n"
        "\n"
        "Created: 1970-01-01T00:00:00Z\n"
        "\n"
        "## Changes from 1.0.0\n"
        "\n"
        "### New images\n"
        "\n"
        f"* [new](https://github.com/o/r) git [bbbbbbbb](https://github.com/o/r/commit/{NEW})"
        f" `sha256:{3:064x}`\n"
        "\n"
        "### Removed images\n"
        "\n"
        "* gone\n"
        "\n"
        f"### [a](https://github.com/o/r/tree/{NEW})\n"
        "\n"
        "* [OCPBUGS-7](https://issues.redhat.com/browse/OCPBUGS-7):"
        " Mend \\<b\\>\\*it\\*\\</b\\> [\\#12](https://github.com/o/r/pull/12)\n"
        "* And 1 elided commit (e.g. from squash or rebase merges)\n"
        f"* [Full changelog](https://github.com/o/r/compare/{OLD}...{NEW})\n"
    )


async def test_the_document_has_the_keys_that_scripts_know(tag, release, history, line):
    """JSON has the peer's names, and what we add stands beside them."""
    old = release("1.0.0", tag("a", 1))
    new = release("1.0.1", tag("a", 2, commit=NEW))
    written = history(r=line("Bug 5: OCPBUGS-7: Mend (#12)"))
    changelog = await make_changelog(old, new, history=written)
    printed = json.loads(go_json.encode(print_changelog(changelog)))
    assert set(printed) == {
        *("from", "to", "components", "featureGates", "newImages", "removedImages"),
        *("rebuiltImages", "updatedImages"),
    }
    (updated,) = printed["updatedImages"]
    assert updated["name"] == "a"
    assert updated["fullChangeLog"] == f"https://github.com/o/r/compare/{OLD}...{NEW}"
    assert updated["commits"] == [
        {
            "bugs": {"5": "https://bugzilla.redhat.com/show_bug.cgi?id=5"},
            "issues": {"OCPBUGS-7": "https://issues.redhat.com/browse/OCPBUGS-7"},
            "subject": "Mend",
            "pullID": 12,
            "pullURL": "https://github.com/o/r/pull/12",
            "commitID": f"{1:040x}",
            "commitURL": f"https://github.com/o/r/commit/{1:040x}",
            "commitDate": "1970-01-01T00:00:01Z",
        }
    ]


async def test_equal_releases_have_nothing_to_tell(tag, release, history):
    """No section is empty: what did not change is not there."""
    only = release("1.0.0", tag("a", 1))
    text = write_text(await make_changelog(only, only, history=history()))
    assert text == "1.0.0, created 1970-01-01T00:00:00Z\nchanges from 1.0.0\n"
