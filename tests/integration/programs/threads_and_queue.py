# What a Python program of many threads waits with: queue, Lock, Condition, Event, a pool, join, and
# subprocess.
import concurrent.futures
import queue
import subprocess
import sys
import threading
import time

tasks = queue.Queue(maxsize=8)
results = queue.Queue()
start = threading.Event()


def work():
    start.wait()
    while (item := tasks.get()) is not None:
        time.sleep(0.001)
        results.put(item * item)
        tasks.task_done()


workers = [threading.Thread(target=work, name=f"worker {i}") for i in range(4)]
for worker in workers:
    worker.start()
start.set()
for i in range(200):
    tasks.put(i)
tasks.join()
for _ in workers:
    tasks.put(None)
for worker in workers:
    worker.join(timeout=30)
print(sum(results.get() for _ in range(200)))

turn = threading.Condition()
turns = []


def take_turns(mine):
    for _ in range(50):
        with turn:
            turn.wait_for(lambda: len(turns) % 2 == mine, timeout=30)
            turns.append(mine)
            turn.notify_all()


with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
    for future in [pool.submit(take_turns, 0), pool.submit(take_turns, 1)]:
        future.result()
print(turns == [0, 1] * 50)
print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True).stdout.decode().strip())
