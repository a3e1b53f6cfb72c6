"""The declarations of all apps, one module each: whoever adds routes adds a module, or lines to one, and nothing else."""

from importlib import import_module
from pkgutil import iter_modules

from tests.contracts.contract import Kinds, Routes

ROUTES: Routes = {}
KINDS: Kinds = {}
TEXTS: dict[str, str] = {}  # parameters that name no object, with what may stand there

for _found in iter_modules(__path__):
    _module = import_module(f"{__name__}.{_found.name}")
    for _all, _some in ((ROUTES, _module.ROUTES), (KINDS, _module.KINDS), (TEXTS, getattr(_module, "TEXTS", {}))):
        if _twice := _all.keys() & _some.keys():
            raise ValueError(f"tests/contracts/declared/{_found.name}.py declares again: {', '.join(sorted(_twice))}")
        _all.update(_some)
