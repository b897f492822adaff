# SPDX-License-Identifier: Apache-2.0
"""The heads of Go files: imports, embedded files, and which files are ever built."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.catalog.go_modules.go_file import is_built, is_standard, read_go_file

FILE = b"""\
// Copyright "nobody" import "not/this"

/* import "nor/this" */
package config

import "fmt"
import (
\t"os" // with a comment: "no/import"
\t_ "embed"
\tmetav1 "k8s.io/apimachinery/pkg/apis/meta/v1"; . "example.com/dot"

\t`example.com/raw`
)

//go:embed files/*.yaml "with space.txt" all:hidden
var files string

func main() { fmt.Println("import \\"late\\"", metav1.Now, os.Args) }

import "after/everything"
"""


def test_imports_are_those_before_the_first_declaration():
    """Comments and strings are none, whatever they look like."""
    assert read_go_file(FILE).imports == (
        "fmt",
        "os",
        "embed",
        "k8s.io/apimachinery/pkg/apis/meta/v1",
        "example.com/dot",
        "example.com/raw",
    )


def test_embedded_files_are_patterns():
    """Quoted where they have spaces."""
    assert read_go_file(FILE).embeds == ("files/*.yaml", "with space.txt", "all:hidden")
    assert read_go_file(b'package a\n\n//go:embed "open\nvar x string\n').embeds == ('"open',)


@pytest.mark.parametrize(
    ("name", "content", "built"),
    [
        ("a.go", b"package a\n", True),
        ("a_test.go", b"package a\n", False),
        ("gen.go", b"//go:build ignore\n\npackage main\n", False),
        ("gen.go", b"// +build ignore\n\npackage main\n", False),
        ("a.go", b"//go:build linux\n\npackage a\n", True),
        ("a.go", b"//go:build !ignore\n\npackage a\n", True),
        ("a.go", b"package a\n\n//go:build ignore\n", True),
        ("crd.yaml", b"", True),
        ("go.mod", b"module a\n", False),
        ("go.sum", b"", False),
    ],
)
def test_copies_have_what_go_mod_vendor_takes(name: str, content: bytes, built: bool):  # noqa: FBT001 - a table
    """No tests, nothing that is tagged to be ignored; everything else may be needed."""
    assert is_built(name, content) == built


def test_packages_without_a_dot_come_with_go():
    """By their first part."""
    assert [is_standard(name) for name in ("fmt", "net/http", "C", "k8s.io/api", "")] == [
        True,
        True,
        True,
        False,
        True,
    ]


@given(st.binary(max_size=300))
def test_all_bytes_have_some_head(content: bytes):
    """What is no Go says nothing, and raises nothing."""
    read_go_file(b"package a\nimport (\n" + content)
    is_built("a.go", content)
