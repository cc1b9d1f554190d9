"""The statistics behind the checks of drift, against slow and obvious ones; and that they cry wolf no more than declared."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import kolmogorov
from scipy.stats import binom, chi2_contingency, ks_2samp
from sklearn.metrics import roc_auc_score

from watertight.checks.clusters import Clusters
from watertight.checks.domain_classifier import area, dealt
from watertight.checks.holm import holm
from watertight.checks.sampling import sampled
from watertight.checks.scalar_drift import drift
from watertight.checks.stability_index import binned, stability_index
from watertight.checks.text_measures import measured, scripts
from watertight.checks.two_samples import class_shares, kolmogorov_smirnov


def clustered(seed: int, before: int, after: int, shared: int, rows: float, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Side and group of each row: ``before`` and ``after`` groups, ``shared`` on both sides, of log-normal sizes."""
    rng = np.random.default_rng(seed)
    names = [np.arange(before), np.arange(before - shared, before - shared + after)]
    sizes = [np.maximum(1, rng.lognormal(np.log(rows), spread, len(side)).astype(int)) for side in names]
    group = np.concatenate([np.repeat(side, size) for side, size in zip(names, sizes, strict=True)])
    return np.arange(len(group)) >= sizes[0].sum(), group


def alike(seed: int, group: np.ndarray, columns: int, likeness: float) -> np.ndarray:
    """Normal numbers, float (rows, columns), whose intraclass correlation is ``likeness``."""
    rng = np.random.default_rng(seed)
    effects = rng.standard_normal((group.max() + 1, columns))[group]
    return np.sqrt(likeness) * effects + np.sqrt(1 - likeness) * rng.standard_normal((len(group), columns))


def most_alarms(level: float, trials: int) -> int:
    """No more than so many false alarms, at ``level``, but for one time in a thousand."""
    return int(binom.isf(0.001, trials, level))


SIDES = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.sampled_from([0.0, 1.0, 2.5, -1.0, float("nan")])), min_size=8)


