"""The budget of instructions: what is counted is held to what is kept. Counting itself takes an emulator."""

import json
import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks" / "instructions"
KEPT = {"step": 10.0, "play": 50.0}


@pytest.fixture(scope="module")
def count():
    return runpy.run_path(str(FOLDER / "count.py"))


def test_the_budget_holds_all_signatures(count):
    kept = json.loads((FOLDER / "budget.json").read_text(encoding="utf-8"))
    assert tuple(kept) == count["SIGNATURES"]
    assert all(value > 0.0 for value in kept.values())


def test_what_keeps_the_budget_is_told_beside_it(count):
    assert count["compare"]({"step": 10.29, "play": 49.5}, KEPT).endswith("step +2.9 %, play -1.0 %")
    assert "keep what was gained" in count["compare"]({"step": 9.0, "play": 50.0}, KEPT)


def test_what_is_slower_is_an_error(count):
    with pytest.raises(SystemExit, match=r"more than 3 % above what budget.json keeps: step \+3.1 %"):
        count["compare"]({"step": 10.31, "play": 40.0}, KEPT)


def test_a_signature_that_is_not_kept_is_named(count):
    with pytest.raises(SystemExit, match="no figure of synthesize"):
        count["compare"]({"synthesize": 1.0}, KEPT)


@pytest.mark.parametrize("options", [["x.tflite"], ["--signatures", "step"], ["--cpu", "cortex-a76"]])
def test_the_budget_is_never_kept_in_part_or_of_something_else(count, options, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["count.py", "--keep", *options])
    with pytest.raises(SystemExit):
        count["main"]()
    assert "--keep keeps all signatures" in capsys.readouterr().err
