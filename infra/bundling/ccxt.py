"""Cuts ccxt down to the venues of a stage.

ccxt imports more than a hundred exchanges, two client stacks and several chains' signing code before the first call.
A function needs one venue over HTTP with HMAC signatures. What is kept is computed from the imports themselves: the
venues, what they inherit from, and the base they import at module level. Imports inside functions serve chains and
optional accelerators and are not followed.
"""

from __future__ import annotations

import ast
import shutil
from typing import TYPE_CHECKING

from infra.bundling.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PACKAGE = "ccxt"

_LAZY_VENUES = '''

def __getattr__(name):
    """Load a venue on first use: a function touches one, whatever the stage allows."""
    if name not in exchanges:
        raise AttributeError(f"this build of ccxt holds {', '.join(exchanges)}, was asked for {name!r}")
    from importlib import import_module

    venue = getattr(import_module(f"ccxt.{name}"), name)
    globals()[name] = venue
    return venue


def __dir__():
    return sorted([*globals(), *exchanges])
'''

_ABSENT = '''

class _Absent:
    """Stands where cryptography would be: HMAC venues never use it, others fail loudly on first use."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self._name}.{name}")

    def __call__(self, *args, **kwargs):
        raise ImportError(f"{self._name} is needed to sign this request, but the layer ships no cryptography")


'''


def prune(package: Path, *, venues: Sequence[str]) -> None:
    """Reduce the installed ``package`` folder to ``venues`` in place.

    Raises:
        BuildError: a venue is unknown to ccxt, or ccxt is not built the way this expects.
    """
    for venue in venues:
        if not (package / f"{venue}.py").is_file():
            raise BuildError(f"ccxt has no venue {venue!r}")
    modules = _closure(package, venues)
    kept = package.with_name(f"{_PACKAGE}.kept")
    for module in sorted(modules):
        source = _file(package, module)
        destination = kept / source.relative_to(package)
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, destination)
    (kept / "__init__.py").write_text(_init(package, modules, venues), encoding="utf-8")
    _leave_out_cryptography(kept / "base" / "exchange.py")
    shutil.rmtree(package)
    kept.rename(package)


def _closure(package: Path, venues: Sequence[str]) -> set[str]:
    """Modules of ccxt reached by module-level imports from the venues, with the packages that hold them."""
    waiting = [f"{_PACKAGE}.{venue}" for venue in venues]
    reached: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in reached:
            continue
        reached.add(module)
        parent = module.rpartition(".")[0]
        if parent and parent != _PACKAGE:
            waiting.append(parent)
        tree = ast.parse(_file(package, module).read_text(encoding="utf-8"))
        waiting.extend(_imports(tree, package))
    return reached


def _imports(tree: ast.Module, package: Path) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == _PACKAGE:
            if node.module != _PACKAGE:
                yield node.module
            for name in node.names:
                submodule = f"{node.module}.{name.name}"
                if _exists(package, submodule):
                    yield submodule
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith(f"{_PACKAGE}."))


def _path(package: Path, module: str) -> Path:
    return package.joinpath(*module.split(".")[1:])


def _exists(package: Path, module: str) -> bool:
    path = _path(package, module)
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _file(package: Path, module: str) -> Path:
    path = _path(package, module)
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    raise BuildError(f"ccxt imports {module}, which its wheel does not hold")


def _init(package: Path, modules: set[str], venues: Sequence[str]) -> str:
    """The package's own ``__init__`` without what was left out: same names, fewer of them."""
    original = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    lines = ['"""ccxt, cut down to the venues of one stage. Generated; the licence is ccxt\'s own (MIT)."""', ""]
    for node in original.body:
        if _is_version(node) or (isinstance(node, ast.ImportFrom) and _is_base(node, modules)):
            lines.append(ast.unparse(node))
    names = sorted(module.split(".")[1] for module in modules if module.count(".") == 1 and _is_venue(package, module))
    if not set(venues) <= set(names):
        raise BuildError(f"ccxt's imports must reach every venue of {list(venues)!r}, was {names!r}")
    lines.append(f"exchanges = {names!r}")
    return "\n".join(lines) + "\n" + _LAZY_VENUES


def _is_version(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(name, ast.Name) and name.id == "__version__" for name in node.targets
    )


def _is_base(node: ast.ImportFrom, modules: set[str]) -> bool:
    return node.module in modules and (node.module or "").startswith(f"{_PACKAGE}.base")


def _is_venue(package: Path, module: str) -> bool:
    name = module.split(".")[1]
    return (package / "abstract" / f"{name}.py").is_file()


def _leave_out_cryptography(path: Path) -> None:
    """Replace the module-level imports of cryptography by stand-ins that fail on use."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "cryptography"
    ]
    if not found:
        raise BuildError(
            "ccxt/base/exchange.py must import cryptography at module level, was without: check the recipe"
        )
    stand_ins = [
        f"{alias.asname or alias.name} = _Absent({f'{node.module}.{alias.name}'!r})\n"
        for node in found
        for alias in node.names
    ]
    first = found[0].lineno - 1
    for node in reversed(found):
        del lines[node.lineno - 1 : node.end_lineno]
    lines[first:first] = [_ABSENT, *stand_ins]
    path.write_text("".join(lines), encoding="utf-8")
