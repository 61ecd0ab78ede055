"""Versions, relative paths, SQL names and JSON of others: taken as data, or refused in a sentence."""

import json

import duckdb
import pytest

from ote import documents, names
from ote.answers.names import family


@pytest.mark.parametrize(
    "text", ["0.1.0", "0.1.0+7c062871", "1.0.0-rc.1", "10.20.30-a-b.1+c.d", "999999999.0.0"]
)
def test_a_version_is_one_by_semver(text: str) -> None:
    assert names.version(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "..",
        ".",
        "1",
        "1.0",
        "01.0.0",
        "1.0.0/",
        "/1.0.0",
        "../1.0.0",
        "1.0.0/../../x",
        "1.0.0+a/b",
        "../../../X+cbad0309",
        "1.0.0\\x",
        "1.0.0%2f..",
        "1.0.0\n",
        "\n1.0.0",
        "1.0.0\0",
        "1.0.0 ",
        "v1.0.0",
        "1.0.0+",
        "1.0.0-",
        "1.0.0+a+b",
        "1.0.0+ü",
        "\u0661.0.0",
        "1.0.0:x",
        "C:1.0.0",
        "1.0.0+" + "a" * 100,
        "9" * 5000 + ".0.0",
        "1.0.0'; drop",
        None,
        1,
        1.0,
        True,
        ["1.0.0"],
        {"1.0.0": 1},
        b"1.0.0",
    ],
)
def test_what_is_no_version_is_refused_in_one_line(text: object) -> None:
    with pytest.raises(names.BadNameError) as refused:
        names.version(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 300
    assert not names.is_version(text)


@pytest.mark.parametrize("text", ["LICENSE", "csv/emissions.csv", "a/b/c.tar.gz", "open-x.duckdb", "_a+b"])
def test_a_relative_path_is_one(text: str) -> None:
    assert names.relative_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "//x",
        "a//b",
        "a/",
        "./a",
        "a/./b",
        "a/../b",
        "../a",
        "a/..",
        "..%2fa",
        "a\\b",
        "..\\a",
        "C:/a",
        "C:a",
        "a:stream",
        "\\\\host\\x",
        "a\0",
        "a\nb",
        "a b",
        ".hidden",
        "csv/.a",
        "~",
        "~/a",
        "-rf",
        "con",
        "CON.csv",
        "csv/nul",
        "aux.txt",
        "COM1",
        "lpt9.csv",
        "a.",
        "a./b",
        "ü",
        "\u202ea",
        "a*",
        "a?b",
        "%61",
        "$x",
        "a" * 300,
        "/".join("ab" * 200),
        "file://a",
        "http://a",
        None,
        5,
        ["a"],
    ],
)
def test_what_leads_elsewhere_is_no_relative_path(text: object) -> None:
    with pytest.raises(names.BadNameError) as refused:
        names.relative_path(text)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "text", ["a", 'a"b', "a'b", '"; drop table t; --', "a\nb", "ü", "select", "a;b", "?", "{x}"]
)
def test_any_text_is_quoted_for_sql(text: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({names.identifier(text)} varchar)")
        connection.execute(f"insert into t values ({names.literal(text)})")
        assert connection.execute(f"select {names.identifier(text)} from t").fetchall() == [(text,)]


def test_a_message_is_one_short_line_whatever_it_shows() -> None:
    hostile = "\x1b[2J\u202e\n\r\0\ud800" + "x" * 10**6
    for said in (
        names.shown(hostile),
        names.one_line(hostile),
        names.shown(10**5000),
        names.shown([hostile]),
    ):
        assert said.isprintable()
        assert len(said) < 600


SHAPE = {"a": int, "b?": [str], "c?": {"*": (str, type(None))}, "d?": documents.NUMBER}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 10**6, "nested too deep"),
        ('{"a":' * 10**5, "nested too deep"),
        ("[1]", "the whole is a list, expected an object"),
        ("null", "the whole is null"),
        ("{}", "a is missing"),
        ('{"a": "1"}', "a is '1', expected a whole number"),
        ('{"a": true}', "a is True, expected a whole number"),
        ('{"a": 1.5}', "a is 1.5, expected a whole number"),
        ('{"a": 1, "b": {}}', "b is an object, expected a list"),
        ('{"a": 1, "b": ["x", 2]}', "b[1] is 2, expected text"),
        ('{"a": 1, "c": {"k": 3}}', "c.k is 3, expected text or null"),
        ('{"a": 1, "c": {"\\u001b\\n": 3}}', "c.\\x1b\\n is 3"),
        ('{"a": 1, "d": NaN}', "NaN is not a JSON number"),
        ('{"a": 1, "d": -Infinity}', "is not a JSON number"),
        ('{"a": 1, "a": 2}', "the key 'a' appears twice"),
        (b"\xff\xfe{", "no JSON"),
        ("", "no JSON"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON"),
        ('{"a": 1} x', "no JSON"),
    ],
    ids=range(19),
)
def test_json_of_another_form_is_refused_in_one_line(text: str | bytes, words: str) -> None:
    with pytest.raises(documents.MalformedError) as refused:
        documents.parse(text, SHAPE, "x.json")
    assert words in str(refused.value)
    assert str(refused.value).startswith("x.json: ")
    assert str(refused.value).isprintable()


def test_json_of_the_form_is_taken_with_what_else_it_holds() -> None:
    document = {"a": 1, "b": ["x"], "c": {"k": None, "l": "m"}, "d": 1.5, "e": [[[]]]}
    assert documents.parse(json.dumps(document), SHAPE, "x.json") == document


@pytest.mark.parametrize(
    ("name", "without"), [("Llama 2 70B", "Llama 2"), ("PaLM (540B)", "PaLM"), ("GPT-4", "GPT-4")]
)
def test_a_family_is_a_name_without_the_sizes_at_its_end(name: str, without: str) -> None:
    assert family(name) == without
