"""Polyphonic sound in; notes with onset, offset, pitch, velocity and instrument out."""
