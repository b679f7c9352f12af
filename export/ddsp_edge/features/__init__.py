"""What is measured on a stream of sound: pitch, loudness, windows."""
