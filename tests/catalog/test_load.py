# SPDX-License-Identifier: Apache-2.0
"""From a stream file to a catalog: what the stream says, and everything that can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.component import Argument, Layering, Resources
from okd_payload.catalog.definition import OtherTag, PulledImage, RootFileSystem
from okd_payload.catalog.load import load_catalog
from okd_payload.errors import InvalidDocument
from okd_payload.issues import apply_permits
from okd_payload.source.model import FolderSource, GitSource
from okd_payload.testing.yardstick import attempt_below

Load = Callable[..., Catalog]

_GIT = "source: {{git: https://example.org/{0}, ref: {1}}}\n"
_NO_BASE = "release: {base: a}\n"


def _refs(catalog: Catalog) -> dict[str, str]:
    return {
        each.name: each.source.ref
        for each in catalog.components
        if isinstance(each.source, GitSource)
    }


def _issues(catalog: Catalog) -> list[tuple[str, int, str]]:
    return [(issue.code, issue.line, issue.message) for issue in catalog.issues]


def test_branch_is_given_once(load: Load) -> None:
    """The branch replaces every ref but pinned ones, commits and exceptions."""
    catalog = load(
        "git:\n  branch: release-4.20\n  exceptions: {b: openshift-4.20, c: ~}\n"
        "components: {e: {source: {ref: own}}}\n" + _NO_BASE,
        a=_GIT.format("a", "main"),
        b=_GIT.format("b", "main"),
        c=_GIT.format("c", "main"),
        d="source: {git: https://example.org/d, ref: main, pinned: true}\n",
        e=_GIT.format("e", "main"),
        f=_GIT.format("f", "0123456789" * 4),
        g="source: {folder: .}\n",
    )
    assert _refs(catalog) == {
        "a": "release-4.20",
        "b": "openshift-4.20",
        "c": "main",
        "d": "main",
        "e": "own",
        "f": "0123456789" * 4,
    }
    assert catalog.issues == ()


def test_without_branch_refs_stay(load: Load) -> None:
    """A stream that names no branch leaves the refs of definitions alone."""
    assert _refs(load(_NO_BASE, a=_GIT.format("a", "main"))) == {"a": "main"}


def test_defaults_fill_in_and_changes_win(load: Load) -> None:
    """What holds for all is weaker than a definition, overlays are stronger, names strongest."""
    catalog = load(
        "buildArguments: {A: all, B: all}\n"
        "environment: {E: all, F: all}\n"
        "resources: {requests: {cpu: 1}}\n"
        "layering: each\n"
        "overlays:\n"
        "  - {for: '*', environment: {G: all, F: ~}}\n"
        "  - {for: [group=x, b], buildArguments: {A: overlay, T: new, U: ~}}\n"
        "components:\n"
        "  a: {buildArguments: {T: last}, labels: {l: v}, base: b, inputs: [{image: b}]}\n"
        + _NO_BASE,
        a="selectorLabels: {group: x}\nbuildArguments: {T: old, U: old, V: old}\n"
        "environment: {E: own}\nresources: {limits: {memory: 1Gi}}\nlayering: one\n",
        b="base: a\n",
    )
    a, b = catalog.components
    assert a.build_arguments == (
        Argument("V", "old"),
        Argument("A", "overlay"),
        Argument("T", "last"),
    )
    assert a.offered_arguments == (Argument("A", "all"), Argument("B", "all"))
    assert a.environment == (Argument("E", "own"), Argument("G", "all"))
    assert a.resources == Resources(memory_limit="1Gi")
    assert a.layering is Layering.ONE
    assert (a.base, [each.image for each in a.inputs]) == ("b", ["b"])
    assert a.labels == (Argument("l", "v"),)
    assert b.environment == (Argument("E", "all"), Argument("G", "all"))
    assert b.resources == Resources(cpu_request="1")
    assert b.layering is Layering.EACH


def test_changes_of_sources_and_files(load: Load, tmp_path: Path) -> None:
    """Another repository, a folder, another Dockerfile: what is not named stays."""
    catalog = load(
        "components:\n"
        "  a: {source: {git: ../fork, ref: mine}, context: x, resources: {limits: {cpu: 2}}}\n"
        "  b: {source: {folder: .}, inlineDockerfile: FROM x}\n"
        "  c: {source: {git: https://example.org/fork}, dockerfile: D, layering: each}\n"
        "  d: {source: {ref: r}}\n" + _NO_BASE,
        a=_GIT.format("a", "main"),
        b=_GIT.format("b", "main"),
        c=_GIT.format("c", "main") + "inlineDockerfile: FROM y\n",
        d="inlineDockerfile: FROM z\n",
    )
    a, b, c, d = catalog.components
    assert a.source == GitSource(url=str(tmp_path.resolve().parent / "fork"), ref="mine")
    assert (a.context_directory, a.resources) == ("x", Resources(cpu_limit="2"))
    assert b.source == FolderSource(path=str(tmp_path.resolve()))
    assert b.dockerfile == "FROM x"
    assert c.source == GitSource(url="https://example.org/fork", ref="main")
    assert (c.dockerfile_path, c.dockerfile, c.layering) == ("D", None, Layering.EACH)
    assert (d.source, d.dockerfile) == (None, "FROM z")


def test_imports(load: Load, tmp_path: Path) -> None:
    """Imports say what they are: pulled, another tag, or made by a program beside the stream."""
    catalog = load(
        "imports:\n"
        "  os: {image: quay.io/okd/os:1}\n"
        "  same: {tag: os}\n"
        "  root: {command: [./root.sh, --small]}\n"
        "  tar: {command: [tar, c, .]}\n"
        "  tools:x: {image: quay.io/x/x}\n"
        "release: {base: os}\n",
        a="base: os\n",
    )
    folder = str(tmp_path)
    assert {entry.name: entry.content for entry in catalog.imports} == {
        "os": PulledImage("quay.io/okd/os:1"),
        "same": OtherTag("os"),
        "root": RootFileSystem((f"{folder}/root.sh", "--small"), folder),
        "tar": RootFileSystem(("tar", "c", "."), folder),
    }
    assert [entry.name for entry in catalog.foreign_imports] == ["tools:x"]
    assert catalog.imports[0].origin.line == 4
    assert catalog.issues == ()


def test_skipping_and_stubs(load: Load) -> None:
    """A skipped component and one that a stub stands in for are listed with their reasons."""
    catalog = load(
        "imports: {b: {image: quay.io/x/y, stub: not packaged}}\n"
        "overlays: [{for: 'c*', skip: old}, {for: cc, skip: older}]\n" + _NO_BASE,
        **dict.fromkeys(("a", "b", "c", "cc"), "base: x\n"),
    )
    assert [each.name for each in catalog.components] == ["a"]
    assert [(each.name, each.reason) for each in catalog.skipped] == [
        ("b", "not packaged"),
        ("c", "old"),
        ("cc", "older"),
    ]
    assert catalog.tags["b"].origin.file.endswith("stream.yaml")
    assert catalog.issues == ()


def test_names_that_nobody_has(load: Load) -> None:
    """Unknown names anywhere in the stream file are issues with line and nearest names."""
    catalog = load(
        "git: {exceptions: {etdc: main}}\n"
        "components: {etcdd: {}}\n"
        "overlays:\n- for: [nothing, 'x*', a=b]\n"
        "permits:\n- {code: c, reason: r, component: ectd}\n"
        "release: {base: etc}\n",
        etcd="base: x\n",
    )
    assert _issues(catalog) == [
        ("unmatched-selector", 6, "'x*' selects no component"),
        ("unmatched-selector", 6, "'a=b' selects no component"),
        ("unknown-component", 3, "there is no component 'etdc'"),
        ("unknown-component", 4, "there is no component 'etcdd'"),
        ("unknown-component", 8, "there is no component 'ectd'"),
        ("unknown-component", 6, "there is no component 'nothing'"),
        ("dangling-reference", 9, "releases are made on the tag 'etc', which nobody makes"),
    ]
    assert {issue.hint for issue in catalog.issues} == {"", "did you mean etcd?"}


def test_duplicates(load: Load, tmp_path: Path) -> None:
    """The first of two definitions or images with one name stays, the other is an issue."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.yaml").write_text("base: second\n")
    catalog = load(
        "name: demo\ncatalog: [{components: components}, {components: more}]\n"
        "imports: {c: {image: quay.io/x/y}}\n" + _NO_BASE,
        a="base: first\n",
        b="tag: a\n",
        c="base: x\n",
    )
    assert [(each.name, each.base) for each in catalog.components] == [("a", "first"), ("c", "x")]
    assert [(issue.code, issue.component) for issue in catalog.issues] == [
        ("duplicate-component", "a"),
        ("duplicate-output", "b"),
        ("duplicate-output", "c"),
    ]
    assert "the tag c is built by c already" in catalog.issues[2].message
    assert catalog.imports == ()


