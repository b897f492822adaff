# SPDX-License-Identifier: Apache-2.0
"""``okd-payload plan``: what would be done and why, or everything that is in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_stream import BASE, COMPONENTS, STREAM, inline, write_stream


def test_a_fresh_stream_is_told_wave_by_wave(run_cli, tmp_path: Path):
    """The text says how much, in which order, what happens to each image and why."""
    code, out, err = run_cli("plan", write_stream(tmp_path))
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "small: 6 images in 3 waves, 4 to build, 1 to import, 1 to reuse",
        "critical path: root -> base -> cluster-version-operator",
        "",
        "WAVE   IMAGE                      WHAT     WHY",
        "1      root                       import   not imported yet",
        "2      base                       build    parent root is made again",
        "3      cluster-version-operator   build    parent base is made again",
        "3      etcd                       build    parent base is made again",
        "3      etcd-operator              build    parent base is made again",
        "3      kuryr                      reuse    nobody builds it",
    ]


def test_one_image_is_one(run_cli, tmp_path: Path):
    """Of one thing it is not spoken as of several."""
    stream = (
        "name: tiny\ncatalog: [{components: components}]\nrelease: {version: 4.20.0, base: a}\n"
    )
    path = write_stream(
        tmp_path, stream=stream, components={"a": inline("FROM scratch\n")}, sources={}
    )
    code, out, err = run_cli("plan", path)
    assert code == 0, err
    assert out.startswith("tiny: 1 image in 1 wave, 1 to build")


def test_the_folder_of_a_stream_will_do(run_cli, tmp_path: Path, monkeypatch):
    """A folder means its stream.yaml, and no argument the current folder."""
    write_stream(tmp_path)
    by_folder = run_cli("plan", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run_cli("plan") == by_folder == run_cli("plan", "stream.yaml")


def test_json_has_the_reasons_of_edges(run_cli, tmp_path: Path):
    """Every operand comes with what it means and the rule that says so."""
    code, out, _ = run_cli("plan", write_stream(tmp_path), "-o", "json")
    assert code == 0
    plan = json.loads(out)
    assert plan["stream"] == "small"
    assert plan["waves"][0] == ["root"]
    assert plan["criticalPath"] == ["root", "base", "cluster-version-operator"]
    images = {image["name"]: image for image in plan["images"]}
    assert images["etcd"]["wave"] == 3
    assert len(images["etcd"]["commit"]) == 40
    (dependency,) = images["etcd"]["dependencies"]
    assert dependency == {
        "node": "base",
        "relation": "FROM",
        "operand": BASE,
        "rule": "registry.ci.openshift.org/ocp/*:base",
        "line": 1,
        "namedBy": "substitution",
        "declared": False,
        "reference": BASE,
        "versions": [],
    }


@pytest.mark.parametrize(
    ("form", "line"), [("dot", '  "base" -> "etcd";'), ("mermaid", '  n0["base"]')]
)
def test_graphs_are_for_other_programs(run_cli, tmp_path: Path, form: str, line: str):
    """Standard output has the graph and nothing else."""
    code, out, err = run_cli("plan", write_stream(tmp_path), "-o", form)
    assert (code, err) == (0, "")
    assert line in out.splitlines()


BROKEN = {
    "base": inline("FROM scratch"),
    "cluster-version-operator": inline("FROM base"),
    "circle-a": inline("FROM circle-b"),
    "circle-b": inline("FROM circle-a"),
    "no-dockerfile": "source: {folder: ../empty}\n",
    "private": inline("FROM scratch AS a\nFROM registry.ci.openshift.org/ocp/4.20:tools"),
    "dangling": inline("FROM bsae"),
    "bad-reference": inline("FROM Quay.io/Team/App"),
    "bad-dockerfile": inline("FROM base\nRUM make"),
    "no-folder": "source: {folder: ../nowhere}\n",
}


def test_all_that_is_wrong_is_told_at_once(run_cli, tmp_path: Path):
    """Each mistake has its code, its place and the way to mend it; nothing would be built."""
    stream = "name: broken\ncatalog: [{components: components}]\n"
    path = write_stream(
        tmp_path, stream=stream, components=BROKEN, sources={"empty/README": "nothing"}
    )
    code, out, err = run_cli("plan", path)
    assert (code, out) == (2, "")
    told = {line.rpartition("[")[2].rstrip("]"): line for line in err.splitlines() if "[" in line}
    assert "circle-a -> circle-b -> circle-a" in told["dependency-cycle"]
    assert f"there is no Dockerfile in {tmp_path}/empty" in told["missing-dockerfile"]
    assert "no-folder" in told["missing-folder"]
    assert "substitutions: {glob: 'registry.ci.openshift.org/ocp/4.20:tools', image: TAG}" in err
    assert f"at inline Dockerfile of {tmp_path}/components/private.yaml:2" in err
    assert "did you mean base?" in err
    assert "names are lower case" in err
    assert "bad-dockerfile.yaml:2" in err
    assert "did you mean RUN?" in err
    assert err.splitlines()[-2] == "error: 7 errors before the first build"
    assert "permits" in err.splitlines()[-1]


def test_json_is_printed_when_something_is_wrong_too(run_cli, tmp_path: Path):
    """Programs read the issues from where they read everything else."""
    path = write_stream(tmp_path, components={**COMPONENTS, "lost": inline("FROM nowhere")})
    code, out, _ = run_cli("plan", path, "-o", "json")
    assert code == 2
    (issue,) = json.loads(out)["issues"]
    assert (issue["code"], issue["component"]) == ("dangling-reference", "lost")


def test_a_permitted_issue_is_counted_only(run_cli, tmp_path: Path):
    """It is told in one line; what it leads to is in the plan, and all else is planned."""
    stream = STREAM + "permits: [{code: dangling-reference, reason: known}]\n"
    components = {**COMPONENTS, "lost": inline("FROM scratch AS a\nFROM nowhere")}
    path = write_stream(tmp_path, stream=stream, components=components)
    code, out, err = run_cli("plan", path)
    assert code == 1
    assert out.startswith(
        "small: 7 images in 3 waves, 4 to build, 1 to import, 1 to reuse, 1 to fail"
    )
    assert "lost                       fail     lost needs nowhere" in out
    assert err.startswith("1 issue permitted by the stream\nerror: 1 image cannot be made: lost\n")


def test_what_cannot_be_reached_is_no_mistake(run_cli, tmp_path: Path):
    """A git server that is away fails the work: exit code 1, and the words of git."""
    components = {
        **COMPONENTS,
        "away": f"source: {{git: 'file://{tmp_path}/no-such-repository'}}\n",
    }
    code, out, err = run_cli("plan", write_stream(tmp_path, components=components))
    assert (code, out) == (1, "")
    assert "[source-unavailable]" in err
    assert "no-such-repository" in err
    assert "hint: run the same command again when they can be had" in err


def test_an_invalid_stream_file_is_told_with_its_place(run_cli, tmp_path: Path):
    """File, line and field, and the nearest field that exists."""
    path = write_stream(tmp_path, stream=STREAM + "imprts: {}\n")
    code, _, err = run_cli("plan", path)
    assert code == 2
    line = STREAM.count("\n") + 1
    assert err.splitlines() == [
        f"error: {path}:{line}: imprts: no such field",
        "hint: did you mean imports or permits or components?",
    ]


def test_without_a_stream_there_is_a_way_on(run_cli, tmp_path: Path, monkeypatch):
    """Both ways to go on are shown: naming a stream, and changing a release."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run_cli("plan")
    assert code == 2
    assert "there is no stream.yaml here" in err
    assert "okd-payload build examples/quickstart" in err
    assert "--from-release RELEASE --component NAME=FOLDER" in err


