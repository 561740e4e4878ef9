"""All words that widgets drawn in the page say: for whoever translates them.

They stand in `page_words.json`, which the scripts of the page get as `WORDS`; {0}, {1} ... are filled in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WORDS: dict[str, Any] = json.loads((Path(__file__).parent / "page_words.json").read_text("utf-8"))


def words(*sections: str) -> str:
    """Give a script its words.

    Parameters
    ----------
    *sections : str
        Which of them.

    Returns
    -------
    str
        A line of JavaScript.
    """
    chosen = {name: WORDS[name] for name in sections}
    return f"const WORDS = {json.dumps(chosen, ensure_ascii=False)};"
