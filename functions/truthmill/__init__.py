"""The domain: what Truthmill decides. Pure: no Lambda, no event shape, no environment, no client.

`Dataset` is the library's door and lies outside of the domain; it is imported when somebody asks for it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.library import Dataset

__all__ = ["Dataset"]


def __getattr__(name: str) -> Any:
    if name == "Dataset":
        from adapters.library import Dataset  # noqa: PLC0415 - the domain doesn't know of it

        return Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
