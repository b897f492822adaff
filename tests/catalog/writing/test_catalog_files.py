# SPDX-License-Identifier: Apache-2.0
"""Catalogs in our own form: what is loaded from it is what was written."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.catalog import Catalog
from okd_payload.catalog.ci_operator.components import make_components
from okd_payload.catalog.ci_operator.selection import want
from okd_payload.catalog.ci_operator.tree import read_tree
from okd_payload.catalog.component import (
    Argument,
    Component,
    Copy,
    ImageInput,
    Layering,
    Origin,
    Resources,
    Sharing,
)
from okd_payload.catalog.definition import (
    Definition,
    Definitions,
    Import,
    OtherTag,
    PulledImage,
    RootFileSystem,
)
from okd_payload.catalog.load import load_catalog
from okd_payload.catalog.names import TagImage, resolve_image
from okd_payload.catalog.sources import read_kustomization_objects, read_openshift_files
from okd_payload.catalog.substitution import Substitution
from okd_payload.catalog.writing.catalog_files import CatalogFiles, write_catalog
from okd_payload.catalog.writing.folder import carry_out, plan_writing
from okd_payload.catalog.writing.model import ImportedCatalog
from okd_payload.catalog.writing.simplification import drop_computed, find_patterns
from okd_payload.errors import InputError
from okd_payload.source.model import FolderSource, GitSource

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
PIPELINE = DATA / "okd-payload-pipeline"
CONFIGURATIONS = DATA / "ci-operator-config"


def definition(name: str, *, pinned: bool = False, **fields: object) -> Definition:
    """A component with ``fields``."""
    component = Component(name=name, tag=name, origin=Origin("somewhere"))
    return Definition(msgspec.structs.replace(component, **fields), pinned=pinned)


def git(repo: str, ref: str = "") -> GitSource:
    """A repository of OpenShift."""
    return GitSource(url=f"https://github.com/openshift/{repo}", ref=ref)


def catalog_of(*definitions: Definition, **fields: object) -> ImportedCatalog:
    """An import of ``definitions``."""
    return ImportedCatalog(
        stream="demo", came_from=("Written by a test.",), definitions=definitions, **fields
    )


def write_and_load(folder: Path, imported: ImportedCatalog) -> Catalog:
    """The catalog that is loaded from what was written."""
    files = write_catalog(imported)
    assert {issue.code for issue in files.issues} <= {"duplicate-output"}
    carry_out(folder, plan_writing(folder, files))
    return load_catalog(folder)


def comparable(component: Component) -> Component:
    """``component`` without its place, and of equal names the value that counts."""

    def effective(values: tuple[Argument, ...]) -> tuple[Argument, ...]:
        named = {value.name: value.value for value in values}
        return tuple(Argument(name, value) for name, value in named.items())

    return msgspec.structs.replace(
        component,
        origin=Origin(""),
        build_arguments=effective(component.build_arguments),
        environment=effective(component.environment),
        labels=effective(component.labels),
        selector_labels=effective(component.selector_labels),
    )


def texts(files: CatalogFiles) -> dict[str, str]:
    """The text of every file by its path."""
    return {file.path: file.text for file in files.all}


WRITTEN = {
    "stream.yaml": """\
# Written by a test.
name: demo

# One file for each image.
catalog:
  - components: components

# Where sources are: the branch of all, and who has another one.
git:
  branch: release-4.15
  exceptions:
    etcd: openshift-4.15  # there is no release-4.15
    own: ~

