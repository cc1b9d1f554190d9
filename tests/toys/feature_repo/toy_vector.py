"""Toy vector: what is known of a caption, and the images that it may be of."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import embedding_view, gallery_view, lexical_view

caption = Entity(name="caption", join_keys=["caption_id"], value_type=ValueType.STRING)
image = Entity(name="image", join_keys=["image_id"], value_type=ValueType.STRING)

lexical = lexical_view("toy_vector", entity=caption, texts={"caption_id": "text"})
embedding = embedding_view("toy_vector", entity=caption, texts={"caption_id": "text"})
gallery = gallery_view("toy_vector", entity=image, target="image", shown="text")

toy_vector = FeatureService(name="toy_vector", features=[lexical, embedding])
