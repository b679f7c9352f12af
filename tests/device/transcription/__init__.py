"""Notes of sounds, on the device."""
