"""What is done with a message between its capture and the day it can be recalled; no agents here, only functions."""