def test_imports_of_two_files_with_one_tag(load: Load, tmp_path: Path) -> None:
    """The stream file's import replaces that of an ImageStream file; two files are an issue."""
    (tmp_path / "bc").mkdir()
    for name in ("one", "two"):
        (tmp_path / "bc" / f"{name}.yaml").write_text(
            "kind: ImageStream\nmetadata: {name: release}\nspec:\n  tags:\n"
            f"  - {{name: x, from: {{kind: DockerImage, name: quay.io/{name}/x}}}}\n"
            f"  - {{name: y, from: {{kind: DockerImage, name: quay.io/{name}/y}}}}\n"
        )
    catalog = load(
        "name: demo\ncatalog: [{buildConfigs: bc}]\nrelease: {base: x}\n"
        "imports: {x: {image: quay.io/own/x}}\n"
    )
    assert {entry.name: entry.content for entry in catalog.imports} == {
        "x": PulledImage("quay.io/own/x"),
        "y": PulledImage("quay.io/one/y"),
    }
    (issue,) = catalog.issues
    assert issue.code == "duplicate-output"
    assert "the tag y is imported by y already" in issue.message


def test_what_imports_and_sources_need(load: Load) -> None:
    """Imports from nowhere, from private registries and in circles, and absent folders."""
    catalog = load(
        "imports:\n"
        "  a: {tag: nothing}\n"
        "  b: {image: registry.ci.openshift.org/ocp/4.20:b}\n"
        "  c: {tag: d}\n"
        "  d: {tag: c}\n"
        "  e: {tag: x}\n"
        "  f: {tag: b}\n" + _NO_BASE,
        x="source: {folder: nowhere}\n",
    )
    assert [(issue.code, issue.line) for issue in catalog.issues] == [
        ("missing-folder", 1),
        ("dangling-reference", 4),
        ("private-reference", 5),
        ("dangling-reference", 6),
        ("dangling-reference", 7),
        ("private-reference", 9),
    ]
    assert catalog.issues[0].component == "x"


