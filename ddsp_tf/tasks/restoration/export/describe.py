"""The card of a restoration."""

import datetime

from ddsp_edge.card import Card, Port
from ddsp_edge.restoration.bands import HOPS_PER_WINDOW, POWER_FLOOR
from ddsp_tf.layers.band_normaliser import MEAN_SECONDS, RISE_DB_PER_SECOND, SMOOTH_SECONDS
from ddsp_tf.tasks.restoration.model.model import Restoration

_STATES = {
    "mean": "running mean of log powers, of each band or of all, not yet divided by its weight",
    "smooth": "the same of a faster one, of each band",
    "floor": "noise floor of each band's log power, less 40",
    "weights": "weights of the two running means so far, 0 to 1",
    "recent": "what each band was heard as in the two frames before",
}


def describe(model: Restoration) -> Card:
    """The card, but for what is measured."""
    config, spec, bands = model.facts["config"], model.spec, model.bands
    states = {
        name: Port((1, size), _STATES.get(name, "state of a recurrent layer"))
        for name, size in model.state_sizes.items()
    }
    return Card(
        task="restoration",
        name=config["name"],
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        sample_rate=spec.sample_rate,
        hop=spec.hop,
        inputs={
            "log_power": Port(
                (1, bands.count),
                f"natural logarithm of the mean power of the bins in each band, {POWER_FLOOR:g} added to it",
            )
        },
        outputs={"gains": Port((1, bands.count), "linear gain of each band, 0 to 1")},
        states=states,
        extractors={
            "log_power": {
                "name": "log band powers",
                "window_samples": HOPS_PER_WINDOW * spec.hop,
                "window": "square root of a periodic Hann window",
                "low_bins": bands.low,
                "high_bands": bands.high,
                "power_floor": POWER_FLOOR,
            }
        },
        about={
            "latency_samples": model.latency_samples,
            "mean_seconds": MEAN_SECONDS,
            "mean_by_band": model.normaliser.by_band,
            "smooth_seconds": SMOOTH_SECONDS,
            "floor_rise_db_per_second": RISE_DB_PER_SECOND,
            "parameters": int(model.count_params()),
            "trained_on": {
                name: model.facts[name] for name in ("seconds", "recordings") if name in model.facts
            },
        },
        config=config,
    )
