#!/usr/bin/env python3
"""Judges the smoke test: do the golden data of the PyPI package onnx pass, and fail when changed?

    golden_cases.py MODELCTL

Packs each backend-test model with its test_data_sets, runs the artifact, then again with one bit of
an expected output turned. A model that `modelctl run` does not load must be one that Python's
onnxruntime does not load either (operator sets that are too old, training operators, locales).
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import onnx
import onnxruntime

from compare_outputs import package, python_refuses

DIFFERENT = 5


def run(modelctl, folder, *arguments):
    environment = dict(os.environ, MODELCTL_STORE=str(folder / "store"))
    command = [modelctl, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


def smoke(modelctl, model, cases):
    """The exit code of a run of the model with these cases, and what it said."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        packed = run(modelctl, folder, "pack", model, "-t", "judge/golden:v1", "--tests", cases)
        assert packed.returncode == 0, f"{model}: {packed.stderr}"
        ran = run(modelctl, folder, "run", "store:judge/golden:v1")
        return ran.returncode, ran.stderr


def turn(path):
    """Turns the sign of the first element of an output; False where that changes nothing."""
    message = onnx.TensorProto()
    message.ParseFromString(path.read_bytes())
    if message.data_type != onnx.TensorProto.FLOAT or len(message.raw_data) < 4:
        return False
    raw = bytearray(message.raw_data)
    if not any(raw[:3]) and raw[3] & 0x7F == 0:
        return False
    raw[3] ^= 0x80
    message.raw_data = bytes(raw)
    path.write_bytes(message.SerializeToString())
    return True


def main():
    modelctl = str(pathlib.Path(sys.argv[1]).resolve())
    passed = noticed = refused = 0
    for model in sorted(package("onnx").glob("backend/test/data/*/*/model.onnx")):
        with tempfile.TemporaryDirectory() as folder:
            cases = pathlib.Path(folder) / "cases"
            for case in model.parent.glob("test_data_set_*"):
                shutil.copytree(case, cases / case.name)
            code, said = smoke(modelctl, model, cases)
            if code != 0:
                assert "does not load it" in said and python_refuses(model), f"{model}: {said}"
                refused += 1
                continue
            passed += 1
            if turn(sorted(cases.glob("*/output_0.pb"))[0]):
                code, said = smoke(modelctl, model, cases)
                assert code == DIFFERENT, f"{model}: a changed output gave {code}: {said}"
                noticed += 1
    print(
        f"onnxruntime {onnxruntime.__version__}: {passed} models give their golden outputs, "
        f"{noticed} of {noticed} changed outputs noticed; {refused} loaded by neither side"
    )


if __name__ == "__main__":
    main()
