"""Errors for users: the same class on the desktop and on the device."""

from ddsp_edge.errors import DdspError, did_you_mean, printable

__all__ = ["DdspError", "did_you_mean", "printable"]
