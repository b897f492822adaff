# SPDX-License-Identifier: Apache-2.0
"""Whether a main module is built with another one, by its copies or by its go.mod."""

from __future__ import annotations

from okd_payload.catalog.go_modules.dependence import (
    Dependence,
    Link,
    MainModule,
    Miss,
    find_dependence,
)
from okd_payload.catalog.go_modules.go_mod import read_go_mod
from okd_payload.catalog.go_modules.vendor_list import read_vendor_list

API, FORK = "github.com/openshift/api", "github.com/me/api"


def main_module(go_mod: str, listed: str | None = None, *, folder: str = "") -> MainModule:
    """A main module with these files."""
    return MainModule(
        folder=folder,
        go_mod=read_go_mod(f"module m\n{go_mod}".encode(), path="go.mod"),
        vendored=None if listed is None else read_vendor_list(listed.encode()),
        vendor_folder=folder,
    )


def found(main: MainModule, *names: str) -> Dependence:
    """The dependence on what has these names."""
    dependence = find_dependence(main, names)
    assert isinstance(dependence, Dependence)
    return dependence


def test_copies_decide_and_go_mod_is_the_evidence():
    """Direct or indirect by go.mod, packages by the list."""
    main = main_module(f"require {API} v1.0.0 // indirect\n", f"# {API} v1.0.0\n{API}/a\n{API}/b\n")
    dependence = found(main, API)
    assert (dependence.link, dependence.packages) == (Link.INDIRECT, (f"{API}/a", f"{API}/b"))
    assert (dependence.file, dependence.line) == ("go.mod", 2)


def test_a_copy_that_go_mod_does_not_name_stands_in_the_list():
    """Before Go 1.17 modules of modules were not named."""
    dependence = found(main_module("", f"# x v1.0.0\n# {API} v1.0.0\n{API}/a\n"), API)
    assert (dependence.file, dependence.line) == ("vendor/modules.txt", 2)
    assert dependence.link is Link.INDIRECT


def test_a_module_without_packages_makes_no_difference():
    """It is required, and nothing of it is built."""
    miss = find_dependence(main_module(f"require {API} v1.0.0\n", f"# {API} v1.0.0\n"), [API])
    assert isinstance(miss, Miss)
    assert miss.reason == f"{API} is required, and none of its packages is used"


def test_what_takes_the_place_of_a_module_is_what_is_built():
    """A change of the fork counts, one of the original does not."""
    rule = f"replace {API} => {FORK} v1.1.0\n"
    listed = f"# {API} v1.0.0 => {FORK} v1.1.0\n{API}/a\n# {API} => {FORK} v1.1.0\n"
    for main in (
        main_module(f"require {API} v1.0.0\n{rule}", listed),
        main_module(f"require {API} v1.0.0\n{rule}"),
    ):
        dependence = found(main, FORK)
        assert (dependence.imported.path, dependence.is_replaced) == (API, True)
        assert dependence.line == 3
        miss = find_dependence(main, [API])
        assert isinstance(miss, Miss)
        assert miss.reason == f"{API} is replaced by {FORK} v1.1.0"


def test_a_folder_of_the_repository_is_no_other_repository():
    """As the staging folders of Kubernetes."""
    main = main_module(f"require {API} v1.0.0\nreplace {API} => ./staging/api\n")
    miss = find_dependence(main, [API])
    assert isinstance(miss, Miss)
    assert "./staging/api" in miss.reason


def test_without_copies_go_mod_decides():
    """In whatever folder it is."""
    dependence = found(main_module(f"require {API} v1.0.0\n", folder="cmd/x"), API)
    assert (dependence.link, dependence.packages) == (Link.DIRECT, ())
    assert dependence.file == "cmd/x/go.mod"


def test_another_module_is_none_of_it():
    """Neither one whose path begins alike."""
    main = main_module(f"require {API}-extra v1.0.0\n", f"# {API}/v2 v2.0.0\n{API}/v2/a\n")
    assert find_dependence(main, [API]) is None
