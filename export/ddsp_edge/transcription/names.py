"""Instruments by name, their families, and the General MIDI programs that stand for them."""

from collections.abc import Sequence

from ddsp_edge.errors import DdspError, did_you_mean

FAMILIES = {
    "strings": ("violin", "viola", "cello", "contrabass"),
    "flutes": ("flute", "recorder"),
    "reeds": ("oboe", "englishhorn", "clarinet", "bassclarinet", "bassoon", "saxophone"),
    "brass": ("trumpet", "horn", "trombone", "tuba"),
    "keys": ("piano", "organ"),
    "plucked": ("guitar", "harp"),
    "voice": ("voice",),
}
NAMES = tuple(name for names in FAMILIES.values() for name in names)
"""All that can be told apart, and `voice`."""

FAMILY = {name: family for family, names in FAMILIES.items() for name in names}

MIDDLES = {  # MIDI notes that are in the middle of what is mostly played
    "violin": 74,
    "viola": 64,
    "cello": 52,
    "contrabass": 41,
    "flute": 77,
    "recorder": 77,
    "oboe": 72,
    "englishhorn": 64,
    "clarinet": 67,
    "bassclarinet": 52,
    "bassoon": 50,
    "saxophone": 63,
    "trumpet": 67,
    "horn": 56,
    "trombone": 53,
    "tuba": 42,
    "piano": 62,
    "organ": 62,
    "guitar": 58,
    "harp": 64,
    "voice": 63,
}
"""By which an instrument can be guessed from its register alone, the figure that naming has to beat."""

_ALIASES = {
    "altosax": "saxophone",
    "tenorsax": "saxophone",
    "sopranosax": "saxophone",
    "baritonesax": "saxophone",
    "barisax": "saxophone",
    "sax": "saxophone",
    "frenchhorn": "horn",
    "corno": "horn",
    "doublebass": "contrabass",
    "bass": "contrabass",
    "coranglais": "englishhorn",
    "piccolo": "flute",
    "acousticguitar": "guitar",
    "steelguitar": "guitar",
    "choir": "voice",
    "singing": "voice",
    "vocals": "voice",
    "celesta": "piano",
    "harpsichord": "piano",
}

_PROGRAMS = {  # of General MIDI, counted from 0
    "violin": 40,
    "viola": 41,
    "cello": 42,
    "contrabass": 43,
    "flute": 73,
    "recorder": 74,
    "oboe": 68,
    "englishhorn": 69,
    "clarinet": 71,
    "bassclarinet": 71,
    "bassoon": 70,
    "saxophone": 65,
    "trumpet": 56,
    "horn": 60,
    "trombone": 57,
    "tuba": 58,
    "piano": 0,
    "organ": 19,
    "guitar": 24,
    "harp": 46,
    "voice": 52,
}
_OF_PROGRAM = {
    **{program: name for name, program in reversed(_PROGRAMS.items())},
    **dict.fromkeys(range(8), "piano"),
    **dict.fromkeys(range(16, 24), "organ"),
    **dict.fromkeys(range(24, 29), "guitar"),
    **dict.fromkeys((64, 65, 66, 67), "saxophone"),
    **dict.fromkeys((52, 53, 54), "voice"),
    59: "trumpet",
    72: "flute",
}


def known_name(text: str) -> str:
    """The name of an instrument as it is called here, whatever its case and spelling; empty if it is none."""
    plain = "".join(c for c in text.lower() if c.isalpha())
    plain = _ALIASES.get(plain, plain)
    return plain if plain in NAMES else ""


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names that somebody typed, as they are called here, each once.

    Raises:
        DdspError: If one is not known, or there is none.
    """
    found = dict[str, None]()
    for text in names:
        name = known_name(text)
        if not name:
            hint = did_you_mean(text.lower(), [*NAMES, *_ALIASES])
            raise DdspError(f"no instrument is called {text!r} here.{hint} Known are {', '.join(NAMES)}")
        found[name] = None
    if not found:
        raise DdspError(f"no instrument was named; known are {', '.join(NAMES)}")
    return tuple(found)


def program_of(name: str) -> int:
    """The General MIDI program, counted from 0, of an instrument; the piano's where the name is not known."""
    return _PROGRAMS.get(name, 0)


def name_of_program(program: int) -> str:
    """The instrument that a General MIDI program, counted from 0, stands for; empty if none is known."""
    return _OF_PROGRAM.get(program, "")
