"""The trackers in JavaScript find what those of the device side find, in Node; so does the live effect."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ddsp_edge import EffectSettings, FrameSpec, LiveEffect
from ddsp_edge.files.audio_file import read_audio
from ddsp_edge.live import LATENCIES
from ddsp_edge.live.following import Follower
from ddsp_edge.model.file import read_model_file, write_model_file
from ddsp_edge.transfer.matching import Gate
from tests.device.conftest import TINY

FOLLOW = Path(__file__).with_name("follow.mjs")
FLUTE = Path(__file__).parents[2] / "demo" / "recordings" / "flute-phrase.flac"
VIOLIN = Path(__file__).parents[2] / "export" / "ddsp_edge" / "models" / "violin.tflite"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript with")


def run_node(folder, model, audio, latency, block, *what):
    audio.astype(np.float32).tofile(folder / "in.f32")
    command = [NODE, FOLLOW, model, folder / "in.f32", folder / "out.f32", latency, block, *what]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return np.fromfile(folder / "out.f32", np.float32), done.stdout.split()


def by_python(card, audio, latency):
    follower = Follower(card, 1024, **LATENCIES[latency])
    frames = [
        frame for start in range(0, len(audio), 1024) for frame in follower.push(audio[start : start + 1024])
    ]
    return np.array(frames), follower.latency_samples


def other_rate(folder, rate, hop):
    """The small instrument with another grid on its card, which is all that the trackers read."""
    file = read_model_file(TINY)
    card = dataclasses.replace(file.card, sample_rate=rate, hop=hop)
    write_model_file(folder / "other.tflite", file.model, card, file.arrays)
    return folder / "other.tflite"


def hard(rate):
    """Leaps, glides, two notes at a time, noise, a low note, silence and an offset."""
    rng = np.random.default_rng(3)
    seconds = np.arange(rate) / rate

    def tone(f0_hz):
        phase = np.cumsum(f0_hz * np.ones(rate)) / rate
        return sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 9))

    parts = [
        tone(220.0),
        tone(330.0),
        tone(110.0 * 2.0**seconds),
        tone(440.0) + 0.5 * tone(660.0),
        tone(131.0),
    ]
    parts += [rng.standard_normal(rate) * 0.3, np.zeros(rate), tone(784.0) * np.exp(-8 * seconds) + 0.1]
    joined = np.concatenate([part[: 2 * rate // 5] for part in parts])
    return (0.1 * joined + 0.0005 * rng.standard_normal(len(joined))).astype(np.float32)


@pytest.mark.parametrize("latency", ["low", "middle", "full"])
@pytest.mark.parametrize(("rate", "hop"), [(16_000, 128), (48_000, 384)])
def test_pitch_and_loudness_are_those_of_the_device_side(tmp_path, rate, hop, latency):
    model = TINY if rate == 16_000 else other_rate(tmp_path, rate, hop)
    card = read_model_file(model).card
    audio = np.concatenate([hard(rate), read_audio(FLUTE, rate)[0][: 3 * rate]])
    want, late = by_python(card, audio, latency)
    found, told = run_node(tmp_path, model, audio, latency, 128)
    found = found.reshape(-1, 2)
    assert found.shape == want.shape
    assert int(told[0]) == late
    np.testing.assert_allclose(found[:, 1], want[:, 1], atol=1e-3)
    # float64 in place of float32: of two candidates that cost the same, another one may be taken.
    cents = 1200.0 * np.abs(np.log2(np.maximum(found[:, 0], 1.0) / np.maximum(want[:, 0], 1.0)))
    assert np.mean(cents < 1.0) > 0.998
    assert 0.3 < np.mean(want[:, 0] > 0.0) < 0.98


def test_blocks_may_be_cut_in_any_way(tmp_path):
    audio = hard(16_000)
    whole, _ = run_node(tmp_path, TINY, audio, "low", 1024)
    for block in (1, 97):
        found = run_node(tmp_path, TINY, audio[:30_000], "low", block)[0]
        assert len(found) > 400
        np.testing.assert_array_equal(found, whole[: len(found)])


def test_the_live_effect_is_that_of_the_device_side(tmp_path):
    audio = np.concatenate([np.zeros(4000, np.float32), read_audio(FLUTE, 16_000)[0][:48_000]]).astype(
        np.float32
    )
    found, told = run_node(tmp_path, TINY, audio, "low", 128, "effect")
    # In Python it is as quiet as settings allow; in both the noise is another one each time.
    effect = LiveEffect(TINY, EffectSettings(noise_db=-80.0), **LATENCIES["low"], backend="numpy")
    want = effect.process(audio[: len(found)])
    assert int(told[0]) == effect.latency_samples
    assert np.abs(want).max() > 0.01
    assert np.abs(found - want).max() < 0.01  # 8-bit weights: another last bit, another step
    assert np.sqrt(np.mean((found - want) ** 2)) < 5e-3 * np.sqrt(np.mean(want**2))


def test_a_recording_is_rendered_as_the_live_effect_plays_it_less_the_latency(tmp_path):
    audio = read_audio(FLUTE, 16_000)[0][:40_000].astype(np.float32)
    found, _ = run_node(tmp_path, TINY, audio, "full", 128, "render")
    effect = LiveEffect(TINY, EffectSettings(noise_db=-80.0), **LATENCIES["full"], backend="numpy")
    want = effect.process(np.concatenate([audio, np.zeros(effect.latency_samples, np.float32)]))
    want = want[effect.latency_samples :]
    assert len(found) >= len(audio)
    assert np.abs(found[: len(want)] / 32767.0 - want).max() < 0.01  # 8-bit weights
    assert np.abs(found[-800:]).max() < 2.0  # until it has rung out


def test_a_recording_ends_with_the_room_and_not_with_the_noise_of_the_instrument(tmp_path):
    audio = read_audio(FLUTE, 48_000)[0][:48_000].astype(np.float32)
    audio[24_000:] = 0.0
    found, _ = run_node(tmp_path, VIOLIN, audio, "full", 128, "noisy")
    response = read_model_file(VIOLIN).arrays
    room = max(array.size for array in response.values())
    # A hop to fade, the room, and a tenth of a second to be sure.
    assert len(audio) < len(found) <= len(audio) + 3 * 384 + room + 4800 + 384
    assert np.abs(found[46_000:48_000]).max() >= 2.0
    assert np.abs(found[-4700:]).max() < 2.0


def test_the_gate_is_that_of_the_device_side(tmp_path):
    rng = np.random.default_rng(5)
    loudness = -60.0 + 25.0 * np.sin(np.arange(900) / 20.0) + rng.normal(0.0, 3.0, 900)
    f0_hz = np.where(rng.uniform(size=900) < 0.4, 0.0, 220.0)
    for hop, doubt in ((128, 3), (64, 0)):
        gate = Gate(FrameSpec(16_000, hop), doubt)
        want = [gate.process(f0, level, -55.0) for f0, level in zip(f0_hz, loudness, strict=True)]
        place = (FOLLOW.parents[2] / "export" / "web" / "player" / "gate.js").as_uri()
        program = (
            f"import {{ Gate }} from {json.dumps(place)};"
            f"const gate = new Gate({{ sampleRate: 16000, hop: {hop} }}, {doubt});"
            f"const f0 = {json.dumps(f0_hz.tolist())}, level = {json.dumps(loudness.tolist())};"
            "console.log(JSON.stringify(f0.map((f, i) => gate.process(f, level[i], -55))));"
        )
        done = subprocess.run(
            [str(NODE), "--input-type=module", "-e", program], capture_output=True, text=True, timeout=60
        )
        np.testing.assert_allclose(json.loads(done.stdout), want, atol=1e-9)
