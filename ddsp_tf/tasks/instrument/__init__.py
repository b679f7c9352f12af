"""The task `instrument`: pitch and loudness in, the sound of an instrument out."""
