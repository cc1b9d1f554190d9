"""Tiny: what is known of a note, and of its author, at the moment it is written. No encoder, so that it is quick."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import lexical_view, now_view, scalars, temporal_view

LABELS = ["mood", "energy"]

note = Entity(name="note", join_keys=["note_id"], value_type=ValueType.STRING)
author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.STRING)

lexical = lexical_view("tiny", entity=note, texts={"note_id": "text"})
history = temporal_view("tiny", entity=author, labels=LABELS)
now = now_view("tiny", state=history, labels=LABELS)

tiny = FeatureService(name="tiny", features=[lexical, history[scalars(history)], now])
