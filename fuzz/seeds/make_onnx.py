#!/usr/bin/env python3
"""Makes the seeds of the ONNX targets: each place where a tensor can be, in a few hundred bytes.

    make_onnx.py [FOLDER]
"""

import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]


def value(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2])


def weights(name, dtype=np.float32):
    return numpy_helper.from_array(np.arange(4, dtype=dtype).reshape(2, 2), name)


def graph(nodes, **more):
    return helper.make_graph(nodes, "g", [value("x")], [value("y")], **more)


def model(main, **more):
    made = helper.make_model(main, producer_name="seed", opset_imports=OPSETS, ir_version=10, **more)
    helper.set_model_props(made, {"key": "value"})
    return made


def external(name):
    tensor = weights(name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in [("location", "w.bin"), ("offset", "0"), ("length", "16")]:
        tensor.external_data.add(key=key, value=text)
    return tensor


def seeds():
    add = helper.make_node("Add", ["x", "W"], ["y"])
    constant = helper.make_node("Constant", [], ["c"], value=weights("own"))
    branch = helper.make_graph([constant, helper.make_node("Add", ["c", "W"], ["b"])], "b", [], [value("b")], [weights("W")])
    body = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    function = helper.make_function("own", "F", ["a"], ["b"], [constant, helper.make_node("Add", ["a", "c"], ["b"])], OPSETS)
    typed = helper.make_tensor("W", TensorProto.DOUBLE, [2], [1.0, 2.0])
    text = helper.make_tensor("T", TensorProto.STRING, [1], [b"text"])
    sparse = helper.make_sparse_tensor(weights("S"), numpy_helper.from_array(np.array([1, 2, 3, 4])), [3, 3])
    train = helper.make_training_info(graph([add]), [], None, None)
    training = model(graph([add], initializer=[weights("W")]))
    training.training_info.append(train)
    return {
        "initializer": model(graph([add], initializer=[weights("W"), weights("I", np.int64)])),
        "external": model(graph([add], initializer=[external("W"), external("V")])),
        "typed": model(graph([add], initializer=[typed, text])),
        "sparse": model(graph([add], sparse_initializer=[sparse])),
        "subgraphs": model(graph([body])),
        "function": model(graph([helper.make_node("F", ["x"], ["y"], domain="own")]), functions=[function]),
        "training": training,
    }


def main():
    folder = pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).parent / "onnx"
    for name, made in seeds().items():
        onnx.save(made, folder / f"{name}.onnx")


if __name__ == "__main__":
    main()
