"""Words that are right in themselves and wrong here: “it’s own”, “would of”, “so called ‘rights’”.

A short list of patterns that are hardly ever right; grammar in general is for a reader's eye.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pillarbox.checking.matter import Matter
from pillarbox.checking.prose import Passage, few, written
from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "mixed-up": "A word is right elsewhere and wrong here: “it’s own”, “would of”.",
}
_MIXUPS: tuple[tuple[str, str], ...] = (
    (r"\bit['’]s (?:own|co-(?:author|founder|chair|director|worker|editor)|aims?|mission|founders?|members|trustees|"
     r"staff|supporters|volunteers|citizens|borders|neighbours|people|history|children|minorities|former)\b"
     r"(?! (?:like|who|whom|whose|that|which|we|you|they|and|or|as|time|not)\b|[.!?…]| [–—-])",
     "“it’s” is “it is”: what belongs to it is “its”"),
    (r"\b(?<!all )(?<!some )(?<!most )(?<!much )(?<!part )(?<!rest )(?<!half )"
     r"(?:of|by|from|with|under|within|through|into|to) it['’]s (?!a\b|an\b|the\b|not\b|been\b|all\b|like\b)\w+",
     "“it’s” is “it is”: what belongs to it is “its”"),
    (r"\b(?:could|should|would|must|might|may) of\b(?! course)", "“have” is meant, not “of”"),
    (r"\b[Yy]our (?:welcome to|invited|making|helping us|doing|going to|not alone|one of)\b",
     "“you’re” is meant, not “your”"),
    (r"\b(?:thank you for|with|for|of|on) you['’]re (?:help|support|gift|donation|kindness|generosity|time)\b",
     "“your” is meant, not “you’re”"),
    (r"\b(?:more|less|better|worse|other|rather|fewer|greater|higher|lower|older|younger|larger|smaller|bigger) then "
     r"(?:a|an|the|ever|\d|one|two|half|before|any|most)\b", "“than” is meant, not “then”"),
    (r"\bso called\b(?= [‘“'\"])", "“so-called” has a hyphen before what is so called"),
    (r"\b(?:the|of|for|by) (?:following|signing|opening|closing|founding|passing|making|building|ending|launching|"
     r"adopting|drafting|killing|taking|giving|writing|reading) the (?=[A-Z])", "“of” is missing before “the”"),
    (r"\b(?:has|have|had|been|was|were|not) lead (?:to|by)\b", "“led” is meant, not “lead”"),
    (r"\bmake due\b", "“make do” is meant"),
    (r"\bfor all intensive purposes\b", "“for all intents and purposes” is meant"),
    (r"\b(?:a|an|the|this|that|each|every|one) (?:children|men|women|people['’]s lives) (?:is|was|has)\b",
     "one or many? The words do not agree"),
    (r"\bbetween \d[\d,.]* to \d", "“between … and …”, or “from … to …”"),
    (r"(?<![\w-])an (?:[bcdfgjklmnpqrstvwxz](?![\w-]*\d)[a-z]+|one\b|once\b|uni[tfvq]\w*|univers\w*|unique\w*|use\w*|"
     r"European|Uyghur\w*|Uighur\w*)", "“a” is meant, not “an”"),
    (r"(?<![\w-])a (?=[aeio][a-z])(?!one\b|once\b|oner\b|ouija\b|eu)\w+", "“an” is meant, not “a”"),
)
_PATTERNS = tuple((re.compile(pattern), meant) for pattern, meant in _MIXUPS)


def look(matter: Matter) -> Iterator[Finding]:
    """Every such word."""
    yield from few(review(written(matter.bundle.appeal)))


def review(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Every such word of English passages."""
    for passage in passages:
        if not passage.english:
            continue
        text = passage.text.replace("\n", " ")
        for pattern, meant in _PATTERNS:
            for found in pattern.finditer(text):
                yield passage.finding(Level.WARNING, "mixed-up", found.start(),
                                      f"“{found[0].strip()}”: {meant}. Mend it if so.")
