"""migrator: what Data Pump is to Oracle, for every database SQLAlchemy speaks.

The public names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrator.command_line import from_arguments
    from migrator.config import Config
    from migrator.errors import MigratorError
    from migrator.operations import run
    from migrator.spec import JobSpec

_HOMES = {
    "Config": "migrator.config",
    "JobSpec": "migrator.spec",
    "MigratorError": "migrator.errors",
    "from_arguments": "migrator.command_line",
    "run": "migrator.operations",
}

__all__ = ["Config", "JobSpec", "MigratorError", "__version__", "from_arguments", "run"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("migrator-pump")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
