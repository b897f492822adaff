# SPDX-License-Identifier: Apache-2.0
"""The real data, held against a table: what must be found, and why each finding is true.

``real_data.yaml`` is the table. Batches are compared with the recorded inventory, and aliases
with what a script of others has counted in the Dockerfiles.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from okd_payload.catalog.lint.batches import read_batches
from okd_payload.catalog.lint.check import lint_catalog
from okd_payload.catalog.lint.reading import read_subject
from okd_payload.catalog.substitution import is_private
from okd_payload.testing.yardstick import attempt_below

_TABLE = yaml.safe_load(Path(__file__).with_name("real_data.yaml").read_text())
_FOLDERS = ("okd-payload-pipeline", "okd-coreos-pipeline", "ci-operator-config")


@pytest.fixture(scope="module")
def found(shared_data):
    """All issues of the real data, by code."""
    issues = defaultdict(list)
    for issue in lint_catalog(read_subject([shared_data / name for name in _FOLDERS])):
        file = Path(issue.file).relative_to(shared_data)
        issues[issue.code].append(f"{issue.component or '-'} {file}:{issue.line}")
    return issues


@pytest.mark.parametrize("row", _TABLE, ids=lambda row: row["code"])
def test_findings(row, found):
    """Each kind of issue is found where the table says, and nowhere else."""
    assert row["because"]
    assert sorted(found[row["code"]]) == sorted(row["findings"])


def test_nothing_else(found):
    """No kind of issue is found that the table does not argue for."""
    assert set(found) == {row["code"] for row in _TABLE}


def test_alone(shared_data):
    """The issues of one variant are told when only its folder is given."""
    folder = shared_data / "okd-payload-pipeline"
    issues = lint_catalog(read_subject([folder / "variants" / "scos"]))
    wanted = {"dangling-reference", "lost-by-patch", "batch-race", "unknown-build", "unread-label"}
    assert wanted <= {issue.code for issue in issues}
    assert not any("(in " in issue.message for issue in issues)


def test_batches_are_those_of_the_inventory(shared_data):
    """The builds of every pipeline, task by task, equal those that were read by another program."""
    folder = shared_data / "okd-payload-pipeline"
    recorded = json.loads((folder / "inventory.json").read_bytes())["pipelines"]
    subject = read_subject([folder / "pipelines"])
    for pipeline in subject.pipelines:
        read = read_batches(pipeline, subject.tasks_by_name)
        wanted = [
            (task["task"], task["buildConfigs"])
            for task in recorded[pipeline.name]["tasks"]
            if task["buildConfigs"]
        ]
        assert [(each.task, [build.name for build in each.builds]) for each in read.batches] == (
            wanted
        )


def _dockerfiles(shared_data):
    """A Dockerfile for each component that refers to what the recorded one does."""
    facts = json.loads((shared_data / "component-dockerfiles" / "references.json").read_bytes())
    return {
        name: _write(each["stages"], each["copies_from"], each["args"]).encode()
        for name, each in facts.items()
        if each["found"]
    }


def _write(stages, copies, arguments):
    lines = []
    for index, stage in enumerate(stages):
        lines.append(f"FROM {stage['from']}" + (f" AS {stage['alias']}" if stage["alias"] else ""))
        lines += [f"ARG {name}={value}" for name, value in arguments.items() if value]
        lines += [f"COPY --from={each['from']} /a /a" for each in copies if each["stage"] == index]
    return "\n".join(lines) + "\n"


def test_missed_aliases(shared_data):
    """With the facts as Dockerfiles, the aliases that are missing are those that were counted."""
    summary = json.loads((shared_data / "component-dockerfiles" / "summary.json").read_bytes())
    counted = {
        (component, reference)
        for component, references in summary["alias_list"]["components"].items()
        for reference in references
        if is_private(reference)
    }
    subject = read_subject(
        [shared_data / "okd-payload-pipeline" / "variants" / "scos"],
        dockerfiles=_dockerfiles(shared_data),
    )
    issues = lint_catalog(subject)
    missing = {
        (issue.component, issue.message.partition(" ")[0])
        for issue in issues
        if issue.code == "missing-alias"
    }
    assert missing == counted
    assert len(missing) > 100
    versions = {issue.component for issue in issues if issue.code == "version-skew" and issue.line}
    assert "base" in versions


def test_unused_inputs(shared_data):
    """An input is unused exactly when no stage before the last, and no copy, has its alias."""
    dockerfiles = _dockerfiles(shared_data)
    subject = read_subject(
        [shared_data / "okd-payload-pipeline" / "variants" / "scos"], dockerfiles=dockerfiles
    )
    facts = json.loads((shared_data / "component-dockerfiles" / "references.json").read_bytes())
    wanted = set()
    for definition in subject.definitions:
        each = facts[definition.name]
        kept = len(each["stages"]) - bool(each["strategy_from"])
        used = {stage["from"] for stage in each["stages"][:kept]}
        for item in definition.component.inputs:
            if each["found"] and item.aliases and not used & set(item.aliases):
                wanted.add((definition.name, item.image))
    found = {
        (issue.component, issue.message.removeprefix("its Dockerfile uses no alias of the input "))
        for issue in lint_catalog(subject)
        if issue.code == "unused-image-input"
    }
    assert {(name, text.partition(" ")[0]) for name, text in found} == wanted
    assert wanted


def test_a_stream_of_the_real_data(shared_data, tmp_path):
    """A stream that reads the kustomization gets the same findings about its definitions."""
    folder = shared_data / "okd-payload-pipeline" / "variants" / "scos"
    catalog = f"name: scos\ncatalog: [{{kustomization: {os.path.relpath(folder, tmp_path)}}}]\n"
    (tmp_path / "stream.yaml").write_text(catalog)
    codes = {"dangling-reference", "lost-by-patch", "ambiguous-argument", "unread-label"}
    codes |= {"misnamed-file", "duplicate-argument", "unknown-field", "stub-image"}
    found = [
        {
            (issue.code, issue.component, Path(issue.file).name, issue.line)
            for issue in lint_catalog(read_subject([path]))
            if issue.code in codes
        }
        for path in (tmp_path, folder)
    ]
    assert found[0] <= found[1]
    missing = {(code, component) for code, component, *_ in found[1] - found[0]}
    # Reading the catalog leaves these two out, and says so with another code.
    assert missing == {("stub-image", "kuryr-cni"), ("stub-image", "kuryr-controller")}
    assert {code for code, *_ in found[0]} == codes


def test_time(shared_data):
    """All of the real data takes less than three seconds of CPU, whatever else goes on."""
    folders = [shared_data / name for name in _FOLDERS]
    for cost in attempt_below(3.0):
        with cost:
            lint_catalog(read_subject(folders))
