"""What a survey of a dataset means to the one who made the recordings, in plain words."""

from ddsp_edge.units import midi_to_hz, minutes, note_name
from ddsp_tf.data.quality.survey import HUM_DB, ROOM_SECONDS, SNR_DB, Survey

_NAMED = 3
_FEW_MINUTES = 10.0
_OCTAVES = 0.02  # share of the frames; what is less is lost among the others
_VOICED = 0.5
_AGAIN = "then prepare again with --overwrite"


def advice(survey: Survey) -> list[str]:
    """Sentences on what to change, the most harmful first; empty where nothing was found."""
    if not survey.measured:
        return []
    recordings = survey.recordings.values()
    total = survey.seconds
    told = []
    if seconds := survey.concern_seconds("polyphony"):
        told.append(
            f"{_of(seconds, total)} {_looks(seconds)} polyphonic (chords, accompaniment, or a room that lets "
            f"notes ring into each other); a monophonic model will smear them. {_leave(survey, 'polyphony')}"
        )
    if survey.octave_share > _OCTAVES:
        told.append(
            f"In {survey.octave_share:.0%} of the frames the pitch seems to be an octave off"
            f"{_in(survey, 'octave errors')}. Set data.f0_min_hz and data.f0_max_hz to the range of the "
            f"instrument, or try another --f0 ({_AGAIN})"
        )
    for strays in survey.strays():
        side, limit = ("below", "f0_min_hz") if strays.high < strays.edge else ("above", "f0_max_hz")
        edge = midi_to_hz(strays.edge)
        told.append(
            f"{_for(strays.seconds)} the pitch seems to be {_notes(strays.low, strays.high)}, {side} all "
            f"other notes: octave errors, if the instrument ends at {_notes(strays.edge)}. Set data.{limit} "
            f"to {edge * (0.97 if side == 'below' else 1.03):.0f} then ({_AGAIN.removeprefix('then ')})"
        )
    if seconds := survey.concern_seconds("clipping"):
        told.append(
            f"{_of(seconds, total)} {_has(seconds)} clipped samples{_in(survey, 'clipping')}: distortion "
            "that the model will learn. Record again at a lower level"
        )
    if seconds := survey.concern_seconds("hum"):
        loudest = max(recordings, key=lambda r: r.hum_db)
        told.append(
            f"{_of(seconds, total)} {_has(seconds)} hum of the mains ({loudest.mains_hz} Hz, up to "
            f"{loudest.hum_db:.0f} dB{_in(survey, 'hum')}). Use balanced cables and one power socket, or "
            "notch filters"
        )
    if seconds := survey.concern_seconds("noise"):
        worst = min(r.snr_db for r in recordings)
        told.append(
            f"{_of(seconds, total)} {_has(seconds)} background noise less than {SNR_DB:.0f} dB below the "
            f"instrument ({worst:.0f} dB at the worst{_in(survey, 'noise')}); it will be part of the sound. "
            "Go nearer to the instrument, or to a quieter room"
        )
    if seconds := survey.concern_seconds("reverberation"):
        longest = max(r.room_seconds or 0.0 for r in recordings)
        told.append(
            f"The room rings for about {longest:.1f} s{_in(survey, 'reverberation')}, if the instrument "
            "does not ring by itself. Record in a drier room, nearer to the instrument, and give the model a "
            "Reverb as long as that"
        )
    voiced = sum(r.voiced_seconds for r in recordings) / max(total, 1e-9)
    if voiced < _VOICED:
        told.append(
            f"Only {voiced:.0%} of the frames have a pitch: long pauses, breath, or no pitched instrument"
        )
    if total < 60.0 * _FEW_MINUTES:
        told.append(f"{minutes(total)} of sound is little; {_FEW_MINUTES:.0f} minutes or more sound better")
    return told


def meaning(concern: str) -> str:
    """What to listen for in a passage with a concern."""
    return {
        "polyphony": "more than one note at once",
        "octave errors": "the line of the pitch, an octave above or below what is heard",
        "clipping": "crackle and harshness where it is loudest",
        "hum": f"a steady low tone, louder than {HUM_DB:.0f} dB",
        "noise": f"what is there beside the instrument, less than {SNR_DB:.0f} dB below it",
        "reverberation": f"ends of notes, which ring for longer than {ROOM_SECONDS:g} s",
    }[concern]


def _of(seconds: float, total: float) -> str:
    """`14 of 36 minutes`; in seconds where that is more exact."""
    if total >= 300.0 and seconds >= 60.0:
        return f"{seconds / 60.0:.0f} of {total / 60.0:.0f} minutes"
    return f"{max(1.0, seconds):.0f} of {total:.0f} seconds"


def _for(seconds: float) -> str:
    return f"For {seconds:.1f} s" if seconds < 10.0 else f"For {minutes(seconds)}"


def _notes(low: int, high: int | None = None) -> str:
    names = [note_name(float(midi_to_hz(note))) for note in (low, low if high is None else high)]
    return names[0] if names[0] == names[1] else f"{names[0]} to {names[1]}"


def _looks(seconds: float) -> str:
    return "looks" if round(seconds) == 1 else "look"


def _has(seconds: float) -> str:
    return "has" if round(seconds) == 1 else "have"


def _in(survey: Survey, concern: str) -> str:
    names = survey.named(concern)
    if not names or len(survey.recordings) == 1:
        return ""
    return f", in {_list(names)}"


def _leave(survey: Survey, concern: str) -> str:
    names = survey.named(concern)
    if len(survey.recordings) == 1:
        return "Record one note at a time"
    return f"Leave out, or record again one note at a time ({_AGAIN}): {_list(names)}"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
