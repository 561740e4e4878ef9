"""The ranking's inner loop, compiled: where a query's relevant items lie, by counting, not sorting.

Average precision asks of each relevant tie group only how many items, and how many relevant ones, come
before it. So the distances are dropped into some thousand buckets that keep their order; running sums
over the buckets say how many items lie before each; and only buckets with something relevant in them,
a small part, are looked at more closely: their items are sorted (by radix, on all 32 bits) and tie
groups are told apart exactly. Nothing is rounded: two items tie when their float32 are equal.

Compiled by numba at the first call and kept on disk where a folder allows it. `ties.runs_by_sorting`
gives the same numbers in NumPy; it is the twin, and serves small inputs, for which compiling is not
worth the wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Integer
from numba import njit


def _compile(function: Callable[..., Any]) -> Any:
    """Compile, without the interpreter lock; keep the result where there is somewhere to write."""
    try:
        return njit(nogil=True, cache=True)(function)
    except RuntimeError:  # neither the package nor the user's cache folder is writable
        return njit(nogil=True)(function)


@_compile
def runs_by_counting(
    distances: Float[np.ndarray, "B U"],
    sizes: Integer[np.ndarray, " U"],
    which: Integer[np.ndarray, " B"],
    starts: Integer[np.ndarray, " C+1"],
    groups: Integer[np.ndarray, " R"],
    counts: Integer[np.ndarray, " R"],
    n_buckets: int,
    row: Integer[np.ndarray, " G"],
    runs: Float[np.ndarray, "4 G"],
) -> int:
    """Fill `row` and `runs` (items, relevant, items before, relevant before); return how many runs.

    distances: C-ordered float32 without NaN. sizes: int32, items of each group. Query b finds
    relevant what stands from starts[which[b]] to the next start in `groups` (which group) and `counts`
    (how many of its items), both int32. n_buckets: a power of two up to 65,536.
    """
    B, U = distances.shape
    keys = np.empty(U, np.int32)
    bucket = np.empty(U, np.uint16)
    hits = np.zeros(U, np.int32)
    before = np.empty(n_buckets, np.int32)
    wanted = np.empty(n_buckets, np.uint8)
    chosen, chosen_2 = np.empty(U + 1, np.int32), np.empty(U, np.int32)
    chosen_keys, chosen_keys_2 = np.empty(U, np.uint32), np.empty(U, np.uint32)
    found = 0
    for b in range(B):
        first, last = starts[which[b]], starts[which[b] + 1]
        if first == last:
            continue
        # A float32 read as an integer, its sign taken off and put back as the integer's, keeps its
        # order; and -0.0 becomes 0, which it must tie with.
        bits = distances[b].view(np.int32)
        low, high = np.int32(0x7FFFFFFF), np.int32(-0x7FFFFFFF)
        for i in range(U):
            key = bits[i]
            key = np.int32(-(key & np.int32(0x7FFFFFFF))) if key < np.int32(0) else key
            keys[i] = key
            low, high = min(low, key), max(high, key)
        span = np.uint32(high - low)
        shift = np.uint32(0)
        while span >> shift >= n_buckets:
            shift += np.uint32(1)
        for i in range(U):
            bucket[i] = np.uint32(keys[i] - low) >> shift

        # How many items lie before each bucket, and which buckets hold something relevant.
        before[:] = 0
        wanted[:] = 0
        for i in range(U):
            before[bucket[i]] += sizes[i]
        for j in range(first, last):
            wanted[bucket[groups[j]]] = 1
            hits[groups[j]] = counts[j]
        total = np.int32(0)
        for d in range(n_buckets):
            size = before[d]
            before[d] = total
            total += size

        # What lies in those buckets, sorted. Writing always and advancing sometimes needs no guess
        # of the processor.
        m = 0
        for i in range(U):
            chosen[m] = i
            m += int(wanted[bucket[i]])
        for i in range(m):
            chosen_keys[i] = np.uint32(keys[chosen[i]] - low)
        key_of, group_of = _sort(chosen_keys, chosen, chosen_keys_2, chosen_2, m, int(span))

        now, n_before, r_before = -1, 0, 0
        i = 0
        while i < m:
            key_now, group = key_of[i], group_of[i]
            if bucket[group] != now:
                now = int(bucket[group])
                n_before = before[now]
            n, r = 0, 0
            while i < m and key_of[i] == key_now:
                group = group_of[i]
                n += sizes[group]
                r += hits[group]
                i += 1
            if r > 0:
                row[found] = b
                runs[0, found], runs[1, found] = n, r
                runs[2, found], runs[3, found] = n_before, r_before
                found += 1
                r_before += r
            n_before += n
        for j in range(first, last):
            hits[groups[j]] = 0
    return found


@_compile
def _sort(keys: Any, order: Any, keys_2: Any, order_2: Any, m: int, span: int) -> Any:
    """Sort the first m keys (0 to span) and their order with them, by radix, lowest digit first."""
    n_bits = 0
    while span >> n_bits > 0:
        n_bits += 1
    passes = max(1, (n_bits + 12) // 13)
    digit_bits = (n_bits + passes - 1) // passes
    mask = (1 << digit_bits) - 1
    places = np.empty(mask + 1, np.int32)
    source, source_order, target, target_order = keys, order, keys_2, order_2
    for number in range(passes):
        shift = number * digit_bits
        places[:] = 0
        for i in range(m):
            places[(source[i] >> shift) & mask] += 1
        total = np.int32(0)
        for d in range(mask + 1):
            size = places[d]
            places[d] = total
            total += size
        for i in range(m):
            d = (source[i] >> shift) & mask
            place = places[d]
            places[d] = place + 1
            target[place], target_order[place] = source[i], source_order[i]
        source, source_order, target, target_order = target, target_order, source, source_order
    return source, source_order
