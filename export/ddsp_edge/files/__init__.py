"""Sound and MIDI files in and out."""
