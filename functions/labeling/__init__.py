"""The labeling service: SageMaker's labeling protocol, the worker portal, and what ends a job."""
