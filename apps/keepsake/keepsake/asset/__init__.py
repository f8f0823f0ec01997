"""Files of models, found in a folder and checked against known hashes before they are loaded."""
