"""As much of a name or number as a reviewer needs, and no more."""

from __future__ import annotations


def mask_number(number: str | None, subject_type: str) -> str:
    """A person's number with its middle hidden; an organisation's code is no secret.

    A resident ID keeps what a court leaves visible, so that the two can be compared: all but digits 11 to 14.
    """
    if not number:
        return "（无）"
    if subject_type == "organisation":
        return number
    if len(number) == 18:
        return f"{number[:10]}****{number[14:]}"
    kept = len(number) // 4
    return f"{number[:kept]}{'*' * (len(number) - 2 * kept)}{number[len(number) - kept :]}"


def mask_name(name: str, subject_type: str) -> str:
    """A person by the surname's character, as the marts show it; an organisation in full."""
    return name if subject_type == "organisation" else f"{name[:1]}*"
