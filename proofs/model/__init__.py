"""The stateful model (T18): any life of a few orders keeps every invariant after each step."""
