"""`prepare --engine beam`: the same bytes as without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddsp_tf.cli.main import main
from ddsp_tf.config import DataConfig
from ddsp_tf.data import prepare
from ddsp_tf.data.prepare import beam
from ddsp_tf.errors import DdspError
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
from tests.data.killing import content
from tests.data.sounds import swelling, write

ROOT = Path(__file__).parents[3]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Good ones, one of them twice, and bad ones."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    write(folder / "a.wav", swelling(9.0))
    write(folder / "b – ü.flac", swelling(5.0, 22_050, 300.0), 22_050)
    (folder / "c copy of a.wav").write_bytes((folder / "a.wav").read_bytes())
    write(folder / "d.wav", 0.0 * swelling(3.0))
    (folder / "e.wav").touch()
    (folder / "notes.txt").write_text("notes")
    if sys.platform == "linux":  # other systems have no name that is not Unicode
        write(folder / "g.wav", swelling(4.0, 22_050, 250.0), 22_050)
        (folder / "g.wav").rename(folder / os.fsdecode(b"f \xff.wav"))
    return folder


_RUN = """
import sys
from pathlib import Path
from ddsp_tf.config import DataConfig
from ddsp_tf.data import prepare
from ddsp_tf.data.prepare import beam
from ddsp_tf.frames import FrameSpec
from tests.data.doubles import ConstantEstimator
if __name__ == "__main__":
    engine, recordings, out, *options = sys.argv[1:]
    prepare([recordings], out, FrameSpec(16000, 64), DataConfig(passage_seconds=2.0, validation_share=0.25),
            estimator=ConstantEstimator(), jobs=1, engine=engine, engine_options=options)
"""


def _process(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, where Beam may warn of what it likes."""
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'export'}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def _run(engine: str, recordings: Path, out: Path, *options: str, script: str = _RUN) -> None:
    done = _process(script, engine, recordings, out, *options)
    assert done.returncode == 0, done.stderr[-3000:]


def _needs_beam() -> None:
    from importlib.util import find_spec

    if find_spec("apache_beam") is None:
        pytest.skip("Apache Beam is not installed: pip install apache-beam")


@pytest.mark.parametrize(
    "options",
    [
        ("--runner=FnApiRunner",),
        pytest.param(
            ("--runner=FnApiRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2"),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_the_dataset_is_that_of_the_local_engine(
    recordings: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    _needs_beam()
    _run("local", recordings, tmp_path / "local")
    _run("beam", recordings, tmp_path / "beam", *options)
    assert content(tmp_path / "beam") == content(tmp_path / "local")


@pytest.mark.slow
def test_recordings_are_added(recordings: Path, tmp_path: Path) -> None:
    _needs_beam()
    for engine in ("local", "beam"):
        _run("local", recordings / "a.wav", tmp_path / engine)
        _run(engine, recordings, tmp_path / engine, *["--runner=FnApiRunner"] * (engine == "beam"))
    assert content(tmp_path / "beam") == content(tmp_path / "local")


@pytest.mark.slow
def test_beam_measures_and_the_local_engine_does_not_again(recordings: Path, tmp_path: Path) -> None:
    _needs_beam()
    pytest.importorskip("fcntl")
    script = _RUN.replace(
        'if __name__ == "__main__":',
        """
import os
class OnlyInBeam(ConstantEstimator):
    def estimate(self, audio, spec):
        import inspect
        assert any("apache_beam" in frame.filename for frame in inspect.stack()), "measured without Beam"
        return super().estimate(audio, spec)
ConstantEstimator = OnlyInBeam
if __name__ == "__main__":""",
    )
    _run("beam", recordings, tmp_path / "out", "--runner=FnApiRunner", script=script)
    _run("local", recordings, tmp_path / "local")
    assert content(tmp_path / "out") == content(tmp_path / "local")


def test_options_that_beam_does_not_know_are_refused(recordings: Path, tmp_path: Path) -> None:
    _needs_beam()
    done = _process(_RUN, "beam", recordings, tmp_path / "out", "--paralelism=8")
    assert "Beam knows no option paralelism; the documentation of the runner has them" in done.stderr


def test_without_beam_one_line_says_what_to_install(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    assert main(["prepare", str(recordings), "--out", str(tmp_path / "out"), "--engine", "beam"]) == 1
    assert 'not installed: pip install ".[train,beam]" in a checkout' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--engine", "bean"], "engine must be one of local, beam. Received: 'bean'. Did you mean 'beam'?"),
        (["--beam-option", "runner=FlinkRunner"], "the local engine takes no options. Received: --runner="),
    ],
)
def test_engines_and_their_options_are_checked(
    recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["prepare", str(recordings), "--out", str(tmp_path / "out"), *options]) == 1
    assert words in capsys.readouterr().err


def test_options_go_to_the_runner_as_they_are(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def measure(sources: object, one: object, known: object, options: list[str]) -> None:
        seen.append(list(options))
        raise DdspError("enough")

    monkeypatch.setattr(beam, "measure_with_beam", measure)
    command = ["prepare", str(recordings), "--out", str(tmp_path / "out"), "--engine", "beam"]
    assert main([*command, "--beam-option", "runner=FlinkRunner", "--beam-option=--parallelism=8"]) == 1
    assert seen == [["--runner=FlinkRunner", "--parallelism=8"]]


def test_the_local_engine_takes_no_options(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(DdspError, match="takes no options"):
        prepare(
            [recordings],
            tmp_path / "out",
            FrameSpec(16_000, 64),
            DataConfig(),
            estimator=ConstantEstimator(),
            engine_options=["--runner=FlinkRunner"],
        )
