"""The model: what is said, pitch, voicing and loudness to flat harmonics and noise through filters."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ddsp_edge.features.log_mel import N_MELS, mel_weights
from ddsp_edge.units import LOUDNESS_FLOOR_DB
from ddsp_tf.frames import FrameSpec
from ddsp_tf.layers.gru import GRU
from ddsp_tf.layers.processor_group import ProcessorGroup
from ddsp_tf.losses.terms import TermedLoss
from ddsp_tf.ops.linear_recurrence import linear_recurrence
from ddsp_tf.ops.oscillators import nyquist_fade
from ddsp_tf.speech.encoder import ContentEncoder
from ddsp_tf.speech.log_mel import log_mel
from ddsp_tf.training.model import TaskModel

EMBEDDING = 16
_LOWEST_HZ = 20.0  # what is lower is no pitch
_LOUDNESS_DB = 20.0  # that makes a difference of 1
_LEAD_FRAMES = 25  # of a clip that no loss looks at: the encoder does not know the room yet

_BETWEEN = 3  # frames after that of which controls are given: what is to come of the hints
_WARPS = 17
_HELD_FRAMES, _FADE_FRAMES = 12.0, 4.0
"""Without pitch the source goes on for 64 ms, in which a tracker may have missed one, and fades within 32 ms
more: what sounds at the last pitch beyond that are tonal lines in pauses."""

_BREATH_HZ = 400.0, 800.0
"""Between these noise sets in: what is lower is the rumble of a room, not breath, and is heard as a pitch."""

Controls = dict[str, dict[str, tf.Tensor]]


def nodes(n_harmonics: int, n_bands: int) -> list[dict[str, Any]]:
    """The processors: a flat source through a filter, and noise through another."""
    bands = {"n_bands": n_bands}
    source = {name: name for name in ("amplitude", "distribution", "f0_hz")}
    filtered = {"audio": "source", "magnitudes": "harmonic_magnitudes"}
    return [
        {"name": "source", "type": "Harmonic", "config": {"n_harmonics": n_harmonics}, "inputs": source},
        {"name": "voiced", "type": "FIRFilter", "config": bands, "inputs": filtered},
        {
            "name": "noise",
            "type": "FilteredNoise",
            "config": bands,
            "inputs": {"magnitudes": "noise_magnitudes"},
        },
        {"name": "voice", "type": "Add", "inputs": {"audio_0": "voiced", "audio_1": "noise"}},
    ]


INPUTS = ("f0_hz", "amplitude", "distribution", "harmonic_magnitudes", "noise_magnitudes")


def _warps(most: float) -> np.ndarray:
    """Factors on formants, evenly; 1 alone where nothing is moved."""
    return np.linspace(1.0 - most, 1.0 + most, _WARPS) if most else np.ones(1)


def _cepstrum(count: int) -> np.ndarray:
    """Cosines over the bands, from the first that is not flat, float32 `[N_MELS, count]`."""
    k = np.arange(1, count + 1)
    table = np.cos(np.pi * k * (2 * np.arange(N_MELS)[:, np.newaxis] + 1) / (2 * N_MELS))
    return np.asarray(table * np.sqrt(2.0 / N_MELS), np.float32)


@keras.saving.register_keras_serializable(package="ddsp_tf")
class Voice(TaskModel):
    """Speech to the same words in the voice that it was trained on.

    The frozen content encoder hears what is said, `lookahead_frames` late; a decoder of a recurrent layer
    between dense ones turns that, pitch, voicing and loudness of the same frame into controls. The harmonics
    of the source are equally loud, so that formants stay where they are when the pitch moves.

    Args:
        encoder: Settings of the content encoder.
        units: Integer, width of the decoder's layers.
        n_harmonics: Integer, harmonics of the source.
        n_bands: Integer, frequencies at which the filters are given.
        voices: Integer, how many voices there are.
        f0_hz: Float, median pitch of the training data, Hz.
        loudness_db: Float, its median loudness, dB.
        content_noise: Float, deviation of what is added to content while training.
        content_weight: Float, of the distance of content in the loss.
        hints: Integer, cepstral coefficients of the bands that the decoder hears beside content.
        warp: Float, share by which formants in them are moved at random while training.
        facts: What belongs to the trained model beside its weights, plain data.

    Input: `audio` `[batch, frames * hop]`, and `f0_hz` (held where there is none), `voiced` (0 or 1),
    `loudness_db`, `[batch, frames, 1]` each; of several voices `voice` `[batch, 1, voices]`, weights. Output:
    `[batch, frames * hop]`, in its place.
    """

    def __init__(
        self,
        encoder: Mapping[str, Any],
        units: int,
        n_harmonics: int,
        n_bands: int,
        voices: int,
        f0_hz: float,
        loudness_db: float,
        content_noise: float = 0.0,
        content_weight: float = 0.0,
        hints: int = 0,
        warp: float = 0.0,
        facts: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._settings: dict[str, Any] = {
            "encoder": dict(encoder),
            "units": units,
            "n_harmonics": n_harmonics,
            "n_bands": n_bands,
            "voices": voices,
            "f0_hz": f0_hz,
            "loudness_db": loudness_db,
            "content_noise": content_noise,
            "content_weight": content_weight,
            "hints": hints,
            "warp": warp,
        }
        self.facts = dict(facts or {})
        config = self.facts["config"]
        self.spec = FrameSpec.from_frame_rate(config["sample_rate"], config["frame_rate"])
        self.units, self.n_harmonics, self.n_bands, self.voices = units, n_harmonics, n_bands, voices
        self.encoder = ContentEncoder(**encoder, name="encoder")
        self.encoder.trainable = False
        self.ahead = self.encoder.lookahead_frames
        self.hints, self._between = hints, min(_BETWEEN, self.ahead)
        self._warps = np.stack([mel_weights(self.spec.sample_rate, w) for w in _warps(warp)])
        self.entry = keras.layers.Dense(units, "relu", name="entry")
        self.memory = GRU(units, return_sequences=True, return_state=True, name="decoder_memory")
        self.last = keras.layers.Dense(units, "relu", name="last")
        self.head = keras.layers.Dense(1 + 2 * n_bands, name="head")
        self.embedding = (
            keras.layers.Dense(EMBEDDING, use_bias=False, name="embedding") if voices > 1 else None
        )
        self.noise = keras.layers.GaussianNoise(content_noise) if content_noise else None
        hz = np.linspace(0.0, self.spec.sample_rate / 2.0, n_bands)
        low, high = _BREATH_HZ
        self._breath = np.clip((hz - low) / (high - low), 0.0, 1.0).astype(np.float32)
        self.processors = ProcessorGroup(
            self.spec.sample_rate,
            self.spec.hop,
            inputs=list(INPUTS),
            nodes=nodes(n_harmonics, n_bands),
            name="processors",
        )

    @property
    def latency_samples(self) -> int:
        """How much later than their frames the processors sound."""
        return self.n_bands - 1

    @property
    def own_term_names(self) -> tuple[str, ...]:
        """The distance of content."""
        return ("content",) if self._settings["content_weight"] else ()

    def build(self, input_shape: Any) -> None:
        """Create the weights, once."""
        if self.entry.built:
            return
        self.encoder.build(None)
        features = self.encoder.content + 2 * self.hints + 3 + (EMBEDDING if self.embedding else 0)
        self.entry.build([None, features])
        self.memory.build((None, None, self.units))
        self.last.build([None, 2 * self.units])
        self.head.build([None, self.units])
        if self.embedding is not None:
            self.embedding.build([None, self.voices])
        self.processors.build(None)
        self.built = True

    # From features to controls

    def _hints(self, bands: tf.Tensor) -> tf.Tensor:
        """The shape of the spectrum re its mean, of normalised bands, `[..., hints]`."""
        return tf.matmul(bands[..., :N_MELS], tf.constant(_cepstrum(self.hints)))

    def _features(
        self,
        content: tf.Tensor,
        f0_hz: tf.Tensor,
        voiced: tf.Tensor,
        loudness_db: tf.Tensor,
        voice: tf.Tensor | None,
    ) -> tf.Tensor:
        """What the decoder hears, `[..., features]`; `content` with the hints."""
        octaves = tf.math.log(tf.maximum(f0_hz, _LOWEST_HZ)) / np.log(2.0) - np.log2(self._settings["f0_hz"])
        loudness = (loudness_db - self._settings["loudness_db"]) / _LOUDNESS_DB
        parts = [content, octaves, voiced, loudness]
        if self.embedding is not None:
            own = self.embedding(voice)
            parts.append(own + tf.zeros_like(f0_hz))
        return tf.concat(parts, axis=-1)

    def _controls(self, raw: tf.Tensor, f0_hz: tf.Tensor, since: tf.Tensor) -> Controls:
        """Controls of the processors, of the decoder's outputs `[batch, frames, 1 + 2 n_bands]`, pitch, and
        how many frames ago there was one.
        """
        amplitude, harmonic, noise = tf.split(raw, [1, self.n_bands, self.n_bands], axis=-1)
        controls: Controls = self.processors.get_controls(
            {
                "f0_hz": f0_hz,
                "amplitude": amplitude,
                "distribution": tf.zeros_like(f0_hz) + tf.zeros([self.n_harmonics]),
                "harmonic_magnitudes": harmonic,
                "noise_magnitudes": noise,
            }
        )
        # A train of pulses whose power does not depend on its pitch: as many harmonics as there are, each
        # weaker the denser they lie.
        count = tf.reduce_sum(nyquist_fade(f0_hz, self.n_harmonics, self.spec.sample_rate), -1, keepdims=True)
        # A square root by operators that every host of ours has.
        share = tf.maximum(f0_hz, 1e-3) / self.spec.sample_rate
        dense = tf.exp(0.5 * tf.math.log(share))
        fade = tf.clip_by_value((_HELD_FRAMES - since) / _FADE_FRAMES, 0.0, 1.0)
        controls["source"]["amplitude"] *= count * dense * fade
        controls["noise"]["magnitudes"] *= tf.constant(self._breath)
        return controls

    def controls(self, content: tf.Tensor, given: Mapping[str, tf.Tensor]) -> Controls:
        """Controls of whole sounds.

        Args:
            content: `[batch, ahead + frames, content]`, as late as the encoder is; with the hints.
            given: `f0_hz`, `voiced`, `loudness_db` `[batch, frames, 1]`, and `voice` of several.

        Returns:
            Of `frames` frames. The decoder has heard `ahead` frames of nothing before the first, as in a
            stream.
        """
        ahead = [[0, 0], [self.ahead, 0], [0, 0]]
        f0_hz, voiced = tf.pad(given["f0_hz"], ahead), tf.pad(given["voiced"], ahead)
        loudness_db = tf.pad(given["loudness_db"], ahead, constant_values=LOUDNESS_FLOOR_DB)
        hidden = self.entry(self._features(content, f0_hz, voiced, loudness_db, given.get("voice")))
        seen, _ = self.memory(hidden)
        raw = self.head(self.last(tf.concat([hidden, seen], axis=-1)))
        since = linear_recurrence(1.0 - voiced, 1.0 - voiced, tf.zeros_like(voiced[:, 0]))
        return self._controls(raw[:, self.ahead :], given["f0_hz"], since[:, self.ahead :])

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Convert whole sounds."""
        return self.converted(inputs, training)[0]

    def converted(
        self, inputs: Mapping[str, tf.Tensor], training: bool = False, noise: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Convert whole sounds; also returns the content that was heard, `[batch, frames, content]`.

        Args:
            inputs: As for a call.
            training: Boolean.
            noise: `[batch, (frames + 1) * hop]` in -1 to 1, otherwise it is drawn.
        """
        audio, hop = inputs["audio"], self.spec.hop
        n_samples = audio.shape[1] if audio.shape[1] is not None else tf.shape(audio)[1]
        content, heard = self._heard(tf.pad(audio, [[0, 0], [0, (self.ahead + 1) * hop]]), training)
        # One frame more rings out what the filters hold back.
        held = {
            name: tf.concat([inputs[name], inputs[name][:, -1:]], 1)
            for name in ("f0_hz", "voiced", "loudness_db")
        }
        if "voice" in inputs:
            held["voice"] = inputs["voice"]
        controls = self.controls(heard, held)
        if noise is not None:
            controls["noise"]["noise"] = noise
        sound = self.processors.get_signal(controls).audio
        late = self.latency_samples
        in_place = tf.ensure_shape(sound[:, late : late + n_samples], audio.shape)
        return in_place, content[:, : n_samples // hop]

    def _heard(self, audio: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Content, and what the decoder hears of it: with noise in training, and with the hints."""
        bands = self.encoder.normaliser(log_mel(audio, self.spec))[0]
        content = self.encoder.of_normalised(bands)
        heard = content if self.noise is None else self.noise(content, training=training)
        if not self.hints:
            return content, heard
        if training and len(self._warps) > 1:
            chosen = tf.random.uniform([tf.shape(audio)[0]], 0, len(self._warps), tf.int32)
            weights = tf.gather(tf.constant(self._warps), chosen)
            bands = self.encoder.normaliser(log_mel(audio, self.spec, weights))[0]
        hints = self._hints(bands)
        late = [
            tf.pad(hints, [[0, 0], [ahead, 0], [0, 0]])[:, : tf.shape(hints)[1]]
            for ahead in (self.ahead, self.ahead - self._between)
        ]
        return content, tf.concat([heard, *late], axis=-1)

    def content_of(self, audio: tf.Tensor) -> tf.Tensor:
        """Content of whole sounds, as late as the encoder is."""
        return self.encoder(log_mel(audio, self.spec))

    # Training

    def observed_loss(
        self, x: Any, y: Any, sample_weight: tf.Tensor | None, training: bool
    ) -> tuple[Any, tf.Tensor, dict[str, tf.Tensor]]:
        """The spectral loss where the encoder has heard enough, and the distance of content."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # Keras adds their gradients up
        y = tf.cast(y, tf.float32)
        estimate, wanted = self.converted(x, training)
        hop, frames = self.spec.hop, tf.shape(wanted)[1]
        lead = tf.minimum(_LEAD_FRAMES, frames // 4)
        end = frames - tf.minimum(self.ahead + 1, frames // 4)
        part = slice(lead * hop, end * hop)
        loss: TermedLoss = self.loss  # type: ignore[assignment]
        values, terms = loss.value_and_terms(y[:, part], estimate[:, part])
        weights = 1.0 if sample_weight is None else tf.reshape(tf.cast(sample_weight, tf.float32), [-1])
        notes = {name: tf.reduce_mean(term * weights) for name, term in terms.items()}
        if weight := self._settings["content_weight"]:
            found = self.content_of(estimate)
            distance = tf.abs(found - tf.stop_gradient(wanted))[:, lead + self.ahead : end]
            content = weight * tf.reduce_mean(distance, axis=[1, 2])
            values += content
            notes["content"] = tf.reduce_mean(content * weights)
        value = tf.reduce_mean(values * weights)
        return estimate, value / replicas, {"loss": value, **notes}

    # Frame by frame

    @property
    def state_shapes(self) -> dict[str, list[int]]:
        """Of what `step` carries."""
        hints = {"hints_before": [self.ahead, self.hints]} if self.hints and self.ahead else {}
        return {**self.encoder.state_shapes, **hints, "decoder": [1, self.units], "unvoiced": [1, 1]}

    @property
    def input_sizes(self) -> dict[str, int]:
        """Width of each input of `step`."""
        voice = {"voice": self.voices} if self.voices > 1 else {}
        return {"log_mel": N_MELS, "f0_hz": 1, "voiced": 1, "loudness_db": 1, **voice}

    def step(self, *values: tf.Tensor) -> dict[str, tf.Tensor]:
        """One frame, for export: inputs, `[1, size]` each, of which all but `log_mel` are of the frame
        `ahead` before, then the states; gives controls of that frame and the next states.
        """
        named = dict(zip([*self.input_sizes, *self.state_shapes], values, strict=True))
        bands, after = self.encoder.step_normaliser(named["log_mel"], named)
        content, further = self.encoder.step_normalised(bands, named)
        after.update(further)
        if self.hints:
            hints = self._hints(bands)
            if self.ahead:
                hints = tf.concat([named["hints_before"], hints], 0)
                after["hints_before"] = hints[1:]
            content = tf.concat([content, hints[:1], hints[self._between : self._between + 1]], -1)
        f0_hz = named["f0_hz"]
        features = self._features(content, f0_hz, named["voiced"], named["loudness_db"], named.get("voice"))
        hidden = self.entry(features)
        seen, _ = self.memory.cell(hidden, [named["decoder"]])
        # The state is named apart from what goes on through the network: a tensor has one name.
        after["decoder"] = seen + 0.0
        raw = self.head(self.last(tf.concat([hidden, seen], axis=-1)))
        since = (1.0 - named["voiced"]) * (named["unvoiced"] + 1.0)
        after["unvoiced"] = since + 0.0
        found = self._controls(raw[tf.newaxis], f0_hz[tf.newaxis], since[tf.newaxis])
        return {
            "amplitude": found["source"]["amplitude"][0],
            "distribution": found["source"]["distribution"][0],
            "harmonic_magnitudes": found["voiced"]["magnitudes"][0],
            "noise_magnitudes": found["noise"]["magnitudes"][0],
            **after,
        }

    def get_config(self) -> dict[str, Any]:
        """Every constructor argument."""
        return {**super().get_config(), **self._settings, "facts": self.facts}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the weights when a saved model is loaded."""
        self.build(None)
