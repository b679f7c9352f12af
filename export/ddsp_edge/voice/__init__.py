"""Another person's voice on a device: what is said and its melody, a network's controls, and the sound."""
