"""Beam search for the nearest sums of codewords, one from each codebook.

An additive code cannot be found piece by piece: the best codeword of one stage depends on the others,
and all of them together are as hard as K^M. A beam keeps the `width` best partial sums from stage to
stage. Further sweeps go through the stages again, free one codeword of each sum at a time and choose
it anew, given the others: that is the local search of additive quantizers (iterated conditional
modes), done on a whole beam. Since the present codeword is among the choices, a sweep never loses.

Sources: Babenko and Lempitsky, "Additive quantization for extreme vector compression", 2014 (beam);
Martinez, Clement, Hoos and Little, "Revisiting additive quantization", 2016 (local search). Changed
here: the two are one loop, in torch, on the device of the vectors.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def beam_search(
    z: Float[Tensor, "N dim"], codebooks: Float[Tensor, "M K dim"], *, width: int, sweeps: int = 0
) -> Int[Tensor, "N width M"]:
    """Return the codes of the best sums found, nearest first, no code twice.

    `width` is cut to K^M, all there are. The largest arrays are (N, width, K) and (N, width, dim);
    the time is that of (1 + sweeps) M matrix products.
    """
    M, K, _ = codebooks.shape
    # Around the mean codeword: far from the origin the squares would drown the differences.
    centres = codebooks.mean(dim=1)
    around = codebooks - centres.unsqueeze(1)
    squares = around.square().sum(2)
    codes = torch.zeros(len(z), 1, M, dtype=torch.long, device=z.device)
    residual = z.unsqueeze(1)  # (N, beam, dim): what the sums still miss

    for step in range(M * (1 + sweeps)):
        m, beam = step % M, codes.shape[1]
        first_visit = step < M
        if not first_visit:  # take this stage's codeword out of each sum
            residual = residual + codebooks[m][codes[:, :, m]]
            codes[:, :, m] = 0
        # |r - c|^2, for all codewords of this stage at once.
        residual = residual - centres[m]
        scores = (residual @ around[m].T).mul_(-2).add_(squares[m])
        scores += residual.square().sum(2, keepdim=True)
        if not first_visit:  # sums that differed only here would offer the same sums twice
            scores.masked_fill_(_repeated(codes).unsqueeze(2), torch.inf)
        kept = min(width, beam * K) if first_visit else beam
        best = scores.flatten(1).topk(kept, dim=1, largest=False).indices
        parent, codeword = best // K, best % K
        codes = codes.gather(1, parent.unsqueeze(2).expand(-1, -1, M))
        codes[:, :, m] = codeword
        residual = residual.gather(1, parent.unsqueeze(2).expand(-1, -1, z.shape[1]))
        residual = residual - around[m][codeword]
    return codes


def _repeated(codes: Int[Tensor, "N beam M"]) -> Tensor:
    """(N, beam) True where an earlier row of the same beam holds the same code."""
    same = (codes.unsqueeze(2) == codes.unsqueeze(1)).all(3)
    return same.tril(diagonal=-1).any(2)
