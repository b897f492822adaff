# SPDX-License-Identifier: Apache-2.0
"""``go.mod`` and ``go.work`` are read as the go command reads them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.go_modules.go_mod import (
    GoMod,
    GoWork,
    ModuleVersion,
    Replacement,
    Requirement,
    read_go_mod,
    read_go_work,
)
from okd_payload.catalog.go_modules.module_text import replace_module, require_modules
from okd_payload.catalog.go_modules.versions import is_older
from okd_payload.errors import InvalidDocument

EVERYTHING = b"""\
// A comment above.
module github.com/openshift/etcd-operator // import "x"

go 1.20
toolchain go1.21.4

require (
\tgithub.com/openshift/api v0.0.0-20240101000000-aaaaaaaaaaaa
\t"k8s.io/api" v0.29.0 // indirect
\tk8s.io/client-go v0.29.0 // indirect; pinned
\tk8s.io/klog/v2 v2.1.0 // indirectly used
)

require gopkg.in/yaml.v3 v3.0.1

replace (
\tgithub.com/openshift/api => github.com/me/api v0.0.1
\tk8s.io/api v0.29.0 => ./staging/api // near
)
replace k8s.io/klog/v2 => k8s.io/klog/v2 v2.0.0

exclude k8s.io/api v0.28.0
retract (
\tv1.0.0 // a mistake
\t[v1.1.0, v1.2.0]
)
"""


def version(text: str) -> ModuleVersion:
    """``PATH VERSION``, or ``PATH``."""
    return ModuleVersion(*text.split())


def test_every_directive_is_read():
    """Blocks and single lines, quotes, and what the comments mean."""
    api = "github.com/openshift/api v0.0.0-20240101000000-aaaaaaaaaaaa"
    assert read_go_mod(EVERYTHING, path="go.mod") == GoMod(
        module="github.com/openshift/etcd-operator",
        go="1.20",
        requires=(
            Requirement(version(api), False, 8),
            Requirement(version("k8s.io/api v0.29.0"), True, 9),
            Requirement(version("k8s.io/client-go v0.29.0"), True, 10),
            Requirement(version("k8s.io/klog/v2 v2.1.0"), False, 11),
            Requirement(version("gopkg.in/yaml.v3 v3.0.1"), False, 14),
        ),
        replaces=(
            Replacement(
                version("github.com/openshift/api"), version("github.com/me/api v0.0.1"), 17
            ),
            Replacement(version("k8s.io/api v0.29.0"), version("./staging/api"), 18),
            Replacement(version("k8s.io/klog/v2"), version("k8s.io/klog/v2 v2.0.0"), 20),
        ),
        excludes=(version("k8s.io/api v0.28.0"),),
        retracts=("v1.0.0", "[v1.1.0 , v1.2.0]"),
    )


def test_a_replacement_of_one_version_wins_over_one_of_any():
    """And counts for that version only."""
    text = b"module m\nreplace a => b v1.0.0\nreplace a v1.2.0 => c v1.0.0\n"
    go_mod = read_go_mod(text, path="go.mod")
    one, any_other = version("a v1.2.0"), version("a v1.3.0")
    assert [
        str(go_mod.replacement(it).new) for it in (one, any_other) if go_mod.replacement(it)
    ] == [
        "c v1.0.0",
        "b v1.0.0",
    ]
    assert go_mod.replacement(version("x v1.0.0")) is None
    assert [it.new.is_folder for it in read_go_mod(EVERYTHING, path="go.mod").replaces] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("go 1.20\n", "go.mod: it has no module directive"),
        ("module m\nrequire a\n", "go.mod:2: require a: a module and its version is needed"),
        ("module m\nrequire (\n\ta v1\n", "go.mod:2: the block of require has no end"),
        ("module m\n)\n", "go.mod:2: a parenthesis that nothing opens"),
        ("module m\nreplace a b\n", "go.mod:2: replace a b: OLD"),
        ('module "m\n', "go.mod:1: a string without end"),
        ("module m\ngo latest\n", "go.mod:2: go latest: 1.N is needed"),
        ("module a\nmodule b\n", "go.mod:2: module b: one module path is needed"),
        ("module m\nexclude a\n", "go.mod:2: exclude a: a module"),
    ],
)
def test_what_go_refuses_is_refused_with_its_line(text: str, says: str):
    """The message begins with file and line."""
    with pytest.raises(InvalidDocument) as caught:
        read_go_mod(text.encode(), path="go.mod")
    assert caught.value.message.startswith(says)


def test_a_workspace_has_folders_and_replacements():
    """Other directives decide nothing here."""
    text = b"go 1.22\nuse .\nuse (\n\t./staging/api\n)\nreplace a => b v1.0.0\n"
    assert read_go_work(text, path="go.work") == GoWork(
        uses=(".", "./staging/api"),
        replaces=(Replacement(version("a"), version("b v1.0.0"), 6),),
    )


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_an_error_of_ours(content: bytes):
    """Foreign bytes are read, or refused."""
    for read in (read_go_mod, read_go_work):
        with contextlib.suppress(InvalidDocument):
            read(b"module m\n" + content, path="go.mod")


_PATHS = st.from_regex(r"[a-z]{1,8}\.(com|io)/[a-z]{1,8}(/v[2-9])?", fullmatch=True)
_VERSIONS = st.from_regex(r"v[0-9]\.[0-9]{1,2}\.[0-9](-rc\.[0-9])?", fullmatch=True)


@given(st.dictionaries(_PATHS, st.tuples(_VERSIONS, st.booleans()), max_size=6), st.booleans())
def test_what_is_written_is_read_again(wanted: dict[str, tuple[str, bool]], block: bool):  # noqa: FBT001 - hypothesis gives it
    """Every requirement comes back, however it is laid out."""
    lines = [
        f"{path} {at}{' // indirect' if indirect else ''}"
        for path, (at, indirect) in wanted.items()
    ]
    if block:
        body = "require (\n" + "".join(f"\t{line}\n" for line in lines) + ")\n"
    else:
        body = "".join(f"require {line}\n" for line in lines)
    found = read_go_mod(f"module example.com/m\n{body}".encode(), path="go.mod")
    assert {it.module.path: (it.module.version, it.indirect) for it in found.requires} == wanted


@given(st.dictionaries(_PATHS, _VERSIONS, min_size=1, max_size=6), _VERSIONS, st.booleans())
def test_a_replacement_is_there_after_it_was_written(
    requires: dict[str, str],
    new: str,
    replaced: bool,  # noqa: FBT001 - hypothesis gives it
):
    """Whether one was there before or not, and nothing else changes."""
    path, before = next(iter(requires.items()))
    text = "module example.com/m // keep\n" + "".join(
        f"require {it} {at}\n" for it, at in requires.items()
    )
    text += f"replace (\n\t{path} => example.com/other v1.0.0 // why\n)\n" if replaced else ""
    module, target = ModuleVersion(path, before), ModuleVersion(path, new)
    written, old = replace_module(text.encode(), module, target)
    found = read_go_mod(written, path="go.mod")
    rule = found.replacement(module)
    assert rule is not None
    assert (rule.new, old) == (target, ModuleVersion(path))
    assert found.requires == read_go_mod(text.encode(), path="go.mod").requires
    assert len(found.replaces) == 1
    assert replace_module(written, module, target) == (written, old)


def test_requirements_are_raised_and_never_lowered():
    """What is missing is added as indirect, in one block."""
    wanted = read_go_mod(
        b"module w\nrequire (\n\ta.io/a v1.2.0\n\ta.io/b v1.0.0\n\ta.io/c v1.0.0\n\tm v1.0.0\n)\n",
        path="go.mod",
    )
    text = b"module m\n\nrequire a.io/a v1.1.0 // why\nrequire a.io/b v1.5.0\n"
    assert require_modules(text, wanted) == (
        b"module m\n\nrequire a.io/a v1.2.0 // why\nrequire a.io/b v1.5.0\n"
        b"\nrequire (\n\ta.io/c v1.0.0 // indirect\n)\n"
    )


ORDERED = [
    "v0.0.0-20230101000000-aaaaaaaaaaaa",
    "v0.0.0-20240101000000-aaaaaaaaaaaa",
    "v0.9.0",
    "v1.0.0-alpha",
    "v1.0.0-alpha.1",
    "v1.0.0-rc.2",
    "v1.0.0-rc.10",
    "v1.0.0",
    "v1.2.0",
    "v1.10.0",
    "v2.0.0+incompatible",
]


def test_versions_are_ordered_as_semantic_versions():
    """Numbers as numbers, and a release after what leads up to it."""
    for number, older in enumerate(ORDERED):
        for newer in ORDERED[number + 1 :]:
            assert is_older(older, newer)
            assert not is_older(newer, older)
    assert not is_older("latest", "v1.0.0")
