"""Examples in docstrings run, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import ddsp_edge
import ddsp_export
import ddsp_tf

MODULES = [
    module.name
    for package in (ddsp_tf, ddsp_edge, ddsp_export)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not module.name.endswith("__main__")
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # what an example writes


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        yield from (test for test in finder.find(importlib.import_module(name)) if test.examples)


def test_examples_in_docstrings_run():
    found = list(examples())
    assert len(found) > 5
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    reports = []
    for test in found:
        runner.run(test, out=reports.append)
    assert not runner.failures, "".join(reports)
