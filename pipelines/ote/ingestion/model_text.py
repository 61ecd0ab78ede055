"""Names of models and organisations that are made to look like others, or to hide what is in them.

Belongs here: what a name may not hold, and when two names look the same. Does not belong here: what becomes
of a row with such a name.

Characters are judged by their Unicode category and name, which the standard library has. Only letters that
pass for a Latin one are listed here. Alpha, beta, lambda, mu, pi and sigma are not: readers tell them apart,
and names of real models have them.
"""

import re
import unicodedata
from collections.abc import Iterable

# Categories of what cannot be seen, or moves what can: controls, formats (zero width, direction, tags),
# unassigned and private characters, surrogates, separators of lines and paragraphs.
HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# A name that goes on in the next line of its cell: one real model has it, and it hides nothing.
LINE_BREAK = "\n"
# Of other categories, and yet shown as nothing or as a blank.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc")
VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
MOST_MARKS = 3  # combining marks on one letter; more of them cover the lines around it
FORMULA = "=+-@"  # no name of 2026 begins with one
LONGEST = 300  # characters; the longest name of 2026 has 119

# Cyrillic, Greek, Armenian, Cherokee and phonetic letters that look like a Latin letter, by that letter.
LOOK_ALIKES = {
    chr(int(code, 16)): latin
    for latin, codes in {
        "A": "0410 0391 13AA", "B": "0412 0392 13F4", "C": "0421 03F9 13DF", "E": "0415 0395 13AC",
        "G": "050C 13C0", "H": "041D 0397 13BB", "I": "0406 0399 04C0", "J": "0408 13AB",
        "K": "041A 039A 13E6", "L": "13DE", "M": "041C 039C 13B7", "N": "039D", "O": "041E 039F 0555",
        "P": "0420 03A1 13E2", "S": "0405 054F 13DA", "T": "0422 03A4 13A2", "U": "054D", "V": "13D9",
        "W": "051C 13B3", "X": "0425 03A7", "Y": "0423 04AE 03A5", "Z": "0396 13C3", "a": "0430 0251",
        "c": "0441 03F2", "d": "0501", "e": "0435", "g": "0261 0581", "h": "04BB 0570", "i": "0456 03B9",
        "j": "0458 03F3", "l": "04CF 01C0", "n": "0578", "o": "043E 03BF 0585", "p": "0440 03C1",
        "q": "051B", "s": "0455", "u": "03C5 057D", "v": "0475 03BD", "w": "051D", "x": "0445",
        "y": "0443 04AF",
    }.items()
    for code in codes.split()
}  # fmt: skip
# Latin letters and digits in another style, by how their Unicode names begin.
STYLED = re.compile(
    r"MATHEMATICAL .*(CAPITAL|SMALL|DIGIT) |(SCRIPT|BLACK-LETTER|DOUBLE-STRUCK) (CAPITAL|SMALL) "
    r"|((NEGATIVE )?(CIRCLED|SQUARED)|FULLWIDTH|PARENTHESIZED|SEGMENTED|OUTLINED) (LATIN|DIGIT) "
    r"|LATIN LETTER SMALL CAPITAL |REGIONAL INDICATOR "
)
# Scripts with letters like Latin ones, which no name needs within a Latin word; Greek is in real names.
SIMILAR = re.compile(
    r"(CYRILLIC|ARMENIAN|CHEROKEE|COPTIC|LISU|DESERET|OSAGE|OLD ITALIC|CARIAN|LYCIAN|LYDIAN) "
)
WORD = re.compile(r"[^\s()\[\]{}/,;\uff08\uff09]+")
# Iota, nu, rho or upsilon, where it is no part of a row of letters: a symbol, as in Rho-1 (\u03c1-1).
SYMBOL = re.compile(r"(?<![^\W\d_])[\u03b9\u03bd\u03c1\u03c5](?![^\W\d_])")
SEPARATORS = re.compile(r"[\s_-]", re.ASCII)
DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")


