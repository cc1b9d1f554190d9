"""Judge: what is known of a response, of what was asked and of the metric that it is judged by."""

from feast import Entity, FeatureService, ValueType

from watertight.features.interaction_view import interaction_view
from watertight.features.views import embedding_view, lexical_view

ASKED = ["system_prompt", "user_prompt"]

prompt = Entity(name="prompt", join_keys=["prompt_id"], value_type=ValueType.STRING)
response = Entity(name="response", join_keys=["response_id"], value_type=ValueType.STRING)
metric = Entity(name="metric", join_keys=["metric_id"], value_type=ValueType.STRING)

text = embedding_view("judge", name="text", entity=response, texts={"response_id": [*ASKED, "response"]})
answer = embedding_view("judge", name="response", entity=response, texts={"response_id": "response"})
question = embedding_view("judge", name="prompt", entity=prompt, texts={"prompt_id": ASKED})
asked_of = embedding_view("judge", name="metric", entity=metric, texts={"metric_id": "metric_name"})
lexical = lexical_view("judge", entity=response, texts={"response_id": "response"})

text_metric = interaction_view("judge", name="text_metric", left=text, right=asked_of)
response_prompt = interaction_view("judge", name="response_prompt", left=answer, right=question, of=["cosine"])
response_metric = interaction_view("judge", name="response_metric", left=answer, right=asked_of, of=["cosine"])

views = [text, answer, question, asked_of, lexical, text_metric, response_prompt, response_metric]
judge = FeatureService(name="judge", features=views)
