"""Toy pair: one entity, the answer, and one view of it that is served twice, for either side of a pair."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import lexical_view

answer = Entity(name="answer", join_keys=["answer_id"], value_type=ValueType.STRING)

answers = lexical_view("toy_pair", entity=answer, texts={"answer_a": "text_a", "answer_b": "text_b"})
first = answers.with_name("toy_pair_a").with_join_key_map({"answer_id": "answer_a"})
second = answers.with_name("toy_pair_b").with_join_key_map({"answer_id": "answer_b"})

toy_pair = FeatureService(name="toy_pair", features=[first, second])
