# SPDX-License-Identifier: Apache-2.0
"""What has to change in a component's files, so that it is built with a changed library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from okd_payload.build.impact.changed import ChangedModule
from okd_payload.build.impact.packages import Packages
from okd_payload.build.impact.reach import Use
from okd_payload.build.impact.vendoring import ModuleConflict, Texts, Vendoring, vendor_changes
from okd_payload.catalog.go_modules.dependence import Dependence, MainModule, find_dependence
from okd_payload.catalog.go_modules.go_mod import read_go_mod
from okd_payload.catalog.go_modules.vendor_list import read_vendor_list

API = "example.com/api"
NEW = "v0.0.0-20240506070809-aaaaaaaaaaaa"
LIST = f"# {API} v1.0.0\n## explicit; go 1.17\n{API}/a\n"


class Case:
    """A library in a folder, and a component that is built with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.go_mod = f"module {API}\n\ngo 1.20\n"
        self.main = f"module example.com/m\n\ngo 1.19\n\nrequire {API} v1.0.0\n"
        self.listed: str | None = LIST
        self.siblings: tuple[str, ...] = ()

    def vendor(self, files: Mapping[str, str]) -> Vendoring:
        """What to change when the library has these files."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        main = MainModule(
            folder="",
            go_mod=read_go_mod(self.main.encode(), path="go.mod"),
            vendored=None if self.listed is None else read_vendor_list(self.listed.encode()),
            siblings=self.siblings,
        )
        module = ChangedModule(
            path=API,
            names=frozenset({API}),
            folder=self.folder,
            go_mod=read_go_mod(self.go_mod.encode(), path="go.mod"),
            version=NEW,
        )
        dependence = find_dependence(main, module.names)
        assert isinstance(dependence, Dependence)
        use = Use(main=main, module=module, dependence=dependence)
        texts = Texts(go_mod=self.main.encode(), go_sum=b"old h1:x=\n")
        return vendor_changes(main, [use], texts, Packages())


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """The plainest case."""
    return Case(tmp_path)


def contents(vendoring: Vendoring) -> dict[str, str]:
    """The new files by path."""
    return {file.path: file.content.decode() for file in vendoring.files}


def test_a_package_is_its_own_files_and_what_they_embed(case: Case):
    """Not what is below it, not its tests, not what is hidden unless that is asked for."""
    found = case.vendor(
        {
            "a/a.go": 'package a\n\nimport _ "embed"\n\n//go:embed data all:more\nvar x string\n',
            "a/a_test.go": "package a\n",
            "a/crd.yaml": "kind: x\n",
            "a/data/one.txt": "1",
            "a/data/.two.txt": "2",
            "a/data/_three/3.txt": "3",
            "a/more/.four.txt": "4",
            "a/below/b.go": "package below\n",
            "LICENSE": "free\n",
            "a/NOTICE.md": "note\n",
            "README": "read\n",
        }
    )
    copies = f"vendor/{API}"
    assert set(contents(found)) == {
        "go.mod",
        "vendor/modules.txt",
        f"{copies}/LICENSE",
        f"{copies}/a/NOTICE.md",
        f"{copies}/a/a.go",
        f"{copies}/a/crd.yaml",
        f"{copies}/a/data/one.txt",
        f"{copies}/a/more/.four.txt",
    }
    assert found.emptied == (f"{copies}/a",)


def test_the_language_of_copies_is_that_of_the_library(case: Case):
    """The compiler decides by it which words a package may use."""
    listed = contents(case.vendor({"a/a.go": "package a\n"}))["vendor/modules.txt"]
    assert "## explicit; go 1.20\n" in listed


def test_a_workspace_keeps_its_requirements(case: Case):
    """Only files and list change; modules of the workspace are there without copies."""
    case.listed = f"## workspace\n{LIST}"
    case.siblings = ("example.com/staged",)
    found = contents(case.vendor({"a/a.go": 'package a\n\nimport _ "example.com/staged/x"\n'}))
    assert "go.mod" not in found
    assert found["vendor/modules.txt"].startswith(f"## workspace\n# {API} v1.0.0")


@pytest.mark.parametrize("package", ["example.com/m/own", "net/http", "C", "example.com/x/y"])
def test_imports_that_are_there_are_no_conflict(case: Case, package: str):
    """Of the component itself, of Go, and of other copies."""
    case.listed = LIST + "# example.com/x v1.0.0\n## explicit\nexample.com/x/y\n"
    case.vendor({"a/a.go": f'package a\n\nimport _ "{package}"\n'})


@pytest.mark.parametrize("package", ["example.com/x/z", "example.com/mother"])
def test_imports_that_are_nowhere_are_a_conflict(case: Case, package: str):
    """Another package of a module that is there is not there."""
    case.listed = LIST + "# example.com/x v1.0.0\n## explicit\nexample.com/x/y\n"
    with pytest.raises(ModuleConflict, match=f"{API}/a imports {package} now"):
        case.vendor({"a/a.go": f'package a\n\nimport _ "{package}"\n'})


def test_what_the_library_wants_newer_is_said(case: Case):
    """Where it is imported; a replaced one is somebody's choice."""
    case.listed = LIST + "".join(
        f"# example.com/{name} v1.0.0{arrow}\nexample.com/{name}/p\n"
        for name, arrow in (("x", ""), ("y", ""), ("z", " => example.com/z v0.9.0"))
    )
    case.go_mod += "require (\n" + "".join(
        f"\texample.com/{name} v1.1.0\n" for name in ("x", "y", "z", "absent")
    )
    case.go_mod += ")\n"
    text = 'package a\n\nimport (\n\t_ "example.com/x/p"\n\t_ "example.com/z/p"\n)\n'
    assert case.vendor({"a/a.go": text}).notes == (
        f"{API} wants example.com/x v1.1.0, and is built with the v1.0.0 that the component has",
    )


def test_a_whole_module_leaves_other_modules_out(case: Case):
    """What is below another go.mod belongs to that; checksums of both are kept."""
    case.listed = None
    found = contents(
        case.vendor(
            {
                "go.mod": case.go_mod,
                "go.sum": "new h1:y=\nold h1:x=\n",
                "a/a.go": "package a\n",
                "tools/go.mod": "module tools\n",
                "tools/t.go": "package tools\n",
            }
        )
    )
    place = f"okd-payload-changes/{API}"
    assert set(found) == {
        "go.mod",
        "go.sum",
        *(f"{place}/{n}" for n in ("go.mod", "go.sum", "a/a.go")),
    }
    assert found["go.sum"] == "old h1:x=\nnew h1:y=\n"
    assert found["go.mod"].endswith(f"replace {API} => ./{place}\n")
