"""A thin handler for each state of the workflow; module and state share their name."""
