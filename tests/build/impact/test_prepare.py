# SPDX-License-Identifier: Apache-2.0
"""From a change of a shared library to the sources that have it, with real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from impact_rig import API, CONFIG, VERSION, Rig, program

from okd_payload.build.impact.prepare import Prepared, freeze_changes
from okd_payload.build.impact.report import describe_plan
from okd_payload.build.plan import ComponentNode
from okd_payload.errors import InputError, NotFound
from okd_payload.oci.manifest import Descriptor, Platform
from okd_payload.oci.reference import Reference
from okd_payload.source.lock import Lock
from okd_payload.testing.go_forge import go_component

pytestmark = pytest.mark.integration


def reached(prepared: Prepared) -> dict[str, int]:
    """The distance of each component that is reached."""
    return {item.name: item.distance for item in prepared.reach.reached}


async def read(rig: Rig, prepared: Prepared, name: str, path: str) -> str | None:
    """A file of the altered source of the component ``name``."""
    locked = prepared.altered[name]
    content = await rig.sources.read_file(locked.source, locked.commit, path)
    return None if content is None else content.decode()


async def test_a_pull_request_reaches_all_that_depend_on_it(rig: Rig):
    """Programs with copies of it, images on top of those, and nobody else."""
    ref = rig.api.propose(7, {"config/config.go": CONFIG.replace('"config"', '"changed"')})
    prepared = await rig.prepare(f"openshift/api@{ref}")
    assert reached(prepared) == {"etcd-operator": 1, "router": 1, "tests": 2, "more-tests": 3}
    assert prepared.conflicts == ()
    assert "changed" in (
        await read(rig, prepared, "etcd-operator", f"vendor/{API}/config/config.go") or ""
    )


async def test_every_reason_has_its_place(rig: Rig):
    """File and line of go.mod or of the Dockerfile."""
    ref = rig.api.propose(7, {"x.txt": "x"})
    impact = describe_plan(await rig.prepare(f"openshift/api@{ref}"))
    told = {
        (item.name, reason.message, f"{reason.file.partition(' ')[0]}:{reason.line}")
        for item in impact.components
        for reason in item.reasons
    }
    assert told == {
        ("etcd-operator", f"imports {API}, 1 package", "go.mod:6"),
        ("router", f"is built with {API}, 1 package", "go.mod:6"),
        ("tests", "is built on router (FROM router)", "Dockerfile:1"),
        ("tests", "copies files of etcd-operator (COPY --from etcd-operator)", "Dockerfile:2"),
        ("more-tests", "is built on tests (FROM tests)", "Dockerfile:1"),
    }


async def test_go_mod_and_the_list_of_copies_say_the_version_of_the_change(rig: Rig):
    """The same replacement stands in both, as the go command wants it."""
    ref = rig.api.propose(7, {"x.txt": "x"})
    commit = rig.api.git("rev-parse", ref)
    prepared = await rig.prepare(f"openshift/api@{ref}")
    version = f"v0.0.0-20240506070809-{commit[:12]}"
    go_mod = await read(rig, prepared, "etcd-operator", "go.mod")
    assert go_mod is not None
    assert go_mod.endswith(f"\nreplace {API} => {API} {version}\n")
    assert await read(rig, prepared, "etcd-operator", "vendor/modules.txt") == (
        f"# {API} {VERSION} => {API} {version}\n## explicit; go 1.19\n{API}/config\n"
        f"# {API} => {API} {version}\n"
    )


async def test_only_the_listed_packages_and_what_they_import_now_are_copied(rig: Rig):
    """A new import of the same library comes along; files that are gone go, tests do not come."""
    ref = rig.api.propose(
        7,
        {
            "config/config.go": None,
            "config/other.go": f'package config\n\nimport "{API}/names"\n\n'
            "func Name() string { return names.One }\n",
            "config/other_test.go": "package config\n",
            "names/names.go": 'package names\n\nconst One = "one"\n',
        },
    )
    prepared = await rig.prepare(f"openshift/api@{ref}")
    vendor = f"vendor/{API}"
    assert await read(rig, prepared, "etcd-operator", f"{vendor}/config/config.go") is None
    assert await read(rig, prepared, "etcd-operator", f"{vendor}/config/other_test.go") is None
    assert await read(rig, prepared, "etcd-operator", f"{vendor}/names/names.go")
    assert await read(rig, prepared, "etcd-operator", f"{vendor}/route/route.go") is None
    listed = await read(rig, prepared, "etcd-operator", "vendor/modules.txt")
    assert f"{API}/config\n{API}/names\n" in (listed or "")


async def test_a_conflict_is_told_of_one_component_and_the_rest_goes_on(rig: Rig):
    """A package that is gone; what stands on that component only is not reached any more."""
    ref = rig.api.propose(7, {"route/route.go": None})
    prepared = await rig.prepare(f"openshift/api@{ref}")
    (conflict,) = prepared.conflicts
    assert (conflict.name, conflict.reason) == ("router", f"the package {API}/route is gone")
    assert reached(prepared) == {"etcd-operator": 1, "tests": 2, "more-tests": 3}
    assert not any(
        "router" in reason.message
        for item in prepared.reach.reached[1:2]
        for reason in item.reasons
    )


async def test_an_import_that_nobody_has_is_a_conflict(rig: Rig):
    """Nothing is fetched: the component has to be updated by hand."""
    ref = rig.api.propose(
        7, {"config/config.go": 'package config\n\nimport _ "example.com/new"\n' + CONFIG[15:]}
    )
    prepared = await rig.prepare(f"openshift/api@{ref}")
    (conflict,) = prepared.conflicts
    assert conflict.reason == (
        f"{API}/config imports example.com/new now, and the component has no copy of that"
    )


async def test_a_folder_and_a_url_are_as_good_as_a_pull_request(rig: Rig):
    """Uncommitted changes of a checkout count."""
    rig.api.write({"config/config.go": CONFIG + "// more\n"})
    from_folder = await rig.prepare(f"openshift/api={rig.api.path}")
    assert "// more" in (
        await read(rig, from_folder, "etcd-operator", f"vendor/{API}/config/config.go") or ""
    )
    from_url = await rig.prepare(f"{rig.api.url}@main")
    assert reached(from_url) == reached(from_folder)


async def test_a_component_of_the_changed_repository_is_built_from_it(rig: Rig):
    """Distance 0, and what is built on it follows."""
    ref = rig.forge.repository("openshift/router").propose(3, {"new.txt": "new"})
    prepared = await rig.prepare(f"openshift/router@{ref}")
    assert reached(prepared) == {"router": 0, "tests": 1, "more-tests": 2}
    assert prepared.catalog.component("router").source == prepared.changed[0].change.source
    assert prepared.altered == {}


async def test_several_changes_meet_in_one_component(rig: Rig):
    """A change of the component itself, with a change of the library in its copies."""
    router = rig.forge.repository("openshift/router").propose(3, {"new.txt": "new"})
    api = rig.api.propose(
        7, {"route/route.go": "package route\n\nfunc Host() string { return `n` }\n"}
    )
    prepared = await rig.prepare(f"openshift/router@{router}", f"openshift/api@{api}")
    assert await read(rig, prepared, "router", "new.txt") == "new"
    assert "`n`" in (await read(rig, prepared, "router", f"vendor/{API}/route/route.go") or "")
    assert reached(prepared)["router"] == 0


async def test_depth_only_and_skip_limit_the_set(rig: Rig):
    """What is left out says so, and is no way on."""
    ref = rig.api.propose(7, {"x.txt": "x"})
    change = f"openshift/api@{ref}"
    near = await rig.prepare(change, depth=1)
    assert reached(near) == {"etcd-operator": 1, "router": 1}
    assert [item.name for item in near.reach.left_out] == ["tests"]
    one = await rig.prepare(change, only=["rou*", "more-tests"])
    assert reached(one) == {"router": 1}
    some = await rig.prepare(change, skip=["tests"])
    assert reached(some) == {"etcd-operator": 1, "router": 1}
    assert [item.reason for item in some.reach.left_out] == ["left out by --skip"]


async def test_a_library_that_is_replaced_by_a_fork_is_not_reached(rig: Rig):
    """And a change of the fork is, by its repository's name."""
    fork = rig.forge.repository("me/api")
    fork.commit({"go.mod": f"module {API}\n", "config/config.go": CONFIG})
    replaced = rig.vendoring("config", replaced_by="github.com/me/api v0.0.1")
    files = go_component("example.com/forked", program(f"{API}/config", call="1"), [replaced])
    rig.add("forked", files)
    ref = rig.api.propose(7, {"x.txt": "x"})
    prepared = await rig.prepare(f"openshift/api@{ref}")
    assert "forked" not in reached(prepared)
    (left,) = prepared.reach.left_out
    assert left.reason == f"{API} is replaced by github.com/me/api v0.0.1 (go.mod:9)"
    prepared = await rig.prepare("me/api@main")
    assert reached(prepared)["forked"] == 1
    assert f"replace {API} => {API} v0.0.0-" in (
        await read(rig, prepared, "forked", "go.mod") or ""
    )


