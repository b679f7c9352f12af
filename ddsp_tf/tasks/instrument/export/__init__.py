"""What a device gets of an instrument: its signatures, its card, and what holds a file to the model."""
