"""Findings that an appeal asks not to be told again, each with its reason: ``[check] ignore`` in appeal.toml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pillarbox.model.records import Finding, Level

CODES: Mapping[str, str] = {
    "ignore-error": "[check] ignore names an error, and errors cannot be ignored.",
    "ignore-nothing": "[check] ignore names a code of which there is no finding.",
}


def heed(findings: Iterable[Finding], reasons: Mapping[str, str], file: str) -> tuple[tuple[Finding, ...], int]:
    """The findings that are left, and how many were silenced.

    An error is never silenced: it would leave with the mailing.

    Args:
        findings: everything that was found.
        reasons: code → why it is not to be told.
        file: the appeal.toml that says so.
    """
    everything = tuple(findings)
    left = tuple(each for each in everything if each.code not in reasons or each.level is Level.ERROR)
    told: list[Finding] = []
    for code in reasons:
        levels = {each.level for each in everything if each.code == code}
        if Level.ERROR in levels:
            told.append(Finding(level=Level.WARNING, code="ignore-error", file=file, line=None,
                                message=f"[check] ignore names {code}, which is an error here: errors cannot be "
                                        "ignored. Mend the letter, and take the line out."))
        elif not levels:
            told.append(Finding(level=Level.ADVICE, code="ignore-nothing", file=file, line=None,
                                message=f"[check] ignore names {code}, and nothing of that code was found: take the "
                                        "line out, so that it cannot hide something later."))
    return (*left, *told), len(everything) - len(left)
