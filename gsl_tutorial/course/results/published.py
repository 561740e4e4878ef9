"""Published mAP on CIFAR-10, none without its protocol, its pre-training and how we know of it.

A `Published` cannot be made without them, and every text it gives of itself names them. Grade A: we
read the figure in the repository, issue or page named as the source. Grade B: second-hand, read in a
later text; it is never printed without that word. Figures that we know otherwise are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from string import ascii_lowercase
from types import MappingProxyType
from typing import Literal

from gsl_tutorial.course.datasets import PROTOCOLS
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name

#: Protocols of others for which this package has no code, and what is known of them.
FOREIGN = {
    "P2 family": "P2 or one much like it; which, we could not check",
    "DPQ 1": "the first protocol of the DPQ paper; not checked",
    "10k/50k/50k": "10,000 queries, 50,000 to train on without labels, 50,000 in the database",
}
UNNAMED = "cut not named"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A row of somebody's table: mAP by bits, and what must stand beside it.

    Parameters
    ----------
    method, encoder : str
        What they are called in the source.
    pre_training : str
        "ImageNet" or "none".
    protocol : str
        A code of `datasets.PROTOCOLS` or of `FOREIGN`.
    metric : str
        Which mAP, "cut not named" where the source does not say.
    maps : mapping of int to float
        Bits, and mAP from 0 to 1.
    grade : str
        "A", read in the source itself; or "B", known from a later text only.
    source : str
        Where the figures stand.
    note : str
        What else to know.

    Raises
    ------
    UnknownNameError
        For another pre-training, protocol or grade.
    InvalidInputError
        Where a field is empty, or a figure is no mAP.
    """

    method: str
    encoder: str
    pre_training: str
    protocol: str
    metric: str
    maps: Mapping[int, float]
    grade: Literal["A", "B"]
    source: str
    note: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "maps", MappingProxyType(dict(self.maps)))
        for field in fields(self):
            if field.name != "note" and not getattr(self, field.name):
                raise InvalidInputError(
                    f"a published figure with its {field.name}", "none", "find it out, or leave it"
                )
        check_name("grade", self.grade, ("A", "B"))
        check_name("pre-training", self.pre_training, ("ImageNet", "none"))
        check_name("protocol", self.protocol, (*PROTOCOLS, *FOREIGN))
        for bits, value in self.maps.items():
            if bits < 1 or not 0 < value < 1:
                raise InvalidInputError(
                    "bits and an mAP between 0 and 1", f"{bits}: {value}", "look at the source"
                )

    @property
    def second_hand(self) -> bool:
        """Whether we have the figure from a later text only."""
        return self.grade == "B"

    @property
    def how_known(self) -> str:
        """The source, with the word that a second-hand figure must carry."""
        return f"second-hand: {self.source}" if self.second_hand else f"read in {self.source}"

    def __str__(self) -> str:
        maps = ", ".join(f"{bits} bits {value:.3f}" for bits, value in self.maps.items())
        text = (
            f"{self.method}, {self.encoder}, pre-trained: {self.pre_training}, protocol "
            f"{self.protocol}, {self.metric}: {maps} ({self.how_known})"
        )
        return f"{text}; {self.note}" if self.note else text


_TEST_PICKED = "that code keeps the epoch that is best on the test queries"


def _row(
    method: str, encoder: str, pre_training: str, protocol: str, metric: str,
    maps: dict[int, float], grade: Literal["A", "B"], source: str, note: str = "",
) -> Published:  # fmt: skip
    return Published(
        method=method, encoder=encoder, pre_training=pre_training, protocol=protocol,
        metric=metric, maps=maps, grade=grade, source=source, note=note,
    )  # fmt: skip


