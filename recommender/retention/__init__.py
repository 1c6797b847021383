"""Who leaves, what it costs, why, and what to do: definitions, scores, reasons, segments, treatments."""