# What references to images of others mean; the first rule that fits counts.
substitutions:
  - image: base
    glob: a/*

# Tags that are not built from a source.
imports:
  os:
    tag: stream
  stream:
    image: q.test/os:1
    stub: 'no'

# How releases are named.
release:
  version: 4.15.0
""",
    "components/api.yaml": """\
# Dockerfile.ocp is there.
# Dockerfile too.
source:
  git: https://github.com/openshift/api
dockerfile: Dockerfile.ocp
""",
    "components/cli.yaml": "tag: oc-cli\nsource:\n  git: https://github.com/openshift/oc\n",
    "components/commit.yaml": "source:\n  git: https://github.com/openshift/x\n"
    f"  ref: '{'0' * 40}'\n",
    "components/etcd.yaml": "source:\n  git: https://github.com/openshift/etcd\nbase: base\n",
    "components/own.yaml": "source:\n  git: https://github.com/openshift/y\n"
    "sharing:\n  kind: shared\n  reason: no variant\n",
    "components/pinned.yaml": "source:\n  git: https://github.com/openshift/z\n"
    "  ref: main\n  pinned: true\n",
}


def test_files_are_short_and_tell_where_they_come_from() -> None:
    """What the stream says for all stands there once; comments say what people want to know."""
    files = write_catalog(
        catalog_of(
            definition("etcd", source=git("etcd", "openshift-4.15"), base="base"),
            definition("api", source=git("api", "release-4.15"), dockerfile_path="Dockerfile.ocp"),
            definition("cli", source=git("oc", "release-4.15"), tag="oc-cli"),
            definition("commit", source=git("x", "0" * 40)),
            definition("own", source=git("y"), sharing=Sharing.SHARED, sharing_reason="no variant"),
            definition("pinned", source=git("z", "main"), pinned=True),
            imports=(
                Import(name="os", content=OtherTag("stream"), origin=Origin("")),
                Import(
                    name="stream", content=PulledImage("q.test/os:1"), origin=Origin(""), stub="no"
                ),
            ),
            substitutions=(Substitution(glob="a/*", image="base"),),
            version="4.15.0",
            evidence={"api": "Dockerfile.ocp is there.\nDockerfile too."},
            ref_reasons={"etcd": "there is no\n release-4.15"},
        )
    )
    assert files.issues == ()
    assert texts(files) == WRITTEN


def test_what_cannot_be_said_is_told(tmp_path: Path) -> None:
    """A definition that would come back otherwise is not written at all; the others are."""
    files = write_catalog(
        catalog_of(
            definition("Upper"),
            definition("line-break", environment=(Argument("A", "x\ny"),)),
            definition("outside", context_directory="../up"),
            definition("good"),
            definition("good"),
            imports=(
                Import(name="bad", content=PulledImage("q.test/a@sha256:0"), origin=Origin("i", 3)),
                Import(name="made", content=RootFileSystem(("sh",), "/"), origin=Origin("")),
            ),
        )
    )
    assert [(issue.code, issue.component) for issue in files.issues] == [
        ("duplicate-component", "good"),
        ("inexpressible-definition", "Upper"),
        ("inexpressible-definition", "line-break"),
        ("inexpressible-definition", "outside"),
        ("inexpressible-definition", "bad"),
        ("inexpressible-definition", "made"),
    ]
    assert "imports" not in files.stream.value
    assert [file.path for file in files.components] == ["components/good.yaml"]
    with pytest.raises(InputError, match="no stream file"):
        write_catalog(msgspec.structs.replace(catalog_of(), stream="Not A Name"))


def test_the_branch_may_be_given() -> None:
    """It need not be that of most."""
    files = write_catalog(catalog_of(definition("a", source=git("a", "main")), branch="release-1"))
    assert files.stream.value["git"] == {"branch": "release-1", "exceptions": {"a": "main"}}


WORDS = st.from_regex(r"[a-z]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
LINES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85\ufeff"),
    max_size=12,
)
ARGUMENTS = st.lists(
    st.builds(Argument, st.from_regex(r"[A-Z_]{1,4}", fullmatch=True), LINES), max_size=3
).map(tuple)
PATHS = st.from_regex(r"[a-z]{1,3}(/[A-Z.][a-z]{1,3}){0,2}", fullmatch=True)
QUANTITIES = st.sampled_from(["", "1", "500m", "2Gi", "0.5"])
RESOURCES = st.builds(
    Resources,
    cpu_request=QUANTITIES,
    cpu_limit=QUANTITIES,
    memory_request=QUANTITIES,
    memory_limit=QUANTITIES,
)
INPUTS = st.builds(
    ImageInput,
    image=WORDS | st.just("quay.test/a/b:1"),
    aliases=st.lists(LINES, max_size=2).map(tuple),
    copies=st.lists(st.builds(Copy, PATHS.map("/{}".format), PATHS), max_size=2).map(tuple),
)
SOURCES = (
    st.none()
    | st.builds(git, WORDS, st.sampled_from(["", "main", "release-4.15", "on", "4.20", "0" * 40]))
    | st.builds(FolderSource, path=PATHS.map("/{}".format))
)
SHARING = st.none() | st.sampled_from(Sharing)


@st.composite
def definitions(draw: st.DrawFn) -> list[Definition]:
    """Any definitions that our form can express."""
    names = draw(st.lists(WORDS, max_size=4, unique=True))
    bare = draw(st.booleans())
    found = []
    for name in names:
        source, sharing = draw(SOURCES), draw(SHARING)
        component = Component(
            name=name,
            tag=name,
            origin=Origin("x"),
            source=source,
            context_directory=draw(st.just(".") | PATHS),
            dockerfile_path=draw(st.just("Dockerfile") | PATHS),
            dockerfile=draw(
                st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
            ),
            base=draw(st.just("") | WORDS),
            inputs=tuple(draw(st.lists(INPUTS, max_size=2))),
            build_arguments=draw(ARGUMENTS),
            environment=draw(ARGUMENTS),
            labels=draw(ARGUMENTS),
            selector_labels=draw(ARGUMENTS),
            layering=draw(st.sampled_from(Layering)),
            resources=Resources() if bare else draw(RESOURCES),
            sharing=sharing,
            sharing_reason=draw(LINES) if sharing else "",
        )
        pinned = isinstance(source, GitSource) and draw(st.booleans())
        found.append(Definition(component, pinned=pinned))
    return found


@given(given_definitions=definitions())
def test_what_was_written_is_loaded(tmp_path_factory, given_definitions: list[Definition]) -> None:
    """Whatever a component says, the catalog that is loaded says the same."""
    folder = tmp_path_factory.mktemp("catalog") / "new"
    loaded = write_and_load(folder, catalog_of(*given_definitions))
    wanted = sorted((each.component for each in given_definitions), key=lambda each: each.name)
    assert [comparable(each) for each in loaded.components] == [comparable(each) for each in wanted]


def import_openshift(found: Definitions) -> tuple[ImportedCatalog, tuple[Definition, ...]]:
    """An import of BuildConfigs, and its definitions before anything was dropped."""
    rules = find_patterns(found.definitions)
    tags = {each.component.tag for each in found.definitions}
    tags |= {each.name for each in found.imports}
    imported = catalog_of(
        *drop_computed(found.definitions, rules, tags=tags),
        imports=found.imports,
        substitutions=rules,
    )
    return imported, found.definitions


def assert_same(loaded: Catalog, imported: ImportedCatalog) -> None:
    """``loaded`` has exactly the components and imports of ``imported``."""
    wanted = {each.component.name: comparable(each.component) for each in imported.definitions}
    assert {each.name: comparable(each) for each in loaded.components} == wanted
    found = {each.name: each.content for each in (*loaded.imports, *loaded.foreign_imports)}
    assert found == {
        each.name: each.content
        for each in imported.imports
        if each.name not in {component.tag for component in loaded.components}
    }


def assert_meanings_kept(loaded: Catalog, before: tuple[Definition, ...]) -> None:
    """Every name that a definition listed means the same image in ``loaded``."""
    components = {each.name: each for each in loaded.components}
    for each in before:
        kept = {alias for item in components[each.component.name].inputs for alias in item.aliases}
        for item in each.component.inputs:
            for alias in {*item.aliases} - kept:
                assert resolve_image(alias, loaded).tag == item.image, alias


@pytest.mark.skipif(not PIPELINE.is_dir(), reason="the real BuildConfigs are not here")
@pytest.mark.parametrize("variant", ["", "scos", "fcos", "fcos-multiarch"])
def test_all_real_buildconfigs_come_back(tmp_path: Path, variant: str) -> None:
    """The 189 BuildConfigs, plain and in each variant, are the same after writing and loading."""
    if variant:
        found = read_kustomization_objects(PIPELINE / "variants" / variant, image_stream="release")
    else:
        found = read_openshift_files(PIPELINE / "buildconfigs", image_stream="release")
    assert len(found.definitions) == 189
    imported, before = import_openshift(found)
    loaded = write_and_load(tmp_path / "new", imported)
    assert_same(loaded, imported)
    assert_meanings_kept(loaded, before)
    if variant:
        assert [(rule.pattern, rule.image) for rule in imported.substitutions] == [
            ("registry.ci.openshift.org/ocp/*:cli", "cli"),
            ("registry.ci.openshift.org/ocp/builder:*", "builder"),
            ("registry.ci.openshift.org/openshift/release:*", "builder"),
        ]
        left = [
            alias for each in loaded.components for item in each.inputs for alias in item.aliases
        ]
        assert len(left) < 20
        assert isinstance(resolve_image("registry.ci.openshift.org/ocp/4.99:cli", loaded), TagImage)


@pytest.mark.skipif(not CONFIGURATIONS.is_dir(), reason="the real configurations are not here")
@pytest.mark.parametrize("variant", ["okd-scos", ""])
@pytest.mark.parametrize("branch", ["release-4.15", "release-4.16", "release-4.17", "master"])
def test_all_real_configurations_come_back(tmp_path: Path, branch: str, variant: str) -> None:
    """The components of every stream of the 86 files are the same after writing and loading."""
    tree = read_tree(CONFIGURATIONS)
    wanted = want(tree.configurations, branch=branch, variant=variant)
    made = make_components(tree.configurations, wanted)
    imported = catalog_of(*made.definitions.definitions, branch=branch)
    assert_same(write_and_load(tmp_path / "new", imported), imported)
