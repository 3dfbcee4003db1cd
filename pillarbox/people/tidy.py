"""Names as lists write them, put into parts and into ordinary letter case; scripts without case stay untouched."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from nameparser import HumanName

from pillarbox.people.names import is_body, is_couple

# As written in Britain, without a full stop. nameparser knows most, but not "Revd Dr", nor that KC is no surname.
_TITLES = {word.lower(): word for word in (
    "Mr", "Mrs", "Ms", "Miss", "Mx", "Master", "Dr", "Prof", "Professor", "Sir", "Dame", "Lord", "Lady", "Baroness",
    "Baron", "Viscount", "Earl", "Countess", "Rabbi", "Rebbetzin", "Cantor", "Rev", "Revd", "Reverend", "Canon",
    "Father", "Fr", "Sister", "Imam", "Sheikh", "Bishop", "Archbishop", "Dean", "Judge", "Hon", "Rt", "Right",
    "Honourable", "Ambassador", "Capt", "Captain", "Major", "Col", "Colonel", "Councillor", "Cllr",
)} | {"doctor": "Dr", "the": "The", "reverand": "Revd"}
# Not MA: it is a surname as well.
_POST_NOMINALS = frozenset({"kc", "qc", "obe", "mbe", "cbe", "kbe", "dbe", "ch", "om", "bem", "gcb", "kcb", "dl", "jp",
                            "mp", "msp", "pc", "frs", "fba", "frsa", "frcp", "frcs", "phd", "dphil", "md", "ba", "bsc",
                            "msc", "llb", "llm", "esq", "esquire"})
_PARTICLES = frozenset({"van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "du", "la", "le", "zu",
                        "zur", "ter", "ten"})
_NUMERAL = re.compile(r"(ii|iii|iv|vi{0,3})\b", re.IGNORECASE)
_JOIN = re.compile(r"\s+(?:&|\+|and)\s+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """The parts of a supporter's name; each may be empty."""

    title: str = ""
    first_name: str = ""
    last_name: str = ""
    """Or the name of a trust."""


def tidy(name: Name) -> Name:
    """Parts in ordinary letter case ("JOHN", "SMITH" → "John", "Smith"), titles as written in Britain."""
    return Name(
        title=title(name.title),
        first_name=" and ".join(map(cased, _JOIN.split(name.first_name))),
        last_name=name.last_name if is_body(name.last_name) else cased(_without_post_nominals(name.last_name)),
    )


@lru_cache(maxsize=4096)
def title(text: str) -> str:
    """A title without full stops and in its usual case: "MR. & MRS." → "Mr & Mrs"; unknown words stay."""
    words = re.sub(r"\s+and\s+", " & ", text.replace("/", " & "), flags=re.IGNORECASE).split()
    return " ".join(_TITLES.get(word.rstrip(".,").lower(), word) for word in words)


def parse(text: str) -> Name:
    """A whole name put into its parts; trusts, couples and post-nominals are understood.

    Examples: "Revd Dr Ann van der Zyl KC", "Mr & Mrs J Smith", "SMITH, John", "The Smith Family Trust".
    """
    if not text:
        return Name()
    if is_body(text):
        return Name(last_name=text)
    surname, comma, given = text.partition(",")
    if comma and not _is_post_nominal(given.split()[0] if given.split() else ""):
        text = f"{given.strip()} {surname.strip()}" if not _leading_titles(surname)[0] else text.replace(",", "")
        before, rest = _leading_titles(_without_post_nominals(text))
        if rest.lower().endswith(surname.strip().lower()) and rest != surname:
            return tidy(Name(title=before, first_name=rest[: -len(surname.strip())].strip(),
                             last_name=surname.strip()))
    before, rest = _leading_titles(_without_post_nominals(text.replace(",", " ")))
    if is_couple(before) or is_couple(rest):
        return tidy(_couple(before, rest))
    if before and " " not in rest:
        return tidy(Name(title=before, last_name=rest))
    found = HumanName(rest)
    first = " ".join(part for part in (found.title, found.first, found.middle) if part)
    last = " ".join(part for part in (found.last, found.suffix) if part)
    return tidy(Name(title=before, first_name=first, last_name=last))


@lru_cache(maxsize=65_536)
def cased(text: str) -> str:
    """Ordinary letter case for what is all capitals or all small; anything else stays as it was written."""
    if not _shouts(text) or "İ" in text or "ı" in text:
        return text
    words = text.split(" ")
    return " ".join(
        word.lower() if word.lower() in _PARTICLES and number < len(words) - 1 else _word(word)
        for number, word in enumerate(words)
    )


def _shouts(text: str) -> bool:
    letters = sum(c.isalpha() for c in text)
    return (text.isupper() and letters > 2) or (text.islower() and letters > 0)


def _word(word: str) -> str:
    if _NUMERAL.fullmatch(word):
        return word.upper()
    if "-" in word:
        return "-".join(map(_word, word.split("-")))
    if found := re.fullmatch(r"([ODLModlm])(['’])(\w{3,}.*)", word):
        return f"{found[1].upper()}{found[2]}{_word(found[3])}"
    if found := re.fullmatch(r"mc(\w{3,}.*)", word, re.IGNORECASE):
        return f"Mc{found[1][0].upper()}{found[1][1:].lower()}"
    return word[:1].upper() + word[1:].lower()


def _leading_titles(text: str) -> tuple[str, str]:
    """Titles at the beginning, a couple's two included, and the rest."""
    words = text.split()
    count = 0
    while count < len(words) - 1:
        plain = words[count].rstrip(".,").lower()
        joins = words[count].lower() in ("&", "and", "+") and count and words[count + 1].rstrip(".,").lower() in _TITLES
        if plain not in _TITLES and not joins:
            break
        count += 1
    return title(" ".join(words[:count])), " ".join(words[count:])


def _couple(before: str, rest: str) -> Name:
    if not is_couple(rest):  # Mr & Mrs J Smith
        *first, last = rest.split() or [""]
        return Name(title=before, first_name=" ".join(first), last_name=last)
    one, two = _JOIN.split(rest, maxsplit=1)
    second_title, two = _leading_titles(two)
    if second_title and " " in one:  # Mr John Smith & Ms Ann Jones
        one_last, two_last = one.split()[-1], two.split()[-1]
        same = one_last.lower() == two_last.lower()
        if same:
            return Name(title=f"{before} & {second_title}".strip(" &"), last_name=cased(one_last))
        return Name(title=before, last_name=f"{cased(one_last)} and {second_title} {cased(two_last)}")
    *second, last = two.split() or [""]
    both = f"{before} & {second_title}" if before and second_title else before
    return Name(title=both, first_name=f"{one} and {' '.join(second)}" if second else one, last_name=last)


def _is_post_nominal(word: str) -> bool:
    return word.rstrip(".,").replace(".", "").lower() in _POST_NOMINALS


def _without_post_nominals(text: str) -> str:
    words = text.replace(",", " ").split() if any(map(_is_post_nominal, text.replace(",", " ").split())) else None
    if words is None:
        return text
    while len(words) > 1 and _is_post_nominal(words[-1]):
        words.pop()
    return " ".join(words)


def with_parsed(name: Name, whole: str) -> Name:
    """The parts as given, what they leave empty filled from a whole name."""
    if name.first_name or name.last_name:
        return tidy(name)
    found = parse(whole)
    return replace(found, title=title(name.title) or found.title)
