"""What could make a passage bad to train on is found where it was put, and nowhere else."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from ddsp_edge.features.loudness import loudness_db
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.units import Array
from ddsp_tf.data.quality.background import find_hum, noise_db
from ddsp_tf.data.quality.partials import look_at_partials
from ddsp_tf.data.quality.quality import Quality, measure_quality
from ddsp_tf.data.quality.room import decay_times
from ddsp_tf.data.quality.survey import concerns_of
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec

RATE = 16_000
SPEC = FrameSpec(RATE, 64)
EXACT = Path(os.environ.get("DDSP_TEST_DATA", "absent")) / "f0-exact"
NOTES = (220.0, 294.0, 262.0, 349.0, 330.0, 196.0, 392.0, 247.0)


def _melody(notes: tuple[float, ...] = NOTES, seconds: float = 1.25, gap: float = 0.3) -> tuple[Array, Array]:
    """Notes of eight partials that end in 20 ms, each followed by a gap; and f0 `[frames]`."""
    size, silence = round(seconds * RATE), round(gap * RATE)
    t = np.arange(size) / RATE
    shape = np.minimum(1.0, np.minimum(t, seconds - t - 1.0 / RATE) / 0.02).clip(0.0)
    sound, f0 = [], []
    for note in notes:
        vibrato = note * (1.0 + 0.004 * np.sin(2.0 * np.pi * 5.0 * t))
        phase = 2.0 * np.pi * np.cumsum(vibrato) / RATE
        tone = sum(np.sin(k * phase + k) / k for k in range(1, 9))
        sound += [0.15 * shape * tone, np.zeros(silence)]
        f0 += [vibrato, np.zeros(silence)]
    audio, f0_hz = np.concatenate(sound), np.concatenate(f0)
    return audio.astype(np.float32), f0_hz[SPEC.hop - 1 :: SPEC.hop][: len(audio) // SPEC.hop]


def _quality(audio: Array, f0_hz: Array) -> Quality:
    audio = audio[: len(f0_hz) * SPEC.hop].astype(np.float32)
    return measure_quality(audio, f0_hz, loudness_db(audio, SPEC), SPEC)


def _partials(audio: Array, f0_hz: Array) -> tuple[float, float]:
    """Shares of the judged frames with several notes, and with f0 an octave off."""
    audio = audio[: len(f0_hz) * SPEC.hop].astype(np.float32)
    found = look_at_partials(audio, f0_hz, loudness_db(audio, SPEC), SPEC)
    assert found.judged >= 20
    return found.several / found.judged, found.octaves / found.judged


def _recordings() -> list[tuple[Array, Array]]:
    """Real recordings that were synthesised again, so that their f0 is known exactly."""
    both = []
    for name in ("sax-phrase", "violin-garner8", "voice-vocadito1"):
        audio, _ = read_audio(EXACT / f"{name}.flac", RATE)
        seconds, f0_hz = np.loadtxt(EXACT / f"{name}.f0.csv", delimiter=",", skiprows=1).T
        frames = len(audio) // SPEC.hop
        at = (np.arange(frames) + 1) * SPEC.hop / RATE
        nearest = np.clip(np.searchsorted(seconds, at), 0, len(seconds) - 1)
        both.append((audio, f0_hz[nearest]))
    return both


def test_one_note_at_a_time_raises_no_alarm() -> None:
    quality = _quality(*_melody())
    assert concerns_of(quality) == {}
    assert (quality.several_notes_frames, quality.octave_frames, quality.mains_hz) == (0, 0, 0)
    assert quality.judged_frames > 80


@pytest.mark.skipif(not EXACT.is_dir(), reason="DDSP_TEST_DATA names no folder with f0-exact")
def test_recordings_of_one_instrument_raise_no_alarm() -> None:
    for audio, f0_hz in _recordings():
        assert concerns_of(_quality(audio, f0_hz)) == {}


@pytest.mark.parametrize("below_db", [0.0, 6.0, 10.0])
def test_a_second_voice_is_heard(below_db: float) -> None:
    audio, f0_hz = _melody()
    second, _ = _melody(NOTES[3:] + NOTES[:3])  # seconds, thirds, fourths, fifths and more
    several, _ = _partials(audio + second * 10.0 ** (-below_db / 20.0), f0_hz)
    assert several > 0.5
    assert "polyphony" in concerns_of(_quality(audio + second * 10.0 ** (-below_db / 20.0), f0_hz))


@pytest.mark.skipif(not EXACT.is_dir(), reason="DDSP_TEST_DATA names no folder with f0-exact")
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_octave_errors_are_found(factor: float) -> None:
    for audio, f0_hz in _recordings():
        assert _partials(audio, f0_hz)[1] < 0.05  # half of what is told
        assert _partials(audio, factor * f0_hz)[1] > 0.9
        concerns = concerns_of(_quality(audio, factor * f0_hz))
        assert list(concerns) == ["octave errors"]


def test_noise_is_as_loud_as_it_was_made() -> None:
    audio, _ = _melody()
    noise = np.random.default_rng(0).standard_normal(len(audio)).astype(np.float32)
    own_db = 10.0 * np.log10(np.mean(10.0 ** (loudness_db(noise, SPEC) / 10.0)))
    for level_db in (-30.0, -45.0, -60.0):
        heard = noise_db(audio + noise * np.float32(10.0 ** ((level_db - own_db) / 20.0)), RATE)
        assert heard == pytest.approx(level_db, abs=1.5)  # the notes leave something in all bins
    assert noise_db(audio, RATE) < -70.0


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_found_with_its_level(mains_hz: int) -> None:
    audio, _ = _melody()
    t = np.arange(len(audio)) / RATE
    lines = sum(
        a * np.sin(2.0 * np.pi * k * 1.0005 * mains_hz * t + k) for k, a in ((1, 1.0), (2, 0.5), (3, 0.4))
    )
    for level_db in (-40.0, -55.0, -70.0):
        hum = lines * 10.0 ** (level_db / 20.0) / np.sqrt(np.mean(np.square(lines)))
        found = find_hum((audio + hum).astype(np.float32), RATE)
        assert found.mains_hz == mains_hz
        assert found.level_db == pytest.approx(level_db, abs=1.0)


def test_low_notes_are_no_hum() -> None:
    for first in (36, 41, 47, 53, 59):  # from C2 on: 55 Hz and 116.5 Hz are nearer to 60 and 120 than most
        notes = tuple(440.0 * 2.0 ** ((first + k - 69) / 12.0) for k in range(8))
        audio, _ = _melody(notes)
        assert find_hum(audio, RATE).mains_hz == 0


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.2])
def test_a_room_rings_as_long_as_it_was_made(seconds: float) -> None:
    audio, _ = _melody(gap=0.9)
    dry = decay_times(loudness_db(audio, SPEC), float(SPEC.frame_rate), -80.0)
    assert np.median(dry) < 0.2
    t = np.arange(round(1.2 * seconds * RATE)) / RATE
    response = np.random.default_rng(1).standard_normal(len(t)) * 10.0 ** (-3.0 * t / seconds)
    response /= np.sqrt(np.sum(np.square(response)))
    response[0] += 1.0  # as loud as the direct sound
    wet = scipy.signal.fftconvolve(audio, response)[: len(audio)].astype(np.float32)
    times = decay_times(loudness_db(wet, SPEC), float(SPEC.frame_rate), noise_db(wet, RATE))
    assert len(times) >= 5
    assert np.median(times) == pytest.approx(seconds, rel=0.25)  # eight notes, one room of noise


def test_quality_survives_as_plain_data() -> None:
    quality = _quality(*_melody())
    plain = json.loads(json.dumps(quality.to_dict()))
    assert Quality.from_dict(plain) == quality
    for other in ("", [], {}, {"decay_seconds": 3}, plain | {"hum_db": np.inf}, plain | {"hum_db": "loud"}):
        with pytest.raises(DdspError, match="a record's quality"):
            Quality.from_dict(other)


def test_what_is_too_short_to_be_judged_is_not() -> None:
    audio, f0_hz = _melody(NOTES[:1], 0.1, 0.0)
    quality = _quality(audio, f0_hz)
    assert quality.judged_frames == 0
    assert concerns_of(quality) == {}
    assert concerns_of(dataclasses.replace(quality, several_notes_frames=1, judged_frames=1)) == {}
