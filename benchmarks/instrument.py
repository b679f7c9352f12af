"""The classic solo instrument of our parts."""

from ddsp_tf.layers import Node, ProcessorGroup


def instrument(sample_rate: int, hop: int, n_harmonics: int, n_bands: int, taps: int) -> ProcessorGroup:
    """Harmonics and filtered noise in a learned room of `taps` samples."""
    return ProcessorGroup(
        sample_rate,
        hop,
        inputs=["f0_hz", "amplitude", "distribution", "magnitudes"],
        nodes=[
            Node(
                "harmonic",
                "Harmonic",
                {name: name for name in ("amplitude", "distribution", "f0_hz")},
                {"n_harmonics": n_harmonics},
            ),
            Node("noise", "FilteredNoise", {"magnitudes": "magnitudes"}, {"n_bands": n_bands}),
            Node("dry", "Add", {"audio_0": "harmonic", "audio_1": "noise"}),
            Node("reverb", "Reverb", {"audio": "dry"}, {"length_samples": taps}),
        ],
    )
