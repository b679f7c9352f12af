"""Properties that all public operations have: they are what they say, or they refuse, in words."""

import inspect
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ddsp_tf import ops
from ddsp_tf.errors import DdspError
from ddsp_tf.ops.arguments import Arguments, as_complex, as_floats
from tests.ops import definitions, pointwise
from tests.ops.table import NOT_FUNCTIONS, OPS, Case

SEEDS = range(3)
ALWAYS_DOUBLE = {"fundamental_phase"}
FORMS = {
    "float32": lambda v: tf.constant(v, tf.complex64 if np.iscomplexobj(v) else tf.float32),
    "arrays": lambda v: v,
    "lists": lambda v: v.tolist(),
    "variables": lambda v: tf.Variable(v, dtype=tf.complex64 if np.iscomplexobj(v) else tf.float32),
}
KINDS_REFUSED = {
    "words": "loud",
    "ragged": [[1.0], [1.0, 2.0]],
    "truth": np.array([True]),
    "symbolic": keras.Input([3]),
    "nothing": [None],
}
NUMERIC = [name for name, case in OPS.items() if case.axes]


def op_of(name: str) -> Any:
    return getattr(ops, name.split()[0])


def defined(name: str, given: dict[str, Any]) -> list[Any]:
    """What the definition gives, flat."""
    define = vars(definitions).get(name.split()[0]) or vars(pointwise)[name.split()[0]]
    return [np.asarray(x) for x in tf.nest.flatten(define(**given))]


def drawn(name: str, seed: int) -> dict[str, Any]:
    """Arguments whose numbers float32 holds exactly."""
    rng = np.random.default_rng(1000 * seed + 7)
    return tf.nest.map_structure(_rounded, OPS[name].draw(rng))


def _rounded(value: Any) -> Any:
    if isinstance(value, np.ndarray | float) and not np.iscomplexobj(value):
        rounded = np.asarray(value, np.float32).astype(np.float64)
        return rounded if isinstance(value, np.ndarray) else float(rounded)
    return np.asarray(value, np.complex64).astype(np.complex128) if np.iscomplexobj(value) else value


def in_form(case: Case, given: dict[str, Any], form: str) -> dict[str, Any]:
    return {k: FORMS[form](v) if k in case.axes and v is not None else v for k, v in given.items()}


def test_the_table_holds_every_public_operation():
    public = {name for name in ops.__all__ if name not in NOT_FUNCTIONS}
    assert {name.split()[0] for name in OPS} == public
    for name, case in OPS.items():
        known = inspect.signature(op_of(name)).parameters
        assert {*case.axes, *case.refused} <= set(known), name


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [n for n in OPS if n != "white_noise"])
def test_operations_are_what_their_definitions_say(name, form):
    case = OPS[name]
    for seed in SEEDS if form in ("float32", "arrays") else SEEDS[:1]:
        given = drawn(name, seed)
        results = [
            tf.convert_to_tensor(x) for x in tf.nest.flatten(op_of(name)(**in_form(case, given, form)))
        ]
        wanted = defined(name, given)
        assert len(results) == len(wanted)
        exact = case.double and form == "arrays"
        for got, want in zip(results, wanted, strict=True):
            assert got.shape == want.shape
            if got is results[0] and case.axes and got.dtype.is_floating and name not in ALWAYS_DOUBLE:
                assert got.dtype == (tf.float64 if exact else tf.float32)
            scale = np.abs(want).max(initial=0.0)
            tolerance = 1e-9 if exact and got.dtype == tf.float64 else case.tolerance
            np.testing.assert_allclose(got, want, atol=tolerance * scale + 1e-12, rtol=0)


@pytest.mark.parametrize("name", [n for n in NUMERIC if OPS[n].whole])
def test_integers_become_floats(name):
    case, rng = OPS[name], np.random.default_rng(3)
    given = {k: v for k, v in drawn(name, 1).items() if k != "state"}
    for key in case.axes:
        if given.get(key) is not None:
            given[key] = rng.integers(-3, 4, np.shape(given[key]))
    wanted = defined(
        name, {k: v.astype(float) if k in case.axes and v is not None else v for k, v in given.items()}
    )
    for form in (
        lambda v: v,
        lambda v: v.tolist(),
        lambda v: tf.constant(v, tf.int32),
        lambda v: v.astype(np.int16),
    ):
        formed = {k: form(v) if k in case.axes and v is not None else v for k, v in given.items()}
        for got, want in zip(tf.nest.flatten(op_of(name)(**formed)), wanted, strict=True):
            assert got.dtype.is_floating or got.dtype.is_complex
            np.testing.assert_allclose(got, want, atol=case.tolerance * np.abs(want).max(initial=0.0) + 1e-6)


