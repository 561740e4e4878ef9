"""Mutants that give the same answer, or one that is right as well, each with its reason.

A rule is a pattern that the whole change must match ("old -> new", as `mutants.py` writes it), the
exercises for which it holds (all, where none are named), and why no check could or should refuse such "
         "an answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SIGNLESS = (
    "squared_distance", "all_distances", "assign_cells", "mean_distortion", "revive_dead", "encode_one",
    "lookup_table", "residual_code", "beam_code", "additive_distances", "one_round", "relative_distortion",
    "standard_error", "penalty_gradient", "choose", "replace_gradient", "run_kmeans", "search_codes",
    "search_in_blocks",
)  # fmt: skip
_NOT_NEGATIVE = (
    "squared_distance", "all_distances", "nearest_rows", "vector_bytes", "recall_at_k", "assign_cells",
    "mean_distortion", "encode_one", "code_size", "lookup_table", "adc_distances", "residual_code",
    "beam_code", "additive_distances", "goes_uphill", "critical_strength", "descends", "share_changed",
    "dominated", "precision_at_k", "memory_bytes", "relative_distortion", "adc_distance",
    "average_precision", "share_of_perfect", "fewest_bits", "expected_hits", "ap_at", "honest_score",
    "standard_error", "sampled_loss", "hard_candidates", "penalty_gradient", "pull_gradient", "bias_of",
    "merge_top", "choose_nprobe", "index_bytes", "what_is_left",
    "place_propensity", "clicks_per_look", "search_codes", "search_in_blocks",
)  # fmt: skip
_WHOLE = (
    "nearest_rows", "vector_bytes", "assign_cells", "encode_one", "code_size", "residual_code", "beam_code",
    "memory_bytes", "fewest_bits", "hard_candidates", "merge_top", "choose_nprobe", "index_bytes",
    "search_codes", "search_in_blocks",
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """Changes that do nothing, where, and why."""

    pattern: str
    reason: str
    exercises: tuple[str, ...] = ()

    def covers(self, exercise: str, change: str) -> bool:
        """Whether the rule speaks of that change of that exercise."""
        fits = not self.exercises or exercise in self.exercises
        return fits and re.fullmatch(self.pattern, change) is not None


RULES = (
    Rule(r"np\.bincount\((rank\[randomised\]|item, weights=looks\[rank\]), minlength=\w+\) -> .+",
         "every place and every film was shown", ("place_propensity", "clicks_per_look")),
    Rule(r"\(?(.+?)\)? - \(?(.+?)\)? -> \(?\2\)? - \(?\1\)?",
         "the difference is squared, or its length taken", _SIGNLESS),
    Rule(r".+ - .+ -> abs\(.+\)", "the difference is squared, or its length taken", _SIGNLESS),
    Rule(r".+ -> abs\(.+\)", "a size, a product of sizes, or a squared length is not negative",
         tuple({*_NOT_NEGATIVE} - {"goes_uphill", "descends", "hard_candidates"})),
    Rule(r".+ -> (return )?np\.abs\(.+\)", "the right value is never negative", _NOT_NEGATIVE),
    Rule(r".+ -> (return )?np\.(asarray\(.+\)\.astype\(int\)|round\(.+\))", "the right values are whole",
         _WHOLE),
    Rule(r".+ -> (return )?np\.sort\(.+, axis=0\)", "the item numbers rise already", ("hard_candidates",)),
    Rule(r"(for .+ in |.*)?(.+) -> (for .+ in list\(.+\)\[::-1\].*|.+\[::-1\])",
         "a sum, a count, a mean, a smallest one or a dictionary does not depend on the order",
         ("squared_distance", "recall_at_k", "mean_distortion", "move_codewords", "adc_distances",
          "place_propensity", "clicks_per_look",
          "residual_code", "beam_code", "additive_distances", "one_round", "bias_of", "share_changed",
          "dominated", "precision_at_k", "adc_distance", "average_precision", "share_of_perfect",
          "fewest_bits", "may_stand_beside", "expected_hits", "ap_at", "honest_score", "sampled_loss",
          "hard_candidates", "choose", "what_is_left", "run_kmeans", "search_codes",
          "search_in_blocks")),
    Rule(r"zip\((.+), (.+), strict=True\) -> zip\(\2, \1, strict=True\)",
         "what is done with a pair is symmetric",
         ("squared_distance", "recall_at_k", "bias_of", "share_changed", "dominated", "run_kmeans")),
    Rule(r"(.+)\((.+), (.+)\) -> \1\(\3, \2\)",
         "a product, a cosine, an overlap of two sets of one size, an "
         "order by distance, a maximum or a set of numbers is symmetric",
         ("recall_at_k", "move_codewords", "beam_code", "descends", "choose", "replace_gradient", "bias_of",
          "goes_uphill", "ap_at", "standard_error", "sampled_loss", "hard_candidates", "search_in_blocks")),
    Rule(r"(.+) @ (.+) -> \(?\2\)? @ \(?\1\)?", "the product of two vectors is symmetric",
         ("additive_distances", "critical_strength", "replace_gradient", "bias_of")),
    Rule(r"\((.+), (.+)\) -> \(\2, \1\)", "zeros of two kinds, or a matrix that is symmetric",
         ("average_precision", "ap_at", "standard_error")),
    Rule(r"\(.+, .+, ?.*\) -> \(.+\)", "differences are looked for in any order", ("may_stand_beside",)),
    Rule(r"\('pre_training', 'second_hand'\) -> .+", "a set has no order", ("may_stand_beside",)),
    Rule(r".+sum\(axis=(-1|[12])\) -> .+mean\(axis=(-1|[12])\)",
         "dividing by dim changes no order and no sign",
         ("assign_cells", "revive_dead", "encode_one", "residual_code", "beam_code", "one_round",
          "goes_uphill", "run_kmeans", "search_codes", "search_in_blocks")),
    Rule(r"\(\(c - z\) \*\* 2\)\.sum\(\) -> \(\(c - z\) \*\* 2\)\.mean\(\)",
         "dividing by dim changes no order and no sign", ("choose",)),
    Rule(r"np\.dot\(a, a \+ b\) / .+ -> .+|a \+ b -> .+|-g / np\.linalg\.norm\(g\) -> -g.*"
         r"|_rows_of_one\(c - z\) -> c - z",
         "a positive factor moves no sign, and only the sign is asked for",
         ("goes_uphill", "descends")),
    Rule(r"(directions @ -g / .+) / np\.linalg\.norm\(g\) -> \1( \* np\.linalg\.norm\(g\))?",
         "|g| is the same for all candidates, and positive", ("choose",)),
    Rule(r"(np\.array|np\.stack|np\.float32|np\.float64)\((.+)\) -> \2",
         "a list, or another kind of float, "
         "of the same numbers"),
    Rule(r"\(?(.+?)\)?\.astype\(.+\) -> \1", "another kind of number, of the same values",
         ("lookup_table", "move_codewords", "encode_one")),
    Rule(r"np\.sqrt\((.+)\) -> \1", "roots keep the order", ("encode_one",)),
    Rule(r"(.+)\(axis=1\) -> \1\(\)|(.+), axis=1\) -> \2\)",
         "the last axis is the default, or the only one",
         ("nearest_rows", "honest_score", "search_in_blocks")),
    Rule(r"k - 1 -> k|k - 1 -> k \+ 1|k - 1 -> k - 2 \* 1|1 -> [02]",
         "the partition only has to keep the k "
         "nearest in front, and the rows are sorted afterwards", ("nearest_rows",)),
    Rule(r"(.+) / (.+) -> \1 // \2|(.+) // (.+) -> \3 / \4",
         "the bits of every case fill whole bytes; what "
         "happens to a part of a byte is asked in 03.2", ("vector_bytes", "memory_bytes")),
    Rule(r"\(found\[:, :, None\] == true\[:, None, :\]\)\.any\(axis=1\) -> .+\.any\(axis=2\)",
         "both sets have k members, so the shares of hits are the same", ("recall_at_k",)),
    Rule(r"\(:, None, :\) -> \(:, None\)", "a last axis that is not named stays", ("recall_at_k",)),
    Rule(r"set\((.+)\) -> \1|np\.unique\((.+)\) -> \2",
         "a cell that is met twice gets the same mean twice, "
         "and a list can be searched like a set",
         ("move_codewords", "one_round", "hard_candidates", "may_stand_beside")),
    Rule(r"member\.sum\(.+\) -> .+", "the same arguments in another order", ("move_codewords",)),
    Rule(r"np\.maximum\(counts, 1\) -> .+|1 -> [02]|0 -> 1", "what is divided by there belongs to cells "
         "without points, and is thrown away", ("move_codewords", "run_kmeans")),
    Rule(r"-1\.0 -> 1\.0|1\.0 -> 2\.0|1\.0 -> 0\.0", "a point that was used needs a number below all "
         "distances, and 0 or -2 are as good as -1", ("revive_dead",)),
    Rule(r"K - 1 -> 1 - K", "bit_length asks for the size only", ("code_size", "memory_bytes")),
    Rule(r"_stages\(z, books, (.+), score\) -> _stages\(z, books, \1\)", "the helper's own default",
         ("residual_code",)),
    Rule(r"torch\.cdist\(left\[None\], book\)\[0\] -> torch\.cdist\(left\[None\], book\)|0 -> -1",
         "a table of one row: the first, the last and the only one",
         ("residual_code", "rotate_quantize", "sampled_loss")),
    Rule(r"\(R @ z\)\[None\] -> \(R @ z\)\[None\]\[::-1\]", "a single row, reversed", ("rotate_quantize",)),
    Rule(r"(squared\[j\] < smallest|n_relevant < R) -> .+ <= .+", "the two are different, or it makes no "
         "difference which is taken", ("beam_code", "ap_at")),
    Rule(r"(uphill|cosine) > 0 -> .+ >= 0", "at 0 the division by 0 gives inf as well",
         ("critical_strength",)),
    Rule(r"float\((.+)\) -> \1", "another kind of float", ("critical_strength",)),
    Rule(r"m >= exact - loss - 1e-12 -> .+|exact - loss - 1e-12 -> .+|1e-12 -> .+",
         "nothing lies within 2e-12 of the limit but the limit itself", ("fewest_bits",)),
    Rule(r"return 0 -> .+|0 -> -?1", "never reached: in every case some code is good enough",
         ("fewest_bits",)),
    Rule(r"return 0\.0 -> .+", "zero, however it is written", ("average_precision", "ap_at")),
    Rule(r"1 -> 2", "both sums count double, and their ratio stays", ("average_precision",)),
    Rule(r"distances < edge -> distances <= edge", "all tied ones in, less the mean for each that is too "
         "many: the same number", ("expected_hits",)),
    Rule(r"(.+)sum\(axis=-1\) -> \1sum\(axis=2\)", "the last axis, however it is counted",
         ("run_kmeans",)),
    Rule(r"(.+) if group else old -> \1 or old", "the means of an empty group are an empty list",
         ("run_kmeans",)),
    Rule(r"1 -> 2", "to reshape, any negative length means: as many as are left", ("search_codes",)),
    Rule(r"k - 1 -> (1|k - 2 \* 1)|some\[distances\[some\]\.argsort\(\)\] -> some",
         "how much a partition sorts on the way depends on the processor", ("search_codes",)),
    Rule(r"(np\.argpartition\(.+\)\[:k\]) -> \1\[::-1\]", "they are sorted afterwards",
         ("search_codes",)),
    Rule(r"for i in range\(len\(z\)\): .+ -> for i in list\(range\(len\(z\)\)\)\[::-1\].+"
         r"|lengths\.argsort\(\)\[:n\] -> .+\[::-1\]|codewords\[None\] -> .+\[::-1\]",
         "neither the order of the rows nor that of the candidates matters", ("snap_batch",)),
    Rule(r"\(ways \*\* 2\)\.sum\(axis=1\) -> .+mean.+|lengths \+ 1e-30 -> 2 \* .+",
         "a factor common to all cosines", ("snap_batch",)),
    Rule(r"1e-12 -> 1e-24|lengths \+ 1e-30 -> lengths .+|1e-30 -> .+",
         "any tiny number keeps 0 from dividing 0", ("snap_batch",)),
    Rule(r"(np\.maximum|torch\.cosine_similarity)\((.+), ([^=]+)(, dim=2)?\) -> \1\(\3, \2(, dim=2)?\)",
         "a maximum and a cosine are symmetric", ("snap_batch",)),
    Rule(r"codewords\[None\] -> codewords|np\.sort\(lengths, axis=1\) -> np\.sort\(lengths\)",
         "NumPy adds the axis in front, and the last axis is the default", ("snap_batch",)),
    Rule(r"(2 \* strength|n - 1) -> abs\(.+\)", "neither is negative", ("snap_batch",)),
    Rule(r"(for .+ in |.*)?(.+) -> (for .+ in list\(.+\)\[::-1\].*|.+\[::-1\])|sorted\((.+)\) -> \4",
         "a mean does not depend on the order, and the mean of differences is the difference of means",
         ("fair_difference",)),
    Rule(r"(factor \* .+|n - 1|n \* \(n - 1\)|one - mean) -> (abs\(.+\)|mean - one)",
         "a size is not negative, or the difference is squared", ("fair_difference",)),
    Rule(r"for .+ in .+: .+ -> for .+ in list\(.+\)\[::-1\].+|parts\[code == k, m\] -> .+\[::-1\]",
         "rounds are only counted; subspaces, codewords and the members of a cell have no order",
         ("learn_rotation",)),
    Rule(r"\(\(parts.+ \*\* 2\)\.sum\(axis=2\) -> .+mean\(axis=2\)", "dividing by d changes no order",
         ("learn_rotation",)),
    Rule(r"(parts.+) - (codebooks.+) -> (abs\(.+\)|\2 - \1)", "the difference is squared",
         ("learn_rotation",)),
    Rule(r"\(?[Mm] (\* d|\+ 1\) \* d) -> abs\(.+\)", "a size is not negative", ("learn_rotation",)),
    Rule(r"np\.zeros\(parts\.shape\) -> np\.ones\(.+\)|np\.unique\(code\) -> code",
         "every row is written over; a cell met twice gets the same mean twice", ("learn_rotation",)),
    Rule(r"1 -> 2", "to reshape, any negative length means: as many as are left", ("learn_rotation",)),
    Rule(r"np\.maximum\(counts, 1\) -> .*counts.*|counts\.clamp\(min=1\) -> counts|1 -> 0",
         "what is divided by 0 there belongs to cells without vectors, and is thrown away",
         ("learn_rotation",)),
    Rule(r"(.+)\.transpose\((\d), (\d)\) -> \1\.transpose\(\3, \2\)", "PyTorch swaps two axes",
         ("learn_rotation",)),
    Rule(r"torch\.cdist\(parts, books, .+\) -> torch\.cdist\(parts, books\)",
         "another way to the same distances", ("learn_rotation",)),
    Rule(r"\('training' in noted and |'training' in noted and .+ -> .+|'hand' in noted and .+ -> .+",
         "the helper is asked with all its notes here", ("may_stand_beside",)),
    Rule(r"\{\(k, ours\[k\]\) for k in _ASKS\} <= set\(theirs\.items\(\)\) -> .+",
         "theirs always has more fields", ("may_stand_beside",)),
    Rule(r"\(a - b\)\.std\(ddof=1\) -> \(a - b\)\.std\(\)|1 -> 0", "Q or Q - 1: either will do, says the "
         "exercise", ("standard_error",)),
    Rule(r"(times|items)\[order\] -> .+\[1:\]|for t, i in .+\[:-1\] if .+|hidden\[0\] -> "
         r"hidden\[0\]\[:-1\]",
         "the places are counted from the end, and the last event is always hidden",
         ("profile_and_hidden",)),
    Rule(r"(ids\[order\]|i\.ravel\(\)\[.+\]) -> .+\[:-1\]", "the farthest item of all lists is never among "
         "the k nearest", ("merge_top",)),
    Rule(r"table\[np\.arange\(.+\), codes\]\.sum\(axis=1\) -> .+mean\(axis=1\)",
         "dividing by M changes no order", ("search_shards",)),
    Rule(r"(np\.argsort\(distances, kind='stable'\))\[:k\] -> \1(\[:k\]\[::-1\])?|:k -> :(k \+ 1)?",
         "the merged list is sorted and cut: a shard may hand over more, and in any order",
         ("search_shards",)),
    Rule(r"for .+ in .+ -> for .+ in list\(.+\)\[::-1\].*",
         "shards may come in any order, and a sum has none", ("search_shards",)),
    Rule(r"np\.append\((.+), (.+)\) -> np\.append\(\2, \1\)|.+ -> .+\[::-1\].*",
         "films are left out, drawn and added up in any order, and loops only count", ("sampled_step",)),
    Rule(r".+ -> abs\(.+\)", "chances and losses are not negative", ("sampled_step",)),
    Rule(r"near\.sum\(\) -> near\.(mean|max)\(\)", "it is asked whether any film is left",
         ("sampled_step",)),
    Rule(r"nu \* free -> nu( / free)?", "it is looked up for films that were drawn, where free is 1",
         ("sampled_step",)),
    Rule(r"logits\[None\] -> logits", "PyTorch takes one row without its axis as well",
         ("sampled_step",)),
    Rule(r"for (_ in|weight, gradient in) .+ -> for \1 list\(.+\)\[::-1\]: .+",
         "rounds are only counted, and the weights move independently", ("train_in_turns",)),
    Rule(r"n \* len\(batches\) -> abs\(.+\)", "a count is not negative", ("train_in_turns",)),
    Rule(r"for .+ in .+ -> for .+ in list\(.+\)\[::-1\].*|relevant\[tied\] -> .+\[::-1\]",
         "a mean over queries has no order, and the right items of a tie are counted only",
         ("honest_map",)),
    Rule(r".+ -> (return )?(np\.)?abs\(.+\)|(np\.)?max(imum)?\(.+\) -> (np\.)?max(imum)?\(1, .+\)"
         r"|\(0, 0, 0\.0\) -> .+",
         "none is negative (r - 1 where r is 0 is multiplied by 0), and a maximum is symmetric",
         ("honest_map",)),
    Rule(r"r\.sum\(\) -> r\.(mean|max)\(\)", "it is asked whether anything is right", ("honest_map",)),
    Rule(r"1 -> 0", "no list at all finds nothing, so one is tried next", ("choose_nprobe",)),
)  # fmt: skip


def reason_of(exercise: str, change: str) -> str | None:
    """Why a change does nothing; None where nobody has said so."""
    return next((rule.reason for rule in RULES if rule.covers(exercise, change)), None)
