# SPDX-License-Identifier: Apache-2.0
"""``vendor/modules.txt`` is read as the go command reads it, and written as it writes it."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.go_modules.go_mod import ModuleVersion
from okd_payload.catalog.go_modules.vendor_list import (
    VendoredModule,
    VendorList,
    read_vendor_list,
    with_replacement,
    write_vendor_list,
)

WRITTEN = b"""\
# github.com/me/only v1.0.0
## explicit
# github.com/openshift/api v0.0.0-20240101000000-aaaaaaaaaaaa => github.com/me/api v0.0.1
## explicit; go 1.20
github.com/openshift/api/config/v1
github.com/openshift/api/route/v1
# k8s.io/api v0.29.0 => ./staging/api
## go 1.21
k8s.io/api
# github.com/openshift/api => github.com/me/api v0.0.1
"""


def test_modules_packages_and_replacements_are_read():
    """Those without packages, too, and those that only say what is replaced."""
    listed = read_vendor_list(WRITTEN)
    only, api, staged, rule = listed.modules
    assert (only.explicit, only.packages, only.line) == (True, (), 1)
    assert api.content == ModuleVersion("github.com/me/api", "v0.0.1")
    assert (api.go, api.explicit, len(api.packages)) == ("1.20", True, 2)
    assert staged.replacement == ModuleVersion("./staging/api")
    assert (staged.go, staged.explicit) == ("1.21", False)
    assert (rule.module.version, rule.packages) == ("", ())
    assert listed.module("github.com/openshift/api") == api
    assert listed.module("github.com/nobody/api") is None
    assert "k8s.io/api" in listed.packages


def test_what_was_read_is_written_the_same():
    """To the byte."""
    assert write_vendor_list(read_vendor_list(WRITTEN)) == WRITTEN


def test_a_workspace_keeps_its_mark():
    """Its first line tells the go command that several modules share the copies."""
    listed = read_vendor_list(b"## workspace\n" + WRITTEN)
    assert listed.is_workspace
    assert write_vendor_list(listed).startswith(b"## workspace\n# github.com/me/only")


def test_lines_that_nobody_understands_are_passed_over():
    """And packages without a module are no packages."""
    text = b"stray/package\n# a\n# a latest\nlost/package\n# b v1.0.0 => x y z\n"
    text += b"## explicit; new 3\nb/c\n"
    (module,) = read_vendor_list(text).modules
    assert (module.module.path, module.replacement) == ("b", None)
    assert (module.explicit, module.packages) == (True, ("b/c",))


def test_a_replacement_of_any_version_is_written_once():
    """It stands at the end, and the module itself stays."""
    modules = read_vendor_list(WRITTEN).modules
    new = ModuleVersion("github.com/openshift/api", "v0.0.2")
    changed = with_replacement(modules, ModuleVersion("github.com/openshift/api"), new)
    assert [item.replacement for item in changed if not item.module.version] == [new]
    assert len(changed) == len(modules)


_WORDS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
_MODULES = st.builds(ModuleVersion, _WORDS.map("x.io/{}".format), st.just("v1.2.3"))
_LISTED = st.builds(
    VendoredModule,
    module=_MODULES,
    replacement=st.none() | _MODULES,
    explicit=st.booleans(),
    go=st.sampled_from(["", "1.19"]),
    packages=st.lists(_WORDS.map("x.io/{}".format), max_size=3).map(tuple),
)


@given(st.lists(_LISTED, max_size=5), st.booleans())
def test_every_list_survives_being_written(modules: list[VendoredModule], shared: bool):  # noqa: FBT001 - hypothesis gives it
    """Lines are where they were written."""
    written = write_vendor_list(VendorList(tuple(modules), shared))
    found = read_vendor_list(written)
    assert write_vendor_list(found) == written
    assert [item.packages for item in found.modules] == [item.packages for item in modules]
    assert found.is_workspace == shared


@given(st.binary(max_size=300))
def test_all_bytes_are_some_list(content: bytes):
    """What the go command passes over, we do."""
    read_vendor_list(b"# a v1.0.0\n" + content)
