"""The shape of the code base: which folder may import which, how long files are, what is never written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("symgrad/**/*.py"), *ROOT.glob("verify/**/*.py")])

# What each folder of symgrad may import from symgrad, besides itself.
PIPELINE = {
    "errors": set(),
    "ops": {"errors"},
    "program": {"errors", "ops"},
    "calculus": {"errors", "ops", "program"},
    "render": {"errors", "ops", "program", "calculus"},
    "trace": {"errors", "ops", "program", "nn"},  # nn in module.py alone, see below
    "updates": {"errors", "ops"},
    "autograd": {"errors"},
    "nn": {"errors", "autograd"},
    "optim": {"errors", "autograd", "updates"},
    "compile": {"errors", "ops", "program", "calculus", "updates"},
    "train": {"errors", "ops", "program", "calculus", "updates", "compile", "optim"},
}
INNER = set(PIPELINE)
OUTERMOST = {"cli", "__main__", "pytest_plugin"}
ALLOWED = {
    **PIPELINE,
    "api": {*INNER},
    "__init__": {*INNER, "api"},
    "cli": {*INNER, "api", "__init__"},
    "pytest_plugin": {*INNER, "api", "__init__"},
    "__main__": {"cli"},
}


def folder_of(path: Path) -> str:
    """The folder of symgrad (or the single file) that a file belongs to."""
    parts = path.relative_to(ROOT / "symgrad").parts
    return parts[0].removesuffix(".py")


def imports_of(source: str) -> set[str]:
    """Every module named in an import statement, wherever it stands; ``from a import b`` counts as a.b."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def folders_imported(source: str) -> set[str]:
    """The folders of symgrad that a file imports; ``import symgrad`` itself counts as ``__init__``."""
    out = set()
    for module in imports_of(source):
        parts = module.split(".")
        if parts[0] != "symgrad":
            continue
        known = len(parts) > 1 and (parts[1] in ALLOWED)
        out.add(parts[1] if known else "__init__")
    return out


SYMGRAD = [p for p in FILES if p.is_relative_to(ROOT / "symgrad")]
VERIFY = [p for p in FILES if p.is_relative_to(ROOT / "verify")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_folders_are_the_ones_that_the_rules_name():
    assert {folder_of(p) for p in SYMGRAD} | {"pytest_plugin"} == set(ALLOWED)


def test_the_rules_have_no_circle():
    """But for trace and nn: a module is traced through its own ``forward``, and nn never imports trace."""
    order: list[str] = []
    left = {k: set(v) for k, v in ALLOWED.items()}
    while left:
        ready = [k for k, v in left.items() if v <= set(order)]
        assert ready, f"a circle among {sorted(left)}"
        order += ready
        for k in ready:
            del left[k]


@pytest.mark.parametrize("path", SYMGRAD, ids=name)
def test_imports_point_one_way(path):
    folder = folder_of(path)
    found = folders_imported(path.read_text(encoding="utf-8")) - {folder}
    assert found <= ALLOWED[folder], f"{name(path)} imports {sorted(found - ALLOWED[folder])}"


def test_trace_meets_nn_in_one_file():
    users = {
        p.name for p in SYMGRAD if folder_of(p) == "trace" and "nn" in folders_imported(p.read_text("utf-8"))
    }
    assert users == {"module.py"}


def test_nothing_inside_imports_verify_or_the_command_line():
    for path in SYMGRAD:
        if folder_of(path) in OUTERMOST:
            continue
        tops = {m.split(".")[0] for m in imports_of(path.read_text("utf-8"))}
        assert "verify" not in tops, name(path)
    for path in FILES:
        if path.is_relative_to(ROOT / "symgrad") and folder_of(path) in ("cli", "__main__"):
            continue
        assert "cli" not in folders_imported(path.read_text("utf-8")), name(path)


def test_the_checks_notice(tmp_path):
    source = "def f():\n    from symgrad.api import derive\n    import symgrad.render.notation\n    import symgrad\n"
    assert folders_imported(source) == {"api", "render", "__init__"}
    assert not folders_imported(source) <= ALLOWED["calculus"]
    assert imports_of("from verify import check") == {"verify.check"}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_are_short_and_say_what_they_are_for(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    if text.strip():
        documented = ast.get_docstring(ast.parse(text)) or (path.parent / "README.md").exists()
        assert documented, f"{name(path)} has no docstring"


def test_every_folder_is_described():
    for folder in {p.parent for p in FILES}:
        first = folder / "__init__.py"
        described = first.exists() and ast.get_docstring(ast.parse(first.read_text("utf-8")))
        assert described or (folder / "README.md").exists(), name(folder)


def broad_handlers(source: str) -> list[int]:
    """Lines of handlers of Exception, BaseException or everything without a justification."""
    lines = source.splitlines()
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {k.id for k in kinds if isinstance(k, ast.Name)}
        if node.type is not None and not names & {"Exception", "BaseException"}:
            continue
        near = lines[node.lineno - 1 : node.body[0].lineno]
        if not any("#" in line for line in near):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_broad_handlers_say_why(path):
    assert broad_handlers(path.read_text("utf-8")) == []


def test_broad_handlers_are_found():
    source = "try:\n    f()\nexcept Exception:\n    pass\ntry:\n    f()\nexcept (ValueError, BaseException):\n    pass\n"
    assert broad_handlers(source + "try:\n    f()\nexcept:\n    pass\n") == [3, 7, 11]
    assert broad_handlers("try:\n    f()\nexcept Exception:  # noqa: BLE001 - foreign code\n    pass\n") == []


# Where source text is made into code: generated NumPy and kernels, and a user's file, never a user's formula.
MAKES_CODE = {
    "symgrad/ops/det.py",
    "symgrad/ops/scalars/numpy_code.py",
    "symgrad/program/numpy_source.py",
    "symgrad/compile/cache.py",
    "verify/scripts/definitions.py",
    "verify/scripts/lift.py",
}


def test_code_is_made_from_text_in_few_places():
    found = set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("eval", "exec")
            ):
                found.add(path.relative_to(ROOT).as_posix())
    assert found == MAKES_CODE


def test_nothing_is_printed_outside_the_command_line():
    verbose = ROOT / "symgrad" / "optim" / "lr_scheduler.py"  # verbose=True, as in PyTorch
    for path in FILES:
        if path.is_relative_to(ROOT / "symgrad" / "cli") or path == verbose:
            continue
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        assert not any(isinstance(c.func, ast.Name) and c.func.id == "print" for c in calls), name(path)


@pytest.mark.parametrize("module", ["symgrad", "symgrad.errors", "symgrad.cli"])
def test_importing_is_cheap(module):
    heavy = ["numpy", "sympy", "numba", "scipy", "matplotlib", "hypothesis", "torch", "jax", "verify"]
    code = f"import sys, {module}\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_derivation_loads_no_compiler():
    code = (
        "import sys, symgrad as sg\n"
        "print(sg.derive('(x**2).sum()', {'x': 'n'}, wrt='x').gradient)\n"
        "print([m for m in ('numba', 'scipy', 'hypothesis', 'matplotlib', 'verify') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["2x", "[]"]


def test_no_path_of_a_machine_is_written_down():
    for path in [*FILES, *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.py")]:
        if path != Path(__file__):
            assert not re.search(r"/(home|Users|work|root)/\w", path.read_text("utf-8")), name(path)
