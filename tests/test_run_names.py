"""The names that people type: which run they mean, and what is said where they mean none or several."""

import re
import shutil
from pathlib import Path

import duckdb
import pytest

from ote.answers import names, search
from ote.answers.published import open_database
from tests.conftest import Build, ote


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        # the run_id or a full name, in any case, punctuation and width of letters
        *(
            (name, "gpt-3-175b")
            for name in ("GPT 3", "gpt3", "gpt-3", "GPT-3", "gpt-3-175b", "\uff27\uff30\uff34\uff0d\uff13")
        ),
        ("T5-11B", "t5-11b"),
        ("  bloom-176b ", "bloom-176b"),
        # the name of a family of which one whole run is known, or one is what everybody calls so
        ("PaLM", "palm-540b"),
        ("palm", "palm-540b"),
        ("BLOOM", "bloom-176b"),
        # the format of weights, the owner and the address say nothing of the training
        ("meta-llama/Llama-2-70b-hf", "llama-2-70b"),
        ("Llama-2-70b-hf", "llama-2-70b"),
        ("https://huggingface.co/meta-llama/Llama-2-70b-hf", "llama-2-70b"),
        ("bigscience/bloom", "bloom-176b"),
        ("https://huggingface.co/bigscience/bloom", "bloom-176b"),
        ("facebook/opt-175b", "opt-175b"),
        ("https://huggingface.co/meta-llama/Llama-2-70b-hf/tree/main", "llama-2-70b"),
        ("mistralai/Mixtral-8x7B-v0.1", "mixtral-8x7b"),
        ("deepseek-ai/DeepSeek-R1", "deepseek-r1"),
        ("runwayml/stable-diffusion-v1-5", "stable-diffusion-1-5"),
        ("stable-diffusion-v1-4", "stable-diffusion-1-4"),
        ("whisper large v3", "whisper-v3"),
        # as people type: quotes, dashes and blanks of all kinds, versions, abbreviations
        *(
            (name, "gpt-3-175b")
            for name in ('"GPT-3"', "\u201cgpt-3\u201d", "GPT\u20113", "GPT\u20133 ", "gpt_3")
        ),
        ("gpt 4", "gpt-4-mar-2023"),
        ("gpt4o", "gpt-4o"),
        ("GPT-4O", "gpt-4o"),
        ("LLaMA-65B", "llama-65b"),
        ("llama3 405b", "llama-3.1-405b"),
        ("llama3.1:70b", "llama-3.1-70b"),
        ("Gemini Ultra", "gemini-1-0-ultra"),
        ("claude", "claude"),
        ("claude 3 opus", "claude-3-opus"),
        ("deepseek v3", "deepseek-v3"),
        ("alphafold 2", "alphafold-2"),
        ("whisper", "whisper"),
        ("whisper 2", "whisper-v2"),
        ("sdxl", "stable-diffusion-xl-sdxl"),
        ("dalle 2", "dall-e-2"),
        ("bert large", "bert-large"),
        ("gpt neox", "gpt-neox-20b"),
        # the beginning of one name, or its words with others between them
        ("AlphaEarth", "alphaearth-foundations"),
        ("DeepSpeech2", "deepspeech2-english"),
    ],
)
def test_one_clear_match_is_taken(build: Build, name: str, run_id: str) -> None:
    with open_database(build.directory / "emissions.duckdb", search.PROBE) as connection:
        assert names.find(connection, name).run_id == run_id


@pytest.mark.parametrize("name", ["\u201cgpt-3\u201d", "\uff27\uff30\uff34\uff0d\uff13", "  GPT\u20133 "])
def test_a_command_takes_the_one_clear_match(build: Build, name: str) -> None:
    """However it is typed: which run it means is tested above, without a command for each."""
    done = ote("why", name, "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 0, done.stderr
    assert "gpt-3-175b" in " ".join(done.stdout.split())


def test_what_was_taken_is_said_where_it_is_not_what_was_given(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    assert "'PaLM' is taken as palm-540b." in ote("why", "PaLM", *database).stderr
    assert "'PaLM' is taken as palm-540b." in ote("where", "PaLM", *database).stderr
    assert ote("why", "gpt3", *database).stderr == ""


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Llama 2", ["llama-2-70b", "llama-2-34b", "llama-2-13b", "llama-2-7b"]),
        ("BERT", ["bert-large"]),
        ("Llama 3.1", ["llama-3.1-405b", "llama-3.1-70b", "llama-3.1-8b"]),
        ("T5", ["t5-11b", "t5-3b"]),
        ("Mixtral", ["mixtral-8x22b", "mixtral-8x7b"]),
        ("Gopher", ["gopher-280b", "gopher-7-1b"]),
        ("stable diffusion", ["stable-diffusion-v1", "stable-diffusion-xl-sdxl"]),
    ],
)
def test_several_are_listed_with_energy_tonnes_and_basis(build: Build, name: str, first: list[str]) -> None:
    database = build.directory / "emissions.duckdb"
    with open_database(database, search.PROBE) as connection, pytest.raises(names.UnknownRunError) as caught:
        names.find(connection, name)
    assert set(first) <= set(caught.value.run_ids)
    done = ote("why", name, "--database", database)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{name!r} may mean " in done.stderr
    for said in (*first, "90 % interval"):
        assert said in done.stderr
    assert re.search(r"\d k?t\n", done.stderr)
    assert re.search(r"\n(measured|disclosed|inferred|guessed): \w+", done.stderr), "how the hours are known"
    headers = " ".join(done.stderr.split("──")[0].splitlines()[1:])
    assert headers.split() == ["run", "energy", "CO2e"]
    assert max(map(len, done.stderr.splitlines())) <= 80