async def test_a_component_without_copies_gets_the_whole_module(rig: Rig):
    """It replaces itself by a folder of the source, and its requirements are met."""
    rig.api.commit(
        {
            "go.mod": f"module {API}\n\ngo 1.19\n\nrequire example.com/x v1.2.0\n",
            "go.sum": "example.com/x v1.2.0 h1:abc=\n",
        }
    )
    files = {"main.go": "package main\n", "go.mod": f"module m\n\nrequire {API} {VERSION}\n"}
    rig.add("fetching", files)
    prepared = await rig.prepare("openshift/api@main", only=["fetching"])
    go_mod = await read(rig, prepared, "fetching", "go.mod")
    assert go_mod == (
        f"module m\n\nrequire {API} {VERSION}\n\nreplace {API} => ./okd-payload-changes/{API}\n"
        "\nrequire (\n\texample.com/x v1.2.0 // indirect\n)\n"
    )
    assert await read(rig, prepared, "fetching", "go.sum") == "example.com/x v1.2.0 h1:abc=\n"
    copied = await read(rig, prepared, "fetching", f"okd-payload-changes/{API}/config/config.go")
    assert copied == CONFIG


async def test_a_change_that_reaches_nothing_says_so(rig: Rig):
    """A wrong name is the likeliest reason."""
    rig.forge.repository("openshift/lonely").commit({"README": "alone"})
    with pytest.raises(InputError, match="openshift/lonely reaches nothing in this stream"):
        await rig.prepare("openshift/lonely@main")


