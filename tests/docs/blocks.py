# SPDX-License-Identifier: Apache-2.0
"""Runs the python blocks of a document as one program, each when its turn comes.

Reads lines of a block's file, the folder to run it in and the document's name, TAB between them, and answers each with
a line: "done", "failed", or "skipped" and why, for a block that imports what is not installed, and for all behind it.
What blocks print, and their faults, go to stderr.
"""

import os
import sys
import traceback

MAY_BE_MISSING = ("jax", "numpy", "safetensors", "torch")

answers = sys.stdout
sys.stdout = sys.stderr
variables = {"__name__": "__main__"}
missing = None
for request in sys.stdin:
    path, folder, document = request.rstrip("\n").split("\t")
    os.chdir(folder)
    try:
        with open(path, encoding="utf-8") as block:
            program = compile(block.read(), document, "exec")
        if not missing:
            exec(program, variables)
        answer = f"skipped, there is no {missing}" if missing else "done"
    except ModuleNotFoundError as error:
        missing = error.name
        answer = f"skipped, there is no {missing}" if missing in MAY_BE_MISSING else "failed"
        if answer == "failed":
            traceback.print_exc()
    except BaseException:
        traceback.print_exc()
        answer = "failed"
    print(answer, file=answers, flush=True)
