"""From sound to text: decoding, voice activity, recognisers."""
