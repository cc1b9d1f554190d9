"""TF-IDF of words and characters, then a linear model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from safetensors.numpy import load_file, save_file
from scipy.sparse import hstack

from watertight.core.contract import Target
from watertight.core.errors import Misuse, Refusal
from watertight.core.tables import read_json, write_json
from watertight.learners.family import Options, Outputs
from watertight.learners.linear_fit import Floats, linear_fit, outputs
from watertight.learners.matrix import Matrix
from watertight.learners.ngrams import Analyzer, Span, ngrams

MODEL, VOCABULARY = "model.safetensors", "vocabulary.json"


class TfidfOptions(Options):
    """``words`` and ``characters``: the shortest and the longest n-gram. ``min_df``: in how many texts one must stand.

    ``strength`` of the L2 penalty: ridge's alpha, or the inverse of logistic regression's C.
    """

    words: Span = (1, 2)
    characters: Span = (2, 4)
    min_df: int = Field(default=2, ge=1)
    strength: float = Field(default=3.0, gt=0)

    @model_validator(mode="after")
    def _spans_rise(self) -> TfidfOptions:
        if not all(1 <= low <= high for low, high in (self.words, self.characters)):
            raise ValueError("words and characters are [shortest, longest], at least 1")
        return self


@dataclass(frozen=True)
class _Block:
    """The n-grams of one kind in one text column, with their inverse document frequencies (n-grams,)."""

    column: str
    analyzer: Analyzer
    span: Span
    grams: list[str]
    idf: Floats

    def of(self, x: Matrix) -> Any:
        """TF-IDF, CSR float64 (rows, n-grams)."""
        return _weigher(self.idf).transform(self._counter.transform(_filled(x.texts[self.column])))

    @cached_property
    def _counter(self) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer  # a second to import

        return CountVectorizer(analyzer=self.analyzer, ngram_range=self.span, vocabulary=self.grams)


class Tfidf:
    """Salton & Buckley (1988): 1 + log of an n-gram's count, times log((1 + texts)/(1 + texts with it)) + 1.

    Scaled to length 1 per text column and kind of n-gram, as scikit-learn's TfidfVectorizer; word n-grams, and n-grams of
    characters within words. Then ridge for numbers and vectors, multinomial logistic regression for classes. A null text
    is an empty one. Features that are numbers are not read. Vocabulary and frequencies are of the rows that ``fit`` gets,
    and of these alone. A vector is fitted one component after the other.
    """

    kinds: ClassVar[tuple[str, ...]] = ("scalar", "class", "vector")

    def __init__(self, kind: str, classes: int, options: TfidfOptions) -> None:
        self.kind = kind
        self.classes = classes
        self.options = options
        self.blocks: list[_Block] = []
        self.coefficients = np.empty((0, 0))
        self.intercept = np.empty(0)

    @classmethod
    def declared(cls, target: Target, options: dict[str, Any]) -> Self:
        """A model that is not fitted yet."""
        return cls(target.kind, len(target.classes or ()), TfidfOptions.of("tfidf", options))

    def fit(self, x: Matrix, y: npt.NDArray[Any], weight: Floats, *, seed: int) -> Self:
        """Count, weigh, and fit; ``seed`` is not needed.

        Raises Misuse where the cell reads no text, Refusal where no n-gram stands in ``min_df`` of its texts.
        """
        if not x.texts:
            raise Misuse("family 'tfidf' needs texts", expected="`texts: [column, …]` in its cell")
        found = list(self._blocks(x))
        if not found:
            raise Refusal(
                f"no n-gram stands in {self.options.min_df} of {len(x.values)} texts",
                column=", ".join(x.texts),
                next_step="lower min_df, leave the target out of the cell, or bring rows with texts that carry it",
            )
        self.blocks = [block for block, _ in found]
        design = hstack([weighed for _, weighed in found], format="csr")
        self.coefficients, self.intercept = linear_fit(design, y, weight, self.options.strength, self.classes)
        return self

    def predict(self, x: Matrix) -> Outputs:
        """``mean``, ``probabilities`` or ``vector``, by the kind of target."""
        if not len(x.values):
            return outputs(self.kind, np.empty((0, len(self.intercept))))
        design = hstack([block.of(x) for block in self.blocks], format="csr")
        return outputs(self.kind, design @ self._columns + self.intercept)

    def save(self, folder: Path) -> None:
        """Write the numbers as safetensors; the n-grams in the order of the coefficients, and the options, as JSON."""
        idf = np.concatenate([block.idf for block in self.blocks])
        save_file({"coefficients": self.coefficients, "idf": idf, "intercept": self.intercept}, folder / MODEL)
        blocks = [{"column": b.column, "analyzer": b.analyzer, "span": b.span, "grams": b.grams} for b in self.blocks]
        told = {"kind": self.kind, "classes": self.classes, "options": self.options.model_dump(), "blocks": blocks}
        write_json(told, folder / VOCABULARY)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        told, arrays = read_json(folder / VOCABULARY), load_file(folder / MODEL)
        model = cls(told["kind"], told["classes"], TfidfOptions.of("tfidf", told["options"]))
        ends = np.cumsum([len(block["grams"]) for block in told["blocks"]])[:-1]
        frequencies = np.split(arrays["idf"], ends)
        model.blocks = [
            _Block(block["column"], block["analyzer"], tuple(block["span"]), block["grams"], idf)
            for block, idf in zip(told["blocks"], frequencies, strict=True)
        ]
        model.coefficients, model.intercept = arrays["coefficients"], arrays["intercept"]
        return model

    def _blocks(self, x: Matrix) -> Iterator[tuple[_Block, Any]]:
        """Each block with the TF-IDF of the rows that it was made from."""
        kinds: list[tuple[Analyzer, Span]] = [("word", self.options.words), ("char_wb", self.options.characters)]
        for column in sorted(x.texts):
            for analyzer, span in kinds:
                counts, grams = ngrams(analyzer, span).count(_filled(x.texts[column]), self.options.min_df)
                if grams:
                    weigher = _weigher().fit(counts)
                    yield _Block(column, analyzer, span, grams, weigher.idf_), weigher.transform(counts)

    @cached_property
    def _columns(self) -> Floats:
        """The coefficients, (n-grams, outputs); kept, since turning them costs more than a row."""
        return np.ascontiguousarray(self.coefficients.T)


def _filled(texts: Sequence[str | None]) -> list[str]:
    return [text or "" for text in texts]


def _weigher(idf: Floats | None = None) -> Any:
    """scikit-learn's; ready where the frequencies are known. It sums a row in one order, whatever stands beside it."""
    from sklearn.feature_extraction.text import TfidfTransformer  # a second to import

    weigher = TfidfTransformer(sublinear_tf=True)
    if idf is not None:
        weigher.idf_ = idf
    return weigher
