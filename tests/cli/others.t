How other tools failed, and this one must not (the other lessons of this kind are unit tests, named dNN_...).

  $ mkdir -p d/proc d/.pitcrew/fact; : > d/.pitcrew/missing; printf '%s\n' 'printf "{\"driver\":\"550\",\"gpus\":[{\"index\":0,\"uuid\":\"GPU-a\",\"remapped\":{\"corrected\":%d,\"uncorrected\":%d,\"pending\":%d,\"failure\":%d}}]}" "$@"' > gpu

D9: a threshold was compared with a column that had not been asked for, so the alarm could not go off. Here each number on its
own makes the row speak; 512 remapped rows are the last that pass.

  $ sh gpu 0 512 0 0 > d/.pitcrew/fact/nvml; pitcrew check --root d --only gpu.row-remap >/dev/null
  $ sh gpu 0 513 0 0 > d/.pitcrew/fact/nvml; pitcrew check --root d --only gpu.row-remap | grep '^  '
    warn  Row remapping of GPU memory: GPU 0: nothing waits, 513 rows remapped
        wanted  nothing pending, no failure
        seen    NVML GPU 0 : nothing waits, 513 rows remapped
        fix     Reset the GPU when it is idle; have it replaced when remapping
                failed.
        run     nvidia-smi --gpu-reset -i 0
        id      gpu.row-remap
    1. nvidia-smi --gpu-reset -i 0 (gpu.row-remap)
  $ sh gpu 0 1 1 0 > d/.pitcrew/fact/nvml; pitcrew check --root d --only gpu.row-remap | grep '^  '
    warn  Row remapping of GPU memory: GPU 0: remapping waits for a reset, 1 rows
          remapped
        wanted  nothing pending, no failure
        seen    NVML GPU 0 : remapping waits for a reset, 1 rows remapped
        fix     Reset the GPU when it is idle; have it replaced when remapping
                failed.
        run     nvidia-smi --gpu-reset -i 0
        id      gpu.row-remap
    1. nvidia-smi --gpu-reset -i 0 (gpu.row-remap)
  $ sh gpu 0 1 0 1 > d/.pitcrew/fact/nvml; pitcrew check --root d --only gpu.row-remap | grep '^  '
    FAIL  Row remapping of GPU memory: GPU 0: remapping failed, 1 rows remapped
        wanted  nothing pending, no failure
        seen    NVML GPU 0 : remapping failed, 1 rows remapped
        fix     Reset the GPU when it is idle; have it replaced when remapping
                failed.
        run     nvidia-smi --gpu-reset -i 0
        id      gpu.row-remap
    1. nvidia-smi --gpu-reset -i 0 (gpu.row-remap)

D10: unhealthy, and exit code 0; no output for machines. Here the exit code says what the report says, in each format.

  $ pitcrew check --root d --only gpu.row-remap >/dev/null
  [2]
  $ pitcrew check --root d --only gpu.row-remap --format json >/dev/null
  [2]
  $ pitcrew check --root d --only gpu.row-remap --format junit >/dev/null
  [2]
  $ pitcrew check --root d --only gpu.row-remap --format json | grep -c '"status": "fail"'
  1
  $ sh gpu 0 0 0 0 > d/.pitcrew/fact/nvml; pitcrew check --root d --only gpu.row-remap >/dev/null
