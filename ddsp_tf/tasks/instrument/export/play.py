"""Play a model file as a device does, in a process that cannot import TensorFlow.

    python -m ddsp_tf.tasks.instrument.export.play MODEL.tflite FEATURES.npz RESULT.npz

FEATURES holds `f0_hz`, `loudness_db` and the model's further features, `[frames]`, and, for each noise node,
`NODE_noise` `[frames * hop]`.
RESULT gets the controls, the audio of one piece, the audio of one hop after the other, and timings; where the
model has them, also the controls of `block` and the audio of its signatures `synthesize`, `play` and `voice`.
"""

import sys
import time
from typing import Any

BLOCKED = ("tensorflow", "keras", "tf_keras", "librosa", "scipy", "jax", "torch")


def main(model: str, features: str, result: str) -> None:
    """Play `features` through `model` and write what came out to `result`."""
    for name in BLOCKED:
        sys.modules[name] = None  # type: ignore[assignment]  # this is how Python is told 'not here'

    import numpy as np

    from ddsp_edge.instrument import Instrument

    given = dict(np.load(features))
    instrument = Instrument(model, seed=0, backend="step")
    started = time.process_time()
    further = {name: given[name] for name in instrument.card.further}
    controls = instrument.controls(given["f0_hz"], given["loudness_db"], **further)
    network_seconds = time.process_time() - started
    noise = {name: given[name] for name in given if name.endswith("_noise")}

    hop = instrument.spec.hop
    frames = len(given["f0_hz"])
    audio = instrument.render({**controls, **noise})
    instrument.synthesizer.reset()
    hops = [
        instrument.render(
            {
                **{name: values[i : i + 1] for name, values in controls.items()},
                **{name: values[i * hop : (i + 1) * hop] for name, values in noise.items()},
            }
        )
        for i in range(frames)
    ]
    in_graph = {
        **play_in_graph(model, instrument.card, given, controls),
        **run_blocks(model, instrument.card, given),
        **play_voice(model, given),
    }
    instrument.reset()
    started = time.process_time()
    for i in range(frames):
        frame = {name: values[i : i + 1] for name, values in further.items()}
        instrument.process(given["f0_hz"][i : i + 1], given["loudness_db"][i : i + 1], **frame)
    live_seconds = time.process_time() - started
    loaded = sorted(name for name in BLOCKED if sys.modules.get(name) is not None)
    measured: dict[str, Any] = {
        "audio": audio,
        "audio_by_hops": np.concatenate(hops),
        "network_seconds": network_seconds,
        "live_seconds": live_seconds,
        "loaded": np.array(loaded, dtype=str),
        **{f"control_{name}": values for name, values in controls.items()},
        **in_graph,
    }
    np.savez(result, **measured)


