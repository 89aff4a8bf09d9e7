#!/usr/bin/env python3
"""Judges recorded smoke tests: is what modelctl records what Python's ONNX Runtime computes?

    compare_outputs.py MODELCTL [MODEL…]

Packs each model with two recorded cases, pulls the artifact, and gives the recorded inputs to
Python's onnxruntime (the same library, the same one thread). Outputs must be equal to the bit.
Without models: every one of the PyPI packages onnx (test data), magika and silero-vad. A model that
modelctl refuses must be one that Python refuses too, on the same inputs or at all.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


def package(name):
    return pathlib.Path(importlib.util.find_spec(name).origin).parent


def all_models():
    found = sorted(package("magika").glob("models/*/model.onnx"))
    found += sorted(package("silero_vad").glob("data/*.onnx"))
    found += sorted(package("onnx").glob("backend/test/data/**/*.onnx"))
    return found


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def tensor(path):
    message = onnx.TensorProto()
    message.ParseFromString(path.read_bytes())
    array = numpy_helper.to_array(message)
    return array.astype(object) if message.data_type == onnx.TensorProto.STRING else array


def same(recorded, computed):
    if recorded.shape != computed.shape:
        return False
    if recorded.dtype == object or computed.dtype == object:
        return [str(a) for a in recorded.flat] == [str(b) for b in computed.flat]
    return recorded.dtype == computed.dtype and recorded.tobytes() == computed.tobytes()


def compare(model, cases):
    """Runs Python on the recorded inputs; gives how many outputs were compared, or raises."""
    running = session(model)
    compared = 0
    for case in sorted(cases):
        feeds = {
            value.name: tensor(case / f"input_{index}.pb")
            for index, value in enumerate(running.get_inputs())
        }
        for index, computed in enumerate(running.run(None, feeds)):
            path = case / f"output_{index}.pb"
            if not path.exists():
                assert not isinstance(computed, np.ndarray), f"{path.name} was not recorded"
                continue
            assert same(tensor(path), computed), f"{case.name}: {path.name} differs"
            compared += 1
    return compared


def record(modelctl, model, folder):
    """Packs with recorded cases and pulls; gives the folders of the cases, or the error."""
    environment = dict(os.environ, MODELCTL_STORE=str(folder / "store"))

    def run(*arguments):
        command = [modelctl, *map(str, arguments)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)

    packed = run("pack", model, "-t", "judge/model:v1", "--record", "2")
    if packed.returncode != 0:
        return None, packed.stderr.strip()
    pulled = run("pull", "store:judge/model:v1", "-o", folder / "pulled")
    assert pulled.returncode == 0, pulled.stderr
    return list((folder / "pulled/.modelctl/tests").iterdir()), None


def python_refuses(model):
    try:
        session(model)
    except Exception:
        return True
    return False


def main():
    modelctl, *models = sys.argv[1:]
    modelctl = str(pathlib.Path(modelctl).resolve())
    same_models = outputs = refused = unguessed = 0
    for model in map(pathlib.Path, models or all_models()):
        with tempfile.TemporaryDirectory() as folder:
            cases, error = record(modelctl, model, pathlib.Path(folder))
            if cases is None:
                if python_refuses(model):
                    refused += 1
                    continue
                # Values that decide shapes cannot be guessed.
                assert "on made inputs" in error, f"{model}: {error}"
                unguessed += 1
                continue
            outputs += compare(model, cases)
            same_models += 1
    print(
        f"onnxruntime {onnxruntime.__version__}: {same_models} models recorded, "
        f"{outputs} outputs equal to the bit; {refused} models refused by both sides, "
        f"{unguessed} run with no made inputs"
    )


if __name__ == "__main__":
    main()
