"""The domain: what Truthmill decides. Pure: no Lambda, no event shape, no environment, no client."""
