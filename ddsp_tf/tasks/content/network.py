"""The model of a run as a stream."""

from ddsp_edge.features.log_mel import N_MELS
from ddsp_tf.tasks.content.model import ContentModel
from ddsp_tf.training.step_network import StepNetwork


def network_of(model: ContentModel) -> StepNetwork:
    """Bands `log_mel` `[frames, 40]` to `content` `[frames, channels]` and `phones`, their logits."""
    encoder = model.encoder
    outputs = {"content": [encoder.content], "phones": [encoder.phones]}
    return StepNetwork(model.step, {"log_mel": [N_MELS]}, encoder.state_shapes, outputs)
