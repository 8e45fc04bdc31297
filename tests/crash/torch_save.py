# SPDX-License-Identifier: MIT
"""torch_save.py save|verify DIR [key=value]... - as crash_save does, by torch.save() onto the same file each time."""

import os
import sys

import torch

PATH = os.path.join(sys.argv[2], "state")


def state(number):
    generator = torch.Generator().manual_seed(number)
    return {"number": number, "weight": torch.randint(0, 255, (4 * 2 ** 20 + number,), dtype=torch.uint8,
                                                      generator=generator)}


def verify():
    if not os.path.exists(PATH):
        return "missing"
    try:
        found = torch.load(PATH)
        wanted = state(found["number"])
        same = torch.equal(found["weight"], wanted["weight"])
    except Exception as error:  # whatever the reader trips over
        return "damaged: " + repr(error)[:120].replace("\n", " ")
    return "state %d" % found["number"] if same else "damaged: other bytes"


def main():
    if sys.argv[1] == "verify":
        print(verify())
        return
    number = int(dict(word.split("=") for word in sys.argv[3:]).get("from", 1))
    while True:
        print("begin %d" % number, flush=True)
        one = state(number)
        try:
            torch.save(one, PATH)
        except Exception as error:
            sys.exit("failed %r" % error)
        print("end %d" % number, flush=True)
        number += 1


main()
