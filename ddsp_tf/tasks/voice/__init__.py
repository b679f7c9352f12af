"""The task `voice`: speech or singing in, the same words and melody in another person's voice out."""
