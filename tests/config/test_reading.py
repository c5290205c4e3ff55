"""YAML as nnframe reads it."""

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnframe as nn
from nnframe.config.compose import override
from nnframe.config.reading import Document, dump, read
from nnframe.config.reading import parse as parsed


def parse(text):
    return parsed(text, "t.yaml", "", {})


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-3", 0.001), ("1E5", 1e5), ("1.0e3", 1000.0), (".5", 0.5), ("5.", 5.0), ("-0.0", -0.0), ("+3", 3), ("0o17", 15), ("0xFF", 255),
        ("010", 10), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"), ("1e", "1e"), ("0b11", "0b11"),
        ("no", "no"), ("off", "off"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("true", True), ("False", False), ("TRUE", True), ("tRUE", "tRUE"),
        ("null", None), ("~", None), ("", None), ("'1'", "1"), ('"true"', "true"), ("'~'", "~"),
        (".inf", math.inf), ("-.INF", -math.inf),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text, value):
    read_back = parse(f"a: {text}\n")["a"]
    assert read_back == value and type(read_back) is type(value)


def test_nan():
    assert math.isnan(parse("a: .nan")["a"])


def test_every_value_keeps_its_place():
    marks = {}
    parsed("a: 1\nb:\n  - {c: 2}\n  - x\n", "t.yaml", "", marks)
    assert marks["a"][1:] == (1, 1) and marks["b.0.c"][1:] == (3, 6) and marks["b.1"][1:] == (4, 5)


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: 1\na: 2", "t.yaml:2:1: the key 'a' is given twice, first in line 1"),
        ("? [1]\n: 2", "t.yaml:1:3: expected a text as key, got a list or mapping"),
        ("a: &x [1]\nb: {<<: *x}", r"t.yaml:2:5: merge keys \(<<\) are not supported; write the keys out"),
        ("a: !!python/name:os.system ''", "the tag 'tag:yaml.org,2002:python/name:os.system' is refused: a config is plain data"),
        ("a: !!int '3'", "the tag 'tag:yaml.org,2002:int' is refused"),
        ("a: &x [*x]", "is nested too deeply"),
        ("[" * 100 + "]" * 100, "is nested too deeply"),
        ("\n".join(["a: &a [x,x,x,x,x,x,x,x,x]"] + [f"{c}: &{c} [{','.join(['*' + p] * 9)}]" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]), "has more than 20,000 parts"),
        ("k" * 1000 + ": 1", "expected a key of at most 200 characters, got 1000"),
        ("a: 1\n--- \nb: 2", "expected one document; remove the --- line"),
        ("a: 'x", "t.yaml:1:4: the quote ' is not closed"),
        ("a: !!str 3", "t.yaml:1:4: the tag 'tag:yaml.org,2002:str' is refused"),
        ("a: b\n  c", "t.yaml:1:4: a text of several lines; is the next one's indentation right"),
        ("# a\n\n%YAML 1.1\n---\na: 1", r"t.yaml:3:1: YAML directives \(%\) are not supported; remove the line"),
    ],
)  # fmt: skip
def test_what_is_refused(text, words):
    with pytest.raises(nn.ConfigError, match=words):
        parse(text)


@pytest.mark.parametrize("count", [61, 999, 1001, 3000, 2**19])
@pytest.mark.parametrize("opening", "[{")
def test_nesting_is_refused_at_the_level_too_many_whatever_the_parser_allows(opening, count):
    with pytest.raises(nn.ConfigError, match=r"^t\.yaml:2:62: is nested too deeply$"):
        parse(f"a:\n  {opening * count}")


def test_a_huge_file_is_refused(tmp_path):
    (tmp_path / "big.yaml").write_text("a: " + "x" * 2**21)
    with pytest.raises(nn.ConfigError, match="a config of more than 1 MiB is refused"):
        read(tmp_path / "big.yaml")


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Co", "Cn"]), max_size=20) | st.sampled_from(
    [
        "no",
        "1e-3",
        "010",
        "null",
        "~",
        "true",
        "12:30",
        ".inf",
        "- a",
        "a: b",
        "# c",
        "!!str",
        "&a",
        "*a",
        "<<",
        "'",
        '"',
        " x ",
        "\n",
        "a\nb",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(string.ascii_letters + "_ ", min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(texts.filter(bool), values, max_size=5))
def test_what_is_dumped_is_read_back(data):
    def same(a, b):
        if isinstance(a, dict):
            return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
        if isinstance(a, list):
            return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
        return a == b and type(a) is type(b)

    assert same(data, parse(dump(data)) or {})


@pytest.mark.parametrize(
    "before, assignment, after",
    [
        ({"a": 1}, "a=2.5", {"a": 2.5}),
        ({"a": {"b": [1, 2]}}, "a.b.1=x", {"a": {"b": [1, "x"]}}),
        ({"a": "SGD"}, "a.lr=1e-2", {"a": {"type": "SGD", "lr": 0.01}}),
        ({"a": {"type": "SGD", "lr": 1}}, "a.type=Adam", {"a": {"type": "Adam"}}),
        ({}, "a.b={c: [1]}", {"a": {"b": {"c": [1]}}}),
        ({"a": 1}, "a=", {"a": None}),
        ({"a": 1}, "a=x=y", {"a": "x=y"}),
    ],
)
def test_overrides(before, assignment, after):
    document = Document(before)
    override(document, assignment)
    assert document.data == after