async def test_a_source_that_cannot_be_read_is_a_warning(rig: Rig, tmp_path: Path):
    """It may depend on the change, and it does not keep the others from being built."""
    (tmp_path / "forge" / "openshift" / "docs").rename(tmp_path / "gone")
    ref = rig.api.propose(7, {"x.txt": "x"})
    prepared = await rig.prepare(f"openshift/api@{ref}")
    (issue,) = prepared.issues
    assert (issue.code, issue.component, issue.blocks) == ("source-unavailable", "docs", False)
    assert "etcd-operator" in reached(prepared)


async def test_links_of_a_change_lead_nowhere(rig: Rig, tmp_path: Path):
    """A pull request may come from anybody, and files of this machine are none of its business."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "secret.go").write_text("package names\n\nconst One = `secret`\n")
    (secret / "go.mod").write_text("secret\n")
    (rig.api.path / "names").symlink_to(secret)
    (rig.api.path / "LICENSE").unlink()
    (rig.api.path / "LICENSE").symlink_to(secret / "secret.go")
    (rig.api.path / "more").mkdir()
    (rig.api.path / "more" / "go.mod").symlink_to(secret / "go.mod")
    text = f'package config\n\nimport "{API}/names"\n\nfunc Name() string {{ return names.One }}\n'
    rig.api.commit({"config/config.go": text})
    prepared = await rig.prepare("openshift/api@main")
    (conflict,) = prepared.conflicts
    assert conflict.reason == (f"the package {API}/names is gone, which {API}/config imports now")
    assert await read(rig, prepared, "router", f"vendor/{API}/LICENSE") is not None
    assert "secret" not in (await read(rig, prepared, "router", f"vendor/{API}/LICENSE") or "")


async def test_a_change_comes_on_top_of_patches(rig: Rig):
    """Both are in what is built; the lock gets the commit of the component itself."""
    router = rig.forge.repository("openshift/router")
    ref = router.propose(1, {"patched.txt": "patched\n"})
    patches = rig.folder / "stream" / "patches"
    patches.mkdir()
    text = router.git("format-patch", "--full-index", "--stdout", "-1", ref)
    (patches / "0001.patch").write_text(f"{text}\n")
    rig.more = "components: {router: {patches: patches}}\n"
    prepared = await rig.prepare(f"openshift/api@{rig.api.propose(7, {'x.txt': 'x'})}")
    assert await read(rig, prepared, "router", "patched.txt") == "patched\n"
    assert f"replace {API} => {API} v0.0.0-" in (
        await read(rig, prepared, "router", "go.mod") or ""
    )
    assert prepared.bases["router"].commit.id == router.git("rev-parse", "main")
    assert prepared.catalog.component("router").patches == ""


async def test_the_plan_has_the_change_and_the_lock_has_not(rig: Rig):
    """What is locked can be changed again, anywhere; the change's commit is locked, too."""
    ref = rig.api.propose(7, {"x.txt": "x"})
    prepared = await rig.prepare(f"openshift/api@{ref}", only=["etcd-operator"])

    async def resolve(reference: Reference) -> Descriptor:
        raise NotFound(f"no {reference}")

    frozen = await freeze_changes(
        prepared,
        base=None,
        sources=rig.sources,
        resolve=resolve,
        platform=Platform(architecture="amd64"),
        lock=Lock(),
    )
    node = frozen.plan.nodes["etcd-operator"]
    own = rig.forge.repository("openshift/etcd-operator").git("rev-parse", "main")
    assert isinstance(node, ComponentNode)
    assert node.commit == prepared.altered["etcd-operator"].commit
    assert node.base is not None
    assert node.base.id == frozen.lock.sources["etcd-operator"].commit.id == own
    locked = frozen.lock.sources["change of openshift/api"]
    assert locked.commit.id == rig.api.git("rev-parse", ref)