def play_in_graph(model: str, card: Any, given: dict[str, Any], controls: dict[str, Any]) -> dict[str, Any]:
    """Play with nothing but LiteRT, if the model holds its synthesizer.

    Args:
        model: The model file.
        card: Its card.
        given: `f0_hz` and `loudness_db` `[frames]`, and white noise `NODE_noise` `[frames * hop]`.
        controls: `[frames, channels]` by name, for `synthesize`.

    Returns:
        `audio_by_synthesize` and `audio_by_play`, `[frames * hop]`, and how long `play` took in seconds;
        nothing where the model has no such signatures.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    if not card.synthesis_state_shapes:
        return {}
    frames = len(given["f0_hz"])
    noise = {name: v.reshape(frames, -1) for name, v in given.items() if name.endswith("_noise")}
    features = {name: given[name].reshape(-1, 1) for name in ("f0_hz", "loudness_db", *card.further)}
    interpreter = Interpreter(model_path=model, num_threads=1)

    def play(signature: str, inputs: dict[str, Any], shapes: dict[str, list[int]]) -> Any:
        run = interpreter.get_signature_runner(signature)
        states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        audio = []
        for i in range(frames):
            frame = {name: np.asarray(values[i : i + 1], np.float32) for name, values in inputs.items()}
            out = run(**frame, **states)
            states = {name: out[name] for name in states}
            audio.append(out["audio"][0])
        return np.concatenate(audio)

    synthesized = play("synthesize", {**controls, **noise}, card.synthesis_state_shapes)
    started = time.process_time()
    played = play("play", {**features, **noise}, {**card.state_shapes, **card.synthesis_state_shapes})
    seconds = time.process_time() - started
    return {"audio_by_synthesize": synthesized, "audio_by_play": played, "play_seconds": seconds}


def play_voice(model: str, given: dict[str, Any]) -> dict[str, Any]:
    """Play by the signature `voice`, if the model has it, in the rooms that it leaves out.

    Args:
        model: The model file.
        given: As for `play_in_graph`.

    Returns:
        The sound, `[frames * hop]`, as `audio_by_voice`.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from ddsp_edge.further import scaled
    from ddsp_edge.model.file import read_instrument_file
    from ddsp_edge.synthesis.reverb import Reverb
    from ddsp_edge.synthesis.voice_graph import VoiceLayout
    from ddsp_edge.units import scale_f0, scale_loudness

    file = read_instrument_file(model)
    card, voice = file.card, file.card.voice
    if not voice:
        return {}
    frames = len(given["f0_hz"])
    # Scaled as `step` has them, to the last bit: 8-bit activations round by it.
    f0_hz, loudness_db = (np.asarray(given[name], np.float64) for name in ("f0_hz", "loudness_db"))
    told = scaled({name: given[name] for name in card.further})
    features = [f0_hz, scale_f0(f0_hz), scale_loudness(loudness_db), *told]
    player = np.stack([*features, *([np.ones(frames)] * len(voice["gains"]))], axis=1).astype(np.float32)
    noise = [given[f"{name}_noise"].reshape(frames, card.hop) for name in voice["noises"]]
    white = {"white_noise": np.concatenate(noise, axis=1)} if noise else {}
    interpreter = Interpreter(model_content=file.model, num_threads=1)
    run = interpreter.get_signature_runner("voice")
    layout = VoiceLayout.of(card.synthesizer)
    state, hops = np.zeros((1, voice["state_size"]), np.float32), []
    for i in range(frames):
        out = run(player=player[i : i + 1], state=state, **{name: v[i : i + 1] for name, v in white.items()})
        state = out["state"]
        hops.append(out["signals"].reshape(-1, card.hop)[layout.names.index(layout.output)])
    audio = np.concatenate(hops)
    nodes = {node["name"]: node for node in card.synthesizer["nodes"]}
    for name in voice["rooms"]:
        response = file.arrays[nodes[name]["config"]["impulse_response"]]
        audio = Reverb(card.spec, response).process(audio=audio)
    return {"audio_by_voice": audio}


def run_blocks(model: str, card: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Run the network by the signature `block`, if the model has it.

    Args:
        model: The model file.
        card: Its card.
        given: `f0_hz` and `loudness_db` `[frames]`.

    Returns:
        The controls, `[frames, channels]`, as `block_NAME`, of as many whole blocks as there are; and how
        long that took in seconds, reckoned to all frames.
    """
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from ddsp_edge.further import FURTHER, scaled_name
    from ddsp_edge.units import scale_f0, scale_loudness

    interpreter = Interpreter(model_path=model, num_threads=1)
    if "block" not in interpreter.get_signature_list():
        return {}
    run = interpreter.get_signature_runner("block")
    size = int(run.get_input_details()["f0_scaled"]["shape"][0])
    scaled = {
        "f0_scaled": scale_f0(given["f0_hz"]).astype(np.float32).reshape(-1, 1),
        "loudness_scaled": scale_loudness(given["loudness_db"]).astype(np.float32).reshape(-1, 1),
        **{
            scaled_name(name): FURTHER[name].scale(given[name]).astype(np.float32).reshape(-1, 1)
            for name in card.further
        },
    }
    frames = len(given["f0_hz"])
    states = {name: np.zeros(shape, np.float32) for name, shape in card.state_shapes.items()}
    parts = []
    started = time.process_time()
    for start in range(0, frames - size + 1, size):
        out = run(**{name: values[start : start + size] for name, values in scaled.items()}, **states)
        states = {name: out.pop(name) for name in states}
        parts.append(out)
    if not parts:
        return {}
    seconds = (time.process_time() - started) * frames / (len(parts) * size)
    joined = {f"block_{name}": np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {**joined, "seconds_by_block": seconds}


if __name__ == "__main__":
    main(*sys.argv[1:])