@pytest.mark.parametrize("name", OPS)
def test_numbers_of_numpy_are_numbers(name):
    given = drawn(name, 0)
    kinds = {int: (np.int64, np.uint16, np.array), float: (np.float64, np.float32, np.array)}
    want = tf.nest.flatten(op_of(name)(**given))
    for i in range(3):
        other = {k: kinds[type(v)][i](v) if type(v) in kinds else v for k, v in given.items()}
        for got, wanted in zip(tf.nest.flatten(op_of(name)(**other)), want, strict=True):
            np.testing.assert_array_equal(got, wanted)


def mutations(name: str, given: dict[str, Any]) -> list[tuple[str, Any]]:
    """Arguments whose shape does not fit the others, or the operation."""
    case, wrong = OPS[name], []
    users: dict[Any, int] = {}
    for key, axes in case.axes.items():
        if given.get(key) is not None:
            for axis in axes if axes[0] == "..." else axes[-given[key].ndim :]:
                users[axis] = users.get(axis, 0) + 1
    for key, axes in case.axes.items():
        value = given.get(key)
        if value is None or axes == ("any",):
            continue
        named = axes[1:] if axes[0] == "..." else axes[-value.ndim :]
        first = value.ndim - len(named)
        for i, axis in enumerate(named):
            if isinstance(axis, int) or " " in axis or users[axis] > 1:
                more = np.concatenate([value, np.take(value, [0], first + i)], first + i)
                wrong.append((f"{key}, {axis} and one more", {**given, key: more}))
        if axes[0] == "..." and users["..."] > 1:
            wrong.append((f"{key}, another axis before", {**given, key: value[np.newaxis]}))
        elif axes[0] != "..." and len(axes) == value.ndim and (name, key) not in RANK_IS_FREE:
            wrong.append((f"{key}, another axis", {**given, key: value[np.newaxis]}))
            wrong.append((f"{key}, an axis less", {**given, key: value[..., 0]}))
        if "frames" in axes and value.ndim == len(axes):
            wrong.append((f"{key}, no frames", {**given, key: np.take(value, [], axes.index("frames"))}))
    return wrong


def refusal(name: str, given: dict[str, Any]) -> str:
    """The words in which an operation refuses its arguments, in one line; none where it takes them."""
    try:
        op_of(name)(**given)
    except DdspError as error:
        return str(error).replace("\n", " in several lines ")
    return ""


RANK_IS_FREE = {
    ("convolve_causal", "impulse_response"),
    ("previous_frames", "frames"),
    ("tables_from_harmonics", "tables"),
}


@pytest.mark.parametrize("name", NUMERIC)
def test_shapes_that_do_not_fit_are_refused(name):
    found = 0
    for seed in range(5):
        for what, given in mutations(name, drawn(name, seed)):
            assert "Received: " in refusal(name, given), what
            found += 1
    assert found or all(
        axes in (("any",), ("...", "bins"), ("...", "bands"), ("...",)) for axes in OPS[name].axes.values()
    )


@pytest.mark.parametrize("name", NUMERIC)
def test_shapes_that_do_not_fit_are_refused_while_a_graph_is_traced(name):
    for _, given in mutations(name, drawn(name, 2))[:2]:
        with pytest.raises(DdspError, match="Received: "):
            tf.function(lambda given=given: op_of(name)(**given))()  # autograph is what users have


@pytest.mark.parametrize("kind", KINDS_REFUSED)
@pytest.mark.parametrize("name", NUMERIC)
def test_what_holds_no_numbers_is_refused(name, kind):
    given = drawn(name, 0)
    for key in OPS[name].axes:
        with pytest.raises(DdspError, match=rf"{key} must .*Received: "):
            op_of(name)(**{**given, key: KINDS_REFUSED[kind]})


@pytest.mark.parametrize("name", OPS)
def test_numbers_that_cannot_be_are_refused(name):
    given = drawn(name, 0)
    for key, values in OPS[name].refused.items():
        for value in values:
            assert "Received: " in refusal(name, {**given, key: value}), f"{key}={value!r}"


