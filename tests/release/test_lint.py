# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import msgspec
import pytest

from okd_payload.issues import Severity
from okd_payload.release import codes, labels
from okd_payload.release.lint.base import lint_base
from okd_payload.release.lint.check import BUILD_CHECKS, lint_images, lint_release
from okd_payload.release.load import ReleaseContent, read_release
from okd_payload.release.new.publish import publish_release

_DIGEST = "sha256:" + "a" * 64


async def _published(world):
    release = await world.release()
    await publish_release(release, world.target, tag="x", repository_of=world.repository_of)
    return await read_release(world.target, "x")


@pytest.fixture
async def content(world, manifest):
    """A sound release with one operator."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    return await _published(world)


def _with(content, **files):
    """``content`` with other files; None takes one out. Underscores stand for dots and dashes."""
    names = {"references": labels.IMAGE_REFERENCES, "metadata": labels.RELEASE_METADATA}
    changed = {names.get(name, f"0000_50_op_{name}.yaml"): text for name, text in files.items()}
    merged = {**content.files, **changed}
    return msgspec.structs.replace(
        content, files={name: text for name, text in merged.items() if text is not None}
    )


def _codes(content):
    issues = lint_release(content, checks=BUILD_CHECKS)
    return [issue.code for issue in issues if issue.severity is not Severity.NOTICE]


async def test_sound_release(world, content):
    """A release as it was made has no issue, neither its files nor its images nor its base."""
    assert _codes(content) == []
    assert await lint_images(content, world.repository_of) == []
    assert await lint_base(content, world.target) == []


async def test_unpublished_payload(world, manifest):
    """A payload can be checked before anything is published."""
    await world.add_base()
    await world.add("op", {"a.yaml": manifest("a")})
    files = {file.name: file.content for file in (await world.payload()).files}
    assert _codes(ReleaseContent(origin="payload", files=files)) == []


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"references": None}, codes.MISSING_FILE),
        ({"metadata": None}, codes.MISSING_FILE),
        ({"references": b"{}"}, codes.INVALID_REFERENCES),
        ({"metadata": b"{} x"}, codes.INVALID_METADATA),
        ({"metadata": b'{"kind":"cincinnati-metadata-v0"}'}, codes.INVALID_METADATA),
        ({"x": b"kind: [\n"}, codes.INVALID_MANIFEST),
        ({"x": b"apiVersion: v1\nkind: ConfigMap\n"}, codes.INVALID_MANIFEST),
    ],
)
async def test_what_clusters_refuse(content, files, code):
    """Each fault that bars a payload from clusters has its own code."""
    assert _codes(_with(content, **files)) == [code.code]


async def test_names_that_differ(content):
    """The two files and the label must give the same version."""
    metadata = content.files[labels.RELEASE_METADATA].replace(b"4.20.0", b"4.20.1")
    issues = lint_release(_with(content, metadata=metadata), checks=BUILD_CHECKS)
    assert [issue.code for issue in issues] == [codes.NAME_DIFFERS.code] * 2
    assert labels.RELEASE in issues[1].message


async def test_repeated_objects(content, manifest):
    """Twice in a file is an error, in two files a warning, another namespace is another object."""
    twice = manifest("b") + "---\n" + manifest("b").replace("v1", "v2")
    other = manifest("b").replace("namespace: default", "namespace: kube-system")
    assert _codes(_with(content, b=twice.encode(), c=manifest("b").encode())) == [
        codes.DUPLICATE_OBJECT.code,
        codes.REPEATED_OBJECT.code,
    ]
    assert _codes(_with(content, b=manifest("b").encode(), c=other.encode())) == []


def _pod(image, **env):
    variables = "".join(
        f"    - {{name: {name}, value: '{value}'}}\n" for name, value in env.items()
    )
    return (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: default\n"
        '  annotations: {include.release.openshift.io/hypershift: "true"}\n'
        "spec:\n  containers:\n  - name: c\n"
        f"    image: '{image}'\n" + (f"    env:\n{variables}" if env else "")
    ).encode()


@pytest.mark.parametrize(
    ("manifest_text", "expected"),
    [
        (_pod("quay.io/a/b:c"), [codes.FOREIGN_IMAGE]),
        (_pod(f"registry.ci.openshift.org/ocp/x@{_DIGEST}"), [codes.PRIVATE_IMAGE]),
        (_pod("image-registry.openshift-image-registry.svc:5000/a/b"), [codes.PRIVATE_IMAGE]),
        (_pod("${IMAGE}"), [codes.LEFTOVER_PLACEHOLDER]),
        (_pod("quay.io/a/b", RELATED_IMAGE_X="quay.io/c/d"), [codes.FOREIGN_IMAGE] * 2),
        (_pod("quay.io/a/b", OTHER="quay.io/c/d", IMAGE="word"), [codes.FOREIGN_IMAGE]),
        (_pod("quay.io/a/b:v0.0.1-snapshot"), [codes.LEFTOVER_PLACEHOLDER, codes.FOREIGN_IMAGE]),
    ],
)
async def test_images_in_manifests(content, manifest_text, expected):
    """Images that are not of the release are told, and what stands for one and is none."""
    assert _codes(_with(content, p=manifest_text)) == [code.code for code in expected]


async def test_images_of_the_release_are_known(world, content):
    """A pull spec of image-references is no foreign image."""
    pull_spec = f"quay.test/okd/content@{world.tags['op']}"
    assert _codes(_with(content, p=_pod(pull_spec, IMAGE=pull_spec))) == []


async def test_tags_of_a_release(world, content):
    """Images by tag, from private places, and what is no pull spec at all, are told."""
    pull_spec = f"quay.test/okd/content@{world.tags['op']}".encode()
    for text, code in (
        (b"quay.test/okd/content:op", codes.FLOATING_IMAGE),
        (b"registry.ci.openshift.org/x@" + pull_spec.partition(b"@")[2], codes.PRIVATE_IMAGE),
        (b"Not/A:Reference:", codes.INVALID_PULL_SPEC),
    ):
        references = content.files[labels.IMAGE_REFERENCES].replace(pull_spec, text)
        changed = _with(content, references=references)
        assert _codes(changed) == [code.code]


async def test_missing_images(world, content):
    """Every image that is not where its pull spec says is told, with its tag."""
    for name in ("op", "cluster-version-operator"):
        del world.repository.manifests.images[world.tags[name]]
    issues = await lint_images(content, world.repository_of)
    assert [(issue.code, issue.component) for issue in issues] == [
        (codes.MISSING_IMAGE.code, "cluster-version-operator"),
        (codes.MISSING_IMAGE.code, "op"),
    ]


async def test_base_without_manifests(world):
    """A base that is no operator makes no payload."""
    await world.add("cluster-version-operator")
    content = await _published(world)
    assert [issue.code for issue in await lint_base(content, world.target)] == [
        codes.MISSING_FILE.code
    ]


async def test_folder_has_no_base(world):
    """Of a payload in a folder only the files are checked."""
    content = ReleaseContent(origin="folder", files={})
    assert await lint_base(content, world.target) == []
    assert await lint_images(content, world.repository_of) == []
    assert _codes(content) == [codes.MISSING_FILE.code] * 2
