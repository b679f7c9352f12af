"""Learning how notes are played, from performances of which all is known."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile

from ddsp_edge import DdspError
from ddsp_edge.card import Range
from ddsp_edge.expression.network import LATE, N_INPUTS, ExpressionNetwork
from ddsp_edge.expression.notes import velocity_level_db
from ddsp_edge.frames import FrameSpec
from ddsp_edge.model.file import read_instrument_file
from ddsp_edge.transcription.note import Note, write_table
from ddsp_tf.cli.main import main
from ddsp_tf.tasks.instrument.expression.fit import fit_expression
from ddsp_tf.tasks.instrument.expression.learn import judge, learn_expression
from ddsp_tf.tasks.instrument.expression.performance import performance_of, read_performance, times_of
from ddsp_tf.tasks.instrument.expression.speaking import by_pitch, late_by_pitch, late_corrected
from ddsp_tf.tasks.instrument.expression.store import (
    EXPRESSION_NAME,
    Expression,
    load_expression,
    save_expression,
    with_expression,
)
from ddsp_tf.tasks.instrument.expression.vibrato import find_vibrato
from tests.device.conftest import TINY

SPEC = FrameSpec(16_000, 128)
RATE = 125.0  # frames a second
RANGE = Range(-45.0, -30.0, -15.0)
DEPTH_CENTS, VIBRATO_HZ = 25.0, 5.2


def played(seed, count=70, late_s=lambda pitch: 0.0):
    """A performance by rule: a slow attack after rests, a vibrato from 0.2 s on, ends that ring for 60 ms.

    A note is heard so much later than its onset as `late_s` has it.
    """
    random = np.random.default_rng(seed)
    notes, now = [], 0.3
    for _ in range(count):
        length = float(random.uniform(0.15, 1.2))
        notes.append(Note(now, now + length, float(random.integers(55, 80)), int(random.integers(30, 120))))
        now += length + float(random.choice([0.0, 0.0, 0.2, 0.5]))
    times = times_of(round((now + 0.5) * RATE), SPEC)
    midi, loudness = np.full(len(times), np.nan), np.full(len(times), -80.0)
    ends = -1.0
    for note in notes:
        t, u = times - note.onset_s, times - note.offset_s
        level = velocity_level_db(note.velocity, RANGE)
        late = late_s(note.pitch)
        attack = 30.0 * np.exp(-np.maximum(t - late, 0.0) / 0.03) if note.onset_s - ends > 0.05 else 0.0
        heard = (t >= late) & (u < 0.3)
        loudness[heard] = (level + 3.0 - attack - np.maximum(u, 0.0) * 500.0)[heard]
        swing = DEPTH_CENTS * np.clip((t - 0.2) / 0.1, 0.0, 1.0) * np.sin(2 * np.pi * VIBRATO_HZ * t)
        held = (t >= 0) & (u < 0)
        midi[held] = (note.pitch + 0.01 * (swing - 10.0))[held]
        ends = note.offset_s
    return performance_of(f"{seed}", notes, midi, np.maximum(loudness, -80.0) - 7.0, SPEC, RANGE)


@pytest.fixture(scope="module")
def learned():
    return learn_expression([played(1), played(2)], RANGE)


def test_it_comes_nearer_to_performances_that_it_never_heard(learned):
    found = judge([played(9, 30)], RANGE, ExpressionNetwork(learned.arrays))
    for way in ("live", "file"):
        row = found[way]
        assert row.loudness_db < 0.5 * found["plain"].loudness_db
        assert row.cents < 0.5 * found["plain"].cents
        assert row.onset_ms < 10.0
        assert row.depth_cents == pytest.approx(row.recorded_depth_cents, rel=0.2)
        assert row.vibrato_hz == pytest.approx(row.recorded_vibrato_hz, rel=0.05)
        assert row.recorded_vibrato_hz == pytest.approx(VIBRATO_HZ, abs=0.1)


def test_pitches_that_take_longer_to_speak_are_heard_later():
    def late_s(pitch):
        return 0.05 * (pitch % 2)

    expression = learn_expression([played(1, 90, late_s), played(2, 90, late_s)], RANGE)
    late = expression.arrays[LATE][55:80]
    assert np.median(late[::2]) - np.median(late[1::2]) == pytest.approx(0.05, abs=0.012)
    performance = played(9, 30, late_s)
    known = judge([performance], RANGE, ExpressionNetwork(expression.arrays))
    alike = judge([performance], RANGE, ExpressionNetwork({**expression.arrays, LATE: np.zeros(128)}))
    for way in ("live", "file"):
        assert known[way].onset_ms < 10.0
        assert alike[way].onset_ms > 1.5 * known[way].onset_ms


def test_where_pitches_do_not_differ_all_are_heard_alike():
    random = np.random.default_rng(0)
    assert not late_by_pitch([played(1, 90, lambda pitch: float(random.choice([0.0, 0.05])))]).any()
    assert not late_by_pitch([]).any()


def test_seconds_by_pitch_are_medians_by_a_line_between_pitches():
    times = {60: [0.02] * 5, 64: [0.04] * 5, 70: [0.5] * 5}
    np.testing.assert_allclose(
        by_pitch(times, 0.02)[[0, 60, 62, 64, 127]], [0, 0, 0.01, 0.02, 0.48], atol=1e-6
    )
    one_each = {pitch: [float(pitch) / 1000.0] for pitch in range(60, 70)}
    assert not by_pitch(one_each, 0.065).any()  # nothing says that another note of it would be like that
    assert not by_pitch({}, 0.0).any()


def test_pitches_that_are_played_too_soon_are_played_later():
    performance, alike = played(1, 120, lambda pitch: 0.03 * (pitch % 2)), played(1, 120)
    none = np.zeros(128, np.float32)
    assert not late_corrected(none, [performance], [performance.loudness_db]).any()
    found = late_corrected(none, [performance], [alike.loudness_db])[55:80]
    np.testing.assert_allclose(np.median(found[::2]), 0.03, atol=0.006)
    np.testing.assert_allclose(np.median(found[1::2]), 0.0, atol=0.006)


def test_it_tells_what_it_was_learned_from_and_how_well_it_does(learned):
    assert (learned.about["recordings"], learned.about["notes"]) == (2, 126)  # a tenth is held back
    held_back = learned.about["held_back"]
    assert held_back["file"]["loudness_db"] < held_back["plain"]["loudness_db"]
    json.dumps(learned.about, allow_nan=False)


@pytest.mark.slow
def test_the_same_seed_gives_the_same():
    once, again, other = (fit_expression([played(4, 40)], seed=seed, steps=20) for seed in (3, 3, 4))
    for name, values in once.items():
        np.testing.assert_array_equal(again[name], values)
    assert np.abs(other["expression_0_weights"] - once["expression_0_weights"]).max() > 0.1


def test_it_is_of_half_precision_and_a_few_kilobytes(learned):
    for values in learned.arrays.values():
        np.testing.assert_array_equal(values.astype(np.float16), values)
    assert sum(2 * values.size for values in learned.arrays.values()) < 4096


def test_a_recording_that_is_louder_as_a_whole_teaches_the_same():
    once = played(1)
    louder = performance_of(
        "louder", [_note(n) for n in once.notes], once.midi, once.loudness_db + 9.0, SPEC, RANGE
    )
    np.testing.assert_allclose(louder.loudness_db, once.loudness_db, atol=1e-9)


def test_velocities_that_are_all_the_same_are_taken_from_the_loudness():
    once = played(1)
    notes = [dataclasses.replace(_note(n), velocity=64) for n in once.notes]
    taken = performance_of("same", notes, once.midi, once.loudness_db, SPEC, RANGE)
    pairs = np.array([(a.velocity, b.velocity) for a, b in zip(once.notes, taken.notes, strict=True)])
    assert np.corrcoef(pairs.T)[0, 1] > 0.95


def _note(played_note):
    return Note(played_note.onset_s, played_note.offset_s, played_note.pitch, played_note.velocity)


@pytest.mark.parametrize("hz", [4.6, 5.5, 7.2])
def test_the_vibrato_of_a_known_curve_is_found(hz):
    t = np.arange(150) / RATE
    cents = 12.0 + 15.0 * t + 23.0 * np.sin(2 * np.pi * hz * t + 1.0)
    found = find_vibrato(cents, RATE)
    assert found.hz == pytest.approx(hz, abs=0.1)
    inner = slice(30, -30)
    np.testing.assert_allclose(found.depth_cents[inner], 23.0, rtol=0.05)
    np.testing.assert_allclose(found.middle_cents[inner], (12.0 + 15.0 * t)[inner], atol=1.5)
    assert found.clear > 0.95


def test_of_a_short_note_and_of_one_without_pitch_the_vibrato_is_not_known():
    assert find_vibrato(np.zeros(20), RATE) is None
    assert find_vibrato(np.full(200, np.nan), RATE) is None


def test_too_few_notes_are_refused():
    with pytest.raises(DdspError, match="12 notes are too few"):
        fit_expression([played(1, 12)])


def test_what_a_run_keeps_is_what_was_learned(learned, tmp_path):
    assert load_expression(tmp_path) is None
    save_expression(tmp_path, learned)
    kept = load_expression(tmp_path)
    assert kept.about == learned.about
    np.testing.assert_equal(kept.arrays, learned.arrays)
    (tmp_path / EXPRESSION_NAME).write_bytes((tmp_path / EXPRESSION_NAME).read_bytes()[:500])
    with pytest.raises(DdspError, match="make it again with ddsp-tf expression"):
        load_expression(tmp_path)


def test_another_expression_takes_the_place_of_the_one_before(learned):
    file = read_instrument_file(TINY)
    card, arrays = with_expression(file.card, file.arrays, learned)
    other = Expression({"expression_0_weights": np.zeros((1, 1), np.float32)}, {"notes": 7})
    again, fewer = with_expression(card, arrays, other)
    assert again.about["expression"] == {"notes": 7}
    assert set(fewer) == {*file.arrays, "expression_0_weights"}
    assert with_expression(card, arrays, None) == (card, arrays)


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Tones of sine with overtones, 60 notes, with their notes beside them."""
    folder = tmp_path_factory.mktemp("recordings")
    random = np.random.default_rng(5)
    rate, now, notes, sound = 16_000, 0.2, [], np.zeros(16_000 * 25)
    for _ in range(60):
        length, pitch, velocity = 0.3, int(random.integers(60, 76)), int(random.integers(40, 120))
        t = np.arange(round(length * rate)) / rate
        wave = sum(np.sin(2 * np.pi * k * 440.0 * 2 ** ((pitch - 69) / 12) * t) / k for k in (1, 2, 3))
        begin = round(now * rate)
        sound[begin : begin + len(t)] += 0.003 * 10 ** (velocity / 80) * wave * np.minimum(1.0, t / 0.05)
        notes.append(Note(now, now + length, pitch, velocity))
        now += length + 0.1
    soundfile.write(folder / "a.wav", sound, rate, subtype="FLOAT")
    write_table(folder / "a.notes.csv", notes)
    return folder


