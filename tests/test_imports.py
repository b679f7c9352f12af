"""Who imports whom: no circles, and arrows from heavy to light and from task to toolbox alone."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"ddsp_tf": ROOT, "ddsp_export": ROOT / "export", "ddsp_edge": ROOT / "export"}
GROUND = {"ddsp_tf.tasks", "ddsp_tf.tasks.task", "ddsp_tf.tasks.command", "ddsp_tf.tasks.registry"}
"""What of the tasks all may import: the protocols, and the registry, which loads a task when it is named."""
DOORS = ("ddsp_tf.models", "ddsp_tf.evaluation")
"""Packages that hand on names of a task for those who have always imported them there."""
HANDED_ON = {*DOORS, "ddsp_tf.config", "ddsp_tf.training"}
"""Packages whose `__init__` may name a task: it hands names on when they are asked for."""


def modules() -> dict[str, Path]:
    """Files of all packages by module name."""
    found = {}
    for package, base in PACKAGES.items():
        for path in sorted((base / package).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@functools.cache
def imports_of(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """Statements of a file that import, wherever in it they stand."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imported_by(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports."""
    for node in imports_of(path):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            assert not node.level, "imports are written in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [str(node.module)]
        yield from (name for name in names if name in MODULES)


@functools.cache
def edges() -> dict[str, set[str]]:
    """What each module imports; of a package only where names of its `__init__` itself are taken."""
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        found = set(imported_by(path))
        # `from a.b import c` names both the package a.b and, where c is a module, a.b.c: then that is meant.
        graph[name] = {m for m in found if not any(other.startswith(f"{m}.") for other in found)} | {
            m for m in found if _takes_a_name_of(path, m)
        }
        graph[name].discard(name)
    return graph


def _takes_a_name_of(path: Path, package: str) -> bool:
    for node in imports_of(path):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            return any(f"{package}.{alias.name}" not in MODULES for alias in node.names)
    return False


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that need each other (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = [stack.pop()]
            while group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def task_of(module: str) -> str | None:
    """The task whose folder a module is in."""
    parts = module.split(".")
    inside = parts[:2] == ["ddsp_tf", "tasks"] and len(parts) > 2 and module not in GROUND
    return parts[2] if inside else None


def test_no_two_files_import_each_other_straight_or_in_a_circle():
    assert circles(edges()) == []


def test_nothing_that_all_tasks_share_imports_a_task():
    wrong = [
        f"{module} imports {other}"
        for module, others in edges().items()
        for other in sorted(others)
        if task_of(other) and task_of(module) is None and module not in HANDED_ON and not _is_door(module)
    ]
    assert wrong == []


def test_no_task_imports_another():
    wrong = [
        f"{module} imports {other}"
        for module, others in edges().items()
        for other in sorted(others)
        if task_of(module) and task_of(other) not in (None, task_of(module))
    ]
    assert wrong == []


def test_nobody_goes_in_by_a_door():
    wrong = [
        f"{module} imports {other}"
        for module, others in edges().items()
        for other in sorted(others)
        if _is_door(other) and not _is_door(module)
    ]
    assert wrong == []


def _is_door(module: str) -> bool:
    return module.startswith(tuple(f"{door}." for door in DOORS)) or module in DOORS


def test_the_device_side_imports_nothing_above_it():
    wrong = [
        f"{module} imports {other}"
        for module, others in edges().items()
        for other in sorted(others)
        if module.startswith("ddsp_edge") and not other.startswith("ddsp_edge")
    ]
    assert wrong == []


def test_a_package_hands_names_on_and_defines_nothing():
    defining = [
        name
        for name, path in MODULES.items()
        if path.name == "__init__.py"
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert defining == []


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}, [["a", "b", "c"]]),
    ],
)
def test_a_circle_would_be_found(graph, expected):
    assert circles(graph) == expected
