"""A QR code of version 3, level L, byte mode, mask 0: enough for a tracking code of 53 bytes.

Source: ISO/IEC 18004. One version and one mask keep it to a page; readers accept any mask.
"""

from __future__ import annotations

SIZE = 29
DATA_WORDS = 55
CHECK_WORDS = 15
MAX_BYTES = 53
_FORMAT_BITS = "111011111000100"  # level L, mask 0, with its own error correction

Grid = list[list[bool | None]]


def matrix(data: bytes) -> list[list[bool]]:
    """Rows of modules, True is dark. Raises ``ValueError`` past ``MAX_BYTES``."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"at most {MAX_BYTES} bytes")
    words = _data_words(data)
    grid = _frame()
    _fill(grid, "".join(f"{word:08b}" for word in words + _check_words(words)))
    return [[bool(cell) for cell in row] for row in grid]


def _data_words(data: bytes) -> list[int]:
    bits = "0100" + f"{len(data):08b}" + "".join(f"{byte:08b}" for byte in data) + "0000"
    bits = bits[: DATA_WORDS * 8]
    bits += "0" * (-len(bits) % 8)
    words = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    padding = [0xEC, 0x11] * DATA_WORDS
    return words + padding[: DATA_WORDS - len(words)]


def _check_words(words: list[int]) -> list[int]:
    """Reed-Solomon over GF(256) with the polynomial 0x11D."""
    generator = [1]
    root = 1
    for _ in range(CHECK_WORDS):
        longer = [*generator, 0]
        for at, value in enumerate(generator):
            longer[at + 1] ^= _times(value, root)
        generator = longer
        root = _times(root, 2)
    rest = words + [0] * CHECK_WORDS
    for at in range(len(words)):
        lead = rest[at]
        for offset, value in enumerate(generator):
            rest[at + offset] ^= _times(value, lead)
    return rest[-CHECK_WORDS:]


def _times(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left <<= 1
        if left & 0x100:
            left ^= 0x11D
        right >>= 1
    return product


def _frame() -> Grid:
    """Everything that is not data: finders, timing, alignment, format."""
    grid: Grid = [[None] * SIZE for _ in range(SIZE)]
    for top, left in ((0, 0), (0, SIZE - 7), (SIZE - 7, 0)):
        _square(grid, top + 3, left + 3, (3, 1, 0), light=(4, 2))
    _square(grid, 22, 22, (2, 0), light=(1,))
    for at in range(8, SIZE - 8):
        grid[6][at] = grid[at][6] = at % 2 == 0
    _format(grid)
    return grid


def _square(
    grid: Grid, row: int, column: int, dark: tuple[int, ...], *, light: tuple[int, ...]
) -> None:
    """Concentric rings around a centre, clipped to the grid."""
    for ring in sorted((*dark, *light), reverse=True):
        for down in range(-ring, ring + 1):
            for right in range(-ring, ring + 1):
                inside = 0 <= row + down < SIZE and 0 <= column + right < SIZE
                if inside and max(abs(down), abs(right)) == ring:
                    grid[row + down][column + right] = ring in dark


def _format(grid: Grid) -> None:
    bits = [bit == "1" for bit in _FORMAT_BITS]
    around = [(8, c) for c in (0, 1, 2, 3, 4, 5, 7, 8)] + [(r, 8) for r in (7, 5, 4, 3, 2, 1, 0)]
    apart = [(SIZE - 1 - at, 8) for at in range(7)] + [(8, SIZE - 8 + at) for at in range(8)]
    for places in (around, apart):
        for (row, column), bit in zip(places, bits, strict=True):
            grid[row][column] = bit
    grid[SIZE - 8][8] = True


def _fill(grid: Grid, bits: str) -> None:
    """Zig-zag upwards and downwards in pairs of columns, from the right, masked on the way."""
    stream = iter(bits)
    upwards = True
    for right in (*range(SIZE - 1, 6, -2), 5, 3, 1):
        for step in range(SIZE):
            row = SIZE - 1 - step if upwards else step
            for column in (right, right - 1):
                if grid[row][column] is None:
                    masked = (row + column) % 2 == 0
                    grid[row][column] = (next(stream, "0") == "1") != masked
        upwards = not upwards
