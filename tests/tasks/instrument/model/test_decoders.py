"""Every decoder: frame by frame as over a sequence, in pieces as at once, saved and loaded."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf.errors import DdspError
from ddsp_tf.models import ConvDecoder, Decoder, GruDecoder, MinGruDecoder, MlpDecoder

OUTPUTS = {"amplitude": 1, "magnitudes": 5}
FRAMES = 40  # more than the convolutions look back
DECODERS = [
    (GruDecoder, {}),
    (MinGruDecoder, {"depth": 2}),
    (ConvDecoder, {"depth": 3}),
    (MlpDecoder, {}),
]
every_decoder = pytest.mark.parametrize(("kind", "arguments"), DECODERS)


def _decoder(kind: type[Decoder], arguments: dict, **others: object) -> Decoder:
    """A decoder whose weights, biases too, are far from zero."""
    decoder = kind(OUTPUTS, units=6, layer_units=8, **arguments, **others)
    decoder.build(None)
    rng = np.random.default_rng(0)
    decoder.set_weights([0.5 * rng.normal(size=w.shape) for w in decoder.get_weights()])
    return decoder


def _features(frames: int = FRAMES) -> dict[str, tf.Tensor]:
    rng = np.random.default_rng(1)
    return {
        name: tf.constant(rng.uniform(size=[2, frames, 1]), tf.float32)
        for name in ("f0_scaled", "loudness_scaled")
    }


@every_decoder
def test_frame_by_frame_is_as_over_the_sequence(kind, arguments):
    decoder, features = _decoder(kind, arguments), _features()
    expected, last = decoder(features)
    state = {name: tf.zeros([2, size]) for name, size in decoder.state_sizes.items()}
    for frame in range(FRAMES):
        outputs, state = decoder.step({k: v[:, frame] for k, v in features.items()}, state)
        for name, size in OUTPUTS.items():
            assert outputs[name].shape == (2, size)
            np.testing.assert_allclose(outputs[name], expected[name][:, frame], atol=2e-5)  # float32 sums
    assert state.keys() == last.keys() == decoder.state_sizes.keys()
    for name, size in decoder.state_sizes.items():
        assert state[name].shape == (2, size)
        np.testing.assert_allclose(state[name], last[name], atol=2e-5)


@every_decoder
@pytest.mark.parametrize("cut", [1, 2, 29])
def test_in_two_pieces_as_at_once(kind, arguments, cut):
    decoder, features = _decoder(kind, arguments), _features()
    expected, _ = decoder(features)
    first, state = decoder({k: v[:, :cut] for k, v in features.items()})
    second, _ = decoder({k: v[:, cut:] for k, v in features.items()}, state)
    for name in OUTPUTS:
        joined = tf.concat([first[name], second[name]], axis=1)
        np.testing.assert_allclose(joined, expected[name], atol=2e-5)


@every_decoder
def test_nothing_is_heard_before_it_comes(kind, arguments):
    decoder, features = _decoder(kind, arguments), _features()
    changed = {k: tf.concat([v[:, :20], 1.0 - v[:, 20:]], axis=1) for k, v in features.items()}
    one, other = decoder(features)[0], decoder(changed)[0]
    for name in OUTPUTS:
        np.testing.assert_array_equal(one[name][:, :20], other[name][:, :20])
        assert np.abs(one[name][:, 20] - other[name][:, 20]).max() > 1e-3


def test_convolutions_look_back_as_far_as_documented():
    decoder = _decoder(ConvDecoder, {"depth": 3})
    features = _features()
    changed = {k: tf.concat([1.0 - v[:, :1], v[:, 1:]], axis=1) for k, v in features.items()}
    difference = np.abs(decoder(features)[0]["magnitudes"] - decoder(changed)[0]["magnitudes"])
    reach = 2 * (2**3 - 1)
    assert difference[:, reach].max() > 1e-6
    assert difference[:, reach + 1 :].max() == 0.0


@every_decoder
def test_other_inputs_have_layers_of_their_own(kind, arguments):
    sizes = {"f0_scaled": 1, "loudness_scaled": 1, "z": 4}
    decoder = _decoder(kind, arguments, input_sizes=sizes)
    features = {**_features(), "z": tf.random.stateless_normal([2, FRAMES, 4], [1, 2])}
    outputs, _ = decoder(features)
    assert outputs["magnitudes"].shape == (2, FRAMES, 5)
    silent, _ = decoder({**features, "z": tf.zeros([2, FRAMES, 4])})
    assert np.abs(outputs["magnitudes"] - silent["magnitudes"]).max() > 1e-3


@every_decoder
def test_the_decoder_comes_back_from_its_config(kind, arguments):
    decoder, features = _decoder(kind, arguments), _features()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(decoder))
    again.set_weights(decoder.get_weights())
    np.testing.assert_array_equal(again(features)[0]["magnitudes"], decoder(features)[0]["magnitudes"])


@pytest.mark.parametrize("kind", [GruDecoder, MlpDecoder])
def test_a_depth_that_has_no_meaning_is_refused(kind):
    with pytest.raises(DdspError, match=f"{kind.__name__}: depth must be 1. Received: depth=2"):
        kind(OUTPUTS, depth=2)
