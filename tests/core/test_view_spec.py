from __future__ import annotations

import pytest

from watertight.core.errors import Misuse
from watertight.core.view_spec import TAG, ViewSpec, evidence_column, spec_of

SPECS = [
    ViewSpec(kernel="lexical", derived_from="content", join_key="text_id", texts={"a_id": "text_a", "b_id": "text_b"}),
    ViewSpec(kernel="temporal", derived_from="labels", join_key="user_id", labels=("valence",), options={"keep": 8, "é": [1.5]}),
    ViewSpec(kernel="labelled_texts", derived_from="labels", join_key="user_id", labels=("valence",), labelled_texts=("text_a",)),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kernel)
def test_a_declaration_survives_the_tags_of_a_view(spec: ViewSpec) -> None:
    assert spec_of("mine", {"owner": "us", **spec.tags()}) == spec
    assert all(isinstance(value, str) for value in spec.tags().values())


def test_a_view_without_our_tag_is_not_ours() -> None:
    assert spec_of("theirs", {"owner": "us"}) is None


def test_a_wrong_declaration_names_the_view() -> None:
    with pytest.raises(Misuse, match=r"(?s)view 'mine' has 2 error.*kernal: unknown key; did you mean 'kernel'"):
        spec_of("mine", {TAG: '{"kernal": "x", "derived_from": "labels", "join_key": "k"}'})


def test_the_evidence_column_is_of_the_view() -> None:
    assert evidence_column("judge_history") == "judge_history__source_at"
