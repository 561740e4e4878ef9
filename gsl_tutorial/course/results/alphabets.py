"""What the numbers in somebody's code files are: bits, signs, packed bytes, or symbols of subspaces.

The same file can be read in more than one way, and the wrong one gives a number without an error: the
bytes of packed bits look like symbols, signs look like numbers. So both files are read together, what
they can only be together is told from their alphabets, and where two readings remain, both are named.
The length of a code is what was stated, or what is stored; never what happens to occur.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Integer

from gsl_tutorial.course.results.audit import Warned
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, check_count, describe

#: Bytes of the usual lengths of binary codes: 8 to 512 bits.
_USUAL_BYTES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)

#: From so many numbers on, an alphabet shows itself.
_ENOUGH = 64


class Symbols(NamedTuple):
    """Codes of queries and database over one alphabet.

    Attributes
    ----------
    query, database : (B, M) and (N, M) integer arrays
        The codes, a row for each item.
    bits : int
        The length of a code.
    are_bits : bool
        Whether the columns are bits, 0 and 1.
    warnings : tuple of Warned
        What the reader must be told about these codes.
    """

    query: Integer[np.ndarray, "B M"]
    database: Integer[np.ndarray, "N M"]
    bits: int
    are_bits: bool
    warnings: tuple[Warned, ...]


def as_symbols(
    query_codes: object,
    database_codes: object,
    *,
    packed: bool | None = None,
    bits: int | None = None,
) -> Symbols:
    """Read both files as codes over one alphabet.

    Parameters
    ----------
    query_codes, database_codes, packed, bits
        See `searches.by_codes`.

    Returns
    -------
    Symbols

    Raises
    ------
    InvalidInputError
        See `searches.by_codes`.
    """
    query, database = (
        whole_numbers(codes, of)
        for codes, of in ((query_codes, "query"), (database_codes, "database"))
    )
    if query.shape[1] != database.shape[1]:
        raise InvalidInputError(
            "query and database codes with as many columns",
            f"{describe(query)} and {describe(database)}",
            "one of them is packed, and the other is not: numpy.unpackbits(x, axis=1)"
            if 8 * query.shape[1] == database.shape[1] or query.shape[1] == 8 * database.shape[1]
            else "pass codes of one quantizer",
        )
    bits = None if bits is None else check_count(bits, name="bits", low=1)
    if packed:
        query, database = _unpacked(query, database, bits)
        return Symbols(query, database, query.shape[1], True, ())
    low = min(int(query.min()), int(database.min()))
    high = max(int(query.max()), int(database.max()))
    M = database.shape[1]
    if low < 0:
        query, database = _from_signs(query, "query"), _from_signs(database, "database")
    elif high > 1:
        found = _check_alphabets(query, database)
        length, told = _length(database, high, bits)
        return Symbols(query, database, length, False, (*found, *told, *_packed_too(
            query, database, packed)))  # fmt: skip
    if bits is not None and bits != M:
        raise InvalidInputError(
            f"codes of {bits} bits, a column for each", f"{M} columns of bits", "state their length"
        )
    small = np.uint8
    return Symbols(query.astype(small), database.astype(small), M, True, ())


def whole_numbers(codes: object, of: str) -> Integer[np.ndarray, "n M"]:
    """Codes as integers: floats that are whole and truth values are taken, others refused.

    Parameters
    ----------
    codes : array-like
        (n, M).
    of : str
        Whose codes they are, for the message: "query" or "database".

    Returns
    -------
    (n, M) integer array

    Raises
    ------
    InvalidInputError
        For other shapes and types, and for codes without a row or a column.
    """
    array = as_array(codes, name=f"{of} codes")
    if array.ndim == 2 and array.size and array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.ndim == 2 and array.size and array.dtype.kind == "f":
        whole = np.isfinite(array).all() and (array == np.floor(array)).all()
        if whole and float(np.abs(array).max()) < 2**24:
            return array.astype(np.int32)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "iu":
        raise InvalidInputError(
            f"integer {of} codes, a row for each item and a column for each subspace or bit",
            describe(array),
            "turn signs into bits with (x > 0).astype(numpy.uint8), packed bits into columns with "
            "numpy.unpackbits(x, axis=1)"
            if array.ndim == 2 and array.size
            else "bring them into the shape (number of items, length of a code) with reshape",
        )
    return array


def _unpacked(
    query: np.ndarray, database: np.ndarray, bits: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Bits from bytes. What fills up the last byte must be 0, at its end or, as in faiss, its start."""
    n_bytes = query.shape[1]
    bits = 8 * n_bytes if bits is None else bits
    if not 8 * (n_bytes - 1) < bits <= 8 * n_bytes:
        raise InvalidInputError(
            f"{-(-bits // 8)} bytes for {bits} bits", f"{n_bytes} bytes", "state their length"
        )
    both = []
    for codes, of in ((query, "query"), (database, "database")):
        if codes.dtype == np.int8:
            codes = codes.view(np.uint8)
        if codes.min() < 0 or codes.max() > 255:
            raise InvalidInputError(
                f"packed {of} codes: bytes, numbers from 0 to 255",
                f"numbers from {codes.min()} to {codes.max()}",
                "pass what numpy.packbits(bits, axis=1) returned, or leave out --packed",
            )
        both.append(codes.astype(np.uint8))
    orders: tuple[Literal["big", "little"], ...] = ("big", "little")
    for order in orders:
        read = [np.unpackbits(codes, axis=1, bitorder=order) for codes in both]
        if not any(one[:, bits:].any() for one in read):
            return read[0][:, :bits], read[1][:, :bits]
    raise InvalidInputError(
        f"codes of {bits} bits, the last {8 * n_bytes - bits} bits of their bytes 0",
        "others",
        "state the length of the codes",
    )


