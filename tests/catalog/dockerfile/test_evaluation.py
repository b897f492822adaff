# SPDX-License-Identifier: Apache-2.0
"""What Dockerfiles refer to: variables, stages, images, labels."""

from __future__ import annotations

import pytest

from okd_payload.catalog.component import Argument
from okd_payload.catalog.dockerfile import evaluate, parse_dockerfile
from okd_payload.errors import InvalidDocument
from okd_payload.oci.manifest import Platform


def _images(text: str, **arguments: str) -> list[str]:
    found = evaluate(
        parse_dockerfile(text, path="D"),
        arguments=[Argument(name, value) for name, value in arguments.items()],
        platform=Platform(architecture="arm64", variant="v8"),
    )
    return [operand.name for operand in found.images]


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("ARG A=x\nFROM $A", ["x"]),
        ("ARG A=x\nFROM r/${A}y:1", ["r/xy:1"]),
        ("ARG A\nFROM ${A:-d}", ["d"]),
        ("ARG A=\nFROM ${A:-d}", ["d"]),
        ("ARG A=\nFROM x${A-d}", ["x"]),
        ("ARG A=x\nFROM ${A:-d}${A:+y}", ["xy"]),
        ("ARG A\nFROM x${A:+y}${A+z}", ["x"]),
        ("ARG A=x\nFROM ${A:+${A}-${A}}", ["x-x"]),
        ("ARG A=x B=$A\nARG C='$A'\"$B\"\nFROM $C", ["$Ax"]),
        ("ARG A=x\nFROM a\\$A", ["a$A"]),
        ('ARG A=x\nFROM "q${A}"', ["qx"]),
        ("ARG A=x\nFROM a$", ["a$"]),
        ("FROM r/i:$TARGETARCH$BUILDVARIANT", ["r/i:arm64v8"]),
        ("ARG TARGETOS\nFROM r/$TARGETOS", ["r/linux"]),
        ("FROM a AS b\nFROM B\nCOPY --from=b x y\nCOPY --from=0 x y", ["a"]),
        ("FROM b AS b\nFROM c\nCOPY --from=b x y\nADD --from=d x y", ["b", "c", "d"]),
        ("FROM a AS x\nFROM b AS x\nFROM x", ["a", "b"]),
        ("FROM scratch\nCOPY --from=later a b", ["later"]),
        ("FROM a\nRUN --mount=type=bind,from=i:1,target=/x true", ["a", "i:1"]),
        ('FROM a\nRUN --mount="type=cache,\\"from=i\\"" --mount=type=tmpfs true', ["a", "i"]),
        ("FROM a AS s\nRUN --mount=from=s true", ["a", "s"]),
        ("ARG A=x\nFROM b\nARG A\nCOPY --from=$A a b", ["b", "x"]),
        ("ARG A=x\nFROM b\nARG A=y\nCOPY --from=$A a b", ["b", "y"]),
        ("FROM b\nARG A=y\nENV A=z\nCOPY --from=$A a b", ["b", "z"]),
        ("FROM b\nENV A y  z\nCOPY --from=$A a b", ["b", "y  z"]),
        ("FROM b AS p\nARG A=y\nFROM p\nCOPY --from=$A a b", ["b", "y"]),
        ("FROM b\nONBUILD COPY --from=i a b", ["b"]),
        ("FROM b AS p\nONBUILD COPY --from=i a b\nFROM p\nFROM p", ["b", "i", "i"]),
        ("# escape=`\nARG A=x\nFROM r\\$A`$A", ["r\\x$A"]),
    ],
)
def test_images(text: str, images: list[str]) -> None:
    """Images are found after substitution, in order; stages and scratch are none."""
    assert _images(text) == images


def test_build_arguments() -> None:
    """Given values win over defaults, in FROM and in stages, where the name is declared."""
    text = "ARG A=x\nFROM $A\nARG A=1\nARG B\nCOPY --from=$A-$B a b\n"
    assert _images(text, A="n", B="m", C="never") == ["n", "n-m"]


def test_operands_know_where_they_stand() -> None:
    """Every operand has its text, value, kind, line and stage, and what it means."""
    text = "ARG A=x\nFROM $A AS s\nFROM b\nCOPY --from=s a b\nRUN --mount=from=c x\n"
    found = evaluate(parse_dockerfile(text, path="D")).operands
    assert [
        (each.kind.value, each.written, each.name, each.line, each.stage, each.target)
        for each in found
    ] == [
        ("FROM", "$A", "x", 2, 0, None),
        ("FROM", "b", "b", 3, 1, None),
        ("COPY --from", "s", "s", 4, 1, 0),
        ("RUN --mount", "c", "c", 5, 1, None),
    ]


def test_labels_of_the_image() -> None:
    """Labels are those of the last stage and of the stages it is built on, variables replaced."""
    text = (
        "FROM a AS other\nLABEL only=here\n"
        "FROM b AS parent\nARG V=1\nLABEL io.openshift.release.operator true\n"
        'LABEL version="v$V" other=x\n'
        'FROM parent\nLABEL \\\n  "io.k8s.display-name"="An operator" other=\n'
    )
    assert evaluate(parse_dockerfile(text, path="D")).labels == {
        "io.openshift.release.operator": "true",
        "version": "v1",
        "other": "",
        "io.k8s.display-name": "An operator",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FROM $A", "D:1: $A: A has no value"),
        ("ARG A\nFROM r/$A", "D:2: r/$A: A has no value"),
        ("ARG A=\nFROM $A", "D:2: $A: $A has no value"),
        ("FROM ${A:-$B}", "B has no value"),
        ("FROM a\nARG B=x\nFROM $B", "D:3: $B: B has no value"),
        ("FROM a\nCOPY --from=1 x y", "D:2: COPY --from=1: there is no stage 1 before this one"),
        ("FROM a\nCOPY --from=0 x y", "there is no stage 0 before this one"),
        ("ARG A=x\nFROM ${A%x}", "this kind of substitution is not supported"),
        ("ARG A=x\nFROM ${A:x}", "this kind of substitution is not supported"),
        ("FROM ${A:?needed}", "D:1: A: needed"),
        ("FROM ${A?}", "D:1: A: has no value"),
        ("FROM ${}", "a variable has no name"),
        ("ARG A=1\nFROM ${A:-x", "} is missing"),
        ("FROM 'a", "a single quote does not close"),
        ('FROM "a', "a double quote does not close"),
        ("FROM a\nENV A", "A has no value"),
        ("FROM a\nENV A=1 B", "'B' has no '='"),
        ("FROM a\nLABEL", "a name and a value are missing"),
    ],
)
def test_errors(text: str, message: str) -> None:
    """What has no value, or no sense, is an error with its line."""
    with pytest.raises(InvalidDocument) as caught:
        evaluate(parse_dockerfile(text, path="D"))
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["ARG A=x\nFROM ${A:?}", "ARG A=\nFROM a${A?}"])
def test_required_variables_that_are_given(text: str) -> None:
    """A variable that has to be there, and is, is replaced as any other."""
    assert len(_images(text)) == 1
