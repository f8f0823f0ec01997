"""The fabric on a NATS server with JetStream; needs ``natant[nats]``."""
