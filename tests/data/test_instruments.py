"""Which recording is of which instrument, and mixes as users write them."""

from pathlib import Path

import numpy as np
import pytest

from ddsp_tf.config import Config, DataConfig
from ddsp_tf.data import prepare, read_passages, training_dataset, validation_dataset
from ddsp_tf.data.instruments import Instruments, parse_mix
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests import tiny
from tests.data.doubles import ConstantEstimator

PATTERNS = {"flute": "flute-*", "violin": "*violin*"}
CLIP = 50


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Passages of a flute and a violin."""
    folder = tmp_path_factory.mktemp("two")
    recordings = [
        tiny.write_phrase(folder / name, seconds)
        for name, seconds in (("flute-1.wav", 6.0), ("my violin.wav", 7.0))
    ]
    data = DataConfig(passage_seconds=2.0, validation_share=0.5)
    spec = FrameSpec(tiny.RATE, tiny.HOP)
    prepare(recordings, folder / "data", spec, data, estimator=ConstantEstimator(), jobs=1)
    return folder / "data"


def test_each_clip_comes_with_the_instrument_of_its_recording(made: Path) -> None:
    spec = FrameSpec(tiny.RATE, tiny.HOP)
    sounds = {name: [] for name in PATTERNS}  # type: dict[str, list[bytes]]
    for split in ("train", "validation"):
        for passage in read_passages(made, split, spec):
            sounds["flute" if "flute" in passage.source else "violin"].append(passage.audio.tobytes())
    arguments = {"batch_size": 3, "clip_frames": CLIP, "instruments": PATTERNS}
    batches = [
        *training_dataset(made, spec, **arguments).take(4),
        *validation_dataset(made, spec, **arguments),
    ]
    seen = set()
    for inputs, audio in batches:
        assert inputs["instrument"].shape == (len(audio), 1, 2)
        for weights, sound in zip(inputs["instrument"].numpy()[:, 0], audio.numpy(), strict=True):
            own = ("flute", "violin")[int(weights[1])]
            assert weights.tolist() == [float(own == "flute"), float(own == "violin")]
            assert any(sound.tobytes() in whole for whole in sounds[own])
            seen.add(own)
    assert seen == {"flute", "violin"}


def test_an_instrument_without_a_recording_is_named(made: Path) -> None:
    spec = FrameSpec(tiny.RATE, tiny.HOP)
    patterns = {**PATTERNS, "oboe": "obo-*"}
    with pytest.raises(DdspError, match=r"no training passage .* by the instrument 'oboe', .*'obo-\*'"):
        training_dataset(made, spec, batch_size=1, clip_frames=CLIP, instruments=patterns)


def test_without_instruments_nothing_is_added(made: Path) -> None:
    (inputs, _), *_ = training_dataset(made, FrameSpec(16_000, 128), batch_size=1, clip_frames=CLIP).take(1)
    assert set(inputs) == {"f0_hz", "loudness_db"}


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        (
            {"flute": "flute-*"},
            r"no instrument matches the recording 'my violin\.wav', and exactly one has to",
        ),
        ({**PATTERNS, "any": "*1*"}, r"flute and any both match the recording 'flute-1\.wav'"),
    ],
)
def test_a_recording_of_no_or_two_instruments_is_named(
    made: Path, patterns: dict[str, str], words: str
) -> None:
    with pytest.raises(DdspError, match=words):
        training_dataset(made, FrameSpec(16_000, 128), batch_size=1, clip_frames=CLIP, instruments=patterns)


@pytest.mark.parametrize(
    ("text", "mix"),
    [
        ("flute", {"flute": 1.0}),
        ("flute=0.5,violin=0.5", {"flute": 0.5, "violin": 0.5}),
        (" flute = 1, violin=3 ", {"flute": 0.25, "violin": 0.75}),
        ("flute,violin", {"flute": 0.5, "violin": 0.5}),
        ("flute=0,violin=2", {"flute": 0.0, "violin": 1.0}),
    ],
)
def test_mixes_are_brought_to_a_sum_of_one(text: str, mix: dict[str, float]) -> None:
    assert parse_mix(text, ("flute", "violin")) == mix


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flue", r"no instrument 'flue'\. Did you mean 'flute'\?"),
        ("tuba", r"no instrument 'tuba'\. It has flute, violin"),
        ("", "no instrument ''"),
        ("flute=x", "weight of 'flute' must be a number. Received: 'x'"),
        ("flute=", "weight of 'flute' must be a number. Received: ''"),
        ("flute=-1,violin", "must be finite, 0 or more"),
        ("flute=nan", "must be finite, 0 or more"),
        ("flute=0", "must not all be 0"),
        ("flute,flute=2", "'flute' stands twice"),
    ],
)
def test_a_mix_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(DdspError, match=words):
        parse_mix(text, ("flute", "violin"))


def test_a_model_of_one_instrument_has_no_choice() -> None:
    with pytest.raises(DdspError, match="plays one instrument only"):
        parse_mix("flute", ())


@pytest.mark.parametrize(
    "instruments", [{"a=b": "*"}, {"a,b": "*"}, {"a": ""}, {"a": 3}, {"": "*"}, {" a": 1}]
)
def test_names_that_no_mix_could_hold_are_refused(instruments: dict[str, object]) -> None:
    values = tiny.settings()
    values["model"]["instruments"] = instruments
    with pytest.raises(DdspError, match=r"model\.instruments must hold names"):
        Config.from_dict(values)


def test_the_order_is_that_of_the_configuration() -> None:
    instruments = Instruments({"b": "b*", "a": "a*"})
    assert instruments.names == ("b", "a")
    np.testing.assert_array_equal(instruments.weights_of("a1"), [0.0, 1.0])
