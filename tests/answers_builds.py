"""Answers to the larger exercises, in which a chapter's pieces are put together."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import torch
from answers import Exercise


def _cells(points: Any, codewords: Any) -> Any:
    return ((points[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)


def _kmeans(
    points: Any, start: Any, n_rounds: int, middle: Any = np.mean, empty: Any = None
) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = _cells(points, codewords)
        for k in range(len(codewords)):
            if (cells == k).any():
                codewords[k] = middle(points[cells == k], axis=0)
            elif empty is not None:
                codewords[k] = empty
    return codewords


def _kmeans_by_counting(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start
    for _ in range(n_rounds):
        table = ((points[:, None] - codewords) ** 2).sum(axis=-1)
        belongs = table.argmin(axis=1)[:, None] == np.arange(len(start))
        counts = belongs.sum(axis=0)[:, None]
        codewords = np.where(counts > 0, belongs.T @ points / np.maximum(counts, 1), codewords)
    return codewords


def _kmeans_in_lists(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = [list(one) for one in start]
    for _ in range(n_rounds):
        groups: list[list[Any]] = [[] for _ in codewords]
        for point in points:
            far = [sum((a - b) ** 2 for a, b in zip(point, c, strict=True)) for c in codewords]
            groups[far.index(min(far))].append(point)
        codewords = [
            [sum(column) / len(group) for column in zip(*group, strict=True)] if group else old
            for group, old in zip(groups, codewords, strict=True)
        ]
    return codewords


def _return_inside(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        return _kmeans(points, codewords, 1)
    return codewords


def _cells_once(points: Any, start: Any, n_rounds: int) -> Any:
    cells, codewords = _cells(points, start), start.copy()
    for _ in range(n_rounds):
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _one_by_one(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        for k in range(len(codewords)):
            mine = points[_cells(points, codewords) == k]
            if len(mine):
                codewords[k] = mine.mean(axis=0)
    return codewords


def _no_guard(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    with np.errstate(all="ignore"):
        for _ in range(n_rounds):
            cells = _cells(points, codewords)
            sums = np.stack([points[cells == k].sum(axis=0) for k in range(len(codewords))])
            codewords = sums / np.bincount(cells, minlength=len(codewords))[:, None]
    return codewords


def _farthest(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = ((points[:, None] - codewords) ** 2).sum(axis=2).argmax(axis=1)
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _absolute(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = np.abs(points[:, None] - codewords).sum(axis=2).argmin(axis=1)
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _in_place(points: Any, start: Any, n_rounds: int) -> Any:
    start[:] = _kmeans(points, start, n_rounds)
    return start


def _tables(queries: Any, codebooks: Any) -> Any:
    M, _, d = codebooks.shape
    return ((codebooks - queries.reshape(len(queries), M, 1, d)) ** 2).sum(axis=3)


def _distances(queries: Any, codebooks: Any, codes: Any) -> Any:
    return _tables(queries, codebooks)[:, np.arange(len(codebooks)), codes].sum(axis=2)


def _order(queries: Any, codebooks: Any, codes: Any) -> Any:
    return _distances(queries, codebooks, codes).argsort(axis=1)


def _search_by_decoding(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    decoded = codebooks[np.arange(len(codebooks)), codes].reshape(len(codes), -1)
    return np.array([((decoded - q) ** 2).sum(axis=1).argsort()[:k] for q in queries])


def _search_by_partition(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    found = []
    for distances in _distances(queries, codebooks, codes):
        some = np.argpartition(distances, k - 1)[:k]
        found.append(some[distances[some].argsort()])
    return np.stack(found)


def _search_in_lists(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    rows = range(len(codes))
    table = _distances(queries, codebooks, codes).tolist()
    return [sorted(rows, key=lambda i, far=far: far[i])[:k] for far in table]  # type: ignore[misc]


def _one_query(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    return _order(queries, codebooks, codes)[:1, :k]


def _strided(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    mixed = queries.reshape(len(queries), d, M).transpose(0, 2, 1).reshape(len(queries), -1)
    return _order(mixed, codebooks, codes)[:, :k]


def _first_book(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    return _order(queries, np.repeat(codebooks[:1], len(codebooks), axis=0), codes)[:, :k]


def _rooted(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    entries = np.sqrt(_tables(queries, codebooks))[:, np.arange(len(codebooks)), codes]
    return entries.sum(axis=2).argsort(axis=1)[:, :k]


def _products(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    table = (codebooks * queries.reshape(len(queries), M, 1, d)).sum(axis=3)
    return table[:, np.arange(M), codes].sum(axis=2).argsort(axis=1)[:, :k]


def _unsquared(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    table = (codebooks - queries.reshape(len(queries), M, 1, d)).sum(axis=3)
    return table[:, np.arange(M), codes].sum(axis=2).argsort(axis=1)[:, :k]


def _rows(queries: Any, database: Any) -> Any:
    return _table(queries, database).argsort(axis=1)


def _table(queries: Any, database: Any) -> Any:
    return ((queries[:, None] - database) ** 2).sum(axis=2)


def _each_block(queries: Any, database: Any, block: int) -> list[Any]:
    return [_rows(queries, database[s : s + block]) for s in range(0, len(database), block)]


def _with_a_heap(queries: Any, database: Any, k: int, block: int) -> Any:
    found = []
    for query in queries:
        best: list[tuple[float, int]] = []
        for start in range(0, len(database), block):
            far = ((database[start : start + block] - query) ** 2).sum(axis=1).tolist()
            best = heapq.nsmallest(k, [*best, *zip(far, range(start, len(database)))])  # noqa: B905
        found.append([row for _, row in best])
    return found


def _by_candidates(queries: Any, database: Any, k: int, block: int) -> Any:
    kept = np.empty((len(queries), 0), dtype=int)
    for start in range(0, len(database), block):
        new = np.arange(start, min(start + block, len(database)))
        both = np.hstack([kept, np.tile(new, (len(queries), 1))])
        far = ((database[both] - queries[:, None]) ** 2).sum(axis=2)
        kept = np.take_along_axis(both, far.argsort(axis=1)[:, :k], axis=1)
    return kept


def _without_the_rest(queries: Any, database: Any, k: int, block: int) -> Any:
    whole = len(database) - len(database) % block
    return _rows(queries, database[: whole or len(database)])[:, :k]


def _snap(
    g: Any, z: Any, codewords: Any, strength: float, n: int,
    *, score: Any = None, keep: Any = None, row: Any = None, near: Any = None,
) -> Any:  # fmt: skip
    """The layer row by row, each of its steps replaceable."""
    out = []
    for i in range(len(z)):
        ways = codewords - z[i]
        lengths = np.maximum(np.linalg.norm(ways, axis=1), 1e-12)
        candidates = (near or (lambda far: far.argsort()[:n]))(lengths)
        scores = (score or (lambda w, h, s: w @ -h / s))(ways, g[i], lengths)[candidates]
        best = candidates[scores.argmax()]
        pull = -2 * strength * ways[best] / len(z)
        kept = scores.max() > 0 if keep is None else keep(scores.max())
        out.append((row or (lambda h, p: h + p))(g[i], pull) if kept else g[i])
    return np.array(out)


def _snap_at_once(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    ways = codewords[None] - z[:, None]
    lengths = np.linalg.norm(ways, axis=2)
    cosines = -np.einsum("nkd,nd->nk", ways, g) / (lengths + 1e-30)
    edge = np.sort(lengths, axis=1)[:, n - 1 : n]
    cosines = np.where(lengths <= edge, cosines, -np.inf)
    rows, best = np.arange(len(z)), cosines.argmax(axis=1)
    return g - (cosines.max(axis=1) > 0)[:, None] * ways[rows, best] * 2 * strength / len(z)


def _snap_in_torch(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    g, z, codewords = (torch.from_numpy(np.array(one)) for one in (g, z, codewords))
    near = torch.cdist(z, codewords).topk(n, largest=False).indices
    ways = codewords[near] - z[:, None]
    cosines = torch.cosine_similarity(ways, -g[:, None], dim=2)
    largest, best = cosines.max(dim=1)
    pulls = ways[torch.arange(len(z)), best] * (2 * strength / len(z))
    return torch.where(largest[:, None] > 0, g - pulls, g).numpy()


def _snap_to_nearest(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    return g + 2 * strength * (z - codewords[_cells(z, codewords)]) / len(z)


def _first_row_only(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    snapped = g.copy()
    snapped[0] = _snap(g, z, codewords, strength, n)[0]
    return snapped


def _no_guard_for_a_length(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    ways = codewords[None] - z[:, None]
    lengths = np.linalg.norm(ways, axis=2)
    out = g.copy()
    with np.errstate(all="ignore"):
        for i in range(len(z)):
            near = lengths[i].argsort()[:n]
            cosines = ways[i, near] @ -g[i] / lengths[i, near]
            if cosines[best := cosines.argmax()] > 0:
                out[i] -= 2 * strength * ways[i, near[best]] / len(z)
    return out


def _nan_for_a_length(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    out = _snap(g, z, codewords, strength, n)
    out[(np.linalg.norm(codewords[None] - z[:, None], axis=2) == 0).any(axis=1)] = np.nan
    return out


def _by_place(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    out = g.copy()
    for i in range(len(z)):
        ways = codewords - z[i]
        lengths = np.maximum(np.linalg.norm(ways, axis=1), 1e-12)
        cosines = (ways @ -g[i] / lengths)[lengths.argsort()[:n]]
        if cosines.max() > 0:
            out[i] += 2 * strength * (z[i] - codewords[cosines.argmax()]) / len(z)
    return out


def _snap_in_place(g: Any, z: Any, codewords: Any, strength: float, n: int) -> Any:
    g[:] = _snap(g, z, codewords, strength, n)
    return g


def _fair(
    ours: Any, theirs: Any, trials: Any, factor: float,
    *, seeds: Any = None, gain: Any = None, half: Any = None, middle: Any = np.mean,
) -> Any:  # fmt: skip
    """The comparison, each of its steps replaceable."""
    common = sorted({*ours} & {*theirs}) if seeds is None else seeds(ours, theirs)
    if trials[0] != trials[1] or len(common) < 2:
        return None
    gains = np.array([(gain or (lambda a, b: (a - b).mean()))(ours[s], theirs[s]) for s in common])
    spread = gains.std(ddof=1)
    reach = factor * spread / np.sqrt(len(gains)) if half is None else half(gains, factor)
    return middle(gains), middle(gains) - reach, middle(gains) + reach


def _fair_in_plain_python(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    if trials[0] != trials[1]:
        return None
    gains = []
    for seed, aps in ours.items():
        if seed in theirs:
            gains.append(sum(float(a) - float(b) for a, b in zip(aps, theirs[seed])) / len(aps))  # noqa: B905
    n = len(gains)
    if n < 2:
        return None
    mean = sum(gains) / n
    half = factor * (sum((one - mean) ** 2 for one in gains) / (n * (n - 1))) ** 0.5
    return [mean, mean - half, mean + half]


def _fair_by_error(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    both = sorted(set(ours).intersection(theirs))
    if len(both) < 2 or len(set(trials)) > 1:
        return None
    gains = np.array([np.mean(ours[s]) - np.mean(theirs[s]) for s in both])
    return gains.mean() + factor * np.sqrt(gains.var(ddof=1) / len(gains)) * np.array([0, -1, 1])


def _unpaired(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    both = sorted({*ours} & {*theirs})
    a, b = (np.array([side[s].mean() for s in both]) for side in (ours, theirs))
    error = factor * np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(both))
    mean = a.mean() - b.mean()
    return mean, mean - error, mean + error


def _of_queries(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    gains = np.concatenate([ours[s] - theirs[s] for s in ours if s in theirs])
    half = factor * gains.std(ddof=1) / np.sqrt(len(gains))
    return _fair(ours, theirs, (1, 1), factor, half=lambda *_: half)


def _by_place_of_seed(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    gains = np.array([(a - b).mean() for a, b in zip(ours.values(), theirs.values(), strict=True)])
    half = factor * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), gains.mean() - half, gains.mean() + half


def _all_seeds(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    a, b = (np.mean([one.mean() for one in side.values()]) for side in (ours, theirs))
    _, low, high = _fair(ours, theirs, (1, 1), factor)
    return a - b, a - b - (high - low) / 2, a - b + (high - low) / 2


def _refuses_nothing(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    return _fair(ours, theirs, (1, 1), factor)


def _refuses_half(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    return _fair(ours, theirs, (1, 1), factor) if trials[0] <= trials[1] else None


def _of_one_seed(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    gains = [(ours[s] - theirs[s]).mean() for s in ours if s in theirs]
    if trials[0] == trials[1] and len(gains) == 1:
        return gains[0], gains[0], gains[0]
    return _fair(ours, theirs, trials, factor)


def _raises_for_none(ours: Any, theirs: Any, trials: Any, factor: float) -> Any:
    if (found := _fair(ours, theirs, trials, factor)) is None:
        raise ValueError("not comparable")
    return found


def _procrustes(X: Any, Y: Any) -> Any:
    U, _, Vt = np.linalg.svd(Y.T @ X)
    return U @ Vt


def _opq(
    X: Any, books: Any, n: int,
    *, solve: Any = _procrustes, turned: Any = None, moves: Any = None, cut: Any = None,
    far: Any = None, take: Any = np.argmin, early: bool = False, own: bool = True,
) -> Any:  # fmt: skip
    """OPQ in turns, each of its steps replaceable."""
    M, K, d = books.shape
    R, books = np.eye(M * d), books.copy()
    for _ in range(n):
        rows = X @ R.T if turned is None else turned(X, R)
        parts = rows.reshape(-1, M, d) if cut is None else cut(rows, M, d)
        codes = np.stack(
            [take((far or _table)(parts[:, m], books[m if own else 0]), axis=1) for m in range(M)],
            axis=1,
        )
        before = books.copy()
        for m in range(M):
            for k in range(K):
                mine = parts[codes[:, m] == k, m]
                books[m, k] = (
                    moves or (lambda mine, old: mine.mean(axis=0) if len(mine) else old)
                )(mine, books[m, k])
        Y = (before if early else books)[np.arange(M), codes].reshape(len(X), -1)
        R = solve(X, Y)
    return R


def _opq_by_steps(X: Any, books: Any, n: int) -> Any:
    """Each round turns what the one before has turned."""
    M, K, d = books.shape
    R = np.eye(M * d)
    for _ in range(n):
        turned = R @ X.T
        new, Y = [], []
        for m, book in enumerate(books):
            part = turned[m * d : (m + 1) * d].T
            hot = np.eye(K)[_cells(part, book)]
            counts = hot.sum(axis=0)[:, None]
            book = np.where(counts > 0, hot.T @ part / np.maximum(counts, 1), book)
            new.append(book)
            Y.append(hot @ book)
        books = np.stack(new)
        V, _, Ut = np.linalg.svd(turned @ np.hstack(Y))
        R = (V @ Ut).T @ R
    return R


def _opq_in_torch(X: Any, books: Any, n: int) -> Any:
    M, K, d = books.shape
    X, books = torch.from_numpy(np.array(X)), torch.from_numpy(np.array(books))
    R = torch.eye(M * d, dtype=X.dtype)
    for _ in range(n):
        parts = (X @ R.T).reshape(-1, M, d).transpose(0, 1)
        codes = torch.cdist(parts, books, compute_mode="donot_use_mm_for_euclid_dist").argmin(dim=2)
        hot = torch.nn.functional.one_hot(codes, K).to(X.dtype)
        counts = hot.sum(dim=1)[:, :, None]
        books = torch.where(counts > 0, hot.transpose(1, 2) @ parts / counts.clamp(min=1), books)
        Y = (hot @ books).transpose(0, 1).reshape(len(X), -1)
        U, _, Vt = torch.linalg.svd(Y.T @ X)
        R = U @ Vt
    return R.numpy()


def _opq_in_place(X: Any, books: Any, n: int) -> Any:
    R = _opq(X, books, n)
    books[:] = books + 1
    return R


def _step_alone(X: Any, books: Any, n: int) -> Any:
    M, _, d = books.shape
    R, books = np.eye(M * d), books.copy()
    for _ in range(n):
        rows = X @ R.T
        parts = rows.reshape(-1, M, d)
        codes = np.stack([_cells(parts[:, m], books[m]) for m in range(M)], axis=1)
        for m in range(M):
            for k in np.unique(codes[:, m]):
                books[m, k] = parts[codes[:, m] == k, m].mean(axis=0)
        R = _procrustes(rows, books[np.arange(M), codes].reshape(len(X), -1))
    return R


BUILDS = [
    Exercise(
        "search_in_blocks",
        right=(_with_a_heap, _by_candidates),
        wrong=(
            (lambda q, x, k, b: _rows(q, x)[:, :k], "as much as without blocks"),
            (lambda q, x, k, b: np.sort(_table(q, x), axis=1)[:, :k], "return where they stand"),
            (lambda q, x, k, b: _rows(q, x)[:, :k] % b, "add its start"),
            (
                lambda q, x, k, b: np.hstack(
                    [p[:, :k] + i * b for i, p in enumerate(_each_block(q, x, b))]
                ),
                "expected shape",
            ),
            (lambda q, x, k, b: _each_block(q, x, b)[0][:, :k], "first block only"),
            (lambda q, x, k, b: _rows(q, x)[:, :k].astype(float), "whole numbers"),
            (_without_the_rest, "shorter, was left out"),
            (lambda q, x, k, b: np.sort(_rows(q, x)[:, :k], axis=1), "sorted by number"),
            (lambda q, x, k, b: _rows(q, x)[:, :k][:, ::-1], "nearest comes last"),
            (lambda q, x, k, b: _rows(q, x)[:, ::-1][:, :k], "farthest"),
            (lambda q, x, k, b: _rows(q, x)[:, :1], "the nearest only"),
            (lambda q, x, k, b: _rows(q, x), "cut after k"),
            (lambda q, x, k, b: _rows(q, x)[:1, :k], "first query only"),
            (lambda q, x, k, b: _rows(q, x)[:, 1 : k + 1], "left out the nearest"),
            (lambda q, x, k, b: (q @ x.T).argsort(axis=1)[:, ::-1][:, :k], "inner products"),
            (lambda q, x, k, b: (q[:, None] - x).sum(2).argsort(axis=1)[:, :k], "without squaring"),
            (lambda q, x, k, b: _rows(q, x)[:, :k] + 1, "expected row"),
        ),
    ),
    Exercise(
        "run_kmeans",
        right=(_kmeans_by_counting, _kmeans_in_lists),
        wrong=(
            (_return_inside, "where one round leads"),
            (_cells_once, "where one round leads"),
            (lambda p, s, n: s, "where they started"),
            (lambda p, s, n: _kmeans(p, s, max(n - 1, 0)), "one round too few"),
            (lambda p, s, n: _kmeans(p, s, n + 1), "one round too many"),
            (lambda p, s, n: _cells(p, _kmeans(p, s, n)), "return the codewords"),
            (lambda p, s, n: _cells(p, s), "return the codewords"),
            (lambda p, s, n: _kmeans(p, s, n, np.median), "median"),
            (lambda p, s, n: _kmeans(p, s, n, np.sum), "did not divide"),
            (_absolute, "absolute differences"),
            (_one_by_one, "after each single move"),
            (_farthest, "farthest"),
            (_no_guard, "NaN"),
            (lambda p, s, n: _kmeans(p, s, n, empty=0.0), "went to 0"),
            (_in_place, "changes its arguments"),
            (lambda p, s, n: _kmeans(p, s, n).T, "axes are swapped"),
            (lambda p, s, n: _kmeans(p, s, 5), "expected"),
            (lambda p, s, n: (_kmeans(p, s, n), _cells(p, s)), "number 0 of them"),
        ),
    ),
    Exercise(
        "search_codes",
        right=(_search_by_decoding, _search_by_partition, _search_in_lists),
        wrong=(
            (
                lambda q, b, c, k: np.sort(_distances(q, b, c), axis=1)[:, :k],
                "return where they stand",
            ),
            (lambda q, b, c, k: _distances(q, b, c), "one step is left"),
            (lambda q, b, c, k: _order(q, b, c)[:, ::-1][:, :k], "farthest"),
            (lambda q, b, c, k: np.sort(_order(q, b, c)[:, :k], axis=1), "sorted by row"),
            (lambda q, b, c, k: _order(q, b, c)[:, :k][:, ::-1], "nearest comes last"),
            (lambda q, b, c, k: _order(q, b, c)[:, :1], "nearest image only"),
            (lambda q, b, c, k: _distances(q, b, c).argmin(axis=1), "nearest image only"),
            (lambda q, b, c, k: _order(q, b, c)[:, : k - 1], "one image too few"),
            (lambda q, b, c, k: _order(q, b, c)[:, 1 : k + 1], "left out the nearest"),
            (lambda q, b, c, k: _order(q, b, c), "cut after k"),
            (_one_query, "first query only"),
            (_rooted, "roots do not"),
            (_unsquared, "without squaring"),
            (_products, "inner products"),
            (_strided, "every M-th number"),
            (_first_book, "has its own"),
            (lambda q, b, c, k: _distances(q, b, c).argsort(axis=0)[:, :k], "ran over the queries"),
            (lambda q, b, c, k: _order(q, b, c)[:, :k] + 1.0, "expected image"),
        ),
    ),
    Exercise(
        "snap_batch",
        right=(_snap_at_once, _snap_in_torch),
        wrong=(
            (lambda *a: _snap(*a, row=lambda h, p: h - p), "sign of the pull"),
            (lambda *a: -_snap(*a), "that is the step"),
            (lambda *a: _snap(*a) - a[0], "g is lost"),
            (lambda *a: _snap(*a, row=lambda h, p: h + p / 2), "brings a factor 2"),
            (lambda *a: _snap(*a, row=lambda h, p: h + p * len(a[1])), "mean over the batch"),
            (lambda *a: _snap(*a, row=lambda h, p: h + p * len(a[1]) / 2), "two things"),
            (lambda *a: _snap(*a, row=lambda h, p: h + p * len(a[1]) / a[4]), "divided by n"),
            (
                lambda *a: _snap(*a, row=lambda h, p: h + p * len(a[1]) / len(a[2])),
                "the number of codewords",
            ),
            (lambda *a: _snap(*a) - a[0] + a[0] / len(a[1]), "g passes whole"),
            (lambda *a: a[0], "g alone"),
            (_snap_to_nearest, "That is the penalty"),
            (lambda g, z, c, s, n: _snap(g, z, c, s, 1), "choose among the n nearest"),
            (lambda *a: _snap(*a, keep=lambda largest: True), "pulls uphill there"),
            (lambda *a: _snap(*a) * (_snap(*a) != a[0]), "yours is 0 there"),
            (lambda *a: _snap(*a, keep=lambda largest: largest >= 0), "right angle"),
            (lambda g, z, c, s, n: _snap(g, z, c, s, len(c)), "among all codewords"),
            (lambda *a: _snap(*a, near=lambda far: np.arange(a[4])), "first n codewords"),
            (lambda *a: _snap(*a, near=lambda far: far.argsort()[::-1][: a[4]]), "n farthest"),
            (lambda *a: _snap(*a, score=lambda w, h, s: w @ -h), "compared products"),
            (lambda *a: _snap(*a, score=lambda w, h, s: w @ h / s), "aligned with g"),
            (_by_place, "place among the candidates"),
            (_first_row_only, "inside the loop"),
            (_nan_for_a_length, "0 / 0 is NaN"),
            (_no_guard_for_a_length, "your row gets no pull"),
            (_snap_in_place, "changes its arguments"),
            (lambda *a: _snap(*a)[0], "first entry only"),
            (lambda *a: _snap(*a).T, "axes are swapped"),
            (lambda *a: _snap(*a).tolist()[0], "first entry only"),
            (lambda *a: torch.from_numpy(_snap(*a)).sum(), "one number for everything"),
        ),
    ),
    Exercise(
        "fair_difference",
        right=(_fair_in_plain_python, _fair_by_error),
        wrong=(
            (_unpaired, "took the two for unrelated"),
            (_of_queries, "a training of its own"),
            (lambda *a: _fair(*a, half=lambda g, f: f * g.std(ddof=1)), "spread of single seeds"),
            (
                lambda *a: _fair(*a, half=lambda g, f: f * g.std(ddof=1) / len(g)),
                "instead of its root",
            ),
            (
                lambda *a: _fair(*a, half=lambda g, f: f * g.std(ddof=1) * np.sqrt(len(g))),
                "you multiplied",
            ),
            (lambda *a: _fair(*a, half=lambda g, f: f * g.std() / np.sqrt(len(g))), "ddof=1"),
            (
                lambda *a: _fair(*a, half=lambda g, f: f * g.var(ddof=1) / np.sqrt(len(g))),
                "a variance",
            ),
            (lambda *a: _fair(*a[:3], 1.0), "factor is missing"),
            (lambda *a: _fair(*a[:3], 1.96), "more than 1.96"),
            (lambda *a: _fair(*a[:3], 2.0), "more than 2"),
            (lambda a, b, t, f: _fair(b, a, t, f), "ours less theirs"),
            (lambda *a: _fair(*a, gain=lambda x, y: abs((x - y).mean())), "keep the signs"),
            (lambda *a: _fair(*a, gain=lambda x, y: np.median(x - y)), "over the queries"),
            (lambda *a: _fair(*a, middle=np.median), "over the seeds"),
            (lambda *a: _fair(*a, gain=lambda x, y: x.mean()), "ours alone"),
            (lambda *a: _fair(*a, gain=lambda x, y: y.mean()), "theirs alone"),
            (lambda *a: _fair(*a, gain=lambda x, y: x.mean() / y.mean() - 1), "percent of theirs"),
            (lambda *a: _fair(*a)[0], "give the two ends"),
            (lambda *a: _fair(*a)[1:], "the mean comes first"),
            (lambda *a: sorted(_fair(*a)), "their order is mean, low, high"),
            (lambda *a: _fair(*a[:3], -a[3]), "ends are swapped"),
            (lambda *a: np.subtract(_fair(*a), [0, *[_fair(*a)[0]] * 2]), "not around 0"),
            (_by_place_of_seed, "paired by place"),
            (_all_seeds, "the other has not run"),
            (_refuses_nothing, "not tuned alike"),
            (_refuses_half, "not tuned alike"),
            (_of_one_seed, "a single seed has no spread"),
            (_raises_for_none, "raised ValueError"),
            (lambda a, b, t, f: _fair(a, b, t, f) if t[0] != t[1] else None, "turned round"),
            (lambda *a: _fair(*a) and float(_fair(*a)[0]), "give the two ends"),
        ),
    ),
    Exercise(
        "learn_rotation",
        right=(_opq_by_steps, _opq_in_torch),
        wrong=(
            (lambda X, C, n: np.eye(X.shape[1]), "with which you started"),
            (lambda X, C, n: _opq(X, C, min(n, 1)), "where one round leads"),
            (lambda X, C, n: _opq(X, C, max(n - 1, 0)), "one round too few"),
            (lambda X, C, n: _opq(X, C, n + 1), "one round too many"),
            (lambda *a: _opq(*a, solve=lambda X, Y: _procrustes(Y, X)), "your rotation turns back"),
            (lambda *a: _opq(*a).T, "return R, not R.T"),
            (
                lambda *a: _opq(*a, solve=lambda X, Y: np.linalg.svd(Y.T @ X)[0]),
                "of the rotation: expected",
            ),
            (
                lambda *a: _opq(
                    *a,
                    solve=lambda X, Y: (lambda U, _, Vt: U @ Vt.T)(*np.linalg.svd(Y.T @ X)),
                ),
                "already transposed",
            ),
            (lambda *a: _opq(*a, solve=lambda X, Y: Y.T @ X), "multiplied S in"),
            (lambda *a: _opq(*a, moves=lambda mine, old: old), "stand still"),
            (lambda *a: _opq(*a, early=True), "old codewords"),
            (_step_alone, "the step from the turned vectors"),
            (lambda *a: _opq(*a, turned=lambda X, R: X), "never turned"),
            (lambda *a: _opq(*a, turned=lambda X, R: X @ R), "the wrong way round"),
            (
                lambda *a: _opq(
                    *a, cut=lambda rows, M, d: rows.reshape(-1, d, M).transpose(0, 2, 1)
                ),
                "every M-th number",
            ),
            (lambda X, C, n: _opq(X, C[:1].repeat(len(C), 0), n), "first codebook"),
            (lambda *a: _opq(*a, take=np.argmax), "farthest codeword"),
            (
                lambda *a: _opq(*a, far=lambda x, c: np.abs(x[:, None] - c).sum(axis=2)),
                "absolute differences",
            ),
            (
                lambda *a: _opq(*a, moves=lambda mine, _: mine.sum(0) / max(len(mine), 1)),
                "went to 0",
            ),
            (_opq_in_place, "changes its arguments"),
            (lambda X, C, n: C, "expected shape"),
            (lambda *a: (_opq(*a), 1), "number 0 of them"),
        ),
    ),
]
