"""Training of risk and value: examples, choices, quality."""
