"""Fixtures of every tier."""

import os

# Powertools reads it when a handler's module is imported, which any test may do first.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Truthmill")

pytest_plugins = ("local_stack",)
