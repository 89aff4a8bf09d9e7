#!/usr/bin/env python3
"""Makes model.onnx: a multilayer perceptron of 10 inputs, 5 hidden units and 1 output.

The same file byte for byte with every release of onnx: IR and operator set versions are fixed, and
the weights come from Python's own generator, whose sequence for a seed is documented not to change.

    pip install onnx && python3 examples/mlp/make_mlp.py
"""

import pathlib
import random

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

SEED = 2026
IR_VERSION = 8
OPSET = 17


def weights(source, name, *shape):
    """Weights between -1 and 1."""
    values = [source.uniform(-1.0, 1.0) for _ in range(int(np.prod(shape)))]
    return numpy_helper.from_array(np.array(values, np.float32).reshape(shape), name)


def mlp():
    source = random.Random(SEED)
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["features", "hidden.weight", "hidden.bias"], ["hidden"], "hidden"),
            helper.make_node("Relu", ["hidden"], ["active"], "active"),
            helper.make_node("Gemm", ["active", "score.weight", "score.bias"], ["score"], "score"),
        ],
        "mlp",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", 10])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 1])],
        [
            weights(source, "hidden.weight", 10, 5),
            weights(source, "hidden.bias", 5),
            weights(source, "score.weight", 5, 1),
            weights(source, "score.bias", 1),
        ],
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], producer_name="modelctl-example")
    model.ir_version = IR_VERSION
    return model


if __name__ == "__main__":
    model = mlp()
    checker.check_model(model)
    path = pathlib.Path(__file__).with_name("model.onnx")
    path.write_bytes(model.SerializeToString(deterministic=True))
    print(path)
