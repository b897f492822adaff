# SPDX-License-Identifier: Apache-2.0
"""``okd-payload catalog import``: other catalogs, and releases, in our own form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from git_service import GitService

from okd_payload.catalog.load import load_catalog

BUILD_CONFIG = """\
kind: BuildConfig
metadata: {{name: {name}}}
spec:
  source:
    git: {{uri: "https://git.example.com/{name}", ref: release-4.15}}
    images:
    - {{from: {{kind: ImageStreamTag, name: "release:base"}}, as: ["ci.test/ocp/4.15:base", "ci.test/ocp/4.14:base"]}}
  strategy: {{dockerStrategy: {{dockerfilePath: Dockerfile.okd, imageOptimizationPolicy: SkipLayers}}}}
  output: {{to: {{kind: ImageStreamTag, name: "release:{name}"}}}}
"""  # noqa: E501 - one line of YAML
BASE = """\
kind: BuildConfig
metadata: {name: base}
spec:
  source: {git: {uri: "https://git.example.com/base", ref: main}}
  strategy: {dockerStrategy: {imageOptimizationPolicy: SkipLayers}}
  output: {to: {kind: ImageStreamTag, name: "release:base"}}
"""
CONFIGURATION = """\
images: [{to: etcd, dockerfile_path: Dockerfile.rhel, additional_architectures: [arm64]}]
promotion: {to: [{namespace: origin, name: scos-4.15}]}
zz_generated_metadata: {org: openshift, repo: etcd, branch: release-4.15, variant: okd-scos}
"""


@pytest.fixture
def build_configs(tmp_path: Path) -> Path:
    """A folder of BuildConfigs."""
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "base.yaml").write_text(BASE)
    for name in ("api", "etcd"):
        (folder / f"{name}.yaml").write_text(BUILD_CONFIG.format(name=name))
    return folder


@pytest.fixture
def configurations(tmp_path: Path) -> Path:
    """A tree with one configuration of OpenShift CI."""
    path = tmp_path / "tree" / "openshift" / "etcd" / "openshift-etcd-release-4.15__okd-scos.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CONFIGURATION)
    return tmp_path / "tree"


def test_without_a_folder_nothing_is_written(run_cli, build_configs: Path, tmp_path: Path):
    """The components are shown, and that is all."""
    before = sorted(tmp_path.rglob("*.yaml"))
    code, out, err = run_cli("catalog", "import", "--build-configs", build_configs)
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()[2:4]] == [
        ["COMPONENT", "TAG", "SOURCE", "REF", "DOCKERFILE", "CLASS", "DEFINED", "IN"],
        [
            *("api", "api", "https://git.example.com/api", "release-4.15", "Dockerfile.okd", "-"),
            f"{build_configs}/api.yaml:1",
        ],
    ]
    assert out.startswith("configs: 3 components, 0 imports\n")
    assert sorted(tmp_path.rglob("*.yaml")) == before


def test_a_new_folder_gets_the_whole_catalog(run_cli, build_configs: Path, tmp_path: Path):
    """Lists of aliases become patterns, and the branch stands once."""
    target = tmp_path / "mine"
    code, _, err = run_cli(
        "catalog", "import", "--build-configs", build_configs, "--to", target, "--name", "mine"
    )
    assert (code, err) == (0, f"4 files written to {target}\n")
    assert (target / "components" / "etcd.yaml").read_text() == (
        "# From etcd.yaml.\nsource:\n  git: https://git.example.com/etcd\n"
        "dockerfile: Dockerfile.okd\n"
    )
    catalog = load_catalog(target)
    assert catalog.stream.name == "mine"
    assert catalog.stream.git.exceptions == {"base": "main"}
    assert [(rule.glob, rule.image) for rule in catalog.stream.substitutions] == [
        ("ci.test/ocp/*:base", "base")
    ]


def test_what_is_there_is_changed_only_when_told(run_cli, build_configs: Path, tmp_path: Path):
    """First the changes are shown; --write makes them, and people's own lines stay."""
    target = tmp_path / "mine"
    arguments = ("catalog", "import", "--build-configs", build_configs, "--to", target)
    run_cli(*arguments)
    api = target / "components" / "api.yaml"
    api.write_text(api.read_text() + "# mine\n")
    (target / "components" / "own.yaml").write_text("inlineDockerfile: FROM base\n")
    assert run_cli(*arguments).code == 0
    changed = build_configs / "api.yaml"
    changed.write_text(changed.read_text().replace("Dockerfile.okd", "Dockerfile.ocp"))

    code, out, err = run_cli(*arguments)
    assert code == 2
    assert out.splitlines()[2:] == [
        "CHANGE    FILE",
        "changed   components/api.yaml",
        "left      components/own.yaml",
    ]
    assert "not empty" in err
    assert "--write" in err
    assert "Dockerfile.okd" in api.read_text()

    code, _, err = run_cli(*arguments, "--write")
    assert (code, err) == (0, f"1 file written to {target}\n")
    assert "dockerfile: Dockerfile.ocp\n# mine\n" in api.read_text()


