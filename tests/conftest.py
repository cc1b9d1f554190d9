"""What holds for every test: an example of Hypothesis may take as long as a busy machine makes it."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
