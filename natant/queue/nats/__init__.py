"""Work queues over JetStream.

=================  ============================================================================
``place.py``       names of streams, consumers and subjects
``stream.py``      making and looking at a queue's stream; the stream of parked jobs
``carrier.py``     plane's side: submissions on their way into the queues
``service.py``     plane's side: reports of workers, figures, workers that died
``pull.py``        worker's side: jobs out of the queue, the most urgent first
``worker.py``      worker's side: doing them
``life.py``        plane's side: workers that died
``parked.py``      the parked jobs: keeping, listing, doing again, forgetting
``look.py``        figures of the queues, for whoever asks from outside
=================  ============================================================================

A queue is a stream with work-queue retention: a message is there until it was acknowledged.  Each priority is a part of the subject with a consumer of
its own.  The subject of a job with a key ends in that key, and each submission is published on the condition that the stream holds no message of that
key under any priority, which the server checks; so one job of a key is in the queue at a time, whoever submits it, and no consumer is
needed for each key or group of keys.  What waits for its turn stands in the outbox of the agent's partition.
"""
