"""The model of an instrument: a network that predicts controls, joined to processors."""