def test_a_stream_that_is_not_there(run_cli, tmp_path: Path):
    """The path is quoted."""
    code, _, err = run_cli("plan", tmp_path / "nothing.yaml")
    assert code == 2
    assert "nothing.yaml" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--component", "etdc=."], "did you mean etcd?"),
        (["--component", "etcd=./nowhere"], "does not exist"),
        (["--component", "etcd"], "does not name a component and a source"),
        (["--dockerfile", "Dockerfile.okd"], "--dockerfile goes with --component"),
        (["--substitute", "fedora"], "write PATTERN=IMAGE"),
        (["--force", "etdc"], "did you mean etcd?"),
        (["--platform", "linux/"], "not a platform"),
        (["--with-dependants"], "--with-dependants goes with --from-release"),
        (["--from-release", "quay.io/okd/x:1"], "builds nothing without --component"),
        (["--from-release", "Quay.io/Okd", "--component", "etcd=."], "names are lower case"),
    ],
)
def test_options_that_make_no_sense_are_refused(run_cli, tmp_path: Path, words, message: str):
    """Exit code 2, and words that lead to the right ones."""
    path = write_stream(tmp_path)
    code, _, err = run_cli("plan", path, *words)
    assert code == 2
    assert message in err


def test_an_override_shows_in_the_plan(run_cli, tmp_path: Path):
    """The other source is what would be built; an unknown program runs nothing."""
    path = write_stream(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Dockerfile.mine").write_text("FROM fedora:40\n")
    words = ["--component", f"etcd={tmp_path}/mine", "--dockerfile", "Dockerfile.mine"]
    code, out, _ = run_cli("plan", path, *words, "--substitute", "fedora:*=base", "-o", "json")
    assert code == 0
    (etcd,) = (image for image in json.loads(out)["images"] if image["name"] == "etcd")
    assert etcd["dependencies"][0]["rule"] == "fedora:*"


def test_other_platforms_have_other_roots(run_cli, tmp_path: Path):
    """A plan for another machine is made of the same stream."""
    code, out, _ = run_cli("plan", write_stream(tmp_path), "--platform", "linux/s390x")
    assert code == 0
    assert "root" in out


def test_a_root_script_that_is_not_there(run_cli, tmp_path: Path):
    """The plan says so, because no build could begin."""
    path = write_stream(tmp_path)
    (tmp_path / "root.sh").unlink()
    code, out, err = run_cli("plan", path)
    assert code == 1
    assert "fail   import root: cannot read" in out
    assert "skip   root fails" in out
    assert "relative to the stream file" in err


BUILDERS = """\
builders:
  images:
    - {name: "go{go}", definition: root-builder, versions: {go: ["1.20", "1.22"]}}
  replaces: [root-builder]
"""


@pytest.fixture
def with_builders(tmp_path: Path) -> Path:
    """A small stream with a matrix of builders."""
    builder = "registry.ci.openshift.org/openshift/release:golang"
    components = COMPONENTS | {
        "root-builder": inline("FROM base"),
        "old": inline(f"FROM {builder}-1.19\nFROM base"),
        "exact": inline(
            f"FROM {builder}-1.22\nFROM other",
        )
        + f"base: base\ninputs: [{{image: root-builder, aliases: ['{builder}-1.22']}}]\n",
    }
    return write_stream(tmp_path, stream=STREAM + BUILDERS, components=components)


def test_builders_are_shown_with_what_they_stand_in_for(run_cli, with_builders: Path):
    """Each builder that is made is listed with its references, asked and given versions, users."""
    code, out, _ = run_cli("plan", with_builders, "--show", "builders")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["small:", "2", "builders", "for", "2", "references"]
    assert lines[3][0] == "go1.20"
    assert lines[3][2:] == ["go", "1.19", "as", "1.20", "old"]
    assert lines[4][0] == "go1.22"
    assert lines[4][2:] == ["go", "1.22", "exact"]


def test_replaced_references_and_edges_are_shown(run_cli, with_builders: Path):
    """Aliases that give way, bases and substitutions are listed, and edges counted by kind."""
    _, replaced, _ = run_cli("plan", with_builders, "--show", "replaced")
    assert "1 by a builder of another version" in replaced
    assert [line.split()[:3] for line in replaced.splitlines() if line.startswith("other")] == [
        ["other", "base", "base"]
    ]
    _, edges, _ = run_cli("plan", with_builders, "--show", "edges")
    assert ["2", "FROM", "builder", "no"] in [line.split() for line in edges.splitlines()]
    assert ["1", "base", "base", "yes"] in [line.split() for line in edges.splitlines()]
    _, text, _ = run_cli("plan", with_builders)
    assert "builders of another version stand in for 1 reference: see --show builders" in text
    assert "root-builder" not in text


def test_json_lists_edges_even_when_something_is_wrong(run_cli, tmp_path: Path):
    """The plan of a stream that cannot be built still says what is known of it."""
    stream = "name: broken\ncatalog: [{components: components}]\n"
    path = write_stream(tmp_path, stream=stream, components=BROKEN)
    code, out, _ = run_cli("plan", path, "-o", "json")
    assert code == 2
    plan = json.loads(out)
    assert ("circle-a", "circle-b") in {(edge["image"], edge["needs"]) for edge in plan["edges"]}
    assert sum(kind["count"] for kind in plan["edgeCounts"]) == len(plan["edges"])
