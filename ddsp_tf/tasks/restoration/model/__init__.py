"""The network that gives every band a gain, and the processors that carry it."""
