"""Work queues: durable work that agents ask for and any process does.

::

    class Call(Agent, route="/call/{id}"):
        clips = lane.jobs("asr", Clip, Transcript)      # what this agent asked for, and what became of it

        @command
        def record(self, clip: Clip) -> str:
            return self.clips.submit(clip, key=self.id)

        @clips.done
        def heard(self, job: JobState[Transcript]) -> None:
            self.text.append(job.result.text)

    plane = Plane("calls", agents=[Call])

    @plane.queue("asr", attempts=5)
    async def asr(job: Job[Clip]) -> Transcript:        # natant worker FILE:asr
        ...

**What holds.**  A job is part of the turn that submits it: both are durable or neither is.  It stays in its queue until a worker has finished
it *and* the agent has committed what became of it, so it is done again when a worker dies and its outcome is applied once.  Jobs with the same ``key``
are done one at a time, in the order of their submission.  What fails is tried again after a while, ``attempts`` times, and parked then with its cause.

==========================  =====================================================================
``message.py``              what travels: jobs, reports of workers, the agent's answers
``policy.py``               what a queue promises; declared by ``plane.queue``
``gate.py``                 which submission may go into the queue now (order of keys, window)
``job.py``                  what a worker's function is given
``figure.py``               depth, age, rates, how many workers there should be
``nats/``                   all of it over JetStream: the plane's side and the worker's
==========================  =====================================================================

The lane is ``natant/lane/jobs_lane.py``.
"""