def _from_signs(codes: np.ndarray, of: str) -> np.ndarray:
    values = np.unique(codes).tolist()
    if not set(values) <= {-1, 1}:
        is_01 = set(values) <= {0, 1}
        raise InvalidInputError(
            "codes over one alphabet: -1 and +1 in both files, or numbers from 0 in both",
            f"{of} codes of {', '.join(map(str, values[:6]))}{', ...' if len(values) > 6 else ''}"
            + (" beside -1 and +1" if is_01 else ""),
            "write both as bits with (x > 0).astype(numpy.uint8)"
            + ("; a sign of 0 is neither" if 0 in values else ""),
        )
    return (codes > 0).astype(np.uint8)


def _check_alphabets(query: np.ndarray, database: np.ndarray) -> list[Warned]:
    """Refuse bits against symbols; warn of symbols that reach into different ranges."""
    spans = {
        "query": (int(query.min()), int(query.max())),
        "database": (int(database.min()), int(database.max())),
    }
    if min(query.size, database.size) < _ENOUGH:
        return []
    said = ", ".join(f"{of} codes from {low} to {high}" for of, (low, high) in spans.items())
    if (0, 1) in spans.values():
        raise InvalidInputError(
            "query and database codes over one alphabet",
            said,
            "one file holds bits, the other bytes or symbols: write both in the same way",
        )
    (low, high), (other_low, other_high) = spans.values()
    lengths = high.bit_length(), other_high.bit_length()
    if lengths[0] != lengths[1] or (low != other_low and high != other_high):
        text = f"{said}: are they codes of one quantizer, counted from the same number?"
        return [Warned("different alphabets", text)]
    return []


def _length(database: np.ndarray, high: int, bits: int | None) -> tuple[int, list[Warned]]:
    M = database.shape[1]
    if bits is not None:
        if bits % M or high >= 2 ** (bits // M):
            raise InvalidInputError(
                f"codes of {bits} bits in {M} columns",
                f"symbols up to {high}",
                f"state a multiple of {M} that holds them, {M * high.bit_length()} or more",
            )
        return bits, []
    # Wider types are a habit of whoever saved them; a byte is the least that a symbol is stored in.
    bytes_ = np.min_scalar_type(high).itemsize
    if database.dtype in (np.uint8, np.uint16):
        bytes_ = database.dtype.itemsize
    text = (
        f"{8 * bytes_ * M} bits is what {M} columns of {bytes_} byte{'s' if bytes_ > 1 else ''} take: "
        "state the length of the codes with --bits, or give their codebooks"
    )
    return 8 * bytes_ * M, [Warned("length not stated", text)]


def _packed_too(query: np.ndarray, database: np.ndarray, packed: bool | None) -> list[Warned]:
    """Bytes can be symbols of 256 codewords or eight bits each: say both readings."""
    M = database.shape[1]
    bytes_ = all(codes.dtype in (np.uint8, np.int8) for codes in (query, database))
    if packed is False or not bytes_ or M not in _USUAL_BYTES or database.max() < 128:
        return []
    text = (
        f"read as {M} symbols of up to 256 codewords, compared by differing columns. If they are the "
        f"{8 * M} bits of a binary code in bytes (numpy.packbits), this number is wrong: say --packed; if "
        "not, --no-packed"
    )
    return [Warned("packed bits?", text)]
