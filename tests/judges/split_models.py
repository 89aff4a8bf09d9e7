#!/usr/bin/env python3
"""Judges the splitter: do a model and its split form mean the same to onnx and ONNX Runtime?

    split_models.py MODELCTL [MODEL…]

Packs each model and pulls it twice: as it was, which must be the same bytes, and in split form, of
which `onnx.checker` must think what it thinks of the original, and Python's onnxruntime must compute
the same to the bit. Without models: every one of the PyPI packages onnx (test data), magika and
silero-vad.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

DTYPES = {
    "tensor(bool)": np.bool_,
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8,
}
# Lengths that are tried for symbolic dimensions.
LENGTHS = [1, 8, 64, 224, 256, 576, 640]


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).origin).parent


def all_models():
    found = sorted(package("magika").glob("models/*/model.onnx"))
    found += sorted(package("silero_vad").glob("data/*.onnx"))
    found += sorted(package("onnx").glob("backend/test/data/**/*.onnx"))
    return found


def forms(modelctl, model, folder):
    """Packs the model; gives the folders of its original and of its split form."""
    environment = dict(os.environ, MODELCTL_STORE=str(folder / "store"))

    def run(*arguments):
        command = [modelctl, *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{model}: {done.stderr}"

    run("pack", model, "-t", "judge/model:v1")
    run("pull", "store:judge/model:v1", "-o", folder / "original")
    run("pull", "store:judge/model:v1", "-o", folder / "split", "--layout", "split")
    return folder / "original", folder / "split"


def accepted(model):
    """Whether onnx accepts the model, by path: from bytes it knows no folder."""
    try:
        onnx.checker.check_model(str(model))
    except Exception:
        return False
    return True


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def recorded(model, running):
    """The inputs that onnx ships with a model."""
    feeds = {}
    for index, value in enumerate(running.get_inputs()):
        path = model.parent / "test_data_set_0" / f"input_{index}.pb"
        if not path.exists():
            return None
        message = onnx.TensorProto()
        message.ParseFromString(path.read_bytes())
        feeds[value.name] = numpy_helper.to_array(message)
    return feeds


def generated(running, length):
    random = np.random.default_rng(0)
    feeds = {}
    for value in running.get_inputs():
        shape = [size if isinstance(size, int) else length for size in value.shape]
        dtype = DTYPES[value.type]
        if np.issubdtype(dtype, np.floating):
            feeds[value.name] = random.random(shape).astype(dtype)
        else:
            feeds[value.name] = random.integers(0, 2, shape).astype(dtype)
    return feeds


def compute(model, running):
    """Runs the model on the first inputs that it takes; gives them and the outputs."""
    feeds = recorded(model, running)
    if feeds is not None:
        return feeds, running.run(None, feeds)
    for length in LENGTHS:
        feeds = generated(running, length)
        try:
            return feeds, running.run(None, feeds)
        except Exception as error:
            failure = error
    raise failure


def same(one, other):
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype == object:
        return one.shape == other.shape and (one == other).all()
    return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())


def judge(modelctl, model, folder):
    """Gives what became of one model; raises if its forms differ."""
    original, split = (form / model.name for form in forms(modelctl, model, folder))
    assert original.read_bytes() == model.read_bytes(), f"{model}: pulled other bytes"
    assert accepted(split) == accepted(model), f"{model}: onnx.checker changed its mind"
    is_split = any(split.parent.glob("*_data_*"))
    if not loads(model):
        assert not loads(split), f"{model}: loads only in split form"
        return "load in neither form"
    running = session(model)
    feeds, outputs = compute(model, running)
    assert same(outputs, session(split).run(None, feeds)), f"{model}: outputs differ"
    return "split, outputs equal to the bit" if is_split else "nothing to split"


def loads(model):
    try:
        session(model)
    except Exception:
        return False
    return True


def main():
    modelctl, *models = sys.argv[1:]
    modelctl = str(pathlib.Path(modelctl).resolve())
    counts = Counter()
    for model in map(pathlib.Path, models or all_models()):
        with tempfile.TemporaryDirectory() as folder:
            counts[judge(modelctl, model, pathlib.Path(folder))] += 1
    print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
    for outcome, count in sorted(counts.items()):
        print(f"{count:4} {outcome}")


if __name__ == "__main__":
    main()
