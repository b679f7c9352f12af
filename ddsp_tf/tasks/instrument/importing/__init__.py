"""Instruments that others have trained, as runs of ours."""
