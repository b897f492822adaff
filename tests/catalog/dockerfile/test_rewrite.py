# SPDX-License-Identifier: Apache-2.0
"""Rewriting: base, build information, environment, and what operands mean afterwards."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from okd_payload.catalog.component import Argument, Component, ImageInput, Origin
from okd_payload.catalog.dockerfile import Rewritten, evaluate, parse_dockerfile, rewrite
from okd_payload.catalog.dockerfile.words import expand, split_pairs
from okd_payload.errors import InputError, InvalidDocument

_BUILDER = "registry.ci.openshift.org/ocp/builder:rhel-9-golang-1.21-openshift-4.15"
_BASE = "registry.ci.openshift.org/ocp/4.15:base"


def _rewrite(text: str, *, component: dict[str, Any] | None = None, **others: Any) -> Rewritten:
    definition = Component(name="c", tag="c", origin=Origin("c.yaml"), **(component or {}))
    return rewrite(parse_dockerfile(text, path="D"), definition, **others)


def _meanings(rewritten: Rewritten) -> list[str]:
    images = evaluate(parse_dockerfile(rewritten.text, path="D")).images
    return [rewritten.meaning(operand) for operand in images]


def test_everything_at_once() -> None:
    """The base replaces the last image only; ENV follows every FROM; the rest is appended."""
    rewritten = _rewrite(
        f"ARG X\nFROM {_BUILDER} AS builder\nRUN <<EOF\nFROM no\nEOF\n"
        f"from --platform=linux/amd64 \\\n  {_BASE} as final\n"
        "COPY --from=builder /a /a",
        component={
            "base": "base",
            "environment": (Argument("A", 'it\'s "$x"'), Argument("B", "")),
        },
        build_environment=(Argument("OPENSHIFT_BUILD_COMMIT", "abc"),),
        labels=(Argument("io.openshift.build.commit.id", "abc"), Argument("with/slash", "x\\y")),
    )
    env = """ENV A='it'"'"'s "$x"' B=''"""
    assert rewritten.text == (
        f"ARG X\nFROM {_BUILDER} AS builder\n{env}\n"
        "RUN <<EOF\nFROM no\nEOF\n"
        f"from --platform=linux/amd64 \\\n  base as final\n{env}\n"
        "COPY --from=builder /a /a\n"
        "ENV OPENSHIFT_BUILD_COMMIT='abc'\n"
        "LABEL io.openshift.build.commit.id='abc' 'with/slash'='x\\y'\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a", "FROM new\nENV A='1'\nLABEL l='2'\n"),
        ("FROM a\n", "FROM new\nENV A='1'\nLABEL l='2'\n"),
        ("FROM a \\", "FROM new \nENV A='1'\nLABEL l='2'\n"),
        ("FROM a\nRUN x \\\n", "FROM new\nENV A='1'\nRUN x \nLABEL l='2'\n"),
        (
            "FROM a\nRUN x \\\n# c\n\n",
            "FROM new\nENV A='1'\nRUN x \n# c\n\nLABEL l='2'\n",
        ),
        ("\ufeffFROM a\r\nRUN x\r\n", "\ufeffFROM new\r\nENV A='1'\r\nRUN x\r\nLABEL l='2'\r\n"),
        ("FROM re\\\ng/a\n", "FROM new\nENV A='1'\nLABEL l='2'\n"),
        (
            "# escape=`\nFROM a\n",
            "# escape=`\nFROM new\nENV A='1'\nLABEL l='2'\n",
        ),
    ],
)
def test_ends_of_files_and_lines(text: str, expected: str) -> None:
    """What is inserted holds at ends without newline, in CRLF files and after open lines."""
    rewritten = _rewrite(
        text,
        component={"base": "new", "environment": (Argument("A", "1"),)},
        labels=(Argument("l", "2"),),
    )
    assert rewritten.text == expected
    assert evaluate(parse_dockerfile(rewritten.text, path="D")).labels == {"l": "2"}


def test_nothing_to_change_changes_nothing() -> None:
    """Without base, environment and labels the text is the same, even when it ends half-way."""
    text = f"FROM {_BUILDER} as x\r\nRUN a \\\n"
    assert _rewrite(text).text == text


def test_aliases_are_answered_not_written() -> None:
    """An alias is exactly the text of an operand; stages win; the text keeps the operand."""
    text = f"FROM {_BUILDER} AS s\nFROM x:1\nCOPY --from=s a b\nCOPY --from={_BASE} a b\n"
    rewritten = _rewrite(
        text,
        component={
            "inputs": (
                ImageInput(image="builder", aliases=(_BUILDER, "s")),
                ImageInput(image="tools:x", aliases=("x", _BASE)),
            )
        },
    )
    assert rewritten.text == text
    assert _meanings(rewritten) == ["builder", "x:1", "tools:x"]


def test_base_wins_over_an_alias_of_the_same_image() -> None:
    """An alias for the image of the last FROM has no effect there, and keeps it elsewhere."""
    inputs = (ImageInput(image="other", aliases=(_BASE,)),)
    only = _rewrite(f"FROM {_BASE}", component={"base": "base", "inputs": inputs})
    assert _meanings(only) == ["base"]
    both = _rewrite(f"FROM {_BASE} AS a\nFROM {_BASE}", component={"base": "b", "inputs": inputs})
    assert _meanings(both) == ["other", "b"]


@pytest.mark.parametrize(
    ("text", "component", "meanings"),
    [
        ("FROM golang AS base\nFROM ubi\n", {"base": "base"}, ["golang", "base"]),
        (
            "FROM base\nFROM ubi\n",
            {"base": "base", "inputs": (ImageInput(image="x", aliases=("base",)),)},
            ["x", "base"],
        ),
        (
            "FROM Builder AS builder\nFROM ubi\nCOPY --from=builder a b\n",
            {"inputs": (ImageInput(image="x", aliases=("Builder",)),)},
            ["x", "ubi"],
        ),
        ("FROM cli AS cli\nFROM ubi\n", {}, ["cli", "ubi"]),
        ("FROM a AS cli\nFROM cli\n", {}, ["a"]),
    ],
)
def test_operands_are_never_mistaken(
    text: str, component: dict[str, Any], meanings: list[str]
) -> None:
    """An image called like a stage or an alias is written so that no builder confuses them."""
    rewritten = _rewrite(text, component=component)
    assert _meanings(rewritten) == meanings
    dockerfile = parse_dockerfile(rewritten.text, path="D")
    names = {stage.name.lower() for stage in dockerfile.stages}
    assert not names & {operand.name.lower() for operand in evaluate(dockerfile).images}


def test_alias_of_an_operand_with_a_variable() -> None:
    """An alias fits the text as written, as in OpenShift, or what the variable makes of it."""
    inputs = (ImageInput(image="by-text", aliases=("$A",)), ImageInput(image="v", aliases=("two",)))
    rewritten = _rewrite(
        "ARG A=one\nARG B=two\nFROM $A\nFROM $B\nFROM x\n", component={"inputs": inputs}
    )
    assert _meanings(rewritten) == ["by-text", "v", "x"]


def test_line_breaks_cannot_be_written() -> None:
    """A value with a line break is refused instead of becoming another instruction."""
    with pytest.raises(InputError, match="the value of A has a line break"):
        _rewrite("FROM a", component={"environment": (Argument("A", "1\nRUN x"),)})


@given(
    st.text(alphabet=st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=30),
    st.sampled_from(["", "# escape=`\n"]),
)
def test_every_value_survives(value: str, directive: str) -> None:
    """Whatever is in a value, a builder reads exactly it again."""
    rewritten = _rewrite(
        f"{directive}FROM a\n",
        component={"environment": (Argument("NAME", value),)},
        labels=(Argument("with/slash", value),),
    )
    dockerfile = parse_dockerfile(rewritten.text, path="D")
    env, _ = dockerfile.stages[0].instructions
    place = dockerfile.place(1)
    ((name, written),) = split_pairs(env.text, dockerfile.escape, place)
    found = expand(written, {}, escape=dockerfile.escape, place=place)
    assert (name, found.text, found.missing) == ("NAME", value, ())
    assert list(evaluate(dockerfile).labels.values()) == [value]


_PIECES = st.lists(
    st.sampled_from(
        [
            *("FROM a", "FROM a AS b", "FROM \\", " a AS \\", "# c", "RUN <<EOF", "EOF", "  \\"),
            *("RUN x \\", "", "COPY --from=b /a /b", "# escape=`", "RUN a `", "FROM x/b:1 AS s"),
        ]
    ),
    min_size=1,
    max_size=8,
)


@given(_PIECES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n"]))
def test_text_is_otherwise_untouched(pieces: list[str], newline: str, end: str) -> None:
    """Taking the additions out again and putting the image back gives the text that was."""
    text = newline.join(pieces) + end
    with contextlib.suppress(InvalidDocument):
        dockerfile = parse_dockerfile(text, path="D")
        assume(dockerfile.dangling_escape is None)
        marked = _rewrite(text, component={"environment": (Argument("ADDED", "1"),)})
        added = f"{dockerfile.newline}ENV ADDED='1'"
        assert marked.text.replace(added, "") == text
        span = dockerfile.stages[-1].image_span
        replaced = _rewrite(text, component={"base": "quay.io/b/b:1"}).text
        assert replaced == text[: span.start] + "quay.io/b/b:1" + text[span.end :]
        assert len(parse_dockerfile(marked.text, path="D").stages) == len(dockerfile.stages)
