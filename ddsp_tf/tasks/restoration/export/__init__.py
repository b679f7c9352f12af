"""A restoration as a file for devices."""