def test_empty_source_is_an_issue(load: Load) -> None:
    """A folder without definitions is most likely the wrong folder."""
    assert [issue.code for issue in load(_NO_BASE).issues] == [
        "empty-catalog",
        "dangling-reference",
    ]


def test_permits_apply_to_issues_of_the_catalog(load: Load) -> None:
    """A permitted issue keeps its place and carries the reason."""
    catalog = load(
        "permits: [{code: unmatched-selector, reason: later}]\noverlays: [{for: 'x*'}]\n"
        + _NO_BASE,
        a="base: x\n",
    )
    (issue,) = apply_permits(catalog.issues, catalog.stream.permits)
    assert (issue.permitted, issue.blocks) == ("later", False)


def test_equal_files_give_equal_catalogs(load: Load, tmp_path: Path) -> None:
    """Loading is deterministic, sorted by name."""
    catalog = load(_NO_BASE, b="base: x\n", a="base: x\n", c_d="base: x\n")
    assert [each.name for each in catalog.components] == ["a", "b", "c-d"]
    assert load_catalog(tmp_path / "stream.yaml") == catalog


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        ("branch: x\n", "stream.yaml:3: branch: no such field"),
        ("catalog: []\n", "stream.yaml:1: catalog: Expected `array` of length >= 1"),
        ("catalog: [{components: absent}]\nname: x\n", "1: catalog[0].components: No such file"),
        ("catalog: [{buildConfigs: absent}]\nname: x\n", "1: catalog[0].buildConfigs: No such"),
        (
            "catalog: [{}]\nname: x\n",
            "exactly one of components, buildConfigs and kustomization is needed",
        ),
        ("release: {name: '{x}'}\n", "3: release.name: release name pattern '{x}'"),
        ("imports: {'t:x': {command: [a]}}\n", "3: imports.t:x: the image of a command needs"),
        ("imports: {x: {}}\n", "3: imports.x: exactly one of image, tag and command"),
        ("imports: {x: {image: busybox}}\n", "'busybox' has no host; write docker.io/library/"),
        ("imports: {x: {image: 'A B'}}\n", "imports.x: image: 'A B' is not an image reference"),
        ("publish: {releases: 'quay.io/x:y'}\n", "releases is a repository: leave tag and digest"),
        (
            "components: {a: {source: {folder: x, ref: y}}}\n",
            "folder goes with neither git nor ref",
        ),
        ("components: {a: {dockerfile: x, inlineDockerfile: y}}\n", "only one of dockerfile and"),
        ("overlays: [{skip: x}]\n", "3: overlays[0]: Object missing required field `for`"),
        ("---\nname: x\n", "2 YAML documents instead of one"),
    ],
)
def test_errors_of_the_stream_file(load: Load, stream: str, message: str) -> None:
    """What is wrong in the stream file itself stops, with file, line and field."""
    with pytest.raises(InvalidDocument) as caught:
        load(stream, a="base: x\n")
    assert message in str(caught.value)


