"""The phones that a content encoder tells apart, and which of the recogniser's tokens belongs to which."""

PHONES = (
    "sil", "p", "b", "t", "d", "k", "g", "tʃ", "dʒ", "f", "v", "θ", "ð", "s", "z", "ʃ", "ʒ", "h", "m", "n",
    "ŋ", "l", "r", "j", "w", "i", "ɪ", "e", "ɛ", "æ", "a", "ɑ", "ɔ", "o", "oʊ", "ʊ", "u", "ʌ", "ə", "ɚ", "aɪ",
    "aʊ", "ɔɪ", "eɪ",
)  # fmt: skip
"""Silence first; then consonants, vowels and diphthongs of English, in the alphabet of the IPA."""
SILENCE = 0
UNKNOWN = -1
"""Of frames whose phone is none of these: they teach nothing."""

_SAME = {
    "pʰ": "p", "p͈": "p", "tʰ": "t", "t͈": "t", "ʈ": "t", "ɖ": "d", "ɗ": "d", "kʰ": "k", "k͈": "k", "c": "k",
    "ɡ": "g", "ɓ": "b", "t͡ʃ": "tʃ", "t͡ɕ": "tʃ", "t͡ɕʰ": "tʃ", "d͡ʒ": "dʒ", "s͈": "s", "ɕ": "ʃ", "ʂ": "ʃ",
    "ʐ": "ʒ", "ʑ": "ʒ", "ɦ": "h", "ħ": "h", "x": "h", "ɱ": "m", "ɲ": "n", "ɴ": "ŋ", "ɫ": "l", "ʎ": "l",
    "ɹ": "r", "ɻ": "r", "ɾ": "d", "ʋ": "v", "β": "v", "ɸ": "f", "ɐ": "ʌ", "ɒ": "ɑ", "ɘ": "ə", "ɵ": "ə",
    "ᵊ": "ə", "ɜ": "ɚ", "ɝ": "ɚ", "ɨ": "ɪ", "ʉ": "u", "ɯ": "u", "y": "i", "ʏ": "ɪ", "ø": "e", "œ": "ɛ",
    "ɤ": "o", "ä": "a", "ɪə": "ɪ", "eə": "ɛ",
}  # fmt: skip


def phone_of(token: str) -> int:
    """The number of the phone that a token of the recogniser belongs to; `UNKNOWN` where it is none."""
    name = _SAME.get(token, token)
    return PHONES.index(name) if name in PHONES else UNKNOWN
