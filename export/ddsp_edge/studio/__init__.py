"""A page to play with: models, sounds, knobs and what becomes of them, served on this machine."""
