# SPDX-License-Identifier: Apache-2.0
"""What goes wrong for newcomers, and whether they are told what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

BASE = "registry.ci.openshift.org/ocp/4.20:base-rhel9"


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a text in a file that has it."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def written(path: Path, text: str) -> Path:
    """``path`` with this text in it."""
    path.write_text(text)
    return path


def check_told(ended, code: int, *texts: str) -> None:
    """The run ended with ``code``, no output, and errors that have all ``texts`` and no trace."""
    assert (ended.code, ended.out) == (code, ""), ended.err
    for text in texts:
        assert text in ended.err, f"{text!r} is not in:\n{ended.err}"
    assert "Traceback" not in ended.err
    assert "unexpected" not in ended.err


def test_a_missing_stream_field_is_named(program, quickstart) -> None:
    """File, line and field, and the field that was meant."""
    rewrite(quickstart / "stream.yaml", "\nname: quickstart", "\nnam: quickstart")

    ended = program.run("build", quickstart)

    check_told(ended, 2, f"error: {quickstart}/stream.yaml:3: nam: no such field")
    assert ended.err.splitlines()[1] == "hint: did you mean name?"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    stub: debugging", "    stub: [debugging]\n    x: y", "stream.yaml:22: imports"),
        ("publish:", "publish: [", "not valid YAML"),
        ('version: "4.20.0"', "version: 4.20", "release.version: Expected `str`, got `float`"),
    ],
)
def test_an_invalid_stream_file_is_placed(program, quickstart, old, new, told) -> None:
    """Whatever is wrong in a stream file is told with file and line."""
    rewrite(quickstart / "stream.yaml", old, new)

    ended = program.run("build", quickstart)

    check_told(ended, 2, told)
    assert re.match(rf"error: {re.escape(str(quickstart))}/stream\.yaml:\d+: ", ended.err)


def test_an_invalid_component_file_is_placed(program, quickstart) -> None:
    """A slip in a component file is an issue with file, line and the field that was meant."""
    file = quickstart / "components" / "haproxy-router-base.yaml"
    rewrite(file, "context:", "contxt:")

    ended = program.run("build", quickstart)

    check_told(ended, 2, "contxt", "context", f"{file}:4", "[invalid-definition]")


def test_a_missing_stream_is_told(program, tmp_path) -> None:
    """Neither a wrong path nor the wrong folder leaves anybody puzzled."""
    check_told(program.run("build", tmp_path / "no.yaml"), 2, "no.yaml' does not exist")
    check_told(program.run("build", tmp_path), 2, f"{tmp_path}", "stream.yaml")
    check_told(
        program.run("build", directory=tmp_path), 2, "no stream.yaml here", "okd-payload build"
    )


def test_an_unknown_component_has_neighbours(program, quickstart) -> None:
    """The nearest names are offered, on the command line and in the stream file."""
    override = program.run("build", quickstart, "--component", f"corends={quickstart}")
    check_told(override, 2, "unknown component 'corends'", "did you mean coredns?")

    rewrite(quickstart / "stream.yaml", "publish:", "components:\n  etcd-cni: {}\npublish:")
    check_told(program.run("build", quickstart), 2, "etcd-cni", "[unknown-component]", "multus-cni")


def test_a_cycle_is_drawn(program, quickstart) -> None:
    """The images of a circle are shown in their order, before anything is built."""
    rewrite(quickstart / "sources/images/base/Dockerfile", "4.20:root", "4.20:cli")

    ended = program.run("build", quickstart)

    check_told(
        ended, 2, "base -> cli -> base", "[dependency-cycle]", "1 error before the first build"
    )


def test_a_missing_dockerfile_is_told(program, quickstart) -> None:
    """Where it was looked for, and where the definition stands."""
    (quickstart / "sources" / "coredns" / "Dockerfile").unlink()

    ended = program.run("build", quickstart)

    check_told(ended, 2, "there is no Dockerfile in", "sources/coredns", "[missing-dockerfile]")
    assert f"at {quickstart}/components/coredns.yaml:3" in ended.err


@pytest.mark.parametrize(
    ("reference", "hint"),
    [
        ("Example.org/UPPER/case", "lower case"),
        ("example.org/a:b:c", ""),
        ("example.org/a@sha256:12", "64"),
    ],
)
def test_a_bad_reference_is_placed(program, quickstart, reference, hint) -> None:
    """A reference that follows no grammar is shown with its line and what would be right."""
    dockerfile = quickstart / "sources" / "coredns" / "Dockerfile"
    rewrite(dockerfile, BASE, reference)

    check_told(program.run("build", quickstart), 2, reference, f"at {dockerfile}:6", hint)
    check_told(program.run("copy", "No Such", "oci:x"), 2, "'No Such' is not an image reference")


def test_a_private_base_asks_for_a_substitution(program, quickstart) -> None:
    """The line to add is offered, nothing is asked of the private registry, nothing is built."""
    dockerfile = quickstart / "sources" / "coredns" / "Dockerfile"
    private = "registry.ci.openshift.org/other/4.20:base-rhel9"
    rewrite(dockerfile, BASE, private)

    ended = program.run("build", quickstart)

    check_told(ended, 2, f"{private} is in a registry that not everybody can pull from")
    assert f"add to substitutions: {{glob: '{private}', image: TAG}}" in ended.err
    assert f"at {dockerfile}:6" in ended.err
    assert "1 error before the first build" in ended.err
    assert not program.images().exists()


def test_an_unreachable_git_server_is_told(program, quickstart) -> None:
    """The URL, what git said and what to check; the exit code says that trying again may help."""
    written(
        quickstart / "components" / "coredns.yaml",
        "source: {git: 'http://127.0.0.1:9/nobody/here.git', ref: main}\n",
    )

    ended = program.run("build", quickstart)

    check_told(ended, 1, "http://127.0.0.1:9/nobody/here.git", "Failed to connect", "the network")
    assert "[source-unavailable]" in ended.err


def test_all_that_is_wrong_is_told_at_once(program, quickstart) -> None:
    """Each finding has its block, and the last lines count them."""
    (quickstart / "sources" / "coredns" / "Dockerfile").unlink()
    rewrite(
        quickstart / "sources/oc/Dockerfile", "openshift.org/ocp/4.20:base", "openshift.org/x:base"
    )
    rewrite(quickstart / "components/multus-cni.yaml", "../sources/multus-cni", "../nowhere")

    ended = program.run("plan", quickstart)

    check_told(ended, 2, "[missing-dockerfile]", "[private-reference]", "[missing-folder]")
    assert ended.err.count("\nerror: ") + 1 == 4
    assert "error: 3 errors before the first build" in ended.err


def test_missing_operands_are_told_at_once(resumed, quickstart, built) -> None:
    """Operator, file, tag and the nearest names of all of them; no release is made."""
    for operator in ("dns", "network"):
        references = quickstart / f"sources/cluster-{operator}-operator/manifests/image-references"
        rewrite(references, "name: kube-rbac-proxy", "name: kube-rbac")
    rewrite(
        quickstart / "sources/cluster-dns-operator/manifests/image-references",
        "name: coredns",
        "name: coredsn",
    )
    before = (resumed.releases() / "index.json").read_bytes()

    ended = resumed.run("build", quickstart)

    check_told(ended, 1, "no release was made: 3 errors")
    assert ended.err.count("[missing-operand]") == 3
    for operator, tag, near in (
        ("cluster-dns-operator", "coredsn", "coredns"),
        ("cluster-dns-operator", "kube-rbac", "kube-rbac-proxy"),
        ("cluster-network-operator", "kube-rbac", "kube-rbac-proxy"),
    ):
        block = rf"error: {operator}: [^\n]*\b{tag}\b[^\n]*\n  at [^\n]*image-references\n"
        assert re.search(rf"{block}  did you mean {near}\?\n", ended.err), ended.err
    assert (resumed.releases() / "index.json").read_bytes() == before


def test_a_failing_instruction_is_shown(resumed, quickstart) -> None:
    """The instruction, what it printed last, where the rest is; everything else is built."""
    dockerfile = quickstart / "sources" / "coredns" / "Dockerfile"
    rewrite(dockerfile, "RUN bundle", "RUN echo 'oh no' >&2; exit 3; bundle")

    ended = resumed.run("build", quickstart)
    logs = resumed.run("logs", "coredns")

    check_told(ended, 1, "failed coredns", "RUN echo 'oh no'", "exit status 3", "\n  oh no\n")
    assert "1 of 15 images failed" in ended.err
    assert "`okd-payload logs coredns`" in ended.err.splitlines()[-1]
    assert (logs.code, logs.err) == (0, "")
    assert "\noh no\n" in logs.out

    quiet = resumed.run("build", quickstart, "-q")
    check_told(quiet, 1, "coredns: ", "exit status 3")

    rewrite(dockerfile, "echo 'oh no' >&2; exit 3; ", "")
    assert resumed.build(quickstart)["release"] is not None


def test_no_buildah_is_told(program, built, path_without) -> None:
    """Its absence is said once, with the command that knows how to install it."""
    ended = program.run("build", built.stream, PATH=path_without("buildah"))

    check_told(ended, 1, "buildah is not installed", "`okd-payload doctor`")


def test_doctor_says_what_is_missing(program, path_without) -> None:
    """Without buildah it names the package and the command of this distribution."""
    ended = program.run("doctor", PATH=path_without("buildah"))

    assert ended.code == 1
    assert re.search(r"missing +buildah", ended.out), ended.out


def test_an_import_command_that_fails_is_shown(program, built, path_without) -> None:
    """What the command said is part of the message."""
    ended = program.run("build", built.stream, PATH=path_without("busybox"))

    check_told(ended, 1, "import root: ", "busybox is not installed: run make setup")
    assert "`okd-payload logs root`" in ended.err


def test_a_lock_that_is_not_there_is_told(program, built, tmp_path) -> None:
    """A wrong path is the user's slip; a file that is no lock as well."""
    check_told(
        program.run("build", built.stream, "--lock", tmp_path / "no.lock"),
        2,
        "no.lock' does not exist",
    )
    broken = written(tmp_path / "broken.lock", "sources: [1]\n")
    check_told(program.run("build", built.stream, "--lock", broken), 2, f"{broken}")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["biuld"], "Did you mean 'build'?"),
        (["plan", "--forse", "all"], "--force"),
        (["logs", "coredns"], "`okd-payload build STREAM` does"),
        (["build", "-o", "xml"], "'json', 'yaml'"),
        (["build", "--jobs", "0"], "--jobs"),
        (["release", "info"], "RELEASE"),
    ],
)
def test_slips_on_the_command_line_are_told(program, arguments, told) -> None:
    """Exit code 2, what is wrong, and where help is."""
    check_told(program.run(*arguments), 2, told)


def test_unknown_names_in_a_stream_are_told(resumed, built) -> None:
    """Images to force, logs and releases: what exists is offered."""
    check_told(resumed.run("build", built.stream, "--force", "cordns"), 2, "did you mean coredns?")
    check_told(resumed.run("logs", "cordns"), 2, "did you mean coredns?")
    name = built.printed["release"]["name"]
    check_told(resumed.run("publish", built.stream, name[:-1]), 2, f"did you mean {name}?")
    check_told(
        resumed.run("release", "info", f"oci:{resumed.releases()}:{name[:-1]}"), 1, f"mean {name}?"
    )
    check_told(
        resumed.run("release", "info", f"oci:{resumed.home}/nowhere:x"), 1, "nowhere", "hint: "
    )
