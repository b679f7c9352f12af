"""Restoration on a device: spectra of a stream, a network's gains, and the sound with them."""
