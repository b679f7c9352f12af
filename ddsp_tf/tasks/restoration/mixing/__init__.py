"""Noisy sound and what it should be, made of recordings while training."""
