Without a verb, with a wrong one, help and version.

  $ pitcrew
  Usage: pitcrew VERB [OPTION...]
  The operating-system side of a machine that trains or serves AI models.
  
    check      judge this machine or a recorded one, most harmful first, with the fix
    topo       show CPUs, nodes, GPUs, network cards, disks: who is near whom
    snapshot   record what check and tune plan read into one tarball, for --root
    explain    tell all about a check
    tune       change what is wrong, with a journal that puts everything back
    run        start the ranks of a job in the right place, watch and stop them
    feed       index, verify and time the samples that a job reads
    ckpt       inspect, verify and convert checkpoints
    weights    inspect, verify and time the reading of weights
    bench      measure what I/O this machine allows, and why
  
  Try 'pitcrew VERB --help', 'man pitcrew', or just 'pitcrew check'.
  Exit codes: 0 clean, 1 warnings, 2 failures, 3 could not do the job, 64 usage; of run: the job's.
  [64]
  $ pitcrew chekc
  pitcrew: 'chekc' is not a verb; did you mean 'check'?
  [64]
  $ pitcrew frobnicate
  pitcrew: 'frobnicate' is not a verb; 'pitcrew --help' lists them
  [64]
  $ pitcrew --version
  pitcrew 0.1.0
  $ pitcrew --help >/dev/null

Nobody reads the output any more; no message for it, no signal.

  $ pitcrew check --list | head -1 >/dev/null
  $ pitcrew check --list >/dev/full
  pitcrew: cannot write the output: No space left on device
  [3]

With stdout closed the report must not land in the next file that is opened.

  $ pitcrew check --only cpu.smt >&-
  pitcrew: cannot write the output: Bad file descriptor
  [3]

Help of a verb, and its version.

  $ pitcrew help check | head -1
  Usage: pitcrew check [OPTION...]
  $ pitcrew topo --version
  pitcrew 0.1.0
