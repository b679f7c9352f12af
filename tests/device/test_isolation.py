"""The device side needs nothing heavy, and starts fast."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
import ddsp_edge
from ddsp_edge.cli.main import main
early = [name for name in ("numpy", "ai_edge_litert", "soundfile") if name in sys.modules]
assert not early, early
ddsp_edge.Instrument, ddsp_edge.read_model_file
assert "ai_edge_litert" not in sys.modules
assert set(ddsp_edge.__all__) <= set(dir(ddsp_edge))
def missing(error):
    return (error.name or "").split(".")[0] in ("starlette", "uvicorn")  # of the extra `studio`
for module in pkgutil.walk_packages(ddsp_edge.__path__, "ddsp_edge."):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            assert missing(error), error
status = main(["render", sys.argv[1], sys.argv[2], sys.argv[3], "--quiet"])
assert status == 0
heavy = [name for name in ("tensorflow", "keras", "librosa", "scipy", "ddsp_tf") if sys.modules.get(name)]
print(heavy)
"""


def test_nothing_heavy_is_imported_by_anything(tiny, tmp_path):
    from ddsp_edge.files.audio_writer import write_audio
    from tests.device.render.test_render import RATE, phrase

    write_audio(tmp_path / "in.wav", phrase(0.5), RATE)
    command = [sys.executable, "-c", PROGRAM, tiny, tmp_path / "in.wav", tmp_path / "out.wav"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "[]\n"
