"""What a text says: sentences, language, names, dates, areas of life, phrases, facts."""
