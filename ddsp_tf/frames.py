"""Frame arithmetic: the definition that the device uses too."""

from ddsp_edge.frames import FrameSpec

__all__ = ["FrameSpec"]
