"""Chat rooms with a history and who is there: lists, ages, two agents that talk."""
