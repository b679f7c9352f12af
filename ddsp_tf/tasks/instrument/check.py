"""The part of a configuration that only the processors themselves can check."""

from ddsp_tf.errors import DdspError
from ddsp_tf.layers import ProcessorGroup
from ddsp_tf.tasks.instrument.config import InstrumentConfig
from ddsp_tf.tasks.instrument.model.parts import control_sizes


def check_processors(config: InstrumentConfig, origin: str) -> None:
    """Check types, settings, wiring and cycles of a configuration's processors, before any work starts.

    `load_config` checks everything else. It does not load TensorFlow, which has the processors; this does.

    Args:
        config: The configuration.
        origin: Where it is from, to be named in errors.

    Raises:
        DdspError: If no model can be made of the processors.
    """
    try:
        group = ProcessorGroup(
            config.spec.sample_rate,
            config.spec.hop,
            inputs=config.model.processors.inputs,
            nodes=config.model.processors.nodes,
            name="processors",
        )
        if not control_sizes(group):
            raise DdspError(
                "no processor takes a control from the network: there would be nothing to learn. "
                f"Inputs: {', '.join(group.input_names)}"
            )
    except DdspError as error:
        raise DdspError(f"{origin}: model.processors: {error}") from error