def suspicious_text(name: str) -> str | None:
    """Why a name of a model or organisation must not be taken, in a sentence; None where it may be.

    A word of another script is a word like any other, also next to Latin ones.
    """
    if not name.strip():
        return "It is blank."
    if name.lstrip()[0] in FORMULA:
        return f"It begins with {name.lstrip()[0]!r}: a spreadsheet would run it."
    if len(name) > LONGEST:
        return f"It has {len(name):,} characters, and a name at most {LONGEST}."
    if name.isascii() and name.isprintable():
        return None
    found = (_suspicious_character(c) for c in name)
    return next((says for says in found if says), None) or _crowded(name) or _mixed(name)


def looks(name: str) -> str:
    """What a name looks like: two names of equal looks cannot be told apart by who reads them."""
    plain = "".join(c for c in unicodedata.normalize("NFKC", name) if c == LINE_BREAK or not _is_hidden(c))
    plain = "".join(LOOK_ALIKES.get(c, c) for c in plain if not unicodedata.combining(c))
    return "".join(DASHES.sub("-", plain).split())


def look_alikes(names: Iterable[str], registered: Iterable[str]) -> dict[str, str]:
    """The names that are not registered, but look or read like one that is: each with the registered one.

    Blanks, hyphens and underlines do not tell names apart: three pairs of 3,305 names of 2026 need them.
    """
    own = sorted(set(registered))
    known = {_reads(name): name for name in own}
    found = {name: known.get(_reads(name)) for name in sorted({*names}.difference(own))}
    return {name: like for name, like in found.items() if like}


def letters(name: str) -> str:
    """A name without blanks, hyphens and underlines, as core.model_ids has it; renames often change these."""
    return SEPARATORS.sub("", name)


def _reads(name: str) -> str:
    return letters(looks(name))


def hidden_character(text: str) -> str | None:
    """The first character of a text that cannot be seen, by number and name; None where there is none."""
    if text.isascii() and text.isprintable():  # nearly every cell
        return None
    return next((_called(c) for c in text if _is_hidden(c) and c != LINE_BREAK), None)


def _is_hidden(character: str) -> bool:
    is_other = unicodedata.category(character) in HIDDEN or character in BLANK
    return is_other or VARIATION.match(character) is not None


def _suspicious_character(character: str) -> str | None:
    if (character.isascii() and character.isprintable()) or character == LINE_BREAK:
        return None
    if _is_hidden(character):
        return f"It holds {_called(character)}, which cannot be seen."
    plain = unicodedata.normalize("NFKC", character)
    if STYLED.match(unicodedata.name(character, "")):
        return f"It holds {_called(character)}, which is written plainly as {plain}."
    return None


def _crowded(name: str) -> str | None:
    """More combining marks on one letter than any language has."""
    marks = "".join("m" if unicodedata.combining(c) else "." for c in unicodedata.normalize("NFD", name))
    return f"It has more than {MOST_MARKS} marks on one letter." if "m" * (MOST_MARKS + 1) in marks else None


def _mixed(name: str) -> str | None:
    """A letter of a script that resembles Latin in a word that has Latin letters; hyphens part no words."""
    for word in WORD.findall(unicodedata.normalize("NFC", name)):
        named = {c: unicodedata.name(c, "") for c in SYMBOL.sub("", word)}
        odd = [c for c in named if c in LOOK_ALIKES or SIMILAR.match(named[c])]
        if odd and any(of.startswith("LATIN ") for c, of in named.items() if c not in odd):
            like = f"looks like {LOOK_ALIKES[odd[0]]}" if odd[0] in LOOK_ALIKES else "is not a Latin letter"
            return f"It holds {_called(odd[0])}, which {like}, in {word!r}."
    return None


def _called(character: str) -> str:
    """A character by its number and name, since it may not be seen."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" {name}" if name else "")
