#!/usr/bin/env python3
"""Writes a transformer-like ONNX model of a wanted size as one file, which may be larger than protobuf's 2 GiB.

    make_model.py SIZE_MIB PATH [--seed N] [--changed FRACTION] [--insert-layer] [--reorder] [--producer-version TEXT]

Of 2 GiB it has 146 tensors of 0.12 to 256 MiB with random values (incompressible). It runs in ONNX Runtime: input `ids`
(int64, [n]), output `y` (float, [n, k]). The same arguments give the same bytes. The options make a next version of the
model that the same arguments without them give. Written as wire records, since no protobuf library can hold it.
"""
import argparse
import math
import zlib
from dataclasses import dataclass, field

import numpy as np

MIB = 1 << 20
# From this size on the model has the width of a small real transformer; below it must still have several layers.
WIDE_FROM = 1024 * MIB
ADAPTER = 176


@dataclass
class Tensor:
    """A float32 initializer: its values follow from its name, so that they do not depend on its place."""

    name: str
    shape: tuple
    seed: int = 0

    @property
    def size(self):
        return 4 * math.prod(self.shape)


@dataclass
class Model:
    tensors: list = field(default_factory=list)
    nodes: list = field(default_factory=list)
    state: str = "ids"

    def apply(self, op, output, *inputs):
        self.nodes.append(node(op, inputs, output))
        self.state = output

    def multiply(self, tensor):
        self.tensors.append(tensor)
        self.apply("MatMul", f"{tensor.name}.out", self.state, tensor.name)

    @property
    def size(self):
        return sum(tensor.size for tensor in self.tensors)


# Wire format: https://protobuf.dev/programming-guides/encoding, field numbers from onnx.proto.


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(tag, value):
    return varint(tag << 3) + varint(value)


def data(tag, content):
    return varint(tag << 3 | 2) + varint(len(content)) + content


def node(op, inputs, output):
    return data(1, b"".join(data(1, i.encode()) for i in inputs) + data(2, output.encode()) + data(4, op.encode()))


def value_info(tag, name, element, dims):
    shape = b"".join(data(1, data(2, d.encode()) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(tag, data(1, name.encode()) + data(2, data(1, number(1, element) + data(2, shape))))


def layer(name, hidden, square="qkvo", wide=("up", "down")):
    """The matrices of a layer in the order of their use; a narrow adapter comes last, as after low-rank fine-tuning."""
    shapes = {part: (hidden, hidden) for part in square}
    shapes |= {part: (hidden, 4 * hidden) if part == "up" else (4 * hidden, hidden) for part in wide}
    shapes |= {"adapter.down": (hidden, ADAPTER), "adapter.mid": (ADAPTER, ADAPTER), "adapter.up": (ADAPTER, hidden)}
    return [Tensor(f"{name}.{part}.weight", shape) for part, shape in shapes.items()]


def build(size, insert_layer):
    """An embedding, layers while they fit, and a head that fills the rest of the size; an inserted layer is on top of it."""
    hidden = 1536 if size >= WIDE_FROM else 384
    embedding = Tensor("embedding.weight", (min(size // 8, 256 * MIB) // (4 * hidden), hidden))
    per_layer = sum(tensor.size for tensor in layer("", hidden))
    count = max(1, (size - embedding.size) // per_layer)
    columns = max(32, (size - embedding.size - count * per_layer) // (4 * hidden))

    model = Model([embedding])
    model.apply("Gather", "embedded", embedding.name, "ids")
    for index in range(count):
        if insert_layer and index == count // 2:
            for tensor in layer("inserted", hidden, square="vo", wide=()):
                model.multiply(tensor)
        for tensor in layer(f"layers.{index}", hidden):
            model.multiply(tensor)
        model.apply("Tanh", f"layers.{index}.out", model.state)
    model.multiply(Tensor("head.weight", (hidden, columns)))
    model.apply("Identity", "y", model.state)
    return model, columns


def change(model, fraction):
    """Draws other values for that fraction of the bytes: matrices of the last layer, from its end, those that fit."""
    budget = int(model.size * fraction)
    last = model.tensors[-2].name.removesuffix(".adapter.up.weight")
    for tensor in reversed(model.tensors):
        if tensor.name.startswith(f"{last}.") and tensor.size <= budget:
            tensor.seed = 1
            budget -= tensor.size


def write(model, columns, path, seed, producer_version):
    headers = []
    for tensor in model.tensors:
        before = b"".join(number(1, d) for d in tensor.shape) + number(2, 1) + data(8, tensor.name.encode())
        before += varint(9 << 3 | 2) + varint(tensor.size)
        headers.append(varint(5 << 3 | 2) + varint(len(before) + tensor.size) + before)
    nodes = b"".join(model.nodes)
    tail = data(2, b"transformer-like") + value_info(11, "ids", 7, ["n"]) + value_info(12, "y", 1, ["n", columns])
    length = len(nodes) + sum(map(len, headers)) + model.size + len(tail)
    producer = data(2, b"make_model") + data(3, producer_version.encode())
    with open(path, "wb") as out:
        out.write(number(1, 8) + producer + data(8, number(2, 17)) + varint(7 << 3 | 2) + varint(length) + nodes)
        for header, tensor in zip(headers, model.tensors):
            out.write(header)
            write_values(out, tensor, seed)
        out.write(tail)


def write_values(out, tensor, seed):
    random = np.random.Generator(np.random.SFC64([seed + tensor.seed, zlib.crc32(tensor.name.encode())]))
    rows = max(1, 4 * MIB // (4 * tensor.shape[1]))
    for start in range(0, tensor.shape[0], rows):
        values = random.random((min(rows, tensor.shape[0] - start), tensor.shape[1]), dtype=np.float32)
        values -= np.float32(0.5)
        # The variance of fan-in scaling: what goes through a hundred matrices neither vanishes nor overflows.
        values *= np.float32(math.sqrt(12 / tensor.shape[0]))
        out.write(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size_mib", type=int)
    parser.add_argument("path")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changed", type=float, default=0.0, help="fraction of the bytes, in whole tensors of one layer")
    parser.add_argument("--insert-layer", action="store_true", help="one small layer more in the middle")
    parser.add_argument("--reorder", action="store_true", help="the tensors in another order in the file")
    parser.add_argument("--producer-version", default="1", help="what the exporter calls itself")
    arguments = parser.parse_args()

    model, columns = build(arguments.size_mib * MIB, arguments.insert_layer)
    change(model, arguments.changed)
    if arguments.reorder:
        model.tensors.sort(key=lambda tensor: zlib.crc32(tensor.name.encode()))
    write(model, columns, arguments.path, arguments.seed, arguments.producer_version)


if __name__ == "__main__":
    main()
