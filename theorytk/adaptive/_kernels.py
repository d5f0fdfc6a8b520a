"""Counts and sums over packed bits, multiplicative weights: numba, no validation.

Bits lie in words of 64, the lowest bit first; unused bits of the last word are 0 where said.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numba.extending import intrinsic

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
LOW_BYTE = np.uint64(255)
ALL_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)

# The tables of 8 words are 128 KiB, which an L2 cache holds while many queries use them; 8 words
# are one cache line of a query.
TILE_WORDS, TILE_QUERIES = 8, 256


def _popcount(typingctx: Any, word: Any) -> Any:
    """Number of ones of a word: the processor's instruction, which numba does not offer."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return word(word), codegen


popcount: Any = intrinsic(_popcount)


@njit(cache=True, nogil=True)
def count_ones(words: Any, out: Any) -> None:
    """Write the number of ones of each row of words (k, W) into out (k,)."""
    k, width = words.shape
    for j in range(k):
        ones = np.uint64(0)
        for c in range(width):
            ones += popcount(words[j, c])
        out[j] = ones


@njit(cache=True, nogil=True)
def hash_words(key: Any, first: Any, tail: Any, out: Any) -> None:
    """Write rows first, first + 1, ... of the random words of a key into out (rows, W).

    Word t is output t + 1 of splitmix64 started at the key; `tail` masks the last column.
    """
    rows, width = out.shape
    counter = key + np.uint64(first) * np.uint64(width) * GOLDEN
    for j in range(rows):
        for c in range(width):
            z = counter + (np.uint64(j) * np.uint64(width) + np.uint64(c) + np.uint64(1)) * GOLDEN
            z = (z ^ (z >> np.uint64(30))) * MIX_1
            z = (z ^ (z >> np.uint64(27))) * MIX_2
            out[j, c] = z ^ (z >> np.uint64(31))
        out[j, width - 1] &= tail


@njit(cache=True, nogil=True)
def add_signed(words: Any, weights: Any, added: Any, sums: Any, pending: Any) -> Any:
    """Add rows of words (rows, W) to vertical counters; return how many rows they now hold.

    A row is added as it is for weight 1, inverted for -1, not at all for 0. Plane p of `sums` and
    `pending` (planes, W) holds bits worth 2^p; `pending` counts where bit p of `added` is set. A
    full adder takes a plane's two rows and a third one, so that a row costs one adder on average.
    """
    rows, width = words.shape
    carry = np.empty(width, np.uint64)
    for j in range(rows):
        if weights[j] == 0:
            continue
        flip = ALL_ONES if weights[j] < 0 else np.uint64(0)
        for c in range(width):
            carry[c] = words[j, c] ^ flip
        p = 0
        while (added >> p) & 1:
            a, b = sums[p], pending[p]
            for c in range(width):
                either = a[c] ^ b[c]
                both = a[c] & b[c]
                x = carry[c]
                a[c] = either ^ x
                carry[c] = both | (either & x)
            p += 1
        pending[p] = carry
        added += 1
    return added


@njit(cache=True, nogil=True)
def read_counters(added: Any, sums: Any, pending: Any, out: Any) -> None:
    """Write the number of ones that vertical counters hold for each bit into out (n,)."""
    for i in range(len(out)):
        c, bit = i >> 6, np.uint64(i & 63)
        total = np.int64(0)
        for p in range(len(sums)):
            total += np.int64((sums[p, c] >> bit) & np.uint64(1)) << p
            if (added >> p) & 1:
                total += np.int64((pending[p, c] >> bit) & np.uint64(1)) << p
        out[i] = total


@njit(cache=True, nogil=True)
def add_weighted(words: Any, weights: Any, totals: Any) -> None:
    """Add to totals (W, 64) the weights (rows,) of the rows of words (rows, W) with that bit."""
    rows, width = words.shape
    one = np.uint64(1)
    for c in range(width):
        total = totals[c]
        for j in range(rows):
            word, weight = words[j, c], weights[j]
            for bit in range(64):
                total[bit] += weight if (word >> np.uint64(bit)) & one else 0.0


@njit(cache=True, nogil=True)
def add_plurality(labels: Any, classes: Any, votes: Any) -> None:
    """Add to votes (n, classes) each row of labels (k, n), weighted by how often it is 0.

    The weight is classes * count - n, n * classes times the row's accuracy less 1 / classes.
    """
    k, n = labels.shape
    for j in range(k):
        zeros = 0
        for i in range(n):
            zeros += labels[j, i] == 0
        weight = classes * zeros - n
        for i in range(n):
            votes[i, labels[j, i]] += weight


@njit(cache=True, nogil=True)
def byte_tables(values: Any) -> Any:
    """Return tables (W, 8, 256): entry v of table (c, b) sums the values whose bits v has set.

    Byte b of word c stands for the values 64 c + 8 b to 64 c + 8 b + 7; W is ceil(cells / 64).
    """
    cells = len(values)
    tables = np.zeros(((cells + 63) // 64, 8, 256))
    for c in range(len(tables)):
        for b in range(8):
            table = tables[c, b]
            for bit in range(8):
                cell = 64 * c + 8 * b + bit
                value = values[cell] if cell < cells else 0.0
                half = 1 << bit
                for v in range(half):
                    table[half + v] = table[v] + value
    return tables


@njit(cache=True, nogil=True)
def table_values(tables: Any, words: Any) -> Any:
    """Return the sums (k,) of the values at the ones of each row of words (k, W), from tables."""
    k, width = words.shape
    out = np.zeros(k)
    for first in range(0, k, TILE_QUERIES):
        last = min(k, first + TILE_QUERIES)
        for left in range(0, width, TILE_WORDS):
            right = min(width, left + TILE_WORDS)
            for j in range(first, last):
                total = out[j]
                for c in range(left, right):
                    w, t = words[j, c], tables[c]
                    # Spelled out: four independent sums, which a loop over bytes would chain.
                    total += (
                        (t[0, w & LOW_BYTE] + t[1, (w >> np.uint64(8)) & LOW_BYTE])
                        + (
                            t[2, (w >> np.uint64(16)) & LOW_BYTE]
                            + t[3, (w >> np.uint64(24)) & LOW_BYTE]
                        )
                    ) + (
                        (
                            t[4, (w >> np.uint64(32)) & LOW_BYTE]
                            + t[5, (w >> np.uint64(40)) & LOW_BYTE]
                        )
                        + (t[6, (w >> np.uint64(48)) & LOW_BYTE] + t[7, w >> np.uint64(56)])
                    )
                out[j] = total
    return out


@njit(cache=True, nogil=True)
def multiplicative_step(log_weights: Any, penalty: Any, step: Any, weights: Any) -> None:
    """Lower log_weights (cells,) by step * penalty; write the normalised weights.

    The logarithms are shifted so that the weights sum to 1, which stops drift over many steps.
    """
    cells = len(log_weights)
    top = -np.inf
    for i in range(cells):
        log_weights[i] -= step * penalty[i]
        top = max(top, log_weights[i])
    total = 0.0
    for i in range(cells):
        weights[i] = np.exp(log_weights[i] - top)
        total += weights[i]
    shift = top + np.log(total)
    for i in range(cells):
        weights[i] /= total
        log_weights[i] -= shift
