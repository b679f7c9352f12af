"""The task `instrument`: pitch and loudness in, the sound of an instrument out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddsp_edge.card import Range
from ddsp_tf.data.pitched import AUDIO, FEATURES
from ddsp_tf.data.prepare.pitched import PitchPreparation, configured_estimator, feature_grid
from ddsp_tf.data.records.info import DatasetInfo
from ddsp_tf.data.records.shards import OnDamage
from ddsp_tf.tasks.command import Tell
from ddsp_tf.tasks.instrument.command import COMMAND
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.data import training_data, validation_data
from ddsp_tf.tasks.task import Curves, DatasetView, Log, Task

if TYPE_CHECKING:
    import keras

    from ddsp_tf.reports.html import Page
    from ddsp_tf.tasks.instrument.evaluation.evaluate import Evaluation
    from ddsp_tf.tasks.instrument.export.exportable import InstrumentExport
    from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder
    from ddsp_tf.training.sounds import SoundPlace


class InstrumentTask(Task):
    """See `ddsp_tf.tasks.task.Task`."""

    name = "instrument"
    command = COMMAND
    record_holds = (AUDIO, *FEATURES)

    @property
    def config_class(self) -> type[InstrumentConfig]:
        """With the sections `data`, `model`, `loss` and `augmentation`."""
        return InstrumentConfig

    def needs_tensorflow_to_prepare(self, config: InstrumentConfig) -> bool:
        """CREPE runs in TensorFlow, and so does what smooths a track."""
        return config.data.f0 == "crepe" or config.data.f0_smoothing != "none"

    def preparation(self, config: InstrumentConfig, crepe_weights: Path | None = None) -> PitchPreparation:
        """Pitch and loudness on a grid of 4 ms, whatever that of the model is."""
        estimator = configured_estimator(config.data, crepe_weights)
        return PitchPreparation(feature_grid(config.sample_rate), config.data, estimator)

    def look_at(self, folder: Path, info: DatasetInfo) -> DatasetView:
        """Pitch, loudness, and what is wrong with the recordings."""
        from ddsp_tf.data.quality.view import look_at_pitched, rows_of_pitched

        return DatasetView(rows_of_pitched(info), look_at_pitched(folder, info))

    def training_data(
        self,
        config: InstrumentConfig,
        data: Path,
        *,
        skip_batches: int = 0,
        on_damage: OnDamage | None = None,
    ) -> Any:
        """Pitch and loudness in, sound out."""
        return training_data(config, data, skip_batches=skip_batches, on_damage=on_damage)

    def validation_data(
        self, config: InstrumentConfig, data: Path, *, on_damage: OnDamage | None = None
    ) -> Any:
        """The same, held back."""
        return validation_data(config, data, on_damage=on_damage)

    def check(self, config: InstrumentConfig, origin: str) -> None:
        """Types, settings, wiring and cycles of the processors."""
        from ddsp_tf.tasks.instrument.check import check_processors

        check_processors(config, origin)

    def facts(self, info: DatasetInfo, config: InstrumentConfig, data: Path) -> dict[str, Any]:
        """Pitch estimator, definition of loudness, ranges of both or of power, what further features are."""
        from ddsp_tf.tasks.instrument.model.limits import Limits

        power = self._power(config, data)
        level = Range(**power["power_db_range"]) if power else info.loudness_db_range
        return {
            "f0_estimator": info.f0_estimator,
            "loudness": info.loudness,
            "f0_hz_range": vars(info.f0_hz_range),
            "loudness_db_range": vars(info.loudness_db_range),
            **power,
            **Limits.of_ranges(info.f0_hz_range, level).to_facts(),
            **self._further(info, config, data),
        }

    def _power(self, config: InstrumentConfig, data: Path) -> dict[str, Any]:
        """Range of the power, of a network that is told of that."""
        if config.model.level != "power":
            return {}
        from ddsp_tf.data.power_range import power_range
        from ddsp_tf.data.reading import read_passages

        passages = read_passages(data, "train", config.spec, on_damage=lambda text: None)
        return {"power_db_range": vars(power_range(passages, config.spec))}

    def _further(self, info: DatasetInfo, config: InstrumentConfig, data: Path) -> dict[str, Any]:
        names = config.model.further
        if not names:
            return {}
        from ddsp_tf.data.further import check_tracker, usual_features
        from ddsp_tf.data.reading import read_passages

        check_tracker(names, str(info.f0_estimator.get("name")))
        passages = read_passages(data, "train", config.spec, on_damage=lambda text: None)
        usual = usual_features(names, passages, config.spec)
        return {"further": {name: known.to_dict() for name, known in usual.items()}}

    @property
    def model_class(self) -> "type[Autoencoder]":
        """The autoencoder."""
        from ddsp_tf.tasks.instrument.model.autoencoder import Autoencoder

        return Autoencoder

    def build(self, config: InstrumentConfig, facts: Mapping[str, Any]) -> "Autoencoder":
        """The network and the processors of the configuration."""
        return self.model_class.from_experiment(config, dict(facts))

    def compile(
        self, model: "Autoencoder", config: InstrumentConfig, crepe_weights: Path | None = None
    ) -> None:
        """The spectral loss and further terms."""
        from ddsp_tf.tasks.instrument.loss import compile_model

        compile_model(model, config, crepe_weights)

    def keep(
        self,
        config: InstrumentConfig,
        data: Path,
        run: Path,
        *,
        only_missing: bool,
        on_damage: OnDamage | None,
    ) -> None:
        """A little held-back sound, and features of a little training sound."""
        from ddsp_tf.tasks.instrument.excerpts import EXCERPTS_NAME, save_excerpts
        from ddsp_tf.tasks.instrument.reference import REFERENCE_NAME, save_reference

        if not only_missing or not (run / REFERENCE_NAME).exists():
            save_reference(data, run, config, on_damage)
        if not only_missing or not (run / EXCERPTS_NAME).exists():
            save_excerpts(data, run, config.spec, config.model.further, on_damage)

    def callbacks(self, config: InstrumentConfig, data: Path, tell: Tell) -> "list[keras.callbacks.Callback]":
        """Warns when a branch dies, or covers the others."""
        from ddsp_tf.training.branch_watch import BranchWatch

        return [BranchWatch(tell)]

    def heard(
        self, config: InstrumentConfig, data: Path, run: Path, places: "Sequence[SoundPlace]"
    ) -> "list[keras.callbacks.Callback]":
        """A held-back passage and its resynthesis, every epoch."""
        from ddsp_tf.tasks.instrument.heard import Resynthesis
        from ddsp_tf.training.held_back_sound import HeldBackSound

        resynthesis = Resynthesis(run, config.spec)
        return [HeldBackSound(resynthesis.audio, resynthesis, places)]

    def evaluate(
        self,
        model: "Autoencoder",
        config: InstrumentConfig,
        data: Path,
        *,
        crepe_weights: Path | None,
        progress: Tell,
    ) -> "Evaluation":
        """Beside the untrained model, and the mean spectrum at the right pitch and loudness."""
        from ddsp_tf.tasks.instrument.evaluation.evaluate import evaluate_instrument

        return evaluate_instrument(model, config, data, crepe_weights=crepe_weights, progress=progress)

    def curves(self, model: "Autoencoder") -> list[Curves]:
        """How loud each branch is."""
        from ddsp_tf.layers.branches import branch_kinds
        from ddsp_tf.training.group_model import RECORDING, level_name

        columns = [RECORDING, *map(level_name, branch_kinds(model.processors))]
        return [Curves(columns, "level, dB", "How loud each branch is", low=-100.0)]

    def show_results(self, page: "Page", run: Path, model: "Autoencoder", data: Path, log: Log) -> None:
        """Warnings, scores, and a passage beside its resynthesis."""
        from ddsp_tf.tasks.instrument.evaluation.report import show_results

        show_results(page, run, model, data, log)

    def show_model(self, page: "Page", model: "Autoencoder", data: Path) -> None:
        """Harmonic distributions, impulse responses, the processors."""
        from ddsp_tf.tasks.instrument.evaluation.report import show_model

        show_model(page, model, data)

    def exportable(self, run: Path, options: Mapping[str, Any]) -> "InstrumentExport":
        """Network and synthesizer."""
        from ddsp_tf.tasks.instrument.export.exportable import InstrumentExport

        return InstrumentExport(run, options)


TASK: Task = InstrumentTask()
