#!/usr/bin/env python3
"""Writes a transformer-like ONNX model of a wanted size as one file, which may be larger than protobuf's 2 GiB.

    make_model.py SIZE_MIB PATH [--seed N] [--changed FRACTION]

Tensors of 4 KiB to 256 MiB with random values (incompressible); it runs in ONNX Runtime: input `ids` (int64, [n]),
output `y` (float, [n, 1536]). The same arguments give the same bytes. --changed draws that fraction of the tensors (by
bytes) from another seed: the next version of the model. Written as wire records, since no protobuf library can hold it.
"""
import argparse

import numpy as np

HIDDEN = 1536
VOCABULARY = 256 * 1024 * 1024 // (4 * HIDDEN)


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def node(op, inputs, output):
    return data(1, b"".join(data(1, i.encode()) for i in inputs) + data(2, output.encode()) + data(4, op.encode()))


def value_info(field, name, element, dims):
    shape = b"".join(data(1, data(2, d.encode()) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(field, data(1, name.encode()) + data(2, data(1, number(1, element) + data(2, shape))))


def layers_for(size):
    """Names and shapes of the weights, and the nodes that use them, up to a size in bytes."""
    weights = [("embedding.weight", (VOCABULARY, HIDDEN))] if size > 2 * 256 * 1024 * 1024 else [("embedding.weight", (512, HIDDEN))]
    nodes = [node("Gather", ["embedding.weight", "ids"], "h0")]
    total, state, layer = 4 * weights[0][1][0] * HIDDEN, "h0", 0
    shapes = [("q", HIDDEN, HIDDEN), ("k", HIDDEN, HIDDEN), ("v", HIDDEN, HIDDEN), ("o", HIDDEN, HIDDEN), ("up", HIDDEN, 4 * HIDDEN), ("down", 4 * HIDDEN, HIDDEN)]
    per_layer = sum(4 * a * b for _, a, b in shapes) + 2 * 4 * HIDDEN
    while layer == 0 or total + per_layer <= size:
        for name, rows, columns in shapes:
            weight, output = f"layers.{layer}.{name}.weight", f"l{layer}.{name}"
            weights.append((weight, (rows, columns)))
            nodes.append(node("MatMul", [state, weight], output))
            state = output
        for name, op in (("bias", "Add"), ("scale", "Mul")):
            weight, output = f"layers.{layer}.{name}", f"l{layer}.{name}.out"
            weights.append((weight, (HIDDEN,)))
            nodes.append(node(op, [state, weight], output))
            state = output
        nodes.append(node("Tanh", [state], f"h{layer + 1}"))
        state, total, layer = f"h{layer + 1}", total + per_layer, layer + 1
    return weights, b"".join(nodes) + node("Identity", [state], "y")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size_mib", type=int)
    parser.add_argument("path")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changed", type=float, default=0.0)
    arguments = parser.parse_args()

    weights, nodes = layers_for(arguments.size_mib << 20)
    total = sum(4 * int(np.prod(shape)) for _, shape in weights)
    budget, changed = int(total * arguments.changed), set()
    for index in range(len(weights) - 1, 0, -1):
        size = 4 * int(np.prod(weights[index][1]))
        if size <= budget:
            changed.add(index)
            budget -= size

    headers = []
    for name, shape in weights:
        size = 4 * int(np.prod(shape))
        before = b"".join(number(1, d) for d in shape) + number(2, 1) + data(8, name.encode()) + varint(9 << 3 | 2) + varint(size)
        headers.append(varint(5 << 3 | 2) + varint(len(before) + size) + before)
    tail = data(2, b"transformer-like") + value_info(11, "ids", 7, ["n"]) + value_info(12, "y", 1, ["n", HIDDEN])
    length = len(nodes) + sum(map(len, headers)) + total + len(tail)
    with open(arguments.path, "wb") as out:
        out.write(number(1, 8) + data(2, b"make_model") + data(8, number(2, 17)) + varint(7 << 3 | 2) + varint(length) + nodes)
        for index, (header, (_, shape)) in enumerate(zip(headers, weights)):
            out.write(header)
            random = np.random.default_rng([arguments.seed + (index in changed), index])
            for start in range(0, shape[0], 4096):
                rows = (min(4096, shape[0] - start), *shape[1:])
                out.write((random.standard_normal(rows, dtype=np.float32) * np.float32(0.02)).tobytes())
        out.write(tail)


if __name__ == "__main__":
    main()
