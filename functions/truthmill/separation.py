"""Which members of a graph to leave out so that no path joins two sides: few, and the same in any order.

To leave out the fewest is a minimum vertex cut (Menger 1927): found exactly between two sides of a part with
up to EXACT links, by Dinic's algorithm (1970), and at most twice as many between three, by cutting off two
of them. In larger parts what most are bound to is kept, in time linear in the number of links. Whatever was
chosen, nobody is left out who could be put back without joining two sides.
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

EXACT = 50_000  # links of a part up to which the choice is exact
_NO_END = 1 << 60  # more than any part has members


@dataclass(frozen=True, slots=True)
class Graph:
    """Members that may be left out have numbers below `len(touches)`; hubs, which always stay, those above.

    touches: for each member the sides that it is bound to, a bit each. neighbours: of members and hubs, both
    ways. first: members that are kept before others.
    """

    touches: Sequence[int]
    neighbours: Sequence[Sequence[int]]
    first: Sequence[bool]


def separated(graph: Graph) -> list[int | None]:
    """For each member the bit of the side that it must be on, 0 where it may be on any, None if left out."""
    chosen: set[int] = set()
    rank = [0] * len(graph.touches)
    for part in _parts(graph):
        sides = _bits(_or(graph.touches[member] for member in part if member < len(graph.touches)))
        if len(sides) < 2:
            continue
        if sum(len(graph.neighbours[member]) for member in part) <= 2 * EXACT:
            chosen |= _cut(graph, part, sides)
        else:
            _rank_by_majority(graph, part, rank)
    order = sorted(
        range(len(graph.touches)),
        key=lambda member: (not graph.first[member], member in chosen, rank[member], member),
    )
    return _put_in(graph, order)


def _parts(graph: Graph) -> Iterator[list[int]]:
    """Members and hubs that are connected."""
    seen = [False] * len(graph.neighbours)
    for start in range(len(graph.neighbours)):
        if seen[start]:
            continue
        seen[start], part = True, [start]
        for member in part:
            for other in graph.neighbours[member]:
                if not seen[other]:
                    seen[other] = True
                    part.append(other)
        yield sorted(part)


def _rank_by_majority(graph: Graph, part: list[int], rank: list[int]) -> None:
    """Those that touch the same sides as most come first."""
    members = [member for member in part if member < len(graph.touches)]
    frequent = Counter(graph.touches[member] for member in members)
    for member in members:
        touched = graph.touches[member]
        rank[member] = len(part) - frequent[touched] if touched else 0


def _put_in(graph: Graph, order: list[int]) -> list[int | None]:
    """One member after the other, each left out that would join two sides."""
    parent = list(range(len(graph.neighbours)))
    sides = [0] * len(parent)
    is_in = [False] * len(graph.touches) + [True] * (len(parent) - len(graph.touches))

    def root(member: int) -> int:
        while parent[member] != member:
            parent[member] = member = parent[parent[member]]
        return member

    for member in order:
        roots = {root(other) for other in graph.neighbours[member] if is_in[other]}
        together = graph.touches[member] | _or(sides[other] for other in roots)
        if len(_bits(together)) < 2:
            for other in roots:
                parent[other] = member
            is_in[member], sides[member] = True, together
    return [sides[root(member)] if is_in[member] else None for member in range(len(graph.touches))]


def _cut(graph: Graph, part: list[int], sides: list[int]) -> set[int]:
    """Members whose absence parts the sides: each side is parted from the others, but for the dearest."""
    if len(sides) == 2:
        return _minimum_cut(graph, part, sides[0], sides[1])
    cuts = [_minimum_cut(graph, part, side, sum(sides) - side) for side in sides]
    return set[int]().union(*sorted(cuts, key=len)[:-1])


def _minimum_cut(graph: Graph, part: list[int], ones: int, others: int) -> set[int]:
    """The fewest members whose absence parts these sides; of several such sets the nearest to `ones`."""
    place = {member: 2 * number for number, member in enumerate(part)}  # its way in; its way out is one more
    source, sink = 2 * len(part), 2 * len(part) + 1
    network = _Network(sink + 1)
    for member in part:
        at = place[member]
        is_hub = member >= len(graph.touches)
        network.join(at, at + 1, _NO_END if is_hub else 1)
        for other in graph.neighbours[member]:
            network.join(at + 1, place[other], _NO_END)
        if not is_hub and graph.touches[member] & ones:
            network.join(source, at, _NO_END)
        if not is_hub and graph.touches[member] & others:
            network.join(at + 1, sink, _NO_END)
    reached = network.saturated(source, sink)
    return {member for member, at in place.items() if reached[at] >= 0 > reached[at + 1]}


class _Network:
    """Edges with room for so much; edge n's way back is n ^ 1."""

    def __init__(self, nodes: int) -> None:
        self.leaving: list[list[int]] = [[] for _ in range(nodes)]
        self.to: list[int] = []
        self.room: list[int] = []

    def join(self, one: int, other: int, room: int) -> None:
        self.leaving[one].append(len(self.to))
        self.leaving[other].append(len(self.to) + 1)
        self.to += (other, one)
        self.room += (room, 0)

    def saturated(self, source: int, sink: int) -> list[int]:
        """Send as much as can be sent; how many edges lead from the source to each node then, -1 if none."""
        while (levels := self._levels(source))[sink] >= 0:
            untried = [0] * len(self.leaving)
            while self._send(source, sink, levels, untried):
                pass
        return levels

    def _levels(self, source: int) -> list[int]:
        level = [-1] * len(self.leaving)
        level[source] = 0
        waiting = deque([source])
        while waiting:
            node = waiting.popleft()
            for edge in self.leaving[node]:
                if self.room[edge] and level[self.to[edge]] < 0:
                    level[self.to[edge]] = level[node] + 1
                    waiting.append(self.to[edge])
        return level

    def _send(self, source: int, sink: int, level: list[int], untried: list[int]) -> bool:
        """One more along a shortest path, if there is one; each goes through a member, so one is all."""
        path: list[int] = []
        node = source
        while node != sink:
            if untried[node] == len(self.leaving[node]):
                if not path:
                    return False
                node = self.to[path.pop() ^ 1]
                untried[node] += 1
                continue
            edge = self.leaving[node][untried[node]]
            if self.room[edge] and level[self.to[edge]] == level[node] + 1:
                path.append(edge)
                node = self.to[edge]
            else:
                untried[node] += 1
        for edge in path:
            self.room[edge] -= 1
            self.room[edge ^ 1] += 1
        return True


def _or(bits: Iterator[int]) -> int:
    result = 0
    for bit in bits:
        result |= bit
    return result


def _bits(mask: int) -> list[int]:
    return [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
