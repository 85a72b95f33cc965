"""Fixtures of every tier."""

import os

import pytest
from hypothesis import settings

# As hypothesis does where CI is set: what an example takes says more about a busy machine than about us.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

# Powertools reads it when a handler's module is imported, which any test may do first.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Truthmill")
# A function has one processor, and so has each of the test processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

pytest_plugins = ("local_stack",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of the deployed stack stay together in one process, which deploys it once."""
    for item in items:
        if "local_stack" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("stack"))