def test_the_command_gives_a_finished_file_an_expression_and_leaves_the_rest(recording, tmp_path, capsys):
    out = tmp_path / "expressive.tflite"
    assert main(["expression", str(TINY), str(recording), "--out", str(out)]) == 0
    assert "learned from 54 notes of 1 recordings" in capsys.readouterr().out
    before, after = read_instrument_file(TINY), read_instrument_file(out)
    assert after.model == before.model
    assert after.card.about["expression"]["notes"] == 54
    for name, values in before.arrays.items():
        np.testing.assert_array_equal(after.arrays[name], values)
    assert out.stat().st_size - TINY.stat().st_size < 8192
    assert np.isfinite(ExpressionNetwork(after.arrays)(np.zeros(N_INPUTS))).all()


def test_recordings_without_notes_and_chords_are_refused_in_words(recording, tmp_path, capsys):
    soundfile.write(tmp_path / "b.wav", np.zeros(16_000), 16_000)
    assert main(["expression", str(TINY), str(tmp_path)]) == 1
    assert "b.wav has no notes beside it" in capsys.readouterr().err
    chords = [Note(0.5 * i, 0.5 * i + 1.0, 60 + i, 80) for i in range(20)]
    write_table(tmp_path / "b.notes.csv", chords)
    with pytest.raises(DdspError, match=r"19 of its 20 notes begin while another sounds"):
        read_performance(tmp_path / "b.wav", SPEC, None, RANGE)


def test_a_run_keeps_it_and_its_export_has_it(run_copy, learned):
    from ddsp_tf.tasks.instrument.export.exportable import InstrumentExport

    before = InstrumentExport(run_copy, {"play": False})
    assert "expression" not in before.card.about
    save_expression(run_copy, learned)
    after = InstrumentExport(run_copy, {"play": False})
    assert after.card.about["expression"] == learned.about
    assert set(after.arrays) == {*before.arrays, *learned.arrays}
