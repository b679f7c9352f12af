"""Tasks are found by name, and what names none is refused in words."""

import pytest

from ddsp_tf.errors import DdspError
from ddsp_tf.tasks import registry


@pytest.mark.parametrize("value", ["gain", "=gain", "gain=", "a=b,c"])
def test_a_variable_that_names_no_task_is_refused(monkeypatch, value):
    monkeypatch.setenv(registry.VARIABLE, value)
    with pytest.raises(DdspError, match=r"DDSP_TF_TASKS must be NAME=PACKAGE"):
        registry.task_names()


def test_a_package_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv(registry.VARIABLE, "gain=no.such.package")
    with pytest.raises(DdspError, match=r"task 'gain' has no module no\.such\.package\.task"):
        registry.load("gain", "task")


@pytest.mark.parametrize(
    ("name", "package"), [("instrument", "mine"), ("", "mine"), ("a", ""), ("a=b", "mine")]
)
def test_what_cannot_be_registered_is_refused(monkeypatch, name, package):
    monkeypatch.setenv(registry.VARIABLE, "")
    with pytest.raises(DdspError, match=r"give yours another name|a task has a name"):
        registry.register(name, package)
