"""Curves and pictures of sounds, held to what numpy says of all frames at once."""

import numpy as np
import pytest

from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.studio.columns import MOST, Columns
from ddsp_edge.studio.pictures import Spectrum, look_at
from ddsp_edge.studio.scores import notes_of_midi, shown_notes
from tests.device.render.test_midi import off, on, save


@pytest.mark.parametrize("count", [1, 7, 2 * MOST - 1, 2 * MOST, 4 * MOST + 3, 50_001])
def test_columns_are_means_of_stretches_of_frames_however_they_come(count):
    rng = np.random.default_rng(count)
    frames = rng.normal(size=(count, 3))
    columns = Columns(3)
    start = 0
    while start < count:
        size = int(rng.integers(1, 900))
        columns.add(frames[start : start + size])
        start += size
    means = columns.means()
    assert len(means) <= 2 * MOST
    stride = 1
    while -(-count // stride) > 2 * MOST - 1:
        stride *= 2
    whole = count // stride * stride
    want = frames[:whole].reshape(-1, stride, 3).mean(axis=1)
    np.testing.assert_allclose(means[: len(want)], want, atol=1e-12)
    if whole < count:
        np.testing.assert_allclose(means[-1], frames[whole:].mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("rate", [8_000, 44_100, 192_000])
def test_a_tone_is_where_it_is_and_as_loud_as_it_is(tmp_path, rate):
    at = np.arange(2 * rate) / rate
    spectrum = Spectrum(rate)
    for block in np.array_split(0.5 * np.sin(2 * np.pi * 1000.0 * at), 37):
        spectrum.add(block)
    shown = spectrum.picture(tmp_path / "tone.spectrum")
    shades = np.fromfile(tmp_path / "tone.spectrum", np.uint8).reshape(shown["columns"], shown["rows"])
    middle = shades[shown["columns"] // 2]
    hz = shown["low_hz"] * (shown["high_hz"] / shown["low_hz"]) ** ((middle.argmax() + 0.5) / shown["rows"])
    assert abs(np.log2(hz / 1000.0)) < 0.15
    assert shown["level_db"][shown["columns"] // 2] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)


def test_a_sound_is_as_long_in_its_picture_as_it_is(tmp_path):
    """Silence, then noise from the middle on: the change stands in the middle."""
    rng = np.random.default_rng(0)
    audio = np.concatenate([np.zeros(20_000), 0.1 * rng.normal(size=20_000)]).astype(np.float32)
    write_audio(tmp_path / "in.wav", audio, 16_000)
    shown = look_at(tmp_path / "in.wav", tmp_path, "seen", lambda done, total: None)
    loud = np.flatnonzero(np.array(shown["level_db"]) > -40.0)
    assert loud[0] / shown["columns"] == pytest.approx(0.5, abs=0.02)
    assert shown["seconds"] == 2.5


def test_notes_are_those_of_the_file(tmp_path):
    song = save(
        tmp_path / "a.mid", [on(0, 60), on(240, 64), off(480, 60), off(480, 64), on(480, 67), off(960, 67)]
    )
    notes = notes_of_midi(song)
    assert [note.pitch for note in notes] == [60, 64, 67]
    # Ticks of `save` are milliseconds.
    assert [note.onset_s for note in notes] == pytest.approx([0.0, 0.24, 0.48], abs=2e-3)
    assert [note.offset_s for note in notes] == pytest.approx([0.48, 0.48, 0.96], abs=2e-3)
    assert shown_notes(notes)["parts"] == ["channel 1"]
