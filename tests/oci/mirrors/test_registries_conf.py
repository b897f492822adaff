# SPDX-License-Identifier: Apache-2.0
"""registries.conf, by its manual page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.errors import InvalidDocument
from okd_payload.oci.mirrors import registries_conf
from okd_payload.oci.mirrors.registries_conf import read_registries_conf, standard_files
from okd_payload.oci.mirrors.rules import Mirror, MirrorRule, Pulls
from okd_payload.oci.reference import parse_reference

EXAMPLE = """
unqualified-search-registries = ["example.com"]
short-name-mode = "enforcing"

[aliases]
"fedora" = "registry.test/fedora"

[[registry]]
prefix = "example.com/foo"
insecure = false
blocked = false
location = "internal.example.net/bar"

[[registry.mirror]]
location = "mirror-0.test/mirror-for-foo"

[[registry.mirror]]
location = "mirror-1.test/mirrors/foo"
insecure = true
pull-from-mirror = "digest-only"
"""


_TABLE = '[[registry]]\nprefix = "a.test"\n'
_FOR_ALL = 'mirror = [{location = "m.test", pull-from-mirror = "all"}]\n'


@pytest.fixture
def read(tmp_path):
    """Reads files with these texts."""

    def read_texts(*texts):
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / f"{number}.conf")
            paths[-1].write_text(text)
        return read_registries_conf(paths)

    return read_texts


def test_the_example_of_the_manual(read):
    """Mirrors in order, then the location that stands for the prefix."""
    found = read(EXAMPLE)
    places = found.places(parse_reference("example.com/foo/image:latest"))
    assert [str(place.reference) for place in places] == [
        "mirror-0.test/mirror-for-foo/image",
        "mirror-1.test/mirrors/foo/image",
        "internal.example.net/bar/image",
    ]
    assert [place.pulls for place in places] == [Pulls.ALL, Pulls.BY_DIGEST, Pulls.ALL]
    assert found.lenient_hosts == {"mirror-1.test"}


def test_a_location_alone_is_a_prefix(read):
    """An entry without prefix is about its location."""
    found = read('[[registry]]\nlocation = "a.test:5000/x"\nblocked = true\ninsecure = true\n')
    assert found.rules == (MirrorRule(prefix="a.test:5000/x", blocked=True),)
    assert found.lenient_hosts == {"a.test:5000"}


def test_mirrors_by_digest_only(read):
    """The registry may say it for all of its mirrors."""
    text = '[[registry]]\nprefix = "*.a.test"\nmirror-by-digest-only = true\n'
    found = read(f'{text}[[registry.mirror]]\nlocation = "m.test"\n')
    assert found.rules[0] == MirrorRule(
        prefix="*.a.test", mirrors=(Mirror("m.test", Pulls.BY_DIGEST),)
    )


def test_later_files_replace_entries(read):
    """A drop-in file says anew what is about a prefix, insecure hosts included."""
    found = read(EXAMPLE, '[[registry]]\nprefix = "example.com/foo"\nlocation = "b.test"\n')
    assert found.rules == (MirrorRule(prefix="example.com/foo", location="b.test"),)
    assert found.lenient_hosts == frozenset()


def test_the_first_version_of_the_format(read):
    """Lists of hosts are still understood."""
    found = read(
        "[registries.search]\nregistries = ['a.test']\n[registries.insecure]\n"
        "registries = ['b.test']\n[registries.block]\nregistries = ['c.test']\n"
    )
    assert found.lenient_hosts == {"b.test"}
    assert found.places(parse_reference("c.test/x")) == []


def test_entries_for_one_image_are_left_out(read):
    """Places are chosen for whole repositories."""
    assert read('[[registry]]\nprefix = "a.test/x:v1"\nlocation = "b.test/x:v1"\n').rules == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[registry]\n", "not valid TOML"),
        ("[[registry]]\n", "neither prefix nor location"),
        ("registry = 1\n", "Expected `array`"),
        ('[[registry]]\nprefix = "a.test/"\n', "no place of repositories"),
        ('[[registry]]\nprefix = "a.test"\n[[registry.mirror]]\n', "location"),
        ('[[registry]]\nprefix = "a.test"\nmirror = [{location = "x"}]\n', "no place of"),
        (f'{_TABLE}mirror = [{{location = "m.test", pull-from-mirror = "never"}}]\n', "never"),
        (f"{_TABLE}mirror-by-digest-only = true\n{_FOR_ALL}", "keep one of them"),
    ],
)
def test_what_is_no_configuration(text, words, read):
    """Errors name the file and what is wrong in it."""
    with pytest.raises(InvalidDocument) as raised:
        read(text)
    assert words in f"{raised.value} {raised.value.hint}"
    assert "0.conf" in str(raised.value)


def test_an_absent_file_is_an_error(tmp_path):
    """Whoever names a file means it."""
    with pytest.raises(InvalidDocument, match="No such file"):
        read_registries_conf([tmp_path / "none"])


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_configuration_or_an_error(tmp_path_factory, content):
    """Whatever is in the file, nothing else than InvalidDocument leaves the reader."""
    path = tmp_path_factory.mktemp("conf") / "x.conf"
    path.write_bytes(content)
    with contextlib.suppress(InvalidDocument):
        assert read_registries_conf([path]).rules == ()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a system's folder and a home of its own."""
    monkeypatch.delenv("CONTAINERS_REGISTRIES_CONF", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(registries_conf, "_SYSTEM", tmp_path / "system")

    def add(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        return path

    return add


def test_where_files_are(machine):
    """The user's file stands instead of the system's, and drop-in files of both are added."""
    assert standard_files() == []
    system = machine("system/registries.conf")
    later = machine("system/registries.conf.d/b.conf")
    first = machine("system/registries.conf.d/a.conf")
    machine("system/registries.conf.d/notes.txt")
    assert standard_files() == [system, first, later]
    own = machine("own/containers/registries.conf")
    last = machine("own/containers/registries.conf.d/0.conf")
    assert standard_files() == [own, first, later, last]


def test_the_variable_names_the_only_file(machine, monkeypatch):
    """With the variable set nothing else is read."""
    machine("system/registries.conf.d/a.conf")
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", "/x.conf")
    assert standard_files() == [Path("/x.conf")]
