"""Optimal assignment: pairs of rows and columns whose values add up to the most."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

LARGEST = 250  # rows or columns of a part up to which the choice is optimal; beyond, it is greedy

Values = Mapping[tuple[int, int], float]


def assign(values: Values) -> dict[int, int]:
    """Row to column, each at most once, such that the values of the pairs add up to the most.

    values: of the pairs that may be chosen, all above 0; any other pair may not. What isn't connected is
    decided apart, so many rows cost little while few of them compete. A part with more than LARGEST rows and
    columns (somebody drew hundreds of boxes over one another) is decided greedily, the highest value first.
    """
    chosen: dict[int, int] = {}
    for part in _parts(values):
        rows = sorted({row for row, _ in part})
        columns = sorted({column for _, column in part})
        if len(rows) == 1 or len(columns) == 1:
            row, column = max(part, key=lambda pair: (values[pair], -pair[0], -pair[1]))
            chosen[row] = column
        elif max(len(rows), len(columns)) > LARGEST:
            chosen |= _greedy(values, part)
        else:
            chosen |= _optimal(values, rows, columns)
    return chosen


def _parts(values: Values) -> Iterable[list[tuple[int, int]]]:
    """The pairs, by connected part of the graph that they make."""
    root: dict[tuple[str, int], tuple[str, int]] = {}

    def find(node: tuple[str, int]) -> tuple[str, int]:
        root.setdefault(node, node)
        while root[node] != node:
            root[node] = root[root[node]]
            node = root[node]
        return node

    for row, column in values:
        root[find(("row", row))] = find(("column", column))
    parts: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for pair in sorted(values):
        parts[find(("row", pair[0]))].append(pair)
    return parts.values()


def _greedy(values: Values, part: list[tuple[int, int]]) -> dict[int, int]:
    chosen: dict[int, int] = {}
    taken: set[int] = set()
    for row, column in sorted(part, key=lambda pair: (-values[pair], pair)):
        if row not in chosen and column not in taken:
            chosen[row] = column
            taken.add(column)
    return chosen


def _optimal(values: Values, rows: list[int], columns: list[int]) -> dict[int, int]:
    """Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(rows² x columns).

    Each row has a column of its own beside the real ones, for staying alone at no gain.
    """
    real = len(columns)
    costs = [[-values.get((row, column), 0.0) for column in columns] + [0.0] * len(rows) for row in rows]
    row_of = _shortest_paths(costs)
    return {
        rows[row]: columns[column]
        for column, row in enumerate(row_of[:real])
        if row is not None and (rows[row], columns[column]) in values
    }


def _shortest_paths(costs: list[list[float]]) -> list[int | None]:
    """The row of each column in an assignment of all rows at the least cost; no fewer columns than rows."""
    width = len(costs[0])
    row_price, column_price = [0.0] * len(costs), [0.0] * width
    row_of: list[int | None] = [None] * width
    for start in range(len(costs)):
        distance, before = [float("inf")] * width, [-1] * width
        seen: list[int] = []
        open_columns = set(range(width))
        row, last = start, -1
        while True:
            nearest, least = -1, float("inf")
            here = costs[row]
            for column in sorted(open_columns):
                step = here[column] - row_price[row] - column_price[column]
                if step < distance[column]:
                    distance[column], before[column] = step, last
                if distance[column] < least:
                    nearest, least = column, distance[column]
            row_price[start] += least
            for column in seen:
                column_price[column] -= least
                row_price[_row(row_of, column)] += least
            for column in open_columns:
                distance[column] -= least
            seen.append(nearest)
            open_columns.remove(nearest)
            if row_of[nearest] is None:
                break
            row, last = _row(row_of, nearest), nearest
        _augment(row_of, before, seen[-1], start)
    return row_of


def _row(row_of: list[int | None], column: int) -> int:
    row = row_of[column]
    assert row is not None  # noqa: S101 for the type checker: a seen column but the last has its row
    return row


def _augment(row_of: list[int | None], before: list[int], column: int, start: int) -> None:
    """Move each row of the path one column on; the first column takes the row that came new."""
    while before[column] >= 0:
        row_of[column] = row_of[before[column]]
        column = before[column]
    row_of[column] = start
