"""Which memories may answer a question."""