def of(rows: list[tuple[bool, int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Side, group and value; with a row on each side, whatever was drawn."""
    rows = [*rows, (False, 0, 0.5), (True, 0, 0.5)]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), np.array([row[2] for row in rows])


@given(SIDES)
@settings(max_examples=100, deadline=None)
def test_the_distance_is_scipys_whatever_the_ties_and_nulls(rows: list[tuple[bool, int, float]]) -> None:
    new, group, values = of(rows)
    plain = np.nan_to_num(values, nan=-99.0)
    distance, p = kolmogorov_smirnov(values, Clusters.of(new, group))
    assert distance == pytest.approx(ks_2samp(plain[new], plain[~new]).statistic)
    assert 0 <= p <= 1


def test_where_every_row_is_a_group_the_test_is_the_plain_one() -> None:
    new, values = np.arange(900) >= 600, alike(0, np.arange(900), 1, 0)[:, 0] + 0.1 * (np.arange(900) >= 600)
    distance, p = kolmogorov_smirnov(values, Clusters.of(new, np.arange(900)))
    assert p == pytest.approx(float(kolmogorov(np.sqrt(600 * 300 / 900) * distance)), rel=0.05)


def test_where_every_row_is_a_group_shares_are_tested_by_scipys_g() -> None:
    new = np.arange(900) >= 600
    classes = np.random.default_rng(1).choice(3, 900, p=[0.2, 0.3, 0.5])
    statistic, p = class_shares(classes, Clusters.of(new, np.arange(900)))
    told = chi2_contingency(np.histogram2d(new, classes, bins=(2, 3))[0], correction=False, lambda_="log-likelihood")
    assert (statistic, p) == (pytest.approx(told.statistic), pytest.approx(told.pvalue, abs=0.01))


@given(SIDES)
@settings(max_examples=100, deadline=None)
def test_likeness_is_the_analysis_of_variance_in_loops(rows: list[tuple[bool, int, float]]) -> None:
    new, group, values = of(rows)
    clusters = Clusters.of(new, group)
    counts = clusters.counted((values > 0).astype(int), 2)
    assert clusters.likeness(counts) == pytest.approx(anova(new, group, values > 0), abs=1e-9)


def anova(new: np.ndarray, group: np.ndarray, hit: np.ndarray) -> float:
    """The intraclass correlation of an indicator within sides, from means of squares."""
    cells = [(side, one) for side in (False, True) for one in sorted(set(group[new == side]))]
    if len(cells) == len(new):
        return 0.0
    between = within = uneven = 0.0
    for side, one in cells:
        mine, all_of_side = hit[(new == side) & (group == one)].astype(float), hit[new == side]
        between += len(mine) * (mine.mean() - all_of_side.mean()) ** 2
        within += float(((mine - mine.mean()) ** 2).sum())
        uneven += len(mine) ** 2 / len(all_of_side)
    if len(cells) < 3 or between + within < 1e-9:
        return 1.0
    between, within = between / (len(cells) - 2), within / (len(new) - len(cells))
    typical = (len(new) - uneven) / (len(cells) - 2)
    return (between - within) / (between - within + typical * within) if between > within else 0.0


@pytest.mark.parametrize("likeness", [0.0, 0.3, 1.0])
def test_effective_rows_give_the_variance_of_a_mean_of_groups(likeness: float) -> None:
    new, group = clustered(0, 30, 20, 0, 6, 1.0)
    means = alike(1, group, 4000, likeness)[new].mean(axis=0)
    assert 1 / Clusters.of(new, group).effective(likeness)[1] == pytest.approx(means.var(), rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_holm_is_the_step_down_procedure(p: list[float]) -> None:
    for level in (0.01, 0.2):
        refused: set[int] = set()
        for step, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
            if p[place] * (len(p) - step) > level:
                break
            refused.add(place)
        assert set(np.flatnonzero(holm(p) <= level)) == refused


@given(SIDES)
@settings(max_examples=100, deadline=None)
def test_the_stability_index_is_the_sum_over_bins(rows: list[tuple[bool, int, float]]) -> None:
    new, _, values = of(rows)
    bins = binned(values, new)
    psi, grown = stability_index(bins, new)
    kinds, total, moves = sorted(set(bins)), 0.0, {}
    for kind in kinds:
        p, q = (((bins[new == side] == kind).sum() + 0.5) / ((new == side).sum() + 0.5 * len(kinds)) for side in (False, True))
        total, moves[kind] = total + (q - p) * np.log(q / p), q - p
    assert psi == pytest.approx(total)
    assert moves[grown] == pytest.approx(max(moves.values()))


def test_bins_are_tenths_of_the_reference_and_what_lies_beyond_it() -> None:
    new = np.arange(14) >= 10
    values = np.array([*range(10), -1.0, 4.0, 99.0, np.nan])
    assert binned(values, new).tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 6, 12, 0]


@given(SIDES)
@settings(max_examples=60, deadline=None)
def test_the_area_is_that_of_all_pairs_and_its_variance_that_of_groups(rows: list[tuple[bool, int, float]]) -> None:
    new, group, scores = of(rows)
    scores = np.nan_to_num(scores, nan=7.0)
    auc, low, high = area(scores, new, group, 0.05)
    assert auc == pytest.approx(roc_auc_score(new, scores))
    wins = (scores[new][:, None] > scores[~new]) + 0.5 * (scores[new][:, None] == scores[~new])
    shares = [
        (wins[group[new] == one] - auc).sum() / wins.size + (wins[:, group[~new] == one] - auc).sum() / wins.size
        for one in sorted(set(group))
    ]
    wide = np.sqrt(len(shares) / max(len(shares) - 1, 1) * np.square(shares).sum())
    assert (low == pytest.approx(auc)) == (wide < 1e-9 or auc == 0)
    assert 0 <= low <= auc <= high <= 1


def test_folds_keep_groups_whole_and_both_sides_in_each() -> None:
    new, group = clustered(3, 40, 12, 5, 6, 1.0)
    fold = dealt(new, group)
    assert fold is not None
    assert all(len(set(fold[group == one])) == 1 for one in set(group))
    assert all({False, True} == set(new[fold == number]) for number in range(5))
    assert dealt(np.array([False, False, True]), np.array([0, 1, 2])) is None


def test_a_sample_is_bounded_on_each_side_and_the_same_again() -> None:
    new = np.arange(1000) >= 990
    places = sampled(new, 50)
    assert (int((~new[places]).sum()), int(new[places].sum()), sorted(set(places)) == places.tolist()) == (50, 10, True)
    assert places.tolist() == sampled(new, 50).tolist()


def test_the_script_is_that_of_most_letters() -> None:
    texts = ["plain", "मन बहुत भारी है ok", "ok ok ok ok म", "привет", "12 !?", "", None, "今日は", "é ß"]
    assert scripts(pl.Series(texts)).to_list() == [None if text is None else by_name(text) for text in texts]
    assert scripts(pl.Series(texts)).to_list()[1:4] == ["Devanagari", "Latin", "Cyrillic"]


def by_name(text: str) -> str:
    """The script in which most letters of a text are, by their Unicode names; signs on letters count with them."""
    heads = [unicodedata.name(char).split()[0].title() for char in text if unicodedata.category(char)[0] in "LM"]
    heads = ["Han" if head == "Cjk" else head for head in heads]
    return max(dict.fromkeys(heads), key=heads.count) if heads else "none"


def test_common_words_are_those_that_most_groups_of_the_reference_use() -> None:
    texts = pl.Series(["We know we", "we know", "rare rare rare", "", None, "Know nothing"])
    found = measured(texts, np.array([0, 1, 2, 3, 4, 5]), np.array([False, False, False, False, False, True]))
    assert found["words"].to_list() == [3, 2, 3, 0, None, 2]
    assert found["common_words"].to_list() == [1.0, 1.0, 1.0, None, None, 0.5]


Family = Callable[[np.ndarray, Clusters], float]
AS_NUMBERS: Family = lambda values, clusters: kolmogorov_smirnov(values, clusters)[1]  # noqa: E731
AS_CLASSES: Family = lambda values, clusters: class_shares((values > 1).astype(int) + (values > 0), clusters)[1]  # noqa: E731


def alarms(
    test: Family, trials: int, columns: int, shape: tuple[int, int, int, float, float], likeness: float, level: float
) -> int:
    """In how many of so many clean data sets a column is called drifted."""
    count = 0
    for seed in range(trials):
        new, group = clustered(seed, *shape)
        clusters, values = Clusters.of(new, group), alike(seed + 10_000, group, columns, likeness)
        count += bool((holm([test(values[:, place], clusters) for place in range(columns)]) <= level).any())
    return count


def test_two_hundred_clean_drops_of_a_thousand_features_make_no_more_alarms_than_declared() -> None:
    assert alarms(AS_NUMBERS, 200, 1000, (40, 20, 5, 3, 0.8), 0.4, 0.05) <= most_alarms(0.05, 200)


@pytest.mark.parametrize("test", [AS_NUMBERS, AS_CLASSES], ids=["numbers", "classes"])
@pytest.mark.parametrize("likeness", [0.0, 0.2, 0.9])
@pytest.mark.parametrize("shape", [(60, 40, 20, 5, 1.0), (60, 10, 0, 8, 1.0), (150, 150, 0, 3, 0.3)], ids=str)
def test_nor_do_other_shapes_of_groups(test: Family, shape: tuple[int, int, int, float, float], likeness: float) -> None:
    assert alarms(test, 100, 20, shape, likeness, 0.05) <= most_alarms(0.05, 100)


def test_a_test_that_knows_no_groups_cries_wolf() -> None:
    count = 0
    for seed in range(20):
        new, group = clustered(seed, 40, 20, 5, 3, 0.8)
        values = alike(seed + 10_000, group, 200, 0.4)
        plain = [ks_2samp(values[new, place], values[~new, place], method="asymp").pvalue for place in range(200)]
        count += bool((holm(plain) <= 0.05).any())
    assert count > most_alarms(0.05, 20)


@pytest.mark.parametrize("shift", [0.8, 1.5])
def test_a_shift_is_found_through_the_groups(shift: float) -> None:
    new, group = clustered(5, 300, 200, 0, 5, 0.5)
    values = alike(6, group, 1, 0.3)[:, 0] + shift * new
    found = drift(pl.Series(values), Clusters.of(new, group))
    assert (found.test, found.p < 1e-5, found.psi > 0.25) == ("ks", True, True)


def test_one_new_group_is_no_drift_however_strange_it_is() -> None:
    new, group = clustered(5, 50, 1, 0, 30, 0.1)
    values = alike(6, group, 1, 0.3)[:, 0] + 50 * new
    assert drift(pl.Series(values), Clusters.of(new, group)).p > 0.01
    assert drift(pl.Series(values > 25), Clusters.of(new, group)).p > 0.01
