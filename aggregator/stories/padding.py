"""What content farms and newsrooms put around a text, taken out of a folded one before it is compared."""

from __future__ import annotations


def removed(folded_text: str, folded_title: str) -> str:
    """`folded_text` without padding."""
    return folded_text
