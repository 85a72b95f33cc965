"""ICC profiles of what files say about their colours in numbers: which red, green and blue, and which curve.

PNG's cHRM and gAMA give coordinates, its cICP and AVIF's nclx give code points of ITU-T H.273. Made into a
profile (ICC.1:2010) they go the way of any other.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]  # CIE x and y
Triple: TypeAlias = tuple[float, float, float]
Matrix: TypeAlias = tuple[Triple, Triple, Triple]

_D65, _C, _DCI = (0.3127, 0.329), (0.31, 0.316), (0.314, 0.351)
_SRGB_PRIMARIES: tuple[Point, ...] = (_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
# White, red, green, blue (H.273, table 2).
_PRIMARIES: dict[int, tuple[Point, ...]] = {
    1: _SRGB_PRIMARIES,
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: (_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: (_DCI, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: (_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: (_D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
_NEAR = 0.01  # coordinates of primaries that differ by no more are meant to be the same
_STEPS = 4096  # of a curve
_WHITE_NITS, _PEAK_NITS = 203, 1000  # ITU-R BT.2408: white of paper in HDR; a usual HDR display's peak
_PCS_WHITE = (0.9642, 1.0, 0.8249)  # D50, as every profile's (7.2.16)
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def of_code_points(primaries: int, transfer: int, *, is_full: bool = True) -> bytes:
    """The profile that two code points of H.273 mean; empty where they say sRGB, or nothing that is known.

    is_full: whether black is 0 and white is 255, rather than 16 and 235.
    """
    curve = _CURVES.get(transfer, _srgb)
    points = _PRIMARIES.get(primaries, _SRGB_PRIMARIES)
    if points == _SRGB_PRIMARIES and curve is _srgb and is_full:
        return b""
    return _profile(points, curve if is_full else _narrow(curve))


def of_coordinates(numbers: tuple[int, ...], gamma: int) -> bytes:
    """The profile of PNG's cHRM and gAMA (ISO 15948, 11.3.2); empty where cHRM says sRGB's, or nonsense.

    numbers: x and y of white, red, green and blue in 1/100000. gamma: in 1/100000, or 0 where it isn't told.
    """
    points = tuple((x / 100_000, y / 100_000) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
    pairs = zip(points, _SRGB_PRIMARIES, strict=True)
    if all(abs(a - b) <= _NEAR for point, usual in pairs for a, b in zip(point, usual, strict=True)):
        return b""
    exponent = 100_000 / gamma if gamma else 0.0
    try:
        return _profile(points, _power(exponent) if exponent else _srgb)
    except (ArithmeticError, struct.error):
        return b""


@lru_cache(maxsize=8)
def _power(exponent: float) -> Callable[[float], float]:
    return lambda level: level**exponent


@lru_cache(maxsize=8)
def _narrow(curve: Callable[[float], float]) -> Callable[[float], float]:
    return lambda level: curve(min(max((255 * level - 16) / 219, 0.0), 1.0))


def _srgb(level: float) -> float:
    """Light of a level, both from 0 to 1 (IEC 61966-2-1). BT.709's curve is shown alike by all viewers."""
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _linear(level: float) -> float:
    return level


def _pq(level: float) -> float:
    """Perceptual quantizer (SMPTE ST 2084), whose light has up to 10,000 nits."""
    root = level ** (32 / 2523)
    light = max(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    return _dimmed(10_000 * light ** (8192 / 1305))


def _hlg(level: float) -> float:
    """Hybrid log-gamma (ARIB STD-B67) on a display of the usual peak, for which its system gamma is 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = level * level / 3 if level <= 0.5 else (2.718281828459045 ** ((level - c) / a) + b) / 12
    return _dimmed(_PEAK_NITS * scene**1.2)


def _dimmed(nits: float) -> float:
    """Light of HDR on a display without: the peak is white, and what is darker keeps more of its light.

    Reinhard's curve with a white point (2002, equation 4), as browsers do it.
    """
    light, white = nits / _WHITE_NITS, _PEAK_NITS / _WHITE_NITS
    return min(light * (1 + light / white**2) / (1 + light), 1.0)


# H.273, table 3; all others are sRGB's or as good as that.
_CURVES: dict[int, Callable[[float], float]] = {
    4: _power(2.2),
    5: _power(2.8),
    8: _linear,
    16: _pq,
    17: _power(2.6),
    18: _hlg,
}


@lru_cache(maxsize=8)
def _profile(points: tuple[Point, ...], curve: Callable[[float], float]) -> bytes:
    """A display's profile (ICC.1:2010, 8.3.3). points: white, red, green and blue.

    Raises ArithmeticError or struct.error where there are no such colours.
    """
    table = [round(65535 * min(max(curve(step / (_STEPS - 1)), 0.0), 1.0)) for step in range(_STEPS)]
    curve_tag = struct.pack(f">4s4xI{_STEPS}H", b"curv", _STEPS, *table)
    bodies = {b"wtpt": _xyz(_PCS_WHITE)}
    for name, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _adapted(points), strict=True):
        bodies[name] = _xyz(colour)
    at = 128 + 4 + 12 * (len(bodies) + 3)
    directory, content = b"", b""
    for name, body in bodies.items():
        directory += struct.pack(">4sII", name, at + len(content), len(body))
        content += body
    for name in (b"rTRC", b"gTRC", b"bTRC"):  # one curve for all
        directory += struct.pack(">4sII", name, at + len(content), len(curve_tag))
    content += curve_tag
    head = struct.pack(">I4xI4s4s4s", at + len(content), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + _xyz(_PCS_WHITE)[8:]
    return head.ljust(128, b"\0") + struct.pack(">I", len(bodies) + 3) + directory + content


def _xyz(values: Triple) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(65536 * value) for value in values))


def _adapted(points: tuple[Point, ...]) -> list[Triple]:
    """XYZ of red, green and blue at full level, seen in D50's light (the profile's annex E)."""
    white, *primaries = ((x / y, 1.0, (1 - x - y) / y) for x, y in points)
    across = _transposed((primaries[0], primaries[1], primaries[2]))
    shares = _times(_inverse(across), white)
    response, wanted = _times(_BRADFORD, white), _times(_BRADFORD, _PCS_WHITE)
    answers = []
    for primary, share in zip(primaries, shares, strict=True):
        seen = _times(_BRADFORD, primary)
        scaled = [share * a * w / r for a, w, r in zip(seen, wanted, response, strict=True)]
        answers.append(_times(_inverse(_BRADFORD), (scaled[0], scaled[1], scaled[2])))
    return answers


def _times(matrix: Matrix, vector: Triple) -> Triple:
    a, b, c = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def _transposed(matrix: Matrix) -> Matrix:
    a, b, c = zip(*matrix, strict=True)
    return a, b, c


def _inverse(matrix: Matrix) -> Matrix:
    """By cross products of the rows. Raises ZeroDivisionError where there is none."""
    a, b, c = matrix
    crosses = (_cross(b, c), _cross(c, a), _cross(a, b))
    size = sum(x * y for x, y in zip(a, crosses[0], strict=True))
    x, y, z = ((p / size, q / size, r / size) for p, q, r in crosses)
    return _transposed((x, y, z))


def _cross(a: Triple, b: Triple) -> Triple:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
