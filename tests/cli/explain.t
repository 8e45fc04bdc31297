  $ pitcrew explain
  pitcrew explain: name a check; 'pitcrew check --list' has them all ('pitcrew explain --help')
  [64]
  $ pitcrew explain memory.swappiness
  memory.swappiness: Swappiness
  
    why       A high value makes the kernel swap out idle memory of a job to keep
              more page cache, and what comes back from disk stalls loading and
              checkpoints. Profiles ask for 10 (throughput), 30 (virtual machines)
              or 1 (NVIDIA for inference), so training is held to 10 and inference
              to 1, where there is swap at all.
    else      warn, risk
    fix       Lower vm.swappiness.
    knobs     vm.swappiness
    source    tuned throughput-performance 10; NVIDIA h100-inference 1
    see       https://docs.kernel.org/admin-guide/sysctl/vm.html
  $ pitcrew explain memory.swapines
  pitcrew: no check is named 'memory.swapines' (near: memory.swappiness); 'pitcrew check --list' has them all
  [64]