def test_repositories_have_defaults(load: Load) -> None:
    """A stream that is not published names its images on this machine."""
    stream = load(_NO_BASE, a="base: x\n").stream
    assert stream.content_repository == "localhost/demo/content"
    assert stream.release_repository == "localhost/demo/release"
    stream = load("publish: {content: quay.io/a/b, releases: quay.io/a/c}\n" + _NO_BASE).stream
    assert (stream.content_repository, stream.release_repository) == ("quay.io/a/b", "quay.io/a/c")


def test_real_pipeline(shared_data: Path, tmp_path: Path) -> None:
    """The 189 real definitions load quickly, with the two tags that are stub and build at once."""
    folder = shared_data / "okd-payload-pipeline" / "buildconfigs"
    (tmp_path / "stream.yaml").write_text(
        f"name: okd-scos\ncatalog: [{{buildConfigs: {folder}}}]\n"
        "git: {branch: release-4.20}\n"
        "overlays: [{for: change-build-arg-tags=true, buildArguments: {TAGS: scos}}]\n"
        "components: {baremetal-installer: {buildArguments: {TAGS: scos libvirt baremetal}}}\n"
    )
    catalog = load_catalog(tmp_path)
    for cost in attempt_below(0.5):
        with cost:
            load_catalog(tmp_path)
    assert (len(catalog.components), len(catalog.imports)) == (189, 3)
    assert [issue.message.split()[2] for issue in catalog.issues if issue.blocks] == [
        "kuryr-cni",
        "kuryr-controller",
    ]
    tags = {
        each.name: [argument.value for argument in each.build_arguments if argument.name == "TAGS"]
        for each in catalog.components
        if Argument("change-build-arg-tags", "true") in each.selector_labels
    }
    assert tags.pop("baremetal-installer") == ["scos libvirt baremetal"]
    assert set(map(tuple, tags.values())) == {("scos",)}
    assert len(tags) == 4
