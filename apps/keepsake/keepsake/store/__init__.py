"""Where a person's messages, memories and vectors are kept: a contract, and an adapter a file."""
