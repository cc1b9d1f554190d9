"""The two linear fits that families share: ridge for numbers and vectors, multinomial logistic regression for classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def linear_fit(x: Any, y: npt.NDArray[Any], weight: Floats, strength: float, classes: int) -> tuple[Floats, Floats]:
    """Coefficients (outputs, columns) and intercepts (outputs,) of the L2-penalised fit of ``y`` on ``x``.

    ``x``: float64 (n, columns), dense or SciPy's CSR, without NaN. ``y``: as in :class:`Learner`; class indices where
    ``classes`` > 0, else numbers (n,) or (n, outputs). ``strength``: ridge's alpha, or the inverse of logistic
    regression's C. Of classes there is one output each, in declared order; one never seen has the intercept -inf.
    scikit-learn solves a dense ridge directly, a sparse one by conjugate gradients to a relative 1e-4.
    """
    found = _logistic(x, y, weight, strength, classes) if classes else _ridge(x, y, weight, strength)
    # In one memory layout, before saving and after loading: the layout decides the order in which a row is summed.
    return np.ascontiguousarray(found[0]), found[1]


def outputs(kind: str, scores: Floats) -> dict[str, Floats]:
    """The named outputs of a target of ``kind`` from linear scores (n, outputs); probabilities are their softmax."""
    if kind == "class":
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        return {"probabilities": exponents / exponents.sum(axis=1, keepdims=True)}
    return {"vector": scores} if kind == "vector" else {"mean": scores[:, 0]}


def _ridge(x: Any, y: Floats, weight: Floats, strength: float) -> tuple[Floats, Floats]:
    from sklearn.linear_model import Ridge  # a second to import

    fitted = Ridge(alpha=strength).fit(x, y, sample_weight=weight)
    return np.atleast_2d(fitted.coef_), np.atleast_1d(fitted.intercept_)


def _logistic(x: Any, y: Floats, weight: Floats, strength: float, classes: int) -> tuple[Floats, Floats]:
    """Coefficients in the places of the declared classes; those never seen keep probability 0."""
    from sklearn.linear_model import LogisticRegression  # a second to import

    seen = np.unique(y).astype(int)
    coefficients, intercept = np.zeros((classes, x.shape[1])), np.full(classes, -np.inf)
    intercept[seen] = 0.0
    if len(seen) > 1:
        fitted = LogisticRegression(C=1 / strength, max_iter=1000).fit(x, y, sample_weight=weight)
        # Of two classes scikit-learn fits the second against the first.
        placed = seen[1:] if len(seen) == 2 else seen
        coefficients[placed], intercept[placed] = fitted.coef_, fitted.intercept_
    return coefficients, intercept
