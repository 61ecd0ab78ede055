"""Names that hide something or imitate another are found, and no real name is taken for one."""

import csv

import pytest

from ote.ingestion.model_text import look_alikes, looks, suspicious_text
from tests.conftest import REFERENCE

with (REFERENCE / "model_names.csv").open(encoding="utf-8", newline="") as file:
    REGISTERED = [row["upstream_name"] for row in csv.DictReader(file)]

REAL = (
    "PanGu-\u03b1", "PIXART-\u03b1", "PanGu-Σ", "白泽", "Baize-v2-13B (白泽)", "NÜWA", "Tu\u0308lu 3", "π0",
    "β-VAE",
    "λ-WASP", "µFormer", "Ernie 3.0 Titan", "GPT-4o", "Yi-34B (零一万物)", "Кандинский 3", "X²-VLM",
    "Rho-1 (\u03c1-1)",
    "DALL·E 3", "GPT\u20115-Codex", "ALLaM\u00a0adapted 70B", "GPT-NeoX (20B)", "日本語LLM",
    "RuGPT / ГигаЧат",
    "Llama 3™", "한국어 모델", "नमस्ते",
)  # fmt: skip
HOSTILE = {
    "GPT\u200b-4": "U+200B ZERO WIDTH SPACE",
    "GPT-4\ufeff": "U+FEFF",
    "GPT\u00ad-4": "U+00AD SOFT HYPHEN",
    "GPT\u2060-4": "U+2060 WORD JOINER",
    "GPT-4\u200d": "U+200D ZERO WIDTH JOINER",
    "\u202eevil": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "a\u2066b": "U+2066",
    "GPT\u061c": "U+061C",
    "\x1b[31mred": "U+001B",
    "GPT\x00": "U+0000",
    "GPT\t-4": "U+0009",
    "GPT\r-4": "U+000D",
    "GPT\x7f": "U+007F",
    "GPT\x85": "U+0085",
    "GPT\u2028-4": "U+2028 LINE SEPARATOR",
    "GPT\u2029-4": "U+2029 PARAGRAPH SEPARATOR",
    "GPT\ue000": "U+E000",
    "GPT\ufdd0": "U+FDD0",
    "GPT\ud800": "U+D800",
    "GPT-4\ufe0f": "U+FE0F VARIATION SELECTOR-16",
    "GPT-4\U000e0100": "U+E0100 VARIATION SELECTOR-17",
    "GPT-4\U000e0041": "U+E0041 TAG LATIN CAPITAL LETTER A",
    "GPT\u034f-4": "U+034F COMBINING GRAPHEME JOINER",
    "GPT\u3164": "U+3164 HANGUL FILLER",
    "GPT\u2800": "U+2800 BRAILLE PATTERN BLANK",
    "GP\u0422-4": "U+0422 CYRILLIC CAPITAL LETTER TE, which looks like T",
    "GPT-4\u043e": "U+043E CYRILLIC SMALL LETTER O",
    "GPT-4\u03bf": "U+03BF GREEK SMALL LETTER OMICRON",
    "\u041e\u0420\u0422-175B": "U+041E CYRILLIC CAPITAL LETTER O",
    "\u0391lphaFold": "U+0391 GREEK CAPITAL LETTER ALPHA",
    "GP\u03a4": "U+03A4 GREEK CAPITAL LETTER TAU",
    "L\u0251ma": "U+0251 LATIN SMALL LETTER ALPHA",
    "\u13c0PT": "U+13C0 CHEROKEE LETTER NAH",
    "Gro\u043a-1": "U+043A CYRILLIC SMALL LETTER KA, which is not a Latin letter",
    "Pa\u053cM": "U+053C ARMENIAN CAPITAL LETTER LIWN",
    "\ua4d6PT-4": "U+A4D6 LISU LETTER GA",
    "\u2c84pt": "U+2C84 COPTIC CAPITAL LETTER GAMMA",
    "\uab90PT-4": "U+AB90 CHEROKEE SMALL LETTER NAH",
    "GPT-\u13ce": "U+13CE CHEROKEE LETTER SE",
    "\U00010414PT": "U+10414 DESERET CAPITAL LETTER DEE",
    "\uff27PT": "U+FF27 FULLWIDTH LATIN CAPITAL LETTER G, which is written plainly as G",
    "GPT-\uff14": "U+FF14 FULLWIDTH DIGIT FOUR",
    "\U0001d406PT": "U+1D406 MATHEMATICAL BOLD CAPITAL G",
    "GPT-\U0001d7d2": "U+1D7D2 MATHEMATICAL BOLD DIGIT FOUR",
    "\u2102LIP": "U+2102 DOUBLE-STRUCK CAPITAL C",
    "\u24bcPT": "U+24BC CIRCLED LATIN CAPITAL LETTER G",
    "\u0262PT": "U+0262 LATIN LETTER SMALL CAPITAL G",
    "Z" + "\u0335" * 4: "more than 3 marks on one letter",
    '=HYPERLINK("x")': "a spreadsheet would run it",
    " @SUM(A1)": "a spreadsheet would run it",
    "x" * 301: "301 characters",
    " \u00a0": "blank",
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_name_is_taken(name: str) -> None:
    assert suspicious_text(name) is None


def test_every_registered_name_is_taken_and_looks_like_no_other() -> None:
    assert len(REGISTERED) > 3500
    assert [name for name in REGISTERED if suspicious_text(name)] == []
    spaced = {looks(name): name for name in REGISTERED}  # two names are there twice, but for a blank
    alike = [(name, spaced[looks(name)]) for name in REGISTERED if name != spaced[looks(name)]]
    assert all("".join(one.split()) == "".join(other.split()) for one, other in alike)
    assert len(alike) == 2
    assert look_alikes(REGISTERED, REGISTERED) == {}


@pytest.mark.parametrize(("name", "words"), HOSTILE.items(), ids=[ascii(name)[:30] for name in HOSTILE])
def test_a_name_that_hides_or_imitates_is_named_with_its_character(name: str, words: str) -> None:
    says = suspicious_text(name)
    assert says is not None
    assert words in says
    assert says.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "GPT\u20114", "GPT\u22124", "GPT -4", "GPT\u00a0-\u20034", "GPT\n-4", "G\u0332PT-4", "GPT-\u2074",
        "\uff27\uff30\uff34-4", "G\u0420T-4", "GPT\u200b-4", "GPT4", "GPT 4", "GPT_4", "\U0001d406PT-4",
    ],
)  # fmt: skip
def test_a_name_that_looks_like_a_registered_one_is_found_with_it(name: str) -> None:
    assert look_alikes([name, "GPT-5"], ["GPT-4", "NÜWA"]) == {name: "GPT-4"}


def test_names_that_readers_tell_apart_are_not_look_alikes() -> None:
    others = ["GPT-4o", "gpt-4", "NUWA", "PanGu-a", "GPT-4"]
    assert look_alikes(others, ["GPT-4", "NÜWA", "PanGu-\u03b1"]) == {}
