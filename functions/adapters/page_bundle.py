"""Several of the page's modules as one, so that a page has one script and doesn't ask for twenty.

The modules stay as they are; each becomes a function of what it imports. Only the forms of import and export
that they use are understood, and any other is an error.
"""

import posixpath
import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|class|const) (\w+)", re.MULTILINE)
_REMARK = re.compile(r"^[ \t]*/\*\*.*?\*/[ \t]*\n?", re.MULTILINE | re.DOTALL)
_UNKNOWN = re.compile(r"^(?:import\b(?!\.)|export (?!(?:async )?(?:function|class|const) )).*", re.MULTILINE)


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """A module that does what `entry` does.

    modules: source by path. `import.meta.url` is the bundle's own.
    Raises ValueError for an import or export of another form, a module that isn't there, and a circle.
    """
    numbers: dict[str, int] = {}
    parts: list[str] = []
    _add(modules, entry, (), numbers, parts)
    return "".join(parts)


def without_remarks(source: str) -> str:
    """A module without its documentation."""
    return _REMARK.sub("", source)


def _add(
    modules: Mapping[str, str], path: str, above: tuple[str, ...], numbers: dict[str, int], parts: list[str]
) -> None:
    """Append a module, after those it imports."""
    if path in numbers:
        return
    if path in above:
        raise ValueError(f"{path} imports itself by way of {' and '.join(above[above.index(path) + 1 :])}.")
    if path not in modules:
        raise ValueError(f"{above[-1] if above else 'Nothing'} imports {path}, which isn't there.")
    source = without_remarks(modules[path])
    needs = {
        given: posixpath.normpath(posixpath.join(posixpath.dirname(path), given))
        for _, given in _IMPORT.findall(source)
    }
    for needed in needs.values():
        _add(modules, needed, (*above, path), numbers, parts)
    body = _IMPORT.sub(
        lambda found: f"const {{{found[1].replace(' as ', ': ')}}} = module{numbers[needs[found[2]]]};",
        source,
    )
    unknown = _UNKNOWN.search(body)
    if unknown:
        raise ValueError(f"{path}: {unknown[0]!r} is an import or export that isn't understood.")
    names = ", ".join(_EXPORT.findall(body))
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    numbers[path] = len(numbers)
    parts.append(f"// {path}\nconst module{numbers[path]} = (() => {{\n{body}\nreturn {{{names}}};\n}})();\n")
