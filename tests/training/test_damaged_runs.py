"""Whatever a disk or a person does to a run, one line names the file."""

import json
import zipfile

import numpy as np
import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.tasks.instrument.reference import load_reference
from ddsp_tf.training import load_config_of_run, load_model_of_run, train
from ddsp_tf.training.callbacks import read_log
from ddsp_tf.training.checkpoints import TrainingState, save_checkpoint
from tests import tiny


def rewrite(archive, change):
    """Change members of a zip file; `change` returns the new bytes, or None to drop one."""
    with zipfile.ZipFile(archive) as old:
        members = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(archive, "w") as new:
        for name, data in members.items():
            if data is not None:
                new.writestr(name, data)


def damage(path, kind):
    data = path.read_bytes()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut short":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "text":
        path.write_text("not an archive\n" * 100)
    elif kind == "a bit flipped":
        at = len(data) // 2
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    elif kind == "no weights":
        rewrite(path, lambda name, old: None if name == "model.weights.h5" else old)
    elif kind == "weights cut short":
        rewrite(path, lambda name, old: old[:3000] if name == "model.weights.h5" else old)
    elif kind == "no JSON":
        rewrite(path, lambda name, old: b"{" if name == "config.json" else old)
    elif kind == "another class":
        rewrite(path, lambda name, old: old.replace(b"Autoencoder", b"Autodecoder"))
    elif kind == "an unknown processor":
        rewrite(path, lambda name, old: old.replace(b'"Harmonic"', b'"Harmonica"'))
    elif kind == "other sizes":
        rewrite(path, lambda name, old: old.replace(b'"units": 8', b'"units": 9'))


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "cut short",
        "text",
        "a bit flipped",
        "no weights",
        "weights cut short",
        "no JSON",
        "another class",
        "an unknown processor",
        "other sizes",
    ],
)
def test_a_damaged_checkpoint_is_refused(run_copy, kind):
    damage(run_copy / "instrument.keras", kind)
    with pytest.raises(DdspError, match=r"instrument.keras is damaged, or of another version") as raised:
        load_model_of_run(run_copy)
    assert "\n" not in str(raised.value)


def test_no_flipped_byte_gets_through(run_copy):
    """Anywhere in the archive: refused, or the same weights."""
    path = run_copy / "instrument.keras"
    good = path.read_bytes()
    weights = load_model_of_run(run_copy).get_weights()
    refused = 0
    for at in np.random.default_rng(0).integers(len(good), size=12):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x55]) + good[at + 1 :])
        try:
            loaded = load_model_of_run(run_copy).get_weights()
        except DdspError:
            refused += 1
        else:
            for a, b in zip(weights, loaded, strict=True):
                np.testing.assert_array_equal(a, b)
    assert refused > 0


def test_code_in_a_checkpoint_is_not_run(run_copy):
    def evil(name, old):
        if name != "config.json":
            return old
        config = json.loads(old)
        config["config"]["decoder"] = {
            "module": "builtins",
            "class_name": "eval",
            "config": {"source": "open('/tmp/evil', 'w')"},
            "registered_name": "eval",
        }
        return json.dumps(config).encode()

    rewrite(run_copy / "instrument.keras", evil)
    with pytest.raises(DdspError, match="is damaged"):
        load_model_of_run(run_copy)


def test_a_model_that_is_no_instrument_is_refused(run_copy):
    import keras

    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.save(run_copy / "instrument.keras")
    with pytest.raises(DdspError, match="holds a Sequential, not an instrument"):
        load_model_of_run(run_copy)


def test_a_run_without_a_checkpoint_is_refused(run_copy):
    (run_copy / "instrument.keras").unlink()
    with pytest.raises(DdspError, match=r"has no checkpoint \(instrument.keras\)"):
        load_model_of_run(run_copy)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(DdspError, match=r"is no run folder: it has no config\.yaml"):
        load_model_of_run(tmp_path)
    with pytest.raises(DdspError, match="no such run folder"):
        load_model_of_run(tmp_path / "gone")


@pytest.mark.parametrize("text", ["{", "- 1\n", "\x00", "name: [", "sample_rate: 16000\n"])
def test_a_damaged_configuration_is_refused(run_copy, text):
    (run_copy / "config.yaml").write_text(text)
    with pytest.raises(DdspError, match=r"config\.yaml"):
        load_config_of_run(run_copy)


def test_a_save_that_fails_leaves_the_checkpoint_before(run_copy, trained_model, monkeypatch):
    before = (run_copy / "instrument.keras").read_bytes()

    def full(path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trained_model, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(trained_model, run_copy, TrainingState(8), keep=3)
    assert (run_copy / "instrument.keras").read_bytes() == before


DAMAGED_LOGS = {
    "other columns": b"a,b\n1,2\n",
    "cut short": b"step,epoch,seconds,loss,val_loss,learning_rate\n2,1,3.5,4.2\n",
    "words": b"step,epoch,seconds,loss,val_loss,learning_rate\ntwo,1,3.5,4.2,4.1,0.001\n",
    "no text": b"\xff\xfe\x00\x01" * 20,
    "too much": b"step,epoch,seconds,loss,val_loss,learning_rate\n2,1,3.5,4.2,x,0.001\n",
}


@pytest.mark.parametrize("damage", DAMAGED_LOGS.values(), ids=DAMAGED_LOGS)
def test_a_damaged_log_is_refused(tmp_path, damage):
    (tmp_path / "log.csv").write_bytes(damage)
    with pytest.raises(DdspError, match=r"log\.csv is damaged: every line needs step, epoch"):
        read_log(tmp_path)


def test_a_damaged_log_stops_a_run_before_it_goes_on(run_copy, tiny_dataset):
    (run_copy / "log.csv").write_bytes(DAMAGED_LOGS["words"])
    before = (run_copy / "instrument.keras").read_bytes()
    with pytest.raises(DdspError, match=r"log\.csv is damaged"):
        train(tiny.config(training={"steps": 8}), tiny_dataset, run_copy, resume=True, verbose=0)
    assert (run_copy / "instrument.keras").read_bytes() == before


def test_a_run_without_a_log_yet_has_no_lines(tmp_path):
    assert read_log(tmp_path) == []


@pytest.mark.parametrize("kind", ["empty", "cut short", "text", "a bit flipped"])
def test_a_damaged_reference_is_refused(run_copy, kind):
    damage(run_copy / "reference.npz", kind)
    with pytest.raises(DdspError, match=r"reference\.npz is damaged"):
        load_reference(run_copy, tiny.config().spec)


def test_a_reference_of_other_frames_is_refused(run_copy):
    with pytest.raises(DdspError, match=r"does not fit the model's frames of 64 samples"):
        load_reference(run_copy, tiny.config(sample_rate=8000).spec)
    (run_copy / "reference.npz").unlink()
    with pytest.raises(DdspError, match=r"has no reference\.npz"):
        load_reference(run_copy, tiny.config().spec)
