# SPDX-License-Identifier: Apache-2.0
"""What clusters understand of the JSON that is signed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okd_payload.signing.claim import Claim, ClaimRefused, check_claim, read_claim
from okd_payload.signing.claim_syntax import JsonFault, JsonNumber, parse_first

DIGEST = "sha256:abc"


def claim(**more):
    """A good claim as a value."""
    critical = {
        "type": "atomic container signature",
        "image": {"docker-manifest-digest": DIGEST},
        "identity": {"docker-reference": "quay.test/okd:1"},
    }
    return {"critical": critical, "optional": {"creator": "we", "timestamp": 7}} | more


def refusal(content):
    """Why a claim is refused."""
    with pytest.raises(ClaimRefused) as raised:
        check_claim(content.encode(), DIGEST)
    return raised.value.message.removeprefix("the signature is not valid JSON: ")


def test_a_good_claim_is_understood():
    """Every field is found."""
    assert check_claim(json.dumps(claim(), indent=3).encode(), DIGEST) == Claim(
        kind="atomic container signature",
        digest=DIGEST,
        reference="quay.test/okd:1",
        creator="we",
        timestamp=7,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"critical"', '"CRITICAL"'),
        ('"critical"', '"cr\\u0069tical"'),
        ('"docker-manifest-digest"', '"doc\u212aer-manifest-dige\u017ft"'),
        ('"timestamp": 7', '"timestamp": -0, "TimeStamp": 7'),
        (
            '"creator": "we"',
            '"creator": 1.5, "creator": null, "creator": "we"'.replace("1.5", "null"),
        ),
        ('"optional"', '"critical": null, "optional"'),
        ('"optional"', '"critical": {"image": {}}, "optional"'),
    ],
)
def test_names_are_matched_leniently(old, new):
    """Any case and spelling will do, null changes nothing, objects given twice merge."""
    text = json.dumps(claim()).replace(old, new)
    assert check_claim(text.encode(), DIGEST).timestamp == 7


@pytest.mark.parametrize("name", ["dige\ufb06", "Digest ", "d\u0131gest", "", "critical.image"])
def test_other_names_are_unknown(name):
    """Ligatures and other look-alikes are other names, which refuse."""
    assert "unknown field" in refusal(json.dumps(claim(**{name: 1})))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "EOF"),
        (" \n", "EOF"),
        ("{", "unexpected EOF"),
        ('{"critical": "x', "unexpected EOF"),
        ("tru", "unexpected EOF"),
        ("nul!", "invalid character '!' in literal null (expecting 'l')"),
        ("[1 2]", "invalid character '2' after array element"),
        ("[1,]", "invalid character ']' looking for beginning of value"),
        ("{,}", "invalid character ',' looking for beginning of object key string"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
        ('{"a":-}', "invalid character '}' in numeric literal"),
        ('{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        ('{"a":1e}', "invalid character '}' in exponent of numeric literal"),
        ('{"a":"\\x"}', "invalid character 'x' in string escape code"),
        ('{"a":"\\u00g0"}', "invalid character 'g' in \\u hexadecimal character escape"),
        ('{"a":"\t"}', "invalid character '\\t' in string literal"),
        ("+1", "invalid character '+' looking for beginning of value"),
        ("7", "json: cannot unmarshal number into Go value of type verify.signature"),
        ('"x"', "json: cannot unmarshal string into Go value of type verify.signature"),
        (
            '{"critical": {"image": {"docker-manifest-digest": {}}}}',
            (
                "json: cannot unmarshal object into Go struct field"
                " criticalImage.critical.image.docker-manifest-digest of type string"
            ),
        ),
        (
            '{"optional": {"timestamp": 1e2, "x": 1}}',
            (
                "json: cannot unmarshal number 1e2 into Go struct field"
                " optionalSignature.optional.timestamp of type int64"
            ),
        ),
        ('{"a\\"b": 1}', 'json: unknown field "a\\"b"'),
    ],
)
def test_refusals_in_the_words_of_go(text, expected):
    """The first fault is told as Go tells it."""
    assert refusal(text) == expected


@pytest.mark.parametrize("number", ["9223372036854775808", "-9223372036854775809", "1.0", "1e0"])
def test_timestamps_are_whole_and_fit(number):
    """A timestamp is a whole number of 64 bits, written without point and exponent."""
    assert f"cannot unmarshal number {number}" in refusal(
        json.dumps(claim()).replace(": 7", f": {number}")
    )


def test_nesting_ends_at_ten_thousand():
    """Ten thousand lists inside each other are read, one more is not."""
    assert "unknown field" in refusal('{"x":' + "[" * 9999 + "]" * 9999 + "}")
    assert refusal('{"x":' + "[" * 10_000) == "invalid character '[' exceeded max depth"
    assert "unknown field" in refusal('{"x":' + '{"":' * 9999 + "1" + "}" * 9999 + "}")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    """Nothing but a claim or a refusal comes out."""
    try:
        read_claim(content)
    except ClaimRefused as refused:
        told = refused.message
        assert told.startswith("the signature is not valid JSON: ")


_plain = st.none() | st.booleans() | st.text() | st.integers(-(2**70), 2**70)
_values = st.recursive(
    _plain, lambda inner: st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


def _plainly(value):
    """A parsed value as Python's own parser gives it."""
    if isinstance(value, JsonNumber):
        return int(value.text)
    if value is None or isinstance(value, bool | str):
        return value
    return {key: _plainly(item) for key, item in value.members}


@given(_values, st.booleans(), st.text(alphabet=" \n\t\rxyz{", max_size=3))
def test_the_first_value_is_read_as_others_read_it(value, ascii_only, rest):
    """What Python writes is read back, and what follows it is not looked at."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    if not isinstance(value, dict):
        rest = ""
    content = (text + rest).encode(errors="surrogatepass")
    assert _plainly(parse_first(content)) == json.loads(json.dumps(value))


@given(st.text(alphabet='{}[]",:\\u0123456789eE+-.truefalsnl \n', max_size=12))
def test_agrees_with_pythons_parser_about_what_is_json(text):
    """A text that is one value, and nothing else, is read exactly when Python reads it."""
    try:
        json.loads(text, parse_constant=_refuse)
        is_json = True
    except ValueError:
        is_json = False
    try:
        parse_first(text.encode())
        is_read = True
    except JsonFault:
        is_read = False
    assert is_read or not is_json


def _refuse(name):
    raise ValueError(name)
