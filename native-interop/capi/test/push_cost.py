"""What Python adds to a pushed frame: calls to a camera that has ended, which does nothing with them. Usage: push_cost.py MODELS WEIGHTS PHOTO"""
import pathlib
import sys
import time

import lfr
import numpy as np

models, weights, photo = sys.argv[1:4]
engine = lfr.Engine(models, weights)
builder = engine.builder()
builder.add_photo(builder.add_person("person-1", "Name"), pathlib.Path(photo).read_bytes())
run = engine.run(builder.build())
camera = run.add_camera("pushed")
camera.end()
frame = np.zeros((1080, 1920, 3), np.uint8)
calls = 20000
best = float("inf")
for _ in range(5):
    began = time.thread_time()
    for i in range(calls):
        camera.push(frame, i)
    best = min(best, (time.thread_time() - began) / calls)
print(f"a pushed frame through Python: {best * 1e6:.1f} us on the processor, copying not included")
