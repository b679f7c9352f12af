"""What is known of an instrument beside its weights: of its training data, and of what it was told there."""

from typing import Any

from ddsp_edge.further import Usual
from ddsp_tf.tasks.instrument.model.limits import Limits


class Known:
    """Reads what a model keeps as plain data.

    Attributes:
        facts: Under `"config"` the configuration; pitch estimator, loudness definition and ranges of the
            training data.
    """

    facts: dict[str, Any]

    @property
    def instrument(self) -> dict[str, Any]:
        """What else belongs to the trained instrument; the same as `facts`."""
        return self.facts

    @property
    def usual(self) -> dict[str, Usual]:
        """What further features usually are, by name, as far as it was trained."""
        return {name: Usual.of(told) for name, told in self.facts.get("further", {}).items()}

    @property
    def limits(self) -> Limits:
        """How far its network is asked."""
        return Limits.of_facts(self.facts)

    @property
    def level(self) -> str:
        """What its feature `loudness_db` is: `"loudness"`, A-weighted, or `"power"`."""
        return str(self.facts.get("config", {}).get("model", {}).get("level", "loudness"))

    @property
    def level_db_range(self) -> dict[str, float] | None:
        """Range of the level in its training data, dB: `low`, `median`, `high`; None if it is not known."""
        # Runs of power that were trained before it was measured know the loudness alone.
        found: dict[str, float] | None = self.facts.get(
            f"{self.level}_db_range", self.facts.get("loudness_db_range")
        )
        return found
