"""Read back what `Quantizer.save` wrote, whichever quantizer it was."""

from __future__ import annotations

from pathlib import Path

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.additive import AdditiveQuantizer
from gsl_tutorial.quantizers.base import Quantizer
from gsl_tutorial.quantizers.optimized import OptimizedProductQuantizer
from gsl_tutorial.quantizers.product import ProductQuantizer
from gsl_tutorial.quantizers.residual import ResidualQuantizer
from gsl_tutorial.storage import load_arrays
from gsl_tutorial.validation import check_name

_KINDS: dict[str, type[Quantizer]] = {
    kind.__name__: kind
    for kind in (
        ProductQuantizer,
        OptimizedProductQuantizer,
        ResidualQuantizer,
        AdditiveQuantizer,
    )
}


def load_quantizer(path: str | Path, *, sha256: str | None = None) -> Quantizer:
    """Return the quantizer in a file that `Quantizer.save` wrote, ready to encode.

    `usage_` and `distortion_` belong to the training vectors and are not in the file.

    Parameters
    ----------
    path
        The file.
    sha256
        The checksum of the right file, in hexadecimal; None: any file.

    Raises
    ------
    DataMissingError
        Without such a file.
    ChecksumError
        When its bytes are not those of `sha256`.
    InvalidInputError
        On a damaged file, another kind of file, or arrays whose sizes are not the ones that the
        file itself announces.
    UnknownNameError
        On an unknown quantizer.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> pq = ProductQuantizer(1, 2).with_codebooks([[[0.0, 1.0], [2.0, 3.0]]])
    >>> with TemporaryDirectory() as folder:
    ...     pq.save(folder + "/pq.safetensors")
    ...     load_quantizer(folder + "/pq.safetensors")
    PQ(1 x 2 codewords, 1 bits, given codebooks)
    """
    path = Path(path)
    arrays, header = load_arrays(path, sha256=sha256)
    if not isinstance(header, dict) or not {"quantizer", "parameters"} <= set(header):
        raise InvalidInputError(
            "a file that holds a quantizer",
            f"{path.name} with other contents",
            "pass a file that quantizer.save(path) wrote",
        )
    kind = _KINDS[check_name("quantizer", header["quantizer"], _KINDS)]
    try:
        quantizer = kind(**header["parameters"])
    except TypeError as error:
        raise InvalidInputError(
            f"parameters of {kind.__name__}", f"{error}", "save the quantizer again"
        ) from error
    return quantizer.with_arrays(arrays)