def two_families(connection: duckdb.DuckDBPyConnection) -> None:
    """Another family that begins alike, and a part of a run, beside runs of the dataset."""
    connection.execute("update emissions set model = 'Zebra 70B' where run_id = 'meena'")
    connection.execute("update emissions set model = 'Zebra 7B' where run_id = 'palm-540b'")
    connection.execute("update emissions set model = 'Yak 70B' where run_id = 'gopher-280b'")
    connection.execute("update emissions set model = 'Yak Chat' where run_id = 't5-11b'")
    connection.execute("update emissions set model = 'Xerus (540B)' where run_id = 'gpt-3-175b'")
    connection.execute("update emissions set model = 'Xerus 2' where run_id = 'bloom-176b'")
    connection.execute("update emissions set model = 'Wolf 9B', covers = 'one_run' where run_id = 'opt-175b'")
    connection.execute(
        "update emissions set model = 'Wolf 8B', covers = 'part_of_run' where run_id = 'deberta-1.5b'"
    )
    connection.execute("update emissions set model = '悟道' where run_id = 'yalm-100b'")
    connection.execute("update emissions set model = 'Twin' where run_id in ('llama-2-7b', 'llama-2-13b')")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("zebra", ["meena", "palm-540b"]),  # two sizes
        ("yak", ["gopher-280b", "t5-11b"]),  # a size, and another whole run that begins alike
        ("xerus", ["gpt-3-175b"]),  # a size in brackets is no part of the name
        ("wolf", ["opt-175b"]),  # the other one is a part of a run
        ("悟道", ["yalm-100b"]),  # without Latin letters a name is itself alone
        ("twin", ["llama-2-13b", "llama-2-7b"]),
        ("Zebra-70b-hf", ["meena"]),
        ("someone/zebra-70b-GGUF", ["meena"]),
    ],
)
def test_a_family_means_its_only_whole_run(build: Build, tmp_path: Path, name: str, meant: list[str]) -> None:
    other = Path(shutil.copy(build.directory / "emissions.duckdb", tmp_path / "other.duckdb"))
    with duckdb.connect(str(other)) as connection:
        two_families(connection)
    with open_database(other, search.PROBE) as connection:
        if len(meant) == 1:
            found = names.find(connection, name)
            assert found.run_id == meant[0]
            assert found.others == (("deberta-1.5b",) if name == "wolf" else ())
            return
        with pytest.raises(names.UnknownRunError) as caught:
            names.find(connection, name)
    assert sorted(caught.value.run_ids) == meant


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("t5-11c", "The nearest: t5-11b"),
        ("gtp-3", "The nearest: gpt-3-175b, "),  # swapped
        ("chatgtp", "The nearest: chatgpt-agent, "),
        ("blom", "The nearest: bloom-176b, "),  # a family, its largest run first
        ("lama 2", "The nearest: llama-2-70b, "),
        ("deepsek v3", "The nearest: deepseek-v3, "),
        ("gemeni ultra", "The nearest: gemini-1-0-ultra, "),
        ("bert-bse", "The nearest: bert-base-tpuv2, bert-base-v100, "),
        (
            "resnet50",
            "Runs with that in their name: detr-resnet-50, ",
        ),  # a part of CLIP and of DETR is not it
        ("opus", "claude-3-opus"),
        (
            "175b",
            "Runs with that in their name: bluelm-175b, gpt-3-175b, opt-175b, ",
        ),  # not the beginning of any
        ("A3C FF", "Runs with that in their name: a3c-ff-hs."),  # the beginning of one without an estimate
        ("Llama-2-70b-chat-hf", "The nearest: llama-2-70b"),  # a chat model is another training
        ("?", "The nearest: "),
        ("lama", "The nearest: "),  # within a word, and no word of any
        ("../../etc", "The nearest: "),  # AlexNet-C... has these letters, but not in one word
        ("文心", "The nearest: "),
        ("", "'' is empty: expected a run_id or the name of a model"),
        ("  ", "'  ' is empty: expected a run_id or the name of a model"),
    ],
)
def test_a_name_that_is_not_known_gets_the_nearest(build: Build, name: str, stated: str) -> None:
    database = build.directory / "emissions.duckdb"
    with open_database(database, search.PROBE) as connection, pytest.raises(names.UnknownRunError) as caught:
        names.find(connection, name)
    assert stated in str(caught.value)


@pytest.mark.parametrize("name", ["t5-11c", "?", "../../etc", "文心", "  "])
def test_a_command_refuses_a_name_that_is_not_known(build: Build, name: str) -> None:
    done = ote("why", name, "--database", build.directory / "emissions.duckdb")
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False)


@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        ("gtp3", "gpt3", 1),
        ("gpt3", "gpt3", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),  # swapped letters are not changed again
        ("teh", "the", 1),
    ],
)
def test_a_swap_is_one_change(one: str, other: str, changes: int) -> None:
    assert names.distance(one, other) == names.distance(other, one) == changes


def test_a_search_that_finds_nothing_names_the_nearest(build: Build) -> None:
    done = ote("find", "gtp-3", "--database", build.directory / "emissions.duckdb")
    assert done.returncode == 2
    assert "the nearest names: gpt-3-175b, " in done.stderr


def test_a_name_may_be_given_in_several_words(build: Build) -> None:
    database = ("--database", build.directory / "emissions.duckdb")
    assert ote("why", "Llama", "2", "70B", *database).stdout == ote("why", "llama-2-70b", *database).stdout