def test_a_stream_that_would_not_read_the_files_is_refused(
    run_cli, build_configs: Path, tmp_path: Path
):
    """Components are never written to where nobody looks for them."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "stream.yaml").write_text("name: a\ncatalog: [{components: ./defs/}]\n")
    arguments = ("--build-configs", build_configs, "--to", tmp_path / "mine", "--write")
    code, _, err = run_cli("catalog", "import", *arguments)
    assert code == 2
    assert "takes no components from components/" in err
    stream = tmp_path / "mine" / "stream.yaml"
    stream.write_text("name: a\ncatalog: [{components: ./components/}]\n")
    assert run_cli("catalog", "import", *arguments).code == 0
    assert len(load_catalog(stream).components) == 3


def test_a_kustomization_is_rendered(run_cli, build_configs: Path, tmp_path: Path):
    """What its patches say is in the components."""
    folder = tmp_path / "scos"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        "resources: [../base]\npatches:\n- target: {kind: BuildConfig, name: etcd}\n  patch: |\n"
        "    - {op: replace, path: /spec/source/git/ref, value: main}\n"
    )
    build_configs.rename(tmp_path / "base")
    names = ", ".join(f"{name}.yaml" for name in ("api", "base", "etcd"))
    (tmp_path / "base" / "kustomization.yaml").write_text(f"resources: [{names}]\n")
    code, out, _ = run_cli("catalog", "import", "--kustomization", folder, "-o", "json")
    assert code == 0
    printed = json.loads(out)
    assert printed["stream"] == "scos"
    assert {each["name"]: each["ref"] for each in printed["components"]} == {
        "api": "release-4.15",
        "base": "main",
        "etcd": "main",
    }
    assert printed["components"][0]["evidence"] == "From ../base/api.yaml."


def test_a_stream_of_openshift_ci(run_cli, configurations: Path, tmp_path: Path):
    """The stream is called as the one that images are promoted to, and knows classes."""
    target = tmp_path / "new"
    arguments = ("--branch", "release-4.15", "--variant", "okd-scos", "--to", target)
    code, out, err = run_cli(
        "catalog", "import", "--ci-operator", configurations, *arguments, "-o", "yaml"
    )
    assert (code, err) == (0, f"2 files written to {target}\n")
    assert "sharing: specific\n" in out
    assert (target / "components" / "etcd.yaml").read_text() == (
        "# From openshift/etcd/openshift-etcd-release-4.15__okd-scos.yaml.\n"
        "# OpenShift CI builds it for arm64, too.\n"
        "source:\n  git: https://github.com/openshift/etcd\n"
        "dockerfile: Dockerfile.rhel\n"
        "sharing:\n  kind: specific\n  reason: the configuration of release-4.15 for okd-scos\n"
    )
    stream = load_catalog(target).stream
    assert (stream.name, stream.release.version) == ("scos-4.15", "4.15.0")
    assert str(tmp_path) not in (target / "stream.yaml").read_text()


def test_a_bad_file_leaves_the_rest(run_cli, configurations: Path, tmp_path: Path):
    """It is told, the exit code says so, and everything else is written."""
    (configurations / "bad.yaml").write_text("images: [\n")
    code, _, err = run_cli(
        *("catalog", "import", "--ci-operator", configurations, "--branch", "release-4.15"),
        *("--variant", "okd-scos", "--to", tmp_path / "new"),
    )
    assert code == 1
    assert "[invalid-definition]" in err
    assert f"at {configurations}/bad.yaml:" in err
    assert [each.name for each in load_catalog(tmp_path / "new").components] == ["etcd"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "exactly one of"),
        (("--build-configs", "a", "--release", "b"), "exactly one of"),
        (("--build-configs", "a", "--variant", "b"), "--variant goes with --ci-operator"),
        (("--build-configs", "a", "--follow-branches"), "--follow-branches goes with --release"),
        (("--ci-operator", "a"), "--ci-operator needs --branch"),
        (("--build-configs", "a", "--write"), "--write goes with --to"),
        (("--build-configs", "nowhere"), "cannot read nowhere"),
        (("--kustomization", "nowhere"), "cannot read nowhere"),
        (("--ci-operator", "nowhere", "--branch", "main"), "nowhere is no folder"),
    ],
)
def test_what_cannot_be_meant_is_refused(run_cli, arguments: tuple[str, ...], message: str):
    """Wrong options are told before anything is read."""
    code, out, err = run_cli("catalog", "import", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def write_release(folder: Path, tags: dict[str, tuple[str, str]]) -> None:
    """The files of a release whose images say the repository and commit."""
    folder.mkdir()
    references = {
        "kind": "ImageStream",
        "apiVersion": "image.openshift.io/v1",
        "metadata": {"name": "4.15.0-0.okd-scos-2024-03-10-010116"},
        "spec": {
            "tags": [
                {
                    "name": name,
                    "annotations": {
                        "io.openshift.build.source-location": url,
                        "io.openshift.build.commit.id": commit,
                        "io.openshift.build.commit.ref": "release-4.15",
                    },
                    "from": {"kind": "DockerImage", "name": f"quay.test/{name}:1"},
                }
                for name, (url, commit) in tags.items()
            ]
        },
    }
    (folder / "image-references").write_text(json.dumps(references))


@pytest.mark.integration
def test_a_release_is_enough(run_cli, git_service: GitService, tmp_path: Path):
    """Sources are read at the commits of the release; what cannot be read is asked for again."""
    etcd = git_service.make("etcd", "release-4.15", files={"Dockerfile.ocp": "FROM scratch\n"})
    commit = git_service.git("etcd", "rev-parse", "HEAD")
    git_service.commit("etcd", {"Dockerfile.okd": "FROM scratch\n"})
    absent = "1" * 40
    tags = {"etcd": (etcd, commit), "lost": (git_service.url("lost"), absent)}
    write_release(tmp_path / "release", tags)
    arguments = ("catalog", "import", "--release", tmp_path / "release", "--to", tmp_path / "new")

    code, _, err = run_cli(*arguments)
    assert code == 3
    assert "lost" in err
    assert "[source-unavailable]" in err
    assert (tmp_path / "new" / "components" / "etcd.yaml").read_text() == (
        "# Dockerfile.ocp: made for ocp. There is no other.\n"
        f"# The release has it from release-4.15 at {commit}.\n"
        f"source:\n  git: {etcd}\n  ref: {commit}\ndockerfile: Dockerfile.ocp\n"
    )
    (stub,) = load_catalog(tmp_path / "new").imports
    assert (stub.name, stub.stub.partition(":")[0]) == ("lost", "its source cannot be read")

    git_service.make("lost", "release-4.15", files={"images/lost/Dockerfile": "FROM scratch\n"})
    found = git_service.git("lost", "rev-parse", "HEAD")
    write_release(tmp_path / "again", tags | {"lost": (git_service.url("lost"), found)})
    code, _, err = run_cli(
        "catalog", "import", "--release", tmp_path / "again", "--to", tmp_path / "new", "--write"
    )
    assert (code, err.splitlines()[-1]) == (0, f"2 files written to {tmp_path / 'new'}")
    catalog = load_catalog(tmp_path / "new")
    assert catalog.imports == ()
    assert catalog.component("lost").dockerfile_path == "images/lost/Dockerfile"
