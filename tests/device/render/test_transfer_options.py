"""`ddsp-edge render` of a recording with everything that a transfer may change."""

import numpy as np
import pytest

from ddsp_edge import Instrument
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.files.audio_writer import write_audio
from ddsp_edge.live import EffectSettings, LiveEffect
from ddsp_edge.render.render import render_audio
from tests.device.conftest import TINY
from tests.device.live.test_live_effect import phrase
from tests.device.render.test_midi import off, on, save
from tests.device.render.test_render import RATE


@pytest.fixture
def recording(tmp_path):
    write_audio(tmp_path / "in.wav", phrase(), RATE)
    return tmp_path / "in.wav"


def rendered(run, recording, *options):
    out = recording.with_name("out.wav")
    status, _, err = run("render", TINY, recording, out, "--seed", 1, "--quiet", *options)
    assert status == 0, err
    return read_audio(out)[0]


def test_an_octave_is_twelve_semitones_and_a_range_asks_for_matching(run, recording):
    octave = rendered(run, recording, "--octaves", 1)
    np.testing.assert_array_equal(rendered(run, recording, "--transposition", 12), octave)
    np.testing.assert_array_equal(rendered(run, recording, "--octaves", 2, "--transposition", -12), octave)
    card = Instrument(TINY).card
    ends = ("--softest-db", card.loudness_db_range.low - 6.0, "--loudest-db", card.loudness_db_range.high)
    matched = rendered(run, recording, *ends)
    np.testing.assert_array_equal(rendered(run, recording, *ends, "--match-loudness"), matched)
    assert np.abs(matched - rendered(run, recording)).max() > 1e-3


@pytest.mark.parametrize(
    "options", [["--match-octave"], ["--match-loudness"], ["--gate", "--gate-db", "-30"], ["--gate"]]
)
def test_each_option_is_heard(run, recording, options):
    changed = rendered(run, recording, *options)
    plain = rendered(run, recording)
    assert len(changed) == len(plain)
    if options != ["--match-octave"]:  # the instrument's octave is the player's already
        assert np.abs(changed - plain).max() > 1e-4


def test_a_gated_recording_sounds_as_it_does_live_at_its_surest(tmp_path, recording):
    sound, _ = read_audio(recording)
    changes = {"gate": True, "gate_db": -45.0, "loudness_shift_db": 3.0, "transposition": -2.0}
    render_audio(Instrument(TINY, seed=1), recording, tmp_path / "out.wav", **changes)
    want = read_audio(tmp_path / "out.wav")[0]
    live = LiveEffect(TINY, EffectSettings(**changes), seed=1)
    found = live.process(np.concatenate([sound, np.zeros(live.latency_samples, np.float32)]))
    n = len(sound) // live.spec.hop * live.spec.hop
    assert np.abs(want).max() > 0.01
    # 16 bits, and activations of 8 bits that are rounded otherwise where a feature differs in a last bit.
    np.testing.assert_allclose(found[live.latency_samples :][:n], want[:n], atol=3e-3, rtol=0)


def test_progress_of_two_passes_rises_to_the_whole(tmp_path, recording):
    seen = []
    render_audio(
        Instrument(TINY),
        recording,
        tmp_path / "out.wav",
        progress=lambda *given: seen.append(given),
        match_octave=True,
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[0][0] < 0.8
    assert seen[-1] == (pytest.approx(1.5, abs=0.01), pytest.approx(1.5, abs=0.01))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--transposition", "97"], "transposition must be from -96 to 96"),
        (["--octaves", "8", "--transposition", "1"], "octaves and transposition together"),
        (["--gate-db", "nan"], "gate_db must be from -80 to 80. Received: nan"),
        (["--softest-db", "-40"], "softest-db and loudest-db set a range together"),
        (["--softest-db", "-20", "--loudest-db", "-40"], "Received: softest-db=-20, loudest-db=-40"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(run, recording, options, words):
    status, out, err = run("render", TINY, recording, recording.with_name("out.wav"), *options)
    assert (status, out) == (1, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert not recording.with_name("out.wav").exists()


def test_a_midi_file_takes_a_transposition_but_nothing_of_recordings(run, tmp_path):
    save(tmp_path / "a.mid", [on(0, 57), off(300, 57)])
    save(tmp_path / "b.mid", [on(0, 60), off(300, 60)])
    common = ("--seed", 1, "--quiet")
    assert run("render", TINY, tmp_path / "a.mid", tmp_path / "a.wav", "--transposition", 3, *common)[0] == 0
    assert run("render", TINY, tmp_path / "b.mid", tmp_path / "b.wav", *common)[0] == 0
    a, b = (read_audio(tmp_path / name)[0] for name in ("a.wav", "b.wav"))
    np.testing.assert_allclose(a, b, atol=1e-4, rtol=0)
    for options in (["--match-octave"], ["--match-loudness"], ["--gate"], ["--gate-db", "-50"]):
        status, _, err = run("render", TINY, tmp_path / "a.mid", tmp_path / "c.wav", *options)
        assert status == 1
        assert f"{options[0]} is for recordings, and {tmp_path}/a.mid is a MIDI file" in err
    status, _, err = run("render", TINY, tmp_path / "a.mid", tmp_path / "c.wav", "--transposition", "-97")
    assert (status, "transposition must be from -96 to 96" in err) == (1, True)
