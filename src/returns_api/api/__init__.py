"""Door 1, HTTP: parse, call one use case, answer. No rule, no SQL, no commit."""
