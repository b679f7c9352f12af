"""A network of any task by its card, against the runner of LiteRT and the instrument's own network."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from ddsp_edge import DdspError, StepModel, read_model_file
from ddsp_edge.card import Port
from ddsp_edge.model.network import Network
from tests.device.conftest import TINY
from tests.device.other_task import OUTPUTS, write_other_task

FRAMES = 40
NAN = float("nan")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("task") / "analyser.tflite"
    write_other_task(path)
    return path


@pytest.fixture(scope="module", params=["litert", "numpy"])
def model(request, path):
    return StepModel(path, request.param)


def features(frames=FRAMES):
    at = np.arange(frames)[:, np.newaxis]
    return {
        "f0_scaled": (0.5 + 0.1 * np.sin(at / 5.0)).astype(np.float32),
        "loudness_scaled": (0.6 + 0.3 * np.cos(at / 7.0)).astype(np.float32),
    }


def frame(given, i):
    return {name: values[i : i + 1] for name, values in given.items()}


def test_frames_are_those_of_litert_with_the_states_handed_back(path, model):
    file, given = read_model_file(path), features()
    run = Interpreter(model_content=file.model, num_threads=1).get_signature_runner("step")
    states = {name: np.zeros(port.shape, np.float32) for name, port in file.card.states.items()}
    model.reset()
    for i in range(FRAMES):
        want = run(**frame(given, i), **states)
        states = {name: want.pop(name) for name in states}
        found = model.step(**frame(given, i))
        assert set(found) == set(want) == set(OUTPUTS)
        for name, values in want.items():
            assert found[name].shape == (1, OUTPUTS[name])
            # Weights of 8 bits: where numpy differs in a last bit, activations round to the next step.
            bound = 0.0 if model.runtime == "litert" else 2e-2
            np.testing.assert_allclose(found[name], values, atol=bound, rtol=0)


def test_an_instrument_can_be_run_by_its_card_as_well(model):
    """The small instrument's card is of schema 1, which does not tell outputs: they are those of the file."""
    given, file = features(), read_model_file(TINY)
    assert file.card.outputs == {}
    same = StepModel(TINY, model.runtime)
    assert {name: port.shape[1] for name, port in same.outputs.items()} == OUTPUTS
    want = Network(file.model, file.card, model.runtime).process(*(v[:, 0] for v in given.values()))
    for name, values in same.process(**given).items():
        np.testing.assert_array_equal(values, want[name])


@pytest.mark.parametrize("sizes", [[1], [3, 0, 7], [FRAMES]])
def test_any_cut_of_a_stream_gives_the_same(model, sizes):
    given = features()
    model.reset()
    whole = [model.step(**frame(given, i)) for i in range(FRAMES)]
    model.reset()
    parts, start = [], 0
    while start < FRAMES:
        size = sizes[len(parts) % len(sizes)]
        parts.append(model.process(**{k: v[start : start + size] for k, v in given.items()}))
        start += size
    for name in OUTPUTS:
        found = np.concatenate([part[name] for part in parts])
        np.testing.assert_array_equal(found, np.concatenate([one[name] for one in whole]))


def test_no_frames_give_no_frames(model):
    found = model.process(f0_scaled=np.zeros([0, 1]), loudness_scaled=np.zeros([0, 1]))
    assert {name: values.shape for name, values in found.items()} == {n: (0, s) for n, s in OUTPUTS.items()}


def test_a_single_value_may_be_a_plain_number_and_what_is_given_stays_as_it_is(model):
    model.reset()
    as_numbers = model.step(f0_scaled=0.5, loudness_scaled=0.7)
    given = {"f0_scaled": np.float64([[0.5]]), "loudness_scaled": np.float64([[0.7]])}
    model.reset()
    for name, values in model.step(**given).items():
        np.testing.assert_array_equal(values, as_numbers[name])
        values[:] = NAN  # belongs to whoever asked for it
    assert np.isfinite(model.step(**given)["harmonic_amplitude"]).all()


