"""Names and gender."""

from __future__ import annotations

from events.intake.hashing.text import without_punctuation

#: Words for a person, in the languages that Meta's parameter builder reads: English.
_MALE_WORDS = """
    m male man boy gentleman guy sir mister mr he him his himself lad chap fellow bloke dude
    father dad daddy papa son brother husband uncle nephew boyfriend groom widower
    lord king prince duke count emperor god
"""
_MALE = frozenset(_MALE_WORDS.split())
_FEMALE_WORDS = """
    f female woman girl lady miss ms mrs madam maam she her hers herself lass maiden gal chick dame belle
    mother mom mommy mama daughter sister wife aunt niece girlfriend bride widow
    queen princess duchess countess empress goddess
"""
_FEMALE = frozenset(_FEMALE_WORDS.split())


def name(text: str) -> str:
    """Without punctuation and spaces; letters of any script stay."""
    return without_punctuation(text)


def gender(text: str) -> str:
    """``f`` or ``m``, by a word for it, with or without punctuation."""
    word = name(text)
    return "m" if word in _MALE else "f" if word in _FEMALE else ""
