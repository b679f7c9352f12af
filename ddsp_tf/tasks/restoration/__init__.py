"""The task `restoration`: a sound with noise, room, hum or hiss in, cleaner sound out."""