@pytest.mark.parametrize("name", [n for n, case in OPS.items() if case.gradients])
def test_gradients_are_those_of_the_definitions(name):
    case, given, rng = OPS[name], drawn(name, 1), np.random.default_rng(5)
    dtype = tf.float64 if case.double else tf.float32
    sources = {k: tf.constant(given[k], dtype) for k in case.gradients if given.get(k) is not None}
    with tf.GradientTape() as tape:
        tape.watch(list(sources.values()))
        results = tf.nest.flatten(op_of(name)(**{**given, **sources}))
        weights = [rng.normal(size=result.shape) for result in results]
        value = tf.add_n(
            [tf.reduce_sum(tf.cast(r, tf.float64) * w) for r, w in zip(results, weights, strict=True)]
        )
    for key, gradient in zip(sources, tape.gradient(value, list(sources.values())), strict=True):
        way = rng.normal(size=np.shape(given[key]))
        step = 1e-6 * max(1.0, np.abs(given[key]).max())
        ends = [defined(name, {**given, key: given[key] + sign * step * way}) for sign in (1, -1)]
        want = sum(np.sum(w * (a - b)) for w, a, b in zip(weights, *ends, strict=True)) / (2 * step)
        parts = np.asarray(gradient, np.float64) * way
        # Rounding of float32, or of the difference, by what was added up.
        np.testing.assert_allclose(
            parts.sum(), want, rtol=1e-4, atol=2e-4 * np.abs(parts).sum() + 1e-9, err_msg=key
        )


def test_arguments_add_no_operator_to_a_graph():
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 1]),
            tf.TensorSpec(None),
            tf.TensorSpec([None], tf.complex64),
        ],
        autograph=False,
    )
    def traced(f0_hz, anything, spectra):
        graph = tf.compat.v1.get_default_graph()
        before = len(graph.get_operations())
        take = Arguments("op", tf.float32)
        assert take("f0_hz", f0_hz, "batch", "frames", 1) is f0_hz
        assert take("anything", anything, "batch", "frames") is anything
        assert as_floats("op", "x", anything) is anything
        assert as_complex("op", "x", spectra) is spectra
        assert len(graph.get_operations()) == before
        return f0_hz

    traced.get_concrete_function()


@pytest.mark.parametrize("name", NUMERIC)
def test_graphs_hold_no_checks(name):
    case, given = OPS[name], drawn(name, 0)
    tensors = {k: FORMS["float32"](given[k]) for k in case.axes if given.get(k) is not None}
    rest = {k: v for k, v in given.items() if k not in tensors}
    graph = (
        tf.function(lambda **t: op_of(name)(**t, **rest), autograph=False)
        .get_concrete_function(**tensors)
        .graph
    )
    assert not {"Assert", "Print", "CheckNumerics"} & {operation.type for operation in graph.get_operations()}


@pytest.mark.parametrize("name", ["harmonic_oscillator", "sinusoidal_oscillator", "wavetable_oscillator"])
def test_a_state_of_another_sound_is_refused(name):
    given = next(g for g in (drawn(name, seed) for seed in range(20)) if g["state"] is not None)
    for i, part in enumerate(given["state"]):
        for wrong in (np.concatenate([part, part]), part[None], part[..., :0], None):
            state = [*given["state"][:i], wrong, *given["state"][i + 1 :]]
            assert "state." in refusal(name, {**given, "state": tuple(state)})


def test_white_noise_is_uniform_and_repeats():
    noise = ops.white_noise(np.int64(3), tf.constant(10_001), [1, 2])
    assert noise.shape == (3, 10_001)
    np.testing.assert_array_equal(noise, ops.white_noise(3, 10_001, np.array([1, 2])))
    assert np.abs(noise).max() < 1.0
    np.testing.assert_allclose(np.mean(np.square(noise)), 1 / 3, rtol=0.02)  # of 30,000 samples


@pytest.mark.parametrize("taps", [1, 7])
def test_a_response_for_each_example_is_one_for_each(taps):
    """`[1, taps]` beside several examples was taken for one tap, and wrapped around."""
    rng = np.random.default_rng(0)
    audio, responses = rng.normal(size=[3, 20]), rng.normal(size=[3, taps])
    for response in (responses, responses[0]):
        want = definitions.convolve_causal(audio, response)
        np.testing.assert_allclose(ops.convolve_causal(audio, response)[0], want[0], atol=1e-12)
    for wrong in (responses[:1], responses[:2], responses[None]):
        with pytest.raises(DdspError, match=r"impulse_response must be \["):
            ops.convolve_causal(audio, wrong)


def test_whole_midi_notes_are_interpolated():
    notes = ops.frames_to_samples([[[60], [62], [64]]], 4, "linear")[0, :, 0]
    np.testing.assert_allclose(notes, [60, 60, 60, 60, 60, 60.5, 61, 61.5, 62, 62.5, 63, 63.5], atol=1e-5)