_SWUXYJ = "swuxyj/DeepHash-pytorch"
_NOTES = "a later text; the paper itself was not at hand"
#: All rows we know, those nearest to protocol P2 first.
PUBLISHED: tuple[Published, ...] = (
    _row("GreedyHash", "AlexNet", "ImageNet", "P2", "mAP@all", {48: 0.932}, "A",
         f"{_SWUXYJ}, README", _TEST_PICKED),
    _row("PQN (2018)", "AlexNet", "ImageNet", "P2 family", UNNAMED, {16: 0.947, 48: 0.947}, "B",
         _NOTES),
    _row("DPQ (2019)", "an ImageNet network", "ImageNet", "P2 family", UNNAMED, {48: 0.951}, "B",
         _NOTES),
    _row("DSH (2016)", "3 convolutions", "none", "P0", "mAP@all", {12: 0.616, 48: 0.676}, "A",
         "yg33717/DSH_tensorflow, issue 4", "every query finds itself"),
    _row("SUBIC (2017)", "3 convolutions", "none", "DPQ 1", "mAP of 21 points", {48: 0.686}, "B",
         _NOTES, "interpolated at 21 recalls"),
    _row("DPQ (2019)", "3 convolutions", "none", "DPQ 1", UNNAMED, {48: 0.754}, "B",
         _NOTES),
    _row("PQN (2018)", "3 convolutions", "none", "DPQ 1", UNNAMED, {48: 0.786}, "B",
         _NOTES),
    _row("HashNet", "AlexNet", "ImageNet", "P1a", "mAP@all", {48: 0.782}, "A",
         f"{_SWUXYJ}, issue 17", "last epoch"),
    _row("DQN, paper", "AlexNet", "ImageNet", "P1a", "mAP@54000", {32: 0.564}, "A",
         "thulab/DeepHash, issue 29"),
    _row("DQN, other code", "AlexNet", "ImageNet", "P1a", "mAP@54000", {32: 0.674}, "A",
         "thulab/DeepHash, issue 29"),
    _row("DPSH (2016)", "VGG-F", "ImageNet", "P1b", "mAP@all",
         {12: 0.713, 24: 0.727, 32: 0.744, 48: 0.757}, "A", "jiangqy/DPSH-pytorch, README"),
    _row("DPSH, other code", "VGG-11", "ImageNet", "P1b", UNNAMED,
         {12: 0.766, 24: 0.804, 32: 0.807, 48: 0.811}, "A", "jiangqy/DPSH-pytorch, README"),
    _row("HashNet", "AlexNet", "ImageNet", "P1b", "mAP@all", {48: 0.794}, "A",
         f"{_SWUXYJ}, issue 17", "last epoch"),
    _row("GreedyHash", "AlexNet", "ImageNet", "P1b", "mAP@all", {48: 0.817}, "A",
         f"{_SWUXYJ}, README", _TEST_PICKED),
    _row("CSQ", "AlexNet", "ImageNet", "P1b", UNNAMED, {64: 0.790}, "A", f"{_SWUXYJ}, CSQ.py"),
    _row("OrthoHash", "AlexNet", "ImageNet", "P1b", UNNAMED, {64: 0.824}, "A",
         "kamwoh/orthohash, README"),
    _row("MeCoQ (2022), ADC", "VGG16", "ImageNet", "10k/50k/50k", "mAP@1000",
         {16: 0.688, 32: 0.702, 64: 0.702}, "A", "gimpong/AAAI22-MeCoQ, README", "no labels used"),
    _row("MeCoQ (2022), SDC", "VGG16", "ImageNet", "10k/50k/50k", "mAP@1000",
         {16: 0.660, 32: 0.692, 64: 0.694}, "A", "gimpong/AAAI22-MeCoQ, README", "no labels used"),
)  # fmt: skip

#: The same with the letter that stands beside its points in pictures.
LETTERED = dict(zip(ascii_lowercase, PUBLISHED, strict=False))


def as_markdown() -> str:
    """The rows as a table, letter first; every line says protocol, pre-training and source."""
    lines = [
        "| | method | encoder | pre-trained | protocol | metric | mAP at bits | known from |",
        "| --- " * 8 + "|",
    ]
    for letter, one in LETTERED.items():
        maps = ", ".join(f"{bits}:\u00a0{value:.3f}" for bits, value in one.maps.items())
        cells = (letter, one.method, one.encoder, one.pre_training, one.protocol, one.metric, maps)
        known = f"{one.how_known}; {one.note}" if one.note else one.how_known
        lines.append(f"| {' | '.join(cells)} | {known} |")
    return "\n".join(lines)
