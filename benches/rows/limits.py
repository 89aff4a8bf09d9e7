"""What the machine can do, by one plain loop each: the figures that the others are to be read beside."""
import hashlib
import os
import socket
import statistics
import threading
import time

from lib.result import Outcome, Result

BLOCK = 1 << 20


def run(bench):
    path = bench.model.path
    rows = {
        "read and SHA-256 of the file, one thread": lambda: hash_parts(path, 1),
        "read and SHA-256 of its halves, two threads": lambda: hash_parts(path, 2),
        "write and fsync of a file of that size": lambda: write_synced(bench, path.stat().st_size),
        "loopback, one connection": lambda: loopback(path.stat().st_size),
    }
    results = []
    for what, act in rows.items():
        rates = []
        for _ in range(bench.rounds):
            bench.settle()
            begin = time.perf_counter()
            act()
            rates.append(path.stat().st_size / (time.perf_counter() - begin) / 1e9)
        rate = statistics.median(rates)
        bench.say(f"limits: {what}: {rate:.2f} GB/s")
        results.append(Result(what, "", f"{rate:.2f} GB/s", None, {"gb_per_s": rate}))
    return Outcome(results)


def hash_parts(path, parts):
    """Hashes equal parts of the file at the same time; hashlib releases the interpreter's lock."""
    size = path.stat().st_size
    step = -(-size // parts)
    threads = [threading.Thread(target=hash_part, args=(path, start, min(step, size - start))) for start in range(0, size, step)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def hash_part(path, start, left):
    digest, block = hashlib.sha256(), memoryview(bytearray(BLOCK))
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        while left and (size := file.readinto(block[: min(BLOCK, left)])):
            digest.update(block[:size])
            left -= size


def write_synced(bench, size):
    path, block = bench.settings.work / "written", bytes(BLOCK)
    with open(path, "wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, size)
        for start in range(0, size, BLOCK):
            file.write(block[: min(BLOCK, size - start)])
        os.fsync(file.fileno())
    path.unlink()


def loopback(size):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sender = socket.create_connection(listener.getsockname())
        receiver, _ = listener.accept()
        thread = threading.Thread(target=send, args=(sender, size))
        thread.start()
        block = bytearray(BLOCK)
        while receiver.recv_into(block):
            pass
        thread.join()
        receiver.close()


def send(sender, size):
    block = memoryview(bytes(BLOCK))
    for start in range(0, size, BLOCK):
        sender.sendall(block[: min(BLOCK, size - start)])
    sender.close()
