"""Perception: what is known of a reflection, and of its author, at the moment it is written."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import embedding_view, labelled_texts_view, lexical_view, now_view, scalars, temporal_view

LABELS = ["valence", "arousal"]
ANCHORS = {
    "joy": ["I am happy", "a wonderful day", "I feel joyful and content"],
    "sadness": ["I am sad", "I feel down and lonely", "everything is hopeless"],
    "anger": ["I am angry", "this makes me furious", "I hate this"],
    "fear": ["I am afraid", "I feel anxious and worried", "I am in a panic"],
    "surprise": ["I did not expect that", "what a surprise", "I am astonished"],
    "disgust": ["this is disgusting", "I feel revolted", "it makes me sick"],
    "calm": ["I feel calm", "a quiet and relaxed day", "I am at peace"],
    "excited": ["I am so excited", "full of energy", "I can not wait"],
}

reflection = Entity(name="reflection", join_keys=["reflection_id"], value_type=ValueType.STRING)
author = Entity(name="author", join_keys=["author_id"], value_type=ValueType.STRING)

lexical = lexical_view("perception", entity=reflection, texts={"reflection_id": "text"})
embedding = embedding_view("perception", entity=reflection, texts={"reflection_id": "text"}, anchors=ANCHORS)
history = temporal_view("perception", entity=author, labels=LABELS)
now = now_view("perception", state=history, labels=LABELS)
said = labelled_texts_view("perception", entity=author, texts=["text"], labels=LABELS)

perception = FeatureService(name="perception", features=[lexical, embedding, history[scalars(history)], now, said])
