"""Alignment: the vector of what a caption says; and the images that are to be found, which no service serves."""

from feast import Entity, FeatureService, ValueType

from watertight.features.views import embedding_view, gallery_view

caption = Entity(name="caption", join_keys=["caption_id"], value_type=ValueType.STRING)
image = Entity(name="image", join_keys=["image_id"], value_type=ValueType.STRING)

embedding = embedding_view("alignment", entity=caption, texts={"caption_id": "text"}, given="text_vector")
images = gallery_view("alignment", name="images", entity=image, target="image", shown="text")

alignment = FeatureService(name="alignment", features=[embedding])
