"""dealings.py ROW COUNT 1: the rows of bench/micro/dealings.c; a task of asyncio is the unit.

Does the row's work COUNT times, a tenth of that before it to warm up, and prints the nanoseconds of
CPU that one took, on one core: asyncio has one thread. There is no `handover`: it has no queue
without room.
"""

import asyncio
import sys
import time

ROOM = 64  # Of a queue, as there.
AGENTS = 10
ITEMS = 100


async def pairs(n):
    queue = asyncio.Queue(ROOM)
    for i in range(n):
        await queue.put(i)
        await queue.get()


async def put(queue, n):
    for i in range(n):
        await queue.put(i)


async def stream(n):
    queue = asyncio.Queue(ROOM)
    sender = asyncio.create_task(put(queue, n))
    for _ in range(n):
        await queue.get()
    await sender


async def nothing():
    pass


async def children(n):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def echo(there, back):
    while (message := await there.get()) is not None:
        await back.put(message)


async def rounds(n):
    there, back = asyncio.Queue(ROOM), asyncio.Queue(ROOM)
    other = asyncio.create_task(echo(there, back))
    for _ in range(n):
        await there.put(b"12345678")
        await back.get()
    await there.put(None)
    await other


# docs/examples/coordinator.fth. A queue cannot be closed: each agent gets a None.


async def agent(jobs, results):
    count = 0
    while (item := await jobs.get()) is not None:
        await results.put(item * item)
        count += 1
    return count


async def feed(jobs):
    for i in range(1, ITEMS + 1):
        await jobs.put(i)
    for _ in range(AGENTS):
        await jobs.put(None)


async def coordinate():
    jobs, results = asyncio.Queue(16), asyncio.Queue(16)
    hired = [asyncio.create_task(agent(jobs, results)) for _ in range(AGENTS)]
    feeder = asyncio.create_task(feed(jobs))
    total = 0
    for _ in range(ITEMS):
        total += await results.get()
    for one in hired:
        total += await one
    await feeder
    return total


async def coordinator(n):  # Items in all.
    for _ in range(0, n, ITEMS):
        if await coordinate() != 338350 + ITEMS:
            sys.exit("coordinator: a wrong sum")


ROWS = {work.__name__: work for work in (pairs, stream, children, rounds, coordinator)}


async def measure(work, count):
    await work(count // 10 + 1)
    begun = time.process_time_ns()
    await work(count)
    print(f"{(time.process_time_ns() - begun) / count:.3f}")


def main():
    if sys.argv[3:] != ["1"] or sys.argv[1] not in ROWS or not sys.argv[2].isdigit():
        sys.exit("usage: dealings.py ROW COUNT 1")
    asyncio.run(measure(ROWS[sys.argv[1]], max(1, int(sys.argv[2]))))


main()
