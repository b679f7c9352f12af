"""A run whose matrices are large enough to be quantized, and its models, made once for all export tests."""

import pytest

from tests import tiny

WIDTH = 64  # the tiny model's own matrices are below the size from which weights are quantized


@pytest.fixture(scope="session", autouse=True)
def convert_here():
    """Convert in this process, which has TensorFlow loaded; tests of the process apart ask for it."""
    import ddsp_export.export as module
    import ddsp_tf.tasks.instrument.export.export_vst as vst
    from ddsp_export.convert import convert_run
    from ddsp_tf.tasks.instrument.export.describe import load_to_export
    from ddsp_tf.tasks.instrument.export.vst import PowerMap, convert_vst

    def convert_for_vst(run, offset_db, slope_db, instrument):
        return convert_vst(load_to_export(run, instrument), PowerMap(offset_db, slope_db))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "convert_apart", convert_run)
        patch.setattr(vst, "convert_vst_apart", convert_for_vst)
        yield


@pytest.fixture
def convert_apart(monkeypatch, convert_here):
    """Convert in a process of its own after all, as users do."""
    import ddsp_export.convert as conversion
    import ddsp_export.export as module
    import ddsp_tf.tasks.instrument.export.export_vst as vst
    from ddsp_tf.tasks.instrument.export.vst import convert_vst_apart

    monkeypatch.setattr(module, "convert_apart", conversion.convert_apart)
    monkeypatch.setattr(vst, "convert_vst_apart", convert_vst_apart)


@pytest.fixture(scope="session")
def exported(trained_run, make_once):
    """The small run exported with its synthesizer: path and card, by how its weights are stored."""

    def file(quantize):
        from ddsp_edge.model.file import read_card
        from ddsp_export.export import export

        def fill(folder):
            card = export(trained_run, folder / "whole.tflite", quantize)
            (folder / "card.json").write_text(card.to_json(), encoding="utf-8")

        folder = make_once(f"exported-{quantize}", fill)
        return folder / "whole.tflite", read_card((folder / "card.json").read_text("utf-8"), "exported")

    return file


@pytest.fixture(scope="session")
def wide_run(tiny_dataset, make_once):
    """A run of a wider network; no test may change it."""

    def fill(folder):
        from ddsp_tf.training import train

        decoder = {"type": "GruDecoder", "units": WIDTH, "layer_units": WIDTH, "layers": 1}
        config = tiny.config(model={**tiny.settings()["model"], "decoder": decoder})
        train(config, tiny_dataset, folder / "run", verbose=0)

    return make_once("wide-run", fill) / "run"


@pytest.fixture(scope="session")
def wide_model(wide_run):
    """Its model."""
    from ddsp_tf.training import load_model_of_run

    return load_model_of_run(wide_run)


@pytest.fixture(scope="session")
def wide_float32(wide_model, make_once):
    """It converted, without the synthesizer and with it."""

    def fill(folder):
        from ddsp_export.graph import SynthesizerGraph
        from ddsp_tf.tasks.instrument.export.describe import describe
        from ddsp_tf.tasks.instrument.export.exportable import convert_model as convert

        card, arrays = describe(wide_model)
        synthesizer = SynthesizerGraph(wide_model.spec, card.synthesizer, arrays)
        (folder / "step.tflite").write_bytes(convert(wide_model))
        (folder / "whole.tflite").write_bytes(convert(wide_model, None, synthesizer))

    folder = make_once("wide-float32", fill)
    return tuple((folder / name).read_bytes() for name in ("step.tflite", "whole.tflite"))