@pytest.mark.parametrize("bad", [NAN, np.inf, -np.inf, 1e300])
def test_what_is_not_finite_counts_as_0_and_leaves_nothing_behind(model, bad):
    def played(value):
        model.reset()
        first = model.step(f0_scaled=value, loudness_scaled=value)
        then = model.process(**features())
        return [*first.values(), *then.values()]

    for found, want in zip(played(bad), played(0.0), strict=True):
        assert np.isfinite(found).all()
        np.testing.assert_array_equal(found, want)


def test_a_network_that_gives_no_numbers_has_finite_states_and_recovers(model, monkeypatch):
    get, broken = model._interpreter.get_tensor, [True]

    def poisoned(tensor):
        return np.full_like(get(tensor), NAN) if broken[0] else get(tensor)

    model.reset()
    monkeypatch.setattr(model._interpreter, "get_tensor", poisoned)
    for values in model.step(f0_scaled=0.5, loudness_scaled=0.5).values():
        assert not values.any()
    assert all(not state.any() for state in model._states.values())
    broken[0] = False
    found = model.process(**features())
    monkeypatch.undo()
    model.reset()
    for name, values in model.process(**features()).items():
        np.testing.assert_array_equal(found[name], values)  # its states were zeros, as at the start


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("step", {}, "takes f0_scaled, loudness_scaled. Missing: f0_scaled, loudness_scaled"),
        ("step", {"f0_scaled": 0.5}, "Missing: loudness_scaled"),
        ("step", {"f0_scald": 0.5, "loudness_scaled": 1}, "no input 'f0_scald'. Did you mean 'f0_scaled'"),
        ("step", {"f0_scaled": [0.5], "loudness_scaled": 1}, r"shape \[1, 1\]. Received shape: \[1\]"),
        ("step", {"f0_scaled": "high", "loudness_scaled": 1}, "f0_scaled must be numbers"),
        ("step", {"f0_scaled": np.zeros([5, 1]), "loudness_scaled": 1}, "several frames are for process"),
        ("process", {"f0_scaled": 0.5, "loudness_scaled": 1}, r"shape \[frames, 1\]. Received shape: \[\]"),
        (
            "process",
            {"f0_scaled": np.zeros([5, 1]), "loudness_scaled": np.zeros([4, 1])},
            "as many frames. Received: f0_scaled 5, loudness_scaled 4",
        ),
        ("process", {"f0_scaled": np.zeros([5, 1])}, "Missing: loudness_scaled"),
    ],
)
def test_wrong_names_and_shapes_are_refused_in_words(model, method, given, words):
    with pytest.raises(DdspError, match=words) as caught:
        getattr(model, method)(**given)
    assert "\n" not in str(caught.value)


WRONG_CARDS = {
    "an input too many": ({"inputs": {"more": Port((1, 1))}}, "takes f0_scaled.*its card says"),
    "another input": (
        {"inputs": {"f0_scaled": Port((1, 2)), "loudness_scaled": Port((1, 1))}},
        "Input f0_sc",
    ),
    "an output too many": ({"outputs": {"notes": Port((1, 88))}}, "gives harmonic.*its card says notes"),
    "a state less": ({"states": {}}, "takes f0_scaled, loudness_scaled, state; its card says"),
    "another state": ({"states": {"state": Port((1, 7))}}, r"by its card it must be float32 \[1, 7\]"),
}


@pytest.mark.parametrize("case", WRONG_CARDS)
@pytest.mark.parametrize("runtime", ["litert", "numpy"])
def test_a_network_that_is_not_what_its_card_says_is_refused(tmp_path, case, runtime):
    changes, words = WRONG_CARDS[case]
    write_other_task(tmp_path / "wrong.tflite", **changes)
    with pytest.raises(DdspError, match=words) as caught:
        StepModel(tmp_path / "wrong.tflite", runtime)
    assert "wrong.tflite" in str(caught.value)


def test_another_output_is_refused(tmp_path):
    outputs = {name: Port((1, size + (size == 9))) for name, size in OUTPUTS.items()}
    write_other_task(tmp_path / "wrong.tflite", outputs=outputs)
    with pytest.raises(DdspError, match=r"Output noise_magnitudes .* must be float32 \[1, 10\]"):
        StepModel(tmp_path / "wrong.tflite")


def test_a_runtime_that_is_none_is_refused(path):
    with pytest.raises(DdspError, match="runtime must be one of auto, litert, numpy"):
        StepModel(path, "gpu")
